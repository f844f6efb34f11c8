"""Planted truth: damage a known share of the points, and see which method finds them.

    points, labels, planted = plant("flip", points, labels, share=0.1, classes=10, rng=rng)
    auc(scores, planted)
    precision(scores, planted, budgets)

Conventions: points as the dataset stores them, images uint8 (n, h, w[, 3]) or a table (n, d);
planted (n,) bool says which points the truth is about. The points given are not changed. Scores:
higher = taken first. Sources: label flips Koh and Liang 2017, section 5.4; white noise of variance
0.1 the FI paper, appendix D.1; the area under the curve as a rank sum, Hanley and McNeil 1982.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.strategy import top_k
from core.types import Bools, Floats, Ints, UserError

DAMAGES = {
    "none": "Nothing",
    "flip": "Flipped labels",
    "noise": "Noise",
    "invert": "Inverted points",
    "duplicate": "Duplicates",
}
NOISE = float(np.sqrt(0.1))  # of the range of a pixel or a column


def plant(
    kind: str,
    points: np.ndarray,
    labels: Ints,
    *,
    share: float,
    classes: int,
    rng: np.random.Generator,
):
    """(points, labels, planted): the same points with a random share of them, rounded, altered.

        none        nothing
        flip        another label, each equally likely
        noise       white noise with a standard deviation of 0.32 times the range (pixels 0 to 255,
                    or a column's), images cut to their range
        invert      low + high - x in the same range
        duplicate   half of the share are overwritten by copies of the other half, and all of these
                    twins count as planted

    UserError: an unknown kind, a share outside [0, 1].
    """
    if kind not in DAMAGES or not 0 <= share <= 1:
        raise UserError(
            f"Planted: found {kind!r} and a share of {share}, expected one of {', '.join(DAMAGES)}"
            " and a share from 0 to 1."
        )
    points = points.copy()
    labels = labels.copy()
    planted = np.zeros(len(points), bool)
    count = round(share * len(points)) if kind != "none" else 0
    rows = rng.permutation(len(points))[:count]
    rows = rows[: len(rows) // 2 * 2] if kind == "duplicate" else rows
    planted[rows] = True
    if kind == "flip":
        labels[rows] = (labels[rows] + rng.integers(1, classes, len(rows))) % classes
    elif kind == "duplicate":
        copies = rows[::2]
        originals = rows[1::2]
        points[copies] = points[originals]
        labels[copies] = labels[originals]
    elif len(rows):
        points[rows] = _damaged(kind, points, rows, rng)
    return points, labels, planted


def auc(scores: Floats, planted: Bools) -> float:
    """The chance that a planted point's score is above another's, equal ones counted half.

    In [0, 1], 0.5 = no better than random; NaN if all points are planted, or none.
    """
    inside = int(planted.sum())
    outside = int((~planted).sum())
    if not inside or not outside:
        return np.nan
    _, group, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(sizes) - (sizes - 1) / 2)[group]
    return float((ranks[planted].sum() - inside * (inside + 1) / 2) / (inside * outside))


def precision(scores: Floats, planted: Bools, budgets: Sequence[int]) -> Floats:
    """The share of planted points among the b highest scores, for each b; NaN without any.

    Equal scores are taken in the order of the points.
    """
    if not planted.any():
        return np.full(len(budgets), np.nan)
    found = np.cumsum(planted[top_k(scores, max(budgets)).indices])
    return np.array([found[b - 1] / b for b in budgets])


def _damaged(kind: str, points: np.ndarray, rows: Ints, rng: np.random.Generator) -> np.ndarray:
    images = points.dtype == np.uint8
    low, high = (0.0, 255.0) if images else (points.min(axis=0), points.max(axis=0))
    before = points[rows].astype(np.float64)
    if kind == "invert":
        after = low + high - before
    else:
        after = before + NOISE * (high - low) * rng.normal(size=before.shape)
    if images:
        return np.rint(np.clip(after, 0, 255)).astype(np.uint8)
    return after.astype(points.dtype)
