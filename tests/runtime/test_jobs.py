"""Jobs arrive once, report, stop when told, outlive a killed worker, and end with the process that
started them.
"""

from __future__ import annotations

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import dask
import pytest
from distributed.system import MEMORY_LIMIT

from core.runtime import deaths, jobs, nanny, progress, worker
from core.runtime import job as job_module
from core.runtime.job import explain
from core.types import UserError
from tests.tools import job_desk, tasks_for_jobs

TASKS = "tests.tools.tasks_for_jobs:"
REPOSITORY = worker.ROOT
PATIENCE = 240.0  # on a busy machine a worker needs minutes to start
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module", autouse=True)
def _own_cluster():
    jobs.close()
    yield
    jobs.close()


@pytest.fixture
def fresh():
    """No connection before and after: for tests that replace the cluster."""
    jobs.close()
    yield
    jobs.close()


@pytest.fixture
def key(request):
    return request.node.name.replace("[", "_").replace("]", "")


@pytest.fixture
def gate(tmp_path):
    """A file that tasks wait for: `gate.touch()` lets them go on."""
    return tmp_path / "gate"


def submit(task, *args, key, **more):
    return jobs.submit(TASKS + task, *args, key=key, **more)


def until(condition):
    end = time.time() + PATIENCE
    while not (found := condition()):
        assert time.time() < end, "waited in vain"
        time.sleep(0.02)
    return found


def text_of(path):
    return Path(path).read_text() if Path(path).exists() else ""


def alive(pid):
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


needs_proc = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="reads /proc to see whether a process lives"
)


def run_apart(script, **environment):
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


# the usual life of a job


def test_submitting_does_not_wait_for_the_worker_and_the_result_arrives(key, fresh, monkeypatch):
    may_start = threading.Event()
    monkeypatch.setattr(
        worker,
        "connect",
        lambda address, connect=worker.connect: may_start.wait() and connect(address),
    )
    job = submit("add", 2, 3, key=key)
    assert job.state == "starting" and not job.finished and job.elapsed == 0
    may_start.set()
    assert job.wait(PATIENCE) and job.result() == job.result() == 5
    assert job.state == "done" and job.error is None
    assert job.elapsed == job.ended - job.started >= 0
    assert jobs.find(key) is job and jobs.find("unknown") is None


def test_the_same_key_runs_once_before_while_and_after(key, tmp_path, gate, fresh):
    log, asked = tmp_path / "log", ("counted", str(tmp_path / "log"), "a", str(gate))
    first = submit(*asked, key=key)
    assert submit(*asked, key=key) is first
    until(lambda: first.state == "running")
    assert submit(*asked, key=key) is first
    gate.touch()
    first.wait(PATIENCE)
    assert submit(*asked, key=key).result() == "a" and text_of(log).count("\n") == 1


def test_a_forgotten_job_runs_again(key, tmp_path):
    log = tmp_path / "log"
    for runs in (1, 2):
        assert submit("counted", str(log), runs, key=key).result() == runs
        assert text_of(log).count("\n") == runs
        jobs.forget(key)
        assert jobs.find(key) is None


def test_a_task_whose_time_is_up_stops_at_its_next_step(key, tmp_path):
    job = submit("steps", str(tmp_path / "log"), key=key, seconds=0.5)
    with pytest.raises(UserError, match="stopped after 0 seconds, several times what"):
        job.result()
    assert 0.5 <= job.elapsed < 10, "long before it would have ended"


def test_a_task_that_notices_nothing_ends_with_its_worker_and_is_not_begun_again(
    key, tmp_path, fresh, monkeypatch
):
    monkeypatch.setenv("LEVERAGE_LAB_HOSTED", "1")
    monkeypatch.setenv("LEVERAGE_LAB_LAST_CHANCE", "0.5")
    log = tmp_path / "log"
    other = submit("steps", str(tmp_path / "other"), 3.0, key=f"{key} other", owner="b" * 12)
    job = submit("blind", str(log), key=key, owner="a" * 12, seconds=0.5, room=worker.HEAVY)
    with pytest.raises(UserError, match="It was stopped after"):
        job.result()
    assert other.result() == "whole", "beside it nothing is disturbed"
    again = submit("add", 2, 3, key=f"{key} after", owner="a" * 12, room=worker.HEAVY)
    assert again.result() == 5, "another worker has begun"
    assert text_of(log).count("\n") == 1


