"""Does the gallery draw, read aloud and report what it was given, in a real Chromium?

The page is gallery_app.py: rings of full ink, ids from 100 on.
"""

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import settle
from tests.browser.gallery_sight import (
    active,
    cell,
    columns,
    contrast,
    image,
    luminance,
    places,
    region,
)

WATCH = """() => {
  window.watching = 0;
  const Original = ResizeObserver;
  window.ResizeObserver = class extends Original {
    observe(target) {
      if (target.matches(".gallery")) { this.ours = true; window.watching++; }
      super.observe(target);
    }
    disconnect() { if (this.ours) window.watching--; super.disconnect(); }
  };
}"""


@pytest.fixture(scope="module")
def address(serve):
    return serve("tests/browser/gallery_app.py")


@pytest.fixture
def open_gallery(new_tab, address):
    """open_gallery(query, width=, scheme=, scale=) -> a page on which the gallery is drawn."""

    def open_gallery(
        query: str = "show=grey",
        *,
        width: int = 1280,
        scheme: str = "light",
        scale: float = 1,
        watch: bool = False,
        **more,
    ) -> Page:
        height = 844 if width < 600 else 900
        page = new_tab(width, height, color_scheme=scheme, device_scale_factor=scale, **more)
        if watch:
            page.add_init_script(f"({WATCH})()")
        page.goto(f"{address}/?{query}")
        settle(page)
        expect(page.get_by_role("option").first).to_be_attached()
        page.evaluate("document.fonts.ready")
        return page

    return open_gallery


def says(page: Page, text: str) -> None:
    expect(page.get_by_text(text, exact=True)).to_be_visible()


def test_a_click_returns_the_id_each_time(open_gallery):
    page = open_gallery()
    third = places(page)[2]
    for times in (1, 2):
        page.mouse.click((third[0] + third[2]) / 2, third[1] + 20)
        says(page, f"clicked 102, {times} in all")


def test_a_tap_on_a_phone_returns_the_id(open_gallery):
    page = open_gallery(width=390, scale=3, has_touch=True, is_mobile=True)
    page.get_by_role("option").nth(7).tap()
    says(page, "clicked 107, 1 in all")


def test_a_click_between_two_images_returns_nothing(open_gallery):
    page = open_gallery()
    left, right = places(page)[:2]
    page.mouse.click((left[2] + right[0]) / 2, left[1] + 20)
    page.wait_for_timeout(500)
    says(page, "clicked None, 0 in all")


def test_the_keyboard_walks_and_picks(open_gallery):
    page = open_gallery("show=grey&selected=100")
    across, drawn = columns(page), len(places(page))
    page.get_by_role("listbox").focus()
    walk = [
        ("ArrowRight", 1),
        ("ArrowRight", 2),
        ("ArrowDown", 2 + across),
        ("ArrowLeft", 1 + across),
        ("ArrowUp", 1),
    ]
    walk += [
        ("ArrowUp", 1),
        ("PageDown", drawn - across + 1),
        ("PageUp", 1),
        ("End", drawn - 1),
        ("ArrowRight", drawn - 1),
    ]
    walk += [("Home", 0), ("ArrowLeft", 0), ("ArrowRight", 1)]
    for key, expected in walk:
        page.keyboard.press(key)
        assert active(page) == expected, key
    page.keyboard.press("Enter")
    says(page, "clicked 101, 1 in all")
    page.keyboard.press("Space")
    says(page, "clicked 101, 2 in all")
    page.keyboard.press("ArrowRight")
    assert active(page) == 2, "the place is kept over a rerun"


def test_keys_scroll_the_active_image_into_sight(open_gallery):
    page = open_gallery("show=many")
    page.get_by_role("listbox").focus()
    page.keyboard.press("End")
    expect(page.get_by_role("option").last).to_be_in_viewport(ratio=1)


def test_the_focus_ring_is_seen_on_the_active_image_alone(open_gallery):
    page = open_gallery("show=grey&selected=100")
    page.get_by_role("listbox").focus()
    page.keyboard.press("ArrowRight")
    rings = page.get_by_role("option").evaluate_all(
        'all => all.map((o) => getComputedStyle(o, "::before").outlineStyle)'
    )
    assert [i for i, ring in enumerate(rings) if ring == "solid"] == [1]


