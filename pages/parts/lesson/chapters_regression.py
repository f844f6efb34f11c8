"""The lesson's first two chapters: what leverage is, where everything can be seen.

A chapter is a function of the material and of the mode (talk or not); it draws under the title and
asks at most one question.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from core.linalg.least_squares_line import fit
from pages.components import lever
from pages.parts.lesson import chapter_frame, quiz
from pages.parts.lesson.material import Material

POINTS = np.array([[1.0, 1.5], [2.0, 1.8], [3.0, 3.1], [4.0, 3.4], [10.0, 6.0]])
FAR = 4  # the place of the point that stands apart
NUMBERS = {"leverage": "Its leverage", "residual": "Its residual", "cook": "Its Cook's distance"}


def height(talk: bool) -> int | None:
    """Of the drawing in CSS pixels, so that all of a talk's chapter is on the screen.

    For readers it follows the width.
    """
    return round(290 * chapter_frame.scale(talk)) if talk else None


def stage(talk: bool) -> tuple[Any, Any]:
    """Places for the words and for a picture that wants width.

    Side by side on a projector, else the picture first.
    """
    if talk:
        return tuple(st.columns([1, 3], gap="medium"))
    picture = st.container()
    return st.container(), picture


def line_lead(material: Material) -> str:
    """Chapter 1, the sentence."""
    return (
        "Drag a point up or down. The line follows it, a little or a lot: the share by which it"
        " does is the point's *leverage*, a number from 0 to 1."
    )


def line(material: Material, talk: bool) -> None:
    """Chapter 1."""
    words, picture = stage(talk)
    with picture:
        lever.line(key="lesson line", points=POINTS, height=height(talk))
    with words:
        truth, measured = lifted()
        quiz.ask(
            "line",
            1,
            f"Point {FAR + 1} is lifted straight up by 1."
            " Which of its numbers stays exactly the same?",
            NUMBERS,
            truth,
            measured,
        )
        st.markdown(
            "$$\\ell_i = \\frac{1}{n} + \\frac{(x_i - \\bar x)^2}{\\sum_j (x_j - \\bar x)^2}$$"
        )


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
        f"the leverage stays {numbers[1][0]:.2f}: it depends on where the point stands to the side,"
        f" not on how high. The line follows by {rise:.2f}; the residual goes from"
        f" {numbers[0][1]:.2f} to {numbers[1][1]:.2f},"
        f" Cook's distance from {numbers[0][2]:.1f} to {numbers[1][2]:.1f}."
    )
    return list(NUMBERS)[int(np.argmin(change))], measured.replace("-", "−")


def ellipse_lead(material: Material) -> str:
    """Chapter 2, the sentence."""
    return (
        "With two regressors, far means far *in the shape of the cloud*. Points of equal leverage"
        " lie on an ellipse:"
        " along the cloud a point may go a long way, across it a short step already sticks out."
    )


def ellipse(material: Material, talk: bool) -> None:
    """Chapter 2."""
    words, picture = stage(talk)
    with picture:
        lever.ellipse(key="lesson ellipse", height=height(talk))
    with words:
        st.markdown(
            "**Drag a point across the cloud, then along it.** Neither coordinate alone tells how"
            " unusual it is; the leverage sees both at once.\n\n$$\\ell_i = x_i^\\top (X^\\top"
            " X)^{+} x_i$$\n\nEach $x_i$ begins with a 1, for the intercept. All leverages sum to"
            " the number of directions, here three."
            " A leverage of 1 means: without this point one of them would be gone."
        )
