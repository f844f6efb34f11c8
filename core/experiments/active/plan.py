"""Which strategy needs the fewest labels? The plan of an active-learning experiment and its runs,
one strategy and seed each.

    plan = Active(strategies=("badge", "random"), batch=100, rounds=19)
    plan.units()         every run: strategy x seed, random always among the strategies
    compute(unit)        in the worker: one run through all rounds, from the cache or computed

A plan is canonical like a Spec: it is the link, the job's argument and the command line at once. A
strategy is written with its knobs: "bait", "bait:ridge=0.1", "badge:first=uniform".
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from core import datasets
from core.experiments import plan as plans
from core.experiments.active.rounds import Setting, inputs_of, networks_trained, pool_of
from core.experiments.work import computed, points
from core.models.network_names import check_network
from core.plugins import menu
from core.runtime import cache
from core.runtime.cache import Entry
from core.runtime.code_version import code_version
from core.spec import Spec
from core.strategy import Knob, parse_knobs
from core.types import Dataset, UserError

RANDOM = "random"
NETWORKS = ("mlp", "linear", "lenet5", "talk_cnn", "resnet18", "vgg11", "fi_cnn")
MOST_STRATEGIES = 12
MOST_UNITS = 500
KNOBS = {
    "network": Knob(
        "Network",
        "Trained from scratch in every round.",
        choices=NETWORKS,
        name="network",
        kind=str,
        default="mlp",
    ),
    "batch": Knob(
        "Batch size",
        "How many labels are asked for in each round.",
        1,
        10_000,
        name="batch",
        kind=int,
        default=100,
    ),
    "rounds": Knob(
        "Rounds", "How many batches are asked for.", 1, 100, name="rounds", kind=int, default=19
    ),
    "start": Knob(
        "First labels",
        "Random points that are labeled before the first round.",
        2,
        10_000,
        name="start",
        kind=int,
        default=100,
    ),
    "until": Knob(
        "Train until",
        "The papers train each round until 99% of the labeled points are right.",
        choices=("accuracy", "epochs"),
        name="until",
        kind=str,
        default="accuracy",
    ),
    "epochs": Knob(
        "Passes",
        "At most so many through the labeled points in each round.",
        1,
        1000,
        name="epochs",
        kind=int,
        default=100,
    ),
    "task": Knob(
        "Task",
        choices=("classification", "regression"),
        name="task",
        kind=str,
        default="classification",
    ),
    "pool": Knob(
        "Pool",
        "Random training points that can be picked; empty: all.",
        100,
        name="pool",
        kind=int,
        optional=True,
        default=10_000,
    ),
    "seeds": Knob(
        "Seeds",
        "Each redraws the first labels, the networks and the picks.",
        2,
        50,
        name="seeds",
        kind=int,
        default=5,
    ),
}
SETTING = tuple(field.name for field in dataclasses.fields(Setting))


@dataclass(frozen=True)
class Unit:
    """One strategy with one seed through all rounds."""

    dataset: str
    n: int | None
    subset: int
    strategy: str
    setting: Setting
    seed: int
    task = "core.experiments.active.plan:compute"

    @property
    def work(self) -> float:
        """Points through the network in training: rounds that grow by a batch each, about 25 passes
        until 99% are right.
        """
        chosen = self.setting
        passes = chosen.epochs if chosen.until == "epochs" else min(25, chosen.epochs)
        labels = sum(chosen.start + i * chosen.batch for i in range(chosen.rounds + 1))
        return float(labels * passes * networks_trained(parse_strategy(self.strategy)[0]))

    def key(self, fingerprint: str) -> str:
        """The cache key of the run: its settings, the strategy's code and the code of the
        rounds.
        """
        name, knobs = parse_strategy(self.strategy)
        fields = {
            "strategy": name,
            "knobs": dict(knobs),
            "setting": dataclasses.asdict(self.setting),
            "seed": self.seed,
        }
        code = code_version("core.experiments.active.rounds") + code_version(
            menu.find(name).function.__module__
        )
        return cache.key("active", fields, code=code, data=fingerprint)


@dataclass(frozen=True)
class Active:
    """Which strategies compete, under which setting, with how many seeds."""

    dataset: str = "mnist"
    n: int | None = None
    subset: int = 0
    strategies: tuple[str, ...] = ("badge", "bait", "k_center", "entropy", RANDOM)
    network: str = "mlp"
    batch: int = 100
    rounds: int = 19
    start: int = 100
    until: str = "accuracy"
    epochs: int = 100
    task: str = "classification"
    pool: int | None = 10_000
    seeds: int = 5
    kind = "active"
    units_are = "runs"

    def with_(self, **changes: Any) -> Active:
        """This plan with some parts changed, checked and canonical.

        A UserError if a part does not fit.
        """
        return _canonical(dataclasses.replace(self, **changes))

    @property
    def setting(self) -> Setting:
        """What all strategies share."""
        return Setting(**{name: getattr(self, name) for name in SETTING})

    def to_query(self) -> dict[str, str]:
        """The link's parameters: what differs from the first plan."""
        texts = _texts(self)
        default = _texts(Active())
        return {name: text for name, text in texts.items() if text != default[name]}

    def units(self) -> list[Unit]:
        """Every run: the first seed of all strategies first."""
        each = product(range(1, self.seeds + 1), self.strategies)
        return [
            Unit(self.dataset, self.n, self.subset, chosen, self.setting, seed)
            for seed, chosen in each
        ]

    def title(self) -> str:
        """For captions and manifests."""
        last = self.start + self.batch * self.rounds
        return (
            f"{datasets.info(self.dataset).title}, {self.network}, batches of {self.batch:,} up to"
            f" {last:,} labels, {self.seeds} seeds"
        )


