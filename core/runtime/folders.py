"""Where do the user's files lie, and how is something put there whole or not at all?"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs

from core.types import UserError

ROOT = Path(__file__).resolve().parents[2]
ASSETS = ROOT / "assets"

DISK_ERRORS = tuple(
    getattr(errno, f"E{code}", None)
    for code in "ACCES PERM ROFS NOSPC DQUOT NOTDIR ISDIR EXIST NOENT NAMETOOLONG LOOP IO".split()
)
PARTIAL = ".partial-"
DAY = 86_400.0


def data_folder() -> Path:
    """Where downloads, prepared arrays and the user's own data live.

    LEVERAGE_LAB_DATA if set, else the platform's folder for user data.
    """
    chosen = os.environ.get("LEVERAGE_LAB_DATA")
    if chosen:
        return Path(chosen).expanduser().absolute()
    return platformdirs.user_data_path("leverage-lab", appauthor=False)


@contextmanager
def scratch_beside(folder: Path) -> Iterator[Path]:
    """A scratch folder beside the folder's files, gone afterwards.

    The folder is made if need be. What a killed process left of its own goes after a day. Disk
    trouble becomes a UserError.
    """
    scratch = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        scratch = tempfile.mkdtemp(prefix=PARTIAL, dir=folder)
        yield Path(scratch)
    except OSError as error:
        if error.errno not in DISK_ERRORS:
            raise
        raise UserError(
            f"Data folder {folder}: found that it cannot be used ({error}), expected a folder that"
            " can be written and has room. Mend its rights, free some space, or set"
            " LEVERAGE_LAB_DATA to another folder."
        ) from error
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)


def _sweep(folder: Path) -> None:
    for left in folder.glob(f"{PARTIAL}*"):
        with suppress(OSError):  # another process may sweep too
            if left.stat().st_mtime < time.time() - DAY:
                shutil.rmtree(left)
