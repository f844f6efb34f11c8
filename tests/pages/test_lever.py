"""Does the Python side of the lesson's figures send what the browser needs, and refuse what cannot
be drawn?

What the browser makes of it is tested in tests/browser/test_lever.py.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.linalg.least_squares_line import fit, hat_values
from core.types import UserError
from pages.components import lever


@pytest.fixture
def sent(monkeypatch):
    """What line() and ellipse() hand to the browser."""
    data = []
    for name in ("_line", "_ellipse"):
        monkeypatch.setattr(lever, name, lambda *, key, data: sent.append(data))
    sent = data
    return data


@pytest.mark.parametrize("draw", [lever.line, lever.ellipse])
def test_points_lie_inside_the_axes_with_room_to_drag(draw, sent):
    draw(key="a")
    points, domain = np.array(sent[0]["points"]), np.array(sent[0]["domain"])
    room = np.minimum(
        points.min(axis=0) - domain[:, 0], domain[:, 1] - points.max(axis=0)
    ) / np.ptp(points, axis=0)
    assert (room > 0.15).all() and json.loads(json.dumps(sent[0])) == sent[0]


def test_the_point_of_highest_leverage_is_chosen_at_the_start(sent):
    lever.line(key="a", points=[(0, 1), (9, 2), (1, 3), (2, 99)])
    lever.ellipse(key="b", points=[(0, 0), (1, 1), (2, 2), (3, 3), (1, 2), (2, 1), (0.5, 2.5)])
    assert [data["chosen"] for data in sent] == [1, 6]


def test_the_ridge_follows_the_spread_of_x(sent):
    lever.line(key="a", points=[(0, 0), (10, 0), (20, 0)])  # sum of squares 200: steps about 100
    lever.line(key="b", points=[(0, 0), (0.01, 0), (0.02, 0)])  # 2e-4
    lever.line(key="c", points=[(5, 0), (5, 1)])
    assert sent[0]["ridges"] == [0, 1, 3, 10, 30, 100, 300, 1000]
    assert sent[1]["ridges"] == [0, 1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3]
    assert sent[2]["ridges"][4:6] == [0.3, 1]


def test_the_starting_points_show_what_the_lesson_says():
    line, plane = np.array(lever.LINE), np.array(lever.ELLIPSE)
    whole, rest = fit(line[:, :1], line[:, 1]), fit(line[:-1, :1], line[:-1, 1])
    assert whole.hat_values[-1] > 0.7 and rest.slopes[0] > 3 * whole.slopes[0], (
        "one point alone turns the line"
    )
    inner = np.sort(plane, axis=0)
    assert (inner[2] < plane[-1]).all() and (plane[-1] < inner[-2]).all(), (
        "extreme in neither coordinate"
    )
    assert hat_values(plane).argmax() == len(plane) - 1 and hat_values(plane)[-1] > 2 * 3 / 12


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"points": [1, 2]}, "points: found shape (2,)"),
        ({"points": []}, "points: found shape (0,)"),
        ({"points": [(1, 2, 3)]}, "found shape (1, 3), expected (n, 2)"),
        ({"points": np.zeros((501, 2))}, "at most 500 points"),
        ({"points": [(1, np.nan)]}, "NaN or infinity"),
        ({"points": [("a", "b")]}, "expected real numbers"),
        ({"height": 20}, "height: found 20"),
    ],
)
@pytest.mark.parametrize("draw", [lever.line, lever.ellipse])
def test_what_cannot_be_drawn_is_refused(draw, bad, message):
    with pytest.raises(UserError) as refused:
        draw(key="refused", **bad)
    assert message in str(refused.value)


def test_it_runs_where_there_is_no_browser():
    page = AppTest.from_file(
        str(Path(__file__).parents[1] / "browser" / "lever_app.py"), default_timeout=600
    ).run()
    assert not page.exception and page.text[0].value == "run 1"
