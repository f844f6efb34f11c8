"""A real browser on a real server: what the journeys in this folder need.

Fixtures: `serve` starts the app (or any script) and gives its address, `open_page` gives a fresh
browser tab on it, `new_tab` an empty one. Functions: `settle` waits until Streamlit has finished
drawing, `serious` lists what an accessibility audit objects to.

    from tests.browser.conftest import serious, settle

A page is seen on a desk in the light and on a phone in the dark: its colours depend on the theme
alone, its layout on the width alone. `looks` goes over the views of an open page both ways; a
journey is made twice, each in a tab of its own (DESK_AND_PHONE).

A journey waits for the thing it looks for as well: Streamlit loads the code of charts and
components on first use, so a settled page may still be about to draw its first one.
"""

import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    Request,
    Response,
    TimeoutError,
    expect,
    sync_playwright,
)

ROOT = Path(__file__).parents[2]
HERE = "127.0.0.1"
# The headless shell first: it draws the same and has no window's own pages to load.
BROWSERS = (
    "chromium-headless-shell",
    "chromium",
    "google-chrome",
    "chromium-browser",
    "google-chrome-stable",
)
FLAGS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--force-device-scale-factor=1",
    "--hide-scrollbars",
    "--font-render-hinting=none",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)
LONG = 180_000  # milliseconds: two slow cores, shared
NO_BROWSER = (
    'No Chromium or Chrome on the PATH. Install one ("apt-get install chromium", or Google Chrome)'
    " and run the tests again."
)

DESK_AND_PHONE = pytest.mark.parametrize(
    ("width", "theme"), [(1280, "light"), (390, "dark")], ids=["desk-light", "phone-dark"]
)
FITS = """() => [document.scrollingElement, document.querySelector('[data-testid="stMain"]')]
    .every((e) => e.scrollWidth <= e.clientWidth)"""
SETTLED = """() => {
    const app = document.querySelector('[data-testid="stApp"]')
    return app !== null
        && document.querySelector('[data-testid="stAppViewContainer"]') !== null
        && app.dataset.testConnectionState === 'CONNECTED'
        && app.dataset.testScriptState === 'notRunning'
        && document.querySelector('[data-testid="stSkeleton"], [data-stale="true"]') === null
}"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark this folder's tests, and run them last: Playwright keeps an event loop open, which other
    tests may mind.
    """
    in_browser = [item for item in items if Path(__file__).parent in item.path.parents]
    for item in in_browser:
        item.add_marker("browser")
    items[:] = [item for item in items if item not in in_browser] + in_browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium or Chrome from the PATH; without one the test is skipped, under CI it fails."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(NO_BROWSER)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, headless=True, args=FLAGS)
        yield browser
        browser.close()


Servers = dict[tuple, tuple[subprocess.Popen, str]]


@pytest.fixture(scope="session")
def _servers() -> Iterator[Servers]:
    servers: Servers = {}
    yield servers
    for process, _ in servers.values():
        _stop(process)


@pytest.fixture(scope="module")
def serve(
    _servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., str]]:
    """serve(script="app.py", env=None) -> the address of a server that runs the script, one per
    script and environment. The app without more is shared by all modules; others end with theirs,
    since a server and its worker cost a share of a core even when nobody asks them.
    """

    def serve(script: str = "app.py", env: Mapping[str, str] | None = None) -> str:
        key = (script, *sorted((env or {}).items()))
        if key not in _servers:
            _servers[key] = _start(
                script, {**os.environ, **(env or {})}, tmp_path_factory.mktemp("server") / "log.txt"
            )
        return _servers[key][1]

    yield serve
    for key in [key for key in _servers if key != ("app.py",)]:
        _stop(_servers.pop(key)[0])


@pytest.fixture(scope="session")
def _contexts(browser: Browser) -> Iterator[dict[str, BrowserContext]]:
    contexts: dict[str, BrowserContext] = {}
    yield contexts
    for context in contexts.values():
        context.close()


@pytest.fixture
def new_tab(
    browser: Browser, _contexts: dict[str, BrowserContext]
) -> Iterator[Callable[..., Page]]:
    """new_tab(width, height, **more of browser.new_context) -> an empty tab, closed with the test.

    Tabs alike but for their size share what the browser keeps of the app's code, and load it in
    half the time. A tab is a session of its own all the same: the app keeps nothing in the browser.
    """
    tabs = []

    def new_tab(width: int, height: int, **more: Any) -> Page:
        size = {"width": width, "height": height}
        if repr(more) not in _contexts:
            _contexts[repr(more)] = browser.new_context(viewport=size, **more)
        tabs.append(_contexts[repr(more)].new_page())
        tabs[-1].set_viewport_size(size)
        return tabs[-1]

    yield new_tab
    for tab in tabs:
        tab.close()


