"""How much would one more labeled point help a goal? Goal-oriented utilities of a whole pool,
without retraining.

    u(x, y) = tau(head refitted with (x, y) added) - tau(head)
            ~ < v, q (x) h + penalty T >,    v = -(1/n) H^-1 grad tau

with q = p - e_y in the coordinates of core/linalg/hessian.py: with S = X V^T all labels of the
whole pool are one matrix product, u(x, y) = < v, penalty T > + p.S - S_y. What the unknown label y
stands for is a choice ("over"): the true label, the worst or best one, the mean over all, or the
mean under the current predictions. Remark 1: under the predictions themselves p.S - p.S = 0, so
that the first-order utility is the same constant for every point; only a temperature other than 1
makes it tell points apart.

Besides this first-order step, `step="newton"` moves the head by a Newton step in which the point
keeps its own loss (core/linalg/newton_update.py: the place where its leverage enters), and
evaluates the goal at the stepped head, not its slope. That is our own. It costs more and comes much
closer to retraining.

Goals, all to be raised, means over points where the paper sums two of them (a factor, no ranking
changes):
    dev        mean log p[y] of the validation points
    entropy    - mean entropy of the pool's predictions
    fisher     - mean trace of the pool's Fisher matrices, (1 - p.p) |h|^2; the penalty's constant,
               which the paper's Eq. 8 gives as lambda K instead of lambda d K, plays no part

The refitted head has the same l2 beside the *mean* loss; scikit-learn's C stands beside the sum,
which weakens the penalty as points are added. Conventions: utilities in the goal's unit, any sign,
higher = picked first. n and H belong to the points the head was fitted on, and the head counts as
fitted there. Source: Xu and Kazantsev 2019, "Understanding Goal-Oriented Active Learning via
Influence Functions" (GORAL).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from core.knobs import Damping
from core.linalg.hessian import OpenHead, advance_scoring, open_head, solver
from core.linalg.newton_update import added_shifts, outside, remark_range, rise_ratios
from core.softmax_head import check_known_labels, check_points, log_softmax, residuals, softmax
from core.strategy import Knob, scorer
from core.types import Embedded, Floats, Head, Ints, UserError

GOALS = ("dev", "entropy", "fisher")
OVER = ("oracle", "min", "max", "uniform", "predicted")
STEPS = ("linear", "newton")
Goal = Annotated[
    str,
    Knob(
        "Goal",
        "Loss of the validation set,"
        " or entropy or Fisher information of the predictions on the pool.",
        choices=GOALS,
    ),
]
Over = Annotated[
    str,
    Knob(
        "Unknown label",
        "The true one, the worst or best one, or the mean over all, evenly or as predicted.",
        choices=OVER,
    ),
]
Temperature = Annotated[
    float,
    Knob(
        "Temperature",
        "Sharpens (below 1) or evens out (above 1) the predicted labels' probabilities. At 1 all"
        " first-order utilities are equal.",
        low=0.01,
        high=100,
        choices=(0.1, 0.5, 1.0, 2.0, 5.0, 10.0),
    ),
]
Step = Annotated[
    str,
    Knob(
        "Step",
        "'linear': the paper's first-order utility."
        " 'newton': one Newton step that keeps the point's own loss.",
        choices=STEPS,
    ),
]


@scorer("Goal-oriented utility", unlabeled=lambda over="oracle", **_: over != "oracle")
def goal_utility(
    embedding: Floats,
    labels: Ints,
    validation: Embedded,
    head: Head,
    *,
    goal: Goal = "dev",
    over: Over = "oracle",
    temperature: Temperature = 1.0,
    step: Step = "linear",
    damping: Damping = 0.0,
) -> Floats:
    """u(x) = l_y[tau(head with (x, y) added)] - tau(head) of each point of the pool; l_y resolves
    the unknown label.

    embedding: the pool (n, d). labels: (n,), read for over="oracle" only. validation: points, with
    labels for goal="dev". temperature: for over="predicted". Returns (n,) float64, higher = picked
    first. UserError: points or labels that do not fit the head, a singular Hessian, and for
    step="newton" more than 8,000 parameters or too many evaluations; how many Newton steps are
    outside their range is remarked. Source: GORAL, Eq. 1 and 3.
    """
    _check_choices(over, temperature, step)
    opened, rows = open_pool(embedding, head)
    known = check_known_labels(labels, len(rows), head) if over == "oracle" else None
    aim = aim_of(opened, rows, validation, head, goal)
    if step == "newton":
        tried = every_label(opened, len(rows)) if known is None else known[:, None]
        utilities = _newton_utilities(opened, head, aim, rows, tried, damping)
        if known is not None:
            return utilities[:, 0]
        return resolved(utilities, over, tempered(opened.probabilities(rows), over, temperature))
    probs, products, constant = linear_terms(opened, aim, rows, damping)
    if over in ("uniform", "predicted"):
        # As one difference, so that equal weights give exactly the constant.
        return constant + ((probs - tempered(probs, over, temperature)) * products).sum(axis=1)
    utilities = constant + (probs * products).sum(axis=1)[:, None] - products
    if known is not None:
        return utilities[np.arange(len(rows)), known]
    return resolved(utilities, over, probs)


@dataclass(frozen=True, eq=False)
class Aim:
    """A goal and the points it is measured on. rows: (v, m).

    logits: (v, c), under the current head. labels: (v,), for "dev" only.
    """

    goal: str
    rows: Floats
    logits: Floats
    labels: Ints | None

    def value(self, logits: Floats) -> Floats:
        """tau for logits (..., v, c): (...)."""
        logs = log_softmax(logits)
        if self.goal == "dev":
            return logs[..., np.arange(len(self.rows)), self.labels].mean(axis=-1)
        probs = np.exp(logs)
        if self.goal == "entropy":
            return (probs * logs).sum(axis=-1).mean(axis=-1)
        return (((probs**2).sum(axis=-1) - 1) * self._squares).mean(axis=-1)

    def after(self, shift: Floats) -> Floats:
        """tau for heads T + shift, shift (..., c, m): (...)."""
        return self.value(self.logits + np.matmul(self.rows, np.swapaxes(shift, -1, -2)))

    def slopes(self) -> Floats:
        """The gradient of each point's part of tau by its logits, at the current ones: (v, c)."""
        logs = log_softmax(self.logits)
        probs = np.exp(logs)
        if self.goal == "dev":
            return -residuals(probs, self.labels)
        if self.goal == "entropy":
            return probs * (logs - (probs * logs).sum(axis=1, keepdims=True))
        return 2 * self._squares[:, None] * probs * (probs - (probs**2).sum(axis=1, keepdims=True))

    @property
    def _squares(self) -> Floats:
        return (self.rows**2).sum(axis=1)


