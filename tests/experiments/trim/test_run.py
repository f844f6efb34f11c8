"""One method, one seed: does each method trim in its direction, does a trimmed model come from the
points that are left, are test points left alone, and is what cannot be done refused with a
sentence?
"""

from dataclasses import replace

import numpy as np
import pytest

from core import datasets, embeddings, softmax_head
from core.experiments.trim.planted import auc
from core.experiments.trim.run import (
    METHODS,
    MethodInputs,
    TrimSettings,
    draw_points,
    operations,
    run,
)
from core.linalg import ties
from core.types import Dataset, Embedded, UserError

QUICK = TrimSettings(budgets=(5, 20), training=150, validation=80, l2=0.01, model="raw")
FLIPS = replace(QUICK, planted="flip", share=0.1)


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits", n=600)


@pytest.fixture(scope="module")
def clouds():
    """Two clouds with one mislabeled point (the first) and one far, rightly labelled one (the
    last).
    """
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    x = rng.normal(size=(60, 2)) + np.stack([6.0 * y - 3, 0 * y], axis=1)
    x[0], y[0], x[59], y[59] = [2.9, 0.1], 0, [4, 30], 1
    unseen = Embedded(
        rng.normal(size=(40, 2)) + np.stack([6.0 * (np.arange(40) % 2) - 3, np.zeros(40)], axis=1),
        labels=np.arange(40) % 2,
    )
    return MethodInputs(x, y, unseen, softmax_head.fit(x, y, l2=0.01))


@pytest.mark.parametrize("name", ["fi", "iv", "shapley", "loss"])
def test_a_mislabeled_point_is_trimmed_first(clouds, name):
    assert METHODS[name].scores(clouds, np.random.default_rng(0)).argmax() == 0


def test_leverage_trims_what_sticks_out(clouds):
    scores = METHODS["leverage"].scores(clouds, np.random.default_rng(0))
    assert scores.argmax() == 59 and scores.sum() == pytest.approx(3), "two columns and the ones"


def test_the_loss_is_the_points_own_cross_entropy(clouds):
    probs = softmax_head.probabilities(clouds.embedding, clouds.head)
    scores = METHODS["loss"].scores(clouds, np.random.default_rng(0))
    assert scores == pytest.approx(-np.log(probs[np.arange(60), clouds.labels]))


def test_chance_is_uniform(clouds):
    scores = np.concatenate(
        [METHODS["random"].scores(clouds, np.random.default_rng(i)) for i in range(50)]
    )
    assert abs(scores.mean() - 0.5) < 0.02 and abs(scores.std() - 12**-0.5) < 0.01


def test_every_method_says_its_direction():
    assert all(
        "trimmed first" in method.says or "as likely to be trimmed" in method.says
        for method in METHODS.values()
    )


@pytest.mark.parametrize("name", METHODS)
def test_a_run_is_what_its_parts_say(digits, name):
    """Accuracies by fitting anew without the first b, AUC and precision by the scores: all by
    another way.
    """
    arrays, _ = run(digits, name, FLIPS, seed=2)
    given = draw_points(digits, FLIPS, 2)
    seen = Dataset("seen", given.points, given.labels, digits.class_names, np.zeros(150, bool))
    x, unseen, test = (
        embeddings.embed(one, "raw").embedding
        for one in (seen, part(digits, given.validation), part(digits, given.test))
    )

    def accuracy(kept):
        head = softmax_head.fit(x[kept], given.labels[kept], l2=0.01)
        return (
            softmax_head.probabilities(test, head).argmax(axis=1) == digits.labels[given.test]
        ).mean()

    head = softmax_head.fit(x, given.labels, l2=0.01)
    looked = MethodInputs(
        x, given.labels, Embedded(unseen, labels=digits.labels[given.validation]), head
    )
    scores = METHODS[name].scores(looked, np.random.default_rng([2, 7]))
    order = ties.order(scores)
    assert arrays["first"][:20].tolist() == order[:20].tolist() and arrays[
        "score"
    ] == pytest.approx(scores[arrays["first"]])
    expected = [accuracy(np.sort(order[b:])) for b in (0, 5, 20)]
    assert arrays["accuracy"] == pytest.approx(expected, abs=1.5 / len(test)), (
        "a point on the boundary may fall to either side"
    )
    assert arrays["auc"] == auc(scores, given.planted)
    assert arrays["precision"].tolist() == [given.planted[order[:b]].mean() for b in (5, 20)]
    assert arrays["removed"].tolist() == [
        np.bincount(given.labels[order[:b]], minlength=10).tolist() for b in (5, 20)
    ]


def part(data, rows):
    return Dataset(
        "part", data.points[rows], data.labels[rows], data.class_names, np.zeros(len(rows), bool)
    )


def test_flips_are_found_better_than_by_chance(digits):
    found = {
        name: np.mean([run(digits, name, FLIPS, seed)[0]["auc"] for seed in (1, 2, 3)])
        for name in METHODS
    }
    assert (
        found["loss"] > 0.9 and found["shapley"] > 0.9 and found["iv"] > 0.8 and found["fi"] > 0.65
    )
    assert 0.3 < found["random"] < 0.7 and 0.3 < found["leverage"] < 0.7


