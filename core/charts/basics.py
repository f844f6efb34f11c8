"""Small tidy arrays -> Altair charts, one function per question. Titles stand as text above a
chart, never inside it.

What their colours mean stands in core/charts/palette.py.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from core.charts import palette
from core.charts.palette import CHANCE, CORRELATION, FAMILIES, TOP, family_colour

CLOSE = dict.fromkeys(("left", "top", "right", "bottom"), 2)  # pixels around a chart
# For charts with a brush: in SVG it would be marks without a name, at which screen readers stumble.
ON_CANVAS = {"embedOptions": {"renderer": "canvas"}}


@dataclass(frozen=True, eq=False)
class Colour:
    """What colours a map: a title, one value per point, and the names of the values if they are
    groups (none: numbers).
    """

    title: str
    values: np.ndarray
    names: tuple[str, ...]


def finish(chart: alt.Chart | alt.LayerChart, dark: bool, height: int = 170, **more: Any):
    """The chart at its height, with axis text dark (or light) enough to read from the back row."""
    ink = "#C9CFD6" if dark else "#4A5058"
    return chart.properties(height=height, **more).configure_axis(
        labelColor=ink, titleColor=ink, titleFontWeight="normal"
    )


def histogram_bins(scores: np.ndarray, bins: int = 60) -> tuple[np.ndarray, np.ndarray, bool]:
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


def score_histogram(
    scores: np.ndarray, label: str, colour: str, kept: tuple[float, float] | None, dark: bool
) -> alt.Chart:
    """How are the scores spread?

    Bars of equal width in score; dragging selects a range, parameter "range".
    """
    edges, counts, log = histogram_bins(scores)
    low, high = kept or (-np.inf, np.inf)
    frame = pd.DataFrame(
        {
            "from": edges[:-1],
            "to": edges[1:],
            "points": counts,
            "inside": (edges[1:] > low) & (edges[:-1] < high),
        }
    )
    frame["floor"] = 0
    scale = alt.Scale(type="log" if log else "linear", domain=[edges[0], edges[-1]], nice=False)
    axis = alt.Axis(grid=False, tickCount=4, format="~g", labelOverlap=True)
    bars = (
        alt.Chart(frame)
        .mark_rect(color=colour)
        .encode(
            x=alt.X(
                "from:Q", title=f"{label}{', log scale' if log else ''}", scale=scale, axis=axis
            ),
            x2="to:Q",
            y=alt.Y("points:Q", title="points", axis=alt.Axis(tickCount=4, format="~s")),
            y2="floor:Q",
            opacity=alt.condition("datum.inside", alt.value(1.0), alt.value(0.25)),
            tooltip=[
                alt.Tooltip("from:Q", format=".4~g"),
                alt.Tooltip("to:Q", format=".4~g"),
                alt.Tooltip("points:Q", format=","),
            ],
        )
    )
    return finish(
        bars.add_params(alt.selection_interval(name="range", encodings=["x"])),
        dark,
        usermeta=ON_CANVAS,
    )


def class_shares(
    names: tuple[str, ...], chosen: np.ndarray, everyone: np.ndarray, dark: bool
) -> alt.LayerChart:
    """Which classes are over-represented?

    Share of each class among the chosen points, beside a tick at its share of all points.
    """
    frame = pd.DataFrame({"class": names, "chosen": chosen, "all": everyone})
    x = alt.X(
        "class:N",
        sort=list(names),
        title=None,
        axis=alt.Axis(
            labelAngle=0 if len(names) <= 12 and max(map(len, names)) < 4 else -45, grid=False
        ),
    )
    tooltip = [
        alt.Tooltip("class:N"),
        alt.Tooltip("chosen:Q", format=".1%", title="of these points"),
        alt.Tooltip("all:Q", format=".1%", title="of all points"),
    ]
    bars = (
        alt.Chart(frame)
        .mark_bar(color=TOP)
        .encode(
            x=x,
            y=alt.Y("chosen:Q", title="share", axis=alt.Axis(format="%", tickCount=4)),
            tooltip=tooltip,
        )
    )
    ticks = (
        alt.Chart(frame)
        .mark_tick(color=CHANCE, thickness=3)
        .encode(x=x, y="all:Q", tooltip=tooltip)
    )
    return finish(alt.layer(bars, ticks), dark)


def heatmap(
    matrix: np.ndarray,
    names: list[str],
    families: list[str],
    tips: list[dict],
    picked: tuple[int, int] | None,
    correlation: bool,
    dark: bool,
) -> alt.LayerChart:
    """Do these rankings agree? One cell per pair, its value inside; a click picks a cell, parameter
    "cell" with fields row, column.

    families: the embedding family of each ranking; its colour stands as a strip beside the names,
    and a gap where it changes. tips: one dict per cell, row by row, of what its tooltip says beside
    the value.
    """
    m = len(names)
    rows, columns = np.divmod(np.arange(m * m), m)
    frame = pd.DataFrame(
        {
            "row": rows,
            "column": columns,
            "a": [names[i] for i in rows],
            "b": [names[j] for j in columns],
            "value": matrix.ravel(),
        }
    )
    frame = frame.join(pd.DataFrame(tips))
    frame["picked"] = [
        picked is not None and {i, j} == set(picked) for i, j in zip(rows, columns, strict=True)
    ]
    x, y = _names_axes(names)
    tooltip = [
        alt.Tooltip("a:N", title="ranking"),
        alt.Tooltip("b:N", title="and"),
        alt.Tooltip("value:Q", format=".3f"),
        *(alt.Tooltip(f"{n}:N") for n in tips[0]),
    ]
    base = alt.Chart(frame).encode(x=x, y=y, tooltip=tooltip)
    scale = alt.Scale(domain=[-1, 0, 1], range=list(CORRELATION), interpolate="rgb")
    scale = (
        scale
        if correlation
        else alt.Scale(domain=[0, 1], range=list(CORRELATION[1:]), interpolate="rgb")
    )
    cells = base.mark_rect(cursor="pointer").encode(
        color=alt.Color("value:Q", scale=scale, legend=None)
    )
    frames = base.transform_filter("datum.picked").mark_rect(
        fillOpacity=0, stroke="#000000", strokeWidth=2.5, cursor="pointer"
    )
    texts = base.mark_text(
        fontSize=11 if m <= 20 else 8, opacity={"expr": f"width > {m * 24} ? 1 : 0"}
    ).encode(
        text=alt.Text("value:Q", format=".2f"),
        color=alt.condition("datum.value < -0.93", alt.value("#FFFFFF"), alt.value("#000000")),
    )
    click = alt.selection_point(name="cell", fields=["row", "column"], on="click", clear=False)
    layers = alt.layer(
        cells.add_params(click), *_family_marks(names, families, x, y, dark), texts, frames
    )
    return finish(layers.resolve_scale(color="independent"), dark, heatmap_height(m), padding=CLOSE)


def heatmap_height(m: int) -> int:
    """The height in pixels at which m rankings and their names can be read."""
    return max(220, min(640, 30 * m + 130))


def _names_axes(names: list[str]) -> tuple[alt.X, alt.Y]:
    """The rankings along both sides of the heatmap, every one with its name, with room for the
    strips of colour.
    """
    axis = alt.Axis(
        title=None,
        labelLimit=140,
        labelOverlap=False,
        ticks=False,
        domain=False,
        grid=False,
        offset=9,
        labelPadding=4,
    )
    scale = alt.Scale(paddingInner=0, paddingOuter=0)
    return alt.X("b:N", sort=names, axis=axis, scale=scale), alt.Y(
        "a:N", sort=names, axis=axis, scale=scale
    )


def _family_marks(
    names: list[str], families: list[str], x: alt.X, y: alt.Y, dark: bool
) -> list[alt.Chart]:
    """Strips in the families' colours along both sides of the heatmap, and gaps between one family
    and the next.

    A strip carries the place of its ranking, so that a click on it is a click on the diagonal.
    """
    places = list(range(len(names)))
    frame = pd.DataFrame(
        {"row": places, "column": places, "a": names, "b": names, "family": families}
    )
    colours = alt.Scale(
        domain=list(FAMILIES), range=[family_colour(family, dark) for family in FAMILIES]
    )
    base = alt.Chart(frame).encode(
        color=alt.Color("family:N", scale=colours, legend=None),
        tooltip=[alt.Tooltip("a:N", title="ranking"), "family:N"],
    )
    beside = base.mark_rect().encode(y=y, x=alt.value(-9), x2=alt.value(-4))
    below = base.mark_rect().encode(
        x=x, y=alt.value({"expr": "height + 4"}), y2=alt.value({"expr": "height + 9"})
    )
    first = frame.iloc[[i for i in places[1:] if families[i] != families[i - 1]]]
    if first.empty:
        return [beside, below]
    gap = alt.Chart(first).mark_rule(color="#101418" if dark else "#FFFFFF", strokeWidth=3)
    starts = x.copy(), y.copy()
    for start in starts:
        start.bandPosition = 0
    return [beside, below, gap.encode(x=starts[0]), gap.encode(y=starts[1])]


def rank_plane(counts: np.ndarray, a: str, b: str, dark: bool) -> alt.Chart:
    """Where do two rankings part?

    Number of points in each cell of the plane of their percentiles; the diagonal is agreement.
    """
    bins = len(counts)
    rows, columns = np.nonzero(counts)
    frame = pd.DataFrame(
        {
            "a": columns / bins * 100,
            "a2": (columns + 1) / bins * 100,
            "b": rows / bins * 100,
            "b2": (rows + 1) / bins * 100,
        }
    )
    frame["points"] = counts[rows, columns]
    colours = {
        "scale": alt.Scale(range=palette.score_colours(dark), interpolate="rgb", type="sqrt"),
        "legend": None,
    }
    axis = {
        "scale": alt.Scale(domain=[0, 100], nice=False),
        "axis": alt.Axis(grid=False, tickCount=5),
    }
    chart = (
        alt.Chart(frame)
        .mark_rect(strokeWidth=0.6)  # in the cell's own colour: no seams between cells
        .encode(
            x=alt.X("a:Q", title=f"percentile under {a}", **axis),
            x2="a2:Q",
            y=alt.Y("b:Q", title=f"percentile under {b}", **axis),
            y2="b2:Q",
            fill=alt.Fill("points:Q", **colours),
            stroke=alt.Stroke("points:Q", **colours),
            tooltip=[
                alt.Tooltip("a:Q", title=f"percentile, {a}"),
                alt.Tooltip("b:Q", title=f"percentile, {b}"),
                alt.Tooltip("points:Q", format=","),
            ],
        )
    )
    return finish(chart, dark, height=340, padding=CLOSE).configure_view(
        fill=palette.score_colours(dark)[0], stroke=None
    )


def scatter(
    coordinates: np.ndarray,
    colour: Colour,
    inner: np.ndarray,
    box: tuple | None,
    *,
    brush: bool,
    dark: bool,
    height: int = 560,
) -> alt.LayerChart:
    """Where do the points lie? One dot per point, at equal aspect; points outside the box are grey;
    a drag is parameter "box".

    box: (x0, x1, y0, y1), drawn as a frame; it is data, not description, so that a drag redraws no
    more than it must.
    """
    frame = pd.DataFrame({"x": coordinates[:, 0], "y": coordinates[:, 1], "inner": inner})
    frame["value"] = colour.values.astype(np.int16 if colour.names else np.float32)
    frame["above"] = (inner * (1 + (colour.values if _is_choice(colour) else 0))).astype(np.int8)
    encoded = alt.Color(
        "value:N" if colour.names else "value:Q", scale=_colours(colour, dark), legend=None
    )
    dots = (
        alt.Chart(frame)
        .mark_circle(size=9 if len(frame) > 20_000 else 22, opacity=0.7, stroke=None)
        .encode(
            *_square(coordinates),
            color=alt.condition(
                "datum.inner", encoded, alt.value("#39424C" if dark else "#DDE1E5")
            ),
            order="above:Q",
            tooltip=alt.value({"expr": _told(colour)}),
        )
    )
    if brush:
        dots = dots.add_params(alt.selection_interval(name="box", encodings=["x", "y"]))
    corners = pd.DataFrame(
        [
            dict(
                zip(
                    ("x", "x2", "y", "y2", "shown"),
                    (*(box or (0, 0, 0, 0)), int(box is not None)),
                    strict=True,
                )
            )
        ]
    )
    edge = alt.Chart(corners).mark_rect(
        fillOpacity=0, stroke="#FFFFFF" if dark else "#000000", strokeDash=[4, 3]
    )
    edge = edge.encode(
        x="x:Q",
        x2="x2:Q",
        y="y:Q",
        y2="y2:Q",
        strokeOpacity=alt.StrokeOpacity("shown:Q", scale=None),
    )
    layers = alt.layer(
        dots, edge, *(_class_names(coordinates, colour, dark) if colour.title == "class" else [])
    )
    return finish(layers, dark, height, padding=CLOSE, usermeta=ON_CANVAS)


def _told(colour: Colour) -> str:
    """What a dot's tooltip says: its value, or the name of its group, as a Vega expression."""
    value = (
        f"{json.dumps(colour.names)}[datum.value]" if colour.names else "format(datum.value, '.1f')"
    )
    return f"{{{json.dumps(colour.title)}: {value}}}"


