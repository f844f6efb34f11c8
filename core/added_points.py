"""Where does the head go when points are added? A Newton step in which the added points keep their own loss, not its slope.

Adding b points to n changes the mean loss to (n L + sum of theirs) / (n + b). The n old points are replaced by the quadratic that their
loss is at the head T; the added ones are not: a label that the head takes for nearly impossible has almost no curvature at T, and a plain
Newton step runs far past the place where the point is content. With K = H, its penalty times (n + b) / n, the minimum is at

    T - (1/n) K^-1 (b penalty T + sum_j w_j (x) h_j),      w_j = p_j - e_{y_j} at the minimum itself

so that b r numbers w are unknown, not r m: they see K^-1 through B = (e_a (x) h_i) K^-1 (e_c (x) h_j) alone, and are found by a few
damped Newton steps. Then the length of the whole step is chosen by the true loss along it, for the old points' curvature changes too.
Conventions: as in core/curvature.py. Source: our own; a first step for w without the length is the one-step update of Pregibon 1981.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from core.curvature import OpenHead, chunks, spreader
from core.newton_step import check_evaluations
from core.softmax_head import log_softmax, softmax
from core.step_length import best_lengths
from core.types import Floats, Ints

OWN_STEPS, OWN_REST = 30, 1e-9  # Newton steps for w, and the change at which it counts as found
HALVINGS = 25


def added_shifts(
    opened: OpenHead, known: Ints, damping: float, groups: Floats, labels: Ints, per_group: int
) -> Iterator[tuple[slice, Floats]]:
    """(which groups, their shifts of N^T T (k, labelings, r, m)): the head's step when a group of points is added, in blocks of groups.

    known: (n,), labels of the points the head was fitted on. groups: (g, b, m), rows of the points that are added together. labels:
    (g, labelings, b), under which each group is added. per_group: numbers for each group that the caller will make of its shifts; it
    sets the size of a block. UserError: a singular K, more than 8,000 parameters, or more than 2e10 numbers in all.
    """
    check_evaluations(len(groups), per_group)
    n, b, (r, m) = opened.n, groups.shape[1], opened.shape
    solve, ways = spreader(opened, opened.penalty * (n + b) / n + damping), labels.shape[1]
    drift = b * solve.solve(opened.pull)
    numbers = b * r * r * m + ways * (r * m + (b * r) ** 2 + 3 * (n + b) * len(opened.theta)) + per_group
    for block in chunks(len(groups), numbers):
        h, y = groups[block], labels[block]
        spreads = solve.spread(h.reshape(-1, m)).reshape(len(h), b, r, r, m)
        levers = np.einsum("kiacm,kjm->kiajc", spreads, h, optimize=True).reshape(len(h), b * r, b * r)
        weights = own_weights(opened, h @ opened.theta.T, y, levers, (h @ drift.T).reshape(len(h), b * r))
        shifts = -(drift + np.einsum("klia,kiasm->klsm", weights, spreads, optimize=True)) / n
        yield block, best_lengths(opened, known, h, y, shifts, sign=1)[..., None, None] * shifts


def own_weights(opened: OpenHead, logits: Floats, labels: Ints, levers: Floats, pulled: Floats) -> Floats:
    """w (k, labelings, b, r), the added points' residuals at the minimum: w = q(logits - (pulled + B w) / n).

    logits: (k, b, c) at T. labels: (k, labelings, b). levers B: (k, b r, b r). pulled: (k, b r), K^-1 (b penalty T) applied to the points.
    They minimise w.B w / 2n + the points' loss, which is convex; started at 0.
    """
    (k, ways, b), r, n = labels.shape, opened.basis.shape[1], opened.n
    own, w = np.eye(logits.shape[-1])[labels], np.zeros((k, ways, b * r))

    def look(w: Floats) -> tuple[Floats, Floats]:
        moved = (-(pulled[:, None] + w @ levers) / n).reshape(k, ways, b, r)
        there = logits[:, None] + moved @ opened.basis.T
        return there, 0.5 * (w * (w @ levers)).sum(-1) / n - (log_softmax(there) * own).sum((-1, -2))

    for _ in range(OWN_STEPS):
        there, value = look(w)
        probs = softmax(there)
        rest = w - ((probs - own) @ opened.basis).reshape(w.shape)
        if np.abs(rest).max(initial=0) <= OWN_REST:
            break
        fishers = opened.fishers(probs.reshape(-1, probs.shape[-1])).reshape(k, ways, b, r, r)
        bent = np.einsum("klirs,kisq->klirq", fishers, levers.reshape(k, b, r, b * r), optimize=True).reshape(k, ways, b * r, b * r)
        step = -np.linalg.solve(np.eye(b * r) + bent / n, rest[..., None])[..., 0]
        slope, share = (rest * (step @ levers)).sum(-1) / n, np.ones((k, ways))
        for _ in range(HALVINGS):
            high = look(w + share[..., None] * step)[1] > value + 1e-4 * share * slope + 1e-14 * np.abs(value)
            if not high.any():
                break
            share[high] /= 2
        w = w + share[..., None] * step
    return w.reshape(k, ways, b, r)