def test_options_say_rank_class_score_and_mark(open_gallery):
    page = open_gallery()
    expect(
        page.get_by_role("listbox", name="Made-up rings in the order of their score.")
    ).to_be_visible()
    options = page.get_by_role("option")
    assert options.nth(1).get_attribute("aria-label") == "rank 2, class 1, score 0.999, artefact"
    assert options.nth(2).get_attribute("aria-label") == "rank 3, class 2, score 0.999"
    chosen = options.evaluate_all(
        'all => all.map((o) => o.getAttribute("aria-selected") === "true")'
    )
    assert np.flatnonzero(chosen).tolist() == [3]
    frames = options.evaluate_all(
        'all => all.map((o) => getComputedStyle(o, "::before").borderTopWidth)'
    )
    assert [i for i, width in enumerate(frames) if width == "3px"] == [3]


@pytest.mark.parametrize(("width", "scale"), [(1280, 1), (1280, 1.5), (390, 1), (390, 3)])
def test_rows_are_full_even_and_inside_the_page(open_gallery, width, scale):
    page = open_gallery(width=1280, scale=scale)
    page.set_viewport_size({"width": width, "height": 844})
    settle(page)
    assert page.evaluate("devicePixelRatio") == scale
    where, across = places(page), columns(page)
    assert len(where) == 60 // across * across
    assert np.allclose(where.reshape(-1, across, 4)[:, :, 0], where[:across, 0]), (
        "columns stand under each other"
    )
    gaps = where[1:across, 0] - where[: across - 1, 2]
    assert np.ptp(gaps) < 0.1 and 11 < gaps[0] < 26
    frame = page.locator(".gallery").bounding_box()
    assert where[:, 0].min() == pytest.approx(frame["x"], abs=1) and where[
        :, 2
    ].max() == pytest.approx(frame["x"] + frame["width"], abs=1)
    assert where[:, 3].max() == pytest.approx(frame["y"] + frame["height"], abs=1)
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    main = page.get_by_test_id("stMain").evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert main[0] <= main[1]


def test_a_narrower_place_is_filled_anew(open_gallery):
    page = open_gallery()
    page.locator(".st-key-gallery").evaluate("e => { e.style.width = '300px'; }")
    page.wait_for_timeout(200)
    assert (columns(page), len(places(page))) == (4, 60)
    assert page.locator(".gallery canvas").bounding_box()["width"] == 300


def test_few_images_stand_at_the_left_and_rows_can_be_bounded(open_gallery):
    page = open_gallery("show=few")
    assert len(places(page)) == 3
    assert columns(page) == 3
    assert page.get_by_role("option").nth(2).get_attribute("aria-label") == "class 2", (
        "what is not known is not said"
    )
    bounded = open_gallery("show=grey&rows=2")
    assert len(places(bounded)) == 2 * columns(bounded)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_digits_are_ink_on_paper(open_gallery, scheme):
    page = open_gallery(scheme=scheme)
    light = luminance(image(page, 0)).ravel()
    paper, ink = light[0], light[np.abs(light - light[0]).argmax()]
    assert (paper > 0.8 and ink < 0.1) if scheme == "light" else (paper < 0.1 and ink > 0.8)


def test_a_new_theme_is_drawn_at_once(open_gallery):
    page = open_gallery(scheme="light")
    assert luminance(image(page, 0))[0, 0] > 0.8
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "getComputedStyle(document.querySelector('[data-testid=stApp]')).colorScheme.includes('dark')"
    )
    settle(page)
    assert luminance(image(page, 0))[0, 0] < 0.1


def test_pixels_are_whole_and_never_smoothed(open_gallery):
    page = open_gallery()
    values = np.unique(image(page, 5).reshape(-1, 3), axis=0)
    assert len(values) == 2, "full ink and paper, no shade between"
    assert page.get_by_role("option").first.bounding_box()["width"] == 58, (
        "28 pixels twice as large, and the frame"
    )


def test_colour_images_keep_their_colours(open_gallery):
    for scheme in ("light", "dark"):
        picture = image(open_gallery("show=colour", scheme=scheme), 3)
        half = picture.shape[1] // 2
        assert (picture[:, : half - 1] == (200, 30, 40)).all()
        assert (picture[:, half + 1 :] == (20, 60, 220)).all()


def test_the_shape_of_an_image_is_kept(open_gallery):
    picture = luminance(image(open_gallery("show=wide"), 8)) < 0.5
    rows, across = np.flatnonzero(picture.any(1)), np.flatnonzero(picture.any(0))
    assert np.ptp(across) > 2.5 * np.ptp(rows) > 0, "a ring drawn on 10 x 40 pixels is flat"
    assert abs(rows.mean() - picture.shape[0] / 2) < 2, "and stands in the middle"


