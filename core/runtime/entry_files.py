"""How does a result lie on the disk, and is what lies there still what was written?

A small one is one file, `<key>.entry`: a first line of JSON, its card (shapes, checksums, facts),
then the arrays' bytes, each from a multiple of 16 on: so a few numbers cost one block. A large one
is a folder `<key>/` of `entry.json`, the card, and one `.npy` per array, which are mapped, not
read. Either appears by one rename or link, so it is whole or absent. Nothing is pickled.

Nothing is believed unseen: a card and a small result are checked at every reading, a mapped file
when this process first opens it and whenever its size or one of its times has changed.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import uuid
import weakref
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from core.types import UserError

SMALL = 65_536  # bytes of all arrays together up to which a result is one file
SUFFIX = ".entry"
ALIGNED = 16
UNREADABLE = "found nothing readable, expected the description of the arrays"
_verified: set[tuple] = set()
# Each array once, however many look at it.
_open: weakref.WeakValueDictionary[tuple, np.ndarray] = weakref.WeakValueDictionary()

Card = dict[str, Any]


def places(folder: Path) -> list[Path]:
    """Where the result of this folder's key can lie: in one file, or in the folder."""
    return [folder.with_name(folder.name + SUFFIX), folder]


def key_of(place: Path) -> str:
    """The key of the result that lies here."""
    return place.name.removesuffix(SUFFIX)


def read(place: Path) -> tuple[Card, dict[str, np.ndarray]]:
    """Its card and its arrays, read-only. An OSError or a ValueError that says what is damaged."""
    if place.suffix != SUFFIX:
        card = read_card(place)
        return card, {
            name: _map(place / f"{name}.npy", about) for name, about in card["arrays"].items()
        }
    head, _, body = place.read_bytes().partition(b"\n")
    card = _card(head, place)
    if (found := _digest(body)) != card["body"]:
        raise OSError(
            f"{place.name}: found {len(body):,} bytes of arrays with checksum {found[:8]}, expected"
            f" {card['bytes']:,} with {card['body'][:8]}"
        )
    return card, {
        name: _within(body, card["body"], name, about) for name, about in card["arrays"].items()
    }


def read_card(place: Path) -> Card:
    """The card alone, if it is whole: its own checksum guards the facts."""
    try:
        if place.suffix == SUFFIX:
            with open(place, "rb") as opened:
                return _card(opened.readline(), place)
        return _card((place / "entry.json").read_bytes(), place)
    except FileNotFoundError:
        raise OSError(f"entry.json: {UNREADABLE}") from None


def write(
    folder: Path, arrays: Mapping[str, np.ndarray], card: Card, *, one_file: bool = True
) -> Path:
    """Where it lies now. one_file: it may become one file, if it is small.

    Who comes second leaves what the first one wrote: equal keys mean equal content.
    """
    bytes_held = sum(array.nbytes for array in arrays.values())
    one_file = one_file and bytes_held <= SMALL and all(map(_plain, arrays.values()))
    for place in places(folder):
        if place.exists():
            return place
    place = places(folder)[0 if one_file else 1]
    temporary = place.with_name(f".{folder.name}.tmp-{uuid.uuid4().hex}")
    try:
        temporary.parent.mkdir(parents=True, exist_ok=True)
        (_write_file if one_file else _write_folder)(temporary, arrays, card)
        with suppress(OSError):
            os.link(temporary, place) if one_file else os.rename(temporary, place)
        if not place.exists():  # such as on a disk that knows no links
            os.rename(temporary, place)
        return place
    finally:
        with suppress(OSError):
            temporary.unlink() if one_file else shutil.rmtree(temporary)


def as_json(value: Any, **options: Any) -> str:
    """The text of a value, keys sorted. A UserError if it has none."""

    def unpacked(item: Any) -> Any:
        if isinstance(item, np.generic):
            return item.item()
        return dict(item) if isinstance(item, Mapping) else asdict(item)

    try:
        return json.dumps(value, sort_keys=True, default=unpacked, **options)
    except (TypeError, ValueError, RecursionError):
        raise UserError(
            f"Cache: found {type(value).__name__} {_beginning(value)}, expected finite numbers,"
            " texts, lists, mappings or dataclasses, not nested deeply."
        ) from None


def digest_of(text: str) -> str:
    """blake2b of 16 bytes, in hex digits."""
    return _digest(text.encode())


