"""Can a hundred visitors use the hosted demo at once? One run, printed: `python -m
tests.benchmarks.hosted_load [minutes] [sessions]`.

Starts the server by the image's own command with an empty cache, and opens that many websocket
sessions. Each arrives on a page, acts about every three seconds (another picture, another colour,
the next chapter, another bundled result; now and then a click on a point), and now and then goes on
to another page. One more session starts an experiment of small trainings, watches it, and starts
the next when it ends. A light rerun is timed as it is felt: from sending the click to the end of
the script, queues included. Opening a point asks the worker, and is counted apart. Wanted: no
error; 95 of 100 light reruns within 300 ms; the web process grows by at most 100 MB after its first
visitors. Run it on a quiet machine.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from websockets.exceptions import ConnectionClosed

from pages.parts.lesson.chapters import SLUGS
from tests.benchmarks.sessions import Visitor, visit
from tests.tools import hosted_server

MINUTES, SESSIONS, PAUSE, ARRIVE, STAY = 10.0, 100, 3.0, 15.0, 12
WANTED_SECONDS, WANTED_MB = 0.3, 100
BUNDLED = (
    "Raw pixels",
    "Untrained network",
    "Network trained to regress",
    "Network trained to classify",
)
# Page -> what is changed there: a widget and the choices that need no worker (None: all that it
# offers), or buttons that begin so.
ACTS: dict[str, list[tuple[str, tuple[str, ...] | None]]] = {
    "explore": [
        ("Show", None),
        ("Embedding", BUNDLED),
        ("Shown", ("60", "120", "240")),
        ("Percentile", None),
        ("Classes", None),
    ],
    "agreement": [("Measure", ("Kendall τ", "Weighted τ", "Spearman ρ")), ("Order", None)],
    "map": [("Colour by", None), ("Embedding", BUNDLED)],
    "lesson": [("Next: ", None), ("Show without", None), ("Start again", None)],
    "retrain": [("Show", None)],
    "active": [("Show", ("Learning curves", "Who beats whom", "Errors"))],
    "trim": [("Show", ("By points removed", "Difference", "By class"))],
}
WEIGHTS = {
    "explore": 30,
    "lesson": 25,
    "agreement": 12,
    "map": 12,
    "retrain": 12,
    "active": 5,
    "trim": 4,
}
SWEEP = (
    "dataset=digits&network=mlp&budgets=500+1000&candidates=top%3Araw+bottom%3Araw+random&seeds=20"
)
CLICKS = 0.05  # of the actions on Explore


@dataclass
class Measured:
    """Seconds of arrivals, of light reruns, of points opened; bytes per session; what went wrong;
    experiments that ended.
    """

    arrivals: list[float] = field(default_factory=list)
    light: list[float] = field(default_factory=list)
    points: list[float] = field(default_factory=list)
    received: list[int] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    experiments: int = 0


async def act(visitor: Visitor, page: str, rng: random.Random, measured: Measured) -> None:
    """One action of a visitor on the page they are on."""
    if page == "explore" and visitor.gallery and rng.random() < CLICKS:
        measured.points.append(await visitor.click(rng.randrange(20)))
        return
    offered = [
        (widget, choices)
        for name, choices in ACTS[page]
        for widget in visitor.widgets
        if widget.startswith(name)
    ]
    label, choices = rng.choice(offered)
    if hasattr(visitor.widgets[label], "options"):
        measured.light.append(
            await visitor.choose(label, rng.choice(list(choices or visitor.options(label))))
        )
    else:
        measured.light.append(await visitor.press(label))


async def stay(url: str, measured: Measured, seed: int, end: float) -> None:
    """One visitor until the end: page after page, each in a session of its own, as a browser that
    is loaded anew.
    """
    rng = random.Random(seed)
    await asyncio.sleep(rng.uniform(0, ARRIVE))
    while time.monotonic() < end:
        (page,) = rng.choices(list(WEIGHTS), WEIGHTS.values())
        try:
            async with visit(
                url, page, f"chapter={rng.choice(SLUGS)}" if page == "lesson" else ""
            ) as visitor:
                measured.arrivals.append(await visitor.run())
                for _ in range(rng.randint(2, 2 * STAY)):
                    await asyncio.sleep(rng.uniform(0.5 * PAUSE, 1.5 * PAUSE))
                    if time.monotonic() > end:
                        break
                    await act(visitor, page, rng, measured)
                measured.received.append(visitor.bytes)
        except Exception as error:
            measured.errors.append(f"{page}: {error!r}")
            await asyncio.sleep(PAUSE)


async def experiment(url: str, measured: Measured, end: float) -> None:
    """One who starts an experiment, watches it as the page does, and starts a longer one when it
    has ended.
    """
    epochs = 60
    while time.monotonic() < end:
        try:
            async with visit(url, "retrain", f"{SWEEP}&epochs={epochs}") as visitor:
                await visitor.run()
                while {"Start", "Go on", "Stop"} & set(visitor.widgets) and time.monotonic() < end:
                    await _watch(visitor)
                measured.experiments += 1
                epochs += 10
        except Exception as error:
            measured.errors.append(f"experiment: {error!r}")
            await asyncio.sleep(PAUSE)


async def _watch(visitor: Visitor) -> None:
    """Five seconds of it: the page asks for its progress each second, and draws what has come."""
    for start in ("Start", "Go on"):
        if start in visitor.widgets and not visitor.widgets[start].disabled:
            await visitor.press(start)
    for _ in range(5):
        await asyncio.sleep(1)
        for fragment in list(visitor.fragments):
            await visitor.run(fragment=fragment)
    await visitor.run()


async def warm_up(url: str) -> None:
    """The first visitor of each page, whom the server keeps waiting for what it then keeps."""
    for page in ACTS:
        async with visit(url, page) as visitor:
            await visitor.run()


async def crowd(url: str, sessions: int, minutes: float) -> Measured:
    """All visitors at once."""
    measured, end = Measured(), time.monotonic() + 60 * minutes
    visits = [stay(url, measured, seed, end) for seed in range(sessions)]
    with suppress(TimeoutError, ConnectionClosed):
        await asyncio.wait_for(
            asyncio.gather(experiment(url, measured, end), *visits), 60 * minutes + 60
        )
    return measured


def megabytes(process: psutil.Process) -> float:
    """Of memory that this process holds."""
    return process.memory_info().rss / 2**20


def told(name: str, seconds: list[float]) -> str:
    """Median, 95th percentile and worst of these times."""
    half, most, worst = np.quantile(seconds, [0.5, 0.95, 1]) * 1e3 if seconds else (np.nan,) * 3
    return (
        f"{name}: median {half:.0f} ms, 95 of 100 within {most:.0f} ms, worst {worst:.0f} ms"
        f" ({len(seconds):,} of them)"
    )


def main() -> None:
    """Print the figures."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else MINUTES
    sessions = int(sys.argv[2]) if len(sys.argv) > 2 else SESSIONS
    with hosted_server.running(Path(tempfile.mkdtemp())) as server:
        asyncio.run(warm_up(server.url))
        before, work = megabytes(server.process), sum(server.process.cpu_times()[:2])
        measured = asyncio.run(crowd(server.url, sessions, minutes))
        after, work = megabytes(server.process), sum(server.process.cpu_times()[:2]) - work
        log = [line for line in server.log.splitlines() if "rror" in line]
    print(told("light rerun", measured.light) + f"; wanted: within {WANTED_SECONDS * 1e3:.0f} ms")
    print(told("arrival on a page", measured.arrivals))
    print(told("opening a point, which asks the worker", measured.points))
    print(
        f"errors: {len(measured.errors)} {measured.errors[:3]}; in the log: {len(log)} {log[:3]};"
        " wanted: 0"
    )
    more = after - before
    print(
        f"web process: {before:.0f} MB after its first visitors, {after:.0f} at the end: {more:.0f}"
        f" more; wanted: {WANTED_MB}"
    )
    runs = len(measured.light) + len(measured.arrivals) + len(measured.points)
    print(
        f"processor time of the web process per run: {work * 1e3 / max(1, runs):.0f} ms;"
        f" experiments that ended: {measured.experiments}"
    )
    print(
        f"sent to one session: {np.median(measured.received or [0]) / 1e3:.0f} kB; load of this"
        f" machine: {psutil.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
