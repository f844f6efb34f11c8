"""Many linear heads at once: one for each team of the same points, all moving in step.

    T_k minimises  (1 / |team k|) sum_{i in team k} -log p_i[y_i] + (1/2) sum penalty T_k^2

Data Shapley needs thousands of small heads, each like the one before it; fitted one by one, they would spend their time between the
products. Newton's method as in core/softmax_head.py, every array with a first axis for the teams. The preconditioner of the conjugate
gradients is one for all teams: a Gram matrix of all points. penalty (m,) must be above 0, so that each team, even of one point, has
its one optimum.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from core.softmax_head import log_softmax, softmax
from core.types import Bools, Floats, Ints, UserError

NEWTON_STEPS = 50
CG_STEPS = 200
HALVINGS = 30


def fit_teams(rows: Floats, labels: Ints, teams: Bools, penalty: Floats, theta: Floats, tolerance: float = 1e-6) -> Floats:
    """T (k, c, m) of each team of teams (k, n), none of them empty, to gradient norms of `tolerance`, starting at theta (k, c, m).

    rows: (n, m), labels: (n,), 0 to c - 1. A UserError if the steps do not settle.
    """
    weights, precondition = teams / teams.sum(axis=1, keepdims=True), _preconditioner(rows, theta.shape[1], penalty)
    own = np.eye(theta.shape[1])[labels]
    for _ in range(NEWTON_STEPS):
        probs = softmax(np.matmul(rows, theta.transpose(0, 2, 1)))
        slope = _pull_back(probs - own, weights, rows) + penalty * theta
        size = np.sqrt(_dot(slope, slope))
        if size.max(initial=0) <= tolerance:
            return theta
        step = _newton_steps(rows, probs, weights, penalty, slope, precondition, np.minimum(0.1, np.sqrt(size)))
        theta = theta + _shares(theta, step, rows, own, weights, penalty, _dot(slope, step))[:, None, None] * step
    raise UserError(f"The linear heads did not settle: gradient norm {size.max():.1e}, wanted {tolerance:.0e}. Raise l2.")


def _newton_steps(
    rows: Floats, probs: Floats, weights: Floats, penalty: Floats, slope: Floats, precondition: Floats, accuracy: Floats
) -> Floats:
    """-H_k^-1 slope_k by preconditioned conjugate gradients, to each team's accuracy."""
    step, left, goal = np.zeros_like(slope), -slope, accuracy * np.sqrt(_dot(slope, slope))
    ready = left @ precondition
    direction, power = ready, _dot(left, ready)
    for _ in range(CG_STEPS):
        if (np.sqrt(_dot(left, left)) <= goal).all():
            break
        moved = np.matmul(rows, direction.transpose(0, 2, 1))
        bent = _pull_back(probs * (moved - (probs * moved).sum(axis=2, keepdims=True)), weights, rows) + penalty * direction
        share = _ratio(power, _dot(direction, bent))
        step = step + share * direction
        left = left - share * bent
        ready = left @ precondition
        power, before = _dot(left, ready), power
        direction = ready + _ratio(power, before) * direction
    return step


def _shares(theta: Floats, step: Floats, rows: Floats, own: Floats, weights: Floats, penalty: Floats, slope: Floats) -> Floats:
    """For each team the first of 1, 1/2, 1/4, ... of its step that lowers its loss by a fair part (Armijo), rounding allowed for."""

    def losses(there: Floats) -> Floats:
        logs = log_softmax(np.matmul(rows, there.transpose(0, 2, 1)))
        return 0.5 * (penalty * there**2).sum(axis=(1, 2)) - (weights * (logs * own).sum(axis=2)).sum(axis=1)

    here, shares = losses(theta), np.ones(len(theta))
    for _ in range(HALVINGS):
        high = losses(theta + shares[:, None, None] * step) > here + 1e-4 * shares * slope + 4e-16 * np.abs(here)
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
