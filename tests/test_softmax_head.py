"""Is the head the optimum, are its derivatives right, and is bad input refused?"""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from core import softmax_head
from core.types import UserError

N, D, C = 40, 5, 3


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    rows = softmax_head.design(rng.standard_normal((N, D)))
    theta = rng.standard_normal((C, D + 1))
    return theta, rows, rng.integers(0, C, N), softmax_head.penalties(D, 0.3)


def torch_loss(theta, rows, labels, penalty):
    rows, penalty = torch.tensor(rows), torch.tensor(penalty)
    return (
        torch.nn.functional.cross_entropy(rows @ theta.T, torch.tensor(labels))
        + 0.5 * (penalty * theta**2).sum()
    )


def test_the_loss_and_its_derivatives_are_autograds(problem):
    theta, rows, labels, penalty = problem
    direction = np.random.default_rng(1).standard_normal(theta.shape)
    parameter = torch.tensor(theta, requires_grad=True)
    value = torch_loss(parameter, rows, labels, penalty)
    (slope,) = torch.autograd.grad(value, parameter, create_graph=True)
    (bent,) = torch.autograd.grad((slope * torch.tensor(direction)).sum(), parameter)
    assert softmax_head.loss(*problem) == pytest.approx(value.item(), abs=1e-12)
    np.testing.assert_allclose(
        softmax_head.gradient(*problem), slope.detach().numpy(), rtol=0, atol=1e-12
    )
    ours = softmax_head.hessian_product(
        direction, rows, softmax_head.softmax(rows @ theta.T), penalty
    )
    np.testing.assert_allclose(ours, bent.numpy(), rtol=0, atol=1e-12)


def test_slopes_are_the_directional_derivatives_of_each_point(problem):
    theta, rows, labels, _ = problem
    direction = np.random.default_rng(2).standard_normal(theta.shape)
    residual = softmax_head.residuals(softmax_head.softmax(rows @ theta.T), labels)
    for i in range(5):
        parameter = torch.tensor(theta, requires_grad=True)
        torch_loss(parameter, rows[i : i + 1], labels[i : i + 1], np.zeros(D + 1)).backward()
        by_hand = (parameter.grad.numpy() * direction).sum()
        assert softmax_head.slopes(direction, rows, residual)[i] == pytest.approx(
            by_hand, abs=1e-12
        )
        np.testing.assert_allclose(
            np.outer(residual[i], rows[i]), parameter.grad.numpy(), rtol=0, atol=1e-12
        )


def test_a_shift_of_all_classes_bends_nothing_but_the_penalty(problem):
    theta, rows, _, penalty = problem
    shift = np.tile(np.arange(D + 1.0), (C, 1))
    probs = softmax_head.softmax(rows @ theta.T)
    np.testing.assert_allclose(
        softmax_head.hessian_product(shift, rows, probs, penalty),
        penalty * shift,
        rtol=0,
        atol=1e-12,
    )


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("l2", [1e-1, 1e-4])
def test_the_fit_is_scikit_learns_optimum(l2, intercept):
    x, y = load_digits(return_X_y=True)
    x, y = x[:500] / 16, y[:500]
    theirs = LogisticRegression(
        C=1 / (len(x) * l2), tol=1e-11, max_iter=5000, solver="newton-cg", fit_intercept=intercept
    ).fit(x, y)
    ours = softmax_head.fit(x.astype(np.float32), y, l2=l2, intercept=intercept, tolerance=1e-9)
    assert ours.l2 == l2 and len(ours.fitted_on) == 500 and ours.weights.shape == (10, 64)
    np.testing.assert_allclose(
        softmax_head.probabilities(x, ours), theirs.predict_proba(x), rtol=0, atol=1e-5
    )
    np.testing.assert_allclose(
        ours.weights, theirs.coef_, rtol=0, atol=1e-4 * np.abs(theirs.coef_).max()
    )


def test_two_classes_share_the_weights_so_that_c_is_twice_as_large():
    x, y = load_digits(return_X_y=True)
    x, y = x[y < 2][:200] / 16, y[y < 2][:200]
    ours = softmax_head.fit(x, y, l2=1e-3, tolerance=1e-9)
    wanted = ours.weights[1] - ours.weights[0]
    said = {
        c: LogisticRegression(C=c / (len(x) * 1e-3), tol=1e-11, max_iter=5000, solver="newton-cg")
        .fit(x, y)
        .coef_[0]
        for c in (1, 2)
    }
    np.testing.assert_allclose(said[2], wanted, rtol=0, atol=1e-5)
    assert np.abs(said[1] - wanted).max() > 0.1


