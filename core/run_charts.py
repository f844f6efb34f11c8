"""The outcomes of experiments -> Altair charts, one function per question: does it help, how does it learn, by how much, for which class?

A line is one competitor: colour and dash are the caller's (`Line`), random is grey and dashed on every chart. Bands and bars are 95%
intervals over seeds. Names stand at the ends of the lines, pushed apart where they would overlap. Accuracies are in per cent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd

from core.charts import CLOSE, finish
from core.experiments.verdict import Estimate
from core.types import Floats

PERCENT = alt.Axis(format="%", tickCount=6)
_PARTS = {"mean": "mean", "low": "95% from", "high": "to"}
HEIGHT, NAME_GAP = 400, 0.055  # of a chart; between two names, as a share of its height


@dataclass(frozen=True)
class Line:
    """How one competitor is drawn: its name, colour "#RRGGBB" and dash pattern ([1, 0] is solid)."""

    name: str
    colour: str
    dash: tuple[int, ...] = (1, 0)


def accuracy_by_budget(budgets: Sequence[int], accuracy: Estimate, lines: Sequence[Line], dark: bool) -> alt.LayerChart:
    """Does it help? Accuracy (m, b) against the budget on a log axis, with its interval as a band."""
    frame = _long(budgets, accuracy, lines, "budget")
    x = {"scale": _log(budgets), "axis": _ticks(budgets), "title": "budget: points trained on (log scale)"}
    return _lines(frame, "budget", x, lines, dark, last=max(budgets))


def accuracy_by_step(steps: Floats, accuracy: Estimate, lines: Sequence[Line], what: str, dark: bool) -> alt.LayerChart:
    """How does it learn? Accuracy (m, t) after each of the steps (t,), or epochs: `what` names them."""
    frame = _long(steps, accuracy, lines, "at")
    x = {"scale": alt.Scale(nice=False), "axis": alt.Axis(tickCount=6, grid=False, format=",d"), "title": what}
    return _lines(frame, "at", x, lines, dark, last=float(np.max(steps)))


def difference_to_random(budgets: Sequence[int], difference: Estimate, lines: Sequence[Line], dark: bool) -> alt.LayerChart:
    """By how much? Accuracy (m, b) above or below random, in points, one dot with its interval per budget; 0 is random."""
    frame = _long([f"{budget:,}" for budget in budgets], difference, lines, "budget", unit=100)
    names = [line.name for line in lines]
    base = alt.Chart(frame).encode(
        x=alt.X("budget:N", sort=None, title="budget", axis=alt.Axis(labelAngle=0, grid=False)),
        xOffset=alt.XOffset("name:N", sort=names),
        color=_colour(lines, alt.Legend(title=None, orient="top", columns=2, symbolOpacity=1, labelLimit=220, labelFontSize=13)),
        tooltip=["name:N", "budget:N", *(alt.Tooltip(f"{part}:Q", format="+.2f", title=said) for part, said in _PARTS.items())],
    )
    y = alt.Y("mean:Q", title="points of accuracy", axis=alt.Axis(tickCount=6, format="+"))
    bars = base.mark_rule(strokeWidth=2.5).encode(y="low:Q", y2="high:Q")
    shape = alt.Shape("name:N", scale=alt.Scale(domain=names))
    dots = base.mark_point(filled=True, size=90, opacity=1).encode(y=y, shape=shape)
    zero = alt.Chart(pd.DataFrame({"y": [0.0]})).mark_rule(strokeDash=[6, 4], color="#8C8C8C").encode(y="y:Q")
    return finish(alt.layer(zero, bars, dots), dark, HEIGHT, padding=CLOSE)


def class_table(values: Floats, names: Sequence[str], classes: Sequence[str], dark: bool, *, share: bool) -> alt.LayerChart:
    """For which class? One cell per competitor and class with its number inside: accuracy, or the share of the selection (share=True)."""
    m, c = values.shape
    frame = pd.DataFrame({"name": np.repeat(names, c), "class": np.tile(classes, m), "value": values.ravel()}).dropna()
    top = max(2 / c, float(np.nanmax(values, initial=0))) if share else 1.0
    steps = ["#1B2229", "#0072B2", "#9FD3F5"] if dark else ["#FFFFFF", "#9CC8E4", "#0072B2"]
    scale = alt.Scale(domain=[0, top / 2, top], range=steps, interpolate="rgb")
    base = alt.Chart(frame).encode(
        x=alt.X("class:N", sort=list(classes), title="class", axis=alt.Axis(labelAngle=0 if c <= 12 else -45, ticks=False, domain=False)),
        y=alt.Y("name:N", sort=list(names), title=None, axis=alt.Axis(labelLimit=240, ticks=False, domain=False)),
        tooltip=["name:N", "class:N", alt.Tooltip("value:Q", format=".1%", title="share" if share else "accuracy")],
    )
    cells = base.mark_rect().encode(color=alt.Color("value:Q", scale=scale, legend=None))
    light = f"datum.value > {0.75 * top}" if not dark else f"datum.value < {0.75 * top}"
    texts = base.mark_text(fontSize=12).encode(
        text=alt.Text("value:Q", format=".0%"), color=alt.condition(light, alt.value("#FFFFFF"), alt.value("#000000"))
    )
    return finish(alt.layer(cells, texts), dark, max(90, 34 * m + 46), padding=CLOSE)


def _long(places: Sequence, estimate: Estimate, lines: Sequence[Line], x: str, unit: float = 1) -> pd.DataFrame:
    """One row per competitor and place; what is not finished is left out."""
    m, b = estimate.mean.shape
    frame = pd.DataFrame({"name": np.repeat([line.name for line in lines], b), x: list(places) * m})
    for name in _PARTS:
        frame[name] = unit * getattr(estimate, name).ravel()
    frame = frame.dropna(subset="mean")
    return frame.assign(low=frame["low"].fillna(frame["mean"]), high=frame["high"].fillna(frame["mean"]))  # one seed: no interval


def _lines(frame: pd.DataFrame, field: str, x: dict, lines: Sequence[Line], dark: bool, last: float) -> alt.LayerChart:
    """Bands, lines, dots and names. x: how the field's axis is drawn; last: its highest value, where the names begin."""
    floor = float(frame["low"].min()) if len(frame) else 0.0
    domain = [max(0.0, floor - 0.02), min(1.0, max(float(frame["high"].max()) if len(frame) else 1.0, 0.1) + 0.01)]
    scale = alt.Scale(domain=domain, nice=False, clamp=True)
    y = alt.Y("mean:Q", title="accuracy on the test points", scale=scale, axis=PERCENT)
    tooltip = ["name:N", alt.Tooltip(f"{field}:Q", format=",")]
    tooltip += [alt.Tooltip(f"{part}:Q", format=".2%", title=said) for part, said in _PARTS.items()]
    base = alt.Chart(frame).encode(x=alt.X(f"{field}:Q", **x), color=_colour(lines), tooltip=tooltip)
    band = base.mark_area(opacity=0.16).encode(y=alt.Y("low:Q", scale=scale), y2="high:Q")
    drawn = base.mark_line(strokeWidth=2.5).encode(y=y, strokeDash=_dash(lines))
    dots = base.mark_point(filled=True, size=55, opacity=1).encode(y=y)
    ends = frame.sort_values(field).groupby("name", sort=False).tail(1)
    names = alt.Chart(_apart(ends, domain, last)).mark_text(align="left", dx=9, fontSize=13, fontWeight="bold")
    names = names.encode(x=alt.X("end:Q", **x), y=alt.Y("height:Q", scale=scale), text="name:N", color=_colour(lines))
    layers = alt.layer(band, drawn, dots, names)
    return finish(layers, dark, HEIGHT, padding=CLOSE)


