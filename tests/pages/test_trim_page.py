"""The Trim page without a browser: what it compares, what it says, what it shows of the finished
runs, and how it meets bad input.
"""

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest

from core import datasets
from core.experiments import runner, store
from core.experiments.plan import compute
from core.experiments.trim import fi_simulations, outcomes
from core.experiments.trim import plan as trim
from core.experiments.trim import run as trimming
from core.experiments.trim.plan import Trim
from core.runtime import cache
from pages.parts.trim import fi_simulations as plane_pictures
from tests.tools import pages
from tests.tools.intervals import difference
from tests.tools.pages import described, drawn, group, means, texts, widget

PAGE = "pages/trim.py"
LINK = {
    "dataset": "digits",
    "n": "600",
    "training": "150",
    "validation": "80",
    "budgets": "5 20",
    "methods": "loss iv random",
    "seeds": "3",
    "model": "raw",
}
PLAN = Trim.from_query(LINK)[0]
SEGMENTS = ("removed", "difference", "planted", "classes", "points", "plane", "paper")


@pytest.fixture(autouse=True)
def _measured(monkeypatch, nothing_under_way):
    monkeypatch.setattr(
        trim,
        "measure",
        lambda *arguments: {
            "rate": 2.0,
            "rates": defaultdict(lambda: 1.0),
            "memory": 5e8,
            "weights": 1e5,
        },
    )


visit = pages.visiting(PAGE, LINK)


@pytest.fixture
def finished():
    """Every run of the plan, as arrays."""
    data = datasets.load("digits", n=600)
    for unit in PLAN.units():
        compute(unit)
    return outcomes.trimmed_of(PLAN, store.outcomes(PLAN, data.fingerprint), 10)


def test_before_the_start_the_page_says_what_it_would_cost():
    at = visit()
    assert at.title[0].value == "Is the model better off without its most harmful digits?"
    assert any(
        "9 runs to do" in element.value and "billion operations per second each" in element.value
        for element in at.markdown
    )
    assert widget(at.button, "Start") and "Nothing of this experiment" in at.info[0].value


@pytest.fixture
def known(monkeypatch):
    """The page with these finished accuracies (methods, 0 and the budgets, seeds)."""

    def put(accuracy):
        empty = outcomes.trimmed_of(PLAN, {}, 10)
        trimmed = replace(empty, accuracy=np.array(accuracy, float))
        monkeypatch.setattr(outcomes, "trimmed_of", lambda *_: trimmed)
        return trimmed.accuracy

    return put


RANDOM_REMOVED = [[0.80, 0.82, 0.84], [0.78, 0.81, 0.84], [0.75, 0.80, 0.79]]


def test_the_sentences_are_differences_to_random_the_best_at_the_largest_budget_first(known):
    """Four statements of three seeds; p by hand: 0.0008, 0.002, 1, 1."""
    accuracy = np.array([RANDOM_REMOVED] * 3)
    accuracy[0, 2] += [-0.11, -0.10, -0.09]
    accuracy[1, 1] += [-0.09, 0.09, 0.0]
    accuracy[1, 2] += [0.19, 0.20, 0.21]
    known(accuracy)
    at = visit()
    low, high = (100 * end for end in difference([0.19, 0.20, 0.21], 1, of=4))
    wide = 100 * difference([-0.09, 0.09, 0.0], 3, of=4)[1]
    assert (
        f"Influence value is <b>20 points better</b> than random removal without 20 ({low:.1f} to"
        f" {high:.1f}); <b>unclear</b> against random removal without 5 (0.0, −{wide:.1f} to"
        f" +{wide:.1f})." in texts(at)
    )
    low, high = (-100 * end for end in difference([-0.11, -0.10, -0.09], 2, of=4))
    words = " ".join(element.value for element in at.markdown)
    assert (
        f"Loss is **10 points worse** than random removal without 20 ({high:.1f} to {low:.1f});"
        " **equal within 1 point** to random removal without 5 (0.0, 0.0 to 0.0)." in words
    )
    at = visit(against="all")
    assert "Influence value is <b>" in texts(at) and " keeping all without 20 (" in texts(at)
    words = " ".join(element.value for element in at.markdown)
    assert "Random is **unclear** against keeping all without 5 (−1.0" in words


