"""Which of the servers that share this data folder are still there?

    mark()             this process's mark: what it keeps for its visitors carries it
    has_ended(mark)    has the process of that mark ended, however it did?
    forget_ended()     let go of the files of those that have

A mark is the name of a file that its process holds locked. The system lets go of the lock when the
process ends, be it by a kill; that holds over containers with a common volume too. Where there are
no such locks (Windows), nobody is taken for ended.
"""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from pathlib import Path
from typing import IO

from core.runtime import folders

_held: dict[Path, tuple[str, IO[bytes]]] = {}  # by folder: our mark and its locked file


def mark() -> str:
    """This process's mark, 32 hex digits."""
    folder = _folder()
    if folder not in _held:
        folder.mkdir(parents=True, exist_ok=True)
        name = uuid.uuid4().hex
        fresh = folder / f".{name}"
        file = fresh.open("wb")
        _lock(file)
        os.rename(fresh, folder / name)  # so nobody finds it before it is locked
        _held[folder] = name, file
    return _held[folder][0]


def has_ended(mark: str) -> bool:
    """Has the process of this mark ended? Without a mark ("") it is of before there were any."""
    if not mark:
        return True
    try:
        with (_folder() / mark).open("rb+") as file:
            return _lock(file)
    except FileNotFoundError:
        return True


def forget_ended() -> None:
    """Let go of the marks of processes that have ended."""
    folder = _folder()
    for file in folder.iterdir() if folder.is_dir() else ():
        if not file.name.startswith(".") and has_ended(file.name):
            with suppress(OSError):
                file.unlink()


def _folder() -> Path:
    return folders.data_folder() / "servers"


def _lock(file: IO[bytes]) -> bool:
    """Lock it for as long as it is open. No, if another process has."""
    try:
        import fcntl
    except ImportError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
