"""Heavy work outside the web process: submit, watch, cancel, collect, on Dask at every size.

    job = submit(tasks.SCORES, spec, key=key, owner=visitor)   returns at once
    job.state, job.progress, job.position                      for the screen
    job.wait(1.0), job.result(), let_go(key, visitor), job.cancel()

Without more, the work runs in a worker process on this machine; `LEVERAGE_LAB_SCHEDULER` names a
cluster's scheduler instead (tcp://host:8786) and nothing else changes. The same key is computed
once while it waits, runs or is done. Owners share a job, and it ends when the last of them lets go.
Inside a task, core/runtime/progress.py talks to whoever waits. Importing this module is cheap: Dask
is loaded on the first start.

On the hosted demo the jobs wait here, and clients have their turns: next goes the one who was
served the longest ago, each with one job computed at a time. What is heavy has a room of its own, a
worker process that may run out of memory or be ended when its time is up without harm to others.
"""

from __future__ import annotations

import atexit
import itertools
import os
import re
import threading
from collections import Counter
from typing import Any

from core.hosting import policy
from core.runtime import deaths, worker
from core.runtime.deaths import LOST as LOST
from core.runtime.deaths import Death as Death
from core.runtime.job import LIVES, explain
from core.runtime.job import Job as Job
from core.runtime.worker import run_task
from core.types import UserError

KEPT = 2_000


