"""Does the figure of labels on a line compute what core computes, say what is true of its state,
and follow mouse, touch and keyboard, in a real Chromium?

The page is label_line_app.py.
"""

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from core import lesson
from tests.browser.conftest import ROOT, fits, serious, settle
from tests.browser.gallery_sight import contrast

FILES = ("numbers.js", "label_line_math.js")
MATH = "\n".join((ROOT / "pages/components" / name).read_text("utf-8") for name in FILES)
CALL = """async ([source, script]) => {
  const math = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  return new Function("math", "return " + script)(math);
}"""
NOISE = lesson.label_noise(20).tolist()


@pytest.fixture(scope="module")
def blank(browser):
    page = browser.new_page()
    yield page
    page.close()


def js(page: Page, script: str):
    """The value of an expression over label_line_math.js."""
    return page.evaluate(CALL, [MATH, script])


def same(found, expected, tolerance=1e-9):
    """Equal to this share of the largest; infinite where infinite."""
    found = np.array([np.inf if value is None else value for value in np.ravel(found)], float)
    expected = np.ravel(np.array(expected, float))
    assert np.array_equal(np.isinf(found), np.isinf(expected))
    found, expected = (values[np.isfinite(expected)] for values in (found, expected))
    size = max(1.0, np.abs(expected).max(initial=0))
    assert np.abs(found - expected).max(initial=0) <= tolerance * size


# ---- the formulas ----


@pytest.mark.parametrize("degree", range(1, 9))
def test_polynomials_and_their_leverage_equal_the_core(blank, degree):
    x = [-1, -0.93, -0.2, 0, 0.5, 1]
    for name, expected in (
        ("features", lesson.legendre_features(np.array(x), degree)),
        ("density", lesson.leverage_density(np.array(x), degree)),
        ("shareLeft", lesson.leverage_share(np.array(x), degree)),
    ):
        same(js(blank, f"{x}.map((x) => math.{name}(x, {degree}))"), expected)
    shares = [0, 0.03, 0.5, 0.81, 1]
    same(
        js(blank, f"{shares}.map((share) => math.quantile(share, {degree}))"),
        lesson.leverage_quantiles(np.array(shares), degree),
    )


@pytest.mark.parametrize("design", lesson.DESIGNS)
@pytest.mark.parametrize(
    ("count", "degree", "seed"), [(1, 1, 0), (10, 8, 0), (20, 5, 37), (9, 8, 100)]
)
def test_places_equal_the_core(blank, design, count, degree, seed):
    found = js(blank, f'math.labelPlaces("{design}", {count}, {degree}, {seed})')
    same(found, lesson.label_places(design, count, degree, seed))


@pytest.mark.parametrize("curve", lesson.CURVES)
@pytest.mark.parametrize(
    ("design", "count", "degree", "seed"),
    [
        ("equal", 10, 8, 0),
        ("equal", 9, 8, 0),
        ("leverage", 10, 8, 0),
        ("leverage", 20, 3, 5),
        ("random", 10, 8, 37),
        ("random", 10, 8, 5),
        ("random", 4, 8, 1),
        ("equal", 1, 2, 0),
    ],
)
def test_the_fit_and_its_error_equal_the_core(blank, curve, design, count, degree, seed):
    """Also where labels are too few, and where a draw leaves directions that are hardly seen."""
    expected = lesson.fitted_design(design, count, degree, curve, seed)
    x = lesson.label_places(design, count, degree, seed).tolist()
    found = js(
        blank,
        f"""(() => {{
          const fit = math.fitted({x}, {NOISE}, {degree}, "{curve}");
          const rows = math.gridRows({degree});
          const finite = (value) => (Number.isFinite(value) ? value : null);
          return {{ fit, error: math.curveError(fit, "{curve}"),
            values: rows.map((row) => math.valueAt(fit, row)),
            leverage: rows.map((row) => finite(math.leverageAt(fit, row))),
            hats: {x}.map((x) => finite(math.leverageAt(fit, math.features(x, {degree})))) }};
        }})()""",
    )
    error = lesson.curve_error(expected, curve)
    assert found["fit"]["rank"] == expected.rank
    same(found["values"], expected.at(lesson.GRID))
    same(found["leverage"], expected.leverage(lesson.GRID))
    same(found["hats"], expected.leverage(np.array(x)))
    same(
        [found["error"]["largest"], found["error"]["meanSquare"]],
        [error.largest, error.mean_square],
    )
    assert abs(found["error"]["place"]) == pytest.approx(abs(error.place))


