"""Scores of one dataset -> Altair charts: how they are spread, which classes the chosen points come
from, and where one point stands under each ranking.
"""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from core.charts.common import CLOSE, ON_CANVAS, axis_ink, family_scale, finish
from core.charts.palette import CHANCE, FAMILIES, TOP
from core.types import Floats, Ints


def score_histogram(
    scores: Floats, label: str, colour: str, kept: tuple[float, float] | None, dark: bool
) -> alt.Chart:
    """How are the scores spread?

    Bars of equal width in score; dragging selects a range, parameter "range".
    """
    edges, counts, log = histogram_bins(scores)
    low, high = kept or (-np.inf, np.inf)
    frame = pd.DataFrame({"from": edges[:-1], "to": edges[1:], "points": counts})
    frame["inside"] = (edges[1:] > low) & (edges[:-1] < high)
    frame["floor"] = 0
    across = alt.X(
        "from:Q",
        title=f"{label}{', log scale' if log else ''}",
        scale=alt.Scale(type="log" if log else "linear", domain=[edges[0], edges[-1]], nice=False),
        # On a linear axis "~g" makes "3e+1" of 30.
        axis=alt.Axis(grid=False, tickCount=4, format="~g" if log else "~r", labelOverlap=True),
    )
    up = alt.Y("points:Q", title="points", axis=alt.Axis(tickCount=4, format="~s"))
    tooltip = [
        alt.Tooltip("from:Q", format=".4~g"),
        alt.Tooltip("to:Q", format=".4~g"),
        alt.Tooltip("points:Q", format=","),
    ]
    bars = alt.Chart(frame).mark_rect(color=colour)
    bars = bars.encode(x=across, x2="to:Q", y=up, y2="floor:Q", tooltip=tooltip)
    bars = bars.encode(opacity=alt.condition("datum.inside", alt.value(1.0), alt.value(0.25)))
    brush = alt.selection_interval(name="range", encodings=["x"])
    return finish(bars.add_params(brush), dark, usermeta=ON_CANVAS)


def histogram_bins(scores: Floats, bins: int = 60) -> tuple[Floats, Ints, bool]:
    """(edges (bins + 1,), counts (bins,), log): on a log axis where positive scores span more than
    a factor of 100.

    On a log axis zeros are counted in the first bin.
    """
    low = float(scores.min())
    high = float(scores.max())
    positive = scores[scores > 0]
    log = low >= 0 and len(positive) > 0 and float(np.percentile(positive, 1)) < high / 100
    if log:
        start = max(float(positive.min()), high * 1e-8)
        edges = np.geomspace(start, high, bins + 1)
    else:
        edges = np.linspace(low, high if high > low else low + 1, bins + 1)
    return edges, np.histogram(np.clip(scores, edges[0], edges[-1]), edges)[0], log


def class_shares(
    names: tuple[str, ...], chosen: Floats, everyone: Floats, dark: bool
) -> alt.LayerChart:
    """Which classes are over-represented?

    Share of each class among the chosen points, beside a tick at its share of all points.
    """
    frame = pd.DataFrame({"class": names, "chosen": chosen, "all": everyone})
    upright = len(names) <= 12 and max(map(len, names)) < 4
    axis = alt.Axis(labelAngle=0 if upright else -45, grid=False)
    x = alt.X("class:N", sort=list(names), title=None, axis=axis)
    y = alt.Y("chosen:Q", title="share", axis=alt.Axis(format="%", tickCount=4))
    tooltip = [
        alt.Tooltip("class:N"),
        alt.Tooltip("chosen:Q", format=".1%", title="of these points"),
        alt.Tooltip("all:Q", format=".1%", title="of all points"),
    ]
    base = alt.Chart(frame).encode(x=x, tooltip=tooltip)
    bars = base.mark_bar(color=TOP).encode(y=y)
    ticks = base.mark_tick(color=CHANCE, thickness=3).encode(y="all:Q")
    return finish(alt.layer(bars, ticks), dark)


def percentile_strip(frame: pd.DataFrame, dark: bool) -> alt.LayerChart:
    """Where does one point stand under each ranking? One row per ranking, one dot per seed, 0 =
    lowest score, 100 = highest.

    frame: columns ranking, family, seed, score, rank, percentile.
    """
    places = alt.Scale(domain=[0, 100])
    x = alt.X("percentile:Q", scale=places, title="percentile", axis=alt.Axis(tickCount=5))
    means = frame.groupby("ranking")["percentile"].mean()
    order = means.sort_values(ascending=False).index.tolist()
    rows = alt.Axis(labelLimit=260, labelOverlap=False)
    y = alt.Y("ranking:N", sort=order, title=None, axis=rows)
    tooltip = [
        "ranking:N",
        "seed:Q",
        alt.Tooltip("percentile:Q", format=".1f"),
        alt.Tooltip("rank:Q", format=","),
        alt.Tooltip("score:Q", format=".4~g"),
    ]
    colour = alt.Color("family:N", scale=family_scale(dark), legend=None)
    base = alt.Chart(frame).encode(y=y)
    track = base.mark_rule(opacity=0.06).encode(x=alt.datum(0), x2=alt.datum(100))
    dots = base.mark_circle(size=90, opacity=0.9).encode(x=x, color=colour, tooltip=tooltip)
    height = max(60, 26 * frame["ranking"].nunique() + 40)
    return finish(alt.layer(track, dots), dark, height=height)


def chances(quantiles: Floats, dark: bool) -> alt.LayerChart:
    """How likely is each row to be drawn?

    quantiles (q,) of the chance over that of a uniform draw, from the least likely row to the most
    likely; a line at 1, where all rows would be.
    """
    frame = pd.DataFrame({"share": np.linspace(0, 1, len(quantiles)), "chance": quantiles})
    frame = frame[frame["chance"] > 0]
    ink = axis_ink(dark)
    x = alt.X(
        "share:Q", title="rows, the least likely first", axis=alt.Axis(format="%", grid=False)
    )
    title = "times as likely as in a uniform draw (log scale)"
    low = max(float(frame["chance"].min()), 1e-4)
    scale = alt.Scale(type="log", domain=[low, float(frame["chance"].max()) * 1.1], clamp=True)
    y = alt.Y("chance:Q", title=title, scale=scale, axis=alt.Axis(format="~g", tickCount=6))
    tips = [alt.Tooltip("share:Q", format=".1%"), alt.Tooltip("chance:Q", format=".3~g")]
    line = (
        alt.Chart(frame)
        .mark_line(strokeWidth=3, color=FAMILIES["classification"])
        .encode(x=x, y=y, tooltip=tips)
    )
    even = alt.Chart(pd.DataFrame({"chance": [1.0], "said": ["uniform"]}))
    rule = even.mark_rule(color=CHANCE, strokeDash=[5, 4]).encode(y="chance:Q")
    word = even.mark_text(align="left", x=6, dy=-8, color=ink, fontSize=12)
    return finish(
        alt.layer(rule, line, word.encode(y="chance:Q", text="said:N")), dark, 300, padding=CLOSE
    )
