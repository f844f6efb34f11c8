"""CORESET: cover the embedding, so that no point is far from a labeled or picked one.

Source: Sener and Savarese 2018 (greedy k-center, the start of their method); Gonzalez 1985 (the
bound). CORESET in Ash et al. 2020.
"""

from __future__ import annotations

import numpy as np

from core.linalg.farthest_first import farthest_first
from core.strategy import selector
from core.types import Floats, Ints, check_budget, check_matrix


@selector("CORESET", nested=True)
def k_center(
    embedding: np.ndarray, labeled: np.ndarray | None = None, *, k: int
) -> tuple[Ints, Floats]:
    """Greedy k-center: next = argmax_x min_c |x - c| over the centres c, that is the labeled points
    and those picked so far.

    embedding: (n, d), Euclidean distance; labeled: bool (n,) or None. Returns indices (k,) and
    gains (k,): the distance to the nearest centre when the point was picked, never increasing. The
    last radius is at most twice the least that k more centres can reach.

    Where nothing is labeled the first pick is the point nearest to the mean, and its gain the
    distance of the farthest point from it. (The authors' programs begin with a labeled set; others
    take the first row or a random one, which would make the answer depend on the order of the
    points.) Equal distances go to the first point, in float64. A UserError for k above the pool.
    """
    embedding = check_matrix(embedding, "embedding")
    start = np.flatnonzero(labeled) if labeled is not None else np.empty(0, np.int64)
    return farthest_first(embedding, start, check_budget(k, len(embedding) - len(start)))
