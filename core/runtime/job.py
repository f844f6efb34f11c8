"""One computation outside the web process, as those who wait for it see it.

core/runtime/jobs.py makes them and sends them to a worker.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from core.hosting import policy
from core.runtime import progress
from core.types import UserError

log = logging.getLogger(__name__)
LOST = "The connection to the worker was lost before the result arrived. Start it again."
WHY = {
    "KilledWorker": (
        "The worker process died several times over this, likely for lack of memory."
        " Choose fewer points or dimensions."
    )
}
WHY["CommClosedError"] = LOST


@dataclass(eq=False)
class Job:
    """One computation, shared by all who asked for its key.

    state      "starting" (no worker yet), "queued", "running", "done", "failed" or "cancelled"
    progress   fraction or None, and a text
    started    seconds since the epoch, or None
    error      what to show if it failed
    owners     who waits for it
    worker     the address of the only one that may do it, "" for any
    room       "light" or "heavy": which worker of the hosted demo does it
    seconds    after so many at work it is stopped, None: never
    """

    key: str
    task: str
    args: tuple
    priority: int = 0
    worker: str = ""
    room: str = "light"
    seconds: float | None = None
    attempt: int = 1
    state: str = "starting"
    progress: tuple[float | None, str] = (None, "")
    started: float | None = None
    ended: float | None = None
    error: str | None = None
    owners: set[str] = field(default_factory=set)
    _value: Any = None
    _future: Any = None
    _turn: bool = False
    _queue: Any = None
    _finished: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def clients(self) -> set[str]:
        """Whose tabs wait for it; an owner's name begins with its client's. {""} if nobody's."""
        return {owner[: policy.CLIENT] for owner in list(self.owners)} or {""}

    @property
    def elapsed(self) -> float:
        """Seconds since a worker began with it; 0 before."""
        return 0.0 if self.started is None else (self.ended or time.time()) - self.started

    @property
    def position(self) -> int:
        """How many waiting jobs come first; 0 if it is next, running or finished."""
        return self._queue.ahead_of(self) if self._queue else 0

    @property
    def finished(self) -> bool:
        """Done, failed or cancelled."""
        return self._finished.is_set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end, at most so long; did it come?"""
        return self._finished.wait(seconds)

    def result(self) -> Any:
        """What the task returned, waiting for it; a UserError if it failed or was cancelled.

        Can be asked again.
        """
        self.wait()
        if self.state != "done":
            raise UserError(
                self.error or "The computation was cancelled. Start it again to get its result."
            )
        return self._value

    def cancel(self) -> None:
        """Let go of it at once.

        A running task notices at its next `check`, unless another client wants it too.
        """
        self._finish("cancelled")
        if (future := self._future) is not None:
            future.cancel()

    @property
    def _name(self) -> str:
        """The key in Dask.

        A new attempt is a new name, because an old one may still be failed or stopping there.
        """
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
        if message.get("overdue"):  # its worker is about to end, and no other shall begin it
            self._finish("failed", error=progress.overdue(self.seconds))
            if (future := self._future) is not None:  # Dask's own thread cannot wait for itself
                threading.Thread(target=future.cancel, daemon=True).start()
            return
        with self._lock:
            if not self.finished:
                self.state = "running"
                self.progress = (message["fraction"], message["text"])
                self.started = time.time() - message["elapsed"]

    def _finish(self, state: str, value: Any = None, error: str | None = None) -> None:
        with self._lock:
            if not self.finished:
                self.state = state
                self._value = value
                self.error = error
                self.ended = time.time()
                self._finished.set()
        if self._queue:
            self._queue.next_turns()

    def _settle(self, future: Any) -> None:
        """In Dask's callback thread.

        The result is fetched now, so that it outlives the worker and frees its memory.
        """
        try:
            if future.status == "finished":
                self._finish("done", value=future.result())
            elif future.status == "error":
                why = explain(future.exception(), self.key, future.traceback())
                self._finish("failed", error=why)
            else:
                self._finish("failed", error=LOST)
        except Exception as error:  # the result may have been lost or refuse to load here
            self._finish("failed", error=explain(error, self.key, error.__traceback__))
        self._future = None


def explain(error: BaseException, what: str, traceback: Any) -> str:
    """What to show of an error that ended a computation; the log has all of it."""
    if isinstance(error, UserError):
        return str(error)
    log.error("%s failed", what, exc_info=(type(error), error, traceback))
    kind = type(error).__name__
    stopped = f"The computation stopped with {kind}: {error}. The log has the details."
    return WHY.get(kind) or policy.hidden(stopped, "The computation stopped unexpectedly.")
