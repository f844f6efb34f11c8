"""Scores that leave and come back, in a real Chromium: the file that is downloaded is the file that
is handed in.

One server with a cache of its own into which two rankings and a made-up map of 300 digits are
planted.
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from core import datasets, embeddings
from core.runtime import cache
from core.spec import Spec, map_key, scores_key
from core.strategies.leverage import leverage
from tests.browser.conftest import LONG, looks, settle, troubles

POINTS = Spec().with_(dataset="digits", n=300)
OUT, BACK = ("/data?dataset=digits&n=300&show=" + task for task in ("out", "back"))


@pytest.fixture(scope="module")
def scores() -> np.ndarray:
    return leverage(embeddings.embed(datasets.load("digits", n=300), "raw").embedding)


@pytest.fixture(scope="module")
def address(serve, tmp_path_factory, scores) -> str:
    folder, data = tmp_path_factory.mktemp("cache"), datasets.load("digits", n=300)
    drawn = POINTS.with_(strategy="random", draw=4)
    for spec, values in ((POINTS, scores), (drawn, np.random.default_rng(4).random(300))):
        facts = {
            "spec": spec.to_query(),
            "n": 300,
            "d": 64,
            "rank": 60,
            "sum": float(values.sum()),
            "dead": 4,
            "condition": 40.0,
        }
        facts |= {"gap": None, "seconds": 1.0, "device": "CPU"}
        cache.put(scores_key(spec, data.fingerprint), {"scores": values}, facts, root=folder)
    places = np.random.default_rng(0).random((300, 2)).astype(np.float32)
    cache.put(
        map_key(POINTS, data.fingerprint),
        {"coordinates": places},
        {"trustworthiness": 0.9},
        root=folder,
    )
    return serve(env={"LEVERAGE_LAB_CACHE": str(folder)})


def taken(page: Page, kind: str, folder: Path) -> Path:
    """The file that the download button gives."""
    page.get_by_role("button", name="Download scores").click()
    with page.expect_download(timeout=LONG) as waiting:
        page.get_by_role("button", name=re.compile(kind)).click()
    place = folder / waiting.value.suggested_filename
    waiting.value.save_as(place)
    page.keyboard.press("Escape")
    return place


def hand_in(page: Page, *files: Path) -> None:
    """Choose the file, and then the manifest in the field that asks for it."""
    for place, file in enumerate(files):
        page.locator("[data-testid=stFileUploaderDropzoneInput]").nth(place).set_input_files(
            str(file)
        )
        page.wait_for_timeout(500)
        settle(page, LONG / 1000)


def first_captions(page: Page) -> list[str]:
    """The first five points of the gallery as a screen reader says them."""
    cells = page.locator(".gallery .cells [role=option]")
    expect(cells.first).to_be_attached(timeout=LONG)
    return [cells.nth(i).get_attribute("aria-label") for i in range(5)]


def test_a_ranking_of_the_file_opens_on_explore(visit, tmp_path, scores):
    file = taken(visit(OUT), "Parquet", tmp_path)
    assert np.array_equal(pd.read_parquet(file)["score_raw_leverage"], scores)
    page = visit(BACK)
    hand_in(page, file)
    expect(page.get_by_text("2 the same as computed here")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("The file's map")).to_be_visible()
    shown = first_captions(page)
    page.get_by_role("link", name="Open it on Explore").click()
    expect(page.get_by_text("Which digits matter?")).to_be_visible(timeout=LONG)
    settle(page, LONG / 1000)
    assert "n=300" in page.url and first_captions(page) == shown and troubles(page) == []


def test_an_edited_csv_file_is_told_and_shown_as_it_stands(visit, tmp_path):
    page = visit(OUT)
    table, manifest = (taken(page, kind, tmp_path) for kind in ("CSV", "Manifest"))
    frame = pd.read_csv(table)
    frame.loc[7, "score_raw_leverage"] = 5.0
    frame.to_csv(table, index=False)
    page = visit(BACK)
    hand_in(page, table, manifest)
    expect(page.get_by_text("the file was edited")).to_be_visible(timeout=LONG)
    expect(page.get_by_text(re.compile("differs by up to 4.* at 1 point"))).to_be_visible()
    assert "5.000" in first_captions(page)[0] and troubles(page) == []


def test_a_file_that_is_shown_fits_every_screen(visit, tmp_path):
    file = taken(visit(OUT), "Parquet", tmp_path)
    page = visit(BACK)
    hand_in(page, file)
    first_captions(page)
    for look in looks(page):
        look("a file of scores")
    assert troubles(page) == []
