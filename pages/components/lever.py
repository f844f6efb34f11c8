"""Who holds the line? Two figures for the lesson whose points can be dragged, by mouse, touch or
keyboard.

`line`: a fitted line, the line without the chosen point, and the row of the hat matrix behind its
fitted value. `ellipse`: two regressors and the ellipses on which leverage is equal.

The browser computes: lever_math.js holds the formulas of core/linalg/least_squares_line.py,
lever_stage.js the points, lever_hands.js mouse, touch and keys, lever.js the two drawings, in the
elements of lever.html; numbers.js and svg.js serve other figures too. Python sends the starting
points once and hears nothing back, so a drag costs the server nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import streamlit as st

from core.linalg.least_squares_line import hat_values
from core.types import Floats, UserError, check_matrix

# Eleven points along a rising line, and one far out that pulls it down.
LINE = tuple(
    zip(
        (1, 1.4, 1.9, 2.3, 2.8, 3.2, 3.6, 4.1, 4.5, 4.9, 5.4, 10.5),
        (2.6, 3.6, 2.9, 4.2, 3.6, 4.8, 3.7, 5.4, 4.7, 6, 5.3, 3.4),
        strict=True,
    )
)
# Eleven points along a diagonal, and one that is extreme in neither coordinate but far from their
# common direction.
ELLIPSE = tuple(
    zip(
        (1.2, 2, 2.4, 3.3, 3.9, 4.6, 5.2, 6, 6.6, 7.5, 8.2, 3.1),
        (1.9, 1.4, 3, 2.9, 4.3, 3.8, 5.3, 5, 6.6, 6.4, 7.9, 5.5),
        strict=True,
    )
)
MOST_POINTS = 500
MARGIN = {
    "line": (0.2, 0.4),
    "ellipse": (0.25, 0.25),
}  # free room to drag into on either side, as a share of the points' span

_RIDGE = """
<label class="ridge">
  <span>Ridge λ</span> <input type="range" min="0" max="0" step="1" value="0">
  <output data-fact="ridge">0</output>
</label>
"""


def _facts(*facts: tuple[str, str]) -> str:
    made = (f'<div><dt>{label}</dt><dd data-fact="{name}"></dd></div>' for name, label in facts)
    return f'<dl class="facts">{"".join(made)}</dl>'


def _key(*samples: tuple[str, str]) -> str:
    line = '<li><svg viewBox="0 0 36 14"><path class="{}" d="{}"></path></svg><span>{}</span></li>'
    return "".join(line.format(name, SHAPES.get(name, "M1 7H35"), text) for name, text in samples)


SHAPES = {"residual": "M18 0V14", "pivot": "M18 1L25 13H11Z", "middle": "M18 1V13M12 7H24"}


def _read(*names: str) -> str:
    return "\n".join(Path(__file__).with_name(name).read_text("utf-8") for name in names)


def _register(name: str, **parts: str) -> Callable:
    return st.components.v2.component(
        f"leverage_lab_{name}",
        html=_read("lever.html").format(**parts),
        css=_read("lever.css"),
        js=_read(
            "numbers.js", "svg.js", "lever_math.js", "lever_stage.js", "lever_hands.js", "lever.js"
        ),
    )


_line = _register(
    "line",
    label="Points with their least-squares line",
    facts=_facts(("leverage", "Leverage"), ("residual", "Residual"), ("cook", "Cook’s distance"))
    + '<p><span data-fact="equation"></span></p><p>Leverages sum to <span'
    ' data-fact="sum"></span></p>',
    key=_key(
        ("fitted", "fitted line"),
        ("without", "without the chosen point"),
        ("residual", "residual"),
        ("pivot", "mean of the points"),
    ),
    ridge=_RIDGE,
)
_ellipse = _register(
    "ellipse",
    label="Points in the plane of two regressors, with ellipses of equal leverage",
    facts=_facts(("leverage", "Leverage"), ("distance", "Mahalanobis distance M"))
    + '<p>1/n + M²/(n − 1):</p><p class="check" data-fact="check"></p>'
    + '<p>Difference from the leverage: <span data-fact="difference"></span></p><p'
    ' data-fact="note"></p>',
    key=_key(
        ("contour own", "leverage of the chosen point"),
        ("contour average", 'average <span data-fact="average"></span>'),
        ("contour twice", 'twice that <span data-fact="twice"></span>'),
        ("middle", "mean of the points"),
    ),
    ridge="",
)


def line(
    *,
    key: str,
    points: Sequence | Floats = LINE,
    names: Sequence[str] = ("x", "y"),
    height: int | None = None,
) -> None:
    """A line that the reader can pull at, with leverage, residual and Cook's distance of the chosen
    point.

    points: the n starting points (x, y), 1 <= n <= 500, finite. names: of the two axes. height: of
    the drawing in CSS pixels; by default it follows the width. A UserError if the points do not
    fit.
    """
    points = _checked(points)
    squares = float(((points[:, 0] - points[:, 0].mean()) ** 2).sum())
    unit = 10.0 ** round(np.log10(squares)) if squares > 0 else 1.0
    ridges = [0.0, *(float(f"{share * unit:.3g}") for share in (0.01, 0.03, 0.1, 0.3, 1, 3, 10))]
    chosen = int(np.argmax(hat_values(points[:, :1])))
    _line(
        key=key, data=_given("line", points, names, height) | {"ridges": ridges, "chosen": chosen}
    )


def ellipse(
    *,
    key: str,
    points: Sequence | Floats = ELLIPSE,
    names: Sequence[str] = ("x₁", "x₂"),
    height: int | None = None,
) -> None:
    """Two regressors: where leverage is equal, and the check leverage = 1/n + Mahalanobis^2 / (n -
    1). Arguments as in `line`.
    """
    points = _checked(points)
    chosen = int(np.argmax(hat_values(points)))
    _ellipse(key=key, data=_given("ellipse", points, names, height) | {"chosen": chosen})


def _checked(points: Sequence | Floats) -> Floats:
    points = check_matrix(np.asarray(points), "points").astype(np.float64)
    if points.shape[1] != 2 or len(points) > MOST_POINTS:
        raise UserError(
            f"points: found shape {points.shape}, expected (n, 2) with at most {MOST_POINTS}"
            " points."
        )
    return points


def _given(kind: str, points: Floats, names: Sequence[str], height: int | None) -> dict:
    low = points.min(axis=0)
    high = points.max(axis=0)
    span = np.where(high > low, high - low, np.maximum(np.abs(high), 1.0))
    margin = np.array(MARGIN[kind]) * span
    domain = np.column_stack([low - margin, high + margin])
    if height is not None and not 200 <= height <= 2000:
        raise UserError(
            f"height: found {height}, expected 200 to 2000 CSS pixels, or None to follow the width."
        )
    return {
        "kind": kind,
        "points": points.tolist(),
        "domain": domain.tolist(),
        "names": list(names),
        "height": height,
    }
