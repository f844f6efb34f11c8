"""What do the finished trainings say? Means with intervals, differences to random, areas under curves, and one plain sentence.

Every interval is Student's t at 95% over the seeds: mean +- t(0.975, s-1) sd / sqrt(s). A difference to random is taken seed by seed
(the same seed draws the same initial weights for both), which removes what the seeds have in common. NaN (not finished) is left out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special

from core.experiments.results import Grid
from core.experiments.retrain import RANDOM
from core.types import Floats

LEVEL = 0.95


class Estimate(NamedTuple):
    """A mean over seeds (the last axis), its 95% interval (NaN with fewer than two seeds), and how many seeds it is made of."""

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
        variance = np.nansum((values - mean[..., None]) ** 2, axis=-1) / np.where(count > 1, count - 1, np.nan)
        half = special.stdtrit(np.maximum(count - 1, 1), 0.5 + LEVEL / 2) * np.sqrt(variance / count)
    return Estimate(mean, mean - half, mean + half, count)


def against_random(grid: Grid) -> Estimate:
    """Accuracy minus random's at the same budget and seed, (m, b); random's own row is 0."""
    return estimate(grid.accuracy - grid.accuracy[_random(grid)][None])


def area(grid: Grid) -> Estimate:
    """Area under accuracy against the logarithm of the budget, divided by the range: a mean accuracy over budgets (m,).

    With one budget: the accuracy there. A seed counts once all its budgets are finished.
    """
    if len(grid.plan.budgets) == 1:
        return estimate(grid.accuracy[:, 0])
    x = np.log(np.array(grid.plan.budgets, float))
    return estimate(np.trapezoid(grid.accuracy, x, axis=1) / (x[-1] - x[0]))


def dead_classes(grid: Grid, below: float = 0.01) -> Floats:
    """How many classes a network never recognises (accuracy under `below`), (m, b) on average over the seeds; NaN if none is finished."""
    return estimate(np.where(np.isfinite(grid.accuracy), (grid.per_class < below).sum(axis=-1), np.nan)).mean


def sentences(grid: Grid, names: list[str]) -> list[str]:
    """One plain sentence per candidate but random: where it is worse, where better, where no difference shows."""
    difference = against_random(grid)
    return [
        sentence(names[i], grid.plan.budgets, Estimate(*(part[i] for part in difference)))
        for i, candidate in enumerate(grid.plan.candidates)
        if candidate != RANDOM
    ]


def sentence(name: str, budgets: tuple[int, ...], difference: Estimate) -> str:
    """ "Top, raw is *31 points worse* than random at 1,000 points (95% interval 28 to 34), 0.8 at 5,000; no difference at 10,000."

    A difference counts if its interval leaves out 0. Points are hundredths of accuracy.
    """
    said: list[str] = []
    for sign, word in ((-1, "worse"), (1, "better")):
        there = [i for i in range(len(budgets)) if _sign(difference, i) == sign]
        if there:
            first = max(there, key=lambda i: abs(difference.mean[i]))
            rest = "".join(f", {_points(abs(difference.mean[i]))} at {budgets[i]:,}" for i in there if i != first)
            low, high = sorted(abs(100 * bound[first]) for bound in (difference.low, difference.high))
            amount = f"*{_points(abs(difference.mean[first]))} points {word}* than random at {budgets[first]:,}"
            said.append(f"{amount} (95% interval {low:.1f} to {high:.1f}){rest}")
    even = [f"{budgets[i]:,}" for i in range(len(budgets)) if _sign(difference, i) == 0 and np.isfinite(difference.low[i])]
    if even:
        said.append(f"no difference to random shows at {_listed(even)}" if said else f"not distinguishable from random at {_listed(even)}")
    return f"{name} is {'; '.join(said)}." if said else f"{name}: not enough is finished for a verdict."


def _sign(difference: Estimate, i: int) -> int | None:
    low, high = difference.low[i], difference.high[i]
    return None if not np.isfinite(low) else -1 if high < 0 else 1 if low > 0 else 0


def _points(difference: float) -> str:
    return f"{100 * difference:.0f}" if difference >= 0.095 else f"{100 * difference:.1f}"


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _random(grid: Grid) -> int:
    return grid.plan.candidates.index(RANDOM)
