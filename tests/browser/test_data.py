"""The Data page in a real Chromium: real files dropped, looked at and kept; faulty ones refused
with a sentence; scores out and back.
"""

import json
import re

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from core.exports import reading_back
from tests.browser.conftest import LONG, looks, settle, troubles
from tests.tools.own_data import npz_of, parquet_of, zip_of

GOOD = {
    "zip": ("pets.zip", zip_of(each=60), "120 images"),
    "npz": (
        "small.npz",
        npz_of(images=np.random.default_rng(0).integers(0, 255, (150, 9, 9)).astype(np.uint8)),
        "150 images",
    ),
    "parquet": ("rows.parquet", parquet_of(90), "90 rows"),
}
FAULTY = {
    "pickled": ("small.npz", npz_of(pickled=True), "objects are not read"),
    "no archive": ("pets.zip", b"PK\x03\x04 and then nothing of sense", "damaged"),
    "words": ("rows.parquet", parquet_of(x=["u"] * 30, y=["v"] * 30), "numbers"),
}
TASKS = {
    "Join an embedding": "computed elsewhere",
    "Take scores out": re.compile("No ranking of these|Rankings"),
    "Read scores back": "that was taken out here",
}


@pytest.fixture(scope="module")
def address(serve, tmp_path_factory) -> str:
    """A server with folders of its own."""
    folder = tmp_path_factory.mktemp("own")
    return serve(
        env={"LEVERAGE_LAB_DATA": str(folder / "data"), "LEVERAGE_LAB_CACHE": str(folder / "cache")}
    )


def drop(page: Page, name: str, content: bytes, place: int = 0) -> None:
    """Choose a file as a drop on the field would."""
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    page.locator("[data-testid=stFileUploaderDropzoneInput]").nth(place).set_input_files(file)


def keep(page: Page) -> None:
    """Press the button once the file that was dropped is shown."""
    settle(page)
    page.get_by_role("button", name="Keep it", exact=True).click(timeout=LONG)
    expect(page.get_by_text("is kept, and chosen as the dataset now.")).to_be_visible(timeout=LONG)
    settle(page)


@pytest.mark.parametrize("kind", GOOD)
def test_a_file_is_dropped_looked_at_kept_and_explored(visit, kind):
    name, content, said = GOOD[kind]
    page = visit("/data")
    drop(page, name, content)
    expect(page.locator("dl.facts")).to_contain_text(said.split()[0], timeout=LONG)
    keep(page)
    expect(page.locator("p.answer").first).to_contain_text(said)
    page.get_by_role("link", name="Explore it").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        f"Which {said.split()[1]} matter?", timeout=LONG
    )
    expect(page.locator("p.answer").first).to_be_visible(timeout=LONG)
    shown = page.locator("[data-testid=stDataFrame], .st-key-current canvas").first
    expect(shown).to_be_visible(timeout=LONG)
    assert "dataset=own_" in page.url and troubles(page) == []
    page.reload()
    settle(page, LONG / 1000)
    expect(page.get_by_role("heading", level=1)).to_have_text(
        f"Which {said.split()[1]} matter?", timeout=LONG
    )


@pytest.mark.parametrize("kind", FAULTY)
def test_a_faulty_file_is_refused_with_a_sentence(visit, kind):
    name, content, said = FAULTY[kind]
    page = visit("/data")
    drop(page, name, content)
    expect(page.locator("[data-testid=stAlert]").first).to_contain_text(said, timeout=LONG)
    expect(page.get_by_role("button", name="Keep it", exact=True)).to_have_count(0)
    expect(page.locator("[data-testid=stException]")).to_have_count(0)
    assert troubles(page) == []


def test_every_task_fits_every_screen(visit):
    page = visit("/data?dataset=digits")
    expect(page.get_by_text("How the file may look")).to_be_visible(timeout=LONG)
    for look in looks(page):
        look("no file")
        drop(page, "pets.zip", zip_of(each=20, broken=True))
        expect(page.get_by_role("button", name="Keep it", exact=True)).to_be_enabled(timeout=LONG)
        look("a file")
        for task, says in TASKS.items():
            page.get_by_role("radio", name=task).click()
            expect(page.get_by_text(says).first).to_be_visible(timeout=LONG)
            look(task)
        page.get_by_role("radio", name="Bring data in").click()
        expect(page.get_by_text("How the file may look")).to_be_visible(timeout=LONG)
    assert troubles(page) == []


def test_scores_leave_in_a_file_and_come_back_the_same(visit, tmp_path):
    page = visit("/explore?dataset=digits")
    expect(page.locator("p.answer").first).to_contain_text("of 1,797", timeout=LONG)
    page = visit("/data?dataset=digits&show=out")
    page.get_by_role("button", name="Download scores").click(timeout=LONG)
    taken = {}
    for kind in ("CSV", "Parquet", "Manifest"):
        with page.expect_download() as download:
            page.get_by_role("button", name=kind).click()
        taken[kind] = tmp_path / download.value.suggested_filename
        download.value.save_as(taken[kind])
    frame = pd.read_parquet(taken["Parquet"])
    assert len(frame) == 1797 and np.isclose(
        frame["score_raw_leverage"].sum(), 61
    )  # leverage sums to the rank
    assert "raw" in json.dumps(json.loads(taken["Manifest"].read_text()))
    csv = reading_back.read_back(
        taken["CSV"].read_bytes(), "scores.csv", taken["Manifest"].read_bytes()
    )
    assert (csv.columns[0].scores == frame["score_raw_leverage"].to_numpy()).all()
    page = visit("/data?dataset=digits&show=back")
    drop(page, "scores.parquet", taken["Parquet"].read_bytes())
    expect(page.get_by_text("the same as computed here").first).to_be_visible(timeout=LONG)
    assert troubles(page) == []
