"""The course of an experiment -> Altair charts, one function per question: does it help, how does
it learn, which strategy needs the fewest labels?

A line is one competitor: colour and dash are the caller's (`Line`), random is grey and dashed on
every chart. Bands are 95% intervals over seeds, small dots single seeds. Names stand at the ends of
the lines, pushed apart where they would overlap. Accuracies are in per cent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import altair as alt
import numpy as np
import pandas as pd

from core.charts.common import (
    CLOSE,
    PARTS,
    Line,
    axis_ink,
    estimate_tips,
    finish,
    line_colour,
    line_dash,
    with_bounds,
)
from core.experiments.statistics import (
    Estimate,
    factor_estimate,
    loss_estimate,
    share_estimate,
)
from core.types import Floats

PERCENT = alt.Axis(format="%", tickCount=6)
HEIGHT = 400  # of a chart
NAME_GAP = 0.055  # between two names, as a share of the height
ROOM = 1.5  # times the highest dot of a loss: so high its axis is at most
LEAST_EXCESS = 1e-4
MOST_EXCESS = 1e4  # of a loss beyond the least possible: what is more stands at the upper edge
FEW_SEEDS = 5  # so many can be told apart as thin lines
NARROW = "containerSize()[0] < 500"  # a phone; a picture file has no container and is never narrow
# 0.01 -> "+1%", 1 -> "double", 10 -> "10 times more"; on a phone "×2" and "×11"
EXCESS_WORDS = (
    "datum.value < 0.999 ? '+' + format(100 * datum.value, '~r') + '%' :"
    f" {NARROW} ? '×' + format(1 + datum.value, ',.0f') : datum.value < 1.001 ? 'double' :"
    " format(datum.value, ',.0f') + ' times more'"
)


class _Across(NamedTuple):
    """The horizontal axis: the column it shows, its title, ticks, scale and last value."""

    column: str
    title: str
    axis: alt.Axis
    scale: alt.Scale
    last: float

    def of(self, column: str) -> alt.X:
        """This column of a frame along the axis."""
        return alt.X(f"{column}:Q", title=self.title, axis=self.axis, scale=self.scale)


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
    budgets: Sequence[int],
    accuracy: Floats,
    lines: Sequence[Line],
    dark: bool,
    beside: Sequence[Floats] = (),
) -> alt.LayerChart:
    """Does it help?

    Accuracy (m, b, s) against the budget on a log axis: every seed a dot, their mean a line with
    its interval as a band. beside: accuracies in the picture beside it, whose axis is the same.
    """
    x = _budgets("budget: points trained on (log scale)", budgets)
    return _shares(budgets, accuracy, x, lines, dark, beside=beside)


def accuracy_by_step(
    steps: Floats, curves: Floats, lines: Sequence[Line], what: str, dark: bool
) -> alt.LayerChart:
    """How does it learn? Accuracy (m, s, t) of every seed after each of the steps (t,), or epochs:
    `what` names them.

    Few seeds are thin lines under their mean, many are a band: its 95% interval.
    """
    mean = share_estimate(np.moveaxis(curves, 1, -1))
    frame = one_row_per_place(steps, mean, lines, "at")
    axis = alt.Axis(tickCount=6, tickMinStep=1, grid=False, format=",d")
    x = _Across("at", what, axis, alt.Scale(nice=False), float(np.max(steps)))
    few = one_row_per_seed(steps, curves, lines) if curves.shape[1] <= FEW_SEEDS else None
    return _curves(frame, x, lines, dark, seeds=few)


def accuracy_by_labels(
    labels: Sequence[int], accuracy: Floats, lines: Sequence[Line], dark: bool
) -> alt.LayerChart:
    """Which strategy needs the fewest labels?

    Accuracy (a, r, s) against the labels asked for: every seed a dot, their mean a line with a
    band.
    """
    return _shares(labels, accuracy, _labels_asked(labels), lines, dark)


def loss_by_labels(
    labels: Sequence[int], loss: Floats, lines: Sequence[Line], dark: bool
) -> alt.LayerChart:
    """Which strategy needs the fewest labels in a regression?

    Squared error (a, r, s) on the test points against the labels asked for, drawn as accuracies
    are. A band of few seeds may reach many times as far as any of them: the axis ends at `ROOM` of
    the highest dot, and its title says so.
    """
    frame = one_row_per_place(labels, loss_estimate(loss), lines, "labels")
    seeds = one_row_per_seed(labels, np.moveaxis(loss, -1, 1), lines, "labels")
    drawn = np.concatenate([frame["low"], frame["high"], seeds["mean"]])
    most = ROOM * float(seeds["mean"].max()) if drawn.size else 1.0
    cut = bool(drawn.size) and float(drawn.max()) > most
    top = most if cut else 1.05 * float(drawn.max(initial=0.95))
    domain = [0.95 * float(drawn.min()) if drawn.size else 0.0, top]
    axis = alt.Axis(tickCount=6, format=",~r")
    title = f"squared test error (lower is better{'; bands cut' if cut else ''})"
    height = _Height(title, axis, domain, format=",.4~g")
    return _curves(frame, _labels_asked(labels), lines, dark, height, dots=seeds)


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
    # An interval of few seeds may reach below zero, which a log axis cannot show.
    floor = np.maximum(risk.low, risk.mean / 10)
    frame = one_row_per_place(budgets, risk._replace(low=floor), lines, "budget")
    low, high = domain or (float(frame["mean"].min()) / 1.3, float(frame["mean"].max()) * 1.3)
    decades = range(int(np.ceil(np.log10(low))), int(np.floor(np.log10(high))) + 1)
    axis = alt.Axis(values=[10.0**i for i in decades], format="~r")
    height = _Height("Bayes risk (log scale)", axis, [low, high], log=True, format=".4~g")
    return _curves(frame, _budgets("points picked (log scale)", budgets), lines, dark, height)


def loss_by_labels_bought(
    budgets: Sequence[int],
    ratio: Floats,
    bound: Floats,
    rank: int,
    lines: Sequence[Line],
    dark: bool,
) -> alt.LayerChart:
    """What does a fit to few labels lose?

    The part of the loss on all rows that lies above the least possible (a, b, s), on log axes:
    every draw a dot, their geometric mean a line with a band. bound (b,): the shape of the
    guarantee, dotted. rank: an upright line. What lies above ten thousand times the least stands
    at the upper edge.
    """
    above = np.clip(ratio - 1, LEAST_EXCESS, None)
    estimate = factor_estimate(above)
    capped = estimate._replace(**{p: np.minimum(getattr(estimate, p), MOST_EXCESS) for p in PARTS})
    frame = one_row_per_place(budgets, capped, lines, "budget")
    drawn = np.minimum(above, MOST_EXCESS)
    seeds = one_row_per_seed(budgets, np.moveaxis(drawn, -1, 1), lines, "budget")
    shown = seeds["mean"].to_numpy()
    low, high = (shown.min(), shown.max()) if len(shown) else (0.01, 10.0)
    decades = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    axis = alt.Axis(values=list(10.0**decades), labelExpr=EXCESS_WORDS)
    title = "above the least possible (log scale)"
    height = _Height(title, axis, [low / 1.3, high * 1.3], log=True, format=".3~g")
    x = _budgets("labels bought (log scale)", budgets)
    curves = _curves(frame, x, lines, dark, height, dots=seeds)
    return curves + _bounds(budgets, bound - 1, rank, x, height, dark)


def _bounds(
    budgets: Sequence[int], bound: Floats, rank: int, x: _Across, height: _Height, dark: bool
) -> alt.LayerChart:
    """The guarantee's shape as a dotted line, and where as many labels are bought as directions
    exist.
    """
    ink = axis_ink(dark)
    frame = pd.DataFrame({"budget": budgets, "mean": bound}).dropna()
    frame = frame[frame["mean"].between(*height.domain)]
    y = alt.Y("mean:Q", scale=height.scale, axis=height.axis, title=height.title)
    shape = alt.Chart(frame).mark_line(strokeDash=[1, 4], strokeWidth=2.5, color=ink)
    layers = [shape.encode(x=x.of("budget"), y=y, tooltip=alt.value("shape of the guarantee"))]
    if min(budgets) < rank < max(budgets):
        here = alt.Chart(pd.DataFrame({"rank": [rank], "said": [f"rank {rank:,}"]}))
        layers.append(here.mark_rule(color=ink, strokeDash=[6, 4]).encode(x=x.of("rank")))
        seen = {"expr": f"{NARROW} ? 0 : 1"}
        word = here.mark_text(
            align="left", dx=5, y="height", dy=-8, color=ink, fontSize=12, opacity=seen
        )
        layers.append(word.encode(x=x.of("rank"), text="said:N"))
    return alt.layer(*layers)


def accuracy_by_labels_bought(
    budgets: Sequence[int], accuracy: Floats, lines: Sequence[Line], dark: bool
) -> alt.LayerChart:
    """Does the loss tell how often a class is right?

    Accuracy (a, b, s) of the fits on the test part: every draw a dot, their mean a line with a
    band.
    """
    return _shares(budgets, accuracy, _budgets("labels bought (log scale)", budgets), lines, dark)


def accuracy_by_removed(
    budgets: Sequence[int], accuracy: Floats, lines: Sequence[Line], dark: bool
) -> alt.LayerChart:
    """Does removing points help?

    Accuracy (m, b, s) against the points removed, 0 among them: every seed a dot, their mean a line
    with its interval as a band.
    """
    return _shares(budgets, accuracy, _removed(budgets), lines, dark)


def precision_by_removed(
    budgets: Sequence[int], precision: Floats, lines: Sequence[Line], dark: bool
) -> alt.LayerChart:
    """Who finds what is planted?

    The share (m, b, s) of planted points among those removed, with its interval as a band.
    """
    title = "planted among the removed"
    return _shares(budgets, precision, _removed(budgets), lines, dark, title)


def one_row_per_place(
    places: Sequence, estimate: Estimate, lines: Sequence[Line], x: str, unit: float = 1
) -> pd.DataFrame:
    """One row per competitor and place (in column x); what is not finished is left out."""
    m, b = estimate.mean.shape
    frame = pd.DataFrame({"name": np.repeat([line.name for line in lines], b), x: list(places) * m})
    for part in PARTS:
        frame[part] = unit * getattr(estimate, part).ravel()
    return with_bounds(frame)


def _shares(
    places: Sequence,
    values: Floats,
    x: _Across,
    lines: Sequence[Line],
    dark: bool,
    title: str = _Height().title,
    beside: Sequence[Floats] = (),
) -> alt.LayerChart:
    """Accuracies or other shares (m, b, s): dots of the seeds behind means with their bands."""
    frame = one_row_per_place(places, share_estimate(values), lines, x.column)
    seeds = one_row_per_seed(places, np.moveaxis(values, -1, 1), lines, x.column)
    drawn = [frame[["low", "high"]].stack(), seeds["mean"]]
    for others in beside:
        found = share_estimate(others)
        drawn += [pd.Series(part.ravel()) for part in (found.low, found.high, others)]
    height = _Height(title, domain=_domain(pd.concat(drawn).dropna()))
    return _curves(frame, x, lines, dark, height, dots=seeds)


def one_row_per_seed(
    steps: Sequence, curves: Floats, lines: Sequence[Line], x: str = "at"
) -> pd.DataFrame:
    """One row per competitor, seed and step (in column x) that is finished. curves (m, s, t)."""
    m, s, t = curves.shape
    frame = pd.DataFrame({"name": np.repeat([line.name for line in lines], s * t)})
    frame["seed"] = np.tile(np.repeat(np.arange(1, s + 1), t), m)
    frame[x] = np.tile(steps, m * s)
    return frame.assign(mean=curves.ravel()).dropna(subset="mean")


def _curves(
    frame: pd.DataFrame,
    x: _Across,
    lines: Sequence[Line],
    dark: bool,
    height: _Height | None = None,
    seeds: pd.DataFrame | None = None,
    dots: pd.DataFrame | None = None,
) -> alt.LayerChart:
    """Bands (or single seeds as thin lines), lines, marks and names.

    height: the vertical axis, by default of accuracies, as high as what is drawn. dots: of single
    seeds, drawn behind the means.
    """
    reached = frame[["low", "high"]] if seeds is None else seeds[["mean"]]
    height = height or _Height(domain=_domain(reached))
    y = alt.Y("mean:Q", title=height.title, scale=height.scale, axis=height.axis)
    tooltip = ["name:N", alt.Tooltip(f"{x.column}:Q", format=","), *estimate_tips(height.format)]
    base = alt.Chart(frame).encode(x=x.of(x.column), color=line_colour(lines), tooltip=tooltip)
    if seeds is None:
        pale = base.mark_area(opacity=max(0.06, min(0.16, 0.5 / len(lines))))
        beneath = pale.encode(y=alt.Y("low:Q", scale=height.scale), y2="high:Q")
    else:
        thin = alt.Chart(seeds).mark_line(strokeWidth=1, opacity=0.45)
        thin = thin.encode(x=x.of(x.column), y=y, color=line_colour(lines))
        beneath = thin.encode(detail="seed:N", tooltip=["name:N", "seed:N"])
    drawn = base.mark_line(strokeWidth=2.5).encode(y=y, strokeDash=line_dash(lines))
    layers = [beneath]
    if dots is not None:
        each = alt.Chart(dots).mark_point(filled=True, size=16, opacity=0.35)
        each = each.encode(x=x.of(x.column), y=y, color=line_colour(lines))
        said = ["name:N", "seed:N", alt.Tooltip("mean:Q", format=height.format, title="value")]
        layers.append(each.encode(tooltip=said))
    marks = base.mark_point(filled=True, size=55, opacity=1).encode(y=y)
    layers += [drawn, marks, _names(frame, x, height, lines)]
    return finish(alt.layer(*layers), dark, HEIGHT, padding=CLOSE)


def _names(frame: pd.DataFrame, x: _Across, height: _Height, lines: Sequence[Line]) -> alt.Chart:
    """Each competitor's name at the end of its line."""
    ends = frame.sort_values(x.column).groupby("name", sort=False).tail(1)
    size = {"fontSize": {"expr": f"{NARROW} ? 11 : 13"}, "limit": {"expr": f"{NARROW} ? 112 : 260"}}
    names = alt.Chart(_apart(ends, height, x.last))
    names = names.mark_text(align="left", dx=9, fontWeight="bold", **size)
    up = alt.Y("height:Q", scale=height.scale)
    return names.encode(x=x.of("end"), y=up, text="name:N", color=line_colour(lines))


