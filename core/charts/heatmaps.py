"""Rankings against each other -> Altair charts: the heatmap of all pairs, and the plane of one."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from core.charts import palette
from core.charts.common import CLOSE, family_scale, finish
from core.charts.palette import CORRELATION
from core.types import Floats


def heatmap(
    matrix: Floats,
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
    x, y = _names_axes(names)
    tooltip = [
        alt.Tooltip("a:N", title="ranking"),
        alt.Tooltip("b:N", title="and"),
        alt.Tooltip("value:Q", format=".3f"),
        *(alt.Tooltip(f"{n}:N") for n in tips[0]),
    ]
    pairs = alt.Chart(_pairs(matrix, names, tips, picked)).encode(x=x, y=y, tooltip=tooltip)
    click = alt.selection_point(name="cell", fields=["row", "column"], on="click", clear=False)
    layers = alt.layer(
        _cells(pairs, correlation).add_params(click),
        *_family_marks(names, families, x, y, dark),
        _values(pairs, m),
        pairs.transform_filter("datum.picked").mark_rect(
            fillOpacity=0, stroke="#000000", strokeWidth=2.5, cursor="pointer"
        ),
    )
    return finish(layers.resolve_scale(color="independent"), dark, heatmap_height(m), padding=CLOSE)


def heatmap_height(m: int) -> int:
    """The height in pixels at which m rankings and their names can be read."""
    return max(220, min(640, 30 * m + 130))


def _pairs(
    matrix: Floats, names: list[str], tips: list[dict], picked: Sequence[int] | None
) -> pd.DataFrame:
    """One row per cell: its place, both names, the value, the tips, and whether it is picked."""
    m = len(names)
    rows, columns = np.divmod(np.arange(m * m), m)
    frame = pd.DataFrame({"row": rows, "column": columns})
    frame["a"] = [names[i] for i in rows]
    frame["b"] = [names[j] for j in columns]
    frame["value"] = matrix.ravel()
    frame = frame.join(pd.DataFrame(tips))
    wanted = None if picked is None else set(picked)
    frame["picked"] = [{i, j} == wanted for i, j in zip(rows, columns, strict=True)]
    return frame


def _cells(pairs: alt.Chart, correlation: bool) -> alt.Chart:
    """Colours over [-1, 1] for correlations, over [0, 1] for shares."""
    domain = [-1, 0, 1] if correlation else [0, 1]
    colours = CORRELATION if correlation else CORRELATION[1:]
    scale = alt.Scale(domain=domain, range=list(colours), interpolate="rgb")
    return pairs.mark_rect(cursor="pointer").encode(
        color=alt.Color("value:Q", scale=scale, legend=None)
    )


def _values(pairs: alt.Chart, m: int) -> alt.Chart:
    """The numbers inside the cells, hidden where these are too small for them."""
    on_blue = "datum.value < -0.93"
    texts = pairs.mark_text(
        fontSize=11 if m <= 20 else 8, opacity={"expr": f"width > {m * 24} ? 1 : 0"}
    )
    return texts.encode(
        text=alt.Text("value:Q", format=".2f"),
        color=alt.condition(on_blue, alt.value("#FFFFFF"), alt.value("#000000")),
    )


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
    x = alt.X("b:N", sort=names, axis=axis, scale=scale)
    y = alt.Y("a:N", sort=names, axis=axis, scale=scale)
    return x, y


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
    strips = (
        alt.Chart(frame)
        .mark_rect()
        .encode(
            color=alt.Color("family:N", scale=family_scale(dark), legend=None),
            tooltip=[alt.Tooltip("a:N", title="ranking"), "family:N"],
        )
    )
    beside = strips.encode(y=y, x=alt.value(-9), x2=alt.value(-4))
    near, far = (alt.value({"expr": f"height + {pixels}"}) for pixels in (4, 9))
    below = strips.encode(x=x, y=near, y2=far)
    first = frame.iloc[[i for i in places[1:] if families[i] != families[i - 1]]]
    if first.empty:
        return [beside, below]
    gap = alt.Chart(first).mark_rule(color="#101418" if dark else "#FFFFFF", strokeWidth=3)
    starts = x.copy(), y.copy()
    for start in starts:
        start.bandPosition = 0
    return [beside, below, gap.encode(x=starts[0]), gap.encode(y=starts[1])]


def rank_plane(counts: Floats, a: str, b: str, dark: bool) -> alt.Chart:
    """Where do two rankings part?

    Number of points in each cell of the plane of their percentiles; the diagonal is agreement.
    """
    bins = len(counts)
    rows, columns = np.nonzero(counts)
    frame = pd.DataFrame({"a": columns / bins * 100, "a2": (columns + 1) / bins * 100})
    frame["b"] = rows / bins * 100
    frame["b2"] = (rows + 1) / bins * 100
    frame["points"] = counts[rows, columns]
    colours = palette.score_colours(dark)
    many = {
        "scale": alt.Scale(range=colours, interpolate="rgb", type="sqrt"),
        "legend": None,
    }
    percentiles = {
        "scale": alt.Scale(domain=[0, 100], nice=False),
        "axis": alt.Axis(grid=False, tickCount=5),
    }
    tooltip = [
        alt.Tooltip("a:Q", title=f"percentile, {a}"),
        alt.Tooltip("b:Q", title=f"percentile, {b}"),
        alt.Tooltip("points:Q", format=","),
    ]
    cells = alt.Chart(frame).mark_rect(strokeWidth=0.6)  # in a cell's own colour: without seams
    cells = cells.encode(
        x=alt.X("a:Q", title=f"percentile under {a}", **percentiles),
        x2="a2:Q",
        y=alt.Y("b:Q", title=f"percentile under {b}", **percentiles),
        y2="b2:Q",
        fill=alt.Fill("points:Q", **many),
        stroke=alt.Stroke("points:Q", **many),
        tooltip=tooltip,
    )
    return finish(cells, dark, height=340, padding=CLOSE).configure_view(
        fill=colours[0], stroke=None
    )
