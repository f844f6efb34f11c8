"""Do the figures of a page's headline come out of the picture, the gallery or the list under it?

Every page is walked through its views; the figures are read from the sentence, and found again in
what the page sends to the browser beside it. (Retrain, Active, Influence, Trim: each in the tests
of its page.)
"""

import re
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from core.experiments import store
from core.experiments.simulations import plan as simulation_plan
from core.experiments.simulations.plan import Simulations
from core.runtime import cache
from core.spec import Spec, map_key
from pages.parts.lesson.chapters import SLUGS
from pages.parts.map import linked_maps
from pages.parts.simulations import words
from tests.pages.test_headlines import headline
from tests.tools import pages
from tests.tools.own_data import zip_of
from tests.tools.pages import DIGITS, chart, drawn, galleries, group, widget

FEW = DIGITS | {"n": "300"}


def plain(sentence: str) -> str:
    """The sentence without its marks."""
    return re.sub("<[^>]*>", "", sentence)


def said(at) -> str:
    """The computed sentence under the question."""
    return plain(headline(at)[1])


def figures(text: str) -> list[float]:
    """Every number of a sentence, percentages too."""
    return [float(found.replace(",", "")) for found in re.findall(r"-?\d[\d,]*\.?\d*", text)]


def table(at, begins: str, column: str) -> pd.DataFrame:
    """The largest table with this column of the chart whose key begins so."""
    return next(one for one in drawn(chart(at, begins)) if column in one)


def frames(at, column: str) -> list[pd.DataFrame]:
    """Of every chart that has one, its largest table with this column."""
    every = (drawn(one) for one in at.get("vega_lite_chart"))
    return [found[0] for one in every if (found := [frame for frame in one if column in frame])]


# ---- Explore ----


def shares(at) -> pd.DataFrame:
    """The table of the classes' shares, by class."""
    (found,) = frames(at, "chosen")
    return found.set_index("class")


def on_classes(at) -> str:
    """The sentence over the classes' shares."""
    (found,) = [one.value for one in at.markdown if "grey: each class" in one.value]
    return found


def test_explores_figures_are_those_of_the_scores_in_every_view():
    at = pages.visit("pages/explore.py", **FEW, strategy="entropy", count="60")
    ends = {}
    for show in ("top", "bottom", "around", "random"):
        group(at, "Show").set_value(show).run()
        assert not at.exception
        spread = table(at, "histogram", "points")
        sentence = said(at)
        assert spread["points"].sum() == 300 and "scores 300 digits from" in sentence
        _, low, high, median = figures(sentence.partition("scores")[2])
        ends[show] = float(galleries(at)[0]["scores"][0])
        assert spread["from"].min() == pytest.approx(low, rel=1e-3, abs=1e-3)
        assert low <= median <= high
        found = re.search(
            r"Class (\S+) is over-represented\S* in these (\d+) \S+: (\d+)%", on_classes(at)
        )
        if found:
            name, count, share = found.groups()
            assert int(count) == len(galleries(at)[0]["ids"])
            assert 100 * shares(at)["chosen"][name] == pytest.approx(int(share), abs=0.5)
            assert shares(at)["chosen"][name] > shares(at)["all"][name]
    assert ends["top"] == pytest.approx(high, rel=1e-2)
    assert ends["bottom"] == pytest.approx(low, rel=1e-2, abs=1e-3)


def test_leverages_figures_are_those_of_its_gallery():
    at = pages.visit("pages/explore.py", **FEW, embedding="raw", count="960")
    values = np.array(galleries(at)[0]["scores"], float)
    assert len(values) == 300
    sentence = said(at)
    sure = (values > 0.99).sum()
    assert f"{sure} of 300" in sentence if sure else "no one of 300" in sentence
    assert figures(sentence)[-1] == pytest.approx(np.median(values), rel=0.01)
    share = float(re.search(r"top 1% carry (\d+)%", sentence)[1])
    assert share == pytest.approx(100 * values[:3].sum() / values.sum(), abs=0.6)


def test_the_highest_of_few_points_is_one_and_not_a_hundredth():
    at = pages.visit("pages/explore.py", **DIGITS, n="60", strategy__ridge="1")
    values = np.array(galleries(at)[0]["scores"], float)
    share = float(re.search(r"The highest alone carries (\d+)%", said(at))[1])
    assert share == pytest.approx(100 * values.max() / values.sum(), abs=0.6) and share > 0


