"""What do the finished runs of a simulation say? Curves, a duel of two strategies, tidy rows.

    curves(plan, found)         (designs, strategies, seeds, budgets), NaN where not finished
    reached(plan, found)        the same shape: did the round learn 99% of its labels?
    duel(plan, values, margin)  per design: one strategy against another, seed by seed
    tidy_columns(plan, found)   figure, design, strategy, seed, budget, metric, value

All strategies of one design and seed see the same points, first labels and networks, so a
difference is taken seed by seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.experiments.simulations.plan import Simulations
from core.experiments.statistics import ACCURACIES, compare
from core.experiments.verdicts import Versus
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


def reached(plan: Simulations, found: Found) -> Floats:
    """1 where the round learned 99% of its labels, 0 where it was cut before.

    NaN where nothing is finished or it was not recorded. In Figure 3 nothing is trained: 1.
    """
    as_values = {
        unit: {"value": outcome.get("reached", np.full(len(plan.budgets), np.nan))}
        for unit, outcome in found.items()
    }
    known = curves(plan, as_values if plan.needs_data else found)
    return known if plan.needs_data else np.where(np.isfinite(known), 1.0, np.nan)


def duel(plan: Simulations, values: Floats, margin: float) -> Versus | None:
    """The first of `plan.duel` against the second, on every design, seed by seed; None if they are
    one. Positive: the first is better.

    values: as `curves`, NaN in rounds that are not to be compared. Accuracies: the mean difference
    over the budgets at which both have a value. Bayes risks: the mean over the budgets of
    log(second) - log(first).
    """
    if plan.duel[0] == plan.duel[1]:
        return None
    first, second = (values[:, plan.strategies.index(name)] for name in plan.duel)
    if plan.needs_data:
        each = first - second
        count = np.isfinite(each).sum(axis=-1)
        differences = np.nansum(each, axis=-1) / np.where(count, count, np.nan)
        found = compare(differences, margin=margin, bounds=ACCURACIES)
    else:
        differences = np.log(second / first).mean(axis=-1)
        found = compare(differences, margin=margin)
    return Versus(plan.designs, differences, found)


def tidy_columns(plan: Simulations, found: Found) -> dict[str, list]:
    """The Run as tidy columns: one row per run and budget."""
    lines = [
        (
            plan.figure,
            unit.design,
            unit.strategy,
            unit.seed,
            int(budget),
            metric,
            value,
        )
        for unit, outcome in found.items()
        for metric, name in ((METRICS[plan.figure], "value"), ("reached", "reached"))
        if name in outcome
        for budget, value in zip(outcome["budget"], map(float, outcome[name]), strict=True)
    ]
    return {name: [line[i] for line in lines] for i, name in enumerate(COLUMNS)}
