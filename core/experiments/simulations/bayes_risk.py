"""Figure 3 of the BAIT paper: exact Bayes risk of ridge regression on two designs.

    risks(design, strategy, seed, ...)       at every budget
    bayes_risk(points, chosen, ridge)        equation 3

Both designs have the same covariance. The paper gives neither n nor lambda: n = 1,000 and
lambda = 0.01 are ours.
Source: Ash, Goel, Krishnamurthy, Kakade 2021, Gone Fishing, sections 4 and 5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core.plugins import menu
from core.strategy import Strategy, pick
from core.types import Embedded, Floats, Ints, UserError

BUDGETS = (1, 2, 5, 10, 20, 50, 100, 150, 200)
DESIGNS = ("gaussian", "orthonormal")
DIMENSIONS = 100


def risks(
    name: str,
    chosen: str,
    seed: int,
    *,
    knobs: Mapping[str, Any] | None = None,
    budgets: Sequence[int] = BUDGETS,
    n: int = 1000,
    d: int = DIMENSIONS,
    ridge: float = 1e-2,
) -> Floats:
    """Figure 3: the Bayes risk (b,) of a strategy's batch at every budget.

    The n points of the design are drawn anew for each seed. chosen, knobs: a strategy, such as
    "bait_regression" and {"backward": False}. One that has a ridge takes this one: the prior is
    known to all. One whose batches are not nested picks afresh for each budget.
    """
    points = design(name, n, d, seed)
    strategy = menu.find(chosen)
    settings = dict(knobs or {}) | ({"ridge": ridge} if "ridge" in strategy.knobs else {})
    batches = _batches(points, strategy, settings, budgets, seed)
    return np.array([bayes_risk(points, batch, ridge) for batch in batches])


def design(name: str, n: int, d: int, seed: int) -> Floats:
    """n points (n, d) whose covariance is proportional to diag(1 / i^2).

        "gaussian"      x_i ~ N(0, s / i^2)
        "orthonormal"   x = e_i with probability s / i^2

    s = 1 / sum_i 1 / i^2, so that E|x|^2 = 1 in both.
    """
    rng = np.random.default_rng(seed)
    shares = 1 / (1 + np.arange(d)) ** 2.0
    shares /= shares.sum()
    if name == "gaussian":
        return rng.standard_normal((n, d)) * np.sqrt(shares)
    if name == "orthonormal":
        return np.eye(d)[rng.choice(d, n, p=shares)]
    raise UserError(f"Design: found {name!r}, expected gaussian or orthonormal.")


def bayes_risk(points: Floats, chosen: Ints, ridge: float, noise: float = 1.0) -> float:
    """s^2 tr((X_S^T X_S + ridge s^2 I)^-1 X^T X / n), the Bayes risk of the chosen points.

    The expected squared error over all points of the MAP estimate from the chosen ones. points
    X (n, d), labels with noise of standard deviation s, prior weights N(0, I / ridge). Source:
    equation 3 of the paper.
    """
    picked = points[chosen]
    known = picked.T @ picked + ridge * noise**2 * np.eye(points.shape[1])
    return float(noise**2 * np.trace(np.linalg.solve(known, points.T @ points)) / len(points))


def _batches(
    points: Floats, chosen: Strategy, settings: Mapping[str, Any], budgets: Sequence[int], seed: int
) -> list[Ints]:
    def picked(k: int) -> Ints:
        rng = np.random.default_rng([seed, 1])
        return pick(chosen, Embedded(points), k, rng=rng, **settings).indices

    if chosen.nested:
        longest = picked(max(budgets))
        return [longest[:k] for k in budgets]
    return [picked(k) for k in budgets]
