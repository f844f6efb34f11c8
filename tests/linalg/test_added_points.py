"""The Newton step for added points: a stationary point of what it minimises, of the best length,
and close to retraining.
"""

from functools import partial

import numpy as np
import pytest

from core import softmax_head
from core.linalg import newton_update
from core.linalg.hessian import dense_hessian, open_head, point_blocks
from core.linalg.newton_update import added_shifts, newton_shifts
from core.types import UserError
from tests.tools.heads import head_of, parameters, retrained, world


def case(b=1, ways=2, size=4, seed=5, **setting):
    """(open head, known labels, groups (g, b, m), labels (g, ways, b))."""
    _, known, _, head = world(seed=seed, **setting)
    opened, rng = open_head(head), np.random.default_rng(seed)
    rows = opened.design(2 * rng.normal(size=(size * b, head.weights.shape[1])))
    return opened, known, rows.reshape(size, b, -1), rng.integers(0, 3, (size, ways, b))


def together(shifts):
    return np.concatenate([found for _, found in shifts])


def full_loss(opened, theta, rows, labels):
    return softmax_head.loss(theta, rows, labels, opened.penalty)


@pytest.mark.parametrize("b", [1, 3])
@pytest.mark.parametrize("intercept", [True, False])
def test_without_a_length_it_is_the_minimum_of_quadratic_and_own_loss(monkeypatch, b, intercept):
    opened, known, groups, labels = case(b, intercept=intercept)
    monkeypatch.setattr(
        newton_update,
        "best_lengths",
        lambda opened, known, groups, labels, shifts, sign: np.ones(labels.shape[:2]),
    )
    shifts, n = together(added_shifts(opened, known, 0.01, groups, labels, 0)), opened.n
    hessian = dense_hessian(opened, opened.penalty * (n + b) / n + 0.01)
    for i, way in np.ndindex(labels.shape[:2]):
        moved = opened.theta + opened.basis @ shifts[i, way]
        own = (
            opened.residuals(softmax_head.softmax(groups[i] @ moved.T), labels[i, way]).T
            @ groups[i]
        )
        slope = (hessian @ shifts[i, way].ravel()).reshape(opened.shape) + (
            b * opened.pull + own
        ) / n
        assert np.abs(slope).max() < 1e-8 * np.abs(own).max()


def loss_along(opened, shift, rows, labels, t):
    return full_loss(opened, opened.theta + t * (opened.basis @ shift), rows, labels)


def test_the_length_is_where_the_loss_is_least():
    opened, known, groups, labels = case(b=2)
    shifts = together(added_shifts(opened, known, 0.0, groups, labels, 0))
    for i, way in np.ndindex(labels.shape[:2]):
        rows, every = np.vstack([opened.rows, groups[i]]), np.append(known, labels[i, way])
        along = partial(loss_along, opened, shifts[i, way], rows, every)
        assert along(1.0) < min(along(0.97), along(1.03)) and along(1.0) < along(0.0)


def test_a_length_beyond_four_times_the_step_is_cut_there_and_a_step_uphill_has_length_0():
    opened, known, groups, labels = case()
    shifts = together(added_shifts(opened, known, 0.0, groups, labels, 0))
    for factor, wanted in ((0.01, 4.0), (-1.0, 0.0)):
        lengths = newton_update.best_lengths(opened, known, groups, labels, factor * shifts, 1)
        assert lengths == pytest.approx(np.full(lengths.shape, wanted), abs=0.02)


def test_points_taken_out_again_leave_the_head_where_it_was():
    opened, known, _, _ = case()
    groups, labels = opened.rows[:4, None], known[:4, None, None]
    shifts = together(newton_shifts(opened, 0.0, opened.rows[:4], known[:4, None], -1, 0))
    lengths = newton_update.best_lengths(opened, known, groups, labels, shifts, -1)
    for i in range(4):
        rest = np.arange(opened.n) != i
        along = partial(loss_along, opened, shifts[i, 0], opened.rows[rest], known[rest])
        assert along(lengths[i, 0]) <= min(along(0.98 * lengths[i, 0]), along(1.02 * lengths[i, 0]))


def test_under_a_label_thought_impossible_it_stays_close_where_a_newton_step_does_not():
    x, y, _, head = world(n=60, l2=0.01, seed=1)
    opened = open_head(head)
    theta, penalty, design = parameters(head)
    far = 8 * x[np.argmax(softmax_head.probabilities(x, head).max(axis=1))][None]
    label = int(softmax_head.probabilities(far, head).argmin())
    rows = design(far)
    truth = (
        retrained(
            np.vstack([opened.rows, rows]), np.append(y, label), np.full(61, 1 / 61), penalty, theta
        )
        - theta
    )
    given = np.array([[label]])
    ours = opened.basis @ together(added_shifts(opened, y, 0.0, rows[None], given[None], 0))[0, 0]
    newton = opened.basis @ together(newton_shifts(opened, 0.0, rows, given, 1, 0))[0, 0]
    size = np.linalg.norm(truth)
    assert np.linalg.norm(newton - truth) > 2 * size and np.linalg.norm(ours - truth) < 0.5 * size


def test_with_many_points_it_is_the_newton_step():
    _, y, _, head = world(n=3000, l2=0.05)
    opened = open_head(head)
    labels = y[:5, None]
    ours = together(added_shifts(opened, y, 0.0, opened.rows[:5, None], labels[..., None], 0))
    assert ours == pytest.approx(
        together(newton_shifts(opened, 0.0, opened.rows[:5], labels, 1, 0)), rel=0.02, abs=1e-6
    )


def test_a_row_of_zeros_and_points_that_occur_twice_are_no_trouble():
    opened, known, groups, labels = case(b=2, intercept=False)
    groups[0], groups[1, 1] = 0, groups[1, 0]
    shifts = together(added_shifts(opened, known, 0.0, groups, labels, 0))
    assert np.isfinite(shifts).all()


def test_blocks_change_nothing(monkeypatch):
    opened, known, groups, labels = case(size=9)
    whole = together(added_shifts(opened, known, 0.0, groups, labels, 0))
    monkeypatch.setattr(
        newton_update,
        "point_blocks",
        lambda n, numbers: point_blocks(n, numbers, budget=2 * numbers),
    )
    found = list(added_shifts(opened, known, 0.0, groups, labels, 0))
    assert len(found) == 5 and np.concatenate([shifts for _, shifts in found]) == pytest.approx(
        whole, rel=1e-9
    )


def test_a_singular_hessian_says_so():
    x, y, _, head = world()
    sure = head_of(np.column_stack([head.weights * 1e4, head.intercepts]), 4, 0.05, x, y)
    opened = open_head(sure)
    with pytest.raises(UserError, match="singular"):
        list(added_shifts(opened, y, 0.0, opened.rows[:1, None], y[:1, None, None], 0))
