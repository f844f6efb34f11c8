"""What is finished of a plan: every training's outcome, from the cache, from what comes with the app, or from this process.

    outcomes(plan, fingerprint) -> {unit: Outcome}      only finished ones; cheap to ask again and again
    grid(plan, found) -> Grid                           the same as arrays (candidates, budgets, seeds), NaN where nothing is yet
    rows(plan, found) -> tidy columns                   strategy, seed, budget, epoch, step, metric, value: the Run

What comes with the app is packed: one bundled result per plan, the outcomes of its trainings stacked.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from core import cache
from core.cache import Entry
from core.experiments.retrain import Retraining, Unit, unit_key
from core.experiments.unit import CHECKPOINTS, SHOWN
from core.types import Floats, Ints

Outcome = Mapping[str, np.ndarray]
WIDTHS = {"epoch": CHECKPOINTS, "step": CHECKPOINTS, "accuracy": CHECKPOINTS, "chosen": SHOWN}
REMEMBERED = 20_000
_outcomes: dict[str, Outcome] = {}
_one_writer = threading.Lock()


def outcomes(plan: Retraining, fingerprint: str) -> dict[Unit, Outcome]:
    """The finished trainings of a plan, in its order."""
    keys = _keys(plan, fingerprint)
    return {unit: found for unit, key in keys if (found := outcome(key)) is not None}


def outcome(key: str) -> Outcome | None:
    """One training's arrays, if it is finished."""
    if (known := _outcomes.get(key)) is not None:
        return known
    found = cache.get(key)
    arrays = found.arrays if found else _packed(key)
    return None if arrays is None else remember(key, arrays)


def remember(key: str, arrays: Outcome) -> Outcome:
    """Keep an outcome in this process: it stays even if the disk refused it."""
    copied = {name: np.array(array) for name, array in arrays.items()}
    with _one_writer:  # the sweeps' thread and every page's
        while len(_outcomes) >= REMEMBERED:
            del _outcomes[next(iter(_outcomes))]
        _outcomes[key] = copied
    return copied


def forget() -> None:
    """Ask the disk again for everything."""
    with _one_writer:
        _outcomes.clear()
    shipped.cache_clear()


def missing(plan: Retraining, fingerprint: str) -> list[tuple[Unit, str]]:
    """The trainings that are still to do, with their keys, in the plan's order."""
    return [(unit, key) for unit, key in _keys(plan, fingerprint) if outcome(key) is None]


@functools.lru_cache(maxsize=64)
def _keys(plan: Retraining, fingerprint: str) -> tuple[tuple[Unit, str], ...]:
    return tuple((unit, unit_key(unit, fingerprint)) for unit in plan.units())


@dataclass(frozen=True, eq=False)
class Grid:
    """A plan's outcomes as arrays; NaN where a training is not finished.

    accuracy, loss (m, b, s): on all test points, m candidates, b budgets, s seeds. per_class, classes (m, b, s, c): accuracy within each
    class, points selected of each. curve, step, epoch (m, b, s, t): accuracy at the checkpoints. chosen (m, b, s, 24): dataset rows, -1 if
    fewer were selected.
    """

    plan: Retraining
    accuracy: Floats
    loss: Floats
    per_class: Floats
    classes: Floats
    curve: Floats
    step: Floats
    epoch: Floats
    chosen: Ints

    @property
    def finished(self) -> int:
        """How many trainings are in it."""
        return int(np.isfinite(self.accuracy).sum())


def grid(plan: Retraining, found: Mapping[Unit, Outcome], classes: int) -> Grid:
    """The outcomes in their places."""
    shape = (len(plan.candidates), len(plan.budgets), plan.seeds)
    widths = {"accuracy": (), "loss": (), "per_class": (classes,), "classes": (classes,)}
    widths |= dict.fromkeys(("curve", "step", "epoch"), (CHECKPOINTS,))
    arrays = {name: np.full(shape + width, np.nan) for name, width in widths.items()} | {"chosen": np.full((*shape, SHOWN), -1)}
    for unit, outcome in found.items():
        place = plan.candidates.index(unit.candidate), plan.budgets.index(unit.budget), unit.seed - 1
        last = outcome["accuracy"][-1]
        for name, value in (dict(outcome) | {"curve": outcome["accuracy"], "accuracy": last}).items():
            arrays[name][(*place, slice(len(value))) if np.ndim(value) else place] = value
    return Grid(plan, **arrays)


def rows(plan: Retraining, found: Mapping[Unit, Outcome]) -> dict[str, list]:
    """The Run as tidy columns: one row per training, checkpoint and metric.

    metric: accuracy (at every checkpoint; the last is on all test points, earlier ones on a fixed sample), loss, accuracy of class c.
    """
    columns: dict[str, list] = {name: [] for name in ("strategy", "seed", "budget", "epoch", "step", "metric", "value")}
    for unit, outcome in found.items():
        curve = zip(outcome["epoch"], outcome["step"], outcome["accuracy"], strict=True)
        last = int(outcome["epoch"][-1]), int(outcome["step"][-1])
        lines = [(int(epoch), int(step), "accuracy", float(value)) for epoch, step, value in curve]
        lines += [(*last, "loss", float(outcome["loss"]))]
        lines += [(*last, f"accuracy of class {c}", float(value)) for c, value in enumerate(outcome["per_class"])]
        for line in lines:
            for name, value in zip(columns, (str(unit.candidate), unit.seed, unit.budget, *line), strict=True):
                columns[name].append(value)
    return columns


def pack(plan: Retraining, fingerprint: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """All of a finished plan as one result to ship: arrays stacked over its trainings, facts["units"] their keys."""
    each = [(cache.bundled_key(key), outcome(key)) for _, key in _keys(plan, fingerprint)]
    found = [arrays for _, arrays in each if arrays is not None]
    arrays = {name: np.stack([_wide(name, one[name]) for one in found]) for name in found[0]}
    return arrays, {"units": [key for key, one in each if one is not None], "plan": plan.to_query(), "data": fingerprint}


def bundle_key(plan: Retraining, fingerprint: str) -> str:
    """Under which key a plan's pack is shipped: the plan's own name, whatever the code's version."""
    return cache.key("retrain", plan.to_query(), code="", data=fingerprint)


def unpack(entry: Entry, row: int) -> Outcome:
    """One training's arrays out of a pack."""
    arrays = {name: array[row] for name, array in entry.arrays.items()}
    checkpoints = int((arrays["epoch"] >= 0).sum())
    short = {name: arrays[name][:checkpoints] for name in ("epoch", "step", "accuracy")}
    return arrays | short | {"chosen": arrays["chosen"][arrays["chosen"] >= 0]}


@functools.lru_cache(maxsize=1)
def shipped() -> dict[str, tuple[str, int]]:
    """Where every packed training lies: its bundled key -> (the pack's key, its row)."""
    packs = cache.entries("retrain")
    return {unit: (key, row) for key, facts in packs for row, unit in enumerate(facts["units"])}


def _packed(key: str) -> Outcome | None:
    place = shipped().get(cache.bundled_key(key))
    entry = cache.get(place[0]) if place else None
    return unpack(entry, place[1]) if entry else None


def _wide(name: str, array: np.ndarray) -> np.ndarray:
    """Padded with -1 to one width, small: float32 and int32 are enough for accuracies and rows."""
    array = np.asarray(array)
    array = array.astype(np.float32 if array.dtype.kind == "f" else np.int32)
    return np.pad(array, (0, WIDTHS[name] - len(array)), constant_values=-1) if name in WIDTHS else array
