"""Which files does an archive or a folder hold, and what is in them?

    open_zip(bytes) -> archive
    zip_members(archive), folder_members(path) -> Found(images, tables), in order of their paths
    gunzip(bytes) -> bytes

Nothing is unpacked to disk: members are read one by one into memory, under an allowance for all of
them together. A member is left out, with a fault that counts its kind, if its path leads out of the
archive, if it is a link, itself an archive, encrypted or packed by another method than deflate (its
memory cannot be foreseen), hidden, or neither an image nor a table. Paths have forward slashes.
Names that are not marked as UTF-8 are read as UTF-8 if they are (a Mac packs so), else as the
letters of DOS or of Windows. Source: the ZIP format, PKWARE's APPNOTE.
"""

from __future__ import annotations

import gzip
import io
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from core.data.imports.draft import Fault
from core.data.imports.file_limits import MEGABYTE, Allowance, Limits
from core.data.imports.wording import damage_reported, size, some
from core.types import UserError

IMAGES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp")
TABLES = (".csv", ".tsv", ".parquet", ".pq", ".jsonl", ".ndjson")
FOREIGN = (".tif", ".tiff", ".gif", ".heic", ".heif", ".avif", ".jp2", ".jxl", ".psd", ".svg")
FOREIGN += (".ppm", ".pgm", ".tga", ".dng", ".cr2", ".nef", ".raw")
TEXT = (".txt", ".data", ".dat")  # a table if it is called so, or if there is nothing else
TABLE_NAMES = re.compile(r"label|annotation|caption|metadata|class_?names|train|val|test|split")
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst", ".npz")
STARTS = re.compile(rb"\x89PNG|\xff\xd8\xff|RIFF....WEBP|BM....\0\0\0\0", re.S)  # of these images
BROKEN = (OSError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error)
CLUTTER = ("__MACOSX", "Thumbs.db", "desktop.ini")
UTF8 = 0x800  # the flag of a member whose name is marked as UTF-8
ENTRY = b"PK\x01\x02"  # stands before every entry of the directory
DAMAGED = "Pack the folder again and bring the new file."
REASONS = {
    "unsafe": (
        "Paths that lead out of the archive",
        "They are left out. Pack the folder again with plain relative paths.",
    ),
    "link": (
        "Symbolic links and special files",
        "They are left out. Put the images themselves in their place.",
    ),
    "nested": (
        "Archives inside",
        "They are left out. Unpack them first and pack their images with the others.",
    ),
    "locked": (
        "Members that are encrypted or packed by a rare method",
        "They are left out. Pack them as a plain zip.",
    ),
    "twice": ("Paths that occur a second time", "The first of each is used."),
    "foreign": (
        "Images of a kind that is not read",
        "They are left out, and with them a class that has no others. Save them as PNG or JPEG.",
    ),
    "other": (
        "Files that are hidden or not images",
        f"They are left out. Images are {', '.join(IMAGES[:3] + IMAGES[5:])}.",
    ),
}


@dataclass(frozen=True)
class Member:
    """One file. read(allowance) gives its bytes and lowers the allowance by as many. is_image: by
    its content, although its name has no ending.
    """

    path: str
    read: Callable[[Allowance], bytes | bytearray]
    is_image: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        """The folders and the name."""
        return tuple(self.path.split("/"))


class Found(NamedTuple):
    """The images of an archive or a folder, and the tables beside them."""

    images: list[Member]
    tables: list[Member]


def open_zip(data: bytes, title: str, limits: Limits) -> zipfile.ZipFile:
    """The archive, if its directory is of bounded length; a UserError otherwise."""
    # Each entry costs memory when the directory is read; clutter may outnumber the images.
    entries = data.count(ENTRY)
    if entries > 3 * limits.files:
        raise UserError(
            f"{title}: found {entries:,} entries, expected at most {limits.files:,} files. Bring"
            " fewer files."
        )
    with damage_reported(title, DAMAGED):
        return zipfile.ZipFile(io.BytesIO(data))


