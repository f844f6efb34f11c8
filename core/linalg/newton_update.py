"""Where does the head go when points are added or removed? A Newton step, with the points' own
curvature in it.

    newton_shifts    for each point, added or removed
    added_shifts     for each group of points added, which keep their own loss
    best_lengths     how far to go along a step
    rise_ratios      is the head still near enough for the curvature at T to hold?

One point added (sign = +1) or removed (sign = -1) changes the mean loss of n points to one of n +
sign. The quadratic that this loss is near the head T has its minimum at

    T - (sign / n) (K + (sign / n) Lambda (x) h h^T)^-1 (q (x) h + penalty T)
    K = H with the penalty times (n + sign) / n

where T counts as fitted: its own gradient is taken as zero. The point's part is of rank r = c - 1,
so Woodbury's formula needs K^-1 only, and only B = (I (x) h)^T K^-1 (I (x) h), which is n times the
leverage of the point in the head's own metric: this is where leverage acts. For squared loss B = n
leverage, and the residual of a removed point becomes residual / (1 - leverage).

A group of b points added keeps its own loss, not its slope: a label that the head takes for nearly
impossible has almost no curvature at T, and a plain Newton step runs far past the place where the
point is content. With K = H, its penalty times (n + b) / n, the minimum is at

    T - (1/n) K^-1 (b penalty T + sum_j w_j (x) h_j)
    w_j = p_j - e_{y_j} at the minimum itself

so that b r numbers w are unknown, not r m: they see K^-1 through B = (e_a (x) h_i) K^-1 (e_c (x)
h_j) alone, and are found by a few damped Newton steps.

The length of a step is then chosen by the true loss along it, since the curvature grows on the way
where labels turn from impossible to probable. Along one direction the loss is a convex function of
one number, whose Newton steps need the logits alone: they move in a straight line, so a length
costs no further product with the points.

Conventions: as in core/linalg/hessian.py; steps have shape (r, m), shifts (k, labelings, r, m) of
N^T T. Sources: Woodbury 1950; Pregibon 1981 for the logistic case (a first step for w without the
length is his one-step update); Nocedal and Wright, Numerical Optimization, ch. 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from core.linalg.hessian import OpenHead, advance_scoring, point_blocks, spreader
from core.runtime.progress import remark
from core.softmax_head import log_softmax, softmax
from core.types import Floats, Ints, UserError

# Numbers that all stepped heads together may give: about five minutes on one core.
EVALUATIONS = 2 * 10**10


def newton_shifts(
    opened: OpenHead, damping: float, rows: Floats, labels: Ints, sign: int, per_block: int
) -> Iterator[tuple[slice, Floats]]:
    """(which points, their shifts of N^T T (k, labels, r, m)): the head's Newton step for each
    point, in blocks.

    rows: (n', m). labels: (n', labels), under which each point is added (sign +1) or removed (-1).
    per_block: numbers for each point that the caller will make of its shifts; it sets the size of a
    block. UserError: a singular K, more than 8,000 parameters, or more than 2e10 numbers in all.
    """
    check_evaluations(len(rows), per_block)
    n = opened.n
    r, m = opened.shape
    solve = spreader(opened, opened.penalty * (n + sign) / n + damping)
    drift = solve.solve(opened.pull)
    for block in point_blocks(len(rows), r * r * m + labels.shape[1] * (r * m) + per_block):
        advance_scoring(block.start, len(rows))
        h = rows[block]
        probs = opened.probabilities(h)
        spreads = solve.spread(h)
        levers = np.matmul(spreads, h[:, None, :, None])[..., 0]
        residuals = [opened.residuals(probs, column) for column in labels[block].T]
        residuals = np.stack(residuals, axis=1)
        weights = after_newton_step(opened.fishers(probs), levers, residuals, h @ drift.T, n, sign)
        moved = np.einsum("kla,kabm->klbm", weights, spreads, optimize=True)
        yield block, -(sign / n) * (drift + moved)


def after_newton_step(
    fishers: Floats, levers: Floats, residuals: Floats, pulled: Floats, n: int, sign: int
) -> Floats:
    """w (k, labels, r), by which the step above is -(sign / n) (K^-1 (penalty T) + K^-1 (w (x) h)).

    w = (sign n I + F B)^-1 (sign n q - F g). fishers F, levers B: (k, r, r). residuals q: (k,
    labels, r), one for each label that the point may have. pulled g: (k, r), K^-1 (penalty T)
    applied to h.
    """
    system = sign * n * np.eye(fishers.shape[-1]) + fishers @ levers
    targets = sign * n * residuals - np.einsum("kab,kb->ka", fishers, pulled)[:, None, :]
    return np.linalg.solve(system, targets.transpose(0, 2, 1)).transpose(0, 2, 1)


# Newton steps for w, and the change at which it counts as found
OWN_STEPS = 30
OWN_REST = 1e-9
HALVINGS = 25


def added_shifts(
    opened: OpenHead, known: Ints, damping: float, groups: Floats, labels: Ints, per_group: int
) -> Iterator[tuple[slice, Floats]]:
    """(which groups, their shifts of N^T T (k, labelings, r, m)): the head's step when a group of
    points is added, in blocks of groups.

    known: (n,), labels of the points the head was fitted on. groups: (g, b, m), rows of the points
    that are added together. labels: (g, labelings, b), under which each group is added. per_group:
    numbers for each group that the caller will make of its shifts; it sets the size of a block.
    UserError: a singular K, more than 8,000 parameters, or more than 2e10 numbers in all.
    """
    check_evaluations(len(groups), per_group)
    n = opened.n
    b = groups.shape[1]
    r, m = opened.shape
    solve = spreader(opened, opened.penalty * (n + b) / n + damping)
    ways = labels.shape[1]
    drift = b * solve.solve(opened.pull)
    one_way = r * m + (b * r) ** 2 + 3 * (n + b) * len(opened.theta)
    numbers = b * r * r * m + ways * one_way + per_group
    for block in point_blocks(len(groups), numbers):
        h = groups[block]
        y = labels[block]
        spreads = solve.spread(h.reshape(-1, m)).reshape(len(h), b, r, r, m)
        levers = np.einsum("kiacm,kjm->kiajc", spreads, h, optimize=True)
        levers = levers.reshape(len(h), b * r, b * r)
        pulled = (h @ drift.T).reshape(len(h), b * r)
        weights = own_weights(opened, h @ opened.theta.T, y, levers, pulled)
        shifts = -(drift + np.einsum("klia,kiasm->klsm", weights, spreads, optimize=True)) / n
        lengths = best_lengths(opened, known, h, y, shifts, sign=1)
        yield block, lengths[..., None, None] * shifts


def own_weights(
    opened: OpenHead, logits: Floats, labels: Ints, levers: Floats, pulled: Floats
) -> Floats:
    """w (k, labelings, b, r), the added points' residuals at the minimum: w = q(logits - (pulled +
    B w) / n).

    logits: (k, b, c) at T. labels: (k, labelings, b). levers B: (k, b r, b r). pulled: (k, b r),
    K^-1 (b penalty T) applied to the points. They minimise w.B w / 2n + the points' loss, which is
    convex; started at 0.
    """
    k, ways, b = labels.shape
    r = opened.basis.shape[1]
    own = np.eye(logits.shape[-1])[labels]
    minimum = _OwnLoss(opened, logits, own, levers, pulled)
    w = np.zeros((k, ways, b * r))
    for _ in range(OWN_STEPS):
        there, value = minimum.at(w)
        probs = softmax(there)
        rest = w - ((probs - own) @ opened.basis).reshape(w.shape)
        if np.abs(rest).max(initial=0) <= OWN_REST:
            break
        step = minimum.newton_step(probs, rest)
        slope = (rest * (step @ levers)).sum(-1) / opened.n
        w = w + minimum.share(w, step, value, slope)[..., None] * step
    return w.reshape(k, ways, b, r)


@dataclass(frozen=True, eq=False)
class _OwnLoss:
    """w.B w / 2n + the added points' loss, as a function of w (k, labelings, b r).

    logits: (k, b, c) at T. own: (k, labelings, b, c), their labels one-hot. levers, pulled: as in
    `own_weights`.
    """

    opened: OpenHead
    logits: Floats
    own: Floats
    levers: Floats
    pulled: Floats

    def at(self, w: Floats) -> tuple[Floats, Floats]:
        """(the points' logits (k, labelings, b, c), the value (k, labelings))."""
        k, ways, b, _ = self.own.shape
        n = self.opened.n
        moved = -(self.pulled[:, None] + w @ self.levers) / n
        there = self.logits[:, None] + moved.reshape(k, ways, b, -1) @ self.opened.basis.T
        gained = (log_softmax(there) * self.own).sum((-1, -2))
        return there, 0.5 * (w * (w @ self.levers)).sum(-1) / n - gained

    def newton_step(self, probs: Floats, rest: Floats) -> Floats:
        """-(I + F B / n)^-1 (w - q) for each labeling, of the shape of w."""
        k, ways, b, c = probs.shape
        r = c - 1
        fishers = self.opened.fishers(probs.reshape(-1, c)).reshape(k, ways, b, r, r)
        levers = self.levers.reshape(k, b, r, b * r)
        bent = np.einsum("klirs,kisq->klirq", fishers, levers, optimize=True)
        system = np.eye(b * r) + bent.reshape(k, ways, b * r, b * r) / self.opened.n
        return -np.linalg.solve(system, rest[..., None])[..., 0]

    def share(self, w: Floats, step: Floats, value: Floats, slope: Floats) -> Floats:
        """The first of 1, 1/2, 1/4, ... of the step that lowers the value by a fair part (Armijo),
        rounding allowed for: (k, labelings).
        """
        share = np.ones(value.shape)
        for _ in range(HALVINGS):
            reached = self.at(w + share[..., None] * step)[1]
            high = reached > value + 1e-4 * share * slope + 1e-14 * np.abs(value)
            if not high.any():
                break
            share[high] /= 2
        return share


# Newton steps for the length, and the longest that is looked at
STEPS = 8
LONGEST = 4.0


def best_lengths(
    opened: OpenHead, known: Ints, groups: Floats, labels: Ints, shifts: Floats, sign: int
) -> Floats:
    """t (k, labelings) in [0, 4] at which T + t shift has the least loss on its n points and a
    group added (sign 1) or taken out (-1).

    known: (n,). groups: rows (k, b, m). labels: (k, labelings, b).
    """
    steps = np.matmul(opened.basis, shifts)
    k, ways, b = labels.shape
    n = opened.n
    back = np.swapaxes(steps, -1, -2)
    fitted = np.broadcast_to(opened.rows @ opened.theta.T, (k, n, len(opened.theta)))
    logits = np.concatenate([fitted, groups @ opened.theta.T], axis=1)
    moves = np.concatenate([np.matmul(opened.rows, back), np.matmul(groups[:, None], back)], axis=2)
    own = np.concatenate([np.broadcast_to(known, (k, ways, n)), labels], axis=2)
    weights = np.append(np.ones(n), np.full(b, sign)) / (n + sign * b)
    return _length_of_least_loss(opened, logits, moves, own, weights, steps)


def _length_of_least_loss(
    opened: OpenHead, logits: Floats, moves: Floats, own: Ints, weights: Floats, steps: Floats
) -> Floats:
    """t (k, labelings): Newton's method between bounds, which halves them where it would leave
    them.

    logits: (k, n, c), moves (k, labelings, n, c) of them at t = 1, own labels (k, labelings, n),
    weights (n,); steps: of T (k, labelings, c, m).
    """
    wanted = np.take_along_axis(moves, own[..., None], axis=-1)[..., 0] @ weights
    bend = (opened.penalty * steps**2).sum((-1, -2))
    lean = (opened.penalty * steps * opened.theta).sum((-1, -2))
    t = np.ones(bend.shape)
    low = np.zeros(bend.shape)
    high = np.full(bend.shape, LONGEST)
    for _ in range(STEPS):
        probs = softmax(logits[:, None] + t[..., None, None] * moves)
        mean = (probs * moves).sum(axis=-1)
        slope = mean @ weights - wanted + lean + t * bend
        curvature = ((probs * moves**2).sum(axis=-1) - mean**2) @ weights + bend
        low = np.where(slope < 0, t, low)
        high = np.where(slope > 0, t, high)
        newton = t - np.divide(slope, curvature, out=np.zeros_like(t), where=curvature > 0)
        t = np.where((newton >= low) & (newton <= high), newton, (low + high) / 2)
    return t


# Within these the curvature at T foretells the loss along the step: it is in its range. On
# digits (20 and 100 labels, l2 from 1e-4 to 0.1) Newton utilities in the range correlate with
# retraining at 0.96 to 0.998, all of them at 0.72 to 0.998.
RANGE = (0.5, 2.0)


def rise_ratios(opened: OpenHead, shifts: Floats) -> Floats:
    """By how much the loss of the head's own n points rises along each shift, over the rise that
    the quadratic at T predicts: (k, labelings), 1 where the quadratic is exact.

        (mean KL(p || p') + P) / (mean m.(diag p - p p^T) m / 2 + P),   P = penalty |step|^2 / 2

    with p and p' a point's probabilities at T and at the end of the step, m how far its logits
    move: with T fitted, all first-order terms are zero, and the labels drop out. A step that goes
    nowhere has ratio 1. shifts: (k, labelings, r, m).
    """
    steps = np.matmul(opened.basis, shifts)
    logits = opened.rows @ opened.theta.T
    moves = np.matmul(opened.rows, np.swapaxes(steps, -1, -2))
    probs = softmax(logits)
    mean = (probs * moves).sum(-1)
    spread = (probs * moves**2).sum(-1) - mean**2
    divergence = (probs * (log_softmax(logits) - log_softmax(logits + moves))).sum(-1)
    own = (opened.penalty * steps**2).sum((-1, -2)) / 2
    predicted = spread.mean(-1) / 2 + own
    actual = divergence.mean(-1) + own
    return np.divide(actual, predicted, out=np.ones_like(own), where=predicted > 0)


def outside(ratios: Floats) -> Floats:
    """Which steps are outside their range: bools of the shape of the ratios."""
    return (ratios < RANGE[0]) | (ratios > RANGE[1])


def remark_range(beyond: int, steps: int) -> None:
    """Say beside the result how many of the steps were outside their range, if any."""
    if beyond:
        remark(
            f"{beyond:,} of {steps:,} Newton steps are outside their range: the loss of the labeled"
            f" points rises by less than {RANGE[0]:g} or more than {RANGE[1]:g} times what their"
            " curvature predicts, so these scores are guesses. A stronger penalty (l2) or more"
            " labeled points bring the steps back."
        )


def check_evaluations(points: int, each: int) -> None:
    """A UserError if stepped heads for so many points, of so many numbers each, are more than
    should be waited for.
    """
    if points * each > EVALUATIONS:
        raise UserError(
            f"A Newton step for each of {points:,} points, evaluated wherever the goal looks, would"
            f" take {points * each:.0e} numbers, and {EVALUATIONS:.0e} is the limit. Take fewer"
            " points, or the first-order step."
        )
