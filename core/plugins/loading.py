"""Own strategies, without touching the app: files that register functions as core/strategies do.

    LEVERAGE_LAB_PLUGINS=my_scorer.py streamlit run app.py

Several files are separated as in PATH (: or ;). They are read once, after the app's own, when the
strategies are first asked for; workers on this machine inherit the variable. A file that cannot be
used costs nothing but itself: what is wrong stands in `problems()`. It may not take a name or a
label that there is. Results are kept under a hash of the file as it was read and of what it imports
from core: an edited file never meets an old result. What else it imports is not looked into. On a
hosted app no file is read.
"""

from __future__ import annotations

import functools
import importlib.util
import logging
import os
import re
import sys
import threading
import types
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import core.strategies  # noqa: F401  the app's own come first
from core import strategy
from core.hosting import policy
from core.runtime import code_version
from core.runtime.progress import Cancelled
from core.strategy import OWN, Strategy
from core.types import UserError

log = logging.getLogger(__name__)
VARIABLE = "LEVERAGE_LAB_PLUGINS"
NOT_HERE = (
    "Own strategies: this app is hosted, so none are loaded."
    " Run it on a machine of your own to use them."
)


class Crashed(UserError):
    """An own strategy stopped with an exception. The message names the line."""


class _Loaded:
    """What this process has read: the strategies' names by file, and what is wrong with others."""

    def __init__(self):
        self.lock = threading.RLock()
        self.asked = False
        self.names: dict[Path, list[str]] = {}
        self.problems: list[str] = []


_loaded = _Loaded()


def load() -> None:
    """Read the files that the variable names, unless that has been done."""
    with _loaded.lock:
        if _loaded.asked:
            return
        _loaded.asked = True
        named = [name for name in os.environ.get(VARIABLE, "").split(os.pathsep) if name.strip()]
        if named and policy.hosted():
            _loaded.problems = [NOT_HERE]
            named = []
        for name in named:
            try:
                load_file(name)
            except UserError as error:
                _loaded.problems.append(str(error))
        for problem in _loaded.problems:
            log.warning(problem)


def problems() -> list[str]:
    """One sentence for each file that could not be used.

    What was found, what was expected, how to mend it.
    """
    load()
    return list(_loaded.problems)


def load_file(path: str | Path) -> list[Strategy]:
    """The strategies that this file registers, read once.

    A UserError, and nothing registered, if it cannot be used.
    """
    load()
    path = Path(str(path).strip()).expanduser().resolve()
    with _loaded.lock:
        if path not in _loaded.names:
            with strategy.all_or_nothing() as before:
                _loaded.names[path] = _register(path, before)
        return [strategy.find(name) for name in _loaded.names[path]]


def _register(path: Path, before: dict[str, Strategy]) -> list[str]:
    source = _read(path)
    module = types.ModuleType(f"{OWN}{re.sub(r'[^0-9A-Za-z]', '_', path.stem)}")
    if module.__name__ in sys.modules:
        raise UserError(
            f"{path.name}: another file of this name has been loaded. Rename one of them."
        )
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses and annotations look their module up
    try:
        exec(compile(source, str(path), "exec"), module.__dict__)
        found = _new(path, module.__name__, before)
    except UserError:
        del sys.modules[module.__name__]
        raise
    except (Exception, SystemExit) as error:
        del sys.modules[module.__name__]
        raise UserError(f"{_place(path, error)}: {_said(error)}") from error
    for entry in found:
        strategy.put(replace(entry, function=_guarded(entry.function, path)))
    code_version.remember(module.__name__, source)
    return [entry.name for entry in found]


def _read(path: Path) -> str:
    if path.is_dir() or path.suffix != ".py":
        raise UserError(
            f"{path.name}: found {'a folder' if path.is_dir() else 'no .py file'}, expected a"
            " Python file. Name the file itself."
        )
    try:
        return importlib.util.decode_source(path.read_bytes())
    except OSError as error:
        raise UserError(
            f"{path.name}: could not be read ({error.strerror})."
            f" Correct {VARIABLE}, or put the file there."
        ) from None
    except (SyntaxError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path.name}: found no text that can be read ({error}), expected Python."
            " Save it as UTF-8."
        ) from None


def _new(path: Path, module: str, before: dict[str, Strategy]) -> list[Strategy]:
    """What was registered since.

    A UserError for nothing, for what comes from elsewhere, and for a label that is taken.
    """
    found = [
        entry for name, entry in strategy.registered().items() if before.get(name) is not entry
    ]
    if not found:
        raise UserError(
            f"{path.name}:"
            " found no strategy, expected a function under @scorer or @selector from core.strategy."
        )
    labels = {entry.label: entry.name for entry in before.values()}
    for entry in found:
        if entry.function.__module__ != module:
            raise UserError(
                f"{path.name}: {entry.name} comes from {entry.function.__module__}, expected a"
                " function of the file itself."
            )
        if entry.label in labels:
            raise UserError(
                f"{path.name}: the label {entry.label!r} belongs to {labels[entry.label]}. Call"
                f" {entry.name} something else."
            )
        labels[entry.label] = entry.name
    return found


def _guarded(function: Callable, path: Path) -> Callable:
    """The function, whose exceptions say in which line of the file they arose."""

    @functools.wraps(function)
    def guarded(*arguments: Any, **knobs: Any) -> Any:
        try:
            return function(*arguments, **knobs)
        except (UserError, Cancelled):
            raise
        except Exception as error:
            raise Crashed(
                f"{_place(path, error)}: {type(error).__name__}: {error}. Mend that line."
            ) from error

    return guarded


def _said(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"found a syntax error ({error.msg}), expected Python. Mend that line."
    if isinstance(error, ImportError):
        return f"found an import that fails ({error}). Install what it names, or correct it."
    if isinstance(error, strategy.Refused):
        return f"{error}."
    return (
        f"found {type(error).__name__}: {error}, expected a file that runs to its end."
        " Mend that line."
    )


def _place(path: Path, error: BaseException) -> str:
    """The file's name and the innermost line of it that led to the error."""
    lines = []
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == str(path):
            lines.append(traceback.tb_lineno)
        traceback = traceback.tb_next
    if isinstance(error, SyntaxError) and error.filename == str(path) and error.lineno:
        lines.append(error.lineno)
    return f"{path.name}, line {lines[-1]}" if lines else path.name
