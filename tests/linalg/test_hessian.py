"""Is the Hessian autodiff's, and does every solver solve with it?"""

import numpy as np
import pytest
import torch

from core import softmax_head
from core.linalg import hessian
from core.linalg.hessian import dense_hessian, open_head, point_blocks, solver, spreader
from core.types import UserError
from tests.tools.heads import autodiff, explicit_hessian, head_of, parameters, retrained, world


@pytest.fixture(params=[True, False], ids=["intercept", "no intercept"])
def opened(request):
    return open_head(world(intercept=request.param)[3])


def reduced(opened, full):
    """A matrix (c m, c m) in the coordinates N^T T."""
    lift = np.kron(opened.basis, np.eye(opened.rows.shape[1]))
    return lift.T @ full @ lift


def slow_hessian(opened, ridge):
    return reduced(
        opened, explicit_hessian(opened.rows, opened.probs, np.full(opened.n, 1 / opened.n), ridge)
    )


def test_the_hessian_is_autodiffs(opened):
    rows, penalty = torch.tensor(opened.rows), torch.tensor(opened.penalty)
    labels = torch.arange(opened.n) % 3

    def loss(theta):
        return (
            torch.nn.functional.cross_entropy(rows @ theta.T, labels)
            + 0.5 * (penalty * theta**2).sum()
        )

    _, second = autodiff(loss, opened.theta)
    ours, theirs = dense_hessian(opened, opened.penalty), reduced(opened, second)
    assert np.abs(ours - theirs).max() < 1e-12 * np.abs(theirs).max()


def test_at_the_optimum_the_penalty_pulls_against_the_points(opened):
    labels = world(intercept=opened.rows.shape[1] > opened.d)[1]
    slope = opened.mean_gradient(opened.rows, opened.residuals(opened.probs, labels))
    assert np.abs(slope).max() > 1e-3
    assert opened.pull == pytest.approx(-slope, abs=1e-9)


def test_the_hessian_in_blocks_of_rows(opened, monkeypatch):
    monkeypatch.setattr(hessian, "ROWS", 7)
    assert dense_hessian(opened, opened.penalty) == pytest.approx(
        slow_hessian(opened, opened.penalty), rel=1e-12, abs=1e-14
    )


def test_the_over_parametrised_hessian_has_exactly_m_null_directions():
    opened = open_head(world(l2=0.0, n=60)[3])
    full = explicit_hessian(opened.rows, opened.probs, np.full(60, 1 / 60), opened.penalty)
    assert (np.linalg.eigvalsh(full) < 1e-14).sum() == opened.rows.shape[1]
    assert np.linalg.eigvalsh(dense_hessian(opened, opened.penalty)).min() > 1e-4


def test_the_basis_keeps_all_that_sums_to_zero(opened):
    c = len(opened.theta)
    assert opened.basis.T @ opened.basis == pytest.approx(np.eye(c - 1), abs=1e-15)
    assert opened.basis @ opened.basis.T == pytest.approx(np.eye(c) - 1 / c, abs=1e-15)


def test_residuals_and_fishers_by_hand():
    # Two classes: N = (1, -1) / sqrt 2 up to sign, so q^2 = 2 (p - 1)^2 / 2 ... for p = 3/4: q = -+
    # sqrt(2)/4, F = 2 p (1 - p) = 3/8.
    x = np.array([[0.0], [1.0]])
    opened = open_head(
        head_of(np.array([[np.log(3) / 2], [-np.log(3) / 2]]), 1, 0.1, x, np.array([0, 1]))
    )
    probs = opened.probabilities(np.array([[1.0]]))
    assert probs[0] == pytest.approx([0.75, 0.25])
    assert np.abs(opened.residuals(probs, np.array([0]))[0, 0]) == pytest.approx(np.sqrt(2) / 4)
    assert opened.fishers(probs)[0] == pytest.approx(np.array([[3 / 8]]))


@pytest.mark.parametrize("kind", [hessian.Exact, hessian.Iterated])
def test_solvers_solve(opened, kind):
    targets = np.random.default_rng(1).normal(size=(2, 5, *opened.shape))
    slow = np.linalg.solve(
        slow_hessian(opened, opened.penalty + 0.01), targets.reshape(10, -1).T
    ).T.reshape(targets.shape)
    assert kind(opened, opened.penalty + 0.01).solve(targets) == pytest.approx(
        slow, rel=1e-8, abs=1e-9
    )


def test_kfac_is_the_product_of_the_means_plus_the_ridge(opened):
    fisher = opened.fishers(opened.probs).mean(axis=0)
    slow = np.kron(fisher, opened.rows.T @ opened.rows / opened.n) + np.diag(
        np.tile(opened.penalty + 0.01, len(fisher))
    )
    targets = np.random.default_rng(1).normal(size=(4, *opened.shape))
    solved = np.linalg.solve(slow, targets.reshape(4, -1).T).T.reshape(targets.shape)
    assert hessian.Kronecker(opened, opened.penalty + 0.01).solve(targets) == pytest.approx(
        solved, rel=1e-11, abs=1e-12
    )


