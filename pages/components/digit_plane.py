"""How do small images lie in a plane, and which one does the reader pick? Images as marks, clicked,
walked by keyboard, read aloud.

A Streamlit component: `digit_plane.js` places each image at its coordinates, in a listbox. The
block of bytes is the gallery's: 4 bytes (length of the header), the header (JSON), the pixels. Grey
images are ink on paper.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import streamlit as st

from core.types import Bytes, Floats, UserError

_HERE = Path(__file__)
_mount = st.components.v2.component(
    "leverage_lab_plane",
    html=(
        '<div class="plane"><svg aria-hidden="true"></svg><div class="marks" role="listbox"'
        ' tabindex="0"></div></div>'
    ),
    css=_HERE.with_name("digit_plane.css").read_text("utf-8"),
    js=_HERE.with_name("digit_plane.js").read_text("utf-8"),
)


def digit_plane(
    images: Bytes,
    coordinates: Floats,
    names: Sequence[str],
    ids: Sequence[int],
    *,
    key: str,
    alt: str,
    size: float,
    selected: int | None = None,
    badges: Mapping[int, str] | None = None,
    ellipses: Sequence[tuple[float, float]] = (),
) -> int | None:
    """Draw the images at their coordinates, both axes in the same unit, and return the id of the
    one just picked, else None.

    images: uint8 (m, h, w). coordinates: (m, 2), y upwards. names: what each is called when read
    aloud. ids: what a pick returns. size: side of an image, in the unit of the coordinates. badges:
    a text beside some of the ids. ellipses about the origin: half-axes. A UserError if the
    arguments do not fit together.
    """
    coordinates = np.asarray(coordinates, float)
    if (
        images.dtype != np.uint8
        or images.ndim != 3
        or coordinates.shape != (len(images), 2)
        or not len(images) == len(names) == len(ids)
    ):
        raise UserError(
            f"Plane: found {len(images):,} images {images.dtype} of shape {images.shape},"
            f" coordinates of shape {coordinates.shape}, {len(names):,} names and {len(ids):,} ids,"
            " expected uint8 (m, h, w) images and m of each."
        )
    low = coordinates.min(axis=0) - 0.8 * size
    high = coordinates.max(axis=0) + 0.8 * size
    header = {
        "h": images.shape[1],
        "w": images.shape[2],
        "x": np.round((coordinates[:, 0] - low[0]) / (high - low)[0], 5).tolist(),
        "y": np.round((high[1] - coordinates[:, 1]) / (high - low)[1], 5).tolist(),
        "side": size / float((high - low)[0]),
        "box": [float(low[0]), float(-high[1]), *(high - low).tolist()],
        "names": list(map(str, names)),
        "ids": [int(i) for i in ids],
        "badges": {str(i): text for i, text in (badges or {}).items()},
        "ellipses": [[float(a), float(b)] for a, b in ellipses],
        "alt": alt,
        "selected": None if selected is None else int(selected),
    }
    text = json.dumps(header).encode()
    block = len(text).to_bytes(4, "little") + text + np.ascontiguousarray(images).tobytes()
    picked = _mount(key=key, data=block, on_picked_change=_nothing).picked
    return next((i for i in header["ids"] if i == picked), None)


def _nothing() -> None:
    """Streamlit names an event in the result only where it has a callback."""
