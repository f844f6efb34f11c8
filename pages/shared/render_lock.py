"""On a host pages are drawn one after the other: a hundred visitors who all have a small part of
Python's one lock wait long together.

    take_turns()              once, when the host's server starts
    with aside(): ...         inside, others may have their turn: while a worker answers, or a large
                              file is read

Measured with 100 sessions that act every three seconds: 95 of 100 light reruns took 0.9 s side by
side, 0.3 s one after the other. At home nothing of this happens. Streamlit has no public place for
it; its version is pinned in requirements.txt.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from streamlit.runtime.scriptrunner import script_runner

_turn = threading.Lock()
_mine = threading.local()


def take_turns() -> None:
    """From now on every run of a page waits for its turn."""
    run = script_runner.exec_func_with_error_handling
    if getattr(run, "in_turn", False):
        return

    def in_turn(function: Callable, context: Any) -> Any:
        with _turn:
            _mine.held = True
            try:
                return run(function, context)
            finally:
                _mine.held = False

    in_turn.in_turn = True  # type: ignore[attr-defined]
    script_runner.exec_func_with_error_handling = in_turn


@contextmanager
def aside() -> Iterator[None]:
    """Whoever waits for something else than the processor lets the others draw."""
    if not getattr(_mine, "held", False):
        yield
        return
    _mine.held = False
    _turn.release()
    try:
        yield
    finally:
        _turn.acquire()
        _mine.held = True
