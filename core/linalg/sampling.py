"""Which rows' labels to buy for a least-squares fit, and the fit from those alone.

    minimise over B    sum_i |x_i B - y_i|^2    over all n rows, labels y read at k of them only

Rows are known, labels cost. A rule draws rows by their leverage l_i (all columns known), each with
the weight that makes the weighted Gram matrix unbiased:

    sum over the sample of w_i x_i^T x_i    has the expectation    X^T X

    rule                               chance of row i             weight
    with_replacement                   p_i = l_i / rank, k times   1 / (k p_i)
    coins                              pi_i = min(1, c l_i)        1 / pi_i    each row by itself
    pivotal                            the same pi_i               1 / pi_i    spread over space
    volume                             P(S) ~ det X_S^T X_S        1           unbiased as it is

The sums of pi_i are k. With k of order d log d + d / eps the loss on *all* rows is at most (1 +
eps) times the least possible, with constant probability. That bounds the loss, not the accuracy of
a classifier, and it holds for drawing: the k rows of highest leverage have no such bound.

The fit is solved in the coordinates that whiten all of X, minimum norm there: in the columns'
own ones a direction that the sample misses is blown up by the inverse of its singular value.

Conventions: x (n, d), labels y (n, c), coefficients (d, c), all float64. Indices in the order of
the draw; only with_replacement may repeat one.

Sources: Drineas, Mahoney, Muthukrishnan 2006 (drawing by leverage); Shimizu, Cheng, Musco, Weare
2024, arXiv 2310.04966 (pivotal); Derezinski, Warmuth 2018 (volume); Avron, Boutsidis 2013.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.linalg import row_blocks
from core.linalg.row_blocks import Table
from core.linalg.weighted_draws import by_weight
from core.linalg.whitening import EPS, Whitening, descending, whiten
from core.types import Floats, Ints, UserError, check_budget

# A direction of which a sample holds less than this part of its largest is one that it misses: the
# rows themselves are known no better.
LEAST = 1e-7
LEAF = 16  # rows that are no longer parted, only put in order
Sample = tuple[Ints, Floats]


def leverage_sample(embedding: np.ndarray, k: int, rng: np.random.Generator) -> Sample:
    """k rows drawn with replacement by leverage: indices (k,), weights (k,) = 1 / (k p_i).

    embedding: X (n, d), finite. p_i = l_i / rank. A UserError for k below 1 or an X of zeros.
    """
    return with_replacement(leverages(embedding), k, rng)


def leverages(x: Table, whitening: Whitening | None = None) -> Floats:
    """l_i = x_i^T (X^T X)^+ x_i (n,), in [0, 1], of rows that need not be in memory."""
    found = whitening or whiten(x)
    scores = row_blocks.squared_norms(x, found.weights)
    return np.minimum(scores, 1.0)


def ridge_for(x: Table, directions: float) -> float:
    """The ridge at which the effective dimension sum_j s_j / (s_j + ridge) is this many, s_j the
    eigenvalues of X^T X; by bisection of its logarithm. 0 if it is the rank or more.
    """
    values = np.maximum(np.linalg.eigvalsh(row_blocks.gram(x)), 0.0)
    if directions >= whiten(x).rank:
        return 0.0
    low, high = np.log(EPS * values.max()), np.log(values.max() * len(values) / directions)
    for _ in range(60):
        middle = (low + high) / 2
        more = (values / (values + np.exp(middle))).sum() > directions
        low, high = (middle, high) if more else (low, middle)
    return float(np.exp(high))


def with_replacement(scores: Floats, k: int, rng: np.random.Generator) -> Sample:
    """k draws with p_i = score_i / sum: indices (k,), weights (k,) = 1 / (k p_i)."""
    k = _at_least_one(k)
    chances = _positive(scores) / scores.sum()
    drawn = rng.choice(len(chances), size=k, p=chances)
    return drawn, 1 / (k * chances[drawn])


def inclusion(scores: Floats, k: int) -> Floats:
    """pi_i = min(1, c score_i) (n,) with c such that they sum to k.

    scores: (n,) >= 0. A UserError if fewer than k of them are above 0.
    """
    k = _at_least_one(k)
    scores = _positive(scores)
    if k > (above := int((scores > 0).sum())):
        raise UserError(
            f"Labels: found {k:,}, but only {above:,} rows have a chance above zero. Choose at most"
            f" {above:,}."
        )
    falling = np.sort(scores)[::-1]
    # With the j largest capped at 1, the others share k - j: c_j = (k - j) / what they sum to.
    rest = np.cumsum(falling[::-1])[::-1]
    scales = (k - np.arange(k)) / rest[:k]
    capped = int(np.argmax(scales * falling[:k] <= 1 + 1e-12))
    return np.minimum(1.0, scores * scales[capped])


def coins(chances: Floats, rng: np.random.Generator) -> Sample:
    """Every row by a coin of its own: about sum_i pi_i rows, none twice; weights 1 / pi_i."""
    thrown = rng.random(len(chances))
    drawn = np.flatnonzero(thrown < chances)
    return drawn, 1 / chances[drawn]


def pivotal(chances: Floats, order: Ints, rng: np.random.Generator) -> Sample:
    """Rows that meet in pairs: of two chances one takes from the other what it can, until all are 0
    or 1. Row i is in with chance pi_i, and neighbours seldom both are. Weights 1 / pi_i.

    chances: pi (n,) with a whole sum k; then exactly k rows, none twice. order: (n,) the rows as
    they stand in space (`spread_order`): 2j and 2j + 1 meet first, then the winners of neighbouring
    pairs, and so on up a binary tree.
    """
    left = chances.astype(np.float64)
    standing = np.asarray(order)
    while len(standing) > 1:
        odd = standing[len(standing) & ~1 :]
        first, second = standing[: len(standing) & ~1].reshape(-1, 2).T
        standing = np.concatenate([_meet(left, first, second, rng), odd])
    if len(standing):  # what rounding has left of a whole sum is decided by a last coin
        last = standing[0]
        left[last] = float(rng.random() < left[last])
    drawn = np.flatnonzero(left > 0.5)
    return drawn, 1 / chances[drawn]


def _meet(left: Floats, first: Ints, second: Ints, rng: np.random.Generator) -> Ints:
    """Each pair settles one of its two chances to 0 or 1, in place; the other goes on."""
    a, b = left[first], left[second]
    total = a + b
    small = total <= 1
    # Up to 1 in sum one gives all it has; above, one is filled up to 1. Either keeps expectations.
    with np.errstate(invalid="ignore", divide="ignore"):
        chance = np.where(small, a / total, (1 - b) / (2 - total))
    chance = np.where(np.isfinite(chance), chance, 0.5)
    first_wins = rng.random(len(a)) < chance
    winner = np.where(first_wins, first, second)
    loser = np.where(first_wins, second, first)
    left[winner] = np.where(small, total, 1.0)
    left[loser] = np.where(small, 0.0, np.maximum(total - 1, 0.0))
    return np.where(small, winner, loser)


def spread_order(places: np.ndarray) -> Ints:
    """The rows (n,) such that those that stand near each other lie near each other in space.

    places: (n, p). The rows are halved at the median of the column in which they spread most, and
    each half again, down to 16 rows, which are sorted by it.
    """
    places = np.asarray(places)
    leaves: list[Ints] = []
    waiting = [np.arange(len(places))]
    while waiting:
        rows = waiting.pop()
        here = places[rows]
        along = here[:, int(np.argmax(here.var(axis=0)))] if len(rows) > 1 else here[:, 0]
        if len(rows) <= LEAF:
            leaves.append(rows[np.argsort(along, kind="stable")])
            continue
        halves = np.argpartition(along, len(rows) // 2)
        waiting += [rows[np.sort(part)] for part in np.split(halves, [len(rows) // 2])[::-1]]
    return np.concatenate(leaves) if leaves else np.zeros(0, np.int64)


def main_directions(x: Table, count: int = 16) -> np.ndarray:
    """X (n, d) along its `count` directions of largest spread about the origin, float32."""
    gram = row_blocks.gram(x)
    _, vectors = descending(gram)
    return row_blocks.product(x, vectors[:, :count])


def volume(x: np.ndarray, k: int, rng: np.random.Generator, scores: Floats | None = None) -> Sample:
    """k rows with P(S) ~ det X_S^T X_S over the directions that X has, none twice; weights 1: the
    plain fit to them is unbiased.

    By Cauchy and Binet such a set is one of rank-many rows with P(T) ~ det(X_T)^2 and k - rank
    others, all sets of them alike. T is drawn a row at a time by its leverage, and kept with the
    part of it that the earlier ones leave, |P u|^2 / |u|^2: about r log r looks of r^2 operations.
    scores: the leverages (n,), if they are known. A UserError for k below the rank, where no set
    has volume.
    """
    whitening = whiten(x)
    r = whitening.rank
    k = check_budget(k, len(x))
    if k < r:
        raise UserError(
            f"Labels: found {k:,}, but volume sampling needs at least the rank, {r:,}. Choose"
            f" {r:,} or more."
        )
    scores = leverages(x, whitening) if scores is None else scores
    spanned = np.zeros((r, r))  # its first rows: an orthonormal basis of what is chosen
    chosen: list[int] = []
    while len(chosen) < r:
        i = by_weight(scores, rng.random())
        u = x[i].astype(np.float64) @ whitening.weights
        basis = spanned[: len(chosen)]
        rest = u - basis.T @ (basis @ u)
        rest -= basis.T @ (basis @ rest)  # again: the first leaves rounding of its own
        if rng.random() * (u @ u) < rest @ rest and i not in chosen:
            spanned[len(chosen)] = rest / np.linalg.norm(rest)
            chosen.append(i)
    others = np.setdiff1d(np.arange(len(x)), chosen)
    drawn = np.concatenate([chosen, rng.choice(others, size=k - r, replace=False)])
    return drawn.astype(np.int64), np.ones(k)


def sketched_least_squares(x: Table, y: np.ndarray, indices: Ints, weights: Floats) -> Floats:
    """Coefficients (d, c) of the weighted fit to the rows `indices`, y (n, c) read there alone.

    minimise sum_s w_s |x_{i_s} B - y_{i_s}|^2, minimum norm in the coordinates that whiten all of X
    (n, d). A UserError for a weight that is negative or not finite.
    """
    whitening = whiten(x)
    z = take(x, indices).astype(np.float64) @ whitening.weights
    labels = np.asarray(y)[np.asarray(indices)].astype(np.float64)
    labels = labels.reshape(len(z), -1)
    return whitening.weights @ fit_sample(z, labels, weights).coefficients


@dataclass(frozen=True, eq=False)
class SampleFit:
    """A fit to a sample, in whitened coordinates.

    coefficients: (r, c). singular: (min(k, r),) of the weighted sample, largest first; all near 1
    in a good one. directions: how many of the r the sample has.
    """

    coefficients: Floats
    singular: Floats
    directions: int

    @property
    def condition(self) -> float:
        """The largest singular value over the smallest of those that count; inf without any."""
        if not self.directions:
            return float("inf")
        largest = float(self.singular[0])
        smallest = float(self.singular[self.directions - 1])
        return largest / smallest


def fit_sample(z: Floats, y: Floats, weights: Floats) -> SampleFit:
    """minimise sum_s w_s |z_s B - y_s|^2, minimum norm. z: (k, r), y: (k, c), weights: (k,)."""
    weights = np.asarray(weights, np.float64)
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise UserError("weights: found a negative number, NaN or infinity. Expected all above 0.")
    roots = np.sqrt(weights)[:, None]
    r = z.shape[1]
    # Of Z and Y side by side the triangle holds all that a fit needs, at most r + c rows.
    triangle = np.linalg.qr(np.hstack([z * roots, y * roots]), mode="r")
    left, singular, right = np.linalg.svd(triangle[:, :r], full_matrices=False)
    directions = int((singular > LEAST * singular.max(initial=0.0)).sum())
    kept = slice(0, directions)
    inner = (left[:, kept].T @ triangle[:, r:]) / singular[kept, None]
    return SampleFit(right[kept].T @ inner, singular[: min(z.shape)], directions)


@dataclass(frozen=True, eq=False)
class FullFit:
    """The fit to all labels, in whitened coordinates: what any other one is measured by.

    coefficients: B* (r, c) = Z^T Y. loss: its sum of squares. scale: |Y|^2, the loss of no fit.
    """

    coefficients: Floats
    loss: float
    scale: float

    @property
    def exact(self) -> bool:
        """Does it leave nothing? Then no ratio to its loss has a meaning."""
        nothing = 1e-9 * self.scale
        return self.loss <= nothing

    def ratio(self, coefficients: Floats) -> float:
        """The loss on all rows of these coefficients (r, c) over the least possible, >= 1.

        Z has orthonormal columns, so the loss of B is that of B* plus |B - B*|^2.
        """
        if self.exact:
            return float("nan")
        return 1 + float(((coefficients - self.coefficients) ** 2).sum()) / self.loss


def full_fit(x: Table, y: Floats, whitening: Whitening) -> FullFit:
    """The least-squares fit to all rows of x (n, d), y (n, c), in two passes."""
    crossed = np.zeros((x.shape[1], y.shape[1]))
    start = 0
    for block in row_blocks.slices(x):
        crossed += block.astype(np.float64).T @ y[start : start + len(block)]
        start += len(block)
    coefficients = whitening.weights.T @ crossed
    start = 0
    loss = 0.0
    for block in row_blocks.slices(x):
        fitted = (block.astype(np.float64) @ whitening.weights) @ coefficients
        loss += float(((fitted - y[start : start + len(block)]) ** 2).sum())
        start += len(block)
    return FullFit(coefficients, loss, float((y.astype(np.float64) ** 2).sum()))


def guarantee(k: Floats, rank: int) -> Floats:
    """1 + eps with k = d log d + d / eps, d the rank and both constants 1; NaN where k does not
    exceed d log d. The shape of the bound; the constants of a proof are larger.
    """
    needed = rank * np.log(rank)
    rest = np.asarray(k, np.float64) - needed
    enough = rest > 0
    with np.errstate(divide="ignore"):
        bound = 1 + rank / rest
    return np.where(enough, bound, np.nan)


def take(x: Table, indices: Ints) -> np.ndarray:
    """The rows (k, d) of these numbers, in their order, out of a table that is read in blocks."""
    indices = np.asarray(indices)
    if isinstance(x, np.ndarray):
        return x[indices]
    found = np.empty((len(indices), x.shape[1]), x.dtype)
    start = 0
    for block in row_blocks.slices(x):
        here = (indices >= start) & (indices < start + len(block))
        found[here] = block[indices[here] - start]
        start += len(block)
    return found


def _at_least_one(k: int) -> int:
    if k != int(k) or k < 1:
        raise UserError(f"Labels: found {k}, expected a whole number of at least 1.")
    return int(k)


def _positive(scores: Floats) -> Floats:
    scores = np.asarray(scores, np.float64)
    if not (np.isfinite(scores) & (scores >= 0)).all() or not scores.any():
        raise UserError(
            "scores: found a negative number, NaN, infinity or zeros alone. Expected numbers of at"
            " least 0, one of them above 0."
        )
    return scores
