"""Do two rankings of the same points agree, by how much, and against which yardsticks?

    matrices     kendall, weighted_kendall, spearman, overlap: scores (m, n), one ranking a row,
                 -> (m, m)
    yardsticks   permutation_null: what unrelated rankings give
                 ceiling: what the same embedding with other seeds gives
    pictures     rank_density, disagreement, percentiles: where two rankings part
    input        stack: named rankings -> (m, n)

Conventions: scores are real numbers, one per point, higher = picked first; only their order counts.
Scores equal to rounding (core/linalg/ties.py) are ties: the correlations correct for them,
`overlap` takes the earlier point, as core.strategy.top_k does. A matrix is symmetric with a
diagonal of exactly 1. A constant ranking correlates with nothing and raises a UserError, as do NaN
and infinity. All but the two Kendalls, which numba compiles when first called, need only NumPy.
Sources: Kendall, Rank Correlation Methods (4th ed. 1970); Vigna, A weighted correlation index for
rankings with ties (WWW 2015).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from core.linalg.ties import settle
from core.strategy import top_k
from core.types import UserError, check_budget, check_scores

MEASURES = ("kendall", "weighted_kendall", "spearman", "overlap")


@dataclass(frozen=True)
class Interval:
    """A mean, and the bounds low <= high between which most values fall."""

    mean: float
    low: float
    high: float


def kendall(scores: np.ndarray) -> np.ndarray:
    """Kendall's tau-b of all pairs of rankings.

        (concordant - discordant) / sqrt((N - ties_a) (N - ties_b)),    N = n (n - 1) / 2

    Shapes: scores (m, n) -> (m, m). Range [-1, 1]; 0 for unrelated rankings. Without ties
    1 - 4 inversions / (n (n - 1)). Equals scipy.stats.kendalltau. O(n log n) a pair, all
    processors. UserError for bad scores or a constant ranking.
    """
    return _tau_matrix(scores, weighted=False)


def weighted_kendall(scores: np.ndarray) -> np.ndarray:
    """Kendall's tau with hyperbolic weights.

    A pair counts 1/(1+r) + 1/(1+s) for its points' places r, s (0 = highest). Shapes: scores (m, n)
    -> (m, m). Range [-1, 1]; a swap at the top costs more than one at the bottom. The mean of
    Vigna's tau under the places by (a, then b) and by (b, then a): equals scipy.stats.weightedtau
    with its defaults, ties included. O(n log n) a pair, all processors. UserError for bad scores or
    a constant ranking.
    """
    return _tau_matrix(scores, weighted=True)


def spearman(scores: np.ndarray) -> np.ndarray:
    """Spearman's rho of all pairs of rankings: Pearson's correlation of the ranks.

    Tied points share their mean rank. Shapes: scores (m, n) -> (m, m). Range [-1, 1]. Equals
    scipy.stats.spearmanr: all ranks once, then one m x m Gram matrix, exact up to n of about
    300,000. UserError for bad scores or a constant ranking.
    """
    scores = _check_rankings(scores)
    ranks = np.stack([_mean_places(row) for row in scores]) - (scores.shape[1] - 1) / 2
    gram = ranks @ ranks.T
    spread = np.sqrt(np.diag(gram))
    rho = np.clip(gram / np.outer(spread, spread), -1.0, 1.0)
    np.fill_diagonal(rho, 1.0)
    return rho


def overlap(scores: np.ndarray, k: int) -> np.ndarray:
    """The share of their k highest points that two rankings have in common.

        |top_k(a) & top_k(b)| / k

    Shapes: scores (m, n) -> (m, m). Range [0, 1]; k/n for unrelated rankings. Equal scores in the
    order of the points. UserError for bad scores, a constant ranking, or k outside 1..n.
    """
    scores = _check_rankings(scores)
    k = _check_k(k, scores.shape[1])
    chosen = np.zeros(scores.shape)
    for row, ranking in zip(chosen, scores, strict=True):
        row[top_k(ranking, k).indices] = 1.0
    return (chosen @ chosen.T) / k


def stack(scores: Sequence[np.ndarray], names: Sequence[str]) -> np.ndarray:
    """Rankings of the same n points as the rows of one (m, n) array, checked.

    All must have the same length; none may be constant or hold NaN or infinity. The UserError names
    the culprit.
    """
    if len(scores) != len(names) or not len(scores):
        raise UserError(
            f"Agreement: found {len(scores)} rankings and {len(names)} names,"
            " expected one name for each of at least one."
        )
    sizes = [np.size(ranking) for ranking in scores]
    odd = next((i for i, size in enumerate(sizes) if size != sizes[0]), None)
    if odd is not None:
        raise UserError(
            f"Agreement: {names[0]} ranks {sizes[0]:,} points, {names[odd]} ranks {sizes[odd]:,}."
            " Only rankings of the same points compare: choose the same dataset and the same"
            " number of points for all."
        )
    named = zip(scores, names, strict=True)
    return np.stack([_check_ranking(ranking, sizes[0], str(name)) for ranking, name in named])


def percentiles(scores: np.ndarray) -> np.ndarray:
    """Each point's place among all: 0 for the lowest score, 1 for the highest.

        (lower + equal / 2) / (n - 1),    the point itself not counted

    Shapes: (n,) -> (n,) in [0, 1]; tied points share their mean. A constant ranking, a single point
    too, gives 0.5 everywhere. UserError for NaN or infinity.
    """
    scores = _check_finite(scores, np.size(scores), "scores")
    return 1 - _mean_places(scores) / (len(scores) - 1) if len(scores) > 1 else np.full(1, 0.5)


def disagreement(
    scores_a: np.ndarray, scores_b: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """The points that a ranks much higher than b, and those that b ranks much higher.

    Two int64 arrays of at most k, by difference of percentiles, largest first, ties in the order of
    the points. Fewer than k where fewer points stand higher. Shapes: two (n,). UserError for bad
    scores, lengths that differ, or k outside 1..n.
    """
    a, b = stack([scores_a, scores_b], ["the first ranking", "the second ranking"])
    k = _check_k(k, len(a))
    lead = _mean_places(b) - _mean_places(a)  # multiples of 1/2, so equal differences tie exactly
    return _most_positive(lead, k), _most_positive(-lead, k)


def rank_density(scores_a: np.ndarray, scores_b: np.ndarray, bins: int = 50) -> np.ndarray:
    """How many points lie in each cell of the rank-rank plane.

    Counts (bins, bins) int64, summing to n. counts[i, j]: points in the i-th of `bins` equal parts
    of ranking a, from lowest to highest, and the j-th of b; tied points lie together, at their mean
    rank. Agreement is the diagonal. Shapes: two (n,). UserError for bad scores, lengths that
    differ, or bins below 1.
    """
    if isinstance(bins, bool) or not isinstance(bins, int | np.integer) or bins < 1:
        raise UserError(f"Bins: found {bins!r}, expected a whole number of at least 1.")
    rankings = stack([scores_a, scores_b], ["the first ranking", "the second ranking"])
    n = rankings.shape[1]
    i, j = (((n - 0.5 - _mean_places(ranking)) * bins / n).astype(np.int64) for ranking in rankings)
    return np.bincount(i * bins + j, minlength=bins * bins).reshape(bins, bins)


def permutation_null(
    n: int,
    measure: str,
    *,
    k: int | None = None,
    draws: int = 200,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """What a measure gives between two independent random rankings of n points without ties.

    Mean and central interval:

        kendall            mean 0, variance 2(2n+5) / (9n(n-1)), normal bounds: close from n = 10 on
        spearman           mean 0, variance 1/(n-1), normal bounds: close from n = 30 on
        overlap            k times it is hypergeometric: mean k/n, exact quantiles
        weighted_kendall   mean 0, since reversing one ranking flips each one-sided tau; its law is
                           skewed and has no closed form, so the bounds are quantiles of `draws`
                           simulated pairs at n itself (a run of the compiled kernels: work for the
                           worker)

    Range of level: (0, 1). UserError for an unknown measure, n < 2, draws < 1, or k missing or
    outside 1..n.
    """
    if measure not in MEASURES:
        raise UserError(f"Measure: found {measure!r}, expected one of {', '.join(MEASURES)}.")
    if n < 2 or draws < 1:
        raise UserError(
            f"Null: found {n} points and {draws} draws,"
            " expected at least 2 points (one has no order) and 1 draw."
        )
    if measure == "overlap":
        return _hypergeometric(n, _check_k(k, n), level)
    if measure == "weighted_kendall":
        from core.linalg.kendall import random_tau

        return replace(_central(random_tau(n, draws, seed), level), mean=0.0)
    variance = 2 * (2 * n + 5) / (9 * n * (n - 1)) if measure == "kendall" else 1 / (n - 1)
    reach = min(1.0, NormalDist().inv_cdf(_tails(level)[1]) * variance**0.5)
    return Interval(0.0, -reach, reach)


def ceiling(
    matrix: np.ndarray, groups: Sequence[Hashable], *, level: float = 0.95
) -> dict[Hashable, Interval | None]:
    """The reseed ceiling: how well a family agrees with itself when only the seed changes.

    matrix: (m, m) from one of the measures. groups: m names of families, rankings of one family
    being the same embedding with other seeds. Gives, for each family in order of appearance, the
    mean and the central `level` of its values off the diagonal, or None with fewer than two
    members. The bounds are quantiles of the pairs, to compare one cell of the heatmap with; they
    are no confidence interval of the mean, since pairs share networks. UserError for shapes that do
    not fit or values that are not finite.
    """
    matrix = np.asarray(matrix, dtype=np.float64)
    m = len(groups)
    if matrix.shape != (m, m):
        raise UserError(
            f"Ceiling: found a matrix of shape {matrix.shape} and {m} groups, expected (m, m) and"
            " one group for each row."
        )
    if not np.isfinite(matrix).all():
        raise UserError(
            "Ceiling: the matrix holds NaN or infinity."
            " Compute it with one of the measures of core.agreement."
        )
    members = {group: np.flatnonzero([other == group for other in groups]) for group in groups}
    return {group: _spread(matrix[np.ix_(rows, rows)], level) for group, rows in members.items()}


def _tau_matrix(scores: np.ndarray, weighted: bool) -> np.ndarray:
    # It brings numba, which the web process does without.
    from core.linalg.kendall import pairwise_tau

    scores = _check_rankings(scores)
    order, first, others = (np.stack(rows) for rows in zip(*map(_presort, scores), strict=True))
    a, b = np.triu_indices(len(scores), 1)
    matrix = np.eye(len(scores))
    pairs = np.column_stack([a, b])
    matrix[a, b] = matrix[b, a] = pairwise_tau(order, first, others, pairs, weighted)
    return matrix


def _presort(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A ranking as core/linalg/kendall.py reads it.

    The points best first; each point's first place and number of equals.
    """
    order = np.argsort(-scores, kind="stable")
    best_first = scores[order]
    starts = np.flatnonzero(np.r_[True, best_first[1:] != best_first[:-1]])
    sizes = np.diff(np.r_[starts, len(scores)])
    first, others = np.empty((2, len(scores)), np.int32)
    first[order] = np.repeat(starts, sizes)
    others[order] = np.repeat(sizes - 1, sizes)
    return order.astype(np.int32), first, others