def test_places_on_one_spot_equal_the_core(blank):
    x, y = [0.3, 0.3, 0.3, -0.7], [1.0, 2, 6, 0]
    expected = lesson.fit_polynomial(np.array(x), np.array(y), 3)
    found = js(blank, f"math.fitPolynomial({x}, {y}, 3)")
    assert found["rank"] == expected.rank == 2
    same(found["coefficients"], expected.coefficients)


def test_what_a_draw_usually_gives_equals_the_core(blank):
    found = js(blank, f'math.usualError("random", {NOISE}, 10, 8, "wave")')
    same(found, lesson.usual_error("random", 10, 8, "wave"))


# ---- on the page ----


@pytest.fixture(scope="module")
def address(serve):
    return serve("tests/browser/label_line_app.py")


@pytest.fixture
def open_figure(open_page, address):
    """open_figure(show, query, **more of open_page) -> a page on which the figure is drawn."""

    def open_figure(show: str = "place", query: str = "", **more) -> Page:
        page = open_page(f"{address}/?show={show}{query}", **more)
        expect(page.locator(".stage path.density")).to_be_attached()
        page.evaluate("document.fonts.ready")
        return page

    return open_figure


def rest(page: Page) -> None:
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


def fact(page: Page, name: str) -> str:
    rest(page)
    return page.locator(f"[data-fact={name}]").inner_text()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def choose(page: Page, design: str) -> None:
    page.locator(f"fieldset .{design}").click()
    expect(page.locator(f"fieldset .{design} input")).to_be_checked()


def xs(page: Page) -> np.ndarray:
    rest(page)
    return np.array(
        page.locator(".point").evaluate_all(
            'all => all.map((p) => Number(p.getAttribute("aria-valuenow")))'
        )
    )


def dot(page: Page, i: int) -> tuple[float, float]:
    box = page.locator(".points .dot").nth(i).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def ground(page: Page) -> dict:
    return page.locator(".ground").bounding_box()


def own_error(page: Page, degree: int = 8, curve: str = "wave") -> float:
    """What the core says of the places in the picture."""
    x = xs(page)
    y = lesson.CURVES[curve].at(x) + lesson.label_noise(len(x))
    return lesson.curve_error(lesson.fit_polynomial(x, y, degree), curve).largest


def short(value: float) -> str:
    return (
        f"{float(f'{value:.2g}'):,.0f}"
        if value >= 100
        else f"{value:.{2 if value < 9.995 else 0}f}"
    )


def test_one_button_leads_from_no_places_to_the_curve(open_figure):
    page = open_figure()
    assert fact(page, "said").startswith("Ten labels to buy, one hidden curve to find.")
    assert page.locator("svg[role=group] path.truth").count() == 0
    press(page, "Place your ten labels")
    expect(page.locator(".point")).to_have_count(10)
    assert "nothing measured yet. Yet it is already known how far noise can move the fit" in fact(
        page, "said"
    )
    assert page.locator("svg[role=group] path.fit").is_hidden()
    press(page, "Buy the labels")
    expect(page.locator("svg[role=group] path.fit")).to_be_visible()
    assert page.locator("svg[role=group] path.truth").count() == 0 and fact(page, "mine") == ""
    press(page, "Reveal the curve")
    expect(page.locator("svg[role=group] path.truth")).to_be_visible()
    assert fact(page, "mine") == short(own_error(page))
    for name, design in (
        ("Now equally spaced", "equal"),
        ("Now at random", "random"),
        ("Now by leverage", "leverage"),
    ):
        press(page, name)
        expect(page.locator(f"fieldset .{design} input")).to_be_checked()
    press(page, "Start again")
    expect(page.locator(".points .dot")).to_have_count(0)
    assert page.problems == []


def test_the_band_that_is_foretold_is_the_core_s(open_figure):
    page = open_figure("bought", "&design=equal")
    x = lesson.label_places("equal", 10, 8)
    half = lesson.fit_polynomial(x, x, 8).band(lesson.GRID).max()
    assert f"by up to ±{short(half)} (95%)" in fact(page, "said")


