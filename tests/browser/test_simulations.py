"""The Simulations page as its readers use it, in a real Chromium: every figure on a desk and on a
phone, one computed from its start to its end, and a link that survives a reload.
"""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from core import datasets
from core.experiments.plan import compute
from core.experiments.simulations.plan import DRAWN, PRESETS, Simulations
from core.runtime import cache
from tests.browser.conftest import (
    LONG,
    drawn,
    looks,
    past_experiment,
    settle,
    troubles,
)

RISK = PRESETS["risk"].with_(pool=300, seeds=3)
ROUNDS = [
    PRESETS[figure].with_(dataset="digits", pool=300, rounds=4, seeds=3)
    for figure in ("representations", "backward")
]
PANELS = {"risk": 2, "representations": 2, "backward": 1}


def link(plan: Simulations) -> str:
    return "/simulations?" + "&".join(
        f"{name}={value.replace(' ', '+')}" for name, value in plan.to_query().items()
    )


@pytest.fixture(scope="module")
def address(serve, tmp_path_factory) -> str:
    """A server whose cache has one finished plan of each figure: the designs computed, the rounds
    made up.
    """
    folder, rng = str(tmp_path_factory.mktemp("cache")), np.random.default_rng(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEVERAGE_LAB_CACHE", folder)
        for unit in RISK.units():
            compute(unit)
        for plan in ROUNDS:
            for unit in plan.units():
                value = 0.5 + 0.08 * np.arange(5) + 0.05 * rng.random(5)
                arrays = {
                    "budget": np.array(plan.budgets),
                    "value": value,
                    "picks": np.zeros((4, plan.batch), int),
                    "reached": np.ones(5, bool),
                }
                cache.put(unit.key(datasets.load("digits").fingerprint), arrays, {})
    return serve(env={"LEVERAGE_LAB_CACHE": folder})


def test_every_figure_fits_every_screen(visit):
    for plan in (RISK, *ROUNDS):
        page = visit(link(plan))
        expect(page.locator("p.answer").first).to_contain_text("over all", timeout=LONG)
        drawn(page, PANELS[plan.figure])
        for look in looks(page):
            look(plan.figure)
        assert troubles(page) == []


def test_names_stand_beside_the_lines(visit):
    page = visit(link(RISK))
    expect(page.locator(".mark-text.role-mark text").first).to_be_attached(timeout=LONG)
    names = page.locator(
        "[data-testid=stVegaLiteChart] .mark-text.role-mark text"
    ).all_text_contents()
    assert sorted(names) == sorted(["BAIT", "Log-det", "Leverage", "Random"] * 2)


def test_a_simulation_runs_from_its_start_to_its_end_and_its_link_survives(visit):
    """Another ridge: nothing of it is in the cache."""
    page = visit(link(RISK.with_(ridge=0.1, seeds=2)))
    expect(page.get_by_text(re.compile("16 runs to do"))).to_be_visible(timeout=LONG)
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("all 16 runs")).to_be_visible(timeout=LONG)
    expect(page.locator("p.answer").first).to_contain_text(
        "on the orthonormal design", ignore_case=True, timeout=LONG
    )
    said = page.locator("p.answer").first.inner_text()
    page.reload()
    settle(page, LONG / 1000)
    expect(page.locator("p.answer").first).to_have_text(said, timeout=LONG)
    past = page.get_by_text(RISK.with_(ridge=0.1, seeds=2).title())
    expect(past_experiment(page, past)).to_be_visible()
    assert RISK.points() is DRAWN and troubles(page) == []


def test_another_figure_is_one_click_away(visit):
    page = visit(link(RISK))
    expect(page.get_by_text("Gaussian design", exact=True)).to_be_visible(timeout=LONG)
    page.get_by_role("radio", name="Taking points back (Figure 1)").click()
    expect(page.get_by_text("all 15 runs")).to_be_visible(timeout=LONG)  # it comes with the app
    assert "figure=backward" in page.url and "pool" not in page.url
