"""Heavy work outside the web process: submit, watch, cancel, collect, on Dask at every size.

    job = submit("core.pipeline:compute", spec, key=key)        returns at once
    job.state, job.progress, job.position                       for the screen
    job.wait(1.0), job.result(), job.cancel()

Without more, the work runs in a worker process on this machine; `LEVERAGE_LAB_SCHEDULER` names a cluster's scheduler
instead (tcp://host:8786) and nothing else changes. The same key is computed once while it waits, runs or is done.
Inside a task, `report` and `check` talk to whoever waits; outside a worker they do nothing, so that the same
functions run in a test or on the command line. Importing this module is cheap: Dask is loaded on the first start.
"""

from __future__ import annotations

import atexit
import logging
import os
import re
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from core import worker_host
from core.types import UserError
from core.worker_host import Cancelled, cancelled, check, report, run_task

log = logging.getLogger(__name__)

CONNECT_SECONDS = 5
KEPT = 2_000
LOST = "The connection to the worker was lost before the result arrived. Start it again."
WHY = {"KilledWorker": "The worker process died several times over this, likely for lack of memory. Choose fewer points or dimensions."}
WHY["CommClosedError"] = LOST
__all__ = ["Cancelled", "Job", "cancelled", "check", "close", "find", "forget", "report", "slots", "start_in_background", "submit"]


@dataclass(eq=False)
class Job:
    """One computation, shared by all who asked for its key.

    state: "starting" (no worker yet), "queued", "running", "done", "failed" or "cancelled". progress: fraction or
    None, and a text. started: seconds since the epoch, or None. error: what to show if it failed.
    """

    key: str
    task: str
    args: tuple
    priority: int = 0
    attempt: int = 1
    state: str = "starting"
    progress: tuple[float | None, str] = (None, "")
    started: float | None = None
    ended: float | None = None
    error: str | None = None
    _value: Any = None
    _future: Any = None
    _finished: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def elapsed(self) -> float:
        """Seconds since a worker began with it; 0 before."""
        return 0.0 if self.started is None else (self.ended or time.time()) - self.started

    @property
    def position(self) -> int:
        """How many waiting jobs come first; 0 if it is next, running or finished."""
        return _cluster.ahead_of(self)

    @property
    def finished(self) -> bool:
        """Done, failed or cancelled."""
        return self._finished.is_set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end, at most so long; did it come?"""
        return self._finished.wait(seconds)

    def result(self) -> Any:
        """What the task returned, waiting for it; a UserError if it failed or was cancelled. Can be asked again."""
        self.wait()
        if self.state != "done":
            raise UserError(self.error or "The computation was cancelled. Start it again to get its result.")
        return self._value

    def cancel(self) -> None:
        """Let go of it at once. A running task notices at its next `check`, unless another client wants it too."""
        self._finish("cancelled")
        if (future := self._future) is not None:
            future.cancel()

    @property
    def _name(self) -> str:
        """The key in Dask. A new attempt is a new name, because an old one may still be failed or stopping there."""
        return f"{self.key}-{self.attempt}"

    def _sent(self, future: Any) -> None:
        with self._lock:
            self._future = future
            if self.state == "starting":
                self.state = "queued"
        future.add_done_callback(self._settle)
        if self.finished:
            future.cancel()

    def _heard(self, message: dict[str, Any]) -> None:
        with self._lock:
            if not self.finished:
                self.state, self.progress = "running", (message["fraction"], message["text"])
                self.started = time.time() - message["elapsed"]

    def _finish(self, state: str, value: Any = None, error: str | None = None) -> None:
        with self._lock:
            if not self.finished:
                self.state, self._value, self.error, self.ended = state, value, error, time.time()
                self._finished.set()

    def _settle(self, future: Any) -> None:
        """In Dask's callback thread. The result is fetched now, so that it outlives the worker and frees its memory."""
        try:
            if future.status == "finished":
                self._finish("done", value=future.result())
            elif future.status == "error":
                self._finish("failed", error=_explain(future.exception(), self.key, future.traceback()))
            else:
                self._finish("failed", error=LOST)
        except Exception as error:  # the result may have been lost or refuse to load here
            self._finish("failed", error=_explain(error, self.key, error.__traceback__))
        self._future = None


