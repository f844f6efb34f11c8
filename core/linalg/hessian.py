"""The Hessian of a fitted head, and three ways to solve with it.

    H = (1/n) sum_i Lambda_i (x) h_i h_i^T + penalty,    Lambda = diag(p) - p p^T

Conventions: as in core/softmax_head.py, h (m,) is a row of the design and T (c, m) the parameters.
A shift of all classes changes nothing, so everything here stands in r = c - 1 coordinates N^T T,
where the columns of N (c, r) are an orthonormal basis of the vectors that sum to zero: a residual
is q = N^T (p - e_y), the Fisher matrix of the logits F = N^T Lambda N, a gradient q (x) h or a step
has shape (r, m), and H is D x D, D = r m. That is exact for all that the softmax can tell apart,
and leaves H no null directions but those of the embedding itself. Nothing of size n x D, or D x D
for each point, is made.

    Exact        by Cholesky
    Spanned      the same within the span of a few points
    Iterated     by conjugate gradients
    Kronecker    by K-FAC, approximately

A head on fewer points than dimensions never leaves the span of its points: the gradient of its loss
is a sum of residuals (x) points, and outside the span the Hessian is the penalty alone, so
everything can be done inside.

Sources: Bohning 1992 (the Hessian); Martens and Grosse 2015 (K-FAC, here with the true Fisher
matrix of the labels); Kimeldorf and Wahba 1971 (the representer theorem: the span).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.linalg import LinAlgError, block_diag, cho_factor, cho_solve, helmert
from scipy.linalg.lapack import dpotri

from core import softmax_head
from core.runtime.progress import advance
from core.types import Floats, Head, Ints, UserError

# Up to this many parameters r m the dense Hessian is factored; above, conjugate gradients solve
# with its products.
FACTORED = 4_000
# Up to this many its inverse is kept: half a gigabyte, which methods with r solves for each point
# read again and again.
INVERTED = 8_000
SINGULAR = (
    "The Hessian of this head is singular, or nearly so: some directions are neither penalised nor"
    " bent by the points, because no point uses them or all predictions are certain. Set Damping"
    " above 0, e.g. 0.0001, or fit the head with l2 above 0."
)


@dataclass(frozen=True, eq=False)
class OpenHead:
    """A head laid open at the points it was fitted on.

    theta: T (c, m), weights and, unless they are all zero, intercepts. d: the number of weights of
    a class. penalty: (m,), l2 and 0 for the intercept. rows (n, m) and probs (n, c): of the points
    it was fitted on. basis: N (c, r).
    """

    theta: Floats
    d: int
    penalty: Floats
    rows: Floats
    probs: Floats
    basis: Floats

    @property
    def n(self) -> int:
        """How many points it was fitted on."""
        return len(self.rows)

    @property
    def shape(self) -> tuple[int, int]:
        """(r, m), the shape of a gradient."""
        return self.basis.shape[1], self.rows.shape[1]

    @property
    def weights(self) -> Floats:
        """N^T W (r, d): the weights without the intercepts."""
        return self.basis.T @ self.theta[:, : self.d]

    @property
    def pull(self) -> Floats:
        """The penalty's gradient N^T T penalty: (r, m)."""
        return self.basis.T @ (self.theta * self.penalty)

    def design(self, embedding: Floats) -> Floats:
        """The rows h (k, m) of these points (k, d)."""
        return softmax_head.design(embedding, intercept=self.theta.shape[1] > self.d)

    def probabilities(self, rows: Floats) -> Floats:
        """p (k, c) of these rows (k, m)."""
        return softmax_head.softmax(rows @ self.theta.T)

    def residuals(self, probs: Floats, labels: Ints) -> Floats:
        """q = N^T (p - e_y): (k, r). A point's gradient, without the penalty, is q (x) h."""
        return softmax_head.residuals(probs, labels) @ self.basis

    def fishers(self, probs: Floats) -> Floats:
        """F = N^T (diag(p) - p p^T) N for each row of probs (k, c): (k, r, r)."""
        means = probs @ self.basis
        squares = np.matmul(self.basis.T * probs[:, None, :], self.basis)
        return squares - means[:, :, None] * means[:, None, :]

    def mean_gradient(self, rows: Floats, residuals: Floats) -> Floats:
        """The mean of q (x) h over these points: (r, m)."""
        return residuals.T @ rows / len(rows)


