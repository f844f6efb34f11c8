"""The Active page without a browser: what it compares, what it says, what it shows of the finished
runs.
"""

import numpy as np
import pytest

from core import datasets
from core.experiments import store
from core.experiments.active import outcomes
from core.experiments.active.plan import Active
from core.experiments.plan import compute
from core.models import umap_map
from core.runtime import cache
from pages.parts.active import pictures as active_pictures
from tests.tools import pages
from tests.tools.intervals import difference, wilson
from tests.tools.pages import described, drawn, means, texts, widget

PAGE = "pages/active.py"
LINK = {
    "dataset": "digits",
    "network": "linear",
    "pool": "300",
    "batch": "10",
    "rounds": "3",
    "start": "20",
    "until": "epochs",
    "epochs": "3",
    "seeds": "3",
    "strategies": "entropy random",
}
PLAN = Active.from_query(LINK)[0]


@pytest.fixture(autouse=True)
def _measured(nothing_under_way):
    pages.done("~rate digits linear", {"rate": 1000.0, "memory": 5e8, "weights": 1e5})


visit = pages.visiting(PAGE, LINK)


@pytest.fixture
def finished():
    """Both strategies with all seeds; the accuracies."""
    data = datasets.load("digits")
    for unit in PLAN.units():
        compute(unit)
    found = store.outcomes(PLAN, data.fingerprint)
    return {
        name: np.stack([found[unit]["accuracy"] for unit in PLAN.units() if unit.strategy == name])
        for name in PLAN.strategies
    }


def test_before_the_start_the_page_says_what_it_would_cost():
    at = visit()
    assert "Which digits would you label next?" in at.title[0].value
    assert any(
        "6 runs to do" in element.value and "500" not in element.value[:5]
        for element in at.markdown
    )
    assert widget(at.button, "Start") and "Nothing of this experiment" in at.info[0].value


def test_the_sentence_is_the_mean_difference_over_all_rounds(finished):
    at = visit()
    differences = (finished["entropy"] - finished["random"]).mean(axis=-1)
    low, high = difference(differences, 1, of=1)
    words = texts(at)
    assert "Entropy is <b>" in words and "random on average over all rounds" in words
    ends = sorted((abs(100 * low), abs(100 * high))) if low * high > 0 else (100 * low, 100 * high)
    said = "{:.1f} to {:.1f}" if low * high > 0 else "{:+.1f} to {:+.1f}"
    assert said.format(*ends).replace("-", "−") in words
    assert any("95% intervals, over 3 seeds" in element.value for element in at.caption)


def test_the_curves_are_the_runs(finished):
    at = visit()
    (curves,) = at.get("vega_lite_chart")
    frame = means(curves)
    for name, label in (("entropy", "Entropy"), ("random", "Random")):
        rows = frame[frame["name"] == label]
        assert rows["labels"].tolist() == [20, 30, 40, 50]
        assert rows["mean"].to_numpy() == pytest.approx(finished[name].mean(axis=0))
        wanted = np.array([wilson(finished[name][:, i]) for i in range(4)])
        assert rows[["low", "high"]].to_numpy() == pytest.approx(wanted)
    assert f"Entropy: {finished['entropy'][:, -1].mean():.1%}" in described(curves)["alt"]


def test_every_picture_is_drawn(finished):
    for show in ("beats", "errors", "batches"):
        at = visit(show=show)
        assert not at.error and (
            at.get("vega_lite_chart") or "at which to compare" in at.info[0].value
        )
    assert len(visit(show="batches").get("vega_lite_chart")) == 3


def test_the_replay_shows_the_batch_of_the_run(finished, monkeypatch):
    """On a map that costs nothing: tests/experiments/active/test_replay.py has the real one."""
    monkeypatch.setattr(umap_map, "umap_map", lambda points, progress: points[:, :2])
    at = visit(show="replay", round="1")
    assert not at.error, at.error
    found = store.outcomes(PLAN, datasets.load("digits").fingerprint)
    (unit,) = [unit for unit in found if unit.strategy == "entropy" and unit.seed == 1]
    first, second = pages.galleries(at)
    assert first["ids"] == found[unit]["picks"][1].tolist() and len(second["ids"]) == 10
    assert len(at.get("vega_lite_chart")) == 2 + 3


def test_random_cannot_be_switched_off():
    at = visit(strategies="entropy")
    assert widget(at.multiselect, "Strategies, beside random").value == ["entropy"]
    assert "random" not in widget(at.multiselect, "Strategies, beside random").options
    assert any("6 runs to do" in element.value for element in at.markdown)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"strategies": "oracle entropy"}, "found 'oracle'"),
        ({"batch": "0"}, "batch: found 0"),
        ({"rounds": "100", "batch": "5000"}, "The pool has"),
        ({"strategies": "forgetting"}, "which a round does not have"),
    ],
)
def test_bad_links_are_told_without_a_traceback(query, said):
    at = visit(**query)
    assert any(said in element.value for element in (*at.warning, *at.error, *at.info))


def test_regression_leaves_out_what_needs_probabilities():
    at = visit(task="regression", strategies="k_center")
    options = widget(at.multiselect, "Strategies, beside random").options
    assert "CORESET" in options and "Entropy" not in options and "BADGE" not in options


def test_the_penalty_matrix_on_the_page_is_the_summaries(finished):
    at = visit(show="beats")
    compared = outcomes.LearningCurves(
        np.array([20, 30, 40, 50]),
        np.stack([finished[name] for name in PLAN.strategies]),
        1,
        20,
        10,
    )
    matrix = outcomes.penalty_matrix([compared])
    charts = at.get("vega_lite_chart")
    if not outcomes.budgets(compared):
        assert not charts
        return
    (table,) = drawn(charts[0])
    cells = {(row["row"], row["column"]): row["value"] for _, row in table.iterrows()}
    assert cells["Entropy", "Random"] == matrix[0, 1] and cells["Random", "Entropy"] == matrix[1, 0]


def test_what_is_there_is_kept_when_the_cache_is_read_again(finished):
    store.forget()
    assert cache.get(PLAN.units()[0].key(datasets.load("digits").fingerprint)) is not None
    assert "Entropy" in texts(visit()) and Active().strategies[-1] == "random"


def test_means_are_taken_over_the_seeds_that_every_strategy_has_finished():
    nan = np.nan
    accuracy = np.array([[[0.5, 0.6], [0.7, 0.8]], [[0.5, 0.7], [nan, nan]]])
    np.testing.assert_array_equal(active_pictures.of_whole_seeds(accuracy), accuracy[:, :1])
    unfinished = np.array([[[0.5, 0.6], [nan, nan]], [[nan, nan], [0.4, 0.5]]])
    np.testing.assert_array_equal(active_pictures.of_whole_seeds(unfinished), unfinished)


def test_letter_comes_finished_behind_its_button():
    at = pages.visit(PAGE)
    widget(at.button, "Letter").click().run()
    assert not at.exception and pages.spec_of(at).dataset == "letter"
    assert (
        "BAIT" in texts(at)
        and "than random" in texts(at)
        and not [b for b in at.button if b.label in ("Start", "Go on")]
    )
