"""Goal-oriented utilities against autodiff, retraining and the two remarks of their paper."""

import re

import numpy as np
import pytest
import torch

from core import softmax_head
from core.linalg import newton_update
from core.linalg.hessian import open_head
from core.runtime.progress import remarked
from core.strategies import goal as module
from core.strategies.goal import GOALS, OVER, goal_utility
from core.types import Embedded, UserError
from tests.tools.heads import (
    autodiff,
    batch_utility,
    explicit_hessian,
    head_of,
    parameters,
    retrained,
    world,
)


def label_utilities(pool, validation, head, goal="dev"):
    """First-order u(x, y) under every label: (n, c), one label after the other."""
    every = [np.full(len(pool), y) for y in range(len(head.weights))]
    utilities = [goal_utility(pool, labels, validation, head, goal=goal) for labels in every]
    return np.stack(utilities, axis=1)


def pool_of(seed=9, size=15, **setting):
    """(pool (n, d), its labels, validation, head fitted on other points)."""
    x, _, validation, head = world(**setting)
    rng = np.random.default_rng(seed)
    return (
        rng.normal(size=(size, x.shape[1])),
        rng.integers(0, len(head.weights), size),
        validation,
        head,
    )


def torch_goal(goal, rows, labels):
    """tau(T) in torch: the mean over these rows (v, m)."""
    rows, squares = torch.tensor(rows), torch.tensor((rows**2).sum(axis=1))

    def value(theta):
        logs = torch.log_softmax(rows @ theta.T, dim=1)
        if goal == "dev":
            return logs[torch.arange(len(rows)), torch.tensor(labels)].mean()
        if goal == "entropy":
            return (logs.exp() * logs).sum(dim=1).mean()
        return -((1 - (logs.exp() ** 2).sum(dim=1)) * squares).mean()

    return value


def aim_of(goal, pool, validation, head):
    opened = open_head(head)
    return opened, module.aim_of(opened, opened.design(pool), validation, head, goal)


def measured(goal, pool, validation, head):
    """(rows, labels) that the goal looks at."""
    _, _, design = parameters(head)
    return design(validation.embedding if goal == "dev" else pool), validation.labels


def added(head, point, label, weight):
    """T refitted with the point's loss added at this weight, the penalty growing with it as if it
    stood beside the mean.
    """
    theta, penalty, design = parameters(head)
    x, y = head.fitted_on.embedding, head.fitted_on.labels
    weights = np.append(np.full(len(x), 1 / len(x)), weight)
    return retrained(
        design(np.vstack([x, point])), np.append(y, label), weights, penalty * (1 + weight), theta
    )


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("goal", GOALS)
def test_the_goals_gradients_are_autodiffs(goal, intercept):
    pool, _, validation, head = pool_of(intercept=intercept)
    theta = parameters(head)[0]
    opened, aim = aim_of(goal, pool, validation, head)
    function = torch_goal(goal, *measured(goal, pool, validation, head))
    slope = autodiff(function, theta)[0]
    ours = aim.slopes().T @ aim.rows / len(aim.rows)
    assert np.abs(ours - slope).max() < 1e-12 * np.abs(slope).max()
    assert aim.value(aim.logits) == pytest.approx(function(torch.tensor(theta)).item(), rel=1e-13)
    assert opened.basis @ (opened.basis.T @ ours) == pytest.approx(ours, abs=1e-14)


def test_the_fisher_goal_is_the_trace_of_the_fisher_matrix():
    pool, _, validation, head = pool_of()
    opened, aim = aim_of("fisher", pool, validation, head)
    probs = opened.probabilities(aim.rows)
    matrix = explicit_hessian(aim.rows, probs, np.full(len(pool), 1 / len(pool)), np.zeros(5))
    assert aim.value(aim.logits) == pytest.approx(-np.trace(matrix), rel=1e-12)
    penalised = explicit_hessian(aim.rows[:1], probs[:1], [1.0], np.full(5, 0.3))
    assert np.trace(penalised) == pytest.approx(
        0.3 * 5 * 3 + (1 - probs[0] @ probs[0]) * aim.rows[0] @ aim.rows[0], rel=1e-12
    )


@pytest.mark.parametrize("goal", GOALS)
def test_the_first_order_utility_is_its_definition_for_every_label(goal):
    pool, _, validation, head = pool_of()
    theta, penalty, design = parameters(head)
    rows = design(head.fitted_on.embedding)
    hessian = explicit_hessian(
        rows, softmax_head.softmax(rows @ theta.T), np.full(30, 1 / 30), penalty
    )
    slope = autodiff(torch_goal(goal, *measured(goal, pool, validation, head)), theta)[0].ravel()
    solved = np.linalg.pinv(hessian, rcond=1e-13, hermitian=True) @ slope
    utilities = label_utilities(pool, validation, head, goal=goal)
    for i, y in np.ndindex(4, 3):
        own = softmax_head.gradient(theta, design(pool[i : i + 1]), np.array([y]), penalty)
        assert utilities[i, y] == pytest.approx(-solved @ own.ravel() / 30, rel=1e-9)


