"""What do the finished runs of a trimming experiment say?

trimmed_of(plan, found, classes)     the finished runs as arrays, NaN where one is not
versus(trimmed, against, margin)     each method against one of them (random, as a rule)
tidy_columns(plan, found)            strategy, seed, budget, metric, value
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.experiments.statistics import ACCURACIES, compare
from core.experiments.store import Outcome
from core.experiments.trim.plan import Trim, TrimRun
from core.experiments.verdicts import Versus
from core.types import Floats

UNTRIMMED = "all"  # to compare with: nothing removed


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


def versus(trimmed: Trimmed, against: str, margin: float) -> dict[str, Versus]:
    """Every method but one against that one at every budget, seed by seed: accuracies. Against
    UNTRIMMED: every method against its model with all points.

    All of them are statements of one plan, and share one level.
    """
    methods = trimmed.plan.methods
    others = [i for i, method in enumerate(methods) if method != against]
    if against == UNTRIMMED:
        rival = trimmed.accuracy[others, :1]
    else:
        rival = trimmed.accuracy[methods.index(against), 1:]
    differences = trimmed.accuracy[others, 1:] - rival
    found = compare(differences.reshape(-1, trimmed.plan.seeds), margin=margin, bounds=ACCURACIES)
    places = [f"without {budget:,}" for budget in trimmed.plan.budgets]
    b = len(places)
    return {
        methods[i]: Versus(places, differences[row], found[b * row : b * (row + 1)])
        for row, i in enumerate(others)
    }


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
