"""How soon is the first picture there, and what does a light rerun cost? One run, printed: `python
-m tests.benchmarks.first_picture`.

For the first page and for Explore each: starts a server with an empty cache, waits until it
answers, then opens the page in Chromium: first the very first visitor, then more. Wanted: first
picture within 2 s, a light rerun within 50 ms on the server, at most 300 MB. A rerun is timed on
the server, by an AppTest of Explore in this process: from the change of a widget to the end of the
script.
"""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
PAGES = {"first page": "/", "Explore": "/explore"}
GALLERY_DRAWN = """() => [...document.querySelectorAll('[data-testid^=stBidiComponent]')].some(e =>
{ const root = [e, ...e.querySelectorAll('*')].map(x => x.shadowRoot).find(Boolean) || e;
  const canvas = root.querySelector('canvas');
  return canvas && canvas.width > 100 && root.querySelectorAll('[role=option]').length > 10 })"""


def start() -> tuple[subprocess.Popen, str]:
    """A server of the app on a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"LEVERAGE_LAB_CACHE": tempfile.mkdtemp()}
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        "app.py",
        "--server.headless",
        "true",
        "--server.port",
        str(port),
        "--server.address",
        "127.0.0.1",
    ]
    server = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    for _ in range(300):
        try:
            if (
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1).read()
                == b"ok"
            ):
                break
        except OSError:
            time.sleep(0.1)
    return server, f"http://127.0.0.1:{port}"


def browser_path() -> str:
    """Chromium or Chrome on the PATH."""
    found = next(
        filter(None, map(shutil.which, ("chromium", "google-chrome", "chromium-browser"))), None
    )
    if found is None:
        raise SystemExit(
            "No Chromium or Chrome on the PATH. Install one, for example: apt-get install chromium"
        )
    return found


def first_pictures(url: str, visitors: int) -> list[float]:
    """Seconds from opening the page to the drawn gallery, per visitor, each with an empty browser
    cache.
    """
    from playwright.sync_api import sync_playwright

    seconds = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_path(),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        browser.new_context().new_page().goto("about:blank")
        for _ in range(visitors):
            page = browser.new_context().new_page()
            started = time.perf_counter()
            page.goto(url, wait_until="commit")
            page.wait_for_function(GALLERY_DRAWN, timeout=60_000, polling=20)
            seconds.append(time.perf_counter() - started)
            page.context.close()
        browser.close()
    return seconds


def light_reruns(count: int = 20) -> list[float]:
    """Seconds of a script run after a light change (highest, lowest, ...), in this process."""
    from streamlit.testing.v1 import AppTest

    os.chdir(ROOT)
    app = AppTest.from_file(str(ROOT / "pages/explore.py"), default_timeout=60).run()
    seconds = []
    for turn in range(count):
        app.segmented_control[0].set_value(("bottom", "top")[turn % 2])
        started = time.perf_counter()
        app.run()
        seconds.append(time.perf_counter() - started)
    return seconds


def main() -> None:
    """Print the figures."""
    for name, path in PAGES.items():
        server, url = start()
        try:
            pictures = first_pictures(url + path, 6)
            memory = psutil.Process(server.pid).memory_info().rss / 2**20
        finally:
            server.terminate()
            server.wait()
        print(
            f"{name}, first picture: very first visitor {pictures[0]:.2f} s, then"
            f" {', '.join(f'{s:.2f}' for s in pictures[1:])} s"
        )
        print(f"web process after {len(pictures)} visitors: {memory:.0f} MB")
    reruns = light_reruns()
    print(
        f"light rerun: median {statistics.median(reruns) * 1e3:.0f} ms, worst of {len(reruns)}"
        f" {max(reruns) * 1e3:.0f} ms"
    )


if __name__ == "__main__":
    main()
