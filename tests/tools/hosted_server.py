"""The hosted demo on this machine: the command and the settings of the Dockerfile, on a free port,
in a folder of its own.
"""

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
HERE = "127.0.0.1"


def instructions(name: str) -> list[str]:
    """What the Dockerfile says after this word: one text per instruction, its lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    return re.findall(rf"^\s*{name} (.+)$", re.sub(r"\\\n\s*", " ", text), flags=re.MULTILINE)


def settings() -> dict[str, str]:
    """The Dockerfile's environment."""
    return dict(pair.split("=", 1) for line in instructions("ENV") for pair in line.split())


APP = "pages.shared.server:app"


def command(app: str = APP) -> list[str]:
    """The Dockerfile's command, with this machine's loopback for the outside."""
    shell, option, line = json.loads(instructions("CMD")[-1])
    assert APP in line
    return [shell, option, line.replace("0.0.0.0", HERE).replace(APP, app)]


@dataclass(frozen=True)
class Hosted:
    """A running server. folder: holds its cache, its data and its log."""

    process: psutil.Process
    port: int
    folder: Path

    @property
    def url(self) -> str:
        return f"http://{HERE}:{self.port}"

    @property
    def log(self) -> str:
        """What it has written so far."""
        return (self.folder / "log.txt").read_text("utf-8", errors="replace")

    def workers(self) -> list[psutil.Process]:
        """The processes that it has started."""
        return self.process.children(recursive=True)

    def ask(self, path: str, method: str = "GET", **headers: str) -> http.client.HTTPResponse:
        """The answer to one request, its body read and kept as `text`."""
        connection = http.client.HTTPConnection(HERE, self.port, timeout=10)
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        answer.text = answer.read().decode("utf-8", errors="replace")  # type: ignore[attr-defined]
        connection.close()
        return answer


@contextmanager
def running(
    folder: Path, more: Mapping[str, str] | None = None, app: str = APP
) -> Iterator[Hosted]:
    """The server, once it answers; it ends with the block, and its workers with it."""
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        port = probe.getsockname()[1]
    own = {
        "PORT": str(port),
        "LEVERAGE_LAB_DATA": str(folder / "data"),
        "LEVERAGE_LAB_CACHE": str(folder / "cache"),
    }
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = (
        os.environ
        | {"PATH": programs}
        | settings()
        | {"NUMBA_CACHE_DIR": str(folder / "numba")}
        | own
        | (more or {})
    )
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            command(app),
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    server = Hosted(psutil.Process(process.pid), port, folder)
    try:
        _wait_until_healthy(server, process)
        yield server
    finally:
        _end(process)


def _wait_until_healthy(server: Hosted, process: subprocess.Popen, seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while True:
        with suppress(OSError, http.client.HTTPException):
            if server.ask("/_stcore/health").text == "ok":  # type: ignore[attr-defined]
                return
        if process.poll() is not None or time.monotonic() > end:
            raise AssertionError(
                f"The server did not start (exit code {process.poll()}). Its log"
                f" ends:\n{server.log[-2000:]}"
            )
        time.sleep(0.1)


def _end(process: subprocess.Popen, patience: float = 15) -> None:
    family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(patience)
    for straggler in psutil.wait_procs(family, timeout=patience)[1]:
        straggler.kill()
    if process.poll() is None:
        process.kill()
    process.wait()