def _mean_places(scores: np.ndarray) -> np.ndarray:
    """Each point's place, 0 for the highest score, n - 1 for the lowest.

    Tied points share their mean, a multiple of 1/2.
    """
    _, first, others = _presort(scores)
    return first + others / 2


def _most_positive(lead: np.ndarray, k: int) -> np.ndarray:
    best = np.argsort(-lead, kind="stable")[:k]
    return best[lead[best] > 0]


def _spread(block: np.ndarray, level: float) -> Interval | None:
    return _central(block[np.triu_indices(len(block), 1)], level) if len(block) > 1 else None


def _central(values: np.ndarray, level: float) -> Interval:
    low, high = np.quantile(values, _tails(level))
    return Interval(float(values.mean()), float(low), float(high))


def _tails(level: float) -> tuple[float, float]:
    """The probabilities between which the central `level` of a distribution lies."""
    if not 0 < level < 1:
        raise UserError(f"Level: found {level}, expected a share between 0 and 1, such as 0.95.")
    return (1 - level) / 2, (1 + level) / 2


def _hypergeometric(n: int, k: int, level: float) -> Interval:
    """Mean and quantiles of |A & B| / k for two independent random sets of k among n."""
    common = np.arange(max(0, 2 * k - n), k + 1)
    j = common[:-1]
    ratios = (k - j) ** 2.0 / ((j + 1.0) * (n - 2.0 * k + j + 1.0))  # of P(j + 1) to P(j)
    logs = np.r_[0.0, np.cumsum(np.log(ratios))]
    chances = np.exp(logs - logs.max())
    low, high = np.searchsorted(np.cumsum(chances) / chances.sum(), _tails(level))
    return Interval(k / n, float(common[low] / k), float(common[min(high, len(common) - 1)] / k))


