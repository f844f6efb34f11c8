"""A chart's description -> a picture file.

In the worker: the renderer brings a JavaScript engine that the web process should not carry.
"""

from __future__ import annotations

from core.types import UserError

SCALE = 2  # pixels of the PNG per pixel of the chart: sharp on a slide


def render(description: str, kind: str) -> bytes:
    """A Vega-Lite description (JSON) as "svg" or "png"."""
    import vl_convert

    if kind == "svg":
        return vl_convert.vegalite_to_svg(description).encode()
    if kind == "png":
        return vl_convert.vegalite_to_png(description, scale=SCALE)
    raise UserError(f"Figure: found {kind!r}, expected svg or png.")
