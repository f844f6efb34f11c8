"""What does a network see of a table of the user's own? Each column at mean 0 and standard
deviation 1, as the published tables come (core/data/published_tables.py).

Without it a year beside a share decides alone what is learned: of 400 made-up rents, with a year
among five columns, a linear network left 200,000 times the targets' variance.

Only the network's input is scaled. The points stay as they are, and so do raw features, with their
leverage and their distances.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.data import own
from core.types import Ints


def scaling(dataset: str, points: np.ndarray, rows: Ints | slice = slice(None)) -> dict[str, Any]:
    """mean and std for `networks.build`, of each column (d,) of these rows of the points (n, d).

    {} for images, and for a table that is not the user's. The deviation of a constant column is 1.
    """
    if points.ndim > 2 or not own.is_own(dataset):
        return {}
    seen = points[rows]
    spread = seen.std(axis=0, dtype=np.float64)
    return {
        "mean": seen.mean(axis=0, dtype=np.float64),
        "std": np.where(spread > 1e-30, spread, 1.0),
    }
