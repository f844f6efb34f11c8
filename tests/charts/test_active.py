"""The charts of active learning hold the numbers they are given."""

import re
from pathlib import Path

import numpy as np
import pytest

from core import charts
from core.charts.active import error_shares, number_by_batch, objective_by_pick, penalty_table
from core.charts.common import Line
from core.charts.learning_curves import NARROW

LINES = [Line("BADGE", "#0072B2"), Line("Random", "#8C8C8C", (5, 4))]


def tables(chart) -> list[list[dict]]:
    return list(chart.to_dict()["datasets"].values())


@pytest.mark.parametrize("dark", [False, True])
def test_the_penalty_table_holds_every_pair_and_the_columns_means(dark):
    penalty, beaten = np.array([[0, 0.75], [0.25, 0]]), np.array([0.125, 0.375])
    (rows,) = tables(penalty_table(penalty, beaten, ["BADGE", "Random"], dark))
    cells = {(row["row"], row["column"]): row["value"] for row in rows}
    assert cells == {
        ("BADGE", "Random"): 0.75,
        ("Random", "BADGE"): 0.25,
        ("beaten on average", "BADGE"): 0.125,
        ("beaten on average", "Random"): 0.375,
    }


def test_error_shares_rise_to_one():
    values, weights = np.array([[0.9, 0.7, 0.8], [1.0, 1.0, 1.0]]), np.array([0.5, 0.25, 0.25])
    (rows,) = tables(error_shares(values, weights, LINES, False))
    badge = [(row["error"], row["share"]) for row in rows if row["name"] == "BADGE"]
    assert badge == [(0.7, 0.25), (0.8, 0.5), (0.9, 1.0)]


def test_an_error_that_does_not_count_is_left_out_of_its_shares():
    values, weights = np.array([[0.9, np.nan, 0.8], [1.0, 1.0, 1.0]]), np.array([0.5, 0.25, 0.25])
    (rows,) = tables(error_shares(values, weights, LINES, False))
    badge = [(row["error"], row["share"]) for row in rows if row["name"] == "BADGE"]
    assert badge == [(0.8, pytest.approx(1 / 3)), (0.9, 1.0)]


def test_batches_are_drawn_where_they_were_picked_and_gaps_are_left_out():
    values = np.array([[1.0, np.nan], [3.0, 4.0]])
    (rows,) = tables(number_by_batch([100, 200], values, LINES, "seconds", False, log=True))
    found = sorted((row["name"], row["labels"], row["value"]) for row in rows)
    assert found == [("BADGE", 100, 1.0), ("Random", 100, 3.0), ("Random", 200, 4.0)]


def test_the_falling_objective_marks_the_pick_that_is_shown():
    chart = objective_by_pick(
        np.array([[3.0, 2.0], [3.0, 2.5]]), ("BADGE", "Random"), 2, "radius", False
    )
    drawn, now = sorted(tables(chart), key=len, reverse=True)
    assert [(row["name"], row["pick"], row["value"]) for row in drawn] == [
        ("BADGE", 1, 3.0),
        ("BADGE", 2, 2.0),
        ("Random", 1, 3.0),
        ("Random", 2, 2.5),
    ]
    assert now == [{"pick": 2}]


def test_no_legend_above_a_picture_runs_out_of_a_phone():
    """Three names in a row are wider than 390 pixels: there they stand one below the other."""
    found = [
        (path.name, legend)
        for path in Path(charts.__file__).parent.glob("*.py")
        for legend in re.findall(r"alt\.Legend\((?:[^()]|\([^()]*\))*\)", path.read_text("utf-8"))
        if 'orient="top"' in legend
    ]
    assert len(found) >= 4
    columns = {"columns=1", "columns=columns", 'columns={"expr": f"{NARROW} ? 1 : 3"}'}
    assert [name for name, legend in found if not any(one in legend for one in columns)] == []
    chart = error_shares(np.ones((2, 2)), np.ones(2), LINES, dark=False).to_dict()
    assert chart["encoding"]["color"]["legend"]["columns"] == {"expr": f"{NARROW} ? 1 : 3"}
