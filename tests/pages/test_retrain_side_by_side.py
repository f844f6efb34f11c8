"""Retrain's first look: the network whose scores rank the points, trained anew, beside a smaller
one. Does each get its sentence, at one level for both, and is each computed in its turn?
"""

import numpy as np
import pytest

from core import datasets
from core.experiments import presets, store
from core.experiments.retrain import outcomes, plan
from core.experiments.retrain.outcomes import Grid
from core.experiments.retrain.plan import RANDOM, Retraining
from core.experiments.store import plan_key
from pages.parts.retrain.controls import SIDE_BY_SIDE
from tests.pages.test_retrain_page import fresh, known, picture, trainings  # noqa: F401
from tests.tools import pages
from tests.tools.intervals import difference
from tests.tools.pages import described, group, texts, widget

LINK = {"dataset": "digits", "epochs": "2", "seeds": "3", "budgets": "50 200"}
LINK |= {"candidates": "top:raw top:cnn_classification random"}
PLAN = Retraining.from_query(LINK)[0]
PLANS = [PLAN.with_(network=network) for network in SIDE_BY_SIDE]
visit = pages.visiting("pages/retrain.py", LINK)


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


def said_first(at) -> list[str]:
    """The large sentences."""
    return texts(at).split('<p class="answer">')[1:]


# ---- the first look ----


def test_two_networks_come_finished_with_one_sentence_each(asked):
    at = pages.visit("pages/retrain.py")
    assert not at.exception and not at.error and asked == []
    assert at.title[0].value == (
        "Do scores at the end of training say which digits were worth training on?"
    )
    assert len(at.get("vega_lite_chart")) == 2 and at.query_params == {}
    data = datasets.load("mnist")
    grids = [
        outcomes.grid(one, store.outcomes(one, data.fingerprint), 10)
        for one in presets.RETRAININGS
        if one.protocol == "epochs"
    ]
    sentences = said_first(at)
    assert len(sentences) == len(grids) == 2
    for grid, sentence in zip(grids, sentences, strict=True):
        place = [str(one) for one in grid.plan.candidates].index("top:cnn_classification")
        worse = 100 * (grid.accuracy[-1, 0] - grid.accuracy[place, 0]).mean()
        assert sentence.startswith(f"Top, classification is <b>{worse:.0f} points worse</b> than")
    assert "18 comparisons over 5 seeds share one level" in " ".join(c.value for c in at.caption)


def test_both_networks_sentences_share_one_level(digits):
    """Eight statements of three seeds: the first one, p = 0.0004, is tested at a level of 1/8."""
    accuracy = np.empty((3, 2, 3))
    accuracy[2] = [[0.80, 0.82, 0.78], [0.90, 0.91, 0.92]]
    accuracy[:2] = accuracy[2] - [0.00, -0.03, 0.03]
    accuracy[1, 0] = accuracy[2, 0] - [0.30, 0.31, 0.32]
    known(digits, PLANS[0], accuracy)
    known(digits, PLANS[1], np.full((3, 2, 3), 0.5) + [0.0, 0.1, -0.1])
    at = visit()
    low, high = sorted(100 * end for end in difference([0.30, 0.31, 0.32], 1, of=8))
    one, other = said_first(at)
    assert f"<b>31 points worse</b> than random at 50 ({low:.1f} to {high:.1f})" in one
    assert "points worse" not in other
    alone = visit(network="talk_cnn")
    low, high = sorted(100 * end for end in difference([0.30, 0.31, 0.32], 1, of=4))
    assert f"at 50 ({low:.1f} to {high:.1f})" in said_first(alone)[0]


def test_plans_side_by_side_are_compared_at_one_level():
    """By hand: the same differences alone and beside others; of random alone nothing is said."""

    def grid(candidates: str, accuracy: np.ndarray) -> Grid:
        one = plan.Retraining().with_(candidates=candidates, budgets="100", seeds=3)
        return Grid(one, accuracy, *[accuracy] * 7)

    apart = grid("top random", np.array([[[0.5, 0.51, 0.52]], [[0.8, 0.8, 0.8]]]))
    noise = grid("top random", np.array([[[0.5, 0.6, 0.4]], [[0.5, 0.5, 0.5]]]))
    ((_, alone),) = outcomes.versus(apart, RANDOM, 0.01).items()
    first, second = outcomes.versus_of([apart, noise], RANDOM, 0.01)
    ((_, beside),) = first.items()
    assert beside.outcomes[0].mean == alone.outcomes[0].mean == pytest.approx(-0.29)
    assert beside.outcomes[0].low < alone.outcomes[0].low
    assert beside.outcomes[0].low == pytest.approx(difference([-0.3, -0.29, -0.28], 1, of=2)[0])
    ((_, unclear),) = second.items()
    assert unclear.outcomes[0].outcome == "unclear"
    random_alone = grid("random", np.array([[[0.5, 0.6, 0.4]]]))
    assert outcomes.versus_of([random_alone] * 2, RANDOM, 0.01) == [{}, {}]


