"""Do the charts show every point, name what they show, and keep the meaning of colours?

Read from `chart.to_dict()`.
"""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as draw
from hypothesis.extra.numpy import arrays

from core import embeddings
from core.charts import palette
from core.charts.basics import (
    Colour,
    class_shares,
    heatmap,
    histogram_bins,
    percentile_strip,
    rank_plane,
    scatter,
    score_histogram,
)
from core.charts.palette import BOTTOM, CHANCE, CORRELATION, FAMILIES, TOP, family_colour

SKEWED = np.geomspace(1e-6, 1, 5000)
EVEN = np.linspace(0.2, 0.9, 5000)


def rows(chart) -> list[dict]:
    """The data that a chart brings along; the largest of several tables."""
    return max(chart.to_dict()["datasets"].values(), key=len)


def layers(chart, mark: str) -> list[dict]:
    """The layers of a chart that draw this mark."""
    return [layer for layer in chart.to_dict()["layer"] if layer["mark"]["type"] == mark]


def table_of(chart, layer: dict) -> list[dict]:
    """The data of one layer."""
    return chart.to_dict()["datasets"][layer["data"]["name"]]


@settings(max_examples=150, deadline=None)
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


@pytest.mark.parametrize(("dark", "paper"), [(False, "#FFFFFF"), (True, "#101418")])
def test_axis_texts_and_family_colours_can_be_seen_on_their_ground(dark, paper):
    config = class_shares(("a", "b"), np.ones(2) / 2, np.ones(2) / 2, dark).to_dict()["config"][
        "axis"
    ]
    assert (
        contrast(config["labelColor"], paper) >= 4.5
        and contrast(config["titleColor"], paper) >= 4.5
    )
    assert all(contrast(family_colour(family, dark), paper) >= 1.9 for family in FAMILIES)
    assert contrast(family_colour("raw", dark), paper) >= 4.5


def test_every_embedding_has_the_colour_of_its_family():
    assert {entry.family for entry in embeddings.embedders().values()} <= set(FAMILIES)
    colours = [*FAMILIES.values(), TOP, BOTTOM, CHANCE]
    assert len(set(colours)) == len(colours) and TOP == "#D55E00"


# ---- the heatmap ----

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


# ---- the map ----

PLACES = np.array([[0, 0], [10, 0], [10, 2], [0, 2]], np.float32)
PERCENTILES = Colour("score percentile", np.array([0.0, 30, 60, 100]), ())
KINDS_OF_CATS = Colour("class", np.array([0, 1, 1, 2]), ("cat", "dog", "owl"))
ALL = np.ones(4, bool)


def the_map(colour=PERCENTILES, inner=ALL, box=None, brush=True, dark=False):
    return scatter(PLACES, colour, inner, box, brush=brush, dark=dark)


def test_every_point_is_a_dot_with_its_value():
    inner = np.array([True, False, True, False])
    found = rows(the_map(inner=inner))
    assert [(r["x"], r["y"], r["inner"], r["value"]) for r in found] == [
        (0, 0, True, 0),
        (10, 0, False, 30),
        (10, 2, True, 60),
        (0, 2, False, 100),
    ]
    dots = layers(the_map(), "circle")[0]["encoding"]
    assert (dots["x"]["field"], dots["y"]["field"], dots["color"]["condition"]["field"]) == (
        "x",
        "y",
        "value",
    )


@pytest.mark.parametrize(("width", "height"), [(900, 560), (340, 560), (500, 500)])
def test_both_axes_have_the_same_scale_at_every_size(width, height):
    dots = layers(the_map(), "circle")[0]["encoding"]
    spans = {}
    for axis in "xy":
        low, high = (
            evaluate(dots[axis]["scale"][end]["expr"], width, height)
            for end in ("domainMin", "domainMax")
        )
        assert (
            low <= PLACES[:, "xy".index(axis)].min() and high >= PLACES[:, "xy".index(axis)].max()
        ), "every point is in the picture"
        spans[axis] = high - low
        assert not dots[axis]["scale"]["nice"] and not dots[axis]["scale"]["zero"]
    assert width / spans["x"] == pytest.approx(height / spans["y"])


def evaluate(expression: str, width: float, height: float) -> float:
    """A Vega expression of width and height."""
    return eval(expression, {"max": max, "width": width, "height": height})


def test_points_outside_are_grey_below_the_others_and_still_there():
    dots = layers(the_map(), "circle")[0]["encoding"]
    assert (
        dots["color"]["condition"]["test"] == "datum.inner" and dots["color"]["value"] == "#DDE1E5"
    )
    assert dots["order"]["field"] == "above" and len(rows(the_map(inner=~ALL))) == 4
    assert [row["above"] for row in rows(the_map(inner=np.array([True, False, True, False])))] == [
        1,
        0,
        1,
        0,
    ]


def test_only_a_map_with_a_brush_can_be_brushed():
    assert [(p["name"], p["select"]) for p in the_map().to_dict()["params"]] == [
        ("box", {"type": "interval", "encodings": ["x", "y"]})
    ]
    assert "params" not in the_map(brush=False).to_dict()
    assert the_map().to_dict()["usermeta"]["embedOptions"]["renderer"] == "canvas", (
        "an SVG brush has marks without a name"
    )


