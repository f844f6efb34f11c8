"""One rule, one draw, each budget k: choose k rows, buy their labels, fit, compare with all labels.

    run(problem, rule, budgets, seed) -> arrays, facts

Which rows there are is what the training part holds; the fit is least squares without an intercept,
on one-hot labels or on the dataset's own target. It is compared with the fit to all labels: the
loss on all training rows over the least possible, and what both do on the test part.

Source: the bound and the rules, see core/linalg/sampling.py.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.data.splits import split
from core.experiments.plan import Progress
from core.experiments.sampling.rules import RULES, Known
from core.linalg import sampling
from core.linalg.sampling import FullFit
from core.types import Dataset, Floats, Ints, UserError

SHOWN = 24  # rows of a draw that the page shows
QUANTILES = 201  # of the chances to be drawn
LEARNS = ("labels", "target")
_one_at_a_time = threading.Lock()
_last: dict[Any, Problem] = {}


@dataclass(frozen=True, eq=False)
class Problem:
    """Rows whose labels can be bought, and what is known once all of them are.

    rows: (n,) of the dataset. y: (n, c). full: the fit to all. test: Z (t, r), whitened test rows;
    test_y: (t, c). classes: is y one-hot?
    """

    known: Known
    rows: Ints
    y: Floats
    full: FullFit
    test: Floats
    test_y: Floats
    classes: bool

    def judged(self, coefficients: Floats) -> tuple[float, float]:
        """(accuracy, mean squared error) on the test part; NaN for the accuracy of a target."""
        fitted = self.test @ coefficients
        error = float(((fitted - self.test_y) ** 2).sum(axis=1).mean())
        if not self.classes:
            return float("nan"), error
        return float((fitted.argmax(axis=1) == self.test_y.argmax(axis=1)).mean()), error


def kept_problem(key: Any, data: Dataset, embedding: np.ndarray, learns: str) -> Problem:
    """The problem of this key, the last one from memory: all rules and draws of a plan share it."""
    with _one_at_a_time:
        if key not in _last:
            _last.clear()
            _last[key] = problem_of(data, embedding, learns)
        return _last[key]


def problem_of(data: Dataset, embedding: np.ndarray, learns: str) -> Problem:
    """Least squares on the training part of an embedding (n, d), to its labels or its target.

    A UserError where there is none, and where the rows are all zero.
    """
    pool, test = split(data, regression=learns == "target")
    y = answers(data, learns)
    x = np.ascontiguousarray(embedding[pool])
    x.setflags(write=False)
    known = Known(x)
    weights = known.whitening.weights
    if known.whitening.rank == 0:
        raise UserError("embedding: found zeros alone, expected rows that differ from zero.")
    full = sampling.full_fit(x, y[pool], known.whitening)
    whitened = embedding[test].astype(np.float64) @ weights
    return Problem(known, pool, y[pool], full, whitened, y[test], learns == "labels")


def answers(data: Dataset, learns: str) -> Floats:
    """What is bought: one-hot labels (n, c), rows of zeros where there is none; or the target."""
    if learns == "target":
        if data.target is None:
            raise UserError(f"{data.called} has no target. Learn its labels.")
        return np.asarray(data.target, np.float64).reshape(len(data), -1)
    if not data.labeled:
        raise UserError(f"{data.called} has no labels. Learn its target, or label some points.")
    one_hot = np.zeros((len(data), len(data.class_names)))
    known = np.flatnonzero(data.labels >= 0)
    one_hot[known, data.labels[known]] = 1
    return one_hot


def run(
    problem: Problem, rule: str, budgets: tuple[int, ...], seed: int, progress: Progress
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """One rule with one seed at all budgets.

    Of each budget (b,): ratio, the loss on all rows over the least possible, NaN where the rule
    cannot choose so many, or where the full fit leaves nothing; accuracy and error on the test
    part; directions, of the rank, that the sample has; condition of the weighted sample; bought,
    different rows. full (6,): rank, rows, loss of the full fit, |y|^2, its test accuracy and error.
    first (s,) dataset rows of the largest draw, with their weights (s,); chances (201,): quantiles
    of leverage over its mean. facts["cannot"]: budget -> why.
    """
    values = {name: np.full(len(budgets), np.nan) for name in MEASURED}
    cannot: dict[str, str] = {}
    drawn = (np.zeros(0, np.int64), np.zeros(0))
    for i, k in enumerate(budgets):
        progress(i / len(budgets), f"{RULES[rule].label}, {k:,} labels")
        try:
            # A budget of its own stream: the others' do not change with it.
            drawn = RULES[rule].draw(problem.known, k, np.random.default_rng([seed, k]))
        except UserError as error:
            cannot[str(k)] = str(error)
            continue
        for name, value in measured(problem, *drawn).items():
            values[name][i] = value
    accuracy, error = problem.judged(problem.full.coefficients)
    full = problem.full
    facts = [problem.known.whitening.rank, len(problem.rows), full.loss, full.scale]
    scores = problem.known.scores
    return {
        **values,
        "full": np.array([*facts, accuracy, error]),
        "first": problem.rows[drawn[0][:SHOWN]],
        "weight": drawn[1][:SHOWN] / max(drawn[1].mean(), 1e-300) if len(drawn[1]) else drawn[1],
        "chances": np.quantile(scores / scores.mean(), np.linspace(0, 1, QUANTILES)),
    }, {"rule": rule, "seed": seed, "cannot": cannot}


MEASURED = ("ratio", "accuracy", "error", "directions", "condition", "bought")


def measured(problem: Problem, indices: Ints, weights: Floats) -> dict[str, float]:
    """What the fit to this sample is worth, by the names of MEASURED."""
    z = problem.known.x[indices].astype(np.float64) @ problem.known.whitening.weights
    fit = sampling.fit_sample(z, problem.y[indices], weights)
    accuracy, error = problem.judged(fit.coefficients)
    return {
        "ratio": problem.full.ratio(fit.coefficients),
        "accuracy": accuracy,
        "error": error,
        "directions": fit.directions,
        "condition": fit.condition,
        "bought": len(np.unique(indices)),
    }


def operations(rule: str, n: int, d: int, classes: int, budgets: tuple[int, ...]) -> float:
    """About how many floating-point operations a run takes after the problem is prepared."""
    fits = sum(2.0 * k * d * (2 * d + 2 * classes) + 20.0 * min(k, d) * d * d for k in budgets)
    chosen = sum(k for k in budgets if k * n * d <= 6e10)
    greedy = {"a_optimal": 8.0 * n * d * chosen, "d_optimal": 4.0 * n * d * chosen}
    volume = {"volume": 2.0 * len(budgets) * (n * d * d + d**3 * np.log(max(d, 2)))}
    return fits + 40.0 * n * len(budgets) + (greedy | volume).get(rule, 0.0)


def preparation(n: int, d: int) -> float:
    """The same for the problem: the spectrum twice, and passes over the rows."""
    passes = 6.0 * n * d * d
    spectrum = 60.0 * d**3
    return passes + spectrum
