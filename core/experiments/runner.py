"""Running a plan: its units as jobs, a few at a time, in a queue of experiments.

    sweep = start(plan, fingerprint, owner)   returns at once; a plan asked for twice runs once
    sweep.state, sweep.fraction, sweep.seconds_left, sweep.position
    cancel(sweep.key, owner)

The queue survives whatever happens to its workers. One unit is one job, so what is finished is in
the cache at once. Only as many units are handed out as the workers can do at once: the rest
waits here, where it can be cancelled at once. A unit whose worker died is handed out again, after a
pause (core/experiments/patience.py). Before the first unit of a plan that trains networks the
workers are asked in which precision they do it fastest, unless finished units settle it
(core/experiments/precision.py). Experiments are served in the order in which they were started; the
next one begins when the one before has no unit left to hand out.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from dataclasses import dataclass, field

from core.experiments import precision, store
from core.experiments.patience import Patience
from core.experiments.plan import Plan, Unit
from core.experiments.store import plan_key
from core.hosting import policy
from core.runtime import cache, jobs, tasks, worker
from core.runtime.jobs import Job
from core.types import UserError

log = logging.getLogger(__name__)
PRIORITY = -10  # behind what a person is waiting for
TRIES = 3
PAUSE = 0.1
KEPT = 200


@dataclass(eq=False)
class Sweep:
    """One experiment under way.

    state: "queued", "running", "done", "failed" or "cancelled". owners: the sessions that asked
    for it. precision: in which its networks are trained; None: it has none, or that is being
    measured. measured: the workers' answers while they are waited for, else None. remarks: of its
    results.
    """

    key: str
    plan: Plan
    fingerprint: str
    owners: set[str] = field(default_factory=set)
    waiting: list[tuple[Unit, str]] = field(default_factory=list)
    running: dict[str, tuple[Unit, Job]] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    state: str = "queued"
    started: float | None = None
    ended: float | None = None
    error: str | None = None
    remarks: tuple[str, ...] = ()
    patience: Patience = field(default_factory=Patience)
    precision: str | None = None
    measured: dict[str, Job] | None = None
    total: int = 0
    before: float = 0.0

    @property
    def finished(self) -> bool:
        """Done, failed or cancelled."""
        return self.state in ("done", "failed", "cancelled")

    @property
    def done(self) -> int:
        """Finished units, those that were finished before the start included."""
        return self.total - len(self.waiting) - len(self.running) - len(self.patience.left_out)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the screen has to show: remarks, and how often its workers died and how."""
        return (*self.remarks, *self.patience.told)

    @property
    def fraction(self) -> float:
        """Of all that the plan costs, in [0, 1]."""
        return 1.0 - self._left() / max(1.0, sum(unit.cost for unit in self.plan.units()))

    @property
    def elapsed(self) -> float:
        """Seconds since its first unit was handed out; 0 while the clock is set back behind it."""
        if self.started is None:
            return 0.0
        return max(0.0, (self.ended or time.time()) - self.started)

    @property
    def seconds_left(self) -> float | None:
        """At the pace so far; None until a few seconds have shown one, and after the end."""
        done = self.before - self._left()
        return (
            self._left() / done * self.elapsed
            if not self.finished and self.elapsed > 3 and done > 0
            else None
        )

    @property
    def position(self) -> int:
        """How many experiments come first."""
        return _queue.ahead_of(self)

    def _left(self) -> float:
        begun = sum(
            unit.cost * (1.0 - (job.progress[0] or 0.0))
            for unit, job in list(self.running.values())
        )
        return begun + sum(unit.cost for unit, _ in [*self.waiting, *self.patience.left_out])