def test_images_larger_than_their_place_shrink(open_gallery):
    page = open_gallery("show=big")
    assert page.get_by_role("option").first.bounding_box()["width"] == pytest.approx(58, abs=1)
    assert (luminance(image(page, 5)) < 0.5).sum() > 50


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_captions_can_be_read(open_gallery, scheme):
    page = open_gallery(scheme=scheme, scale=3)
    whole = cell(page, 3)
    side, text = whole.shape[1], whole[whole.shape[1] :, :, :]
    paper = image(page, 3)[0, 0]
    for part, least in ((text[:, : side // 3], 10), (text[:, side // 2 :], 4.5)):
        solid = part[part[:, :, 3] == 255][:, :3]
        assert max(contrast(colour, paper) for colour in np.unique(solid, axis=0)) >= least


def test_a_mark_is_a_broken_frame_and_a_word(open_gallery):
    page = open_gallery(scale=2)
    plain, marked = cell(page, 2), cell(page, 1)
    side = plain.shape[1]
    last_line = slice(-int(0.2 * side), None)
    assert plain[last_line, :, 3].max() == 0
    assert marked[last_line, :, 3].max() > 200
    edges = [np.abs(np.diff(luminance(c[1, 4 : side - 4, :3]))) > 0.1 for c in (plain, marked)]
    assert edges[0].sum() == 0 and edges[1].sum() > 8


def test_long_class_names_stay_apart(open_gallery):
    page = open_gallery("show=words", scale=2)
    where, last = places(page), columns(page) - 1
    assert region(page, where[1, 0] - 4, where[0, 1] + 60, 3, 34)[..., 3].max() == 0, (
        "nothing is written just before the second image"
    )
    assert cell(page, 2)[-30:, :, 3].max() > 200, "the score has its own line"
    assert last % 3 == 0, "the last column bears the same name as the first"
    starts = (where[0, 0], where[last, 0] - 9)
    names = [region(page, left, where[0, 1] + 60, 66, 15)[..., 3].sum() for left in starts]
    assert names[1] == pytest.approx(names[0], rel=1e-3), (
        "the last column's name is not cut at the edge"
    )


@pytest.mark.parametrize(("width", "scale"), [(1280, 1), (390, 3)])
def test_a_thousand_images_draw(open_gallery, width, scale):
    page = open_gallery("show=many", width=width, scale=scale)
    assert len(places(page)) > 980
    for item in (0, 500, len(places(page)) - 1):
        page.get_by_role("option").nth(item).scroll_into_view_if_needed()
        page.wait_for_timeout(200)
        assert (luminance(image(page, item)) < 0.1).sum() > 50, item
    drawn = page.locator(".gallery canvas")
    print(
        f"\n{len(places(page))} images at {width} px, scale {scale}: drawn in"
        f" {drawn.get_attribute('data-draw-ms')} ms"
    )
    assert drawn.evaluate("c => c.width * c.height <= 16.1e6 && c.height <= 16384")


def test_the_active_image_is_kept_when_the_data_change(open_gallery):
    page = open_gallery("show=grey&drop=1&selected=100")
    page.get_by_role("listbox").focus()
    page.keyboard.press("Home")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.get_by_text("Drop").click()
    expect(page.get_by_role("option").first).to_have_attribute(
        "aria-label", "rank 3, class 2, score 0.999"
    )
    assert active(page) == 3, "id 105 now stands two places earlier"
    page.get_by_role("option").first.click()
    says(page, "clicked 102, 1 in all")


def test_reruns_leave_one_observer_and_none_when_the_gallery_goes(open_gallery):
    page = open_gallery("show=grey&hide=1", watch=True)
    for times in (1, 2, 3):
        page.get_by_role("option").nth(times).click()
        says(page, f"clicked {100 + times}, {times} in all")
    page.emulate_media(color_scheme="dark")
    settle(page)
    assert page.evaluate("watching") == 1
    page.get_by_text("Hide").click()
    expect(page.get_by_role("option")).to_have_count(0)
    assert page.evaluate("watching") == 0


@pytest.mark.parametrize("query", ["show=grey", "show=words", "show=few"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(open_gallery, query, scheme):
    page = open_gallery(query, scheme=scheme)
    result = Axe().run(page, context=".st-key-gallery")
    grave = [
        v["id"] for v in result.response["violations"] if v["impact"] in ("serious", "critical")
    ]
    assert grave == []
    assert any("listbox" in str(rule["nodes"]) for rule in result.response["passes"]), (
        "axe looked inside"
    )
