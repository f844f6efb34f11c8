"""What is finished of a plan: outcomes from the cache, from the app's own, or of this process.

    outcomes(plan, fingerprint) -> {unit: Outcome}   only finished ones; cheap to ask often
    precisions(plan, fingerprint)                    how many of them were trained in which
    pack(plan, fingerprint)                          all of it as one result to bundle

What comes with the app is packed: one bundled result per plan, its units' outcomes stacked.
"""

from __future__ import annotations

import functools
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from core.experiments.plan import Plan
from core.runtime import cache
from core.runtime.cache import Entry

Outcome = Mapping[str, np.ndarray]
REMEMBERED = 20_000
_outcomes: dict[str, Outcome] = {}
_precisions: dict[str, str | None] = {}
_one_writer = threading.Lock()


def plan_key(plan: Plan, fingerprint: str) -> str:
    """The key of the whole experiment: it changes when any of its units would."""
    return cache.key(
        plan.kind,
        {"units": [key for _, key in _keys(plan, fingerprint)]},
        code="",
        data=fingerprint,
    )


def outcomes(plan: Plan, fingerprint: str) -> dict[Any, Outcome]:
    """The finished units of a plan, in its order."""
    keys = _keys(plan, fingerprint)
    return {unit: found for unit, key in keys if (found := outcome(key)) is not None}


def precisions(plan: Plan, fingerprint: str) -> Counter[str | None]:
    """How many finished units were trained in which precision; None: it was not recorded."""
    found = [key for _, key in _keys(plan, fingerprint) if outcome(key) is not None]
    return Counter(_precisions.get(key) for key in found)


def outcome(key: str) -> Outcome | None:
    """One unit's arrays, if it is finished."""
    if (known := _outcomes.get(key)) is not None:
        return known
    if found := cache.get(key):
        return remember(key, found.arrays, found.facts.get("precision"))
    packed = _packed(key)
    return None if packed is None else remember(key, *packed)


def remember(key: str, arrays: Outcome, precision: str | None = None) -> Outcome:
    """Keep an outcome in this process: it stays even if the disk refused it."""
    copied = {name: np.array(array) for name, array in arrays.items()}
    with _one_writer:  # the sweeps' thread and every page's
        while len(_outcomes) >= REMEMBERED:
            oldest = next(iter(_outcomes))
            del _outcomes[oldest]
            _precisions.pop(oldest, None)
        _precisions[key] = precision
        _outcomes[key] = copied
    return copied


def forget() -> None:
    """Ask the disk again for everything."""
    with _one_writer:
        _outcomes.clear()
        _precisions.clear()
    bundled.cache_clear()


def missing(plan: Plan, fingerprint: str) -> list[tuple[Any, str]]:
    """The units that are still to do, with their keys, in the plan's order."""
    return [(unit, key) for unit, key in _keys(plan, fingerprint) if outcome(key) is None]


@functools.lru_cache(maxsize=64)
def _keys(plan: Plan, fingerprint: str) -> tuple[tuple[Any, str], ...]:
    return tuple((unit, unit.key(fingerprint)) for unit in plan.units())


def pack(plan: Plan, fingerprint: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """All that is finished of a plan as one result to bundle, in float32 and int32.

    Every array is flat, one unit after the other. facts["units"]: the units' keys; facts["shapes"]:
    of every array, unit by unit. facts["precision"]: of each unit, None if it was not recorded or
    it trains no network.
    """
    finished = {key: arrays for _, key in _keys(plan, fingerprint) if (arrays := outcome(key))}
    found = {cache.bundled_key(key): arrays for key, arrays in finished.items()}
    names = list(next(iter(found.values())))
    arrays = {
        name: np.concatenate([_small(one[name]).ravel() for one in found.values()])
        for name in names
    }
    shapes = {name: [list(np.shape(one[name])) for one in found.values()] for name in names}
    return arrays, {
        "units": list(found),
        "shapes": shapes,
        "precision": [_precisions.get(key) for key in finished],
        "kind": plan.kind,
        "plan": plan.to_query(),
        "data": fingerprint,
    }


def bundle_key(plan: Plan, fingerprint: str) -> str:
    """Under which key a plan's pack is bundled: the plan's link, whatever the code's version."""
    return cache.key("pack", {"kind": plan.kind} | plan.to_query(), code="", data=fingerprint)


def unpack(entry: Entry, row: int) -> Outcome:
    """One unit's arrays out of a pack."""
    found = {}
    for name, shapes in entry.facts["shapes"].items():
        sizes = [int(np.prod(shape)) for shape in shapes[: row + 1]]
        found[name] = entry.arrays[name][sum(sizes[:-1]) : sum(sizes)].reshape(shapes[row])
    return found


@functools.lru_cache(maxsize=1)
def bundled() -> dict[str, tuple[str, int]]:
    """Where every packed unit lies: its bundled key -> (the pack's key, its row)."""
    packs = cache.entries("pack")
    return {unit: (key, row) for key, facts in packs for row, unit in enumerate(facts["units"])}


def _packed(key: str) -> tuple[Outcome, str | None] | None:
    """Its arrays and its precision."""
    place = bundled().get(cache.bundled_key(key))
    entry = cache.get(place[0]) if place else None
    if entry is None:
        return None
    row = place[1]
    recorded = entry.facts.get("precision")
    return unpack(entry, row), recorded[row] if recorded else None


def _small(array: np.ndarray) -> np.ndarray:
    """Accuracies and row numbers need no more than four bytes each."""
    array = np.asarray(array)
    small = {"f": np.float32, "i": np.int32, "u": np.int32}
    return array.astype(small.get(array.dtype.kind, array.dtype))
