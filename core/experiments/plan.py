"""What all experiments have in common: a plan, canonical, in a link and back, and its units.

    plan = Retraining().with_(budgets="1000 5000")      checked; a UserError says what does not fit
    Retraining.from_query(plan.to_query()) -> plan, problems
    plan.points(), plan.check(data)                     what it runs on, and whether it can
    plan.units()                                        what workers do, one job each
    compute(unit, precision) -> Entry                   in the worker: from the cache or computed

A plan is canonical like a Spec: it is the link, the job's argument and the command line at once.
"""

from __future__ import annotations

import dataclasses
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Self

import numpy as np

from core import datasets
from core.data.learnable import learnable
from core.experiments.cost import Measurement
from core.runtime import cache, tasks
from core.runtime.cache import Entry
from core.runtime.progress import advance
from core.spec import Spec
from core.strategy import Knob
from core.types import UserError

MOST_BUDGETS = 12
POINTS = ("dataset", "n", "subset")
Progress = Callable[[float, str], None]
Result = tuple[dict[str, np.ndarray], dict[str, Any]]


class Unit(ABC):
    """What a worker does of a plan in one go, such as one training.

    A kind's unit is a frozen dataclass of plain values. Its points are those of its fields dataset,
    n and subset, unless it says otherwise.
    """

    task = tasks.UNIT

    @property
    @abstractmethod
    def cost(self) -> float:
        """Its size, to compare units by, in what the plan's measurement counts per second."""

    @property
    def work(self) -> Mapping[str, float]:
        """What takes its time: amounts by the names of the measurement's rates."""
        return {"cost": self.cost}

    @abstractmethod
    def key(self, fingerprint: str) -> str:
        """The cache key of its outcome: its settings and the code of all of it."""

    @abstractmethod
    def run(self, data: Any, progress: Progress) -> Result:
        """In the worker: (arrays, facts)."""

    def points(self) -> Any:
        """In the worker: what it runs on; has a fingerprint."""
        from core import pipeline

        return learnable(pipeline.dataset(self.dataset, self.n, self.subset))


def compute(unit: Unit, precision: str | None = None) -> Entry:
    """In the worker: one unit, from the cache or computed.

    precision: in which its networks are trained, see core/experiments/precision.py; it is among the
    outcome's facts. None: it trains none, or as this machine does it fastest.
    """
    data = unit.points()
    key = unit.key(data.fingerprint)
    return cache.kept(key, lambda: _run(unit, data, precision), describe=str(unit))


def _run(unit: Unit, data: Any, precision: str | None) -> Result:
    if precision is None:
        return unit.run(data, advance)
    from core.models.training_speed import settled

    with settled(precision):
        arrays, facts = unit.run(data, advance)
    return arrays, facts | {"precision": precision}


class Plan(ABC):
    """An experiment.

    A kind's plan is a frozen dataclass whose defaults are the first plan. It names its parts:

    kind          the name of its page
    units_are     what its units are called
    knobs         numbers and choices
    lists         fields with several values: name -> reader of a text or a tuple
    most_units    how many units it may have; fewer: what to choose fewer of, should there be more
    shared_is     what `shared` counts, in words
    least         how many training points a class needs; smaller ones are left out
    """

    kind: ClassVar[str]
    units_are: ClassVar[str]
    knobs: ClassVar[Mapping[str, Knob]]
    lists: ClassVar[Mapping[str, Callable[[Any], tuple]]] = {}
    most_units: ClassVar[int] = 500
    fewer: ClassVar[str] = "seeds"
    least: ClassVar[int] = 1
    shared_is: ClassVar[str] = ""

    @abstractmethod
    def units(self) -> list[Any]:
        """Every unit, in the order in which they are to be done."""

    @abstractmethod
    def title(self) -> str:
        """For captions and manifests."""

    @abstractmethod
    def check(self, data: Any) -> None:
        """A UserError if some unit cannot begin on these points: what is known before the work."""

    @property
    @abstractmethod
    def measurement(self) -> Measurement:
        """How the speed of a worker is measured in what the units cost."""

    def shared(self, units: Iterable[Any], fingerprint: str) -> Mapping[str, float]:
        """Work that these units, all unfinished, need and one of them does for all."""
        return {}

    @property
    def trains(self) -> str | None:
        """The architecture that its units train; None: none."""
        return None

    def points(self) -> Any:
        """What it runs on; has a fingerprint."""
        data = datasets.load(self.dataset, n=self.n, seed=self.subset)
        return learnable(data, self.least)

    def with_(self, **changes: Any) -> Self:
        """This plan with some parts changed, checked and canonical.

        A UserError if a part does not fit.
        """
        plan = dataclasses.replace(self, **changes)
        values = plan._which_points()
        values |= {name: knob.parse(getattr(plan, name)) for name, knob in self.knobs.items()}
        values |= {name: read(getattr(plan, name)) for name, read in self.lists.items()}
        plan = dataclasses.replace(plan, **values)
        plan = dataclasses.replace(plan, **plan._without_effect())
        if (units := len(plan.units())) > self.most_units:
            raise UserError(
                f"Found {units:,} {self.units_are}, expected at most {self.most_units:,}."
                f" Choose fewer {self.fewer}."
            )
        return plan

    def to_query(self) -> dict[str, str]:
        """The link's parameters: what differs from the first plan."""
        first = self._first()._texts()
        return {name: text for name, text in self._texts().items() if text != first[name]}

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> tuple[Self, list[str]]:
        """The plan of a link, and one message for every part that could not be used.

        The rest of the link is kept.
        """
        plan, problems = cls._begun(query)
        for name in plan._texts():
            if name in query:
                try:
                    plan = plan.with_(**{name: query[name]})
                except UserError as error:
                    problems.append(str(error))
        return plan, problems

    @classmethod
    def _begun(cls, query: Mapping[str, str]) -> tuple[Self, list[str]]:
        """The plan that the parts of a link are put into."""
        return cls(), []

    def _first(self) -> Self:
        """The plan from which a link tells the differences."""
        return type(self)()

    def _which_points(self) -> dict[str, Any]:
        """The fields that say which points, checked and canonical."""
        spec = Spec().with_(**{name: getattr(self, name) for name in POINTS})
        return {name: getattr(spec, name) for name in POINTS}

    def _without_effect(self) -> dict[str, Any]:
        """Fields that play no part beside the others, at their default."""
        return {}

    def _texts(self) -> dict[str, str]:
        """Every part as the text that links and commands use."""
        parts = (*POINTS, *self.knobs, *self.lists)
        return {name: _text(getattr(self, name)) for name in parts}


def _text(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def words(given: str | Iterable[Any]) -> list[str]:
    """The values of a list as texts, out of a text or a tuple."""
    return given.split() if isinstance(given, str) else [str(value) for value in given]


def parse_budgets(given: str | tuple[int, ...]) -> tuple[int, ...]:
    """Sorted whole numbers of at least 1, out of a text or a tuple.

    A UserError for anything else, for none, and for more than twelve.
    """
    knob = Knob("Budget", low=1, name="budget", kind=int)
    if isinstance(given, str):  # 1,000 is one number; 5,6 is none
        given = re.sub(r"(?<=\d),(?=\d{3}\b)", "", given).split()
    parsed = sorted({knob.parse(text) for text in given})
    if not 1 <= len(parsed) <= MOST_BUDGETS:
        raise UserError(
            f"Budgets: found {len(parsed)},"
            f" expected 1 to {MOST_BUDGETS} numbers of points such as 1000 5000 10000."
        )
    return tuple(parsed)
