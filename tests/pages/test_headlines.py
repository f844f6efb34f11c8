"""Is the sentence under the question about the picture that is on the screen, and does it claim no
more than it knows?

A page that is clicked through says the same as one that is opened by the link of that moment: its
sentences are made of the same state as its pictures, and not of the one before.
"""

import re

import numpy as np
import pytest
from scipy import stats

from core.experiments import store
from core.experiments.plan import compute
from core.experiments.trim.plan import Trim
from pages.parts.explore import answer, dossier, score_histogram
from tests.tools import pages
from tests.tools.pages import group, texts

TRIM = {
    "dataset": "letter",
    "n": "600",
    "training": "300",
    "validation": "100",
    "methods": "loss",
    "seeds": "3",
    "budgets": "5 20",
}
WALKS = [
    ("retrain", {}, "Show", ("budget", "training", "difference", "classes", "points")),
    ("active", {}, "Show", ("curves", "beats", "errors", "batches")),
    ("influence", {}, "Show", ("scatter", "spread", "points", "batches", "without")),
    ("influence", {"study": "queries"}, "Show", ("curves", "snapshots")),
    ("trim", TRIM, "Show", ("removed", "difference", "plane", "paper", "points")),
]


def headline(at) -> list[str]:
    """The question, and the computed sentences under it."""
    said = re.findall(r'<p class="answer">(.*?)</p>', texts(at))
    return [at.title[0].value, *said]


@pytest.fixture
def trimmed(own_cache):
    """The finished runs of TRIM."""
    for unit in Trim.from_query(TRIM)[0].units():
        compute(unit)
    store.forget()


@pytest.mark.parametrize(("page", "link", "row", "views"), WALKS)
def test_after_every_click_the_headline_is_that_of_the_link(
    page, link, row, views, held, trimmed, monkeypatch
):
    held()
    at = pages.visit(f"pages/{page}.py", **link)
    for view in views[1:]:
        group(at, row).set_value(view).run()
        assert not at.exception
        fresh = pages.visit(f"pages/{page}.py", **dict(at.query_params))
        assert headline(at) == headline(fresh), view
        assert len(headline(at)) >= 2, "something is said"


def test_a_picture_of_other_points_has_a_headline_of_its_own(held, trimmed):
    held()
    at = pages.visit("pages/trim.py", **TRIM)
    experiment = headline(at)
    assert "Loss" in experiment[1]
    group(at, "Show").set_value("paper").run()
    assert "The paper counts" in headline(at)[1] and headline(at)[1:] != experiment[1:]


# ---- what stands out ----

EVEN = np.full(10, 0.1)
NAMES = tuple("0123456789")


def test_a_class_stands_out_only_where_chance_would_hardly_do_it():
    counts = np.full(10, 6)
    assert score_histogram.favoured(counts, EVEN, NAMES, "digits").startswith(
        "**No class stands out** in these 60 digits"
    )
    counts = np.array([6, 6, 6, 6, 6, 6, 3, 3, 7, 11])
    assert 10 * stats.binomtest(11, 60, 0.1, "greater").pvalue > 0.05
    assert "No class" in score_histogram.favoured(counts, EVEN, NAMES, "digits")
    counts = np.array([5, 5, 5, 5, 5, 5, 3, 3, 4, 20])
    assert score_histogram.favoured(counts, EVEN, NAMES, "digits") == (
        "**Class 9 is over-represented** in these 60 digits: 33% of them, 10% of all"
    )


def test_all_points_favour_no_class():
    counts = np.array([900, 50, 50])
    assert "No class" in score_histogram.favoured(counts, counts / 1000, ("a", "b", "c"), "rows")


@pytest.mark.parametrize("seed", range(3))
def test_random_choices_seldom_seem_uneven(seed):
    drawn = np.random.default_rng(seed).multinomial(120, EVEN, size=200)
    said = [score_histogram.favoured(counts, EVEN, NAMES, "digits") for counts in drawn]
    assert sum("over-represented" in one for one in said) <= 200 * 0.05 + 3 * np.sqrt(200 * 0.0475)


def test_a_rank_says_how_many_are_lower_and_never_rounds_up():
    scores = np.arange(70_000.0)
    assert dossier.standing(scores, 69_999) == ", the highest"
    assert dossier.standing(scores, 69_998) == ", higher than 99.9% of the others"
    assert dossier.standing(scores, 0) == ", higher than 0.0% of the others"
    tied = np.array([1.0, 1.0, 0.5, 0.2])
    assert dossier.standing(tied, 0) == ", higher than 2 of the others, equal to 1"
    assert dossier.standing(tied, 2) == ", higher than 33.3% of the others"
    assert dossier.standing(np.ones(1), 0) == ""


def test_facts_of_leverage_stand_under_leverage_alone():
    facts = {"n": 3, "d": 2, "rank": 2, "sum": 2.0, "dead": 0, "condition": 1.0}
    facts |= {"device": "CPU", "seconds": 1.0, "gap": None}
    scores = np.array([1.0, 0.5, 0.5])
    names = {
        label: [name for name, _, _ in answer.fact_row(label, facts, scores, True)]
        for label in ("Leverage", "Random")
    }
    assert {"sum of scores", "above 0.99"} <= set(names["Leverage"])
    assert not {"sum of scores", "above 0.99"} & set(names["Random"])
