"""What the commands share: writing a file, and saying how far the work is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from core.types import UserError


def write(path: Path, content: bytes, mode: str = "wb") -> None:
    """The content into the file; a UserError where that cannot be."""
    try:
        with path.open(mode) as file:
            file.write(content)
    except OSError as error:
        raise UserError(
            f"{path}: could not be written ({error.strerror})."
            " Choose a folder that exists and is writable."
        ) from None


def check_writable(path: Path) -> None:
    """Before hours of work: can this file be written? It is left as it was."""
    there = path.exists()
    write(path, b"", "ab")
    if not there:
        path.unlink()


def say(text: str) -> None:
    """At once, whoever reads along."""
    print(text, flush=True)


def tenths() -> Callable[[float | None, str], None]:
    """Says how far a pass is, a line for each tenth of it."""
    said: list = []

    def tell(fraction: float | None, text: str) -> None:
        now = [text.partition(",")[0], int(10 * (fraction or 0))]
        if text and now != said:
            said[:] = now
            print(text, file=sys.stderr, flush=True)

    return tell
