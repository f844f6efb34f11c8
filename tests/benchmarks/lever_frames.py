"""Does a drag stay smooth? Frames per second while one of 200 points is dragged: `python -m
tests.benchmarks.lever_frames`.

Opens the line of lever_app.py in Chromium, without a graphics card, and sends one pointer move per
animation frame, then four; then the same with ten labels on a line, whose curve is fitted anew
each time. Wanted: at least 50 frames per second. The cadence of the same page at
rest is printed beside it: what this machine can do in the same run. Also the milliseconds that one
update takes, its layout included, and the processor time of all the browser's processes per frame:
on a busy machine the frames are late, but this figure holds.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request

import psutil
from playwright.sync_api import Page, sync_playwright

from tests.benchmarks.first_picture import ROOT, browser_path

# Resolves to [milliseconds between frames, milliseconds of each update with its layout] while a
# point is led in circles.
DRAG = """([frames, moves, which]) => new Promise((done) => {
  const root = [...document.querySelectorAll("*")].map((e) => e.shadowRoot)
    .find((s) => s?.querySelector(".lever"));
  const [svg, mark] = [root.querySelector(".stage > svg"), root.querySelectorAll(".point")[which]];
  const box = mark.querySelector(".dot").getBoundingClientRect();
  const send = (to, type, dx = 0, dy = 0) => to.dispatchEvent(new PointerEvent(type, {
    bubbles: true, composed: true, isPrimary: true, pointerId: 1, button: 0,
    clientX: box.x + box.width / 2 + dx, clientY: box.y + box.height / 2 + dy }));
  SVGElement.prototype.setPointerCapture = () => {};
  const gaps = [], spent = [];
  let last, turn = 0;
  const step = (now) => {
    if (last !== undefined) gaps.push(now - last);
    last = now;
    if (gaps.length >= frames) { send(svg, "pointerup"); return done([gaps, spent]); }
    requestAnimationFrame(step);
    setTimeout(lead); // between two frames, as a real pointer's events
  };
  const lead = () => {
    let started;
    requestAnimationFrame(() => (started = performance.now()));
    for (let i = 0; i < moves; i++, turn += 0.1)
      send(svg, "pointermove", 150 - 150 * Math.cos(turn), 60 * Math.sin(turn));
    requestAnimationFrame(() => {
      svg.getBoundingClientRect();
      spent.push(performance.now() - started);
    });
  };
  send(mark, "pointerdown");
  requestAnimationFrame(step);
})"""


def serve(script: str) -> tuple[subprocess.Popen, str]:
    """A server of this script on a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = [
        "--server.headless",
        "true",
        "--server.port",
        str(port),
        "--server.address",
        "127.0.0.1",
    ]
    command = [sys.executable, "-m", "streamlit", "run", script, *options]
    server = subprocess.Popen(
        command, cwd=ROOT, env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
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


def measure(page: Page, which: int, name: str, moves: int, frames: int = 240) -> None:
    """Print the cadence over this many frames with this many pointer moves of one point in each."""
    before = processor_seconds()
    gaps, spent = page.evaluate(DRAG, [frames, moves, which])
    busy = (processor_seconds() - before) / len(gaps) * 1e3
    gaps = sorted(gaps[10:])
    rate, slow = 1000 / statistics.mean(gaps), gaps[int(0.99 * len(gaps))]
    cadence = f"{rate:5.1f} frames/s, slowest hundredth {slow:5.1f} ms"
    print(
        f"{name:32} {cadence}, one update {statistics.median(spent):4.1f} ms, processor"
        f" {busy:4.1f} ms"
    )


def processor_seconds() -> float:
    """What all the browser's processes have used so far; they are the ones below Playwright's
    own.
    """
    browsers = [p for p in psutil.Process().children(recursive=True) if "chrom" in p.name()]
    return sum(sum(p.cpu_times()[:2]) for p in browsers)


# Script, what it shows, which point is dragged, what is printed.
FIGURES = (
    ("tests/browser/lever_app.py", "many", 11, "200 points"),
    ("tests/browser/label_line_app.py", "revealed", 3, "ten labels on a line"),
)


def main() -> None:
    """Print the figures beside what is wanted."""
    for script, show, which, title in FIGURES:
        server, url = serve(script)
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=browser_path(), args=["--no-sandbox", "--disable-gpu"]
                )
                page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
                page.goto(f"{url}/?show={show}")
                page.wait_for_selector(".lever .point", timeout=60_000)
                page.wait_for_timeout(3000)
                print(f"{title}, wanted at least 50 frames/s")
                for name, moves in (
                    ("at rest", 0),
                    ("dragging, one move per frame", 1),
                    ("dragging, four moves per frame", 4),
                ):
                    measure(page, which, name, moves)
                browser.close()
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
