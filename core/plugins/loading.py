"""Own strategies and embeddings, without touching the app: files that register functions as
core/strategies and core/embeddings.py do.

    LEVERAGE_LAB_PLUGINS=my_scorer.py streamlit run app.py

Several files are separated as in PATH (: or ;). They are read once, after the app's own, when the
strategies are first asked for; workers on this machine inherit the variable. A file may import
modules that lie beside it (core/plugins/beside.py). One that cannot be used costs nothing but
itself: nothing of it stays registered, and what is wrong stands in `problems()`. It may not take a
name or a label that there is. Results are kept under a hash of the file as it was read, of the
modules beside it and of what they import from core: an edited file never meets an old result. What
else it imports is not looked into. On a hosted app no file is read.
"""

from __future__ import annotations

import functools
import logging
import os
import re
import sys
import threading
import types
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import core.strategies  # noqa: F401  the app's own come first
from core import embeddings, strategy
from core.embeddings import Embedder
from core.hosting import policy
from core.plugins.beside import Helpers, read_text
from core.runtime.progress import Cancelled
from core.strategy import OWN, Strategy
from core.types import Dataset, Floats, UserError, check_matrix

log = logging.getLogger(__name__)
VARIABLE = "LEVERAGE_LAB_PLUGINS"
NOT_HERE = (
    "Own strategies: this app is hosted, so none are loaded."
    " Run it on a machine of your own to use them."
)


Entry = Strategy | Embedder


class Crashed(UserError):
    """An own strategy or embedding stopped with an exception, whose line the message names, or
    what it returned is no embedding.
    """


class _Loaded:
    """What this process has read: what each file registered, and what is wrong with others."""

    def __init__(self):
        self.lock = threading.RLock()
        self.asked = False
        self.entries: dict[Path, list[Entry]] = {}
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


def load_file(path: str | Path) -> list[Entry]:
    """The strategies and the embeddings that this file registers, read once.

    A UserError, and nothing registered, if it cannot be used.
    """
    load()
    path = Path(str(path).strip()).expanduser().resolve()
    with _loaded.lock:
        if path not in _loaded.entries:
            with strategy.all_or_nothing() as strategies, embeddings.all_or_nothing() as embedders:
                _loaded.entries[path] = _register(path, strategies, embedders)
        return list(_loaded.entries[path])


def _register(
    path: Path, strategies: Mapping[str, Strategy], embedders: Mapping[str, Embedder]
) -> list[Entry]:
    source = _read(path)
    module = types.ModuleType(f"{OWN}{re.sub(r'[^0-9A-Za-z]', '_', path.stem)}")
    if module.__name__ in sys.modules:
        raise UserError(
            f"{path.name}: another file of this name has been loaded. Rename one of them."
        )
    module.__file__ = str(path)
    helpers = Helpers(module.__name__, path, source)
    sys.modules[module.__name__] = module  # dataclasses and annotations look their module up
    try:
        with helpers.importable(module):
            exec(compile(source, str(path), "exec"), module.__dict__)
            found = _new(path, module.__name__, strategies, embedders)
    except UserError:
        del sys.modules[module.__name__]
        raise
    except (Exception, SystemExit) as error:
        del sys.modules[module.__name__]
        said = _said(error).replace(f"{helpers.home}.", "")
        raise UserError(f"{_place(helpers, error)}: {said}") from error
    helpers.remember(source)
    return [_put(entry, helpers) for entry in found]


def _read(path: Path) -> str:
    if path.is_dir() or path.suffix != ".py":
        raise UserError(
            f"{path.name}: found {'a folder' if path.is_dir() else 'no .py file'}, expected a"
            " Python file. Name the file itself."
        )
    return read_text(path)


def _new(
    path: Path,
    module: str,
    strategies: Mapping[str, Strategy],
    embedders: Mapping[str, Embedder],
) -> list[Entry]:
    """What was registered since, strategies first.

    A UserError for nothing, for what comes from elsewhere, and for a label that is taken.
    """
    found: list[Entry] = [
        *(e for name, e in strategy.registered().items() if strategies.get(name) is not e),
        *(e for name, e in embeddings.registered().items() if embedders.get(name) is not e),
    ]
    if not found:
        raise UserError(
            f"{path.name}:"
            " found no strategy, expected a function under @scorer or @selector from core.strategy,"
            " or under @embedder from core.embeddings."
        )
    for entry in found:
        taken = embedders if isinstance(entry, Embedder) else strategies
        if reason := _unfit(entry, module, [*taken.values(), *found]):
            raise UserError(f"{path.name}: {reason}.")
        others = strategy.registered() if isinstance(entry, Embedder) else {}
        if entry.name in others:
            raise UserError(
                f"{path.name}: {entry.name} is a strategy and an embedding. Rename one of them:"
                " on the command line they are told apart by their names."
            )
    return found