class _Cluster:
    """The one connection of this process, and the jobs it knows."""

    def __init__(self):
        self.lock = threading.RLock()
        self.client = self.process = self.thread = None
        self.rooms = False  # has what is heavy a worker of its own?
        self.jobs: dict[str, Job] = {}
        self.attempts: dict[str, int] = {}
        self.era = 0
        self.served: dict[str, int] = {}  # client -> when its last job was sent, counted
        self.count = itertools.count(1)
        self.coroner = deaths.Coroner(self._died)

    def submit(self, job: Job) -> Job:
        with self.lock:
            known = self.jobs.get(job.key)
            if known is not None and known.state not in ("failed", "cancelled"):
                known.owners |= job.owners
                return known
            job.attempt = self.attempts[job.key] = self.attempts.get(job.key, 0) + 1
            self.jobs.pop(job.key, None)  # the order of the jobs is the order of submission
            self.jobs[job.key] = job
            job._queue = self
            self._forget_old()
            if not self._connected():
                self.start()
                return job
        self._send(job)
        return job

    def start(self) -> None:
        with self.lock:
            if not self._connected() and not (self.thread and self.thread.is_alive()):
                self.thread = threading.Thread(
                    target=self._connect, args=(self.era,), name="leverage-lab-cluster", daemon=True
                )
                self.thread.start()

    def ahead_of(self, job: Job) -> int:
        sent = policy.hosted()  # what was sent there is as good as begun
        waiting = [j for j in self.in_order() if j.state in ("starting", "queued")]
        waiting = [j for j in waiting if not (sent and j._turn)]
        return waiting.index(job) if job in waiting else 0

    def in_order(self) -> list[Job]:
        """The unfinished jobs as they will be sent, as far as it is known: on the hosted demo in
        rounds, with one job of each client in each, and first of whom was served the longest ago.
        """
        jobs = [job for job in list(self.jobs.values()) if not job.finished]
        if not policy.hosted():
            return sorted(jobs, key=lambda job: -job.priority)
        before: Counter[str] = Counter()  # jobs of each client that wait
        places = {}
        for job in jobs:
            places[job] = min((before[one], self.served.get(one, 0)) for one in job.clients)
            before.update(() if job._turn else job.clients)
        return sorted(jobs, key=places.__getitem__)

    def close(self) -> None:
        with self.lock:
            self.era += 1
            jobs = list(self.jobs.values())
            self.jobs = {}
            client = self.client
            process = self.process
            self.client = None
            self.process = None
            self.thread = None
        for job in jobs:
            job._finish("cancelled")
        worker.disconnect(client, process)

    def forget(self, key: str) -> None:
        with self.lock:
            job = self.jobs.get(key)
            if job is not None and job.finished:
                del self.jobs[key]

    def let_go(self, key: str, owner: str) -> None:
        with self.lock:
            job = self.jobs.get(key)
            if job is None or job.finished or owner not in job.owners:
                return
            job.owners.discard(owner)
            if job.owners:
                return
            del self.jobs[key]  # whoever asks for it next finds no trace of it
        job.cancel()

    def next_turns(self) -> None:
        """On the hosted demo: send the jobs whose turn has come."""
        if not policy.hosted():
            return
        while (job := self._next()) is not None:
            self._submit(job)

    def _next(self) -> Job | None:
        with self.lock:
            if not self._connected():
                return None
            sent = [job for job in self.jobs.values() if job._turn and not job.finished]
            busy = {client for job in sent for client in job.clients}
            for job in self.in_order():
                own_turn = not job.owners or not job.clients <= busy  # nobody's: an experiment's
                room = sum(other.room == job.room for other in sent) < self._places(job.room)
                if not job._turn and own_turn and room:
                    job._turn = True
                    self.served |= dict.fromkeys(job.clients, next(self.count))
                    self._forget_served()
                    return job
            return None

    def _forget_served(self) -> None:
        """Only who waits needs a place in the round."""
        if len(self.served) > KEPT:
            here = {
                client for job in self.jobs.values() if not job.finished for client in job.clients
            }
            self.served = {client: at for client, at in self.served.items() if client in here}

    def _places(self, room: str) -> int:
        """How many jobs the workers of this room do at once."""
        return 1 if room == worker.HEAVY and self.rooms else self.threads()

    def threads(self) -> int:
        if self.rooms:
            return worker.processors() + 1
        return max(1, sum(self.client.nthreads().values())) if self._connected() else 1

    def workers(self) -> list[str]:
        return list(self.client.nthreads()) if self._connected() else []

    def _heard(self, event: tuple[float, dict[str, Any]]) -> None:
        for job in self._named(event[1]["key"]):
            job._heard(event[1])

    def _named(self, *names: str) -> list[Job]:
        """The unfinished jobs that have these names in Dask."""
        known = [self.jobs.get(str(name).rpartition("-")[0]) for name in names]
        return [
            job
            for job, name in zip(known, names, strict=True)
            if job is not None and job._name == name and not job.finished
        ]

    def _removed(self, event: tuple[float, dict[str, Any]]) -> None:
        """A worker went. What it ran waits again; unless it was to go, it died in the middle of
        that, or if none had said yet that it runs, of all that it held.
        """
        if event[1].get("action") != "remove-worker":
            return
        held = self._named(*event[1]["processing-tasks"])
        running = [job for job in held if job.state == "running"] or held
        for job in running:
            job._interrupted()
        if not event[1]["expected"]:
            self.coroner.went(event[1]["worker"], running)

    @staticmethod
    def _died(death: Death, running: list[Job]) -> None:
        for job in running:
            job._died(death)

    def _connected(self) -> bool:
        return (
            self.client is not None
            and self.client.status == "running"
            and (self.process is None or self.process.poll() is None)
        )

    def _connect(self, era: int) -> None:
        old = (self.client, self.process)
        client = None
        process = None
        reason = None
        try:
            client, process = worker.connect(os.environ.get("LEVERAGE_LAB_SCHEDULER"))
        except Exception as error:
            reason = explain(error, "the connection to the worker", error.__traceback__)
        with self.lock:
            if era != self.era:  # closed while it was starting
                old = (client, process)
                waiting = []
            else:
                self.client = client
                self.process = process
                self.thread = None
                self.rooms = process is not None and policy.hosted()
                waiting = [job for job in self.jobs.values() if job.state == "starting"]
        for job in waiting:
            if reason:
                job._finish("failed", error=reason, death=Death("unreachable"))
            else:
                self._send(job)
        worker.disconnect(*old)

    def _send(self, job: Job) -> None:
        if job.finished or job._turn:
            return
        if policy.hosted():
            job.state = "queued"
            self.next_turns()
        else:
            job._turn = True
            self._submit(job)

    def _submit(self, job: Job) -> None:
        try:
            # Each time, because a scheduler that came back has forgotten it.
            self.client.subscribe_topic(worker.TOPIC, self._heard)
            self.client.subscribe_topic(deaths.REMOVED, self._removed)
            for topic in (deaths.TOPIC, deaths.OUT_OF_MEMORY):
                self.client.subscribe_topic(topic, self.coroner.heard)
            # Dask may swap what is submitted within fifo_timeout; `position` promises the order of
            # submission.
            how = {"key": job._name, "priority": job.priority, "fifo_timeout": "0 ms"}
            how |= {"workers": [job.worker]} if job.worker else {}
            how |= {"resources": {job.room: 1}} if self.rooms else {}
            future = self.client.submit(run_task, job.task, *job.args, seconds=job.seconds, **how)
            job._sent(future)
        except Exception as error:
            job._finish("failed", error=explain(error, job.key, error.__traceback__))

    def _forget_old(self) -> None:
        spare = len(self.jobs) - KEPT
        for key in [key for key, job in self.jobs.items() if job.finished][: max(0, spare)]:
            del self.jobs[key]