def _square(coordinates: np.ndarray) -> tuple[alt.X, alt.Y]:
    """Axes without ticks whose units have the same length, whatever the size of the picture."""
    low = coordinates.min(axis=0)
    high = coordinates.max(axis=0)
    half = float((high - low).max()) / 2 * 1.03 or 1.0
    sides = []
    for axis, (kind, other) in enumerate((("width", "height"), ("height", "width"))):
        middle = float(low[axis] + high[axis]) / 2
        reach = f"{half} * max(1, {kind} / {other})"
        scale = alt.Scale(
            domainMin={"expr": f"{middle} - {reach}"},
            domainMax={"expr": f"{middle} + {reach}"},
            zero=False,
            nice=False,
        )
        sides.append((alt.X, alt.Y)[axis](f"{'xy'[axis]}:Q", scale=scale, axis=None))
    return sides[0], sides[1]


def _is_choice(colour: Colour) -> bool:
    return (
        len(colour.names) == 2 and colour.title != "class"
    )  # the others and the chosen; two classes are equals


def _colours(colour: Colour, dark: bool) -> alt.Scale:
    if _is_choice(colour):
        return alt.Scale(domain=[0, 1], range=palette.chosen_colours(dark))
    if colour.names:
        return alt.Scale(
            domain=list(range(len(colour.names))),
            range=[palette.class_colour(i) for i in range(len(colour.names))],
        )
    if colour.values.min() < 0:
        return alt.Scale(
            domain=[-100, 0, 100], range=palette.difference_colours(dark), interpolate="rgb"
        )
    return alt.Scale(domain=[0, 100], range=palette.score_colours(dark), interpolate="rgb")


