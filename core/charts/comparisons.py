"""Trained competitors side by side -> Altair charts: by how much do they differ, and for which
class?

A competitor's colour is the caller's (`Line`); random is the zero. Bars are 95% intervals over
seeds, accuracies are in per cent.
"""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from core.charts.common import CLOSE, Line, axis_ink, estimate_tips, finish, line_colour
from core.charts.learning_curves import HEIGHT, NARROW, one_row_per_place
from core.charts.palette import CHANCE
from core.experiments.statistics import Estimate
from core.types import Floats

# The colours of cells from 0 to the top, and the share of the top at which white and black numbers
# are equally legible.
CELLS = {
    False: (("#FFFFFF", "#9CC8E4", "#0072B2"), 0.95),
    True: (("#1B2229", "#0072B2", "#9FD3F5"), 0.56),
}
PLAIN = {"ticks": False, "domain": False, "labelOverlap": False, "labelFlush": False}


def difference_to_random(
    budgets: Sequence[int], difference: Estimate, lines: Sequence[Line], dark: bool
) -> alt.LayerChart:
    """By how much?

    Accuracy (m, b) above or below random, in points, one dot with its interval per budget; 0 is
    random.
    """
    places = [f"{budget:,}" for budget in budgets]
    frame = one_row_per_place(places, difference, lines, "budget", unit=100)
    names = [line.name for line in lines]
    base = alt.Chart(frame).encode(
        x=alt.X("budget:N", sort=None, title="budget", axis=alt.Axis(labelAngle=0, grid=False)),
        xOffset=alt.XOffset("name:N", sort=names),
        color=line_colour(lines, legend=_legend(dark)),
        tooltip=["name:N", "budget:N", *estimate_tips("+.2f")],
    )
    said = "datum.value == 0 ? 'random' : format(datum.value, '+.3~f')"
    axis = alt.Axis(tickCount=6, labelExpr=said)
    y = alt.Y("mean:Q", title="points of accuracy", axis=axis)
    bars = base.mark_rule(strokeWidth=2.5).encode(y="low:Q", y2="high:Q")
    shape = alt.Shape("name:N", scale=alt.Scale(domain=names))
    dots = base.mark_point(filled=True, size=90, opacity=1).encode(y=y, shape=shape)
    origin = alt.Chart(pd.DataFrame({"y": [0.0]}))
    zero = origin.mark_rule(strokeDash=[6, 4], color=CHANCE).encode(y="y:Q")
    height = HEIGHT + 18 * len(lines)  # a phone's legend takes a row for each
    return finish(alt.layer(zero, bars, dots), dark, height, padding=CLOSE)


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
