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
from core.charts.basics import CLOSE, ON_CANVAS, finish
from core.charts.experiments import Line
from core.types import Floats, Ints

HEIGHT = 380
RIDGE = 46
SHORT_NUMBERS = "~g"


def foreseen(
    frame: pd.DataFrame, predicted: str, title: str, picked: int | None, dark: bool
) -> alt.LayerChart:
    """Was it foreseen? The predicted utility of every point against the retrained one, and the line
    where both are equal.

    frame: columns row, name, colour (percentile), retrained, and the one called `predicted`. A
    click picks a point: parameter "picked", field row.
    """
    values = frame[["retrained", predicted]].to_numpy()
    low = float(values.min(initial=0))
    high = float(values.max(initial=0))
    margin = 0.04 * (high - low or 1.0)
    scale = alt.Scale(domain=[low - margin, high + margin], nice=False, zero=False)
    axis = alt.Axis(tickCount=5, format=SHORT_NUMBERS, grid=False)
    across = alt.X("retrained:Q", title="retrained", scale=scale, axis=axis)
    up = alt.Y(f"{predicted}:Q", title=title, scale=scale, axis=axis)
    ends = pd.DataFrame(
        {"retrained": [low - margin, high + margin], predicted: [low - margin, high + margin]}
    )
    diagonal = (
        alt.Chart(ends).mark_line(color=palette.CHANCE, strokeDash=[5, 4]).encode(x=across, y=up)
    )
    colours = alt.Scale(domain=[0, 100], range=palette.score_colours(dark), interpolate="rgb")
    tooltip = [
        alt.Tooltip("name:N", title="point"),
        alt.Tooltip("retrained:Q", format=".3~e"),
        alt.Tooltip(f"{predicted}:Q", format=".3~e"),
    ]
    base = alt.Chart(frame).encode(x=across, y=up)
    dots = base.mark_circle(size=58, opacity=0.85, cursor="pointer").encode(
        color=alt.Color("colour:Q", scale=colours, legend=None), tooltip=tooltip
    )
    click = alt.selection_point(name="picked", fields=["row"], on="click", clear=False)
    ring = base.transform_filter(f"datum.row == {-1 if picked is None else picked}")
    ring = ring.mark_point(size=220, strokeWidth=2.5, color=palette.TOP, filled=False)
    return finish(
        alt.layer(diagonal, dots.add_params(click), ring),
        dark,
        HEIGHT,
        padding=CLOSE,
        usermeta=ON_CANVAS,
    )


def distributions(
    utilities: dict[str, Floats], constant: float | None, shown: str, unit: str, dark: bool
) -> alt.LayerChart:
    """How far apart are the utilities? One row of bars for each meaning of the unknown label, all
    on one axis.

    utilities: retrained ones (n,) by name. constant: where the first order stands under the
    predictions, as a line. shown: the name that is in colour.
    """
    every = np.concatenate(list(utilities.values()))
    low, high = np.percentile(every, [0.5, 99.5]) if len(every) else (0.0, 1.0)
    edges = np.linspace(low, high if high > low else low + 1, 61)
    frames = []
    for place, (name, values) in enumerate(utilities.items()):
        counts = np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0]
        top = counts / max(1, counts.max())
        frames.append(
            pd.DataFrame(
                {
                    "label": name,
                    "from": edges[:-1],
                    "to": edges[1:],
                    "points": counts,
                    "floor": place,
                    "top": place - 0.85 * top,
                }
            )
        )
    frame = pd.concat(frames)
    names = list(utilities)
    axis = alt.Axis(grid=False, tickCount=6, format=SHORT_NUMBERS)
    across = alt.X(
        "from:Q",
        title=f"{unit}, retrained",
        scale=alt.Scale(domain=[edges[0], edges[-1]], nice=False),
        axis=axis,
    )
    rows = alt.Axis(
        values=list(range(len(names))),
        labelExpr=f"{names!r}[datum.value]",
        ticks=False,
        domain=False,
        grid=False,
        labelLimit=170,
    )
    up = alt.Y(
        "floor:Q", title=None, scale=alt.Scale(domain=[len(names) - 0.7, -1], nice=False), axis=rows
    )
    bars = (
        alt.Chart(frame)
        .mark_rect()
        .encode(
            x=across,
            x2="to:Q",
            y=up,
            y2="top:Q",
            color=alt.condition(
                f"datum.label == {shown!r}",
                alt.value(palette.TOP),
                alt.value("#7C8894" if dark else "#9AA5B0"),
            ),
            tooltip=[
                "label:N",
                alt.Tooltip("from:Q", format=".3~g"),
                alt.Tooltip("to:Q", format=".3~g"),
                "points:Q",
            ],
        )
    )
    zero = (
        alt.Chart(pd.DataFrame({"from": [0.0]}))
        .mark_rule(color=palette.CHANCE, strokeDash=[3, 3])
        .encode(x=across)
    )
    layers = [zero, bars]
    if constant is not None:
        at = alt.Chart(
            pd.DataFrame({"from": [constant], "said": ["first order: the same for all points"]})
        )
        layers.append(
            at.mark_rule(color=palette.CORRELATION[0], strokeWidth=2).encode(
                x=across, tooltip="said:N"
            )
        )
    return finish(alt.layer(*layers), dark, RIDGE * len(names) + 60, padding=CLOSE)


