"""The spectrum of an embedding: its rank, and the map that whitens it.

How: exact leverage does not change when a column of X is scaled, so the columns are scaled to norm
1 first. That brings the condition number of raw MNIST from 2.2e5 to 143, and opens a gap in the
spectrum of the Gram matrix from 5e-5 to 2e-16 of the largest eigenvalue. A direction counts if its
singular value is above what rounding leaves of none (`least_singular`). The Gram matrix knows
singular values no better than to sqrt(eps); where that leaves open on which side of the limit one
lies, QR of X and the SVD of its triangle decide. Where the smallest direction that counts is badly
conditioned, a further pass (Cholesky of the Gram matrix of X W) restores the digits that squaring
lost.

Source: CholeskyQR2 (the further pass); Weyl's inequality (the limit).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from core.linalg import row_blocks
from core.linalg.row_blocks import Table
from core.types import Floats, UserError

EPS = float(np.finfo(np.float64).eps)
CLEAR_GAP = 100.0
FAINT = 1e-5  # singular values below this part of the largest are told, if they count
# Beyond these the squares of n numbers, or the inverse of one, may leave float64's range.
SMALLEST, LARGEST = 1e-290, 1e290
SQUARES_KNOWN = 1e-250, 1e290


class Passes(Protocol):
    """What can be asked of the rows of X (n, d), each for one pass over them.

    eps: the precision of its numbers.
    """

    shape: tuple[int, int]
    eps: float

    def gram(self, weights: Floats | None = None) -> Floats:
        """X^T X, or (X W)^T (X W), float64."""
        ...

    def triangle(self, weights: Floats | None = None) -> Floats:
        """R with R^T R = X^T X, or (X W)^T (X W), float64."""
        ...

    def largest(self) -> Floats:
        """max_i |x_ij| (d,)."""
        ...


@dataclass(frozen=True, eq=False)
class Here:
    """The passes over a table that this process reads."""

    table: Table
    eps: float

    @property
    def shape(self) -> tuple[int, int]:
        """(n, d)"""
        return self.table.shape

    def gram(self, weights: Floats | None = None) -> Floats:
        """See Passes."""
        return row_blocks.gram(self.table, weights)

    def triangle(self, weights: Floats | None = None) -> Floats:
        """See Passes."""
        return row_blocks.triangle(self.table, weights)

    def largest(self) -> Floats:
        """See Passes."""
        return row_blocks.largest(self.table)


@dataclass(frozen=True, eq=False)
class Whitening:
    """What the spectrum of the column-scaled embedding says.

    weights: W (d, r) float64, |x_i W|^2 is the leverage of point i. axes: (d, r), the unit
    eigenvectors behind W's columns. rank: r. gap: ratio of the eigenvalues around the cut (inf at
    full rank). condition: ratio of the largest to the smallest singular value that counts. dead:
    bool (d,), columns that are all zero.
    """

    weights: Floats
    axes: Floats
    rank: int
    gap: float
    condition: float
    dead: np.ndarray


def close_call(gap: float | None, condition: float) -> bool:
    """Was the rank a close call? The gap (None or inf: full rank) is below 100, or a direction
    counts whose singular value is below 1e-5 of the largest.
    """
    return (gap is not None and gap < CLEAR_GAP) or condition > 1 / FAINT


@row_blocks.keep_last
def whiten(embedding: Table) -> Whitening:
    """The whitening map of X (n, d): one pass over X, and further ones where the spectrum asks for
    them.

    With fewer points than dimensions from the spectrum of X X^T, which has the same eigenvalues and
    is the smaller one. A UserError for columns of numbers beyond 1e-290 to 1e290.
    """
    if _few(embedding):
        return _from_few(embedding)
    return from_passes(Here(embedding, precision(embedding.dtype)))


def precision(dtype: np.dtype | type) -> float:
    """eps of the numbers: float32's for float32, float64's for whole numbers."""
    exact = not np.issubdtype(dtype, np.floating)
    return EPS if exact else max(EPS, float(np.finfo(dtype).eps))


def from_passes(rows: Passes, gram: Floats | None = None) -> Whitening:
    """The whitening map of an X that is known by its passes. gram: X^T X, if it is known."""
    with np.errstate(over="ignore", invalid="ignore"):
        plain = rows.gram() if gram is None else gram
    scales = np.ones(len(plain))
    if squares_lost(np.diag(plain), rows.eps):
        scales = powers_of_two(rows.largest())
        plain = rows.gram(np.diag(1 / scales))
    norms = np.sqrt(np.diag(plain))
    alive = norms > 0
    values, vectors = descending(plain[np.ix_(alive, alive)] / np.outer(norms[alive], norms[alive]))
    norms = norms * scales
    limit = least_singular(rows.shape, rows.eps)
    floor = EPS
    if not decided(values, limit):
        unit = np.diag(np.divide(1.0, norms, out=np.zeros_like(norms), where=alive))
        values, vectors = squares_and_axes(rows.triangle(unit[:, alive]))
        floor = EPS**2
    read = read_rank(values, limit, floor)
    return _whitening(values, read, lambda r: vectors[:, :r], norms, rows.gram)


def squares_lost(squares: Floats, eps: float) -> bool:
    """Are there sums of squares that float64's range has spoilt, or may have? Those of float32
    numbers fit.
    """
    low, high = SQUARES_KNOWN
    return eps <= EPS and not ((squares >= low) & (squares <= high)).all()


def powers_of_two(largest: Floats) -> Floats:
    """(d,) by which columns with these largest numbers are divided without rounding: 1 for a column
    of zeros.
    """
    odd = (largest > 0) & ((largest < SMALLEST) | (largest > LARGEST))
    if odd.any():
        raise UserError(
            f"embedding: found a column whose largest number is {largest[odd][0]:.1e}, expected"
            f" {SMALLEST:.0e} to {LARGEST:.0e}. Divide the column by it."
        )
    return np.ldexp(1.0, np.where(largest > 0, np.frexp(largest)[1], 0))


def _few(embedding: Table) -> bool:
    return isinstance(embedding, np.ndarray) and embedding.shape[0] < embedding.shape[1]


def _from_few(embedding: np.ndarray) -> Whitening:
    eps = precision(embedding.dtype)
    norms = _norms(embedding, eps)
    values, vectors = descending(_of_points(embedding, norms))
    limit = least_singular(embedding.shape, eps)
    floor = EPS
    if not decided(values, limit):
        values, vectors = squares_and_axes(_triangle_of_points(embedding, norms))
        floor = EPS**2

    def axes(r: int) -> Floats:
        """X^T u / |X^T u| for the first r eigenvectors u of X X^T, on the live columns."""
        found = [(x.T @ vectors[:, :r]) / np.sqrt(values[:r]) for x in _columns(embedding, norms)]
        return np.concatenate(found)[norms > 0]

    read = read_rank(values, limit, floor)
    return _whitening(values, read, axes, norms, Here(embedding, eps).gram)


def _norms(embedding: np.ndarray, eps: float) -> Floats:
    """The columns' norms (d,)."""
    with np.errstate(over="ignore"):
        squares = np.einsum("ij,ij->j", embedding, embedding, dtype=np.float64)
    if not squares_lost(squares, eps):
        return np.sqrt(squares)
    scales = powers_of_two(row_blocks.largest(embedding))
    return scales * np.sqrt(((embedding / scales) ** 2).sum(axis=0))


