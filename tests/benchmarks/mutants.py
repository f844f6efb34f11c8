"""Does a fault in core fail the tests of its own module?

    python -m tests.benchmarks.mutants --files core/agreement.py core/linalg/ties.py
        [--seed 1] [--count 100] [--out mutants.jsonl]

A mutant is a file with one small fault: a comparison, an operation, `and`/`or` or an axis swapped,
a number one off or doubled, a minus or a `not` removed, two arguments exchanged, a statement
dropped. The files take turns, each with its mutants in an order drawn by the seed and its name.
Each is written into a copy of the tree, never here, and meets the module's own tests:
`tests/<folder>/test_<name>.py` and what imports the module beside it; without such a file, all that
import it, but for the pages' and the browser's. They run in a fork that has the libraries loaded,
on one thread, up to the first failure, within four times what they take without a mutant and half a
minute. Every outcome is a line of JSON in `--out`; what stands there is not run again. What lives
is equivalent, or a test is missing.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import itertools
import json
import math
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from copy import copy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OTHERS = {"Lt": "LtE GtE", "LtE": "Lt Gt", "Gt": "GtE LtE", "GtE": "Gt Lt", "Eq": "NotEq"}
OTHERS |= {"NotEq": "Eq", "Is": "IsNot", "IsNot": "Is", "In": "NotIn", "NotIn": "In"}
OTHERS |= {"Add": "Sub", "Sub": "Add", "Mult": "Div", "Div": "Mult", "FloorDiv": "Mult"}
OTHERS |= {"Pow": "Mult", "Mod": "Mult", "BitAnd": "BitOr", "BitOr": "BitAnd"}
OTHERS |= {"And": "Or", "Or": "And"}
DROPPED = (ast.Raise, ast.AugAssign, ast.Continue, ast.Break)
LEFT_ALONE = ("annotation", "returns", "decorator_list")  # types, and the menus' texts


def changed(node: ast.AST, **fields: object) -> ast.AST:
    new = copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def swapped(values: list, i: int, *instead: object) -> list:
    return [*values[:i], *instead, *values[i + len(instead) :]]


def faults(node: ast.AST) -> Iterator[ast.AST]:
    """What the node may become."""
    if isinstance(node, ast.BinOp | ast.AugAssign | ast.BoolOp):
        for other in OTHERS.get(type(node.op).__name__, "").split():
            yield changed(node, op=getattr(ast, other)())
    elif isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            for other in OTHERS[type(op).__name__].split():
                yield changed(node, ops=swapped(node.ops, i, getattr(ast, other)()))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
        yield node.operand
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        for value in sorted({node.value + 1, node.value - 1, node.value * 2} - {node.value}):
            yield ast.Constant(value)
    elif isinstance(node, ast.keyword) and node.arg == "axis":
        yield changed(node, value=ast.Constant(int(ast.unparse(node.value) == "0")))
    elif isinstance(node, ast.Call) and not any(isinstance(a, ast.Starred) for a in node.args):
        for i, (a, b) in enumerate(itertools.pairwise(node.args)):
            yield changed(node, args=swapped(node.args, i, b, a))
    called = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    stored = isinstance(node, ast.Assign) and not isinstance(node.targets[0], ast.Name | ast.Tuple)
    if isinstance(node, DROPPED) or called or stored:
        yield ast.Pass()


def places(node: ast.AST) -> Iterator[tuple[ast.AST, list[ast.AST]]]:
    """Every node with its faults, messages and f-strings left alone."""
    if found := list(faults(node)):
        yield node, found
    axis = isinstance(node, ast.keyword) and node.arg == "axis"
    if not axis and not isinstance(node, ast.Raise | ast.JoinedStr):
        for name, below in ast.iter_fields(node):
            for child in below if isinstance(below, list) else [below]:
                if isinstance(child, ast.AST) and name not in LEFT_ALONE:
                    yield from places(child)


def mutants(file: str, seed: int) -> Iterator[tuple[str, bytes, str]]:
    """The file, what becomes of it, and of which line: a place is drawn, then a fault of it."""
    source = (ROOT / file).read_bytes()
    lines = source.splitlines(keepends=True)
    starts = [0, *itertools.accumulate(map(len, lines))]
    drawn, rng = list(places(ast.parse(source))), random.Random(f"{seed} {file}")
    rng.shuffle(drawn)
    for node, found in drawn:
        fault = rng.choice(found)
        text = ast.unparse(fault)
        if isinstance(fault, ast.Compare | ast.BinOp | ast.BoolOp | ast.UnaryOp):
            text = f"({text})"
        before = source[: starts[node.lineno - 1] + node.col_offset] + text.encode()
        after = source[starts[node.end_lineno - 1] + node.end_col_offset :]
        old = b"".join(lines[node.lineno - 1 : node.end_lineno])
        below = len(source) - starts[node.end_lineno]
        new = (before + after)[starts[node.lineno - 1] : len(before + after) - below]
        was, became = (" ".join(part.decode().split()) for part in (old, new))
        yield file, before + after, f"{file}:{node.lineno}: {was}  ->  {became}"


def own_tests(file: str) -> list[str]:
    path = Path(file).relative_to("core")
    own = Path("tests") / path.parent / f"test_{path.name}"
    package, name = ".".join(Path(file).parts[:-1]), path.stem
    imports = re.compile(rf"from {package} import [^\n]*\b{name}\b|{re.escape(package)}\.{name}\b")
    every = sorted((ROOT / "tests").rglob("test_*.py"))
    others = [str(p.relative_to(ROOT)) for p in every if imports.search(p.read_text())]
    if (ROOT / own).exists():
        beside = [p for p in others if Path(p).parent == own.parent != Path("tests")]
        return list(dict.fromkeys([str(own), *beside]))
    return [p for p in others if not p.startswith(("tests/pages", "tests/browser"))]


def met(tree: Path, tests: list[str], limit: float = math.inf) -> tuple[str, float, str]:
    """lived, killed or timed out; the seconds; the first failure."""
    started = time.monotonic()
    pid = os.fork()  # the libraries are loaded already
    if pid == 0:
        _run(tree, tests)
    ended, status = 0, 0
    while not ended and time.monotonic() - started < limit:
        time.sleep(0.1)
        ended, status = os.waitpid(pid, os.WNOHANG)
    with contextlib.suppress(ProcessLookupError):  # what the tests started ends too
        os.killpg(pid, signal.SIGKILL)
    if not ended:
        os.waitpid(pid, 0)
    printed = (tree.parent / "printed").read_text()
    by = "".join(re.findall(r"^(?:FAILED|ERROR) .*", printed, re.MULTILINE)[:1])[:160]
    how = "timed out" if not ended else "killed" if status else "lived"
    return how, round(time.monotonic() - started, 1), by


def _run(tree: Path, tests: list[str]) -> None:
    """In a process of its own: the tests on the tree's own modules."""
    os.setpgid(0, 0)
    os.chdir(tree)
    os.environ["TMPDIR"] = tempfile.tempdir = str(tree.parent)
    sys.path.remove(str(ROOT))
    for name in [n for n in sys.modules if n.partition(".")[0] in ("core", "pages", "tests")]:
        del sys.modules[name]
    printed = os.open(tree.parent / "printed", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    code = pytest.main(["-q", "-x", "-p", "no:cacheprovider", *tests])
    sys.stdout.flush()
    os._exit(code)


def outcomes(args: argparse.Namespace, tree: Path) -> Iterator[str]:
    """How each mutant ended, kept and printed as soon as it is known."""
    args.out.touch()
    known = {one["line"]: one for one in map(json.loads, args.out.read_text().splitlines())}
    unmutated: dict[str, float] = {}
    turns = itertools.zip_longest(*(mutants(file, args.seed) for file in args.files))
    drawn = filter(None, itertools.chain.from_iterable(turns))
    for file, source, line in itertools.islice(drawn, args.count):
        if line not in known:
            tests = own_tests(file)
            if file not in unmutated:
                ended, unmutated[file], by = met(tree, tests)
                if ended != "lived":
                    sys.exit(f"{file}: {tests} do not pass without a mutant: {by}")
            (tree / file).write_bytes(source)
            ended, seconds, by = met(tree, tests, 4 * unmutated[file] + 30)
            shutil.copy2(ROOT / file, tree / file)
            known[line] = {"line": line, "ended": ended, "seconds": seconds, "by": by}
            with args.out.open("a") as kept:
                print(json.dumps(known[line]), file=kept)
            print(f"{ended:9} {seconds:6.1f} s  {line}\n{'':20}{by}", flush=True)
        yield known[line]["ended"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", nargs="+", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "mutants.jsonl")
    args = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    for library in ("hypothesis", "pandas", "sklearn.linear_model", "torch"):
        importlib.import_module(library)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = Path(folder) / "tree"
        tree.mkdir()
        files = "git ls-files -z --cached --others --exclude-standard"
        subprocess.run(
            f"{files} | xargs -0 cp --parents -t {tree}", shell=True, cwd=ROOT, check=True
        )
        ends = Counter(outcomes(args, tree))
    print(", ".join(f"{count} {end}" for end, count in ends.items()))


if __name__ == "__main__":
    main()
