"""Means over seeds with their intervals, and who is better than whom, for every page that compares.

    estimate(values)            mean and Student's t interval over the last axis, of anything
    share_estimate(values)      the same of accuracies, precisions, areas: within 0 and 1
    loss_estimate(values)       the same of losses: above 0
    compare(differences, ...)   paired differences (t, s) -> one of four outcomes a row
    over_represented(...)       which class stands out among chosen points, if one does

Values are one a seed, along the last axis; NaN (not finished) is left out everywhere.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special

from core.types import Floats, Ints

LEVEL = 0.95
MARGIN = 0.01  # so far apart two accuracies are still called equal: one point
FEWEST = 3  # seeds for a verdict
ACCURACIES = (-1.0, 1.0)  # between these lie their differences
BETTER, WORSE, EQUAL, UNCLEAR = OUTCOMES = ("better", "worse", "equal", "unclear")
Bounds = tuple[float, float]


class Estimate(NamedTuple):
    """A mean over seeds (the last axis), its 95% interval, and how many seeds it is made of.

    The interval is NaN with fewer than two seeds.
    """

    mean: Floats
    low: Floats
    high: Floats
    seeds: Floats


class Comparison(NamedTuple):
    """One row of `compare`: the mean difference, its interval at the level at which this row is
    tested, how many seeds it is made of, and one of OUTCOMES.
    """

    mean: float
    low: float
    high: float
    seeds: int
    outcome: str


def estimate(values: Floats) -> Estimate:
    """Student's t interval: mean +- t(0.975, s - 1) sd / sqrt(s)."""
    mean, error, seeds = _mean_and_error(values)
    return Estimate(mean, *_interval(mean, error, _quantile(seeds, LEVEL), None), seeds)


def loss_estimate(values: Floats) -> Estimate:
    """The interval of a mean of losses above 0, which it does not reach: Student's, of its
    logarithm.

        m exp(+- t(0.975, s - 1) sd / (m sqrt(s)))

    Where the spread is small beside the mean it is Student's.
    """
    mean, error, seeds = _mean_and_error(values)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        factor = np.exp(np.where(error == 0, 0.0, _quantile(seeds, LEVEL) * error / mean))
    return Estimate(mean, mean / factor, mean * factor, seeds)


