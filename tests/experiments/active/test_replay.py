"""A batch pick by pick: the objectives by their definitions, and the replay against the run it
repeats.
"""

import numpy as np
import pytest

from core import datasets
from core.experiments.active import replay
from core.experiments.active.plan import Active
from core.experiments.plan import compute

SMALL = {
    "dataset": "digits",
    "network": "linear",
    "pool": 200,
    "batch": 8,
    "rounds": 2,
    "start": 20,
    "until": "epochs",
    "epochs": 3,
}
PLAN = Active().with_(**SMALL, strategies="badge")


@pytest.fixture
def world():
    rng = np.random.default_rng(0)
    labeled = np.zeros(30, bool)
    labeled[[3, 7]] = True
    return (
        rng.normal(size=(30, 4)),
        rng.dirichlet(np.ones(3), 30),
        labeled,
        np.array([5, 0, 12, 29]),
    )


def test_the_radius_is_the_farthest_points_distance_to_its_nearest(world):
    h, _, labeled, picks = world
    for i, found in enumerate(replay.radius(h, labeled, picks), 1):
        centres = h[np.concatenate([np.flatnonzero(labeled), picks[:i]])]
        assert found == pytest.approx(
            np.linalg.norm(h[:, None] - centres[None], axis=-1).min(axis=1).max(), rel=1e-6
        )
    assert replay.radius(h, np.zeros(30, bool), picks[:1])[0] == pytest.approx(
        np.linalg.norm(h - h[5], axis=1).max()
    )


def test_log_det_equals_the_gradients_written_out(world):
    h, probs, _, picks = world
    q = probs - np.eye(3)[probs.argmax(axis=1)]
    g = np.einsum("ic,id->icd", q, h).reshape(30, -1)
    for i, found in enumerate(replay.log_det_by_pick(h[picks], probs[picks]), 1):
        assert found == pytest.approx(
            np.linalg.slogdet(np.eye(12) + g[picks[:i]].T @ g[picks[:i]])[1]
        )
    assert (np.diff(replay.log_det_by_pick(h, probs)) >= 0).all()


def test_the_trace_equals_its_definition_and_falls(world):
    h, probs, labeled, picks = world

    def fisher(rows):
        blocks = (
            np.kron(np.diag(probs[i]) - np.outer(probs[i], probs[i]), np.outer(h[i], h[i]))
            for i in rows
        )
        return sum(blocks, np.zeros((12, 12)))

    m, f = np.eye(12) + fisher(np.flatnonzero(labeled)), fisher(range(30)) / 30
    found = replay.fisher_trace(h, probs, labeled, picks)
    for i, row in enumerate(picks):
        m = m + fisher([row])
        assert found[i] == pytest.approx(np.trace(np.linalg.solve(m, f)))
    assert (np.diff(found) < 0).all()


def test_a_replay_picks_what_the_run_picked(own_cache):
    unit, data = PLAN.units()[0], datasets.load("digits")
    run = compute(unit)
    shown = replay.compute(unit, 1)
    pool, picks = shown.arrays["pool"], shown.arrays["picks"]
    assert pool[picks[0]].tolist() == run.arrays["picks"][1].tolist()
    assert (
        shown.arrays["labeled"].sum() == 28
        and shown.arrays["labeled"][np.searchsorted(pool, run.arrays["picks"][0])].all()
    )
    uncertainty = np.where(shown.arrays["labeled"], -1, shown.arrays["uncertainty"])
    assert (
        uncertainty[picks[1]].min() >= np.delete(uncertainty, picks[1]).max()
        and not shown.arrays["labeled"][picks].any()
    )
    assert shown.arrays["coordinates"].shape == (200, 2) and shown.arrays["trace"].shape == (2, 8)
    keys = [replay.replay_key(unit, number, data.fingerprint) for number in (0, 1)]
    assert replay.compute(unit, 1).key == shown.key == keys[1] != keys[0]
