"""A point drawn by its weight: the sums of blocks first, then the sums inside one."""

from __future__ import annotations

import numpy as np

from core.types import Floats

BLOCK = 256


def by_weight(weights: Floats, u: float) -> int:
    """The index i with sum_{j<i} w_j <= u sum w < sum_{j<=i} w_j: drawn with probability w_i / sum
    w if u is uniform in [0, 1).

    weights: (n,) >= 0, not all 0. An index of weight 0 is never drawn, whatever rounding does to
    the sums.
    """
    parts = np.add.reduceat(weights, np.arange(0, len(weights), BLOCK), dtype=np.float64)
    before = np.cumsum(parts)
    part = _reached(before, parts, u * before[-1])
    inside = weights[part * BLOCK : (part + 1) * BLOCK]
    left = u * before[-1] - (before[part] - parts[part])
    return part * BLOCK + _reached(np.cumsum(inside, dtype=np.float64), inside, left)


def _reached(sums: Floats, weights: Floats, aim: float) -> int:
    """The first place whose running sum is above the aim; the last of weight above 0 if rounding
    puts the aim beyond them all.
    """
    i = int(np.searchsorted(sums, max(aim, 0.0), side="right"))
    return i if i < len(sums) else int(np.flatnonzero(weights)[-1])
