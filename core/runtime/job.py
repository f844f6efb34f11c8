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
from core.runtime import deaths, progress
from core.runtime.deaths import LOST, Death
from core.types import UserError

log = logging.getLogger(__name__)
LIVES = 3
FETCH_SECONDS = 60.0
WHY = {
    "KilledWorker": "The worker processes that had this in their hands died, one after the other.",
    "MemoryError": (
        "The computation needs more memory than there is. Choose fewer points or dimensions."
    ),
}
WHY |= dict.fromkeys(("CommClosedError", "ClosedClientError", "FutureCancelledError"), LOST)


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
    lives      at so many deaths of the worker that runs it, it has failed
    deaths     those so far
    """

    key: str
    task: str
    args: tuple
    priority: int = 0
    worker: str = ""
    room: str = "light"
    seconds: float | None = None
    lives: int = LIVES
    attempt: int = 1
    state: str = "starting"
    progress: tuple[float | None, str] = (None, "")
    started: float | None = None
    ended: float | None = None
    error: str | None = None
    owners: set[str] = field(default_factory=set)
    deaths: list[Death] = field(default_factory=list)
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
        """Seconds since a worker began with it; 0 before, and while the clock is set back."""
        if self.started is None:
            return 0.0
        return max(0.0, (self.ended or time.time()) - self.started)

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

    def _interrupted(self) -> None:
        """The worker is gone; another one will begin anew."""
        with self._lock:
            if self.state == "running":
                self.state = "queued"
                self.progress = (None, "")
                self.started = None

    def _died(self, death: Death) -> None:
        """That worker died in the middle of this: begun anew, or ended with words for it."""
        with self._lock:
            self.deaths.append(death)
        if len(self.deaths) >= self.lives and not self.finished:
            self._finish("failed", error=deaths.sentence(self.deaths))
            if (future := self._future) is not None:
                future.cancel()

    def _lost(self) -> None:
        """Nobody knows any more what became of it."""
        self._finish("failed", error=LOST, death=Death("lost"))

    def _finish(
        self, state: str, value: Any = None, error: str | None = None, death: Death | None = None
    ) -> None:
        with self._lock:
            if not self.finished:
                self.deaths += [death] if death else []
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
                # Its worker may die before it is fetched; what is computed anew meanwhile must not
                # keep the results of others waiting in this thread.
                self._finish("done", value=future.result(timeout=FETCH_SECONDS))
            elif future.status == "error":
                why = explain(future.exception(), self.key, future.traceback())
                self._finish("failed", error=why)
            else:
                self._lost()
        except TimeoutError:
            self._lost()
        except Exception as error:  # the result may have been lost or refuse to load here
            why = explain(error, self.key, error.__traceback__)
            self._lost() if why == LOST else self._finish("failed", error=why)
        self._future = None


def explain(error: BaseException, what: str, traceback: Any) -> str:
    """What to show of an error that ended a computation; the log has all of it."""
    if isinstance(error, UserError):
        return str(error)
    log.error("%s failed", what, exc_info=(type(error), error, traceback))
    kind = "MemoryError" if isinstance(error, MemoryError) else type(error).__name__
    stopped = f"The computation stopped with {kind}: {error}. The log has the details."
    return WHY.get(kind) or policy.hidden(stopped, "The computation stopped unexpectedly.")
