"""Does the cost that a page shows come true? `python -m tests.benchmarks.cost`.

A small plan of each kind, and a retraining whose points are ranked by networks that have to be
trained first, on the local worker and in an empty cache: what the page would say before Start, what
it took, and actual over predicted. Wanted: within a factor 1.5. Run it on a quiet machine; about
five minutes. `--only trim active` runs some.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time

from core.experiments import cost, runner, store
from core.experiments.active.plan import Active
from core.experiments.influence.plan import Queries, Utilities
from core.experiments.plan import Plan
from core.experiments.retrain.plan import Retraining
from core.experiments.simulations.plan import PRESETS
from core.experiments.trim.plan import Trim
from core.runtime import jobs
from core.runtime.machine import chip

WANTED = 1.5
PLANS: dict[str, Plan] = {
    "retrain": Retraining().with_(
        candidates="top", budgets="1000 5000", network="lenet5", epochs=5, seeds=2
    ),
    "networks": Retraining().with_(
        dataset="digits",
        candidates="top:cnn_classification",
        budgets="200 1000",
        epochs=10,
        seeds=2,
    ),
    "active": Active().with_(
        strategies="badge bait k_center random", rounds=4, pool=5_000, seeds=2
    ),
    "simulations": PRESETS["backward"].with_(rounds=6, seeds=2),
    "trim": Trim().with_(seeds=4),
    "utilities": Utilities().with_(pool=60, seeds=2),
    "queries": Queries().with_(unlabeled=500, rounds=6, seeds=2),
}


def predicted(plan: Plan) -> float:
    """Seconds that the page would say, by a measurement of the worker."""
    data = plan.points()
    wanted = plan.measurement
    started = time.perf_counter()
    found = jobs.submit(wanted.task, *wanted.arguments, key=wanted.key).result()
    print(f"  measured in {time.perf_counter() - started:.1f} s: {found['rate']:.4g}", flush=True)
    for name, rate in found.get("rates", {}).items():
        print(f"    {name}: {rate:.4g} per second")
    units = [unit for unit, _ in store.missing(plan, data.fingerprint)]
    return cost.predict(units, found, jobs.slots(), plan.shared(units, data.fingerprint))


def actual(plan: Plan) -> float:
    """Seconds from start to end."""
    running = runner.start(plan, plan.points().fingerprint, "benchmark")
    while not running.finished:
        time.sleep(0.05)
    if running.error:
        raise RuntimeError(running.error)
    return running.elapsed


def main() -> None:
    """Print each plan's row."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="+", choices=list(PLANS), default=list(PLANS))
    chosen = parser.parse_args().only
    print(f"{chip()}, {jobs.slots()} at a time, load {os.getloadavg()[0]:.1f}\n")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LEVERAGE_LAB_CACHE"] = folder
        for name in chosen:
            print(f"{name}: {PLANS[name].title()}")
            said = predicted(PLANS[name])
            rows.append((name, said, actual(PLANS[name])))
            print(f"  predicted {said:.1f} s, took {rows[-1][2]:.1f} s", flush=True)
        jobs.close()
    print(f"\n{'plan':14}{'predicted, s':>14}{'actual, s':>12}{'ratio':>9}")
    for name, said, took in rows:
        outside = "" if 1 / WANTED <= took / said <= WANTED else f"  beyond {WANTED}"
        print(f"{name:14}{said:14.1f}{took:12.1f}{took / said:9.2f}{outside}")


if __name__ == "__main__":
    main()
