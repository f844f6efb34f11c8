"""Is a figure for slides drawn from the chart that is on screen, outside the web process, sharp,
and in the asked format?
"""

import struct
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from core.charts.common import Line
from core.charts.learning_curves import accuracy_by_budget
from core.exports import figures
from core.types import UserError

LINES = [Line("Top, raw", "#D55E00"), Line("Random", "#8C8C8C", (5, 4))]


@pytest.fixture(scope="module")
def description() -> str:
    accuracy = np.array([[[0.5, 0.6], [0.7, 0.8]], [[0.8, 0.82], [0.9, 0.92]]])
    return (
        accuracy_by_budget((100, 1000), accuracy, LINES, dark=False).properties(width=600).to_json()
    )


def test_the_svg_holds_the_names_and_the_lines(description):
    svg = figures.render(description, "svg")
    root = ElementTree.fromstring(svg)
    assert root.tag.endswith("svg")
    texts = {
        "".join(element.itertext()).strip()
        for element in root.iter()
        if element.tag.endswith("text")
    }
    assert {"Top, raw", "Random", "100", "1,000", "accuracy on the test points"} <= texts
    strokes = {element.get("stroke") for element in root.iter()}
    assert {line.colour for line in LINES} <= strokes


def test_the_png_has_two_pixels_for_each_of_the_svgs(description):
    png, root = (
        figures.render(description, "png"),
        ElementTree.fromstring(figures.render(description, "svg")),
    )
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    size = struct.unpack(">II", png[16:24])
    assert size == pytest.approx(
        [figures.SCALE * float(root.get(side)) for side in ("width", "height")], abs=figures.SCALE
    )
    assert size[0] > figures.SCALE * 600, (
        "the chart is 600 pixels wide, the names and the axis stand beside it"
    )


def test_another_format_is_said():
    with pytest.raises(UserError, match="found 'pdf', expected svg or png"):
        figures.render("{}", "pdf")


def test_the_renderer_is_loaded_only_where_it_draws():
    code = (
        "import core.exports.figures, core.charts.learning_curves, pages.parts.retrain.pictures;"
        " import sys; print('vl_convert' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
