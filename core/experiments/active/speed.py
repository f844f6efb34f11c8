"""How fast is a worker at rounds of active learning? Measured on a round and on small selections.

    measure(dataset, n, subset, strategies, setting)   in the worker: a measurement, see cost.py

A round is trained as it is half way through the run, until its labels are learned or `LONGEST`
seconds are over; then what is missing is estimated. A strategy picks few points from small parts of
the pool, and what it would take for the batch from the whole pool is on the line through both: most
methods take time in proportion to either. A pool or a batch that is small itself is measured as it
is. All of it runs as the units will, side by side.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from core.experiments import cost
from core.experiments.active import rounds
from core.experiments.active.rounds import RoundSettings
from core.experiments.active.strategy_texts import parse_strategy
from core.runtime.threads import one_thread
from core.types import Dataset, Floats

LONGEST = 5.0  # seconds of a round
PASSES = 25  # of a round that was cut: at least so many
SIZES = (500, 1_500)  # points of the small pools
PICKS = (1, 9)
ROUND = "round"
Clock = Callable[[], float]


def measure(
    dataset: str, n: int | None, subset: int, strategies: Sequence[str], setting: RoundSettings
) -> dict[str, Any]:
    """In the worker: rounds and each strategy's batches per second on these points."""
    from core import pipeline

    return of_rounds(pipeline.dataset(dataset, n, subset), strategies, setting)


def of_rounds(data: Dataset, strategies: Sequence[str], setting: RoundSettings) -> dict[str, Any]:
    """The same of points that are at hand."""
    # The first training of a process takes seconds more, and measures the precision.
    round_seconds(data, replace(setting, until="epochs", epochs=1))
    trained = cost.side_by_side(lambda: round_seconds(data, setting))
    rates = {ROUND: 1 / float(trained)}
    for text in dict.fromkeys(strategies):
        rates[picking(text)] = 1 / max(picking_seconds(data, text, setting), 1e-9)
    loop = rounds._Loop(data, "random", {}, replace(setting, rounds=0), 1, lambda *_: None)
    return {"rate": rates[ROUND], "rates": rates, **cost.memory_of(loop.fresh(0))}


def picking(text: str) -> str:
    """What this strategy's batches are called among the rates."""
    return f"picking by {text}"


def round_seconds(data: Dataset, setting: RoundSettings, clock: Clock = time.perf_counter) -> float:
    """Of training a network on as many labels as half way, and testing it."""
    half_way = replace(setting, start=setting.start + setting.batch * (setting.rounds // 2))
    passes = 0
    started = 0.0

    def said(*_: Any) -> None:
        nonlocal passes
        passes += 1
        if clock() - started > LONGEST:
            raise _LongEnough

    loop = rounds._Loop(data, "random", {}, replace(half_way, rounds=0), 1, said)
    with one_thread():
        started = clock()
        try:
            loop.train(0)
        except _LongEnough:
            more = setting.epochs if setting.until == "epochs" else max(PASSES, 2 * passes)
            return (clock() - started) * more / passes
        return clock() - started


def picking_seconds(data: Dataset, text: str, setting: RoundSettings) -> float:
    """Of one batch of the plan's size from the plan's pool: looking at the pool, then choosing."""
    pool = len(rounds.pool_of(data, setting, 1)[0])
    sizes = SIZES if pool > SIZES[-1] else (pool,)
    picks = PICKS if setting.batch > PICKS[-1] else (setting.batch,)
    looked, chosen = [], []
    for size in sizes:
        found = cost.side_by_side(lambda size=size: _small(data, text, setting, size, picks))
        looked.append(found[0])
        chosen.append(found[1:])
    by_picks = [along(sizes, times, pool) for times in np.transpose(chosen)]
    return along(sizes, looked, pool) + along(picks, by_picks, setting.batch)


def along(places: Sequence[int], values: Sequence[float], place: float) -> float:
    """The value at `place` on the line through two points, which does not fall; of one, its own."""
    if len(places) == 1:
        return float(values[0])
    (a, b), (low, high) = places, values
    return float(high + max(0.0, (high - low) / (b - a)) * (place - b))


def _small(
    data: Dataset, text: str, setting: RoundSettings, size: int, picks: Sequence[int]
) -> Floats:
    """Seconds of looking at so many points, and of choosing as many as `picks` of them (1 + p,)."""
    name, knobs = parse_strategy(text)
    few = min(setting.start, size // 3)
    small = replace(setting, pool=size, start=few, rounds=1, batch=1, until="epochs", epochs=1)
    loop = rounds._Loop(data, name, dict(knobs), small, 1, lambda *_: None)
    with one_thread():
        loop.train(0)
        started = time.perf_counter()
        embedded, more = loop.look()
        seconds = [time.perf_counter() - started]
        for k in picks:
            loop.setting = replace(small, batch=k)
            seconds.append(cost.timed(lambda: loop.choose(0, embedded, more)))
    return np.array(seconds)


class _LongEnough(Exception):
    """A round that was trained long enough to tell."""
