"""The numbers behind the Influence page's pictures and sentences, out of the finished units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.experiments.influence.outcomes import (
    correlations,
    foreseen,
    left_out,
    mean_correlation,
    steps_outside,
    together,
)
from core.experiments.influence.plan import (
    Queries,
    Utilities,
)
from core.experiments.statistics import Estimate
from core.types import Dataset, Floats
from pages.shared.state import View

Found = Mapping[Any, Mapping[str, np.ndarray]]


def shown_seeds(
    plan: Utilities, found: Found, view: View, data: Dataset, show: str
) -> list[dict[str, Floats]]:
    """Predictions and truth of every finished seed, as the picture needs them."""
    outcomes = [found[unit] for unit in plan.units() if unit in found]
    if show == "without":
        return [left_out(one) for one in outcomes]
    if show == "batches":
        return [together(one, view["goal"]) for one in outcomes]
    return [
        foreseen(one, data.labels[one["pool"]], view["goal"], view["over"], view["temperature"])
        for one in outcomes
    ]


def outside(plan: Utilities, found: Found, view: View, data: Dataset, show: str) -> tuple[int, int]:
    """(Newton steps outside their range, steps) behind the picture, over all finished seeds."""
    if show == "without":
        return 0, 0
    counts = [
        steps_outside(one, data.labels[one["pool"]], view["over"], show == "batches")
        for one in (found[unit] for unit in plan.units() if unit in found)
    ]
    return sum(beyond for beyond, _ in counts), sum(steps for _, steps in counts)


def estimates(seeds: list[dict[str, Floats]]) -> dict[str, Estimate]:
    """For each step Pearson's and Spearman's correlation (2,), with intervals over the seeds."""
    return {name: mean_correlation(values) for name, values in correlations(seeds).items()}


def constant(view: View) -> bool:
    """Is the first order the same for all points?"""
    return view["over"] == "predicted" and view["temperature"] == 1


def stacked(plan: Queries, found: Found, name: str, part: int | None = None) -> Floats:
    """A number of every run and round: (strategies, seeds, rounds + 1), NaN where unfinished."""
    values = np.full((len(plan.strategies), plan.seeds, plan.rounds + 1), np.nan)
    for unit, outcome in found.items():
        array = outcome[name] if part is None else outcome[name][:, part]
        values[plan.strategies.index(unit.strategy), unit.seed - 1] = array
    return values