def test_the_parts_do_not_overlap_and_methods_share_them(digits):
    given, again = draw_points(digits, FLIPS, 1), draw_points(digits, FLIPS, 1)
    for a, b in (
        (given.rows, given.validation),
        (given.rows, given.test),
        (given.validation, given.test),
    ):
        assert not set(a) & set(b)
    assert len(given.rows) == 150 and len(given.validation) == 80 and given.planted.sum() == 15
    assert np.array_equal(given.rows, again.rows) and np.array_equal(given.labels, again.labels)
    assert not np.array_equal(given.rows, draw_points(digits, FLIPS, 2).rows)
    assert len({run(digits, name, FLIPS, 1)[0]["accuracy"][0] for name in METHODS}) == 1


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("model", ["pca", "raw", "fourier"])
def test_test_points_have_no_say(digits, name, model):
    """With other test points the same training points are trimmed, by the same scores."""
    test = draw_points(digits, FLIPS, 1).test
    points, labels = digits.points.copy(), digits.labels.copy()
    points[test], labels[test] = 255 - points[test], labels[test][::-1]
    marked = np.isin(np.arange(len(digits)), test)
    known = Dataset("digits", digits.points, digits.labels, digits.class_names, marked)
    other = Dataset("digits", points, labels, digits.class_names, marked)
    first, second = (run(data, name, replace(FLIPS, model=model), 1)[0] for data in (known, other))
    assert np.array_equal(first["first"], second["first"]) and first["score"] == pytest.approx(
        second["score"]
    )
    assert first["accuracy"][0] != second["accuracy"][0]


def test_nothing_planted_nothing_to_find(digits):
    arrays, _ = run(digits, "loss", QUICK, seed=1)
    assert (
        np.isnan(arrays["auc"])
        and np.isnan(arrays["precision"]).all()
        and np.isfinite(arrays["accuracy"]).all()
    )


def test_a_class_that_is_trimmed_away_is_never_predicted():
    """Six of one class are removed, all of it: its three test points are lost, the others are kept
    apart.
    """
    rng = np.random.default_rng(0)
    labels = np.concatenate([np.arange(60) % 2, np.full(12, 2)])
    centres = np.array([[-4.0, 0], [4, 0], [0, 60]])
    data = Dataset(
        "three",
        (centres[labels] + rng.normal(size=(72, 2))).astype(np.float32),
        labels,
        ("a", "b", "c"),
        np.arange(72) % 4 == 3,
    )
    setting = TrimSettings(budgets=(1, 9), model="raw", training=45, validation=9, l2=0.01)
    seed = next(
        s
        for s in range(50)
        if np.bincount(draw_points(data, setting, s).labels, minlength=3)[2] == 8
    )
    arrays, _ = run(data, "leverage", setting, seed)
    assert (
        arrays["removed"][1][2] == 8
        and arrays["accuracy"][0] == 1
        and arrays["accuracy"][2] == 15 / 18
    )


def test_two_classes_of_which_one_is_left():
    rng, labels = np.random.default_rng(0), (np.arange(200) % 10 == 0).astype(np.int64)
    points = (rng.normal(size=(200, 2)) + 80 * labels[:, None]).astype(np.float32)
    data = Dataset("two", points, labels, ("many", "few"), np.arange(200) >= 150)
    arrays, _ = run(
        data,
        "leverage",
        TrimSettings(budgets=(30,), model="raw", training=100, validation=20, l2=0.01),
        1,
    )
    assert arrays["accuracy"][0] == 1 and arrays["accuracy"][1] == 0.9


@pytest.mark.parametrize("name", ["fi", "random"])
def test_a_network_is_trained_anew(digits, name):
    setting = replace(FLIPS, model="mlp", epochs=15)
    arrays, _ = run(digits, name, setting, seed=1)
    again, _ = run(digits, name, setting, seed=1)
    assert arrays["accuracy"][0] > 0.6 and np.array_equal(arrays["accuracy"], again["accuracy"])
    assert len(set(arrays["accuracy"])) > 1


def test_progress_rises_to_the_end(digits):
    told = []
    run(digits, "fi", QUICK, 1, lambda fraction, text: told.append((fraction, text)))
    fractions = [fraction for fraction, _ in told]
    assert (
        fractions == sorted(fractions)
        and fractions[0] > 0
        and fractions[-1] < 1
        and "FI-util" in told[0][1]
        and "20" in told[-1][1]
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"training": 5_000}, "the training part has 480"),
        ({"validation": 5_000}, "the training part has 480"),
        ({"budgets": (150,)}, "150 points to remove of 150"),
        ({"training": 12, "budgets": (2,)}, "draws no training point of class"),
        ({"l2": 0.0}, "Give l2 above 0"),
        ({"planted": "colour"}, "found 'colour'"),
    ],
)
def test_what_cannot_be_done_is_refused(digits, change, said):
    with pytest.raises(UserError, match=said):
        run(digits, "fi", replace(QUICK, **change), 1)


def test_a_dead_column_without_a_penalty_is_a_singular_hessian():
    """The classes overlap, so that a head without a penalty has an end; a column of zeros bends
    nothing.
    """
    rng, labels = np.random.default_rng(0), np.arange(300) % 2
    points = np.stack([rng.normal(size=300) + labels, np.zeros(300)], axis=1).astype(np.float32)
    data = Dataset("dead", points, labels, ("0", "1"), np.arange(300) >= 200)
    for name in ("fi", "iv"):
        with pytest.raises(UserError, match="fit the head with l2 above 0"):
            run(
                data,
                name,
                TrimSettings(budgets=(5,), model="raw", training=100, validation=50, l2=0.0),
                1,
            )


def test_operations_grow_with_the_work():
    assert (
        operations("fi", QUICK, 784, 10)
        > operations("iv", QUICK, 784, 10)
        > operations("random", QUICK, 784, 10)
        > 0
    )
    assert operations("fi", replace(QUICK, model="pca"), 784, 10) < operations("fi", QUICK, 784, 10)
