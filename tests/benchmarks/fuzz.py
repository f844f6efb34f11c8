"""Do malformed uploads and links ever end in a traceback? `python -m tests.benchmarks.fuzz
[examples [seed]]`

Half of the examples are uploads, read under small and under hosted limits in turn, half are links.
Prints how they ended, the slowest, and by how much the process grew at its peak; wanted are no
failures, no file written, and time and memory within bounds.
"""

from __future__ import annotations

import resource
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable

from hypothesis import HealthCheck, given, seed, settings
from hypothesis.strategies import SearchStrategy

from core import spec
from core.data.imports.draft_preview import preview
from core.data.imports.file_limits import HOSTED
from core.data.imports.read_file import read
from core.experiments.kinds import KINDS
from core.types import UserError
from tests.tools.fuzzing import SMALL, assert_plain, assert_sound, links, uploads

SLOW, GROWN = 10.0, 500  # seconds for one example, megabytes for all of them


class Tally:
    """How the examples of one sort ended."""

    def __init__(self, sort: str):
        self.sort, self.ends, self.failures, self.slowest, self.turn = (
            sort,
            Counter(),
            {},
            (0.0, ""),
            0,
        )

    def watch(self, what: str, run: Callable[[], str]) -> None:
        """Run one example and note its end; failures are kept once for each place in which they
        arise.
        """
        started = time.perf_counter()
        try:
            self.ends[run()] += 1
        except Exception as error:
            self.ends["FAILED"] += 1
            self.failures.setdefault(
                f"{type(error).__name__} at {traceback.extract_tb(error.__traceback__)[-1]}",
                (what, error),
            )
        self.slowest = max(self.slowest, (time.perf_counter() - started, what))
        self.turn += 1

    def report(self) -> None:
        """One line, and the failures."""
        ends = ", ".join(f"{count:,} {end}" for end, count in self.ends.most_common())
        print(
            f"{self.sort}: {ends}; slowest {self.slowest[0]:.2f} s (wanted below {SLOW:.0f} s):"
            f" {self.slowest[1]}"
        )
        for place, (what, error) in self.failures.items():
            print(f"  {place}: {what}: {str(error)[:300]}")


def receive(tally: Tally, upload) -> None:
    """Read one upload as the app does."""
    limits = (SMALL, HOSTED)[tally.turn % 2]

    def run() -> str:
        try:
            draft = read(upload.data, upload.name, limits=limits, choices=upload.choices)
        except UserError as error:
            assert_plain(str(error))
            return "refused with a message"
        assert_sound(draft, limits)
        preview(draft)
        return (
            "read, with fatal faults"
            if draft.fatal
            else "read, with faults"
            if draft.faults
            else "read"
        )

    tally.watch(upload.how, run)


def follow(tally: Tally, link: tuple[str, dict[str, str]]) -> None:
    """Read one link as the app does."""
    kind, query = link

    def run() -> str:
        _, problems = KINDS[kind].from_query(query) if kind else spec.from_query(query)
        assert all(problems)
        return "read, with messages" if problems else "read"

    tally.watch(f"{kind} {query}"[:300], run)


def peak_megabytes() -> float:
    """The most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def fuzz(
    tally: Tally, drawn: SearchStrategy, handle: Callable, chosen: settings, start: int
) -> None:
    """Hand so many examples to handle(tally, example)."""

    @seed(start)
    @chosen
    @given(drawn)
    def each(example):
        handle(tally, example)

    each()
    tally.report()


def main(examples: int = 10_000, start: int = 0) -> None:
    """All of it."""
    chosen = settings(
        max_examples=examples // 2,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    before, received, followed = peak_megabytes(), Tally("uploads"), Tally("links")
    fuzz(received, uploads(), receive, chosen, start)
    fuzz(followed, links(), follow, chosen, start)
    failed, grown = received.ends["FAILED"] + followed.ends["FAILED"], peak_megabytes() - before
    print(
        f"{examples:,} examples, {failed:,} failures (wanted 0), peak memory grew by {grown:.0f} MB"
        f" (wanted at most {GROWN})"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
