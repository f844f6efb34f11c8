"""Does a server without a proxy let go of who sends half a request, and of nobody else?"""

import asyncio
import time
from contextlib import asynccontextmanager

import pytest
import uvicorn
from websockets.asyncio.client import connect

from pages.shared.serving import slow_requests
from tests.tools import hosted_server
from tests.tools.hosted_server import HERE

HEAD, PAUSE, BODY = 0.6, 0.5, 2.0
WHOLE = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
UPLOAD = b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK"


async def app(scope, receive, send):
    """Reads all; answers its length late where the path is /late."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        return
    length, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length += len(message.get("body", b""))
        more = message.get("more_body", False)
        if scope["path"] == "/slow":
            await asyncio.sleep(4 * PAUSE)
    if scope["path"] == "/late":
        await asyncio.sleep(2 * HEAD)
    text = f"read {length}".encode()
    headers = [(b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text})


@asynccontextmanager
async def server():
    """The port of a server in this process."""
    config = uvicorn.Config(
        app,
        host=HERE,
        port=0,
        http=slow_requests.Impatient,
        lifespan="off",
        log_level="error",
        ws="websockets-sansio",
        timeout_keep_alive=1,
    )
    running = uvicorn.Server(config)
    task = asyncio.create_task(running.serve())
    while not running.started:
        await asyncio.sleep(0.01)
    yield running.servers[0].sockets[0].getsockname()[1]
    running.should_exit = True
    await task


def talk(*pieces, pause=0.0):
    """(what came back, seconds until the connection was closed or the answer was there) of these
    pieces, sent one after the other.
    """

    async def said():
        async with server() as port:
            started = time.monotonic()
            reader, writer = await asyncio.open_connection(HERE, port)
            found = b""
            try:
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(pause)
                while b"read " not in found:
                    part = await asyncio.wait_for(reader.read(1000), 20)
                    if not part:
                        break
                    found += part
            except ConnectionError:
                pass
            writer.close()
            return found, time.monotonic() - started

    return asyncio.run(said())


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    for name, seconds in (("HEAD", HEAD), ("PAUSE", PAUSE), ("BODY", BODY)):
        monkeypatch.setattr(slow_requests, name, seconds)


@pytest.mark.parametrize("half", [b"", b"GET", b"GET / HTTP/1.1\r\nHost: a\r\n", WHOLE[:-1]])
def test_half_a_head_is_let_go_of(half):
    found, seconds = talk(half)
    assert found == b"" and HEAD <= seconds < HEAD + 5


def test_a_head_in_drops_is_let_go_of_all_the_same():
    found, seconds = talk(*(WHOLE[i : i + 1] for i in range(20)), pause=0.1)
    assert found == b"" and seconds < 5


def test_half_a_body_is_let_go_of():
    found, seconds = talk(UPLOAD + b"x" * 20)
    assert found == b"" and PAUSE <= seconds < PAUSE + 5


def test_a_body_in_drops_is_let_go_of_in_the_end():
    upload = UPLOAD.replace(b"40", b"140")
    found, seconds = talk(upload, *([b"x"] * 139), pause=0.1)  # which takes 14 seconds
    assert found == b"" and BODY <= seconds < BODY + 8


def test_half_of_a_second_request_is_let_go_of():
    found, _ = talk(WHOLE + b"GET / HT")
    assert found.startswith(ANSWER)

    async def second():
        async with server() as port:
            reader, writer = await asyncio.open_connection(HERE, port)
            writer.write(WHOLE)
            await reader.readuntil(b"read 0")
            writer.write(b"GET / HT")
            started = time.monotonic()
            try:
                assert await asyncio.wait_for(reader.read(), 20) == b""
            except ConnectionError:
                pass
            writer.close()
            return time.monotonic() - started

    assert HEAD <= asyncio.run(second()) < HEAD + 5


@pytest.mark.parametrize(
    "pieces",
    [
        [WHOLE],
        [UPLOAD + b"x" * 40],
        [UPLOAD[:30], UPLOAD[30:], b"x" * 10, b"x" * 30],  # in pieces, each in time
        [WHOLE.replace(b"/ ", b"/late ")],  # the answer is ours, and may take long
    ],
)
def test_whole_requests_are_answered(pieces):
    found, _ = talk(*pieces, pause=0.1)
    assert found.startswith(ANSWER) and b"read" in found


def test_a_body_that_we_do_not_read_yet_is_not_late():
    size = 1_000_000
    head = b"PUT /slow HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size
    found, seconds = talk(head + b"x" * size)
    assert b"read 1000000" in found and seconds > 4 * PAUSE


def test_a_websocket_stays():
    async def stays():
        async with server() as port, connect(f"ws://{HERE}:{port}/") as socket:
            await asyncio.sleep(2 * HEAD)
            assert await (await socket.ping()) >= 0, "it answers after twice a request's time"

    asyncio.run(stays())


def test_the_image_and_the_readme_start_it_so():
    asked = f"--http {slow_requests.__name__}:{slow_requests.Impatient.__name__}"
    assert asked in hosted_server.command()[2]
    assert asked in " ".join((hosted_server.ROOT / "pages/README.md").read_text("utf-8").split())
