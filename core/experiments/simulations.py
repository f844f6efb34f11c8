"""The BAIT paper's simulations, as functions that give tidy columns: when does weighing by the whole dataset's information pay?

    bayes_risks(selectors)            Figure 3: exact Bayes risk of ridge regression, two designs with the same covariance
    representations(data, ...)        Figures 2 and 4: linear classification on a learned against a random representation of MNIST
    forward_and_backward(data, ...)   Figure 1: picking 2k and dropping k against picking k, with an MLP on MNIST
    intervals(columns)                mean and 95% interval over the seeds

Columns: figure, design (or representation), strategy, seed, budget (points picked, or labels known), metric, value. Random is always among
the strategies; within a seed all strategies see the same points. The paper gives neither n nor lambda for Figure 3: n = 1,000 and
lambda = 0.01 are ours. Rounds of active learning are those of core/experiments/rounds.py.

Source: Ash, Goel, Krishnamurthy, Kakade 2021, Gone Fishing, sections 4, 5 and 6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from core import embeddings
from core.experiments import rounds, summaries
from core.experiments.active import RANDOM, parse_strategy
from core.experiments.rounds import Setting
from core.experiments.unit import split
from core.types import Dataset, Floats, Ints, UserError

Columns = dict[str, list]
Selector = Callable[..., tuple[Ints, Floats]]  # selector(embedding, k=, ridge=) -> indices, gains
NAMES = ("figure", "design", "strategy", "seed", "budget", "metric", "value")
BUDGETS = (1, 2, 5, 10, 20, 50, 100, 150, 200)
WIDTH = 128
LINEAR = Setting(network="linear", batch=10, rounds=50, start=100)
MLP = Setting(network="mlp", batch=10, rounds=50, start=100)
FORWARD = "bait:backward=False"


def bayes_risks(
    selectors: Mapping[str, Selector], *, designs: Sequence[str] = ("gaussian", "orthonormal"), budgets: Sequence[int] = BUDGETS,
    seeds: Iterable[int] = range(1, 6), n: int = 1000, d: int = 100, ridge: float = 1e-2,
) -> Columns:  # fmt: skip
    """Figure 3: the Bayes risk of every selector's batch, at every budget, on points drawn anew for each seed.

    selectors: by name, each called as selector(embedding, k=k, ridge=ridge); a random one is added. They pick for each budget afresh.
    """
    lines = []
    for name in designs:
        for seed in seeds:
            points = design(name, n, d, seed)
            order = np.random.default_rng([seed, 1]).permutation(n)
            for k in budgets:
                picks = {label: selector(points, k=k, ridge=ridge)[0] for label, selector in selectors.items()} | {RANDOM: order[:k]}
                lines += [("3", name, label, seed, k, "bayes risk", bayes_risk(points, chosen, ridge)) for label, chosen in picks.items()]
    return _columns(lines)


def design(name: str, n: int, d: int, seed: int) -> Floats:
    """n points (n, d) whose covariance is proportional to diag(1 / i^2).

    "gaussian": x_i ~ N(0, s / i^2). "orthonormal": x = e_i with probability s / i^2. s = 1 / sum_i 1 / i^2, so that E|x|^2 = 1 in both.
    """
    rng, shares = np.random.default_rng(seed), 1 / (1 + np.arange(d)) ** 2.0
    shares /= shares.sum()
    if name == "gaussian":
        return rng.standard_normal((n, d)) * np.sqrt(shares)
    if name == "orthonormal":
        return np.eye(d)[rng.choice(d, n, p=shares)]
    raise UserError(f"Design: found {name!r}, expected gaussian or orthonormal.")


def bayes_risk(points: Floats, chosen: Ints, ridge: float, noise: float = 1.0) -> float:
    """s^2 tr((X_S^T X_S + ridge s^2 I)^-1 X^T X / n): the expected squared error over all points of the MAP estimate from the chosen ones.

    points X (n, d), labels with noise of standard deviation s, prior weights N(0, I / ridge). Source: equation 3 of the paper.
    """
    picked = points[chosen]
    known = picked.T @ picked + ridge * noise**2 * np.eye(points.shape[1])
    return float(noise**2 * np.trace(np.linalg.solve(known, points.T @ points)) / len(points))


def representations(
    data: Dataset, *, strategies: Sequence[str] = (FORWARD, f"{FORWARD}:fisher=False"), kinds: Sequence[str] = ("learned", "random"),
    seeds: Iterable[int] = range(1, 6), setting: Setting = LINEAR,
) -> Columns:  # fmt: skip
    """Figures 2 and 4: test accuracy of a linear classifier, round by round, on two fixed representations of the same half of the points.

    strategies: names with knobs, such as "bait:ridge=0.1"; random is added.
    """
    seeds, lines = tuple(seeds), []
    for kind in kinds:
        for seed in seeds:
            lines += _rounds("2 and 4", kind, represent(data, kind, seed), strategies, setting, seed)
    return _columns(lines)


def forward_and_backward(
    data: Dataset, *, strategies: Sequence[str] = ("bait", FORWARD), seeds: Iterable[int] = range(1, 6), setting: Setting = MLP
) -> Columns:
    """Figure 1: test accuracy of a network retrained in every round, with points taken back and without; random is added."""
    return _columns([line for seed in seeds for line in _rounds("1", "network", data, strategies, setting, seed)])


def represent(data: Dataset, kind: str, seed: int, width: int = WIDTH, epochs: int = 5) -> Dataset:
    """A table of `width` numbers for one half of the training points and for the test points.

    "learned": the hidden layer of an MLP trained on the other half, `epochs` times through. "random": x G with G standard normal, x in
    [0, 1] for images. Both take the same half. A UserError if the kind is another one.
    """
    train, test = split(data)
    order = np.random.default_rng([seed, 5]).permutation(train)
    fitted, rest = order[: len(order) // 2], np.sort(order[len(order) // 2 :])
    rows = np.concatenate([rest, test])
    part = Dataset(data.name, data.points[rows], data.labels[rows], data.class_names, np.arange(len(rows)) >= len(rest), data.index[rows])
    if kind == "learned":
        points = _hidden_layer(data, fitted, part, width, epochs, seed)
    elif kind == "random":
        points = embeddings.raw(part) @ np.random.default_rng([seed, 6]).standard_normal((part.d, width)).astype(np.float32)
    else:
        raise UserError(f"Representation: found {kind!r}, expected learned or random.")
    return Dataset(f"{data.name}, {kind}", points, part.labels, part.class_names, part.test, part.index)


def intervals(columns: Columns) -> Columns:
    """For every figure, design, strategy, budget and metric: mean, low and high of the 95% t interval over the seeds, and how many seeds.

    low and high are NaN for a single seed.
    """
    groups: dict[tuple, list[float]] = {}
    for row in zip(*(columns[name] for name in NAMES), strict=True):
        groups.setdefault((*row[:3], *row[4:6]), []).append(row[6])
    names = ("figure", "design", "strategy", "budget", "metric", "mean", "low", "high", "seeds")
    lines = [(*group, *_interval(np.array(values)), len(values)) for group, values in groups.items()]
    return {name: list(column) for name, column in zip(names, zip(*lines, strict=True), strict=True)}


def _interval(values: Floats) -> tuple[float, float, float]:
    mean, error = (float(part[0]) for part in summaries.standard_error(values[:, None]))
    reach = summaries.critical(len(values)) * error if len(values) > 1 else np.nan
    return mean, mean - reach, mean + reach


def _rounds(figure: str, kind: str, data: Dataset, strategies: Sequence[str], setting: Setting, seed: int) -> list[tuple]:
    lines = []
    for text in dict.fromkeys((*strategies, RANDOM)):
        name, knobs = parse_strategy(text)
        arrays, _ = rounds.run(data, name, dict(knobs), setting, seed)
        each = zip(arrays["labels"], arrays["accuracy"], strict=True)
        lines += [(figure, kind, text, seed, int(labels), "accuracy", float(value)) for labels, value in each]
    return lines


def _hidden_layer(data: Dataset, fitted: Ints, part: Dataset, width: int, epochs: int, seed: int) -> Floats:
    from core import networks, training

    network = networks.build("mlp", classes=len(data.class_names), shape=data.shape, seed=seed, hidden=width)
    training.train(network, data.points[fitted], data.labels[fitted], seed=seed, epochs=epochs)
    return training.embed(network, part.points)


def _columns(lines: list[tuple]) -> Columns:
    return {name: [line[i] for line in lines] for i, name in enumerate(NAMES)}
