"""The pictures that the READMEs show: `python -m tests.browser.screenshots` opens the app in
Chromium and writes them into assets/.

screenshot.png stands in README.md, screenshot-lesson.png in pages/README.md, the other two in
assets/results/README.md. tests/test_readme.py finds one that is shown nowhere.
"""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.benchmarks.first_picture import browser_path, start

ASSETS = Path(__file__).resolve().parents[2] / "assets"
CHART_DRAWN = (
    "() => document.querySelectorAll('[data-testid=stVegaLiteChart] :is(svg, canvas)').length >= {}"
)
LEVER_DRAWN = (
    "() => [...document.querySelectorAll('*')].some((e) => e.shadowRoot?.querySelector('.lever"
    " svg'))"
)
CURVES_DRAWN = LEVER_DRAWN.replace(".lever", ".curves")
# What is pressed before the picture is taken: a slide first asks for a prediction.
PRESSED = {"screenshot-lesson-help.png": "PageDown"}
PICTURES = {
    "screenshot.png": ("/", CHART_DRAWN.format(2), 860),
    "screenshot-agreement.png": ("/agreement", CHART_DRAWN.format(2), 1500),
    "screenshot-lesson.png": ("/lesson?chapter=lever&talk=1", LEVER_DRAWN, 720),
    "screenshot-lesson-help.png": ("/lesson?chapter=useful&talk=1", CURVES_DRAWN, 720),
}


def main() -> None:
    """Take every picture at 1280 pixels, in the light theme."""
    os.environ["LEVERAGE_LAB_PUBLIC_URL"] = "https://lab.example.org"  # slides show its code
    server, url = start()
    try:
        with sync_playwright() as playwright:
            flags = ["--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
            browser = playwright.chromium.launch(executable_path=browser_path(), args=flags)
            for name, (path, drawn, height) in PICTURES.items():
                page = browser.new_context(
                    viewport={"width": 1280, "height": height}, reduced_motion="reduce"
                ).new_page()
                page.goto(url + path)
                page.wait_for_function(drawn, timeout=60_000)
                if name in PRESSED:
                    page.keyboard.press(PRESSED[name])
                page.wait_for_timeout(3000)  # charts settle their size after they are drawn
                page.screenshot(path=str(ASSETS / name))
                print(name)
            browser.close()
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
