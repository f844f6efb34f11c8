"""The Retrain page as its readers use it, in a real Chromium: finished pictures on a desk and on a
phone, an experiment from its start to its end, and what a reload, a second browser, a killed worker
and a killed server do to it: nothing.
"""

import os
import re
import signal
from pathlib import Path

import numpy as np
import psutil
import pytest
from playwright.sync_api import Page, expect

from core import datasets
from core.experiments import store
from core.experiments.plan import compute
from core.experiments.retrain import outcomes
from core.experiments.retrain import plan as retrain
from core.experiments.retrain.plan import Retraining
from core.runtime import cache, entry_files
from tests.browser.conftest import (
    LONG,
    _start,
    _stop,
    drawn,
    fits,
    look_through,
    looks,
    past_experiment,
    serious,
    settle,
    troubles,
)

DONE = {
    "dataset": "digits",
    "network": "linear",
    "epochs": "3",
    "seeds": "3",
    "budgets": "50 200 1000",
}
DONE |= {
    "candidates": (
        "top:raw bottom:raw top_balanced:raw proportional_weighted:raw top:random_relu random"
    )
}
SLOW = {
    "dataset": "digits",
    "network": "mlp",
    "epochs": "20",
    "seeds": "6",
    "budgets": "1400",
    "candidates": "top:raw random",
}
TOTAL = 12
CHARTS = {"By budget": 1, "During training": 1, "Difference": 1, "By class": 2}


def link(query: dict[str, str]) -> str:
    return "/retrain?" + "&".join(
        f"{name}={value.replace(' ', '+').replace(':', '%3A')}" for name, value in query.items()
    )


