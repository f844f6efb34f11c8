"""Do the charts of an experiment show its numbers, and only the finished ones, and can every line
be told apart? From `chart.to_dict()`.
"""

import numpy as np
import pandas as pd
import pytest

from core.charts.common import Line
from core.charts.comparisons import differences
from core.charts.learning_curves import (
    FEW_SEEDS,
    NAME_GAP,
    accuracy_by_budget,
    accuracy_by_labels,
    accuracy_by_step,
    loss_by_labels,
    risk_by_budget,
)
from core.charts.palette import BOTTOM, CHANCE, TOP
from core.experiments.statistics import Comparison, estimate, loss_estimate
from core.experiments.verdicts import Versus
from tests.charts.reading import layers, table_of
from tests.tools.intervals import wilson

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


def test_losses_are_drawn_with_every_seed_and_say_which_way_is_better():
    loss = np.random.default_rng(0).uniform(0.02, 3, (3, 4, 5))
    chart = loss_by_labels((10, 20, 30, 40), loss, LINES, dark=False)
    dots, marks = layers(chart, "point")
    assert len(frame(chart, dots)) == loss.size
    table = frame(chart, marks).set_index(["name", "labels"])
    wanted = loss_estimate(loss)
    for i, line in enumerate(LINES):
        for part in ("mean", "low", "high"):
            found = table.loc[line.name][part].to_numpy(float)
            assert found == pytest.approx(getattr(wanted, part)[i])
    axis = marks["encoding"]["y"]
    low, high = axis["scale"]["domain"]
    assert axis["title"] == "squared test error (lower is better)"
    assert 0 < low < table["low"].min() and high > table["high"].max()


def test_a_band_far_beyond_all_seeds_does_not_press_them_to_the_floor():
    loss = np.array([[[2e5, 1e4, 5e5]] * 2, [[2e5, 1e5, 3e5]] * 2, [[2e5, 1e5, 3e5]] * 2])
    assert loss_estimate(loss).high.max() > 1e6
    (_, marks) = layers(loss_by_labels((10, 20), loss, LINES, dark=False), "point")
    axis = marks["encoding"]["y"]
    assert axis["scale"]["domain"][1] == pytest.approx(1.5 * 5e5) and axis["scale"]["clamp"]
    assert axis["title"] == "squared test error (lower is better; bands cut)"
    assert axis["axis"]["format"] == ",~r"


# ---- by budget ----


def test_every_mark_is_a_mean_and_every_band_its_interval(accuracy):
    chart = accuracy_by_budget(BUDGETS, accuracy, LINES, dark=False)
    (_, dots), (band,) = layers(chart, "point"), layers(chart, "area")
    table = frame(chart, dots).set_index(["name", "budget"])
    assert len(table) == 9 and table.equals(frame(chart, band).set_index(["name", "budget"]))
    for i, line in enumerate(LINES):
        for j, budget in enumerate(BUDGETS):
            seeds = accuracy[i, j]
            assert table.loc[(line.name, budget)].tolist() == pytest.approx(
                [seeds.mean(), *wilson(seeds)], rel=1e-9
            )
    assert (
        dots["encoding"]["y"]["field"],
        band["encoding"]["y"]["field"],
        band["encoding"]["y2"]["field"],
    ) == ("mean", "low", "high")


def test_every_seed_is_a_dot_behind_the_means(accuracy):
    part = accuracy.copy()
    part[1, 2, 1:] = np.nan
    chart = accuracy_by_budget(BUDGETS, part, LINES, dark=False)
    seeds, dots = layers(chart, "point")
    drawn = chart.to_dict()["layer"]
    assert drawn.index(seeds) < drawn.index(dots) and seeds["mark"]["size"] < dots["mark"]["size"]
    found = frame(chart, seeds).set_index(["name", "budget", "seed"])["mean"]
    assert len(found) == 33
    assert all(
        found[(LINES[i].name, budget, s + 1)] == part[i, j, s]
        for i in range(3)
        for j, budget in enumerate(BUDGETS)
        for s in range(4)
        if np.isfinite(part[i, j, s])
    )


