"""The Trim page as its readers use it, in a real Chromium: every picture on a desk and on a phone,
the paper's simulations, and an experiment from its start to its end.
"""

import re

import pytest
from playwright.sync_api import expect

from core.experiments.plan import compute
from core.experiments.trim import fi_simulations
from core.experiments.trim import plan as trim
from tests.browser.conftest import (
    LONG,
    drawn,
    fits,
    look_through,
    looks,
    past_experiment,
    rest,
    serious,
    settle,
    troubles,
)

DONE = {
    "dataset": "digits",
    "n": "800",
    "training": "200",
    "validation": "100",
    "budgets": "5 20 40",
    "seeds": "4",
}
CHARTS = {"By points removed": 1, "Difference": 1, "Planted truth": 2, "By class": 1}


def link(query: dict[str, str]) -> str:
    return "/trim?" + "&".join(f"{name}={value.replace(' ', '+')}" for name, value in query.items())


@pytest.fixture(scope="module")
def address(serve, tmp_path_factory) -> str:
    """A server whose cache has one finished experiment, one picture in the plane and one table of
    the paper's.
    """
    folder = str(tmp_path_factory.mktemp("cache"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEVERAGE_LAB_CACHE", folder)
        for unit in trim.Trim.from_query(DONE)[0].units():
            compute(unit)
        fi_simulations.boundaries("two_gaussians", 1)
        fi_simulations.boundaries("two_crescents", 1)
        fi_simulations.accuracies("two_gaussians")
    return serve(env={"LEVERAGE_LAB_CACHE": folder})


def test_every_picture_fits_every_screen(visit):
    page = visit(link(DONE))
    expect(page.locator("p.answer").first).to_contain_text("random removal", timeout=LONG)
    for look in looks(page):
        look_through(page, look, CHARTS | {"In the plane": 1})
        page.get_by_role("radio", name="Trimmed first").click()
        expect(page.get_by_role("listbox")).to_have_count(6, timeout=LONG)
        look("Trimmed first")
    assert troubles(page) == []


def test_names_stand_whole_beside_the_lines_on_a_desk(visit):
    page = visit(link(DONE))
    chart = page.get_by_test_id("stVegaLiteChart").first
    expect(chart.locator(".mark-text.role-mark text").first).to_be_attached(timeout=LONG)
    settle(page, LONG / 1000)
    names = chart.evaluate("""chart => {
        const frame = chart.getBoundingClientRect()
        return [...chart.querySelectorAll('.mark-text.role-mark text')]
            .filter((t) => t.getBoundingClientRect().right <= frame.right + 1)
            .map((t) => t.textContent)
    }""")
    assert {"FI-util", "Influence value", "KNN-Shapley", "Leverage", "Loss", "Random"} <= set(names)


def test_the_papers_simulations_need_no_experiment(visit):
    page = visit(link({"dataset": "digits", "show": "paper"}))
    expect(page.get_by_text("The paper counts 23, 28, 30.")).to_be_visible(timeout=LONG)
    expect(page.get_by_test_id("stDataFrame")).to_be_visible(timeout=LONG)
    page.get_by_role("radio", name="In the plane").click()
    drawn(page, 1)
    answer = page.locator("p.answer").first
    expect(answer).to_contain_text("Two Gaussians, dataset 1", timeout=LONG)
    expect(answer).to_contain_text("without the 20 that the influence value removes")
    page.get_by_test_id("stMain").get_by_role("combobox", name="Points").click()
    page.get_by_role("option", name="Two crescents").click()
    expect(answer).to_contain_text("Two crescents, dataset 1", timeout=LONG)
    drawn(page, 1)
    rest(page)
    assert (
        "world=two_crescents" in page.url
        and fits(page)
        and serious(page) == []
        and troubles(page) == []
    )


def test_an_experiment_from_its_start_to_its_end(visit):
    page = visit(link(DONE | {"seeds": "2", "methods": "loss random", "l2": "0.02"}))
    expect(page.get_by_text("4 runs to do")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("billion operations per second each, just measured")).to_be_visible(
        timeout=LONG
    )
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("all 4 runs")).to_be_visible(timeout=LONG)
    settle(page, LONG / 1000)
    drawn(page, 1)
    name = re.compile("200 points, 10% flipped labels, 2 seeds")
    expect(past_experiment(page, page.get_by_role("button", name=name))).to_be_visible()
    assert troubles(page) == []


def test_a_singular_problem_ends_with_a_sentence(visit):
    page = visit(link(DONE | {"seeds": "2", "methods": "iv random", "l2": "0.0"}))
    expect(page.get_by_text("l2: found 0.")).to_be_visible(timeout=LONG)  # before the work
    expect(page.get_by_role("button", name="Start", exact=True)).to_have_count(0)
    settle(page, LONG / 1000)
    assert page.get_by_test_id("stException").count() == 0 and fits(page)
