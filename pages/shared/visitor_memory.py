"""What visitors have just read in and may want again at their next click: few things in all.

    put(room, mark, value, size)   size in bytes; takes the place of what was in this visitor's room
    get(room, mark)                the value; None if the room holds another one or it had to go
    forget(room)                   let go of it

Whoever misses what had to go reads it again. With a visit all its rooms end.
"""

from __future__ import annotations

from typing import Any

from pages.shared import visitor
from pages.shared.recently_used import RecentlyUsed

KEPT = RecentlyUsed(400_000_000)  # bytes, by (visitor, room)


def get(room: str, mark: Any) -> Any:
    """What was put into this visitor's room under this mark."""
    known, value = KEPT.get((visitor.owner(), room), (None, None))
    return value if known == mark else None


def put(room: str, mark: Any, value: Any, size: int) -> None:
    """Keep the value for this visitor."""
    visitor.at_end(forget_all)
    KEPT.put((visitor.owner(), room), (mark, value), size)


def forget(room: str) -> None:
    """Let go of what is in this visitor's room."""
    place = visitor.owner(), room
    KEPT.forget(lambda kept: kept == place)


def forget_all(owner: str) -> None:
    """Let go of all that this visitor has."""
    KEPT.forget(lambda kept: kept[0] == owner)
