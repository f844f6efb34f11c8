"""n vectors that are outer products, x_i = left_i (x) right_i, kept as their factors.

The gradient of a softmax layer's loss at a point is such a vector, (p - e_y) (x) h, of c d numbers;
a plain embedding is one too, with left_i = 1. Inner products factor, <x_i, x_j> = (left_i . left_j)
(right_i . right_j), so that one of them with all n costs n (c + d) products instead of n c d, and
no (n, c d) array is ever made. A vector u of c d numbers is written as a (c, d) matrix.

The factors of right keep the embedding's precision if asked to; left and every result of length n
are float64. Source: the factored distance is in Zhang et al. 2023 (LabelBench), app. D.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.linalg.probabilities import check_probs, predicted_residuals
from core.types import Floats, Ints, check_matrix

BLOCK = 2**22
# Beyond these, squares of float32 numbers leave its range.
COMFORTABLE = (1e-12, 1e12)


@dataclass(frozen=True, eq=False)
class Outer:
    """left (n, c) float64, right (n, d) float32 or float64."""

    left: Floats
    right: Floats

    def __len__(self) -> int:
        return len(self.left)

    def __getitem__(self, i: int) -> Floats:
        """x_i as a (c, d) matrix, float64."""
        return np.outer(self.left[i], self.right[i])

    @property
    def width(self) -> int:
        """c d, the length of each x_i."""
        return self.left.shape[1] * self.right.shape[1]

    @cached_property
    def left_squares(self) -> Floats:
        """|left_i|^2: (n,)."""
        return row_dot(self.left, self.left)

    @cached_property
    def right_squares(self) -> Floats:
        """|right_i|^2: (n,)."""
        return row_dot(self.right, self.right)

    @cached_property
    def squares(self) -> Floats:
        """|x_i|^2: (n,)."""
        return self.left_squares * self.right_squares

    def take(self, rows: Ints) -> Outer:
        """Only these of the n vectors."""
        return Outer(self.left[rows], self.right[rows])

    def dot(self, i: int) -> Floats:
        """<x_j, x_i> for every j: (n,)."""
        return (self.left @ self.left[i]) * (self.right @ self.right[i])

    def along(self, direction: Floats) -> Floats:
        """<x_j, direction> for every j: (n,). direction: (c, d)."""
        return row_dot(self.left, self.right @ direction.T.astype(self.right.dtype))

    def gram(self) -> Floats:
        """The kernel <x_i, x_j>: (n, n) float64."""
        right = self.right.astype(np.float64)
        return (self.left @ self.left.T) * (right @ right.T)

    def dual(self) -> Floats:
        """sum_i x_i x_i^T: (c d, c d) float64, from blocks of rows written out."""
        total = np.zeros((self.width, self.width))
        for x in self.written_out():
            total += x.T @ x
        return total

    def written_out(self) -> Iterator[Floats]:
        """The vectors as blocks (rows, c d), a few megabytes at a time."""
        rows = max(1, BLOCK // max(1, self.width))
        for start in range(0, len(self), rows):
            left = self.left[start : start + rows]
            right = self.right[start : start + rows]
            yield (left[:, :, None] * right[:, None, :]).reshape(len(left), -1)

    def direct_distances(self, rows: Ints, i: int) -> Floats:
        """|x_j - x_i|^2 for these j from the factors' differences: relative accuracy also where x_j
        is nearly x_i, 0 for a copy.

        x_j - x_i = (left_j - left_i) (x) right_j + left_i (x) (right_j - right_i), whose square has
        three small terms.
        """
        left = self.left[rows]
        right = self.right[rows].astype(np.float64)
        step = left - self.left[i]
        move = right - self.right[i]
        crossed = 2 * (step @ self.left[i]) * row_dot(right, move)
        by_left = row_dot(step, step) * row_dot(right, right)
        by_right = row_dot(move, move) * (self.left[i] @ self.left[i])
        return np.maximum(by_left + by_right + crossed, 0.0)


def gradients(embedding: np.ndarray, probs: np.ndarray | None, *, exact: bool) -> Outer:
    """The gradients (p - e_yhat) (x) h as if each point's predicted class were its label; the
    embedding itself if probs is None.

    embedding: h (n, d); probs: p (n, c). exact: in float64 throughout; otherwise right keeps a
    float32 embedding as it is.
    """
    embedding = check_matrix(embedding, "embedding")
    n = len(embedding)
    left = np.ones((n, 1)) if probs is None else predicted_residuals(check_probs(probs, n))
    as_it_is = not exact and _is_comfortable(embedding)
    return Outer(left, embedding if as_it_is else embedding.astype(np.float64))


def _is_comfortable(embedding: np.ndarray) -> bool:
    """Is this a float32 array whose largest value can be squared in float32?"""
    if embedding.dtype != np.float32:
        return False
    largest = max(abs(float(embedding.max(initial=0))), abs(float(embedding.min(initial=0))))
    return largest == 0 or COMFORTABLE[0] < largest < COMFORTABLE[1]


def row_dot(a: Floats, b: Floats) -> Floats:
    """The inner product of each row of a with the same row of b: (n,) float64."""
    return np.einsum("ij,ij->i", a, b, dtype=np.float64)
