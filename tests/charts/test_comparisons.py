"""Do the tables and differences of trained competitors show their numbers?

Read from `chart.to_dict()`.
"""

import numpy as np
import pandas as pd
import pytest

from core.charts.common import Line
from core.charts.comparisons import class_table, differences
from core.charts.palette import BOTTOM, CHANCE, TOP
from core.experiments.statistics import Comparison
from core.experiments.verdicts import Versus
from tests.charts.reading import contrast, layers, table_of

LINES = [Line("Top, raw", TOP), Line("Bottom, raw", BOTTOM, (8, 4)), Line("Random", CHANCE, (5, 4))]
BUDGETS = (100, 1000, 5000)
PAPER = {False: "#FFFFFF", True: "#101418"}


def frame(chart, layer) -> pd.DataFrame:
    """The table of a layer; layers that share one leave it to the chart."""
    return pd.DataFrame(table_of(chart, {"data": chart.to_dict().get("data")} | layer))


# ---- one against another ----


def versus(values, *found):
    """At each budget: the differences of the seeds, and what was found of them."""
    places = [f"at {budget:,}" for budget in BUDGETS]
    return Versus(places, np.array(values, float), [Comparison(*one) for one in found])


COMPARED = [
    versus(
        [[-0.31, -0.30, -0.32], [0.001, 0, -0.001], [0.2, np.nan, np.nan]],
        (-0.31, -0.33, -0.29, 3, "worse"),
        (0.0, -0.002, 0.002, 3, "equal"),
        (0.2, np.nan, np.nan, 1, "unclear"),
    ),
    versus(
        [[0.02, 0.03, 0.04], [-0.1, 0.1, 0.3], [np.nan] * 3],
        (0.03, 0.01, 0.05, 3, "better"),
        (0.1, -0.4, 0.6, 3, "unclear"),
        (np.nan, np.nan, np.nan, 0, "unclear"),
    ),
]


def drawn_differences(rival="random", dark=False):
    return differences(BUDGETS, COMPARED, rival, LINES[:2], dark=dark)


def test_differences_are_points_around_the_rival_with_their_intervals():
    chart = drawn_differences()
    (zero, bars), (_, dots) = layers(chart, "rule"), layers(chart, "point")
    table = frame(chart, dots).set_index(["name", "budget"])
    assert list(table.index) == [
        ("Top, raw", "100"),
        ("Top, raw", "1,000"),
        ("Top, raw", "5,000"),
        ("Bottom, raw", "100"),
        ("Bottom, raw", "1,000"),
    ], "in the order of the budgets, without what is not finished"
    columns = ["mean", "low", "high"]
    assert table.loc[("Top, raw", "100"), columns].tolist() == pytest.approx([-31, -33, -29])
    assert table.loc[("Bottom, raw", "1,000"), columns].tolist() == pytest.approx([10, -40, 60])
    assert table["outcome"].tolist() == ["worse", "equal", "unclear", "better", "unclear"]
    assert table_of(chart, zero) == [{"y": 0.0}]
    assert (bars["encoding"]["y"]["field"], bars["encoding"]["y2"]["field"]) == ("low", "high")
    assert bars["transform"] == [{"filter": "isValid(datum.low)"}], "one seed has no interval"
    assert dots["encoding"]["x"]["sort"] is None, "budgets in their order, not the alphabet's"
    assert dots["encoding"]["shape"]["field"] == "name"
    assert dots["encoding"]["xOffset"]["sort"] == ["Top, raw", "Bottom, raw"]


def test_every_seed_is_a_dot_behind_its_mean():
    chart = drawn_differences()
    each, dots = layers(chart, "point")
    assert each["mark"]["size"] < dots["mark"]["size"]
    drawn = chart.to_dict()["layer"]
    assert drawn.index(each) < drawn.index(dots)
    found = frame(chart, each).set_index(["name", "budget", "seed"])["mean"]
    assert len(found) == 13
    assert found[("Top, raw", "100", 3)] == pytest.approx(-32)
    assert found[("Bottom, raw", "1,000", 1)] == pytest.approx(-10)


def test_the_axis_of_differences_says_where_the_rival_is_and_gives_plain_numbers():
    axis = layers(drawn_differences('top, "raw"'), "point")[0]["encoding"]["y"]["axis"]
    assert axis["labelExpr"] == (
        'datum.value == 0 ? "top, \\"raw\\"" : format(datum.value, \'+.3~f\')'
    )


@pytest.mark.parametrize("dark", [False, True])
def test_the_legend_can_be_read(dark):
    legend = layers(drawn_differences(dark=dark), "point")[0]["encoding"]["color"]["legend"]
    assert contrast(legend["labelColor"], PAPER[dark]) >= 4.5
    assert legend["columns"]["expr"].endswith("? 1 : 3")


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