@pytest.mark.parametrize("design", lesson.DESIGNS)
def test_every_design_s_number_and_sentence_are_the_core_s(open_figure, design):
    page = open_figure("revealed")
    choose(page, design)
    errors = {
        name: lesson.curve_error(
            lesson.fitted_design(name, 10, 8, "wave", lesson.FIRST_DRAW if name == "random" else 0),
            "wave",
        ).largest
        for name in lesson.DESIGNS
    }
    for name, error in errors.items():
        assert fact(page, name) == short(error)
    said = fact(page, "said")
    assert said.startswith("Ten labels, degree 8: at ") and short(errors[design]) in said
    if design != "leverage":
        ratio = errors[design] / errors["leverage"]
        times = f"{ratio:.2g}" if ratio < 10 else f"{float(f'{ratio:.2g}'):.0f}"
        assert (
            f"those chosen by leverage by {short(errors['leverage'])}: {times} times as far."
            in said
        )
    usual = lesson.usual_error("random", 10, 8, "wave")
    half = f"Half of 100 random draws are off by more than {short(usual)}."
    assert (half in said) == (design == "random")


def test_where_nothing_stands_out_the_sentence_says_so(open_figure):
    page = open_figure("revealed", "&design=equal")
    page.get_by_role("combobox", name="Curve").select_option("kink")
    assert fact(page, "said").endswith(": no clear difference.")
    assert fact(page, "formula") == "|x|"
    choose(page, "leverage")
    assert "At equally spaced ones the difference is not clear." in fact(page, "said")


def test_runge_s_points_fail_with_nine_labels(open_figure):
    page = open_figure("revealed", "&design=equal")
    page.get_by_role("combobox", name="Curve").select_option("bump")
    press(page, "One label fewer")
    error = lesson.curve_error(lesson.fitted_design("equal", 9, 8, "bump"), "bump").largest
    assert fact(page, "said").startswith("Nine labels, degree 8: ") and error > 1
    assert fact(page, "equal") == short(error)


def test_another_draw_has_other_places_and_another_error(open_figure):
    page = open_figure("revealed", "&design=random")
    seen = {fact(page, "random")}
    for _ in range(3):
        press(page, "Draw again")
        seen.add(fact(page, "random"))
    assert len(seen) == 4
    choose(page, "leverage")
    press(page, "Draw again")
    drawn = lesson.fitted_design("leverage", 10, 8, "wave", lesson.FIRST_DRAW)
    assert fact(page, "leverage") == short(lesson.curve_error(drawn, "wave").largest)
    assert "Drawn one by one; half of 100 such draws" in fact(page, "said")
    choose(page, "equal")
    expect(page.get_by_role("button", name="Draw again")).to_be_hidden()


def test_the_steppers_stop_at_their_ends_and_places_come_back(open_figure):
    page = open_figure("revealed")
    before = xs(page)
    for _ in range(7):
        press(page, "Lower the degree")
    assert fact(page, "degree") == "1"
    for _ in range(9):
        press(page, "One label fewer")
    assert fact(page, "labels") == "1" and len(xs(page)) == 1
    assert "cannot settle the two coefficients of degree 1" in fact(page, "said")
    for _ in range(9):
        press(page, "One label more")
    assert np.array_equal(xs(page), before)


def test_too_few_labels_are_told(open_figure):
    page = open_figure("few")
    said = fact(page, "said")
    assert "Three different places cannot settle the nine coefficients of degree 8" in said


# ---- hands ----


def test_a_click_chooses_a_place_and_a_drag_moves_it(open_figure):
    page = open_figure()
    box = ground(page)
    page.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + 40)
    page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 40)
    assert xs(page) == pytest.approx([-0.5, 0.5], abs=0.01)
    assert fact(page, "said").startswith("Two of ten places chosen")
    x, y = dot(page, 1)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 0.1 * box["width"], y - 90, steps=4)
    assert xs(page) == pytest.approx([-0.5, 0.3], abs=0.01)
    page.keyboard.press("Escape")
    assert xs(page) == pytest.approx([-0.5, 0.5], abs=0.01), "Escape puts it back"
    page.mouse.move(x + 900, y, steps=3)
    page.mouse.up()
    assert xs(page)[1] == pytest.approx(0.5, abs=0.01)


