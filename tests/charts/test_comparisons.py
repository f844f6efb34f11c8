"""Do the tables and differences of trained competitors show their numbers?

Read from `chart.to_dict()`.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from core.charts.common import Line
from core.charts.comparisons import class_table, difference_to_random
from core.charts.palette import BOTTOM, CHANCE, TOP
from core.experiments.statistics import estimate
from tests.charts.reading import contrast, layers, table_of

LINES = [Line("Top, raw", TOP), Line("Bottom, raw", BOTTOM, (8, 4)), Line("Random", CHANCE, (5, 4))]
BUDGETS = (100, 1000, 5000)
PAPER = {False: "#FFFFFF", True: "#101418"}


@pytest.fixture(scope="module")
def accuracy() -> np.ndarray:
    """(3 competitors, 3 budgets, 4 seeds), different everywhere."""
    return np.random.default_rng(0).uniform(0.2, 0.9, (3, 3, 4))


def frame(chart, layer) -> pd.DataFrame:
    """The table of a layer; layers that share one leave it to the chart."""
    return pd.DataFrame(table_of(chart, {"data": chart.to_dict().get("data")} | layer))


def names_of(chart) -> pd.DataFrame:
    """Where the lines' names stand: name, end, height."""
    (layer,) = layers(chart, "text")
    return frame(chart, layer)


# ---- against random ----


def test_differences_are_points_of_accuracy_around_random(accuracy):
    difference = estimate(accuracy - accuracy[2])
    chart = difference_to_random(BUDGETS, difference, LINES, dark=False)
    (dots,), rules = layers(chart, "point"), layers(chart, "rule")
    table = frame(chart, dots).set_index(["name", "budget"])
    for i, line in enumerate(LINES[:2]):
        for j, budget in enumerate(BUDGETS):
            test = stats.ttest_rel(accuracy[i, j], accuracy[2, j])
            low, high = test.confidence_interval(0.95)
            expected = 100 * np.array([(accuracy[i, j] - accuracy[2, j]).mean(), low, high])
            assert table.loc[(line.name, f"{budget:,}")].tolist() == pytest.approx(
                expected.tolist()
            )
    zero, bars = rules
    assert table_of(chart, zero) == [{"y": 0.0}] and (
        bars["encoding"]["y"]["field"],
        bars["encoding"]["y2"]["field"],
    ) == ("low", "high")
    assert dots["encoding"]["x"]["sort"] is None, "budgets in their order, not the alphabet's"
    assert dots["encoding"]["shape"]["field"] == "name" and dots["encoding"]["xOffset"]["sort"] == [
        line.name for line in LINES
    ]


def test_the_axis_of_differences_says_where_random_is_and_gives_plain_numbers(accuracy):
    axis = layers(
        difference_to_random(BUDGETS, estimate(accuracy - accuracy[2]), LINES, dark=False), "point"
    )[0]["encoding"]["y"]["axis"]
    assert axis["labelExpr"] == "datum.value == 0 ? 'random' : format(datum.value, '+.3~f')"


@pytest.mark.parametrize("dark", [False, True])
def test_the_legend_can_be_read(accuracy, dark):
    legend = layers(difference_to_random(BUDGETS, estimate(accuracy), LINES, dark=dark), "point")[
        0
    ]["encoding"]["color"]["legend"]
    assert contrast(legend["labelColor"], PAPER[dark]) >= 4.5 and legend["columns"][
        "expr"
    ].endswith("? 1 : 3")


# ---- by class ----

CLASSES = ("cat", "dog", "owl")
SHARES = np.array([[1.0, 0, 0], [0.2, 0.3, 0.5]])


def test_every_cell_holds_its_number_in_per_cent():
    chart = class_table(SHARES, ["Top, raw", "Random"], CLASSES, dark=False, share=True)
    (cells,), (numbers,) = layers(chart, "rect"), layers(chart, "text")
    found = (
        frame(chart, cells)
        .pivot(index="name", columns="class", values="value")
        .loc[["Top, raw", "Random"], list(CLASSES)]
    )
    assert found.to_numpy().tolist() == SHARES.tolist()
    assert numbers["transform"] == [{"calculate": "100 * datum.value", "as": "percent"}]
    assert (
        numbers["encoding"]["text"]["field"] == "percent"
        and numbers["encoding"]["text"]["format"] == ".0f"
    )
    assert (cells["encoding"]["x"]["sort"], cells["encoding"]["y"]["sort"]) == (
        list(CLASSES),
        ["Top, raw", "Random"],
    )


def test_what_has_no_value_has_no_cell():
    values = np.array([[0.5, np.nan, 0.5], [np.nan] * 3])
    chart = class_table(values, ["Top, raw", "Random"], CLASSES, dark=False, share=False)
    assert frame(chart, layers(chart, "rect")[0])[["name", "class"]].to_numpy().tolist() == [
        ["Top, raw", "cat"],
        ["Top, raw", "owl"],
    ]


@pytest.mark.parametrize("share", [False, True])
def test_no_value_at_all_makes_a_chart(share):
    assert class_table(
        np.full((2, 3), np.nan), ["a", "b"], CLASSES, dark=False, share=share
    ).to_dict()["layer"]


@pytest.mark.parametrize("dark", [False, True])
def test_every_number_can_be_read_on_its_cell(dark):
    chart = class_table(
        np.linspace(0, 1, 101)[None],
        ["all"],
        [f"{i:03d}" for i in range(101)],
        dark=dark,
        share=False,
    )
    (cells,), (numbers,) = layers(chart, "rect"), layers(chart, "text")
    domain, colours = (cells["encoding"]["color"]["scale"][end] for end in ("domain", "range"))
    condition = numbers["encoding"]["color"]["condition"]
    for value in np.linspace(0, 1, 101):
        white = eval(condition["test"].replace("datum.value", str(value)))
        ink = condition["value"] if white else numbers["encoding"]["color"]["value"]
        assert contrast(ink, between(domain, colours, value)) >= 4, value


def between(domain: list[float], colours: list[str], value: float) -> str:
    """The colour of a value on a scale of straight lines in sRGB."""
    parts = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in colours])
    return "#" + "".join(f"{round(np.interp(value, domain, parts[:, i])):02X}" for i in range(3))


def test_long_class_names_are_tilted():
    def angle(classes):
        chart = class_table(np.ones((1, len(classes))), ["a"], classes, dark=False, share=False)
        return layers(chart, "rect")[0]["encoding"]["x"]["axis"]["labelAngle"]

    assert (
        angle(tuple("0123456789")) == 0
        and angle(("Trouser", "Bag")) == -45
        and angle(tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")) == -45
    )