def zip_members(archive: zipfile.ZipFile, title: str, limits: Limits, faults: list[Fault]) -> Found:
    """The images and tables of an archive, in order of their paths.

    A UserError if they are too many or unpack to too much.
    """
    kept: dict[str, zipfile.ZipInfo] = {}
    dropped: dict[str, list[str]] = {}
    for info, path in zip(archive.infolist(), _names(archive, faults), strict=True):
        reason = _zip_reason(info, path) or ("twice" if _tidy(path) in kept else "")
        if reason == "other" and _has_no_ending(path) and not locked(info):
            with suppress(*BROKEN), archive.open(info) as stream:
                reason = "" if STARTS.match(stream.read(16)) else reason
        if reason:
            dropped.setdefault(reason, []).append(path)
        elif not path.endswith("/"):
            kept[_tidy(path)] = info
    found = _sorted(
        [
            Member(path, _unpacker(archive, info), _has_no_ending(path))
            for path, info in sorted(kept.items())
        ],
        dropped,
    )
    faults += _faults(dropped)
    sizes = sum(kept[member.path].file_size for member in found.images)
    _check(len(found.images), sizes, title, limits)
    return found


def _names(archive: zipfile.ZipFile, faults: list[Fault]) -> list[str]:
    """The members' paths, read as the letters that they were written in."""
    names = []
    doubtful = []
    for info in archive.infolist():
        name = info.filename
        if not info.flag_bits & UTF8 and not name.isascii():
            name, certain = _unmarked(name)
            doubtful += [] if certain else [name]
        names.append(name.replace("\\", "/"))
    if doubtful:
        what = f"Names that are not UTF-8: {len(doubtful):,}, such as {some(doubtful[:1])}."
        mend = "They are read as DOS or Windows writes them. Rename them if letters look wrong."
        faults.append(Fault(what, mend))
    return names


def _unmarked(name: str) -> tuple[str, bool]:
    """(a name that zipfile has read as DOS's letters, read anew; is that certain?)."""
    try:
        raw = name.encode("cp437")
        return raw.decode(), True
    except UnicodeEncodeError:  # zipfile knew better
        return name, True
    except UnicodeDecodeError:
        letters = {byte for byte in raw if byte > 127}
    # below 192 DOS has its accents; from there on signs and frames, where Windows has its accents;
    # but 225 is DOS's sharp s
    windows = min(letters) >= 192 and letters != {225}
    return (raw.decode("cp1252") if windows else name), False


def _sorted(members: list[Member], dropped: dict[str, list[str]]) -> Found:
    """Images and tables apart. Of plain texts only those count that are called like a table of
    labels, or that stand alone.
    """
    images = [m for m in members if m.is_image or m.path.lower().endswith(IMAGES)]
    tables = [member for member in members if member.path.lower().endswith(TABLES)]
    texts = [member for member in members if member.path.lower().endswith(TEXT)]
    named = [member for member in texts if TABLE_NAMES.search(member.parts[-1].lower())]
    if not images and not tables and not named:
        named = texts
    if tables and not images:
        named = []
    others = [member.path for member in texts if member not in named]
    if others:
        dropped.setdefault("other", []).extend(others)
    return Found(images, sorted([*tables, *named], key=lambda member: member.path))


