"""The first page as a stranger meets it, in a real Chromium: what is seen first, where a click
leads, and what becomes of the address.
"""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import (
    DESK_AND_PHONE,
    LONG,
    drawn,
    fits,
    looks,
    serious,
    settle,
    troubles,
)

PATH = "/"
TITLE = "Which data points matter?"


@pytest.fixture(scope="module")
def address(serve) -> str:
    return serve()


def ready(page: Page) -> None:
    """Something is shown, on this page or where it has led."""
    expect(page.get_by_role("listbox").get_by_role("option").first).to_be_attached(timeout=LONG)
    settle(page)


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", name=text, exact=True)).to_be_visible(timeout=LONG)


def test_a_stranger_sees_what_it_is_and_where_to_begin(visit):
    page = visit()
    heading(page, TITLE)
    drawn(page, 2)
    main = page.get_by_test_id("stMain")
    begin = main.get_by_role("link", name="Start with the lesson")
    largest = max(link.bounding_box()["height"] for link in main.get_by_role("link").all())
    assert begin.bounding_box()["height"] == largest >= 44
    assert begin.bounding_box()["y"] < page.get_by_role("listbox").bounding_box()["y"] < 500
    assert page.title() == "Overview · Leverage Lab"
    for look in looks(page):
        drawn(page, 2)
        look("the first page")
    assert troubles(page) == []


@DESK_AND_PHONE
def test_every_link_can_be_met_by_a_finger(visit, width, theme):
    page = visit(PATH, width, theme)
    drawn(page, 2)
    links = page.get_by_test_id("stMain").get_by_test_id("stPageLink").get_by_role("link").all()
    assert len(links) >= 14 and min(link.bounding_box()["height"] for link in links) >= 44
    if width < 600:
        page.get_by_test_id("stExpandSidebarButton").click()
        listed = page.get_by_test_id("stSidebarNavLink")
        expect(listed.first).to_be_in_viewport()
        assert min(link.bounding_box()["height"] for link in listed.all()) >= 44


@DESK_AND_PHONE
def test_leverage_says_what_it_is_to_mouse_finger_and_key(visit, width, theme):
    page = visit(PATH, width, theme)
    term = page.locator("dfn").first
    assert term.evaluate("e => getComputedStyle(e, '::after').content") == "none"
    term.focus()
    said = term.evaluate("e => getComputedStyle(e, '::after').content")
    assert "how far a linear fit follows" in said and term.get_attribute("aria-description")
    assert fits(page) and serious(page) == []
    page.locator("dfn").last.focus()
    assert fits(page), "the last one stands at the right edge"


def test_old_links_open_explore_and_back_leads_here_and_out(visit, address):
    page = visit("/?dataset=digits&show=bottom")
    heading(page, "Which digits matter?")
    assert re.search(r"/explore\?dataset=digits&show=bottom$", page.url)
    assert page.title() == "Explore · Leverage Lab"
    copied = visit(page.url)
    heading(copied, "Which digits matter?")
    copied.reload()
    heading(copied, "Which digits matter?")
    page.go_back()
    heading(page, TITLE)
    settle(page)
    assert page.url == f"{address}/"
    page.go_back()
    assert page.url == "about:blank" and troubles(page) == []


def test_a_digit_opens_on_explore_and_the_way_back_is_here(visit):
    page = visit()
    page.get_by_role("option").nth(2).click()
    expect(page.get_by_role("dialog")).to_contain_text("Rank 3 of 70,000", timeout=LONG)
    settle(page)
    assert re.search(r"/explore\?point=\d+$", page.url) and troubles(page) == []


def test_all_pages_and_the_choice_stand_in_the_sidebar_without_scrolling(visit):
    page = visit("/explore?dataset=digits")
    page.set_viewport_size({"width": 1280, "height": 800})
    sidebar = page.get_by_test_id("stSidebar")
    for name in ("Overview", "Simulations", "Data"):
        assert sidebar.get_by_role("link", name=name, exact=True).bounding_box()["y"] < 600
    assert sidebar.get_by_text("Embedding", exact=True).bounding_box()["y"] < 800
