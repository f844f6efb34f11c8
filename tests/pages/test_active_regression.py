"""The Active page on numbers instead of classes: what it offers, says and draws of a regression."""

import re
from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest

from core import datasets
from core.data import own
from core.experiments import presets, store
from core.experiments.active import speed
from core.experiments.active.plan import Active
from core.experiments.plan import compute
from core.models import umap_map
from tests.tools import pages
from tests.tools.own_data import table
from tests.tools.pages import described, means, texts, widget

PAGE = "pages/active.py"
LINK = {
    "network": "linear",
    "batch": "5",
    "rounds": "3",
    "start": "10",
    "until": "epochs",
    "epochs": "30",
    "seeds": "3",
    "strategies": "k_center random",
    "task": "regression",
}
visit = pages.visiting(PAGE, LINK)
pytestmark = pytest.mark.usefixtures("own_folder")


@pytest.fixture(autouse=True)
def _measured(monkeypatch, nothing_under_way):
    found = {"rate": 1000.0, "rates": defaultdict(lambda: 1000.0), "memory": 5e8, "weights": 1e5}
    monkeypatch.setattr(speed, "measure", lambda *arguments: found)


@pytest.fixture
def rents() -> str:
    """The name of 90 rows without labels and with a target."""
    data = table(90, labeled=False)
    return own.accept(replace(data, target=900 + 100 * data.points.sum(axis=1)), "Rents")


def finish(name: str) -> tuple[Active, dict]:
    """All runs of LINK on this dataset, and their losses."""
    plan = Active.from_query(LINK | {"dataset": name})[0]
    for unit in plan.units():
        compute(unit)
    found = store.outcomes(plan, datasets.load(name).fingerprint)
    return plan, {
        strategy: np.stack([found[one]["loss"] for one in plan.units() if one.strategy == strategy])
        for strategy in plan.strategies
    }


def told(at) -> str:
    """What stands in boxes and captions."""
    return " ".join(one.value for kind in (at.info, at.caption, at.error) for one in kind)


def test_a_dataset_with_a_target_alone_is_a_regression_whatever_the_link_says(rents):
    for task in ("regression", "classification"):
        at = visit(dataset=rents, task=task)
        assert not at.exception and not at.error, told(at)
        assert "Rents has a target and no labels: this is a regression." in told(at)
        assert widget(at.selectbox, "Task").options == ["Regression on its target"]
        assert any("6 runs to do" in element.value for element in at.markdown)
        assert widget(at.selectbox, "Train until").options[0] == "99% of the variance is explained"


def test_the_sentence_and_the_curves_are_of_the_loss_and_less_is_better(rents):
    _, loss = finish(rents)
    at = visit(dataset=rents)
    gap = (loss["random"] - loss["k_center"]).mean()
    words = texts(at)
    assert (
        "in test loss on average over all rounds" in words
        and "point" not in words.split("<p")[1].partition("</p>")[0]
    )
    assert "Less test loss is better; the mean of the targets alone leaves about 1" in told(at)
    (bracket,) = set(re.findall(r"\((\S+), (\S+) to (\S+)\)", words)) or [("0.1",) * 3]
    assert len({len(one.rpartition(".")[2]) for one in bracket}) == 1, "equally many decimals"
    if "CORESET is <b>unclear" not in words and "equal" not in words:
        assert f"{abs(gap):.3g} {'lower' if gap > 0 else 'higher'}</b> than random" in words
    (curves,) = at.get("vega_lite_chart")
    drawn = means(curves)
    for name, label in (("k_center", "CORESET"), ("random", "Random")):
        rows = drawn[drawn["name"] == label]
        assert rows["mean"].to_numpy() == pytest.approx(loss[name].mean(axis=0))
    assert f"CORESET: {loss['k_center'][:, -1].mean():.4g}" in described(curves)["alt"]


