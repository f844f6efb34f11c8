"""What visitors have just read in and may want again at their next click: few things in all, since
each may be large.

    put(room, mark, value, size)     size in bytes; it takes the place of what was in this visitor's
                                     room
    get(room, mark)                  the value, or None if the room holds another one or it had to
                                     go
    forget(room)                     let go of it

When all together exceed MOST bytes, what was wanted least lately goes; the one just put in stays.
Whoever misses it reads it again. With a visit all its rooms end.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

from pages.shared import visitor

MOST = 400_000_000
_kept: OrderedDict[tuple[str, str], tuple[Any, Any, int]] = OrderedDict()
_lock = threading.Lock()


def get(room: str, mark: Any) -> Any:
    """What was put into this visitor's room under this mark."""
    place = visitor.owner(), room
    with _lock:
        known, value, _ = _kept.get(place, (None, None, 0))
        if known != mark:
            return None
        _kept.move_to_end(place)
        return value


def put(room: str, mark: Any, value: Any, size: int) -> None:
    """Keep the value for this visitor."""
    visitor.at_end(_forget_all)
    with _lock:
        _kept.pop((visitor.owner(), room), None)
        _kept[visitor.owner(), room] = mark, value, size
        while len(_kept) > 1 and sum(size for *_, size in _kept.values()) > MOST:
            _kept.popitem(last=False)


def forget(room: str) -> None:
    """Let go of what is in this visitor's room."""
    with _lock:
        _kept.pop((visitor.owner(), room), None)


def _forget_all(owner: str) -> None:
    with _lock:
        for place in [place for place in _kept if place[0] == owner]:
            del _kept[place]
