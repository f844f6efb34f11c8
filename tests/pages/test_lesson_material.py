"""Are the points of the lesson's plane apart, do its ellipses join points of equal leverage, and
how much of the others does it take to write a point?
"""

import numpy as np
import pytest

from core import lesson
from core.plugins import menu
from core.strategies.leverage import leverage
from core.types import UserError


def cloud(n=3000, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 2)) * [3.0, 1.0]


def test_drawn_points_are_apart_the_highest_first_and_no_room_is_left():
    x = cloud()
    scores = leverage(x)
    kept = lesson.spread(x, scores, count=10_000, gap=0.1)
    least = 0.1 * np.ptp(x[:, 0])
    apart = np.abs(x[kept][:, None] - x[kept]).max(axis=2)
    assert kept[0] == np.argmax(scores) and (apart[~np.eye(len(kept), dtype=bool)] > least).all()
    assert (np.abs(x[:, None] - x[kept]).max(axis=2).min(axis=1) <= least).all(), (
        "another point would have found room"
    )


def test_no_more_points_than_asked_for_and_always_the_same():
    x = cloud()
    kept = lesson.spread(x, leverage(x), count=7, gap=0.01)
    assert len(kept) == 7 and np.array_equal(kept, lesson.spread(x, leverage(x), count=7, gap=0.01))


@pytest.mark.parametrize(
    "x", [np.zeros((5, 2)), np.array([[1.0, 2.0]])], ids=["all in one place", "one point"]
)
def test_points_in_one_place_are_drawn_once(x):
    assert lesson.spread(x, np.arange(len(x))).tolist() == [len(x) - 1]


@pytest.mark.parametrize("x", [np.zeros((5, 3)), np.zeros((0, 2)), np.full((4, 2), np.nan)])
def test_coordinates_that_are_no_plane_are_refused(x):
    with pytest.raises(UserError):
        lesson.spread(x, np.zeros(len(x)))


@pytest.mark.parametrize("angle", [0.0, 0.7, 2.1])
def test_a_point_on_the_ellipse_has_its_leverage(angle):
    """Principal coordinates: centred and uncorrelated.

    The point is one of the n, so the ellipse is that of the cloud with it.
    """
    x = cloud()
    x -= x.mean(axis=0)
    x = x @ np.linalg.svd(x, full_matrices=False)[2].T
    spreads, n = np.sqrt((x**2).mean(axis=0)), len(x)
    a, b = lesson.half_axes(spreads, n, 0.01)
    point = np.array([a * np.cos(angle), b * np.sin(angle)])
    assert point @ np.linalg.inv(x.T @ x) @ point == pytest.approx(0.01)


def test_the_lesson_asks_every_strategy_for_its_favourites():
    asked = [spec.strategy for function, spec in lesson.results() if function == "favourites_of"]
    assert asked == list(menu.strategies()) and {
        spec.n for f, spec in lesson.results() if f == "favourites_of"
    } == {lesson.POOL}


@pytest.mark.parametrize("index", range(3))
def test_to_write_a_point_takes_its_leverage(index):
    """By hand: of [1, 0], [0, 1] and [1, 10] the second is nearly written by the others."""
    x = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 10.0]])
    row = lesson.hat_row(x, index)
    assert x.T @ row == pytest.approx(x[index])
    assert row @ row == pytest.approx(row[index]) == leverage(x)[index]
    assert round(float(row[index]), 2) == (0.99, 0.02, 0.99)[index]


def test_no_shorter_combination_writes_the_point():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(40, 6)) @ np.diag([1, 1, 1, 1, 1e3, 0])
    row = lesson.hat_row(x, 7)
    assert row == pytest.approx(np.linalg.lstsq(x.T, x[7], rcond=None)[0], abs=1e-9)
    away = rng.normal(size=40)
    away -= x @ np.linalg.lstsq(x, away, rcond=None)[0]  # changes nothing of what is written
    assert x.T @ (row + away) == pytest.approx(x[7], abs=1e-9)
    assert (row + away) @ (row + away) > row @ row


@pytest.mark.parametrize("index", [-1, 3])
def test_a_point_that_is_not_there_is_refused(index):
    with pytest.raises(UserError, match="expected 0 to 2"):
        lesson.hat_row(np.eye(3), index)
