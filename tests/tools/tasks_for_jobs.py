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


def counted(path, value, gate=None):
    """One line per run, with the process id; it ends when `gate` exists."""
    with open(path, "a") as file:
        file.write(f"{os.getpid()}\n")
    while _closed(gate):
        time.sleep(0.01)
    return value


def steps(path, seconds=600.0, gate=None):
    """A loop that reports and checks at every step, and says in a file how it ended. It ends after
    so many seconds, but not before the file `gate` exists.
    """
    Path(path).write_text(f"running {os.getpid()}")
    try:
        end = time.time() + seconds
        while time.time() < end or _closed(gate):
            progress.report(min(1.0, 1 - (end - time.time()) / seconds), "stepping")
            progress.check()
            time.sleep(0.002)
    except progress.Cancelled:
        Path(path).write_text("cancelled")
        raise
    return "whole"


def blind(path):
    """Notices nothing for ten minutes: neither a cancel nor that its time is up."""
    with open(path, "a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(600)


def greedy(gigabytes):
    """Holds on to more and more memory until there is so much, and then for a while."""
    held = []
    for _ in range(10 * gigabytes):
        held.append(bytearray(os.urandom(1 << 20) * 100))
        time.sleep(0.05)
    time.sleep(20)
    return len(held)


def deaf(path, gate):
    """Like steps, but does not notice a cancel before `gate` exists."""
    Path(path).write_text(f"running {os.getpid()}")
    while _closed(gate):
        time.sleep(0.01)
    return steps(path)


def slow_to_stop(path, gate):
    """Like steps, but when cancelled it cleans up until `gate` exists; with it, it soon ends."""
    try:
        return steps(path, 0.1, gate)
    except progress.Cancelled:
        while _closed(gate):
            time.sleep(0.01)
        raise


def _closed(gate):
    return gate is not None and not Path(gate).exists()


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
        time.sleep(600)
    return runs


def die(path, how):
    """The worker dies in the middle of this, of itself or, "killed", when the test kills it."""
    with open(path, "a") as file:
        file.write(f"{os.getpid()}\n")
    if how == "crashed":
        os._exit(3)
    held = []
    while how == "memory" and len(held) < 100:
        held.append(b"x" * 20_000_000)
        time.sleep(0.02)
    time.sleep(600)


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
