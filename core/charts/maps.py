"""Points in the plane -> an Altair chart: where do they lie, and what is each of them?"""

from __future__ import annotations

import json
from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd

from core.charts import palette
from core.charts.common import CLOSE, ON_CANVAS, finish
from core.types import Bools, Floats

OTHERS = "others"
MANY = 20_000  # points, from which on a dot is small


@dataclass(frozen=True, eq=False)
class Colour:
    """What colours a map: a title, one value per point, and the names of the values if they are
    groups (none: numbers). A point without one, -1 or NaN, is grey.
    """

    title: str
    values: np.ndarray
    names: tuple[str, ...]

    @property
    def is_choice(self) -> bool:
        """Are the groups the others and the chosen? (Two classes are equals.)"""
        return len(self.names) == 2 and self.names[0] == OTHERS


def scatter(
    coordinates: Floats,
    colour: Colour,
    inner: Bools,
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
    dots = _dots(coordinates, colour, inner, dark)
    if brush:
        dots = dots.add_params(alt.selection_interval(name="box", encodings=["x", "y"]))
    names = _class_names(coordinates, colour, dark) if colour.title == "class" else []
    layers = alt.layer(dots, _frame(box, dark), *names)
    return finish(layers, dark, height, padding=CLOSE, usermeta=ON_CANVAS)


def _dots(coordinates: Floats, colour: Colour, inner: Bools, dark: bool) -> alt.Chart:
    frame = pd.DataFrame({"x": coordinates[:, 0], "y": coordinates[:, 1], "inner": inner})
    known = colour.values >= 0 if colour.names else np.isfinite(colour.values)
    frame["inner"] &= known
    frame["value"] = colour.values.astype(np.int16 if colour.names else np.float32)
    if not colour.names and not known.all():  # a chart leaves out what has no number
        frame["known"] = known
        frame["value"] = frame["value"].fillna(0)
    frame["above"] = (inner * (1 + (colour.values if colour.is_choice else 0))).astype(np.int8)
    value = "value:N" if colour.names else "value:Q"
    inside = alt.Color(value, scale=_colour_scale(colour, dark), legend=None)
    outside = alt.value(palette.unlabeled_colour(dark))
    dots = alt.Chart(frame).mark_circle(
        size=9 if len(frame) > MANY else 22, opacity=0.7, stroke=None
    )
    return dots.encode(
        *_square(coordinates),
        color=alt.condition("datum.inner", inside, outside),
        order="above:Q",
        tooltip=alt.value({"expr": _tooltip(colour)}),
    )


def _frame(box: tuple | None, dark: bool) -> alt.Chart:
    """The box as a dashed frame; without one a frame that is not seen."""
    x, x2, y, y2 = box or (0, 0, 0, 0)
    corners = {"x": x, "x2": x2, "y": y, "y2": y2, "shown": int(box is not None)}
    ink = "#FFFFFF" if dark else "#000000"
    edge = alt.Chart(pd.DataFrame([corners])).mark_rect(
        fillOpacity=0, stroke=ink, strokeDash=[4, 3]
    )
    seen = alt.StrokeOpacity("shown:Q", scale=None)
    return edge.encode(x="x:Q", x2="x2:Q", y="y:Q", y2="y2:Q", strokeOpacity=seen)


def _tooltip(colour: Colour) -> str:
    """What a dot's tooltip says: its value, or the name of its group, as a Vega expression."""
    name = f"{json.dumps(colour.names)}[datum.value]"
    value = name if colour.names else "format(datum.value, '.1f')"
    if colour.names and (colour.values < 0).any():
        value = f"datum.value < 0 ? 'no label' : {value}"
    elif not colour.names and not np.isfinite(colour.values).all():
        value = f"datum.known ? {value} : 'no score'"
    return f"{{{json.dumps(colour.title)}: {value}}}"


def _square(coordinates: Floats) -> tuple[alt.X, alt.Y]:
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


def _colour_scale(colour: Colour, dark: bool) -> alt.Scale:
    """The two colours of a choice, a colour per group, or from lowest to highest."""
    if colour.is_choice:
        return alt.Scale(domain=[0, 1], range=palette.chosen_colours(dark))
    if colour.names:
        groups = list(range(len(colour.names)))
        return alt.Scale(domain=groups, range=[palette.class_colour(i) for i in groups])
    if (colour.values < 0).any():
        colours = palette.difference_colours(dark)
        return alt.Scale(domain=[-100, 0, 100], range=colours, interpolate="rgb")
    return alt.Scale(domain=[0, 100], range=palette.score_colours(dark), interpolate="rgb")


def _class_names(coordinates: Floats, colour: Colour, dark: bool) -> list[alt.Chart]:
    """The name of each class at the middle of its points, so that colour is not the only sign."""
    present = [c for c in range(len(colour.names)) if (colour.values == c).any()]
    middles = np.array([np.median(coordinates[colour.values == c], axis=0) for c in present])
    frame = pd.DataFrame({"x": middles[:, 0], "y": middles[:, 1]})
    frame["name"] = [colour.names[c] for c in present]
    paper, ink = ("#101418", "#FFFFFF") if dark else ("#FFFFFF", "#0B0D0F")
    base = alt.Chart(frame).encode(x="x:Q", y="y:Q", text="name:N")
    bold = {"fontSize": 17, "fontWeight": "bold"}
    halo = base.mark_text(stroke=paper, strokeWidth=5, strokeJoin="round", color=paper, **bold)
    return [halo, base.mark_text(color=ink, **bold)]
