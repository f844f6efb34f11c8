"""The Influence page as its readers use it, in a real Chromium: every picture on a desk and on a
phone, a dot that is clicked, the rounds in the plane, and an experiment from its start to its end.
"""

import pytest
from playwright.sync_api import expect

from core.experiments.influence import plan as influence
from core.experiments.plan import compute
from tests.browser.conftest import (
    LONG,
    drawn,
    look_through,
    looks,
    past_experiment,
    settle,
)

DONE = {"dataset": "digits", "labeled": "40", "pool": "30", "validation": "60", "seeds": "2"}
ROUNDS = {
    "study": "queries",
    "dataset": "synth2",
    "labeled": "10",
    "unlabeled": "100",
    "validation": "30",
    "seeds": "2",
    "rounds": "3",
}
CHARTS = {
    "Predicted and retrained": 2,
    "Spread": 1,
    "Best and worst": 0,
    "Batches of ten": 2,
    "Without one": 2,
}


def link(query: dict[str, str], **more: str) -> str:
    return "/influence?" + "&".join(f"{name}={value}" for name, value in (query | more).items())


@pytest.fixture(scope="module")
def address(serve, tmp_path_factory) -> str:
    """A server whose cache has both experiments."""
    folder = str(tmp_path_factory.mktemp("cache"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEVERAGE_LAB_CACHE", folder)
        for query, do in ((DONE, compute), (ROUNDS, compute)):
            for unit in influence.Influence.from_query(query)[0].units():
                do(unit)
    return serve(env={"LEVERAGE_LAB_CACHE": folder})


def test_every_picture_fits_every_screen(visit):
    page = visit(link(DONE))
    expect(page.locator("p.answer").first).to_contain_text("correlation", timeout=LONG)
    for look in looks(page):
        look_through(page, look, CHARTS)


def test_rounds_fit_every_screen(visit):
    page = visit(link(ROUNDS))
    drawn(page, 2)
    settle(page, LONG / 1000)
    for look in looks(page):
        look_through(page, look, {"Learning curves and goals": 2, "Snapshots": 6})


def test_a_clicked_dot_shows_its_point_and_the_link_keeps_it(visit):
    page = visit(link(DONE))
    drawn(page, 2)
    settle(page, LONG / 1000)
    newton = page.locator("[data-testid=stVegaLiteChart] canvas").nth(1)
    box = newton.bounding_box()
    for down in range(int(box["height"]) - 60, 20, -6):  # along the line where both are equal
        across = 70 + (box["height"] - 50 - down) / (box["height"] - 50) * (box["width"] - 75)
        newton.click(position={"x": across, "y": down})
        page.wait_for_timeout(150)
        settle(page, LONG / 1000)  # before the next click, which would let go of the point again
        if "point=" in page.url:
            break
    settle(page, LONG / 1000)
    assert "point=" in page.url
    expect(page.get_by_role("listbox", name="The picked point")).to_be_visible()


def test_an_experiment_from_its_start_to_its_end(visit):
    page = visit(link(DONE, labeled="30", pool="10"))
    page.get_by_role("button", name="Start").click()
    expect(page.locator("p.answer").first).to_contain_text("correlation", timeout=LONG)
    expect(page.get_by_role("button", name="Start")).to_have_count(0, timeout=LONG)
    settle(page, LONG / 1000)
    past = page.get_by_text("30 labeled points, l2 0.01, 2 seeds")
    expect(past_experiment(page, past)).to_be_visible()
