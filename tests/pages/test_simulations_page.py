"""The Simulations page without a browser: which figure, what it says and draws of the finished
runs, what a link keeps.
"""

import io
import json
from collections import defaultdict

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from core import datasets
from core.experiments import runner, store
from core.experiments.plan import compute
from core.experiments.simulations import outcomes, run
from core.experiments.simulations import plan as simulation_plan
from core.experiments.simulations.plan import BAIT, DRAWN, LOG_DET, PRESETS
from core.experiments.statistics import estimate
from core.runtime import jobs
from pages.parts.simulations import controls, how_to_read, words
from pages.shared import layout
from tests.tools import pages
from tests.tools.intervals import difference
from tests.tools.pages import described, drawn, group, texts, widget

PAGE = "pages/simulations.py"
RISK = {"pool": "200", "seeds": "3"}
MEASURED = PRESETS["risk"].measurement.key
ROUNDS = {
    "figure": "backward",
    "dataset": "digits",
    "pool": "200",
    "batch": "5",
    "rounds": "2",
    "seeds": "3",
}


@pytest.fixture(autouse=True)
def _measured(monkeypatch, nothing_under_way):
    found = {"rate": 2.0, "memory": 5e8, "weights": 0.0}
    pages.done(MEASURED, found)
    rates = {"rates": defaultdict(lambda: 1.0)}
    monkeypatch.setattr(run, "measure", lambda *arguments: found | rates)


visit = pages.visiting(PAGE)


def known(query, change=lambda value, unit: value, **more):
    """A plan of which all is finished, with made-up but orderly values, and its curves.

    more: other arrays of every run; by default every round has learned its labels.
    """
    plan, problems = simulation_plan.Simulations.from_query(query)
    assert problems == []
    fingerprint = plan.points().fingerprint
    rng = np.random.default_rng(0)
    for unit in plan.units():
        value = 0.5 + 0.1 * rng.random(len(plan.budgets)) + 0.02 * unit.seed
        arrays = {"budget": np.array(plan.budgets), "value": change(value, unit)}
        if plan.needs_data:
            arrays |= more or {"reached": np.ones(len(plan.budgets), bool)}
        store.remember(unit.key(fingerprint), arrays)
    return plan, outcomes.curves(plan, store.outcomes(plan, fingerprint))


def test_before_the_start_the_page_says_what_it_would_cost(monkeypatch):
    monkeypatch.setattr(jobs, "slots", lambda: 1)
    at = visit(ridge="0.1")
    plan = PRESETS["risk"].with_(ridge=0.1)
    seconds = sum(unit.cost for unit in plan.units()) / 2
    assert (
        at.title[0].value == "When does BAIT's weighing pay?"
        and "Nothing of this experiment" in at.info[0].value
    )
    (cost,) = [element.value for element in at.markdown if "to do" in element.value]
    assert (
        f"80 runs to do, one after the other: about **{round(seconds)} s**" in cost
        and "2 times as fast" in cost
    )
    assert widget(at.button, "Start") and "Figure 3" in " ".join(
        caption.value for caption in at.caption
    )


def test_start_computes_the_simulation_and_says_who_wins(monkeypatch):
    """The smallest design, really computed: on the orthonormal one BAIT's risk is lower."""
    link = RISK | {"seeds": "5", "strategies": f"{BAIT} {LOG_DET}"}
    plan, _ = simulation_plan.Simulations.from_query(link)
    for unit in plan.units():
        compute(unit)
    at = visit(**link)
    values = outcomes.curves(plan, store.outcomes(plan, DRAWN.fingerprint))
    bait, log_det = (values[1, plan.strategies.index(name)] for name in (BAIT, LOG_DET))
    ratios = np.log(bait / log_det).mean(axis=-1)
    t = stats.t.ppf(1 - 0.05 / 4, 4)  # two designs
    low, high = (ratios.mean() + sign * t * stats.sem(ratios) for sign in (-1, 1))
    least, most = (-100 * np.expm1(end) for end in (high, low))
    assert high < 0 and (
        f"The Bayes risk of BAIT is <b>{-100 * np.expm1(ratios.mean()):.0f}% lower</b> than that of"
        f" log-det over all budgets on the orthonormal design ({least:.0f} to {most:.0f})"
        in texts(at)
    )
    assert "on the Gaussian design" in texts(at) and "<b>0%" not in texts(at)


