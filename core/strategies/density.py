"""Density: does a point lie among many others, or apart?

Both scores come from the Euclidean distances r_1 <= ... <= r_k of a point to its k nearest
neighbours, itself left out. Where there are fewer than k other points, all of them count. The
neighbours are found by blocked products; their distances are then taken from the differences
themselves, in float64, so that copies of a point have distance 0 exactly.

Sources: Hacohen, Dekel and Weinshall 2022 (typicality, the score inside TypiClust); Ramaswamy,
Rastogi and Shim 2000 (distance).
"""

from __future__ import annotations

from typing import Annotated

import numpy as np

from core.strategy import Knob, scorer
from core.types import Floats, check_matrix

Neighbours = Annotated[
    int,
    Knob(
        "Neighbours",
        "How many nearest neighbours count.",
        low=1,
        high=1_000,
        choices=(1, 5, 10, 20, 50),
    ),
]
FLOOR = 1e-9


@scorer("Typicality")
def typicality(embedding: np.ndarray, *, neighbours: Neighbours = 20) -> Floats:
    """How dense it is around a point: 1 / mean(r_1, ..., r_k), the inverse mean distance to its k
    nearest neighbours.

    embedding: (n, d), n points. Returns (n,) float64 >= 0 in inverse units of the embedding, higher
    = picked first. A mean distance below 1e-9 of the largest one counts as that, so that points
    with k copies share one finite score; if no two points differ, all scores are 0. TypiClust adds
    1e-5 to the distance instead, which depends on the unit, and picks the highest score in each of
    several clusters.
    """
    mean = nearest_distances(embedding, neighbours).mean(axis=1)
    return 1.0 / np.maximum(mean, FLOOR * mean.max()) if mean.any() else np.zeros(len(mean))


@scorer("Neighbour distance")
def neighbour_distance(embedding: np.ndarray, *, neighbours: Neighbours = 20) -> Floats:
    """How far apart a point lies: r_k = |x - x_(k)|, the distance to its k-th nearest neighbour.

    embedding: (n, d). Returns (n,) float64 >= 0 in units of the embedding, higher = picked first
    (outliers first). One point alone: 0.
    """
    return nearest_distances(embedding, neighbours)[:, -1]


def nearest_distances(embedding: np.ndarray, k: int) -> Floats:
    """Distances (n, min(k, n-1)) to the nearest other points, smallest first.

    (1, 1) with a 0 for a single point.
    """
    # Takes a second to load, and menus do not need it.
    from sklearn.neighbors import NearestNeighbors

    embedding = check_matrix(embedding, "embedding")
    n = len(embedding)
    if n == 1:
        return np.zeros((1, 1))
    search = NearestNeighbors(n_neighbors=min(k, n - 1), algorithm="brute").fit(embedding)
    nearest = search.kneighbors(return_distance=False)
    distances = np.empty(nearest.shape)
    rows = max(1, 2**22 // (nearest.shape[1] * max(1, embedding.shape[1])))
    for start in range(0, n, rows):
        here = slice(start, start + rows)
        differences = embedding[nearest[here]].astype(np.float64) - embedding[here, None]
        distances[here] = np.sqrt(np.einsum("nkd,nkd->nk", differences, differences))
    return np.sort(distances, axis=1)
