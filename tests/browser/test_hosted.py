"""The hosted demo as its visitors use it, in a real Chromium, behind its own headers: pictures
without a worker, experiments of visitors who cannot stop each other's, a question that is too
large, and a worker that dies.
"""

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LONG, fits, past_experiment, settle, troubles
from tests.tools import hosted_server

PAGES = (
    "",
    "explore",
    "agreement",
    "map",
    "retrain",
    "active",
    "influence",
    "trim",
    "simulations",
    "lesson?chapter=regressors",
)
SLOW = (  # minutes by the rate of steady_app, as the demo allows, and longer than this test
    "dataset=digits&network=mlp&budgets=1400"
    "&candidates=top%3Araw+bottom%3Araw+top%3Apca+random&seeds=20&epochs="
)
INSIDES = re.compile(
    r"(?<![\w:/.])/(?:tmp|var|usr|opt|etc|root)\b|LEVERAGE_LAB|\b\w+Error\b|Traceback"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[hosted_server.Hosted]:
    folder = tmp_path_factory.mktemp("hosted")
    with hosted_server.running(folder, app="tests.tools.steady_app:app") as server:
        yield server


@pytest.fixture(scope="module")
def address(server) -> str:
    return server.url


def start(page: Page) -> None:
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible(timeout=LONG)


def text_of(page: Page) -> str:
    return page.locator("body").inner_text()


def test_every_page_is_drawn_under_the_headers_and_asks_no_worker(visit, server):
    page = visit("/")
    for path in PAGES:
        if path:
            page.goto(f"{server.url}/{path}")
        settle(page, LONG / 1000)
        drawn = page.locator(
            "[data-testid=stVegaLiteChart] :is(canvas, svg), [data-testid^=stBidiComponent]"
        )
        expect(drawn.first).to_be_visible(timeout=LONG)
        assert troubles(page) == [], path
        assert not INSIDES.search(text_of(page)), path
    time.sleep(3)  # at home the worker would have been started by now
    assert server.workers() == []


def test_nobody_stops_anothers_experiment_and_the_queue_is_shown(visit):
    one, two = visit(f"/retrain?{SLOW}200"), visit(f"/retrain?{SLOW}200")
    start(one)
    two.reload()
    expect(
        two.get_by_text("Another session waits for this experiment, so it goes on.")
    ).to_be_visible(timeout=LONG)
    assert two.get_by_role("button", name="Stop").count() == 0
    third = visit(f"/retrain?{SLOW}190", 390, "dark")
    start(third)
    expect(third.get_by_text("Waiting: 1 experiment before this one")).to_be_visible(timeout=LONG)
    settle(third, LONG / 1000)
    assert fits(third)
    third.get_by_role("button", name="Stop").click()
    expect(third.get_by_text("Stopped.")).to_be_visible(timeout=LONG)
    expect(two.get_by_text("Another session waits")).to_be_visible(timeout=LONG)
    one.get_by_role("button", name="Stop").click()
    expect(one.get_by_text("Stopped.")).to_be_visible(timeout=LONG)
    for page in (one, two, third):
        assert troubles(page) == []
        listed = page.get_by_role("button", name=re.compile("equal epochs"))
        told = page.get_by_text("None yet on these points") if page is two else listed.first
        expect(past_experiment(page, told)).to_be_visible()


def test_a_question_too_large_is_refused_with_a_sentence(visit):
    page = visit("/explore?strategy=influence_value")
    expect(page.get_by_text("on the hosted demo there may be 2,000")).to_be_visible(timeout=LONG)
    assert page.get_by_role("button", name="Try again").count() == 0 and not INSIDES.search(
        text_of(page)
    )
    page = visit(f"/retrain?{SLOW}200".replace("1400", "100+200+300+400+500+600+700+800+900"))
    expect(page.get_by_text("Found 9 budgets; on the hosted demo there may be 8.")).to_be_visible(
        timeout=LONG
    )
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_disabled()
    page = visit("/explore?dataset=kmnist")
    expect(page.get_by_text("python -m core fetch kmnist")).to_be_visible(timeout=LONG)
    assert (
        troubles(page) == []
        and page.get_by_role("button", name="Download Kuzushiji-MNIST").count() == 0
    )


def test_a_worker_that_dies_is_told_without_its_insides(visit, server):
    page = visit("/explore?dataset=digits&embedding=projection")
    expect(page.get_by_text("points").first).to_be_visible(timeout=LONG)
    settle(page, LONG / 1000)
    for worker in server.workers():
        worker.kill()
    page = visit("/explore?dataset=digits&embedding=random_relu")
    settle(page, LONG / 1000)
    expect(page.locator("[data-testid^=stBidiComponent]").first).to_be_visible(timeout=LONG)
    assert not INSIDES.search(text_of(page))
