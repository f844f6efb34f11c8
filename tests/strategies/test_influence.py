"""Influences against their definitions, against retraining, and on input that cannot be scored."""

import re

import numpy as np
import pytest
import torch

from core import softmax_head
from core.runtime.progress import remarked
from core.strategies import influence as module
from core.strategies.influence import (
    gradient_product,
    influence_harm,
    influence_value,
    leave_one_out,
    newton_influence,
)
from core.types import Embedded, UserError
from tests.tools.heads import (
    autodiff,
    explicit_hessian,
    head_of,
    mean_loss,
    parameters,
    retrained,
    world,
)

SCORERS = [influence_value, influence_harm, newton_influence, leave_one_out, gradient_product]


def slow_influence(x, y, validation, head):
    """(1/n) grad L(V) H^+ (grad loss_i + penalty T), with every gradient by autodiff."""
    theta, penalty, design = parameters(head)
    hessian = explicit_hessian(
        design(x), softmax_head.softmax(design(x) @ theta.T), np.full(len(x), 1 / len(x)), penalty
    )

    def gradient(points, labels):
        rows, labels = torch.tensor(design(points)), torch.tensor(labels)
        return autodiff(lambda t: torch.nn.functional.cross_entropy(rows @ t.T, labels), theta)[
            0
        ].ravel()

    solved = np.linalg.pinv(hessian, rcond=1e-13, hermitian=True) @ gradient(
        validation.embedding, validation.labels
    )
    return np.array(
        [
            solved @ (gradient(x[i : i + 1], y[i : i + 1]) + (penalty * theta).ravel())
            for i in range(len(x))
        ]
    ) / len(x)


@pytest.mark.parametrize("intercept", [True, False])
def test_the_influence_function_is_its_definition(intercept):
    case = world(intercept=intercept)
    assert influence_value(*case) == pytest.approx(slow_influence(*case), rel=1e-9, abs=1e-13)
    assert influence_harm(*case) == pytest.approx(-influence_value(*case), rel=1e-14)


def test_influences_of_the_fitted_points_sum_to_zero():
    scores = influence_value(*world(n=60))
    assert abs(scores.sum()) < 1e-11 * np.abs(scores).sum()


def test_a_small_weight_less_changes_the_loss_by_the_influence_and_the_error_falls_by_100():
    x, y, validation, head = world()
    theta, penalty, design = parameters(head)
    rows, n, scores = design(x), len(x), influence_value(x, y, validation, head)
    loss = mean_loss(theta, design(validation.embedding), validation.labels)
    for i in (0, 7, 19):
        errors = []
        for share in (
            1e-1,
            1e-2,
            1e-3,
        ):  # the share of the point that leaves, and with it that share of the mean's 1/n
            weights = (np.ones(n) - share * (np.arange(n) == i)) / n
            changed = retrained(rows, y, weights, penalty * (1 - share / n), theta)
            errors.append(
                mean_loss(changed, design(validation.embedding), validation.labels)
                - loss
                - share * scores[i]
            )
        assert errors[0] / errors[1] == pytest.approx(100, abs=10) and errors[1] / errors[
            2
        ] == pytest.approx(100, abs=10)