def _domain(drawn: pd.DataFrame | pd.Series) -> list[float]:
    """Of the accuracy axis: all that is drawn and a little more, within [0, 1]."""
    values = drawn.to_numpy(float)
    low, high = (values.min(), values.max()) if values.size else (0.0, 1.0)
    return [max(0.0, float(low) - 0.02), min(1.0, max(float(high), 0.1) + 0.01)]


def _apart(ends: pd.DataFrame, axis: _Height, last: float) -> pd.DataFrame:
    """Where each line's name stands: right of the picture, at the height of its last point, pushed
    apart where two would overlap.
    """
    ends = ends.sort_values("mean")
    heights = ends["mean"].to_numpy(float).copy()
    bottom, top = np.log10(axis.domain) if axis.log else axis.domain
    heights = np.log10(heights) if axis.log else heights
    gap = NAME_GAP * (top - bottom)
    for i in range(1, len(heights)):
        heights[i] = max(heights[i], heights[i - 1] + gap)
    for i in range(len(heights) - 1, -1, -1):  # and back down from the top edge
        heights[i] = min(heights[i], top - gap * (len(heights) - 1 - i))
    frame = pd.DataFrame({"name": ends["name"].to_numpy(), "end": float(last)})
    return frame.assign(height=10**heights if axis.log else heights)


def _budgets(title: str, budgets: Sequence[int]) -> _Across:
    """Budgets on a log axis, each with its tick."""
    low = min(budgets)
    high = max(budgets)
    domain = [low, high] if high > low else [low / 2, low * 2]
    scale = alt.Scale(type="log", domain=domain, nice=False)
    return _Across("budget", title, _ticks(budgets), scale, high)


def _labels_asked(labels: Sequence[int]) -> _Across:
    axis = alt.Axis(tickCount=6, grid=False, format=",d")
    return _Across("labels", "labels asked for", axis, _plain(), max(labels))


def _removed(budgets: Sequence[int]) -> _Across:
    return _Across("removed", "points removed", _ticks(budgets), _plain(), max(budgets))


def _plain() -> alt.Scale:
    return alt.Scale(nice=False, zero=False)


def _ticks(budgets: Sequence[int]) -> alt.Axis:
    return alt.Axis(
        values=sorted(budgets), format=",d", grid=False, labelOverlap=True, labelFlush=False
    )