def test_kfac_is_exact_only_under_equal_probabilities():
    x, y, _, head = world(c=4)
    equal = open_head(head_of(np.zeros((4, 4)), 4, 0.05, x, y))
    target = np.random.default_rng(2).normal(size=equal.shape)
    exact, factored = (
        solver(equal, equal.penalty, kind).solve(target) for kind in ("exact", "kfac")
    )
    assert factored == pytest.approx(exact, rel=1e-12, abs=1e-13)
    opened = open_head(head)
    target = np.random.default_rng(2).normal(size=opened.shape)
    exact, factored = (
        solver(opened, opened.penalty, kind).solve(target) for kind in ("exact", "kfac")
    )
    assert np.linalg.norm(factored - exact) > 0.01 * np.linalg.norm(exact)


@pytest.mark.parametrize("kind", ["exact", "kfac"])
def test_spreads_are_solves_for_each_class(opened, kind):
    kept, r = spreader(opened, opened.penalty + 0.01, kind), opened.shape[0]
    spreads = kept.spread(opened.rows[:3])
    for i, a in np.ndindex(3, r):
        assert spreads[i, a] == pytest.approx(
            kept.solve(np.outer(np.eye(r)[a], opened.rows[i])), rel=1e-10, abs=1e-12
        )


def test_many_parameters_go_by_conjugate_gradients_and_no_inverse_is_made(opened, monkeypatch):
    target = np.random.default_rng(3).normal(size=opened.shape)
    few = solver(opened, opened.penalty + 0.01).solve(target)
    monkeypatch.setattr(hessian, "FACTORED", 3)
    monkeypatch.setattr(hessian, "INVERTED", 3)
    many = solver(opened, opened.penalty + 0.01)
    assert isinstance(many, hessian.Iterated) and many.solve(target) == pytest.approx(
        few, rel=1e-8, abs=1e-10
    )
    with pytest.raises(UserError, match="at most 3 parameters, and the head has"):
        spreader(opened, opened.penalty)


@pytest.mark.parametrize(
    ("n", "d", "numbers"), [(30, 4, 2 * 5), (12, 20, 2 * 13)], ids=["many points", "few points"]
)
def test_what_is_inverted_is_the_weights_or_the_points_span_whichever_is_less(
    monkeypatch, n, d, numbers
):
    opened = open_head(world(n=n, d=d)[3])  # three classes and an intercept: 2 (d + 1) numbers
    target = np.random.default_rng(3).normal(size=opened.shape)
    slow = np.linalg.solve(slow_hessian(opened, opened.penalty + 0.01), target.ravel())
    monkeypatch.setattr(hessian, "INVERTED", numbers)
    solved = spreader(opened, opened.penalty + 0.01).solve(target)
    assert solved.ravel() == pytest.approx(slow, rel=1e-8, abs=1e-9)
    monkeypatch.setattr(hessian, "INVERTED", numbers - 1)
    with pytest.raises(UserError, match=f"the head has {numbers}"):
        spreader(opened, opened.penalty + 0.01)


@pytest.mark.parametrize("kind", [hessian.Exact, hessian.Iterated, hessian.Kronecker])
def test_a_singular_hessian_is_refused(kind):
    x, y, _, head = world()
    x = np.column_stack([x, np.zeros(len(x))])
    opened = open_head(head_of(np.column_stack([head.weights, np.zeros(3)]), 5, 0.0, x, y))
    target = np.random.default_rng(4).normal(size=opened.shape)
    with pytest.raises(UserError, match="Set Damping above 0"):
        kind(opened, opened.penalty).solve(target)
    kind(opened, opened.penalty + 1e-3).solve(target)


def test_badly_scaled_columns_are_not_taken_for_singular():
    x, y, _, head = world()
    scale = np.array([1e-4, 1.0, 1e3, 1e5])
    opened = open_head(
        head_of(np.column_stack([head.weights / scale, head.intercepts]), 4, 0.0, x * scale, y)
    )
    target = np.random.default_rng(4).normal(size=opened.shape)
    solved = solver(opened, opened.penalty).solve(target)
    assert (dense_hessian(opened, opened.penalty) @ solved.ravel()) == pytest.approx(
        target.ravel(), abs=1e-5
    )


def test_chunks_cover_every_point_once():
    assert [list(range(5)[c]) for c in point_blocks(5, 3, budget=6)] == [[0, 1], [2, 3], [4]]
    assert [list(range(2)[c]) for c in point_blocks(2, 100, budget=6)] == [[0], [1]]


def test_retraining_in_these_tests_finds_the_optimum_that_the_app_finds():
    x, y, _, head = world()
    fitted = softmax_head.fit(x, y, l2=0.05, tolerance=1e-10)
    theta, penalty, design = parameters(head)
    assert np.column_stack([fitted.weights, fitted.intercepts]) == pytest.approx(theta, abs=1e-8)
    again = retrained(design(x), y, np.full(len(x), 1 / len(x)), penalty, theta)
    assert again == pytest.approx(theta, abs=1e-12)
