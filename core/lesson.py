"""What only the lesson asks: which points can be drawn side by side, which ones a strategy likes
best, and how much of the others it takes to write a point.

    leverage in two directions:  l = z_1^2 / (n s_1^2) + z_2^2 / (n s_2^2),  s_j^2 = mean of z_j^2

so points of equal leverage lie on an ellipse with half-axes s_j sqrt(n l).

    l_i = min |c|^2 over all c with X^T c = x_i,  attained by row i of H = X (X^T X)^+ X^T
"""

from __future__ import annotations

import numpy as np

from core.linalg.whitening import whiten
from core.plugins import menu
from core.spec import Spec
from core.types import Floats, Ints, UserError, check_matrix

FAVOURITES = 10
POOL = 2000  # points of one small pool, the same for every strategy
# images in the plane, and the least distance between two, as a part of its width
DRAWN = 60
GAP = 0.085


def results() -> list[tuple[str, Spec]]:
    """What the lesson shows beside the first screens, as (function of the pipeline, Spec): the
    plane, and every strategy's favourites.

    The app's own strategies only: the lesson is bundled and must look the same everywhere.
    """
    plane = Spec().with_(embedding="pca", embedding_knobs=(("k", 2),))
    pool = Spec(n=POOL, embedding="cnn_classification")
    names = [name for name, entry in menu.strategies().items() if not entry.own]
    return [("plane_of", plane), *(("favourites_of", pool.with_(strategy=name)) for name in names)]


def spread(
    coordinates: np.ndarray, scores: np.ndarray, count: int = DRAWN, gap: float = GAP
) -> Ints:
    """Points whose images do not cover one another: the highest score first, then in random order
    whoever still finds room.

    coordinates: (n, 2). scores: (n,). count: at most so many. gap: least distance of two points
    along one of the axes, as a part of the first axis's range. Returns row numbers (m,), 1 <= m <=
    count; the same for the same input. A UserError for coordinates that are not (n, 2).
    """
    if check_matrix(coordinates, "coordinates").shape[1] != 2:
        raise UserError(f"coordinates: found shape {coordinates.shape}, expected (n, 2).")
    order = np.concatenate(
        [[np.argmax(scores)], np.random.default_rng(0).permutation(len(coordinates))]
    )
    least = gap * float(np.ptp(coordinates[:, 0]))
    kept: list[int] = []
    for i in order:
        if not kept or np.abs(coordinates[kept] - coordinates[i]).max(axis=1).min() > least:
            kept.append(int(i))
        if len(kept) == count:
            break
    return np.array(kept)


def half_axes(spreads: Floats, n: int, leverage: float) -> tuple[float, float]:
    """Half-axes of the ellipse on which n centred points with root mean squares `spreads` (2,) have
    this leverage.
    """
    return float(spreads[0] * np.sqrt(n * leverage)), float(spreads[1] * np.sqrt(n * leverage))


def hat_row(embedding: np.ndarray, index: int) -> Floats:
    """How much of each point it takes to write point `index`: row `index` of the hat matrix.

    c = X (X^T X)^+ x_i (n,), the shortest of all c with X^T c = x_i. Its i-th entry and its squared
    length are both the leverage l_i; no unit, each entry in [-1, 1]. embedding: X (n, d), not
    centred: for a fit with an intercept give it a column of ones. A UserError for what is no matrix
    or an index outside it.
    """
    embedding = check_matrix(embedding, "embedding").astype(np.float64)
    if not 0 <= index < len(embedding):
        raise UserError(f"index: found {index}, expected 0 to {len(embedding) - 1}.")
    coordinates = embedding @ whiten(embedding).weights
    return coordinates @ coordinates[index]
