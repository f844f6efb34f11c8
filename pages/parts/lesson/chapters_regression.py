"""The lesson where everything can be seen: what leverage is on a line and in a plane.

A chapter is a function of the material and of the mode (talk or not); it draws under the title and
asks at most one question.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from core.lesson import hat_row
from core.linalg.least_squares_line import fit
from pages.components import lever
from pages.parts.lesson import chapter_frame, quiz
from pages.parts.lesson.material import Material

LINE = "A line and a lever"
POINTS = np.array([[1.0, 1.5], [2.0, 1.8], [3.0, 3.1], [4.0, 3.4], [10.0, 6.0]])
FAR = 4  # the place of the point that stands apart
NUMBERS = {"leverage": "Its leverage", "residual": "Its residual", "cook": "Its Cook's distance"}


def height(talk: bool) -> int | None:
    """Of the drawing in CSS pixels, so that all of a talk's chapter is on the screen.

    For readers it follows the width.
    """
    return round(315 * chapter_frame.scale(talk)) if talk else None


def stage(talk: bool) -> tuple[Any, Any]:
    """Places for the words and for a picture that wants width.

    Side by side on a projector, else the picture first.
    """
    if talk:
        return tuple(st.columns([1, 3], gap="medium"))
    picture = st.container()
    return st.container(), picture


def line_lead(material: Material) -> str:
    """The share by which the line follows."""
    return (
        "Drag a point up or down. The share by which the line follows is the point's *leverage*,"
        " from 0 to 1."
    )


def line(material: Material, talk: bool) -> None:
    """A line to pull at."""
    words, picture = stage(talk)
    with picture:
        lever.line(key="lesson line", points=POINTS, height=height(talk))
    with words:
        truth, measured = lifted()
        quiz.ask(
            "line",
            LINE,
            f"Point {FAR + 1} is lifted by 1. Which of its numbers stays the same?",
            NUMBERS,
            truth,
            measured,
        )
        st.markdown(
            "$$\\ell_i = \\frac{1}{n} + \\frac{(x_i - \\bar x)^2}{\\sum_j (x_j - \\bar x)^2}$$"
        )


def line_home(material: Material) -> str:
    """What the formula says."""
    return "Leverage is a matter of *where a point stands*; its label does not enter."


def lifted() -> tuple[str, str]:
    """Which of NUMBERS stays as it is when the far point is lifted by 1.

    And what happens to the others, in words.
    """
    x = POINTS[:, :1]
    y = POINTS[:, 1]
    before = fit(x, y)
    after = fit(x, y + np.eye(len(y))[FAR])
    numbers = [(one.hat_values[FAR], one.residuals[FAR], one.cooks[FAR]) for one in (before, after)]
    change = np.abs(np.subtract(*numbers))
    rise = after.fitted[FAR] - before.fitted[FAR]
    measured = (
        f"its leverage stays {numbers[1][0]:.2f}, and by {rise:.2f} the line follows;"
        f" its residual goes from {numbers[0][1]:.2f} to {numbers[1][1]:.2f},"
        f" Cook's distance from {numbers[0][2]:.1f} to {numbers[1][2]:.1f}."
    )
    return list(NUMBERS)[int(np.argmin(change))], measured.replace("-", "−")


def ellipse_lead(material: Material) -> str:
    """Far in the shape of the cloud."""
    return (
        "Drag a point along the cloud, then across it: *far* means far in the shape of the cloud,"
        " where *the others cannot write it*."
    )


def ellipse(material: Material, talk: bool) -> None:
    """Two regressors."""
    words, picture = stage(talk)
    with picture:
        lever.ellipse(key="lesson ellipse", height=height(talk))
    with words:
        st.markdown(
            "On an ellipse the leverage is the same:\n\n$$\\ell_i = x_i^\\top (X^\\top X)^{+}"
            " x_i$$\n\nThe bars are its second meaning:\n\n$$\\ell_i = \\min_{X^\\top c\\, =\\,"
            " x_i} |c|^2$$"
        )


def ellipse_home(material: Material) -> str:
    """How much of themselves the farthest and the nearest point take."""
    x = np.column_stack([np.ones(len(lever.ELLIPSE)), lever.ELLIPSE])
    own = np.array([hat_row(x, i)[i] for i in range(len(x))])
    far, near = int(own.argmax()), int(own.argmin())
    return (
        f"To write point {far + 1} takes *{own[far]:.2f} of itself*; point {near + 1}, amid the"
        f" others, takes {own[near]:.2f}."
    )
