"""Does the map show every point, in the right colour and at equal aspect?

Read from `chart.to_dict()`.
"""

import numpy as np
import pytest

from core.charts import palette
from core.charts.maps import Colour, scatter
from tests.charts.reading import layers, rows, table_of

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


def test_points_without_a_label_or_a_score_are_drawn_grey():
    everyone = np.ones(4, bool)
    classes = Colour("class", np.array([0, -1, 1, 1]), ("a", "b"))
    scores = Colour("score percentile", np.array([0.0, np.nan, 50.0, 100.0]), ())
    for colour, said in ((classes, "no label"), (scores, "no score")):
        drawn = scatter(PLACES, colour, everyone, None, brush=False, dark=False)
        found = rows(drawn)
        assert [row["inner"] for row in found] == [True, False, True, True]
        assert all(row["value"] is not None for row in found)
        assert said in str(drawn.to_dict())
