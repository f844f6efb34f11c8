"""The lesson as its readers and its speaker use it, in a real Chromium: on a phone, a desk and a
projector, in the light and in the dark.

One server for all, with a cache of its own; nothing is computed by a worker.
"""

import csv
import json
import re
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise

import numpy as np
import pytest
from playwright.sync_api import Page, TimeoutError, expect

from pages.parts.lesson.chapters import CHAPTERS, SLUGS
from tests.browser.conftest import LONG, ROOT, fits, looks, serious, settle, troubles
from tests.tools import qr_reading

LAST = "What do we take away?"
LEAST = 2.4  # per cent of the screen's height: of any word on a slide
SCREENS = {"1280x720": (1280, 720), "1920x1080": (1920, 1080)}
CLICKER = ("PageDown", "ArrowRight", "Space", "ArrowDown")
# The smallest words of the page in per cent of the window's height, shadow trees included. Formulas
# are left out, whose indices are small, and what is only read aloud.
SMALLEST = """() => {
  const found = [];
  const written = (node) => node.nodeType === 3 && node.textContent.trim();
  const own = (e) => [...e.childNodes].some(written);
  const walk = (root) => {
    for (const e of root.querySelectorAll("*")) {
      if (e.shadowRoot) walk(e.shadowRoot);
      if (e.matches(".gallery")) found.push([parseFloat(getComputedStyle(e).fontSize), "gallery"]);
      if (!own(e) || e.closest(".katex, style, script, title, .heard")) continue;
      const box = e.getBoundingClientRect();
      if (box.width < 2 || box.height < 2 || getComputedStyle(e).visibility === "hidden") continue;
      const m = e.getScreenCTM?.();
      const size = parseFloat(getComputedStyle(e).fontSize) * (m ? Math.hypot(m.a, m.b) : 1);
      found.push([size, e.textContent.slice(0, 60)]);
    }
  };
  walk(document.querySelector("[data-testid=stMain]"));
  found.sort((a, b) => a[0] - b[0]);
  return found.slice(0, 3).map(([size, words]) => [(100 * size) / innerHeight, words]);
}"""
# All that can be read on the page, shadow trees included.
WORDS = """() => {
  const read = (node) => [...node.childNodes].map((child) => {
    if (child.nodeType === 3) return child.textContent;
    if (child.nodeType !== 1) return "";
    return read(child) + (child.shadowRoot ? read(child.shadowRoot) : "");
  }).join(" ");
  return read(document.querySelector("[data-testid=stMain]"));
}"""
# How far the slide can be scrolled, and how much room is left above the row of buttons.
ROOM = """() => {
  const main = document.querySelector("[data-testid=stMain]");
  const row = document.querySelector(".st-key-lesson-nav").getBoundingClientRect();
  const slide = document.querySelector(".st-key-lesson").getBoundingClientRect();
  return [main.scrollHeight - main.clientHeight, row.top - slide.bottom];
}"""


@pytest.fixture(scope="module")
def address(serve, tmp_path_factory) -> str:
    return serve(env={"LEVERAGE_LAB_CACHE": str(tmp_path_factory.mktemp("cache"))})


@pytest.fixture(scope="module")
def published(serve, tmp_path_factory) -> str:
    """The address of a server whose host says by which name others reach it."""
    cache = str(tmp_path_factory.mktemp("cache"))
    named = "https://lab.example.org"
    return serve(env={"LEVERAGE_LAB_CACHE": cache, "LEVERAGE_LAB_PUBLIC_URL": named})


@pytest.fixture
def open_chapter(open_page, address) -> Callable[..., Page]:
    """open_chapter(chapter, width=, theme=, talk=) -> the settled chapter."""

    def open_chapter(
        chapter: str = SLUGS[0],
        width: int = 1280,
        theme: str = "light",
        talk: bool = False,
        height: int = 0,
        at: str = address,
        more: str = "",
    ) -> Page:
        tall = height or (720 if talk else 844 if width < 600 else 900)
        path = f"/lesson?chapter={chapter}{'&talk=1' if talk else ''}{more}"
        page = open_page(at + path, width=width, height=tall, theme=theme)
        ready(page, chapter)
        return page

    return open_chapter


def ready(page: Page, chapter: str) -> None:
    place = SLUGS.index(chapter) + 1
    expect(page.get_by_text(f"{place} of {len(SLUGS)} ·")).to_be_attached(timeout=LONG)
    settle(page, LONG / 1000)


def press(page: Page, name: str | re.Pattern) -> None:
    page.get_by_role("button", name=name).click()
    page.mouse.move(0, 0)  # a button under the mouse has other colours
    settle(page, LONG / 1000)


