"""What the tests of sweeps run in a worker: trainings that are noted in a file, which survives a
kill, and that wait when they are told to.

The folder named by LEVERAGE_LAB_TEST_FOLDER holds `log`, one line per event, and may hold `hold`,
"N hearing" or "N deaf": once N trainings have ended, all others stand still at their next step, and
notice that they were cancelled, or do not, while they stand.
"""

from __future__ import annotations

import functools
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

from core.experiments.plan import compute
from core.experiments.retrain import plan as retrain
from core.experiments.retrain import run
from core.runtime.progress import Cancelled

_once = threading.Lock()


def train(one: retrain.Training, precision: str | None = None):
    """The sweep's own task, with every training that really runs noted: begin, then end, cancelled
    or failed.
    """
    with _once:
        if not hasattr(run.train, "__wrapped__"):
            run.train = _noted(run.train)
    return compute(one, precision)


def _noted(original):
    @functools.wraps(original)
    def noted(data, scores, *, progress, **settings):
        name = f"{settings['rule']}-{settings['budget']}-{settings['seed']}"

        def slowly(*step):
            _stand_still(lambda: progress(*step))
            progress(*step)

        _note("begin", name)
        try:
            result = original(data, scores, progress=slowly, **settings)
        except Cancelled:
            _note("cancelled", name)
            raise
        _note("end", name)
        return result

    return noted


def _stand_still(check) -> None:
    while (hold := _file("hold")).exists():
        with suppress(ValueError, OSError):  # it is being written, or just went
            most, _, hearing = hold.read_text().partition(" ")
            if _file("log").read_text().count("end ") < int(most):
                return
            if hearing == "hearing":
                check()
        time.sleep(0.01)


def _note(event: str, name: str) -> None:
    with open(_file("log"), "a") as log:
        log.write(f"{event} {name} {os.getpid()}\n")


def _file(name: str) -> Path:
    return Path(os.environ["LEVERAGE_LAB_TEST_FOLDER"]) / name