def tempered(probs: Floats, over: str, temperature: float) -> Floats:
    """The weights (n, c) of the labels: p^(1/T) scaled to sum to 1 for "predicted", equal ones for
    "uniform".
    """
    if over == "uniform":
        return np.full(probs.shape, 1 / probs.shape[1])
    if temperature == 1:  # to the last digit, so that Remark 1 holds exactly
        return probs
    with np.errstate(divide="ignore"):
        return softmax(np.log(probs) / temperature)


def resolved(utilities: Floats, over: str, weights: Floats) -> Floats:
    """One utility for each point (n,) out of those under each label (n, c): "min" or "max", or the
    mean with these weights (n, c).
    """
    if over in ("min", "max"):
        return getattr(utilities, over)(axis=1)
    return (weights * utilities).sum(axis=1)


def _check_choices(over: str, temperature: float, step: str) -> None:
    if over not in OVER or step not in STEPS or not temperature > 0:
        raise UserError(
            f"Utility: found over={over!r}, step={step!r}, temperature={temperature}; expected over"
            f" one of {', '.join(OVER)}, step one of {', '.join(STEPS)}, and a temperature above 0."
        )


def open_pool(embedding: Floats, head: Head) -> tuple[OpenHead, Floats]:
    """The head laid open, and the design rows (n, m) of the pool.

    A UserError if the pool has another width.
    """
    embedding = check_points(embedding, head)
    opened = open_head(head)
    return opened, opened.design(embedding)


def aim_of(opened: OpenHead, pool: Floats, validation: Embedded, head: Head, goal: str) -> Aim:
    """The goal with the points it is measured on: the validation set, or the pool (n, m).

    A UserError for an unknown goal or labels.
    """
    if goal not in GOALS:
        raise UserError(f"Goal: found {goal!r}, expected one of {', '.join(GOALS)}.")
    if goal != "dev":
        return Aim(goal, pool, pool @ opened.theta.T, None)
    check_points(validation.embedding, head, "the validation set")
    rows = opened.design(validation.embedding)
    labels = check_known_labels(validation.labels, len(rows), head, "validation labels")
    return Aim(goal, rows, rows @ opened.theta.T, labels)


def linear_terms(
    opened: OpenHead, aim: Aim, rows: Floats, damping: float
) -> tuple[Floats, Floats, float]:
    """(p (n, c), S = X V^T (n, c), < v, penalty T >): u(x, y) is the last + p.S - S_y."""
    gradient = opened.mean_gradient(aim.rows, aim.slopes() @ opened.basis)
    v = -solver(opened, opened.penalty + damping).solve(gradient) / opened.n
    return opened.probabilities(rows), rows @ (opened.basis @ v).T, float((v * opened.pull).sum())


def fitted_labels(opened: OpenHead, head: Head) -> Ints:
    """The labels (n,) of the points that the head was fitted on; a UserError without them."""
    return check_known_labels(
        head.fitted_on.labels, opened.n, head, "labels of the points that the head was fitted on"
    )


def every_label(opened: OpenHead, n: int) -> Ints:
    """All class numbers for each of n points: (n, c)."""
    return np.tile(np.arange(len(opened.theta)), (n, 1))


def _newton_utilities(
    opened: OpenHead, head: Head, aim: Aim, rows: Floats, labels: Ints, damping: float
) -> Floats:
    """tau at the head stepped for each point and each of its labels, less tau now: (n, labels)."""
    result = np.empty(labels.shape)
    before = aim.value(aim.logits)
    numbers = 3 * labels.shape[1] * aim.logits.size
    known = fitted_labels(opened, head)
    beyond = 0
    steps = added_shifts(opened, known, damping, rows[:, None], labels[..., None], numbers)
    for block, shifts in steps:
        advance_scoring(block.start, len(rows))
        result[block] = aim.after(np.matmul(opened.basis, shifts)) - before
        beyond += int(outside(rise_ratios(opened, shifts)).sum())
    remark_range(beyond, result.size)
    return result
