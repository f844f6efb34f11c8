"""Does a plan's sweep train everything once, in its turn, and lose nothing whatever happens to its
workers?

First with a stand-in for the jobs, where a training ends when the test says so; then on real
workers, which are killed.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from core import datasets
from core.experiments import patience, runner, store
from core.experiments.plan import compute
from core.experiments.retrain import outcomes
from core.experiments.retrain import plan as retrain
from core.experiments.retrain.plan import Retraining
from core.runtime import cache, deaths, jobs, tasks, worker
from core.runtime.cache import Entry
from core.runtime.deaths import Death
from core.types import UserError
from tests.tools import job_desk

PLAN = Retraining().with_(
    dataset="digits",
    n=300,
    network="mlp",
    epochs=2,
    seeds=2,
    budgets="64 128",
    candidates="top random",
)
OTHER = PLAN.with_(candidates="bottom")
DATA = datasets.load("digits", n=300).fingerprint
NUMBERS = itertools.count()
PATIENCE = 240.0  # on a busy machine a worker needs minutes to start
pytestmark = pytest.mark.timeout(900)


def until(condition, seconds=PATIENCE):
    end = time.time() + seconds
    while not (found := condition()):
        assert time.time() < end, "waited in vain"
        time.sleep(0.005)
    return found


@pytest.fixture(autouse=True)
def own_state(own_cache, tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "BUNDLED", tmp_path / "bundled")
    monkeypatch.setattr(runner, "_queue", runner._Queue())
    yield
    runner._end_all()
    until(lambda: runner._queue.thread is None)


# in turn, on a stand-in for the jobs


class Desk:
    """Stands in for core.runtime.jobs: what is handed out, and trainings that end when the test
    says so.
    """

    LOST = jobs.LOST

    def __init__(self):
        self.jobs, self.sent, self.size = {}, [], 2
        self.chips = {"": "float32"}  # worker -> what it measures, None: it is gone
        self.asked, self.precisions = [], []

    def slots(self):
        return self.size

    def workers(self):
        return list(self.chips)

    def submit(self, task, *arguments, key, priority, worker="", lives=3, **how):
        if task == tasks.PRECISION:
            self.asked.append(worker)
            job, answer = jobs.Job(key, task, arguments, priority, worker), self.chips[worker]
            job._finish("done", value=answer) if answer else job._finish("failed", error="gone")
            return job
        assert lives == 1  # what follows a death is said in patience.py
        unit, precision = arguments
        self.precisions.append(precision)
        known = self.jobs.get(key)
        if known is None or known.state in ("failed", "cancelled"):
            known = self.jobs[key] = jobs.Job(key, task, (unit,), priority, state="running")
            self.sent.append(unit)
        return known

    def forget(self, key):
        self.jobs.pop(key, None)

    def finish(self, *units, notes=()):
        """These trainings are done; their accuracy tells them apart."""
        for unit in units:
            key = unit.key(DATA)
            self.jobs[key]._finish(
                "done", value=Entry(key, outcome(unit), {"samples": unit.samples}, notes)
            )

    def fail(self, unit, error, death=None):
        self.jobs[unit.key(DATA)]._finish("failed", error=error, death=death)

    def state(self, unit):
        return self.jobs[unit.key(DATA)].state


def outcome(unit):
    accuracy = np.array([unit.budget / 1000 + unit.seed / 100])
    counts = {name: np.array([1]) for name in ("epoch", "step", "classes", "chosen")}
    return counts | {"accuracy": accuracy, "loss": np.float64(1.0), "per_class": accuracy}


@pytest.fixture
def desk(monkeypatch):
    monkeypatch.setattr(runner, "jobs", made := Desk())
    monkeypatch.setattr(runner, "PAUSE", 0.002)
    monkeypatch.setattr(patience, "PAUSE", 0.002)
    return made


def to_the_end(desk, *units):
    """Finish these as they are handed out; a job that has ended before must be handed out anew."""
    for unit in units:
        until(
            lambda unit=unit: (
                (job := desk.jobs.get(unit.key(DATA))) is not None and not job.finished
            )
        )
        desk.finish(unit)


def test_trainings_are_handed_out_as_slots_get_free_in_the_plans_order(desk):
    running, units = runner.start(PLAN, DATA, "me"), PLAN.units()
    until(lambda: len(desk.sent) == 2)
    time.sleep(0.05)
    assert (
        desk.sent == units[:2]
        and running.state == "running"
        and (running.done, running.total, running.position) == (0, 8, 0)
    )
    assert {job.priority for job in desk.jobs.values()} == {runner.PRIORITY} and runner.find(
        running.key
    ) is running
    desk.finish(units[1])
    until(lambda: len(desk.sent) == 3)
    assert (
        desk.sent[2] == units[2]
        and running.done == 1
        and list(store.outcomes(PLAN, DATA)) == [units[1]]
    )
    to_the_end(desk, units[0], *units[2:])
    until(lambda: running.finished)
    assert (
        running.state == "done"
        and running.done == 8
        and running.fraction == 1
        and running.error is None
        and running.notes == ()
    )
    assert desk.sent == units and desk.jobs == {}
    found = store.outcomes(PLAN, DATA)
    assert [found[unit]["accuracy"].item() for unit in units] == [
        outcome(unit)["accuracy"].item() for unit in units
    ]
    store.forget()
    assert (
        len(store.outcomes(PLAN, DATA)) == 8
    )  # and on this machine's disk, though the worker's was another one


def test_progress_is_in_work_and_time(desk):
    running, units = runner.start(PLAN, DATA, "me"), PLAN.units()
    total = sum(unit.cost for unit in units)
    until(lambda: len(desk.sent) == 2)
    assert running.fraction == 0 and running.seconds_left is None
    desk.jobs[units[0].key(DATA)].progress = (0.5, "")
    assert running.fraction == pytest.approx(0.5 * units[0].cost / total)
    desk.finish(*units[:2])
    until(lambda: running.done == 2 and len(desk.sent) == 4)
    running.ended = running.started + 30
    done = units[0].cost + units[1].cost
    assert running.fraction == pytest.approx(done / total)
    assert running.elapsed == pytest.approx(30)
    assert running.seconds_left == pytest.approx((total - done) / done * 30)
    runner.cancel(running.key, "me")
    assert running.seconds_left is None and running.fraction == pytest.approx(done / total)


def test_a_finished_plan_is_done_at_once(desk):
    for unit in PLAN.units():
        store.remember(unit.key(DATA), outcome(unit))
    running = runner.start(PLAN, DATA, "me")
    until(lambda: running.finished)
    assert (
        running.state == "done" and desk.sent == [] and running.done == 8 and running.elapsed == 0
    )


def test_the_same_plan_twice_runs_once(desk):
    first, units = runner.start(PLAN, DATA, "me"), PLAN.units()
    assert (
        runner.start(PLAN, DATA, "you") is first
        and runner.start(PLAN, DATA, "me") is first
        and first.owners == {"me", "you"}
    )
    to_the_end(desk, *units)
    until(lambda: first.finished)
    assert runner.start(PLAN, DATA, "another") is first and desk.sent == units


def test_a_plan_whose_results_are_gone_runs_again(desk):
    first, units = runner.start(PLAN, DATA, "me"), PLAN.units()
    to_the_end(desk, *units)
    until(lambda: first.finished)
    shutil.rmtree(cache.folder())
    store.forget()
    again = runner.start(PLAN, DATA, "me")
    to_the_end(desk, *units)
    until(lambda: again.finished)
    assert (
        again is not first
        and again.state == "done"
        and desk.sent == units * 2
        and runner.find(first.key) is again
    )


def test_one_running_experiment_per_owner(desk):
    mine, yours = runner.start(PLAN, DATA, "me"), runner.start(OTHER, DATA, "you")
    for plan in (OTHER, PLAN.with_(epochs=3)):  # neither joining another one nor a new one
        with pytest.raises(UserError, match="Your last experiment is still running"):
            runner.start(plan, DATA, "me")
    assert yours.owners == {"you"} and len(runner._queue.sweeps) == 2
    assert len(cache.entries("history")) == 2  # a refused one leaves no record
    runner.cancel(mine.key, "me")
    assert runner.start(OTHER, DATA, "me") is yours


def test_the_history_knows_what_was_started(desk):
    before = time.time()
    running = runner.start(PLAN, DATA, "me")
    ((key, facts),) = cache.entries("history")
    assert (
        key == runner.history_key(running.key)
        and facts["plan"] == PLAN.to_query()
        and facts["title"] == PLAN.title()
    )
    assert facts["data"] == DATA and before <= facts["started"] <= time.time()


def test_experiments_wait_in_the_order_of_their_start(desk):
    plans = [PLAN, OTHER, PLAN.with_(epochs=3)]
    first, second, third = (
        runner.start(plan, DATA, owner) for plan, owner in zip(plans, "abc", strict=True)
    )
    until(lambda: len(desk.sent) == 2)
    assert [each.position for each in (first, second, third)] == [0, 1, 2]
    assert (first.state, second.state, third.state) == ("running", "queued", "queued")
    to_the_end(desk, *PLAN.units()[:7])
    until(
        lambda: second.state == "running"
    )  # the first one has nothing left to hand out, the second begins beside its last training
    assert (
        first.state == "running"
        and desk.sent[:8] == PLAN.units()
        and desk.sent[8] == OTHER.units()[0]
        and third.state == "queued"
    )
    desk.finish(PLAN.units()[7])
    until(lambda: first.finished)
    assert [each.position for each in (first, second, third)] == [0, 0, 1]
    runner.cancel(second.key, "b")
    assert third.position == 0 and until(lambda: third.state == "running")


def test_a_cancel_keeps_what_is_finished_and_frees_the_rest(desk):
    running, units = runner.start(PLAN, DATA, "me"), PLAN.units()
    to_the_end(desk, units[0])
    until(lambda: len(desk.sent) == 3)
    desk.finish(units[1])  # in the same moment
    runner.cancel(running.key, "me")
    assert (
        running.state == "cancelled"
        and running.finished
        and running.done == 2
        and running.error is None
    )
    assert desk.state(units[2]) == "cancelled" and list(store.outcomes(PLAN, DATA)) == units[:2]
    assert running.fraction == pytest.approx(
        sum(unit.cost for unit in units[:2]) / sum(unit.cost for unit in units)
    )
    runner.cancel(running.key, "me")
    runner.cancel("retrain-unknown", None)
    sent = len(desk.sent)
    again = runner.start(PLAN, DATA, "me")
    to_the_end(desk, *units[2:])
    until(lambda: again.finished)
    assert (
        again is not running
        and again.state == "done"
        and again.done == 8
        and desk.sent[sent:] == units[2:]
    )


def test_it_ends_when_nobody_wants_it_any_more(desk):
    running = runner.start(PLAN, DATA, "me")
    runner.start(PLAN, DATA, "you")
    until(lambda: len(desk.sent) == 2)
    runner.cancel(running.key, "me")
    runner.cancel(running.key, "stranger")
    assert running.state == "running" and desk.state(PLAN.units()[0]) == "running"
    runner.cancel(running.key, "you")
    assert running.state == "cancelled" and desk.state(PLAN.units()[0]) == "cancelled"
    both = runner.start(OTHER, DATA, "me")
    runner.start(OTHER, DATA, "you")
    runner.cancel(both.key, None)
    assert both.state == "cancelled"


def test_a_training_that_two_want_survives_the_cancel_of_one(desk):
    desk.size = 8
    random = [unit for unit in PLAN.units() if unit.candidate == retrain.RANDOM]
    mine, yours = runner.start(PLAN, DATA, "me"), runner.start(OTHER, DATA, "you")
    until(lambda: len(mine.running) == 8)
    assert yours.running == {} and yours.state == "queued"  # no slot is free
    desk.size = 13
    until(lambda: len(yours.running) == 8)
    assert len(desk.sent) == 12 and set(mine.running) & set(yours.running) == {
        unit.key(DATA) for unit in random
    }
    runner.cancel(mine.key, "me")
    assert {desk.state(unit) for unit in random} == {"running"}
    assert {desk.state(unit) for unit in PLAN.units() if unit not in random} == {"cancelled"}
    desk.finish(*OTHER.units())
    until(lambda: yours.finished)
    assert (
        yours.state == "done"
        and len(store.outcomes(OTHER, DATA)) == 8
        and len(store.outcomes(PLAN, DATA)) == 4
    )


def test_a_training_that_another_sweep_has_finished_is_not_handed_out_again(desk):
    mine, yours = runner.start(PLAN, DATA, "me"), runner.start(OTHER, DATA, "you")
    to_the_end(
        desk, *PLAN.units(), *(unit for unit in OTHER.units() if unit.candidate != retrain.RANDOM)
    )
    until(lambda: mine.finished and yours.finished)
    assert (
        max(Counter(desk.sent).values()) == 1
        and len(desk.sent) == 12
        and (mine.state, yours.state) == ("done", "done")
    )


def test_a_failed_training_ends_the_sweep_with_its_message_and_loses_nothing(desk):
    desk.size = 4
    running, units = runner.start(PLAN, DATA, "me"), PLAN.units()
    to_the_end(desk, units[0])
    until(lambda: len(desk.sent) == 5)
    with runner._queue.lock:  # all in one moment
        desk.fail(units[1], "Training diverged. Lower learning_rate.")
        desk.finish(units[2], units[3])
    until(lambda: running.finished)
    assert (running.state, running.error) == ("failed", "Training diverged. Lower learning_rate.")
    assert list(store.outcomes(PLAN, DATA)) == [units[0], units[2], units[3]] and running.done == 3
    assert desk.state(units[4]) == "cancelled"
    sent = len(desk.sent)
    again = runner.start(PLAN, DATA, "me")
    to_the_end(desk, units[1], *units[4:])
    until(lambda: again.finished)
    assert again.state == "done" and set(desk.sent[sent:]) == {units[1], *units[4:]}


def begun(desk, running, unit):
    """Wait until it has been handed out, anew if it has ended before."""
    key = unit.key(DATA)
    until(lambda: key in running.running and key in desk.jobs and not desk.jobs[key].finished)


def die(desk, running, unit, *kinds):
    """At each of its next attempts its worker dies, of this."""
    for kind in kinds:
        begun(desk, running, unit)
        desk.fail(unit, deaths.WORDS[kind], Death(kind, f"worker {next(NUMBERS)}"))


def test_an_experiment_goes_on_by_itself_after_deaths_of_all_kinds(desk):
    desk.size = 1
    running, units = runner.start(PLAN, DATA, "me"), PLAN.units()
    for unit, kind in zip(units, ["killed", "memory", "crashed", "lost"] * 2, strict=True):
        die(desk, running, unit, kind)
        to_the_end(desk, unit)
    until(lambda: running.finished)
    assert (running.state, running.error, running.done) == ("done", None, 8)
    assert max(Counter(desk.sent).values()) == 2 and len(store.outcomes(PLAN, DATA)) == 8
    assert running.notes == (
        "Its worker was gone 8 times (killed from outside: 2, out of memory: 2, crashed: 2,"
        " connection lost: 2).",
    )


def test_one_death_that_interrupts_two_units_is_counted_once(desk):
    running, units = runner.start(PLAN, DATA, "me"), PLAN.units()
    until(lambda: len(running.running) == 2)
    with runner._queue.lock:
        for unit in units[:2]:
            desk.fail(unit, deaths.WORDS["killed"], Death("killed", "worker"))
    begun(desk, running, units[0])
    assert running.notes == ("Its worker was gone once (killed from outside: 1).",)
    to_the_end(desk, *units)
    until(lambda: running.finished)
    assert running.state == "done"


def test_a_unit_in_whose_middle_three_workers_died_is_left_out_and_named(desk):
    desk.size = 1
    running, units = runner.start(PLAN, DATA, "me"), PLAN.units()
    die(desk, running, units[0], "killed", "memory", "memory")
    to_the_end(desk, units[1])
    assert running.state == "running" and units[0].key(DATA) not in running.running
    to_the_end(desk, *units[2:])
    until(lambda: running.finished)
    assert (running.state, running.done) == ("failed", 7) and len(store.outcomes(PLAN, DATA)) == 7
    assert desk.sent.count(units[0]) == patience.MOST and running.error == (
        f"Left out of 8 trainings: candidate {units[0].candidate}, budget {units[0].budget}, seed"
        f" {units[0].seed}. Each time that this was computed its worker died (killed from"
        " outside: 1, out of memory: 2). Choose fewer points or dimensions."
    )
    again = runner.start(PLAN, DATA, "me")
    to_the_end(desk, units[0])
    until(lambda: again.finished)
    assert again.state == "done" and again.notes == ()


def test_a_second_one_left_out_before_any_is_finished_ends_it(desk):
    desk.size = 1
    running, units = runner.start(PLAN, DATA, "me"), PLAN.units()
    for unit in units[:2]:
        die(desk, running, unit, "killed", "killed", "killed")
    until(lambda: running.finished)
    assert running.state == "failed" and len(desk.sent) == 2 * patience.MOST
    assert running.error.count("candidate") == 2 and "Start it again" in running.error


def test_who_never_answers_is_asked_twice_and_who_has_answered_six_times(desk):
    desk.size = 1
    nobody = "Scheduler: found no answer at tcp://there:8786."
    for plan, asked in ((PLAN, patience.ASKED_AT_FIRST), (OTHER, patience.ASKED)):
        running, units = runner.start(plan, DATA, "me"), plan.units()
        unit = units[asked == patience.ASKED]
        if unit is not units[0]:
            to_the_end(desk, units[0])
        for attempt in range(asked):
            begun(desk, running, unit)
            desk.fail(unit, nobody, Death("unreachable", str(attempt)))
        until(lambda one=running: one.finished)
        assert (running.state, running.error) == ("failed", nobody)


def test_the_pause_doubles_with_every_death_until_a_unit_is_finished(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    one, pauses = patience.Patience(), []
    for number in range(9):
        now[0] += 100
        assert one.again(f"unit {number}", Death("killed", str(number)))
        pauses.append(one.pause)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    one.finished()
    now[0] += 100
    one.again("another", Death("killed", "more"))
    assert one.pause == 1


def test_nothing_is_handed_out_in_the_pause(desk, monkeypatch):
    monkeypatch.setattr(patience, "PAUSE", 60.0)
    desk.size = 1
    running, units = runner.start(PLAN, DATA, "me"), PLAN.units()
    begun(desk, running, units[0])
    desk.fail(units[0], deaths.WORDS["killed"], Death("killed", "worker"))
    until(lambda: running.patience.pause)
    time.sleep(0.05)
    assert desk.sent == units[:1] and 50 < running.patience.pause <= 60
    assert running.state == "running" and running.done == 0
    runner.cancel(running.key, "me")
    assert running.state == "cancelled"


def test_trainings_that_someone_else_lets_go_of_are_begun_again(desk):
    running, units = runner.start(PLAN, DATA, "me"), PLAN.units()
    until(lambda: len(desk.sent) == 2)
    desk.jobs[units[0].key(DATA)].cancel()
    until(lambda: desk.sent.count(units[0]) == 2)
    to_the_end(desk, *units)
    until(lambda: running.finished)
    assert running.state == "done"


def test_a_full_disk_is_told_and_costs_nothing(desk, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LEVERAGE_LAB_CACHE", str(tmp_path / "file" / "cache"))
    running, units = runner.start(PLAN, DATA, "me"), PLAN.units()
    until(lambda: len(desk.sent) == 2)
    desk.finish(units[0], notes=("The worker could not store it.",))
    until(lambda: len(desk.sent) == 3)
    assert running.notes == ("The worker could not store it.",)
    to_the_end(desk, *units[1:])
    until(lambda: running.finished)
    assert running.state == "done" and len(store.outcomes(PLAN, DATA)) == 8
    assert "could not be stored in" in running.notes[1] and "(Not a directory)" in running.notes[1]


def test_trouble_with_a_result_ends_the_sweep_with_a_word(desk, monkeypatch):
    monkeypatch.setattr(store, "remember", lambda key, arrays, precision: 1 / 0)
    running = runner.start(PLAN, DATA, "me")
    until(lambda: len(desk.sent) == 2)
    desk.finish(PLAN.units()[0])
    until(lambda: running.finished)
    assert (
        running.state == "failed"
        and "stopped with ZeroDivisionError: division by zero" in running.error
    )
    monkeypatch.undo()


def test_a_scheduler_that_does_not_answer_still_gets_one_training(desk, monkeypatch):
    monkeypatch.setattr(desk, "slots", lambda: (_ for _ in ()).throw(OSError("Timed out")))
    running = runner.start(PLAN, DATA, "me")
    until(lambda: desk.sent)
    desk.fail(PLAN.units()[0], "Scheduler: found no answer at tcp://there:8786.")
    until(lambda: running.finished)
    assert (
        running.error == "Scheduler: found no answer at tcp://there:8786." and len(desk.sent) == 1
    )


def test_networks_are_trained_in_what_is_fastest_on_every_worker(desk):
    """Else in float32, as where a worker is gone before it answers; asked once for each worker."""
    for chips, wanted in (
        ({"a": "bfloat16", "b": "bfloat16"}, "bfloat16"),
        ({"c": "bfloat16", "d": "float32"}, "float32"),
        ({"e": "bfloat16", "f": None}, "float32"),
    ):
        desk.chips, desk.asked, desk.precisions, desk.jobs = chips, [], [], {}
        running = runner.start(PLAN, DATA, "me")
        until(lambda: len(desk.precisions) == 2)
        assert desk.asked == list(chips) and desk.precisions == [wanted] * 2
        runner.cancel(running.key, None)


def test_a_plan_goes_on_in_the_precision_of_its_finished_units(desk):
    first = PLAN.units()[0]
    key = first.key(DATA)
    cache.put(key, outcome(first), {"precision": "bfloat16"})
    runner.start(PLAN, DATA, "me")
    until(lambda: len(desk.precisions) == 2)
    assert desk.asked == [] and desk.precisions == ["bfloat16"] * 2
    assert store.precisions(PLAN, DATA) == {"bfloat16": 1}


def test_a_clock_that_is_set_back_in_mid_sweep_harms_nothing(desk, monkeypatch):
    running, units = runner.start(PLAN, DATA, "me"), PLAN.units()
    until(lambda: len(desk.sent) == 2)
    earlier = time.time() - 1e6
    monkeypatch.setattr(time, "time", lambda: earlier)
    assert running.elapsed == 0 and running.seconds_left is None
    for unit in units:  # until() would wait by the clock that stands
        while (job := desk.jobs.get(unit.key(DATA))) is None or job.finished:
            time.sleep(0.002)
        desk.finish(unit)
    while not running.finished:
        time.sleep(0.002)
    assert running.state == "done" and desk.sent == units and running.elapsed == 0
    assert len(store.outcomes(PLAN, DATA)) == 8
    monkeypatch.undo()


def test_old_experiments_are_forgotten(desk, monkeypatch):
    monkeypatch.setattr(runner, "KEPT", 2)
    keys = []
    for epochs in (1, 2, 3, 4):
        keys.append(runner.start(PLAN.with_(epochs=epochs), DATA, "me").key)
        runner.cancel(keys[-1], "me")
    assert [runner.find(key) is not None for key in keys] == [False, False, True, True]
    assert len(cache.entries("history")) == 4


# on real workers


class Workshop:
    """A folder for the trainings' log, and for what holds them up. See
    tests/tools/tasks_for_sweeps.py.
    """

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()

    def hold(self, after, how="hearing"):
        """Once so many trainings have ended, the others stand still; "deaf", they do not notice a
        cancel meanwhile.
        """
        (self.folder / "next").write_text(f"{after} {how}")
        (self.folder / "next").replace(self.folder / "hold")

    def go_on(self):
        """Nothing is held up any more."""
        (self.folder / "hold").unlink(missing_ok=True)

    def events(self, *kinds):
        """(kind, unit's name, process) of each event."""
        log = self.folder / "log"
        lines = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
        return [(kind, name, int(pid)) for kind, name, pid in lines if not kinds or kind in kinds]

    def under_way(self):
        """How many trainings have begun and not ended."""
        return len(self.events("begin")) - len(self.events("end", "cancelled"))

    def count(self, kind):
        return Counter(name for _, name, *_ in self.events(kind))


def name_of(unit):
    return f"{unit.candidate.rule}-{unit.budget}-{unit.seed}"


@pytest.fixture(scope="module")
def _local(tmp_path_factory):
    """One worker for all tests, with a cache and a workshop of its own."""
    folder = tmp_path_factory.mktemp("local")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEVERAGE_LAB_CACHE", str(folder / "cache"))
        patch.setenv("LEVERAGE_LAB_TEST_FOLDER", str(folder / "workshop"))
        patch.delenv("LEVERAGE_LAB_SCHEDULER", raising=False)
        jobs.close()
        yield Workshop(folder / "workshop"), folder / "cache"
        jobs.close()


@pytest.fixture
def local(_local, monkeypatch):
    workshop, folder = _local
    monkeypatch.setenv("LEVERAGE_LAB_CACHE", str(folder))
    monkeypatch.setenv("LEVERAGE_LAB_TEST_FOLDER", str(workshop.folder))
    monkeypatch.setattr(retrain.Training, "task", "tests.tools.tasks_for_sweeps:train")
    (workshop.folder / "log").unlink(missing_ok=True)
    workshop.go_on()
    return workshop


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The rows of a plan, one training after the other in this process, with a cache of its own."""

    def rows(plan):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LEVERAGE_LAB_CACHE", str(tmp_path_factory.mktemp("undisturbed")))
            retrain._pool_scores.cache_clear()
            return outcomes.tidy_columns(
                plan, {unit: compute(unit).arrays for unit in plan.units()}
            )

    return rows


def finished_in_cache(plan):
    """Names of the trainings that lie on the disk."""
    return {name_of(unit) for unit in plan.units() if cache.get(unit.key(DATA)) is not None}


def midway(workshop, plan):
    """Wait until two or more trainings are on the disk and another one is under way; they are held
    there.
    """
    return until(
        lambda: (
            len(found := finished_in_cache(plan)) >= 2
            and workshop.count("begin") - workshop.count("end")
            and found
        )
    )


def check_nothing_lost_or_repeated(workshop, plan, kept, interrupted):
    """Each training ended; those on the disk at the interruption ran once, and at most what was
    under way began again.
    """
    begun, ended = workshop.count("begin"), workshop.count("end")
    assert set(ended) == {name_of(unit) for unit in plan.units()} and all(
        begun[name] == ended[name] == 1 for name in kept
    )
    assert begun.total() <= len(plan.units()) + interrupted


def test_a_sweep_on_the_local_worker_gives_the_undisturbed_rows(local, undisturbed):
    local.hold(after=0)
    running = runner.start(PLAN, DATA, "me")
    assert runner.start(PLAN, DATA, "you") is running
    local.go_on()
    until(lambda: running.finished)
    assert running.state == "done" and running.error is None and running.notes == ()
    assert outcomes.tidy_columns(PLAN, store.outcomes(PLAN, DATA)) == undisturbed(PLAN)
    assert (
        local.count("begin")
        == local.count("end")
        == Counter(name_of(unit) for unit in PLAN.units())
    )


def test_a_cancel_takes_effect_at_once_and_finished_trainings_stay(local):
    plan = PLAN.with_(epochs=3)
    local.hold(after=2, how="deaf")
    running = runner.start(plan, DATA, "me")
    kept = midway(local, plan)
    runner.cancel(running.key, "me")
    assert running.state == "cancelled" and 2 <= running.done < 8
    assert local.under_way() >= 1 and not local.events("cancelled")  # nobody waited for them
    local.hold(after=2)
    until(lambda: local.under_way() == 0)
    time.sleep(3 * runner.PAUSE)
    assert finished_in_cache(plan) == kept
    assert local.count("begin") - Counter(kept) == local.count("cancelled")
    local.go_on()
    again = runner.start(plan, DATA, "me")
    until(lambda: again.finished)
    assert again.state == "done" and all(local.count("begin")[name] == 1 for name in kept)


def test_a_killed_worker_process_costs_nothing_finished(local, undisturbed):
    plan = PLAN.with_(epochs=4)
    local.hold(after=2)
    running = runner.start(plan, DATA, "me")
    kept = midway(local, plan)
    (killed,) = {pid for *_, pid in local.events()}
    assert killed in {
        child.pid for child in psutil.Process(job_desk.host().pid).children(recursive=True)
    }
    os.kill(killed, signal.SIGKILL)
    local.go_on()
    until(lambda: running.finished)
    assert (
        running.state == "done"
        and running.error is None
        and len({pid for *_, pid in local.events()}) == 2
    )
    check_nothing_lost_or_repeated(local, plan, kept, jobs.slots())
    assert outcomes.tidy_columns(plan, store.outcomes(plan, DATA)) == undisturbed(plan)


def test_a_killed_worker_host_is_replaced_and_the_sweep_goes_on(local, undisturbed):
    plan = PLAN.with_(epochs=5)
    local.hold(after=2)
    running = runner.start(plan, DATA, "me")
    kept, host = midway(local, plan), job_desk.host()
    host.kill()
    local.go_on()
    until(lambda: running.finished)
    assert running.state == "done" and running.error is None and job_desk.host() is not host
    check_nothing_lost_or_repeated(local, plan, kept, jobs.slots())
    assert outcomes.tidy_columns(plan, store.outcomes(plan, DATA)) == undisturbed(plan)


COMMAND = """
import sys
from core import __main__
from core.experiments.retrain import plan as retrain
retrain.Training.task = "tests.tools.tasks_for_sweeps:train"
sys.exit(__main__.main(["retrain", *sys.argv[1:]]))
"""


def test_a_killed_program_goes_on_where_it_was(tmp_path, monkeypatch, undisturbed):
    """The command line's own sweep, killed and begun again."""
    workshop, out, plan = Workshop(tmp_path / "workshop"), tmp_path / "run.csv", PLAN
    workshop.hold(after=2)
    monkeypatch.setenv("LEVERAGE_LAB_TEST_FOLDER", str(workshop.folder))
    options = [
        "--dataset=digits",
        "--n=300",
        "--network=mlp",
        "--epochs=2",
        "--seeds=2",
        "--budgets=64 128",
        "--candidates=top random",
    ]
    command = [sys.executable, "-c", COMMAND, *options, "--out", str(out)]
    program = subprocess.Popen(command, cwd=worker.ROOT, stdout=subprocess.DEVNULL)
    try:
        kept = midway(workshop, plan)
        below = psutil.Process(program.pid).children(recursive=True)
    finally:
        program.kill()
        program.wait()
    assert not psutil.wait_procs(below, PATIENCE)[1] and not out.exists()  # its workers end with it
    kept, before = kept | finished_in_cache(plan), len(workshop.events("begin"))
    workshop.go_on()
    done = subprocess.run(
        command, cwd=worker.ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert (
        done.returncode == 0
        and "Error" not in done.stderr
        and f"{plan.title()}: 8 trainings -> {out}" in done.stdout
    )
    assert f"{plan.title()}: {len(kept)} of 8" in done.stdout and len(
        workshop.events("begin")
    ) == before + 8 - len(kept)
    check_nothing_lost_or_repeated(workshop, plan, kept, 2)
    pd.testing.assert_frame_equal(
        pd.read_csv(out), pd.DataFrame(undisturbed(plan)), check_exact=True
    )


# other schedulers


@pytest.fixture
def closed_jobs():
    jobs.close()
    yield
    jobs.close()


@pytest.mark.parametrize("address", ["nonsense", "tcp://127.0.0.1:{port}"])
def test_a_scheduler_that_is_not_there_is_told_and_nothing_is_lost(
    address, monkeypatch, closed_jobs
):
    monkeypatch.setattr(worker, "CONNECT_SECONDS", 1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = address.format(port=taken.getsockname()[1])
        monkeypatch.setenv("LEVERAGE_LAB_SCHEDULER", address)
        kept = compute(PLAN.units()[1])
        running = runner.start(PLAN, DATA, "me")
        until(lambda: running.finished)
    assert (
        running.state == "failed"
        and f"found no answer at {address}" in running.error
        and "LEVERAGE_LAB_SCHEDULER" in running.error
    )
    assert running.done == 1 and np.array_equal(
        store.outcome(kept.key)["accuracy"], kept.arrays["accuracy"]
    )
    assert list(store.outcomes(PLAN, DATA)) == [PLAN.units()[1]]


@pytest.fixture
def cluster(tmp_path, monkeypatch, closed_jobs):
    """A scheduler and two workers of one thread, by Dask's own commands, with a cache that this
    process does not see.
    """
    workshop, file = Workshop(tmp_path / "workshop"), tmp_path / "scheduler.json"
    monkeypatch.setenv("LEVERAGE_LAB_TEST_FOLDER", str(workshop.folder))
    environment = os.environ | {
        "PYTHONPATH": str(worker.ROOT),
        "LEVERAGE_LAB_CACHE": str(tmp_path / "theirs"),
    }
    dask = [str(Path(sys.executable).with_name("dask"))]
    shared = ["--scheduler-file", str(file), "--host", "127.0.0.1", "--no-dashboard"]
    commands = (
        ["scheduler", "--port", "0", *shared],
        ["worker", "--nworkers", "2", "--nthreads", "1", "--death-timeout", str(PATIENCE), *shared],
    )
    quiet = {
        "cwd": tmp_path,
        "env": environment,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
    }
    started = []

    def begin(port="0"):
        """The scheduler's process and its address."""
        file.unlink(missing_ok=True)
        commands[0][2] = port
        started.extend(subprocess.Popen([*dask, *command], **quiet) for command in commands)
        written = until(lambda: file.exists() and file.read_text().strip() and file.read_text())
        return started[-2], json.loads(written)["address"]

    try:
        scheduler, address = begin()
        monkeypatch.setenv("LEVERAGE_LAB_SCHEDULER", address)
        monkeypatch.setattr(retrain.Training, "task", "tests.tools.tasks_for_sweeps:train")
        yield workshop, scheduler, lambda: begin(address.rpartition(":")[2])
    finally:
        jobs.close()
        for process in started[::-1]:  # workers first: without a scheduler they would wait for one
            process.terminate()
            process.wait(PATIENCE)


def test_a_cluster_of_two_workers_gives_the_same_rows_and_its_loss_is_told(
    cluster, undisturbed, monkeypatch
):
    workshop, scheduler, _ = cluster
    jobs.start_in_background()
    until(lambda: job_desk.connected() and jobs.slots() == 2)
    workshop.hold(after=0)
    running = runner.start(PLAN, DATA, "me")
    until(lambda: len({pid for *_, pid in workshop.events("begin")}) == 2)
    workshop.go_on()
    until(lambda: running.finished)
    assert running.state == "done" and running.notes == ()
    assert (
        workshop.count("begin")
        == workshop.count("end")
        == Counter(name_of(unit) for unit in PLAN.units())
    )
    assert outcomes.tidy_columns(PLAN, store.outcomes(PLAN, DATA)) == undisturbed(PLAN)
    assert finished_in_cache(PLAN) == {
        name_of(unit) for unit in PLAN.units()
    }  # on this machine's disk too

    monkeypatch.setattr(worker, "CONNECT_SECONDS", 1)
    workshop.hold(after=8 + 2)
    plan = PLAN.with_(epochs=3)
    running = runner.start(plan, DATA, "me")
    kept = until(lambda: running.done >= 2 and set(store.outcomes(plan, DATA)))
    scheduler.kill()
    until(lambda: running.finished)
    assert running.state == "failed" and "found no answer at" in running.error
    assert set(store.outcomes(plan, DATA)) >= kept and 2 <= running.done < 8


def test_a_scheduler_that_dies_in_mid_sweep_and_comes_back_costs_nothing_finished(
    cluster, undisturbed, monkeypatch
):
    workshop, scheduler, begin_again = cluster
    monkeypatch.setattr(patience, "PAUSE", 4.0)  # a busy machine needs a minute to start another
    workshop.hold(after=2)
    running = runner.start(PLAN, DATA, "me")
    until(lambda: running.done >= 2 and workshop.under_way())
    kept = {name_of(unit) for unit in store.outcomes(PLAN, DATA)}
    scheduler.kill()
    until(lambda: running.patience.deaths)
    assert running.state == "running" and "connection lost: 1" in running.notes[0]
    workshop.go_on()
    begin_again()
    until(lambda: running.finished)
    assert (running.state, running.error, running.done) == ("done", None, 8)
    check_nothing_lost_or_repeated(workshop, PLAN, kept, 2)
    assert outcomes.tidy_columns(PLAN, store.outcomes(PLAN, DATA)) == undisturbed(PLAN)
