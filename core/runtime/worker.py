"""The worker's side of a job: running a task, and the local Dask cluster as a process of its own.

`python -m core.runtime.worker` prints its scheduler's address as one line and ends when its
standard input does, so it never outlives the process that started it, however that one died. A
cluster started inside the web process would not do: its worker would run the web app's main script
again. Tasks speak through core/runtime/progress.py.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Any

from core.hosting import policy
from core.runtime import deaths, progress
from core.runtime.folders import ROOT
from core.types import UserError

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
START_SECONDS = 90.0
CONNECT_SECONDS = 5
NICE = 10  # on the hosted demo the pages of a hundred visitors go before the computations of one
TOPIC = "leverage-lab-progress"
REPORTS_PER_SECOND = 4.0
CANCEL_SECONDS = 0.3
LIGHT, HEAVY = "light", "heavy"  # workers of the hosted demo
HEAVY_MEMORY = "1.5 GB"
# Seconds for a task whose time is up to notice it.
LAST_CHANCE = float(os.environ.get("LEVERAGE_LAB_LAST_CHANCE", "10"))
ALLOWED_FAILURES = 50
MISSING_SECONDS = 180.0
LOOK_SECONDS = 1.0


class _Task:
    """The running task of one worker thread.

    Reports pass a token bucket: new stages get through, loops are thinned.
    """

    def __init__(self, worker: Any, key: str, seconds: float | None):
        self.worker = worker
        self.key = key
        self.seconds = seconds
        self.began = self.reported = self.asked = time.monotonic()
        self.tokens = REPORTS_PER_SECOND
        self.cancelled = False

    def report(self, fraction: float | None, text: str) -> None:
        now = time.monotonic()
        earned = (now - self.reported) * REPORTS_PER_SECOND
        self.tokens = min(REPORTS_PER_SECOND, self.tokens + earned)
        self.reported = now
        if self.tokens >= 1.0:
            self.tokens -= 1.0
            fraction = None if fraction is None else min(1.0, max(0.0, float(fraction)))
            message = {"key": self.key, "fraction": fraction, "text": str(text)}
            self.worker.log_event(TOPIC, message | {"elapsed": now - self.began})

    def check_time(self) -> None:
        """A UserError if its time is up."""
        if self.seconds is not None and time.monotonic() - self.began > self.seconds:
            raise UserError(progress.overdue(self.seconds))

    def end_worker(self) -> None:
        """It has not noticed that its time is up: a long step cannot be stopped in another way."""
        self.worker.log_event(TOPIC, {"key": self.key, "overdue": True})
        time.sleep(1.0)  # so that it is heard
        os._exit(1)

    def is_cancelled(self) -> bool:
        now = time.monotonic()
        if not self.cancelled and now - self.asked > CANCEL_SECONDS:
            self.asked = now
            # The scheduler tells the worker when the last client lets go of a key: no message of
            # ours is needed.
            known = self.worker.state.tasks.get(self.key)
            self.cancelled = known is None or known.state == "cancelled"
        return self.cancelled


def run_task(name: str, *args: Any, seconds: float | None = None) -> Any:
    """In the worker: call the function named "module:function", for so many seconds at most."""
    from distributed import get_worker

    _keep_memory()
    worker = get_worker()
    task = _Task(worker, worker.get_current_task(), seconds)
    with progress.heard_by(task), _ended_in_time(task):
        progress.report(None)  # so that it counts as running from its first moment
        module, _, function = name.partition(":")
        return getattr(_imported(module), function)(*args)


@contextmanager
def _ended_in_time(task: _Task) -> Iterator[None]:
    if task.seconds is None:
        yield
        return
    timer = threading.Timer(task.seconds + LAST_CHANCE, task.end_worker)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


_importing = threading.Lock()


def _imported(module: str) -> ModuleType:
    """The module, one import at a time.

    While importlib_metadata is first imported it replaces Python's own import for all threads, and
    what another one imports meanwhile comes out broken: so it comes before everything else.
    """
    with _importing:
        with suppress(ImportError):  # it need not be there
            importlib.import_module("importlib_metadata")
        return importlib.import_module(module)


# glibc's names for what it is told, and how many bytes stay with the process.
MALLOPT = {-1: 256 << 20, -3: 64 << 20}  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD


@functools.cache
def _keep_memory() -> None:
    """Let freed memory stay with this process.

    Dask tells its workers to hand it back at once; a training, which frees and asks for the same
    few megabytes at every step, then spends half of its time in the system.
    """
    with suppress(OSError, AttributeError):  # another C library than glibc has its own ways
        for name, value in MALLOPT.items():
            ctypes.CDLL(None).mallopt(name, value)


def processors() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def start() -> tuple[subprocess.Popen, str]:
    """The process and its scheduler's address, once the worker is up.

    A RuntimeError if it does not come up.
    """
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    # A session of its own, so that Ctrl+C in the terminal reaches the app first and the worker ends
    # after it.
    process = subprocess.Popen(
        [sys.executable, "-m", "core.runtime.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,
    )
    watchdog = threading.Timer(START_SECONDS, process.kill)
    watchdog.daemon = True
    watchdog.start()
    address = process.stdout.readline().decode().strip()
    watchdog.cancel()
    if not address:
        stop(process)
        raise RuntimeError(
            f"the worker process ended with code {process.returncode} before it was ready"
        )
    return process, address


def stop(process: subprocess.Popen, seconds: float = 5.0) -> None:
    """End the cluster, gently at first."""
    for pipe in (process.stdin, process.stdout):
        pipe.close()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def connect(address: str | None) -> tuple[Any, Any]:
    """A client of the scheduler at this address, and None.

    Without an address, a client of a new local cluster, and its process. A UserError if there is no
    answer.
    """
    process = None
    if not address:
        process, address = start()
    from distributed import Client
    from distributed.comm import resolve_address

    # Each has a level of its own; what matters becomes a job's error.
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    how = {"timeout": CONNECT_SECONDS, "set_as_default": False, "name": "leverage-lab"}
    try:
        resolve_address(address)  # a malformed one is known at once; the client would try for long
        return Client(address, **how), process
    except Exception as error:
        disconnect(None, process)
        raise UserError(
            f"Scheduler: found no answer at {address} within {CONNECT_SECONDS} seconds"
            f" ({type(error).__name__}). Start a Dask scheduler there, correct"
            " LEVERAGE_LAB_SCHEDULER (such as tcp://host:8786),"
            " or unset it to compute on this machine."
        ) from error


def disconnect(client: Any, process: Any) -> None:
    """End both, as far as there are any."""
    if client is not None:
        with suppress(Exception):  # the other side may have gone first
            # Else the scheduler tells it that it has gone, and complains that it hears nothing.
            client.unsubscribe_topic(deaths.REMOVED)
            client.close(timeout=2)
    if process is not None:
        stop(process)


def main() -> None:
    """Run one worker process until standard input ends."""
    if policy.hosted() and hasattr(os, "nice"):
        os.nice(NICE)
    # What a task prints must not fill the pipe that carried the address and that nobody reads any
    # more.
    announce = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    cluster = _cluster()
    print(cluster.scheduler_address, file=announce, flush=True)
    threading.Thread(target=end_without_workers, args=(cluster,), daemon=True).start()
    sys.stdin.buffer.read()
    quick_end = threading.Timer(3.0, os._exit, [0])
    quick_end.daemon = True
    quick_end.start()
    cluster.close()


def end_without_workers(cluster: Any) -> None:
    """End this process, and what is left of its workers, once one has been missing for long.

    Whatever keeps a worker from coming back: who waits for it learns that it is lost, and the next
    job starts another process. Else a computation would be "running" for ever.
    """
    all_there = time.monotonic()
    workers = dict(cluster.workers)
    while time.monotonic() - all_there < MISSING_SECONDS:
        if len(cluster.scheduler.workers) >= len(workers):
            all_there = time.monotonic()
        time.sleep(LOOK_SECONDS)
    for nanny in workers.values():
        with suppress(OSError, AttributeError, TypeError):  # it has no process any more
            os.kill(nanny.pid, signal.SIGKILL)
    os._exit(1)


def _cluster():
    import dask.config
    import dask.system
    from distributed import LocalCluster

    from core.runtime.nanny import TellingNanny

    # Unless told otherwise, nannies give numerical libraries one thread each, and workers sample
    # their stack every 10 ms.
    dask.config.set(
        {f"distributed.nanny.pre-spawn-environ.{name}": dask.system.CPU_COUNT for name in THREADS}
    )
    dask.config.set({"distributed.worker.profile.enabled": False})
    # A worker that is not back so many seconds after its death, such as on a busy machine or killed
    # again while it starts, is given up for ever, and what waits for it waits for ever.
    dask.config.set({"distributed.deploy.lost-worker-timeout": "1000 weeks"})
    # How many deaths are too many says core/runtime/job.py, which also knows what was running.
    dask.config.set({"distributed.scheduler.allowed-failures": ALLOWED_FAILURES})
    if policy.hosted():
        return _two_rooms()
    return LocalCluster(
        n_workers=1,
        threads_per_worker=processors() + 1,
        worker_class=TellingNanny,
        host="127.0.0.1",
        scheduler_port=0,
        dashboard_address="127.0.0.1:0",
        scheduler_kwargs={"dashboard": False},
        silence_logs=logging.CRITICAL,
    )


def _two_rooms():
    """What is light, and what is heavy one at a time: its nanny ends it if it takes too much
    memory, and begins another.
    """
    from distributed import Scheduler, SpecCluster

    from core.runtime.nanny import TellingNanny

    here = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    quiet = {"silence_logs": logging.CRITICAL}
    rooms = {LIGHT: (processors() + 1, "auto"), HEAVY: (1, HEAVY_MEMORY)}
    return SpecCluster(
        scheduler={"cls": Scheduler, "options": here | {"port": 0, "dashboard": False}},
        workers={
            room: {
                "cls": TellingNanny,
                "options": here
                | quiet
                | {"nthreads": threads, "memory_limit": memory, "resources": {room: threads}},
            }
            for room, (threads, memory) in rooms.items()
        },
        **quiet,
    )


if __name__ == "__main__":
    main()