def test_budgets_stand_on_a_log_axis_and_each_has_its_tick(accuracy):
    x = layers(accuracy_by_budget(BUDGETS, accuracy, LINES, dark=False), "line")[0]["encoding"]["x"]
    assert (
        x["scale"]["type"] == "log"
        and x["scale"]["domain"] == [100, 5000]
        and x["axis"]["values"] == list(BUDGETS)
    )
    assert "log" in x["title"]


def test_what_is_not_finished_is_left_out(accuracy):
    part = accuracy.copy()
    part[0, 1:], part[1], part[2, 0, 1:] = np.nan, np.nan, np.nan
    chart = accuracy_by_budget(BUDGETS, part, LINES, dark=False)
    table = frame(chart, layers(chart, "point")[1])
    assert list(zip(table["name"], table["budget"], strict=True)) == [("Top, raw", 100)] + [
        ("Random", budget) for budget in BUDGETS
    ]
    one = table[(table["name"] == "Random") & (table["budget"] == 100)].iloc[0]
    assert one["low"] == one["high"] == one["mean"] == accuracy[2, 0, 0], "one seed has no interval"
    assert set(names_of(chart)["name"]) == {"Top, raw", "Random"}


@pytest.mark.parametrize(
    "values",
    [np.full((3, 3, 4), np.nan), np.zeros((3, 3, 4)), np.ones((3, 3, 4))],
    ids=["nothing", "zeros", "ones"],
)
def test_degenerate_accuracies_make_a_chart(values):
    scale = layers(accuracy_by_budget(BUDGETS, values, LINES, dark=True), "line")[0]["encoding"][
        "y"
    ]["scale"]
    assert 0 <= scale["domain"][0] < scale["domain"][1] <= 1


def test_one_budget_makes_a_chart(accuracy):
    scale = layers(accuracy_by_budget((500,), accuracy[:, :1], LINES, dark=False), "line")[0][
        "encoding"
    ]["x"]["scale"]
    assert scale["domain"][0] < 500 < scale["domain"][1]


def test_the_axis_holds_all_that_is_drawn_and_no_accuracy_that_cannot_be(accuracy):
    wide = accuracy.copy()
    wide[0, 0] = [0.02, 0.98, 0.02, 0.98]
    chart = accuracy_by_budget(BUDGETS, wide, LINES, dark=False)
    domain = layers(chart, "line")[0]["encoding"]["y"]["scale"]["domain"]
    assert domain == pytest.approx([0, 0.99])
    (band,) = layers(chart, "area")
    one = frame(chart, band).set_index(["name", "budget"]).loc[("Top, raw", 100)]
    assert [one["low"], one["high"]] == pytest.approx(wilson(wide[0, 0]))
    assert 0 < one["low"] < 0.1, "Student's interval would begin at -0.38"


# ---- who is who ----


def drawn_differences(accuracy):
    compared = [
        Versus(["at 100"], [values[0] - accuracy[2, 0]], [Comparison(0.1, 0.0, 0.2, 4, "better")])
        for values in accuracy[:2]
    ]
    return differences(BUDGETS[:1], compared, "random", LINES[:2], dark=False)


@pytest.mark.parametrize(
    ("draw", "lines"),
    [
        (lambda accuracy: accuracy_by_budget(BUDGETS, accuracy, LINES, dark=False), LINES),
        (drawn_differences, LINES[:2]),
    ],
)
def test_colours_belong_to_names(accuracy, draw, lines):
    marks = [layer for layer in draw(accuracy).to_dict()["layer"] if "color" in layer["encoding"]]
    assert len(marks) >= 3
    for layer in marks:
        scale = layer["encoding"]["color"]["scale"]
        assert dict(zip(scale["domain"], scale["range"], strict=True)) == {
            line.name: line.colour for line in lines
        }


