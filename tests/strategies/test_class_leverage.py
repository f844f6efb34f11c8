"""Is class leverage the leverage of each class by itself?"""

import numpy as np
import pytest

from core.strategies import leverage as plain
from core.strategies.class_leverage import RIDGES, class_leverage
from core.strategies.leverage import leverage
from core.types import UserError


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    return rng.normal(size=(90, 5)), rng.permutation(np.arange(90) % 3)


@pytest.mark.parametrize("ridge", [0.0, 2.5])
def test_each_class_is_scored_by_itself(problem, ridge):
    x, labels = problem
    scores = class_leverage(x, labels, ridge=ridge)
    for label in range(3):
        rows = x[labels == label]
        kernel = rows @ np.linalg.inv(rows.T @ rows + ridge * np.eye(5)) @ rows.T
        assert scores[labels == label] == pytest.approx(np.diag(kernel), abs=1e-12)


def test_one_class_is_plain_leverage(problem):
    x, labels = problem
    assert class_leverage(x, labels * 0) == pytest.approx(leverage(x), abs=1e-13)


def test_its_ridges_are_those_of_plain_leverage():
    assert RIDGES == plain.RIDGES


def test_small_and_flat_classes(problem):
    x, labels = problem
    labels[:] = 0
    labels[:3], labels[3:8] = 1, 2
    x[3:8] = x[3]
    scores = class_leverage(x, labels)
    assert scores[:3] == pytest.approx(
        [1, 1, 1], abs=1e-12
    )  # three independent points of a class of three
    assert scores[3:8] == pytest.approx([0.2] * 5, abs=1e-12)  # five copies share one direction
    x[:3] = 0
    assert class_leverage(x, labels)[:3].tolist() == [0, 0, 0]


def test_a_point_without_label_is_refused(problem):
    x, labels = problem
    with pytest.raises(UserError, match="have none"):
        class_leverage(x, np.where(labels == 2, -1, labels))
