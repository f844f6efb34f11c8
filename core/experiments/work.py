"""One unit of a plan in the worker: from the cache, or computed with progress and kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.runtime import cache
from core.runtime.cache import Entry
from core.runtime.progress import advance

Progress = Callable[[float, str], None]


def computed(unit: Any, data: Any, work: Callable[[Progress], tuple[dict, dict]]) -> Entry:
    """The unit's entry. data: its points, which have a fingerprint.

    work(progress): computes (arrays, facts).
    """
    key = unit.key(data.fingerprint)
    return cache.get(key) or cache.put(key, *work(advance), describe=str(unit))


def points(unit: Any) -> Any:
    """The dataset of a unit that names it: dataset, n, subset."""
    from core import pipeline

    return pipeline.dataset(unit.dataset, unit.n, unit.subset)