def _check_rankings(scores: np.ndarray) -> np.ndarray:
    """scores as float64 (m, n), if every row is a finite, not constant ranking."""
    try:
        scores = np.asarray(scores)
    except ValueError:
        raise UserError(
            "Agreement: the rankings have different lengths."
            " Only rankings of the same points compare; see stack()."
        ) from None
    if scores.ndim != 2 or 0 in scores.shape:
        raise UserError(
            f"Agreement: found scores of shape {scores.shape}, expected (m, n):"
            " one ranking a row, one point a column."
        )
    return np.stack(
        [_check_ranking(row, scores.shape[1], f"ranking {i}") for i, row in enumerate(scores, 1)]
    )


def _check_ranking(scores: np.ndarray, n: int, name: str) -> np.ndarray:
    scores = _check_finite(scores, n, name)
    if scores.min() == scores.max():
        raise UserError(
            f"{name} is constant: it ranks nothing. All {n:,} scores are {scores[0]:.4g}; leave it"
            " out or change its settings."
        )
    return scores


def _check_finite(scores: np.ndarray, n: int, name: str) -> np.ndarray:
    scores = np.asarray(scores)
    if scores.size == 0:
        raise UserError(f"{name}: found no scores, expected at least one.")
    if not np.issubdtype(scores.dtype, np.number) or np.iscomplexobj(scores):
        raise UserError(f"{name}: found {scores.dtype} values, expected real numbers.")
    return settle(check_scores(scores, n, name))


def _check_k(k: int, n: int) -> int:
    k = check_budget(k, n)
    if k == 0:
        raise UserError(
            f"Top k: found 0, expected a whole number from 1 to {n:,}: an empty top has no share."
        )
    return k