def open_head(head: Head) -> OpenHead:
    """The head with the design and the probabilities of the points it was fitted on.

    Intercepts that are all zero count as absent. A UserError for a head of a single class.
    """
    if len(head.weights) < 2:
        raise UserError(
            f"The head knows {len(head.weights)} class, expected at least 2. Fit a head on labels"
            " of several classes."
        )
    points = head.fitted_on.embedding
    softmax_head.check_points(points, head, "the set of points it was fitted on")
    intercept = bool(np.any(head.intercepts))
    columns = [head.weights, head.intercepts] if intercept else [head.weights]
    theta = np.column_stack(columns).astype(np.float64)
    rows = softmax_head.design(points, intercept)
    d = head.weights.shape[1]
    return OpenHead(
        theta=theta,
        d=d,
        penalty=softmax_head.penalties(d, head.l2, intercept),
        rows=rows,
        probs=softmax_head.softmax(rows @ theta.T),
        basis=helmert(len(theta)).T,
    )


def solver(
    opened: OpenHead, ridge: Floats, hessian: str = "exact"
) -> Exact | Spanned | Iterated | Kronecker:
    """Something that solves with H = mean Lambda (x) h h^T + ridge (m,).

    hessian: "exact" (by Cholesky up to 4,000 parameters, by conjugate gradients above), or "kfac"
    for its Kronecker factors. A UserError where H is singular.
    """
    if hessian == "kfac":
        return Kronecker(opened, ridge)
    if _parameters(opened, ridge) > FACTORED:
        return Iterated(opened, ridge)
    return Spanned(opened, ridge) if spanned(opened, ridge) else Exact(opened, ridge)


def spreader(
    opened: OpenHead, ridge: Floats, hessian: str = "exact"
) -> Exact | Spanned | Kronecker:
    """The same for methods that also need H^-1 (e_a (x) h) for each point.

    A UserError for more than 8,000 parameters with the exact Hessian.
    """
    if hessian == "kfac":
        return Kronecker(opened, ridge)
    parameters = _parameters(opened, ridge)
    if parameters > INVERTED:
        raise UserError(
            f"This method inverts the head's Hessian exactly for at most {INVERTED:,} parameters,"
            f" and the head has {parameters:,}. Take an embedding of fewer dimensions or, where the"
            " method offers it, the Hessian 'kfac'."
        )
    return Spanned(opened, ridge) if spanned(opened, ridge) else Exact(opened, ridge)


def _parameters(opened: OpenHead, ridge: Floats) -> int:
    """How many numbers there are to solve for: r m, or within the span r times its axes at most."""
    r, m = opened.shape
    outside = opened.d - opened.n
    return r * (m - outside) if spanned(opened, ridge) else r * m


def spanned(opened: OpenHead, ridge: Floats) -> bool:
    """Is the span worth taking, and the Hessian outside it one number?

    Fewer points than dimensions, and one ridge above 0 for all weights.
    """
    fewer = opened.n < opened.d
    return fewer and ridge[0] > 0 and bool((ridge[: opened.d] == ridge[0]).all())


def span(rows: Floats, d: int) -> Floats:
    """Axes (m, q), orthonormal, of the subspace in which these rows (n, m) lie: of the d weights'
    part, and the intercept's own axis.
    """
    _, sizes, axes = np.linalg.svd(rows[:, :d], full_matrices=False)
    rounding = sizes.max(initial=0) * max(rows.shape) * np.finfo(np.float64).eps
    kept = axes[sizes > rounding].T
    return block_diag(kept, np.eye(rows.shape[1] - d))


