"""Trimming -> Altair charts: who finds what is planted, and what a trimmed model's boundary looks
like in the plane.

Colour and dash belong to the caller's lines (core/charts/experiments.py); shapes and names repeat
what colours say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd

from core.charts.basics import CLOSE, ON_CANVAS, finish
from core.charts.experiments import Line
from core.charts.palette import CHANCE, class_colour
from core.experiments.statistics import Estimate
from core.types import Floats, Ints

PLANE_HEIGHT = 460
SHAPES = ("circle", "square")  # of the two classes


def found(auc: Estimate, lines: Sequence[Line], dark: bool) -> alt.LayerChart:
    """Who finds what is planted?

    The area under the curve (m,) of each method, a dot with its interval; a line at 0.5, random's.
    """
    frame = pd.DataFrame(
        {"name": [line.name for line in lines], "mean": auc.mean, "low": auc.low, "high": auc.high}
    ).dropna(subset="mean")
    frame = frame.assign(
        low=frame["low"].fillna(frame["mean"]), high=frame["high"].fillna(frame["mean"])
    )
    frame = frame.assign(value=frame["mean"].map("{:.2f}".format)).sort_values(
        "mean", ascending=False
    )
    least = min(0.4, float(frame["low"].min()) - 0.02) if len(frame) else 0.4
    across = {
        "title": "area under the curve (0.5: no better than random)",
        "scale": alt.Scale(domain=[max(0.0, least), 1.0], clamp=True, nice=False),
    }
    across["axis"] = alt.Axis(grid=False, tickCount=6, format=".1f")
    x = alt.X("mean:Q", **across)
    names = frame["name"].tolist()
    colour = alt.Color(
        "name:N",
        legend=None,
        scale=alt.Scale(domain=[one.name for one in lines], range=[one.colour for one in lines]),
    )
    tooltip = [
        "name:N",
        *(alt.Tooltip(f"{part}:Q", format=".3f", title=said) for part, said in _PARTS.items()),
    ]
    base = alt.Chart(frame).encode(
        y=alt.Y("name:N", sort=names, title=None, axis=alt.Axis(labelLimit=200, ticks=False)),
        tooltip=tooltip,
    )
    bars = base.mark_rule(strokeWidth=3).encode(
        x=alt.X("low:Q", **across), x2="high:Q", color=colour
    )
    dots = base.mark_point(filled=True, size=110, opacity=1).encode(x=x, color=colour)
    values = base.mark_text(
        align="left", dx=9, dy=-9, fontSize=12, color="#E6E9EC" if dark else "#1B2229"
    ).encode(x=x, text="value:N")
    half = (
        alt.Chart(pd.DataFrame({"x": [0.5]}))
        .mark_rule(strokeDash=[6, 4], color=CHANCE)
        .encode(x="x:Q")
    )
    return finish(
        alt.layer(half, bars, dots, values), dark, 46 * max(1, len(frame)) + 50, padding=CLOSE
    )


def plane(
    points: Floats,
    labels: Ints,
    trimmed: Ints,
    paths: Mapping[int, Sequence[Floats]],
    lines: Sequence[Line],
    dark: bool,
):
    """What does trimming do to the boundary? The training points (n, 2) by class, those trimmed
    ringed, and boundaries as lines.

    trimmed: rows. paths: for each place in lines the polylines of its boundary.
    """
    x, y = _sides(points)
    frame = pd.DataFrame(
        {"x": points[:, 0], "y": points[:, 1], "class": labels.astype(str), "trimmed": "kept"}
    )
    frame.loc[trimmed, "trimmed"] = "trimmed"
    kinds = [str(c) for c in range(len(SHAPES))]
    colour = alt.Color(
        "class:N",
        legend=None,
        scale=alt.Scale(domain=kinds, range=[class_colour(0), class_colour(1)]),
    )
    shape = alt.Shape("class:N", legend=None, scale=alt.Scale(domain=kinds, range=list(SHAPES)))
    base = alt.Chart(frame).encode(
        x=x, y=y, shape=shape, tooltip=["class:N", "trimmed:N", *_ROUNDED]
    )
    dots = base.mark_point(filled=True, size=34, opacity=0.75).encode(color=colour)
    ink = "#FFFFFF" if dark else "#000000"
    rings = base.transform_filter("datum.trimmed == 'trimmed'").mark_point(
        filled=False, size=150, strokeWidth=2, color=ink, opacity=1
    )
    layers = alt.layer(dots, rings, _boundaries(paths, lines, x, y, dark))
    return finish(
        layers.resolve_scale(color="independent", strokeDash="independent"),
        dark,
        PLANE_HEIGHT,
        padding=CLOSE,
        usermeta=ON_CANVAS,
    )


_PARTS = {"mean": "mean", "low": "95% from", "high": "to"}
_ROUNDED = [alt.Tooltip("x:Q", format=".2f"), alt.Tooltip("y:Q", format=".2f")]


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
    found = []
    for kind, name, middle, reach in ((alt.X, "x", x, wide), (alt.Y, "y", y, long)):
        scale = alt.Scale(
            domainMin={"expr": f"{middle} - {reach}"},
            domainMax={"expr": f"{middle} + {reach}"},
            zero=False,
            nice=False,
        )
        found.append(kind(f"{name}:Q", scale=scale, axis=None))
    return found[0], found[1]


def _boundaries(
    paths: Mapping[int, Sequence[Floats]], lines: Sequence[Line], x: alt.X, y: alt.Y, dark: bool
) -> alt.Chart:
    """One line mark per polyline, with a legend of the models above the picture."""
    rows = [
        pd.DataFrame(
            {
                "x": path[:, 0],
                "y": path[:, 1],
                "model": lines[i].name,
                "path": f"{i}.{number}",
                "step": np.arange(len(path)),
            }
        )
        for i, each in paths.items()
        for number, path in enumerate(each)
    ]
    frame = pd.concat(rows) if rows else pd.DataFrame(columns=["x", "y", "model", "path", "step"])
    names = [line.name for line in lines]
    ink = "#C9CFD6" if dark else "#4A5058"
    legend = alt.Legend(
        title=None,
        orient="top",
        labelColor=ink,
        labelLimit=260,
        labelFontSize=13,
        symbolStrokeWidth=3,
    )
    return (
        alt.Chart(frame)
        .mark_line(strokeWidth=2.5, clip=True)
        .encode(
            x=x,
            y=y,
            order="step:Q",
            detail="path:N",
            color=alt.Color(
                "model:N",
                scale=alt.Scale(domain=names, range=[line.colour for line in lines]),
                legend=legend,
            ),
            strokeDash=alt.StrokeDash(
                "model:N",
                scale=alt.Scale(domain=names, range=[list(line.dash) for line in lines]),
                legend=legend,
            ),
            tooltip="model:N",
        )
    )
