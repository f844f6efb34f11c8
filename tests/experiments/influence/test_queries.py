"""Rounds of queries: who is asked, what the head then knows, and the plane's border."""

import numpy as np
import pytest

from core import datasets, softmax_head
from core.experiments.influence import queries
from core.experiments.influence.labeled_heads import draw, fitted, part, seen
from core.experiments.influence.queries import STRATEGIES, asked_in_round, run
from core.strategies.goal import goal_utility
from core.strategies.uncertainty import entropy
from core.types import UserError

SETTING = {
    "goal": "dev",
    "batch": 5,
    "rounds": 3,
    "labeled": 10,
    "unlabeled": 200,
    "validation": 40,
    "l2": 0.01,
    "seed": 1,
}


@pytest.fixture(scope="module")
def plane():
    data = datasets.load("synth2")
    return data, {name: run(data, data.points, strategy=name, **SETTING)[0] for name in STRATEGIES}


def test_every_strategy_begins_alike_and_asks_each_point_once(plane):
    _, runs = plane
    for arrays in runs.values():
        assert arrays["labels"].tolist() == [10, 15, 20, 25] and arrays["picks"].shape == (3, 5)
        assert (
            len(np.unique(arrays["picks"])) == 15 and np.isin(arrays["picks"], arrays["pool"]).all()
        )
        assert (
            np.array_equal(arrays["pool"], runs["random"]["pool"])
            and arrays["accuracy"][0] == runs["random"]["accuracy"][0]
        )


def test_the_first_batch_is_the_strategys(plane):
    data, runs = plane
    matrix, chosen = seen(data, data.points), draw(data, 10, 200, 40, 1)
    head = fitted(data, matrix, chosen.labeled, 0.01)
    pool, unseen = part(data, matrix, chosen.pool), part(data, matrix, chosen.validation)
    wanted = {
        over: goal_utility(pool.embedding, pool.labels, unseen, head, over=over)
        for over in ("oracle", "max", "uniform", "min")
    }
    wanted["entropy"] = entropy(softmax_head.probabilities(pool.embedding, head))
    for name, scores in wanted.items():
        assert set(runs[name]["picks"][0]) == set(chosen.pool[np.argsort(-scores)[:5]]), name


def test_the_last_head_is_fitted_to_all_that_was_asked(plane):
    data, runs = plane
    arrays, matrix = runs["oracle"], seen(data, data.points)
    rows = np.concatenate([arrays["labeled"], arrays["picks"].ravel()])
    head, test = (
        fitted(data, matrix, rows, 0.01),
        part(data, matrix, draw(data, 10, 200, 40, 1).test),
    )
    probs = softmax_head.probabilities(test.embedding, head)
    assert arrays["accuracy"][-1] == pytest.approx((probs.argmax(axis=1) == test.labels).mean())
    unseen = part(data, matrix, draw(data, 10, 200, 40, 1).validation)
    logs = np.log(softmax_head.probabilities(unseen.embedding, head))
    assert arrays["goals"][-1, 0] == pytest.approx(
        logs[np.arange(40), unseen.labels].mean(), abs=1e-6
    )
    # In the plane as it is, the recorded head gives the same probabilities.
    weights = arrays["heads"][-1]
    own = softmax_head.softmax(data.points[data.test] @ weights[:, :2].T + weights[:, 2])
    assert own == pytest.approx(probs, abs=1e-5)


def test_goal_oriented_queries_raise_their_goal(plane):
    _, runs = plane
    assert runs["oracle"]["goals"][-1, 0] > runs["entropy"]["goals"][-1, 0]
    assert runs["entropy"]["accuracy"][-1] < runs["oracle"]["accuracy"][-1], (
        "entropy is held by the central clusters"
    )


def test_asked_in_round_by_hand():
    assert asked_in_round(np.array([[7, 5], [9, 6]]), np.array([5, 6, 7, 8, 9])).tolist() == [
        1,
        2,
        1,
        0,
        2,
    ]
    assert asked_in_round(np.empty((0, 2), int), np.array([5, 6])).tolist() == [0, 0]


def test_other_points_have_no_heads_in_the_plane():
    data = datasets.load("digits")
    setting = SETTING | {"labeled": 20, "rounds": 1, "goal": "entropy"}
    arrays, facts = run(
        data, data.points.reshape(len(data), -1) / 255.0, strategy="uniform", **setting
    )
    assert (
        arrays["heads"].shape == (2, 10, 0)
        and facts == {"strategy": "uniform"}
        and np.isfinite(arrays["goals"]).all()
    )


def test_more_than_the_pool_has_is_refused_and_no_round_is_a_round():
    data = datasets.load("synth2")
    with pytest.raises(UserError, match="found 12 points, but 3 batches of 5 ask for 15"):
        run(data, data.points, strategy="random", **(SETTING | {"unlabeled": 12}))
    arrays, _ = run(data, data.points, strategy="random", **(SETTING | {"rounds": 0}))
    assert arrays["picks"].shape == (0, 5) and len(arrays["labels"]) == 1


def test_random_numbers_come_from_the_seed():
    data = datasets.load("synth2")
    first, again, other = (
        run(data, data.points, strategy="random", **(SETTING | {"seed": seed}))[0]["picks"]
        for seed in (1, 1, 2)
    )
    assert (
        np.array_equal(first, again)
        and not np.array_equal(first, other)
        and queries.STRATEGIES[-1] == "random"
    )
