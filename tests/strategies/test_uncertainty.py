"""Are the uncertainty scores what a hand computes, and calm where a class is certain?"""

import numpy as np
import pytest
from scipy import stats

from core.linalg.probabilities import check_labeled, check_probs, predicted_residuals
from core.strategies.uncertainty import bald, entropy, least_confidence, margin
from core.types import UserError

# (probabilities, entropy in nats, 1 - (first - second), 1 - first)
BY_HAND = [
    ([0.5, 0.5, 0.0, 0.0], np.log(2), 1.0, 0.5),
    ([0.25, 0.25, 0.25, 0.25], np.log(4), 1.0, 0.75),
    ([0.5, 0.25, 0.125, 0.125], 1.75 * np.log(2), 0.75, 0.5),
    ([0.0, 0.0, 1.0, 0.0], 0.0, 0.0, 0.0),
]


@pytest.fixture
def probs():
    return np.random.default_rng(0).dirichlet(np.full(6, 0.3), size=50)


@pytest.mark.parametrize(("p", "h", "m", "c"), BY_HAND)
def test_by_hand(p, h, m, c):
    p = np.array([p])
    assert [entropy(p)[0], margin(p)[0], least_confidence(p)[0]] == pytest.approx(
        [h, m, c], abs=1e-15
    )


def test_the_definitions(probs):
    ordered = np.sort(probs, axis=1)
    assert entropy(probs) == pytest.approx(stats.entropy(probs, axis=1), abs=1e-13)
    assert margin(probs) == pytest.approx(1 - (ordered[:, -1] - ordered[:, -2]), abs=1e-13)
    assert least_confidence(probs) == pytest.approx(1 - ordered[:, -1], abs=1e-13)


def test_two_classes_are_ranked_alike_by_all_three():
    p = np.random.default_rng(1).random(40)
    two = np.column_stack([p, 1 - p])
    ranks = [np.argsort(score(two)).tolist() for score in (entropy, margin, least_confidence)]
    assert ranks[0] == ranks[1] == ranks[2]


def test_nearly_sure_predictions_are_still_told_apart():
    p = np.array([[1.0, 1e-20, 1e-21], [1.0, 1e-18, 0.0]])
    assert least_confidence(p) == pytest.approx([1.1e-20, 1e-18], rel=1e-12, abs=0)
    assert margin(p) == pytest.approx([2.1e-20, 2e-18], rel=1e-12, abs=0)
    assert entropy(p)[1] > entropy(p)[0] > 0


def test_bald_by_hand():
    sure = np.array(
        [[[1.0, 0.0]], [[0.0, 1.0]]]
    )  # two networks, each sure of another class: they disagree as much as two can
    assert bald(sure) == pytest.approx([np.log(2)], abs=1e-15)
    assert bald(np.full((3, 1, 2), 0.5)) == pytest.approx(
        [0.0], abs=1e-15
    )  # all equally unsure: nothing to learn from their difference
    assert bald(sure[:1]) == pytest.approx([0.0], abs=1e-15)


def test_bald_averages_probabilities_and_not_logits():
    members = np.array([[[0.9, 0.1]], [[0.3, 0.7]]])
    expected = (
        stats.entropy([0.6, 0.4]) - (stats.entropy([0.9, 0.1]) + stats.entropy([0.3, 0.7])) / 2
    )
    assert bald(members) == pytest.approx([expected], abs=1e-15)
    logits = np.log(members).mean(axis=0)
    other = np.exp(logits) / np.exp(logits).sum()
    assert abs(stats.entropy(other[0]) - stats.entropy([0.6, 0.4])) > 1e-2


def test_bald_is_bounded_by_the_entropy_of_the_mean():
    members = np.random.default_rng(2).dirichlet(np.full(4, 0.2), size=(5, 30))
    assert (bald(members) >= 0).all() and (
        bald(members) <= entropy(members.mean(axis=0)) + 1e-12
    ).all()


@pytest.mark.parametrize("score", [entropy, margin, least_confidence])
def test_one_class_leaves_no_doubt(score):
    assert score(np.ones((3, 1))).tolist() == [0, 0, 0]


def test_float32_probabilities_are_taken_as_they_are(probs):
    assert entropy(probs.astype(np.float32)) == pytest.approx(entropy(probs), abs=1e-5)


@pytest.mark.parametrize("score", [entropy, margin, least_confidence])
@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (np.array([[2.0, -1.0]]), "least entry -1"),
        (np.array([[0.2, 0.2]]), "sums to 0.4"),
        (np.array([[3.0, 4.0]]), "take their softmax"),
        (np.array([[np.nan, 1.0]]), "NaN"),
        (np.zeros((2, 0)), "sums to 0"),
        (np.ones(3), "shape"),
    ],
)
def test_what_is_not_a_probability_is_refused(score, bad, said):
    with pytest.raises(UserError, match=said):
        score(bad)


@pytest.mark.parametrize("bad", [np.ones((3, 1)), np.ones((0, 3, 1)), np.full((2, 3, 2), 0.3)])
def test_members_that_are_no_tables_are_refused(bad):
    with pytest.raises(UserError, match="member_probs"):
        bald(bad)


def test_checks_name_what_they_found():
    with pytest.raises(UserError, match="2 rows, the embedding 3"):
        check_probs(np.full((2, 2), 0.5), 3)
    with pytest.raises(UserError, match="1 of 2 points have none"):
        check_labeled(np.array([0, -1]), 2)
    with pytest.raises(UserError, match="found class 3"):
        check_labeled(np.array([0, 3]), 2, 3)
    with pytest.raises(UserError, match="float64 of shape"):
        check_labeled(np.array([0.0, 1.0]), 2)


def test_predicted_residuals_are_the_error_of_the_predicted_label(probs):
    expected = probs - np.eye(6)[probs.argmax(axis=1)]
    assert predicted_residuals(probs) == pytest.approx(expected, abs=1e-14)
    assert predicted_residuals(np.eye(3)).tolist() == np.zeros((3, 3)).tolist()
    assert predicted_residuals(np.full((1, 2), 0.5)).tolist() == [
        [-0.5, 0.5]
    ]  # of equals the first is the predicted one