@pytest.fixture
def open_page(new_tab: Callable[..., Page], serve: Callable[..., str]) -> Callable[..., Page]:
    """open_page(path="/", width=1280, height=900, theme="light") -> a settled tab in a fresh
    session.

    path: under the app's address, or a whole address that `serve` gave. theme: "light" or "dark",
    as the reader's system prefers. `page.problems` collects, as readable strings, errors on the
    console and in the page's code, requests that failed and requests that left this machine; a
    journey ends with `assert page.problems == []`.
    """

    def open_page(
        path: str = "/", width: int = 1280, height: int = 900, theme: str = "light"
    ) -> Page:
        page = new_tab(
            width,
            height,
            color_scheme=theme,
            reduced_motion="reduce",
            permissions=["clipboard-read", "clipboard-write"],
        )
        _record_problems(page)
        page.goto(path if path.startswith("http") else serve() + path)
        settle(page)
        return page

    return open_page


@pytest.fixture
def visit(request, open_page, address) -> Callable[..., Page]:
    """visit(path, width=1280, theme="light") -> a tab on the server of the module's own `address`;
    a phone's height below 600 pixels. Where the module has PATH, that is opened unless another is
    named; where it has `ready`, this has been waited for.
    """
    usual = getattr(request.module, "PATH", None)
    ready = getattr(request.module, "ready", None)

    def visit(path: str = usual, width: int = 1280, theme: str = "light") -> Page:
        page = open_page(
            path if path.startswith("http") else address + path,
            width=width,
            height=844 if width < 600 else 900,
            theme=theme,
        )
        page.set_default_timeout(LONG)
        if ready is not None:
            ready(page)
        return page

    return visit


def settle(page: Page, timeout: float = LONG / 1000) -> None:
    """Wait until the page is connected, no script runs and nothing on it is stale; at most
    `timeout` seconds.
    """
    end = time.monotonic() + timeout
    page.wait_for_timeout(210)  # a widget waits this long before it tells the server
    while True:
        page.wait_for_function(SETTLED, timeout=max(1, (end - time.monotonic()) * 1000))
        page.wait_for_timeout(100)
        if page.evaluate(
            SETTLED
        ):  # a script that starts another run at its end pauses between the two
            return


def past_experiment(page: Page, entry: Locator) -> Locator:
    """This entry of the past experiments, once it is to be seen: a run of the page that was still
    under way closes what has been opened, and then it is opened again.
    """
    body = page.get_by_test_id("stPopoverBody")
    end = time.monotonic() + LONG / 1000
    while time.monotonic() < end:
        settle(page)
        if entry.is_visible():
            break
        if not body.is_visible():
            page.get_by_role("button", name="Past experiments").click()
        with suppress(TimeoutError):
            entry.wait_for(timeout=2_000)
    return entry


# Whether all stands in a region is of moderate impact, and the contrast of text in an svg nothing
# that axe can tell ("incomplete", never a violation): together half the time of an audit of a page
# full of charts.
AUDIT = {"resultTypes": ["violations"], "rules": {"region": {"enabled": False}}}
# And Streamlit puts a div for each section between its list of pages and the pages.
NOT_OURS = """axe.configure({rules: [
    {id: 'color-contrast', selector: '*:not(svg):not(text):not(tspan)'},
    {id: 'list', selector: 'ul:not([data-testid=stSidebarNavItems]), ol'},
    {id: 'listitem', selector: 'li:not([data-testid=stSidebarNavItems] li)'},
]})"""


def serious(page: Page) -> list[str]:
    """What an axe audit finds of serious or critical impact, one readable line per element."""
    if page.evaluate("window.axe === undefined"):
        page.evaluate(Axe().axe_script)
        page.evaluate(NOT_OURS)
    findings = page.evaluate("options => axe.run(options)", AUDIT)["violations"]
    return [
        f"{finding['impact']} {finding['id']}: {' '.join(node['failureSummary'].split())} |"
        f" {node['html'][:200]}"
        for finding in findings
        if finding["impact"] in ("serious", "critical")
        for node in finding["nodes"]
    ]


