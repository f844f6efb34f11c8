"""Do the lesson's figures compute what core computes, and follow mouse, touch and keyboard, in a
real Chromium?

The page is lever_app.py. Its first figure is the line: twelve points, the twelfth far out.
"""

import json
import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from core.lesson import hat_row
from core.linalg.least_squares_line import fit, hat_values, mahalanobis
from pages.components.lever import ELLIPSE, LINE
from tests.browser.conftest import ROOT, fits, serious, settle
from tests.browser.gallery_sight import contrast

MATH = "\n".join(
    (ROOT / "pages/components" / name).read_text("utf-8")
    for name in ("numbers.js", "lever_math.js")
)
CALL = """async ([source, script]) => {
  const math = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  return new Function("math", "return " + script)(math);
}"""


@pytest.fixture(scope="module")
def blank(browser):
    page = browser.new_page()
    yield page
    page.close()


def js(page: Page, script: str):
    """The value of an expression over lever_math.js."""
    return page.evaluate(CALL, [MATH, script])


def same(found, expected, tolerance=1e-9):
    """Equal to this share of the largest; NaN where NaN."""
    found, expected = np.array(found, float), np.array(expected, float)
    assert np.array_equal(np.isnan(found), np.isnan(expected))
    known = ~np.isnan(expected)
    size = max(1.0, np.abs(expected[known]).max(initial=0))
    assert np.abs(found - expected)[known].max(initial=0) <= tolerance * size


# ---- the formulas ----


@pytest.mark.parametrize("ridge", [0, 0.37, 50])
@pytest.mark.parametrize("n", [3, 12, 200])
def test_the_line_equals_the_core(blank, n, ridge):
    rng = np.random.default_rng(n)
    x, y = rng.normal(5, 3, n), rng.normal(-2, 4, n)
    expected, found = (
        fit(x[:, None], y, ridge=ridge),
        js(blank, f"math.fitLine({x.tolist()}, {y.tolist()}, {ridge})"),
    )
    same(
        [found["intercept"], found["slope"], found["degrees"]],
        [expected.intercept, expected.slopes[0], expected.degrees],
    )
    same(found["hats"], expected.hat_values)
    same(found["residuals"], expected.residuals)
    same(found["cooks"], expected.cooks)
    for i in (0, n - 1):
        row, alone = js(
            blank,
            f"[math.hatRow({json.dumps(found)}, {i}), math.without({json.dumps(found)}, {i})]",
        )
        same(row, expected.hat_row(i))
        rest = fit(np.delete(x, i)[:, None], np.delete(y, i), ridge=ridge)
        same([alone["intercept"], alone["slope"]], [rest.intercept, rest.slopes[0]])


@pytest.mark.parametrize("n", [3, 4, 12, 200])
def test_the_plane_equals_the_core(blank, n):
    x = np.random.default_rng(n).normal(size=(n, 2)) @ [[3, 2], [0, 0.5]] + [7, -4]
    found = js(blank, f"math.fitPlane({x[:, 0].tolist()}, {x[:, 1].tolist()})")
    same(found["hats"], hat_values(x))
    same(found["distances"], mahalanobis(x) ** 2)
    assert found["rank"] == 2
    for i in (0, n - 1):
        row = js(blank, f"math.hatRowOfPlane({json.dumps(found)}, {i})")
        same(row, fit(x, np.zeros(n)).hat_row(i))
        same(row, hat_row(np.column_stack([np.ones(n), x]), i))


def test_every_place_on_an_ellipse_has_its_leverage(blank):
    x, level = np.array(ELLIPSE), 0.4
    found = js(
        blank, f"math.contour(math.fitPlane({x[:, 0].tolist()}, {x[:, 1].tolist()}), {level})"
    )
    (a, b, c), turn = found["root"], np.linspace(0, 2 * np.pi, 9)
    places = found["mean"] + np.column_stack([np.cos(turn), np.sin(turn)]) @ [[a, b], [0, c]]
    offsets, inverse = places - x.mean(axis=0), np.linalg.inv(np.cov(x.T) * (len(x) - 1))
    same(1 / len(x) + np.einsum("ni,ij,nj->n", offsets, inverse, offsets), np.full(9, level))


