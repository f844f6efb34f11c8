"""The Active page without a browser: what it compares, what it says, what it shows of the finished
runs.
"""

from collections import defaultdict

import numpy as np
import pytest

from core import datasets
from core.experiments import store
from core.experiments.active import outcomes, speed
from core.experiments.active.plan import Active
from core.experiments.plan import compute
from core.models import umap_map
from core.runtime import cache, jobs, tasks
from pages.parts.active import pictures as active_pictures
from pages.shared import cached
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
def _measured(monkeypatch, nothing_under_way):
    found = {"rate": 1000.0, "rates": defaultdict(lambda: 1000.0), "memory": 5e8, "weights": 1e5}
    monkeypatch.setattr(speed, "measure", lambda *arguments: found)


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
    assert any("95% interval over 3 seeds" in element.value for element in at.caption)


LEARNED = LINK | {"until": "accuracy", "network": "mlp", "steps": "300"}


@pytest.fixture
def partly_cut(nothing_under_way):
    """Two strategies with two seeds; entropy's round at 30 labels was cut in the first."""
    pages.done("~rate digits mlp", {"rate": 1000.0, "memory": 5e8, "weights": 1e5})
    plan, fingerprint = Active.from_query(LEARNED)[0], datasets.load("digits").fingerprint
    for unit in plan.units():
        cut = unit.strategy == "entropy" and unit.seed == 1
        arrays = {
            "labels": np.array([20, 30, 40, 50]),
            "accuracy": np.array([0.3, 0.5, 0.6, 0.9])
            + 0.01 * unit.seed
            - np.array([0, cut, 0, 0]) * 0.4,
            "reached": np.array([True, not cut, True, True]),
        }
        arrays |= {name: np.ones(3) for name in ("seconds", "log_det", "norm")}
        store.remember(unit.key(fingerprint), arrays)


def test_rounds_that_were_cut_are_told_and_not_compared(partly_cut):
    at = visit(**LEARNED)
    captions = " ".join(caption.value for caption in at.caption)
    assert "were right: 1 of 12 of Entropy, 0 of 12 of Random. They are drawn" in captions
    said = "to random on average over the rounds that both learned (1 fell out) (0.0, 0.0 to 0.0)"
    assert f"Entropy is <b>equal within 1 point</b> {said}" in texts(at)
    assert "Steps at most" in [widget.label for widget in at.number_input]
    assert "Passes" not in [widget.label for widget in at.number_input]
    beats = visit(**LEARNED, show="beats")
    assert any("1 of 6 pairs of runs fell out" in caption.value for caption in beats.caption)


def test_a_number_of_passes_is_no_bound_that_fires(finished):
    at = visit()
    assert not any("99% of their labels" in caption.value for caption in at.caption)
    assert "Passes" in [widget.label for widget in at.number_input]


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
    assert len(at.get("vega_lite_chart")) == 1 + 4 + 2, "its own objective, the others', two maps"
    said = " ".join(element.value for element in at.markdown)
    assert "Mean score, by which Entropy picks" in said and "higher is what it seeks" in said


def test_the_replay_does_not_wait_for_its_map(finished, monkeypatch):
    original = cached.result

    def without_map(key, task, *arguments):
        if task == tasks.REPLAY_MAP:
            return jobs.Job(key, task, arguments, state="running")
        return original(key, task, *arguments)

    monkeypatch.setattr(cached, "result", without_map)
    at = visit(show="replay", round="1")
    assert not at.error and len(pages.galleries(at)) == 2
    assert len(at.get("vega_lite_chart")) == 1 + 4


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
    accuracy = np.stack([finished[name] for name in PLAN.strategies])
    compared = outcomes.LearningCurves(
        np.array([20, 30, 40, 50]), accuracy, np.ones(accuracy.shape, bool), 1, 20, 10
    )
    matrix = outcomes.penalty_matrix([compared])
    charts = at.get("vega_lite_chart")
    if not outcomes.budgets(compared):
        assert not charts
        return
    (table,) = drawn(charts[0])
    cells = {(row["row"], row["column"]): row["value"] for _, row in table.iterrows()}
    assert cells["Entropy", "Random"] == matrix[0, 1] and cells["Random", "Entropy"] == matrix[1, 0]


def test_finished_comparisons_of_the_same_strategies_are_summed(finished):
    other = PLAN.with_(batch=5)
    for unit in other.units():
        compute(unit)
    fingerprint = datasets.load("digits").fingerprint
    facts = {"plan": other.to_query(), "data": fingerprint, "kind": "active", "started": 1.0}
    cache.put(f"history-{'0' * 24}", {}, facts | {"title": other.title()})
    at = visit(show="beats", sum="batch")
    said = " ".join(element.value for element in (*at.markdown, *at.caption))
    for plan in (PLAN, other):
        assert f"batches of {plan.batch}: the sum over 1 comparisons" in said
        assert f"{plan.title()}: " in said
    assert len(at.get("vega_lite_chart")) == 2
    everything = visit(show="beats", sum="all")
    assert "all settings: the sum over 2 comparisons" in " ".join(
        element.value for element in everything.markdown
    )


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