def test_the_curves_are_the_runs(finished):
    (chart,) = visit().get("vega_lite_chart")
    frame = means(chart)
    for i, label in enumerate(("Loss", "Influence value", "Random")):
        rows = frame[frame["name"] == label]
        assert rows["removed"].tolist() == [0, 5, 20] and rows["mean"].to_numpy() == pytest.approx(
            finished.accuracy[i].mean(axis=-1)
        )
    assert f"{finished.accuracy[0, 2].mean():.1%} without 20" in described(chart)["alt"]


@pytest.mark.parametrize("show", SEGMENTS)
def test_every_picture_is_drawn(finished, monkeypatch, show):
    monkeypatch.setitem(
        fi_simulations.WORLDS, "two_gaussians", replace(fi_simulations.GAUSSIANS, seeds=3)
    )
    at = visit(show=show)
    assert not at.error and not at.info
    assert at.get("vega_lite_chart") or pages.galleries(at) or at.dataframe


def test_the_planted_view_shows_the_areas_and_precisions(finished):
    areas, precisions = visit(show="planted").get("vega_lite_chart")
    table = next(table for table in drawn(areas) if "value" in table.columns).set_index("name")
    assert table.loc["Loss", "mean"] == pytest.approx(finished.auc[0].mean())
    table = means(precisions)
    rows = table[table["name"] == "Loss"]
    assert rows["mean"].to_numpy() == pytest.approx(finished.precision[0].mean(axis=-1))


def test_nothing_planted_is_said():
    plan = PLAN.with_(planted="none")
    for unit in plan.units():
        compute(unit)
    at = visit(planted="none", show="planted")
    assert "Nothing is planted" in at.info[0].value


def test_the_first_trimmed_are_shown_as_the_method_saw_them(finished):
    at = visit(show="points", focus="20")
    data = datasets.load("digits", n=600)
    given = trimming.draw_points(data, PLAN.setting, 1)
    first = pages.galleries(at)[0]
    arrays, _ = trimming.run(data, "loss", PLAN.setting, 1)
    rows = arrays["first"][:20]
    assert first["ids"] == rows.tolist() and first["captions"] == [
        data.class_names[c] for c in given.labels[rows]
    ]
    truly = [data.class_names[c] for c in data.labels[given.rows[rows]]]
    assert first["marks"] == [
        f"was {name}" if there else ""
        for name, there in zip(truly, given.planted[rows], strict=True)
    ]
    caught = int(given.planted[rows].sum())
    assert any(f"{caught} of the first 20 are planted" in element.value for element in at.markdown)


def test_the_plane_needs_no_experiment_and_rings_what_is_trimmed():
    at = visit(show="plane", traced="fi", cut="5", drawn="2")
    found = fi_simulations.trial(fi_simulations.GAUSSIANS, 2)
    (chart,) = at.get("vega_lite_chart")
    table = next(table for table in drawn(chart) if "trimmed" in table.columns)
    assert sorted(np.flatnonzero(table["trimmed"] == "trimmed")) == sorted(found["trimmed"][0][:5])
    before, after = found["accuracy"][0][[0, 1]]
    assert (
        f"Two Gaussians, dataset 2 of 30: test accuracy {before:.1%} with all points,"
        f" <b>{after:.1%}</b> without the 5 that FI-util removes." in texts(at)
    )
    assert at.title[0].value.endswith("most harmful points?"), "no digits are in the plane"
    group(at, "Show").set_value("removed").run()
    assert "FI-util removes" not in texts(at) and at.title[0].value.endswith("digits?")


def test_the_papers_table_stands_beside_ours(monkeypatch, tmp_path):
    monkeypatch.setitem(
        fi_simulations.WORLDS, "two_gaussians", replace(fi_simulations.GAUSSIANS, seeds=4)
    )
    monkeypatch.setattr(cache, "BUNDLED", tmp_path / "bundled")
    at = visit(show="paper")
    accuracy = np.array(
        [fi_simulations.trial(fi_simulations.GAUSSIANS, seed)["accuracy"] for seed in range(1, 5)]
    )
    assert any("picked, after a search" in element.value for element in at.caption)
    table = at.dataframe[0].value
    assert table["whose"].tolist() == ["the paper", "ours", "ours, IV's sign turned"] * 3
    assert table["FI better, of 4"].tolist()[:3] == [
        23,
        fi_simulations.better(accuracy, "iv")[0],
        fi_simulations.better(accuracy, "turned")[0],
    ]
    assert table["accuracy, IV"].tolist()[0] == "95.77" and table["accuracy, FI"][1].startswith(
        f"{100 * accuracy[:, 0, 1].mean():.2f} ["
    )