def from_query(query: Mapping[str, str]) -> tuple[Active, list[str]]:
    """The plan of a link, and one message for every part that could not be used (the rest is
    kept).
    """
    return plans.read(Active(), _texts(Active()), query)


def parse_strategy(text: str) -> tuple[str, tuple[tuple[str, Any], ...]]:
    """("bait", (("ridge", 0.1),)) of "bait:ridge=0.1", checked; knobs at their default are left
    out.
    """
    name, *settings = text.strip().split(":")
    chosen = menu.find(name)
    if any("=" not in setting for setting in settings):
        raise UserError(
            f"Strategy: found {text!r}, expected a name and settings such as bait:ridge=0.1."
        )
    values = parse_knobs(
        chosen.knobs, dict(setting.split("=", 1) for setting in settings), chosen.label
    )
    return name, tuple(
        (knob, value) for knob, value in values.items() if value != chosen.knobs[knob].default
    )


def canonical_strategies(given: str | tuple[str, ...]) -> tuple[str, ...]:
    """Strategies with their knobs, checked: each once, knobs at their default left out, random
    last. A UserError for too many.
    """
    texts = given.split() if isinstance(given, str) else given
    parsed = [parse_strategy(text) for text in texts]
    each = dict.fromkeys(
        ":".join([name, *(f"{knob}={value}" for knob, value in knobs)]) for name, knobs in parsed
    )
    each.pop(RANDOM, None)
    if len(each) >= MOST_STRATEGIES:
        raise UserError(
            f"Strategies: found {len(each)} beside random, expected at most {MOST_STRATEGIES - 1}."
            " Leave some out."
        )
    return (*each, RANDOM)


def check(plan: Active, data: Dataset) -> None:
    """A UserError if some run of the plan cannot begin on these points: what is known before any
    work.
    """
    check_network(plan.network, data)
    pool_of(data, plan.setting, seed=1)
    for text in plan.strategies:
        chosen = menu.find(parse_strategy(text)[0])
        if reason := inputs_of(chosen.needs, plan.setting):
            raise UserError(f"{chosen.label} {reason}. Leave it out of this experiment.")


def compute(unit: Unit) -> Entry:
    """In the worker: one run, from the cache or computed."""
    from core.experiments.active import rounds

    data = points(unit)
    name, knobs = parse_strategy(unit.strategy)
    return computed(
        unit,
        data,
        lambda progress: rounds.run(data, name, dict(knobs), unit.setting, unit.seed, progress),
    )


def _texts(plan: Active) -> dict[str, str]:
    plain = {name: str(getattr(plan, name)) for name in ("dataset", "n", "subset", *KNOBS)}
    return plain | {"strategies": " ".join(plan.strategies)}


def _canonical(plan: Active) -> Active:
    spec = Spec().with_(dataset=plan.dataset, n=plan.n, subset=plan.subset)
    knobs = {name: knob.parse(getattr(plan, name)) for name, knob in KNOBS.items()}
    strategies = canonical_strategies(plan.strategies)
    if (units := len(strategies) * knobs["seeds"]) > MOST_UNITS:
        raise UserError(
            f"Found {units:,} runs, expected at most {MOST_UNITS:,}. Choose fewer strategies or"
            " seeds."
        )
    return dataclasses.replace(
        plan, dataset=spec.dataset, n=spec.n, subset=spec.subset, strategies=strategies, **knobs
    )
