"""The Map page as its readers use it, in a real Chromium: the map of all digits on a desk and on a
phone, and what lies in a box.

One server for most, with a cache of its own into which a made-up map of the small `digits` is
planted, so that what lies where is known; a fresh one for the link that is its very first request.
"""

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from core import datasets
from core.runtime import cache
from core.spec import Spec, map_key
from tests.browser.conftest import DESK_AND_PHONE, LONG, fits, serious, settle, troubles

PATH = "/map"
DIGITS = "/map?dataset=digits"


@pytest.fixture(scope="module")
def places() -> np.ndarray:
    """A made-up map: class c within 0.7 of (4 * (c % 5), 4 * (c // 5))."""
    labels = datasets.load("digits").labels
    centres = 4.0 * np.column_stack([labels % 5, labels // 5])
    return (centres + np.random.default_rng(0).uniform(-0.7, 0.7, (len(labels), 2))).astype(
        np.float32
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory, places) -> Path:
    """A cache that holds the made-up map of raw pixels, and the same turned and shrunk under
    PCA.
    """
    folder, fingerprint = tmp_path_factory.mktemp("cache"), datasets.load("digits").fingerprint
    turned = (places @ np.array([[0.6, -0.8], [0.8, 0.6]]) / 3).astype(np.float32)
    for name, coordinates in (("raw", places), ("pca", turned)):
        key = map_key(Spec().with_(dataset="digits", embedding=name), fingerprint)
        cache.put(
            key, {"coordinates": coordinates}, {"trustworthiness": 0.9, "seconds": 1.0}, root=folder
        )
    return folder


@pytest.fixture(scope="module")
def address(serve, folder) -> str:
    return serve(env={"LEVERAGE_LAB_CACHE": str(folder)})


def ready(page: Page) -> None:
    expect(picture(page)).to_be_visible(timeout=LONG)
    expect(page.get_by_test_id("stProgress")).to_have_count(0, timeout=LONG)
    page.wait_for_function(
        "canvas => (document.querySelector(canvas)?.width ?? 0) > 0",
        arg="[data-testid=stVegaLiteChart] canvas",
    )
    settle(page, LONG / 1000)


def picture(page: Page, side: int = 0):
    return page.get_by_test_id("stVegaLiteChart").nth(side).locator("canvas").first


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> tuple[float, float]:
    """Drag a box over the map between two places, as shares of its width and height; its size in
    pixels.
    """
    picture(page).scroll_into_view_if_needed()
    box = picture(page).bounding_box()
    (x0, y0), (x1, y1) = (
        (round(box["x"] + u * box["width"]), round(box["y"] + v * box["height"]))
        for u, v in (start, end)
    )
    page.mouse.move(x0, y0)
    page.mouse.down()
    page.mouse.move(x1, y1, steps=8)
    page.mouse.up()
    return abs(x1 - x0), abs(y1 - y0)


def box_of(url: str) -> tuple[float, ...]:
    """(x0, x1, y0, y1) of a link."""
    return tuple(float(part) for part in re.split(",|%2C", re.search(r"box=([^&]+)", url)[1]))


def inside(places: np.ndarray, box: tuple[float, ...]) -> int:
    x, y = places.T
    return int(((x >= box[0]) & (x <= box[1]) & (y >= box[2]) & (y <= box[3])).sum())


def shades(page: Page, side: int = 0) -> int:
    """How many different colours the map has."""
    return picture(page, side).evaluate("""canvas => {
        const seen = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
        return new Set(new Uint32Array(seen.data.buffer)).size
    }""")


@DESK_AND_PHONE
def test_the_map_of_all_digits(visit, width, theme):
    page = visit("/map", width, theme)
    expect(page.get_by_role("heading", name="Where do they lie?")).to_be_visible()
    assert re.search(
        r"the 1,000 digits of highest leverage", page.locator("p.answer").first.inner_text()
    )
    page.wait_for_timeout(300)
    assert shades(page) > 50 and picture(page).bounding_box()["height"] > 300
    expect(page.locator(".legend").first).to_contain_text("lowest")
    assert fits(page) and serious(page) == [] and troubles(page) == []
    if width == 1280:
        tops = {
            page.get_by_text(label, exact=True).first.bounding_box()["y"]
            for label in ("Strategy", "Beside it", "Colour by")
        }
        assert max(tops) - min(tops) < 12, "the controls stand in one row"


@DESK_AND_PHONE
def test_a_brush_shows_what_lies_inside_at_equal_aspect(visit, places, width, theme):
    page = visit(f"{DIGITS}&colour=class", width, theme)
    across, down = drag(page, (0.15, 0.3), (0.6, 0.62))
    heading = page.get_by_role("heading", name=re.compile("digits in the box"))
    expect(heading).to_be_visible(timeout=LONG)
    settle(page)
    box = box_of(page.url)
    assert (box[1] - box[0]) / across == pytest.approx((box[3] - box[2]) / down, rel=0.01), (
        "both axes have the same scale"
    )
    assert heading.inner_text().startswith(
        f"{inside(places, box):,} digits in the box"
    ) and 0 < inside(places, box) < len(places)
    expect(page.get_by_role("listbox").first.get_by_role("option").first).to_be_attached()
    assert fits(page) and serious(page) == []
    page.get_by_role("button", name="Clear the box").click()
    expect(heading).to_have_count(0, timeout=LONG)
    settle(page)
    assert "box=" not in page.url and troubles(page) == []


def test_the_first_request_of_a_fresh_server_may_be_a_link_to_a_box(
    open_page, serve, folder, visit, places
):
    page = visit(f"{DIGITS}&beside=pca&colour=disagreement")
    drag(page, (0.1, 0.1), (0.5, 0.9))
    heading = page.get_by_role("heading", name=re.compile("digits in the box"))
    expect(heading).to_be_visible(timeout=LONG)
    settle(page)
    address = serve(env={"LEVERAGE_LAB_CACHE": str(folder), "COLD": "map"})
    cold = open_page(address + page.url[page.url.index("/map") :])
    ready(cold)
    assert (
        cold.get_by_role("heading", name=re.compile("in the box")).inner_text()
        == heading.inner_text()
    )
    assert cold.get_by_role("listbox").first.get_by_role("option").first.get_attribute(
        "aria-label"
    ) == (page.get_by_role("listbox").first.get_by_role("option").first.get_attribute("aria-label"))
    assert (
        box_of(cold.url) == box_of(page.url)
        and cold.get_by_role("radio", name="Disagreement").is_checked()
    )
    titles = " ".join(cold.get_by_test_id("stSidebarNavLink").all_inner_texts())
    assert (
        all(title in titles for title in ("Explore", "Agreement", "Map"))
        and troubles(page) == []
        and troubles(cold) == []
    )


def test_two_maps_stand_side_by_side_in_the_same_orientation(visit):
    page = visit(f"{DIGITS}&beside=pca&colour=class")
    expect(picture(page, 1)).to_be_visible(timeout=LONG)
    left, right = (picture(page, side).bounding_box() for side in (0, 1))
    assert (
        abs(left["y"] - right["y"]) < 2
        and left["height"] == right["height"]
        and right["x"] > left["x"] + left["width"] - 1
    )
    page.wait_for_timeout(300)
    same = page.evaluate("""() => {
        const [a, b] = [...document.querySelectorAll('[data-testid=stVegaLiteChart] canvas')]
            .map((c) => c.getContext('2d').getImageData(0, 0, c.width, c.height).data)
        return a.length === b.length
            && a.filter((v, i) => Math.abs(v - b[i]) < 40).length / a.length
    }""")
    assert same > 0.95, (
        "the second map was made by turning the first: turned back, it is the same picture"
    )
    assert fits(page) and serious(page) == [] and troubles(page) == []


def test_a_bad_link_shows_what_was_wrong_and_a_working_page(visit):
    page = visit(f"{DIGITS}&strategy=luck&colour=taste&box=1", 390, "dark")
    alerts = " ".join(page.get_by_test_id("stAlert").all_inner_texts())
    assert all(
        words in alerts
        for words in ("Strategy: found 'luck'", "colour: found 'taste'", "box: found '1'")
    ) and fits(page)
    assert serious(page) == [] and troubles(page) == []
