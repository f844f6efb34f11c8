"""Which files does an archive or a folder hold, and what is in them?

    open_zip(bytes) -> archive
    zip_members(archive), folder_members(path) -> [Member], in order of their paths

Nothing is unpacked to disk: members are read one by one into memory, under an allowance for all of
them together. A member is left out, with a fault that counts its kind, if its path leads out of the
archive, if it is a link, itself an archive, encrypted or packed by another method than deflate (its
memory cannot be foreseen), hidden, or not an image. Paths have forward slashes. Source: the ZIP
format, PKWARE's APPNOTE.
"""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.data.imports.draft import Fault
from core.data.imports.file_limits import MEGABYTE, Allowance, Limits
from core.data.imports.wording import damage_reported, size, some
from core.types import UserError

IMAGES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp")
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst", ".npz")
CLUTTER = ("__MACOSX", "Thumbs.db", "desktop.ini")
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
    "other": (
        "Files that are hidden or not images",
        f"They are left out. Images are {', '.join(IMAGES[:3] + IMAGES[5:])}.",
    ),
}


@dataclass(frozen=True)
class Member:
    """One file. read(allowance) gives its bytes and lowers the allowance by as many."""

    path: str
    read: Callable[[Allowance], bytes | bytearray]

    @property
    def parts(self) -> tuple[str, ...]:
        """The folders and the name."""
        return tuple(self.path.split("/"))


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


def zip_members(
    archive: zipfile.ZipFile, title: str, limits: Limits, faults: list[Fault]
) -> list[Member]:
    """The images of an archive, in order of their paths.

    A UserError if they are too many or unpack to too much.
    """
    kept: dict[str, zipfile.ZipInfo] = {}
    dropped: dict[str, list[str]] = {}
    for info in archive.infolist():
        path = info.filename.replace("\\", "/")
        reason = _zip_reason(info, path) or ("twice" if _tidy(path) in kept else "")
        if reason:
            dropped.setdefault(reason, []).append(path)
        elif not path.endswith("/"):
            kept[_tidy(path)] = info
    faults += _faults(dropped)
    _check(len(kept), sum(info.file_size for info in kept.values()), title, limits)
    return [Member(path, _unpacker(archive, info)) for path, info in sorted(kept.items())]


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


def folder_members(folder: Path, limits: Limits, faults: list[Fault]) -> list[Member]:
    """The images below a folder, in order of their paths; links are not followed."""
    kept: dict[str, Path] = {}
    dropped: dict[str, list[str]] = {}
    total = 0
    for entry in _walk(folder):
        path = Path(entry.path).relative_to(folder).as_posix()
        reason = "" if entry.is_file(follow_symlinks=False) else "link"
        reason = _reason(path) if not reason or _reason(path) == "other" else reason
        if reason:
            dropped.setdefault(reason, []).append(path)
            continue
        kept[path] = Path(entry.path)
        total += entry.stat(follow_symlinks=False).st_size
        _check(len(kept), total, folder.name, limits)
    faults += _faults(dropped)
    return [Member(path, _reader(file)) for path, file in sorted(kept.items())]


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
    return "" if name.endswith(IMAGES) else "other"


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
