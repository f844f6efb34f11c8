"""Does one hostile visitor harm the others? One table, printed: `python -m tests.benchmarks.hostile
[minutes] [--one-address] [--only NAME ...]`.

Thirty visitors act every three seconds on a hosted server with an empty cache: light reruns, now
and then a question of their own that the worker answers. First alone, then beside one attack after
another, each for so many minutes (default 3) and then two minutes of quiet. All on loopback; each
visitor comes from an address of its own, which the server reads as from a proxy, the hostile one
from another; with --one-address all share one, the hostile one too.

Wanted: 95 of 100 light reruns within twice what they take alone; no question of a visitor fails;
two minutes later the web process is within 100 MB of what it was. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from websockets.exceptions import WebSocketException

from tests.benchmarks.hosted_load import act, megabytes, warm_up
from tests.benchmarks.sessions import PROXY_SAYS, Visitor, given_cookie, visit
from tests.tools import hosted_server

MINUTES, VISITORS, PAUSE, QUIET = 3.0, 30, 3.0, 120.0
WANTED_TIMES, WANTED_MB = 2.0, 100
ASKS = 0.05  # of a visitor's actions
PATIENCE = 90.0  # seconds for the answer to a question
HOSTILE = "198.51.100.66"
SHAPLEY = "dataset=digits&n=400&strategy=data_shapley&s.orders={}&s.tolerance=0"


@dataclass
class Seen:
    """What the visitors met. light: seconds of light reruns; points: of points opened."""

    light: list[float] = field(default_factory=list)
    points: list[float] = field(default_factory=list)
    asked: int = 0
    failed: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


async def behave(url: str, behind: str, seen: Seen, seed: int, end: float) -> None:
    """One of the thirty, until the end."""
    rng = random.Random(seed)
    await asyncio.sleep(rng.uniform(0, PAUSE))
    cookie = await asyncio.to_thread(given_cookie, url, behind)
    while time.monotonic() < end:
        page = rng.choice(["explore", "explore", "agreement", "map", "lesson"])
        try:
            async with visit(url, page, cookie=cookie, behind=behind) as visitor:
                await visitor.run()
                for _ in range(8):
                    await asyncio.sleep(rng.uniform(0.5 * PAUSE, 1.5 * PAUSE))
                    if time.monotonic() > end:
                        return
                    await act(visitor, page, rng, seen)  # type: ignore[arg-type]
            if rng.random() < 8 * ASKS:
                await ask(url, behind, cookie, seen, rng)
        except Exception as error:
            seen.errors.append(f"{page}: {error!r}"[:120])
            await asyncio.sleep(PAUSE)


async def ask(url: str, behind: str, cookie: str, seen: Seen, rng: random.Random) -> None:
    """A question of one's own: it must be answered."""
    seen.asked += 1
    query = f"dataset=digits&n={rng.randrange(300, 1700)}&strategy=entropy"
    async with visit(url, "explore", query, cookie=cookie, behind=behind) as visitor:
        started = time.monotonic()
        while time.monotonic() - started < PATIENCE:
            await visitor.run()
            if visitor.gallery:
                return
            await asyncio.sleep(1)
        seen.failed.append(" ".join(t for t in visitor.texts if len(t) < 200)[-120:])


# The attacks: each runs until it is cancelled.


async def hammer(visitor: Visitor, query: Callable[[int], str]) -> None:
    """One page after the other, as fast as they come."""
    for i in range(1_000_000):
        visitor.query = query(i)
        await visitor.run()


async def tabs(url: str, behind: str) -> None:
    """Five tabs that draw all the time."""
    cookie = given_cookie(url, behind)

    async def tab(i: int) -> None:
        async with visit(url, "explore", cookie=cookie, behind=behind) as visitor:
            await hammer(visitor, lambda j: f"view=lowest&shown={60 + 60 * (j % 3)}")

    await together(tab(i) for i in range(5))


async def shapley(url: str, behind: str) -> None:
    """Questions of hours and of as long as is allowed, again and again."""
    cookie = given_cookie(url, behind)

    async def tab(i: int) -> None:
        async with visit(url, "explore", cookie=cookie, behind=behind) as visitor:
            orders = (3_000_000, 1_000, 30, 20)[i]
            await hammer(visitor, lambda j: SHAPLEY.format(orders) + f"&draw={j // 20}")

    await together(tab(i) for i in range(4))


async def sockets(url: str, behind: str) -> None:
    """A hundred and twenty connections without a cookie, each with questions of its own."""

    async def one(i: int) -> None:
        while True:
            with suppress(WebSocketException, OSError):
                async with visit(url, "explore", cookie="", behind=behind) as visitor:
                    await hammer(
                        visitor, lambda j: f"dataset=digits&n=1500&s.ridge={1 + i + j / 1000}"
                    )
            await asyncio.sleep(1)

    await together(one(i) for i in range(120))


async def rankings(url: str, behind: str) -> None:
    """A thousand rankings, one after the other."""
    async with visit(url, "explore", behind=behind) as visitor:
        await hammer(visitor, lambda j: f"dataset=digits&s.ridge={1 + j / 1000}")


