"""What all charts share: how a finished one looks, how a competitor is drawn, and the axes' words.

Titles stand as text above a chart, never inside it. What colours mean stands in
core/charts/palette.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from core.charts.palette import FAMILIES, family_colour

CLOSE = dict.fromkeys(("left", "top", "right", "bottom"), 2)  # pixels around a chart
# For charts with a brush: in SVG it would be marks without a name, at which screen readers stumble.
ON_CANVAS = {"embedOptions": {"renderer": "canvas"}}
# The columns of an estimate, and what a tooltip calls them.
PARTS = {"mean": "mean", "low": "95% from", "high": "to"}


@dataclass(frozen=True)
class Line:
    """How a competitor is drawn: its name, colour "#RRGGBB" and dash pattern ([1, 0] is solid)."""

    name: str
    colour: str
    dash: tuple[int, ...] = (1, 0)


def finish(chart: alt.Chart | alt.LayerChart, dark: bool, height: int = 170, **more: Any):
    """The chart at its height, with axis text dark (or light) enough to read from the back row."""
    ink = axis_ink(dark)
    return chart.properties(height=height, **more).configure_axis(
        labelColor=ink, titleColor=ink, titleFontWeight="normal"
    )


def axis_ink(dark: bool) -> str:
    """The colour of words beside a picture."""
    return "#C9CFD6" if dark else "#4A5058"


def line_colour(
    lines: Sequence[Line], field: str = "name:N", legend: alt.Legend | None = None
) -> alt.Color:
    """Every competitor in its own colour; `field` holds its name."""
    names = [line.name for line in lines]
    scale = alt.Scale(domain=names, range=[line.colour for line in lines])
    return alt.Color(field, scale=scale, legend=legend)


def line_dash(
    lines: Sequence[Line], field: str = "name:N", legend: alt.Legend | None = None
) -> alt.StrokeDash:
    """Every competitor in its own dash pattern; `field` holds its name."""
    names = [line.name for line in lines]
    scale = alt.Scale(domain=names, range=[list(line.dash) for line in lines])
    return alt.StrokeDash(field, scale=scale, legend=legend)


def family_scale(dark: bool) -> alt.Scale:
    """Every embedding family in its own colour."""
    colours = [family_colour(family, dark) for family in FAMILIES]
    return alt.Scale(domain=list(FAMILIES), range=colours)


def with_bounds(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame of estimates without rows that have no mean; where one seed gave no interval, it is
    the mean alone.
    """
    frame = frame.dropna(subset="mean")
    mean = frame["mean"]
    return frame.assign(low=frame["low"].fillna(mean), high=frame["high"].fillna(mean))


def estimate_tips(form: str) -> list[alt.Tooltip]:
    """The tooltips of a mean and its interval, their numbers in this format."""
    return [alt.Tooltip(f"{part}:Q", format=form, title=said) for part, said in PARTS.items()]
