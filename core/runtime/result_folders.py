"""Which folders below a root are results, and which go when they take too much room?

`<root>/<step>/<key>/` is a result, `<key>.damaged-<n>` one that was set aside, and `.<key>.tmp-...`
one that is being written or removed. Whatever has another name is never touched: the root may be
any folder.
"""

from __future__ import annotations

import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

DAY = 86_400.0
KEY = re.compile(r"([a-z][a-z0-9_]*)-[0-9a-f]{24}")
_FOLDER = re.compile(rf"\.?({KEY.pattern})(?:\.(damaged|tmp)-\w+)?")


def found(root: Path, step: str = "*") -> Iterator[tuple[Path, str, float, int]]:
    """(folder, "entry" | "damaged" | "tmp", last use, bytes)."""
    for place in root.glob(f"{step}/*") if os.path.isdir(root) else ():
        match = _FOLDER.fullmatch(place.name)
        if match and match[2] == place.parent.name:
            with suppress(OSError):
                yield (
                    place,
                    match[3] or "entry",
                    place.stat().st_mtime,
                    sum(file.stat().st_size for file in place.iterdir()),
                )


def remove(place: Path) -> None:
    """Renamed first, so that a reader finds the entry whole or not at all."""
    doomed = place.with_name(f".{_FOLDER.fullmatch(place.name)[1]}.tmp-{uuid.uuid4().hex}")
    with suppress(OSError):
        os.rename(place, doomed)
        shutil.rmtree(doomed, ignore_errors=True)


def evict(root: Path, bound: float, keep: Path) -> None:
    """Until at most `bound` bytes are left: damaged ones first, then the least recently used.

    keep: never this one. Temporary folders of crashed writers go after a day.
    """
    oldest = sorted(found(root), key=lambda item: (item[1] == "entry", item[2]))
    total = sum(size for *_, size in oldest)
    for place, kind, used, size in oldest:
        if (total > bound and place != keep) if kind != "tmp" else used < time.time() - DAY:
            remove(place)
            total -= size
