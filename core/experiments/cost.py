"""What will an experiment cost? Its work, and from the rates this machine has shown, its time.

unit.work                      samples through the network, testing counted; or what else the plan's work is
trial(plan)                    the job that measures how fast this machine is at it
predict(units, rate, slots)    seconds
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

import numpy as np

from core.experiments.results import Plan, Work

TRIAL = 20  # batches of a measurement


def predict(units: Iterable[Work], rate: float, slots: int) -> float:
    """Seconds for these trainings, `slots` at a time, at `rate` samples per second each: the longer of equal shares and the longest one."""
    each = [unit.work / rate for unit in units]
    return max(sum(each) / slots, max(each, default=0.0))


def trial(plan: Plan) -> tuple[str, str, tuple]:
    """(key, task, arguments) of the measurement: the plan's own, or samples per second of its network."""
    own = getattr(plan, "trial", None)
    if own is not None:
        return f"~rate {plan.kind} {own[1]}", *own
    return f"~rate {plan.dataset} {plan.network}", "core.experiments.cost:measure", (plan.dataset, plan.n, plan.subset, plan.network)


def measure(dataset: str, n: int | None, subset: int, network: str) -> dict[str, float]:
    """In the worker: samples per second of one training, tried on a few batches, and the worker's memory in bytes afterwards."""
    import psutil

    from core import networks, pipeline, training
    from core.experiments.unit import one_thread, split

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
    return {"rate": record.steps * 64 / seconds, "memory": float(process.memory_info().rss), "weights": float(weights)}