def test_leave_one_out_is_retraining():
    x, y, validation, head = world(n=24)
    theta, penalty, design = parameters(head)
    truth = leave_one_out(x, y, validation, head)
    for i in (0, 5, 23):
        weights = (np.arange(24) != i) / 23
        changed = retrained(design(x), y, weights, penalty, theta)
        losses = [
            mean_loss(t, design(validation.embedding), validation.labels) for t in (changed, theta)
        ]
        assert truth[i] == pytest.approx(losses[0] - losses[1], abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_a_newton_step_comes_closer_to_retraining_than_the_influence_function(seed):
    case = world(n=40, l2=0.02, seed=seed)
    truth = leave_one_out(*case)
    off, newton_off = (
        np.linalg.norm(f(*case) - truth) / np.linalg.norm(truth)
        for f in (influence_value, newton_influence)
    )
    assert newton_off < 0.55 * off and newton_off < 0.3
    assert np.corrcoef(truth, newton_influence(*case))[0, 1] > 0.95


def test_newton_steps_outside_their_range_are_told_and_others_are_not():
    """Twelve points under nearly no penalty: each holds the head where it is."""
    with remarked() as said:
        newton_influence(*world(n=12, l2=1e-4))
    (sentence,) = said
    assert re.match(r"\d+ of 12 Newton steps are outside their range", sentence)
    with remarked() as said:
        newton_influence(*world(n=60, l2=0.1))
    assert said == []


def test_the_gradient_product_by_hand():
    # One dimension, two classes, T = 0: p = 1/2, the gradient of a point of class 0 at h is (-1/2,
    # 1/2) h.
    x, y = np.array([[2.0], [3.0]]), np.array([0, 1])
    head = head_of(np.zeros((2, 1)), 1, 0.1, x, y)
    assert gradient_product(
        x, y, Embedded(np.array([[1.0]]), labels=np.array([0])), head
    ) == pytest.approx([1.0, -1.5])


def test_the_gradient_product_lowers_the_loss_by_so_much_per_step():
    x, y, validation, head = world()
    theta, _, design = parameters(head)
    unseen = design(validation.embedding), validation.labels
    for i, product in zip((0, 3), gradient_product(x, y, validation, head)[[0, 3]], strict=True):
        slope = softmax_head.gradient(
            theta, design(x[i : i + 1]), y[i : i + 1], np.zeros(theta.shape[1])
        )
        lowered = mean_loss(theta + 1e-6 * slope, *unseen) - mean_loss(
            theta - 1e-6 * slope, *unseen
        )
        assert product == pytest.approx(lowered / 2e-6, rel=1e-6)


def test_a_planted_wrong_label_is_the_most_harmful_point():
    x, y, validation, head = world(n=60, validation=60, seed=2)
    far = int(np.argmax(softmax_head.probabilities(x, head)[np.arange(60), y]))
    y = np.where(np.arange(60) == far, (y + 1) % 3, y)
    head = softmax_head.fit(x, y, l2=0.05)
    for scorer in (influence_value, newton_influence, leave_one_out):
        assert scorer(x, y, validation, head)[far] < 0, scorer.__name__
    assert influence_harm(x, y, validation, head).argmax() == far


def test_copies_share_their_influence_and_unlabeled_rows_are_no_part_of_it():
    x, y, validation, head = world()
    twice = influence_value(np.vstack([x, x[:2]]), np.append(y, y[:2]), validation, head)
    assert twice[:30] == pytest.approx(influence_value(x, y, validation, head), rel=1e-12)
    assert twice[30:] == pytest.approx(twice[:2], rel=1e-12)


def test_damping_makes_a_head_without_penalty_usable():
    x, y, validation, head = world(l2=0.0, n=60)
    x, validation = (
        np.column_stack([x, np.zeros(60)]),
        Embedded(np.column_stack([validation.embedding, np.ones(12)]), labels=validation.labels),
    )
    head = head_of(np.column_stack([head.weights, np.zeros(3), head.intercepts]), 5, 0.0, x, y)
    for scorer in (influence_value, newton_influence):
        with pytest.raises(UserError, match="Set Damping above 0"):
            scorer(x, y, validation, head)
        assert np.isfinite(scorer(x, y, validation, head, damping=1e-3)).all()


@pytest.mark.parametrize("scorer", SCORERS)
def test_bad_input_is_refused(scorer):
    x, y, validation, head = world()
    unseen, labels = validation.embedding, validation.labels
    with pytest.raises(UserError, match="fitted on 4 dimensions, the validation set has 3"):
        scorer(x, y, Embedded(unseen[:, :3], labels=labels), head)
    with pytest.raises(UserError, match="validation labels: found 0 to 3, expected 0 to 2"):
        scorer(x, y, Embedded(unseen, labels=np.where(labels == 2, 3, labels)), head)
    with pytest.raises(UserError, match="validation labels: found none"):
        scorer(x, y, Embedded(unseen), head)
    with pytest.raises(UserError, match="fitted on 4 dimensions, the embedding has 3"):
        scorer(x[:, :3], y, validation, head)
    with pytest.raises(UserError, match="labels: found -1 to 2"):
        scorer(x, y - (y == 0), validation, head)
    with pytest.raises(UserError, match="one per point"):
        scorer(x, y[:-1], validation, head)


def test_leave_one_out_refuses_what_it_cannot_retrain(monkeypatch):
    x, y, validation, head = world()
    with pytest.raises(UserError, match="class 2 has a single point"):
        leave_one_out(x, np.append((y % 2)[:-1], 2), validation, head)
    monkeypatch.setattr(module, "RETRAININGS", 29)
    with pytest.raises(UserError, match="found 30 points, and each costs a retraining"):
        leave_one_out(x, y, validation, head)


@pytest.mark.parametrize("scorer", [influence_value, newton_influence, gradient_product])
def test_certain_predictions_and_one_validation_point_are_fine(scorer):
    x, y, validation, head = world()
    sure = head_of(np.column_stack([head.weights * 1e3, head.intercepts]), 4, 0.05, x, y)
    one = Embedded(validation.embedding[:1], labels=validation.labels[:1])
    assert np.isfinite(
        scorer(x, y, one, sure, **({} if scorer is gradient_product else {"damping": 1e-3}))
    ).all()
