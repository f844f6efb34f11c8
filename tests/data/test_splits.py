"""Does every point get its turn: to learn from, and to be judged by others?"""

import numpy as np
import pytest

from core.data.splits import parts, swapped
from core.types import UserError


def labels_of(n=100, classes=4):
    return np.random.default_rng(0).permutation(np.arange(n) % classes)


def test_a_published_part_is_kept_and_points_without_a_label_are_in_neither():
    labels = np.array([0, 1, -1, 0, 1, -1])
    test = np.array([0, 0, 0, 1, 1, 1], bool)
    learn, judge = parts(labels, test, "made up")
    assert learn.tolist() == [0, 1] and judge.tolist() == [3, 4]


def test_without_one_a_fifth_of_each_class_is_held_out_always_the_same():
    labels = labels_of()
    learn, judge = parts(labels, np.zeros(100, bool), "made up")
    assert np.bincount(labels[judge]).tolist() == [5] * 4 and sorted([*learn, *judge]) == list(
        range(100)
    )
    assert np.array_equal(judge, parts(labels, np.zeros(100, bool), "made up")[1])


@pytest.mark.parametrize(
    ("labels", "test"), [([0, 1, 0], [0, 0, 0]), ([0, 1, 1], [1, 1, 1]), ([-1] * 9, [0] * 9)]
)
def test_a_part_without_points_is_refused(labels, test):
    with pytest.raises(
        UserError,
        match=(
            r"made up: found \d labeled training points and \d labeled test points, expected some"
            " of each"
        ),
    ):
        parts(np.array(labels), np.array(test, bool), "made up")


def test_a_class_with_one_point_is_learned_from():
    labels = np.array([0, 1] * 6 + [2])
    learn, judge = parts(labels, np.zeros(13, bool), "made up")
    assert 12 in learn and len(judge) == 2
    again, others = swapped(labels, learn, judge)
    assert 12 in again and set(labels[others]) == {0, 1}


def test_those_who_judged_are_judged_by_as_many_others_of_the_same_classes():
    labels = labels_of()
    learn, judge = parts(labels, np.zeros(100, bool), "made up")
    again, others = swapped(labels, learn, judge)
    assert set(others) <= set(learn) and np.bincount(labels[others]).tolist() == [5] * 4
    assert (
        set(again) == set(range(100)) - set(others)
        and set(judge) <= set(again)
        and len(again) == len(learn)
    )


def test_few_training_points_give_half_of_them_and_one_cannot():
    labels = np.array([0, 1, 0, 1, 0, 1])
    again, others = swapped(labels, np.array([0, 1]), np.array([2, 3, 4, 5]))
    assert len(others) == 1 and set(again) == set(range(6)) - set(others)
    with pytest.raises(UserError, match="found 1 training point, expected at least 2"):
        swapped(labels, np.array([0]), np.array([1, 2]))
