"""A point drawn by its weight."""

from __future__ import annotations

import numpy as np

from core.types import Floats


def by_weight(weights: Floats, u: float) -> int:
    """The index i with sum_{j<i} w_j <= u sum w < sum_{j<=i} w_j: drawn with probability w_i / sum w if u is uniform in [0, 1).

    weights: (n,) >= 0, not all 0. An index of weight 0 is never drawn, whatever rounding does to the sums.
    """
    sums = np.cumsum(weights, dtype=np.float64)
    i = int(np.searchsorted(sums, u * sums[-1], side="right"))
    return i if i < len(sums) else int(np.flatnonzero(weights)[-1])
