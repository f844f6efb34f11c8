"""Does the Python side of the figure of labels on a line send what the browser needs, and refuse
what cannot be drawn?

What the browser makes of it is tested in tests/browser/test_label_line.py.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import lesson
from core.types import UserError
from pages.components import label_line


@pytest.fixture
def sent(monkeypatch):
    """What draw() hands to the browser."""
    sent = []
    monkeypatch.setattr(label_line, "_figure", lambda *, key, data: sent.append(data))
    return sent


def test_the_lesson_begins_with_ten_labels_and_nothing_measured(sent):
    label_line.draw(key="a")
    data = sent[0]
    assert (data["labels"], data["degree"], data["step"], data["design"]) == (10, 8, 0, "mine")
    assert data["noise"] == lesson.label_noise(20).tolist()
    assert data["half"] == pytest.approx(1.96 * lesson.SIGMA, rel=1e-4)
    assert json.loads(json.dumps(data))["noise"] == data["noise"]


def test_every_curve_lies_inside_the_part_of_the_axis_that_is_shown():
    assert list(label_line.SHOWN) == list(lesson.CURVES)
    for name, (low, high) in label_line.SHOWN.items():
        y = lesson.CURVES[name].at(lesson.GRID)
        room = min(y.min() - low, high - y.max()) / np.ptp(y)
        assert room > 0.3, "a fit that bends away is seen bending"


def test_every_design_has_a_name_and_those_that_the_app_chooses_a_colour():
    assert list(label_line.NAMES) == ["mine", *lesson.DESIGNS]
    assert list(label_line.COLOURS) == list(lesson.DESIGNS)
    assert len(set(label_line.COLOURS.values())) == 3


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"labels": 0}, "labels: found 0, expected 1 to 20"),
        ({"labels": 21}, "labels: found 21"),
        ({"degree": 9}, "degree: found 9, expected 1 to 8"),
        ({"curve": "line"}, "curve: found 'line', expected one of wave, bump, kink"),
        ({"step": "end"}, "step: found 'end'"),
        ({"design": "best"}, "design: found 'best'"),
        ({"height": 20}, "height: found 20, expected 200 to 2000"),
    ],
)
def test_what_cannot_be_drawn_is_refused(sent, bad, message):
    with pytest.raises(UserError) as refused:
        label_line.draw(key="refused", **bad)
    assert message in str(refused.value) and sent == []


def test_it_runs_where_there_is_no_browser():
    page = AppTest.from_file(
        str(Path(__file__).parents[1] / "browser" / "label_line_app.py"), default_timeout=600
    ).run()
    assert not page.exception and page.text[0].value == "run 1"
