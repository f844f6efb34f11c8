"""How far must a reader walk to follow one score? `python -m tests.benchmarks.trace_score [root]`.

Counts, for one look-up of a score through the web process's door `pages.shared.cached.scores` and
one computation in the worker's `core.pipeline.scores`, which files of core/ and pages/ are entered,
how many of their functions, and how many calls lead from one file into another. "Cold" is the
first call in a fresh process that has imported everything; "warm" is the same call again. Wanted:
a cold look-up enters at most 14 files, a warm one at most 8.

root: another checkout to look at, by default this one; --files lists what was entered.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

HERE = Path(__file__).resolve()
PARTS = ("core/", "pages/")


class Walk:
    """Which functions were entered, and how often a call led from one file into another."""

    def __init__(self, root: Path):
        self.root = f"{root.resolve()}{os.sep}"
        self.functions: Counter[tuple[str, str, int]] = Counter()
        self.moves = 0

    def follow(self, task: Callable[[], Any]) -> Any:
        """Run the task and count what this thread enters."""
        sys.setprofile(self._event)
        try:
            return task()
        finally:
            sys.setprofile(None)

    @property
    def files(self) -> Counter[str]:
        """file -> how many of its functions were entered."""
        return Counter(file for file, *_ in self.functions)

    def _event(self, frame: FrameType, event: str, _argument: Any) -> None:
        if event != "call" or (file := self._file(frame)) is None:
            return
        self.functions[file, frame.f_code.co_qualname, frame.f_code.co_firstlineno] += 1
        caller = frame.f_back
        while caller is not None and self._file(caller) is None:
            caller = caller.f_back
        self.moves += caller is not None and self._file(caller) != file

    def _file(self, frame: FrameType) -> str | None:
        path = frame.f_code.co_filename
        if not path.startswith(self.root):
            return None
        short = path.removeprefix(self.root).replace(os.sep, "/")
        return short if short.startswith(PARTS) else None


def walks(root: Path) -> dict[str, Walk]:
    """The four walks, in this process, which must not have looked up anything before."""
    from core import pipeline
    from core.spec import Spec
    from pages.shared import cached

    bundled = Spec()
    small = Spec(dataset="digits")
    tasks = {
        "look-up, cold": lambda: cached.scores(bundled),
        "look-up, warm": lambda: cached.scores(bundled),
        "computation, cold": lambda: pipeline.scores(small),
        "computation, warm": lambda: pipeline.scores(small),
    }
    found = {}
    for name, task in tasks.items():
        found[name] = Walk(root)
        found[name].follow(task)
    return found


def report(root: Path, list_files: bool) -> None:
    """Print the table."""
    print(f"{'':20}{'files':>7}{'functions':>11}{'moves':>7}")
    found = walks(root)
    for name, walk in found.items():
        print(f"{name:20}{len(walk.files):7}{len(walk.functions):11}{walk.moves:7}")
    for name, walk in found.items() if list_files else ():
        print(f"\n{name}")
        for file, count in sorted(walk.files.items()):
            print(f"  {file:42}{count:4}")


def main() -> None:
    """Start a fresh process in the checkout's root, with an empty cache."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", nargs="?", type=Path, default=HERE.parents[2])
    parser.add_argument("--files", action="store_true")
    options = parser.parse_args()
    if os.environ.get("TRACE_SCORE") == "1":
        sys.path[0] = str(options.root)  # in place of this script's folder
        report(options.root, options.files)
        return
    with tempfile.TemporaryDirectory() as empty:
        own = {"TRACE_SCORE": "1", "LEVERAGE_LAB_CACHE": empty, "LEVERAGE_LAB_DATA": empty}
        command = [sys.executable, str(HERE), str(options.root)] + ["--files"] * options.files
        subprocess.run(command, cwd=options.root, env=os.environ | own, check=True)


if __name__ == "__main__":
    main()
