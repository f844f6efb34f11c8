"""Which labels are worth buying for a least-squares fit? A plan and its runs.

plan = Sampling().with_(seen=Spec(dataset="letter"), rules="leverage top", budgets="100 500")
plan.units()   every run: rule x draw, all budgets at once, uniform always among the rules

A rule without chance in it runs once and stands for all draws.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from core.data.learnable import learnable
from core.experiments.cost import OF_CORE, Measurement
from core.experiments.plan import Plan, Progress, Result, Unit, parse_budgets, words
from core.experiments.sampling import run
from core.experiments.sampling.rules import RULES
from core.experiments.sampling.run import LEARNS
from core.runtime import cache
from core.runtime.code_version import code_version
from core.runtime.threads import one_thread
from core.spec import Spec, embedding_key, resolve
from core.spec import from_query as spec_from_query
from core.strategy import Knob
from core.types import Dataset, UserError

UNIFORM = "uniform"
FIRST = Spec()
KNOBS = {
    "learns": Knob(
        "What is bought",
        "Labels, one number for each class; or the target that came with the points.",
        choices=LEARNS,
        name="learns",
        kind=str,
        default="labels",
    ),
    "seeds": Knob(
        "Draws",
        "Of each rule; one without chance has one.",
        2,
        50,
        name="seeds",
        kind=int,
        default=10,
    ),
}
PER_SECOND = 1.2e10  # operations of the reference core in such fits, see core/experiments/cost.py


@dataclass(frozen=True)
class SamplingRun(Unit):
    """One rule with one draw at all budgets, see `run.run`."""

    seen: Spec
    rule: str
    budgets: tuple[int, ...]
    learns: str
    seed: int

    @property
    def cost(self) -> float:
        """Seconds on the reference core, the problem being prepared."""
        n, d, outputs = _size(self.seen)
        operations = run.operations(self.rule, n, d, outputs, self.budgets)
        return operations / PER_SECOND

    def key(self, fingerprint: str) -> str:
        """The cache key: its settings, the embedding and the code of all of it."""
        embedded = embedding_key(self.seen, fingerprint)
        fields = {
            "rule": self.rule,
            "budgets": self.budgets,
            "learns": self.learns,
            "seed": self.seed,
            "embedding": cache.bundled_key(embedded),
        }
        code = code_version("core.experiments.sampling.run") + embedded
        return cache.key("sampling", fields, code=code, data=fingerprint)

    def points(self) -> Dataset:
        """In the worker: the Spec's dataset."""
        from core import pipeline

        return learnable(pipeline.dataset(self.seen.dataset, self.seen.n, self.seen.subset))

    def run(self, data: Dataset, progress: Progress) -> Result:
        """All budgets, see `run.run`."""
        from core import pipeline

        with one_thread():
            progress(0.0, "Preparing the fit to all labels")
            embedding = pipeline.embedding(self.seen).embedding
            key = self.seen, self.learns, data.fingerprint
            problem = run.kept_problem(key, data, embedding, self.learns)
            return run.run(problem, self.rule, self.budgets, self.seed, progress)


def parse_rules(given: str | tuple[str, ...]) -> tuple[str, ...]:
    """Each rule once, uniform first. A UserError for an unknown one."""
    names = dict.fromkeys([UNIFORM, *words(given)])
    if unknown := [name for name in names if name not in RULES]:
        raise UserError(f"Rule: found {unknown[0]!r}, expected one of {', '.join(RULES)}.")
    return tuple(names)


def usual_budgets(width: int, rows: int) -> tuple[int, ...]:
    """Six round numbers of labels from about the number of dimensions on, up to half of the rows.

    The interesting ones: below the rank no fit sees every direction.
    """
    round_ones = (digit * 10**power for power in range(7) for digit in (1, 2, 5))
    fitting = [k for k in round_ones if 0.6 * width <= k <= rows / 2]
    return tuple(fitting[:6]) or (max(1, rows // 2),)


BUDGETS = usual_budgets(784, 60_000)
LISTS = {"rules": parse_rules, "budgets": parse_budgets}


@dataclass(frozen=True)
class Sampling(Plan):
    """Which rules compete, at which budgets of labels, on which points under which embedding."""

    seen: Spec = FIRST
    rules: tuple[str, ...] = (UNIFORM, "leverage", "pivotal", "top")
    budgets: tuple[int, ...] = BUDGETS
    learns: str = "labels"
    seeds: int = 10
    kind = "sampling"
    units_are = "runs"
    knobs = KNOBS
    lists = LISTS
    fewer = "draws or rules"
    shared_is = "the fit to all labels"

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
    def measurement(self) -> Measurement:
        """How fast the worker's core is."""
        return OF_CORE

    def units(self) -> list[SamplingRun]:
        """Every run: the first draw of all rules first."""
        return [
            SamplingRun(self.seen, rule, self.budgets, self.learns, seed)
            for seed, rule in product(range(1, self.seeds + 1), self.rules)
            if seed == 1 or RULES[rule].drawn
        ]

    def shared(self, units: Iterable[SamplingRun], fingerprint: str) -> Mapping[str, float]:
        """Whitening the rows and the fit to all labels, which a worker does once."""
        if not list(units):
            return {}
        n, d, _ = _size(self.seen)
        operations = run.preparation(n, d)
        return {"cost": operations / PER_SECOND}

    def title(self) -> str:
        """For captions and manifests."""
        about = resolve(self.seen).about
        target = ", its target" if self.learns == "target" and about.labeled else ""
        return (
            f"{about.title}, {self.seen.embedding_label.lower()}{target},"
            f" up to {self.budgets[-1]:,} labels, {self.seeds} draws"
        )

    def check(self, data: Dataset) -> None:
        """A UserError if some run cannot begin on these points: what is known before the work."""
        pool, _ = run.split(data, regression=self.learns == "target")
        run.answers(data, self.learns)
        if self.budgets[-1] > len(pool):
            raise UserError(
                f"Budgets: found {self.budgets[-1]:,} labels, but the training part has"
                f" {len(pool):,} rows. Choose smaller budgets."
            )

    def to_query(self) -> dict[str, str]:
        """The link's parameters: what differs from the first plan."""
        own = super().to_query()
        return self.seen.to_query() | own

    @classmethod
    def _begun(cls, query: Mapping[str, str]) -> tuple[Sampling, list[str]]:
        seen, problems = spec_from_query(query)
        plan = cls(seen=seen)
        return plan.with_(), problems

    def _which_points(self) -> dict[str, Any]:
        seen = self.seen.with_(strategy=FIRST.strategy, strategy_knobs=(), draw=0)
        return {"seen": seen}

    def _texts(self) -> dict[str, str]:
        """The knobs' and lists': the Spec has its own."""
        names = (*self.knobs, *self.lists)
        texts = {name: getattr(self, name) for name in names}
        return {
            n: " ".join(map(str, t)) if isinstance(t, tuple) else str(t) for n, t in texts.items()
        }

    def _without_effect(self) -> dict[str, Any]:
        """Where there is but one thing to learn, it is learned."""
        about = resolve(self.seen).about
        if about.labeled == about.target:
            return {}
        return {"learns": "labels" if about.labeled else "target"}


def _size(seen: Spec) -> tuple[int, int, int]:
    """(rows, columns, outputs), about: an embedding that has not been made may be narrower."""
    request = resolve(seen)
    outputs = max(request.about.classes, 1)
    return request.rows, request.width, outputs
