"""What do the finished runs of a sampling experiment say?

bought_of(plan, found)              the finished runs as arrays, NaN where one is not
versus(bought, against, what, margin)   each rule against one of them (uniform, as a rule)
tidy_columns(plan, found)           strategy, seed, budget, metric, value
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.experiments.sampling.plan import Sampling, SamplingRun
from core.experiments.sampling.rules import RULES
from core.experiments.sampling.run import MEASURED
from core.experiments.statistics import ACCURACIES, compare
from core.experiments.store import Outcome
from core.experiments.verdicts import Versus
from core.types import Floats


@dataclass(frozen=True)
class Whole:
    """The fit to all labels: rank and number of the rows, its loss, the loss |y|^2 of no fit, and
    its accuracy (NaN for a target) and mean squared error on the test part.
    """

    rank: int
    rows: int
    loss: float
    scale: float
    accuracy: float
    error: float

    @property
    def exact(self) -> bool:
        """Does it leave nothing? Then there are no ratios."""
        nothing = 1e-9 * self.scale
        return self.loss <= nothing


@dataclass(frozen=True, eq=False)
class Bought:
    """A plan's runs as arrays (m, b, s), NaN where one is not finished or a rule cannot choose.

    m rules, b budgets, s draws. ratio, accuracy, error, directions, condition, bought: see
    `run.run`. A rule without chance has its one run in every draw. whole: None before the first.
    """

    plan: Sampling
    ratio: Floats
    accuracy: Floats
    error: Floats
    directions: Floats
    condition: Floats
    bought: Floats
    whole: Whole | None

    @property
    def finished(self) -> bool:
        """Is there any run?"""
        return self.whole is not None

    @property
    def classes(self) -> bool:
        """Is there an accuracy?"""
        if self.whole is None:
            return False
        return bool(np.isfinite(self.whole.accuracy))


def bought_of(plan: Sampling, found: Mapping[SamplingRun, Outcome]) -> Bought:
    """The outcomes in their places."""
    shape = (len(plan.rules), len(plan.budgets), plan.seeds)
    arrays = {name: np.full(shape, np.nan) for name in MEASURED}
    whole = None
    for unit, outcome in found.items():
        i = plan.rules.index(unit.rule)
        draws = slice(unit.seed - 1, unit.seed) if RULES[unit.rule].drawn else slice(None)
        for name in MEASURED:
            arrays[name][i, :, draws] = np.asarray(outcome[name])[:, None]
        rank, rows, *rest = map(float, outcome["full"])
        whole = Whole(int(rank), int(rows), *rest)
    return Bought(plan, **arrays, whole=whole)


def versus(bought: Bought, against: str, what: str, margin: float) -> dict[str, Versus]:
    """Every rule but one against that one at every budget, draw by draw; positive = better.

    what: "ratio", compared by its logarithm, or "accuracy". All are statements of one plan, and
    share one level. Two rules without chance differ by one number, which no interval can judge:
    such a pair has no seeds.
    """
    plan = bought.plan
    rules = plan.rules
    rival = rules.index(against)
    others = [i for i in range(len(rules)) if i != rival]
    if what == "ratio":
        differences = np.log(bought.ratio[[rival]]) - np.log(bought.ratio[others])
    else:
        differences = bought.accuracy[others] - bought.accuracy[[rival]]
    if not RULES[against].drawn:
        fixed = [not RULES[rules[i]].drawn for i in others]
        differences[fixed] = np.nan
    bounds = None if what == "ratio" else ACCURACIES
    rows = differences.reshape(-1, plan.seeds)
    found = compare(rows, margin=margin, bounds=bounds)
    places = [f"at {budget:,}" for budget in plan.budgets]
    b = len(places)
    return {
        rules[i]: Versus(places, differences[row], found[b * row : b * (row + 1)])
        for row, i in enumerate(others)
    }


def tidy_columns(plan: Sampling, found: Mapping[SamplingRun, Outcome]) -> dict[str, list]:
    """The Run as tidy columns. metric: as in `run.run`; a budget without a value is left out."""
    lines = [
        (unit.rule, unit.seed, budget, name, float(value))
        for unit, outcome in found.items()
        for name in MEASURED
        for budget, value in zip(plan.budgets, outcome[name], strict=True)
        if np.isfinite(value)
    ]
    names = ("strategy", "seed", "budget", "metric", "value")
    return {name: [line[i] for line in lines] for i, name in enumerate(names)}
