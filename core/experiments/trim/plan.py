"""Does the network get better when the most harmful points are removed? A plan and its runs.

plan = Trim().with_(methods="fi iv random", budgets="10 50 100", planted="flip")
plan.units()   every run: method x seed, all budgets at once, random always among the methods
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from core import datasets
from core.data.learnable import learnable
from core.experiments import cost
from core.experiments.cost import Measurement
from core.experiments.plan import Plan, Progress, Result, Unit, parse_budgets, words
from core.experiments.trim import run
from core.experiments.trim.planted import DAMAGES
from core.experiments.trim.run import METHODS, MODELS, TRAINED, TrimSettings
from core.runtime import cache, tasks
from core.runtime.code_version import code_version
from core.strategy import Knob
from core.types import Dataset, UserError

RANDOM = "random"
BUDGETS = (25, 50, 100, 150, 200)
KNOBS = {
    "model": Knob(
        "Model",
        "Fitted anew after each trimming.",
        choices=tuple(MODELS),
        name="model",
        kind=str,
        default="pca",
    ),
    "training": Knob(
        "Training points",
        "Drawn anew for each seed.",
        10,
        20_000,
        name="training",
        kind=int,
        default=1_000,
    ),
    "validation": Knob(
        "Validation points",
        "Training points held back, on which harm is measured.",
        5,
        10_000,
        name="validation",
        kind=int,
        default=500,
    ),
    "l2": Knob(
        "Penalty l2",
        "On the squared weights of the logistic head, beside the mean loss.",
        0.0,
        100.0,
        name="l2",
        default=0.01,
    ),
    "epochs": Knob("Epochs", "Of a network.", 1, 200, name="epochs", kind=int, default=20),
    "planted": Knob(
        "Planted",
        "Damage that the methods are to find.",
        choices=tuple(DAMAGES),
        name="planted",
        kind=str,
        default="flip",
    ),
    "share": Knob("Share planted", "Of the training points.", 0.01, 0.5, name="share", default=0.1),
    "seeds": Knob(
        "Seeds",
        "Each redraws the points, the damage and the weights.",
        2,
        50,
        name="seeds",
        kind=int,
        default=20,
    ),
}
SETTINGS = tuple(field.name for field in dataclasses.fields(TrimSettings))


@dataclass(frozen=True)
class TrimRun(Unit):
    """One method with one seed at all budgets."""

    dataset: str
    n: int | None
    subset: int
    method: str
    setting: TrimSettings
    seed: int

    @property
    def cost(self) -> float:
        """In thousand million operations, about."""
        about = datasets.info(self.dataset)
        d = int(np.prod(about.shape))
        return run.operations(self.method, self.setting, d, about.classes) / 1e9

    @property
    def work(self) -> dict[str, float]:
        """One run by its method."""
        return {_by(self.method): 1}

    def key(self, fingerprint: str) -> str:
        """The cache key: its settings and the code of all of it."""
        fields = {
            "method": self.method,
            "setting": dataclasses.asdict(self.setting),
            "seed": self.seed,
        }
        code = code_version("core.experiments.trim.run")
        return cache.key("trim", fields, code=code, data=fingerprint)

    def run(self, data: Dataset, progress: Progress) -> Result:
        """All budgets, see `trim.run.run`."""
        return run.run(data, self.method, self.setting, self.seed, progress)


def parse_methods(given: str | tuple[str, ...]) -> tuple[str, ...]:
    """Each method once, random last. A UserError for an unknown one."""
    names = dict.fromkeys(words(given))
    if unknown := [name for name in names if name not in METHODS]:
        raise UserError(f"Method: found {unknown[0]!r}, expected one of {', '.join(METHODS)}.")
    names.pop(RANDOM, None)
    return (*names, RANDOM)


LISTS = {"methods": parse_methods, "budgets": parse_budgets}


@dataclass(frozen=True)
class Trim(Plan):
    """Which methods compete, at which budgets of points to remove, under which settings."""

    dataset: str = "mnist"
    n: int | None = None
    subset: int = 0
    methods: tuple[str, ...] = tuple(METHODS)
    budgets: tuple[int, ...] = BUDGETS
    model: str = "pca"
    training: int = 1_000
    validation: int = 500
    l2: float = 0.01
    epochs: int = 20
    planted: str = "flip"
    share: float = 0.1
    seeds: int = 20
    kind = "trim"
    units_are = "runs"
    knobs = KNOBS
    lists = LISTS

    @property
    def setting(self) -> TrimSettings:
        """What all methods share."""
        return TrimSettings(**{name: getattr(self, name) for name in SETTINGS})

    @property
    def trains(self) -> str | None:
        """The model, if it is a network."""
        return self.model if self.model in TRAINED else None

    @property
    def measurement(self) -> Measurement:
        """Runs per second by each method, from short ones of this model."""
        arguments = (self.dataset, self.n, self.subset, self.methods, self.setting)
        return Measurement(
            f"~rate trim {arguments}",
            tasks.TRIMMING_SPEED,
            arguments,
            "how fast this machine fits this model",
            "{:.2g} billion operations per second each",
        )

    def units(self) -> list[TrimRun]:
        """Every run: the first seed of all methods first."""
        each = product(range(1, self.seeds + 1), self.methods)
        return [
            TrimRun(self.dataset, self.n, self.subset, method, self.setting, seed)
            for seed, method in each
        ]

    def title(self) -> str:
        """For captions and manifests."""
        damage = (
            "" if self.planted == "none" else f", {self.share:.0%} {DAMAGES[self.planted].lower()}"
        )
        named = datasets.info(self.dataset).title
        return (
            f"{named}, {MODELS[self.model].lower()}, {self.training:,} points{damage},"
            f" {self.seeds} seeds"
        )

    def check(self, data: Dataset) -> None:
        """A UserError if some run cannot begin on these points: what is known before the work."""
        run.check_budgets(self.setting)
        if self.l2 == 0:
            raise UserError(
                "l2: found 0. Classes that a line separates leave the head without an end."
                " Choose 0.0001 or more."
            )
        if self.model == "lenet5" and not data.is_images:
            raise UserError(
                f"LeNet-5 needs images, and {data.called} is a table. Choose another model."
            )
        for seed in range(1, self.seeds + 1):
            run.draw_points(data, self.setting, seed)

    def _without_effect(self) -> dict[str, Any]:
        idle = [] if self.model in TRAINED else ["epochs"]
        idle += ["share"] if self.planted == "none" else []
        return {name: KNOBS[name].default for name in idle}


def measure(
    dataset: str, n: int | None, subset: int, methods: Sequence[str], setting: TrimSettings
) -> dict[str, Any]:
    """In the worker: a run by each method with one budget, and what a further budget takes.

    rate: of a short run at random, in `TrimRun.cost` per second; rates: of whole runs. And the
    worker's memory in bytes afterwards.
    """
    import os

    import psutil

    from core import pipeline

    data = learnable(pipeline.dataset(dataset, n, subset))
    brief = dataclasses.replace(setting, budgets=setting.budgets[:1])

    def seconds(method: str, how: TrimSettings) -> float:
        return float(cost.side_by_side(lambda: cost.timed(lambda: run.run(data, method, how, 1))))

    run.run(data, RANDOM, brief, 1)  # the first of a process takes longer
    short = {method: seconds(method, brief) for method in (*methods, RANDOM)}
    more = max(0.0, seconds(RANDOM, setting) - short[RANDOM])
    hessian = float(run.parameters(setting, data.d, len(data.class_names)) ** 2)  # what FI inverts
    return {
        "rate": TrimRun(dataset, n, subset, RANDOM, brief, 1).cost / short[RANDOM],
        "rates": {_by(method): 1 / (took + more) for method, took in short.items()},
        "memory": float(psutil.Process(os.getpid()).memory_info().rss),
        "weights": hessian,
    }


def _by(method: str) -> str:
    return f"by {method}"