def _of_points(embedding: np.ndarray, norms: Floats) -> Floats:
    """X X^T (n, n) in float64, the columns of X divided by norms."""
    return sum(x @ x.T for x in _columns(embedding, norms))


def _triangle_of_points(embedding: np.ndarray, norms: Floats) -> Floats:
    """R with R^T R = X X^T (n, n), the columns of X divided by norms."""
    found = np.zeros((0, len(embedding)))
    for x in _columns(embedding, norms):
        found = row_blocks.join(found, x.T)
    return found


def _columns(embedding: np.ndarray, norms: Floats, count: int = 1024) -> Iterator[Floats]:
    """The columns of X divided by norms (dead ones stay zero), a thousand at a time, in float64."""
    divisors = np.where(norms > 0, norms, 1.0)
    for start in range(0, embedding.shape[1], count):
        yield embedding[:, start : start + count] / divisors[start : start + count]


def _whitening(
    values: Floats,
    read: tuple[int, float],
    first: Callable[[int], Floats],
    norms: Floats,
    gram: Callable[..., Floats],
) -> Whitening:
    """From the column-scaled spectrum: eigenvalues, largest first; its rank and gap; first(r): unit
    eigenvectors of the r largest, on the live columns.
    """
    alive = norms > 0
    r, gap = read
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


