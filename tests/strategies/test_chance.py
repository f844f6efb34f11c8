"""Is chance fair: to the points, and in the balanced baseline to the classes?"""

import numpy as np
import pytest
from scipy import stats

from core.strategies.chance import class_balanced_random
from core.types import UserError

LABELS = np.repeat([0, 1, 2], [50, 8, 2])


def test_classes_are_equal_while_they_last():
    for seed in range(20):
        indices, gains = class_balanced_random(LABELS, k=60, rng=np.random.default_rng(seed))
        for j in range(1, 60):
            counts = np.bincount(LABELS[indices[:j]], minlength=3)
            still = counts < [50, 8, 2]
            assert counts[still].max(initial=0) - counts[still].min(
                initial=60
            ) <= 1 and counts.max() <= max(j - counts[~still].sum(), 8)
        assert sorted(indices) == list(range(60)) and not gains.any()


def test_labeled_points_are_neither_picked_nor_counted():
    labeled = np.zeros(60, bool)
    labeled[:49] = True  # one point of class 0 is left
    indices, _ = class_balanced_random(LABELS, labeled, k=3, rng=np.random.default_rng(0))
    assert sorted(LABELS[indices]) == [0, 1, 2] and not labeled[indices].any()


def test_the_first_pick_is_of_any_class_and_any_of_its_points():
    rng = np.random.default_rng(1)
    first = np.array([class_balanced_random(LABELS, k=1, rng=rng)[0][0] for _ in range(6000)])
    assert stats.chisquare(np.bincount(LABELS[first])).pvalue > 1e-3
    assert stats.chisquare(np.bincount(first[LABELS[first] == 0], minlength=50)).pvalue > 1e-3


def test_points_without_labels_are_refused():
    with pytest.raises(UserError, match="have none"):
        class_balanced_random(np.array([0, -1]), k=1, rng=np.random.default_rng(0))