def choose(page: Page, chapter: str) -> None:
    opened = page.get_by_test_id("stSelectboxVirtualDropdown")  # a gallery is a listbox, too
    for _ in range(5):  # a page that still lays itself out closes what was opened
        page.get_by_role("combobox", name="Chapter").click()
        with suppress(TimeoutError):
            opened.wait_for(timeout=2_000)
            break
    option = opened.get_by_role("option", name=CHAPTERS[SLUGS.index(chapter)].name)
    option.click()
    ready(page, chapter)


def title(page: Page) -> str:
    return page.get_by_role("heading", level=1).inner_text()


def top(page: Page) -> int:
    return page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop")


def test_every_chapter_can_be_read_and_reached(open_chapter):
    page = open_chapter()
    ways = looks(page)
    look = next(ways)
    for chapter in SLUGS:
        ready(page, chapter)
        look(f"chapter {chapter}")
        assert top(page) == 0, f"chapter {chapter} begins at its top"
        hidden = page.get_by_role("button", name="Show without predicting")
        if hidden.count():
            press(page, "Show without predicting")
            look(f"chapter {chapter}, revealed")
        if chapter != SLUGS[-1]:
            press(page, re.compile("^Next: "))
    assert title(page) == LAST and f"chapter={SLUGS[-1]}" in page.url
    look = next(ways)
    for chapter in SLUGS[::-1]:
        choose(page, chapter)
        look(f"chapter {chapter}")
    assert troubles(page) == []


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("named", [True, False], ids=["with a code", "on loopback"])
def test_the_whole_talk_by_keys_alone(open_chapter, published, address, screen, named):
    width, height = SCREENS[screen]
    at = published if named else address
    page = open_chapter(SLUGS[0], width=width, height=height, talk=True, at=at)
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    reached = [title(page)]
    for step in range(60):
        where = f"step {step}, {title(page)}"
        page.wait_for_function(f"({ROOM})()[0] === 0", timeout=10_000)
        scrolls, room = page.evaluate(ROOM)
        assert scrolls == 0 and room >= 0, where
        size, words = page.evaluate(SMALLEST)[0]
        assert size >= LEAST, f"{where}: {words}"
        assert fits(page), where
        if page.locator(".st-key-lesson-next").inner_text() == "Start again":
            break
        before = page.evaluate(WORDS)
        page.keyboard.press(CLICKER[step % len(CLICKER)])
        page.wait_for_function(f"before => ({WORDS})() !== before", arg=before)
        settle(page)
        reached.append(title(page))
    assert list(dict.fromkeys(reached)) == [chapter.question for chapter in CHAPTERS]
    page.keyboard.press("PageDown")
    settle(page)
    assert title(page) == LAST, "the end of the talk"
    assert serious(page) == [] and troubles(page) == []


def test_pictures_grow_with_the_projector(open_chapter):
    small, large = (
        open_chapter("lever", width=width, talk=True, height=height)
        for width, height in ((1280, 720), (1920, 1080))
    )
    drawn = [
        page.locator(".lever svg[role=group]").first.bounding_box()["height"]
        for page in (small, large)
    ]
    assert drawn[1] == pytest.approx(1.5 * drawn[0], rel=0.02)


