"""What will an experiment cost? What its units count, and its time at the rates seen here.

unit.work                        amounts by kind of work, such as points trained on, rounds,
                                 selections by a strategy
plan.measurement                 how the rates are measured, by kind of work and per second
predict(units, found, slots)     seconds of what was measured as `found`

Rates are measured as units run: on one thread each, as many side by side as there are processors.
What units share and only one of them does, such as training the network that ranks the points, is
the plan's `shared` work. A worker has loaded the points when it has measured; others load them
while they begin, and that is not counted.
"""

from __future__ import annotations

import copy
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from core import datasets
from core.data.learnable import learnable
from core.data.splits import HELD_OUT
from core.runtime import tasks
from core.runtime.worker import processors

TRIAL = 20  # batches of a measurement
TESTED = 1_000  # points of one
INVERSES = 3  # matrices that a measurement of the core alone inverts
SIZE = 1000  # their rows
REFERENCE = 0.08  # seconds of one on the core by which costs in seconds were measured


@dataclass(frozen=True)
class Measurement:
    """How a plan's rate is measured.

    key               of the job
    task, arguments   "module:function" and what it is called with, for a worker
    what              in words
    told              the rate in words, with a place for the number
    """

    key: str
    task: str
    arguments: tuple[Any, ...]
    what: str
    told: str


OF_CORE = Measurement(
    "~rate core",
    tasks.CORE_SPEED,
    (),
    "how fast this machine computes",
    "each {:.2g} times as fast as the core on which these runs were timed",
)


class Costed(Protocol):
    """A unit of a plan, as far as its time is asked for."""

    @property
    def work(self) -> Mapping[str, float]: ...


def of_network(
    dataset: str, n: int | None, subset: int, network: str, ranked_by: str | None = None
) -> Measurement:
    """A short training of this network on these points: samples per second.

    ranked_by: the architecture that ranks the points, if one has to be trained for that.
    """
    more = (ranked_by,) if ranked_by else ()
    return Measurement(
        " ".join(("~rate", dataset, network, *more)),
        tasks.NETWORK_SPEED,
        (dataset, n, subset, network, *more),
        "how fast this machine trains this network",
        "{:,.0f} samples per second each",
    )


def predict(
    units: Iterable[Costed],
    found: Mapping[str, Any],
    slots: int,
    shared: Mapping[str, float] | None = None,
) -> float:
    """Seconds for these units, `slots` at a time: the longer of equal shares and the longest one.

    found: a measurement; its "rates" are of each kind of work, and "rate" of what is called "cost".
    shared: what is done once, before them.
    """
    each = [_seconds(unit.work, found) for unit in units]
    return _seconds(shared or {}, found) + max(sum(each) / slots, max(each, default=0.0))


def _seconds(work: Mapping[str, float], found: Mapping[str, Any]) -> float:
    rates = found.get("rates", {})
    return sum(
        amount / (found["rate"] if name == "cost" else rates[name]) for name, amount in work.items()
    )


def side_by_side(measured: Callable[[], Any], count: int | None = None) -> Any:
    """The mean of what `measured` gives in so many threads at once; by default one per processor.

    Two trainings at once share caches, memory and Python: the rate of one alone is not theirs.
    """
    count = count or processors()
    together = threading.Barrier(count)

    def one(_: int) -> Any:
        together.wait()
        return measured()

    with ThreadPoolExecutor(count) as pool:
        return np.mean(list(pool.map(one, range(count))), axis=0)


def measure(
    dataset: str, n: int | None, subset: int, network: str, ranked_by: str | None = None
) -> dict[str, Any]:
    """In the worker: samples per second of a short training, and its memory in bytes afterwards.

    rates: points trained on and points tested, and units begun, which takes gathering the pool. If
    a network is to be trained that ranks the points, points that this architecture is trained on.
    """
    from core import pipeline
    from core.data.splits import split
    from core.models import networks

    data = learnable(pipeline.dataset(dataset, n, subset))
    pool, test = split(data)
    network = networks.build(network, classes=len(data.class_names), shape=data.shape, seed=0)
    trained = float(side_by_side(lambda: training_rate(network, data, pool)))
    tested = float(side_by_side(lambda: testing_rate(network, data, test)))
    begun = float(side_by_side(lambda: timed(lambda: (data.points[pool], data.points[test]))))
    rates = {"trained": trained, "tested": tested, "begun": 1 / max(begun, 1e-9)}
    if ranked_by:
        ranks = networks.build(ranked_by, classes=len(data.class_names), shape=data.shape, seed=0)
        rates["ranked"] = training_rate(ranks, data, pool)  # nothing else runs meanwhile
    return {"rate": trained, "rates": rates, **memory_of(network)}


def sizes(dataset: str, n: int | None) -> tuple[int, int]:
    """About how many points are in the pool, and how many test."""
    about = datasets.info(dataset)
    rows = n or about.n
    tests = rows * (about.parts[1] / about.n or HELD_OUT)
    return int(rows - tests), int(tests)


def training_rate(network: Any, data: Any, pool: Any) -> float:
    """Samples per second of this network's training on one thread, on a copy of it."""
    from core.models import training
    from core.runtime.threads import one_thread

    fresh = copy.deepcopy(network)
    rows = pool[np.arange(64 * TRIAL) % len(pool)]
    points, labels = data.points[rows], data.labels[rows]
    with one_thread():
        training.train(fresh, points, labels, seed=0, steps=2)
        seconds = timed(lambda: training.train(fresh, points, labels, seed=0, steps=TRIAL))
    return 64 * TRIAL / seconds


def testing_rate(network: Any, data: Any, test: Any) -> float:
    """Points per second that this network is tested on, on one thread."""
    from core.models import evaluation
    from core.runtime.threads import one_thread

    rows = test[:TESTED]
    points, labels = data.points[rows], data.labels[rows]
    seen = copy.deepcopy(network)
    with one_thread():
        tested = lambda: evaluation.evaluate(seen, points, labels, precision="auto")  # noqa: E731
        tested()
        return len(rows) / timed(tested)


def timed(called: Callable[[], Any]) -> float:
    """Seconds that it takes."""
    started = time.perf_counter()
    called()
    return time.perf_counter() - started


def memory_of(network: Any) -> dict[str, float]:
    """The worker's memory in bytes now, and the network's weights."""
    import psutil

    return {
        "memory": float(psutil.Process(os.getpid()).memory_info().rss),
        "weights": float(sum(parameter.numel() for parameter in network.parameters())),
    }


def measure_core() -> dict[str, float]:
    """In the worker: a matrix inverted how many times as fast as the reference; memory in bytes."""
    import psutil

    matrix = np.random.default_rng(0).standard_normal((SIZE, SIZE)) + SIZE * np.eye(SIZE)

    def inverted() -> float:
        return min(timed(lambda: np.linalg.inv(matrix)) for _ in range(INVERSES))

    return {
        "rate": REFERENCE / float(side_by_side(inverted)),
        "memory": float(psutil.Process(os.getpid()).memory_info().rss),
        "weights": 0.0,
    }
