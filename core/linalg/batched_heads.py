"""Many linear heads at once: one for each team of the same points, all moving in step.

    T_k minimises  (1 / |team k|) sum_{i in team k} -log p_i[y_i] + (1/2) sum penalty T_k^2

Data Shapley needs thousands of small heads, each like the one before it; fitted one by one, they
would spend their time between the products. Newton's method as in core/softmax_head.py, every array
with a first axis for the teams. The preconditioner of the conjugate gradients is one for all teams:
a Gram matrix of all points. penalty (m,) must be above 0, so that each team, even of one point, has
its one optimum.

With them the truth that influence functions and Newton steps approximate is found by retraining, a
few heads at a time:

    with_points     fitted anew with these points added, under each of several labelings
    without_each    fitted anew without each of its points in turn

The l2 beside the mean loss and the intercept stay as they are. A head on fewer points than
dimensions is fitted within the span of its points, which it never leaves (core/linalg/hessian.py),
so that 784 pixels cost what a hundred do.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from core.linalg.hessian import OpenHead, span
from core.softmax_head import log_softmax, softmax
from core.types import Bools, Floats, Ints, UserError

NEWTON_STEPS = 50
CG_STEPS = 200
HALVINGS = 30


def fit_teams(
    rows: Floats,
    labels: Ints,
    teams: Bools,
    penalty: Floats,
    theta: Floats,
    tolerance: float = 1e-6,
) -> Floats:
    """T (k, c, m) of each team of teams (k, n), none of them empty, to gradient norms of
    `tolerance`, starting at theta (k, c, m).

    rows: (n, m), labels: (n,), 0 to c - 1. A UserError if the steps do not settle.
    """
    weights = teams / teams.sum(axis=1, keepdims=True)
    precondition = _preconditioner(rows, theta.shape[1], penalty)
    own = np.eye(theta.shape[1])[labels]
    for _ in range(NEWTON_STEPS):
        probs = softmax(np.matmul(rows, theta.transpose(0, 2, 1)))
        slope = _pull_back(probs - own, weights, rows) + penalty * theta
        size = np.sqrt(_dot(slope, slope))
        if size.max(initial=0) <= tolerance:
            return theta
        accuracy = np.minimum(0.1, np.sqrt(size))
        step = _newton_steps(rows, probs, weights, penalty, slope, precondition, accuracy)
        shares = _shares(theta, step, rows, own, weights, penalty, _dot(slope, step))
        theta = theta + shares[:, None, None] * step
    raise UserError(
        f"The linear heads did not settle: gradient norm {size.max():.1e}, wanted {tolerance:.0e}."
        " Raise l2."
    )


def _newton_steps(
    rows: Floats,
    probs: Floats,
    weights: Floats,
    penalty: Floats,
    slope: Floats,
    precondition: Floats,
    accuracy: Floats,
) -> Floats:
    """-H_k^-1 slope_k by preconditioned conjugate gradients, to each team's accuracy."""
    step = np.zeros_like(slope)
    left = -slope
    goal = accuracy * np.sqrt(_dot(slope, slope))
    ready = left @ precondition
    direction = ready
    power = _dot(left, ready)
    for _ in range(CG_STEPS):
        if (np.sqrt(_dot(left, left)) <= goal).all():
            break
        moved = np.matmul(rows, direction.transpose(0, 2, 1))
        curved = probs * (moved - (probs * moved).sum(axis=2, keepdims=True))
        bent = _pull_back(curved, weights, rows) + penalty * direction
        share = _ratio(power, _dot(direction, bent))
        step = step + share * direction
        left = left - share * bent
        ready = left @ precondition
        before = power
        power = _dot(left, ready)
        direction = ready + _ratio(power, before) * direction
    return step


