"""Has everybody enough, and nobody more than their share, of requests, connections and memory?"""

import asyncio
import time

import pytest

from core.hosting.policy import BOUNDS
from pages.shared import visitor
from pages.shared.serving import fair_use
from pages.shared.serving.clients import Identity, identity, new_cookie
from pages.shared.serving.fair_use import MB, FairUse

HERE = "192.0.2.7"


class Inner:
    """The app behind: it keeps what came through, and whatever waits for `gate`."""

    def __init__(self):
        self.came, self.heard, self.gate = [], [], asyncio.Event()

    async def __call__(self, scope, receive, send):
        self.came.append(scope["path"])
        if scope["type"] == "websocket":
            while (message := await receive())["type"] != "websocket.disconnect":
                self.heard.append(message)
        elif scope["method"] == "PUT":
            await self.gate.wait()
        else:
            kind = b"text/html" if scope["path"] == "/" else b"text/plain"
            headers = [(b"content-type", kind)]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b""})


def scope(path="/", method="GET", kind="http", cookie="", peer=HERE, length=0):
    headers = [(b"cookie", cookie.encode()), (b"content-length", str(length).encode())]
    return {
        "type": kind,
        "path": path,
        "method": method,
        "headers": headers,
        "client": (peer, 1),
        "extensions": {"websocket.http.response": {}},
    }


async def answer(app, **how):
    """(status, headers by name, text) of one request."""
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "websocket.connect"}

    await app(scope(**how), receive, send)
    start = sent[0]
    headers = {name.decode(): value.decode() for name, value in start.get("headers", ())}
    return start.get("status"), headers, sent[-1].get("body", b"").decode()


def cookie():
    return new_cookie(False, False).partition(";")[0]


def test_a_page_gives_a_cookie_once_and_its_files_give_none():
    async def run():
        app = FairUse(Inner())
        _, headers, _ = await answer(app)
        given = headers["set-cookie"].partition(";")[0]
        assert identity([(b"cookie", given.encode())], HERE).known
        assert "set-cookie" not in (await answer(app, cookie=given))[1]
        assert "set-cookie" not in (await answer(app, path="/static/x.js"))[1]

    asyncio.run(run())


def test_an_address_gets_so_many_cookies_and_its_pages_all_the_same():
    async def run():
        app = FairUse(Inner())
        given = ["set-cookie" in (await answer(app))[1] for _ in range(BOUNDS.cookies + 5)]
        assert sum(given) == BOUNDS.cookies and given[0]
        assert "set-cookie" in (await answer(app, peer="192.0.2.8"))[1]

    asyncio.run(run())


def test_who_asks_for_too_much_reads_when_to_come_back():
    async def run():
        app = FairUse(Inner())
        app.requests.charge(HERE, 2 * BOUNDS.requests)
        status, headers, text = await answer(app, path="/static/x.js", cookie=cookie())
        assert status == 429 and int(headers["retry-after"]) >= 1
        assert f"Come back in {headers['retry-after']} seconds." in text
        assert (await answer(app, peer="192.0.2.8"))[0] == 200

    asyncio.run(run())


def test_tabs_are_counted_and_those_that_end_make_room(monkeypatch):
    monkeypatch.setattr(fair_use, "PATIENCE", 0.2)

    async def run():
        inner = Inner()
        app = FairUse(inner)
        mine, ends = cookie(), []

        async def tab(name):
            end = asyncio.Event()
            ends.append(end)

            async def receive():
                await end.wait()
                return {"type": "websocket.disconnect"}

            await app(scope("/stream", kind="websocket", cookie=name), receive, None)

        tabs = [asyncio.create_task(tab(mine)) for _ in range(BOUNDS.client_connections)]
        await asyncio.sleep(0.05)
        how, began = {"path": "/stream", "kind": "websocket"}, time.monotonic()
        assert (await answer(app, cookie=mine, **how))[0] == 429
        assert time.monotonic() - began >= 0.2, "who is refused does not come back at once"
        other = asyncio.create_task(tab(cookie()))
        await asyncio.sleep(0.05)
        assert len(inner.came) == BOUNDS.client_connections + 1, "another of the address has room"
        ends[0].set()
        await asyncio.sleep(0.05)
        again = asyncio.create_task(tab(mine))
        await asyncio.sleep(0.05)
        assert len(inner.came) == BOUNDS.client_connections + 2
        for end in ends:
            end.set()
        await asyncio.gather(*tabs, other, again)
        assert all(not place._held for place, _ in app.connections)

    asyncio.run(run())


