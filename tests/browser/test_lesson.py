"""The lesson as its readers and its speaker use it, in a real Chromium: on a phone, a desk and a
projector, in the light and in the dark.

One server for all, with a cache of its own; nothing is computed by a worker.
"""

import csv
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LONG, fits, looks, serious, settle, troubles
from tests.tools import qr_reading

CHAPTERS = 9
LAST = "What do we take away?"


@pytest.fixture(scope="module")
def address(serve, tmp_path_factory) -> str:
    return serve(env={"LEVERAGE_LAB_CACHE": str(tmp_path_factory.mktemp("cache"))})


@pytest.fixture
def open_chapter(open_page, address) -> Callable[..., Page]:
    """open_chapter(chapter, width=, theme=, talk=) -> the settled chapter."""

    def open_chapter(
        chapter: int = 1,
        width: int = 1280,
        theme: str = "light",
        talk: bool = False,
        height: int = 0,
    ) -> Page:
        tall = height or (720 if talk else 844 if width < 600 else 900)
        path = f"/lesson?chapter={chapter}{'&talk=1' if talk else ''}"
        page = open_page(address + path, width=width, height=tall, theme=theme)
        ready(page, chapter)
        return page

    return open_chapter


def ready(page: Page, chapter: int) -> None:
    expect(page.get_by_text(f"{chapter} of {CHAPTERS} ·")).to_be_attached(timeout=LONG)
    settle(page, LONG / 1000)


def press(page: Page, name: str | re.Pattern) -> None:
    page.get_by_role("button", name=name).click()
    page.mouse.move(0, 0)  # a button under the mouse has other colours
    settle(page, LONG / 1000)


def choose(page: Page, chapter: int) -> None:
    page.get_by_test_id("stButtonGroup").last.get_by_text(str(chapter), exact=True).click()
    ready(page, chapter)


def title(page: Page) -> str:
    return page.get_by_role("heading", level=1).inner_text()


def top(page: Page) -> int:
    return page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop")


def test_every_chapter_can_be_read_and_reached(open_chapter):
    page = open_chapter(1)
    ways = looks(page)
    look = next(ways)
    for chapter in range(1, CHAPTERS + 1):
        ready(page, chapter)
        look(f"chapter {chapter}")
        assert top(page) == 0, f"chapter {chapter} begins at its top"
        hidden = page.get_by_role("button", name="Show without predicting")
        if hidden.count():
            press(page, "Show without predicting")
            look(f"chapter {chapter}, revealed")
        if chapter < CHAPTERS:
            press(page, re.compile("^Next: "))
    assert title(page) == LAST and f"chapter={CHAPTERS}" in page.url
    look = next(ways)
    for chapter in range(CHAPTERS, 0, -1):
        choose(page, chapter)
        look(f"chapter {chapter}")
    assert troubles(page) == []


@pytest.mark.parametrize("chapter", range(1, CHAPTERS + 1))
def test_a_talk_shows_a_chapter_on_one_screen(open_chapter, chapter):
    page = open_chapter(chapter, talk=True)
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    over = page.evaluate(
        "(() => {const e = document.querySelector('[data-testid=stMain]'); return e.scrollHeight -"
        " e.clientHeight})()"
    )
    assert over < 80, "the last lines may lie below the screen, no more"
    assert serious(page) == [] and fits(page) and troubles(page) == []
    assert (
        float(page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)")) > 18
    ), "large type"


def test_pictures_grow_with_the_projector(open_chapter):
    small, large = (
        open_chapter(1, width=width, talk=True, height=height)
        for width, height in ((1280, 720), (1920, 1080))
    )
    drawn = [
        page.locator(".lever svg[role=group]").first.bounding_box()["height"]
        for page in (small, large)
    ]
    assert drawn[1] == pytest.approx(1.5 * drawn[0], rel=0.02)


def test_arrow_keys_and_a_clicker_move_through_a_talk(open_chapter):
    page = open_chapter(2, talk=True)
    for key, chapter in (
        ("ArrowRight", 3),
        ("PageDown", 4),
        ("ArrowLeft", 3),
        ("PageUp", 2),
        ("ArrowLeft", 1),
        ("ArrowLeft", 1),
    ):
        page.keyboard.press(key)
        ready(page, chapter)
    assert "talk=1" in page.url
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Talk mode")).to_be_visible(timeout=LONG)
    settle(page)
    assert "talk=" not in page.url
    page.keyboard.press("ArrowRight")
    settle(page)
    assert title(page) == "Which point holds the line?" and troubles(page) == []


