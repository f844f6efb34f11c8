"""Are nearest neighbours the nearest, and are copies and outliers scored as they should be?"""

import numpy as np
import pytest

from core.strategies.density import nearest_distances, neighbour_distance, typicality
from core.types import UserError


def slow_distances(x, k):
    """The definition: all distances to the others, sorted."""
    x = x.astype(np.float64)
    table = np.sqrt(((x[:, None] - x[None]) ** 2).sum(axis=2))
    return np.array([np.sort(np.delete(row, i))[:k] for i, row in enumerate(table)])


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(size=(80, 6)).astype(np.float32)


def test_by_hand():
    line = np.array([[0.0], [1.0], [3.0], [10.0]])
    assert neighbour_distance(line, neighbours=1).tolist() == [1, 1, 2, 7]
    assert neighbour_distance(line, neighbours=2).tolist() == [3, 2, 3, 9]
    assert typicality(line, neighbours=2) == pytest.approx([2 / 4, 2 / 3, 2 / 5, 2 / 16], abs=1e-15)


@pytest.mark.parametrize("k", [1, 7, 79, 500])
@pytest.mark.parametrize("offset", [0, 300])
def test_the_definition(x, k, offset):
    x = x + np.float32(offset)
    assert nearest_distances(x, k) == pytest.approx(slow_distances(x, k), abs=1e-12)
    assert typicality(x, neighbours=k) == pytest.approx(
        1 / slow_distances(x, k).mean(axis=1), rel=1e-12
    )


def test_an_outlier_is_first_by_distance_and_last_by_typicality(x):
    x[17] = 50
    assert neighbour_distance(x).argmax() == typicality(x).argmin() == 17


def test_copies_have_distance_zero_and_share_the_highest_typicality(x):
    x[:30] = x[0] + 1000
    assert (neighbour_distance(x, neighbours=20)[:30] == 0).all() and (
        neighbour_distance(x, neighbours=20)[30:] > 0
    ).all()
    scores = typicality(x)
    assert (
        np.isfinite(scores).all()
        and len(set(scores[:30])) == 1
        and scores[:30].min() > scores[30:].max()
    )


def test_typicality_is_in_inverse_units(x):
    assert typicality(x * np.float32(1024)) == pytest.approx(typicality(x) / 1024, rel=1e-12)


@pytest.mark.parametrize("score", [typicality, neighbour_distance])
def test_points_that_do_not_differ_score_zero(score):
    assert score(np.ones((5, 3))).tolist() == [0] * 5
    assert score(np.ones((1, 3))).tolist() == [0]


@pytest.mark.parametrize("score", [typicality, neighbour_distance])
def test_bad_embeddings_are_refused(score):
    with pytest.raises(UserError, match="embedding"):
        score(np.array([[np.inf, 1.0]]))
