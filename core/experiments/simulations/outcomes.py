"""What do the finished runs of a simulation say? Curves, a duel of two strategies, tidy rows.

    curves(plan, found)         (designs, strategies, seeds, budgets), NaN where not finished
    advantage(plan, values)     per design: the first strategy of the duel against the second, seed
                                by seed, with its interval
    tidy_columns(plan, found)   figure, design, strategy, seed, budget, metric, value

All strategies of one design and seed see the same points, first labels and networks, so a
difference is taken seed by seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.experiments.simulations.plan import Simulations
from core.experiments.statistics import Estimate, estimate
from core.types import Floats

COLUMNS = ("figure", "design", "strategy", "seed", "budget", "metric", "value")
METRICS = {"risk": "bayes risk", "representations": "accuracy", "backward": "accuracy"}
Found = Mapping[Any, Mapping[str, np.ndarray]]


def curves(plan: Simulations, found: Found) -> Floats:
    """The outcomes in their places: (designs, strategies, seeds, budgets)."""
    shape = (len(plan.designs), len(plan.strategies), plan.seeds, len(plan.budgets))
    values = np.full(shape, np.nan)
    for unit, outcome in found.items():
        design = plan.designs.index(unit.design)
        strategy = plan.strategies.index(unit.strategy)
        values[design, strategy, unit.seed - 1] = outcome["value"]
    return values


def advantage(plan: Simulations, values: Floats) -> Estimate:
    """The first of `plan.duel` against the second, (designs,) with its 95% interval over the seeds.

    Accuracies: the mean difference over all budgets, in hundredths; above 0 the first is better.
    Bayes risks: by how many per cent the first's risk is above the second's, from the mean of log
    ratios over the budgets; below 0 the first is better. NaN where fewer than two seeds of both are
    finished.
    """
    first, second = (values[:, plan.strategies.index(name)] for name in plan.duel)
    each = first - second if plan.needs_data else np.log(first / second)
    found = estimate(each.mean(axis=-1))
    return Estimate(
        *(100 * (part if plan.needs_data else np.expm1(part)) for part in found[:3]), found.seeds
    )


def tidy_columns(plan: Simulations, found: Found) -> dict[str, list]:
    """The Run as tidy columns: one row per run and budget."""
    lines = [
        (
            plan.figure,
            unit.design,
            unit.strategy,
            unit.seed,
            int(budget),
            METRICS[plan.figure],
            value,
        )
        for unit, outcome in found.items()
        for budget, value in zip(outcome["budget"], map(float, outcome["value"]), strict=True)
    ]
    return {name: [line[i] for line in lines] for i, name in enumerate(COLUMNS)}