def test_what_takes_too_much_memory_ends_alone(key, tmp_path, fresh, monkeypatch):
    monkeypatch.setenv("LEVERAGE_LAB_HOSTED", "1")
    other = submit("steps", str(tmp_path / "other"), 3.0, key=f"{key} other", owner="b" * 12)
    job = submit("greedy", 3, key=key, owner="a" * 12, room=worker.HEAVY)
    with pytest.raises(UserError, match="memory"):
        job.result()
    assert other.result() == "whole"


def test_progress_arrives_and_is_thinned(key, tmp_path, gate, monkeypatch):
    job, heard = submit("steps", str(tmp_path / "log"), 0.5, str(gate), key=key), []
    monkeypatch.setattr(
        job, "_heard", lambda message, hear=job._heard: (heard.append(message), hear(message))
    )
    until(lambda: job.progress == (1.0, "stepping") and job.elapsed > 1 and len(heard) >= 4)
    assert job.state == "running"
    gate.touch()
    assert job.result() == "whole"
    # a store of as many as a second's, and what each second adds
    assert len(heard) <= worker.REPORTS_PER_SECOND * (1 + job.elapsed) + 2


def test_a_cancelled_task_stops_and_can_be_begun_again(key, tmp_path, gate):
    log = tmp_path / "log"
    job = submit("deaf", str(log), str(gate), key=key)
    until(lambda: job.state == "running" and text_of(log))
    job.cancel()
    assert job.state == "cancelled" and job.finished and text_of(log).startswith("running")
    gate.touch()
    until(lambda: text_of(log) == "cancelled")
    with pytest.raises(UserError, match="was cancelled"):
        job.result()
    again = submit("steps", str(log), 0.2, key=key)
    assert again is not job and again.result() == "whole" and job.state == "cancelled"


def test_waiting_jobs_know_their_place_and_can_be_cancelled(key, tmp_path):
    running = [
        submit("steps", str(tmp_path / str(name)), key=f"{key}-{name}")
        for name in range(worker.processors() + 1)
    ]
    until(lambda: all(job.state == "running" for job in running))
    log = tmp_path / "log"
    waiting = {
        name: submit("in_order", str(log), name, key=f"{key}-{name}", priority=5 * (name in "XY"))
        for name in "hgfedXY"
    }
    assert [job.position for job in (*running, *waiting.values())] == [0] * len(running) + [
        2,
        3,
        4,
        5,
        6,
        0,
        1,
    ]
    assert {job.state for job in waiting.values()} == {"queued"}
    waiting["g"].cancel()
    assert waiting["f"].position == 3
    running[0].cancel()
    assert all(job.wait(PATIENCE) for job in waiting.values()) and text_of(log) == "XYhfed"
    for job in running[1:]:
        job.cancel()


def test_errors_become_sentences_and_can_be_tried_again(key, caplog):
    job = submit("divide", 1, 0, key=key)
    assert job.wait(PATIENCE) and job.state == "failed"
    assert "ZeroDivisionError: division by zero" in job.error and "Traceback" not in job.error
    assert "return a / b" in caplog.text  # the traceback is in the log
    with pytest.raises(UserError, match="ZeroDivisionError"):
        job.result()
    again = submit("divide", 6, 3, key=key)
    assert again is not job and again.result() == 2


def test_what_the_user_can_mend_passes_through_word_by_word(key, caplog):
    job = submit("complain", key=key)
    job.wait(PATIENCE)
    assert job.error == "Budget k: found 7, expected at most 5." and caplog.text == ""
    with pytest.raises(UserError, match="expected the form module:function"):
        jobs.submit("no colon", key=key + "-2")


def test_a_task_may_print_more_than_a_pipe_holds(key):
    assert submit("chatter", 300, key=key).wait(PATIENCE)


def test_the_worker_sees_the_environment_and_not_the_apps_main_script(key, fresh, monkeypatch):
    monkeypatch.setenv("LEVERAGE_LAB_TEST", "seen")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    from dask.system import CPU_COUNT

    seen = submit("environment", key=key).result()
    assert (
        seen["LEVERAGE_LAB_TEST"] == "seen"
        and seen["LEVERAGE_LAB_CACHE"] == os.environ["LEVERAGE_LAB_CACHE"]
    )
    assert seen["OMP_NUM_THREADS"] == str(CPU_COUNT) and seen["main"].endswith("worker.py")


def test_outside_a_worker_reports_and_checks_do_nothing(tmp_path):
    assert tasks_for_jobs.steps(tmp_path / "log", 0.05) == "whole" and not progress.cancelled()


# kills and losses


