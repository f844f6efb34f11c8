"""What a batch is worth to each strategy: by definition, and against the strategies' gains."""

import numpy as np
import pytest

from core import strategy as registry
from core.experiments.active import objectives
from core.plugins import menu
from core.strategies.badge import badge
from core.strategies.bait import bait, bait_regression
from core.strategies.coreset import k_center
from core.strategies.dpp import log_det
from core.types import Embedded

N, D, C, K = 60, 4, 3, 6


@pytest.fixture
def seen():
    rng = np.random.default_rng(0)
    labeled = np.zeros(N, bool)
    labeled[[3, 7]] = True
    embedding, probs = rng.normal(size=(N, D)), rng.dirichlet(np.ones(C), N)
    return Embedded(embedding, probs, probs.argmax(axis=1), labeled)


def gradients(seen):
    q = seen.probs - np.eye(C)[seen.probs.argmax(axis=1)]
    return np.einsum("ic,id->icd", q, seen.embedding).reshape(N, -1)


def at(objective, seen, picks, strategy, **knobs):
    return objectives.by_pick(objective, seen, np.asarray(picks), strategy, knobs)


def test_coresets_own_falls_to_the_farthest_point_left(seen):
    picks, gains = k_center(seen.embedding, seen.labeled, k=K + 1)
    assert at("radius", seen, picks[:K], "k_center") == pytest.approx(gains[1:])
    only = Embedded(seen.embedding, labeled=np.zeros(N, bool))
    farthest = np.linalg.norm(seen.embedding - seen.embedding[5], axis=1).max()
    assert at("radius", only, [5], "k_center")[0] == pytest.approx(farthest)


def test_badges_own_is_what_its_seeds_are_drawn_by(seen):
    picks, _ = badge(seen.embedding, seen.probs, seen.labeled, k=K, rng=np.random.default_rng(1))
    g = gradients(seen)
    for j, found in enumerate(at("potential", seen, picks, "badge"), 1):
        apart = ((g[:, None] - g[picks[:j]][None]) ** 2).sum(axis=2).min(axis=1)
        assert found == pytest.approx(apart[~seen.labeled].mean())


@pytest.mark.parametrize("knobs", [{}, {"ridge": 0.1}, {"scaling": "sum"}, {"fisher": False}])
def test_baits_own_falls_by_its_gains(seen, knobs):
    picks, gains = bait(seen.embedding, seen.probs, seen.labeled, k=K, backward=False, **knobs)
    values = at("trace", seen, picks, "bait", **knobs)
    assert -np.diff(values) == pytest.approx(gains[1:], rel=1e-9)
    regression = Embedded(seen.embedding, labeled=seen.labeled)
    picks, gains = bait_regression(seen.embedding, seen.labeled, k=K, backward=False, **knobs)
    values = at("trace", regression, picks, "bait_regression", **knobs)
    assert -np.diff(values) == pytest.approx(gains[1:], rel=1e-9)


def test_the_trace_by_its_definition(seen):
    def fisher(rows):
        blocks = (
            np.kron(
                np.diag(seen.probs[i]) - np.outer(seen.probs[i], seen.probs[i]),
                np.outer(seen.embedding[i], seen.embedding[i]),
            )
            for i in rows
        )
        return sum(blocks, np.zeros((C * D, C * D)))

    picks, f = [5, 0, 12], fisher(range(N)) / N
    values = at("trace", seen, picks, "bait", scaling="sum")
    for j, found in enumerate(values, 1):
        m = np.eye(C * D) + fisher([*np.flatnonzero(seen.labeled), *picks[:j]])
        assert found == pytest.approx(np.trace(np.linalg.solve(m, f)))


@pytest.mark.parametrize("knobs", [{}, {"ridge": 0.1}, {"space": "embedding"}])
def test_log_dets_own_grows_by_its_gains(seen, knobs):
    picks, gains = log_det(seen.embedding, seen.probs, seen.labeled, k=K, **knobs)
    assert at("log_det", seen, picks, "log_det", **knobs) == pytest.approx(np.cumsum(gains))


def test_a_dpps_is_of_the_picks_alone(seen):
    g = gradients(seen)[[5, 0, 12]]
    values = at("log_det", seen, [5, 0, 12], "k_dpp")
    assert values[-1] == pytest.approx(np.linalg.slogdet(np.eye(C * D) + g.T @ g)[1])


def test_a_scorers_own_is_the_mean_score_of_its_picks(seen):
    scores = registry.score("entropy", seen)
    picks = registry.pick("entropy", seen, 3).indices
    found = objectives.by_pick("score", seen, picks, "entropy", {}, scores)
    assert found == pytest.approx([scores[picks[: j + 1]].mean() for j in range(3)])


def test_every_strategy_is_shown_on_its_own_objective_first(seen):
    for name in menu.strategies():
        own = objectives.own(name)
        shown = objectives.shown(name, seen)
        assert len(set(shown)) == len(shown) and (own is None or shown[0] == own)
    assert objectives.own("random") is None and objectives.own("albl") is None


def test_a_trace_of_a_wide_head_is_worked_out_for_bait_alone():
    wide = Embedded(np.ones((2, 2001)), np.full((2, 3), 1 / 3))
    assert "trace" not in objectives.shown("badge", wide)
    assert objectives.shown("bait", wide)[0] == "trace"
