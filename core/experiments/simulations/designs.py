"""The BAIT paper's simulations, one run each: when does weighing by the whole dataset's information
pay?

    risks(design, strategy, seed)            Figure 3: exact Bayes risk of ridge regression at every
                                             budget
    represent(data, kind, seed)              Figures 2 and 4: a learned and a random representation
                                             of the same points
    bayes_risk(points, chosen, ridge)        equation 3

Figures 2 and 4 classify linearly on such a representation, Figure 1 retrains an MLP; both are
rounds of active learning as in core/experiments/active/rounds.py. Plans of whole figures are in
core/experiments/simulations/plan.py. The paper gives neither n nor lambda for Figure 3: n = 1,000
and lambda = 0.01 are ours.

Source: Ash, Goel, Krishnamurthy, Kakade 2021, Gone Fishing, sections 4, 5 and 6.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core import embeddings, strategy
from core.data.splits import split
from core.experiments.active.plan import parse_strategy
from core.plugins import menu
from core.runtime.threads import one_thread
from core.types import Dataset, Embedded, Floats, Ints, UserError

BUDGETS = (1, 2, 5, 10, 20, 50, 100, 150, 200)
DESIGNS = ("gaussian", "orthonormal")
REPRESENTATIONS = ("learned", "random")
DIMENSIONS = 100
WIDTH = 128


def risks(
    name: str,
    chosen: str,
    seed: int,
    *,
    budgets: Sequence[int] = BUDGETS,
    n: int = 1000,
    d: int = DIMENSIONS,
    ridge: float = 1e-2,
) -> Floats:
    """Figure 3: the Bayes risk (b,) of a strategy's batch at every budget, on n points of a design
    drawn anew for each seed.

    chosen: a strategy with its knobs, such as "bait_regression:backward=False". One that has a
    ridge takes this one: the prior is known to all. One whose batches are not nested picks afresh
    for each budget.
    """
    points = design(name, n, d, seed)
    return np.array(
        [
            bayes_risk(points, batch, ridge)
            for batch in _batches(points, chosen, budgets, ridge, seed)
        ]
    )


def design(name: str, n: int, d: int, seed: int) -> Floats:
    """n points (n, d) whose covariance is proportional to diag(1 / i^2).

    "gaussian": x_i ~ N(0, s / i^2). "orthonormal": x = e_i with probability s / i^2. s = 1 / sum_i
    1 / i^2, so that E|x|^2 = 1 in both.
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
    """s^2 tr((X_S^T X_S + ridge s^2 I)^-1 X^T X / n): the expected squared error over all points of
    the MAP estimate from the chosen ones.

    points X (n, d), labels with noise of standard deviation s, prior weights N(0, I / ridge).
    Source: equation 3 of the paper.
    """
    picked = points[chosen]
    known = picked.T @ picked + ridge * noise**2 * np.eye(points.shape[1])
    return float(noise**2 * np.trace(np.linalg.solve(known, points.T @ points)) / len(points))


def represent(data: Dataset, kind: str, seed: int, width: int = WIDTH, epochs: int = 5) -> Dataset:
    """A table of `width` numbers for one half of the training points and for the test points.

    "learned": the hidden layer of an MLP trained on the other half, `epochs` times through.
    "random": x G with G standard normal, x in [0, 1] for images. Both take the same half. A
    UserError if the kind is another one.
    """
    part, fitted = halves(data, seed)
    if kind == "learned":
        points = _hidden_layer(data, fitted, part, width, epochs, seed)
    elif kind == "random":
        points = embeddings.raw(part) @ np.random.default_rng([seed, 6]).standard_normal(
            (part.d, width)
        ).astype(np.float32)
    else:
        raise UserError(f"Representation: found {kind!r}, expected learned or random.")
    return Dataset(
        f"{data.name}, {kind}", points, part.labels, part.class_names, part.test, part.index
    )


def halves(data: Dataset, seed: int) -> tuple[Dataset, Ints]:
    """One half of the training points with the test points, in which labels are asked for; rows of
    the other half.
    """
    train, test = split(data)
    order = np.random.default_rng([seed, 5]).permutation(train)
    fitted = order[: len(order) // 2]
    rest = np.sort(order[len(order) // 2 :])
    rows = np.concatenate([rest, test])
    part = Dataset(
        data.name,
        data.points[rows],
        data.labels[rows],
        data.class_names,
        np.arange(len(rows)) >= len(rest),
        data.index[rows],
    )
    return part, fitted


def _batches(
    points: Floats, text: str, budgets: Sequence[int], ridge: float, seed: int
) -> list[Ints]:
    name, knobs = parse_strategy(text)
    chosen = menu.find(name)
    settings = dict(knobs) | ({"ridge": ridge} if "ridge" in chosen.knobs else {})

    def pick(k: int) -> Ints:
        return strategy.pick(
            chosen, Embedded(points), k, rng=np.random.default_rng([seed, 1]), **settings
        ).indices

    if chosen.nested:
        longest = pick(max(budgets))
        return [longest[:k] for k in budgets]
    return [pick(k) for k in budgets]


def _hidden_layer(
    data: Dataset, fitted: Ints, part: Dataset, width: int, epochs: int, seed: int
) -> Floats:
    from core.models import networks, training

    network = networks.build(
        "mlp", classes=len(data.class_names), shape=data.shape, seed=seed, hidden=width
    )
    with one_thread():
        training.train(network, data.points[fitted], data.labels[fitted], seed=seed, epochs=epochs)
        return training.embed(network, part.points)
