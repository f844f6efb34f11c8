"""One run of the BAIT paper's simulations: a design, a strategy and a seed.

    RiskRun(design, strategy, seed, pool, ridge)                          Figure 3
    LabelingRun(dataset, n, subset, design, strategy, setting, seed)      Figures 1, 2 and 4

Arrays of every run: budget (b,), points picked or labels known, and value (b,), the Bayes risk or
the accuracy on the test points.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.data.learnable import learnable
from core.experiments.active import rounds, speed
from core.experiments.active.rounds import RoundSettings
from core.experiments.active.strategy_texts import parse_strategy
from core.experiments.plan import Progress, Result, Unit
from core.experiments.simulations import bayes_risk, representations
from core.experiments.simulations.bayes_risk import BUDGETS
from core.plugins import menu
from core.runtime import cache
from core.runtime.code_version import code_version
from core.types import Dataset

# Seconds of one core: a round of training; a round of BAIT among 2,000 points, forward and with
# points taken back, and each of its picks.
TRAINING = 0.1
PICKING = ((0.55, 0.011), (0.6, 0.031))


# Of BAIT's matrices: nine contrasts of ten classes by 128 dimensions, float64.
BYTES = 8 * (9 * 128) ** 2 * 6


@dataclass(frozen=True)
class NoDataset:
    """What an experiment is about that draws its own points: nothing but a name for it."""

    fingerprint: str


DRAWN = NoDataset("drawn")


@dataclass(frozen=True)
class RiskRun(Unit):
    """One run of Figure 3. Arrays: budget (b,), value (b,) the Bayes risk."""

    design: str
    strategy: str
    seed: int
    pool: int
    ridge: float

    @property
    def cost(self) -> float:
        """Seconds on the reference core, see core/experiments/cost.py."""
        return (0.4 if self.strategy.startswith("bait") else 0.1) * self.pool / 1000

    def key(self, fingerprint: str) -> str:
        """The cache key: the dataset plays no part."""
        fields = {
            "design": self.design,
            **_named(self.strategy),
            "seed": self.seed,
            "pool": self.pool,
            "ridge": self.ridge,
        }
        code = code_version("core.experiments.simulations.bayes_risk") + _code_of(self.strategy)
        return cache.key("simulation", fields, code=code, data=DRAWN.fingerprint)

    def points(self) -> NoDataset:
        """They are drawn."""
        return DRAWN

    def run(self, data: NoDataset, progress: Progress) -> Result:
        """The risk at every budget."""
        name, knobs = parse_strategy(self.strategy)
        values = bayes_risk.risks(
            self.design, name, self.seed, knobs=dict(knobs), n=self.pool, ridge=self.ridge
        )
        return {"budget": np.array(BUDGETS), "value": values}, {"strategy": self.strategy}


@dataclass(frozen=True)
class LabelingRun(Unit):
    """One run of Figures 1, 2 and 4.

    budget (r + 1,)    labels known
    value (r + 1,)     accuracy on the test points
    reached (r + 1,)   were 99% of the round's labels learned?
    picks (r, batch)   dataset rows
    """

    dataset: str
    n: int | None
    subset: int
    design: str
    strategy: str
    setting: RoundSettings
    seed: int

    @property
    def cost(self) -> float:
        """Seconds on the reference core, see core/experiments/cost.py.

        Training, and for BAIT the products with (d c)^2 numbers.
        """
        name, knobs = parse_strategy(self.strategy)
        chosen = self.setting
        start, each = PICKING[dict(knobs).get("backward", True)] if name == "bait" else (0, 0)
        picking = chosen.rounds * (start + each * chosen.batch) * chosen.pool / 2000
        return TRAINING * (1 + chosen.rounds) + picking

    @property
    def work(self) -> dict[str, float]:
        """Rounds trained, and batches picked by its strategy."""
        chosen = self.setting
        return {speed.ROUND: chosen.rounds + 1, speed.picking(self.strategy): chosen.rounds}

    def key(self, fingerprint: str) -> str:
        """The cache key: its settings, the strategy's code and that of the rounds."""
        fields = {
            "design": self.design,
            **_named(self.strategy),
            "seed": self.seed,
            "setting": self.setting.fields,
        }
        modules = ("core.experiments.simulations.representations", "core.experiments.active.rounds")
        code = "".join(map(code_version, modules)) + _code_of(self.strategy)
        return cache.key("simulation", fields, code=code, data=fingerprint)

    def run(self, data: Dataset, progress: Progress) -> Result:
        """All rounds on the design's representation of the points."""
        name, knobs = parse_strategy(self.strategy)
        if self.design != "network":
            data = _represented(self.dataset, self.n, self.subset, self.design, self.seed)
        arrays, facts = rounds.run(data, name, dict(knobs), self.setting, self.seed, progress)
        return {
            "budget": arrays["labels"],
            "value": arrays["accuracy"],
            "reached": arrays["reached"],
            "picks": arrays["picks"],
        }, facts


def measure(
    dataset: str,
    n: int | None,
    subset: int,
    design: str,
    strategies: Sequence[str],
    setting: RoundSettings,
) -> dict[str, Any]:
    """In the worker: rounds and batches per second on this design's representation."""
    from core import pipeline

    data = learnable(pipeline.dataset(dataset, n, subset))
    if design != "network":
        data = representations.represent(data, design, 1)
    return speed.of_rounds(data, strategies, setting) | {"weights": BYTES / 16}


@functools.lru_cache(maxsize=2)
def _represented(name: str, n: int | None, subset: int, design: str, seed: int) -> Dataset:
    """All strategies of one design and seed see the same points: learned once."""
    from core import pipeline

    return representations.represent(learnable(pipeline.dataset(name, n, subset)), design, seed)


def _named(text: str) -> dict[str, Any]:
    name, knobs = parse_strategy(text)
    return {"strategy": name, "knobs": dict(knobs)}


def _code_of(strategy: str) -> str:
    return code_version(menu.find(parse_strategy(strategy)[0]).function.__module__)