def test_a_killed_worker_is_replaced_and_the_result_arrives(key, tmp_path, fresh, capfd):
    log = tmp_path / "log"
    job = submit("once_killed", str(log), key=key)
    os.kill(int(until(lambda: text_of(log).count("\n") == 1 and text_of(log))), signal.SIGKILL)
    assert job.wait(PATIENCE) and job.result() == 1
    assert [death.kind for death in job.deaths] == ["killed"] and job.error is None
    assert len(set(text_of(log).split())) == 2 and capfd.readouterr().err == ""


def test_a_lost_connection_is_told_and_the_next_job_starts_another_worker(
    key, tmp_path, fresh, caplog
):
    job = submit("steps", str(tmp_path / "log"), key=key)
    until(lambda: job.state == "running")
    job_desk.host().kill()
    assert (
        job.wait(PATIENCE)
        and job.state == "failed"
        and "connection to the worker was lost" in job.error
    )
    until(lambda: jobs._cluster.client.status == "closed")  # it has given up, silently
    assert not [record for record in caplog.records if record.name.startswith("distributed")]
    assert submit("add", 1, 1, key=key).result() == 2


def test_a_worker_that_comes_back_late_is_not_given_up(key, tmp_path, fresh, monkeypatch):
    """By itself Dask forgets a local worker that is not back in 15 s, and then waits for ever:
    two kills on a busy machine, and an experiment stood at "running" with nobody who ran it.
    """
    monkeypatch.setenv("DASK_DISTRIBUTED__DEPLOY__LOST_WORKER_TIMEOUT", "100ms")
    log = tmp_path / "log"
    job = submit("once_killed", str(log), key=key)
    os.kill(int(until(lambda: text_of(log).count("\n") == 1 and text_of(log))), signal.SIGKILL)
    until(lambda: job.deaths)
    assert job.state == "queued" and job.progress == (None, "")  # nobody runs it now
    assert job.wait(60) and job.result() == 1


@pytest.mark.parametrize("how", ["killed", "crashed", "memory"])
def test_three_deaths_in_the_middle_end_a_job_in_words_for_them(
    how, key, tmp_path, fresh, monkeypatch
):
    if how == "memory":  # the nanny ends a worker that takes more than 600 MB
        share = 600e6 / MEMORY_LIMIT
        monkeypatch.setenv("DASK_DISTRIBUTED__WORKER__MEMORY__TERMINATE", f"{share:.6f}")
    log = tmp_path / "log"
    job = submit("die", str(log), how, key=key)
    for number in (1, 2, 3) if how == "killed" else ():
        until(lambda n=number: text_of(log).count("\n") == n and job.state == "running")
        os.kill(int(text_of(log).split()[-1]), signal.SIGKILL)
    assert job.wait(PATIENCE) and job.state == "failed"
    assert [death.kind for death in job.deaths] == [how] * 3
    assert f"died 3 times over this ({deaths.COUNTED[how]}: 3)" in job.error
    assert ("fewer points" in job.error) == (how == "memory")
    assert submit("add", 1, 1, key=f"{key}-2").result() == 2


def test_one_life_ends_at_the_first_death(key, tmp_path, fresh):
    log = tmp_path / "log"
    job = submit("die", str(log), "killed", key=key, lives=1)
    until(lambda: text_of(log) and job.state == "running")
    os.kill(int(text_of(log)), signal.SIGKILL)
    assert job.wait(PATIENCE) and job.error == deaths.WORDS["killed"]
    again = submit("add", 1, 1, key=key)
    assert again is not job and again.result() == 2 and again.deaths == []


def test_how_a_process_ended_is_told_by_its_exit_code():
    kinds = {-9: "killed", -15: "killed", -2: "killed", -11: "crashed", -6: "crashed", 3: "crashed"}
    assert {code: nanny.kind_of(code, False) for code in kinds} == kinds
    assert {nanny.kind_of(code, True) for code in kinds} == {"memory"}
    assert isinstance(nanny.kernel_kills(), int)


def test_a_death_of_which_nobody_tells_is_a_loss(monkeypatch):
    monkeypatch.setattr(deaths, "PATIENCE", 0.05)
    settled = queue.Queue()
    coroner = deaths.Coroner(lambda death, of: settled.put((death.kind, death.worker, of)))
    coroner.went("a", "its jobs")
    assert settled.get(timeout=10) == ("lost", "a", "its jobs")
    # Told before, and Dask's own word on memory before that of the signal that followed.
    coroner.heard((0.0, {"worker": "b", "rss": 1}))
    coroner.heard((0.0, {"worker": "b", "kind": "killed"}))
    coroner.went("b", "others")
    assert settled.get(timeout=10) == ("memory", "b", "others")
    coroner.heard((0.0, {"worker": "", "kind": "killed"}))  # too young to have an address
    coroner.went("c", "more")
    assert settled.get(timeout=10) == ("killed", "c", "more")