@pytest.mark.parametrize("goal", GOALS)
def test_the_taylor_error_falls_by_100_when_the_weight_falls_by_10(goal):
    pool, _, validation, head = pool_of()
    utilities, look = (
        label_utilities(pool, validation, head, goal=goal),
        measured(goal, pool, validation, head),
    )
    value = lambda theta: torch_goal(goal, *look)(torch.tensor(theta)).item()  # noqa: E731
    for i, y in ((0, 0), (3, 2)):
        errors = []
        for share in (0.1, 0.01):
            changed = added(head, pool[i : i + 1], y, share / 30)
            errors.append(value(changed) - value(parameters(head)[0]) - share * utilities[i, y])
        assert errors[0] / errors[1] == pytest.approx(100, abs=10)


@pytest.mark.parametrize("goal", GOALS)
def test_remark_1_under_the_predictions_all_utilities_are_one_constant(goal):
    pool, labels, validation, head = pool_of(size=200)
    predicted = goal_utility(pool, labels, validation, head, goal=goal, over="predicted")
    uniform = goal_utility(pool, labels, validation, head, goal=goal, over="uniform")
    assert np.ptp(predicted) == 0 and np.ptp(uniform) > 1e-3
    probs = softmax_head.probabilities(pool, head)
    by_hand = (probs * label_utilities(pool, validation, head, goal=goal)).sum(axis=1)
    assert np.ptp(by_hand) < 1e-12 and by_hand == pytest.approx(predicted, abs=1e-12)
    softer = goal_utility(
        pool, labels, validation, head, goal=goal, over="predicted", temperature=2.0
    )
    assert np.ptp(softer) > 1e-3


@pytest.mark.parametrize("goal", GOALS)
def test_remark_2_the_first_order_batch_is_the_sum_and_what_its_gradient_says(goal):
    pool, labels, validation, head = pool_of()
    batch = [2, 5, 11]
    together = batch_utility(pool, labels, validation, head, batch, goal=goal)
    assert together == pytest.approx(
        goal_utility(pool, labels, validation, head, goal=goal)[batch].sum(), abs=1e-12
    )
    theta, penalty, design = parameters(head)
    rows = design(head.fitted_on.embedding)
    hessian = explicit_hessian(
        rows, softmax_head.softmax(rows @ theta.T), np.full(30, 1 / 30), penalty
    )
    own = softmax_head.gradient(theta, design(pool[batch]), labels[batch], penalty) * 3 / 30
    slope = autodiff(torch_goal(goal, *measured(goal, pool, validation, head)), theta)[0]
    assert together == pytest.approx(
        -slope.ravel() @ np.linalg.pinv(hessian, rcond=1e-13) @ own.ravel(), rel=1e-9
    )


@pytest.mark.parametrize("step", ["linear", "newton"])
def test_what_the_label_stands_for(step):
    pool, labels, validation, head = pool_of()
    each = np.stack(
        [goal_utility(pool, np.full(15, y), validation, head, step=step) for y in range(3)], axis=1
    )
    probs = softmax_head.probabilities(pool, head)
    sharp = probs**2 / (probs**2).sum(axis=1, keepdims=True)
    wanted = {
        "oracle": each[np.arange(15), labels],
        "min": each.min(axis=1),
        "max": each.max(axis=1),
        "uniform": each.mean(axis=1),
        "predicted": (sharp * each).sum(axis=1),
    }
    for over in OVER:
        ours = goal_utility(pool, labels, validation, head, over=over, temperature=0.5, step=step)
        assert ours == pytest.approx(wanted[over], rel=1e-9, abs=1e-15), over


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("goal", GOALS)
def test_a_newton_step_comes_closer_to_retraining_with_the_true_labels(goal, seed):
    x, y, validation, _ = world(n=75, seed=seed)
    theta, penalty, design = parameters(world(n=60, seed=seed)[3])
    head = head_of(
        retrained(design(x[:60]), y[:60], np.full(60, 1 / 60), penalty, theta),
        4,
        0.05,
        x[:60],
        y[:60],
    )
    pool, labels, theta = x[60:], y[60:], parameters(head)[0]
    value = torch_goal(goal, *measured(goal, pool, validation, head))
    truth = []
    for i in range(60, 75):
        kept = np.append(np.arange(60), i)
        changed = retrained(design(x[kept]), y[kept], np.full(61, 1 / 61), penalty, theta)
        truth.append((value(torch.tensor(changed)) - value(torch.tensor(theta))).item())
    linear, newton = (
        goal_utility(pool, labels, validation, head, goal=goal, step=step)
        for step in ("linear", "newton")
    )
    assert np.linalg.norm(newton - truth) < 0.8 * np.linalg.norm(linear - truth)
    assert np.linalg.norm(newton - truth) < 0.25 * np.linalg.norm(truth)