def test_dashes_belong_to_names_and_random_is_grey_and_dashed(accuracy):
    dash = layers(accuracy_by_budget(BUDGETS, accuracy, LINES, dark=False), "line")[0]["encoding"][
        "strokeDash"
    ]["scale"]
    assert dict(zip(dash["domain"], dash["range"], strict=True)) == {
        "Top, raw": [1, 0],
        "Bottom, raw": [8, 4],
        "Random": [5, 4],
    }


def test_names_stand_right_of_the_lines_in_their_order_and_apart():
    close = np.array([0.90, 0.901, 0.902])[:, None, None] + np.zeros((3, 3, 4))
    close[:, 0] -= 0.6
    chart = accuracy_by_budget(BUDGETS, close, LINES, dark=False)
    table = names_of(chart).sort_values("height")
    low, high = layers(chart, "line")[0]["encoding"]["y"]["scale"]["domain"]
    assert (
        table["name"].tolist() == ["Top, raw", "Bottom, raw", "Random"]
        and (table["end"] == 5000).all()
    )
    assert (np.diff(table["height"]) >= NAME_GAP * (high - low) - 1e-12).all() and table[
        "height"
    ].max() <= high
    (text,) = layers(chart, "text")
    assert text["encoding"]["text"]["field"] == "name" and text["encoding"]["color"]["scale"][
        "domain"
    ] == [line.name for line in LINES]


def test_a_name_far_from_the_others_stands_at_its_line(accuracy):
    apart = np.array([0.2, 0.5, 0.8])[:, None, None] + np.zeros((3, 3, 4))
    table = names_of(accuracy_by_budget(BUDGETS, apart, LINES, dark=False)).set_index("name")[
        "height"
    ]
    assert table.to_dict() == pytest.approx({"Top, raw": 0.2, "Bottom, raw": 0.5, "Random": 0.8})


def test_every_mark_tells_its_numbers(accuracy):
    chart = accuracy_by_budget(BUDGETS, accuracy, LINES, dark=False)
    for layer in (layers(chart, "point")[1], *layers(chart, "line"), *layers(chart, "area")):
        assert [t["field"] for t in layer["encoding"]["tooltip"]] == [
            "name",
            "budget",
            "mean",
            "low",
            "high",
        ]


# ---- during training ----

STEPS = np.array([1.0, 2, 5, 9])


def test_few_seeds_are_thin_lines_under_their_mean():
    curves = np.random.default_rng(1).uniform(0.1, 0.9, (3, FEW_SEEDS, 4))
    chart = accuracy_by_step(STEPS, curves, LINES, "epochs", dark=False)
    thin, thick = layers(chart, "line")
    assert (
        thin["mark"]["strokeWidth"] < thick["mark"]["strokeWidth"]
        and thin["encoding"]["detail"]["field"] == "seed"
    )
    assert layers(chart, "area") == [] and chart.to_dict()["layer"].index(thin) < chart.to_dict()[
        "layer"
    ].index(thick)
    found = frame(chart, thin).set_index(["name", "seed", "at"])["mean"]
    assert len(found) == curves.size
    assert all(
        found[(line.name, s + 1, at)] == curves[i, s, t]
        for i, line in enumerate(LINES)
        for s in range(curves.shape[1])
        for t, at in enumerate(STEPS)
    )
    means = frame(chart, thick).set_index(["name", "at"])["mean"]
    assert [means[(line.name, at)] for line in LINES for at in STEPS] == pytest.approx(
        curves.mean(axis=1).ravel().tolist()
    )
    low, high = thick["encoding"]["y"]["scale"]["domain"]
    assert low <= curves.min() and high >= curves.max(), "every seed is inside"


