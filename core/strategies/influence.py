"""What would happen to the validation loss if one training point were left out?

    L(V; T without i) - L(V; T) ~ (1/n) < grad L(V), H^-1 (grad loss_i + penalty T) >

L is the mean cross-entropy over the validation points, T the head, H its Hessian
(core/linalg/hessian.py). The head without point i is the one refitted on the other n - 1 points
with the same l2, and that is why the penalty's gradient stands beside the point's: the values of
all fitted points sum to zero, and their sign tells help from harm. Chhabra et al. leave the penalty
out, which moves all values by the same constant and keeps the ranking.

Conventions: a score is a loss in nats per validation point; positive = leaving the point out raises
the validation loss, so the point helps. n, H and the head's own gradient, taken as zero, belong to
the points that the head was fitted on; a point outside them is scored as its twin among them would
be. Four answers of rising cost: the gradient product without a Hessian, the influence function, one
Newton step with the point's own curvature, and true retraining. Sources: Cook and Weisberg 1982;
Koh and Liang 2017; Chhabra et al. 2024 ("influence value"); Pruthi et al. 2020 (TracIn).
"""

from __future__ import annotations

import numpy as np

from core.knobs import Damping, Hessian
from core.linalg.hessian import OpenHead, advance_scoring, open_head, solver
from core.linalg.newton_update import (
    best_lengths,
    newton_shifts,
    outside,
    remark_range,
    rise_ratios,
)
from core.softmax_head import check_known_labels, check_points, fit, log_softmax
from core.strategy import scorer
from core.types import Embedded, Floats, Head, Ints, UserError

RETRAININGS = 2_000


@scorer("Influence, helpful first")
def influence_value(
    embedding: Floats,
    labels: Ints,
    validation: Embedded,
    head: Head,
    *,
    hessian: Hessian = "exact",
    damping: Damping = 0.0,
) -> Floats:
    """The influence function: s_i = (1/n) < grad L(V), H^-1 (grad loss_i + penalty T) >, the loss
    that leaving point i out would add.

    embedding: (n, d), labels: (n,), the points the head was fitted on; validation: points with
    labels. Returns (n,) float64 in nats, any sign, higher = picked first = more helpful. UserError:
    points or labels that do not fit the head, a singular Hessian. Source: Koh and Liang 2017, Eq. 2
    times -1/n, the effect of removing a point.
    """
    opened, rows, residuals = _opened(embedding, labels, head)
    gradient = _validation_gradient(opened, validation, head)
    slope = solver(opened, opened.penalty + damping, hessian).solve(gradient)
    return (_products(residuals, rows, slope) + (slope * opened.pull).sum()) / opened.n


@scorer("Influence, harmful first")
def influence_harm(
    embedding: Floats,
    labels: Ints,
    validation: Embedded,
    head: Head,
    *,
    hessian: Hessian = "exact",
    damping: Damping = 0.0,
) -> Floats:
    """The influence function the other way round: s_i = -(1/n) < grad L(V), H^-1 (grad loss_i +
    penalty T) >, harmful points first.

    Shapes and errors as for "helpful first": (n, d), (n,) -> (n,) float64 in nats. Higher = picked
    first = leaving the point out would lower the validation loss by so much.
    """
    return -influence_value(embedding, labels, validation, head, hessian=hessian, damping=damping)


@scorer("Influence by a Newton step")
def newton_influence(
    embedding: Floats, labels: Ints, validation: Embedded, head: Head, *, damping: Damping = 0.0
) -> Floats:
    """s_i = L(V; T_i) - L(V; T), T_i the head after one Newton step from T on the loss without
    point i, its own curvature taken out.

    Where the influence function keeps the Hessian of all points, this one removes the point's part
    of it by a formula of rank c - 1 (Woodbury), so that points of high leverage move the head as
    far as they really would, goes along this step to where the loss of the other points is least
    (core/linalg/newton_update.py), and evaluates the validation loss there. (n, d), (n,) -> (n,)
    float64 in nats, higher = picked first = more helpful. Errors as for the influence function, and
    for a head of more than 8,000 parameters; how many steps are outside their range is remarked.
    Source: our own; for least squares the step is the
    textbook residual / (1 - leverage).
    """
    opened, rows, _ = _opened(embedding, labels, head)
    targets, classes = _validation_points(opened, validation, head)
    logits = targets @ opened.theta.T
    scores = np.empty(len(rows))
    labels = np.asarray(labels)
    what = "labels of the points that the head was fitted on"
    known = check_known_labels(head.fitted_on.labels, opened.n, head, what)
    before = _mean_loss(logits, classes)
    beyond = 0
    numbers = 3 * logits.size + 4 * (opened.n + 1) * len(opened.theta)
    steps = newton_shifts(opened, damping, rows, labels[:, None], sign=-1, per_block=numbers)
    for block, shifts in steps:
        taken = labels[block, None, None]
        lengths = best_lengths(opened, known, rows[block, None], taken, shifts, sign=-1)
        stepped = lengths[..., None, None] * shifts
        moved = np.matmul(opened.basis, np.matmul(stepped[:, 0], targets.T))
        scores[block] = _mean_loss(logits + moved.transpose(0, 2, 1), classes) - before
        beyond += int(outside(rise_ratios(opened, stepped)).sum())
    remark_range(beyond, len(scores))
    return scores


