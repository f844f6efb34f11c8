"""The FI paper's two simulations in the plane: Gaussians and crescents, trimmed.

    trial(WORLDS["two_gaussians"], seed=1)   one dataset: points, what each method trims, test
                                             accuracies, boundaries before and after
    boundaries(name, seed) -> Entry          the same in the worker, kept in the cache
    accuracies(name) -> Entry                all seeds' accuracies
    better(accuracy, "iv")                   in how many seeds FI-util leaves the better model: the
                                             tables' count

Two Gaussians, Table 1: logistic regression, 150 training, 100 validation and 600 test points, 30
seeds. Two crescents, Table 2: a network of two hidden layers with ReLU, 500, 250 and 250 points, 20
seeds; its scores go through all its weights (core/models/network_influence.py). The paper leaves
open how far apart the Gaussians lie, the noise of the crescents, the penalty, the widths and the
training: those are ours, searched for (tests/benchmarks/trimming.py) and said on the page.

A fourth method turns the influence value's sign, so that the most helpful points go first. With it
the first table comes out nearly as printed, under the proper sign it does not. Source: the FI
paper, section 5.1, Tables 1 and 2, Figures 1 and 9.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from core import softmax_head
from core.data import simulated
from core.experiments.trim.contours import level_lines
from core.runtime import cache
from core.runtime.cache import Entry
from core.runtime.code_version import code_version
from core.runtime.progress import advance
from core.runtime.threads import one_thread
from core.strategies.influence import influence_harm
from core.strategies.local_influence import fi_util
from core.strategy import top_k
from core.types import Embedded, Floats, Ints

BUDGETS = (5, 10, 20)
METHODS = {
    "fi": "FI-util",
    "iv": "Influence value",
    "turned": "Influence value, sign turned",
    "random": "Random",
}
CELLS = 61
MARGIN = 0.5
# Of the network on the crescents.
HIDDEN = 16
STEPS = 400
RATE = 0.02
DAMPING = 0.01
Points = tuple[Floats, Ints]


@dataclass(frozen=True)
class World:
    """One of the simulations. sizes: training, validation, test points.

    paper: budget -> (seeds where FI is better, its accuracy, IV's).
    """

    name: str
    title: str
    draw: Callable[[int, np.random.Generator], Points]
    model: Callable[[Points, int], Any]
    sizes: tuple[int, int, int]
    seeds: int
    settings: str
    paper: Mapping[int, tuple[int, float | None, float]]


class Logistic:
    """A logistic head on the two coordinates, with scikit-learn's penalty C = 1 for 150 points."""

    def __init__(self, seen: Points, seed: int, *, l2: float = 1 / 150, intercept: bool = True):
        self.seen = seen
        self.head = softmax_head.fit(*seen, l2=l2, classes=2, intercept=intercept)

    def logit(self, points: Floats) -> Floats:
        """log p_1 / p_0 of each point."""
        weights = self.head.weights
        intercepts = self.head.intercepts
        return points @ (weights[1] - weights[0]) + intercepts[1] - intercepts[0]

    def scores(self, validation: Embedded) -> tuple[Floats, Floats]:
        """FI-util, and the influence value, harmful first."""
        given = (*self.seen, validation, self.head)
        return fi_util(*given), influence_harm(*given)


class TwoLayers:
    """A network of two hidden layers of 16 with ReLU, trained on all points at once, by Adam."""

    def __init__(self, seen: Points, seed: int, *, steps: int = STEPS, damping: float = DAMPING):
        from torch import nn

        from core.models import networks, training

        self.seen = seen
        self.damping = damping
        first, second = (
            networks.build("mlp", classes=2, shape=(width,), seed=2 * seed + i, hidden=HIDDEN)
            for i, width in enumerate((2, HIDDEN))
        )
        self.network = networks.Network(
            "two layers", nn.Sequential(first.body, second.body), second.head, first.inputs
        )
        training.train(
            self.network, *seen, seed=seed, steps=steps, batch_size=len(seen[0]), learning_rate=RATE
        )

    def logit(self, points: Floats) -> Floats:
        """log p_1 / p_0 of each point."""
        from core.models import evaluation

        probs = evaluation.probabilities(self.network, points.astype(np.float32))
        return np.log(np.maximum(probs[:, 1], 1e-30)) - np.log(np.maximum(probs[:, 0], 1e-30))

    def scores(self, validation: Embedded) -> tuple[Floats, Floats]:
        """FI-util, and the influence value, harmful first, through all weights."""
        from core.models.network_influence import network_scores

        return tuple(network_scores(self.network, *self.seen, validation, damping=self.damping))


GAUSSIANS = World(
    "two_gaussians",
    "Two Gaussians",
    partial(simulated.two_gaussians, distance=3.6),
    Logistic,
    (150, 100, 600),
    30,
    "centres 3.6 apart, spread 1, logistic regression with l2 = 1/150",
    {5: (23, 0.9622, 0.9577), 10: (28, 0.9620, 0.9484), 20: (30, 0.9623, 0.9336)},
)
CRESCENTS = World(
    "two_crescents",
    "Two crescents",
    partial(simulated.two_crescents, noise=0.3),
    TwoLayers,
    (500, 250, 250),
    20,
    f"noise 0.3, two hidden layers of {HIDDEN},"
    f" {STEPS} steps of Adam at {RATE:g} on all points, damping {DAMPING:g}",
    {5: (17, None, 0.8750), 10: (17, 0.9024, 0.8802), 20: (15, 0.9032, 0.8780)},
)
WORLDS = {world.name: world for world in (GAUSSIANS, CRESCENTS)}


def trial(world: World, seed: int, *, lines: bool = False) -> dict[str, Any]:
    """One dataset of the world, trimmed by every method at every budget.

    points (n, 2), labels (n,)   the training points
    trimmed (m, 20)              those that each method removes, worst first
    accuracy (m, b + 1)          on the test points, first with nothing removed
    lines                        if asked for: {(method or "before", budget): polylines}
    """
    rng = np.random.default_rng(seed)
    seen, unseen, test = (world.draw(size, rng) for size in world.sizes)
    everything = world.model(seen, seed)
    fi, harm = everything.scores(Embedded(unseen[0], labels=unseen[1]))
    scores = {"fi": fi, "iv": harm, "turned": -harm, "random": rng.random(len(fi))}
    trimmed = np.array([top_k(scores[method], max(BUDGETS)).indices for method in METHODS])
    models = {
        (method, b): world.model(_without(seen, order[:b]), seed)
        for method, order in zip(METHODS, trimmed, strict=True)
        for b in BUDGETS
    }
    first = _accuracy(everything, test)
    accuracy = np.array(
        [[first, *(_accuracy(models[method, b], test) for b in BUDGETS)] for method in METHODS]
    )
    found = {"points": seen[0], "labels": seen[1], "trimmed": trimmed, "accuracy": accuracy}
    if lines:
        models["before", 0] = everything
        found["lines"] = {key: boundary(model, seen[0]) for key, model in models.items()}
    return found


def boundary(model: Any, points: Floats) -> list[Floats]:
    """The polylines where both classes are equally probable, in a box around the points."""
    low = points.min(axis=0) - MARGIN
    high = points.max(axis=0) + MARGIN
    x, y = (np.linspace(low[j], high[j], CELLS) for j in (0, 1))
    places = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    return level_lines(model.logit(places).reshape(CELLS, CELLS), x, y)


def better(accuracy: Floats, rival: str) -> Ints:
    """In how many seeds of accuracy (s, m, b + 1) FI-util is strictly above the rival: (b,)."""
    names = list(METHODS)
    return (accuracy[:, names.index("fi"), 1:] > accuracy[:, names.index(rival), 1:]).sum(axis=0)


def boundaries_key(name: str, seed: int) -> str:
    """The cache key of one trial with its boundaries."""
    return cache.key(
        "plane_trimmed",
        {"world": name, "seed": seed},
        code=code_version("core.experiments.trim.fi_simulations"),
        data="",
    )


def accuracies_key(name: str) -> str:
    """The cache key of the accuracies."""
    return cache.key(
        "trim_table",
        {"world": name},
        code=code_version("core.experiments.trim.fi_simulations"),
        data="",
    )


def boundaries(name: str, seed: int) -> Entry:
    """In the worker: one trial, with its boundaries.

    They lie end to end in `line` (k, 2), with the number of their method (0: before), their budget
    and their polyline's number in `piece` (k, 3).
    """
    return cache.kept(boundaries_key(name, seed), lambda: _boundaries(name, seed))


def _boundaries(name: str, seed: int) -> tuple[dict, dict]:
    with one_thread():
        found = trial(WORLDS[name], seed, lines=True)
    lines = [np.zeros((0, 2))]
    pieces = [np.zeros((0, 3), int)]
    for (method, b), polylines in found.pop("lines").items():
        number = 0 if method == "before" else 1 + list(METHODS).index(method)
        lines += polylines
        pieces += [np.tile([number, b, i], (len(line), 1)) for i, line in enumerate(polylines)]
    arrays = found | {
        "line": np.concatenate(lines).astype(np.float32),
        "piece": np.concatenate(pieces),
    }
    return arrays, {"world": name, "seed": seed}


def accuracies(name: str) -> Entry:
    """In the worker: the accuracies (s, m, b + 1) of all seeds of a world."""
    return cache.kept(accuracies_key(name), lambda: _accuracies(name))


def _accuracies(name: str) -> tuple[dict, dict]:
    world = WORLDS[name]
    each = []
    with one_thread():
        for seed in range(1, world.seeds + 1):
            advance((seed - 1) / world.seeds, f"{world.title}, dataset {seed} of {world.seeds}")
            each.append(trial(world, seed)["accuracy"])
    return {"accuracy": np.array(each)}, {"world": name}


def _without(seen: Points, rows: Ints) -> Points:
    return np.delete(seen[0], rows, axis=0), np.delete(seen[1], rows)


def _accuracy(model: Any, test: Points) -> float:
    return float(((model.logit(test[0]) > 0) == test[1]).mean())
