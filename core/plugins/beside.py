"""Modules that lie beside an own file: `import my_helper` in my_scorer.py finds my_helper.py there.

    helpers = Helpers(module, path, source)   reads what the file imports from its folder
    with helpers.importable(): ...            until it fails, they can be imported

As for a script that Python runs, the file's folder comes before what is installed; only Python's
own library and `core` come first. What is read is what the text names, in functions too, directly
or through other helpers; a folder is a package. Every own file has its helpers to itself: they are
modules `<module>.beside.<name>`, so that two files' helpers of one name never mix. All are read at
once, so the text that runs is the text that counts (core/runtime/code_version.py), whatever becomes
of the files.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.runtime import code_version
from core.types import UserError

FIRST = {*sys.stdlib_module_names, "core"}  # never looked for beside a file


@dataclass(frozen=True)
class Helper:
    """A module as it was read. package: may it hold others? imports: names, as the file says
    them.
    """

    path: Path
    source: str
    package: bool
    imports: tuple[str, ...]


class Helpers:
    """What one own file imports from its folder, by the names it has there."""

    def __init__(self, module: str, path: Path, source: str):
        self.module = module
        self.home = f"{module}.beside"
        self.path = path
        self.imports = self._named_in(source, "")
        self.found: dict[str, Helper] = {}
        waiting = list(self.imports)
        while waiting:
            name = waiting.pop()
            if name not in self.found and (helper := self._read(name)):
                self.found[name] = helper
                waiting += helper.imports

    @property
    def files(self) -> dict[str, str]:
        """The name that a message calls each file by, the own file's too."""
        helpers = [helper.path for helper in self.found.values()]
        named = {str(path): path.relative_to(self.path.parent).as_posix() for path in helpers}
        return named | {str(self.path): self.path.name}

    @contextmanager
    def importable(self, own: types.ModuleType) -> Iterator[None]:
        """The own module, and all that it runs, can import them; if it fails they are forgotten."""
        home = types.ModuleType(self.home)
        home.__path__ = []
        sys.modules[self.home] = home
        own.__package__ = self.home
        own.__dict__["__builtins__"] = self.builtins()
        _finder.known[self.home] = self
        if _finder not in sys.meta_path:
            sys.meta_path.insert(0, _finder)
        try:
            yield
        except BaseException:
            del _finder.known[self.home]
            for name in [name for name in sys.modules if _within(name, self.home)]:
                del sys.modules[name]
            raise

    def remember(self, source: str) -> None:
        """Let the own file's text and its helpers' count for what they compute."""
        for name, helper in self.found.items():
            beside = self._modules(helper.imports)
            code_version.remember(f"{self.home}.{name}", helper.source, beside)
        code_version.remember(self.module, source, self._modules(self.imports))

    def builtins(self) -> dict[str, Any]:
        """Python's, with an import that looks among the helpers first."""
        return {**vars(builtins), "__import__": self._import}

    def _import(
        self, name: str, globals=None, locals=None, fromlist=(), level: int = 0
    ) -> types.ModuleType:
        top = name.partition(".")[0]
        if (
            level == 0
            and name == self.path.stem
            and _within((globals or {})["__name__"], self.home)
        ):
            return sys.modules[self.module]  # a helper that needs the file it helps
        if level or top not in self.found:
            return builtins.__import__(name, globals, locals, fromlist, level)
        module = importlib.import_module(f"{self.home}.{name}")
        for part in fromlist or ():
            if f"{name}.{part}" in self.found and not hasattr(module, part):
                importlib.import_module(f"{self.home}.{name}.{part}")
        return module if fromlist else sys.modules[f"{self.home}.{top}"]

    def _modules(self, names: tuple[str, ...]) -> list[str]:
        return [f"{self.home}.{name}" for name in names if name in self.found]

    def _named_in(self, source: str, package: str) -> tuple[str, ...]:
        """Every name that the text imports and may lie in the folder, with the packages it is in.

        package: the one that the text's relative imports start from, "" for the folder.
        """
        names: set[str] = set()
        with suppress(SyntaxError, ValueError):  # told when it is run
            for node in ast.walk(code_version.parsed(source)):
                if isinstance(node, ast.Import):
                    names |= {alias.name for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    base = _absolute(node, package)
                    names |= {base, *(f"{base}.{alias.name}".strip(".") for alias in node.names)}
        parts = [name.split(".") for name in names - {""}]
        whole = {".".join(part[: i + 1]) for part in parts for i in range(len(part))}
        return tuple(sorted(n for n in whole if n.partition(".")[0] not in self._not_here()))

    def _not_here(self) -> set[str]:
        return FIRST | {self.path.stem}

    def _read(self, name: str) -> Helper | None:
        base = self.path.parent.joinpath(*name.split("."))
        if not all(part.isidentifier() for part in name.split(".")):
            return None
        for path, package in ((base / "__init__.py", True), (base.with_suffix(".py"), False)):
            if path.is_file():
                source = read_text(path)
                within = name if package else name.rpartition(".")[0]
                return Helper(path, source, package, self._named_in(source, within))
        # A folder without __init__.py is a package too, with nothing in it but its modules.
        bare = base.is_dir() and any(base.glob("*.py"))
        return Helper(base, "", True, ()) if bare else None


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds and runs helpers, as Python finds and runs files."""

    def __init__(self):
        self.known: dict[str, Helpers] = {}

    def find_spec(self, fullname, path=None, target=None):
        helpers, name = self._asked(fullname)
        if helpers is None or name not in helpers.found:
            return None
        helper = helpers.found[name]
        return importlib.machinery.ModuleSpec(
            fullname, self, origin=str(helper.path), is_package=helper.package
        )

    def exec_module(self, module: types.ModuleType) -> None:
        helpers, name = self._asked(module.__name__)
        assert helpers is not None  # its spec was found
        helper = helpers.found[name]
        module.__file__ = str(helper.path)
        module.__dict__["__builtins__"] = helpers.builtins()
        exec(compile(helper.source, str(helper.path), "exec"), module.__dict__)

    def _asked(self, fullname: str) -> tuple[Helpers | None, str]:
        home, found, name = fullname.partition(".beside.")
        return self.known.get(f"{home}.beside") if found else None, name


_finder = _Finder()


def read_text(path: Path) -> str:
    """The text of a Python file; a UserError if it is none."""
    try:
        return importlib.util.decode_source(path.read_bytes())
    except OSError as error:
        raise UserError(
            f"{path.name}: could not be read ({error.strerror})."
            " Correct LEVERAGE_LAB_PLUGINS, or put the file there."
        ) from None
    except (SyntaxError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path.name}: found no text that can be read ({error}), expected Python."
            " Save it as UTF-8."
        ) from None


def _absolute(node: ast.ImportFrom, package: str) -> str:
    """The module of `from x import y` as seen from the folder; "" for the folder itself."""
    if not node.level:
        return node.module or ""
    kept = package.split(".")[: len(package.split(".")) - (node.level - 1)] if package else []
    return ".".join([*kept, *([node.module] if node.module else [])]).strip(".")


def _within(name: str, home: str) -> bool:
    return name == home or name.startswith(f"{home}.")
