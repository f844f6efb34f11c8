"""How far along a step? To where the true loss is least, points added or left out, the penalty included.

A Newton step knows the curvature where it starts. Where a step turns labels from impossible to probable the curvature grows on the way, and
the full step ends beyond the minimum or short of it. Along one direction the loss is a convex function of one number, whose Newton steps
need the logits alone: they move in a straight line, so a length costs no further product with the points.
Conventions: as in core/curvature.py; shifts (k, labelings, r, m) of N^T T. Source: Nocedal and Wright, Numerical Optimization, ch. 3.
"""

from __future__ import annotations

import numpy as np

from core.curvature import OpenHead
from core.softmax_head import softmax
from core.types import Floats, Ints

STEPS, LONGEST = 8, 4.0  # Newton steps for the length, and the longest that is looked at


def best_lengths(opened: OpenHead, known: Ints, groups: Floats, labels: Ints, shifts: Floats, sign: int) -> Floats:
    """t (k, labelings) in [0, 4] at which T + t shift has the least loss on its n points and a group added (sign 1) or taken out (-1).

    known: (n,). groups: rows (k, b, m). labels: (k, labelings, b).
    """
    steps, (k, ways, b), n = np.matmul(opened.basis, shifts), labels.shape, opened.n
    back = np.swapaxes(steps, -1, -2)
    logits = np.concatenate([np.broadcast_to(opened.rows @ opened.theta.T, (k, n, len(opened.theta))), groups @ opened.theta.T], axis=1)
    moves = np.concatenate([np.matmul(opened.rows, back), np.matmul(groups[:, None], back)], axis=2)
    own = np.concatenate([np.broadcast_to(known, (k, ways, n)), labels], axis=2)
    weights = np.append(np.ones(n), np.full(b, sign)) / (n + sign * b)
    return least(opened, logits, moves, own, weights, steps)


def least(opened: OpenHead, logits: Floats, moves: Floats, own: Ints, weights: Floats, steps: Floats) -> Floats:
    """t (k, labelings): Newton's method between bounds, which halves them where it would leave them.

    logits: (k, n, c), moves (k, labelings, n, c) of them at t = 1, own labels (k, labelings, n), weights (n,); steps: of T
    (k, labelings, c, m).
    """
    wanted = np.take_along_axis(moves, own[..., None], axis=-1)[..., 0] @ weights
    bend, lean = (opened.penalty * steps**2).sum((-1, -2)), (opened.penalty * steps * opened.theta).sum((-1, -2))
    t, low, high = np.ones(bend.shape), np.zeros(bend.shape), np.full(bend.shape, LONGEST)
    for _ in range(STEPS):
        probs = softmax(logits[:, None] + t[..., None, None] * moves)
        mean = (probs * moves).sum(axis=-1)
        slope = mean @ weights - wanted + lean + t * bend
        curvature = ((probs * moves**2).sum(axis=-1) - mean**2) @ weights + bend
        low, high = np.where(slope < 0, t, low), np.where(slope > 0, t, high)
        newton = t - np.divide(slope, curvature, out=np.zeros_like(t), where=curvature > 0)
        t = np.where((newton >= low) & (newton <= high), newton, (low + high) / 2)
    return t
