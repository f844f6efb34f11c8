"""Can a hundred phones read the lesson at once? One run, printed: `python -m
tests.benchmarks.lesson_load [sessions]`.

Starts a server with an empty cache on this machine and opens that many websocket sessions, as
browsers do: each arrives within ten seconds on a chapter's own link, then goes on chapter by
chapter with 2 to 6 seconds between, and predicts where it is asked. A light rerun is timed as it is
felt: from sending the click to the end of the script, queues included. Wanted: 95 of 100 light
reruns within 100 ms. It ends within three minutes. Run it on a quiet machine.
"""

from __future__ import annotations

import asyncio
import random
import sys
from dataclasses import dataclass, field

import numpy as np
import psutil

from pages.parts.lesson.chapters import SLUGS
from tests.benchmarks.first_picture import start
from tests.benchmarks.sessions import Visitor, visit

SESSIONS, WANTED, ARRIVE, PAUSE, LIMIT = 100, 0.1, 10.0, (2.0, 6.0), 120.0


@dataclass
class Measured:
    """Seconds of first screens and of light reruns, bytes received, sessions that ended early."""

    first: list[float] = field(default_factory=list)
    light: list[float] = field(default_factory=list)
    received: list[int] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def choice(reader: Visitor) -> str:
    """The button to press: a prediction where one is asked for, else the next chapter."""
    asked = [label for label in reader.widgets if label == "Show without predicting"]
    return (
        asked or [label for label in reader.widgets if label.startswith(("Next: ", "Start again"))]
    )[0]


async def read(url: str, measured: Measured, seed: int) -> None:
    """One visitor: arrives, reads, predicts, goes on."""
    rng = random.Random(seed)
    await asyncio.sleep(rng.uniform(0, ARRIVE))
    try:
        async with visit(url, "lesson", f"chapter={SLUGS[seed % len(SLUGS)]}") as reader:
            measured.first.append(await reader.run())
            for _ in SLUGS:
                await asyncio.sleep(rng.uniform(*PAUSE))
                measured.light.append(await reader.press(choice(reader)))
            measured.received.append(reader.bytes)
    except Exception as error:
        measured.broken.append(repr(error))


async def crowd(url: str, sessions: int) -> Measured:
    """All visitors at once, for at most LIMIT seconds."""
    measured = Measured()
    visits = [read(url, measured, seed) for seed in range(sessions)]
    try:
        await asyncio.wait_for(asyncio.gather(*visits), LIMIT)
    except TimeoutError:
        measured.broken.append(f"not finished within {LIMIT:.0f} s")
    return measured


def main() -> None:
    """Print the figures."""
    sessions = int(sys.argv[1]) if len(sys.argv) > 1 else SESSIONS
    server, url = start()
    try:
        process = psutil.Process(server.pid)
        asyncio.run(crowd(url, 1))  # the first visitor of a server waits for the images to be read
        before = sum(process.cpu_times()[:2])
        measured = asyncio.run(crowd(url, sessions))
        work = sum(process.cpu_times()[:2]) - before
        memory = process.memory_info().rss / 2**20
    finally:
        server.terminate()
        server.wait()
    for name, seconds in (("first screen", measured.first), ("light rerun", measured.light)):
        half, most, worst = np.quantile(seconds, [0.5, 0.95, 1]) * 1e3 if seconds else (np.nan,) * 3
        print(
            f"{name}: median {half:.0f} ms, 95 of 100 within {most:.0f} ms, worst {worst:.0f} ms"
            f" ({len(seconds):,} of them)"
        )
    print(
        f"wanted: 95 of 100 light reruns within {WANTED * 1e3:.0f} ms; load of this machine:"
        f" {psutil.getloadavg()[0]:.1f}"
    )
    runs = len(measured.first) + len(measured.light)
    print(
        f"the server's own work: {work * 1e3 / max(1, runs):.0f} ms of processor time per run,"
        " whatever else the machine does"
    )
    if measured.received:
        print(
            f"sent to one session: {np.median(measured.received) / 1e3:.0f} kB; web process"
            f" afterwards: {memory:.0f} MB"
        )
    print(f"sessions that broke off: {len(measured.broken)} {measured.broken[:3]}")


if __name__ == "__main__":
    main()
