"""Plans run to their end without a screen, and what comes with the app: computed and packed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext

from core.experiments import presets, runner, store
from core.experiments.plan import Plan
from core.experiments.trim import fi_simulations
from core.runtime import cache
from core.types import UserError

Say = Callable[[str], None]
LOOK = 0.2  # seconds between two looks at a running experiment


def bundle_plans(which: Iterable[str], say: Say, anew: str | None = None) -> None:
    """Compute and pack the experiments of these kinds; with "trim" the simulations in the plane.

    anew: those alone whose title holds this text, in place of what is bundled of them. What this
    code has put into the cache counts as done, so it may be stopped at any time and goes on from
    there.
    """
    for kind in which:
        chosen = [plan for plan in presets.BUNDLED[kind] if (anew or "") in plan.title()]
        for plan in chosen:
            with nothing_bundled() if anew is not None else nullcontext():
                fingerprint = finish(plan, say)
                packed = store.pack(plan, fingerprint)
            cache.bundle(store.bundle_key(plan, fingerprint), *packed)
        if kind == "trim" and anew is None:
            _bundle_planes(say)


@contextmanager
def nothing_bundled() -> Iterator[None]:
    """Inside, what comes with the app is not looked at, nor what this process knows of it."""
    store.forget()
    with cache.without_bundle():
        yield
    store.forget()


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


def _bundle_planes(say: Say) -> None:
    for name in fi_simulations.WORLDS:
        with cache.without_bundle():
            entries = fi_simulations.accuracies(name), fi_simulations.boundaries(name, 1)
        for entry in entries:
            cache.bundle(entry.key, entry.arrays, entry.facts)
            say(entry.key)