def test_every_picture_of_a_regression_is_drawn(rents, monkeypatch):
    monkeypatch.setattr(umap_map, "umap_map", lambda points, progress: points[:, :2])
    plan, _ = finish(rents)
    for show in ("beats", "errors"):
        at = visit(dataset=rents, show=show)
        assert not at.exception and not at.error, told(at)
        assert at.get("vega_lite_chart") or "random's test loss is within 1%" in told(at).replace(
            "Random", "random"
        )
    at = visit(dataset=rents, show="batches")
    assert len(at.get("vega_lite_chart")) == 3 and not at.error
    assert any("**Log-det of a batch's embeddings**" in one.value for one in at.markdown)
    at = visit(dataset=rents, show="replay", round="1")
    assert not at.exception and not at.error, told(at)
    assert "no points are the most uncertain" in told(at)
    found = store.outcomes(plan, datasets.load(rents).fingerprint)
    (unit,) = [one for one in found if one.strategy == "k_center" and one.seed == 1]
    said = " ".join(element.value for element in at.markdown)
    assert "Covering radius, by which CORESET picks" in said and "gradient" not in said
    assert len(found[unit]["picks"][1]) == 5
    ways = {}  # the strategy has the colour of its curve
    for view in ("curves", "replay"):
        spec = described(visit(dataset=rents, show=view, round="1").get("vega_lite_chart")[0])
        scales = [layer["encoding"].get("color", {}).get("scale") for layer in spec["layer"]]
        scale = next(one for one in scales if one)
        ways[view] = scale["range"][scale["domain"].index("CORESET")]
    assert ways["curves"] == ways["replay"]


def test_one_hot_labels_are_the_target_of_a_dataset_without_one():
    at = visit(dataset="digits", n="300", strategies="badge bait bait_regression random")
    assert not at.exception and not at.error, told(at)
    assert widget(at.selectbox, "Task").value == "regression"
    assert "Regression on one-hot labels" in widget(at.selectbox, "Task").options
    out = "Out of this regression: BADGE and BAIT need probabilities, and a regression has no"
    assert f"{out} classes." in told(at)
    inside = [one.value for expander in at.expander for one in expander.info]
    assert not any(out in one for one in inside), "it is seen with the expander closed"
    competing = widget(at.multiselect, "Strategies, beside random")
    assert competing.value == ["bait_regression"]
    assert (
        "BADGE, BAIT and ALBL need probabilities, and a regression has no classes" in competing.help
    )
    assert competing.help.count("need probabilities, and") == 1
    assert any("6 runs to do" in element.value for element in at.markdown)


def test_a_change_of_task_takes_effect_at_once():
    at = pages.visiting(PAGE, {})(dataset="digits", rounds="3", pool="300", batch="10", seeds="3")
    assert widget(at.selectbox, "Task").value == "classification"
    widget(at.selectbox, "Task").select("regression").run()
    assert not at.exception and not at.error, told(at)
    assert widget(at.multiselect, "Strategies, beside random").value == ["k_center"]
    assert "CORESET" not in told(at) and "and Entropy need probabilities" in told(at)
    only = visit(dataset="digits", n="300", strategies="entropy badge")
    taken = widget(only.multiselect, "Strategies, beside random").value
    assert taken == ["bait_regression", "k_center"]


def test_the_papers_figures_are_a_click_away_and_their_cost_is_said():
    at = visit(dataset="digits")
    for name, plan, show in (
        ("BAIT paper's Figure 8, MLP", presets.FIGURE_8, "curves"),
        ("BAIT paper's Figure 8, linear", presets.FIGURE_8_LINEAR, "curves"),
        ("BAIT paper's Figure 9", presets.FIGURE_8, "batches"),
    ):
        button = widget(at.button, name)
        assert "not computed: an estimated" in button.help and "minutes on two cores" in button.help
        opened = button.click().run()
        assert not opened.exception and not opened.error
        assert Active.from_query(dict(opened.query_params))[0] == plan
        assert dict(opened.query_params).get("show", "curves") == show
        assert any("15 runs to do" in element.value for element in opened.markdown)
    assert presets.FIGURE_8 not in presets.ACTIVE


@pytest.mark.parametrize("page", ["retrain", "trim", "influence", "explore"])
def test_other_pages_take_a_target_alone_for_no_labels(page, rents):
    at = pages.visit(f"pages/{page}.py", dataset=rents)
    assert not at.exception and not at.error
    if page in ("retrain", "trim", "influence"):
        assert any("Rents has no labels" in info.value for info in at.info)


def test_without_labels_and_target_the_page_says_so():
    at = visit(dataset=own.accept(table(60, labeled=False), "Mine"))
    assert not at.exception and any("Mine has no labels" in info.value for info in at.info)
