"""What workers do for the Influence page: one unit of its plans, and how fast they are at it.

    UtilityRun(seen, setting, seed)             core/experiments/influence/add_or_remove_one.py
    QueryRun(seen, setting, strategy, seed)     core/experiments/influence/queries.py
    measure(seen, labeled, l2)                  heads retrained per second

setting: all knobs of the plan but the seeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core import datasets
from core.data.learnable import learnable
from core.experiments import cost
from core.experiments.plan import Progress, Result, Unit
from core.runtime import cache
from core.runtime.code_version import code_version
from core.runtime.threads import one_thread
from core.spec import Spec, embedding_key
from core.types import Dataset

# A head that leaves out a point is fitted without it: each class needs another one.
LEAST = 2


def points_of(seen: Spec) -> Dataset:
    """In the worker: the Spec's dataset, less the classes that such heads cannot learn."""
    from core import pipeline

    return learnable(pipeline.dataset(seen.dataset, seen.n, seen.subset), LEAST)


class HeadUnit(Unit):
    """A unit on heads fitted to few points: its settings, all of the plan's but the seeds."""

    seen: Spec
    setting: tuple[tuple[str, Any], ...]
    seed: int

    def points(self) -> Dataset:
        """In the worker: the Spec's dataset."""
        return points_of(self.seen)

    def _arguments(self, progress: Progress) -> dict[str, Any]:
        from core import pipeline

        matrix = pipeline.embedding(self.seen).embedding
        return dict(self.setting) | {"embedding": matrix, "seed": self.seed, "progress": progress}

    def _key(self, module: str, more: Mapping[str, str], fingerprint: str) -> str:
        """The embedding's key ends in its code's version: that counts as code, not as a field."""
        embedded = embedding_key(self.seen, fingerprint)
        fields = dict(self.setting) | {"seed": self.seed, **more}
        return cache.key(
            "utilities",
            fields | {"embedding": cache.bundled_key(embedded)},
            code=code_version(module) + embedded,
            data=fingerprint,
        )


@dataclass(frozen=True)
class UtilityRun(HeadUnit):
    """One seed of Utilities."""

    seen: Spec
    setting: tuple[tuple[str, Any], ...]
    seed: int

    @property
    def cost(self) -> float:
        """Heads that are retrained."""
        setting = dict(self.setting)
        classes = datasets.info(self.seen.dataset).classes
        return float(setting["pool"] * classes + setting["labeled"] + 100)

    def key(self, fingerprint: str) -> str:
        """The cache key: its settings, the embedding and the code of all of it."""
        return self._key("core.experiments.influence.add_or_remove_one", {}, fingerprint)

    def run(self, data: Dataset, progress: Progress) -> Result:
        """All predictions and their truths, see `add_or_remove_one.compare`."""
        from core.experiments.influence.add_or_remove_one import compare

        arguments = self._arguments(progress)
        with one_thread():
            return compare(data, **arguments)


@dataclass(frozen=True)
class QueryRun(HeadUnit):
    """One strategy of Queries with one seed."""

    seen: Spec
    setting: tuple[tuple[str, Any], ...]
    strategy: str
    seed: int

    @property
    def cost(self) -> float:
        """About ten retrained heads a round: a fit from further away, and the pool's utilities."""
        return 10.0 * (dict(self.setting)["rounds"] + 1)

    def key(self, fingerprint: str) -> str:
        """The cache key: its settings, the embedding and the code of all of it."""
        more = {"strategy": self.strategy}
        return self._key("core.experiments.influence.queries", more, fingerprint)

    def run(self, data: Dataset, progress: Progress) -> Result:
        """All rounds, see `queries.run`."""
        from core.experiments.influence import queries

        arguments = self._arguments(progress)
        with one_thread():
            return queries.run(data, strategy=self.strategy, **arguments)


def measure(seen: Spec, labeled: int, l2: float) -> dict[str, float]:
    """In the worker: heads retrained per second on these points, tried on a few."""
    from core import pipeline
    from core.experiments.influence.add_or_remove_one import speed
    from core.runtime.threads import one_thread

    data = points_of(seen)
    matrix = pipeline.embedding(seen).embedding
    found: list[dict[str, float]] = []

    def one() -> float:
        with one_thread():
            found.append(speed(data, matrix, labeled, l2))
        return found[-1]["rate"]

    rate = float(cost.side_by_side(one))
    return found[-1] | {"rate": rate}
