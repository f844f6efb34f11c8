"""What would the head really be, with a point more or a point less? Retraining, a few heads at a time.

    with_points(opened, known, points, labels, start)      fitted anew with these points added, under each of several labelings
    without_each(opened, known)                            fitted anew without each of its points in turn

The truth that influence functions and Newton steps approximate. The l2 beside the mean loss and the intercept stay as they are. A head on
fewer points than dimensions is fitted within the span of its points, which it never leaves (core/span.py), so that 784 pixels cost what a
hundred do. Newton's method for all heads of a group at once: core/team_heads.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from core.curvature import OpenHead
from core.span import span
from core.team_heads import fit_teams
from core.types import Floats, Ints

TOLERANCE = 1e-6  # gradient norm; utilities are then right to a few 1e-6 at worst
TOGETHER = 32


def with_points(opened: OpenHead, known: Ints, points: Floats, labels: Ints, start: Floats) -> Floats:
    """T (labelings, c, m) of the head fitted to its points and b more. A UserError if it does not settle.

    known: (n,), labels of the points it was fitted on. points: rows (b, m). labels: (labelings, b). start: (labelings, c, m), near by.
    """
    ways, b = labels.shape
    rows, axes = _within(opened, np.vstack([opened.rows, points]))
    rows = np.vstack([rows[: opened.n], np.tile(rows[opened.n :], (ways, 1))])
    teams = np.hstack([np.ones((ways, opened.n), bool), np.kron(np.eye(ways, dtype=bool), np.ones((1, b), bool))])
    return _fitted(opened, rows, np.append(known, labels.ravel()), teams, start, axes)


def without_each(opened: OpenHead, known: Ints) -> Iterator[tuple[slice, Floats]]:
    """(which points, T (k, c, m) of the head without each of them), some at a time. A UserError if a head does not settle."""
    rows, axes = _within(opened, opened.rows)
    for first in range(0, opened.n, TOGETHER):
        block = slice(first, min(first + TOGETHER, opened.n))
        teams = ~np.eye(opened.n, dtype=bool)[block]
        yield block, _fitted(opened, rows, known, teams, np.repeat(opened.theta[None], len(teams), axis=0), axes)


def _within(opened: OpenHead, rows: Floats) -> tuple[Floats, Floats]:
    """The rows in coordinates of as few axes (m, q) as hold them all."""
    axes = span(rows, opened.d) if len(rows) < opened.d else np.eye(rows.shape[1])
    return rows @ axes, axes


def _fitted(opened: OpenHead, rows: Floats, labels: Ints, teams: np.ndarray, start: Floats, axes: Floats) -> Floats:
    extra = len(opened.penalty) - opened.d
    penalty = np.append(np.full(axes.shape[1] - extra, opened.penalty[0]), opened.penalty[opened.d :])
    return fit_teams(rows, labels, teams, penalty, start @ axes, TOLERANCE) @ axes.T
