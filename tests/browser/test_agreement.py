"""The Agreement page as its readers use it, in a real Chromium: the talk's figure on a desk and on
a phone, and a pair behind a cell.

One server for most, with a cache of its own; a fresh one for the link that is its very first
request.
"""

import csv
import io
import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from core import agreement, datasets, embeddings
from core.strategies.leverage import leverage
from tests.browser.conftest import DESK_AND_PHONE, LONG, fits, serious, settle, troubles

PATH = "/agreement"
THREE = "/agreement?dataset=digits&embeddings=raw%2Cpca%2Crandom_relu"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> str:
    return str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def address(serve, folder) -> str:
    return serve(env={"LEVERAGE_LAB_CACHE": folder})


def ready(page: Page) -> None:
    expect(cells(page).first).to_be_visible(timeout=LONG)
    expect(page.get_by_test_id("stProgress")).to_have_count(0, timeout=LONG)
    expect(page.get_by_role("listbox").first).to_be_attached(timeout=LONG)
    settle(page, LONG / 1000)


def heatmap(page: Page):
    return page.get_by_test_id("stVegaLiteChart").first


def cells(page: Page):
    return heatmap(page).locator(
        "[aria-label*='ceiling of the first'][aria-roledescription='rect mark']"
    )


def cell(page: Page, a: str, b: str):
    """The cell of ranking a against ranking b."""
    return (
        heatmap(page)
        .locator(f"[aria-roledescription='rect mark'][aria-label*='ranking: {a}; and: {b};']")
        .first
    )


def click(page: Page, a: str, b: str) -> None:
    """Click into that cell, on whatever lies on top there: the cell, its value or the frame of the
    picked pair.
    """
    cell(page, a, b).evaluate("e => e.scrollIntoView({block: 'center'})")
    box = cell(page, a, b).bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def pair(page: Page) -> str:
    return page.get_by_role("heading", level=3).first.inner_text()


def names_inside(page: Page) -> list[str]:
    """The names along both sides of the heatmap that are drawn whole; a cut one ends in an ellipsis
    or leaves the picture.
    """
    return heatmap(page).evaluate("""chart => {
        const frame = chart.querySelector('svg').getBoundingClientRect()
        const whole = (t) => { const b = t.getBoundingClientRect()
            return b.left >= frame.left - 1 && b.right <= frame.right + 1
                && b.bottom <= frame.bottom + 1 && !t.textContent.includes('…') }
        return [...chart.querySelectorAll('.role-axis-label text')]
            .filter(whole).map((t) => t.textContent)
    }""")


@DESK_AND_PHONE
def test_the_talks_figure(visit, width, theme):
    page = visit("/agreement", width, theme)
    expect(page.get_by_role("heading", name="Do representations agree?")).to_be_visible()
    assert "Most alike are" in page.locator("p.answer").first.inner_text()
    assert cells(page).count() >= 17**2 and len(names_inside(page)) == 2 * 17
    size = cell(page, "raw", "random ReLU 1").bounding_box()
    assert 0.5 <= size["width"] / size["height"] <= 2, "cells are nearly square on every screen"
    values = heatmap(page).locator(".mark-text text").filter(has_text=re.compile(r"^.?\d\.\d\d$"))
    assert values.first.evaluate("e => getComputedStyle(e).opacity") == (
        "1" if width == 1280 else "0"
    )
    expect(page.locator(".legend").first).to_contain_text("Kendall τ")
    assert fits(page) and serious(page) == [] and troubles(page) == []


def test_click_a_cell_and_share_what_lies_behind_it(visit):
    page = visit(THREE)
    assert cells(page).count() >= 9
    click(page, "random ReLU 1", "raw")
    expect(page.get_by_role("heading", name="Random ReLU 1 against raw")).to_be_visible(
        timeout=LONG
    )
    ready(page)
    assert page.url.endswith("cell=2-0")
    digits = (
        page.get_by_role("listbox").first.get_by_role("option").first.get_attribute("aria-label")
    )
    click(page, "raw", "PCA")
    expect(page.get_by_role("heading", name="Raw against PCA")).to_be_visible(timeout=LONG)
    page.go_back()
    expect(page.get_by_role("heading", name="Random ReLU 1 against raw")).to_be_visible(
        timeout=LONG
    )
    ready(page)
    shared = visit(page.url, 390, "dark")
    assert pair(shared) == "Random ReLU 1 against raw" and fits(shared)
    assert (
        shared.get_by_role("listbox").first.get_by_role("option").first.get_attribute("aria-label")
        == digits
    )
    assert serious(shared) == [] and troubles(page) == [] and troubles(shared) == []


def test_on_a_phone_a_tap_on_a_small_cell_opens_its_pair(visit):
    page = visit("/agreement", 390)
    click(page, "regression 2", "classification 4")
    expect(page.get_by_role("heading", name="Regression 2 against classification 4")).to_be_visible(
        timeout=LONG
    )
    assert re.search(r"cell=\d+-\d+$", page.url) and troubles(page) == []


def test_the_first_request_of_a_fresh_server_may_be_a_link_to_this_page(
    open_page, serve, folder, visit
):
    visit(THREE)  # computed once, so that the fresh server finds it
    page = open_page(
        serve(env={"LEVERAGE_LAB_CACHE": folder, "COLD": "agreement"})
        + f"{THREE}&order=similarity&measure=spearman&cell=1-2"
    )
    ready(page)
    assert (
        pair(page) == "PCA against random ReLU 1"
        and page.get_by_role("radio", name="Spearman ρ").is_checked()
    )
    titles = " ".join(page.get_by_test_id("stSidebarNavLink").all_inner_texts())
    assert (
        all(title in titles for title in ("Explore", "Agreement", "Map"))
        and "agreement" not in titles
    )
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Map").click()
    expect(page.get_by_role("heading", name="Where do they lie?")).to_be_visible(timeout=LONG)
    assert troubles(page) == []


def test_the_matrix_can_be_downloaded(visit):
    page = visit(THREE)
    page.get_by_role("button", name="Download the matrix").click()
    with page.expect_download(timeout=LONG) as waiting:
        page.get_by_role("button", name="CSV, 3 x 3").click()
    assert waiting.value.suggested_filename == "digits-kendall.csv"
    names, *rows = csv.reader(io.StringIO(waiting.value.path().read_text()))
    assert names == ["kendall", "raw", "PCA", "random ReLU 1"]
    data = datasets.load("digits")
    rankings = np.stack(
        [leverage(embeddings.embed(data, name).embedding) for name in ("raw", "pca", "random_relu")]
    )
    assert np.allclose(
        np.array([row[1:] for row in rows], float),
        agreement.kendall(rankings),
        atol=1e-12,
    )
    assert troubles(page) == []


def test_a_bad_link_shows_what_was_wrong_and_a_working_page(visit):
    page = visit(THREE + "%2Cumap&measure=pearson&cell=7-7", 390, "dark")
    alerts = " ".join(page.get_by_test_id("stAlert").all_inner_texts())
    assert all(
        words in alerts for words in ("found umap", "measure: found 'pearson'", "cell: found '7-7'")
    ) and fits(page)
    assert serious(page) == [] and troubles(page) == []
