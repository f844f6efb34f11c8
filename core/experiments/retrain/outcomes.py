"""What do the finished trainings of a plan say? As arrays, as tidy rows, and in plain sentences.

    grid(plan, found) -> Grid       arrays (candidates, budgets, seeds), NaN where nothing is yet
    tidy_columns(plan, found)       the Run: strategy, seed, budget, epoch, step, metric, value
    sentences(grid, names)          where each candidate is better than random, and where worse

A difference to random is taken seed by seed (the same seed draws the same initial weights for
both), which removes what the seeds have in common.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.experiments.retrain.plan import RANDOM, Retraining, Training
from core.experiments.retrain.run import CHECKPOINTS, SHOWN
from core.experiments.statistics import Estimate, estimate
from core.experiments.store import Outcome
from core.types import Floats, Ints


@dataclass(frozen=True, eq=False)
class Grid:
    """A plan's outcomes as arrays; NaN where a training is not finished.

    For m candidates, b budgets and s seeds:

        accuracy, loss (m, b, s)           on all test points
        per_class, classes (m, b, s, c)    accuracy within each class, points selected of each
        curve, step, epoch (m, b, s, t)    accuracy at the checkpoints
        chosen (m, b, s, 24)               dataset rows, -1 if fewer were selected
    """

    plan: Retraining
    accuracy: Floats
    loss: Floats
    per_class: Floats
    classes: Floats
    curve: Floats
    step: Floats
    epoch: Floats
    chosen: Ints

    @property
    def finished(self) -> int:
        """How many trainings are in it."""
        return int(np.isfinite(self.accuracy).sum())


def grid(plan: Retraining, found: Mapping[Training, Outcome], classes: int) -> Grid:
    """The outcomes in their places."""
    shape = (len(plan.candidates), len(plan.budgets), plan.seeds)
    widths = {"accuracy": (), "loss": (), "per_class": (classes,), "classes": (classes,)}
    widths |= dict.fromkeys(("curve", "step", "epoch"), (CHECKPOINTS,))
    arrays = {name: np.full(shape + width, np.nan) for name, width in widths.items()} | {
        "chosen": np.full((*shape, SHOWN), -1)
    }
    for unit, outcome in found.items():
        place = (
            plan.candidates.index(unit.candidate),
            plan.budgets.index(unit.budget),
            unit.seed - 1,
        )
        last = outcome["accuracy"][-1]
        for name, value in (
            dict(outcome) | {"curve": outcome["accuracy"], "accuracy": last}
        ).items():
            arrays[name][(*place, slice(len(value))) if np.ndim(value) else place] = value
    return Grid(plan, **arrays)


def tidy_columns(plan: Retraining, found: Mapping[Training, Outcome]) -> dict[str, list]:
    """The Run as tidy columns: one row per training, checkpoint and metric.

    metric: accuracy (at every checkpoint; the last is on all test points, earlier ones on a fixed
    sample), loss, accuracy of class c.
    """
    names = ("strategy", "seed", "budget", "epoch", "step", "metric", "value")
    lines: list[tuple] = []
    for unit, outcome in found.items():
        who = (str(unit.candidate), unit.seed, unit.budget)
        curve = zip(outcome["epoch"], outcome["step"], outcome["accuracy"], strict=True)
        last = (int(outcome["epoch"][-1]), int(outcome["step"][-1]))
        lines += [
            (*who, int(epoch), int(step), "accuracy", float(value)) for epoch, step, value in curve
        ]
        lines += [(*who, *last, "loss", float(outcome["loss"]))]
        lines += [
            (*who, *last, f"accuracy of class {c}", float(value))
            for c, value in enumerate(outcome["per_class"])
        ]
    return {name: [line[i] for line in lines] for i, name in enumerate(names)}


def against_random(grid: Grid) -> Estimate:
    """Accuracy minus random's at the same budget and seed, (m, b); random's own row is 0."""
    return estimate(grid.accuracy - grid.accuracy[_random(grid)][None])


def area(grid: Grid) -> Estimate:
    """Area under accuracy against log budget over its range: a mean accuracy of budgets (m,).

    With one budget: the accuracy there. A seed counts once all its budgets are finished.
    """
    if len(grid.plan.budgets) == 1:
        return estimate(grid.accuracy[:, 0])
    x = np.log(np.array(grid.plan.budgets, float))
    return estimate(np.trapezoid(grid.accuracy, x, axis=1) / (x[-1] - x[0]))


def sentences(grid: Grid, names: list[str]) -> list[str]:
    """A sentence per candidate but random: where it is worse, where better, where no different."""
    difference = against_random(grid)
    return [
        sentence(names[i], grid.plan.budgets, Estimate(*(part[i] for part in difference)))
        for i, candidate in enumerate(grid.plan.candidates)
        if candidate != RANDOM
    ]


def sentence(name: str, budgets: tuple[int, ...], difference: Estimate) -> str:
    """The verdict on one candidate, in words.

    "Top, raw is *31 points worse* than random at 1,000 (95% interval 28.0 to 34.0), 0.8 at 5,000;
    no difference to random shows at 10,000." A difference counts if its interval leaves out 0.
    Points are hundredths of accuracy.
    """
    said: list[str] = []
    for sign, word in ((-1, "worse"), (1, "better")):
        there = [i for i in range(len(budgets)) if _sign(difference, i) == sign]
        if there:
            first = max(there, key=lambda i: abs(difference.mean[i]))
            rest = "".join(
                f", {_points(abs(difference.mean[i]))} at {budgets[i]:,}"
                for i in there
                if i != first
            )
            low, high = sorted(
                abs(100 * bound[first]) for bound in (difference.low, difference.high)
            )
            amount = (
                f"*{_points(abs(difference.mean[first]))} points {word}* than random at"
                f" {budgets[first]:,}"
            )
            said.append(f"{amount} (95% interval {low:.1f} to {high:.1f}){rest}")
    even = [
        f"{budgets[i]:,}"
        for i in range(len(budgets))
        if _sign(difference, i) == 0 and np.isfinite(difference.low[i])
    ]
    if even:
        said.append(
            f"no difference to random shows at {_listed(even)}"
            if said
            else f"not distinguishable from random at {_listed(even)}"
        )
    return (
        f"{name} is {'; '.join(said)}."
        if said
        else f"{name}: not enough is finished for a verdict."
    )


def _sign(difference: Estimate, i: int) -> int | None:
    low = difference.low[i]
    high = difference.high[i]
    return None if not np.isfinite(low) else -1 if high < 0 else 1 if low > 0 else 0


def _points(difference: float) -> str:
    return f"{100 * difference:.0f}" if difference >= 0.095 else f"{100 * difference:.1f}"


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _random(grid: Grid) -> int:
    return grid.plan.candidates.index(RANDOM)
