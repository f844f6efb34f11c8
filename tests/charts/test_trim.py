"""Do the pictures of trimming show their numbers, and can everything be told apart without colour?

From `chart.to_dict()`.
"""

import numpy as np
import pandas as pd
import pytest

from core.charts.common import Line
from core.charts.learning_curves import accuracy_by_removed, precision_by_removed
from core.charts.palette import CHANCE, TOP
from core.charts.trim import PLANE_HEIGHT, area_by_method, trimmed_plane
from core.experiments.statistics import estimate, share_estimate
from tests.charts.reading import layers, table_of

LINES = [Line("FI-util", TOP), Line("Loss", "#CC79A7", (12, 3)), Line("Random", CHANCE, (5, 4))]


def frame(chart, layer) -> pd.DataFrame:
    return pd.DataFrame(table_of(chart, {"data": chart.to_dict().get("data")} | layer))


@pytest.fixture
def accuracy():
    return np.random.default_rng(0).uniform(0.5, 0.9, (3, 4, 5))


@pytest.mark.parametrize("draw", [accuracy_by_removed, precision_by_removed])
def test_the_curves_are_means_with_intervals_from_nothing_removed_on(accuracy, draw):
    chart, found = draw((0, 10, 20, 50), accuracy, LINES, dark=False), share_estimate(accuracy)
    seeds, dots = layers(chart, "point")
    assert sorted(frame(chart, seeds)["mean"]) == sorted(accuracy.ravel())
    table = frame(chart, dots).set_index(["name", "removed"])
    assert len(table) == 12 and dots["encoding"]["x"]["axis"]["values"] == [0, 10, 20, 50]
    for i, line in enumerate(LINES):
        for j, b in enumerate((0, 10, 20, 50)):
            assert table.loc[(line.name, b), ["mean", "low", "high"]].tolist() == pytest.approx(
                [part[i, j] for part in found[:3]]
            )
    assert dots["encoding"]["y"]["title"] == (
        "accuracy on the test points"
        if draw is accuracy_by_removed
        else "planted among the removed"
    )


def test_the_areas_stand_in_order_with_their_intervals():
    auc = estimate(np.array([[0.6, 0.7], [0.9, 0.95], [0.5, 0.5]]))
    chart = area_by_method(auc, LINES, dark=False)
    (dots,), (half, bars) = layers(chart, "point"), layers(chart, "rule")
    table = frame(chart, dots)
    assert table["name"].tolist() == ["Loss", "FI-util", "Random"] == dots["encoding"]["y"]["sort"]
    assert table["mean"].tolist() == pytest.approx([0.925, 0.65, 0.5]) and table[
        "low"
    ].tolist() == pytest.approx(auc.low[[1, 0, 2]])
    assert frame(chart, half)["x"].tolist() == [0.5] and bars["encoding"]["x2"]["field"] == "high"
    domain = dots["encoding"]["x"]["scale"]["domain"]
    assert domain[1] == 1 and 0 <= domain[0] < 0.5
    assert [
        row["value"]
        for row in table_of(chart, {"data": chart.to_dict().get("data")} | layers(chart, "text")[0])
    ] == [
        "0.93",
        "0.65",
        "0.50",
    ]


def test_what_is_not_finished_is_left_out_of_the_areas():
    chart = area_by_method(estimate(np.full((3, 2), np.nan)), LINES, dark=True)
    assert frame(chart, layers(chart, "point")[0]).empty


def test_the_plane_shows_every_point_rings_the_trimmed_and_draws_each_boundary():
    points, labels = np.random.default_rng(0).normal(size=(30, 2)), np.arange(30) % 2
    paths = {
        0: [np.array([[0.0, -1], [0, 1]])],
        1: [np.array([[1.0, -1], [1, 1]]), np.array([[2.0, 0], [2, 1], [2, 2]])],
    }
    chart = trimmed_plane(
        points,
        labels,
        np.array([3, 4]),
        paths,
        [Line("Before", "#000000", (2, 3)), LINES[0]],
        dark=False,
    )
    dots, rings = layers(chart, "point")
    table = frame(chart, dots)
    assert (
        len(table) == 30
        and table["x"].tolist() == pytest.approx(points[:, 0].tolist())
        and table["class"].tolist() == [str(c) for c in labels]
    )
    assert np.flatnonzero(table["trimmed"] == "trimmed").tolist() == [3, 4]
    assert "trimmed" in rings["transform"][0]["filter"] and rings["mark"]["filled"] is False
    assert dots["encoding"]["shape"]["scale"]["range"] == ["circle", "square"]
    (lines,) = layers(chart, "line")
    drawn = frame(chart, lines)
    assert drawn.groupby("path").size().tolist() == [2, 2, 3] and set(drawn["model"]) == {
        "Before",
        "FI-util",
    }
    assert (
        lines["encoding"]["strokeDash"]["scale"]["range"] == [[2, 3], [1, 0]]
        and lines["encoding"]["order"]["field"] == "step"
    )


def test_a_plane_without_a_boundary_is_drawn():
    points = np.zeros((4, 2)) + np.arange(4)[:, None]
    chart = trimmed_plane(
        points, np.zeros(4, int), np.array([], int), {0: []}, LINES[:1], dark=True
    )
    assert (
        frame(chart, layers(chart, "line")[0]).empty and chart.to_dict()["height"] == PLANE_HEIGHT
    )
