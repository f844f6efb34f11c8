"""Does every cell hold the value of its two rankings, and can it be read?

Read from `chart.to_dict()`.
"""

import numpy as np
import pytest

from core.charts.heatmaps import heatmap, rank_plane
from core.charts.palette import CORRELATION, FAMILIES, family_colour
from tests.charts.reading import contrast, layers, mixed, rows, table_of

NAMES, KINDS = ["raw", "untrained 1", "untrained 2"], ["raw", "untrained", "untrained"]
MATRIX = np.array([[1.0, 0.5, -0.25], [0.5, 1.0, 0.75], [-0.25, 0.75, 1.0]])
TIPS = [{"by chance": f"{i}"} for i in range(9)]


def three(picked=None, correlation=True, dark=False, kinds=KINDS):
    return heatmap(MATRIX, NAMES, kinds, TIPS, picked, correlation, dark)


def test_every_cell_holds_the_value_of_the_two_names_beside_it():
    found = rows(three())
    assert [(cell["a"], cell["b"], cell["value"]) for cell in found] == [
        (a, b, MATRIX[i, j]) for i, a in enumerate(NAMES) for j, b in enumerate(NAMES)
    ]
    assert [(cell["row"], cell["column"], cell["by chance"]) for cell in found] == [
        (i // 3, i % 3, str(i)) for i in range(9)
    ]
    cells, (text, *_) = layers(three(), "rect")[0], layers(three(), "text")
    assert cells["encoding"]["y"]["field"] == "a" and cells["encoding"]["x"]["field"] == "b"
    assert cells["encoding"]["x"]["sort"] == cells["encoding"]["y"]["sort"] == NAMES, (
        "in the order given, not the alphabet's"
    )
    assert (text["encoding"]["text"]["field"], text["encoding"]["text"]["format"]) == (
        "value",
        ".2f",
    )
    assert [t["field"] for t in cells["encoding"]["tooltip"]] == ["a", "b", "value", "by chance"]


def test_a_click_on_a_cell_is_reported_by_row_and_column():
    chart = three().to_dict()
    assert [(p["name"], p["select"]["type"], p["select"]["fields"]) for p in chart["params"]] == [
        ("cell", "point", ["row", "column"])
    ]
    assert chart["params"][0]["select"]["on"] == "click"


@pytest.mark.parametrize("picked", [(0, 2), (2, 0)])
def test_the_picked_pair_is_framed_on_both_sides_of_the_diagonal(picked):
    chart = three(picked)
    (framed,) = [layer for layer in layers(chart, "rect") if "strokeWidth" in layer["mark"]]
    assert framed["transform"] == [{"filter": "datum.picked"}]
    assert [(cell["row"], cell["column"]) for cell in rows(chart) if cell["picked"]] == [
        (0, 2),
        (2, 0),
    ]
    assert not any(cell["picked"] for cell in rows(three()))


def test_correlations_are_white_at_zero_and_shares_are_white_at_none():
    for correlation, domain, colours in (
        (True, [-1, 0, 1], ["#0072B2", "#FFFFFF", "#D55E00"]),
        (False, [0, 1], ["#FFFFFF", "#D55E00"]),
    ):
        scale = layers(three(correlation=correlation), "rect")[0]["encoding"]["color"]["scale"]
        assert (scale["domain"], scale["range"]) == (domain, colours)


def test_values_can_be_read_on_every_colour():
    condition = layers(three(), "text")[0]["encoding"]["color"]
    edge = float(condition["condition"]["test"].removeprefix("datum.value < "))
    for value in np.linspace(-1, 1, 81):
        ground = mixed("#FFFFFF", CORRELATION[0] if value < 0 else CORRELATION[2], abs(value))
        assert (
            contrast(
                condition["condition"]["value"] if value < edge else condition["value"], ground
            )
            >= 4.3
        ), value


def test_values_are_hidden_where_cells_are_too_small_for_them():
    assert layers(three(), "text")[0]["mark"]["opacity"] == {"expr": "width > 72 ? 1 : 0"}


@pytest.mark.parametrize("dark", [False, True])
def test_strips_beside_the_names_have_the_colours_of_the_families(dark):
    chart = three(dark=dark)
    strips = [
        layer
        for layer in layers(chart, "rect")
        if layer["encoding"].get("color", {}).get("field") == "family"
    ]
    assert len(strips) == 2 and all(
        table_of(chart, strip) == table_of(chart, strips[0]) for strip in strips
    )
    assert [(r["a"], r["family"], r["row"], r["column"]) for r in table_of(chart, strips[0])] == [
        (name, kind, i, i) for i, (name, kind) in enumerate(zip(NAMES, KINDS, strict=True))
    ]
    scale = strips[0]["encoding"]["color"]["scale"]
    assert dict(zip(scale["domain"], scale["range"], strict=True)) == {
        family: family_colour(family, dark) for family in FAMILIES
    }
    assert chart.to_dict()["resolve"] == {"scale": {"color": "independent"}}, (
        "families must not be coloured like correlations"
    )
    assert all(
        any(t["field"] == "family" for t in strip["encoding"]["tooltip"]) for strip in strips
    )


def test_a_gap_stands_where_the_family_changes_and_nowhere_else():
    gaps = layers(three(), "rule")
    assert [[row["a"] for row in table_of(three(), gap)] for gap in gaps] == [["untrained 1"]] * 2
    assert gaps[0]["encoding"]["x"]["bandPosition"] == gaps[1]["encoding"]["y"]["bandPosition"] == 0
    assert "bandPosition" not in layers(three(), "rect")[0]["encoding"]["x"], (
        "the cells' own axis is untouched"
    )
    assert layers(three(kinds=["raw"] * 3), "rule") == []


# ---- the plane of two rankings ----


def test_the_plane_has_one_cell_per_occupied_pair_of_percentiles():
    counts = np.zeros((4, 4), int)
    counts[0, 3], counts[2, 1] = 5, 7  # row: the second ranking's quarter, column: the first's
    chart = rank_plane(counts, "raw", "PCA", dark=False)
    expected = [
        {"a": 75, "a2": 100, "b": 0, "b2": 25, "points": 5},
        {"a": 25, "a2": 50, "b": 50, "b2": 75, "points": 7},
    ]
    assert rows(chart) == expected
    encoding = chart.to_dict()["encoding"]
    assert (encoding["x"]["title"], encoding["y"]["title"]) == (
        "percentile under raw",
        "percentile under PCA",
    )
    assert encoding["x"]["scale"]["domain"] == encoding["y"]["scale"]["domain"] == [0, 100]
    assert [t["field"] for t in encoding["tooltip"]] == ["a", "b", "points"]
