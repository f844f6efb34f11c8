"""Trimming -> Altair charts: who finds what is planted, and what a trimmed model's boundary looks
like in the plane.

Colour and dash belong to the caller's lines (core/charts/common.py); shapes and names repeat what
colours say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd

from core.charts.common import (
    CLOSE,
    ON_CANVAS,
    Line,
    axis_ink,
    estimate_tips,
    finish,
    line_colour,
    line_dash,
    with_bounds,
)
from core.charts.learning_curves import NARROW
from core.charts.palette import CHANCE, class_colour
from core.experiments.statistics import Estimate
from core.types import Floats, Ints

PLANE_HEIGHT = 460
SHAPES = ("circle", "square")  # of the two classes
ROUNDED = [alt.Tooltip("x:Q", format=".2f"), alt.Tooltip("y:Q", format=".2f")]


def area_by_method(auc: Estimate, lines: Sequence[Line], dark: bool) -> alt.LayerChart:
    """Who finds what is planted?

    The area under the curve (m,) of each method, a dot with its interval; a line at 0.5, random's.
    """
    frame = _areas(auc, lines)
    least = min(0.4, float(frame["low"].min()) - 0.02) if len(frame) else 0.4
    across = {
        "title": "area under the curve (0.5: no better than random)",
        "scale": alt.Scale(domain=[max(0.0, least), 1.0], clamp=True, nice=False),
        "axis": alt.Axis(grid=False, tickCount=6, format=".1f"),
    }
    x = alt.X("mean:Q", **across)
    names = frame["name"].tolist()
    y = alt.Y("name:N", sort=names, title=None, axis=alt.Axis(labelLimit=200, ticks=False))
    base = alt.Chart(frame).encode(y=y, tooltip=["name:N", *estimate_tips(".3f")])
    colour = line_colour(lines)
    bars = base.mark_rule(strokeWidth=3)
    bars = bars.encode(x=alt.X("low:Q", **across), x2="high:Q", color=colour)
    dots = base.mark_point(filled=True, size=110, opacity=1).encode(x=x, color=colour)
    ink = "#E6E9EC" if dark else "#1B2229"
    values = base.mark_text(align="left", dx=9, dy=-9, fontSize=12, color=ink)
    half = alt.Chart(pd.DataFrame({"x": [0.5]}))
    half = half.mark_rule(strokeDash=[6, 4], color=CHANCE).encode(x="x:Q")
    layers = alt.layer(half, bars, dots, values.encode(x=x, text="value:N"))
    return finish(layers, dark, 46 * max(1, len(frame)) + 50, padding=CLOSE)


def _areas(auc: Estimate, lines: Sequence[Line]) -> pd.DataFrame:
    """One row per method that is finished, the best first."""
    frame = pd.DataFrame({"name": [line.name for line in lines], "mean": auc.mean})
    frame = with_bounds(frame.assign(low=auc.low, high=auc.high))
    frame = frame.assign(value=frame["mean"].map("{:.2f}".format))
    return frame.sort_values("mean", ascending=False)


def trimmed_plane(
    points: Floats,
    labels: Ints,
    trimmed: Ints,
    paths: Mapping[int, Sequence[Floats]],
    lines: Sequence[Line],
    dark: bool,
) -> alt.LayerChart:
    """What does trimming do to the boundary? The training points (n, 2) by class, those trimmed
    ringed, and boundaries as lines.

    trimmed: rows. paths: for each place in lines the polylines of its boundary.
    """
    x, y = _sides(points)
    frame = pd.DataFrame({"x": points[:, 0], "y": points[:, 1], "class": labels.astype(str)})
    frame["trimmed"] = "kept"
    frame.loc[trimmed, "trimmed"] = "trimmed"
    kinds = [str(c) for c in range(len(SHAPES))]
    colours = alt.Scale(domain=kinds, range=[class_colour(0), class_colour(1)])
    shapes = alt.Scale(domain=kinds, range=list(SHAPES))
    shape = alt.Shape("class:N", legend=None, scale=shapes)
    tooltip = ["class:N", "trimmed:N", *ROUNDED]
    base = alt.Chart(frame).encode(x=x, y=y, shape=shape, tooltip=tooltip)
    dots = base.mark_point(filled=True, size=34, opacity=0.75)
    dots = dots.encode(color=alt.Color("class:N", legend=None, scale=colours))
    ink = "#FFFFFF" if dark else "#000000"
    rings = base.transform_filter("datum.trimmed == 'trimmed'")
    rings = rings.mark_point(filled=False, size=150, strokeWidth=2, color=ink, opacity=1)
    layers = alt.layer(dots, rings, _boundaries(paths, lines, x, y, dark))
    layers = layers.resolve_scale(color="independent", strokeDash="independent")
    return finish(layers, dark, PLANE_HEIGHT, padding=CLOSE, usermeta=ON_CANVAS)


def _sides(points: Floats) -> tuple[alt.X, alt.Y]:
    """Axes without ticks whose units have the same length: the side with room to spare shows more
    of the plane.
    """
    low = points.min(axis=0) - 0.2
    high = points.max(axis=0) + 0.2
    x, y = (low + high) / 2
    half, tall = (high - low) / 2
    wide = f"max({half}, {tall} * width / height)"
    long = f"max({tall}, {half} * height / width)"
    sides = []
    for kind, name, middle, reach in ((alt.X, "x", x, wide), (alt.Y, "y", y, long)):
        scale = alt.Scale(
            domainMin={"expr": f"{middle} - {reach}"},
            domainMax={"expr": f"{middle} + {reach}"},
            zero=False,
            nice=False,
        )
        sides.append(kind(f"{name}:Q", scale=scale, axis=None))
    return sides[0], sides[1]


def _boundaries(
    paths: Mapping[int, Sequence[Floats]], lines: Sequence[Line], x: alt.X, y: alt.Y, dark: bool
) -> alt.Chart:
    """One line mark per polyline, with a legend of the models above the picture."""
    legend = alt.Legend(
        title=None,
        orient="top",
        columns={"expr": f"{NARROW} ? 1 : 3"},
        labelColor=axis_ink(dark),
        labelLimit=260,
        labelFontSize=13,
        symbolStrokeWidth=3,
    )
    drawn = alt.Chart(_corners(paths, lines)).mark_line(strokeWidth=2.5, clip=True)
    return drawn.encode(
        x=x,
        y=y,
        order="step:Q",
        detail="path:N",
        color=line_colour(lines, "model:N", legend),
        strokeDash=line_dash(lines, "model:N", legend),
        tooltip="model:N",
    )


def _corners(paths: Mapping[int, Sequence[Floats]], lines: Sequence[Line]) -> pd.DataFrame:
    """One row per corner of a polyline."""
    frames = [pd.DataFrame(columns=["x", "y", "model", "path", "step"])]
    for i, polylines in paths.items():
        for number, path in enumerate(polylines):
            frame = pd.DataFrame({"x": path[:, 0], "y": path[:, 1], "model": lines[i].name})
            frames.append(frame.assign(path=f"{i}.{number}", step=np.arange(len(path))))
    return pd.concat(frames[1:]) if len(frames) > 1 else frames[0]
