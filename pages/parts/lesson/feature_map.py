"""A network is a feature map: an image goes in, a point comes out. Two rows of one picture, as HTML
whose words grow with the page.

Above, a power law's nine points: logarithms are the map, a straight line comes out. Below, an
image: a network is the map, and what comes out is a list of numbers, the coordinates of a point.
The upper row is drawn to scale; the lower one is a scheme, but for the image.
"""

from __future__ import annotations

import base64
import html
import math

import numpy as np

from core.charts.palette import FAMILIES, TOP
from core.linalg.least_squares_line import hat_values
from core.types import Bytes, Floats
from pages.parts.lesson.small_pictures import image_source

POWERS = 2.0 ** np.arange(9)  # x of a power law's points: 1, 2, 4, ... 256
SIDE = 120  # of the pictures left and right of a map
WIDE = 200  # of a map
LOG = [30, 30, 30]
NETWORK = [84, 66, 46, 28]  # layers narrow towards the point


def last_leverages() -> tuple[float, float]:
    """The leverage of a power law's last point on plain and on logarithmic axes."""
    plain, logs = (hat_values(x[:, None])[-1] for x in (POWERS, np.log(POWERS)))
    return float(plain), float(logs)


def picture(image: Bytes, features: int, dark: bool) -> str:
    """The two rows for st.html. image: (h, w), the digit that goes in; features: how many numbers
    come out.
    """
    ink = "#F5F7F9" if dark else "#0B0D0F"
    before, after = last_leverages()
    logs, y = np.log(POWERS), POWERS**-1.5
    cells = [
        (_curve(POWERS, y, ink), f"the last: leverage {before:.2f}", "A power law's nine points"),
        (_map(LOG, ink), "log", "Logarithms map them"),
        (_curve(logs, np.log(y), ink), f"the same: {after:.2f}", "The points on a straight line"),
        (image_source(image, dark), f"{image.size} pixels", "An image"),
        (_map(NETWORK, ink), "network", "A network maps it"),
        (_point(ink), f"{features} features", "A point in a space of features"),
    ]
    drawn = "".join(
        f'<figure><img alt="{html.escape(alt)}" src="{source}"><figcaption>{words}</figcaption>'
        "</figure>"
        for source, words, alt in cells
    )
    return f'<div class="feature-map">{drawn}</div>'


def _curve(x: Floats, y: Floats, ink: str) -> str:
    """Points in a frame, the area of a disc is its leverage."""
    sizes = hat_values(x[:, None])
    across, up = (14 + (v - v.min()) / np.ptp(v) * (SIDE - 32) for v in (x, y))
    discs = "".join(
        f'<circle cx="{px:.1f}" cy="{SIDE - 2 - py:.1f}" r="{2 + 9 * math.sqrt(size):.1f}"'
        f' fill="{TOP}"/>'
        for px, py, size in zip(across, up, sizes, strict=True)
    )
    return _source(SIDE, _axes(ink) + discs)


def _map(layers: list[int], ink: str) -> str:
    """An arrow in, the layers of the map, an arrow out."""
    step = 24
    left = WIDE / 2 - step * (len(layers) - 1) / 2
    boxes = "".join(
        f'<rect x="{left + i * step - 7:.0f}" y="{(SIDE - h) / 2:.0f}" width="14" height="{h}"'
        f' rx="3" fill="{FAMILIES["classification"]}"/>'
        for i, h in enumerate(layers)
    )
    right = WIDE - left
    return _source(WIDE, boxes + _arrow(6, left - 15, ink) + _arrow(right + 15, WIDE - 6, ink))


def _arrow(x0: float, x1: float, ink: str) -> str:
    return (
        f'<path d="M{x0} {SIDE / 2}H{x1}m-8 -6l8 6l-8 6" fill="none" stroke="{ink}"'
        ' stroke-width="2.5"/>'
    )


def _point(ink: str) -> str:
    """One point, at the end of its coordinates."""
    lines = (
        f'<path d="M4 40H82V{SIDE - 2}" fill="none" stroke="{ink}" stroke-opacity=".7"'
        ' stroke-dasharray="3 5" stroke-width="1.5"/>'
    )
    return _source(SIDE, f'{_axes(ink)}{lines}<circle cx="82" cy="40" r="10" fill="{TOP}"/>')


def _axes(ink: str) -> str:
    return f'<path d="M4 2V{SIDE - 2}H{SIDE - 2}" fill="none" stroke="{ink}" stroke-opacity=".6"/>'


def _source(width: int, drawn: str) -> str:
    """A drawing of this width as the address of an image."""
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {SIDE}">{drawn}</svg>'
    return f"data:image/svg+xml;base64,{base64.b64encode(drawing.encode()).decode()}"