@pytest.mark.parametrize(
    ("x", "y", "ridge"),
    [
        ([2.0], [5.0], 0),
        ([0.1, 0.1, 0.1], [1.0, 2, 6], 0),
        ([0.1, 0.1, 0.1], [1.0, 2, 6], 2),
        ([1.0, 4], [2.0, 3], 0),
        ([1.0, 4], [2.0, 3], 1.5),
        ([8.0, 8, 8, 19], [1.0, 2, 3, 9], 0),
        ([1.0, 2, 3, 4], [3.0, 5, 7, 9], 0),
        ([1.0, 2, 3, 4], [0.0, 0, 0, 0], 0),
    ],
)
def test_degenerate_lines_equal_the_core(blank, x, y, ridge):
    expected, found = (
        fit(np.array(x)[:, None], np.array(y), ridge=ridge),
        js(blank, f"math.fitLine({x}, {y}, {ridge})"),
    )
    same(
        [found["intercept"], found["slope"], *found["hats"]],
        [expected.intercept, *expected.slopes, *expected.hat_values],
    )
    same(found["cooks"], expected.cooks)
    alone = [
        js(blank, f"math.without(math.fitLine({x}, {y}, {ridge}), {i}) === null")
        for i in range(len(x))
    ]
    assert alone == (1 - expected.hat_values <= 1e-12).tolist()


@pytest.mark.parametrize(
    ("points", "rank"),
    [
        ([(3, 4)], 0),
        ([(1, 2)] * 3, 0),
        ([(1, 1), (2, 2), (4, 4)], 1),
        ([(0.1, 5), (0.1, 6), (0.1, 9)], 1),
    ],
)
def test_degenerate_planes_equal_the_core(blank, points, rank):
    x = np.array(points, float)
    found = js(blank, f"math.fitPlane({x[:, 0].tolist()}, {x[:, 1].tolist()})")
    same(found["hats"], hat_values(x))
    same(found["distances"], mahalanobis(x) ** 2)
    assert found["rank"] == rank and found["root"] is None


def test_numbers_are_short_and_never_minus_zero(blank):
    shown = js(
        blank,
        "[math.number(1234567), math.number(0.000123456), math.number(-0.5, 3), math.number(3.2e-9,"
        " 2), math.number(NaN), math.fixed(-0.0004, 2), math.fixed(-1.254, 2), math.share(0.24649),"
        " math.share(0.020712), math.share(12345.6), math.share(0)]",
    )
    assert shown == [
        "1,235,000",
        "0.0001235",
        "−0.5",
        "3.2e−9",
        "undefined",
        "0.00",
        "−1.25",
        "0.246",
        "0.0207",
        "12,350",
        "0.000",
    ]
    assert js(blank, "math.ticks(-0.9, 12.4, 6)") == {"step": 5, "values": [0, 5, 10]}
    assert js(blank, "math.ticks(1.6, 2.4, 4).values") == [1.6, 1.8, 2, 2.2, 2.4]


# ---- on the page ----


@pytest.fixture(scope="module")
def address(serve):
    return serve("tests/browser/lever_app.py")


@pytest.fixture
def open_figure(open_page, address):
    """open_figure(show, **more of open_page) -> a page on which the figure is drawn."""

    def open_figure(show: str = "line", query: str = "", **more) -> Page:
        page = open_page(f"{address}/?show={show}{query}", **more)
        expect(page.locator(".point").first).to_be_attached()
        page.evaluate("document.fonts.ready")
        return page

    return open_figure


def fact(page: Page, name: str) -> str:
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    return page.locator(f"[data-fact={name}]").inner_text()


def value(page: Page, name: str) -> float:
    return float(fact(page, name).replace("−", "-").replace(",", ""))


def xs(page: Page) -> np.ndarray:
    return np.array(
        page.locator(".point").evaluate_all(
            'all => all.map((p) => Number(p.getAttribute("aria-valuenow")))'
        )
    )


def place(page: Page, i: int) -> tuple[float, float]:
    """The middle of point i + 1 in the window."""
    box = page.locator(".point .dot").nth(i).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, i: int, dx: float, dy: float) -> None:
    x, y = place(page, i)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=5)
    page.mouse.up()


def chosen(page: Page) -> int:
    marked = page.locator(".point").evaluate_all(
        'all => all.map((p) => p.getAttribute("aria-current") === "true")'
    )
    assert sum(marked) == 1
    return marked.index(True)