def _apart(ends: pd.DataFrame, domain: list[float], last: float) -> pd.DataFrame:
    """Where each line's name stands: right of the picture, at the height of its last point, pushed apart where two would overlap."""
    ends = ends.sort_values("mean")
    gap, heights = NAME_GAP * (domain[1] - domain[0]), ends["mean"].to_numpy(float).copy()
    for i in range(1, len(heights)):
        heights[i] = max(heights[i], heights[i - 1] + gap)
    for i in range(len(heights) - 1, -1, -1):  # and back down from the top edge
        heights[i] = min(heights[i], domain[1] - gap * (len(heights) - 1 - i))
    return pd.DataFrame({"name": ends["name"].to_numpy(), "end": float(last), "height": heights})


def _colour(lines: Sequence[Line], legend: alt.Legend | None = None) -> alt.Color:
    scale = alt.Scale(domain=[line.name for line in lines], range=[line.colour for line in lines])
    return alt.Color("name:N", scale=scale, legend=legend)


def _dash(lines: Sequence[Line]) -> alt.StrokeDash:
    scale = alt.Scale(domain=[line.name for line in lines], range=[list(line.dash) for line in lines])
    return alt.StrokeDash("name:N", scale=scale, legend=None)


def _log(budgets: Sequence[int]) -> alt.Scale:
    low, high = min(budgets), max(budgets)
    return alt.Scale(type="log", domain=[low, high] if high > low else [low / 2, low * 2], nice=False)


def _ticks(budgets: Sequence[int]) -> alt.Axis:
    return alt.Axis(values=sorted(budgets), format=",d", grid=False, labelOverlap=True)
