"""Plans run to their end without a screen, and what comes with the app: computed and packed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from core.experiments import presets, runner, store
from core.experiments.plan import Plan
from core.experiments.trim import fi_simulations
from core.runtime import cache
from core.types import UserError

Say = Callable[[str], None]
LOOK = 0.2  # seconds between two looks at a running experiment


def ship(which: Iterable[str], say: Say) -> None:
    """Compute and pack the experiments of these kinds; with "trim" the simulations in the plane."""
    for kind in which:
        for plan in presets.SHIPPED[kind]:
            fingerprint = finish(plan, say)
            cache.bundle(store.bundle_key(plan, fingerprint), *store.pack(plan, fingerprint))
        if kind == "trim":
            _ship_planes(say)


def finish(plan: Plan, say: Say, note: Say | None = None) -> str:
    """Run a plan to its end and say how far it is; the fingerprint of its points.

    note: hears what the experiment remarked, such as a disk that is full; by default `say`.
    A UserError if it cannot run or fails.
    """
    data = plan.points()
    plan.check(data)
    running = runner.start(plan, data.fingerprint, "command line")
    said = -1
    while not running.finished:
        time.sleep(LOOK)
        if running.done != said:
            said = running.done
            left = running.seconds_left
            ahead = f", about {left / 60:.0f} min left" if left else ""
            say(f"{plan.title()}: {said:,} of {running.total:,}{ahead}")
    for remark in running.notes:
        (note or say)(remark)
    if running.error:
        raise UserError(running.error)
    return data.fingerprint


def _ship_planes(say: Say) -> None:
    for name in fi_simulations.WORLDS:
        with cache.without_bundle():
            entries = fi_simulations.accuracies(name), fi_simulations.boundaries(name, 1)
        for entry in entries:
            cache.bundle(entry.key, entry.arrays, entry.facts)
            say(entry.key)