@scorer("Leave-one-out retraining", least=2)
def leave_one_out(embedding: Floats, labels: Ints, validation: Embedded, head: Head) -> Floats:
    """s_i = L(V; refitted without i) - L(V; refitted on all): the truth that the influences
    approximate, by n retrainings.

    The heads are fitted to a gradient norm of 1e-9, with the l2 and the intercept of `head`,
    starting there. (n, d), (n,) -> (n,) float64 in nats, higher = picked first = more helpful.
    UserError: more than 2,000 points, or a class with a single point.
    """
    opened, rows, _ = _opened(embedding, labels, head)
    labels = np.asarray(labels)
    n = len(rows)
    if n > RETRAININGS:
        raise UserError(
            f"Leave-one-out: found {n:,} points, and each costs a retraining. Take at most"
            f" {RETRAININGS:,} points."
        )
    _refuse_lonely_classes(labels, len(head.weights))
    targets, classes = _validation_points(opened, validation, head)
    settings = {
        "l2": head.l2,
        "intercept": opened.theta.shape[1] > opened.d,
        "classes": len(opened.theta),
        "tolerance": 1e-9,
    }

    def refitted(kept: np.ndarray, start: Floats, done: int = 0) -> Floats:
        advance_scoring(done, n)
        found = fit(embedding[kept], labels[kept], **settings, start=start)
        return np.column_stack([found.weights, found.intercepts])[:, : start.shape[1]]

    everyone = refitted(np.ones(n, bool), opened.theta)
    without = (refitted(np.arange(n) != i, everyone, done=i) for i in range(n))
    losses = np.array([_mean_loss(targets @ theta.T, classes) for theta in without])
    return losses - _mean_loss(targets @ everyone.T, classes)


@scorer("Gradient product (TracIn, last step)")
def gradient_product(embedding: Floats, labels: Ints, validation: Embedded, head: Head) -> Floats:
    """s_i = < grad L(V), grad loss_i >: how far a gradient step on point i lowers the validation
    loss. No Hessian.

    TracIn sums this product over the checkpoints of a training; this is its term for the final
    head, per unit of learning rate. (n, d), (n,) -> (n,) float64, higher = picked first = more
    helpful. UserError: points or labels that do not fit the head. Source: Pruthi et al. 2020, Eq.
    1.
    """
    opened, rows, residuals = _opened(embedding, labels, head)
    return _products(residuals, rows, _validation_gradient(opened, validation, head))


def _opened(embedding: Floats, labels: Ints, head: Head) -> tuple[OpenHead, Floats, Floats]:
    """The open head, the design rows (n, m) of the points to score, and their residuals (n, r)."""
    embedding = check_points(embedding, head)
    labels = check_known_labels(labels, len(embedding), head)
    opened = open_head(head)
    rows = opened.design(embedding)
    return opened, rows, opened.residuals(opened.probabilities(rows), labels)


def _validation_points(opened: OpenHead, validation: Embedded, head: Head) -> tuple[Floats, Ints]:
    """The design rows (v, m) of the validation points, and their labels (v,)."""
    check_points(validation.embedding, head, "the validation set")
    labels = check_known_labels(validation.labels, len(validation), head, "validation labels")
    return opened.design(validation.embedding), labels


def _validation_gradient(opened: OpenHead, validation: Embedded, head: Head) -> Floats:
    rows, labels = _validation_points(opened, validation, head)
    return opened.mean_gradient(rows, opened.residuals(opened.probabilities(rows), labels))


def _products(residuals: Floats, rows: Floats, direction: Floats) -> Floats:
    """< q_i (x) h_i, direction > for each point: (n,)."""
    return np.einsum("nr,nr->n", residuals, rows @ direction.T)


def _mean_loss(logits: Floats, labels: Ints) -> Floats:
    """-mean log p[label] over the last but one axis of logits (..., v, c)."""
    return -log_softmax(logits)[..., np.arange(len(labels)), labels].mean(axis=-1)


def _refuse_lonely_classes(labels: Ints, classes: int) -> None:
    alone = np.flatnonzero(np.bincount(labels, minlength=classes) == 1)
    if len(alone):
        raise UserError(
            f"Leave-one-out: class {alone[0]} has a single point; without it no head can be fitted."
            " Give each class two points or more."
        )
