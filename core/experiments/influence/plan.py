"""What would happen with this point, or without it? Two plans of one page, in links and back.

    Utilities(...)   predicted against truly retrained utilities, one unit per seed
        (core/experiments/influence/one_more.py)
    Queries(...)     rounds of goal-oriented active learning on a linear head, one unit per
        strategy and seed       (.../queries.py)

A plan is canonical like a Spec, which says what its points are and through which embedding the head
sees them: it is the link, the job's argument and the command line at once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from core import datasets
from core.experiments.cost import Measurement
from core.experiments.influence.queries import STRATEGIES
from core.experiments.work import Progress, computed, points
from core.runtime import cache
from core.runtime.cache import Entry
from core.runtime.code_version import code_version
from core.spec import Spec, embedding_key
from core.spec import from_query as spec_from_query
from core.strategies.goal import GOALS
from core.strategy import Knob
from core.types import Dataset, UserError

KIND = "influence"
STUDIES = ("utilities", "queries")
FIRST = Spec()
MOST_UNITS = 200
MOST_HEADS = 500_000  # of one seed
# of a pool point's moved logits under each label, at one time: as
# core/experiments/influence/one_more.py counts
COPIES = 4
_SHARED = {
    "labeled": Knob(
        "Labeled points",
        "Random ones, at least two of each class.",
        4,
        2_000,
        name="labeled",
        kind=int,
        default=100,
    ),
    "l2": Knob(
        "l2",
        "Times the squared weights, beside the mean loss.",
        0.0,
        10.0,
        choices=(0.0, 1e-4, 1e-3, 1e-2, 1e-1, 1.0),
        name="l2",
        kind=float,
        default=1e-2,
    ),
    "validation": Knob(
        "Validation points",
        "Labeled points for the first goal.",
        2,
        5_000,
        name="validation",
        kind=int,
        default=500,
    ),
    "seeds": Knob("Seeds", "Each redraws all points.", 2, 20, name="seeds", kind=int, default=5),
}
UTILITY_KNOBS = _SHARED | {
    "pool": Knob(
        "Pool",
        "Points that are added one at a time, under every label.",
        10,
        2_000,
        name="pool",
        kind=int,
        default=150,
    ),
}
QUERY_KNOBS = _SHARED | {
    "unlabeled": Knob(
        "Unlabeled points",
        "Those that can be asked for.",
        10,
        50_000,
        name="unlabeled",
        kind=int,
        default=2_000,
    ),
    "goal": Knob(
        "Goal",
        "What the goal-oriented strategies want to raise.",
        choices=GOALS,
        name="goal",
        kind=str,
        default="dev",
    ),
    "batch": Knob(
        "Batch size",
        "Labels asked for in each round.",
        1,
        1_000,
        name="batch",
        kind=int,
        default=10,
    ),
    "rounds": Knob(
        "Rounds", "How many batches are asked for.", 1, 200, name="rounds", kind=int, default=20
    ),
}


class _Common:
    """What both plans of the page have in common: their points, their place in a link, their
    speed.
    """

    kind = KIND

    @property
    def dataset(self) -> str:
        return self.seen.dataset

    @property
    def n(self) -> int | None:
        return self.seen.n

    @property
    def subset(self) -> int:
        return self.seen.subset

    @property
    def measurement(self) -> Measurement:
        """How its cost is measured: on a few heads of its own points."""
        arguments = (self.seen, self.labeled, self.l2)
        what = "how fast this machine retrains these heads"
        told = "{:,.0f} retrained heads per second each"
        return Measurement(
            f"~rate {self.kind} {arguments}",
            "core.experiments.influence.plan:measure",
            arguments,
            what,
            told,
        )

    def with_(self, **changes: Any) -> Any:
        """This plan with some parts changed, checked and canonical.

        A UserError if a part does not fit.
        """
        return _canonical(dataclasses.replace(self, **changes))

    def to_query(self) -> dict[str, str]:
        """The link's parameters: what differs from the first plan of its study."""
        default = type(self)()
        own = {
            name: str(getattr(self, name))
            for name in self.knobs
            if getattr(self, name) != getattr(default, name)
        }
        return (
            self.seen.to_query() | own | ({"study": self.study} if self.study != STUDIES[0] else {})
        )

    def setting(self) -> tuple[tuple[str, Any], ...]:
        """All its knobs but the seeds."""
        return tuple((name, getattr(self, name)) for name in self.knobs if name != "seeds")