def _class_names(coordinates: np.ndarray, colour: Colour, dark: bool) -> list[alt.Chart]:
    """The name of each class at the middle of its points, so that colour is not the only sign."""
    present = [c for c in range(len(colour.names)) if (colour.values == c).any()]
    middles = np.array([np.median(coordinates[colour.values == c], axis=0) for c in present])
    frame = pd.DataFrame(
        {"x": middles[:, 0], "y": middles[:, 1], "name": [colour.names[c] for c in present]}
    )
    paper, ink = ("#101418", "#FFFFFF") if dark else ("#FFFFFF", "#0B0D0F")
    base = alt.Chart(frame).encode(x="x:Q", y="y:Q", text="name:N")
    halo = base.mark_text(
        fontSize=17, fontWeight="bold", stroke=paper, strokeWidth=5, strokeJoin="round", color=paper
    )
    return [halo, base.mark_text(fontSize=17, fontWeight="bold", color=ink)]


def percentile_strip(frame: pd.DataFrame, dark: bool) -> alt.LayerChart:
    """Where does one point stand under each ranking? One row per ranking, one dot per seed, 0 =
    lowest score, 100 = highest.

    frame: columns ranking, family, seed, score, rank, percentile.
    """
    families = list(FAMILIES)
    colours = alt.Scale(domain=families, range=[family_colour(family, dark) for family in families])
    x = alt.X(
        "percentile:Q",
        scale=alt.Scale(domain=[0, 100]),
        title="percentile",
        axis=alt.Axis(tickCount=5),
    )
    order = (
        frame.groupby("ranking")["percentile"].mean().sort_values(ascending=False).index.tolist()
    )
    y = alt.Y(
        "ranking:N", sort=order, title=None, axis=alt.Axis(labelLimit=260, labelOverlap=False)
    )
    tooltip = [
        "ranking:N",
        "seed:Q",
        alt.Tooltip("percentile:Q", format=".1f"),
        alt.Tooltip("rank:Q", format=","),
        alt.Tooltip("score:Q", format=".4~g"),
    ]
    base = alt.Chart(frame).encode(y=y)
    track = base.mark_rule(opacity=0.06).encode(x=alt.datum(0), x2=alt.datum(100))
    dots = base.mark_circle(size=90, opacity=0.9).encode(
        x=x, color=alt.Color("family:N", scale=colours, legend=None), tooltip=tooltip
    )
    return finish(
        alt.layer(track, dots), dark, height=max(60, 26 * frame["ranking"].nunique() + 40)
    )
