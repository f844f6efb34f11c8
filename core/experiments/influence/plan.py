"""What would happen with this point, or without it? Two plans of one page, in links and back.

    Utilities(...)   predicted against truly retrained utilities, one unit per seed
                     (core/experiments/influence/add_or_remove_one.py)
    Queries(...)     rounds of goal-oriented active learning on a linear head, one unit per strategy
                     and seed (core/experiments/influence/queries.py)

A Spec says what their points are and through which embedding the head sees them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, ClassVar

from core import datasets
from core.experiments.cost import Measurement
from core.experiments.influence.labeled_heads import draw
from core.experiments.influence.queries import STRATEGIES
from core.experiments.influence.units import LEAST, QueryRun, UtilityRun
from core.experiments.plan import Plan
from core.linalg.hessian import INVERTED
from core.linalg.newton_update import EVALUATIONS
from core.runtime import tasks
from core.spec import Spec
from core.spec import from_query as spec_from_query
from core.strategies.goal import GOALS
from core.strategy import Knob
from core.types import Dataset, UserError

FIRST = Spec()
MOST_HEADS = 500_000  # of one seed
# Of a pool point's moved logits under each label, at one time: as `add_or_remove_one.added` counts.
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


class Influence(Plan):
    """What both plans of the page have in common: their points, their place in a link, their speed.

    study: which of the two a link means. candidates: points that may be added.
    """

    kind = "influence"
    least = LEAST
    study: ClassVar[str]
    seen: Spec

    @property
    @abstractmethod
    def candidates(self) -> int:
        """Points that may be added."""

    @property
    def dataset(self) -> str:
        """The Spec's."""
        return self.seen.dataset

    @property
    def n(self) -> int | None:
        """The Spec's."""
        return self.seen.n

    @property
    def subset(self) -> int:
        """The Spec's."""
        return self.seen.subset

    @property
    def setting(self) -> tuple[tuple[str, Any], ...]:
        """All its knobs but the seeds."""
        return tuple((name, getattr(self, name)) for name in self.knobs if name != "seeds")

    @property
    def measurement(self) -> Measurement:
        """Heads retrained per second, on a few of its own points."""
        arguments = (self.seen, self.labeled, self.l2)
        return Measurement(
            f"~rate {self.kind} {arguments}",
            tasks.HEADS_SPEED,
            arguments,
            "how fast this machine retrains these heads",
            "{:,.0f} retrained heads per second each",
        )

    def to_query(self) -> dict[str, str]:
        """The link's parameters: what differs from the first plan of its study."""
        study = {} if self.study == Utilities.study else {"study": self.study}
        return self.seen.to_query() | super().to_query() | study

    def check(self, data: Dataset) -> None:
        """A UserError if some unit cannot begin on these points: what is known before the work."""
        if self.l2 == 0:
            raise UserError(
                "l2: found 0. So few points can be separated, and then the head has no end and no"
                " Hessian. Choose 0.0001 or more."
            )
        self._check_candidates(len(data.class_names))
        _check_hessian(self, len(data.class_names), data.d)
        for seed in range(1, self.seeds + 1):
            draw(data, self.labeled, self.candidates, self.validation, seed)

    @abstractmethod
    def _check_candidates(self, classes: int) -> None:
        """A UserError if they are too few or too many."""

    @classmethod
    def _begun(cls, query: Mapping[str, str]) -> tuple[Influence, list[str]]:
        seen, problems = spec_from_query(query)
        study = STUDIES.get(query.get("study", ""), Utilities)
        return study(seen=_without_strategy(seen)), problems

    def _which_points(self) -> dict[str, Any]:
        return {"seen": _without_strategy(self.seen)}

    def _texts(self) -> dict[str, str]:
        """The knobs': the Spec has its own."""
        return {name: str(getattr(self, name)) for name in self.knobs}


@dataclass(frozen=True)
class Utilities(Influence):
    """For each seed's labeled points, pool and validation set: utilities, foreseen and true."""

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

    def units(self) -> list[UtilityRun]:
        """One for each seed."""
        return [UtilityRun(self.seen, self.setting, seed) for seed in range(1, self.seeds + 1)]

    def title(self) -> str:
        """For captions and manifests."""
        return (
            f"{_place(self.seen)}, {self.labeled:,} labeled points, l2 {self.l2:g},"
            f" {self.seeds} seeds"
        )

    def _check_candidates(self, classes: int) -> None:
        """What a Newton step of every candidate would need: the pool against the validation set."""
        if (heads := self.pool * classes) > MOST_HEADS:
            raise UserError(
                f"Found {heads:,} heads to retrain for each seed,"
                f" expected at most {MOST_HEADS:,}. Choose a smaller pool."
            )
        numbers = self.pool * COPIES * classes * self.validation * classes
        if numbers > EVALUATIONS:
            raise UserError(
                f"Utilities: found {self.pool:,} points judged by {self.validation:,}, which takes"
                f" {numbers:.1e} numbers; expected at most {EVALUATIONS:.0e}."
                " Choose a smaller pool or validation set."
            )


@dataclass(frozen=True)
class Queries(Influence):
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

    def units(self) -> list[QueryRun]:
        """The first seed of all strategies first."""
        return [
            QueryRun(self.seen, self.setting, name, seed)
            for seed, name in product(range(1, self.seeds + 1), STRATEGIES)
        ]

    def title(self) -> str:
        """For captions and manifests."""
        last = self.labeled + self.batch * self.rounds
        return (
            f"{_place(self.seen)}, goal {self.goal}, batches of {self.batch:,} up to {last:,}"
            f" labels, {self.seeds} seeds"
        )

    def _check_candidates(self, classes: int) -> None:
        asked = self.batch * self.rounds
        if asked > self.unlabeled:
            raise UserError(
                f"Queries: {self.rounds} batches of {self.batch:,} ask for {asked:,} labels, but"
                f" there are {self.unlabeled:,}."
                " Choose fewer rounds, smaller batches or more points."
            )


STUDIES = {plan.study: plan for plan in (Utilities, Queries)}


def _check_hessian(plan: Influence, classes: int, d: int) -> None:
    """A UserError if the head's Hessian is too large to be inverted in one piece."""
    parameters = (classes - 1) * (min(plan.labeled, d) + 1)
    # How wide another embedding is, shows when it is made.
    if plan.seen.embedding == FIRST.embedding and parameters > INVERTED:
        raise UserError(
            f"Labeled: found {plan.labeled:,} points of {classes} classes, whose head has"
            f" {parameters:,} parameters; expected at most {INVERTED:,}."
            " Choose fewer labeled points."
        )


def _without_strategy(seen: Spec) -> Spec:
    """Which points, through which embedding; the strategy plays no part."""
    return seen.with_(strategy=FIRST.strategy, strategy_knobs=(), draw=0)


def _place(seen: Spec) -> str:
    return f"{datasets.info(seen.dataset).title}, {seen.embedding_label.lower()}"
