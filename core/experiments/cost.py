"""What will an experiment cost? What its units count, and its time at the rates seen here.

unit.cost                      samples through the network, testing counted; or what the plan's
                               own measurement counts
plan.measurement               how the rate is measured, in costs per second
predict(units, rate, slots)    seconds
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from core.runtime import tasks

TRIAL = 20  # batches of a measurement
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


class Costed(Protocol):
    """A unit of a plan, as far as its time is asked for."""

    @property
    def cost(self) -> float: ...


def of_network(dataset: str, n: int | None, subset: int, network: str) -> Measurement:
    """A short training of this network on these points: samples per second."""
    return Measurement(
        f"~rate {dataset} {network}",
        tasks.NETWORK_SPEED,
        (dataset, n, subset, network),
        "how fast this machine trains this network",
        "{:,.0f} samples per second each",
    )


def predict(units: Iterable[Costed], rate: float, slots: int) -> float:
    """Seconds for these units, `slots` at a time, at `rate` of their cost per second each.

    The longer of equal shares and the longest one.
    """
    each = [unit.cost / rate for unit in units]
    return max(sum(each) / slots, max(each, default=0.0))


def measure(dataset: str, n: int | None, subset: int, network: str) -> dict[str, float]:
    """In the worker: samples per second of a short training, and its memory in bytes afterwards."""
    import psutil

    from core import pipeline
    from core.data.splits import split
    from core.models import networks, training
    from core.runtime.threads import one_thread

    data = pipeline.dataset(dataset, n, subset)
    pool, _ = split(data)
    rows = pool[np.arange(64 * TRIAL) % len(pool)]
    fresh = networks.build(network, classes=len(data.class_names), shape=data.shape, seed=0)
    with one_thread():
        training.train(fresh, data.points[rows], data.labels[rows], seed=0, steps=2)
        started = time.perf_counter()
        record = training.train(fresh, data.points[rows], data.labels[rows], seed=0, steps=TRIAL)
        seconds = time.perf_counter() - started
    weights = sum(parameter.numel() for parameter in fresh.parameters())
    process = psutil.Process(os.getpid())
    return {
        "rate": record.steps * 64 / seconds,
        "memory": float(process.memory_info().rss),
        "weights": float(weights),
    }


def measure_core(held: int = 0) -> dict[str, float]:
    """In the worker: a matrix inverted how many times as fast as the reference; memory in bytes.

    held: bytes that each run of a network needs beside the worker, which then counts with what
    trains networks; 0: there is no network.
    """
    import psutil

    if held:
        import core.models.training  # noqa: F401
    matrix = np.random.default_rng(0).standard_normal((SIZE, SIZE)) + SIZE * np.eye(SIZE)
    seconds = []
    for _ in range(INVERSES):
        started = time.perf_counter()
        np.linalg.inv(matrix)
        seconds.append(time.perf_counter() - started)
    return {
        "rate": REFERENCE / min(seconds),
        "memory": float(psutil.Process(os.getpid()).memory_info().rss),
        "weights": held / 16,
    }
