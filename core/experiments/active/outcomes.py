"""Active-learning runs as arrays, and their summaries in the BADGE and BAIT papers: who beats whom.

A comparison is one setting (dataset, batch size, network): labels (r,) at which accuracies were
measured, value (a, s, r) of a strategies, s seeds, r rounds, NaN where nothing is finished: test
accuracy or, in a regression, test loss, of which less is better. Many comparisons add up to one
matrix, in which each counts 1.

Two strategies are compared in a seed at a budget only if both rounds learned: where training goes
on until 99% of the labels are right, both got there. A cut round is no comparison, and neither is
one of which it was not recorded.
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
from core.types import Bools, Floats, Ints

REACHED = 0.99


@dataclass(frozen=True, eq=False)
class LearningCurves:
    """One setting's curves. random: which row is the random strategy.

    learned (a, s, r): may this round be compared?
    """

    labels: Ints
    value: Floats
    learned: Bools
    random: int
    start: int
    batch: int
    lower: bool = False  # is less better?


@dataclass(frozen=True, eq=False)
class FinishedRuns:
    """The finished runs as arrays, NaN where none is.

    value (a, s, r + 1); reached (a, s, r + 1): 1, 0, or NaN where it was not recorded; per batch
    seconds, log_det and norm (a, s, r).
    """

    labels: Ints
    value: Floats
    reached: Floats
    seconds: Floats
    log_det: Floats
    norm: Floats
    finished: int


def finished_runs(
    plan: Active, found: Mapping[ActiveRun, Mapping[str, np.ndarray]]
) -> FinishedRuns:
    """The outcomes in their places."""
    shape = (len(plan.strategies), plan.seeds)
    sizes = dict.fromkeys(("seconds", "log_det", "norm"), plan.rounds)
    sizes |= dict.fromkeys(("value", "reached"), plan.rounds + 1)
    measure = {"value": "loss" if plan.task == "regression" else "accuracy"}
    arrays = {name: np.full((*shape, size), np.nan) for name, size in sizes.items()}
    for unit, outcome in found.items():
        place = plan.strategies.index(unit.strategy), unit.seed - 1
        for name, array in arrays.items():
            if (stored := measure.get(name, name)) in outcome:
                array[place] = outcome[stored]
    labels = plan.start + plan.batch * np.arange(plan.rounds + 1)
    return FinishedRuns(labels, **arrays, finished=len(found))


def versus(plan: Active, runs: FinishedRuns, against: str, margin: float) -> dict[str, Versus]:
    """Every strategy but one against that one, seed by seed: the mean over the rounds that both
    learned, positive where it is better.

    A seed counts for a strategy once all of its rounds are finished.
    """
    rival = plan.strategies.index(against)
    others = [i for i in range(len(plan.strategies)) if i != rival]
    differences = lead_over(learning_curves(plan, runs), rival)[others]
    bounds = None if plan.task == "regression" else ACCURACIES
    found = compare(differences, margin=margin, bounds=bounds)
    return {
        plan.strategies[i]: Versus([""], differences[row : row + 1], found[row : row + 1])
        for row, i in enumerate(others)
    }


def learning_curves(plan: Active, runs: FinishedRuns) -> LearningCurves:
    """The curves as the papers compare them."""
    learned = np.isfinite(runs.value)
    if plan.until == "accuracy":
        learned &= runs.reached == 1
    random = plan.strategies.index(RANDOM)
    lower = plan.task == "regression"
    return LearningCurves(runs.labels, runs.value, learned, random, plan.start, plan.batch, lower)


def budgets(curves: LearningCurves) -> list[int]:
    """Places in `labels` of the budgets at which learning is still going on.

        M + 2^(i-1) B,    i = 1 .. ceil(log2((n0 - M) / B))

    n0: the fewest labels at which random's mean accuracy reaches 99% of its final one, or its loss
    is down to its final one over 99%. None if random is there after one batch.
    """
    random, _ = standard_error(curves.value[curves.random])
    random = 1 / random if curves.lower else random
    finished = np.flatnonzero(np.isfinite(random))
    if not len(finished):
        return []
    reached = curves.labels[finished[np.argmax(random[finished] >= REACHED * random[finished[-1]])]]
    steps = (reached - curves.start) / curves.batch
    doublings = int(np.ceil(np.log2(steps))) if steps > 1 else 0
    wanted = [curves.start + 2**i * curves.batch for i in range(doublings)]
    there = [budget for budget in wanted if budget in curves.labels]
    return [int(np.flatnonzero(curves.labels == budget)[0]) for budget in there]


def differences(curves: LearningCurves, first: int, second: int) -> Floats:
    """By how much the first is better than the second, (s, r); NaN where not both learned.

    Accuracy of the first minus that of the second, or loss of the second minus that of the first.
    """
    both = curves.learned[first] & curves.learned[second]
    lead = curves.value[first] - curves.value[second]
    return np.where(both, -lead if curves.lower else lead, np.nan)


def lead_over(curves: LearningCurves, rival: int) -> Floats:
    """Each strategy's mean lead over the rival in each seed, (a, s).

    Over the rounds in which both learned; NaN where there is none, or a run is not finished.
    """
    lead = np.array([differences(curves, i, rival) for i in range(len(curves.value))])
    count = np.isfinite(lead).sum(axis=-1)
    finished = np.isfinite(curves.value).all(axis=-1)
    known = (count > 0) & finished & finished[rival]
    return np.where(known, np.nansum(lead, axis=-1) / np.maximum(count, 1), np.nan)


def fallen_out(curves: LearningCurves, places: Sequence[int]) -> tuple[int, int]:
    """Of the finished pairs of runs at these places: how many are not compared, and all of them."""
    there = np.isfinite(curves.value)[:, :, places].astype(int)
    learned = curves.learned[:, :, places].astype(int)
    first, second = np.triu_indices(len(there), 1)
    pairs = int((there[first] * there[second]).sum())
    return pairs - int((learned[first] * learned[second]).sum()), pairs


def penalty_matrix(comparisons: Sequence[LearningCurves]) -> Floats:
    """P (a, a): how often i beats j.

    A comparison shares 1 among its budgets; i beats j where t > critical, on accuracies, or on
    losses with the sign turned. The papers count in errors (BADGE) and in accuracies (BAIT); taken
    literally, the sign of the first is turned. Here a high row sum means beating others, a high
    column mean means being beaten. A budget at which fewer than two seeds of a pair learned does
    not count for it.
    Source: Ash et al. 2020, section 4.
    """
    a = comparisons[0].value.shape[0]
    return sum((_beats(each) for each in comparisons), np.zeros((a, a)))


def beaten_on_average(penalty: Floats) -> Floats:
    """The papers' summary below the matrix, (a,): each column's mean, the diagonal's 0 included.

    Lower is better.
    """
    return penalty.mean(axis=0)


def _beats(curves: LearningCurves) -> Floats:
    """The share of the comparison's budgets at which i beats j, (a, a)."""
    a = len(curves.value)
    places = budgets(curves)
    beats = np.zeros((a, a))
    for i, j in zip(*np.nonzero(~np.eye(a, dtype=bool)), strict=True):
        d = differences(curves, i, j)[:, places]
        pairs = np.isfinite(d).sum(axis=0)
        won = [
            t_statistic(d[:, k], np.zeros(len(d))) > critical(int(count))
            for k, count in enumerate(pairs)
            if count > 1
        ]
        beats[i, j] = np.mean(won) if won else 0.0
    return beats


def normalised_errors(comparisons: Sequence[LearningCurves]) -> tuple[Floats, Floats]:
    """(values (a, v), weights (v,)): each strategy's mean error over random's, at every budget.

    Over the seeds in which both learned; NaN where there is none. A comparison shares the weight 1
    among its budgets. Sorted, with the weights summed up, a row is the papers' CDF: higher is
    better.
    """
    values = []
    weights = []
    for curves in comparisons:
        places = budgets(curves)
        both = (curves.learned & curves.learned[curves.random])[:, :, places]
        error = (curves.value if curves.lower else 1 - curves.value)[:, :, places]
        rival = np.where(both, error[[curves.random]], np.nan)
        error = np.where(both, error, np.nan)
        values.append(standard_error(error)[0] / standard_error(rival)[0])
        weights += [1 / len(places)] * len(places)
    return np.concatenate(values, axis=1), np.array(weights)
