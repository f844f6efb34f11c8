"""Intervals by another way than core/experiments/statistics.py: by searching for their ends."""

import numpy as np
from scipy import optimize, stats


def wilson(values, level: float = 0.95, low: float = 0.0, high: float = 1.0) -> list[float]:
    """The ends of the interval of a mean of values between low and high: where p is Student's t
    standard errors from the mean, the standard error taken at p.
    """
    shares = (np.asarray(values, float) - low) / (high - low)
    mean = shares.mean()
    t = stats.t.ppf(0.5 + level / 2, len(shares) - 1)
    k = t * stats.sem(shares) / np.sqrt(mean * (1 - mean))

    def apart(p):
        return abs(mean - p) - k * np.sqrt(p * (1 - p))

    ends = [
        optimize.brentq(apart, 0, mean, xtol=1e-14),
        optimize.brentq(apart, mean, 1, xtol=1e-14),
    ]
    return [low + (high - low) * end for end in ends]


def difference(values, rank: int, of: int) -> list[float]:
    """The ends of a difference of accuracies that has the rank-th smallest p-value of so many
    statements, all before it rejected: Holm's level.
    """
    return wilson(values, 1 - 0.05 / (of - rank + 1), -1.0, 1.0)