@dataclass(frozen=True)
class Utilities(_Common):
    """For a labeled set, a pool and a validation set of each seed: every utility, predicted and
    retrained.
    """

    seen: Spec = FIRST
    labeled: int = 100
    l2: float = 1e-2
    validation: int = 500
    seeds: int = 5
    pool: int = 150
    units_are = "seeds"
    study = "utilities"
    knobs = UTILITY_KNOBS

    @property
    def candidates(self) -> int:
        """Points that may be added."""
        return self.pool

    def units(self) -> list[UtilityUnit]:
        """One for each seed."""
        return [UtilityUnit(self.seen, self.setting(), seed) for seed in range(1, self.seeds + 1)]

    def title(self) -> str:
        """For captions and manifests."""
        return (
            f"{_place(self.seen)}, {self.labeled:,} labeled points, l2 {self.l2:g}, {self.seeds}"
            " seeds"
        )


@dataclass(frozen=True)
class Queries(_Common):
    """Goal-oriented strategies, entropy and random under one goal, round after round."""

    seen: Spec = FIRST
    labeled: int = 100
    l2: float = 1e-2
    validation: int = 500
    seeds: int = 5
    unlabeled: int = 2_000
    goal: str = "dev"
    batch: int = 10
    rounds: int = 20
    units_are = "runs"
    study = "queries"
    knobs = QUERY_KNOBS
    strategies = STRATEGIES

    @property
    def candidates(self) -> int:
        """Points that may be added."""
        return self.unlabeled

    def units(self) -> list[QueryUnit]:
        """The first seed of all strategies first."""
        return [
            QueryUnit(self.seen, self.setting(), name, seed)
            for seed, name in product(range(1, self.seeds + 1), STRATEGIES)
        ]

    def title(self) -> str:
        """For captions and manifests."""
        last = self.labeled + self.batch * self.rounds
        return (
            f"{_place(self.seen)}, goal {self.goal}, batches of {self.batch:,} up to {last:,}"
            f" labels, {self.seeds} seeds"
        )


@dataclass(frozen=True)
class UtilityUnit:
    """One seed of Utilities."""

    seen: Spec
    setting: tuple[tuple[str, Any], ...]
    seed: int
    task = "core.experiments.influence.plan:compute"

    @property
    def work(self) -> float:
        """Heads that are retrained."""
        setting = dict(self.setting)
        classes = datasets.info(self.seen.dataset).classes
        return float(setting["pool"] * classes + setting["labeled"] + 100)

    def key(self, fingerprint: str) -> str:
        """The cache key of its outcome: its settings, the embedding and the code of all of it."""
        return _key(self, "core.experiments.influence.one_more", {}, fingerprint)


@dataclass(frozen=True)
class QueryUnit:
    """One strategy of Queries with one seed."""

    seen: Spec
    setting: tuple[tuple[str, Any], ...]
    strategy: str
    seed: int
    task = "core.experiments.influence.plan:query"

    @property
    def work(self) -> float:
        """Its rounds, each about ten retrained heads: a fit from further away, and the utilities of
        the pool.
        """
        return 10.0 * (dict(self.setting)["rounds"] + 1)

    def key(self, fingerprint: str) -> str:
        """The cache key of its outcome."""
        return _key(
            self, "core.experiments.influence.queries", {"strategy": self.strategy}, fingerprint
        )


Plan = Utilities | Queries


def from_query(query: Mapping[str, str]) -> tuple[Plan, list[str]]:
    """The plan of a link, and one message for every part that could not be used (the rest is
    kept).
    """
    seen, problems = spec_from_query(query)
    plan = (Queries if query.get("study") == "queries" else Utilities)(seen=_points(seen))
    for name in plan.knobs.keys() & query.keys():
        try:
            plan = plan.with_(**{name: query[name]})
        except UserError as error:
            problems.append(str(error))
    return plan, problems