def test_the_first_picture_shows_the_core_s_numbers(open_figure):
    page, points = open_figure(), np.array(LINE)
    line = fit(points[:, :1], points[:, 1])
    assert fact(page, "point") == "Point 12" and chosen(page) == 11
    assert value(page, "leverage") == pytest.approx(line.hat_values[11], abs=6e-4)
    assert value(page, "residual") == pytest.approx(line.residuals[11], abs=6e-3)
    assert value(page, "cook") == pytest.approx(line.cooks[11], abs=6e-4)
    assert fact(page, "equation") == f"y = {line.intercept:.3g} + {line.slopes[0]:.3g} x"
    assert value(page, "sum") == 2


def test_the_mouse_drags_a_point_and_the_numbers_follow(open_figure):
    page = open_figure()
    before, line = xs(page), page.locator("line.fitted").get_attribute("y2")
    drag(page, 11, -200, -90)
    leverage = value(page, "leverage")
    now = xs(page)
    assert now[11] < before[11] - 1 and np.array_equal(now[:11], before[:11])
    assert leverage == pytest.approx(hat_values(now[:, None])[11], abs=6e-4) and leverage < 0.6
    assert page.locator("line.fitted").get_attribute("y2") != line
    drag(page, 2, 60, 30)
    assert fact(page, "point") == "Point 3"
    assert value(page, "leverage") == pytest.approx(hat_values(xs(page)[:, None])[2], abs=6e-4)


def test_numbers_follow_while_the_button_is_still_down(open_figure):
    page = open_figure()
    x, y = place(page, 11)
    page.mouse.move(x, y)
    page.mouse.down()
    seen = set()
    for step in range(1, 6):
        page.mouse.move(x - 40 * step, y)
        seen.add(fact(page, "leverage"))
    assert len(seen) == 5
    page.keyboard.press("Escape")
    assert fact(page, "leverage") == "0.724", "Escape puts the point back"
    page.mouse.move(x - 300, y)
    page.mouse.up()
    assert fact(page, "leverage") == "0.724"


def test_a_point_stays_on_the_stage(open_figure):
    page = open_figure()
    drag(page, 11, 900, 900)
    frame = page.locator(".stage > svg").bounding_box()
    x, y = place(page, 11)
    assert (
        frame["x"] < x < frame["x"] + frame["width"]
        and frame["y"] < y < frame["y"] + frame["height"]
    )


def test_points_are_added_removed_undone_and_restored_by_mouse(open_figure):
    page = open_figure()
    points = page.locator(".point")
    frame = page.locator(".stage > svg").bounding_box()
    page.mouse.dblclick(frame["x"] + 0.8 * frame["width"], frame["y"] + 60)
    expect(points).to_have_count(13)
    assert fact(page, "point") == "Point 13" and place(page, 12) == pytest.approx(
        (frame["x"] + 0.8 * frame["width"], frame["y"] + 60), abs=1
    )
    page.get_by_role("button", name="Add point").click()
    expect(points).to_have_count(14)
    page.get_by_role("button", name="Remove point").click()
    page.get_by_role("button", name="Undo").click()
    expect(points).to_have_count(14)
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Undo").click()
    expect(points).to_have_count(12)
    expect(page.get_by_role("button", name="Undo")).to_have_attribute("aria-disabled", "true")
    drag(page, 3, 80, 40)
    page.get_by_role("button", name="Restore").click()
    assert np.array_equal(xs(page), np.array(LINE)[:, 0]) and fact(page, "leverage") == "0.724"
    page.get_by_role("button", name="Undo").click()
    assert xs(page)[3] > LINE[3][0] + 0.5, "even the restoring can be taken back"


def test_the_ridge_flattens_the_line(open_figure):
    page, points = open_figure(), np.array(LINE)
    slider = page.get_by_role("slider", name="Ridge λ")
    slider.focus()
    for _ in range(5):
        before = page.locator("output").inner_text()
        page.keyboard.press("ArrowRight")
        expect(page.locator("output")).not_to_have_text(before)
    ridge = float(page.locator("output").inner_text())
    line = fit(points[:, :1], points[:, 1], ridge=ridge)
    assert ridge == 100 and value(page, "leverage") == pytest.approx(line.hat_values[11], abs=6e-4)
    assert value(page, "sum") == pytest.approx(line.degrees, abs=6e-4) and value(page, "sum") < 1.6
    assert value(page, "cook") == pytest.approx(line.cooks[11], abs=6e-4)
    expect(slider).to_have_attribute("aria-valuetext", "100")
    for _ in range(5):
        page.get_by_role("button", name="Undo").click()
    assert fact(page, "sum") == "2.000" and slider.input_value() == "0"