def test_the_last_chapter_is_the_end_of_a_talk(open_chapter):
    page = open_chapter(CHAPTERS, talk=True)
    page.keyboard.press("ArrowRight")
    settle(page)
    assert title(page) == LAST


def test_an_arrow_key_in_a_picture_stays_in_it(open_chapter):
    page = open_chapter(3, talk=True)
    marks = page.locator(".plane").get_by_role("listbox")
    marks.focus()
    before = marks.get_attribute("aria-activedescendant")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    settle(page)
    assert (
        marks.get_attribute("aria-activedescendant") != before
        and title(page) == "Which digit sticks out?"
    )


def test_a_digit_is_chosen_by_keyboard_and_the_highest_are_framed(open_chapter):
    page = open_chapter(3)
    marks = page.locator(".plane").get_by_role("listbox")
    marks.focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")  # ends at the rim
    page.keyboard.press("Enter")
    settle(page)
    assert marks.locator("[aria-selected=true]").count() == 1
    press(page, "I predict the framed one")
    assert (
        marks.locator(".best").count() == 3
        and "You predicted: number" in page.locator(".verdict").inner_text()
    )
    chosen = marks.locator("[aria-selected=true]").bounding_box()
    right = max(
        box["x"] for box in (mark.bounding_box() for mark in marks.get_by_role("option").all())
    )
    assert (
        chosen["x"] > right - 3 * chosen["width"]
        and page.locator(".plane ellipse").count() == 3
        and troubles(page) == []
    )


def test_neighbours_in_the_plane_do_not_cover_one_another(open_chapter):
    page = open_chapter(3, width=390)
    boxes = [mark.bounding_box() for mark in page.locator(".plane").get_by_role("option").all()]
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            apart = max(abs(a["x"] - b["x"]), abs(a["y"] - b["y"]))
            assert apart > 0.95 * a["width"], "two digits are drawn over each other"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_code_leads_to_the_same_chapter(open_chapter, theme):
    page = open_chapter(6, theme=theme, talk=True)
    code = page.locator("img.code")
    expect(code).to_be_visible()
    link = qr_reading.read(qr_reading.modules(code.evaluate("e => e.outerHTML")))
    assert link == page.url.replace("&talk=1", "") and link.endswith("/lesson?chapter=6")
    box = code.bounding_box()
    assert box["width"] == pytest.approx(box["height"], rel=0.01) and box["width"] > 120
    phone = open_chapter(6, width=390)
    assert title(phone) == title(page) and page.problems is not phone.problems


def test_a_class_predicts_and_takes_its_predictions_home(open_chapter):
    page = open_chapter(1, width=390)
    press(page, "Its leverage")
    for chapter, option in ((4, "784, one per pixel"), (6, "0.5, half way")):
        choose(page, chapter)
        press(page, option)
        expect(page.locator(".verdict")).to_contain_text("You predicted: " + option)
    choose(page, 9)
    expect(page.get_by_role("heading", name="You predicted 2 of 3")).to_be_visible()
    with page.expect_download() as started:
        page.get_by_role("button", name="Download them (CSV)").click()
    with open(started.value.path(), newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["chapter"], row["right"]) for row in rows] == [
        ("1", "True"),
        ("4", "False"),
        ("6", "True"),
    ]
    page.reload()
    ready(page, 9)
    expect(page.get_by_text("You have not predicted anything yet")).to_be_visible()
    assert troubles(page) == []


def test_the_last_chapter_leads_into_the_pages(open_chapter):
    page = open_chapter(CHAPTERS)
    page.get_by_test_id("stMain").get_by_role("link", name="Agreement").click()
    expect(page.get_by_role("heading", name="Do representations agree?")).to_be_visible(
        timeout=LONG
    )


def test_back_returns_to_the_chapter_before(open_chapter):
    page = open_chapter(5)
    press(page, re.compile("^Next: "))
    ready(page, 6)
    page.go_back()
    ready(page, 5)
    assert title(page) == "Does a digit keep its place?"
