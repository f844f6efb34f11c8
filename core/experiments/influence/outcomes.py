"""How well was it foreseen? Utilities of a finished seed for one goal and label; correlations.

    foreseen(outcome, labels, "dev", "min")      {"linear", "newton", "retrained"}: (n,) each
    correlation(predicted, retrained)            (Pearson, Spearman), NaN where one side is constant
    steps_outside(outcome, labels, "min", False)    how many Newton steps behind them only guess
    versus(strategies, accuracy, goal, rival, margin)    rounds of queries, one against another

The outcome holds every utility under every label, so goal, label and temperature are read off and
not computed anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from core.agreement import spearman
from core.experiments.statistics import (
    ACCURACIES,
    FEWEST,
    LEVEL,
    Estimate,
    compare,
    estimate,
)
from core.experiments.verdicts import Versus
from core.strategies.goal import GOALS, OVER, resolved, tempered
from core.types import Floats, Ints, UserError

STEPS = ("linear", "newton")
CERTAIN = 1 - 1e-12  # a correlation of 1 has no z


def foreseen(
    outcome: Mapping[str, np.ndarray],
    labels: Ints,
    goal: str,
    over: str = "oracle",
    temperature: float = 1.0,
) -> dict[str, Floats]:
    """The pool's utilities: by the first order, by a Newton step, and by retraining.

    labels: (n,), of the pool's points. Under the predictions themselves (over "predicted",
    temperature 1) the first order is exactly constant: Remark 1 of the GORAL paper.
    """
    if goal not in GOALS or over not in OVER or not temperature > 0:
        raise UserError(
            f"Utilities: found goal {goal!r}, label {over!r}, temperature {temperature}; one of"
            " them has no meaning here."
        )
    g = GOALS.index(goal)
    probs = np.asarray(outcome["probs"], np.float64)
    weights = tempered(probs, over, temperature)
    each = {name: np.asarray(outcome[name][g]) for name in (*STEPS, "retrained")}
    if over == "oracle":
        return {
            name: values[np.arange(len(labels)), labels].astype(np.float64)
            for name, values in each.items()
        }
    found = {name: resolved(values, over, weights) for name, values in each.items()}
    if over in ("uniform", "predicted"):
        # As one difference, so that Remark 1 holds to the last digit.
        moved = ((weights - probs) * each["linear"]).sum(axis=1)
        found["linear"] = float(outcome["constant"][g]) + moved
    return found


def steps_outside(
    outcome: Mapping[str, np.ndarray], labels: Ints, over: str, batches: bool
) -> tuple[int, int]:
    """(Newton steps outside their range, steps) behind what is shown; (0, 0) where nobody counted.

    labels: (n,), of the pool's points; over "oracle" looks at theirs alone.
    """
    name = "batch_outside" if batches else "outside"
    if name not in outcome:  # a result from before they were counted
        return 0, 0
    beyond = np.asarray(outcome[name])
    if not batches and over == "oracle":
        beyond = beyond[np.arange(len(labels)), labels]
    return int(beyond.sum()), beyond.size


def left_out(outcome: Mapping[str, np.ndarray]) -> dict[str, Floats]:
    """The validation loss's rise without each labeled point, foreseen and retrained: (M,) each."""
    return {
        name: np.asarray(outcome[f"removed_{name}"], np.float64) for name in (*STEPS, "retrained")
    }


def together(outcome: Mapping[str, np.ndarray], goal: str) -> dict[str, Floats]:
    """The utilities of batches under their true labels: (g,) each."""
    return {
        name: np.asarray(outcome[f"batch_{name}"][GOALS.index(goal)], np.float64)
        for name in (*STEPS, "retrained")
    }


def correlation(predicted: Floats, retrained: Floats) -> tuple[float, float]:
    """(Pearson's r, Spearman's); NaN for fewer than three points, or where one side is constant."""
    if len(predicted) < 3 or np.ptp(predicted) == 0 or np.ptp(retrained) == 0:
        return np.nan, np.nan
    by_value = np.corrcoef(predicted, retrained)[0, 1]
    by_rank = spearman(np.stack([predicted, retrained]))[0, 1]
    return float(by_value), float(by_rank)


def correlations(seeds: Sequence[Mapping[str, Floats]]) -> dict[str, Floats]:
    """For each step the correlations (2, s) of every seed: Pearson's and Spearman's."""
    return {
        name: np.array([correlation(one[name], one["retrained"]) for one in seeds]).reshape(-1, 2).T
        for name in STEPS
    }


def slopes(seeds: Sequence[Mapping[str, Floats]], step: str) -> float:
    """How many times as large as the truth are the predictions?

    The least-squares factor through the origin, its median over the seeds.
    """
    each = [
        one[step] @ one["retrained"] / (one["retrained"] @ one["retrained"] or np.nan)
        for one in seeds
    ]
    return float(np.median(each)) if each else np.nan


def mean_correlation(values: Floats) -> Estimate:
    """The mean over seeds (the last axis) and its 95% interval, both by Fisher's z = artanh r.

    They stay within -1 and 1. No interval (NaN) with fewer than three seeds.
    """
    mean, low, high, seeds = estimate(np.arctanh(np.clip(values, -CERTAIN, CERTAIN)))
    low, high = (np.where(seeds < FEWEST, np.nan, np.tanh(end)) for end in (low, high))
    return Estimate(np.tanh(mean), low, high, seeds)


def versus(
    strategies: Sequence[str], accuracy: Floats, goal: Floats, rival: str, margin: float
) -> tuple[dict[str, Versus], dict[str, Versus]]:
    """Every strategy but one against that one, seed by seed: by accuracy, and by the goal.

    accuracy (a, s, r): compared by its mean over the rounds; goal (a, s, r), higher is better: by
    its last value, which has no margin. All of them share one level: half of what may be wrong is
    left to each.
    """
    at = list(strategies).index(rival)
    others = [i for i in range(len(strategies)) if i != at]
    over_rounds = accuracy.mean(axis=-1)
    last = goal[..., -1]
    level = 1 - (1 - LEVEL) / 2
    found = []
    for values, how in (
        (over_rounds, {"margin": margin, "bounds": ACCURACIES}),
        (last, {"margin": 0.0}),
    ):
        differences = values[others] - values[at]
        each = compare(differences, level=level, **how)
        found.append(
            {
                strategies[i]: Versus([""], differences[row : row + 1], each[row : row + 1])
                for row, i in enumerate(others)
            }
        )
    return found[0], found[1]
