"""Which code made a result? A hash of it, so that changed code never meets an old result.

The hash covers a module and every module of core that it imports, directly or through others. The
rooms say what counts: those in CARRIERS move results about and do not change them; whatever else is
in core computes. Comments, docstrings, layout, the order of imports and the room in which an
imported module lies do not count either, so a file that moves to another room keeps its results. It
reads source text, so it imports nothing, and it is the same on every version of Python. Modules
from elsewhere (core/plugins/loading.py) count with the text that was loaded, whatever has become of
the file since.

Before the files of core had their rooms, full module names counted. What a user computed then is
computed anew, finished units of experiments too; results that come with the app are found whatever
the code's version (core/runtime/cache.py).
"""

from __future__ import annotations

import ast
import functools
import threading
from collections.abc import Iterator
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any

from core.runtime.folders import ROOT

# Data enter a key by their fingerprint, settings by their values, so these need not count.
CARRIERS = (
    *("core.types", "core.knobs", "core.strategy", "core.datasets", "core.data", "core.spec"),
    *("core.runtime", "core.hosting", "core.plugins", "core.exports", "core.charts"),
    "core.commands",
)
# What lies in these rooms and computes all the same.
COMPUTES = ("core.data.splits", "core.data.simulated")

_elsewhere: dict[str, str] = {}
# Python 3.11 counts the depth of a syntax tree per interpreter, not per thread: of two threads that
# parse at once, one can fail with a SystemError. The lock keeps our own apart; a library may parse
# in a thread of its own (torch does while it is imported), so a parse that failed is tried again.
_one_at_a_time = threading.Lock()
TRIES = 20


def remember(module: str, source: str) -> None:
    """The text of a module that is no file of core."""
    _elsewhere[module] = source
    _code_version.cache_clear()


def code_version(module: str) -> str:
    """16 hex digits for "core.strategies.leverage" and all that it computes with."""
    with _one_at_a_time:
        return _code_version(module)


@functools.cache
def _code_version(module: str) -> str:
    contents = sorted(repr(skeleton(tree)) for tree in _trees(module).values())
    return blake2b("\n".join(contents).encode(), digest_size=8).hexdigest()


def reached(module: str) -> set[str]:
    """The modules whose text counts for this one: itself, and what it computes with."""
    return set(_trees(module))


def _trees(module: str) -> dict[str, ast.Module]:
    """Those modules, each with its syntax tree."""
    found: dict[str, ast.Module] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found and counts(name) and is_there(name):
            found[name] = parsed(source(name))
            waiting += _imports(found[name])
    return found


def counts(module: str) -> bool:
    """Does a result depend on this module's text?"""
    return module != "core" and (_within(module, COMPUTES) or not _within(module, CARRIERS))


def is_there(module: str) -> bool:
    """Is this a module of core, or one that was remembered?"""
    return module in _elsewhere or _path(module).exists()


def source(module: str) -> str:
    """The module's text."""
    return _elsewhere[module] if module in _elsewhere else _path(module).read_text("utf-8")


def parsed(text: str) -> ast.Module:
    """The syntax tree of the text, whatever other threads parse at the same time."""
    for _ in range(TRIES - 1):
        with suppress(SystemError):
            return ast.parse(text)
    return ast.parse(text)


def skeleton(node: Any) -> Any:
    """Nested lists of what the code says: no comments, docstrings or layout.

    Imports of a body come first and in order. Not ast.dump, whose text changes with Python's
    version.
    """
    if isinstance(node, list):
        imports = [line for item in node if _is_import(item) for line in _imported(item)]
        return sorted(imports) + [skeleton(item) for item in node if not _is_import(item)]
    if not isinstance(node, ast.AST):
        return [type(node).__name__, repr(node)]
    fields = {
        name: value
        for name, value in ast.iter_fields(node)
        if value not in (None, []) and name != "kind"
    }
    if (
        isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and ast.get_docstring(node) is not None
    ):
        fields["body"] = fields["body"][1:]
    return [type(node).__name__, *([name, skeleton(value)] for name, value in fields.items())]


def _is_import(node: Any) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[list[str]]:
    """[what is imported, what it is called here], a line for each; of core without its rooms."""
    module = "." * getattr(node, "level", 0) + (getattr(node, "module", None) or "")
    for alias in node.names:
        name = f"{module}.{alias.name}" if isinstance(node, ast.ImportFrom) else alias.name
        if _within(name, ("core",)):
            attribute = isinstance(node, ast.ImportFrom) and not is_there(name)
            name = ".".join(name.split(".")[-1 - attribute :])
        yield ["import", name, alias.asname or ""]


def _imports(tree: ast.Module) -> list[str]:
    """Names of core that the text imports, wherever: x.y too for `from x import y`."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [name for name in names if _within(name, ("core",))]


def _within(module: str, rooms: tuple[str, ...]) -> bool:
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


def _path(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
