"""What stands on the bar of a running experiment."""

from __future__ import annotations

import pytest

from core.experiments.retrain.plan import Retraining
from core.experiments.runner import Sweep
from core.runtime.deaths import Death
from pages.shared.experiments import progress_bar


@pytest.fixture
def running():
    plan = Retraining()
    found = Sweep("key", plan, "data", state="running", total=len(plan.units()))
    found.waiting = [(unit, "") for unit in plan.units()]
    return found


def test_the_line_counts_what_is_done(running):
    running.waiting = running.waiting[3:]
    total = len(running.plan.units())
    assert progress_bar._line(running) == f"3 of {total:,} trainings · 0.00 s so far"


def test_in_the_pause_after_a_death_it_says_why_and_when_it_goes_on(running):
    for number, kind in enumerate(["killed", "memory", "killed"]):
        running.patience.again(f"unit {number}", Death(kind, str(number)))
    assert progress_bar._line(running) == (
        f"0 of {running.total:,} trainings · Its worker was gone 3 times (killed from outside: 2,"
        " out of memory: 1). It goes on in 4 s"
    )
