"""A memory of bounded size, safe for threads: what was used least recently goes first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any


class RecentlyUsed:
    """Values by key, each with a size.

    When all together exceed `most`, the least recently used go; the one put in last stays, however
    large.
    """

    def __init__(self, most: int):
        self.most = most
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, default: Any = None) -> Any:
        """The value, which counts as used."""
        with self._lock:
            if key not in self._kept:
                return default
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def put(self, key: Hashable, value: Any, size: int = 1) -> None:
        """Keep the value in place of an earlier one of this key."""
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = value, size
            while len(self._kept) > 1 and self._total() > self.most:
                self._kept.popitem(last=False)

    def forget(self, unwanted: Callable[[Any], bool]) -> None:
        """Let go of the values whose keys are unwanted."""
        with self._lock:
            for key in [key for key in self._kept if unwanted(key)]:
                del self._kept[key]

    def kept(self) -> list[Any]:
        """The keys of what is kept, the least recently used first."""
        with self._lock:
            return list(self._kept)

    @property
    def size(self) -> int:
        """Of all together."""
        with self._lock:
            return self._total()

    def _total(self) -> int:
        return sum(size for _, size in self._kept.values())
