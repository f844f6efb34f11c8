"""Is the step with a point's own curvature the Newton step of the changed loss, and for least
squares residual over 1 - leverage?
"""

import numpy as np
import pytest

from core import softmax_head
from core.linalg import newton_update
from core.linalg.hessian import open_head, point_blocks
from core.linalg.newton_update import (
    after_newton_step,
    newton_shifts,
    outside,
    own_weights,
    rise_ratios,
)
from tests.tools.heads import explicit_hessian, parameters, world


@pytest.mark.parametrize("sign", [1, -1])
def test_a_newton_step_for_a_point_is_the_newton_step_of_the_changed_loss(sign):
    x, y, _, head = world()
    theta, penalty, design = parameters(head)
    opened, n = open_head(head), len(x)
    new, labels = (x[:5], y[:5]) if sign < 0 else (x[:5] + 0.3, np.array([2, 1, 0, 1, 1]))
    steps = np.concatenate(
        [
            shifts[:, 0]
            for _, shifts in newton_shifts(opened, 0.0, design(new), labels[:, None], sign, 0)
        ]
    )
    for i, step in enumerate(steps):
        rows, all_labels = np.vstack([design(x), design(new[i : i + 1])]), np.append(y, labels[i])
        weights = np.append(np.ones(n), sign) / (n + sign)
        probs = softmax_head.softmax(rows @ theta.T)
        slope = (
            softmax_head.residuals(probs, all_labels) * weights[:, None]
        ).T @ rows + penalty * theta
        hessian = explicit_hessian(rows, probs, weights, penalty)
        by_hand = -np.linalg.lstsq(hessian, slope.ravel(), rcond=1e-12)[0].reshape(theta.shape)
        assert opened.basis @ step == pytest.approx(by_hand, rel=1e-8, abs=1e-11)


def test_all_labels_at_once_are_the_labels_one_by_one(monkeypatch):
    x, _, _, head = world()
    opened = open_head(head)
    rows, every = opened.rows, np.tile(np.arange(3), (len(x), 1))
    together = np.concatenate(
        [shifts for _, shifts in newton_shifts(opened, 0.0, rows, every, 1, 0)]
    )
    monkeypatch.setattr(
        newton_update,
        "point_blocks",
        lambda n, numbers: point_blocks(n, numbers, budget=4 * numbers),
    )
    for label in range(3):
        alone = np.concatenate(
            [
                shifts[:, 0]
                for _, shifts in newton_shifts(opened, 0.0, rows, every[:, label : label + 1], 1, 0)
            ]
        )
        assert together[:, label] == pytest.approx(alone, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("logit", [3.0, 20.0])
@pytest.mark.parametrize("lever", [10.0, 1e3, 1e5])
def test_an_added_points_own_residuals_hold_however_far_newtons_full_step_would_go(lever, logit):
    """A point thought to be of class 0 with a lead of `logit` comes as class 1, and where its lever
    is long, the first step has to be halved a dozen times.
    """
    opened = open_head(world(c=2)[3])
    logits = np.array([[[logit, 0.0]]])
    weights = own_weights(
        opened, logits, np.array([[[1]]]), np.array([[[lever * opened.n]]]), np.zeros((1, 1))
    )[0, 0]
    moved = logits[0] - lever * weights @ opened.basis.T
    residuals = opened.residuals(softmax_head.softmax(moved), np.array([1]))
    assert weights == pytest.approx(residuals, rel=0, abs=2e-9)


def test_for_least_squares_the_step_of_a_removed_point_is_its_residual_over_one_minus_leverage():
    rng = np.random.default_rng(5)
    x, targets = rng.normal(size=(20, 4)), rng.normal(size=20)
    inverse = np.linalg.inv(x.T @ x / 20)
    residuals = x @ np.linalg.lstsq(x, targets)[0] - targets
    levers = np.einsum("ij,jk,ik->i", x, inverse, x)
    w = after_newton_step(
        np.ones((20, 1, 1)),
        levers[:, None, None],
        residuals[:, None, None],
        np.zeros((20, 1)),
        20,
        -1,
    )[:, 0]
    assert w[:, 0] == pytest.approx(residuals / (1 - levers / 20), rel=1e-12)
    for i in range(20):
        others = np.arange(20) != i
        refitted = np.linalg.lstsq(x[others], targets[others])[0]
        assert x[i] @ refitted - targets[i] == pytest.approx(w[i, 0], rel=1e-10)
        moved = np.linalg.lstsq(x, targets)[0] + inverse @ x[i] * w[i, 0] / 20
        assert moved == pytest.approx(refitted, rel=1e-10)


@pytest.mark.parametrize("intercept", [True, False])
def test_the_rise_ratio_is_the_losss_rise_over_the_quadratics(intercept):
    """Both by their definitions; the labels and the slope at T play no part."""
    x, y, _, head = world(intercept=intercept)
    theta, penalty, design = parameters(head)
    opened = open_head(head)
    rows = design(x)
    own = np.eye(len(theta))[y]
    probs = softmax_head.softmax(rows @ theta.T)
    hessian = explicit_hessian(rows, probs, np.full(len(x), 1 / len(x)), penalty)
    slope = (probs - own).T @ rows / len(x) + penalty * theta

    def loss(t):
        return (penalty * t**2).sum() / 2 - (
            softmax_head.log_softmax(rows @ t.T) * own
        ).sum() / len(x)

    shifts = np.random.default_rng(3).normal(0, 2, (5, 2, *opened.shape))
    ratios = rise_ratios(opened, shifts)
    assert ratios.shape == (5, 2)
    for shift, ratio in zip(shifts.reshape(10, *opened.shape), ratios.ravel(), strict=True):
        step = opened.basis @ shift
        rise = loss(theta + step) - loss(theta) - (slope * step).sum()
        assert ratio == pytest.approx(rise / (step.ravel() @ hessian @ step.ravel() / 2), rel=1e-9)
    assert rise_ratios(opened, 1e-4 * shifts) == pytest.approx(1, abs=1e-3)
    assert rise_ratios(opened, 0 * shifts).tolist() == np.ones((5, 2)).tolist()


def test_a_range_is_half_to_twice_the_rise():
    assert outside(np.array([0.49, 0.5, 1, 2, 2.01])).tolist() == [True, False, False, False, True]