def least_singular(shape: tuple[int, int], eps: float) -> float:
    """Singular values of a column-scaled X (n, d) up to this part of the largest count as zero.

    max(n, d) 2.2e-16                 what float64 arithmetic leaves of none
    sqrt(d) eps, at most 1e-5         what rounding its numbers to float32 moves at most: |E|
                                      <= eps/2 |X|_F, where columns have norm 1
    """
    stored = min(np.sqrt(shape[1]) * eps, FAINT) if eps > EPS else 0.0
    return max(max(shape) * EPS, float(stored))


def decided(values: np.ndarray, limit: float) -> bool:
    """Do these eigenvalues of a Gram matrix, largest first, lie clearly above or below limit^2 of
    the largest? Each is known to 10 d eps of the largest.
    """
    if len(values) == 0 or values[0] <= 0:
        return True
    return bool((np.abs(values / values[0] - limit**2) > 10 * len(values) * EPS).all())


def read_rank(values: np.ndarray, limit: float, floor: float = EPS) -> tuple[int, float]:
    """(rank, gap) from squared singular values, largest first.

    The rank counts those above limit^2 of the largest. gap: the ratio of its last to the next, inf
    at full rank; what is below `floor` of the largest is rounding.
    """
    if len(values) == 0 or values[0] <= 0:
        return 0, float("inf")
    parts = values / values[0]
    rank = int((parts > limit**2).sum())
    gap = parts[rank - 1] / max(parts[rank], floor) if rank < len(parts) else np.inf
    return rank, float(gap)


def squares_and_axes(triangle: Floats) -> tuple[Floats, Floats]:
    """(squared singular values, right singular vectors as columns) of X, largest first, from its
    triangle.
    """
    _, values, vectors = np.linalg.svd(triangle)
    squares = np.zeros(len(vectors))
    squares[: len(values)] = values**2
    return squares, vectors.T


@row_blocks.keep_last
def spectrum(embedding: np.ndarray) -> tuple[Floats, Floats, float]:
    """(eigenvalues (r,) of (X/u)^T (X/u), largest first; squares (n, r) of X/u's coordinates along
    their eigenvectors; the unit u).

    u is 1, or a power of two that brings numbers beyond 1e-125 or 1e125 to size 1. From these any
    ridge and any number of directions is one matrix-vector product. Kept in float64 up to 256 MB
    and in float32 above (relative error of a score below 1e-6). Eigenvalues that the Gram matrix
    cannot tell from zero come from QR and SVD.
    """
    r = whiten(embedding).rank
    unit = _unit(embedding)
    embedding = embedding if unit == 1 else embedding / unit
    if _few(embedding):
        ones = np.ones(embedding.shape[1])
        values, vectors = descending(_of_points(embedding, ones))
        if _faint(values, r):
            values, vectors = squares_and_axes(_triangle_of_points(embedding, ones))
        return values[:r], vectors[:, :r] ** 2 * values[:r], unit
    values, vectors = descending(row_blocks.gram(embedding))
    if _faint(values, r):
        values, vectors = squares_and_axes(row_blocks.triangle(embedding))
    dtype = np.float64 if len(embedding) * r * 8 <= 256 * 2**20 else np.float32
    squares = row_blocks.product(embedding, vectors[:, :r], lambda y: y * y, dtype)
    return values[:r], squares, unit


def _faint(values: Floats, r: int) -> bool:
    """Is one of the first r eigenvalues of a Gram matrix lost in its rounding?"""
    return r > 0 and values[r - 1] <= 10 * len(values) * EPS * values[0]


def _unit(embedding: np.ndarray) -> float:
    if precision(embedding.dtype) > EPS:
        return 1.0
    top = float(row_blocks.largest(embedding).max(initial=0))
    low, high = np.sqrt(SQUARES_KNOWN)
    fits = top == 0 or low < top < high / len(embedding)
    return 1.0 if fits else float(np.ldexp(1.0, np.frexp(top)[1]))


def descending(symmetric: np.ndarray) -> tuple[Floats, Floats]:
    """(eigenvalues, eigenvectors as columns) of a symmetric matrix, largest first."""
    values, vectors = np.linalg.eigh(symmetric)
    return values[::-1], vectors[:, ::-1]
