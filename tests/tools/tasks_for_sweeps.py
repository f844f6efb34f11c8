"""What the tests of sweeps run in a worker: trainings that are noted in a file, which survives a
kill, and take their time.

The folder named by LEVERAGE_LAB_TEST_FOLDER holds `log`, one line per event, and `pause`, seconds
per step.
"""

from __future__ import annotations

import functools
import os
import threading
import time
from pathlib import Path

from core.experiments.plan import compute
from core.experiments.retrain import plan as retrain
from core.experiments.retrain import run

_once = threading.Lock()


def train(one: retrain.Training):
    """The sweep's own task, with every training that really runs noted: begin, then end, cancelled
    or failed.
    """
    with _once:
        if not hasattr(run.train, "__wrapped__"):
            run.train = _noted(run.train)
    return compute(one)


def _noted(original):
    @functools.wraps(original)
    def noted(data, scores, *, progress, **settings):
        name = f"{settings['rule']}-{settings['budget']}-{settings['seed']}"

        def slowly(*step):
            time.sleep(float(_file("pause").read_text()))
            progress(*step)

        _note("begin", name)
        try:
            result = original(data, scores, progress=slowly, **settings)
        except progress.Cancelled:
            _note("cancelled", name)
            raise
        _note("end", name)
        return result

    return noted


def _note(event: str, name: str) -> None:
    with open(_file("log"), "a") as log:
        log.write(f"{event} {name} {os.getpid()} {time.time()}\n")


def _file(name: str) -> Path:
    return Path(os.environ["LEVERAGE_LAB_TEST_FOLDER"]) / name