def by_labels(
    labels: Ints,
    mean: Floats,
    error: Floats,
    lines: Sequence[Line],
    title: str,
    percent: bool,
    dark: bool,
) -> alt.LayerChart:
    """How does one number go as labels come in?

    mean (a, r), and one standard error to each side as a band; a line for each strategy.
    """
    names = [line.name for line in lines]
    low = mean - error
    high = mean + error
    frame = pd.DataFrame(
        {
            "name": np.repeat(names, mean.shape[1]),
            "labels": list(labels) * len(names),
            "mean": mean.ravel(),
        }
    )
    frame = frame.assign(
        low=low.ravel(), high=np.minimum(high, 1.0).ravel() if percent else high.ravel()
    ).dropna(subset="mean")
    frame = frame.assign(
        low=frame["low"].fillna(frame["mean"]), high=frame["high"].fillna(frame["mean"])
    )
    form = ".1%" if percent else ".4~g"
    colour = alt.Color(
        "name:N", scale=alt.Scale(domain=names, range=[line.colour for line in lines]), legend=None
    )
    dash = alt.StrokeDash(
        "name:N",
        scale=alt.Scale(domain=names, range=[list(line.dash) for line in lines]),
        legend=None,
    )
    across = alt.X(
        "labels:Q",
        title="labels",
        axis=alt.Axis(tickCount=6, grid=False, format=",d"),
        scale=alt.Scale(nice=False, zero=False),
    )
    scale = alt.Scale(zero=False)
    axis = alt.Axis(tickCount=6, format="%" if percent else SHORT_NUMBERS)
    tooltip = ["name:N", alt.Tooltip("labels:Q", format=","), alt.Tooltip("mean:Q", format=form)]
    base = alt.Chart(frame).encode(x=across, color=colour, tooltip=tooltip)
    band = base.mark_area(opacity=0.12).encode(y=alt.Y("low:Q", scale=scale), y2="high:Q")
    drawn = base.mark_line(strokeWidth=2.5, point=alt.OverlayMarkDef(size=26))
    drawn = drawn.encode(y=alt.Y("mean:Q", title=title, scale=scale, axis=axis), strokeDash=dash)
    return finish(alt.layer(band, drawn), dark, 320, padding=CLOSE)


def plane(
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
    sides = [alt.Scale(domain=list(box[i : i + 2]), nice=False) for i in (0, 2)]
    across = alt.X("x:Q", scale=sides[0], axis=None)
    up = alt.Y("y:Q", scale=sides[1], axis=None)
    shape = alt.Shape("label:N", scale=alt.Scale(range=["circle", "square"]), legend=None)
    base = alt.Chart(points).encode(x=across, y=up, shape=shape)
    waiting = base.transform_filter("!isValid(datum.asked)").mark_point(
        size=24, opacity=0.55, color="#5B6672" if dark else "#B9C1C9"
    )
    colours = alt.Scale(
        domain=[1, max(2, rounds)], range=palette.score_colours(dark), interpolate="rgb"
    )
    tooltip = [
        alt.Tooltip("label:N", title="class"),
        alt.Tooltip("asked:Q", title="asked for in round"),
    ]
    asked = base.transform_filter("datum.asked > 0").mark_point(filled=True, size=62, opacity=1)
    asked = asked.encode(color=alt.Color("asked:Q", scale=colours, legend=None), tooltip=tooltip)
    first = base.transform_filter("isValid(datum.asked) && datum.asked == 0").mark_point(
        filled=True, size=62, opacity=1, color=palette.TOP
    )
    layers = [
        waiting,
        asked,
        first.encode(tooltip=[alt.Tooltip("label:N", title="labeled at first, class")]),
    ]
    if line is not None:
        ends = alt.Chart(pd.DataFrame(line, columns=["x", "y"]))
        layers.append(
            ends.mark_line(
                strokeWidth=2.5, color="#FFFFFF" if dark else "#000000", clip=True
            ).encode(x=across, y=up)
        )
    if names is not None:
        ink = "#C9CFD6" if dark else "#4A5058"
        layers.append(
            alt.Chart(names).mark_text(fontSize=12, color=ink).encode(x=across, y=up, text="name:N")
        )
    return finish(alt.layer(*layers), dark, 300, padding=CLOSE, usermeta=ON_CANVAS).configure_view(
        stroke="#39424C" if dark else "#DDE1E5"
    )
