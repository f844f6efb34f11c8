"""One run of the BAIT paper's simulations: a design, a strategy and a seed, in a worker, kept in
the cache.

    Risk(design, strategy, seed, pool, ridge)                         Figure 3
    Rounds(dataset, n, subset, design, strategy, setting, seed)       Figures 1, 2 and 4
    compute(unit)                                                     the run, from the cache or
        computed

Arrays of every run: budget (b,), points picked or labels known, and value (b,), the Bayes risk or
the accuracy on the test points.
"""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.experiments.active.plan import parse_strategy
from core.experiments.active.rounds import Setting
from core.experiments.simulations import designs as simulations
from core.experiments.simulations.designs import BUDGETS
from core.experiments.work import computed, points
from core.plugins import menu
from core.runtime import cache, tasks
from core.runtime.cache import Entry
from core.runtime.code_version import code_version
from core.types import Dataset

Outcome = tuple[dict[str, np.ndarray], dict[str, Any]]
# Seconds of one core: a round of training; a round of BAIT among 2,000 points, forward and with
# points taken back, and each of its picks.
TRAINING = 0.1
PICKING = ((0.55, 0.011), (0.6, 0.031))


@dataclass(frozen=True)
class Source:
    """What an experiment is about that draws its own points: nothing but a name for it."""

    fingerprint: str


DRAWN = Source("drawn")


@dataclass(frozen=True)
class Risk:
    """One run of Figure 3. Arrays: budget (b,), value (b,) the Bayes risk."""

    design: str
    strategy: str
    seed: int
    pool: int
    ridge: float
    task = tasks.SIMULATION

    @property
    def work(self) -> float:
        """Seconds on the reference core, see core/experiments/cost.py."""
        return (0.4 if self.strategy.startswith("bait") else 0.1) * self.pool / 1000

    def key(self, fingerprint: str) -> str:
        """The cache key of the run: the dataset plays no part."""
        fields = {
            "design": self.design,
            **_named(self.strategy),
            "seed": self.seed,
            "pool": self.pool,
            "ridge": self.ridge,
        }
        return cache.key("simulation", fields, code=_code(self.strategy), data=DRAWN.fingerprint)

    def run(self, progress: Any) -> Outcome:
        """In the worker."""
        values = simulations.risks(
            self.design, self.strategy, self.seed, n=self.pool, ridge=self.ridge
        )
        return {"budget": np.array(BUDGETS), "value": values}, {"strategy": self.strategy}


@dataclass(frozen=True)
class Rounds:
    """One run of Figures 1, 2 and 4.

    Arrays: budget (r + 1,) labels known, value (r + 1,) accuracy on the test points, picks (r,
    batch).
    """

    dataset: str
    n: int | None
    subset: int
    design: str
    strategy: str
    setting: Setting
    seed: int
    task = tasks.SIMULATION

    @property
    def work(self) -> float:
        """Seconds on the reference core, see core/experiments/cost.py: training, and for BAIT the
        products with (d c)^2 numbers.
        """
        name, knobs = parse_strategy(self.strategy)
        chosen = self.setting
        start, each = PICKING[dict(knobs).get("backward", True)] if name == "bait" else (0, 0)
        return (
            TRAINING * (1 + chosen.rounds)
            + chosen.rounds * (start + each * chosen.batch) * chosen.pool / 2000
        )

    def key(self, fingerprint: str) -> str:
        """The cache key of the run."""
        fields = {
            "design": self.design,
            **_named(self.strategy),
            "seed": self.seed,
            "setting": dataclasses.asdict(self.setting),
        }
        return cache.key("simulation", fields, code=_code(self.strategy), data=fingerprint)

    def run(self, progress: Any) -> Outcome:
        """In the worker."""
        from core.experiments.active import rounds

        name, knobs = parse_strategy(self.strategy)
        data = _points(self.dataset, self.n, self.subset, self.design, self.seed)
        arrays, facts = rounds.run(data, name, dict(knobs), self.setting, self.seed, progress)
        return {
            "budget": arrays["labels"],
            "value": arrays["accuracy"],
            "picks": arrays["picks"],
        }, facts


def compute(unit: Risk | Rounds) -> Entry:
    """In the worker: one run, from the cache or computed."""
    return computed(unit, points(unit) if isinstance(unit, Rounds) else DRAWN, unit.run)


@functools.lru_cache(maxsize=2)
def _points(name: str, n: int | None, subset: int, design: str, seed: int) -> Dataset:
    """All strategies of one design and seed see the same points: learned once."""
    from core import pipeline

    data = pipeline.dataset(name, n, subset)
    return data if design == "network" else simulations.represent(data, design, seed)


def _named(text: str) -> dict[str, Any]:
    name, knobs = parse_strategy(text)
    return {"strategy": name, "knobs": dict(knobs)}


def _code(text: str) -> str:
    return code_version("core.experiments.simulations.designs") + code_version(
        menu.find(parse_strategy(text)[0]).function.__module__
    )