def test_a_box_is_a_frame_and_changes_data_only():
    plain, boxed = the_map(), the_map(box=(1, 2, 3, 4))
    (edge,) = layers(boxed, "rect")
    assert table_of(boxed, edge) == [{"x": 1, "x2": 2, "y": 3, "y2": 4, "shown": 1}]
    assert (
        table_of(plain, layers(plain, "rect")[0])[0]["shown"] == 0
        and edge["encoding"]["strokeOpacity"]["field"] == "shown"
    )

    def without_data(chart):
        described = chart.to_dict()
        described.pop("datasets")
        return [
            {key: value for key, value in layer.items() if key not in ("data", "name")}
            for layer in described["layer"]
        ]

    assert without_data(plain) == without_data(boxed), (
        "another description would be drawn from scratch"
    )


def test_classes_have_colours_and_their_names_in_the_middle():
    chart = the_map(KINDS_OF_CATS)
    scale = layers(chart, "circle")[0]["encoding"]["color"]["condition"]["scale"]
    assert scale["domain"] == [0, 1, 2] and scale["range"] == list(palette.CLASSES[:3])
    halo, name = layers(chart, "text")
    assert table_of(chart, name) == [
        {"x": 0, "y": 0, "name": "cat"},
        {"x": 10, "y": 1, "name": "dog"},
        {"x": 0, "y": 2, "name": "owl"},
    ]
    assert (
        halo["mark"]["strokeWidth"] >= 4
        and "stroke" not in name["mark"]
        and layers(the_map(), "text") == []
    )


def test_a_class_without_points_has_no_name_on_the_map():
    chart = the_map(Colour("class", np.array([0, 0, 2, 2]), ("cat", "dog", "owl")))
    assert [row["name"] for row in table_of(chart, layers(chart, "text")[0])] == ["cat", "owl"]


COLOURS = {
    "score": (PERCENTILES, [0, 100], palette.score_colours(False)),
    "difference": (
        Colour("difference", np.array([-50.0, 0, 20, 50]), ()),
        [-100, 0, 100],
        ["#0072B2", "#EDEFF1", "#D55E00"],
    ),
    "selection": (
        Colour("among the 2 highest", ALL, ("others", "top 2")),
        [0, 1],
        ["#C4CAD0", "#D55E00"],
    ),
}


@pytest.mark.parametrize("name", COLOURS)
def test_colours_mean_the_same_on_every_map(name):
    colour, domain, colours = COLOURS[name]
    scale = layers(the_map(colour), "circle")[0]["encoding"]["color"]["condition"]["scale"]
    assert (scale["domain"], scale["range"]) == (domain, colours)


def test_two_classes_have_the_colours_of_their_legend():
    chart = the_map(Colour("class", np.array([0, 1, 0, 1]), ("left", "right")))
    (dots,) = layers(chart, "circle")
    assert dots["encoding"]["color"]["condition"]["scale"]["range"] == [
        palette.class_colour(0),
        palette.class_colour(1),
    ]
    assert {row["above"] for row in rows(chart)} == {1}, "no class hides the other"


def test_the_chosen_stand_above_the_others_and_these_above_what_lies_outside():
    colour = Colour("among the 2 highest", np.array([1, 0, 1, 0], bool), ("others", "top 2"))
    assert [
        row["above"] for row in rows(the_map(colour, inner=np.array([True, True, False, False])))
    ] == [2, 1, 0, 0]


@pytest.mark.parametrize(
    ("colour", "said"),
    [
        (KINDS_OF_CATS, '{"class": ["cat", "dog", "owl"][datum.value]}'),
        (PERCENTILES, "format(datum.value, '.1f')"),
    ],
)
def test_a_dot_tells_its_value(colour, said):
    assert said in layers(the_map(colour), "circle")[0]["encoding"]["tooltip"]["value"]["expr"]


@pytest.mark.parametrize(("dark", "paper"), [(False, "#FFFFFF"), (True, "#101418")])
def test_dots_can_be_seen_on_their_ground(dark, paper):
    darkest = palette.score_colours(dark)[0]
    assert contrast(darkest, paper) >= 2 and contrast(palette.chosen_colours(dark)[0], paper) >= 1.5
    assert len(set(palette.score_colours(dark))) == len(palette.score_colours(dark))


# ---- the strip of percentiles ----


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


def mixed(a: str, b: str, share: float) -> str:
    """The colour between two, on the straight line in sRGB."""
    parts = ((int(a[i : i + 2], 16), int(b[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round((1 - share) * x + share * y):02X}" for x, y in parts)


def contrast(a: str, b: str) -> float:
    """WCAG contrast of two colours."""

    def light(colour):
        share = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        return float(
            np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
            @ [0.2126, 0.7152, 0.0722]
        )

    low, high = sorted((light(a), light(b)))
    return (high + 0.05) / (low + 0.05)
