"""When does a visit end?

On a real server with real connections: closed, lost for a moment, come back to, loaded anew.
"""

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from tests.benchmarks.sessions import visit as connected
from tests.browser.visitor_told import GRACE
from tests.tools.hosted_server import HERE, ROOT

PATIENCE = 240.0


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of tests/browser/visitor_app.py, and the file in which it tells who has gone."""
    file = tmp_path_factory.mktemp("visit") / "told.txt"
    file.touch()
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        port = probe.getsockname()[1]
    options = {"server.port": port, "server.address": HERE, "server.headless": "true"}
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        "tests/browser/visitor_app.py",
        *(f"--{name}={value}" for name, value in options.items()),
    ]
    environment = os.environ | {"VISIT_TOLD": str(file), "PYTHONPATH": str(ROOT)}
    log = (file.parent / "log.txt").open("wb")
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
    )
    until(lambda: answers(f"http://{HERE}:{port}/_stcore/health"))
    yield f"http://{HERE}:{port}", file
    process.terminate()
    process.wait(10)
    log.close()


def answers(address):
    try:
        return urllib.request.urlopen(address, timeout=1).read() == b"ok"
    except OSError:
        return False


def until(condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


async def arrive(url, session=""):
    """(owner, session) of a visit that is left at once."""
    async with connected(url, session=session) as visitor:
        await visitor.run()
        owner = visitor.texts[-1]
        await visitor.run()
        assert visitor.texts[-1] == owner, "the same over its reruns"
        return owner, visitor.session


def test_nobody_is_told_of_a_visit_that_goes_on_and_each_once_of_one_that_ended(server):
    url, file = server

    async def visits():
        async with connected(url) as stays:
            await stays.run()
            gone = [(await arrive(url))[0] for _ in range(3)]
            assert file.read_text() == "", "not before the time of grace"
            await asyncio.to_thread(until, lambda: set(gone) <= set(file.read_text().split()))
            await asyncio.sleep(2 * GRACE)
            assert stays.texts[-1] not in file.read_text() and len({*gone, stays.texts[-1]}) == 4
            return gone, stays.texts[-1]

    gone, last = asyncio.run(visits())
    until(lambda: last in file.read_text())
    assert sorted(file.read_text().split()) == sorted([*gone, last])


def test_a_connection_that_was_lost_for_a_moment_ends_no_visit(server):
    url, file = server

    async def visits():
        owner, session = await arrive(url)
        await asyncio.sleep(GRACE / 3)
        for _ in range(2):  # the second loss is of a connection in which the page was not run again
            async with connected(url, session=session) as back:
                await asyncio.sleep(2 * GRACE)
                assert owner not in file.read_text()
            await asyncio.sleep(GRACE / 3)
        async with connected(url, session=session) as back:
            await back.run()
            assert back.texts[-1] == owner
        return owner

    owner = asyncio.run(visits())
    assert owner not in file.read_text()
    until(lambda: owner in file.read_text())


def test_loading_anew_is_another_visit(server):
    url, _ = server
    one, two = asyncio.run(arrive(url)), asyncio.run(arrive(url))
    assert one[0] != two[0] and one[1] != two[1] and len(one[0]) == 40