def test_the_keyboard_does_what_the_mouse_does(open_figure):
    page = open_figure()
    points = page.locator(".point")
    page.locator(".point").first.focus()
    assert fact(page, "point") == "Point 1"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert fact(page, "point") == "Point 3"
    page.keyboard.press("End")
    assert fact(page, "point") == "Point 12"
    start = xs(page)[11]
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowLeft")
    fact(page, "leverage")
    step = start - xs(page)[11]
    assert step == pytest.approx(11 * 0.2), "eleven tenths of the distance between ticks"
    assert value(page, "leverage") == pytest.approx(hat_values(xs(page)[:, None])[11], abs=6e-4)
    up = fact(page, "residual")
    page.keyboard.press("Shift+ArrowUp")
    assert value(page, "residual") > float(up.replace("−", "-"))
    page.keyboard.press("Control+z")
    assert xs(page)[11] == start, "one walk is one step back"
    page.keyboard.press("+")
    expect(points).to_have_count(13)
    expect(points.nth(12)).to_be_focused()
    page.keyboard.press("Delete")
    expect(points).to_have_count(12)
    expect(points.nth(11)).to_be_focused()
    page.keyboard.press("Home")
    expect(points.first).to_be_focused()
    page.keyboard.press("Backspace")
    expect(points).to_have_count(11)
    assert xs(page)[0] == LINE[1][0]
    page.keyboard.press("End")
    for name in ("Add point", "Remove point", "Undo", "Restore"):
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name=name)).to_be_focused()
    page.keyboard.press("Enter")
    expect(points).to_have_count(12)
    page.keyboard.press("Tab")
    expect(page.get_by_role("slider", name="Ridge λ")).to_be_focused()


def test_the_focus_is_seen(open_figure):
    page = open_figure()
    page.get_by_role("slider", name="Point 1", exact=True).focus()
    page.keyboard.press("Tab")
    ring = page.locator(".top .ring")
    assert ring.evaluate("e => getComputedStyle(e).stroke") != "none"
    page.get_by_role("button", name="Undo").focus()
    assert ring.evaluate("e => getComputedStyle(e).stroke") == "none"


def test_the_numbers_are_read_aloud_once_the_point_rests(open_figure):
    page = open_figure()
    points = page.locator(".point")
    expect(points.nth(11)).to_have_attribute("aria-valuetext", "x 10.5, y 3.40")
    said = page.get_by_role("status").filter(has_text="Point")
    page.wait_for_timeout(1000)
    assert page.get_by_role("status").all_inner_texts().count("") > 0 and said.count() == 0, (
        "silent until something is done"
    )
    points.nth(10).focus()
    points.nth(11).focus()
    expect(said).to_have_text(
        re.compile(
            r"^Point 12: x 10\.5, y 3\.40, leverage 0\.724, residual −1\.53, Cook's distance"
            r" 9\.671\. y = "
        )
    )
    points.first.focus()
    for _ in range(5):
        page.keyboard.press("ArrowUp")
    assert "Point 12" in said.inner_text(), "not while it moves"
    expect(said).to_have_text(re.compile(r"^Point 1: "))


