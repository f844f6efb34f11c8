"""Active-learning runs as arrays, and their summaries in the BADGE and BAIT papers: who beats whom.

A comparison is one setting (dataset, batch size, network): labels (r,) at which accuracies were
measured, accuracy (a, s, r) of a strategies, s seeds, r rounds, NaN where nothing is finished. Many
comparisons add up to one matrix, in which each counts 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.experiments.active.plan import Active, ActiveRun
from core.experiments.active.strategy_texts import RANDOM
from core.experiments.statistics import (
    ACCURACIES,
    compare,
    critical,
    standard_error,
    t_statistic,
)
from core.experiments.verdicts import Versus
from core.types import Floats, Ints

REACHED = 0.99


@dataclass(frozen=True, eq=False)
class LearningCurves:
    """One setting's curves. random: which row is the random strategy."""

    labels: Ints
    accuracy: Floats
    random: int
    start: int
    batch: int


@dataclass(frozen=True, eq=False)
class FinishedRuns:
    """The finished runs as arrays, NaN where none is.

    accuracy (a, s, r + 1); per batch seconds, log_det and norm (a, s, r).
    """

    labels: Ints
    accuracy: Floats
    seconds: Floats
    log_det: Floats
    norm: Floats
    finished: int


def finished_runs(
    plan: Active, found: Mapping[ActiveRun, Mapping[str, np.ndarray]]
) -> FinishedRuns:
    """The outcomes in their places."""
    shape = (len(plan.strategies), plan.seeds)
    arrays = {
        name: np.full((*shape, plan.rounds), np.nan) for name in ("seconds", "log_det", "norm")
    }
    arrays["accuracy"] = np.full((*shape, plan.rounds + 1), np.nan)
    for unit, outcome in found.items():
        for name, array in arrays.items():
            array[plan.strategies.index(unit.strategy), unit.seed - 1] = outcome[name]
    labels = plan.start + plan.batch * np.arange(plan.rounds + 1)
    return FinishedRuns(labels, **arrays, finished=len(found))


def versus(plan: Active, runs: FinishedRuns, against: str, margin: float) -> dict[str, Versus]:
    """Every strategy but one against that one, seed by seed: the mean accuracy over all rounds.

    A seed counts for a strategy once all of its rounds are finished.
    """
    over_rounds = runs.accuracy.mean(axis=-1)
    rival = plan.strategies.index(against)
    others = [i for i in range(len(plan.strategies)) if i != rival]
    differences = over_rounds[others] - over_rounds[rival]
    found = compare(differences, margin=margin, bounds=ACCURACIES)
    return {
        plan.strategies[i]: Versus([""], differences[row : row + 1], found[row : row + 1])
        for row, i in enumerate(others)
    }


def learning_curves(plan: Active, runs: FinishedRuns) -> LearningCurves:
    """The curves as the papers compare them."""
    return LearningCurves(
        runs.labels, runs.accuracy, plan.strategies.index(RANDOM), plan.start, plan.batch
    )


def budgets(curves: LearningCurves) -> list[int]:
    """Places in `labels` of the budgets at which learning is still going on.

        M + 2^(i-1) B,    i = 1 .. ceil(log2((n0 - M) / B))

    n0: the fewest labels at which random's mean accuracy reaches 99% of its final one. None if
    random is there after one batch.
    """
    random, _ = standard_error(curves.accuracy[curves.random])
    finished = np.flatnonzero(np.isfinite(random))
    if not len(finished):
        return []
    reached = curves.labels[finished[np.argmax(random[finished] >= REACHED * random[finished[-1]])]]
    steps = (reached - curves.start) / curves.batch
    doublings = int(np.ceil(np.log2(steps))) if steps > 1 else 0
    wanted = [curves.start + 2**i * curves.batch for i in range(doublings)]
    there = [budget for budget in wanted if budget in curves.labels]
    return [int(np.flatnonzero(curves.labels == budget)[0]) for budget in there]


def penalty_matrix(comparisons: Sequence[LearningCurves]) -> Floats:
    """P (a, a): how often i beats j.

    A comparison shares 1 among its budgets; i beats j where t > critical, on accuracies. The papers
    count in errors (BADGE) and in accuracies (BAIT); taken literally, the sign of the first is
    turned. Here a high row sum means beating others, a high column mean means being beaten.
    Source: Ash et al. 2020, section 4.
    """
    a = comparisons[0].accuracy.shape[0]
    return sum((_beats(each) for each in comparisons), np.zeros((a, a)))


def _beats(curves: LearningCurves) -> Floats:
    """The share of the comparison's budgets at which i beats j, (a, a)."""
    a = len(curves.accuracy)
    places = budgets(curves)
    beats = np.zeros((a, a))
    for place in places:
        at = curves.accuracy[:, :, place]
        for i, j in zip(*np.nonzero(~np.eye(a, dtype=bool)), strict=True):
            pairs = int(np.isfinite(at[i] - at[j]).sum())
            beats[i, j] += pairs > 1 and t_statistic(at[i], at[j]) > critical(pairs)
    return beats / max(1, len(places))


def normalised_errors(comparisons: Sequence[LearningCurves]) -> tuple[Floats, Floats]:
    """(values (a, v), weights (v,)): each strategy's mean error over random's, at every budget.

    A comparison shares the weight 1 among its budgets. Sorted, with the weights summed up, a row is
    the papers' CDF: higher is better.
    """
    values = []
    weights = []
    for curves in comparisons:
        places = budgets(curves)
        error = 1 - standard_error(curves.accuracy)[0][:, places]
        values.append(error / error[curves.random])
        weights += [1 / len(places)] * len(places)
    return np.concatenate(values, axis=1), np.array(weights)
