"""Predicted and retrained utilities, and rounds of queries -> Altair charts, one function per
question.

Colours: a point's colour is its percentile by the true label's retrained utility, the same whatever
the unknown label is taken for, so that one point can be found again (as in the GORAL paper's Figure
2). Strategies have the caller's colours.
"""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from core.charts import palette
from core.charts.common import (
    CLOSE,
    ON_CANVAS,
    Line,
    axis_ink,
    estimate_tips,
    finish,
    line_colour,
    line_dash,
)
from core.charts.learning_curves import one_row_per_place, one_row_per_seed
from core.experiments.statistics import estimate, share_estimate
from core.types import Floats, Ints

HEIGHT = 380
ROW_HEIGHT = 46  # of the distributions
BARS = 60
SHORT_NUMBERS = "~r"  # as exact as the step between two ticks; "~g" makes "3e+1" of 30


def predicted_against_retrained(
    frame: pd.DataFrame, predicted: str, title: str, picked: int | None, dark: bool
) -> alt.LayerChart:
    """Was it foreseen? The predicted utility of every point against the retrained one, and the line
    where both are equal.

    frame: columns row, name, colour (percentile), retrained, and the one called `predicted`. A
    click picks a point: parameter "picked", field row.
    """
    ends = _ends(frame[["retrained", predicted]].to_numpy())
    scale = alt.Scale(domain=ends, nice=False, zero=False)
    axis = alt.Axis(tickCount=5, format=SHORT_NUMBERS, grid=False)
    across = alt.X("retrained:Q", title="retrained", scale=scale, axis=axis)
    up = alt.Y(f"{predicted}:Q", title=title, scale=scale, axis=axis)
    diagonal = alt.Chart(pd.DataFrame({"retrained": ends, predicted: ends}))
    diagonal = diagonal.mark_line(color=palette.CHANCE, strokeDash=[5, 4])
    percentiles = alt.Scale(domain=[0, 100], range=palette.score_colours(dark), interpolate="rgb")
    tooltip = [
        alt.Tooltip("name:N", title="point"),
        alt.Tooltip("retrained:Q", format=".3~e"),
        alt.Tooltip(f"{predicted}:Q", format=".3~e"),
    ]
    base = alt.Chart(frame).encode(x=across, y=up)
    dots = base.mark_circle(size=58, opacity=0.85, cursor="pointer").encode(
        color=alt.Color("colour:Q", scale=percentiles, legend=None), tooltip=tooltip
    )
    click = alt.selection_point(name="picked", fields=["row"], on="click", clear=False)
    ring = base.transform_filter(f"datum.row == {-1 if picked is None else picked}")
    ring = ring.mark_point(size=220, strokeWidth=2.5, color=palette.TOP, filled=False)
    layers = alt.layer(diagonal.encode(x=across, y=up), dots.add_params(click), ring)
    return finish(layers, dark, HEIGHT, padding=CLOSE, usermeta=ON_CANVAS)


def _ends(values: Floats) -> list[float]:
    """Of the axis that holds all these values and 0, with room to spare."""
    low = float(values.min(initial=0))
    high = float(values.max(initial=0))
    margin = 0.04 * (high - low or 1.0)
    return [low - margin, high + margin]


def distributions(
    utilities: dict[str, Floats], constant: float | None, shown: str, unit: str, dark: bool
) -> alt.LayerChart:
    """How far apart are the utilities? One row of bars for each meaning of the unknown label, all
    on one axis.

    utilities: retrained ones (n,) by name. constant: where the first order stands under the
    predictions, as a line. shown: the name that is in colour.
    """
    edges = _common_edges(utilities)
    names = list(utilities)
    across = alt.X(
        "from:Q",
        title=f"{unit}, retrained",
        scale=alt.Scale(domain=[edges[0], edges[-1]], nice=False),
        axis=alt.Axis(grid=False, tickCount=6, format=SHORT_NUMBERS),
    )
    origin = alt.Chart(pd.DataFrame({"from": [0.0]}))
    zero = origin.mark_rule(color=palette.CHANCE, strokeDash=[3, 3]).encode(x=across)
    layers = [zero, _rows_of_bars(_bars(utilities, edges), names, shown, across, dark)]
    if constant is not None:
        said = "first order: the same for all points"
        at = alt.Chart(pd.DataFrame({"from": [constant], "said": [said]}))
        at = at.mark_rule(color=palette.CORRELATION[0], strokeWidth=2)
        layers.append(at.encode(x=across, tooltip="said:N"))
    return finish(alt.layer(*layers), dark, ROW_HEIGHT * len(names) + 60, padding=CLOSE)


def _common_edges(utilities: dict[str, Floats]) -> Floats:
    """The edges (61,) of all rows' bars; the outermost half per cent stands in the end bars."""
    every = np.concatenate(list(utilities.values()))
    low, high = np.percentile(every, [0.5, 99.5]) if len(every) else (0.0, 1.0)
    return np.linspace(low, high if high > low else low + 1, BARS + 1)


def _bars(utilities: dict[str, Floats], edges: Floats) -> pd.DataFrame:
    """One row per bar: its row's name, its ends, how many points, and where it stands."""
    frames = []
    for place, (name, values) in enumerate(utilities.items()):
        counts = np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0]
        share = counts / max(1, counts.max())
        frame = pd.DataFrame({"label": name, "from": edges[:-1], "to": edges[1:]})
        frames.append(frame.assign(points=counts, floor=place, top=place - 0.85 * share))
    return pd.concat(frames)