class _Queue:
    """All sweeps of this process, and the thread that hands out their units."""

    def __init__(self):
        self.lock = threading.RLock()
        self.sweeps: dict[str, Sweep] = {}
        self.thread: threading.Thread | None = None

    def start(self, sweep: Sweep, owner: str) -> Sweep:
        with self.lock:
            known = self.sweeps.get(sweep.key)
            if sweep.waiting:
                self._one_each(owner, sweep.key)
            if (
                known is None
                or known.state in ("failed", "cancelled")
                or (known.finished and sweep.waiting)
            ):
                self.sweeps.pop(sweep.key, None)
                known = self.sweeps[sweep.key] = sweep
                self._forget_old()
            known.owners.add(owner)
            if self.thread is None or not self.thread.is_alive():
                self.thread = threading.Thread(
                    target=self._run, name="leverage-lab-sweeps", daemon=True
                )
                self.thread.start()
        return known

    def cancel(self, key: str, owner: str | None) -> None:
        with self.lock:
            sweep = self.sweeps.get(key)
            if sweep is None or sweep.finished:
                return
            sweep.owners.discard(owner)
            if not sweep.owners or owner is None:
                self._collect(sweep)  # what has finished this moment stays
                if not sweep.finished:
                    self._end(sweep, "cancelled")

    def ahead_of(self, sweep: Sweep) -> int:
        unfinished = [other for other in list(self.sweeps.values()) if not other.finished]
        return unfinished.index(sweep) if sweep in unfinished else 0

    def _run(self) -> None:
        while True:
            # Both may ask a scheduler, and must not keep a cancel waiting.
            slots = _slots()
            workers = _workers()
            with self.lock:
                active = [sweep for sweep in self.sweeps.values() if not sweep.finished]
                if not active:
                    self.thread = None
                    return
                for sweep in active:
                    try:
                        self._collect(sweep)
                        if self._settled(sweep, workers):
                            self._hand_out(sweep, slots)
                    except Exception as error:  # a sweep must end with a word, not stand still
                        log.exception("sweep %s", sweep.key)
                        stopped = (
                            f"The experiment stopped with {type(error).__name__}: {error}."
                            " The log has the details."
                        )
                        told = policy.hidden(stopped, "The experiment stopped unexpectedly.")
                        self._end(sweep, "failed", told)
            time.sleep(PAUSE)

    def _collect(self, sweep: Sweep) -> None:
        """Keep what is done, all of it before a failure ends the sweep.

        What was lost, or let go of elsewhere, waits again.
        """
        failure = None
        for key, (unit, job) in list(sweep.running.items()):
            if not job.finished:
                continue
            del sweep.running[key]
            if job.state == "done":
                self._keep(sweep, key, job)
                sweep.patience.finished()
            else:
                failure = self._again(sweep, unit, key, job) or failure
        if failure:
            self._end(sweep, "failed", failure)
        elif not sweep.waiting and not sweep.running:
            left_out = sweep.patience.left_out
            self._end(sweep, *(["failed", _left_out(sweep)] if left_out else ["done"]))

    def _again(self, sweep: Sweep, unit: Unit, key: str, job: Job) -> str | None:
        """A unit that did not finish waits again or is left out; why not, should all end."""
        if job.deaths and job.error:
            if sweep.patience.again(key, job.deaths[-1]):
                sweep.waiting.insert(0, (unit, key))
                return None
            if job.deaths[-1].kind != "unreachable":
                return None if sweep.patience.leave_out(unit, key) else _left_out(sweep)
        sweep.waiting.insert(0, (unit, key))
        return job.error or (jobs.LOST if sweep.tries[key] >= TRIES else None)

    def _keep(self, sweep: Sweep, key: str, job: Job) -> None:
        """In memory first; on this machine's disk if the worker's was another one."""
        entry = job.result()
        store.remember(key, entry.arrays, entry.facts.get("precision"))
        if cache.get(key) is None and not entry.notes:
            entry = cache.put(key, entry.arrays, entry.facts)
        sweep.remarks = tuple(dict.fromkeys((*sweep.remarks, *entry.notes)))
        jobs.forget(key)

    def _settled(self, sweep: Sweep, workers: list[str]) -> bool:
        """Is it known in which precision its networks train? If not, the workers are asked."""
        if sweep.measured is None or sweep.finished:
            return True
        asked = precision.question(sweep.plan)
        for address in workers:
            if address not in sweep.measured:
                how = {"key": f"~precision {asked} {address}", "priority": PRIORITY}
                how |= {"worker": address} if address else {}
                sweep.measured[address] = jobs.submit(tasks.PRECISION, *asked, **how)
        answers = list(sweep.measured.values())
        if not all(job.finished for job in answers):
            return False
        sweep.precision = precision.agreed(
            job.result() if job.state == "done" else None for job in answers
        )
        sweep.measured = None
        return True

    def _hand_out(self, sweep: Sweep, slots: int) -> None:
        if sweep.patience.pause:
            return
        busy = {key for other in self.sweeps.values() for key in other.running}
        while sweep.waiting and not sweep.finished and len(busy) < slots:
            unit, key = sweep.waiting.pop(0)
            if store.outcome(key) is not None:  # another sweep has finished it meanwhile
                continue
            sweep.tries[key] = sweep.tries.get(key, 0) + 1
            sweep.state = "running"
            sweep.started = sweep.started or time.time()
            arguments = (unit,) if sweep.precision is None else (unit, sweep.precision)
            longest = 60 * policy.BOUNDS.minutes if policy.hosted() else None
            how = {"priority": PRIORITY, "lives": 1, "room": worker.HEAVY, "seconds": longest}
            job = jobs.submit(unit.task, *arguments, key=key, **how)
            sweep.running[key] = unit, job
            busy.add(key)

    def _end(self, sweep: Sweep, state: str, error: str | None = None) -> None:
        """What has not finished is counted as waiting."""
        sweep.state = state
        sweep.error = error
        sweep.ended = time.time()
        wanted = {
            key for other in self.sweeps.values() if not other.finished for key in other.running
        }
        for key, (_, job) in sweep.running.items():
            if key not in wanted:
                job.cancel()
        sweep.waiting = [(unit, key) for key, (unit, _) in sweep.running.items()] + sweep.waiting
        sweep.waiting += sweep.patience.left_out
        sweep.running = {}
        sweep.patience.left_out = []

    def _one_each(self, owner: str, key: str) -> None:
        for other in self.sweeps.values():
            if owner in other.owners and not other.finished and other.key != key:
                raise UserError(
                    "Your last experiment is still running. Stop it first, or wait for its end;"
                    " what it has finished stays."
                )

    def _forget_old(self) -> None:
        ended = [key for key, sweep in self.sweeps.items() if sweep.finished]
        for key in ended[: max(0, len(self.sweeps) - KEPT)]:
            del self.sweeps[key]