ROWS = 8192  # in one product


def dense_hessian(opened: OpenHead, ridge: Floats) -> Floats:
    """H (D, D): r (r + 1) / 2 weighted Gram matrices of the rows, and the ridge (m,) on the
    diagonal.
    """
    r, m = opened.shape
    basis = opened.basis
    hessian = np.zeros((r, m, r, m))
    for start in range(0, opened.n, ROWS):
        rows = opened.rows[start : start + ROWS]
        probs = opened.probs[start : start + ROWS]
        means = probs @ basis
        for a in range(r):
            for b in range(a + 1):
                fisher = probs @ (basis[:, a] * basis[:, b]) - means[:, a] * means[:, b]
                hessian[a, :, b] += (rows * (fisher / opened.n)[:, None]).T @ rows
    for a in range(r):
        hessian[a, np.arange(m), a, np.arange(m)] += ridge
        for b in range(a):
            hessian[b, :, a] = hessian[a, :, b].T
    return hessian.reshape(r * m, r * m)


def _factored(matrix: Floats) -> tuple[Floats, bool]:
    """The Cholesky factor; a UserError where a diagonal entry loses nearly all of its digits, so
    that the matrix counts as singular.
    """
    diagonal = np.diag(matrix).copy()
    try:
        factor, lower = cho_factor(matrix.T, lower=True, overwrite_a=True, check_finite=False)
    except LinAlgError:
        raise UserError(SINGULAR) from None
    lost = 10 * len(matrix) * np.finfo(np.float64).eps * diagonal
    if (np.diag(factor) ** 2 <= lost).any():
        raise UserError(SINGULAR)
    return factor, lower


class Exact:
    """Solves by the Cholesky factor of the dense Hessian (D, D)."""

    def __init__(self, opened: OpenHead, ridge: Floats):
        self.shape = opened.shape
        self.factor = _factored(dense_hessian(opened, ridge))

    def solve(self, targets: Floats) -> Floats:
        """H^-1 targets: (..., r, m)."""
        flat = targets.reshape(-1, targets.shape[-1] * targets.shape[-2])
        return cho_solve(self.factor, flat.T, check_finite=False).T.reshape(targets.shape)

    def spread(self, rows: Floats) -> Floats:
        """H^-1 (e_a (x) h) for each row h of rows (k, m) and each a: (k, r, r, m), by one product
        with the kept inverse.
        """
        r, m = self.shape
        return (rows @ self._inverse).reshape(len(rows), r, r, m)

    @cached_property
    def _inverse(self) -> Floats:
        """H^-1 as (m, r r m): a row of the design times it gives its r spreads."""
        r, m = self.shape
        lower = np.tril(dpotri(self.factor[0], lower=1)[0])
        inverse = (lower + np.tril(lower, -1).T).reshape(r, m, r * m)
        return np.ascontiguousarray(inverse.transpose(1, 0, 2)).reshape(m, r * r * m)


class Spanned:
    """The same for a head on fewer points than dimensions: exact, by the Hessian within the points'
    span, (r q, r q) for q <= n + 1.

    Outside that span H is the ridge alone, the same for every weight and above 0.
    """

    def __init__(self, opened: OpenHead, ridge: Floats):
        self.axes = span(opened.rows, opened.d)
        self.beyond = ridge[0]
        own = ridge[opened.d :]  # the intercept's
        within = np.append(np.full(self.axes.shape[1] - len(own), ridge[0]), own)
        self.exact = Exact(replace(opened, rows=opened.rows @ self.axes), within)

    def solve(self, targets: Floats) -> Floats:
        """H^-1 targets: (..., r, m)."""
        inside = targets @ self.axes
        outside = targets - inside @ self.axes.T
        return self.exact.solve(inside) @ self.axes.T + outside / self.beyond

    def spread(self, rows: Floats) -> Floats:
        """H^-1 (e_a (x) h) for each row h of rows (k, m) and each a: (k, r, r, m)."""
        inside = rows @ self.axes
        outside = rows - inside @ self.axes.T
        spreads = self.exact.spread(inside) @ self.axes.T
        identity = np.eye(spreads.shape[1])
        spreads += np.einsum("ab,km->kabm", identity, outside / self.beyond)
        return spreads