def test_a_clicker_moves_on_and_back_and_escape_ends_the_talk(open_chapter):
    page = open_chapter("regressors", talk=True)
    for key, chapter in (
        ("ArrowRight", "digits"),
        ("ArrowLeft", "regressors"),
        ("PageDown", "digits"),
        ("PageUp", "regressors"),
        ("ArrowUp", "lever"),
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


@pytest.mark.parametrize("key", ["PageDown", "ArrowRight", "Space"])
@pytest.mark.parametrize(
    ("chapter", "touched", "following"),
    [
        ("regressors", ".lever .point", "digits"),
        ("regressors", ".lever [data-do=restore]", "digits"),
        ("beyond", ".st-key-opening h1", "takeaway"),
    ],
    ids=["a slider", "a button", "words"],
)
def test_whatever_was_touched_last_does_not_swallow_the_talks_keys(
    open_chapter, key, chapter, touched, following
):
    page = open_chapter(chapter, talk=True)
    page.locator(touched).first.click()
    page.keyboard.press(key)
    ready(page, following)


def test_a_radio_and_a_slider_that_were_touched_do_not_swallow_keys(open_chapter):
    page = open_chapter("useful", talk=True)
    page.keyboard.press("PageDown")
    radio = page.get_by_role("radio", name="As in the talk")
    radio.click()
    settle(page)
    page.locator(".curves input").click()
    radio.click()
    settle(page)
    for _ in range(2):
        page.keyboard.press("ArrowRight")
        settle(page)
    ready(page, "sampling")


def test_a_frame_that_has_the_focus_gives_it_back(open_chapter):
    page = open_chapter("regressors", talk=True)
    page.evaluate(
        """() => {
            const frame = Object.assign(document.createElement("iframe"), {srcdoc: "<input>"});
            document.querySelector("[data-testid=stMain]").prepend(frame);
        }"""
    )
    page.frame_locator("iframe").locator("input").click()
    page.wait_for_function("document.activeElement.tagName !== 'IFRAME'")
    page.keyboard.press("PageDown")
    ready(page, "digits")


def test_who_walks_into_a_picture_by_tab_has_its_arrows(open_chapter):
    page = open_chapter("regressors", talk=True)
    page.keyboard.press("Tab")
    point = page.locator(".lever .point").first
    for _ in range(60):
        if point.evaluate("e => e.getRootNode().activeElement === e"):
            break
        page.keyboard.press("Tab")
    before = point.get_attribute("aria-valuenow")
    page.keyboard.press("ArrowRight")
    expect(point).not_to_have_attribute("aria-valuenow", before)
    assert title(page) == "What is far, in two directions?"
    page.keyboard.press("PageDown")
    ready(page, "digits")


def test_a_figure_with_a_step_of_its_own_takes_it_first(open_chapter):
    page = open_chapter("regressors", talk=True)
    page.evaluate(
        """() => document.addEventListener("lesson:next", (event) => {
            window.steps = (window.steps ?? 0) + 1;
            if (window.steps <= 2) event.preventDefault();
        })"""
    )
    page.keyboard.press("PageDown")
    press(page, re.compile("^Next: "))
    assert title(page) == "What is far, in two directions?" and page.evaluate("steps") == 2
    page.keyboard.press("PageDown")
    ready(page, "digits")


def test_the_speaker_has_a_line_with_the_time(open_chapter):
    page = open_chapter("digits", talk=True, more="&notes=1")
    line = page.locator(".keys")
    expect(line).to_contain_text(CHAPTERS[SLUGS.index("digits")].note)
    expect(line.locator(".time")).to_have_text(re.compile(r"^0:\d\d of the talk, 0:\d\d here$"))
    page.wait_for_timeout(2_100)
    page.keyboard.press("ArrowLeft")
    ready(page, "regressors")
    page.keyboard.press("ArrowRight")
    ready(page, "digits")
    whole, here = re.findall(r"0:(\d\d)", line.locator(".time").inner_text())
    assert int(whole) >= 2 and int(here) <= int(whole) and page.evaluate(ROOM)[0] == 0
    slide = open_chapter("digits", talk=True)
    expect(slide.locator(".keys")).to_be_hidden()


# ---- curves ----

LAYOUT = (ROOT / "pages/components/curves_layout.js").read_text("utf-8")
CALL = """async ([source, script]) => {
  const layout = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  return new Function("layout", "return " + script)(layout);
}"""


def spread(page: Page, wanted: list[float], gap: float, low: float, high: float) -> np.ndarray:
    script = f"layout.spread({json.dumps(wanted)}, {gap}, {low}, {high})"
    return np.array(page.evaluate(CALL, [LAYOUT, script]))


@pytest.mark.parametrize("seed", range(8))
def test_names_stand_apart_and_as_near_as_can_be(open_page, address, seed):
    """Against the definition: no other places in the same order have smaller squared moves."""
    page = open_page(address + "/lesson")
    rng = np.random.default_rng(seed)
    wanted = rng.uniform(0, 100, 5)
    places = spread(page, wanted.tolist(), 12, 0, 100)
    order = np.argsort(wanted)
    assert (np.diff(places[order]) >= 12 - 1e-9).all()
    assert places.min() >= -1e-9 and places.max() <= 100 + 1e-9
    cost = ((places - wanted) ** 2).sum()
    for _ in range(3_000):
        other = places.copy()
        other[order] += rng.normal(size=5) * rng.choice([0.01, 1, 10])
        sound = (np.diff(other[order]) >= 12).all() and other.min() >= 0 and other.max() <= 100
        assert not sound or ((other - wanted) ** 2).sum() >= cost - 1e-9


def test_names_without_room_share_what_there_is(open_page, address):
    page = open_page(address + "/lesson")
    assert spread(page, [5, 5, 5], 40, 0, 60).tolist() == [0, 30, 60]
    assert spread(page, [5], 40, 10, 60).tolist() == [10]


@pytest.mark.parametrize("width", [1280, 390])
def test_no_name_is_printed_over_another_at_any_epoch(open_chapter, width):
    page = open_chapter("useful", width=width)
    press(page, "Show without predicting")
    for protocol in ("Shuffled", "As in the talk"):
        page.get_by_role("radio", name=protocol).click()
        settle(page)
        for epoch in range(1, 16):
            page.locator(".curves input").evaluate(
                "(e, at) => {e.value = at; e.dispatchEvent(new Event('input'))}", epoch
            )
            for panel in page.locator(".curves svg").all():
                boxes = [name.bounding_box() for name in panel.locator(".name").all()]
                assert len(boxes) == 4
                tops = sorted((box["y"], box["height"]) for box in boxes)
                for (y, h), (after, _) in pairwise(tops):
                    assert after - y >= 0.72 * h, f"{protocol}, epoch {epoch}"
    assert fits(page) and troubles(page) == []


def test_play_lets_the_curves_grow(open_chapter):
    page = open_chapter("useful")
    page.emulate_media(reduced_motion="no-preference")
    press(page, "Show without predicting")
    output = page.locator(".curves output")
    expect(output).to_have_text("epoch 15", timeout=LONG)
    page.locator(".curves button").click()
    expect(output).not_to_have_text("epoch 15")
    expect(output).to_have_text("epoch 15", timeout=LONG)
    assert page.locator(".curves .curve").count() == 8 and troubles(page) == []


# ---- readers ----


def test_a_digit_is_chosen_by_keyboard_and_the_highest_are_framed(open_chapter):
    page = open_chapter("digits")
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
    page = open_chapter("digits", width=390)
    boxes = [mark.bounding_box() for mark in page.locator(".plane").get_by_role("option").all()]
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            apart = max(abs(a["x"] - b["x"]), abs(a["y"] - b["y"]))
            assert apart > 0.95 * a["width"], "two digits are drawn over each other"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_code_leads_to_the_same_chapter(open_chapter, published, theme):
    page = open_chapter("agreement", theme=theme, talk=True, at=published)
    code = page.locator("img.code")
    expect(code).to_be_visible()
    link = qr_reading.read(qr_reading.modules(code.evaluate("e => e.outerHTML")))
    assert link == "https://lab.example.org/lesson?chapter=agreement"
    assert page.locator(".address").inner_text() == link
    box = code.bounding_box()
    assert box["width"] == pytest.approx(box["height"], rel=0.01) and box["width"] > 120
    phone = open_chapter("agreement", width=390)
    assert title(phone) == title(page) and page.problems is not phone.problems


def test_on_loopback_a_slide_says_how_to_open_the_server(open_chapter):
    page = open_chapter("agreement", talk=True)
    expect(page.locator(".unreachable")).to_contain_text("--server.address 0.0.0.0")
    assert page.locator("img.code").count() == 0


def test_a_class_predicts_and_takes_its_predictions_home(open_chapter):
    page = open_chapter("lever", width=390)
    press(page, "Its leverage")
    for chapter, option in (
        ("directions", "784, one per pixel"),
        ("agreement", "0.5, half way"),
    ):
        choose(page, chapter)
        press(page, option)
        expect(page.locator(".verdict")).to_contain_text("You predicted: " + option)
    choose(page, SLUGS[-1])
    expect(page.get_by_role("heading", name="You predicted 2 of 3")).to_be_visible()
    with page.expect_download() as started:
        page.get_by_role("button", name="Download them (CSV)").click()
    with open(started.value.path(), newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["chapter"], row["right"]) for row in rows] == [
        ("A line and a lever", "True"),
        ("784 directions", "False"),
        ("Agreement", "True"),
    ]
    page.reload()
    ready(page, SLUGS[-1])
    expect(page.get_by_text("You have not predicted anything yet")).to_be_visible()
    assert troubles(page) == []


def test_the_last_chapter_leads_into_the_pages(open_chapter):
    page = open_chapter(SLUGS[-1])
    page.get_by_test_id("stMain").get_by_role("link", name="Agreement").click()
    expect(page.get_by_role("heading", name="Do representations agree?")).to_be_visible(
        timeout=LONG
    )


def test_back_returns_to_the_chapter_before(open_chapter):
    page = open_chapter("network")
    press(page, re.compile("^Next: "))
    ready(page, "agreement")
    page.go_back()
    ready(page, "network")
    assert title(page) == "Does a digit keep its place?"
