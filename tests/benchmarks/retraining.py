"""How fast do sweeps train? One run, printed: `python -m tests.benchmarks.retraining`, with
--reduced in a minute, for a look.

(a) The same sweep, cache emptied in between, on a cluster of two workers of one thread each and on
one such worker, both started by Dask's own commands and warmed up by one training per thread.
Wanted: at least 1.6 times as fast with two. (b) The default experiment's trainings on the local
worker, MNIST and the talk's network: samples trained per second of wall time, from the first
training handed out to the last one finished, tests of accuracy included. Beside it what the
training benchmark measures, the same network by core.models.training with default threads, before
and after. Wanted: at least 90% of it. Reduced against the default experiment: the selections top of
raw pixels and random only, and 2 seeds, so that it takes minutes. Run it on a quiet machine with at
least two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from core import datasets
from core.experiments import runner, store
from core.experiments.retrain.plan import Retraining
from core.models import networks, training
from core.runtime import cache, jobs, worker
from core.runtime.machine import chip
from tests.benchmarks import training as training_benchmark

PLAN = Retraining().with_(candidates="top random", seeds=2)
SCALING = PLAN.with_(candidates="random", budgets="5000", seeds=8, epochs=3)
WANTED_SCALING, WANTED_SHARE = 1.6, 0.9


@contextmanager
def own_cache() -> Iterator[Path]:
    """Nothing is known yet, neither in memory nor on the disk; workers that start inside share this
    cache.
    """
    before = os.environ.get("LEVERAGE_LAB_CACHE")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LEVERAGE_LAB_CACHE"] = folder
        store.forget()
        try:
            yield Path(folder)
        finally:
            jobs.close()
            os.environ.pop("LEVERAGE_LAB_CACHE")
            if before is not None:
                os.environ["LEVERAGE_LAB_CACHE"] = before


@contextmanager
def dask_cluster(workers: int) -> Iterator[None]:
    """A scheduler and workers of one thread on this machine; jobs go to them."""
    with own_cache() as folder:
        file, environment = folder / "scheduler.json", os.environ | {"PYTHONPATH": str(worker.ROOT)}
        shared = ["--scheduler-file", str(file), "--host", "127.0.0.1", "--no-dashboard"]
        commands = (
            ["scheduler", "--port", "0", *shared],
            ["worker", "--nworkers", str(workers), "--nthreads", "1", *shared],
        )
        dask, quiet = (
            str(Path(sys.executable).with_name("dask")),
            {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL},
        )
        started = [
            subprocess.Popen([dask, *command], cwd=folder, env=environment, **quiet)
            for command in commands
        ]
        try:
            while not (file.exists() and file.read_text().strip()):
                time.sleep(0.1)
            os.environ["LEVERAGE_LAB_SCHEDULER"] = json.loads(file.read_text())["address"]
            jobs.start_in_background()
            while jobs._cluster.client is None or len(jobs._cluster.client.nthreads()) < workers:
                time.sleep(0.1)
            yield
        finally:
            os.environ.pop("LEVERAGE_LAB_SCHEDULER", None)
            jobs.close()
            for process in started[
                ::-1
            ]:  # workers first: without a scheduler they would wait for one
                process.terminate()
                process.wait()


def seconds(plan: Retraining) -> float:
    """Wall time of a plan's sweep, from the first training handed out to the last one finished."""
    fingerprint = datasets.load(plan.dataset, n=plan.n, seed=plan.subset).fingerprint
    running = runner.start(plan, fingerprint, "benchmark")
    while not running.finished:
        time.sleep(0.02)
    if running.state != "done" or running.before == 0:
        raise SystemExit(
            f"The sweep ended as {running.state}: {running.error or 'nothing was left to train'}"
        )
    return running.elapsed


def warm(plan: Retraining) -> None:
    """Load what the workers need, by one short training of each slot and the scores of each
    candidate.
    """
    seconds(plan.with_(budgets="64", epochs=1, seeds=max(2, jobs.slots())))


def samples(plan: Retraining) -> int:
    """Points that go through the networks in training, repetitions counted."""
    return sum(unit.samples for unit in plan.units())


def scaling(plan: Retraining) -> None:
    """(a)"""
    taken = {}
    for workers in (1, 2):
        with dask_cluster(workers):
            warm(plan)
            taken[workers] = seconds(plan)
    for workers, wall in taken.items():
        print(
            f"{workers} worker{'s' * (workers > 1)} of one thread: {wall:8.1f} s"
            f" {samples(plan) / wall:10,.0f} samples/s"
        )
    print(f"two against one: {taken[1] / taken[2]:.2f} times as fast, wanted {WANTED_SCALING}")


def training_rate(digits: int) -> float:
    """Samples per second of the talk's network in this process, as the training benchmark trains
    it.
    """
    data = datasets.load("mnist")
    rows = np.flatnonzero(~data.test)[:digits]
    network = networks.build("talk_cnn", classes=10, shape=data.shape, seed=1)
    training.train(network, data.points[rows], data.labels[rows], seed=1, steps=10)
    return training.train(
        network, data.points[rows], data.labels[rows], seed=1, epochs=training_benchmark.EPOCHS
    ).samples_per_second


def throughput(plan: Retraining, digits: int) -> None:
    """(b)"""
    rates = [training_rate(digits)]
    os.environ.pop("LEVERAGE_LAB_SCHEDULER", None)
    with own_cache(), cache.without_bundle():  # some of these trainings come finished with the app
        store.forget()
        warm(plan)
        wall = seconds(plan)
    rates.append(training_rate(digits))
    rate, alone = samples(plan) / wall, float(np.mean(rates))
    print(
        f"sweep, {jobs.slots()} at once on the local worker: {wall:8.1f} s {rate:10,.0f} samples/s"
    )
    print(
        f"training benchmark, {torch.get_num_threads()} threads, before and after: {rates[0]:,.0f}"
        f" and {rates[1]:,.0f} samples/s"
    )
    print(f"sweep against training: {rate / alone:.0%}, wanted {WANTED_SHARE:.0%}")


def main() -> None:
    """Print both comparisons."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.retraining")
    parser.add_argument(
        "--reduced",
        action="store_true",
        help="tiny trainings: shows that it runs, its figures mean nothing",
    )
    reduced = parser.parse_args().reduced
    small, digits = (
        {"budgets": "200", "seeds": 2, "epochs": 1},
        640 if reduced else training_benchmark.DIGITS,
    )
    plans = [plan.with_(**small) if reduced else plan for plan in (SCALING, PLAN)]
    print(
        f"{chip()}, {worker.processors()} cores, load {os.getloadavg()[0]:.1f}, torch"
        f" {torch.__version__}"
    )
    for letter, plan in zip("ab", plans, strict=True):
        print(
            f"({letter}) {plan.title()}, {len(plan.units())} trainings, {samples(plan):,} samples"
        )
        scaling(plan) if letter == "a" else throughput(plan, digits)


if __name__ == "__main__":
    main()