def check(plan: Plan, data: Dataset) -> None:
    """A UserError if some unit of the plan cannot begin on these points: what is known before any
    work.
    """
    from core.experiments.influence.small_heads import draw

    if plan.l2 == 0:
        raise UserError(
            "l2: found 0. So few points can be separated, and then the head has no end and no"
            " Hessian. Choose 0.0001 or more."
        )
    if plan.study == "queries" and plan.batch * plan.rounds > plan.unlabeled:
        asked = (
            f"{plan.rounds} batches of {plan.batch:,} ask for {plan.batch * plan.rounds:,} labels"
        )
        raise UserError(
            f"Queries: {asked}, but there are {plan.unlabeled:,}. Choose fewer rounds, smaller"
            " batches or more points."
        )
    heads = plan.candidates * len(data.class_names) if plan.study == "utilities" else 0
    if heads > MOST_HEADS:
        raise UserError(
            f"Found {heads:,} heads to retrain for each seed, expected at most {MOST_HEADS:,}."
            " Choose a smaller pool."
        )
    _check_size(plan, len(data.class_names), data.d)
    for seed in range(1, plan.seeds + 1):
        draw(data, plan.labeled, plan.candidates, plan.validation, seed)


def _check_size(plan: Plan, classes: int, d: int) -> None:
    """What a Newton step of every candidate would need: the pool against the validation set, and
    the head's Hessian in one piece.
    """
    from core.linalg.hessian import INVERTED
    from core.linalg.newton_update import EVALUATIONS

    if plan.study == "utilities":
        numbers = plan.pool * COPIES * classes * plan.validation * classes
        if numbers > EVALUATIONS:
            found = (
                f"{plan.pool:,} points judged by {plan.validation:,}, which takes {numbers:.1e}"
                " numbers"
            )
            raise UserError(
                f"Utilities: found {found}; expected at most {EVALUATIONS:.0e}. Choose a smaller"
                " pool or validation set."
            )
    parameters = (classes - 1) * (min(plan.labeled, d) + 1)
    if (
        plan.seen.embedding == Spec().embedding and parameters > INVERTED
    ):  # how wide another embedding is, shows when it is made
        found = (
            f"{plan.labeled:,} points of {classes} classes, whose head has {parameters:,}"
            " parameters"
        )
        raise UserError(
            f"Labeled: found {found}; expected at most {INVERTED:,}. Choose fewer labeled points."
        )


def compute(unit: UtilityUnit) -> Entry:
    """In the worker: one seed of Utilities, from the cache or computed."""
    from core.experiments.influence.one_more import compare

    return _computed(unit, lambda data, matrix, **how: compare(data, matrix, **how))


def query(unit: QueryUnit) -> Entry:
    """In the worker: one run of Queries, from the cache or computed."""
    from core.experiments.influence.queries import run

    return _computed(
        unit, lambda data, matrix, **how: run(data, matrix, strategy=unit.strategy, **how)
    )


def measure(seen: Spec, labeled: int, l2: float) -> dict[str, float]:
    """In the worker: heads retrained per second on these points, tried on a few."""
    from core import pipeline
    from core.experiments.influence.one_more import speed
    from core.runtime.threads import one_thread

    data = pipeline.dataset(seen.dataset, seen.n, seen.subset)
    with one_thread():
        return speed(data, pipeline.embedding(seen).embedding, labeled, l2)


def _computed(unit: UtilityUnit | QueryUnit, work: Callable) -> Entry:
    from core import pipeline
    from core.runtime.threads import one_thread

    data = points(unit.seen)

    def run(progress: Progress) -> tuple[dict, dict]:
        matrix = pipeline.embedding(unit.seen).embedding
        with one_thread():
            return work(data, matrix, **dict(unit.setting), seed=unit.seed, progress=progress)

    return computed(unit, data, run)


def _key(unit: UtilityUnit | QueryUnit, module: str, more: dict[str, str], fingerprint: str) -> str:
    embedded = embedding_key(
        unit.seen, fingerprint
    )  # its last digits are its code's version, which is not what is asked for
    fields = (
        dict(unit.setting) | {"seed": unit.seed, "embedding": cache.bundled_key(embedded)} | more
    )
    return cache.key("utilities", fields, code=code_version(module) + embedded, data=fingerprint)


def _canonical(plan: Plan) -> Plan:
    knobs = {name: knob.parse(getattr(plan, name)) for name, knob in plan.knobs.items()}
    found = dataclasses.replace(plan, seen=_points(plan.seen), **knobs)
    if (units := len(found.units())) > MOST_UNITS:
        raise UserError(
            f"Found {units:,} runs, expected at most {MOST_UNITS:,}. Choose fewer seeds."
        )
    return found


def _points(seen: Spec) -> Spec:
    """Which points, through which embedding; the strategy plays no part."""
    return seen.with_(strategy=Spec().strategy, strategy_knobs=(), draw=0)


def _place(seen: Spec) -> str:
    return f"{datasets.info(seen.dataset).title}, {seen.embedding_label.lower()}"