async def uploads(url: str, behind: str) -> None:
    """Ten megabytes, as often as they are taken."""
    cookie = given_cookie(url, behind)
    async with visit(url, "data", cookie=cookie, behind=behind) as visitor:
        await visitor.run()

        def put(i: int) -> None:
            address = f"{url}/_stcore/upload_file/{visitor.session}/{i}"
            headers = {"Cookie": cookie, PROXY_SAYS: behind, "Content-Type": FORM}
            asked = urllib.request.Request(address, data=BODY, method="PUT", headers=headers)
            with suppress(urllib.error.URLError, OSError):
                urllib.request.urlopen(asked, timeout=20).read()

        for i in range(1_000_000):
            await together(asyncio.to_thread(put, 4 * i + j) for j in range(4))


FORM = "multipart/form-data; boundary=x"
BODY = (
    b'--x\r\nContent-Disposition: form-data; name="f"; filename="f.csv"\r\n\r\n'
    + b"1,2,3\n" * 1_600_000
    + b"\r\n--x--\r\n"
)


async def requests(url: str, behind: str) -> None:
    """The page itself, by eight at once."""

    def get() -> None:
        asked = urllib.request.Request(url, headers={PROXY_SAYS: behind})
        with suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(asked, timeout=20).read()

    while True:
        await together(asyncio.to_thread(get) for _ in range(8))


async def messages(url: str, behind: str) -> None:
    """One connection that says the same again and again, and large things between."""
    async with visit(url, "explore", behind=behind) as visitor:
        await visitor.run()
        drain = asyncio.create_task(_read(visitor))
        try:
            for i in range(1_000_000):
                noise = b"\x00" * (5_000_000 if i % 50 == 0 else 50)
                await visitor.socket.send(noise)
        finally:
            drain.cancel()


async def _read(visitor: Visitor) -> None:
    while True:
        await visitor.socket.recv()


async def together(parts) -> None:
    """All at once, until one fails or they are cancelled."""
    await asyncio.gather(*parts)


ATTACKS: dict[str, Callable[[str, str], Awaitable[None]] | None] = {
    "alone": None,
    "tabs": tabs,
    "shapley": shapley,
    "sockets": sockets,
    "rankings": rankings,
    "uploads": uploads,
    "requests": requests,
    "messages": messages,
}


async def beside(url: str, attack, minutes: float, one_address: bool) -> Seen:
    """The thirty, and the attack beside them."""
    seen, end = Seen(), time.monotonic() + 60 * minutes
    where = lambda i: "" if one_address else f"203.0.113.{i}"  # noqa: E731
    hostile = asyncio.create_task(
        insist(attack, url, "" if one_address else HOSTILE) if attack else asyncio.sleep(0)
    )
    await asyncio.gather(*(behave(url, where(i), seen, i, end) for i in range(VISITORS)))
    hostile.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await hostile
    return seen


async def insist(attack, url: str, behind: str) -> None:
    """Whatever stops the attack, it begins again."""
    while True:
        with suppress(Exception):
            await attack(url, behind)
        await asyncio.sleep(0.5)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("minutes", nargs="?", type=float, default=MINUTES)
    parser.add_argument("--one-address", action="store_true")
    parser.add_argument("--only", nargs="+", choices=ATTACKS, default=list(ATTACKS))
    chosen = parser.parse_args()
    more = {} if chosen.one_address else {"LEVERAGE_LAB_ADDRESS_HEADER": PROXY_SAYS}
    alone = None
    print(
        "attack      light reruns   p50 ms   p95 ms   times   questions   failed   MB more   core"
    )
    with hosted_server.running(Path(tempfile.mkdtemp()), more) as server:
        asyncio.run(warm_up(server.url))
        # Once unmeasured: the first ones make what the server then keeps.
        asyncio.run(beside(server.url, None, min(1.0, chosen.minutes), chosen.one_address))
        before = megabytes(server.process)
        for name in dict.fromkeys(["alone", *chosen.only]):
            worked = sum(server.process.cpu_times()[:2])
            seen = asyncio.run(
                beside(server.url, ATTACKS[name], chosen.minutes, chosen.one_address)
            )
            busy = (sum(server.process.cpu_times()[:2]) - worked) / (60 * chosen.minutes)
            time.sleep(min(QUIET, 60 * chosen.minutes))
            half, most = np.quantile(seen.light or [np.nan], [0.5, 0.95]) * 1e3
            alone = alone or most
            print(
                f"{name:11} {len(seen.light):12,} {half:8.0f} {most:8.0f} {most / alone:7.1f}"
                f" {seen.asked:11} {len(seen.failed):8} {megabytes(server.process) - before:9.0f}"
                f" {busy:6.0%}",
                *seen.errors[:2],
                *seen.failed[:1],
                flush=True,
            )
    print(f"wanted: at most {WANTED_TIMES:g} times, none failed, {WANTED_MB} MB more")


if __name__ == "__main__":
    main()
