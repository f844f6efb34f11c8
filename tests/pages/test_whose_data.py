"""Do the pages mean the same visitor's own data in their runs, callbacks, fragments and downloads?

On a real server for visitors: each of these runs in a thread of its own.
"""

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.benchmarks.sessions import visit as connected
from tests.tools.hosted_server import HERE, ROOT


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of tests/browser/whose_app.py, for visitors."""
    folder = tmp_path_factory.mktemp("whose")
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        port = probe.getsockname()[1]
    own = {"PYTHONPATH": str(ROOT), "LEVERAGE_LAB_HOSTED": "1", "LEVERAGE_LAB_DATA": str(folder)}
    options = (f"--server.port={port}", "--server.headless=true")
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "tests/browser/whose_app.py", *options],
            cwd=ROOT,
            env=os.environ | own,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    url = f"http://{HERE}:{port}"
    end = time.monotonic() + 120
    while not _answers(url):
        assert process.poll() is None and time.monotonic() < end, (folder / "log.txt").read_text()
        time.sleep(0.1)
    yield url
    process.terminate()
    process.wait(30)


def _answers(url):
    try:
        return urllib.request.urlopen(f"{url}/_stcore/health", timeout=1).read() == b"ok"
    except OSError:
        return False


async def _said(visitor, place):
    """Who was meant there, as the page says."""
    return (
        next(text for text in visitor.texts if text.startswith(place)).removeprefix(place).strip()
    )


async def _downloaded(visitor, url):
    """What the visitor's download holds: asked for over the websocket, as a browser does."""
    message = BackMsg()
    message.backend_operation_request.request_id = "1"
    message.backend_operation_request.session_id = visitor.session
    asked = message.backend_operation_request.deferred_file
    asked.file_id = visitor.widgets["Download"].deferred_file_id
    await visitor.socket.send(message.SerializeToString())
    while True:
        answer = ForwardMsg.FromString(await visitor.socket.recv())
        if answer.WhichOneof("type") == "backend_operation_response":
            assert not answer.backend_operation_response.error_msg, answer
            place = answer.backend_operation_response.deferred_file.url
            with urllib.request.urlopen(f"{url}{place}", timeout=10) as file:
                return file.read().decode()


async def _everywhere(url):
    async with connected(url) as visitor:
        await visitor.run()
        mine = await _said(visitor, "run")
        await asyncio.sleep(1.0)  # the run's thread has ended
        await visitor.press("Click")
        found = {"run": mine, "callback": await _said(visitor, "callback")}
        (fragment,) = visitor.fragments
        await asyncio.sleep(1.0)
        await visitor.run(fragment=fragment)
        found["fragment"] = await _said(visitor, "fragment")
        found["download"] = await _downloaded(visitor, url)
        return found


def test_the_same_visitor_is_meant_everywhere(server):
    one, two = (asyncio.run(_everywhere(server)) for _ in range(2))
    assert len(set(one.values())) == 1 and len(one["run"]) == 40, one
    assert len(set(two.values())) == 1 and two["run"] != one["run"], two
