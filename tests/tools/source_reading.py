"""How the architecture tests read code: files as text, and questions to their syntax trees.

Files are {path from the repository's root: text}, so that a rule reads a made-up house exactly as
it reads the real one.
"""

import ast
import functools
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
IMPORTERS = (
    "lazy_loader.load",
    "lazy.load",
    "importlib.import_module",
    "import_module",
    "__import__",
)
OPENERS = ("open", "memmap", "open_memmap")
SAVERS = (
    "save",
    "savez",
    "savez_compressed",
    "savetxt",
    "save_file",
    "to_parquet",
    "to_csv",
    "write_table",
    "tofile",
)
TARGETS = ("path", "path_or_buf", "file", "fname", "filename", "where")
IN_MEMORY = ("buffer", "None")

Files = dict[str, str]


class Import(NamedTuple):
    """One import. eager: it runs as soon as its file is imported."""

    place: str
    name: str
    eager: bool


# Every rule reads the same files, and none writes to a tree.
parsed = functools.cache(ast.parse)


def code() -> Files:
    """The app's own Python files."""
    found = [
        ROOT / "app.py",
        *sorted((ROOT / "core").rglob("*.py")),
        *sorted((ROOT / "pages").rglob("*.py")),
    ]
    return {
        file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8")
        for file in found
        if file.exists()
    }


def tree() -> Files:
    """Every file that git keeps or would keep; empty where the content is not text."""
    contents = {file.relative_to(ROOT).as_posix(): file.read_bytes() for file in tracked()}
    return {
        path: "" if b"\0" in data else data.decode(errors="replace")
        for path, data in contents.items()
    }


def tracked() -> list[Path]:
    """The files that git keeps, and the new ones that it does not ignore."""
    command = [
        "git",
        "-c",
        "safe.directory=*",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    names = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def nodes(files: Files, *kinds: type[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    """(path, node) of every syntax node of these kinds."""
    for path, text in files.items():
        yield from ((path, node) for node in ast.walk(parsed(text)) if isinstance(node, kinds))


def imports(files: Files) -> Iterator[tuple[str, Import]]:
    """(path, import) of every import, however it is written, but for those under TYPE_CHECKING.

    Imports inside functions are not eager. Lazy proxies are: the first look at a call stack
    (inspect.stack) loads them.
    """
    for path, text in files.items():
        yield from ((path, found) for found in _imports(path, text))


@functools.cache
def _imports(path: str, text: str) -> tuple[Import, ...]:
    tree = parsed(text)
    inside = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, FUNCTIONS)
        for inner in ast.walk(node)
    }
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        for part in _typing_part(node)
        for inner in ast.walk(part)
    }
    return tuple(
        Import(f"{path}:{node.lineno}", name, eager=id(node) not in inside)
        for node in ast.walk(tree)
        if id(node) not in typing_only
        for name in _names(node, path)
    )


def within(name: str, roots: Iterable[str]) -> bool:
    """Is this dotted name one of the roots, or inside one?"""
    return any(name == root or name.startswith(f"{root}.") for root in roots)


def module_name(path: str) -> str:
    """core/strategies/__init__.py is core.strategies."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def import_graph(files: Files) -> dict[str, set[str]]:
    """Which of these modules each of them imports, at once or inside a function."""
    graph: dict[str, set[str]] = {module_name(path): set() for path in files}
    for path, found in imports(files):
        target = max(
            (module for module in graph if within(found.name, (module,))), key=len, default=None
        )
        if target not in (None, module_name(path)):
            graph[module_name(path)].add(target)
    return graph


def bodies(files: Files) -> list[tuple[str, int]]:
    """(where, lines) of each function's body, its docstring left out."""
    found = []
    for path, node in nodes(files, *FUNCTIONS):
        body = node.body[1:] if ast.get_docstring(node) else node.body
        lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
        found.append((f"{path}:{node.lineno} {node.name}", lines))
    return found


def writes(call: ast.Call) -> bool:
    """Does this call write to disk?

    Judged by its name, its mode, and whether its target is called `buffer`.
    """
    name = ast.unparse(call.func).split(".")[-1]
    if name in OPENERS:
        return any(
            _is_writing_mode(value)
            for value in (*call.args, *(keyword.value for keyword in call.keywords))
        )
    if name in ("replace", "rename"):  # a string's replace takes two arguments, a path's one
        method_of_one = (
            isinstance(call.func, ast.Attribute) and len(call.args) == 1 and not call.keywords
        )
        return ast.unparse(call.func).startswith("os.") or method_of_one
    if name in SAVERS:
        targets = call.args[name == "write_table" :][:1] or [
            keyword.value for keyword in call.keywords if keyword.arg in TARGETS
        ]
        return any(ast.unparse(target) not in IN_MEMORY for target in targets)
    return name in ("write_text", "write_bytes", "mkstemp", "NamedTemporaryFile")


def _is_writing_mode(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and bool(
        re.fullmatch(r"[rbt]{0,2}[wxa+][bt+]{0,2}", str(value.value))
    )


def _typing_part(node: ast.AST) -> list[ast.stmt]:
    return (
        node.body if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) else []
    )


def _names(node: ast.AST, path: str) -> Iterator[str]:
    """The dotted names that one syntax node imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        folders = path.split("/")
        base = folders[: len(folders) - node.level] if node.level else []
        yield from (
            ".".join(filter(None, [*base, node.module, alias.name])) for alias in node.names
        )
    elif isinstance(node, ast.Call) and ast.unparse(node.func) in IMPORTERS:
        yield from (str(name.value) for name in node.args[:1] if isinstance(name, ast.Constant))