@pytest.mark.parametrize(
    ("ours", "turned", "said"),
    [
        ([22, 28, 30], [24, 28, 26], "the paper's counts appear"),
        ([7, 18, 23], [24, 28, 26], "which is near the paper's"),
        ([7, 18, 23], [24, 28, 20], "nearer to the paper's but still off"),
        ([7, 18, 23], [5, 10, 12], "do not appear under these settings"),
    ],
)
def test_the_sentence_on_the_papers_counts_is_as_honest_as_the_counts(
    monkeypatch, ours, turned, said
):
    counts = {"iv": np.array(ours), "turned": np.array(turned)}
    monkeypatch.setattr(
        plane_pictures.fi_simulations, "better", lambda accuracy, rival: counts[rival]
    )
    sentence = plane_pictures.verdict_of(fi_simulations.GAUSSIANS, np.zeros((30, 4, 4)))
    assert said in sentence and "The paper counts 23, 28, 30" in sentence


def test_random_cannot_be_switched_off():
    at = visit(methods="loss")
    assert widget(at.multiselect, "Methods, beside random").value == ["loss"] and any(
        "6 runs to do" in e.value for e in at.markdown
    )


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"methods": "oracle loss"}, "found 'oracle'"),
        ({"budgets": "0 5"}, "budget: found 0"),
        ({"planted": "bugs"}, "planted: found 'bugs'"),
        ({"l2": "-1"}, "l2: found -1"),
        ({"training": "12", "budgets": "2"}, "draws no training point of class"),
        ({"cut": "7"}, "cut: found '7'"),
        ({"world": "mars"}, "world: found 'mars'"),
    ],
)
def test_bad_links_are_told_without_a_traceback(query, said):
    at = visit(**query)
    assert any(said in element.value for element in (*at.warning, *at.error))


def test_a_small_training_part_shrinks_the_plan_and_says_so():
    at = visit(n="200", training="1000", validation="500", budgets="20 500")
    assert (
        "The training part has 160 points" in at.info[0].value
        and "budgets of 20" in at.info[0].value
    )


@pytest.mark.parametrize(
    "query", [{"l2": "0"}, {"dataset": "two_gaussians", "n": "600", "l2": "0", "share": "0.2"}]
)
def test_a_head_without_an_end_is_a_sentence_before_the_work(query):
    at = visit(**query)
    assert not at.exception and not [button for button in at.button if button.label == "Start"]
    assert any("l2: found 0" in element.value for element in at.error)


def test_a_table_is_offered_no_network_for_images():
    at = visit(dataset="two_crescents", n="600", training="200", model="lenet5")
    menu = widget(at.selectbox, "Model")
    assert "LeNet-5" not in menu.options and menu.value == "pca"


def test_a_finished_table_shows_rows(finished):
    link = {
        "dataset": "letter",
        "n": "600",
        "training": "300",
        "validation": "100",
        "methods": "loss",
        "seeds": "2",
        "show": "points",
    }
    plan = Trim.from_query(LINK | link)[0]
    for unit in plan.units():
        compute(unit)
    at = visit(**link)
    assert len(at.dataframe) == 2 and "class" in at.dataframe[0].value and not pages.galleries(at)


def test_a_preset_fills_the_controls():
    at = visit()
    widget(at.button, "Adult, nothing planted").click().run()
    assert (
        not at.exception
        and pages.spec_of(at).dataset == "adult"
        and widget(at.selectbox, "Planted").value == "none"
    )
    assert at.title[0].value.endswith("most harmful points?")
    assert group(at, "Show").value == "removed"


def test_a_past_experiment_is_offered(finished):
    data = datasets.load("digits", n=600)
    runner.start(PLAN, data.fingerprint, "someone")
    at = visit(seeds="2")
    assert any(
        button.label.startswith(PLAN.title()) and button.label.endswith("finished")
        for button in at.button
    )
