"""Tasks that the tests of the jobs run in a worker process.

What they did is counted in files, which survive a kill.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from core.runtime import progress
from core.types import UserError


def add(a, b):
    return a + b


def counted(path, value):
    """One line per run, with the process id."""
    with open(path, "a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(0.5)
    return value


def steps(path, seconds=60.0):
    """A loop that reports and checks at every step, and says in a file how it ended."""
    Path(path).write_text(f"running {os.getpid()}")
    try:
        end = time.time() + seconds
        while time.time() < end:
            progress.report(1 - (end - time.time()) / seconds, "stepping")
            progress.check()
            time.sleep(0.002)
    except progress.Cancelled:
        Path(path).write_text(f"cancelled {time.time()}")
        raise
    return "whole"


def slow_to_stop(path, seconds):
    """Like steps, but takes a second to clean up after a cancel."""
    try:
        return steps(path, seconds)
    except progress.Cancelled:
        time.sleep(1)
        raise


def in_order(path, name):
    with open(path, "a") as file:
        file.write(name)
    time.sleep(0.05)


def once_killed(path):
    """The first run waits to be killed; a second one returns."""
    runs = Path(path).read_text().count("\n") if Path(path).exists() else 0
    with open(path, "a") as file:
        file.write(f"{os.getpid()}\n")
    if runs == 0:
        time.sleep(60)
    return runs


def divide(a, b):
    return a / b


def complain():
    raise UserError("Budget k: found 7, expected at most 5.")


def chatter(lines):
    """Prints more than a pipe holds."""
    for _ in range(lines):
        print("x" * 1000)
    return lines


def environment():
    return {
        name: os.environ.get(name)
        for name in ("OMP_NUM_THREADS", "LEVERAGE_LAB_CACHE", "LEVERAGE_LAB_TEST")
    } | {"main": getattr(sys.modules["__main__"], "__file__", None)}
