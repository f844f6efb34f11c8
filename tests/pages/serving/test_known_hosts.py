"""Does the server answer only to names that are its own, at home as on a host, and is the path box
drawn only for who came in that way?
"""

import asyncio
import http.client
import os
import socket
import subprocess
import sys
import time

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from pages.shared.serving import known_hosts
from pages.shared.serving.known_hosts import admitted
from tests.benchmarks.sessions import visit as connected
from tests.tools.hosted_server import HERE, ROOT
from tests.tools.pages import visit, widget

PATH_BOX = "Or the path of a folder or file on this machine"
ELSEWHERE = "10.1.2.3"  # an address of this machine that others reach


@pytest.mark.parametrize(
    ("host", "arrived_at", "expected"),
    [
        ("localhost", HERE, True),
        ("LOCALHOST.:8501", HERE, True),
        ("127.0.0.1:8501", HERE, True),
        ("[::1]:8501", "::1", True),
        ("0.0.0.0:8501", HERE, True),
        (socket.gethostname(), HERE, True),
        (f"{socket.gethostname()}:80", ELSEWHERE, True),
        ("evil.example", HERE, False),
        ("evil.example:8501", ELSEWHERE, False),
        ("localhost.evil.example", HERE, False),
        ("evil.example@localhost", HERE, False),
        ("localhost/evil.example", HERE, False),
        ("localhost:none", HERE, False),
        ("[::1", HERE, False),
        ("", HERE, False),
        # in numbers: the address that it came to, or the one under which a container is published
        ("10.1.2.3:8501", ELSEWHERE, True),
        ("192.168.7.7", ELSEWHERE, True),
        ("192.168.7.7", HERE, False),
        ("192.168.7.7", "::ffff:127.0.0.1", False),
    ],
)
def test_who_is_admitted(host, arrived_at, expected, monkeypatch):
    monkeypatch.delenv(known_hosts.PUBLIC, raising=False)
    assert admitted(host, arrived_at) is expected


def test_the_public_address_is_admitted(monkeypatch):
    monkeypatch.setenv(known_hosts.PUBLIC, "https://Lab.example.org:8443/app 192.168.7.7 :80")
    for host in ("lab.example.org", "lab.example.org:8443", "LAB.example.org.", "192.168.7.7:80"):
        assert admitted(host, HERE), host
    for host in ("example.org", "x.lab.example.org", ""):
        assert not admitted(host, HERE), host


def passed_on(*hosts, kind="http", **headers):
    """(the headers with which a request came to the app, None if it did not; what was sent)."""
    came, sent = [], []

    async def app(scope, receive, send):
        came.append(dict(scope["headers"]))

    async def send(message):
        sent.append(message)

    scope = {
        "type": kind,
        "server": (HERE, 80),
        "headers": [
            *((b"host", host.encode()) for host in hosts),
            *((name.encode(), value.encode()) for name, value in headers.items()),
        ],
    }
    asyncio.run(known_hosts.KnownHosts(app)(scope, None, send))
    return came[0] if came else None, sent


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_what_has_passed_carries_the_servers_word_and_nobody_elses(kind):
    came, sent = passed_on("localhost", kind=kind, **{known_hosts.PASSED: "forged"})
    assert came[known_hosts.PASSED.encode()].decode() == known_hosts._WORD and sent == []


@pytest.mark.parametrize("hosts", [("evil.example",), (), ("localhost", "evil.example")])
def test_what_has_not_passed_is_refused(hosts):
    came, sent = passed_on(*hosts)
    assert came is None and sent[0]["status"] == 421
    assert "evil" not in sent[1]["body"].decode() and known_hosts.PUBLIC in sent[1]["body"].decode()
    came, sent = passed_on(*hosts, kind="websocket")
    assert came is None and [message["type"] for message in sent] == ["websocket.close"]


def test_without_the_check_there_is_no_path_box(own_folder, monkeypatch):
    assert PATH_BOX not in [box.label for box in visit("pages/data.py").text_input]
    monkeypatch.setattr(known_hosts, "asked_by_name", lambda: True)
    widget(visit("pages/data.py").text_input, PATH_BOX)


# at home


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The port of `streamlit run app.py`."""
    folder = tmp_path_factory.mktemp("home")
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        port = probe.getsockname()[1]
    options = (f"--server.port={port}", "--server.headless=true")
    mine = {f"LEVERAGE_LAB_{what}": str(folder / what.lower()) for what in ("DATA", "CACHE")}
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", *options],
            cwd=ROOT,
            env={k: v for k, v in os.environ.items() if k != known_hosts.PUBLIC} | mine,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        end = time.monotonic() + 120
        while status(port) != 200:
            assert process.poll() is None and time.monotonic() < end, (
                folder / "log.txt"
            ).read_text()
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def status(port, host="localhost", path="/_stcore/health"):
    connection = http.client.HTTPConnection(HERE, port, timeout=10)
    try:
        connection.request("GET", path, headers={"Host": host})
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


@pytest.mark.parametrize(
    "path", ["/", "/data", "/_stcore/health", "/_stcore/host-config", "/media/a.png", "/nothing"]
)
def test_at_home_another_name_is_refused_on_every_way(home, path):
    assert status(home, f"localhost:{home}", path) != 421
    assert status(home, f"evil.example:{home}", path) == 421


def test_at_home_another_name_gets_no_websocket(home):
    async def call(name):
        address = f"ws://{name}:{home}/_stcore/stream"
        async with connect(address, host=HERE, port=home, subprotocols=["streamlit"]):
            pass

    asyncio.run(call("localhost"))
    with pytest.raises(InvalidStatus, match="403"):
        asyncio.run(call("evil.example"))


def test_at_home_the_page_knows_that_the_check_was_passed(home):
    async def texts():
        async with connected(f"http://{HERE}:{home}", "data") as visitor:
            await visitor.run()
            await visitor.run()  # a first visitor's run ends with the list of pages
            return " ".join(visitor.texts)

    found = asyncio.run(texts())
    assert "Drop a file" in found and "A path on this machine can be named" not in found