@pytest.mark.parametrize("scale", [1.0, 6.0])
def test_a_start_from_which_newtons_full_step_overshoots_ends_at_the_same_head(scale):
    """Far out the loss hardly bends, so the full step goes further out still: it must be halved."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 3))
    y = (x[:, 0] + rng.standard_normal(60) > 0).astype(int) + (x[:, 1] > 1)
    far = softmax_head.fit(x, y, l2=1e-2, start=scale * rng.standard_normal((3, 4)))
    near = softmax_head.fit(x, y, l2=1e-2)
    np.testing.assert_allclose(far.weights, near.weights, rtol=0, atol=1e-5)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_the_gradient_norm_is_reached_for_dead_double_and_badly_scaled_columns(scale):
    rng = np.random.default_rng(3)
    x = rng.standard_normal((300, 8)) * np.logspace(0, 3, 8)
    x[:, 1], x[:, 2], x[:, 3] = 0, x[:, 0], 7
    y = rng.integers(0, 4, 300)
    head = softmax_head.fit(x * scale, y, l2=1e-3)
    theta = np.column_stack([head.weights, head.intercepts])
    slope = softmax_head.gradient(
        theta, softmax_head.design(x * scale), y, softmax_head.penalties(8, 1e-3)
    )
    assert np.linalg.norm(slope) <= 1e-6
    assert np.abs(theta.sum(axis=0)).max() < 1e-9 * max(1, np.abs(theta).max())


def test_no_penalty_is_fine_where_the_classes_overlap():
    rng = np.random.default_rng(4)
    x, y = rng.standard_normal((200, 3)), rng.integers(0, 2, 200)
    head = softmax_head.fit(x, y, l2=0, tolerance=1e-9)
    theirs = LogisticRegression(C=np.inf, tol=1e-12).fit(x, y)
    np.testing.assert_allclose(head.weights[1] - head.weights[0], theirs.coef_[0], atol=1e-4)


def test_probabilities_by_hand_and_without_overflow():
    head = softmax_head.fit(np.array([[0.0], [1.0], [0.5], [0.2]]), np.array([0, 1, 1, 0]), l2=0.1)
    probs = softmax_head.probabilities(np.array([[0.0], [1e9], [-1e9]]), head)
    first = np.exp(head.intercepts) / np.exp(head.intercepts).sum()
    np.testing.assert_allclose(probs, [first, [0, 1], [1, 0]], atol=1e-12)


@pytest.mark.parametrize(
    ("labels", "settings", "says"),
    [
        ([0, 1, -1, 0], {}, "found -1 to 1, expected 0 to 1"),
        ([0, 1, 5, 0], {"classes": 3}, "expected 0 to 2"),
        ([0, 1, 2, 0], {"classes": 4}, "no point of class 3"),
        ([1, 1, 1, 1], {}, "at least two classes"),
        ([0, 1, 0], {}, "one per point"),
        ([0.0, 1.0, 0.0, 1.0], {}, "whole numbers"),
        ([0, 0, 1, 1], {"l2": -1.0}, "at least 0"),
        ([0, 0, 1, 1], {"l2": 0.0}, "Give l2 above 0"),
    ],
)
def test_bad_input_is_refused(labels, settings, says):
    with pytest.raises(UserError, match=says):
        softmax_head.fit(
            np.array([[0.0], [1.0], [2.0], [3.0]]), np.array(labels), **{"l2": 0.1, **settings}
        )


def test_a_class_without_points_is_fine_without_intercepts():
    head = softmax_head.fit(
        np.array([[0.0], [1.0], [2.0]]), np.array([0, 1, 1]), l2=0.1, intercept=False, classes=3
    )
    assert head.weights.shape == (3, 1) and not head.intercepts.any()


def test_another_width_and_broken_rows_are_refused():
    head = softmax_head.fit(np.array([[0.0], [1.0], [2.0]]), np.array([0, 1, 1]), l2=0.1)
    with pytest.raises(UserError, match="fitted on 1 dimensions, the embedding has 2"):
        softmax_head.probabilities(np.zeros((3, 2)), head)
    with pytest.raises(UserError, match="NaN"):
        softmax_head.fit(np.array([[0.0], [np.nan], [2.0]]), np.array([0, 1, 1]), l2=0.1)


def test_conjugate_gradients_end_within_as_many_steps_as_there_are_directions(monkeypatch):
    """Their directions are conjugate: without that it is steepest descent, which zigzags."""
    rng = np.random.default_rng(5)
    rows = softmax_head.design(rng.normal(size=(400, 6)) * np.logspace(0, 3, 6))
    probs = rng.dirichlet(np.full(3, 0.3), 400)
    penalty = softmax_head.penalties(6, 1e-3)
    target = rng.normal(size=(3, 7))
    target -= target.mean(axis=0)
    monkeypatch.setattr(softmax_head, "CG_STEPS", 14)  # (c - 1) (d + 1)
    found, rest = softmax_head.conjugate_gradients(rows, probs, penalty, target, 1e-9)
    assert rest <= 1e-9
    assert softmax_head.hessian_product(found, rows, probs, penalty) == pytest.approx(
        target, abs=1e-8
    )