def gunzip(data: bytes, title: str, limits: Limits) -> bytes:
    """What a gzip file holds, at most as many bytes as a file may have."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            inside = stream.read(limits.file_bytes + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{title}: found a gzip file that is damaged. Pack it anew.") from error
    if len(inside) > limits.file_bytes:
        raise UserError(
            f"{title}: found more than {size(limits.file_bytes)} bytes when unpacked, the most that"
            " is read. Bring a smaller file."
        )
    return inside


def unpack(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, allowance: Allowance, mend: str = DAMAGED
) -> bytearray:
    """The bytes of one member, at most as many as its entry says, which the allowance must admit;
    held once, not twice.
    """
    allowance.take(info.file_size)
    with damage_reported(some([info.filename]), mend), archive.open(info) as stream:
        data = bytearray(info.file_size)
        filled = 0
        while piece := stream.read(MEGABYTE):
            data[filled : filled + len(piece)] = piece
            filled += len(piece)
        del data[filled:]
        return data


def folder_members(folder: Path, limits: Limits, faults: list[Fault]) -> Found:
    """The images and tables below a folder, in order of their paths; links are not followed."""
    kept: dict[str, Path] = {}
    dropped: dict[str, list[str]] = {}
    images = 0
    total = 0
    for entry in _walk(folder):
        path = Path(entry.path).relative_to(folder).as_posix()
        reason = "" if entry.is_file(follow_symlinks=False) else "link"
        reason = _reason(path) if not reason or _reason(path) == "other" else reason
        if reason == "other" and _has_no_ending(path) and entry.is_file(follow_symlinks=False):
            with suppress(OSError), open(entry.path, "rb") as stream:
                reason = "" if STARTS.match(stream.read(16)) else reason
        if reason:
            dropped.setdefault(reason, []).append(path)
            continue
        kept[path] = Path(entry.path)
        if path.lower().endswith(IMAGES) or _has_no_ending(path):
            images += 1
            total += entry.stat(follow_symlinks=False).st_size
            _check(images, total, folder.name, limits)
    found = _sorted(
        [Member(path, _reader(file), _has_no_ending(path)) for path, file in sorted(kept.items())],
        dropped,
    )
    faults += _faults(dropped)
    return found


def _walk(folder: Path) -> Iterator[os.DirEntry]:
    """Every entry below folder but the folders themselves; a folder that may not be read is passed
    over.
    """
    waiting = [folder]
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except OSError:
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                waiting.append(Path(entry.path))
            else:
                yield entry


def _reader(file: Path) -> Callable[[Allowance], bytes]:
    def read(allowance: Allowance) -> bytes:
        with damage_reported(file.name, "Mend the file or its rights."), file.open("rb") as stream:
            data = stream.read(allowance.left + 1)
        allowance.take(len(data))
        return data

    return read


def _unpacker(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[Allowance], bytearray]:
    return lambda allowance: unpack(archive, info, allowance)


def _zip_reason(info: zipfile.ZipInfo, path: str) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if _unsafe(path):
        return "unsafe"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "link"
    if path.endswith("/"):
        return ""
    reason = _reason(path)
    return reason or ("locked" if locked(info) else "")


def locked(info: zipfile.ZipInfo) -> bool:
    """Is the member encrypted, or packed by a method whose memory cannot be foreseen?"""
    return bool(info.flag_bits & 1) or info.compress_type not in (
        zipfile.ZIP_STORED,
        zipfile.ZIP_DEFLATED,
    )


def _unsafe(path: str) -> bool:
    return (
        path.startswith("/")
        or ".." in path.split("/")
        or bool(re.match("[A-Za-z]:", path))
        or "\0" in path
    )


def _reason(path: str) -> str:
    parts = path.split("/")
    name = path.lower()
    if any(part in CLUTTER or part.startswith(".") for part in parts if part != "."):
        return "other"
    if name.endswith(ARCHIVES):
        return "nested"
    if name.endswith(FOREIGN):
        return "foreign"
    return "" if name.endswith((*IMAGES, *TABLES, *TEXT)) else "other"


def _has_no_ending(path: str) -> bool:
    """Such a file is kept if its content is an image's."""
    name = path.rpartition("/")[2]
    return bool(name) and "." not in name


def _tidy(path: str) -> str:
    return "/".join(part for part in path.split("/") if part not in ("", "."))


def _faults(dropped: dict[str, list[str]]) -> list[Fault]:
    named = [
        (what, mend, dropped[reason])
        for reason, (what, mend) in REASONS.items()
        if reason in dropped
    ]
    return [
        Fault(f"{what}: {len(paths):,}, such as {some(paths[:1])}.", mend)
        for what, mend, paths in named
    ]


def _check(files: int, total: int, title: str, limits: Limits) -> None:
    if files > min(limits.files, limits.rows):
        raise UserError(
            f"{title}: found more than {min(limits.files, limits.rows):,} images, the most that is"
            " read. Bring fewer images."
        )
    if total > limits.unpacked_bytes:
        most = size(limits.unpacked_bytes)
        raise UserError(
            f"{title}: found {size(total)} bytes when unpacked, expected at most {most}. Bring"
            " fewer or smaller files."
        )
