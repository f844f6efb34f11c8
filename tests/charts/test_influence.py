"""The charts of utilities and queries hold the numbers they are given."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from core.charts.common import Line
from core.charts.influence import (
    distributions,
    mean_by_labels,
    predicted_against_retrained,
    queried_plane,
)
from core.charts.scores import score_histogram
from tests.tools.intervals import wilson

LINES = [Line("GORAL", "#0072B2"), Line("Random", "#8C8C8C", (5, 4))]
FRAME = pd.DataFrame(
    {
        "row": [7, 9],
        "name": ["a", "b"],
        "colour": [0.0, 100.0],
        "retrained": [-1.0, 3.0],
        "linear": [0.5, 8.0],
    }
)


def tables(chart) -> list[list[dict]]:
    return list(chart.to_dict()["datasets"].values())


def domains(part) -> list[list]:
    """Of every scale with a fixed domain of numbers."""
    if isinstance(part, dict):
        own = (
            [part["scale"]["domain"]]
            if isinstance(part.get("scale"), dict) and "domain" in part["scale"]
            else []
        )
        return own + [found for value in part.values() for found in domains(value)]
    return [found for value in part for found in domains(value)] if isinstance(part, list) else []


@pytest.mark.parametrize("dark", [False, True])
def test_both_axes_are_the_same_and_hold_every_point(dark):
    chart = predicted_against_retrained(FRAME, "linear", "predicted", 9, dark).to_dict()
    (points,), (ends,) = (
        [table for table in chart["datasets"].values() if ("name" in table[0]) == named]
        for named in (True, False)
    )
    assert [row["linear"] for row in points] == [0.5, 8.0] and all(
        end["retrained"] == end["linear"] for end in ends
    )
    axes = {
        tuple(domain) for domain in domains(chart["layer"][1]["encoding"]) if domain != [0, 100]
    }
    ((low, high),) = axes
    assert low < -1 and high > 8
    assert "datum.row == 9" in str(chart["layer"][2]["transform"])


def test_equal_points_have_room_too():
    flat = FRAME.assign(retrained=0.0, linear=0.0)
    chart = predicted_against_retrained(flat, "linear", "predicted", None, False).to_dict()
    ((low, high),) = {
        tuple(domain) for domain in domains(chart["layer"][1]["encoding"]) if domain != [0, 100]
    }
    assert low < 0 < high


def test_distributions_count_every_point_once_and_mark_the_constant():
    values = {"True label": np.linspace(-1, 1, 50), "As predicted": np.zeros(50)}
    found = tables(distributions(values, 0.01, "True label", "gain", False))
    bars = next(rows for rows in found if "points" in rows[0])
    for name in values:
        assert sum(row["points"] for row in bars if row["label"] == name) == 50
    assert any(rows[0].get("from") == 0.01 for rows in found)
    assert len(tables(distributions(values, None, "True label", "gain", True))) == 2
    assert tables(distributions({"one": np.ones(3)}, None, "one", "gain", True))


def test_bands_are_intervals_every_seed_is_a_dot_and_gaps_are_left_out():
    values = np.array([[[0.4, 0.5, 0.6], [0.97, 0.99, 1.0]], [[0.4, np.nan, np.nan], [np.nan] * 3]])
    each = tables(mean_by_labels([10, 20], values, LINES, "accuracy", True, False))
    (rows,) = [table for table in each if "low" in table[0]]
    (seeds,) = [table for table in each if "seed" in table[0]]
    found = {(row["name"], row["labels"]): (row["low"], row["mean"], row["high"]) for row in rows}
    assert found == {
        ("GORAL", 10): pytest.approx((wilson(values[0, 0])[0], 0.5, wilson(values[0, 0])[1])),
        ("GORAL", 20): pytest.approx(
            (wilson(values[0, 1])[0], values[0, 1].mean(), wilson(values[0, 1])[1])
        ),
        ("Random", 10): (0.4, 0.4, 0.4),
    }
    assert sorted(row["mean"] for row in seeds) == [0.4, 0.4, 0.5, 0.6, 0.97, 0.99, 1.0]
    goals = tables(mean_by_labels([10, 20], 10 * values, LINES, "goal", False, False))
    (rows,) = [table for table in goals if "low" in table[0]]
    low, high = stats.t.interval(0.95, 2, loc=5, scale=stats.sem(10 * values[0, 0]))
    assert (rows[0]["low"], rows[0]["high"]) == pytest.approx((low, high))


@pytest.mark.parametrize("dark", [False, True])
def test_the_plane_holds_points_border_and_names(dark):
    points = pd.DataFrame(
        {
            "x": [0.0, 1.0, 2.0],
            "y": [0.0, 1.0, 0.0],
            "label": ["0", "1", "0"],
            "asked": [0.0, 2.0, np.nan],
        }
    )
    names = pd.DataFrame({"x": [1.0], "y": [1.0], "name": ["central"]})
    line = np.array([[0.0, 5.0], [5.0, 0.0]])
    chart = queried_plane(points, line, names, (-1, 3, -1, 2), 2, dark)
    assert len(chart.to_dict()["layer"]) == 5 and len(tables(chart)) == 3
    assert len(queried_plane(points, None, None, (-1, 3, -1, 2), 0, dark).to_dict()["layer"]) == 3


def test_ticks_in_tens_are_no_powers_of_ten():
    """On a linear axis "~g" takes its digits from the step: 30 would be written 3e+1."""
    frame = FRAME.assign(retrained=[-1.0, 30.0], linear=[0.5, 29.0])
    chart = predicted_against_retrained(frame, "linear", "x", None, False).to_dict()
    encodings = [layer["encoding"] for layer in chart["layer"]]
    axes = [one[way]["axis"]["format"] for one in encodings for way in ("x", "y")]
    spread = score_histogram(np.linspace(0, 40, 99), "x", "#000000", None, False).to_dict()
    assert {*axes, spread["encoding"]["x"]["axis"]["format"]} == {"~r"}