def _unfit(entry: Entry, module: str, beside: list[Entry]) -> str | None:
    """Why this entry cannot stand beside those that there are."""
    home = entry.function.__module__
    if home != module and not home.startswith(f"{module}."):
        return f"{entry.name} comes from {home}, expected a function of the file itself"
    for other in beside:
        alike = other.label == entry.label and isinstance(other, Embedder) == isinstance(
            entry, Embedder
        )
        if alike and other is not entry:
            return (
                f"the label {entry.label!r} belongs to {other.name}. Call {entry.name} something"
                " else"
            )
    if isinstance(entry, Embedder):
        families = {e.family for e in embeddings.registered().values() if not e.own} | {"joined"}
        if entry.family not in families:
            return (
                f"{entry.name}: found the family {entry.family!r}, expected one of"
                f" {', '.join(sorted(families))}, whose colours the pages know. Leave it out"
            )
        if entry.objective is not None:
            return (
                f"{entry.name}: found an objective, which only the app's own networks have. Leave"
                " it out"
            )
    return None


def _put(entry: Entry, helpers: Helpers) -> Entry:
    """The entry, registered with a function whose exceptions say where they arose."""
    function = _guarded(entry.function, helpers)
    if isinstance(entry, Embedder):
        found: Entry = replace(entry, function=_checked(function, entry))
        embeddings.put(found)
    else:
        found = replace(entry, function=function)
        strategy.put(found)
    return found


def _guarded(function: Callable, helpers: Helpers) -> Callable:
    """The function, whose exceptions say in which line of the file they arose."""

    @functools.wraps(function)
    def guarded(*arguments: Any, **knobs: Any) -> Any:
        try:
            return function(*arguments, **knobs)
        except (UserError, Cancelled):
            raise
        except Exception as error:
            raise Crashed(
                f"{_place(helpers, error)}: {type(error).__name__}: {error}. Mend that line."
            ) from error

    return guarded


def _checked(function: Callable, entry: Embedder) -> Callable:
    """The embedding's function, whose result is finite float32 (n, d), or a UserError."""

    @functools.wraps(function)
    def checked(dataset: Dataset, **settings: Any) -> Floats:
        found = function(dataset, **settings)
        try:
            matrix = check_matrix(found, entry.label)
            with np.errstate(over="ignore"):
                matrix = check_matrix(np.array(matrix, np.float32, order="C"), entry.label)
        except (UserError, ValueError, TypeError) as error:
            raise Crashed(f"{error} {entry.name} must return finite numbers (n, d).") from None
        if len(matrix) != len(dataset) or matrix.shape[1] == 0:
            raise Crashed(
                f"{entry.label}: found shape {matrix.shape} for {len(dataset):,} points, expected"
                " one row a point and at least one column."
            )
        return matrix

    return checked


def _said(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"found a syntax error ({error.msg}), expected Python. Mend that line."
    if isinstance(error, ImportError):
        return (
            f"found an import that fails ({str(error).replace(f' ({error.path})', '')}). Install"
            " what it names, put it beside the file, or correct it."
        )
    if isinstance(error, strategy.Refused):
        return f"{error}."
    return (
        f"found {type(error).__name__}: {error}, expected a file that runs to its end."
        " Mend that line."
    )


def _place(helpers: Helpers, error: BaseException) -> str:
    """The innermost line of the own file, or of a module beside it, that led to the error."""
    names = helpers.files
    places = []
    traceback = error.__traceback__
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if file in names:
            places.append(f"{names[file]}, line {traceback.tb_lineno}")
        traceback = traceback.tb_next
    if isinstance(error, SyntaxError) and error.filename in names and error.lineno:
        places.append(f"{names[error.filename]}, line {error.lineno}")
    return places[-1] if places else helpers.path.name
