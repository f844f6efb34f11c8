"""What do the finished trainings of a plan say? As arrays, as tidy rows, and in plain sentences.

    grid(plan, found) -> Grid       arrays (candidates, budgets, seeds), NaN where nothing is yet
    tidy_columns(plan, found)       the Run: strategy, seed, budget, epoch, step, metric, value
    versus(grid, against, margin)   each candidate against one of them (random, as a rule)
    versus_of(grids, ...)           the same of several plans, all statements at one level
    lost_classes(grid)              where a training never recognises a class

A difference is taken seed by seed (the same seed draws the same initial weights for both), which
removes what the seeds have in common.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.experiments.retrain.plan import Candidate, Retraining, Training
from core.experiments.retrain.run import CHECKPOINTS, SHOWN
from core.experiments.statistics import ACCURACIES, Estimate, compare, share_estimate
from core.experiments.store import Outcome
from core.experiments.verdicts import Versus
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


def versus(grid: Grid, against: Candidate, margin: float) -> dict[Candidate, Versus]:
    """Every candidate but one against that one, at every budget, seed by seed: accuracies.

    All of them are statements of one plan, and share one level.
    """
    return versus_of([grid], against, margin)[0]


def versus_of(
    grids: Sequence[Grid], against: Candidate, margin: float
) -> list[dict[Candidate, Versus]]:
    """`versus` of plans that stand side by side, with equally many seeds: all share one level."""
    differences = [_differences(grid, against) for grid in grids]
    if not any(differences):
        return [{} for _ in grids]
    together = np.concatenate([rows for each in differences for rows in each.values()])
    found = iter(compare(together, margin=margin, bounds=ACCURACIES))
    return [
        {
            candidate: Versus(
                [f"at {budget:,}" for budget in grid.plan.budgets],
                rows,
                [next(found) for _ in rows],
            )
            for candidate, rows in each.items()
        }
        for grid, each in zip(grids, differences, strict=True)
    ]


def _differences(grid: Grid, against: Candidate) -> dict[Candidate, Floats]:
    """How far the accuracies of each other candidate lie above the rival's (b, s)."""
    rival = grid.accuracy[grid.plan.candidates.index(against)]
    return {
        each: grid.accuracy[i] - rival
        for i, each in enumerate(grid.plan.candidates)
        if each != against
    }


def lost_classes(grid: Grid) -> list[tuple[Candidate, int, int, int]]:
    """Where trainings never recognise a class: (candidate, budget, how many seeds, most classes).

    A class is lost if no test point of it is recognised; one without test points is none.
    """
    with np.errstate(invalid="ignore"):
        lost = (grid.per_class == 0).sum(axis=-1)
    return [
        (candidate, budget, int((lost[i, j] > 0).sum()), int(lost[i, j].max()))
        for i, candidate in enumerate(grid.plan.candidates)
        for j, budget in enumerate(grid.plan.budgets)
        if (lost[i, j] > 0).any()
    ]


def area(grid: Grid) -> Estimate:
    """Area under accuracy against log budget over its range: a mean accuracy of budgets (m,).

    With one budget: the accuracy there. A seed counts once all its budgets are finished.
    """
    if len(grid.plan.budgets) == 1:
        return share_estimate(grid.accuracy[:, 0])
    x = np.log(np.array(grid.plan.budgets, float))
    return share_estimate(np.trapezoid(grid.accuracy, x, axis=1) / (x[-1] - x[0]))
