"""Why did a worker die, and in the middle of what?

Four ways, told apart because they ask for different things: "killed" from outside, which is no
fault of what it computed; for lack of "memory", which fewer points mend; "crashed" by itself;
"lost", when nothing is known but that the connection is gone, with its host or without. A fifth is
no death: "unreachable", nobody answers who could have a worker. The scheduler tells at once which
worker went and what it had in its hands, the worker's nanny (core/runtime/nanny.py) a moment before
or after how it ended. Nannies of a cluster that was started by Dask's own commands tell only of
memory.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

TOPIC = "leverage-lab-deaths"  # {"worker": address, "kind": ...}
OUT_OF_MEMORY = "worker-restart-memory"  # Dask's own, {"worker": address, ...}
REMOVED = "all"  # Dask's own, {"action": "remove-worker", "worker": address, ...}
PATIENCE = 15.0  # seconds for the nanny to say how it ended: on a busy machine it takes a while
SAME = 2.0  # seconds within which a loss that several notice is one

LOST = "The connection to the worker was lost before the result arrived. Start it again."
WORDS = {
    "killed": "The worker process was killed from outside. Start it again.",
    "memory": (
        "The worker process ran out of memory and was ended. Choose fewer points or dimensions."
    ),
    "crashed": "The worker process crashed while it computed this. Its host's log may say why.",
    "lost": LOST,
}
COUNTED = {
    "killed": "killed from outside",
    "memory": "out of memory",
    "crashed": "crashed",
    "lost": "connection lost",
    "unreachable": "no answer",
}


@dataclass(frozen=True)
class Death:
    """One worker's. kind: a key of COUNTED. worker: its address, "" if it is not known."""

    kind: str
    worker: str = ""
    at: float = field(default_factory=time.monotonic)

    def same_as(self, other: Death) -> bool:
        """Told by another computation, is it the same one?"""
        mine = (self.kind, self.worker)
        return mine == (other.kind, other.worker) and abs(self.at - other.at) < SAME


def sentence(found: Iterable[Death]) -> str:
    """What to show of a computation in whose middle workers have died."""
    kinds = Counter(death.kind for death in found)
    if kinds.total() == 1:
        return WORDS[next(iter(kinds))]
    mend = " Choose fewer points or dimensions." if kinds["memory"] else ""
    return f"The worker process died {kinds.total()} times over this ({counts(found)}).{mend}"


def counts(found: Iterable[Death]) -> str:
    """ "killed from outside: 2, out of memory: 1"."""
    kinds = Counter(death.kind for death in found)
    return ", ".join(f"{COUNTED[kind]}: {kinds[kind]}" for kind in COUNTED if kinds[kind])


class Coroner:
    """Brings together who went and how.

    settle(death, of): called in a thread of its own, once for each worker that went unexpectedly;
    `of` is what `went` was given.
    """

    def __init__(self, settle: Callable[[Death, Any], None]):
        self.settle = settle
        self.kinds: dict[str, str] = {}
        self.unnamed_at = 0.0
        self.told = threading.Condition()

    def heard(self, event: tuple[float, dict[str, Any]]) -> None:
        """How a worker ended."""
        worker = event[1].get("worker") or ""
        with self.told:
            # The nanny tells of memory first, then of the signal by which it ended it.
            self.kinds.setdefault(worker, event[1].get("kind", "memory"))
            if not worker:  # of one that just began; soon it says nothing of any other
                self.unnamed_at = time.monotonic()
            self.told.notify_all()

    def went(self, worker: str, of: Any) -> None:
        """This one went, and left these behind."""
        threading.Thread(target=self._inquire, args=(worker, of), daemon=True).start()

    def _inquire(self, worker: str, of: Any) -> None:
        with self.told:
            if time.monotonic() - self.unnamed_at > PATIENCE:
                self.kinds.pop("", None)
            self.told.wait_for(lambda: worker in self.kinds or "" in self.kinds, PATIENCE)
            kind = self.kinds.pop(worker if worker in self.kinds else "", "lost")
        self.settle(Death(kind, worker), of)