def test_numbers_follow_a_drag_once_the_curve_is_known(open_figure):
    page = open_figure("revealed")
    x, y = dot(page, 3)
    page.mouse.move(x, y)
    page.mouse.down()
    seen = set()
    for step in range(1, 5):
        page.mouse.move(x + 15 * step, y)
        expect(page.locator("[data-fact=mine]")).to_have_text(short(own_error(page)))
        assert f"off by {fact(page, 'mine')}" in page.locator(".far").text_content()
        seen.add(fact(page, "mine"))
    page.mouse.up()
    assert len(seen) > 1 and "Place 4: x = " in fact(page, "who")


def test_bought_labels_are_not_exchanged_before_the_curve_is_known(open_figure):
    page = open_figure("bought")
    assert page.locator(".point").count() == 0 and page.locator(".points .dot").count() == 10


def test_others_places_cannot_be_moved(open_figure):
    page = open_figure("revealed", "&design=leverage")
    assert page.locator(".point").count() == 0


def test_no_more_places_than_labels(open_figure):
    page = open_figure()
    press(page, "Place your ten labels")
    box = ground(page)
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 40)
    expect(page.locator(".point")).to_have_count(10)


def test_the_keyboard_does_what_the_mouse_does(open_figure):
    page = open_figure()
    page.get_by_role("button", name="Place your ten labels").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".point")).to_have_count(10)
    page.locator(".point").first.focus()
    start = xs(page)[0]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    assert xs(page)[0] == pytest.approx(start + 0.11)
    page.keyboard.press("End")
    expect(page.locator(".point").last).to_be_focused()
    page.keyboard.press("Delete")
    expect(page.locator(".point")).to_have_count(9)
    page.keyboard.press("+")
    expect(page.locator(".point")).to_have_count(10)
    expect(page.locator(".point").last).to_be_focused()
    for _ in range(20):
        page.keyboard.press("Shift+ArrowLeft")
    assert xs(page)[9] == -1, "it stays on the line"
    page.keyboard.press("Tab")
    expect(page.locator(".onward")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("fieldset .mine input")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator("fieldset .equal input")).to_be_checked()
    assert page.locator(".label-line").get_attribute("data-design") == "equal"


def test_a_presenter_s_key_reveals_what_waits_and_then_goes_on(open_figure):
    page = open_figure()
    ask = """() => document.dispatchEvent(new CustomEvent("lesson:next", { cancelable: true }))"""
    figure, seen = page.locator(".label-line"), []
    while not page.evaluate(ask):
        seen.append(f"{figure.get_attribute('data-step')} {figure.get_attribute('data-design')}")
    assert seen == ["0 mine", "1 mine", "2 mine", "2 equal", "2 random", "2 leverage"]
    assert fact(page, "said").startswith("Ten labels, degree 8: at places chosen by leverage")


def test_the_sentence_is_read_aloud_once_it_rests(open_figure):
    page = open_figure("revealed")
    heard = page.locator("[data-fact=heard]")
    page.wait_for_timeout(900)
    assert heard.inner_text() == "", "silent until something is done"
    page.locator(".point").first.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(heard).to_have_text(re.compile(r"^Ten labels, degree 8: .* Place 1: x = "))


