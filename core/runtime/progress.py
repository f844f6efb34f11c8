"""What a task says while it runs, and how it learns that nobody waits for it any more.

    report(0.5, "half way")    to whoever waits
    check()                    raises Cancelled if nobody does
    advance(0.5, "half way")   both, once per step: what long computations take as `progress`
    remark("The step ...")     a sentence that stays with the result (`remarked`)

Outside a worker all of them do nothing, so that the same functions run in a test or on the command
line.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class Cancelled(Exception):
    """Raised by `check` in a task that nobody waits for any more."""


class Task(Protocol):
    """Who hears the reports of this thread's task, and knows whether it is still wanted."""

    def report(self, fraction: float | None, text: str) -> None: ...

    def is_cancelled(self) -> bool: ...

    def check_time(self) -> None: ...


_task: ContextVar[Task | None] = ContextVar("leverage_lab_task", default=None)
_remarks: ContextVar[list[str] | None] = ContextVar("leverage_lab_remarks", default=None)


@contextmanager
def heard_by(task: Task) -> Iterator[None]:
    """Inside, this thread's reports go to the task."""
    token = _task.set(task)
    try:
        yield
    finally:
        _task.reset(token)


def report(fraction: float | None, text: str = "") -> None:
    """Tell whoever waits how far this task is: fraction in [0, 1], or None if unknown."""
    if (task := _task.get()) is not None:
        task.report(fraction, text)


def cancelled() -> bool:
    """Has everybody who wanted this task let go of it? Cheap; the answer is at most 0.3 s old."""
    task = _task.get()
    return task is not None and task.is_cancelled()


def check() -> None:
    """Raise Cancelled if nobody wants this task any more, a UserError if its time is up. Call it
    once per step.
    """
    if cancelled():
        raise Cancelled
    if (task := _task.get()) is not None:
        task.check_time()


def overdue(seconds: float | None) -> str:
    """Why a computation was stopped that took longer than it may."""
    return (
        f"It was stopped after {seconds or 0:.0f} seconds, several times what such a computation"
        " takes. Choose fewer points or dimensions, or run the app on your own machine."
    )


def advance(fraction: float | None, text: str = "") -> None:
    """Check, then report."""
    check()
    report(fraction, text)


@contextmanager
def remarked() -> Iterator[list[str]]:
    """Inside, the sentences of `remark` are collected, for who keeps the result."""
    said: list[str] = []
    token = _remarks.set(said)
    try:
        yield said
    finally:
        _remarks.reset(token)


def remark(sentence: str) -> None:
    """Say what a reader of this result has to know: how far it can be trusted."""
    if (said := _remarks.get()) is not None:
        said.append(sentence)