def test_both_panels_are_the_runs_on_one_axis():
    plan, values = known(RISK, lambda value, unit: value * (10 if unit.strategy == "random" else 1))
    at = visit(**RISK)
    charts = at.get("vega_lite_chart")
    assert len(charts) == 2
    for i, chart in enumerate(charts):
        (frame,) = [table for table in drawn(chart) if {"budget", "mean"} <= set(table.columns)]
        expected = estimate(np.moveaxis(values[i], -2, -1))
        for j, name in enumerate(("BAIT", "Log-det", "Leverage", "Random")):
            rows = frame[frame["name"] == name]
            assert rows["budget"].tolist() == list(plan.budgets) and rows[
                "mean"
            ].to_numpy() == pytest.approx(expected.mean[j])
            assert rows["high"].to_numpy() == pytest.approx(expected.high[j])
    domains = [
        json.dumps(scale)
        for scale in (
            [layer["encoding"]["y"]["scale"] for layer in described(chart)["layer"]]
            for chart in charts
        )
    ]
    assert domains[0] == domains[1] and '"log"' in domains[0]
    assert (
        "Gaussian design, mean Bayes risk with 200 points: BAIT 0." in described(charts[0])["alt"]
    )


def test_random_is_grey_and_dashed():
    known(RISK)
    chart, _ = visit(**RISK).get("vega_lite_chart")
    layers = [layer["encoding"] for layer in described(chart)["layer"]]
    dash = next(encoding["strokeDash"]["scale"] for encoding in layers if "strokeDash" in encoding)
    assert dict(zip(dash["domain"], map(tuple, dash["range"]), strict=True))["Random"] == (5, 4)


def test_another_figure_begins_as_its_preset_says():
    at = visit(dataset="digits", pool="300", seeds="3")
    group(at, "Simulation").set_value("backward").run()
    assert not at.exception and at.query_params.get("figure") in ("backward", ["backward"])
    assert "pool" not in at.query_params and "seeds" not in at.query_params
    assert widget(at.number_input, "Seeds").value == PRESETS["backward"].seeds
    assert widget(at.number_input, "Batch size").value == 10 and widget(
        at.multiselect, "Strategies, beside random"
    ).value == ["bait", "bait:backward=False"]
    (cost,) = [element.value for element in at.markdown if "to do" in element.value]
    assert cost.startswith("15 runs to do")


def test_the_sentence_on_accuracies_is_in_points():
    gain = {"bait": 0.10, "bait:backward=False": 0.05}
    known(
        ROUNDS,
        lambda value, unit: (
            0.6
            + 0.002 * unit.seed * (unit.strategy == "bait")
            + gain.get(unit.strategy, 0)
            + np.zeros(3)
        ),
    )
    at = visit(**ROUNDS)
    assert (
        "Forward-backward is <b>5.4 points better</b> than forward only over all rounds with an MLP"
        in texts(at)
    )
    (chart,) = at.get("vega_lite_chart")
    assert "MLP, mean test accuracy at 110 labels: Forward-backward 70." in described(chart)["alt"]


def test_no_difference_is_unclear_where_the_interval_is_wide():
    """One of three seeds is 6 points better: 2 on average."""
    known(
        ROUNDS,
        lambda value, unit: (
            0.6 + np.zeros(3) + (0.06 if (unit.strategy, unit.seed) == ("bait", 1) else 0)
        ),
    )
    low, high = (100 * end for end in difference([0.06, 0, 0], 1, of=1))
    assert (
        "Forward-backward is <b>unclear</b> against forward only over all rounds with an MLP (+2.0,"
        f" −{-low:.1f} to +{high:.1f})." in texts(visit(**ROUNDS))
    )


def test_seeds_that_agree_are_equal():
    known(ROUNDS, lambda value, unit: 0.6 + 0.001 * unit.seed + np.zeros(3))
    assert (
        "Forward-backward is <b>equal within 1 point</b> to forward only over all rounds with an"
        " MLP (0.0, 0.0 to 0.0)." in texts(visit(**ROUNDS))
    )


@pytest.mark.parametrize(
    ("reached", "said"),
    [
        ([False, True, True], "9 of 27 rounds were cut before 99% of their labels were right"),
        ([np.nan] * 3, "27 of 27 rounds do not say whether 99% of their labels were right"),
    ],
)
def test_rounds_that_were_cut_are_told_and_not_compared(reached, said):
    known(
        ROUNDS,
        lambda value, unit: (
            0.6 + np.array([0.3, 0.02, 0.02]) * (unit.strategy == "bait") + 0.002 * unit.seed
        ),
        reached=np.array(reached),
    )
    at = visit(**ROUNDS)
    assert any(said in caption.value for caption in at.caption)
    if reached[-1] == 1:
        better = "2.0 points better</b> than forward only over the rounds that both learned"
        assert better in texts(at)
    else:
        assert "No verdict yet" in texts(at)


