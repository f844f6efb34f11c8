"""Does the first page say what this is, show its three pictures at once, and lead on; and do old
links to the bare address still open Explore?
"""

import ast
import html
import json
import re
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pytest

from core import pipeline
from core.experiments import store
from core.experiments.sampling import outcomes
from core.experiments.sampling.plan import Sampling
from core.runtime import cache
from core.spec import Spec, comparison_key, scores_key, talk_comparison
from pages.parts.start import old_addresses
from pages.shared import contents
from pages.shared.words import LEVERAGE, defined
from tests.tools import pages
from tests.tools.pages import ROOT, drawn, explore_works, galleries, texts

TITLE = "Which data points matter?"
OLD_LINKS = [
    old["query"]
    for old in json.loads(Path(__file__).with_name("old_links.json").read_text("utf-8"))
    if old["page"] == "explore" and old["query"]
]
visit = pages.visiting("app.py")


def links(at) -> list[str]:
    """The pages that the page's own links lead to."""
    return [link.proto.page for link in at.get("page_link")]


# ---- what it shows ----


def test_three_pictures_come_before_any_worker(asked):
    at = visit()
    assert asked == [] and at.title[0].value == TITLE and not at.error and not at.info
    assert len(galleries(at)) == 1 and len(at.get("vega_lite_chart")) == 2
    assert at.query_params == {}


def test_the_lesson_comes_first_and_every_page_is_linked():
    at = visit()
    found = links(at)
    assert found[0] == "lesson"
    assert set(found) == set(contents.PAGES) - {contents.FIRST}


def test_each_sentence_is_computed_from_the_picture_above_it():
    at = visit()
    said = html.unescape(re.sub(r"</?b>", "", texts(at)))
    data = pipeline.dataset("mnist", None, 0)

    scores = cache.get(scores_key(Spec(), data.fingerprint)).arrays["scores"]
    assert f"{(scores > 0.99).sum()} of 70,000 digits have a leverage above 0.99" in said
    shown = np.array(galleries(at)[0]["ids"])
    assert scores[shown].min() >= np.sort(scores)[-len(shown)]

    key = comparison_key(talk_comparison(), data.fingerprint)
    taus = cache.get(key).arrays["kendall"]
    assert "raw pixels and network trained to regress, rank" in said
    assert f"Kendall's τ of {taus[0, 7:12].mean():.2f}" in said, "raw against five of regression"
    (heatmap,) = [e for e in at.get("vega_lite_chart") if e.proto.alt.startswith("The two that")]
    cells = drawn(heatmap)[0]
    lowest = cells.loc[cells["value"].idxmin()]
    assert {lowest["a"], lowest["b"]} == {"raw", "regression"} and cells["picked"].sum() == 2

    plan = Sampling()
    bought = outcomes.bought_of(plan, store.outcomes(plan, data.fingerprint))
    uniform, by_leverage = np.exp(np.log(bought.ratio[:2, 2]).mean(axis=-1))
    assert plan.rules[:2] == ("uniform", "leverage") and plan.budgets[2] == 2_000
    assert f"{100 * (by_leverage - 1):.2g}% above the least possible" in said
    assert f"{uniform:.3g} times the least possible" in said


def test_a_result_that_is_not_there_leaves_the_others(monkeypatch):
    found = cache.get
    monkeypatch.setattr(cache, "get", lambda key: None if "scores" in key else found(key))
    at = visit()
    assert "Its page computes it" in at.info[0].value and not galleries(at)
    assert len(at.get("vega_lite_chart")) == 2 and not at.error


# ---- where it leads ----


def test_a_click_on_a_digit_opens_it_on_explore(monkeypatch):
    from pages.parts.start import digits

    shown = digits.show
    chosen = {}

    def show(data, points, *rest, **how):
        shown(data, points, *rest, **how)
        return chosen.pop("point", None)

    monkeypatch.setattr(digits, "show", show)
    at = visit()
    chosen["point"] = point = galleries(at)[0]["ids"][2]
    at.run()
    explore_works(at)
    assert at.session_state["page"] == "explore" and at.query_params["point"] == str(point)


def test_what_was_chosen_elsewhere_stays_chosen():
    at = visit(dataset="letter")
    at.switch_page("pages/start.py").run()
    assert at.title[0].value == TITLE
    at.run()
    assert at.title[0].value == TITLE and at.session_state["spec"].dataset == "letter"
    at.switch_page("pages/explore.py").run()
    assert at.title[0].value == "Which letters matter?"


# ---- old links ----


@pytest.mark.parametrize("link", OLD_LINKS)
def test_the_bare_address_with_explores_parameters_opens_explore(link, held):
    held()
    query = dict(parse_qsl(link))
    assert old_addresses.meant_for_explore(query)
    at = visit(**query)
    assert at.session_state["page"] == "explore" and at.title[0].value.startswith("Which ")
    alone = pages.follow("pages/explore.py", link)
    assert at.session_state["link"] == alone.session_state["link"]


@pytest.mark.parametrize("query", [{}, {"utm_source": "a"}, {"__theme": "dark"}])
def test_what_does_not_concern_explore_stays_here(query):
    assert not old_addresses.meant_for_explore(query)


def test_every_name_in_explores_links_is_known():
    script = ast.parse((ROOT / "pages/explore.py").read_text("utf-8"))
    (knobs,) = [
        node.value
        for node in script.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "VIEW_KNOBS"
    ]
    assert {key.value for key in knobs.keys} == old_addresses.VIEW


def test_going_back_to_such_a_link_leaves_it_behind():
    at = visit(dataset="letter")
    assert at.session_state["page"] == "explore"
    at.query_params.clear()
    at.query_params["dataset"] = "letter"
    at.switch_page("pages/start.py").run()
    assert at.title[0].value == TITLE and at.query_params == {}


# ---- leverage is defined where it first stands ----


def test_leverage_is_defined_once_and_not_in_the_app_s_name():
    said = defined("Leverage Lab shows leverage; more leverage")
    assert said.count("<dfn") == 1 and said.startswith("Leverage Lab shows <dfn ")
    assert defined("entropy") == "entropy" and "&#x27;" in said and "(XᵀX)⁺" in LEVERAGE
