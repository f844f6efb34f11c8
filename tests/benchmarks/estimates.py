"""What a question takes beside what it was estimated to take, for every ranker: `python -m
tests.benchmarks.estimates [seconds]`.

Each runs in a process of its own with one thread and no cache, on digits and on MNIST, as long as
its estimate is below so many seconds (default 30). Printed: measured and estimated seconds, their
ratio, and megabytes. Wanted: no ratio above BOUNDS.patience, since a question that takes so much
longer is stopped on the hosted demo. Run it on a quiet machine.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time

from core.hosting import estimates
from core.hosting.policy import BOUNDS
from core.plugins import menu
from core.runtime import tasks
from core.spec import Spec

CASES = (
    {"dataset": "digits", "n": 400},
    {"dataset": "digits", "n": 1600},
    {"dataset": "mnist", "n": 500},
    {"dataset": "mnist", "n": 2000},
    {"dataset": "mnist", "n": 2000, "embedding": "cnn_classification"},
)
MOST = 30.0
ONE = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


def measure(task: str, spec: Spec) -> tuple[float, float]:
    """Seconds and megabytes of one question, in this process."""
    from core import pipeline

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    getattr(pipeline, task.partition(":")[2])(spec)
    seconds = time.perf_counter() - started
    return seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e3


def apart(task: str, query: dict[str, str]) -> tuple[float, float] | None:
    """The same in a process of its own; None if it fails or takes ten times as long as it may."""
    fresh = {"LEVERAGE_LAB_CACHE": tempfile.mkdtemp()} | dict.fromkeys(ONE, "1")
    try:
        out = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.estimates", "--one", task, json.dumps(query)],
            env=os.environ | fresh,
            capture_output=True,
            text=True,
            timeout=10 * MOST,
        ).stdout
        return tuple(json.loads(out))
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        return None


def main() -> None:
    """Print the table."""
    if sys.argv[1:2] == ["--one"]:
        from core.spec import from_query

        print(json.dumps(measure(sys.argv[2], from_query(json.loads(sys.argv[3]))[0])))
        return
    most = float(sys.argv[1]) if len(sys.argv) > 1 else MOST
    worst = 0.0
    for name in (*menu.rankers(), "map"):
        for case in CASES:
            task = tasks.MAP if name == "map" else tasks.SCORES
            spec = Spec().with_(**case, **({} if name == "map" else {"strategy": name}))
            expected = estimates.of(task, (spec,))
            if expected.seconds > most:
                continue
            found = apart(task, spec.to_query())
            said = "failed, or far too long"
            if found:
                worst = max(worst, found[0] / max(expected.seconds, 7.5))
                ratio = found[0] / expected.seconds
                said = f"{found[0]:6.2f} s of {expected.seconds:6.2f}, {ratio:5.2f}"
                said += f"; {found[1]:5.0f} MB of {expected.megabytes:5.0f}"
            where = " ".join(map(str, case.values()))
            print(f"{name:20} {where:32} {said}", flush=True)
    print(
        f"worst share of what a question may take: {worst / BOUNDS.patience:.2f}; wanted: below 1"
    )


if __name__ == "__main__":
    main()
