"""Means over seeds with their intervals, and paired tests, for every page that compares.

Every interval is Student's t at 95% over the seeds, and NaN (not finished) is left out:

    mean +- t(0.975, s - 1) sd / sqrt(s)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special

from core.types import Floats

LEVEL = 0.95


class Estimate(NamedTuple):
    """A mean over seeds (the last axis), its 95% interval, and how many seeds it is made of.

    The interval is NaN with fewer than two seeds.
    """

    mean: Floats
    low: Floats
    high: Floats
    seeds: Floats


def estimate(values: Floats) -> Estimate:
    """Student's t interval over the last axis; NaN entries are left out."""
    values = np.asarray(values, float)
    count = np.isfinite(values).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nansum(values, axis=-1) / np.where(count, count, np.nan)
        freedom = np.where(count > 1, count - 1, np.nan)
        variance = np.nansum((values - mean[..., None]) ** 2, axis=-1) / freedom
        t = special.stdtrit(np.maximum(count - 1, 1), 0.5 + LEVEL / 2)
        half = t * np.sqrt(variance / count)
    return Estimate(mean, mean - half, mean + half, count)


def standard_error(values: Floats) -> tuple[Floats, Floats]:
    """Mean and its standard error over the seeds (axis -2 of (a, s, r)); NaN left out."""
    count = np.isfinite(values).sum(axis=-2)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nansum(values, axis=-2) / np.where(count, count, np.nan)
        freedom = np.where(count > 1, count - 1, np.nan)
        variance = np.nansum((values - mean[..., None, :]) ** 2, axis=-2) / freedom
        return mean, np.sqrt(variance / count)


def t_statistic(first: Floats, second: Floats) -> float:
    """sqrt(s) mean(d) / sd(d) of the paired differences d = first - second over the seeds.

    Positive: the first has the higher accuracy. Equal differences that are not 0 give infinity with
    their sign; NaN with fewer than two pairs.
    """
    d = (first - second)[np.isfinite(first - second)]
    if len(d) < 2:
        return np.nan
    mean = d.mean()
    spread = d.std(ddof=1)
    if spread > 0:
        return float(np.sqrt(len(d)) * mean / spread)
    return float(np.sign(mean) * np.inf) if mean else 0.0


def critical(seeds: int) -> float:
    """The two-sided 5% point of Student's t with seeds - 1 degrees of freedom: 2.776 for five."""
    return float(special.stdtrit(seeds - 1, 0.5 + LEVEL / 2))
