"""log det M of a growing set of points, M = ridge I + sum V V^T: how much does one more point add?

V is a point's block of m vectors of c d numbers. With P = M^-1 the point adds log det(I + V^T P V).
P is never formed: it is kept as I / ridge - U^T U, where each point taken in gives m more rows

    (P V R^-T)^T    with    R R^T = I + V^T P V,

so that a pick costs a few products with U and one pass over the points, and the memory is U's: m c
d numbers per point taken. Two kinds of points: `Single`, one vector left (x) right each (m = 1);
`Expected`, a block for all labels (m = c), whose V V^T is (diag(p) - p p^T) (x) h h^T, the expected
Fisher information of a softmax layer at the point. Float64 throughout.

diag(p) - p p^T = L L^T with L = diag(s) (I - s s^T) and s = sqrt(p), as s has length 1: no
decomposition is needed.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from core.linalg.outer_products import BLOCK, Outer
from core.types import Bools, Floats, Ints


class Single:
    """Points of one vector each. quadratic: x^T P x (n,)."""

    def __init__(self, x: Outer, ridge: float):
        self.x = x
        self.quadratic = x.squares / ridge
        self.ridge = ridge

    def gains(self) -> Floats:
        """log(1 + x^T P x): (n,)."""
        return np.log1p(self.quadratic)

    def vectors(self, rows: Ints) -> Outer:
        """The vectors of these points."""
        return self.x.take(rows)

    def shrink(self, new: Floats) -> None:
        """Follow P by new rows of U (m, c, d)."""
        for u in new:
            self.quadratic -= self.x.along(u) ** 2
        np.maximum(self.quadratic, 0.0, out=self.quadratic)


class Expected:
    """Points with a block of c vectors each. inner: V^T P V (n, c, c).

    probs: (n, c); right: h (n, d) float64.
    """

    def __init__(self, probs: Floats, right: Floats, ridge: float):
        s = np.sqrt(probs / probs.sum(axis=1, keepdims=True))
        self.right = right
        self.ridge = ridge
        self.factors = s[:, :, None] * (np.eye(s.shape[1]) - s[:, :, None] * s[:, None, :])
        lengths = np.einsum("nd,nd->n", right, right) / ridge
        squares = np.matmul(self.factors.transpose(0, 2, 1), self.factors)
        self.inner = squares * lengths[:, None, None]

    def gains(self) -> Floats:
        """log det(I + V^T P V): (n,)."""
        return np.linalg.slogdet(self.inner + np.eye(self.inner.shape[1]))[1]

    def vectors(self, rows: Ints) -> Outer:
        """The c vectors of the first of these points, of the second, and so on."""
        c = self.factors.shape[1]
        return Outer(
            self.factors[rows].transpose(0, 2, 1).reshape(-1, c),
            np.repeat(self.right[rows], c, axis=0),
        )

    def shrink(self, new: Floats) -> None:
        """Follow P by new rows of U (m, c, d)."""
        m, c, d = new.shape
        rows = max(1, BLOCK // (m * c))
        for start in range(0, len(self.right), rows):
            part = slice(start, start + rows)
            moved = (self.right[part] @ new.reshape(m * c, d).T).reshape(-1, m, c)
            across = np.matmul(moved, self.factors[part])
            self.inner[part] -= np.matmul(across.transpose(0, 2, 1), across)


def grow(points: Single | Expected, inside: Bools, k: int) -> tuple[Ints, Floats]:
    """k points, each the one that adds most to log det M (of equals the first), and what each
    added. inside (n,): in M from the start.
    """
    start = points.vectors(np.flatnonzero(inside))
    outside = ~inside
    each = len(points.vectors(np.array([0])))
    room = min(len(start), start.width) + k * each
    inverse = Inverse(points.ridge, start.left.shape[1], start.right.shape[1], room)
    for block in _condensed(start):
        points.shrink(inverse.add(block))
    indices = np.empty(k, np.int64)
    gains = np.empty(k)
    for j in range(k):
        added = np.where(outside, points.gains(), -np.inf)
        i = int(np.argmax(added))
        indices[j] = i
        gains[j] = added[i]
        outside[i] = False
        for block in points.vectors(indices[j : j + 1]).written_out():
            points.shrink(inverse.add(block))
    return indices, gains


class Inverse:
    """P = I / ridge - U^T U for vectors of c d numbers, with room for so many rows of U."""

    def __init__(self, ridge: float, c: int, d: int, rows: int):
        self.ridge = ridge
        self.shape = (c, d)
        self.u = np.empty((rows, c * d))
        self.used = 0

    def add(self, vectors: Floats) -> Floats:
        """Take vectors V^T (m, c d) into M; the new rows of U as (m, c, d)."""
        from scipy.linalg import solve_triangular  # in the function: menus do not need it

        u = self.u[: self.used]
        m = len(vectors)
        moved = vectors / self.ridge - (vectors @ u.T) @ u
        root = np.linalg.cholesky(np.eye(m) + moved @ vectors.T)
        new = self.u[self.used : self.used + m]
        new[:] = solve_triangular(root, moved, lower=True)
        self.used += m
        return new.reshape(m, *self.shape)


def _condensed(vectors: Outer) -> Iterator[Floats]:
    """Blocks (m, c d) of these vectors or, where they are more than c d, of c d others with the
    same sum of squares x x^T.
    """
    if len(vectors) <= vectors.width:
        yield from vectors.written_out()
        return
    values, axes = np.linalg.eigh(vectors.dual())
    rows = (axes * np.sqrt(np.maximum(values, 0.0))).T
    yield from np.array_split(rows, 1 + rows.size // BLOCK)
