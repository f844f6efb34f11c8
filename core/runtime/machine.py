"""Which chip computes here? A measured speed holds for the chip it was measured on."""

from __future__ import annotations

import functools
import platform
from pathlib import Path

_TOLD = Path("/proc/cpuinfo")
_NAMED = ("model name", "cpu family", "model", "stepping")


@functools.cache
def chip() -> str:
    """In words: its name, and where the name is a line of chips its family, model and stepping."""
    return _of(_TOLD.read_text("utf-8") if _TOLD.exists() else "")


def _of(told: str) -> str:
    """Of the first processor of a Linux kernel's list; without one, what Python knows."""
    first = told.split("\n\n")[0].splitlines()
    lines = {
        name.strip(): value.strip() for name, _, value in (row.partition(":") for row in first)
    }
    if "model name" not in lines:
        return platform.processor() or platform.machine()
    numbers = [f"{name} {lines[name]}" for name in _NAMED[1:] if name in lines]
    return " ".join(
        [lines["model name"], f"({', '.join(numbers)})"] if numbers else [lines["model name"]]
    )
