"""Do the pictures of scores count every point, and name what they show?

Read from `chart.to_dict()`.
"""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as draw
from hypothesis.extra.numpy import arrays

from core.charts.palette import CHANCE, FAMILIES, TOP
from core.charts.scores import class_shares, histogram_bins, percentile_strip, score_histogram
from tests.charts.reading import layers, rows

SKEWED = np.geomspace(1e-6, 1, 5000)
EVEN = np.linspace(0.2, 0.9, 5000)


@settings(max_examples=150)
@given(
    arrays(
        np.float64,
        draw.integers(1, 60),
        elements=draw.floats(-1e9, 1e9) | draw.just(0.0) | draw.floats(0, 1e-12),
    )
)
def test_every_score_is_counted_once(scores):
    edges, counts, log = histogram_bins(scores)
    assert (
        counts.sum() == len(scores)
        and len(edges) == len(counts) + 1 == 61
        and (np.diff(edges) >= 0).all()
        and np.isfinite(edges).all()
    )
    assert (
        edges[-1] >= scores.max()
        and (log or edges[0] <= scores.min())
        and (edges[0] > 0 or not log)
    )


@pytest.mark.parametrize(
    ("scores", "log"),
    [
        (SKEWED, True),
        (np.append(SKEWED, 0.0), True),
        (EVEN, False),
        (np.append(SKEWED, -0.1), False),
        (np.zeros(10), False),
        (np.full(10, 7.0), False),
        (np.append(np.full(5000, 0.5), 1e-6), False),
    ],
    ids=["skewed", "with zeros", "even", "signed", "zeros", "constant", "one outlier"],
)
def test_a_log_axis_only_where_positive_scores_span_a_factor_of_100(scores, log):
    assert histogram_bins(scores)[2] is log
    spec = score_histogram(scores, "leverage", TOP, None, dark=False).to_dict()
    assert spec["encoding"]["x"]["scale"]["type"] == ("log" if log else "linear")
    assert spec["encoding"]["x"]["title"] == ("leverage, log scale" if log else "leverage")


def test_zeros_stand_in_the_first_bar_of_a_log_axis():
    plain, more = (
        histogram_bins(SKEWED)[1],
        histogram_bins(np.concatenate([SKEWED, np.zeros(40)]))[1],
    )
    assert more[0] == plain[0] + 40 and (more[1:] == plain[1:]).all()


def test_bars_are_worked_by_hand():
    edges, counts, _ = histogram_bins(np.array([1.0, 1.0, 2.0, 4.0]), bins=3)
    assert edges.tolist() == [1, 2, 3, 4] and counts.tolist() == [2, 1, 1]


@pytest.mark.parametrize("scores", [SKEWED, EVEN, np.zeros(3)])
def test_the_histogram_shows_all_points_and_can_be_brushed_along_its_scores(scores):
    chart = score_histogram(scores, "leverage", TOP, None, dark=False)
    assert sum(row["points"] for row in rows(chart)) == len(scores) and all(
        row["inside"] for row in rows(chart)
    )
    spec = chart.to_dict()
    assert [(p["name"], p["select"]) for p in spec["params"]] == [
        ("range", {"type": "interval", "encodings": ["x"]})
    ]
    assert (
        spec["encoding"]["x"]["field"],
        spec["encoding"]["x2"]["field"],
        spec["encoding"]["y"]["field"],
    ) == ("from", "to", "points")
    assert spec["usermeta"]["embedOptions"]["renderer"] == "canvas", (
        "an SVG brush has marks without a name"
    )
    assert (
        spec["encoding"]["x"]["scale"]["domain"] == [rows(chart)[0]["from"], rows(chart)[-1]["to"]]
        and spec["mark"]["color"] == TOP
    )
    assert [t["field"] for t in spec["encoding"]["tooltip"]] == ["from", "to", "points"]


def test_a_kept_range_is_solid_and_the_rest_pale():
    chart = score_histogram(EVEN, "leverage", TOP, (0.4, 0.5), dark=False)
    solid = [row for row in rows(chart) if row["inside"]]
    assert (
        0 < len(solid) < 60
        and solid[0]["from"] <= 0.4 < solid[0]["to"]
        and solid[-1]["from"] < 0.5 <= solid[-1]["to"] + 1e-9
    )
    assert sum(row["points"] for row in solid) >= ((EVEN >= 0.4) & (EVEN <= 0.5)).sum()
    opacity = chart.to_dict()["encoding"]["opacity"]
    assert opacity["condition"]["value"] > opacity["value"]


def test_class_shares_sum_to_one_and_stand_beside_everyones():
    names, chosen, everyone = (
        ("cat", "dog", "owl"),
        np.array([0.5, 0.25, 0.25]),
        np.array([0.25, 0.5, 0.25]),
    )
    chart = class_shares(names, chosen, everyone, dark=False)
    assert [row["class"] for row in rows(chart)] == list(names) and [
        row["chosen"] for row in rows(chart)
    ] == chosen.tolist()
    assert sum(row["chosen"] for row in rows(chart)) == sum(row["all"] for row in rows(chart)) == 1
    bars, ticks = chart.to_dict()["layer"]
    assert (bars["mark"], bars["encoding"]["y"]["field"]) == (
        {"type": "bar", "color": TOP},
        "chosen",
    )
    assert (ticks["mark"]["type"], ticks["mark"]["color"], ticks["encoding"]["y"]["field"]) == (
        "tick",
        CHANCE,
        "all",
    )
    assert bars["encoding"]["x"]["sort"] == list(names), (
        "in the dataset's order, not the alphabet's"
    )
    assert all("tooltip" in layer["encoding"] for layer in (bars, ticks))


def test_long_class_names_are_tilted():
    def angle(names):
        spec = class_shares(
            names, np.full(len(names), 0.1), np.full(len(names), 0.1), dark=False
        ).to_dict()
        return spec["layer"][0]["encoding"]["x"]["axis"]["labelAngle"]

    assert (
        angle(tuple("0123456789")) == 0
        and angle(("Trouser", "Bag")) == -45
        and angle(tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")) == -45
    )


def test_the_strip_has_a_row_per_ranking_and_a_dot_per_seed():
    columns = ["ranking", "family", "seed", "score", "rank", "percentile"]
    frame = pd.DataFrame(
        [
            ("raw", "raw", 1, 0.5, 1, 100.0),
            ("cnn", "untrained", 1, 0.1, 9, 20.0),
            ("cnn", "untrained", 2, 0.2, 5, 60.0),
        ],
        columns=columns,
    )
    chart = percentile_strip(frame, dark=False)
    dots = layers(chart, "circle")[0]
    assert json.loads(frame.to_json(orient="records")) == rows(chart)
    assert (dots["encoding"]["x"]["field"], dots["encoding"]["y"]["field"]) == (
        "percentile",
        "ranking",
    )
    assert dots["encoding"]["x"]["scale"]["domain"] == [0, 100]
    scale = dots["encoding"]["color"]["scale"]
    assert dict(zip(scale["domain"], scale["range"], strict=True)) == FAMILIES
    assert [t["field"] for t in dots["encoding"]["tooltip"]] == columns[:1] + [
        "seed",
        "percentile",
        "rank",
        "score",
    ]
    assert (
        chart.to_dict()["height"]
        < percentile_strip(
            pd.concat([frame, frame.assign(ranking=list("abc"))]), dark=False
        ).to_dict()["height"]
    )
