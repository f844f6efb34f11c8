"""The FI paper's simulations in the plane: are trials what their parts say, are boundaries where
the model is undecided, and do our tables say of the paper's what they may?
"""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from core import softmax_head
from core.experiments.trim import fi_simulations
from core.experiments.trim.fi_simulations import (
    BUDGETS,
    CRESCENTS,
    GAUSSIANS,
    METHODS,
    WORLDS,
    better,
    boundary,
    trial,
)
from core.runtime import cache
from core.strategies.influence import influence_harm
from core.strategies.local_influence import fi_util
from core.types import Embedded

NAMES = list(METHODS)
SMALL = replace(CRESCENTS, sizes=(120, 60, 80))
QUICK = replace(SMALL, model=partial(fi_simulations.TwoLayers, steps=60))


def test_the_papers_sizes_and_numbers():
    assert GAUSSIANS.sizes == (150, 100, 600) and GAUSSIANS.seeds == 30
    assert [row[0] for row in GAUSSIANS.paper.values()] == [23, 28, 30] and GAUSSIANS.paper[20][
        1:
    ] == (0.9623, 0.9336)
    assert CRESCENTS.sizes == (500, 250, 250) and CRESCENTS.seeds == 20
    assert [row[0] for row in CRESCENTS.paper.values()] == [17, 17, 15] and CRESCENTS.paper[10][
        1:
    ] == (0.9024, 0.8802)
    assert all(tuple(world.paper) == BUDGETS for world in WORLDS.values())


def test_a_trial_on_gaussians_is_what_its_parts_say():
    found, rng = trial(GAUSSIANS, 4), np.random.default_rng(4)
    (x, y), (v, w), (t, u) = (GAUSSIANS.draw(size, rng) for size in GAUSSIANS.sizes)
    head, unseen = softmax_head.fit(x, y, l2=1 / 150), Embedded(v, labels=w)
    scores = {"fi": fi_util(x, y, unseen, head), "iv": influence_harm(x, y, unseen, head)}
    scores["turned"] = -scores["iv"]
    assert np.array_equal(found["points"], x) and np.array_equal(found["labels"], y)
    for name, values in scores.items():
        i, order = NAMES.index(name), np.argsort(-values, kind="stable")
        assert found["trimmed"][i].tolist() == order[:20].tolist()
        for j, b in enumerate((0, *BUDGETS)):
            kept = np.sort(order[b:])
            fitted = softmax_head.fit(x[kept], y[kept], l2=1 / 150)
            assert found["accuracy"][i, j] == pytest.approx(
                (softmax_head.probabilities(t, fitted).argmax(axis=1) == u).mean(), abs=1 / 600
            )


def test_a_trial_on_crescents_trims_by_the_network_and_repeats():
    found, again = trial(QUICK, 1), trial(QUICK, 1)
    assert np.array_equal(found["trimmed"], again["trimmed"]) and np.array_equal(
        found["accuracy"], again["accuracy"]
    )
    assert found["accuracy"][:, 0].min() == found["accuracy"][:, 0].max() > 0.75
    assert not set(found["trimmed"][NAMES.index("iv")]) & set(
        found["trimmed"][NAMES.index("turned")]
    )


@pytest.mark.parametrize("world", [GAUSSIANS, SMALL], ids=lambda world: world.name)
def test_on_the_boundary_the_model_is_undecided(world):
    seen = world.draw(world.sizes[0], np.random.default_rng(0))
    model = world.model(seen, 1)
    lines = boundary(model, seen[0])
    assert lines
    logits = np.abs(model.logit(np.concatenate(lines)))
    everywhere = np.abs(model.logit(seen[0]))
    assert np.median(logits) < 0.02 * np.median(everywhere)


def test_better_counts_strict_wins():
    accuracy = np.zeros((3, 4, 4))
    accuracy[0, NAMES.index("fi"), 1:] = [0.1, 0.1, 0.0]
    accuracy[1, NAMES.index("fi"), 1:] = [0.1, 0.0, -0.1]
    assert better(accuracy, "iv").tolist() == [2, 1, 0]


def test_a_picture_and_a_table_are_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("LEVERAGE_LAB_CACHE", str(tmp_path))
    monkeypatch.setattr(cache, "BUNDLED", tmp_path / "bundled")
    monkeypatch.setitem(fi_simulations.WORLDS, "two_gaussians", replace(GAUSSIANS, seeds=3))
    entry, table = (
        fi_simulations.boundaries("two_gaussians", 2),
        fi_simulations.accuracies("two_gaussians"),
    )
    found = trial(GAUSSIANS, 2, lines=True)
    assert np.array_equal(table.arrays["accuracy"][1], found["accuracy"]) and table.arrays[
        "accuracy"
    ].shape == (3, 4, 4)
    own = entry.arrays["piece"][:, 0] == 1 + NAMES.index("iv")
    drawn = entry.arrays["line"][own & (entry.arrays["piece"][:, 1] == 20)]
    assert drawn == pytest.approx(np.concatenate(found["lines"]["iv", 20]), abs=1e-5)
    monkeypatch.setattr(fi_simulations, "trial", None)
    assert (
        fi_simulations.boundaries("two_gaussians", 2).key
        == entry.key
        == fi_simulations.boundaries_key("two_gaussians", 2)
    )
    assert (
        cache.get(fi_simulations.accuracies_key("two_gaussians")) is not None
        and fi_simulations.accuracies("two_gaussians").key == table.key
    )


@pytest.fixture(scope="module")
def thirty():
    return np.array([trial(GAUSSIANS, seed)["accuracy"] for seed in range(1, 31)])


def test_the_first_table_comes_near_the_papers_only_with_the_sign_turned(thirty):
    """What the page says: counts within 5 of 23, 28, 30 with the sign turned, and far from them at
    5 and 10 points without.
    """
    wanted = np.array([23, 28, 30])
    assert np.abs(better(thirty, "turned") - wanted).max() <= 5
    assert np.abs(better(thirty, "iv") - wanted).max() >= 10
    mean = 100 * thirty.mean(axis=0)
    turned = [GAUSSIANS.paper[b][2] * 100 for b in BUDGETS]
    assert mean[NAMES.index("turned"), 1:] == pytest.approx(turned, abs=0.5)
    assert mean[NAMES.index("fi"), 1:] == pytest.approx([96.2] * 3, abs=0.3)
