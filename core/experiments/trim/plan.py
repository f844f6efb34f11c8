"""Does the network get better when the most harmful points are removed? The plan of a trimming
experiment, its units, and its arrays.

    plan = Trim(methods=("fi", "iv", "random"), budgets=(10, 50, 100), planted="flip")
    plan.units()          every run: method x seed, all budgets at once, random always among the
                          methods
    compute(unit)         in the worker: one run, from the cache or computed
    grid(plan, found)     the finished runs as arrays;  against_random, rows: what they say

A plan is canonical like a Spec: it is the link, the job's argument and the command line at once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from core import datasets
from core.experiments import plan as plans
from core.experiments.cost import Measurement
from core.experiments.statistics import Estimate, estimate
from core.experiments.trim.planted import KINDS
from core.experiments.trim.run import (
    METHODS,
    MODELS,
    TRAINED,
    Setting,
    check_budgets,
    material,
    operations,
    parameters,
    run,
)
from core.experiments.work import computed, points
from core.runtime import cache
from core.runtime.cache import Entry
from core.runtime.code_version import code_version
from core.spec import Spec
from core.strategy import Knob
from core.types import Dataset, Floats, UserError

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
        choices=tuple(KINDS),
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
SETTING = tuple(field.name for field in dataclasses.fields(Setting))


@dataclass(frozen=True)
class Unit:
    """One method with one seed at all budgets."""

    dataset: str
    n: int | None
    subset: int
    method: str
    setting: Setting
    seed: int
    task = "core.experiments.trim.plan:compute"

    @property
    def work(self) -> float:
        """In thousand million operations, about."""
        about = datasets.info(self.dataset)
        return operations(self.method, self.setting, int(np.prod(about.shape)), about.classes) / 1e9

    def key(self, fingerprint: str) -> str:
        """The cache key of the run: its settings and the code of all of it."""
        fields = {
            "method": self.method,
            "setting": dataclasses.asdict(self.setting),
            "seed": self.seed,
        }
        return cache.key(
            "trim", fields, code=code_version("core.experiments.trim.run"), data=fingerprint
        )


@dataclass(frozen=True)
class Trim:
    """Which methods compete, at which budgets of points to remove, under which setting, with how
    many seeds.
    """

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

    def with_(self, **changes: Any) -> Trim:
        """This plan with some parts changed, checked and canonical.

        A UserError if a part does not fit.
        """
        return _canonical(dataclasses.replace(self, **changes))

    @property
    def setting(self) -> Setting:
        """What all methods share."""
        return Setting(**{name: getattr(self, name) for name in SETTING})

    @property
    def measurement(self) -> Measurement:
        """How its cost is measured: by a short run of this model."""
        arguments = (self.dataset, self.n, self.subset, self.setting)
        what = "how fast this machine fits this model"
        told = "{:.2g} billion operations per second each"
        return Measurement(
            f"~rate trim {arguments}", "core.experiments.trim.plan:measure", arguments, what, told
        )

    def to_query(self) -> dict[str, str]:
        """The link's parameters: what differs from the first plan."""
        texts = _texts(self)
        default = _texts(Trim())
        return {name: text for name, text in texts.items() if text != default[name]}

    def units(self) -> list[Unit]:
        """Every run: the first seed of all methods first."""
        each = product(range(1, self.seeds + 1), self.methods)
        return [
            Unit(self.dataset, self.n, self.subset, method, self.setting, seed)
            for seed, method in each
        ]

    def title(self) -> str:
        """For captions and manifests."""
        damage = (
            "" if self.planted == "none" else f", {self.share:.0%} {KINDS[self.planted].lower()}"
        )
        named = datasets.info(self.dataset).title
        return (
            f"{named}, {MODELS[self.model].lower()}, {self.training:,} points{damage}, {self.seeds}"
            " seeds"
        )


def from_query(query: Mapping[str, str]) -> tuple[Trim, list[str]]:
    """The plan of a link, and one message for every part that could not be used (the rest is
    kept).
    """
    return plans.read(Trim(), _texts(Trim()), query)


def check(plan: Trim, data: Dataset) -> None:
    """A UserError if some run of the plan cannot begin on these points: what is known before any
    work.
    """
    check_budgets(plan.setting)
    if plan.l2 == 0:
        raise UserError(
            "l2: found 0. Classes that a line separates leave the head without an end. Choose"
            " 0.0001 or more."
        )
    if plan.model == "lenet5" and not data.is_images:
        raise UserError(
            f"LeNet-5 needs images, and {data.called} is a table. Choose another model."
        )
    for seed in range(1, plan.seeds + 1):
        material(data, plan.setting, seed)


def compute(unit: Unit) -> Entry:
    """In the worker: one run, from the cache or computed."""
    data = points(unit)
    return computed(
        unit, data, lambda progress: run(data, unit.method, unit.setting, unit.seed, progress)
    )


