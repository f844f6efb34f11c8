"""Where do finished results live, and can what is on disk be trusted?

Content-addressed, `<root>/<step>/<key>`: one file, or a folder if it is large
(core/runtime/entry_files.py). A key names all that decides a result: step, fields, data
fingerprint, code version; entries are never updated. Two roots: the user's cache, and the results
bundled with the app, which are only read. A bundled result answers for its fields and data whatever
the code's version: a test computes it afresh and so notices when the code has moved away from it. A
disk that fails never costs a computed value.
"""

from __future__ import annotations

import json
import logging
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from core.runtime import entry_files, result_folders
from core.runtime.entry_files import as_json, digest_of
from core.runtime.folders import ASSETS
from core.runtime.result_folders import KEY
from core.types import UserError

log = logging.getLogger(__name__)
GIGABYTE = 1e9
ASIDE_KEPT = 3
BUNDLED = ASSETS / "results"
_damage: dict[str, str] = {}
_use_bundle = True


@dataclass(frozen=True, eq=False)
class Entry:
    """One stored result.

    arrays: read-only. facts: JSON values. notes: sentences that the screen has to show.
    """

    key: str
    arrays: Mapping[str, np.ndarray]
    facts: Mapping[str, Any]
    notes: tuple[str, ...] = ()


def key(step: str, fields: Mapping[str, Any], *, code: str, data: str) -> str:
    """`<step>-<16 hex digits of fields and data><8 hex digits of the code's version>`, blake2b.

    Types count (1, 1.0, True and "1" differ), the order of fields does not. A UserError for a value
    without exact text.
    """
    content = digest_of(as_json([step, fields, data], allow_nan=False))
    return _match(f"{step}-{content[:16]}{digest_of(code)[:8]}")[0]


def bundled_key(key: str) -> str:
    """The name under which a bundle keeps this key's result: the code's version left out."""
    return f"{key[:-8]}{'0' * 8}"


def get(key: str) -> Entry | None:
    """The stored result of this key, arrays read-only, large ones memory-mapped; None if there is
    none.

    Checksums are verified when a process first opens it and whenever it has changed. A damaged
    entry is logged and moved aside, and the next `put` of its key carries the note. A UserError for
    a malformed key or size bound.
    """
    step = _match(key)[1]
    _ = limit()
    bundled = BUNDLED / step / bundled_key(key)
    for place in [*entry_files.places(folder() / step / key)] + [bundled] * _use_bundle:
        if not place.exists():
            continue
        try:
            entry = _read(place)
        except (OSError, ValueError) as why:
            if place.exists():  # otherwise another process has just dropped it
                _set_aside(place, str(why))
            continue
        if place != bundled:
            with suppress(OSError):
                os.utime(place)
        return replace(entry, key=key)
    return None


def kept(
    key: str,
    compute: Callable[[], tuple[Mapping[str, np.ndarray], Mapping[str, Any]]],
    *,
    describe: Any = "",
) -> Entry:
    """The stored result of this key, or what `compute` gives, (arrays, facts), stored first."""
    return get(key) or put(key, *compute(), describe=describe)