def plan_of(query: dict[str, str]) -> Retraining:
    return retrain.Retraining.from_query(query)[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> str:
    """A cache with one finished experiment."""
    folder = str(tmp_path_factory.mktemp("cache"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEVERAGE_LAB_CACHE", folder)
        for unit in plan_of(DONE).units():
            compute(unit)
    return folder


@pytest.fixture(scope="module")
def address(serve, folder) -> str:
    return serve(env={"LEVERAGE_LAB_CACHE": folder})


def progress(page: Page):
    return page.get_by_test_id("stProgress")


def finished(page: Page, trainings: int) -> None:
    """Wait until the picture is made of all of them."""
    expect(page.get_by_text(f"all {trainings} trainings")).to_be_visible(timeout=LONG)
    expect(progress(page)).to_have_count(0, timeout=LONG)


def more_than(page: Page, trainings: int) -> None:
    """Wait until the page counts more finished trainings than these, while others are under way."""
    more = "|".join(str(number) for number in range(trainings + 1, TOTAL))
    expect(progress(page)).to_contain_text(
        re.compile(rf"\b({more}) of {TOTAL} trainings"), timeout=LONG
    )


def stored(folder: str, query: dict[str, str]) -> dict[str, tuple[int, float]]:
    """The finished trainings in a cache folder: key -> where and when its card was written."""
    data = datasets.load(query["dataset"])
    keys = [unit.key(data.fingerprint) for unit in plan_of(query).units()]
    places = Path(folder, "unit").glob("unit-*")
    found = {entry_files.key_of(place): place for place in places}
    return {
        key: (found[key].stat().st_ino, entry_files.read_card(found[key])["written"])
        for key in keys
        if key in found
    }


# ---- finished pictures ----


def test_every_picture_fits_every_screen(visit):
    page = visit(link(DONE))
    expect(page.locator("p.answer").first).to_contain_text("random", timeout=LONG)
    for look in looks(page):
        look_through(page, look, CHARTS)
        page.get_by_role("radio", name="What was selected").click()
        expect(page.get_by_role("listbox")).to_have_count(6, timeout=LONG)
        look("What was selected")
    assert troubles(page) == []


def test_two_networks_stand_side_by_side_and_high_on_the_page(visit):
    page = visit("/retrain")
    page.set_viewport_size({"width": 1280, "height": 800})
    drawn(page, 2)
    expect(page.locator("p.answer")).to_have_count(2, timeout=LONG)
    settle(page, LONG / 1000)
    boxes = [chart.bounding_box() for chart in page.get_by_test_id("stVegaLiteChart").all()]
    assert boxes[0]["y"] == boxes[1]["y"] < 800 and boxes[0]["x"] < boxes[1]["x"]
    for look in looks(page):
        drawn(page, 2)
        look("two networks")
    boxes = [chart.bounding_box() for chart in page.get_by_test_id("stVegaLiteChart").all()]
    assert boxes[0]["x"] == boxes[1]["x"] and boxes[0]["y"] < boxes[1]["y"], "on a phone"
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
    assert {
        "Top, raw",
        "Bottom, raw",
        "Top of each class, raw",
        "Top, random ReLU",
        "Random",
    } <= set(names)
    assert "Drawn by score, weighted, raw" in names, "the longest"
    tops = chart.evaluate(
        "chart => [...chart.querySelectorAll('.mark-text.role-mark text')].map((t) =>"
        " t.getBoundingClientRect().top)"
    )
    assert np.diff(sorted(tops)).min() >= 12, "names do not overlap"


def test_the_figure_is_drawn_outside_the_web_process(open_page, folder, tmp_path):
    server, address = _start(
        "app.py", os.environ | {"LEVERAGE_LAB_CACHE": folder}, tmp_path / "log.txt"
    )
    try:
        page = open_page(address + link(DONE))
        page.set_default_timeout(LONG)
        page.get_by_role("button", name="Download the run").click()
        for label, begins in (
            ("Figure, PNG", b"\x89PNG"),
            ("Figure, SVG", b"<svg"),
            ("CSV", b"strategy,seed,budget"),
        ):
            with page.expect_download(timeout=LONG) as waiting:
                page.get_by_role("button", name=label).click()
            assert waiting.value.path().read_bytes().startswith(begins)
        family = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
        drew = [
            any("vl_convert" in part.path for part in process.memory_maps()) for process in family
        ]
        assert not drew[0] and any(drew[1:]) and troubles(page) == []
    finally:
        _stop(server)


# ---- an experiment ----


def test_from_the_keyboard_to_the_end_and_back_through_the_history(visit, address):
    quick = DONE | {"epochs": "4", "seeds": "2", "candidates": "top:raw random", "budgets": "50"}
    page = visit(link(quick))
    expect(page.get_by_text("samples per second each, just measured")).to_be_visible(timeout=LONG)
    assert serious(page) == [] and fits(page)
    page.get_by_role("heading", name="Do scores at the end").click()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText").strip() == "Start":
            break
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    finished(page, 4)
    assert "job=retrain-" in page.url
    name = re.compile(r"equal epochs \(4 epochs\), 2 seeds.*finished", re.S)
    past_experiment(page, page.get_by_role("button", name=name)).click()
    finished(page, 4)
    assert troubles(page) == []


def test_a_reload_and_a_second_browser_find_it_and_stop_stops_it(visit):
    page = visit(link(SLOW | {"epochs": "150"}), 390, "dark")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible(timeout=LONG)
    settle(page, LONG / 1000)
    assert fits(page) and serious(page) == []
    page.reload()
    expect(page.get_by_role("button", name="Stop")).to_be_visible(timeout=LONG)
    other = visit(page.url)
    expect(other.get_by_role("button", name="Stop")).to_be_visible(timeout=LONG)
    other.get_by_role("button", name="Stop").click()
    expect(other.get_by_text("Another session waits for this experiment")).to_be_visible(
        timeout=LONG
    )
    page.get_by_role("button", name="Stop").click()
    for each in (page, other):
        expect(each.get_by_text("Stopped.")).to_be_visible(timeout=LONG)
        assert troubles(each) == [] and "job=" not in each.url


def test_a_killed_worker_and_a_killed_server_cost_nothing(open_page, tmp_path, monkeypatch):
    folder, env = (
        str(tmp_path / "cache"),
        os.environ | {"LEVERAGE_LAB_CACHE": str(tmp_path / "cache")},
    )
    server, address = _start("app.py", env, tmp_path / "first.txt")
    try:
        page = open_page(address + link(SLOW))
        page.set_default_timeout(LONG)
        page.get_by_role("button", name="Start", exact=True).click()
        more_than(page, 0)
        (worker,) = [
            child
            for child in psutil.Process(server.pid).children(recursive=True)
            if "spawn_main" in " ".join(child.cmdline())
        ]
        first = stored(folder, SLOW)
        worker.send_signal(signal.SIGKILL)
        more_than(page, len(first))
        expect(page.get_by_test_id("stAlert")).to_have_count(0)
        where = page.url.removeprefix(address)
        server.send_signal(signal.SIGKILL)
        server.wait()
    finally:
        _stop(server)
    kept = stored(folder, SLOW)
    assert 0 < len(first) < len(kept) < TOTAL, "killed twice in the middle"
    server, address = _start("app.py", env, tmp_path / "second.txt")
    try:
        again = open_page(address + where)
        again.set_default_timeout(LONG)
        finished(again, TOTAL)
        assert "job=retrain-" in again.url and troubles(again) == []
    finally:
        _stop(server)
    assert kept.items() <= stored(folder, SLOW).items(), "a finished training was run twice"
    last = stored(folder, SLOW)
    one_of_each = {next(iter(new)) for new in (first, kept.keys() - first, last.keys() - kept)}
    assert_equal_to_an_undisturbed_run(one_of_each, folder, tmp_path, monkeypatch)


def assert_equal_to_an_undisturbed_run(keys, folder, tmp_path, monkeypatch):
    """These trainings, from before the first kill, between the two and after both, computed once
    more without any.
    """
    plan, data = plan_of(SLOW), datasets.load("digits")
    units = [unit for unit in plan.units() if unit.key(data.fingerprint) in keys]
    rows = []
    for place in (folder, str(tmp_path / "undisturbed")):
        monkeypatch.setenv("LEVERAGE_LAB_CACHE", place)
        store.forget()
        found = {
            unit: ((cache.get(unit.key(data.fingerprint)) or compute(unit)).arrays)
            for unit in units
        }
        rows.append(outcomes.tidy_columns(plan, found))
    assert len(units) == 3 and rows[0] == rows[1]


def test_a_bad_link_shows_what_was_wrong_and_a_working_page(visit):
    bad = {
        "candidates": "best:raw top:raw random",
        "budgets": "50 many",
        "job": "retrain-0123456789abcdef01234567",
    }
    page = visit(link(DONE | {"epochs": "5"} | bad), 390)
    alerts = page.get_by_test_id("stAlert")
    for words in ("found 'best'", "found 'many'", "job: found an experiment with other settings"):
        expect(alerts.filter(has_text=words)).to_be_visible(timeout=LONG)
    expect(page.get_by_role("button", name=re.compile("Start|Go on"))).to_be_visible(timeout=LONG)
    settle(page, LONG / 1000)
    assert fits(page) and serious(page) == [] and troubles(page) == []
