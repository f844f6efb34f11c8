"""What do the finished runs of a trimming experiment say?

trimmed_of(plan, found, classes)     the finished runs as arrays, NaN where one is not
against_random(trimmed)              accuracy minus random's, seed by seed
tidy_columns(plan, found)            strategy, seed, budget, metric, value
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.experiments.statistics import Estimate, estimate
from core.experiments.store import Outcome
from core.experiments.trim.plan import RANDOM, Trim, TrimRun
from core.types import Floats


@dataclass(frozen=True, eq=False)
class Trimmed:
    """A plan's runs as arrays, NaN where one is not finished.

    accuracy (m, b + 1, s): m methods, budgets with 0 first, s seeds. removed (m, b, s, c): points
    of each class. auc (m, s), precision (m, b, s): of finding what is planted.
    """

    plan: Trim
    accuracy: Floats
    removed: Floats
    auc: Floats
    precision: Floats

    @property
    def finished(self) -> int:
        """How many runs are in it."""
        return int(np.isfinite(self.accuracy[:, 0]).sum())

    @property
    def budgets(self) -> tuple[int, ...]:
        """0 and the plan's."""
        return (0, *self.plan.budgets)


def trimmed_of(plan: Trim, found: Mapping[TrimRun, Outcome], classes: int) -> Trimmed:
    """The outcomes in their places."""
    m = len(plan.methods)
    b = len(plan.budgets)
    s = plan.seeds
    shapes = {
        "accuracy": (m, b + 1, s),
        "removed": (m, b, s, classes),
        "auc": (m, s),
        "precision": (m, b, s),
    }
    arrays = {name: np.full(shape, np.nan) for name, shape in shapes.items()}
    for unit, outcome in found.items():
        i = plan.methods.index(unit.method)
        seed = unit.seed - 1
        arrays["auc"][i, seed] = outcome["auc"]
        for name in ("accuracy", "removed", "precision"):
            arrays[name][i, :, seed] = outcome[name]
    return Trimmed(plan, **arrays)


def against_random(trimmed: Trimmed) -> Estimate:
    """Accuracy minus random's with as many points removed and the same seed, (m, b).

    Random's own row is 0.
    """
    later = trimmed.accuracy[:, 1:]
    return estimate(later - later[trimmed.plan.methods.index(RANDOM)])


def tidy_columns(plan: Trim, found: Mapping[TrimRun, Outcome]) -> dict[str, list]:
    """The Run as tidy columns.

    metric: accuracy, at every budget from 0; auc; precision, at every budget from the first.
    """
    names = ("strategy", "seed", "budget", "metric", "value")
    lines = []
    for unit, outcome in found.items():
        who = (unit.method, unit.seed)
        accuracy = zip((0, *plan.budgets), outcome["accuracy"], strict=True)
        lines += [(*who, b, "accuracy", float(value)) for b, value in accuracy]
        if plan.planted != "none":
            precision = zip(plan.budgets, outcome["precision"], strict=True)
            lines += [(*who, b, "precision", float(value)) for b, value in precision]
            lines += [(*who, 0, "auc", float(outcome["auc"]))]
    return {name: [line[i] for line in lines] for i, name in enumerate(names)}
