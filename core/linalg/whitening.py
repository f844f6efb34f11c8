"""The spectrum of an embedding: its rank, and the map that whitens it.

How: exact leverage does not change when a column of X is scaled, so the columns are scaled to norm
1 first. That brings the condition number of raw MNIST from 2.2e5 to 143, and opens a gap in the
spectrum of the Gram matrix from 5e-5 to 2e-16 of the largest eigenvalue: the rank is read from that
gap. Where the scaled matrix is still badly conditioned, a second pass (Cholesky of the Gram matrix
of X W) restores the digits that squaring lost.

Source: CholeskyQR2 (the second pass).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from core.linalg import row_blocks
from core.linalg.row_blocks import Table
from core.types import Floats

EPS = float(np.finfo(np.float64).eps)
CLEAR_GAP = 100.0


@dataclass(frozen=True, eq=False)
class Whitening:
    """What the spectrum of the column-scaled embedding says.

    weights: W (d, r) float64, |x_i W|^2 is the leverage of point i. axes: (d, r), the unit
    eigenvectors behind W's columns. rank: r. gap: ratio of the eigenvalues around the cut (inf at
    full rank); below `CLEAR_GAP` the rank is a matter of tolerance. condition: ratio of the largest
    to the smallest singular value that counts. dead: bool (d,), columns that are all zero.
    """

    weights: Floats
    axes: Floats
    rank: int
    gap: float
    condition: float
    dead: np.ndarray


@row_blocks.keep_last
def whiten(embedding: Table) -> Whitening:
    """The whitening map of X (n, d): one pass over X, and a second one where the condition number
    asks for it.

    With fewer points than dimensions from the spectrum of X X^T, which has the same eigenvalues and
    is the smaller one.
    """
    if _few(embedding):
        return _from_few(embedding)
    return from_gram(partial(row_blocks.gram, embedding))


def from_gram(gram: Callable[..., Floats]) -> Whitening:
    """The whitening map of an X of which only two things can be asked: gram() = X^T X and gram(W) =
    (X W)^T X W.
    """
    plain = gram()
    norms = np.sqrt(np.diag(plain))
    alive = norms > 0
    scaled = plain[np.ix_(alive, alive)] / np.outer(norms[alive], norms[alive])
    values, vectors = descending(scaled)
    return _whitening(values, lambda r: vectors[:, :r], norms, gram)


def _few(embedding: Table) -> bool:
    return isinstance(embedding, np.ndarray) and embedding.shape[0] < embedding.shape[1]


def _from_few(embedding: np.ndarray) -> Whitening:
    norms = np.sqrt(np.einsum("ij,ij->j", embedding, embedding, dtype=np.float64))
    values, vectors = descending(_of_points(embedding, norms))

    def axes(r: int) -> Floats:
        """X^T u / |X^T u| for the first r eigenvectors u of X X^T, on the live columns."""
        found = [(x.T @ vectors[:, :r]) / np.sqrt(values[:r]) for x in _columns(embedding, norms)]
        return np.concatenate(found)[norms > 0]

    return _whitening(values, axes, norms, partial(row_blocks.gram, embedding))


def _of_points(embedding: np.ndarray, norms: Floats) -> Floats:
    """X X^T (n, n) in float64, the columns of X divided by norms."""
    return sum(x @ x.T for x in _columns(embedding, norms))


def _columns(embedding: np.ndarray, norms: Floats, count: int = 1024) -> Iterator[Floats]:
    """The columns of X divided by norms (dead ones stay zero), a thousand at a time, in float64."""
    divisors = np.where(norms > 0, norms, 1.0)
    for start in range(0, embedding.shape[1], count):
        yield embedding[:, start : start + count] / divisors[start : start + count]


def _whitening(
    values: Floats, first: Callable[[int], Floats], norms: Floats, gram: Callable[..., Floats]
) -> Whitening:
    """From the column-scaled spectrum: eigenvalues, largest first; first(r): unit eigenvectors of
    the r largest, on the live columns.
    """
    alive = norms > 0
    r, gap = read_rank(values)
    axes = np.zeros((len(norms), r))
    weights = np.zeros((len(norms), r))
    axes[alive] = first(r)
    weights[alive] = axes[alive] / np.sqrt(values[:r]) / norms[alive][:, None]
    condition = float(np.sqrt(values[0] / values[r - 1])) if r else 1.0
    if condition**2 * EPS > 1e-10:
        weights = np.linalg.solve(np.linalg.cholesky(gram(weights)), weights.T).T
    return Whitening(weights, axes, r, gap, condition, ~alive)


def ridge_weights(gram: Floats, ridge: float) -> Floats:
    """W (d, d) with |x W|^2 = x^T (X^T X + ridge I)^-1 x, from X^T X and ridge > 0."""
    values, vectors = descending(gram)
    return vectors / np.sqrt(np.maximum(values, 0.0) + ridge)


def read_rank(values: np.ndarray) -> tuple[int, float]:
    """(rank, gap) from the eigenvalues of a column-scaled Gram matrix, largest first.

    The rank ends at the largest ratio of neighbours among the eigenvalues below 1e-10 of the
    largest. Without a clear gap (a ratio of 100) the spectrum fades smoothly, and the rank counts
    what stands above rounding, 10 d eps.
    """
    if len(values) == 0 or values[0] <= 0:
        return 0, float("inf")
    floored = np.maximum(values / values[0], EPS)
    ratios = np.where(floored[1:] < 1e-10, floored[:-1] / floored[1:], 0.0)
    if not ratios.any():
        return len(values), float("inf")
    cut = int(np.argmax(ratios))
    if ratios[cut] >= CLEAR_GAP:
        return cut + 1, float(ratios[cut])
    return int((floored > 10 * len(values) * EPS).sum()), float(ratios[cut])


@row_blocks.keep_last
def spectrum(embedding: np.ndarray) -> tuple[Floats, Floats]:
    """(eigenvalues (r,) of X^T X, largest first; squares (n, r) of X's coordinates along their
    eigenvectors).

    From these any ridge and any number of directions is one matrix-vector product. Kept in float64
    up to 256 MB and in float32 above (relative error of a score below 1e-6).
    """
    r = whiten(embedding).rank
    if _few(embedding):
        values, vectors = descending(_of_points(embedding, np.ones(embedding.shape[1])))
        return values[:r], vectors[:, :r] ** 2 * values[:r]
    values, vectors = descending(row_blocks.gram(embedding))
    dtype = np.float64 if len(embedding) * r * 8 <= 256 * 2**20 else np.float32
    return values[:r], row_blocks.product(embedding, vectors[:, :r], lambda y: y * y, dtype)


def descending(symmetric: np.ndarray) -> tuple[Floats, Floats]:
    """(eigenvalues, eigenvectors as columns) of a symmetric matrix, largest first."""
    values, vectors = np.linalg.eigh(symmetric)
    return values[::-1], vectors[:, ::-1]