def test_both_pictures_have_one_axis(digits):
    known(digits, PLANS[0], np.full((3, 2, 3), 0.9))
    known(digits, PLANS[1], np.full((3, 2, 3), 0.2))
    charts = [described(one) for one in visit().get("vega_lite_chart")]
    domains = {str(layer) for chart in charts for layer in _domains(chart)}
    assert len(charts) == 2 and len(domains) == 1
    (alone,) = (described(one) for one in visit(network="lenet5").get("vega_lite_chart"))
    assert {str(layer) for layer in _domains(alone)} != domains


def _domains(chart) -> list:
    return [
        layer["encoding"]["y"]["scale"]["domain"]
        for layer in chart["layer"]
        if "domain" in layer["encoding"].get("y", {}).get("scale", {})
    ]


# ---- what is not finished ----


def test_the_second_network_is_offered_when_the_first_is_finished(digits, held):
    known(digits, PLANS[0])
    held()
    at = visit()
    assert not at.exception and len(at.get("vega_lite_chart")) == 1
    assert f"**{PLANS[1].title()}**" in [element.value for element in at.markdown]
    (start,) = [button for button in at.button if button.label == "Start"]
    assert start.key == f"start {plan_key(PLANS[1], digits.fingerprint)}"


def test_the_job_of_the_second_network_goes_on_by_its_link(digits, trainings):  # noqa: F811
    known(digits, PLANS[0])
    for network in SIDE_BY_SIDE:
        pages.done(f"~rate digits {network}", dict(RATE))
    at = visit()
    widget(at.button, "Start").click().run()
    key = plan_key(PLANS[1], digits.fingerprint)
    assert not at.exception and at.query_params["job"] == key
    again = visit(job=key)
    assert again.query_params["job"] == key and widget(again.button, "Stop")


RATE = {
    "rate": 20_000.0,
    "rates": {"trained": 20_000.0, "tested": 60_000.0, "begun": 100.0, "ranked": 100.0},
    "memory": 300 * 2**20,
    "weights": 650.0,
}


# ---- controls ----


def test_one_network_alone_is_a_choice_in_the_link(digits):
    for one in PLANS:
        known(digits, one)
    at = visit()
    widget(at.selectbox, "Network").select("lenet5").run()
    assert at.query_params["network"] == "lenet5" and len(at.get("vega_lite_chart")) == 1
    widget(at.selectbox, "Network").select("both").run()
    assert "network" not in at.query_params and len(at.get("vega_lite_chart")) == 2


@pytest.mark.parametrize("shown", ["During training", "Difference", "By class"])
def test_every_picture_is_drawn_for_both(shown, digits):
    for one in PLANS:
        known(digits, one)
    at = visit()
    shows = {"During training": "training", "Difference": "difference", "By class": "classes"}
    group(at, "Show").set_value(shows[shown]).run()
    assert not at.exception and not at.error
    assert len(at.get("vega_lite_chart")) == (4 if shown == "By class" else 2)


def test_a_table_is_shown_to_a_network_for_tables(held):
    held()
    at = pages.visit("pages/retrain.py", dataset="letter")
    assert not at.exception and "both" not in widget(at.selectbox, "Network").options
    assert at.query_params["network"] == "mlp"


def test_each_networks_files_are_offered(digits, monkeypatch):
    from pages.shared import layout

    found = []
    monkeypatch.setattr(layout, "downloads", lambda label, files: found.extend(files))
    for one in PLANS:
        known(digits, one)
    visit()
    names = [name for _, _, name in found]
    assert len(set(names)) == len(names) == 10
    assert {"retraining-digits-talk-cnn-epochs.csv", "retraining-digits-lenet5-epochs.csv"} <= {
        *names
    }
    assert all(said.startswith(tuple(SIDE_BY_SIDE.values())) for said, _, _ in found)


def test_the_talks_protocol_is_shown_for_both():
    at = pages.visit("pages/retrain.py")
    widget(at.button, "The talk's protocol").click().run()
    assert not at.exception and at.query_params == {"protocol": "talk"}
    assert len(said_first(at)) == 2