def bundle(key: str, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> Entry:
    """Put a result among those that come with the app, in place of the one that was there."""
    name = bundled_key(key)
    if (BUNDLED / _match(name)[1] / name).exists():
        result_folders.remove(BUNDLED / _match(name)[1] / name)
    return put(name, arrays, facts, root=BUNDLED)


@contextmanager
def without_bundle() -> Iterator[None]:
    """Inside, bundled results are not seen.

    What is computed to replace them must not come from them.
    """
    global _use_bundle
    _use_bundle = False
    try:
        yield
    finally:
        _use_bundle = True


def put(
    key: str,
    arrays: Mapping[str, np.ndarray],
    facts: Mapping[str, Any],
    *,
    root: Path | None = None,
    describe: Any = "",
) -> Entry:
    """Store a result and return it.

    root: the user's cache if None; in another one every array is a file of its own. describe: JSON
    for people who read the folder. The first writer of a key wins. If the disk refuses, the entry
    holds the arrays in memory and a note that says why.
    """
    place = (folder() if root is None else Path(root)) / _match(key)[1] / key
    _ = limit()
    arrays = {name: _storable(name, array) for name, array in arrays.items()}
    card = json.loads(
        as_json({"key": key, "written": time.time(), "describe": describe, "facts": facts})
    )
    card["notes"] = _damage_notes(place)
    try:
        place = entry_files.write(place, arrays, card, one_file=root is None)
        entry = _read(place)
    except (OSError, ValueError) as error:
        log.warning("Cache: %s could not be stored: %s", place, error)
        reason = getattr(error, "strerror", None) or error
        mend = (
            "Free some space there, or set LEVERAGE_LAB_CACHE to a writable folder; until then it"
            " is computed again each time."
        )
        refused = f"The result could not be stored in {place} ({reason}). {mend}"
        return Entry(key, arrays, card["facts"], (*card["notes"], refused))
    if root is None:
        result_folders.evict(folder(), limit(), keep=place)
    return entry


def entries(step: str, bundled_only: bool = False) -> list[tuple[str, dict[str, Any]]]:
    """(key, facts) of every result of this step in both roots, sorted by key.

    Arrays are neither opened nor verified. bundled_only: in the folder of what comes with the app.
    """
    found = {}
    places = [
        place
        for root in ((BUNDLED,) if bundled_only else (BUNDLED, folder()))
        for place, kind, *_ in result_folders.found(root, step)
        if kind == "entry"
    ]
    for place in places:
        with suppress(OSError):
            found[entry_files.key_of(place)] = entry_files.read_card(place)["facts"]
    return sorted(found.items())


def folder() -> Path:
    """The user's cache: `LEVERAGE_LAB_CACHE`, else the platform's cache folder.

    It need not exist yet.
    """
    named = os.environ.get("LEVERAGE_LAB_CACHE")
    if named:
        return Path(named).expanduser()
    return platformdirs.user_cache_path("leverage-lab", appauthor=False)


def limit() -> float:
    """The size bound in bytes: `LEVERAGE_LAB_CACHE_GB` (default 5) times 1e9.

    A UserError unless it is a positive number.
    """
    text = os.environ.get("LEVERAGE_LAB_CACHE_GB", "5")
    with suppress(ValueError):
        if 0 < float(text) < float("inf"):
            return float(text) * GIGABYTE
    raise UserError(
        f"LEVERAGE_LAB_CACHE_GB: found {text!r}, expected a positive number of gigabytes such as 5."
    )


def _read(place: Path) -> Entry:
    card, arrays = entry_files.read(place)
    return Entry(entry_files.key_of(place), arrays, card["facts"], tuple(card["notes"]))


def _set_aside(place: Path, why: str) -> None:
    """Kept for inspection.

    The note travels with the folder, because another process may be the one that recomputes.
    """
    log.warning("Cache: %s is damaged: %s", place, why)
    note = f"The cached file was damaged ({why}); it was computed again."
    try:
        if BUNDLED in place.parents:
            raise PermissionError("bundled results are only read")
        slot = min(_slots(place), key=lambda slot: slot.stat().st_mtime if slot.exists() else 0)
        result_folders.remove(slot)
        if place.is_dir():
            os.rename(place, slot)
        else:
            slot.mkdir()
            os.rename(place, slot / place.name)
        (slot / "damage.txt").write_text(note, encoding="utf-8")
    except OSError:
        _damage[bundled_key(entry_files.key_of(place))] = note


def _slots(place: Path) -> list[Path]:
    """Where damaged ones of this key are kept."""
    key = entry_files.key_of(place)
    return [place.with_name(f"{key}.damaged-{n}") for n in range(1, ASIDE_KEPT + 1)]


def _damage_notes(place: Path) -> list[str]:
    notes = [note] if (note := _damage.pop(bundled_key(place.name), None)) else []
    for told in [slot / "damage.txt" for slot in _slots(place)]:
        with suppress(OSError):
            notes.append(told.read_text(encoding="utf-8"))
            told.unlink()
    return notes


def _match(key: str) -> re.Match[str]:
    if match := KEY.fullmatch(key):
        return match
    raise UserError(
        f"Cache key: found {key!r}, expected a lower-case step and 24 hex digits, such as"
        " score-0123456789abcdef01234567."
    )


def _storable(name: str, array: np.ndarray) -> np.ndarray:
    array = np.asarray(array).view()
    if not re.fullmatch(r"\w+", name) or array.dtype.hasobject:
        raise UserError(
            f"Cache: found array {name!r} of {array.dtype},"
            " expected a plain name and an array of numbers or texts."
        )
    array.flags.writeable = False
    return array
