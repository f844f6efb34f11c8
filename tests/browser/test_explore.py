"""The Explore page as its readers use it, in a real Chromium: on a desk and on a phone, in the
light and in the dark.

One server for all, with a cache of its own. Most journeys use the small `digits`; the default
screen opens once per size and theme.
"""

import csv
import io
import re

import numpy as np
import psutil
import pytest
from playwright.sync_api import Page, expect

from core import datasets, embeddings
from core.linalg import ties
from core.strategies.leverage import leverage
from tests.browser.conftest import DESK_AND_PHONE, LONG, fits, looks, serious, settle, troubles

PATH = "/explore"
DIGITS = "/explore?dataset=digits"


@pytest.fixture(scope="module")
def address(serve, tmp_path_factory) -> str:
    return serve(env={"LEVERAGE_LAB_CACHE": str(tmp_path_factory.mktemp("cache"))})


@pytest.fixture(scope="module")
def scores() -> np.ndarray:
    """Leverage of the digits under raw pixels."""
    return leverage(embeddings.embed(datasets.load("digits"), "raw").embedding)


def ready(page: Page) -> None:
    expect(gallery(page).get_by_role("option").first).to_be_attached(timeout=LONG)
    expect(page.get_by_test_id("stProgress")).to_have_count(0, timeout=LONG)
    settle(page, LONG / 1000)


def gallery(page: Page):
    return (
        page.locator(".st-key-current .gallery, .st-key-stale .gallery")
        .get_by_role("listbox")
        .first
    )


def first_digit(page: Page) -> str:
    """What a screen reader says of the first image."""
    return gallery(page).get_by_role("option").first.get_attribute("aria-label")


def drawn_scores(page: Page) -> np.ndarray:
    labels = (
        gallery(page)
        .get_by_role("option")
        .evaluate_all("all => all.map((o) => o.getAttribute('aria-label'))")
    )
    return np.array([float(label.rpartition("score ")[2]) for label in labels])


def sentence(page: Page) -> str:
    return page.locator("p.answer").first.inner_text()


def choose(page: Page, label: str, option: str) -> None:
    """Pick an option of a select box."""
    page.get_by_role("combobox", name=re.compile(label)).click()
    page.get_by_role("option", name=option, exact=True).click()
    settle(page)
    ready(page)


def drawer(page: Page):
    return page.get_by_role("dialog")


def test_the_first_screen(visit):
    page = visit(PATH)
    expect(page.get_by_role("heading", name="Which digits matter?")).to_be_visible()
    assert "of 70,000 digits have a leverage above 0.99" in sentence(page) and first_digit(
        page
    ).startswith("rank 1, class ")
    facts = page.locator("dl.facts").inner_text()
    assert re.search(r"713\s+rank|rank\s+713", facts) and re.search(
        r"713\.0\s+sum|sum of scores\s+713\.0", facts
    )
    expect(page.get_by_text("43 artefacts")).to_be_attached(timeout=LONG)
    assert gallery(page).bounding_box()["y"] < 700, "the first digits are seen without scrolling"
    for look in looks(page):
        look("the first screen")
    assert troubles(page) == []


@DESK_AND_PHONE
def test_change_strategy_click_a_digit_and_share_it(visit, width, theme):
    page = visit(DIGITS, width, theme)
    before, digit = sentence(page), first_digit(page)
    choose(page, "Strategy", "Random")
    assert (
        sentence(page) != before
        and "random scores 1,797 digits" in sentence(page)
        and first_digit(page) != digit
    )
    assert "strategy=random" in page.url
    choose(page, "Strategy", "Leverage")
    assert (sentence(page), first_digit(page)) == (before, digit)

    gallery(page).get_by_role("option").nth(2).click()
    expect(drawer(page)).to_contain_text("Nearest neighbours", timeout=LONG)
    settle(page)
    title = (
        drawer(page).get_by_role("heading").first.inner_text()
        if drawer(page).get_by_role("heading").count()
        else ""
    )
    assert "Number" in drawer(page).inner_text() and "Rank 3 of 1,797" in drawer(page).inner_text()
    assert re.search(r"point=\d+", page.url) and fits(page)
    assert serious(page) == []

    shared = visit(page.url, width, theme)
    expect(drawer(shared)).to_contain_text("Rank 3 of 1,797", timeout=LONG)
    assert title in drawer(shared).inner_text()
    page.keyboard.press("Escape")
    expect(drawer(page)).to_have_count(0)
    settle(page)
    assert "point=" not in page.url
    assert troubles(page) == [] and troubles(shared) == []


def test_a_copied_link_shows_the_same_in_a_fresh_session(visit):
    page = visit(f"{DIGITS}&embedding=projection&e.k=20&seed=3&s.ridge=0.1", 390, "dark")
    page.get_by_text("Lowest", exact=True).click()
    settle(page)
    page.get_by_role("button", name="Link to this view").click()
    page.get_by_test_id("stCode").hover()
    page.get_by_role("button", name="Copy to clipboard").click()
    link = page.evaluate("navigator.clipboard.readText()")
    assert in_parts(link) == in_parts(page.url)
    assert in_parts(link)[1] == {
        "dataset=digits",
        "embedding=projection",
        "e.k=20",
        "seed=3",
        "s.ridge=0.1",
        "show=bottom",
    }
    fresh = visit(link)
    assert first_digit(fresh) == first_digit(page) and first_digit(page).startswith("rank 1797,")
    assert sentence(fresh) == sentence(page) and "random projection" in sentence(page)
    assert in_parts(fresh.url) == in_parts(link) and troubles(page) == [] and troubles(fresh) == []


