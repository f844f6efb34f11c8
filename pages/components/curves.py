"""How do several competitors do, step by step? Curves side by side that can be played, with names
at their ends.

A Streamlit component: curves.js draws in the browser, after curves_layout.js has settled where
names stand so that none is printed over another. Python sends the curves once and hears nothing
back: a replay costs the server nothing. Letters grow with the screen, on a slide with its height.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import streamlit as st

from core.types import UserError

_HERE = Path(__file__)


def _read(*names: str) -> str:
    return "\n".join(_HERE.with_name(name).read_text("utf-8") for name in names)


_mount = st.components.v2.component(
    "leverage_lab_curves",
    html=(
        '<div class="curves"><div class="panels"></div><div class="hands" hidden>'
        '<button type="button">Play</button><input type="range"><output></output></div></div>'
    ),
    css=_read("curves.css"),
    js=_read("curves_layout.js", "curves.js"),
)


@dataclass(frozen=True)
class Curve:
    """One competitor: its name, colour "#RRGGBB", dash pattern and points, x rising."""

    name: str
    colour: str
    dash: tuple[int, ...]
    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True)
class Axis:
    """An axis: title, range, ticks, logarithmic or not, and what its numbers are: "percent" (of a
    share) or "number".
    """

    title: str
    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool = False
    form: str = "number"


@dataclass(frozen=True)
class Panel:
    """One picture: its title, a sentence under it (*stars* make bold), its curves over its vertical
    axis, and its words for those who do not see it.
    """

    title: str
    sentence: str
    curves: tuple[Curve, ...]
    y: Axis
    alt: str


def curves(
    panels: Sequence[Panel],
    *,
    key: str,
    x: Axis,
    height: int | None = None,
    play: bool = False,
) -> None:
    """Draw the panels side by side, on a phone one under the other, over the same horizontal axis.

    height: of each drawing in CSS pixels; by default it follows the width. play: a button and a
    slider let the curves grow along x, and they do so once when they first appear, unless the
    reader prefers reduced motion. A UserError for curves that cannot be drawn.
    """
    for axis in (x, *(panel.y for panel in panels)):
        if not axis.low < axis.high or (axis.log and axis.low <= 0):
            raise UserError(
                f"Curves: found an axis from {axis.low} to {axis.high}, expected a range"
                f"{' above 0' if axis.log else ''}."
            )
    for curve in (curve for panel in panels for curve in panel.curves):
        if len(curve.x) != len(curve.y) or not curve.x or list(curve.x) != sorted(curve.x):
            raise UserError(
                f"Curves: found {len(curve.x)} x and {len(curve.y)} y of {curve.name}, expected as"
                " many of each, x rising."
            )
    data = {"panels": [asdict(panel) for panel in panels], "x": asdict(x)}
    _mount(key=key, data=data | {"height": height, "play": play})