def _record_problems(page: Page) -> None:
    problems: list[str] = []
    page.problems = problems  # type: ignore[attr-defined]

    def failed(request: Request) -> None:
        if (
            request.failure != "net::ERR_ABORTED"
        ):  # the browser's own doing: a download, or leaving the page
            problems.append(f"request failed: {request.url}: {request.failure}")

    def answered(response: Response) -> None:
        if response.status >= 400:
            problems.append(f"request answered {response.status}: {response.url}")

    def asked(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https", "ws", "wss") and address.hostname != HERE:
            problems.append(f"request left this machine: {request.url}")

    page.on(
        "console",
        lambda message: (
            problems.append(f"console: {message.text}") if message.type == "error" else None
        ),
    )
    page.on("pageerror", lambda error: problems.append(f"page error: {error}"))
    page.on("requestfailed", failed)
    page.on("response", answered)
    page.on("request", asked)


def _start(
    script: str, env: dict[str, str], log: Path, timeout: float = 240
) -> tuple[subprocess.Popen, str]:
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        port = probe.getsockname()[1]
    options = {
        "server.port": port,
        "server.address": HERE,
        "server.headless": "true",
        "server.fileWatcherType": "none",
    }
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        script,
        *(f"--{name}={value}" for name, value in options.items()),
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    end = time.monotonic() + timeout
    while not _healthy(port):
        if process.poll() is not None or time.monotonic() > end:
            _stop(process)
            tail = log.read_text(errors="replace")[-2000:]
            pytest.fail(
                f"The server of {script} did not start (exit code {process.returncode}). Its log"
                f" ends:\n{tail}"
            )
        time.sleep(0.1)
    return process, f"http://{HERE}:{port}"


def _healthy(port: int) -> bool:
    connection = http.client.HTTPConnection(HERE, port, timeout=2)
    try:
        connection.request("GET", "/_stcore/health")
        answer = connection.getresponse()
        return answer.status == 200 and answer.read() == b"ok"
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _stop(process: subprocess.Popen, patience: float = 10) -> None:
    """End a server and the workers it started: asked first, then by force."""
    family = []
    with suppress(psutil.NoSuchProcess):
        family = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(patience)
    _, alive = psutil.wait_procs(family, timeout=patience)
    for straggler in alive:
        with suppress(psutil.NoSuchProcess):
            straggler.kill()
    if process.poll() is None:
        process.kill()
    process.wait()


def fits(page: Page) -> bool:
    """Nothing reaches out of the window sideways."""
    return page.evaluate(FITS)


def looks(page: Page) -> Iterator[Callable[[str], None]]:
    """Two ways of looking at each view of a page, one after the other: on a desk in the light, as
    it was opened, then on a phone in the dark. It fits, and an audit finds nothing serious.

        for look in looks(page):
            look_through(page, look, {"By budget": 1, "By class": 2})
    """

    def look(what: str) -> None:
        rest(page)
        with suppress(TimeoutError):  # a chart takes the window's width a little later
            page.wait_for_function(FITS, timeout=5_000)
        assert fits(page), f"{what}, {page.viewport_size['width']} pixels wide"
        assert serious(page) == [], what

    yield look
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    settle(page)
    yield look


def drawn(page: Page, charts: int) -> None:
    """Wait until so many charts are drawn."""
    found = page.locator("[data-testid=stVegaLiteChart] :is(svg, canvas)")
    expect(found).to_have_count(charts, timeout=LONG)


def look_through(page: Page, look: Callable[[str], None], views: Mapping[str, int]) -> None:
    """Choose each view by its name, wait for its number of charts, and look at it."""
    for show, charts in views.items():
        page.get_by_role("radio", name=show).click()
        drawn(page, charts)
        look(show)


def rest(page: Page) -> None:
    """Nothing under the mouse, which would be tinted, and nothing moves."""
    page.mouse.move(0, 0)
    settle(page)


def troubles(page: Page) -> list[str]:
    """page.problems without Streamlit's own: a link to a page makes it ask for the server's state
    below the page's address first.
    """
    asked = [
        problem
        for problem in page.problems
        if "answered 404" in problem and re.search(r"/\w+/_stcore/", problem)
    ]
    told = [
        problem
        for problem in page.problems
        if problem.startswith("console: Failed to load resource") and "404" in problem
    ]
    return [problem for problem in page.problems if problem not in asked + told[: len(asked)]]