@pytest.mark.parametrize(("classes", "bars"), [("1", 0), ("1,7,8", 3)])
def test_a_class_that_was_chosen_does_not_stand_out_for_that(classes, bars):
    at = pages.visit("pages/explore.py", **FEW, classes=classes)
    assert not at.exception
    if bars == 0:
        assert not frames(at, "chosen")
        assert not any("over-represented" in one.value for one in at.markdown)
        return
    found = shares(at)
    assert len(found) == bars and found["chosen"].sum() == pytest.approx(1)
    assert found["all"].sum() == pytest.approx(1) and "of all of these classes" in on_classes(at)
    assert "No class stands out" in on_classes(at), "all of these points are shown"


# ---- Agreement ----


@pytest.mark.parametrize("strategies", ["leverage", "leverage,random"])
def test_agreements_figures_are_means_of_the_cells_under_every_measure(strategies):
    link = FEW | {"embeddings": "raw,pca,random_relu", "strategies": strategies, "k": "100"}
    at = pages.visit("pages/agreement.py", **link)
    for measure in ("kendall", "weighted_kendall", "spearman", "overlap"):
        group(at, "Measure").set_value(measure).run()
        assert not at.exception
        cells = table(at, "heatmap", "value")
        apart = cells[cells["a"] != cells["b"]]["value"]
        sentence = said(at)
        symbol = {"spearman": "ρ", "overlap": "overlap of the top 100"}.get(measure, "τ")
        assert f"{symbol} = {apart.max():.2f})" in sentence, measure
        assert f"({apart.min():.2f})" in sentence, measure
        best = cells.loc[apart.idxmax()]
        assert all(
            name.removesuffix(" 1") in sentence.partition(", least")[0] for name in best[["a", "b"]]
        )


def test_what_an_agreement_of_two_means_is_told_for_its_measure():
    link = FEW | {"embeddings": "raw,pca", "strategies": "entropy"}
    at = pages.visit("pages/agreement.py", **link)
    assert "1 would be the same order, 0 is unrelated." in said(at)
    assert not any("sum of their leverage" in one.value for one in at.caption)
    group(at, "Measure").set_value("overlap").run()
    assert "overlap of the top 300 = 1.00; 1 would be the same points, 0 none in" in said(at)


# ---- Map ----