def _rows_of_bars(
    frame: pd.DataFrame, names: list[str], shown: str, across: alt.X, dark: bool
) -> alt.Chart:
    rows = alt.Axis(
        values=list(range(len(names))),
        labelExpr=f"{names!r}[datum.value]",
        ticks=False,
        domain=False,
        grid=False,
        labelLimit=170,
    )
    places = alt.Scale(domain=[len(names) - 0.7, -1], nice=False)
    up = alt.Y("floor:Q", title=None, scale=places, axis=rows)
    pale = alt.value("#7C8894" if dark else "#9AA5B0")
    colour = alt.condition(f"datum.label == {shown!r}", alt.value(palette.TOP), pale)
    tooltip = [
        "label:N",
        alt.Tooltip("from:Q", format=".3~g"),
        alt.Tooltip("to:Q", format=".3~g"),
        "points:Q",
    ]
    bars = alt.Chart(frame).mark_rect()
    return bars.encode(x=across, x2="to:Q", y=up, y2="top:Q", color=colour, tooltip=tooltip)


def mean_by_labels(
    labels: Ints,
    values: Floats,
    lines: Sequence[Line],
    title: str,
    percent: bool,
    dark: bool,
) -> alt.LayerChart:
    """How does one number go as labels come in?

    values (a, r, s): every seed a dot, their mean a line with its 95% interval as a band, for each
    strategy. percent: are they shares?
    """
    found = share_estimate(values) if percent else estimate(values)
    frame = one_row_per_place(labels, found, lines, "labels")
    seeds = one_row_per_seed(labels, np.moveaxis(values, -1, 1), lines, "labels")
    across = alt.X(
        "labels:Q",
        title="labels",
        axis=alt.Axis(tickCount=6, grid=False, format=",d"),
        scale=alt.Scale(nice=False, zero=False),
    )
    scale = alt.Scale(zero=False)
    axis = alt.Axis(tickCount=6, format="%" if percent else SHORT_NUMBERS)
    up = alt.Y("mean:Q", title=title, scale=scale, axis=axis)
    form = ".1%" if percent else ".4~g"
    tooltip = ["name:N", alt.Tooltip("labels:Q", format=","), *estimate_tips(form)]
    each = alt.Chart(seeds).mark_point(filled=True, size=12, opacity=0.35)
    said = ["name:N", "seed:N", alt.Tooltip("mean:Q", format=form, title="value")]
    each = each.encode(x=across, y=up, color=line_colour(lines), tooltip=said)
    base = alt.Chart(frame).encode(x=across, color=line_colour(lines), tooltip=tooltip)
    band = base.mark_area(opacity=0.12).encode(y=alt.Y("low:Q", scale=scale), y2="high:Q")
    drawn = base.mark_line(strokeWidth=2.5, point=alt.OverlayMarkDef(size=26))
    drawn = drawn.encode(y=up, strokeDash=line_dash(lines))
    return finish(alt.layer(band, each, drawn), dark, 320, padding=CLOSE)


def queried_plane(
    points: pd.DataFrame,
    line: Floats | None,
    names: pd.DataFrame | None,
    box: Sequence[float],
    rounds: int,
    dark: bool,
) -> alt.LayerChart:
    """Which points does a strategy ask for, and where does the head divide the plane? At one moment
    of its rounds.

    points: columns x, y, label, asked (the round, 0: labeled at first, NaN: not asked for). line:
    (2, 2), the ends of the decision line. names: columns x, y, name, of the clusters. box: (x0, x1,
    y0, y1).
    """
    wide, tall = (alt.Scale(domain=list(box[i : i + 2]), nice=False) for i in (0, 2))
    across = alt.X("x:Q", scale=wide, axis=None)
    up = alt.Y("y:Q", scale=tall, axis=None)
    layers = _queried(points, rounds, across, up, dark)
    if line is not None:
        border = alt.Chart(pd.DataFrame(line, columns=["x", "y"]))
        ink = "#FFFFFF" if dark else "#000000"
        layers.append(
            border.mark_line(strokeWidth=2.5, color=ink, clip=True).encode(x=across, y=up)
        )
    if names is not None:
        words = alt.Chart(names).mark_text(fontSize=12, color=axis_ink(dark))
        layers.append(words.encode(x=across, y=up, text="name:N"))
    chart = finish(alt.layer(*layers), dark, 300, padding=CLOSE, usermeta=ON_CANVAS)
    return chart.configure_view(stroke="#39424C" if dark else "#DDE1E5")


def _queried(
    points: pd.DataFrame, rounds: int, across: alt.X, up: alt.Y, dark: bool
) -> list[alt.Chart]:
    """The points that wait, those asked for (colour: their round), those labeled at first."""
    shape = alt.Shape("label:N", scale=alt.Scale(range=["circle", "square"]), legend=None)
    base = alt.Chart(points).encode(x=across, y=up, shape=shape)
    filled = {"filled": True, "size": 62, "opacity": 1}
    grey = "#5B6672" if dark else "#B9C1C9"
    waiting = base.transform_filter("!isValid(datum.asked)")
    asked = base.transform_filter("datum.asked > 0")
    first = base.transform_filter("isValid(datum.asked) && datum.asked == 0")
    each_round = alt.Scale(
        domain=[1, max(2, rounds)], range=palette.score_colours(dark), interpolate="rgb"
    )
    tooltip = [
        alt.Tooltip("label:N", title="class"),
        alt.Tooltip("asked:Q", title="asked for in round"),
    ]
    asked = asked.mark_point(**filled).encode(
        color=alt.Color("asked:Q", scale=each_round, legend=None), tooltip=tooltip
    )
    first = first.mark_point(color=palette.TOP, **filled)
    first = first.encode(tooltip=[alt.Tooltip("label:N", title="labeled at first, class")])
    return [waiting.mark_point(size=24, opacity=0.55, color=grey), asked, first]
