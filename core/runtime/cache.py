"""Where do finished results live, and can the file on disk be trusted?

Content-addressed folders, `<root>/<step>/<key>/`: one `.npy` per array and `entry.json` with
shapes, checksums and facts. A key names all that decides a result: step, fields, data fingerprint,
code version; entries are never updated. Two roots: the user's cache, and the results bundled with
the app, which are only read. A bundled result answers for its fields and data whatever the code's
version: a test computes it afresh and so notices when the code has moved away from it. A folder
appears by one rename, so it is whole or absent. Nothing is pickled. A disk that fails never costs a
computed value.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
import time
import uuid
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from core.runtime import result_folders
from core.runtime.folders import ASSETS
from core.runtime.result_folders import KEY
from core.types import UserError

log = logging.getLogger(__name__)
GIGABYTE = 1e9
ASIDE_KEPT = 3
BUNDLED = ASSETS / "results"
_verified: set[tuple] = set()
# Each file once, however many look at it.
_mapped: weakref.WeakValueDictionary[tuple, np.ndarray] = weakref.WeakValueDictionary()
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
    content = _digest(_json([step, fields, data], allow_nan=False))
    return _match(f"{step}-{content[:16]}{_digest(code)[:8]}")[0]


def bundled_key(key: str) -> str:
    """The name under which a bundle keeps this key's result: the code's version left out."""
    return f"{key[:-8]}{'0' * 8}"


def get(key: str) -> Entry | None:
    """The stored result of this key, arrays memory-mapped and read-only; None if there is none.

    Checksums are verified when a process first opens a file. A damaged entry is logged and moved
    aside, and the next `put` of its key carries the note. A UserError for a malformed key or size
    bound.
    """
    step = _match(key)[1]
    _ = limit()
    for place in [folder() / step / key] + [BUNDLED / step / bundled_key(key)] * _use_bundle:
        if not os.path.isdir(place):
            continue
        try:
            entry = _read(place)
        except (OSError, ValueError) as why:
            if os.path.isdir(place):  # otherwise another process has just dropped it
                _set_aside(place, str(why))
            continue
        if BUNDLED not in place.parents:
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

    root: the user's cache if None. describe: JSON for people who read the folder. The first writer
    of a key wins. If the disk refuses, the entry holds the arrays in memory and a note that says
    why.
    """
    place = (folder() if root is None else Path(root)) / _match(key)[1] / key
    _ = limit()
    arrays = {name: _storable(name, array) for name, array in arrays.items()}
    card = json.loads(
        _json({"key": key, "written": time.time(), "describe": describe, "facts": facts})
    )
    card["notes"] = _damage_notes(place)
    try:
        _write(place, arrays, card)
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


def entries(step: str) -> list[tuple[str, dict[str, Any]]]:
    """(key, facts) of every result of this step in both roots, sorted by key.

    Arrays are neither opened nor verified.
    """
    found = {}
    places = [
        place
        for root in (BUNDLED, folder())
        for place, kind, *_ in result_folders.found(root, step)
        if kind == "entry"
    ]
    for place in places:
        with suppress(OSError):
            found[place.name] = _card(place)["facts"]
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
    card = _card(place)
    arrays = {name: _map(place / f"{name}.npy", about) for name, about in card["arrays"].items()}
    return Entry(place.name, arrays, card["facts"], tuple(card["notes"]))


def _card(place: Path) -> dict[str, Any]:
    """entry.json, if it is whole: its own checksum guards the facts as others guard the arrays."""
    try:
        card = json.loads((place / "entry.json").read_bytes())
        expected = card.pop("blake2b")
    except (FileNotFoundError, ValueError, KeyError, AttributeError, TypeError):
        raise OSError(
            "entry.json: found nothing readable, expected the description of the arrays"
        ) from None
    found = _digest(_json(card))
    if found != expected or card["key"] != place.name:
        raise OSError(
            f"entry.json: found checksum {found[:8]} for {card.get('key')}, expected"
            f" {str(expected)[:8]} for {place.name}"
        )
    return card


