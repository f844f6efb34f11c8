"""Runs of active learning -> Altair charts: who beats whom, errors beside random's, batches and
their cost, a batch pick by pick.
"""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from core.charts.common import CLOSE, Line, finish, line_colour
from core.charts.learning_curves import NARROW
from core.charts.palette import CHANCE, TOP
from core.types import Floats, Ints

HEIGHT = 360


def penalty_table(
    penalty: Floats, beaten: Floats, names: Sequence[str], dark: bool
) -> alt.LayerChart:
    """Who beats whom? penalty (a, a): how often the row's strategy beats the column's, of the
    settings compared; in the last row beaten (a,), the papers' summary: lower is better.
    """
    a = len(names)
    rows = [*names, "beaten on average"]
    values = np.vstack([np.where(np.eye(a, dtype=bool), np.nan, penalty), beaten])
    frame = pd.DataFrame({"row": np.repeat(rows, a), "column": list(names) * (a + 1)})
    frame["value"] = values.ravel()
    above = alt.Axis(labelAngle=-30, orient="top", ticks=False, domain=False)
    beside = alt.Axis(labelLimit=240, ticks=False, domain=False)
    tooltip = [
        alt.Tooltip("row:N", title="beats"),
        alt.Tooltip("column:N", title="whom"),
        alt.Tooltip("value:Q", format=".2f"),
    ]
    base = alt.Chart(frame.dropna()).encode(
        x=alt.X("column:N", sort=list(names), title=None, axis=above),
        y=alt.Y("row:N", sort=rows, title=None, axis=beside),
        tooltip=tooltip,
    )
    top = max(1.0, float(np.nanmax(penalty, initial=0)))
    colours = ["#1B2229" if dark else "#FFFFFF", "#D55E00"]
    scale = alt.Scale(domain=[0, top], range=colours, interpolate="rgb")
    cells = base.mark_rect().encode(color=alt.Color("value:Q", scale=scale, legend=None))
    ink = alt.value("#FFFFFF" if dark else "#000000")
    texts = base.mark_text(fontSize=13)
    texts = texts.encode(text=alt.Text("value:Q", format=".2f"), color=ink)
    return finish(alt.layer(cells, texts), dark, 42 * (a + 1) + 80, padding=CLOSE)


def error_shares(values: Floats, weights: Floats, lines: Sequence[Line], dark: bool) -> alt.Chart:
    """Errors beside random's: the share of budgets at which a strategy's error is at most x times
    random's. Higher is better. NaN: a budget that does not count for this strategy.
    """
    frames = []
    for line, row in zip(lines, values, strict=True):
        order = np.argsort(row)[: np.isfinite(row).sum()]
        share = np.cumsum(weights[order]) / weights[order].sum()
        frames.append(pd.DataFrame({"name": line.name, "error": row[order], "share": share}))
    y = alt.Y(
        "share:Q",
        title="share of the budgets",
        axis=alt.Axis(format="%", tickCount=5),
        scale=alt.Scale(domain=[0, 1]),
    )
    steps = alt.Chart(pd.concat(frames))
    steps = steps.mark_line(interpolate="step-after", strokeWidth=2.5, point=True).encode(
        x=alt.X("error:Q", title="error divided by random's", scale=alt.Scale(zero=False)),
        y=y,
        color=line_colour(lines, legend=_legend()),
        tooltip=[
            "name:N",
            alt.Tooltip("error:Q", format=".3f"),
            alt.Tooltip("share:Q", format=".0%"),
        ],
    )
    return finish(steps, dark, HEIGHT, padding=CLOSE)


def number_by_batch(
    labels: Ints, values: Floats, lines: Sequence[Line], title: str, dark: bool, log: bool = False
) -> alt.Chart:
    """One number per batch (a, r) against the labels known when it was picked."""
    a, r = values.shape
    names = np.repeat([line.name for line in lines], r)
    frame = pd.DataFrame({"name": names, "labels": list(labels) * a, "value": values.ravel()})
    axis = alt.Axis(tickCount=6, grid=False, format=",d")
    scale = alt.Scale(type="log") if log else alt.Scale(zero=False)
    drawn = alt.Chart(frame.dropna()).mark_line(strokeWidth=2.5, point=True)
    drawn = drawn.encode(
        x=alt.X("labels:Q", title="labels known", axis=axis),
        y=alt.Y("value:Q", title=title, scale=scale, axis=alt.Axis(tickCount=5)),
        color=line_colour(lines, legend=_legend()),
        tooltip=[
            "name:N",
            alt.Tooltip("labels:Q", format=","),
            alt.Tooltip("value:Q", format=".4~g"),
        ],
    )
    return finish(drawn, dark, HEIGHT, padding=CLOSE)


def objective_by_pick(
    objective: Floats,
    names: Sequence[str],
    at: int,
    title: str,
    dark: bool,
    height: int = 200,
    colour: str = TOP,
) -> alt.LayerChart:
    """An objective after each pick (b, k), of the strategy's batch and of others, random last, with
    a line at the pick that is shown. colour: of the strategy, wherever it is drawn.
    """
    b, k = objective.shape
    frame = pd.DataFrame({"name": np.repeat(names, k), "pick": list(range(1, k + 1)) * b})
    frame["value"] = objective.ravel()
    uncertain = "#E69F00" if colour == "#0072B2" else "#0072B2"
    looks = [(colour, [1, 0]), (uncertain, [6, 4])][: b - 1] + [(CHANCE, [5, 4])]
    colours = alt.Scale(domain=list(names), range=[colour for colour, _ in looks])
    dashes = alt.Scale(domain=list(names), range=[dash for _, dash in looks])
    legend = alt.Legend(title=None, orient="top", columns=1, labelLimit=240)
    picks = alt.Axis(grid=False, tickCount=6, format="d")
    drawn = alt.Chart(frame.dropna()).mark_line(strokeWidth=2.5)
    drawn = drawn.encode(
        x=alt.X("pick:Q", title="picks", axis=picks),
        y=alt.Y("value:Q", title=title, scale=alt.Scale(zero=False), axis=alt.Axis(format=".4~g")),
        color=alt.Color("name:N", scale=colours, legend=legend),
        strokeDash=alt.StrokeDash("name:N", scale=dashes, legend=None),
        tooltip=["name:N", "pick:Q", alt.Tooltip("value:Q", format=".4~g")],
    )
    now = alt.Chart(pd.DataFrame({"pick": [at]})).mark_rule(color=CHANCE, strokeDash=[4, 3])
    return finish(alt.layer(drawn, now.encode(x="pick:Q")), dark, height, padding=CLOSE)


def _legend() -> alt.Legend:
    """Above the picture: three names in a row, one on a phone."""
    columns = {"expr": f"{NARROW} ? 1 : 3"}
    return alt.Legend(title=None, orient="top", columns=columns, labelLimit=220, labelFontSize=13)