def measure(dataset: str, n: int | None, subset: int, setting: Setting) -> dict[str, float]:
    """In the worker: the pace of a short run at random, in units of `Unit.work` per second, and the
    worker's memory in bytes afterwards.
    """
    import os
    import time

    import psutil

    from core import pipeline

    data = pipeline.dataset(dataset, n, subset)
    short = Unit(
        dataset, n, subset, RANDOM, dataclasses.replace(setting, budgets=setting.budgets[:1]), 1
    )
    started = time.perf_counter()
    run(data, RANDOM, short.setting, 1)
    seconds = time.perf_counter() - started
    hessian = float(parameters(setting, data.d, len(data.class_names)) ** 2)  # what FI inverts
    return {
        "rate": short.work / seconds,
        "memory": float(psutil.Process(os.getpid()).memory_info().rss),
        "weights": hessian,
    }


@dataclass(frozen=True, eq=False)
class Trimmed:
    """A plan's runs as arrays, NaN where one is not finished.

    accuracy (m, b + 1, s): m methods, budgets with 0 first, s seeds. removed (m, b, s, c): points
    of each class. auc (m, s), precision (m, b, s): of finding what is planted.
    """

    plan: Trim
    accuracy: Floats
    removed: Floats
    auc: Floats
    precision: Floats

    @property
    def finished(self) -> int:
        """How many runs are in it."""
        return int(np.isfinite(self.accuracy[:, 0]).sum())

    @property
    def budgets(self) -> tuple[int, ...]:
        """0 and the plan's."""
        return (0, *self.plan.budgets)


def grid(plan: Trim, found: Mapping[Unit, Mapping[str, np.ndarray]], classes: int) -> Trimmed:
    """The outcomes in their places."""
    m = len(plan.methods)
    b = len(plan.budgets)
    s = plan.seeds
    shapes = {
        "accuracy": (m, b + 1, s),
        "removed": (m, b, s, classes),
        "auc": (m, s),
        "precision": (m, b, s),
    }
    arrays = {name: np.full(shape, np.nan) for name, shape in shapes.items()}
    for unit, outcome in found.items():
        i = plan.methods.index(unit.method)
        seed = unit.seed - 1
        arrays["auc"][i, seed] = outcome["auc"]
        for name in ("accuracy", "removed", "precision"):
            arrays[name][i, :, seed] = outcome[name]
    return Trimmed(plan, **arrays)


def against_random(trimmed: Trimmed) -> Estimate:
    """Accuracy minus random's with as many points removed and the same seed, (m, b); random's own
    row is 0.
    """
    later = trimmed.accuracy[:, 1:]
    return estimate(later - later[trimmed.plan.methods.index(RANDOM)])


def rows(plan: Trim, found: Mapping[Unit, Mapping[str, np.ndarray]]) -> dict[str, list]:
    """The Run as tidy columns.

    metric: accuracy, at every budget from 0; auc; precision, at every budget from the first.
    """
    columns: dict[str, list] = {
        name: [] for name in ("strategy", "seed", "budget", "metric", "value")
    }
    for unit, outcome in found.items():
        lines = [
            (b, "accuracy", value)
            for b, value in zip((0, *plan.budgets), outcome["accuracy"], strict=True)
        ]
        if plan.planted != "none":
            lines += [
                (b, "precision", value)
                for b, value in zip(plan.budgets, outcome["precision"], strict=True)
            ]
            lines += [(0, "auc", outcome["auc"])]
        for budget, metric, value in lines:
            for name, entry in zip(
                columns, (unit.method, unit.seed, budget, metric, float(value)), strict=True
            ):
                columns[name].append(entry)
    return columns


def _texts(plan: Trim) -> dict[str, str]:
    plain = {name: str(getattr(plan, name)) for name in ("dataset", "n", "subset", *KNOBS)}
    return plain | {"methods": " ".join(plan.methods), "budgets": " ".join(map(str, plan.budgets))}


def _canonical(plan: Trim) -> Trim:
    """Checked, random added, and settings without an effect at their default."""
    spec = Spec().with_(dataset=plan.dataset, n=plan.n, subset=plan.subset)
    knobs = {name: knob.parse(getattr(plan, name)) for name, knob in KNOBS.items()}
    knobs |= {} if knobs["model"] in TRAINED else {"epochs": KNOBS["epochs"].default}
    knobs |= {} if knobs["planted"] != "none" else {"share": KNOBS["share"].default}
    points = {"dataset": spec.dataset, "n": spec.n, "subset": spec.subset}
    return dataclasses.replace(
        plan, **points, methods=_methods(plan.methods), budgets=plans.budgets(plan.budgets), **knobs
    )


def _methods(given: str | tuple[str, ...]) -> tuple[str, ...]:
    names = dict.fromkeys(given.split() if isinstance(given, str) else given)
    if unknown := [name for name in names if name not in METHODS]:
        raise UserError(f"Method: found {unknown[0]!r}, expected one of {', '.join(METHODS)}.")
    names.pop(RANDOM, None)
    return (*names, RANDOM)