def _beginning(value: Any) -> str:
    with suppress(RecursionError):
        return f"{value!r:.200}"
    return "too deeply nested to show"


def _write_file(file: Path, arrays: Mapping[str, np.ndarray], card: Card) -> None:
    body = bytearray()
    card["arrays"] = {}
    for name, array in arrays.items():
        about = {"dtype": array.dtype.str, "shape": array.shape, "at": len(body)}
        card["arrays"][name] = about
        body += array.tobytes()
        body += bytes(-len(body) % ALIGNED)
    card |= {"bytes": len(body), "body": _digest(body)}
    with open(file, "wb") as opened:
        opened.write(_signed(card).encode() + b"\n" + body)
        _to_disk(opened)


def _signed(card: Card, **options: Any) -> str:
    return as_json(card | {"blake2b": digest_of(as_json(card))}, **options)


def _write_folder(folder: Path, arrays: Mapping[str, np.ndarray], card: Card) -> None:
    folder.mkdir()
    card["arrays"] = {name: _save(folder / f"{name}.npy", array) for name, array in arrays.items()}
    with open(folder / "entry.json", "w", encoding="utf-8") as opened:
        opened.write(_signed(card, indent=1))
        _to_disk(opened)


def _save(file: Path, array: np.ndarray) -> Card:
    with open(file, "wb") as opened:
        np.save(opened, array, allow_pickle=False)
        _to_disk(opened)
    return {
        "dtype": array.dtype.str,
        "shape": array.shape,
        "bytes": file.stat().st_size,
        "blake2b": _file_digest(file),
    }


def _to_disk(opened: Any) -> None:
    opened.flush()
    os.fsync(opened.fileno())


def _card(text: bytes, place: Path) -> Card:
    """Deeply nested text is damage like any other; Python gives up on it with a RecursionError."""
    try:
        card = json.loads(text)
        expected = card.pop("blake2b")
        found = digest_of(as_json(card))
        key = card["key"]
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError, UserError):
        raise OSError(f"entry.json: {UNREADABLE}") from None
    if found != expected or key != key_of(place):
        raise OSError(
            f"entry.json: found checksum {found[:8]} for {key}, expected {str(expected)[:8]} for"
            f" {key_of(place)}"
        )
    return card


def _map(file: Path, about: Mapping[str, Any]) -> np.ndarray:
    found = file.stat() if file.exists() else None
    if found is None or found.st_size != about["bytes"]:
        raise OSError(
            f"{file.name}: found {f'{found.st_size:,} bytes' if found else 'no file'}, expected"
            f" {about['bytes']:,} bytes"
        )
    seen = (*_looks(found), about["blake2b"])
    if seen not in _verified and (digest := _file_digest(file)) != about["blake2b"]:
        raise OSError(f"{file.name}: found checksum {digest[:8]}, expected {about['blake2b'][:8]}")
    if (array := _open.get(seen)) is None:
        mode = "r" if math.prod(about["shape"]) else None
        array = np.load(file, mmap_mode=mode, allow_pickle=False)
        # Caches that key on an argument's exact type do not know numpy.memmap.
        array = _open[seen] = array.view(np.ndarray)
    return array


def _within(body: bytes, digest: str, name: str, about: Mapping[str, Any]) -> np.ndarray:
    seen = (digest, name, about["dtype"], about["at"], *about["shape"])
    if (array := _open.get(seen)) is None:
        array = _open[seen] = np.ndarray(about["shape"], about["dtype"], body, about["at"])
    return array


def _plain(array: np.ndarray) -> bool:
    """Do its type's name, its shape and its bytes in C's order say all of it?"""
    return np.dtype(array.dtype.str) == array.dtype and not array.flags.fnc


def _looks(found: os.stat_result) -> tuple:
    """What changes when a file does. The inode's own time cannot be set back by hand."""
    times = (found.st_mtime_ns, found.st_ctime_ns)
    return (found.st_dev, found.st_ino, found.st_size, *times)


def _digest(content: bytes | bytearray) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _file_digest(file: Path) -> str:
    """The checksum of a file's content, remembered as verified until the file changes."""
    with open(file, "rb") as opened:
        found = os.fstat(opened.fileno())
        digest = hashlib.file_digest(opened, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    _verified.add((*_looks(found), digest))
    return digest