def test_one_seed_of_everything_is_no_verdict(monkeypatch):
    plan, _ = simulation_plan.Simulations.from_query(RISK)
    for unit in plan.units():
        if unit.seed == 1:
            store.remember(
                unit.key(DRAWN.fingerprint),
                {"budget": np.array(plan.budgets), "value": np.ones(len(plan.budgets))},
            )
    at = visit(**RISK)
    assert "no verdict on the Gaussian design with 1 seed, 3 are needed (0%)" in texts(at)
    assert "8 of 24 runs so far" in " ".join(element.value for element in at.markdown)


def test_a_figure_of_digits_needs_the_digits_and_figure_3_does_not(monkeypatch):
    monkeypatch.setattr(datasets, "is_ready", lambda name: False)
    at = visit(dataset="kmnist", ridge="0.1")
    assert not [
        button for button in at.button if button.label.startswith("Download Kuz")
    ] and widget(at.button, "Start")
    at = visit(dataset="kmnist", figure="representations")
    assert widget(at.button, "Download Kuzushiji-MNIST") and not [
        button for button in at.button if button.label == "Start"
    ]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"figure": "seven"}, "figure: found 'seven'"),
        ({"strategies": "oracle k_center"}, "found 'oracle'"),
        ({"strategies": "bait k_center"}, "which a design does not have"),
        ({"strategies": "log_det:ridge=3"}, "the ridge is the prior's"),
        ({"ridge": "-1"}, "ridge: found -1"),
        (
            {"figure": "backward", "dataset": "digits", "rounds": "90", "batch": "50"},
            "labels are asked for",
        ),
        (
            {"ridge": "0.1", "job": "simulations-0123456789abcdef01234567"},
            "found an experiment with other settings",
        ),
    ],
)
def test_bad_links_are_told_without_a_traceback(query, said):
    at = visit(**query)
    assert any(said in element.value for element in (*at.warning, *at.error))


def test_a_link_restores_everything():
    query = {"strategies": f"{LOG_DET} k_center random", "ridge": "0.1", "seeds": "4"}
    at = visit(**query)
    assert widget(at.multiselect, "Strategies, beside random").value == [LOG_DET, "k_center"]
    assert (
        widget(at.select_slider, "Ridge λ").value == 0.1
        and widget(at.number_input, "Seeds").value == 4
    )
    assert {
        name: value if isinstance(value, str) else value[0]
        for name, value in at.query_params.items()
    } == query
    widget(at.button, "As it comes").click().run()
    assert (
        not at.exception
        and not at.query_params
        and BAIT in widget(at.multiselect, "Strategies, beside random").value
    )


def test_what_cannot_compete_is_not_offered():
    options = widget(visit().multiselect, "Strategies, beside random").options
    assert {"BAIT", "Log-det", "Leverage", "CORESET"} <= set(options) and not {
        "Entropy",
        "BADGE",
        "Random",
    } & set(options)
    options = widget(
        visit(figure="backward", dataset="digits").multiselect, "Strategies, beside random"
    ).options
    assert {"Forward-backward", "Forward only", "Entropy", "BADGE"} <= set(options)


def test_past_simulations_are_listed_on_their_own_points_and_opened():
    known(RISK)
    plan, _ = simulation_plan.Simulations.from_query(RISK)
    runner.start(plan, DRAWN.fingerprint, "someone")
    at = visit(dataset="digits")
    (entry,) = [button for button in at.button if button.label.startswith(plan.title())]
    assert "finished" in entry.label
    entry.click().run()
    assert not at.exception and "all 24 runs" in " ".join(element.value for element in at.markdown)
    assert pages.spec_of(at).dataset == "digits", "the dataset plays no part and stays"


def test_the_files_hold_the_runs(monkeypatch):
    offered = {}
    monkeypatch.setattr(
        layout,
        "downloads",
        lambda label, files: offered.update({name: content for _, content, name in files}),
    )
    plan, _ = known(RISK)
    visit(**RISK)
    frame = pd.read_csv(io.BytesIO(offered["simulation-risk.csv"]()))
    assert len(frame) == 24 * len(plan.budgets) and set(frame["design"]) == {
        "gaussian",
        "orthonormal",
    }
    assert json.loads(offered["simulation-risk.json"]())["plan"] == plan.to_query()
    assert (
        b"<svg" in offered["simulation-risk-Orthonormal-design.svg"]()
        and "simulation-risk-Gaussian-design.png" in offered
    )


def test_every_figure_has_its_words():
    for texts_of in (
        words.FIGURES,
        how_to_read.PAPER,
        how_to_read.READING,
        controls.OF_FIGURE,
    ):
        assert set(texts_of) == set(PRESETS)
    assert {design for plan in PRESETS.values() for design in plan.designs} == set(words.DESIGNS)