CG_ACCURACY = 1e-10  # of a relative residual


class Iterated:
    """Solves by preconditioned conjugate gradients on Hessian products, one target at a time."""

    def __init__(self, opened: OpenHead, ridge: Floats):
        self.opened = opened
        self.ridge = ridge

    def solve(self, targets: Floats) -> Floats:
        """H^-1 targets: (..., r, m), to a relative residual of 1e-10; a UserError if that is not
        reached.
        """
        flat = targets.reshape(-1, *targets.shape[-2:])
        return np.stack([self._solve(target) for target in flat]).reshape(targets.shape)

    def _solve(self, target: Floats) -> Floats:
        basis = self.opened.basis
        found, rest = softmax_head.conjugate_gradients(
            self.opened.rows, self.opened.probs, self.ridge, basis @ target, CG_ACCURACY
        )
        if rest > CG_ACCURACY:
            raise UserError(
                f"{SINGULAR} Conjugate gradients reached a relative residual of {rest:.0e}, wanted"
                f" {CG_ACCURACY:.0e}."
            )
        return basis.T @ found


class Kronecker:
    """Solves with K-FAC: mean(F (x) h h^T) replaced by mean(F) (x) mean(h h^T), the ridge kept as
    it is.

    With mean(F) = Q diag(f) Q^T the matrix falls into r blocks f_a mean(h h^T) + ridge of size m x
    m. Exact where all points have the same F, as under constant probabilities. Martens and Grosse
    spread the ridge over both factors instead; nothing asks for that here.
    """

    def __init__(self, opened: OpenHead, ridge: Floats):
        gram = opened.rows.T @ opened.rows / opened.n
        strengths, self.axes = np.linalg.eigh(_mean_fisher(opened))
        strengths = np.maximum(strengths, 0)
        self.factors = [_factored(f * gram + np.diag(ridge)) for f in strengths]

    def solve(self, targets: Floats) -> Floats:
        """H^-1 targets: (..., r, m)."""
        turned = np.moveaxis(self.axes.T @ targets, -2, 0)
        flat = turned.reshape(len(turned), -1, turned.shape[-1])
        solved = np.array([self._block(a, target) for a, target in enumerate(flat)])
        return self.axes @ np.moveaxis(solved.reshape(turned.shape), 0, -2)

    def spread(self, rows: Floats) -> Floats:
        """H^-1 (e_a (x) h) for each row h of rows (k, m) and each a: (k, r, r, m)."""
        solved = np.array([self._block(a, rows) for a in range(len(self.factors))])
        return np.einsum("as,bs,skm->kabm", self.axes, self.axes, solved, optimize=True)

    def _block(self, a: int, rows: Floats) -> Floats:
        return cho_solve(self.factors[a], rows.T, check_finite=False).T


def _mean_fisher(opened: OpenHead) -> Floats:
    """The mean of F over the points: (r, r)."""
    basis = opened.basis
    means = opened.probs @ basis
    mean_probs = opened.probs.mean(axis=0)
    return basis.T @ (mean_probs[:, None] * basis) - means.T @ means / opened.n


def point_blocks(n: int, numbers: int, budget: int = 2**23) -> Iterator[slice]:
    """Slices of range(n), so that `numbers` float64 for each point stay below 64 MB in all (or one
    point at a time).
    """
    size = max(1, budget // max(numbers, 1))
    yield from (slice(start, min(start + size, n)) for start in range(0, n, size))


def advance_scoring(done: int, total: int, what: str = "points") -> None:
    """Between two parts of a long scoring: ends it if nobody waits for it any more, else says how
    far it is.
    """
    advance(done / total, f"Scoring, {done:,} of {total:,} {what}")
