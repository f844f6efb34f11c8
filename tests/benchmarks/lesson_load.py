"""Can a hundred phones read the lesson at once? One run, printed: `python -m tests.benchmarks.lesson_load [sessions]`.

Starts a server with an empty cache on this machine and opens that many websocket sessions, as browsers do: each arrives
within ten seconds on a chapter's own link, then goes on chapter by chapter with 2 to 6 seconds between, and predicts where
it is asked. A light rerun is timed as it is felt: from sending the click to the end of the script, queues included.
Wanted: 95 of 100 light reruns within 100 ms. It ends within three minutes. Run it on a quiet machine.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from dataclasses import dataclass, field

import numpy as np
import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from tests.benchmarks.first_picture import start

SESSIONS, WANTED, CHAPTERS, ARRIVE, PAUSE, LIMIT = 100, 0.1, 9, 10.0, (2.0, 6.0), 120.0


@dataclass
class Measured:
    """Seconds of first screens and of light reruns, bytes received, sessions that ended early."""

    first: list[float] = field(default_factory=list)
    light: list[float] = field(default_factory=list)
    received: list[int] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


class Reader:
    """One browser's side of the websocket: it sends reruns and remembers the buttons that were drawn."""

    def __init__(self, socket: ClientConnection, chapter: int):
        self.socket, self.bytes, self.page, self.query, self.buttons = socket, 0, "", f"chapter={chapter}", {}

    async def run(self, clicked: str | None = None) -> float:
        """Seconds until the script has finished, after a click on a button, or on arrival."""
        message = BackMsg()
        state = message.rerun_script
        state.query_string = self.query
        state.page_script_hash, state.page_name = self.page, "" if self.page else "lesson"
        if clicked:
            widget = state.widget_states.widgets.add()
            widget.id, widget.trigger_value = clicked, True
        self.buttons = {}
        started = time.perf_counter()
        await self.socket.send(message.SerializeToString())
        while not await self._finished():
            pass
        return time.perf_counter() - started

    async def _finished(self) -> bool:
        data = await self.socket.recv()
        self.bytes += len(data)
        message = ForwardMsg.FromString(data)
        kind = message.WhichOneof("type")
        if kind == "navigation":
            self.page = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "button":
            self.buttons[message.delta.new_element.button.label] = message.delta.new_element.button.id
        elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception":
            raise RuntimeError(message.delta.new_element.exception.message)
        return kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY

    def choice(self) -> str:
        """A prediction where one is asked for, else the next chapter."""
        asked = [label for label in self.buttons if label == "Show without predicting"]
        return self.buttons[(asked or [label for label in self.buttons if label.startswith(("Next: ", "Start again"))])[0]]


async def read(url: str, measured: Measured, seed: int) -> None:
    """One visitor: arrives, reads, predicts, goes on."""
    rng = random.Random(seed)
    await asyncio.sleep(rng.uniform(0, ARRIVE))
    try:
        async with connect(url, subprotocols=["streamlit"], max_size=None) as socket:  # type: ignore[list-item]
            reader = Reader(socket, 1 + seed % CHAPTERS)
            measured.first.append(await reader.run())
            for _ in range(CHAPTERS):
                await asyncio.sleep(rng.uniform(*PAUSE))
                measured.light.append(await reader.run(reader.choice()))
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
        address = url.replace("http", "ws") + "/_stcore/stream"
        asyncio.run(crowd(address, 1))  # the first visitor of a server waits for the images to be read
        before = sum(process.cpu_times()[:2])
        measured = asyncio.run(crowd(address, sessions))
        work = sum(process.cpu_times()[:2]) - before
        memory = process.memory_info().rss / 2**20
    finally:
        server.terminate()
        server.wait()
    for name, seconds in (("first screen", measured.first), ("light rerun", measured.light)):
        half, most, worst = np.quantile(seconds, [0.5, 0.95, 1]) * 1e3 if seconds else (np.nan,) * 3
        print(f"{name}: median {half:.0f} ms, 95 of 100 within {most:.0f} ms, worst {worst:.0f} ms ({len(seconds):,} of them)")
    print(f"wanted: 95 of 100 light reruns within {WANTED * 1e3:.0f} ms; load of this machine: {psutil.getloadavg()[0]:.1f}")
    runs = len(measured.first) + len(measured.light)
    print(f"the server's own work: {work * 1e3 / max(1, runs):.0f} ms of processor time per run, whatever else the machine does")
    if measured.received:
        print(f"sent to one session: {np.median(measured.received) / 1e3:.0f} kB; web process afterwards: {memory:.0f} MB")
    print(f"sessions that broke off: {len(measured.broken)} {measured.broken[:3]}")


if __name__ == "__main__":
    main()
