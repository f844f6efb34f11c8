"""Are the polylines where the surface is zero, whole, and none where it never is?"""

import numpy as np
import pytest

from core.experiments.trim.contours import level_lines
from core.types import UserError

X = np.linspace(-2, 2, 61)
ACROSS, UP = np.meshgrid(X, X)


def test_a_straight_line_is_exact_and_runs_from_edge_to_edge():
    (line,) = level_lines(ACROSS + 0.5 * UP - 0.3, X, X)
    assert np.abs(line @ [1, 0.5] - 0.3).max() < 1e-12
    assert (
        sorted(line[[0, -1], 1]) == [-2, 2]
        and (np.linalg.norm(np.diff(line, axis=0), axis=1) < 0.2).all()
    )


def test_a_circle_is_one_closed_line():
    (line,) = level_lines(ACROSS**2 + UP**2 - 1, X, X)
    assert (
        np.array_equal(line[0], line[-1]) and np.abs(np.linalg.norm(line, axis=1) - 1).max() < 2e-3
    )
    assert np.linalg.norm(np.diff(line, axis=0), axis=1).sum() == pytest.approx(2 * np.pi, rel=1e-2)


def test_each_part_of_the_boundary_is_a_line_of_its_own():
    lines = level_lines(np.abs(ACROSS) - 1.01, X, X)
    assert sorted(round(float(line[:, 0].mean()), 2) for line in lines) == [-1.01, 1.01]


def test_no_sign_change_no_line():
    assert level_lines(ACROSS + 9, X, X) == [] and level_lines(np.zeros((61, 61)), X, X) == []


@pytest.mark.parametrize("values", [np.zeros((3, 4)), np.full((61, 61), np.nan)])
def test_what_is_no_surface_is_refused(values):
    with pytest.raises(UserError, match="Level lines: found values of shape"):
        level_lines(values, X, X)
