"""Which strategy needs the fewest labels? A plan of active learning; a run per strategy and seed.

plan = Active().with_(strategies="badge bait:ridge=0.1", batch=100, rounds=19)
plan.units()   every run: strategy x seed, random always among the strategies
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from itertools import product
from typing import Any

from core import datasets
from core.experiments.active import rounds, speed
from core.experiments.active.round_training import BATCH, STEPS, answers_of
from core.experiments.active.rounds import RoundSettings, inputs_of, networks_trained, pool_of
from core.experiments.active.strategy_texts import RANDOM, parse_strategies, parse_strategy
from core.experiments.cost import Measurement
from core.experiments.plan import Plan, Progress, Result, Unit
from core.models.network_names import check_network
from core.plugins import menu
from core.runtime import cache, tasks
from core.runtime.code_version import code_version
from core.strategy import Knob
from core.types import Dataset, UserError

NETWORKS = ("mlp", "linear", "lenet5", "talk_cnn", "resnet18", "vgg11", "fi_cnn")
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
        "So many through the labeled points in each round.",
        1,
        1000,
        name="epochs",
        kind=int,
        default=100,
    ),
    "steps": Knob(
        "Steps at most",
        "Of the optimizer, in each round: a round that needs more is cut, and not compared.",
        1,
        1_000_000,
        name="steps",
        kind=int,
        default=STEPS,
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
        1_000_000,
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
LISTS = {"strategies": parse_strategies}
SETTINGS = tuple(field.name for field in dataclasses.fields(RoundSettings))
PASSES = {True: 15, False: 400}  # until 99% are right: of images (MNIST), of a table (letter)


@dataclass(frozen=True)
class ActiveRun(Unit):
    """One strategy with one seed through all rounds."""

    dataset: str
    n: int | None
    subset: int
    strategy: str
    setting: RoundSettings
    seed: int

    @property
    def cost(self) -> float:
        """Points through the network in training, by the passes that 99% took here."""
        chosen = self.setting
        passes = PASSES[datasets.info(self.dataset).is_images]
        samples = 0
        for labels in (chosen.start + i * chosen.batch for i in range(chosen.rounds + 1)):
            most = chosen.steps * min(BATCH, labels)
            by_passes = chosen.until == "epochs"
            samples += labels * chosen.epochs if by_passes else min(labels * passes, most)
        return float(samples * networks_trained(parse_strategy(self.strategy)[0]))

    @property
    def work(self) -> dict[str, float]:
        """Rounds trained, and batches picked by its strategy."""
        chosen = self.setting
        trained = (chosen.rounds + 1) * networks_trained(parse_strategy(self.strategy)[0])
        return {speed.ROUND: trained, speed.picking(self.strategy): chosen.rounds}

    def key(self, fingerprint: str) -> str:
        """The cache key: its settings, the strategy's code and the code of the rounds."""
        name, knobs = parse_strategy(self.strategy)
        fields = {
            "strategy": name,
            "knobs": dict(knobs),
            "setting": self.setting.fields,
            "seed": self.seed,
        }
        code = code_version("core.experiments.active.rounds")
        code += code_version(menu.find(name).function.__module__)
        return cache.key("active", fields, code=code, data=fingerprint)

    def run(self, data: Dataset, progress: Progress) -> Result:
        """All rounds, see `rounds.run`."""
        name, knobs = parse_strategy(self.strategy)
        return rounds.run(data, name, dict(knobs), self.setting, self.seed, progress)


@dataclass(frozen=True)
class Active(Plan):
    """Which strategies compete, under which settings, with how many seeds."""

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
    steps: int = STEPS
    task: str = "classification"
    pool: int | None = 10_000
    seeds: int = 5
    kind = "active"
    units_are = "runs"
    knobs = KNOBS
    lists = LISTS
    fewer = "strategies or seeds"

    @property
    def setting(self) -> RoundSettings:
        """What all strategies share."""
        return RoundSettings(**{name: getattr(self, name) for name in SETTINGS})

    @property
    def trains(self) -> str:
        """Its network."""
        return self.network

    @property
    def measurement(self) -> Measurement:
        """Rounds and batches per second, of a round half way and of small batches."""
        arguments = (self.dataset, self.n, self.subset, self.strategies, self.setting)
        return Measurement(
            f"~rate {self.kind} {arguments}",
            tasks.ROUNDS_SPEED,
            arguments,
            "how fast this machine trains a round, and picks",
            "{:.2g} rounds of training per second each",
        )

    def _without_effect(self) -> dict[str, Any]:
        idle = "epochs" if self.until == "accuracy" else "steps"
        return {idle: KNOBS[idle].default}

    def units(self) -> list[ActiveRun]:
        """Every run: the first seed of all strategies first."""
        each = product(range(1, self.seeds + 1), self.strategies)
        return [
            ActiveRun(self.dataset, self.n, self.subset, chosen, self.setting, seed)
            for seed, chosen in each
        ]

    def title(self) -> str:
        """For captions and manifests."""
        last = self.start + self.batch * self.rounds
        task = ", regression" if self.task == "regression" else ""
        return (
            f"{datasets.info(self.dataset).title}{task}, {self.network}, batches of {self.batch:,}"
            f" up to {last:,} labels, {self.seeds} seeds"
        )

    def check(self, data: Dataset) -> None:
        """A UserError if some run cannot begin on these points: what is known before the work."""
        check_network(self.network, data)
        if self.task == "classification" and not data.labeled and data.target is not None:
            raise UserError(
                f"{data.called}: found a target and no classes, expected classes for a"
                " classification. Choose the task regression."
            )
        answers_of(data, self.task)
        pool_of(data, self.setting, seed=1)
        for text in self.strategies:
            chosen = menu.find(parse_strategy(text)[0])
            if reason := inputs_of(chosen.needs, self.setting):
                raise UserError(f"{chosen.label} {reason}. Leave it out of this experiment.")
