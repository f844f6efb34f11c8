"""Leverage: how far a point sticks out of the span of all the others.

    l_i = x_i^T (X^T X)^+ x_i = |x_i W|^2   for any W (d, r) that whitens X:  W^T X^T X W = I, X
        W spanning the columns of X

so 0 <= l_i <= 1 and the scores sum to the rank. l_i = 1: without point i one direction would
vanish.

How: `core.linalg.whitening` finds W from the columns scaled to norm 1, which leaves exact leverage
as it is and makes the rank plain to see. Ridge and rank-k leverage do depend on the scale and use
the plain spectrum.

Source: Drineas, Magdon-Ismail, Mahoney, Woodruff 2012.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated

import numpy as np

from core.linalg import row_blocks
from core.linalg.whitening import EPS, Whitening, spectrum, whiten
from core.strategy import Knob, scorer
from core.types import Floats, UserError, check_matrix

RIDGES = (0.0, *(float(f"1e{e}") for e in range(-3, 8)))
RANKS = (None, 1, 2, 5, 10, 20, 50, 100, 200, 500)


@scorer("Leverage")
def leverage(
    embedding: np.ndarray,
    *,
    ridge: Annotated[
        float,
        Knob(
            "Ridge λ",
            "Adds λ to every eigenvalue: x (XᵀX + λI)⁻¹ xᵀ. Small directions count less; the sum is"
            " the effective dimension.",
            low=0.0,
            high=1e12,
            choices=RIDGES,
        ),
    ] = 0.0,
    rank: Annotated[
        int | None,
        Knob(
            "Directions",
            "Count only the k directions of largest variance about the origin;"
            " all of them by default.",
            low=1,
            high=16_384,
            choices=RANKS,
        ),
    ] = None,
) -> Floats:
    """Leverage scores l_i = x_i^T (X^T X + ridge I)^+ x_i.

    embedding: X (n, d), finite. Returns (n,) float64 in [0, 1], higher = picked first; sums to the
    rank of X (ridge = 0) or to sum_j w_j / (w_j + ridge) over the eigenvalues w of X^T X (ridge >
    0). rank: keep the `rank` largest eigenvalues only (rank-k leverage); a UserError if X has
    fewer. As many directions as points: every score is exactly 1, and they rank nothing. Points are
    not centred: for leverage with an intercept, centre the columns and add 1/n.
    """
    embedding = check_matrix(embedding, "embedding")
    if ridge == 0 and rank in (None, whiten(embedding).rank):
        return exact(
            whiten(embedding), len(embedding), partial(row_blocks.squared_norms, embedding)
        )
    eigenvalues, squares, unit = spectrum(embedding)
    k = rank or len(eigenvalues)
    _check_directions(k, eigenvalues, ridge)
    with np.errstate(over="ignore"):  # beside numbers this small a ridge leaves nothing
        divisors = np.maximum(eigenvalues[:k], 0) + np.float64(ridge) / unit / unit
    return (squares[:, :k] @ (1.0 / divisors).astype(squares.dtype)).astype(np.float64)


def _check_directions(k: int, eigenvalues: Floats, ridge: float) -> None:
    """A UserError for more directions than there are, or than can be told apart without a ridge."""
    if k > len(eigenvalues):
        raise UserError(
            f"Directions: found {k:,}, but this embedding has rank {len(eigenvalues):,}. Choose"
            f" at most {len(eigenvalues):,}."
        )
    known = int((eigenvalues > (len(eigenvalues) * EPS) ** 2 * eigenvalues[:1]).sum())
    if ridge == 0 and k > known:
        raise UserError(
            f"Directions: found {k:,}, but from direction {known + 1:,} on the variance is below"
            f" rounding beside the first. Choose at most {known:,}, all of them, or scale the"
            " columns to comparable size."
        )


def exact(whitening: Whitening, n: int, squared_norms: Callable[[Floats], Floats]) -> Floats:
    """The scores (n,) of n points of which only squared_norms(W) = |x_i W|^2 can be asked."""
    if (
        whitening.rank == n
    ):  # every point has a direction of its own: what rounding leaves must not rank them
        return np.ones(n)
    return np.minimum(squared_norms(whitening.weights), 1.0)


def effective_rank(embedding: np.ndarray) -> int:
    """The rank of X (n, d), read from the gap in the spectrum of its column-scaled Gram matrix."""
    return whiten(check_matrix(embedding, "embedding")).rank


def shares(embedding: np.ndarray, index: int, whitening: Whitening) -> Floats:
    """The part of point `index`'s leverage that each of the r directions carries: (x_i W)_j^2,
    summing to l_i.
    """
    return (embedding[index].astype(np.float64) @ whitening.weights) ** 2