class Ended(Exception):
    """In place of the end of the process."""


def test_a_host_whose_worker_stays_away_ends(monkeypatch):
    killed = []
    cluster = SimpleNamespace(
        workers={0: SimpleNamespace(pid=1234567), 1: SimpleNamespace(pid=None)},
        scheduler=SimpleNamespace(workers={"one": 1, "other": 2}),
    )

    def end(code):
        raise Ended(code)

    monkeypatch.setattr(worker, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(worker, "MISSING_SECONDS", 0.2)
    monkeypatch.setattr(os, "_exit", end)
    monkeypatch.setattr(os, "kill", lambda pid, sent: killed.append(pid + 0))
    threading.Timer(0.5, cluster.scheduler.workers.pop, ["other"]).start()
    began = time.monotonic()
    with pytest.raises(Ended):
        worker.end_without_workers(cluster)
    assert time.monotonic() - began > 0.6 and killed == [1234567]


class Slow:
    """A future whose result, finished, is lost with its worker and does not come."""

    status = "finished"

    def result(self, timeout):
        time.sleep(timeout)
        raise TimeoutError


def test_a_result_that_does_not_come_is_lost_and_holds_up_nobody(key, monkeypatch):
    monkeypatch.setattr(job_module, "FETCH_SECONDS", 0.05)
    job = jobs.Job(key, TASKS + "add", (1, 2), state="running")
    job._settle(Slow())
    assert (job.state, job.error) == ("failed", jobs.LOST) and job.deaths[0].kind == "lost"


PARENT = """
import sys, time
from core.runtime import jobs
from tests.tools import job_desk
job = jobs.submit("tests.tools.tasks_for_jobs:steps", sys.argv[1], key="orphan")
while job.state != "running": time.sleep(0.05)
print(job_desk.host().pid, flush=True)
time.sleep(600)
"""


@needs_proc
def test_the_worker_ends_with_a_killed_parent(tmp_path):
    log = tmp_path / "log"
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(log)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    try:
        host, child = int(parent.stdout.readline()), int(until(lambda: text_of(log)).split()[1])
        assert alive(host) and alive(child)
    finally:
        parent.kill()
        parent.communicate()
    until(lambda: not alive(host) and not alive(child))


@needs_proc
def test_closing_ends_every_process_and_cancels_what_runs(key, tmp_path, fresh):
    log = tmp_path / "log"
    job = submit("steps", str(log), key=key)
    child, host = int(until(lambda: text_of(log)).split()[1]), job_desk.host().pid
    jobs.close()
    assert job.state == "cancelled" and jobs.find(key) is None
    until(lambda: not alive(host) and not alive(child))


@needs_proc
def test_closing_while_the_worker_starts_leaves_none_behind(key, fresh, monkeypatch):
    started = []
    monkeypatch.setattr(
        worker, "start", lambda start=worker.start: started.append(start()) or started[0]
    )
    job, thread = submit("add", 1, 2, key=key), jobs._cluster.thread
    jobs.close()
    thread.join(PATIENCE)
    assert job.state == "cancelled" and not job_desk.connected() and not alive(started[0][0].pid)


def test_finished_jobs_are_dropped_when_there_are_many(key, monkeypatch):
    monkeypatch.setattr(jobs, "KEPT", 2)
    for number in range(4):
        assert submit("add", number, 1, key=f"{key}-{number}").result() == number + 1
    assert [bool(jobs.find(f"{key}-{number}")) for number in range(4)] == [False, False, True, True]


# another scheduler


@pytest.fixture
def impatient(monkeypatch):
    """A scheduler has a second to answer, where Dask itself would wait for minutes."""
    monkeypatch.setattr(worker, "CONNECT_SECONDS", 1)
    with dask.config.set({"distributed.comm.timeouts.connect": 1000}):
        yield


def test_an_unreachable_scheduler_is_named_and_can_come_back(key, fresh, impatient, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("LEVERAGE_LAB_SCHEDULER", address)
        job = submit("add", 1, 2, key=key)
        assert job.wait(PATIENCE)
    assert job.state == "failed" and address in job.error and "LEVERAGE_LAB_SCHEDULER" in job.error
    with pytest.raises(UserError, match="found no answer"):
        job.result()
    monkeypatch.setattr(worker, "CONNECT_SECONDS", PATIENCE)
    process, found = worker.start()
    try:
        monkeypatch.setenv("LEVERAGE_LAB_SCHEDULER", found)
        assert submit("add", 1, 2, key=key).result() == 3
    finally:
        jobs.close()
        worker.stop(process)


@pytest.mark.parametrize(
    "address", ["nonsense", "tcp://", "http://127.0.0.1:1", "tcp://no-such-host.invalid:8786"]
)
def test_a_malformed_scheduler_address_is_named(address, key, fresh, impatient, monkeypatch):
    monkeypatch.setenv("LEVERAGE_LAB_SCHEDULER", address)
    job = submit("add", 1, 2, key=key)
    assert job.wait(PATIENCE) and f"no answer at {address}" in job.error


def test_clients_of_one_scheduler_share_a_key_and_cancel_only_for_themselves(
    key, tmp_path, gate, fresh, monkeypatch
):
    process, address = worker.start()
    monkeypatch.setenv("LEVERAGE_LAB_SCHEDULER", address)
    log, other = tmp_path / "log", jobs._Cluster()
    ask = {
        "mine": lambda name, *args: submit(name, *args, key=key),
        "its": lambda name, *args: other.submit(jobs.Job(key, TASKS + name, args)),
    }
    try:
        asked = ("steps", str(log), 2.0, str(gate))
        mine, its = ask["mine"](*asked), ask["its"](*asked)
        until(lambda: mine.state == its.state == "running")
        assert job_desk.host() is None  # so the address was used
        mine.cancel()
        gate.touch()
        assert its.result() == "whole" and text_of(log).startswith("running")
        gate.unlink()
        key += "-again"
        mine = ask["mine"]("slow_to_stop", str(log), str(gate))
        until(lambda: mine.state == "running")
        mine.cancel()
        until(lambda: text_of(log) == "cancelled")
        its = ask["its"]("slow_to_stop", str(log), str(gate))
        time.sleep(0.5)  # so that it is asked for while the first run is stopping
        gate.touch()
        assert its.result() == "whole"
    finally:
        other.close()
        jobs.close()
        worker.stop(process)


# the web process


def test_importing_is_cheap_and_a_whole_life_is_silent():
    cheap = (
        "import sys; from core.runtime import jobs, cache;"
        " print(sorted({'dask', 'distributed', 'torch', 'umap'} & set(sys.modules)))"
    )
    assert run_apart(cheap).stdout == "[]\n"
    life = (
        "from core.runtime import jobs; jobs.start_in_background();"
        f" print(jobs.submit('{TASKS}add', 1, 2, key='life').result())"
    )
    run = run_apart(life)
    assert (run.stdout, run.stderr, run.returncode) == ("3\n", "", 0)


def test_starting_twice_starts_one_worker(fresh):
    for _ in range(5):
        jobs.start_in_background()
    until(lambda: job_desk.connected())
    process = job_desk.host()
    jobs.start_in_background()
    assert job_desk.host() is process and process.poll() is None


def test_a_connection_that_closes_under_a_result_is_said_in_the_words_for_a_lost_one():
    from distributed.client import ClosedClientError, FutureCancelledError
    from distributed.comm import CommClosedError

    for error in (CommClosedError("in <TCP (closed)>"), ClosedClientError("Client is closed.")):
        assert explain(error, "unit", None) == jobs.LOST
    assert explain(FutureCancelledError("unit", "scheduler-connection-lost"), "", None) == jobs.LOST


def test_a_computation_that_asks_for_too_much_says_so():
    class ArrayError(MemoryError):
        """NumPy has one of its own."""

    assert "Choose fewer points or dimensions" in explain(ArrayError("3 TiB"), "unit", None)


def test_tasks_import_one_after_the_other(tmp_path, monkeypatch):
    """Several first tasks of a worker begin at once: no import may see another one half done."""
    for name in ("first_of_two", "second_of_two"):
        (tmp_path / f"{name}.py").write_text(
            "import builtins, time\nwith_me = builtins.importing = getattr(builtins, 'importing',"
            " 0) + 1\ntime.sleep(0.1)\nbuiltins.importing -= 1\n"
        )
    monkeypatch.syspath_prepend(str(tmp_path))
    found, names = [], ("first_of_two", "second_of_two")
    threads = [
        threading.Thread(target=lambda name=name: found.append(worker._imported(name).with_me))
        for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1, 1]