def in_parts(link: str) -> tuple[str, set[str]]:
    """The server's address and the parameters of a link."""
    base, _, query = link.partition("?")
    return base.rstrip("/"), set(query.split("&"))


def test_the_table_of_all_scores_can_be_downloaded(visit, scores):
    page = visit(DIGITS)
    page.get_by_role("button", name="Download scores").click()
    with page.expect_download(timeout=LONG) as waiting:
        page.get_by_role("button", name="CSV, 1,797 rows").click()
    assert waiting.value.suggested_filename == "digits-raw-leverage.csv"
    rows = list(csv.DictReader(io.StringIO(waiting.value.path().read_text())))
    assert list(rows[0]) == [
        "id",
        "index",
        "split",
        "label",
        "score_raw_leverage",
        "rank_raw_leverage",
    ]
    assert [int(row["index"]) for row in rows] == list(range(1797))
    assert np.allclose([float(row["score_raw_leverage"]) for row in rows], scores, atol=1e-12)
    with page.expect_download(timeout=LONG) as waiting:
        page.get_by_role("button", name=re.compile("Manifest")).click()
    assert '"dataset": "digits"' in waiting.value.path().read_text() and troubles(page) == []


def test_the_keyboard_opens_a_dossier(visit, scores):
    page = visit(DIGITS)
    gallery(page).focus()
    page.keyboard.press("ArrowRight")
    assert active_of(page) == 1
    page.keyboard.press("Enter")
    second = int(ties.order(scores)[1])
    expect(drawer(page)).to_contain_text(f"Number {second:,} of the digits", timeout=LONG)
    assert f"point={second}" in page.url and troubles(page) == []


def active_of(page: Page) -> int:
    return int(gallery(page).get_attribute("aria-activedescendant").removeprefix("item-"))


def test_a_brush_on_the_histogram_narrows_the_gallery_until_it_is_cleared(visit, scores):
    page = visit(DIGITS)
    whole = drawn_scores(page)
    chart = page.get_by_test_id("stVegaLiteChart").first
    expect(chart.locator("svg, canvas").first).to_be_visible(timeout=LONG)
    box = chart.bounding_box()
    page.mouse.move(box["x"] + 0.45 * box["width"], box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 50, steps=8)
    page.mouse.up()
    expect(page.get_by_text("Kept:")).to_be_visible(timeout=LONG)
    ready(page)
    low, high = (float(re.search(rf"{name}=([^&]+)", page.url)[1]) for name in ("low", "high"))
    kept = drawn_scores(page)
    assert scores.min() < low < high < whole.max()
    assert 0 < len(kept) < len(whole) and kept.max() <= high + 6e-4 and kept.min() >= low - 6e-4
    page.get_by_role("button", name="Show all scores").click()
    expect(page.get_by_text("Kept:")).to_have_count(0, timeout=LONG)
    ready(page)
    assert (
        np.array_equal(drawn_scores(page), whole)
        and "low=" not in page.url
        and troubles(page) == []
    )


def test_back_returns_to_the_view_before(visit):
    page = visit(DIGITS)
    before, url = first_digit(page), page.url
    choose(page, "Strategy", "Random")
    page.go_back()
    settle(page)
    ready(page)
    expect(gallery(page).get_by_role("option").first).to_have_attribute(
        "aria-label", before, timeout=LONG
    )
    assert page.url == url and troubles(page) == []


def test_a_bad_link_shows_what_was_wrong_and_a_working_page(visit):
    page = visit("/explore?dataset=digits&strategy=luck&n=nan&point=99999999")
    alerts = " ".join(page.get_by_test_id("stAlert").all_inner_texts())
    assert all(
        words in alerts
        for words in ("Strategy: found 'luck'", "n: found 'nan'", "not in this dataset")
    )
    assert "1,797 digits" in sentence(page)
    for look in looks(page):
        look("a bad link")
    assert troubles(page) == []


def test_a_worker_killed_while_it_computes_comes_back_and_the_result_arrives(open_page, address):
    page = open_page(address + "/explore?n=10000&embedding=random_relu&e.k=2000")
    expect(page.get_by_text(re.compile("Computing|Scoring"))).to_be_visible(timeout=LONG)
    victim = worker_of(address)
    victim.kill()
    victim.wait(30)
    expect(gallery(page).get_by_role("option").first).to_be_attached(timeout=LONG)
    assert "10,000 digits" in sentence(page) and page.get_by_test_id("stAlert").count() == 0
    assert worker_of(address).pid != victim.pid and troubles(page) == []


def worker_of(address: str) -> psutil.Process:
    """The process in which this server's work is done: the one that the worker host started."""
    port = address.rpartition(":")[2]
    (server,) = [
        child for child in psutil.Process().children() if f"--server.port={port}" in child.cmdline()
    ]
    (host,) = [child for child in server.children() if "core.runtime.worker" in child.cmdline()]
    (worker,) = [
        child
        for child in host.children()
        if "spawn_main" in " ".join(child.cmdline()) and child.status() != "zombie"
    ]
    return worker
