"""Which features of a table's row are unusual? What stands beside a row where an image would stand
beside a digit.

Conventions: points (n, d); how unusual a value is, is counted in standard deviations from its
column's mean.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.types import Floats, Ints


def deviations(points: Floats, rows: Ints) -> Floats:
    """(x - mean) / standard deviation of every column, for some rows: (m, d).

    Mean and deviation of all points; 0 in a constant column.
    """
    mean = points.mean(axis=0, dtype=np.float64)
    spread = points.std(axis=0, dtype=np.float64)
    return np.divide(
        points[rows] - mean, spread, out=np.zeros((len(rows), points.shape[1])), where=spread > 0
    )


def unusual(points: Floats, rows: Ints, names: Sequence[str], count: int = 3) -> list[str]:
    """For each of the rows its `count` most unusual features: "width 15 (+3.2 sd), high 0 (-2.9
    sd)", most unusual first.
    """
    found = deviations(points, rows)
    values = points[rows]
    order = np.argsort(-np.abs(found), axis=1, kind="stable")[:, :count]
    return [
        ", ".join(
            f"{names[j]} " + f"{values[i, j]:.4g} ({found[i, j]:+.1f} sd)".replace("-", "−")
            for j in columns
        )
        for i, columns in enumerate(order)
    ]
