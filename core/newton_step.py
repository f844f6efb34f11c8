"""Where does the head go when one point is added or removed? One Newton step, with the point's own curvature in it.

Adding a point (sign = +1) or removing one (sign = -1) changes the mean loss of n points to one of n + sign. The quadratic that this
loss is near the head T has its minimum at

    T - (sign / n) (K + (sign / n) Lambda (x) h h^T)^-1 (q (x) h + penalty T),      K = H with the penalty times (n + sign) / n

where T counts as fitted: its own gradient is taken as zero. The point's part is of rank r = c - 1, so Woodbury's formula needs K^-1
only, and only B = (I (x) h)^T K^-1 (I (x) h), which is n times the leverage of the point in the head's own metric: this is where
leverage acts. For squared loss B = n leverage, and the residual of a removed point becomes residual / (1 - leverage).
Conventions: as in core/curvature.py; steps have shape (r, m). Source: Woodbury 1950; Pregibon 1981 for the logistic case.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from core.curvature import OpenHead, chunks, spreader, told
from core.types import Floats, Ints, UserError

# Numbers that all stepped heads together may give: about five minutes on one core.
EVALUATIONS = 2 * 10**10


def after_newton_step(fishers: Floats, levers: Floats, residuals: Floats, pulled: Floats, n: int, sign: int) -> Floats:
    """w (k, labels, r), by which the step above is -(sign / n) (K^-1 (penalty T) + K^-1 (w (x) h)).

    w = (sign n I + F B)^-1 (sign n q - F g). fishers F, levers B: (k, r, r). residuals q: (k, labels, r), one for each label that
    the point may have. pulled g: (k, r), K^-1 (penalty T) applied to h.
    """
    system = sign * n * np.eye(fishers.shape[-1]) + fishers @ levers
    targets = sign * n * residuals - np.einsum("kab,kb->ka", fishers, pulled)[:, None, :]
    return np.linalg.solve(system, targets.transpose(0, 2, 1)).transpose(0, 2, 1)


def newton_shifts(
    opened: OpenHead, damping: float, rows: Floats, labels: Ints, sign: int, per_block: int
) -> Iterator[tuple[slice, Floats]]:
    """(which points, their shifts of N^T T (k, labels, r, m)): the head's Newton step for each point, in blocks.

    rows: (n', m). labels: (n', labels), under which each point is added (sign +1) or removed (-1). per_block: numbers for each point
    that the caller will make of its shifts; it sets the size of a block. UserError: a singular K, more than 8,000 parameters, or
    more than 2e10 numbers in all.
    """
    check_evaluations(len(rows), per_block)
    n, (r, m) = opened.n, opened.shape
    solve = spreader(opened, opened.penalty * (n + sign) / n + damping)
    drift = solve.solve(opened.pull)
    for block in chunks(len(rows), r * r * m + labels.shape[1] * (r * m) + per_block):
        told(block.start, len(rows))
        h, probs = rows[block], opened.probabilities(rows[block])
        spreads = solve.spread(h)
        levers = np.matmul(spreads, h[:, None, :, None])[..., 0]
        residuals = np.stack([opened.residuals(probs, column) for column in labels[block].T], axis=1)
        weights = after_newton_step(opened.fishers(probs), levers, residuals, h @ drift.T, n, sign)
        yield block, -(sign / n) * (drift + np.einsum("kla,kabm->klbm", weights, spreads, optimize=True))


def check_evaluations(points: int, each: int) -> None:
    """A UserError if stepped heads for so many points, of so many numbers each, are more than should be waited for."""
    if points * each > EVALUATIONS:
        raise UserError(
            f"A Newton step for each of {points:,} points, evaluated wherever the goal looks, would take {points * each:.0e} "
            f"numbers, and {EVALUATIONS:.0e} is the limit. Take fewer points, or the first-order step."
        )