def test_a_finger_chooses_and_drags_places_and_scrolls_beside_them(browser, address):
    context = browser.new_context(
        viewport={"width": 390, "height": 600}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.goto(f"{address}/?show=place")
    settle(page)
    expect(page.locator(".ground")).to_be_attached()
    box = ground(page)
    for share in (0.2, 0.8):
        page.touchscreen.tap(box["x"] + share * box["width"], box["y"] + 60)
        page.wait_for_timeout(400)
    assert xs(page) == pytest.approx([-0.6, 0.6], abs=0.01)
    touch = context.new_cdp_session(page)

    def swipe(x, y, dx, dy):
        def send(kind, points):
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        send("touchStart", [{"x": x, "y": y}])
        for step in range(1, 11):
            send("touchMove", [{"x": x + dx * step / 10, "y": y + dy * step / 10}])
        send("touchEnd", [])
        page.wait_for_timeout(300)

    main = page.get_by_test_id("stMain")
    x, y = dot(page, 0)
    swipe(x + 8, y - 6, 0.1 * box["width"], -60)
    assert xs(page)[0] == pytest.approx(-0.4, abs=0.02)
    assert main.evaluate("e => e.scrollTop") == 0
    swipe(box["x"] + 0.5 * box["width"], y - 60, 0, -150)
    assert main.evaluate("e => e.scrollTop") > 50
    context.close()


def test_targets_are_large_enough_for_a_finger(open_figure):
    page = open_figure("revealed", "&design=random", width=390)
    small = page.locator(".label-line").evaluate(
        """e => [...e.querySelectorAll("button, fieldset label, select, .hit")]
          .map((i) => [i.textContent, i.getBoundingClientRect()])
          .filter(([, r]) => r.width > 0 && (r.width < 44 || r.height < 44))
          .map(([text, r]) => `${text} ${r.width} x ${r.height}`)"""
    )
    assert small == []


def test_nothing_is_sent_to_the_server(browser, address):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page, frames = context.new_page(), []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: frames.append(frame)))
    page.goto(f"{address}/?show=place")
    settle(page)
    expect(page.locator(".ground")).to_be_attached()
    page.wait_for_timeout(500)
    assert frames, "the socket is watched"
    frames.clear()
    for name in ("Place your ten labels", "Buy the labels", "Reveal the curve", "One label more"):
        press(page, name)
    page.locator(".point").first.press("ArrowRight")
    choose(page, "random")
    press(page, "Draw again")
    page.wait_for_timeout(1000)
    assert frames == []
    expect(page.get_by_text("run 1", exact=True)).to_be_visible()
    context.close()


def test_a_new_theme_keeps_the_places(open_figure):
    page = open_figure("revealed")
    page.locator(".point").first.press("Shift+ArrowLeft")
    before = xs(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "getComputedStyle(document.querySelector('[data-testid=stApp]')).colorScheme.includes('dark')"
    )
    settle(page)
    assert np.array_equal(xs(page), before)


# ---- sight ----


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("design", ["mine", *lesson.DESIGNS])
def test_colours_stand_out(open_figure, design, theme):
    page = open_figure("revealed", f"&design={design}", theme=theme)
    rgb = """(e, name) => {
      const c = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
      c.fillStyle = getComputedStyle(e)[name]; c.fillRect(0, 0, 1, 1);
      return [...c.getImageData(0, 0, 1, 1).data.slice(0, 3)]; }"""
    behind = page.get_by_test_id("stApp").evaluate(rgb, "backgroundColor")
    for selector, name in ((".points .dot", "fill"), ("svg[role=group] .fit", "stroke")):
        assert contrast(page.locator(selector).first.evaluate(rgb, name), behind) >= 3, selector
    dashed = page.locator("svg[role=group] .fit").evaluate(
        "e => getComputedStyle(e).strokeDasharray"
    )
    assert (dashed != "none") == (design == "random"), "random is dashed"


@pytest.mark.parametrize("show", ["place", "revealed"])
@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_nothing_serious_and_it_fits(open_figure, show, width, theme):
    page = open_figure(show, "&design=leverage", width=width, theme=theme)
    assert serious(page) == [] and fits(page) and page.problems == []
    frames = page.locator(".label-line").evaluate(
        """e => [...e.querySelectorAll("button, text, p, label, li")]
            .map((i) => i.getBoundingClientRect()).filter((r) => r.width > 2)
            .map((r) => [r.left, r.right])"""
    )
    assert min(left for left, _ in frames) >= 0 and max(right for _, right in frames) <= width


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080)])
def test_it_is_read_from_three_metres(open_figure, width, height):
    """The root's size as a talk sets it: the smallest type is 2.4% of the screen's height."""
    page = open_figure("revealed", "&design=random", width=width, height=height)
    page.add_style_tag(content="html:root { font-size: clamp(16px, min(1.5vw, 2.7vh), 40px) }")
    page.wait_for_timeout(300)
    smallest = page.locator(".label-line").evaluate(
        """e => Math.min(...
            [...e.querySelectorAll("text, p, button, span, output, select, figcaption")]
            .filter((i) => i.getBoundingClientRect().width > 2)
            .map((i) => parseFloat(getComputedStyle(i).fontSize)))"""
    )
    assert smallest >= 0.024 * height - 0.01
