"""Trained competitors side by side -> Altair charts: by how much do they differ, and for which
class?

A competitor's colour is the caller's (`Line`); the one compared with is the zero. Bars are
intervals over seeds, at the level at which the sentences beside them are tested; accuracies are in
per cent.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from core.charts.common import CLOSE, PARTS, Line, axis_ink, estimate_tips, finish, line_colour
from core.charts.learning_curves import HEIGHT, NARROW
from core.charts.palette import CHANCE
from core.experiments.verdicts import Versus
from core.types import Floats

# The colours of cells from 0 to the top, and the share of the top at which white and black numbers
# are equally legible.
CELLS = {
    False: (("#FFFFFF", "#9CC8E4", "#0072B2"), 0.95),
    True: (("#1B2229", "#0072B2", "#9FD3F5"), 0.56),
}
PLAIN = {"ticks": False, "domain": False, "labelOverlap": False, "labelFlush": False}


def differences(
    budgets: Sequence[int],
    compared: Sequence[Versus],
    rival: str,
    lines: Sequence[Line],
    dark: bool,
) -> alt.LayerChart:
    """By how much?

    Accuracy above or below the rival, in points, at each budget: the mean as a mark with its
    interval as a bar, and every seed as a small dot behind it; 0 is the rival.
    """
    names = [line.name for line in lines]
    means, seeds = _difference_frames(budgets, compared, names)
    x = alt.X("budget:N", sort=None, title="budget", axis=alt.Axis(labelAngle=0, grid=False))
    offset = alt.XOffset("name:N", sort=names)
    colour = line_colour(lines, legend=_legend(dark))
    said = f"datum.value == 0 ? {json.dumps(rival)} : format(datum.value, '+.3~f')"
    axis = alt.Axis(tickCount=6, labelExpr=said, labelLimit=120)
    y = alt.Y("mean:Q", title="points of accuracy", axis=axis)
    shape = alt.Shape("name:N", scale=alt.Scale(domain=names))
    tips = ["name:N", "budget:N", *estimate_tips("+.2f"), "outcome:N"]
    base = alt.Chart(means).encode(x=x, xOffset=offset, color=colour, tooltip=tips)
    bars = base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=2.5)
    bars = bars.encode(y="low:Q", y2="high:Q")
    dots = base.mark_point(filled=True, size=90, opacity=1).encode(y=y, shape=shape)
    each = alt.Chart(seeds).mark_point(filled=True, size=22, opacity=0.4)
    each = each.encode(
        x=x, xOffset=offset, y=y, color=colour, tooltip=["name:N", "seed:N", "mean:Q"]
    )
    origin = alt.Chart(pd.DataFrame({"y": [0.0]}))
    zero = origin.mark_rule(strokeDash=[6, 4], color=CHANCE).encode(y="y:Q")
    height = HEIGHT + 18 * len(lines)  # a phone's legend takes a row for each
    return finish(alt.layer(zero, bars, each, dots), dark, height, padding=CLOSE)


def _difference_frames(
    budgets: Sequence[int], compared: Sequence[Versus], names: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row per competitor and budget, and one per seed of each; in points."""
    means = []
    seeds = []
    for name, versus in zip(names, compared, strict=True):
        each = zip(budgets, versus.outcomes, versus.differences, strict=True)
        for budget, found, values in each:
            place = {"name": name, "budget": f"{budget:,}"}
            numbers = {part: 100 * getattr(found, part) for part in PARTS}
            means.append({**place, **numbers, "outcome": found.outcome})
            seeds += [
                {**place, "seed": i + 1, "mean": 100 * value}
                for i, value in enumerate(values)
                if np.isfinite(value)
            ]
    columns = ["name", "budget", "seed", "mean"]
    return pd.DataFrame(means).dropna(subset="mean"), pd.DataFrame(seeds, columns=columns)


def _legend(dark: bool) -> alt.Legend:
    """Above the picture: three names in a row, one on a phone."""
    return alt.Legend(
        title=None,
        orient="top",
        columns={"expr": f"{NARROW} ? 1 : 3"},
        symbolOpacity=1,
        labelLimit=260,
        labelFontSize=13,
        labelColor=axis_ink(dark),
    )


def class_table(
    values: Floats, names: Sequence[str], classes: Sequence[str], dark: bool, *, share: bool
) -> alt.LayerChart:
    """For which class?

    One cell per competitor and class with its number inside, in per cent: accuracy, or the share of
    the selection.
    """
    m, c = values.shape
    frame = pd.DataFrame({"name": np.repeat(names, c), "class": np.tile(classes, m)})
    frame["value"] = values.ravel()
    frame = frame.dropna()
    top = max(2 / c, float(frame["value"].max())) if share and len(frame) else 1.0
    what = "share" if share else "accuracy"
    base = alt.Chart(frame).encode(
        x=_class_axis(classes),
        y=_competitor_axis(names),
        tooltip=["name:N", "class:N", alt.Tooltip("value:Q", format=".1%", title=what)],
    )
    colours, turn = CELLS[dark]
    scale = alt.Scale(domain=[0, top / 2, top], range=list(colours), interpolate="rgb")
    cells = base.mark_rect().encode(color=alt.Color("value:Q", scale=scale, legend=None))
    white = f"datum.value {'<' if dark else '>'} {turn * top}"
    numbers = base.transform_calculate(percent="100 * datum.value").mark_text(
        fontSize={"expr": f"width < {c * 26} ? 10 : 13"},
        opacity={"expr": f"width < {c * 16} ? 0 : 1"},
    )
    numbers = numbers.encode(
        text=alt.Text("percent:Q", format=".0f"),
        color=alt.condition(white, alt.value("#FFFFFF"), alt.value("#000000")),
    )
    return finish(alt.layer(cells, numbers), dark, max(90, 34 * m + 46), padding=CLOSE)


def _class_axis(classes: Sequence[str]) -> alt.X:
    tilted = len(classes) > 12 or max(map(len, classes)) > 3
    axis = alt.Axis(labelAngle=-45 if tilted else 0, **PLAIN)
    return alt.X("class:N", sort=list(classes), title="class", axis=axis)


def _competitor_axis(names: Sequence[str]) -> alt.Y:
    axis = alt.Axis(labelLimit={"expr": f"{NARROW} ? 112 : 260"}, **PLAIN)
    return alt.Y("name:N", sort=list(names), title=None, axis=axis)
