"""The Active page as its readers use it, in a real Chromium: every picture on a desk and on a
phone, a batch replayed pick by pick, and an experiment from its start to its end.
"""

import re

import pytest
from playwright.sync_api import expect

from core.experiments.active import plan as active
from core.experiments.active import replay
from core.experiments.active.plan import Active
from core.experiments.plan import compute
from core.models import umap_map
from tests.browser.conftest import (
    LONG,
    look_through,
    looks,
    past_experiment,
    troubles,
)

DONE = {
    "dataset": "digits",
    "network": "linear",
    "strategies": "badge bait k_center entropy random",
    "batch": "20",
    "rounds": "4",
}
DONE |= {"start": "20", "seeds": "2", "pool": "240", "until": "epochs", "epochs": "30"}
CHARTS = {"Learning curves": 1, "Who beats whom": 1, "Errors": 1, "Batches": 3}


def link(query: dict[str, str]) -> str:
    return "/active?" + "&".join(
        f"{name}={value.replace(' ', '+').replace(':', '%3A')}" for name, value in query.items()
    )


def plan_of(query: dict[str, str]) -> Active:
    return active.Active.from_query(query)[0]


@pytest.fixture(scope="module")
def address(serve, tmp_path_factory) -> str:
    """A server whose cache has one finished comparison, and one of its rounds replayed."""
    folder = str(tmp_path_factory.mktemp("cache"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEVERAGE_LAB_CACHE", folder)
        for unit in plan_of(DONE).units():
            compute(unit)
        # Where UMAP places the points is not asked here, and compiling it takes a minute.
        patch.setattr(umap_map, "umap_map", lambda embedding, **_: embedding[:, :2])
        replayed = next(unit for unit in plan_of(DONE).units() if unit.strategy == "k_center")
        replay.compute(replayed, 1)
        replay.mapped(replayed, 1)
    return serve(env={"LEVERAGE_LAB_CACHE": folder})


def test_every_picture_fits_every_screen(visit):
    page = visit(link(DONE))
    expect(page.locator("p.answer").first).to_contain_text("random", timeout=LONG)
    for look in looks(page):
        look_through(page, look, CHARTS)
    assert troubles(page) == []


def test_a_batch_is_replayed_pick_by_pick(visit):
    page = visit(link(DONE | {"show": "replay", "replayed": "k_center", "round": "1"}))
    expect(page.get_by_role("listbox")).to_have_count(2, timeout=LONG)
    expect(page.get_by_text("CORESET, 10 of 20")).to_be_visible(timeout=LONG)
    handle = page.get_by_role("slider", name="Picks")
    handle.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.get_by_text("CORESET, 13 of 20")).to_be_visible(timeout=LONG)
    expect(page.get_by_role("listbox").first.get_by_role("option")).to_have_count(13, timeout=LONG)
    for look in looks(page):
        look("13 picks")
    assert troubles(page) == []


def test_a_comparison_from_its_start_to_its_end(visit):
    quick = DONE | {"strategies": "margin random", "rounds": "2", "seeds": "2"}
    page = visit(link(quick))
    expect(page.get_by_text("Nothing of this experiment is computed yet.")).to_be_visible(
        timeout=LONG
    )
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("all 4 runs")).to_be_visible(timeout=LONG)
    expect(page.get_by_test_id("stProgress")).to_have_count(0, timeout=LONG)
    name = re.compile(r"batches of 20 up to 60 labels, 2 seeds.*finished", re.S)
    expect(past_experiment(page, page.get_by_role("button", name=name))).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Download the run").click()
    with page.expect_download(timeout=LONG) as waiting:
        page.get_by_role("button", name="CSV").click()
    assert waiting.value.path().read_text().startswith("strategy,seed,budget,round,metric,value")
    assert troubles(page) == []