_cluster = _Cluster()
atexit.register(_cluster.close)


def start_in_background() -> None:
    """Begin to start or find the worker, unless that has been done.

    Returns at once; trouble shows in the jobs.
    """
    _cluster.start()


def submit(
    task: str,
    *args: Any,
    key: str,
    priority: int = 0,
    owner: str | None = None,
    worker: str = "",
    room: str = worker.LIGHT,
    seconds: float | None = None,
    lives: int = LIVES,
) -> Job:
    """The job of this key: the one there is, or a new one.

    A new one calls task, "module:function", with these small arguments. Returns at once. A failed
    or cancelled job is begun again. Higher priority goes first. worker: one of `workers()`, by
    default any. room: on the hosted demo, light or heavy. seconds: after so long it is stopped.
    lives: at so many deaths of the worker that runs it, it has failed. A UserError for a malformed
    task.
    """
    if not re.fullmatch(r"\w+(\.\w+)*:\w+", task):
        raise UserError(f"Job: found task {task!r}, expected the form module:function.")
    owners = {owner} if owner else set()
    how = {"priority": priority, "worker": worker, "room": room, "seconds": seconds, "lives": lives}
    return _cluster.submit(Job(key, task, args, owners=owners, **how))


def find(key: str) -> Job | None:
    """The job of this key, if this process knows one."""
    return _cluster.jobs.get(key)


def join(key: str, owner: str) -> None:
    """This owner waits for the job as well, if there is one."""
    if (job := find(key)) is not None and not job.finished:
        job.owners.add(owner)


def let_go(key: str, owner: str) -> None:
    """This owner no longer waits for the job; it is cancelled and forgotten when nobody does.

    A job that nobody owns is left alone.
    """
    _cluster.let_go(key, owner)


def wanted(owner: str | None = None) -> list[Job]:
    """The unfinished jobs, in the order of submission: of one owner, or all."""
    return [
        job
        for job in list(_cluster.jobs.values())
        if not job.finished and (owner is None or owner in job.owners)
    ]


def forget(key: str) -> None:
    """Let the next `submit` of this key compute again: its stored result has gone since."""
    _cluster.forget(key)


def slots() -> int:
    """How many long computations of one thread each run at once.

    A cluster's threads, or this machine's processors; short questions find one more.
    """
    return _cluster.threads() if os.environ.get("LEVERAGE_LAB_SCHEDULER") else worker.processors()


def workers() -> list[str]:
    """Addresses of a cluster's workers; [""] where the work runs on this machine, or is not yet
    connected to a cluster.
    """
    return (os.environ.get("LEVERAGE_LAB_SCHEDULER") and _cluster.workers()) or [""]


def close() -> None:
    """Cancel everything and end the local worker. The next `submit` starts another."""
    _cluster.close()