class _Cluster:
    """The one connection of this process, and the jobs it knows."""

    def __init__(self):
        self.lock = threading.RLock()
        self.client = self.process = self.thread = None
        self.jobs: dict[str, Job] = {}
        self.attempts: dict[str, int] = {}
        self.era = 0

    def submit(self, job: Job) -> Job:
        with self.lock:
            known = self.jobs.get(job.key)
            if known is not None and known.state not in ("failed", "cancelled"):
                return known
            job.attempt = self.attempts[job.key] = self.attempts.get(job.key, 0) + 1
            self.jobs.pop(job.key, None)  # the order of the jobs is the order of submission
            self.jobs[job.key] = job
            self._forget_old()
            if not self._connected():
                self.start()
                return job
        self._send(job)
        return job

    def start(self) -> None:
        with self.lock:
            if not self._connected() and not (self.thread and self.thread.is_alive()):
                self.thread = threading.Thread(target=self._connect, args=(self.era,), name="leverage-lab-cluster", daemon=True)
                self.thread.start()

    def ahead_of(self, job: Job) -> int:
        waiting = sorted((j for j in list(self.jobs.values()) if j.state in ("starting", "queued")), key=lambda j: -j.priority)
        return waiting.index(job) if job in waiting else 0

    def close(self) -> None:
        with self.lock:
            self.era += 1
            jobs, self.jobs = list(self.jobs.values()), {}
            client, process, self.client, self.process, self.thread = self.client, self.process, None, None, None
        for job in jobs:
            job._finish("cancelled")
        _end(client, process)

    def forget(self, key: str) -> None:
        with self.lock:
            job = self.jobs.get(key)
            if job is not None and job.finished:
                del self.jobs[key]

    def threads(self) -> int:
        return max(1, sum(self.client.nthreads().values())) if self._connected() else 1

    def _heard(self, event: tuple[float, dict[str, Any]]) -> None:
        message = event[1]
        job = self.jobs.get(message["key"].rpartition("-")[0])
        if job is not None and job._name == message["key"]:
            job._heard(message)

    def _connected(self) -> bool:
        return self.client is not None and self.client.status == "running" and (self.process is None or self.process.poll() is None)

    def _connect(self, era: int) -> None:
        old, client, process, reason = (self.client, self.process), None, None, None
        try:
            client, process = _open(os.environ.get("LEVERAGE_LAB_SCHEDULER"))
        except Exception as error:
            reason = _explain(error, "the connection to the worker", error.__traceback__)
        with self.lock:
            if era != self.era:  # closed while it was starting
                old, waiting = (client, process), []
            else:
                self.client, self.process, self.thread = client, process, None
                waiting = [job for job in self.jobs.values() if job.state == "starting"]
        for job in waiting:
            job._finish("failed", error=reason) if reason else self._send(job)
        _end(*old)

    def _send(self, job: Job) -> None:
        if job.finished:
            return
        try:
            self.client.subscribe_topic(worker_host.TOPIC, self._heard)  # each time, because a scheduler that came back has forgotten it
            # Dask may swap what is submitted within fifo_timeout; `position` promises the order of submission.
            how = {"key": job._name, "priority": job.priority, "fifo_timeout": "0 ms"}
            future = self.client.submit(run_task, job.task, *job.args, **how)
            job._sent(future)
        except Exception as error:
            job._finish("failed", error=_explain(error, job.key, error.__traceback__))

    def _forget_old(self) -> None:
        spare = len(self.jobs) - KEPT
        for key in [key for key, job in self.jobs.items() if job.finished][: max(0, spare)]:
            del self.jobs[key]


_cluster = _Cluster()
atexit.register(_cluster.close)


def start_in_background() -> None:
    """Begin to start or find the worker, unless that has been done. Returns at once; trouble shows in the jobs."""
    _cluster.start()


def submit(task: str, *args: Any, key: str, priority: int = 0) -> Job:
    """The job of this key: a new one that calls task, "module:function", with these small arguments, or the one there is.

    Returns at once. A failed or cancelled job is begun again. Higher priority goes first. A UserError for a malformed task."""
    if not re.fullmatch(r"\w+(\.\w+)*:\w+", task):
        raise UserError(f"Job: found task {task!r}, expected the form module:function.")
    return _cluster.submit(Job(key, task, args, priority))


def find(key: str) -> Job | None:
    """The job of this key, if this process knows one."""
    return _cluster.jobs.get(key)


def forget(key: str) -> None:
    """Let the next `submit` of this key compute again: for a finished job whose stored result has gone since."""
    _cluster.forget(key)


def slots() -> int:
    """How many long computations of one thread each run at once: a cluster's threads, or processors; short questions find one more."""
    return _cluster.threads() if os.environ.get("LEVERAGE_LAB_SCHEDULER") else worker_host.processors()


def close() -> None:
    """Cancel everything and end the local worker. The next `submit` starts another."""
    _cluster.close()


def _open(address: str | None) -> tuple[Any, Any]:
    process = None
    if not address:
        process, address = worker_host.start()
    from distributed import Client
    from distributed.comm import resolve_address

    for name in ("distributed", "distributed.client"):  # each has a level of its own; what matters becomes a job's error
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        resolve_address(address)  # a malformed one is known at once, where the client would try for long
        return Client(address, timeout=CONNECT_SECONDS, set_as_default=False, name="leverage-lab"), process
    except Exception as error:
        _end(None, process)
        raise UserError(
            f"Scheduler: found no answer at {address} within {CONNECT_SECONDS} seconds ({type(error).__name__}). Start a Dask "
            f"scheduler there, correct LEVERAGE_LAB_SCHEDULER (such as tcp://host:8786), or unset it to compute on this machine."
        ) from error


def _end(client: Any, process: Any) -> None:
    if client is not None:
        with suppress(Exception):  # the other side may have gone first
            client.close(timeout=2)
    if process is not None:
        worker_host.stop(process)


def _explain(error: BaseException, what: str, traceback: Any) -> str:
    if isinstance(error, UserError):
        return str(error)
    log.error("%s failed", what, exc_info=(type(error), error, traceback))
    return WHY.get(type(error).__name__, f"The computation stopped with {type(error).__name__}: {error}. The log has the details.")