def _shares(
    theta: Floats,
    step: Floats,
    rows: Floats,
    own: Floats,
    weights: Floats,
    penalty: Floats,
    slope: Floats,
) -> Floats:
    """For each team the first of 1, 1/2, 1/4, ... of its step that lowers its loss by a fair part
    (Armijo), rounding allowed for.
    """

    def losses(there: Floats) -> Floats:
        logs = log_softmax(np.matmul(rows, there.transpose(0, 2, 1)))
        gained = (weights * (logs * own).sum(axis=2)).sum(axis=1)
        return 0.5 * (penalty * there**2).sum(axis=(1, 2)) - gained

    here = losses(theta)
    shares = np.ones(len(theta))
    for _ in range(HALVINGS):
        reached = losses(theta + shares[:, None, None] * step)
        high = reached > here + 1e-4 * shares * slope + 4e-16 * np.abs(here)
        if not high.any():
            break
        shares[high] /= 2
    return shares


def _preconditioner(rows: Floats, classes: int, penalty: Floats) -> Floats:
    """(m, m): the inverse of the points' Gram matrix at even probabilities, plus the penalty."""
    gram = rows.T @ rows * ((1 - 1 / classes) / classes / len(rows))
    return cho_solve(cho_factor(gram + np.diag(penalty)), np.eye(len(penalty)))


def _pull_back(slopes: Floats, weights: Floats, rows: Floats) -> Floats:
    """sum_i weights_ki slopes_ki (x) h_i: (k, c, m)."""
    return np.matmul((slopes * weights[:, :, None]).transpose(0, 2, 1), rows)


def _dot(a: Floats, b: Floats) -> Floats:
    return (a * b).sum(axis=(1, 2))


def _ratio(a: Floats, b: Floats) -> Floats:
    """a / b (k, 1, 1), and 0 where b is not above 0: a team that has arrived stays."""
    return np.divide(a, b, out=np.zeros_like(a), where=b > 0)[:, None, None]


TOLERANCE = 1e-6  # gradient norm; utilities are then right to a few 1e-6 at worst
TOGETHER = 32


def with_points(
    opened: OpenHead, known: Ints, points: Floats, labels: Ints, start: Floats
) -> Floats:
    """T (labelings, c, m) of the head fitted to its points and b more. A UserError if it does not
    settle.

    known: (n,), labels of the points it was fitted on. points: rows (b, m). labels: (labelings, b).
    start: (labelings, c, m), near by.
    """
    ways, b = labels.shape
    rows, axes = _in_span(opened, np.vstack([opened.rows, points]))
    rows = np.vstack([rows[: opened.n], np.tile(rows[opened.n :], (ways, 1))])
    fitted = np.ones((ways, opened.n), bool)
    added = np.kron(np.eye(ways, dtype=bool), np.ones((1, b), bool))
    teams = np.hstack([fitted, added])
    return _within_span(opened, rows, np.append(known, labels.ravel()), teams, start, axes)


def without_each(opened: OpenHead, known: Ints) -> Iterator[tuple[slice, Floats]]:
    """(which points, T (k, c, m) of the head without each of them), some at a time.

    A UserError if a head does not settle.
    """
    rows, axes = _in_span(opened, opened.rows)
    for first in range(0, opened.n, TOGETHER):
        block = slice(first, min(first + TOGETHER, opened.n))
        teams = ~np.eye(opened.n, dtype=bool)[block]
        start = np.repeat(opened.theta[None], len(teams), axis=0)
        yield block, _within_span(opened, rows, known, teams, start, axes)


def _in_span(opened: OpenHead, rows: Floats) -> tuple[Floats, Floats]:
    """The rows in coordinates of as few axes (m, q) as hold them all."""
    axes = span(rows, opened.d) if len(rows) < opened.d else np.eye(rows.shape[1])
    return rows @ axes, axes


def _within_span(
    opened: OpenHead, rows: Floats, labels: Ints, teams: Bools, start: Floats, axes: Floats
) -> Floats:
    """The heads of these teams, fitted in the coordinates of the axes and given in the old ones."""
    own = opened.penalty[opened.d :]  # the intercept's
    penalty = np.append(np.full(axes.shape[1] - len(own), opened.penalty[0]), own)
    return fit_teams(rows, labels, teams, penalty, start @ axes, TOLERANCE) @ axes.T
