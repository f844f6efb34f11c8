"""How much may each do, and how much all: what keeps one visitor of a host from using up another's.

Allowance(60, per_second=1).take(name)   0.0 if there was enough left, else seconds until there is
Places(12).hold(name)                    is one of so many places free? then it is taken
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable


class Allowance:
    """For each name so much at once (`most`), and so much more with every second.

    Only what is full again is forgotten: nobody can push another's debt out of its memory.
    """

    def __init__(self, most: float, per_second: float, clock: Callable[[], float] = time.monotonic):
        self.most = most
        self.per_second = per_second
        self._clock = clock
        self._used: dict[str, tuple[float, float]] = {}  # name -> (used, when that was true)
        self._lock = threading.Lock()
        self._swept = 0.0

    def take(self, name: str, amount: float = 1.0) -> float:
        """0.0, and the amount is taken; or the seconds until it is there, and nothing is taken.

        More than `most` is there as soon as nothing else is used.
        """
        with self._lock:
            used = self._now(name)
            over = used + min(amount, self.most) - self.most
            if over > 0:
                return over / self.per_second
            self._used[name] = used + amount, self._clock()
            self._sweep()
            return 0.0

    def charge(self, name: str, amount: float) -> None:
        """Taken, whether it was there or not."""
        with self._lock:
            self._used[name] = self._now(name) + amount, self._clock()
            self._sweep()

    def debt(self, name: str) -> float:
        """Seconds until anything is there again; 0.0 if it is."""
        with self._lock:
            return max(0.0, self._now(name) - self.most) / self.per_second

    def used(self, name: str) -> float:
        """How much is not yet there again."""
        with self._lock:
            return self._now(name)

    def _now(self, name: str) -> float:
        used, since = self._used.get(name, (0.0, 0.0))
        return max(0.0, used - (self._clock() - since) * self.per_second)

    def _sweep(self) -> None:
        """Now and then: what is full again is forgotten."""
        now = self._clock()
        if now - self._swept > self.most / self.per_second:
            self._swept = now
            self._used = {name: kept for name, kept in self._used.items() if self._now(name) > 0}


class Places:
    """For each name so many places: connections, say."""

    def __init__(self, most: int):
        self.most = most
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()

    def hold(self, name: str) -> bool:
        """Take a place, if one is free."""
        with self._lock:
            free = self._held[name] < self.most
            self._held[name] += free
            return free

    def leave(self, name: str) -> None:
        """Give a place back."""
        with self._lock:
            self._held[name] -= 1
            self._held += Counter()  # forgets who holds none
