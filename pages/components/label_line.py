"""Ten labels to buy on a line: a figure for the lesson in which the reader chooses where to
measure; then equally spaced, random and leverage choose.

Places are chosen while nothing has been seen; the labels are bought, a polynomial is fitted, its
band drawn; the curve is revealed, with every design's largest error; then one design after the
other chooses. Under the picture the leverage density of the polynomials, with a stem at every
place.

The browser computes: label_line_math.js holds the formulas of core/lesson.py, label_line_stage.js
the drawing, label_line_words.js the sentences, label_line.js the state and mouse, touch and keys.
Python sends what to start with and hears nothing back.

A presenter's key: whoever handles it asks `document.dispatchEvent(new
CustomEvent("lesson:next", {cancelable: true}))` first. False means that the figure took its next
step; true, that nothing waits to be revealed.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core import lesson
from core.charts.palette import CHANCE, FAMILIES, TOP
from core.types import UserError

# The part of the y axis that is shown of each curve: room for a fit that bends away.
SHOWN = {"wave": (-1.9, 1.9), "bump": (-0.9, 1.5), "kink": (-0.6, 1.4)}
NAMES = {
    "mine": "Mine",
    "equal": "Equally spaced",
    "random": "Random",
    "leverage": "By leverage",
}
COLOURS = {"equal": FAMILIES["regression"], "random": CHANCE, "leverage": TOP}
STEPS = ("places", "labels", "curve")

_DESIGN = """
<label class="{name}"><input type="radio" name="design" value="{name}"><span>{text}</span>
<output data-fact="{name}"></output></label>
"""


def _read(*names: str) -> str:
    return "\n".join(Path(__file__).with_name(name).read_text("utf-8") for name in names)


_figure = st.components.v2.component(
    "leverage_lab_label_line",
    html=_read("label_line.html").format(
        designs="".join(_DESIGN.format(name=name, text=text) for name, text in NAMES.items()),
        curves="".join(
            f'<option value="{name}">{curve.label}</option>'
            for name, curve in lesson.CURVES.items()
        ),
    ),
    css=_read("lever.css", "label_line.css"),
    js=_read(
        "numbers.js",
        "svg.js",
        "label_line_math.js",
        "label_line_words.js",
        "label_line_stage.js",
        "label_line.js",
    ),
)


def draw(
    *,
    key: str,
    labels: int = 10,
    degree: int = 8,
    curve: str = "wave",
    step: str = "places",
    design: str = "mine",
    height: int | None = None,
) -> None:
    """The figure. Its reader may change all of it but the height.

    labels: to buy, 1 to 20. degree: of the polynomial, 1 to 8. curve: a name of
    core.lesson.CURVES. step: what is shown at first: "places", "labels" (bought and fitted) or
    "curve" (revealed); where the reader has chosen no places yet, they are spread out. design: who
    chooses at first: "mine", "equal", "random" or "leverage". height: of the drawing in CSS pixels;
    by default it follows the width. A UserError for anything else.
    """
    _one_of("curve", curve, tuple(lesson.CURVES))
    _one_of("step", step, STEPS)
    _one_of("design", design, tuple(NAMES))
    _within("labels", labels, 1, lesson.MOST_LABELS)
    _within("degree", degree, 1, lesson.MOST_DEGREE)
    if height is not None:
        _within("height", height, 200, 2000)
    _figure(
        key=key,
        data={
            "labels": labels,
            "degree": degree,
            "curve": curve,
            "step": STEPS.index(step),
            "design": design,
            "height": height,
            "noise": lesson.label_noise(lesson.MOST_LABELS).tolist(),
            "half": lesson.BAND * lesson.SIGMA,
            "draw": lesson.FIRST_DRAW,
            "most": {"labels": lesson.MOST_LABELS, "degree": lesson.MOST_DEGREE},
            "shown": SHOWN,
            "formulas": {name: curve.formula for name, curve in lesson.CURVES.items()},
            "colours": COLOURS,
        },
    )


def _one_of(name: str, found: str, expected: tuple[str, ...]) -> None:
    if found not in expected:
        raise UserError(f"{name}: found {found!r}, expected one of {', '.join(expected)}.")


def _within(name: str, found: int, low: int, high: int) -> None:
    if not low <= found <= high:
        raise UserError(f"{name}: found {found}, expected {low} to {high}.")