@pytest.fixture
def mapped(digits):
    """Two made-up maps: of raw pixels, by class; of principal components, at random."""
    rng = np.random.default_rng(0)
    centres = 4.0 * np.column_stack([digits.labels % 5, digits.labels // 5])
    for name, places in (
        ("raw", centres + rng.uniform(-1, 1, (len(digits), 2))),
        ("pca", rng.uniform(0, 9, (len(digits), 2))),
    ):
        key = map_key(Spec().with_(dataset="digits", embedding=name), digits.fingerprint)
        facts = {"trustworthiness": 0.9, "seconds": 1.0}
        cache.put(key, {"coordinates": places.astype(np.float32)}, facts)


def frequency(dots: pd.DataFrame, chosen: np.ndarray) -> float:
    """How many times as frequent a chosen dot is near another as anywhere, from what is drawn."""
    return linked_maps.gathering(dots[["x", "y"]].to_numpy(float), chosen)


def test_the_maps_figures_are_those_of_its_dots_whatever_colours_them(mapped, digits):
    at = pages.visit("pages/map.py", **DIGITS, k="100", beside="pca")
    found = {}
    for colour in ("score", "class", "selection", "disagreement"):
        group(at, "Colour by").set_value(colour).run()
        assert not at.exception and not at.error
        dots = drawn(at.get("vega_lite_chart")[0])[0]
        value = dots["value"].to_numpy(float)
        sentence = found[colour] = said(at)
        times = float(re.search(r"is ([\d.]+) times as frequent", sentence)[1])
        if colour == "class":
            each = [frequency(dots, value == c) for c in range(10)]
            assert times == pytest.approx(
                np.average(each, weights=np.bincount(digits.labels)), abs=0.06
            )
            assert "digits of one class gather" in sentence and "100" not in sentence
            continue
        chosen = {
            "score": value >= np.sort(value)[-100],
            "selection": value == 1,
            "disagreement": np.abs(value) >= np.sort(np.abs(value))[-100],
        }[colour]
        assert chosen.sum() == 100 and "the 100 digits" in sentence
        assert times == pytest.approx(frequency(dots, chosen), abs=0.06), colour
        stands = re.search(r"Class (\d) is over-represented: (\d+)%", sentence)
        counts = np.bincount(digits.labels[chosen], minlength=10)
        if stands:
            assert counts[int(stands[1])] == int(stands[2])
        else:
            assert "No class stands out among them." in sentence
    assert found["score"] == found["selection"]
    assert "whose rank differs most from that under" in found["disagreement"]


# ---- Simulations ----


@pytest.mark.parametrize("name", [*simulation_plan.PRESETS])
def test_a_simulations_figures_are_those_of_its_curves(name, nothing_under_way, monkeypatch):
    monkeypatch.setattr(
        "core.experiments.simulations.run.measure",
        lambda *arguments: {"rate": 2.0, "memory": 5e8, "weights": 0.0, "rates": {}},
    )
    link = {"figure": name, "pool": "200", "seeds": "3", "dataset": "digits"}
    if name != "risk":
        link |= {"batch": "5", "rounds": "2"}
    plan, problems = Simulations.from_query(link)
    assert problems == []
    rng = np.random.default_rng(0)
    for unit in plan.units():
        value = 0.5 + 0.05 * rng.random(len(plan.budgets)) + 0.2 * (unit.strategy == plan.duel[0])
        arrays = {"budget": np.array(plan.budgets), "value": value}
        if plan.needs_data:
            arrays["reached"] = np.ones(len(plan.budgets), bool)
        store.remember(unit.key(plan.points().fingerprint), arrays)
    at = pages.visit("pages/simulations.py", **link)
    assert not at.exception and not at.error
    sentence = said(at)
    for design, one in zip(plan.designs, at.get("vega_lite_chart"), strict=True):
        size = float(re.search(rf"([\d.]+)[^\d(]*{words.DESIGNS[design][0]}", sentence)[1])
        rows = next(frame for frame in drawn(one) if {"mean", "name"} <= set(frame))
        first, second = (
            rows[rows["name"].str.casefold() == called.casefold()]["mean"].to_numpy()
            for called in (words.called(plan.figure, text) for text in plan.duel)
        )
        gap = (
            (first - second).mean() if plan.needs_data else np.expm1(np.log(first / second).mean())
        )
        assert size == pytest.approx(100 * gap, abs=0.6)


# ---- Data ----


def test_the_data_pages_headline_is_that_of_its_task(own_folder):
    at = pages.visit("pages/data.py", **FEW)
    found = {}
    for task in ("in", "join", "out", "back"):
        group(at, "Task").set_value(task).run()
        assert not at.exception
        found[task] = said(at)
    assert "Nothing of yours is here yet" in found["in"]
    assert "Nothing is joined to Digits" in found["join"]
    assert "No ranking of these 300 digits" in found["out"] and "No file is read" in found["back"]
    pages.visit("pages/explore.py", **FEW)
    at = pages.visit("pages/data.py", **FEW, show="out")
    assert "One ranking is computed of these 300 digits" in said(at)
    assert len(widget(at.multiselect, "Rankings").options) == 1


def test_the_data_pages_count_is_that_of_its_list_after_every_click(own_folder):
    at = pages.visit("pages/data.py")
    for i, word in enumerate(("One dataset of yours is", "2 datasets of yours are")):
        content = zip_of(("cat", f"dog{i}"))
        (drop,) = [one for one in at.file_uploader if one.label.startswith("Drop a file")]
        drop.upload(f"pets{i}.zip", content).run()
        widget(at.button, "Keep it").click().run()
        assert not at.exception and word in said(at), said(at)
        listed = [one.value for one in at.markdown if "24 images" in one.value]
        assert len(listed) == i + 1 and said(at).count("24 images") == i + 1


# ---- the lesson ----


def test_the_lessons_sentences_are_those_of_its_link_after_every_click():
    at = pages.visit("pages/lesson.py", chapter=SLUGS[0])
    seen = []
    for chapter in SLUGS[1:]:
        (forward,) = [one for one in at.button if one.label.startswith("Next: ")]
        forward.click().run()
        assert not at.exception
        fresh = pages.visit("pages/lesson.py", chapter=chapter)
        assert pages.texts(at) == pages.texts(fresh)
        seen.append(pages.texts(at))
    assert all(a != b for a, b in pairwise(seen))