def test_newton_steps_outside_their_range_are_told_and_others_are_not():
    """A head of nearly no penalty, and labels it takes for impossible."""
    pool, _, validation, head = pool_of(l2=1e-6, n=12)
    with remarked() as said:
        goal_utility(10 * pool, None, validation, head, over="min", step="newton")
    (sentence,) = said
    assert re.match(r"\d+ of 45 Newton steps are outside their range", sentence)
    pool, labels, validation, head = pool_of(l2=0.1, n=60)
    with remarked() as said:
        goal_utility(pool, labels, validation, head, step="newton")
    assert said == []


def test_a_batch_of_one_by_newton_is_the_single_step_and_a_batch_comes_close_to_retraining():
    pool, labels, validation, head = pool_of(l2=0.02)
    single = goal_utility(pool, labels, validation, head, step="newton")
    assert batch_utility(pool, labels, validation, head, [4], step="newton") == pytest.approx(
        single[4], rel=1e-9
    )
    theta, penalty, design = parameters(head)
    batch = [0, 3, 8, 9]
    rows, y = (
        np.vstack([design(head.fitted_on.embedding), design(pool[batch])]),
        np.append(head.fitted_on.labels, labels[batch]),
    )
    value = torch_goal("dev", *measured("dev", pool, validation, head))
    changed = retrained(rows, y, np.full(34, 1 / 34), penalty, theta)
    truth = value(torch.tensor(changed)).item() - value(torch.tensor(theta)).item()
    newton, linear = (
        batch_utility(pool, labels, validation, head, batch, step=step)
        for step in ("newton", "linear")
    )
    assert abs(newton - truth) < 0.5 * abs(linear - truth)


def test_by_hand():
    # One dimension, two classes, no intercept, T = 0, four points at +-1: p = 1/2, q = -+ 1/sqrt 2,
    # F = 1/2, H = 1/2 + l2 = 1.
    x, y = np.array([[1.0], [1.0], [-1.0], [-1.0]]), np.array([0, 1, 0, 1])
    head = head_of(np.zeros((2, 1)), 1, 0.5, x, y)
    validation = Embedded(np.array([[2.0]]), labels=np.array([0]))
    # grad tau = 2 / sqrt 2 in the direction of class 0; adding (3, class 0) moves the head by 3 /
    # sqrt 2 / 4: u = 2 * 3 / 2 / 4.
    assert label_utilities(np.array([[3.0]]), validation, head) == pytest.approx(
        np.array([[0.75, -0.75]]), rel=1e-12
    )


def test_unlabeled_pools_need_no_labels_but_for_the_oracle():
    pool, _, validation, head = pool_of()
    unknown = np.full(15, -1)
    for over in ("min", "max", "uniform", "predicted"):
        assert np.isfinite(goal_utility(pool, unknown, validation, head, over=over)).all()
    with pytest.raises(UserError, match="labels: found -1 to -1, expected 0 to 2"):
        goal_utility(pool, unknown, validation, head)
    without = Embedded(validation.embedding)
    assert np.isfinite(goal_utility(pool, unknown, without, head, goal="entropy", over="max")).all()
    with pytest.raises(UserError, match="validation labels: found none"):
        goal_utility(pool, unknown, without, head, over="max")


def test_bad_input_is_refused(monkeypatch):
    pool, labels, validation, head = pool_of()
    with pytest.raises(UserError, match="fitted on 4 dimensions, the embedding has 2"):
        goal_utility(pool[:, :2], labels, validation, head)
    with pytest.raises(UserError, match="the validation set has 2"):
        goal_utility(
            pool, labels, Embedded(validation.embedding[:, :2], labels=validation.labels), head
        )
    with pytest.raises(UserError, match="validation labels: found 0 to 3"):
        goal_utility(pool, labels, Embedded(validation.embedding, labels=np.arange(12) % 4), head)
    with pytest.raises(UserError, match="Goal: found 'accuracy'"):
        goal_utility(pool, labels, validation, head, goal="accuracy")
    with pytest.raises(UserError, match="expected over one of oracle"):
        goal_utility(pool, labels, validation, head, over="median")
    with pytest.raises(UserError, match="a temperature above 0"):
        goal_utility(pool, labels, validation, head, over="predicted", temperature=0.0)
    monkeypatch.setattr(newton_update, "EVALUATIONS", 100)
    with pytest.raises(UserError, match="Take fewer points"):
        goal_utility(pool, labels, validation, head, step="newton")


def test_certain_predictions_have_entropy_zero_and_a_singular_hessian_says_so():
    pool, labels, validation, head = pool_of()
    sure = head_of(
        np.column_stack([head.weights * 1e4, head.intercepts]),
        4,
        0.05,
        head.fitted_on.embedding,
        head.fitted_on.labels,
    )
    _, aim = aim_of("entropy", pool, validation, sure)
    assert abs(aim.value(aim.logits)) < 1e-100 and np.abs(aim.slopes()).max() < 1e-100
    with pytest.raises(UserError, match="all predictions are certain"):
        goal_utility(pool, labels, validation, sure)
    for step in ("linear", "newton"):
        assert np.isfinite(
            goal_utility(pool, labels, validation, sure, damping=1e-3, step=step)
        ).all()
