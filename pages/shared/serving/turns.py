"""On a host pages are drawn one after the other, and clients have their turns in fairness.

    take_turns()        once, when the host's server starts
    with aside(): ...   inside, others may have their turn: while a worker answers, or a large file
                        is read

A hundred visitors who all have a small part of Python's one lock wait long together. Measured with
100 sessions that act every three seconds: 95 of 100 light reruns took 0.9 s side by side, 0.3 s one
after the other. Of those who wait, the client goes next who has drawn the least of late, so that
five tabs of one have no more than one tab; and who has drawn for longer than its share waits first
while others are about. At home nothing of this happens.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from core.hosting.policy import BOUNDS
from pages.shared import streamlit_internals
from pages.shared.serving import clients
from pages.shared.serving.allowances import Allowance

ABOUT = 10.0  # seconds for which whoever drew last is about
_mine = threading.local()


class Turns:
    """One turn at a time; the next one to whoever has used the least."""

    def __init__(self) -> None:
        self.drawn = Allowance(BOUNDS.drawing, BOUNDS.drawing_share)
        self._lock = threading.Lock()
        self._taken = False
        self._waiting: list[tuple[str, threading.Event]] = []
        self._seen: dict[str, float] = {}

    def take(self, client: str) -> None:
        """Wait for a turn."""
        mine = threading.Event()
        with self._lock:
            if not self._taken:
                self._taken = True
                return
            self._waiting.append((client, mine))
        mine.wait()

    def give(self, client: str, seconds: float) -> None:
        """Give it back after so many seconds; the next one has it at once."""
        self.drawn.charge(client, seconds)
        with self._lock:
            if not self._waiting:
                self._taken = False
                return
            best = min(self._waiting, key=lambda one: self.drawn.used(one[0]))
            self._waiting.remove(best)
        best[1].set()

    def pause(self, client: str) -> None:
        """Whoever has drawn for longer than its share waits, while others are about."""
        now = time.monotonic()
        with self._lock:
            self._seen[client] = now
            self._seen = {one: at for one, at in self._seen.items() if now - at < ABOUT}
            alone = len(self._seen) == 1
        if not alone:
            time.sleep(min(self.drawn.debt(client), ABOUT))


_turns = Turns()


def take_turns() -> None:
    """From now on every run of a page waits for its turn."""
    streamlit_internals.around_every_run(_own_turn)


@contextmanager
def _own_turn() -> Iterator[None]:
    client = clients.current().client
    _turns.pause(client)
    _begin(client)
    try:
        yield
    finally:
        _end()


@contextmanager
def aside() -> Iterator[None]:
    """Whoever waits for something else than the processor lets the others draw."""
    if getattr(_mine, "client", None) is None:
        yield
        return
    client = _end()
    try:
        yield
    finally:
        _begin(client)


def aside_if(large: bool):
    """`aside` for what is large; what is small is done sooner than another has had its turn."""
    return aside() if large else nullcontext()


def _begin(client: str) -> None:
    _turns.take(client)
    _mine.client, _mine.since = client, time.monotonic()


def _end() -> str:
    client, _mine.client = _mine.client, None
    _turns.give(client, time.monotonic() - _mine.since)
    return client
