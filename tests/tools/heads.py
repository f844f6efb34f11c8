"""Slow definitions that the tests of the head's derivatives, influences and utilities share:
explicit matrices, no tricks.
"""

import numpy as np
import torch

from core import softmax_head
from core.linalg.newton_update import added_shifts
from core.strategies.goal import aim_of, fitted_labels, goal_utility, open_pool
from core.types import Embedded, Head


def retrained(rows, labels, weights, penalty, start):
    """T (c, m) that minimises sum_i weights_i loss_i + (1/2) sum penalty T^2, by Newton's method on
    the explicit Hessian.
    """
    theta = start.astype(np.float64)

    def objective(t):
        own = softmax_head.log_softmax(rows @ t.T)[np.arange(len(rows)), labels]
        return 0.5 * (penalty * t**2).sum() - weights @ own

    for _ in range(60):
        probs = softmax_head.softmax(rows @ theta.T)
        slope = (
            softmax_head.residuals(probs, labels) * weights[:, None]
        ).T @ rows + penalty * theta
        if np.abs(slope).max() < 1e-15:
            break
        step = np.linalg.lstsq(
            explicit_hessian(rows, probs, weights, penalty), slope.ravel(), rcond=1e-13
        )[0].reshape(theta.shape)
        shares = [
            share
            for share in 0.5 ** np.arange(20)
            if objective(theta - share * step) <= objective(theta) + 1e-15
        ]
        theta = theta - max(shares, default=0) * step
    assert np.abs(slope).max() < 1e-12
    return theta


def explicit_hessian(rows, probs, weights, penalty):
    """sum_i weights_i (diag(p) - p p^T) (x) h h^T + diag(penalty): (c m, c m), one Kronecker
    product for each point.
    """
    total = np.diag(np.tile(penalty, probs.shape[1]))
    for h, p, weight in zip(rows, probs, weights, strict=True):
        total = total + weight * np.kron(np.diag(p) - np.outer(p, p), np.outer(h, h))
    return total


def head_of(theta, d, l2, x, y):
    intercepts = theta[:, d] if theta.shape[1] > d else np.zeros(len(theta))
    return Head(theta[:, :d], intercepts, l2, Embedded(x, labels=y))


def world(n=30, d=4, c=3, l2=0.05, intercept=True, validation=12, seed=0):
    """(points (n, d), labels, validation set, head at its optimum): classes that overlap, a head
    fitted to rounding.
    """
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(c, d))

    def sample(size):
        labels = np.arange(size) % c
        return centres[labels] + 1.2 * rng.normal(size=(size, d)), labels

    (x, y), (unseen, unseen_labels) = sample(n), sample(validation)
    rows, penalty = softmax_head.design(x, intercept), softmax_head.penalties(d, l2, intercept)
    theta = retrained(rows, y, np.full(n, 1 / n), penalty, np.zeros((c, rows.shape[1])))
    return x, y, Embedded(unseen, labels=unseen_labels), head_of(theta, d, l2, x, y)


def parameters(head):
    """(T (c, m), penalty (m,), design function) of a head, its intercept included if it has one."""
    intercept = bool(head.intercepts.any())
    theta = np.column_stack([head.weights, head.intercepts]) if intercept else head.weights
    return (
        theta,
        softmax_head.penalties(head.weights.shape[1], head.l2, intercept),
        lambda x: softmax_head.design(x, intercept),
    )


def mean_loss(theta, rows, labels):
    return softmax_head.loss(theta, rows, labels, np.zeros(rows.shape[1]))


def autodiff(function, theta):
    """(gradient, Hessian (c m, c m)) of function(T) by torch in float64."""
    parameter = torch.tensor(theta, requires_grad=True)
    (slope,) = torch.autograd.grad(function(parameter), parameter)
    hessian = torch.autograd.functional.hessian(function, torch.tensor(theta))
    return slope.numpy(), hessian.numpy().reshape(theta.size, theta.size)


def batch_utility(pool, labels, validation, head, batch, goal="dev", step="linear"):
    """The utility of adding the points `batch` (rows of the pool) all at once: the sum of the
    single ones, or by one Newton step with the curvature of the whole batch.
    """
    if step == "linear":
        return goal_utility(pool, labels, validation, head, goal=goal)[list(batch)].sum()
    opened, rows = open_pool(pool, head)
    aim = aim_of(opened, rows, validation, head, goal)
    group, own = rows[list(batch)][None], labels[list(batch)][None, None]
    ((_, shifts),) = added_shifts(opened, fitted_labels(opened, head), 0.0, group, own, 1)
    return float(aim.after(opened.basis @ shifts[0, 0]) - aim.value(aim.logits))
