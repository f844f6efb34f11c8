"""Which code made a result? A hash of the modules that compute it, so that a change of code never
meets an old result.

The hash covers a module and every module of core that it imports, directly or through others,
except the plumbing below, which moves results about but does not change them. Comments, docstrings
and layout do not count. It reads source text, so it imports nothing, and it is the same on every
version of Python. Modules from elsewhere (core/plugins/loading.py) count with the text that was
loaded, whatever has become of the file since.
"""

from __future__ import annotations

import ast
import functools
import threading
from hashlib import blake2b
from pathlib import Path
from typing import Any

from core.runtime.folders import ROOT

PLUMBING = {
    "core",
    *(
        f"core.{name}"
        for name in (
            "types strategy spec cache jobs versions folders datasets own hosting catalogue".split()
        )
    ),
}


_elsewhere: dict[str, str] = {}


def remember(module: str, source: str) -> None:
    """The text of a module that is no file of core."""
    _elsewhere[module] = source
    _code_version.cache_clear()


def code_version(module: str) -> str:
    """16 hex digits for "core.strategies.leverage" and all that it computes with."""
    with _one_at_a_time:
        return _code_version(module)


# Python 3.11 counts the depth of a syntax tree per interpreter, not per thread: two threads parsing
# at once can fail.
_one_at_a_time = threading.Lock()


@functools.cache
def _code_version(module: str) -> str:
    digest = blake2b(digest_size=8)
    for name in sorted(_reached(module)):
        digest.update(repr((name, skeleton(ast.parse(_source(name))))).encode())
    return digest.hexdigest()


def skeleton(node: Any) -> Any:
    """Nested lists of what the code says: no comments, docstrings or layout.

    Not ast.dump, whose text changes with Python's version.
    """
    if isinstance(node, list):
        return [skeleton(item) for item in node]
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


def _reached(module: str) -> set[str]:
    found = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if (
            name not in found
            and name not in PLUMBING
            and (name in _elsewhere or _path(name).exists())
        ):
            found.add(name)
            waiting += _imports(_source(name))
    return found


def _imports(source: str) -> list[str]:
    """core.x for `import core.x`, `from core.x import y` and `from core import x`, wherever they
    stand.
    """
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [name for name in names if name.split(".")[0] == "core"]


def _path(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _source(module: str) -> str:
    return _elsewhere[module] if module in _elsewhere else _path(module).read_text("utf-8")