def _map(file: Path, about: Mapping[str, Any]) -> np.ndarray:
    found = file.stat() if file.exists() else None
    if found is None or found.st_size != about["bytes"]:
        raise OSError(
            f"{file.name}: found {f'{found.st_size:,} bytes' if found else 'no file'}, expected"
            f" {about['bytes']:,} bytes"
        )
    if (found.st_ino, found.st_mtime_ns, about["blake2b"]) not in _verified and (
        digest := _file_digest(file)
    ) != about["blake2b"]:
        raise OSError(f"{file.name}: found checksum {digest[:8]}, expected {about['blake2b'][:8]}")
    shared = (found.st_dev, found.st_ino, found.st_mtime_ns, about["blake2b"])
    if (array := _mapped.get(shared)) is None:
        mode = "r" if np.prod(about["shape"]) else None
        array = np.load(file, mmap_mode=mode, allow_pickle=False)
        # Caches that key on an argument's exact type do not know numpy.memmap.
        array = _mapped[shared] = array.view(np.ndarray)
    return array


def _write(place: Path, arrays: Mapping[str, np.ndarray], card: dict[str, Any]) -> None:
    temporary = place.with_name(f".{place.name}.tmp-{uuid.uuid4().hex}")
    try:
        temporary.mkdir(parents=True)
        card["arrays"] = {
            name: _save(temporary / f"{name}.npy", array) for name, array in arrays.items()
        }
        card["blake2b"] = _digest(_json(card))
        (temporary / "entry.json").write_text(_json(card, indent=1), encoding="utf-8")
        for file in temporary.iterdir():
            with open(file, "rb+") as opened:
                os.fsync(opened.fileno())
        # The place may be taken already: equal keys mean equal content, theirs stays.
        with suppress(OSError):
            os.rename(temporary, place)
        if not place.exists():
            os.rename(temporary, place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _save(file: Path, array: np.ndarray) -> dict[str, Any]:
    np.save(file, array, allow_pickle=False)
    return {
        "dtype": array.dtype.str,
        "shape": array.shape,
        "bytes": file.stat().st_size,
        "blake2b": _file_digest(file),
    }


def _set_aside(place: Path, why: str) -> None:
    """Kept for inspection.

    The note travels with the folder, because another process may be the one that recomputes.
    """
    log.warning("Cache: %s is damaged: %s", place, why)
    note = f"The cached file was damaged ({why}); it was computed again."
    try:
        if BUNDLED in place.parents:
            raise PermissionError("bundled results are only read")
        slots = [place.with_name(f"{place.name}.damaged-{n}") for n in range(1, ASIDE_KEPT + 1)]
        slot = min(slots, key=lambda slot: slot.stat().st_mtime if slot.exists() else 0)
        result_folders.remove(slot)
        os.rename(place, slot)
        (slot / "damage.txt").write_text(note, encoding="utf-8")
    except OSError:
        _damage[bundled_key(place.name)] = note


def _damage_notes(place: Path) -> list[str]:
    notes = [note] if (note := _damage.pop(bundled_key(place.name), None)) else []
    with suppress(OSError):
        for told in sorted(place.parent.glob(f"{place.name}.damaged-*/damage.txt")):
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


def _json(value: Any, **options: Any) -> str:
    def unpacked(item: Any) -> Any:
        if isinstance(item, np.generic):
            return item.item()
        return dict(item) if isinstance(item, Mapping) else asdict(item)

    try:
        return json.dumps(value, sort_keys=True, default=unpacked, **options)
    except (TypeError, ValueError):
        raise UserError(
            f"Cache: found {value!r:.200}, expected finite numbers, texts, lists,"
            " mappings or dataclasses."
        ) from None


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _file_digest(file: Path) -> str:
    """The checksum of a file's content, remembered as verified until the file changes."""
    with open(file, "rb") as opened:
        found = os.fstat(opened.fileno())
        digest = hashlib.file_digest(opened, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    _verified.add((found.st_ino, found.st_mtime_ns, digest))
    return digest
