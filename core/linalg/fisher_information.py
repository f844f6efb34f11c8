"""The Fisher information of one linear softmax layer: what each point would tell about the layer's
weights.

    I(x) = Lambda_x (x) h h^T = V_x V_x^T,    Lambda_x = diag(p) - p p^T,    V_x = L_x (x) h

Conventions: h is the embedding of x, p its probabilities; n points, d dimensions, c classes. Lambda
1 = 0, so nothing is lost in r = c - 1 coordinates across the classes, the columns of an orthonormal
basis N of the contrasts: L_x is (r, r) with L_x L_x^T = N^T Lambda_x N. The information lives in D
= r d dimensions; index a d + j is contrast a, dimension j. Regression on squared error is the same
with r = 1 and L_x = 1. No (n, c d) array is ever made: everything goes over the points in tiles, in
float64, on the GPU where there is one.

Source: Ash, Goel, Krishnamurthy, Kakade 2021 (Gone Fishing), section 5 and appendix A.3; the factor
of Lambda in closed form: Tanabe and Sagae 1992, An exact Cholesky decomposition of the multinomial
covariance matrix.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from core.linalg import row_blocks
from core.types import Floats, UserError, check_matrix

TILE = 256  # points at a time: what a tile needs stays in the processor's cache
BYTES = 8 * 2**30


def contrasts(classes: int) -> Floats:
    """N (c, c - 1): orthonormal columns, each orthogonal to the ones (Helmert): class i + 1 against
    the mean of those before it.
    """
    n = np.zeros((classes, classes - 1))
    for i in range(classes - 1):
        n[: i + 1, i] = 1
        n[i + 1, i] = -(i + 1)
    return n / np.sqrt((n**2).sum(axis=0))


def class_roots(probs: Floats) -> Floats:
    """L (n, r, r) float64 with L_x L_x^T = N^T (diag(p) - p p^T) N, from probs (n, c).

    The Cholesky factor of diag(p) - p p^T in closed form, seen from the contrasts: with tails q_i =
    p_{i+1} + ... + p_c its column i is sqrt(p_i q_i / (p_i + q_i)) (e_i - sum_{j>i} p_j / q_i e_j).
    Nothing is subtracted, so small probabilities keep their digits, and a point whose class is
    certain gets exactly 0.
    """
    p = _exact_probs(probs)
    classes = p.shape[1]
    tails = np.cumsum(p[:, ::-1], axis=1)[:, ::-1]
    factor = np.zeros((len(p), classes, classes - 1))
    for i in range(classes - 1):
        rest = tails[:, i + 1]
        both = tails[:, i]
        size = np.sqrt(p[:, i] * _ratio(rest, both))
        factor[:, i, i] = size
        factor[:, i + 1 :, i] = -size[:, None] * _ratio(p[:, i + 1 :], rest[:, None])
    return contrasts(classes).T @ factor


def _exact_probs(probs: Floats) -> Floats:
    """probs (n, c) as float64 with rows that sum to 1 exactly; a UserError if they are no
    probabilities of at least two classes.
    """
    p = np.array(check_matrix(probs, "probs"), np.float64)
    if p.shape[1] < 2:
        raise UserError(
            f"probs: found {p.shape[1]} class, expected at least 2. Fit a head on labels of several"
            " classes."
        )
    sums = p.sum(axis=1)
    if p.min() < 0 or np.abs(sums - 1).max() > 1e-3:
        bad = int(((p < 0).any(axis=1) | (np.abs(sums - 1) > 1e-3)).sum())
        raise UserError(
            f"probs: {bad:,} of {len(p):,} rows are negative somewhere or do not sum to 1. Give"
            " probabilities, not logits."
        )
    return p / sums[:, None]


def live_columns(embedding: Floats) -> Floats:
    """The embedding without its columns of zeros (at least one column stays): they carry no
    information, and D shrinks by r for each.
    """
    embedding = check_matrix(embedding, "embedding")
    alive = np.any(embedding != 0, axis=0)
    return embedding if alive.all() else embedding[:, alive if alive.any() else slice(0, 1)]


def check_memory(points: int, d: int, r: int) -> None:
    """A UserError if rows, roots and states of so many candidates and six (r d)^2 matrices pass 8
    GB.
    """
    need = 8 * (points * (2 * d + 4 * r * r) + 6 * (r * d) ** 2)
    if need > BYTES:
        raise UserError(
            f"Fisher information: {points:,} points of {d:,} dimensions in {r + 1} classes need"
            f" {need / 2**30:.1f} GB, expected at most {BYTES / 2**30:.0f}. Choose an embedding of"
            " fewer dimensions, or fewer points."
        )


def information(rows: Floats, roots: Floats) -> Any:
    """sum_x I(x): (D, D) float64 where the arithmetic happens. rows (n, d), roots L (n, r, r).

    Cost n D^2 multiplications.
    """
    r = roots.shape[1]
    d = rows.shape[1]
    total = row_blocks.place(np.zeros((r, d, r, d)))
    for x, root in tiles(rows, roots):
        spread = root @ root.swapaxes(1, 2)
        for a in range(r):
            weighted = (spread[:, a, a:, None] * x[:, None, :]).reshape(len(x), -1)
            total[a, :, a:] += (x.T @ weighted).reshape(d, r - a, d)
    for a in range(1, r):
        total[a, :, :a] = total[:a, :, a].swapaxes(0, 1)
    return total.reshape(r * d, r * d)


def forms(rows: Floats, roots: Floats, matrix: Any) -> Iterator[Any]:
    """V_x^T A V_x (m, r, r) for every tile of points, from a symmetric A (D, D). Cost n D^2
    multiplications.

    Block (a, b) of (I (x) h)^T A (I (x) h) is h^T A_ab h; L_x^T and L_x go around it.
    """
    r = roots.shape[1]
    d = rows.shape[1]
    right = [matrix.reshape(r, d, r, d)[a, :, a:].reshape(d, -1) for a in range(r)]
    for x, root in tiles(rows, roots):
        inner = root * 0
        for a in range(r):
            inner[:, a, a:] = ((x @ right[a]).reshape(len(x), r - a, d) @ x[:, :, None])[..., 0]
            inner[:, a:, a] = inner[:, a, a:]
        yield root.swapaxes(1, 2) @ inner @ root


def tiles(rows: Floats, roots: Floats) -> Iterator[tuple[Any, Any]]:
    """(rows, roots) of a few points at a time, float64, where the arithmetic happens."""
    yield from zip(
        row_blocks.blocks(rows, rows=TILE), row_blocks.blocks(roots, rows=TILE), strict=True
    )


def _ratio(part: Floats, whole: Floats) -> Floats:
    """part / whole, and 0 where there is nothing."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
