"""The Sampling page without a browser: what it compares, says and shows, and how it meets bad
input.
"""

from dataclasses import replace

import numpy as np
import pytest

from core import datasets
from core.experiments import cost, store
from core.experiments.plan import compute
from core.experiments.sampling import outcomes
from core.experiments.sampling.plan import Sampling
from pages.parts.sampling import verdict
from pages.shared.experiments.sampling_rules import RULES, STYLES, loss_text
from tests.tools import pages
from tests.tools.pages import described, means, texts, widget

LINK = {"dataset": "digits", "n": "600", "budgets": "80 200", "seeds": "3"}
PLAN = Sampling.from_query(LINK)[0]
CURVE = {"dataset": "runge", "budgets": "20 50", "seeds": "3"}


@pytest.fixture(autouse=True)
def _measured(monkeypatch, nothing_under_way):
    found = {"rate": 1.0, "memory": 5e8, "weights": 0.0}
    monkeypatch.setattr(cost, "measure_core", lambda: found)


visit = pages.visiting("pages/sampling.py", LINK)


@pytest.fixture
def finished():
    """Every run of the plan, as arrays."""
    data = datasets.load("digits", n=600)
    for unit in PLAN.units():
        compute(unit)
    return outcomes.bought_of(PLAN, store.outcomes(PLAN, data.fingerprint))


def test_before_the_start_the_page_says_what_it_would_cost():
    at = visit()
    assert at.title[0].value == "Which labels are worth buying?"
    assert any("10 runs to do" in element.value for element in at.markdown)
    assert widget(at.button, "Start") and "Nothing of this experiment" in at.info[0].value


def test_the_first_view_is_finished():
    """It comes with the app."""
    at = pages.visit("pages/sampling.py")
    assert not at.exception and len(at.get("vega_lite_chart")) == 2
    assert "of 60,000 labels" in texts(at)


def test_the_curves_are_the_runs_and_the_sentence_is_made_of_them(finished):
    at = visit(focus="200")
    losses, accuracies = at.get("vega_lite_chart")
    frame = means(losses)
    for i, rule in enumerate(PLAN.rules):
        rows = frame[frame["name"] == RULES[rule].label]
        above = np.exp(np.log(np.clip(finished.ratio[i] - 1, 1e-4, 1e4)).mean(axis=-1))
        assert rows["mean"].to_numpy() == pytest.approx(np.minimum(above, 1e4))
    ratio = np.exp(np.log(finished.ratio[0, 1]).mean())
    assert f"<b>{loss_text(ratio)}</b> for a uniform draw" in texts(at)
    assert f"{finished.accuracy[0, 1].mean():.1%} with 200" in described(accuracies)["alt"]


@pytest.mark.parametrize("show", ["curves", "weights", "samples"])
def test_every_picture_is_drawn(finished, show):
    at = visit(show=show)
    assert not at.error and not at.info
    assert at.get("vega_lite_chart") or at.dataframe


def test_a_regression_has_a_loss_and_no_accuracy():
    plan = Sampling.from_query(CURVE)[0]
    for unit in plan.units():
        compute(unit)
    at = pages.visit("pages/sampling.py", **CURVE)
    assert not at.exception and len(at.get("vega_lite_chart")) == 1
    assert "right with" not in texts(at) and "Judged by" not in str(at.button_group)


def known(ratio, accuracy, rules="leverage top", whole=None):
    """Finished arrays of a plan with two budgets."""
    plan = Sampling().with_(rules=rules, budgets="1000 2000", seeds=3)
    empty = outcomes.bought_of(plan, {})
    shape = (len(plan.rules), 2, 3)
    return replace(
        empty,
        ratio=np.broadcast_to(np.array(ratio, float)[:, :, None], shape),
        accuracy=np.broadcast_to(np.array(accuracy, float)[:, :, None], shape),
        whole=whole or outcomes.Whole(712, 60_000, 23_460.0, 60_000.0, 0.85, 0.4),
    )


def test_the_headline_says_the_losses_best_first_and_when_the_accuracy_disagrees():
    ratio = [[98, 3], [1.17, 1.08], [2e6, 1.5]]
    bought = known(ratio, [[0.823, 0.85], [0.818, 0.84], [0.539, 0.85]])
    assert verdict.headline(bought, 1000) == (
        "With *1,000* of 60,000 labels the loss on all rows is *17% above the least possible* for"
        " drawing by leverage, *98 times the least possible* for a uniform draw and *over a million"
        " times the least possible* for the top by leverage. The accuracy says otherwise: 81.8% of"
        " the test part is right with drawing by leverage, 82.3% with a uniform draw."
    )
    assert verdict.headline(bought, 2000).endswith(
        "The accuracy says otherwise: 84.0% of the test part is right with drawing by leverage,"
        " 85.0% with a uniform draw."
    )


def test_half_a_point_of_accuracy_is_no_disagreement():
    bought = known([[3, 3], [1.2, 1.2], [2, 2]], [[0.82, 0.82], [0.818, 0.818], [0.5, 0.5]])
    assert verdict.headline(bought, 1000).endswith(
        "81.8% of the test part is right with drawing by leverage; no rule here is half a point"
        " better."
    )


def test_a_fit_that_leaves_nothing_is_told():
    exact = outcomes.Whole(10, 100, 0.0, 50.0, 1.0, 0.0)
    bought = known([[np.nan] * 2] * 3, [[1, 1]] * 3, whole=exact)
    assert "without a loss" in verdict.headline(bought, 1000)


def test_budgets_that_nobody_chose_follow_the_dataset():
    at = pages.visit("pages/sampling.py", dataset="runge")
    assert not at.exception and "With <b>50</b> of 2,000" in texts(at)
    assert at.session_state["link"]["budgets"] == "10 20 50 100 200 500"


def test_a_link_with_words_that_mean_nothing_is_told_and_the_rest_is_used():
    at = visit(rules="leverage wizard", budgets="80 200 x", rule="wizard")
    said = " ".join(element.value for element in [*at.warning, *at.info, *at.error])
    assert "wizard" in said and "'x'" in said
    assert at.session_state["link"]["rules"] == "uniform leverage"


def test_budgets_beyond_the_rows_are_narrowed_and_told():
    at = visit(budgets="80 5000")
    assert any("The training part has 480 rows" in element.value for element in at.info)


def test_every_rule_has_a_style_of_its_own():
    assert set(STYLES) == set(RULES)
    assert len(set(STYLES.values())) == len(STYLES)


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        (1.0, "0% above the least possible"),
        (1.166, "17% above the least possible"),
        (2.0, "2 times the least possible"),
        (97.6, "97.6 times the least possible"),
        (3e5, "300,000 times the least possible"),
        (3e9, "over a million times the least possible"),
    ],
)
def test_a_loss_in_words(ratio, said):
    assert loss_text(ratio) == said
