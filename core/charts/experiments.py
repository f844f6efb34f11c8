"""The outcomes of experiments -> Altair charts, one function per question: does it help, how does
it learn, by how much, for which class?

A line is one competitor: colour and dash are the caller's (`Line`), random is grey and dashed on
every chart. Bands and bars are 95% intervals over seeds. Names stand at the ends of the lines,
pushed apart where they would overlap. Accuracies are in per cent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import altair as alt
import numpy as np
import pandas as pd

from core.charts.basics import CLOSE, finish
from core.experiments.statistics import Estimate, estimate
from core.types import Floats

PERCENT = alt.Axis(format="%", tickCount=6)
# The colours of cells from 0 to the top, and the share of the top at which white and black numbers
# are equally legible.
CELLS = {
    False: (("#FFFFFF", "#9CC8E4", "#0072B2"), 0.95),
    True: (("#1B2229", "#0072B2", "#9FD3F5"), 0.56),
}
_PLAIN = {"ticks": False, "domain": False, "labelOverlap": False, "labelFlush": False}
_PARTS = {"mean": "mean", "low": "95% from", "high": "to"}
# of a chart; between two names, as a share of its height
HEIGHT = 400
NAME_GAP = 0.055
FEW_SEEDS = 5  # so many can be told apart as thin lines
NARROW = "containerSize()[0] < 500"  # a phone; a picture file has no container and is never narrow


@dataclass(frozen=True)
class Line:
    """How one competitor is drawn: its name, colour "#RRGGBB" and dash pattern ([1, 0] is
    solid).
    """

    name: str
    colour: str
    dash: tuple[int, ...] = (1, 0)


class _Height(NamedTuple):
    """The vertical axis: its title, ticks, domain, and how a tooltip writes its values."""

    title: str = "accuracy on the test points"
    axis: alt.Axis = PERCENT
    domain: Sequence[float] = (0.0, 1.0)
    log: bool = False
    format: str = ".2%"

    @property
    def scale(self) -> alt.Scale:
        return alt.Scale(
            type="log" if self.log else "linear", domain=list(self.domain), nice=False, clamp=True
        )


def accuracy_by_budget(
    budgets: Sequence[int], accuracy: Estimate, lines: Sequence[Line], dark: bool
) -> alt.LayerChart:
    """Does it help?

    Accuracy (m, b) against the budget on a log axis, with its interval as a band.
    """
    frame = _long(budgets, accuracy, lines, "budget")
    x = {
        "scale": _log(budgets),
        "axis": _ticks(budgets),
        "title": "budget: points trained on (log scale)",
    }
    return _lines(frame, "budget", x, lines, dark, last=max(budgets))


def accuracy_by_step(
    steps: Floats, curves: Floats, lines: Sequence[Line], what: str, dark: bool
) -> alt.LayerChart:
    """How does it learn? Accuracy (m, s, t) of every seed after each of the steps (t,), or epochs:
    `what` names them.

    Few seeds are thin lines under their mean, many are a band: its 95% interval.
    """
    mean = estimate(np.moveaxis(curves, 1, -1))
    frame = _long(steps, mean, lines, "at")
    x = {
        "scale": alt.Scale(nice=False),
        "axis": alt.Axis(tickCount=6, tickMinStep=1, grid=False, format=",d"),
        "title": what,
    }
    few = _each_seed(steps, curves, lines) if curves.shape[1] <= FEW_SEEDS else None
    return _lines(frame, "at", x, lines, dark, last=float(np.max(steps)), seeds=few)


def accuracy_by_labels(
    labels: Sequence[int], accuracy: Estimate, lines: Sequence[Line], dark: bool
) -> alt.LayerChart:
    """Which strategy needs the fewest labels?

    Accuracy (a, r) against the labels asked for, with a band.
    """
    x = {
        "scale": alt.Scale(nice=False, zero=False),
        "axis": alt.Axis(tickCount=6, grid=False, format=",d"),
        "title": "labels asked for",
    }
    return _lines(
        _long(labels, accuracy, lines, "labels"), "labels", x, lines, dark, last=max(labels)
    )


def risk_by_budget(
    budgets: Sequence[int],
    risk: Estimate,
    lines: Sequence[Line],
    dark: bool,
    domain: tuple[float, float] | None = None,
) -> alt.LayerChart:
    """Which batch tells most?

    Expected error (a, b) > 0 against the points picked, both on log axes, with a band. domain: of
    the risk.
    """
    floor = np.maximum(
        risk.low, risk.mean / 10
    )  # an interval of few seeds may reach below zero, which a log axis cannot show
    frame = _long(budgets, risk._replace(low=floor), lines, "budget")
    x = {"scale": _log(budgets), "axis": _ticks(budgets), "title": "points picked (log scale)"}
    low, high = domain or (float(frame["mean"].min()) / 1.3, float(frame["mean"].max()) * 1.3)
    decades = [
        10.0**i for i in range(int(np.ceil(np.log10(low))), int(np.floor(np.log10(high))) + 1)
    ]
    axis = alt.Axis(values=decades, format="~r")
    height = _Height("Bayes risk (log scale)", axis, [low, high], log=True, format=".4~g")
    return _lines(frame, "budget", x, lines, dark, last=max(budgets), height=height)


def accuracy_by_removed(
    budgets: Sequence[int], accuracy: Estimate, lines: Sequence[Line], dark: bool
) -> alt.LayerChart:
    """Does removing points help?

    Accuracy (m, b) against the points removed, 0 among them, with its interval as a band.
    """
    x = {
        "scale": alt.Scale(nice=False, zero=False),
        "axis": _ticks(budgets),
        "title": "points removed",
    }
    return _lines(
        _long(budgets, accuracy, lines, "removed"), "removed", x, lines, dark, last=max(budgets)
    )


def precision_by_removed(
    budgets: Sequence[int], precision: Estimate, lines: Sequence[Line], dark: bool
) -> alt.LayerChart:
    """Who finds what is planted?

    The share (m, b) of planted points among those removed, with its interval as a band.
    """
    x = {
        "scale": alt.Scale(nice=False, zero=False),
        "axis": _ticks(budgets),
        "title": "points removed",
    }
    frame = _long(budgets, precision, lines, "removed")
    height = _Height("planted among the removed", domain=_domain(frame[["low", "high"]]))
    return _lines(frame, "removed", x, lines, dark, last=max(budgets), height=height)


def replay(
    frame: pd.DataFrame, lines: Sequence[Line], dark: bool, height: int = HEIGHT
) -> alt.LayerChart:
    """How does it learn, epoch by epoch, under each protocol? A slider and a choice below the
    chart, answered in the browser alone.

    frame: columns protocol, name, epoch, accuracy (a mean over seeds).
    """
    last = int(frame["epoch"].max())
    protocols = list(dict.fromkeys(frame["protocol"]))
    epoch = alt.param(
        name="epoch", value=last, bind=alt.binding_range(min=1, max=last, step=1, name="epoch ")
    )
    protocol = alt.param(
        name="protocol",
        value=protocols[0],
        bind=alt.binding_radio(options=protocols, name="protocol "),
    )
    y = alt.Y(
        "accuracy:Q",
        title="accuracy on the test digits",
        scale=alt.Scale(domain=[0, 1]),
        axis=PERCENT,
    )
    x = alt.X(
        "epoch:Q",
        scale=alt.Scale(domain=[1, last + 3], nice=False),
        axis=alt.Axis(values=[1, 5, 10, 15], grid=False),
    )
    tooltip = ["name:N", "epoch:Q", alt.Tooltip("accuracy:Q", format=".1%")]
    shown = alt.Chart(frame).transform_filter("datum.protocol == protocol && datum.epoch <= epoch")
    shown = shown.encode(x=x, y=y, color=_colour(lines), tooltip=tooltip)
    drawn = shown.mark_line(strokeWidth=3).encode(strokeDash=_dash(lines))
    now = shown.transform_filter("datum.epoch == epoch")
    names = now.mark_text(align="left", dx=9, fontWeight="bold", fontSize=13).encode(text="name:N")
    layers = alt.layer(drawn, now.mark_point(filled=True, size=70, opacity=1), names).add_params(
        epoch, protocol
    )
    return finish(layers, dark, height, padding=CLOSE)


def difference_to_random(
    budgets: Sequence[int], difference: Estimate, lines: Sequence[Line], dark: bool
) -> alt.LayerChart:
    """By how much?

    Accuracy (m, b) above or below random, in points, one dot with its interval per budget; 0 is
    random.
    """
    frame = _long([f"{budget:,}" for budget in budgets], difference, lines, "budget", unit=100)
    names = [line.name for line in lines]
    base = alt.Chart(frame).encode(
        x=alt.X("budget:N", sort=None, title="budget", axis=alt.Axis(labelAngle=0, grid=False)),
        xOffset=alt.XOffset("name:N", sort=names),
        color=_colour(lines, _legend(dark)),
        tooltip=[
            "name:N",
            "budget:N",
            *(alt.Tooltip(f"{part}:Q", format="+.2f", title=said) for part, said in _PARTS.items()),
        ],
    )
    axis = alt.Axis(
        tickCount=6, labelExpr="datum.value == 0 ? 'random' : format(datum.value, '+.3~f')"
    )
    y = alt.Y("mean:Q", title="points of accuracy", axis=axis)
    bars = base.mark_rule(strokeWidth=2.5).encode(y="low:Q", y2="high:Q")
    shape = alt.Shape("name:N", scale=alt.Scale(domain=names))
    dots = base.mark_point(filled=True, size=90, opacity=1).encode(y=y, shape=shape)
    zero = (
        alt.Chart(pd.DataFrame({"y": [0.0]}))
        .mark_rule(strokeDash=[6, 4], color="#8C8C8C")
        .encode(y="y:Q")
    )
    return finish(
        alt.layer(zero, bars, dots), dark, HEIGHT + 18 * len(lines), padding=CLOSE
    )  # a phone's legend takes a row for each


def class_table(
    values: Floats, names: Sequence[str], classes: Sequence[str], dark: bool, *, share: bool
) -> alt.LayerChart:
    """For which class?

    One cell per competitor and class with its number inside, in per cent: accuracy, or the share of
    the selection.
    """
    m, c = values.shape
    frame = pd.DataFrame(
        {"name": np.repeat(names, c), "class": np.tile(classes, m), "value": values.ravel()}
    ).dropna()
    top = max(2 / c, float(frame["value"].max())) if share and len(frame) else 1.0
    colours, turn = CELLS[dark]
    scale = alt.Scale(domain=[0, top / 2, top], range=list(colours), interpolate="rgb")
    tilted = c > 12 or max(map(len, classes)) > 3
    base = alt.Chart(frame).encode(
        x=alt.X(
            "class:N",
            sort=list(classes),
            title="class",
            axis=alt.Axis(labelAngle=-45 if tilted else 0, **_PLAIN),
        ),
        y=alt.Y(
            "name:N",
            sort=list(names),
            title=None,
            axis=alt.Axis(labelLimit={"expr": f"{NARROW} ? 112 : 260"}, **_PLAIN),
        ),
        tooltip=[
            "name:N",
            "class:N",
            alt.Tooltip("value:Q", format=".1%", title="share" if share else "accuracy"),
        ],
    )
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


def _long(
    places: Sequence, estimate: Estimate, lines: Sequence[Line], x: str, unit: float = 1
) -> pd.DataFrame:
    """One row per competitor and place; what is not finished is left out."""
    m, b = estimate.mean.shape
    frame = pd.DataFrame({"name": np.repeat([line.name for line in lines], b), x: list(places) * m})
    for name in _PARTS:
        frame[name] = unit * getattr(estimate, name).ravel()
    frame = frame.dropna(subset="mean")
    return frame.assign(
        low=frame["low"].fillna(frame["mean"]), high=frame["high"].fillna(frame["mean"])
    )  # one seed: no interval


def _each_seed(steps: Floats, curves: Floats, lines: Sequence[Line]) -> pd.DataFrame:
    """One row per competitor, seed and step that is finished."""
    m, s, t = curves.shape
    frame = pd.DataFrame(
        {
            "name": np.repeat([line.name for line in lines], s * t),
            "seed": np.tile(np.repeat(np.arange(1, s + 1), t), m),
        }
    )
    return frame.assign(at=np.tile(steps, m * s), mean=curves.ravel()).dropna(subset="mean")


def _lines(
    frame: pd.DataFrame,
    at: str,
    x: dict,
    lines: Sequence[Line],
    dark: bool,
    last: float,
    seeds: pd.DataFrame | None = None,
    height: _Height | None = None,
) -> alt.LayerChart:
    """Bands (or single seeds), lines, dots and names. x: how the axis of the column `at` is drawn;
    last: its highest value, where the names begin; height: the vertical axis, by default of
    accuracies, as high as what is drawn.
    """
    height = height or _Height(
        domain=_domain(frame[["low", "high"]] if seeds is None else seeds[["mean"]])
    )
    scale = height.scale
    y = alt.Y("mean:Q", title=height.title, scale=scale, axis=height.axis)
    tooltip = ["name:N", alt.Tooltip(f"{at}:Q", format=",")]
    tooltip += [
        alt.Tooltip(f"{part}:Q", format=height.format, title=said) for part, said in _PARTS.items()
    ]
    across = alt.X(f"{at}:Q", **x)
    base = alt.Chart(frame).encode(x=across, color=_colour(lines), tooltip=tooltip)
    if seeds is None:
        beneath = base.mark_area(opacity=max(0.06, min(0.16, 0.5 / len(lines)))).encode(
            y=alt.Y("low:Q", scale=scale), y2="high:Q"
        )
    else:
        thin = alt.Chart(seeds).mark_line(strokeWidth=1, opacity=0.45)
        beneath = thin.encode(
            x=across, y=y, color=_colour(lines), detail="seed:N", tooltip=["name:N", "seed:N"]
        )
    drawn = base.mark_line(strokeWidth=2.5).encode(y=y, strokeDash=_dash(lines))
    dots = base.mark_point(filled=True, size=55, opacity=1).encode(y=y)
    ends = frame.sort_values(at).groupby("name", sort=False).tail(1)
    size = {"fontSize": {"expr": f"{NARROW} ? 11 : 13"}, "limit": {"expr": f"{NARROW} ? 112 : 260"}}
    names = alt.Chart(_apart(ends, height, last)).mark_text(
        align="left", dx=9, fontWeight="bold", **size
    )
    names = names.encode(
        x=alt.X("end:Q", **x), y=alt.Y("height:Q", scale=scale), text="name:N", color=_colour(lines)
    )
    return finish(alt.layer(beneath, drawn, dots, names), dark, HEIGHT, padding=CLOSE)


def _domain(drawn: pd.DataFrame) -> list[float]:
    """Of the accuracy axis: all that is drawn and a little more, within [0, 1]."""
    values = drawn.to_numpy(float)
    low, high = (values.min(), values.max()) if values.size else (0.0, 1.0)
    return [max(0.0, float(low) - 0.02), min(1.0, max(float(high), 0.1) + 0.01)]


def _apart(ends: pd.DataFrame, axis: _Height, last: float) -> pd.DataFrame:
    """Where each line's name stands: right of the picture, at the height of its last point, pushed
    apart where two would overlap.
    """
    ends = ends.sort_values("mean")
    domain = np.log10(axis.domain) if axis.log else axis.domain
    heights = (
        np.log10(ends["mean"].to_numpy(float)) if axis.log else ends["mean"].to_numpy(float).copy()
    )
    gap = NAME_GAP * (domain[1] - domain[0])
    for i in range(1, len(heights)):
        heights[i] = max(heights[i], heights[i - 1] + gap)
    for i in range(len(heights) - 1, -1, -1):  # and back down from the top edge
        heights[i] = min(heights[i], domain[1] - gap * (len(heights) - 1 - i))
    return pd.DataFrame(
        {
            "name": ends["name"].to_numpy(),
            "end": float(last),
            "height": 10**heights if axis.log else heights,
        }
    )


def _colour(lines: Sequence[Line], legend: alt.Legend | None = None) -> alt.Color:
    scale = alt.Scale(domain=[line.name for line in lines], range=[line.colour for line in lines])
    return alt.Color("name:N", scale=scale, legend=legend)


def _legend(dark: bool) -> alt.Legend:
    """Above the picture: three names in a row, one on a phone."""
    columns = {"expr": f"{NARROW} ? 1 : 3"}
    ink = "#C9CFD6" if dark else "#4A5058"
    return alt.Legend(
        title=None,
        orient="top",
        columns=columns,
        symbolOpacity=1,
        labelLimit=260,
        labelFontSize=13,
        labelColor=ink,
    )


def _dash(lines: Sequence[Line]) -> alt.StrokeDash:
    scale = alt.Scale(
        domain=[line.name for line in lines], range=[list(line.dash) for line in lines]
    )
    return alt.StrokeDash("name:N", scale=scale, legend=None)


def _log(budgets: Sequence[int]) -> alt.Scale:
    low = min(budgets)
    high = max(budgets)
    return alt.Scale(
        type="log", domain=[low, high] if high > low else [low / 2, low * 2], nice=False
    )


def _ticks(budgets: Sequence[int]) -> alt.Axis:
    return alt.Axis(
        values=sorted(budgets), format=",d", grid=False, labelOverlap=True, labelFlush=False
    )