def test_a_finger_drags_points_and_scrolls_beside_them(browser, address):
    context = browser.new_context(
        viewport={"width": 390, "height": 700},
        has_touch=True,
        is_mobile=True,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(f"{address}/?show=line")
    settle(page)
    expect(page.locator(".point")).to_have_count(12)
    touch = context.new_cdp_session(page)

    def swipe(x, y, dx, dy):
        touch.send(
            "Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]}
        )
        for step in range(1, 11):
            touch.send(
                "Input.dispatchTouchEvent",
                {
                    "type": "touchMove",
                    "touchPoints": [{"x": x + dx * step / 10, "y": y + dy * step / 10}],
                },
            )
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        page.wait_for_timeout(300)

    main, (x, y) = page.get_by_test_id("stMain"), place(page, 11)
    swipe(x + 10, y + 8, -90, -60)
    assert place(page, 11) == pytest.approx((x - 90, y - 60), abs=2)
    assert main.evaluate("e => e.scrollTop") == 0
    before = xs(page)
    swipe(x, y + 60, 0, -150)
    assert main.evaluate("e => e.scrollTop") > 50 and np.array_equal(xs(page), before)
    page.wait_for_timeout(600)
    x, y = place(page, 11)
    for _ in range(2):
        page.touchscreen.tap(x + 60, y + 40)
    expect(page.locator(".point")).to_have_count(13)
    context.close()


def test_other_hands_do_not_disturb_a_drag(open_figure):
    page = open_figure()
    x, y = place(page, 11)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 50, y)
    page.locator(".stage > svg").dispatch_event(
        "pointermove", {"pointerId": 99, "clientX": 0, "clientY": 0, "bubbles": True}
    )
    fact(page, "leverage")
    assert place(page, 11)[0] == pytest.approx(x - 50, abs=1), (
        "a second finger does not pull at the point"
    )
    page.keyboard.press("Delete")
    expect(page.locator(".point")).to_have_count(11)
    before = xs(page)
    page.mouse.move(x - 120, y)
    fact(page, "leverage")
    assert np.array_equal(xs(page), before), "the next point is not dragged in its place"
    page.mouse.up()
    page.locator(".point").first.press("Control+z")
    expect(page.locator(".point")).to_have_count(12)


def test_many_moves_between_two_frames_cost_one_update(open_figure):
    page = open_figure("many")
    script = """() => new Promise((done) => {
      const root = [...document.querySelectorAll("*")].map((e) => e.shadowRoot)
        .find((s) => s?.querySelector(".lever"));
      const [svg, mark, line] = [".stage > svg", ".point", "line.fitted"]
        .map((name) => root.querySelector(name));
      const { x, y, width, height } = mark.querySelector(".dot").getBoundingClientRect();
      const send = (to, type, dx) => to.dispatchEvent(new PointerEvent(type, {
        bubbles: true, composed: true, isPrimary: true, pointerId: 1, button: 0,
        clientX: x + width / 2 + dx, clientY: y + height / 2 }));
      SVGElement.prototype.setPointerCapture = () => {};
      const counts = { line: 0, marks: 0 };
      const watch = (target, attribute, name) =>
        new MutationObserver((seen) => (counts[name] += seen.length))
          .observe(target, { subtree: true, attributeFilter: [attribute] });
      send(mark, "pointerdown", 0);
      requestAnimationFrame(() => requestAnimationFrame(() => {
        watch(line, "y1", "line");
        watch(mark.parentElement, "transform", "marks");
        for (let move = 1; move <= 50; move++) send(svg, "pointermove", move);
        requestAnimationFrame(() => requestAnimationFrame(() => {
          send(svg, "pointerup", 50);
          done(counts);
        }));
      }));
    })"""
    assert page.evaluate(script) == {"line": 1, "marks": 1}


def test_nothing_is_sent_to_the_server(browser, address):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page, frames = context.new_page(), []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: frames.append(frame)))
    page.goto(f"{address}/?show=line")
    settle(page)
    expect(page.locator(".point")).to_have_count(12)
    page.wait_for_timeout(500)
    assert frames, "the socket is watched"
    frames.clear()
    drag(page, 11, -150, -60)
    page.keyboard.press("ArrowUp")
    page.get_by_role("button", name="Add point").click()
    page.get_by_role("slider", name="Ridge λ").press("ArrowRight")
    page.wait_for_timeout(1000)
    assert frames == []
    expect(page.get_by_text("run 1", exact=True)).to_be_visible()
    context.close()


def test_the_check_of_two_regressors_is_computed_live(open_figure):
    page, x = open_figure("ellipse"), np.array(ELLIPSE)
    assert fact(page, "check") == "1/12 + 0.596 = 0.679" and fact(page, "leverage") == "0.679"
    assert value(page, "distance") == pytest.approx(mahalanobis(x)[11], abs=6e-4)
    assert (fact(page, "average"), fact(page, "twice"), fact(page, "difference")) == (
        "0.250",
        "0.500",
        "below 10⁻¹²",
    )
    drag(page, 11, 120, 60)
    share, whole = map(
        float, re.fullmatch(r"1/12 \+ ([\d.]+) = ([\d.]+)", fact(page, "check")).groups()
    )
    assert whole == pytest.approx(1 / 12 + share, abs=1.1e-3) and whole < 0.5
    assert value(page, "leverage") == whole
    page.locator(".point").nth(11).focus()
    page.keyboard.press("Delete")
    assert fact(page, "check").startswith("1/11 + ")


