"""The lesson's first two chapters: what leverage is, where everything can be seen: a line, and two regressors.

A chapter is a function of the material and of the mode (talk or not); it draws under the title and asks at most one question.
"""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.strategies.leverage import leverage
from pages.shared import lesson_quiz
from pages.shared.lesson_material import Material
from pages.shared.words import number

X = np.array([1.0, 2.0, 3.0, 4.0, 10.0])


def line_leverages(x: np.ndarray = X) -> np.ndarray:
    """Leverage of the points x (n,) of a line with intercept: 1/n + (x_i - mean)^2 / sum of squares."""
    return leverage(np.stack([np.ones_like(x), x], axis=1))


def line_lead(material: Material) -> str:
    """Chapter 1, the sentence."""
    return (
        "Drag a point up. The line follows it a little or a lot: by its *leverage*, a number from 0 to 1 that depends only on where "
        "the point stands to the side, never on how high it is."
    )


def line(material: Material, talk: bool) -> None:
    """Chapter 1."""
    far, near = (float(line_leverages()[i]) for i in (4, 3))
    words, picture = st.columns([2, 3], gap="large")
    with picture:
        lever("line", 420)
    with words:
        lesson_quiz.ask(
            "line",
            1,
            "Five points stand at x = 1, 2, 3, 4 and 10. The one at 10 is lifted by 1. By how much does the line rise there?",
            {"little": "About 0.2: one point of five", "half": "About 0.5", "most": "More than 0.9"},
            truth="little" if far < 0.35 else "half" if far < 0.75 else "most",
            measured=f"by {number(far)}, its leverage. The same lift at x = 4 moves the line by {number(near)} only.",
        )
        st.markdown("$$\\ell_i = \\frac{1}{n} + \\frac{(x_i - \\bar x)^2}{\\sum_j (x_j - \\bar x)^2}$$")


def ellipse_lead(material: Material) -> str:
    """Chapter 2, the sentence."""
    return (
        "With two regressors, far means far *in the shape of the cloud*. Points of equal leverage lie on an ellipse: along the cloud "
        "a point may go a long way, across it a short step already sticks out."
    )


def ellipse(material: Material, talk: bool) -> None:
    """Chapter 2."""
    words, picture = st.columns([2, 3], gap="large")
    with picture:
        lever("ellipse", 460)
    with words:
        st.markdown(
            "**Drag a point across the cloud, then along it.** Neither coordinate alone tells how unusual it is; the leverage sees both "
            "at once.\n\n$$\\ell_i = x_i^\\top (X^\\top X)^{+} x_i$$\n\nA leverage of 1: without this point one direction would be gone. "
            "All leverages together always sum to the number of directions."
        )


def lever(picture: str, height: int) -> None:
    """The regression that can be dragged: "line" or "ellipse"."""
    # TEMPORARY until pages/shared/lever.py is merged: then  lever.line(key=..., height=height)  and  lever.ellipse(key=...)
    st.info(f"The regression you can drag ({picture}) comes here.")
