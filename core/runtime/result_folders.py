"""Which files below a root are results, and which go when they take too much room?

`<root>/<step>/<key>.entry` and the folder `<root>/<step>/<key>/` are results, `<key>.damaged-<n>`
one that was set aside, and `.<key>.tmp-...` one that is being written or removed. Whatever has
another name is never touched: the root may be any folder. Room is what the disk gives, in its
blocks, not what the files say they hold.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

DAY = 86_400.0
BLOCK = 512  # bytes that st_blocks counts in, on every system that has it
# Once it is too much, a little more goes than must; and of the room that was free when all was
# looked at, this process fills so much before it looks again: others may fill it too.
SPARE = 0.05
OWN_SHARE = 1 / 8
KEY = re.compile(r"([a-z][a-z0-9_]*)-[0-9a-f]{24}")
_NAME = re.compile(rf"\.?({KEY.pattern})(?:\.entry|\.(damaged|tmp)-\w+)?")


def found(root: Path, step: str = "*") -> Iterator[tuple[Path, str, float, int]]:
    """(file or folder, "entry" | "damaged" | "tmp", last use, bytes on disk)."""
    for parent in root.glob(step) if os.path.isdir(root) else ():
        with suppress(OSError), os.scandir(parent) as listed:
            for one in listed:
                match = _NAME.fullmatch(one.name)
                if match and match[2] == parent.name:
                    with suppress(OSError):
                        about = one.stat()
                        room = _blocks(about) if one.is_file() else size(one.path)
                        yield Path(one.path), match[3] or "entry", about.st_mtime, room


def size(place: Path | str) -> int:
    """Bytes that a file takes on the disk, or a folder with all that lies in it."""
    if not os.path.isdir(place):
        return _blocks(os.stat(place))
    with os.scandir(place) as listed:
        return _blocks(os.stat(place)) + sum(_blocks(file.stat()) for file in listed)


def _blocks(about: os.stat_result) -> int:
    return getattr(about, "st_blocks", -(-about.st_size // BLOCK)) * BLOCK


def remove(place: Path) -> None:
    """Renamed first, so that a reader finds the entry whole or not at all."""
    doomed = place.with_name(f".{_NAME.fullmatch(place.name)[1]}.tmp-{uuid.uuid4().hex}")
    with suppress(OSError):
        os.rename(place, doomed)
        if doomed.is_dir():
            shutil.rmtree(doomed, ignore_errors=True)
        else:
            doomed.unlink()


@dataclass
class _Known:
    """What one look at a root has found, and what this process has added since."""

    total: int = 0
    room: float = 0.0  # to fill before the next look
    added: int = 0


_known: dict[Path, _Known] = {}
_one_at_a_time = threading.Lock()


def evict(root: Path, bound: float, keep: Path) -> None:
    """Until at most `bound` bytes are left: damaged ones first, then the least recently used.

    keep: never this one, which has just been written. Temporary ones of crashed writers go after a
    day. All is looked at when the first one is written, and again when this process has filled its
    share of the room that was left: so a write takes no longer where there are many.
    """
    with _one_at_a_time, suppress(OSError):
        known = _known.setdefault(root, _Known())
        known.added += size(keep)
        if known.added > min(known.room, bound - known.total):
            total = _look(root, bound, keep)
            _known[root] = _Known(total, max(OWN_SHARE * (bound - total), bound * SPARE / 5))


def _look(root: Path, bound: float, keep: Path) -> int:
    oldest = sorted(found(root), key=lambda item: (item[1] == "entry", item[2]))
    total = sum(size for *_, size in oldest)
    enough = bound if total <= bound else (1 - SPARE) * bound
    for place, kind, used, size in oldest:
        old = used < time.time() - DAY
        if (total > enough and place != keep) if kind != "tmp" else old:
            remove(place)
            total -= size
    return total