def test_a_connection_that_says_too_much_is_heard_more_slowly(monkeypatch):
    waits = []

    async def sleep(seconds):
        waits.append(seconds)

    async def run(messages):
        inner = Inner()
        app = FairUse(inner)
        waiting = [*messages, {"type": "websocket.disconnect"}]

        async def receive():
            return waiting.pop(0)

        monkeypatch.setattr(fair_use.asyncio, "sleep", sleep)
        await app(scope("/stream", kind="websocket", cookie=cookie()), receive, None)
        assert inner.heard == list(messages), "all of it is heard"

    said = {"type": "websocket.receive", "bytes": b"rerun"}
    asyncio.run(run([said] * BOUNDS.messages))
    assert waits == []
    asyncio.run(run([said] * (BOUNDS.messages + 20)))
    assert 15 <= len(waits) <= 20 and max(waits) <= fair_use.PATIENCE
    waits.clear()
    large = {"type": "websocket.receive", "bytes": b"0" * int(2 * BOUNDS.said_mb * MB)}
    asyncio.run(run([large, said]))
    assert waits == [fair_use.PATIENCE] * 2


def uploaded(monkeypatch, kept):
    monkeypatch.setattr(visitor, "uploads", lambda: kept)


@pytest.mark.parametrize(
    ("whose", "most", "words"),
    [
        ("client", BOUNDS.client_uploads_mb, "Uploads of yours"),
        ("address", BOUNDS.address_uploads_mb, "Uploads from your address"),
        ("others", BOUNDS.uploads_mb, "Uploads of all visitors"),
    ],
)
def test_uploads_that_lie_in_memory_are_counted(whose, most, words, monkeypatch):
    mine = cookie()
    me = identity([(b"cookie", mine.encode())], HERE)
    them = {
        "client": me,
        "address": Identity("0" * 12, HERE, True),
        "others": Identity("0" * 12, "198.51.100.4", True),
    }[whose]
    how = {"path": f"{fair_use.UPLOADS}s/f", "method": "PUT", "cookie": mine, "length": MB}

    async def run(megabytes):
        inner = Inner()
        inner.gate.set()
        uploaded(monkeypatch, [(them, megabytes * MB)])
        app = FairUse(inner)
        if megabytes < most:
            await app(scope(**how), None, None)
            return inner.came
        return await answer(app, **how)

    assert asyncio.run(run(most - 1)) == [how["path"]]
    status, _, text = asyncio.run(run(most))
    assert status == 429 and text.startswith(words)


def test_few_uploads_of_one_client_are_on_their_way_at_once(monkeypatch):
    uploaded(monkeypatch, [])

    async def run():
        inner = Inner()
        app, mine = FairUse(inner), cookie()
        how = {"path": f"{fair_use.UPLOADS}s/f", "method": "PUT"}
        begun = [
            asyncio.create_task(app(scope(**how, cookie=mine), None, None))
            for _ in range(BOUNDS.uploading)
        ]
        await asyncio.sleep(0.05)
        assert (await answer(app, **how, cookie=mine))[0] == 429
        other = asyncio.create_task(app(scope(**how, cookie=cookie()), None, None))
        await asyncio.sleep(0.05)
        assert len(inner.came) == BOUNDS.uploading + 1
        inner.gate.set()
        await asyncio.gather(*begun, other)
        assert all(not place._held for place, _ in app.uploading)

    asyncio.run(run())