def test_the_ellipse_goes_through_the_chosen_point(open_figure):
    page = open_figure("ellipse")
    for i in (11, 0, 10):
        page.locator(".point").nth(i).focus()
        fact(page, "leverage")
        off = page.locator("circle.contour.own").evaluate(
            """(circle, [x, y]) => {
              const place = new DOMPoint(x, y).matrixTransform(circle.getScreenCTM().inverse());
              return Math.abs(Math.hypot(place.x, place.y) - 1);
            }""",
            list(place(page, i)),
        )
        assert off < 0.01


def test_degenerate_points_are_told_not_hidden(open_figure):
    assert fact(open_figure("flat"), "equation") == "y = 3 + 0 x"
    page = open_figure("one")
    assert (fact(page, "leverage"), fact(page, "cook")) == ("1.000", "undefined")
    assert page.locator("line.without").is_hidden()
    page.locator(".point").press("Delete")
    expect(page.locator(".point")).to_have_count(1)
    page = open_figure("diagonal")
    assert (
        "lie on one line" in fact(page, "note")
        and page.locator("circle.contour:visible").count() == 0
    )
    assert fact(page, "check") == "1/3 + 0.595 = 0.929"
    drag(page, 1, 0, -120)
    assert fact(page, "note") == "" and page.locator("circle.contour:visible").count() > 0


def test_a_new_theme_keeps_the_points(open_figure):
    page = open_figure()
    drag(page, 11, -150, -60)
    before = xs(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "getComputedStyle(document.querySelector('[data-testid=stApp]')).colorScheme.includes('dark')"
    )
    settle(page)
    assert np.array_equal(xs(page), before)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_stand_out(open_figure, theme):
    page = open_figure("both", theme=theme)
    rgb = """(e, name) => {
      const c = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
      c.fillStyle = getComputedStyle(e)[name]; c.fillRect(0, 0, 1, 1);
      return [...c.getImageData(0, 0, 1, 1).data.slice(0, 3)]; }"""
    ground = page.get_by_test_id("stApp").evaluate(rgb, "backgroundColor")
    for selector, name, least in (
        ("line.fitted", "stroke", 7),
        ("line.without", "stroke", 4.5),
        (".point .dot", "fill", 3),
        (".top .dot", "fill", 3),
        ("circle.contour.own", "stroke", 3),
    ):
        assert contrast(page.locator(selector).first.evaluate(rgb, name), ground) >= least, selector


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_serious_and_it_fits(open_figure, width, theme):
    page = open_figure("both", width=width, theme=theme)
    assert serious(page) == []
    assert fits(page)
    assert page.problems == []
    frames = page.locator(".lever").evaluate_all(
        """all => all.flatMap((e) => [...e.querySelectorAll("button, text, p, dd, li, label")]
            .filter((i) => i.offsetParent !== null || i.ownerSVGElement)
            .map((i) => i.getBoundingClientRect()).filter((r) => r.width > 2)
            .map((r) => [r.left, r.right]))"""
    )
    assert min(left for left, _ in frames) >= 0 and max(right for _, right in frames) <= width


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (1920, 1080)])
@pytest.mark.parametrize("show", ["line", "ellipse"])
def test_the_buttons_stay_in_the_window_on_a_projector(open_figure, show, width, height):
    page = open_figure(show, width=width, height=height)
    expect(page.get_by_role("button", name="Restore")).to_be_in_viewport(ratio=1)


def test_type_grows_with_the_place(open_figure):
    size = "e => parseFloat(getComputedStyle(e).fontSize)"
    sizes = [
        open_figure(width=width).locator("[data-fact=leverage]").evaluate(size)
        for width in (390, 1280, 1920)
    ]
    assert sizes[0] >= 24 and sizes[0] < sizes[1] < sizes[2] and sizes[1] >= 40
    column = open_figure(query="&narrow=1")
    assert fits(column) and column.locator("[data-fact=leverage]").evaluate(size) < sizes[1]
    smallest = min(column.locator("text").evaluate_all(f"all => all.map({size})"))
    assert smallest >= 12