def test_many_seeds_are_a_band():
    curves = np.random.default_rng(1).uniform(0.1, 0.9, (3, FEW_SEEDS + 1, 4))
    chart = accuracy_by_step(STEPS, curves, LINES, "epochs", dark=False)
    assert len(layers(chart, "area")) == len(layers(chart, "line")) == 1
    table = frame(chart, layers(chart, "area")[0])
    low = [wilson(curves[i, :, t])[0] for i in range(3) for t in range(4)]
    assert table["low"].tolist() == pytest.approx(low)


def test_a_seed_that_is_not_finished_is_no_line_and_not_in_the_mean():
    curves = np.full((2, 3, 4), np.nan)
    curves[0, 0], curves[0, 1], curves[1, 0] = 0.4, 0.6, 0.5
    chart = accuracy_by_step(STEPS, curves, LINES[:2], "epochs", dark=False)
    thin, thick = layers(chart, "line")
    assert set(map(tuple, frame(chart, thin)[["name", "seed"]].to_numpy())) == {
        ("Top, raw", 1),
        ("Top, raw", 2),
        ("Bottom, raw", 1),
    }
    assert frame(chart, thick)["mean"].tolist() == pytest.approx([0.5] * 8)


def test_the_axis_of_training_names_what_it_counts_in_whole_numbers():
    x = layers(
        accuracy_by_step(STEPS, np.full((3, 2, 4), 0.5), LINES, "optimizer steps", dark=False),
        "line",
    )[1]["encoding"]["x"]
    assert (
        x["title"] == "optimizer steps"
        and x["axis"]["tickMinStep"] == 1
        and x["axis"]["format"] == ",d"
    )


# ---- by labels, and risks ----


def test_labels_stand_on_a_plain_axis(accuracy):
    chart = accuracy_by_labels(BUDGETS, accuracy, LINES, dark=True)
    (_, dots) = layers(chart, "point")
    table = frame(chart, dots).set_index(["name", "labels"])
    assert table.loc[("Random", 1000), "mean"] == pytest.approx(accuracy[2, 1].mean())
    assert (
        dots["encoding"]["x"]["scale"].get("type", "linear") == "linear"
        and "accuracy" in dots["encoding"]["y"]["title"]
    )


def test_risks_stand_on_log_axes_of_the_given_range(accuracy):
    risk = estimate(100 * accuracy)
    chart = risk_by_budget(BUDGETS, risk, LINES, False, (0.1, 200))
    (dots,), (band,) = layers(chart, "point"), layers(chart, "area")
    table = frame(chart, dots).set_index(["name", "budget"])
    assert table.loc[("Top, raw", 100), "mean"] == pytest.approx(risk.mean[0, 0])
    assert table.loc[("Top, raw", 100), "high"] == pytest.approx(risk.high[0, 0])
    for layer in (dots, band):
        scale = layer["encoding"]["y"]["scale"]
        assert (
            scale["type"] == "log"
            and scale["domain"] == [0.1, 200]
            and layer["encoding"]["x"]["scale"]["type"] == "log"
        )
    own = layers(risk_by_budget(BUDGETS, risk, LINES, False), "point")[0]["encoding"]["y"]["scale"][
        "domain"
    ]
    assert 0 < own[0] < np.min(risk.mean) and own[1] > np.max(risk.mean)


def test_an_interval_below_zero_ends_where_a_log_axis_can_show_it():
    two = estimate(np.array([[[1.0, 9.0]]]))
    assert two.low[0, 0] < 0
    chart = risk_by_budget((10,), two, LINES[:1], False)
    assert frame(chart, layers(chart, "area")[0])["low"].tolist() == [0.5]


def test_names_beside_risks_are_pushed_apart_on_the_log_axis():
    risk = estimate(np.tile(np.array([0.01, 0.0101, 100.0])[:, None, None], (1, 2, 2)))
    places = names_of(risk_by_budget((10, 100), risk, LINES, False, (0.001, 1000))).set_index(
        "name"
    )["height"]
    assert np.log10(places["Bottom, raw"] / places["Top, raw"]) == pytest.approx(NAME_GAP * 6)
    assert places["Random"] == pytest.approx(100)