def factor_estimate(values: Floats) -> Estimate:
    """The geometric mean of factors above 0, with Student's interval of the mean logarithm: where
    single seeds may be a thousand times as large as others, it stays among them.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = estimate(np.log(values))
    with np.errstate(over="ignore"):
        return Estimate(np.exp(logs.mean), np.exp(logs.low), np.exp(logs.high), logs.seeds)


def share_estimate(values: Floats) -> Estimate:
    """The interval of a mean of shares (accuracies, for example), within [0, 1] by its making.

    Wilson's interval with Student's t: all p that are at most t standard errors from the mean,
    where the standard error is taken at p, not at the mean m:

        |m - p| <= t(0.975, s - 1) sd / sqrt(s) sqrt(p (1 - p) / (m (1 - m)))

    Where the spread is small beside the distance to 0 and 1 it is Student's.
    Source: Wilson 1927, with the spread over the seeds in place of the binomial one. Covers the
    true accuracy in 93% to 97% of cases for accuracies of .5, .9, .99 and 3, 5, 10 seeds (tested).
    """
    mean, error, seeds = _mean_and_error(values)
    return Estimate(mean, *_interval(mean, error, _quantile(seeds, LEVEL), (0.0, 1.0)), seeds)


def compare(
    differences: Floats,
    *,
    margin: float = MARGIN,
    level: float = LEVEL,
    bounds: Bounds | None = None,
) -> list[Comparison]:
    """Which of these differences are better, worse, equal or unclear?

    differences (t, s): t statements that stand side by side, s seeds; first minus second, seed by
    seed; positive = the first is better. NaN = not finished.

    Each row's interval is at the level at which Holm's procedure tests it, so that the chance that
    any row at all is called better or worse without a difference is at most 1 - level: of t rows,
    the one with the smallest p-value is tested at (1 - level) / t, the next at (1 - level) /
    (t - 1), and so on until one is not rejected; all that follow share its level. Holm's levels
    say nothing of rows that are called equal: the interval of such a row lies within the margin at
    1 - 2 (1 - level) / t as well, else this one stands. So the chance that any row is called equal
    that differs by the margin or more is at most 1 - level, too. The intervals are no simultaneous
    ones: they need not all hold together. All t rows count, finished or not, so that the level does
    not hang on what has been finished so far.

        equal     the interval lies within [-margin, margin] (even if it leaves out 0)
        better    it lies above 0
        worse     it lies below 0
        unclear   else; and with fewer than three seeds, where the bounds are NaN

    bounds: between which the differences lie, if they do: (-1, 1) for accuracies. The interval then
    stays between them (as in `share_estimate`). Without, it is Student's.
    Source: Holm 1979; the margin is the equivalence test's (Schuirmann 1987).
    """
    differences = np.asarray(differences, float)
    if differences.ndim != 2:
        raise ValueError(
            f"differences: found shape {differences.shape}, expected (statements, seeds)."
        )
    if not (np.isfinite(margin) and margin >= 0 and 0 < level < 1):
        raise ValueError(
            f"margin and level: found {margin!r} and {level!r}, expected a margin of 0 or more and"
            " a level between 0 and 1."
        )
    mean, error, seeds = _mean_and_error(differences)
    error = np.where(seeds < FEWEST, np.nan, error)
    levels = _holm_levels(_p_values(mean, error, seeds, bounds), 1 - level)
    low, high = _interval(mean, error, _quantile(seeds, levels), bounds)
    strict = np.maximum(levels, 1 - 2 * (1 - level) / max(len(mean), 1))
    wider = _interval(mean, error, _quantile(seeds, strict), bounds)
    not_equal = _within(low, high, margin) & ~_within(*wider, margin)
    low, high = np.where(not_equal, wider, (low, high))
    return [
        Comparison(float(mean[i]), float(low[i]), float(high[i]), int(seeds[i]), outcome)
        for i, outcome in enumerate(map(_outcome, low, high, [margin] * len(mean)))
    ]


def over_represented(counts: Ints, everyone: Floats) -> int | None:
    """Which class stands out among chosen points; None if a random choice is often as uneven.

    counts (c,) of the chosen points, everyone (c,) the classes' shares of all points. A class
    stands out if so many of it would come with a probability below 5% in any class of a random
    choice: its binomial tail, times the number of classes.
    """
    tails = special.bdtrc(counts - 1, int(counts.sum()), everyone)
    tails[counts == 0] = 1.0
    most = int(np.argmin(tails))
    return most if len(counts) * tails[most] < 1 - LEVEL else None


def _within(low: Floats, high: Floats, margin: float) -> np.ndarray:
    return (-margin <= low) & (high <= margin)


def _outcome(low: float, high: float, margin: float) -> str:
    if _within(low, high, margin):
        return EQUAL
    return BETTER if low > 0 else WORSE if high < 0 else UNCLEAR


def _holm_levels(p: Floats, error_rate: float) -> Floats:
    """The level of confidence at which each row is tested, see `compare`."""
    t = len(p)
    order = np.argsort(p, kind="stable")
    rates = error_rate / (t - np.arange(t))
    held = np.flatnonzero(p[order] > rates)
    if len(held):
        rates[held[0] :] = rates[held[0]]
    levels = np.empty(t)
    levels[order] = 1 - rates
    return levels


def _p_values(mean: Floats, error: Floats, seeds: Floats, bounds: Bounds | None) -> Floats:
    """Two-sided, of no difference; 1 where there is nothing to test. The same test as the interval:
    where there are bounds, the standard error is taken at a difference of 0.
    """
    if bounds is not None:
        with np.errstate(invalid="ignore", divide="ignore"):
            error = error * np.sqrt(np.maximum(_variance(0.0, bounds) / _variance(mean, bounds), 0))
    with np.errstate(invalid="ignore", divide="ignore"):
        p = 2 * special.stdtr(np.maximum(seeds - 1, 1), -np.abs(mean) / error)
    p = np.where(error == 0, (mean == 0).astype(float), p)
    return np.where(np.isfinite(p), p, 1.0)


def _interval(
    mean: Floats, error: Floats, t: Floats, bounds: Bounds | None
) -> tuple[Floats, Floats]:
    """Student's, or Wilson's where there are bounds: see `share_estimate`."""
    if bounds is None:
        return mean - t * error, mean + t * error
    width = bounds[1] - bounds[0]
    m = (mean - bounds[0]) / width
    room = m * (1 - m)
    with np.errstate(invalid="ignore", divide="ignore"):
        k = (t * error / width) ** 2 / room
    centre = (m + k / 2) / (1 + k)
    half = np.sqrt(k * (room + k / 4)) / (1 + k)
    low = bounds[0] + width * (centre - half)
    high = bounds[0] + width * (centre + half)
    return np.where(error == 0, mean, low), np.where(error == 0, mean, high)


def _variance(x: Floats | float, bounds: Bounds) -> Floats:
    """Up to a factor: of a quantity between the bounds, with mean x."""
    return np.asarray((x - bounds[0]) * (bounds[1] - x))


def _mean_and_error(values: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean over the last axis, its standard error (NaN with fewer than two) and how many."""
    values = np.asarray(values, float)
    count = np.isfinite(values).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nansum(values, axis=-1) / np.where(count, count, np.nan)
        freedom = np.where(count > 1, count - 1, np.nan)
        spread = np.where(np.isfinite(values), values - mean[..., None], 0.0)
        variance = (spread**2).sum(axis=-1) / freedom
        error = np.sqrt(variance / count)
    # What is the same on every seed is the mean, and has no spread: a last digit is none.
    top = np.where(np.isfinite(values), values, -np.inf).max(axis=-1, initial=-np.inf)
    same = top == np.where(np.isfinite(values), values, np.inf).min(axis=-1, initial=np.inf)
    return np.where(same, top, mean), np.where(same & (count > 1), 0.0, error), count


def _quantile(seeds: Floats, level: Floats | float) -> Floats:
    """Student's t that holds `level` between -t and t, with seeds - 1 degrees of freedom."""
    return special.stdtrit(np.maximum(np.asarray(seeds) - 1, 1), 0.5 + np.asarray(level) / 2)


def standard_error(values: Floats) -> tuple[Floats, Floats]:
    """Mean and its standard error over the seeds (axis -2 of (a, s, r)); NaN left out."""
    mean, error, _ = _mean_and_error(np.moveaxis(values, -2, -1))
    return mean, error


def t_statistic(first: Floats, second: Floats) -> float:
    """sqrt(s) mean(d) / sd(d) of the paired differences d = first - second over the seeds.

    Positive: the first has the higher accuracy. Equal differences that are not 0 give infinity with
    their sign; NaN with fewer than two pairs.
    """
    d = (first - second)[np.isfinite(first - second)]
    if len(d) < 2:
        return np.nan
    mean, error, _ = _mean_and_error(d)
    if error > 0:
        return float(mean / error)
    return float(np.sign(mean) * np.inf) if mean else 0.0


def critical(seeds: int) -> float:
    """The two-sided 5% point of Student's t with seeds - 1 degrees of freedom: 2.776 for five."""
    return float(_quantile(seeds, LEVEL))