def _left_out(sweep: Sweep) -> str:
    return sweep.patience.sentence(sweep.plan.units(), sweep.plan.units_are)


def _slots() -> int:
    """How many units at once; one, which then says so, while the scheduler does not answer."""
    try:
        return jobs.slots()
    except Exception:
        log.warning("the scheduler does not answer", exc_info=True)
        return 1


def _workers() -> list[str]:
    """Those whose chips may differ; none while the scheduler does not answer."""
    try:
        return jobs.workers()
    except Exception:
        log.warning("the scheduler does not answer", exc_info=True)
        return []


_queue = _Queue()


def start(plan: Plan, fingerprint: str, owner: str) -> Sweep:
    """Begin or join the plan's sweep. A UserError if this owner has another one running.

    A record of it is kept: the history and a link with its key find it again after a restart.
    """
    sweep = Sweep(plan_key(plan, fingerprint), plan, fingerprint)
    sweep.waiting = store.missing(plan, fingerprint)
    sweep.total = len(plan.units())
    sweep.before = sum(unit.cost for unit, _ in sweep.waiting)
    if plan.trains is not None:
        sweep.precision = precision.recorded(plan, fingerprint)
        sweep.measured = {} if sweep.precision is None else None
    running = _queue.start(sweep, owner)
    record = {
        "kind": plan.kind,
        "plan": plan.to_query(),
        "title": plan.title(),
        "started": time.time(),
        "data": fingerprint,
    }
    cache.put(history_key(sweep.key), {}, record)
    return running


def find(key: str) -> Sweep | None:
    """The sweep of this key, if this process knows one."""
    return _queue.sweeps.get(key)


def unfinished(owner: str | None = None) -> list[Sweep]:
    """Those that wait or run, in their order: of one owner, or all."""
    return [
        one
        for one in list(_queue.sweeps.values())
        if not one.finished and (owner is None or owner in one.owners)
    ]


def cancel(key: str, owner: str | None) -> None:
    """This owner no longer wants it; it ends when nobody does. owner None: whoever wants it."""
    _queue.cancel(key, owner)


@atexit.register
def _end_all() -> None:
    """Before the jobs end, so that nothing is handed out again while the program ends."""
    for key in list(_queue.sweeps):
        cancel(key, None)


def history_key(key: str) -> str:
    """Where the record of a sweep lies in the cache."""
    return f"history-{key.partition('-')[2]}"
