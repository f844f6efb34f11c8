"""How do hundreds of images become one picture that can be clicked, walked by keyboard and read
aloud?

A Streamlit component: Python sends the pixels and captions as one block of bytes,
`gallery_picture.js` paints them on one canvas, `gallery.js` lays a listbox over it, `gallery.css`
frames what is hovered, focused or selected. The block: 4 bytes (length of the header,
little-endian), the header (UTF-8 JSON), the pixels (uint8, row by row). Grey images are ink on
paper: a value is the amount of ink, 0 is the page. Colour images are shown as they are.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import streamlit as st

from core.types import Bytes, UserError

_HTML = """
<div class="gallery">
  <canvas aria-hidden="true"></canvas>
  <div class="cells" role="listbox" tabindex="0"></div>
</div>
"""


def _read(*names: str) -> str:
    return "\n".join(Path(__file__).with_name(name).read_text("utf-8") for name in names)


_mount = st.components.v2.component(
    "leverage_lab_gallery",
    html=_HTML,
    css=_read("gallery.css"),
    js=_read("gallery_picture.js", "gallery.js"),
)


def gallery(
    images: Bytes,
    captions: Sequence[str],
    scores: Sequence[str],
    ids: Sequence[int],
    *,
    key: str,
    ranks: Sequence[int] | None = None,
    marks: Sequence[str] | None = None,
    alt: str,
    selected: int | None = None,
    max_rows: int | None = None,
    size: int = 56,
    ragged: bool = False,
) -> int | None:
    """Draw the images in reading order and return the id of the one just clicked, else None.

    images: uint8 (m, h, w) or (m, h, w, 3), m >= 1. captions, scores: m class labels and m
    formatted scores. ids: m whole numbers, what a click returns. ranks: m ranks, read aloud. marks:
    m badges, "" for none; a marked image has a dashed frame and its badge as text. alt: one
    sentence that describes the gallery. selected: the id framed in the primary colour. size: side
    of an image in CSS pixels, met to within a third so that pixels stay whole.

    As many images per row as the width holds; only full rows are drawn, at most max_rows of them,
    unless all the images fit in less than one; ragged: the last row too if it is not full. A click
    is an event: the same image can be clicked twice in a row, and the next rerun without a click
    returns None. Inside st.form clicks are not reported. A UserError if the arguments do not fit
    together.
    """
    images = _checked(images, size, max_rows)
    ids = [int(i) for i in ids]
    columns = {"captions": captions, "scores": scores, "ids": ids, "ranks": ranks, "marks": marks}
    _check_lengths(len(images), columns)
    header = {name: _plain(name, values) for name, values in columns.items()}
    header |= {
        "alt": alt,
        "selected": None if selected is None else int(selected),
        "max_rows": max_rows,
        "size": size,
        "ragged": ragged,
    }
    clicked = _mount(
        key=key, data=_pack(_shrink(images, 2 * size), header), on_clicked_change=_nothing
    ).clicked
    # The browser may still have reported an image of the gallery before this one.
    return next((i for i in ids if i == clicked), None)


def _nothing() -> None:
    """Streamlit names an event in the result only where it has a callback."""


def _checked(images: Bytes, size: int, max_rows: int | None) -> Bytes:
    images = np.asarray(images)
    grey = images.ndim == 3
    colour = images.ndim == 4 and images.shape[-1] == 3
    if images.dtype != np.uint8 or not (grey or colour):
        raise UserError(
            f"Gallery: found {images.dtype} images of shape {images.shape}, expected uint8 (m, h,"
            " w) or (m, h, w, 3)."
        )
    if images.size == 0:
        raise UserError(
            f"Gallery: found images of shape {images.shape}, expected at least one. Choose more"
            " points or another filter."
        )
    if not 8 <= size <= 512:
        raise UserError(f"Gallery: found size {size}, expected 8 to 512 CSS pixels.")
    if max_rows is not None and max_rows < 1:
        raise UserError(
            f"Gallery: found max_rows {max_rows}, expected at least 1, or None for all rows."
        )
    return images


def _check_lengths(m: int, columns: dict[str, Sequence | None]) -> None:
    for name, values in columns.items():
        if values is not None and len(values) != m:
            raise UserError(
                f"Gallery: found {len(values):,} {name} for {m:,} images. Give one per image."
            )


def _plain(name: str, values: Sequence | None) -> list | None:
    """What JSON can hold: NumPy's numbers and strings become Python's."""
    kind = int if name in ("ids", "ranks") else str
    return None if values is None else [kind(value) for value in values]


def _shrink(images: Bytes, most: int) -> Bytes:
    """Images with no side above `most`: each block of f x f pixels becomes its mean; a rest of less
    than f is cut off.
    """
    factor = -(-max(images.shape[1:3]) // most)
    if factor == 1:
        return images
    h, w = (max(1, side // factor) for side in images.shape[1:3])
    return np.stack([_block_means(image, h, w, factor) for image in images])


def _block_means(image: Bytes, h: int, w: int, factor: int) -> Bytes:
    blocks = image[: h * factor, : w * factor]
    rows = np.add.reduceat(
        blocks, np.arange(0, blocks.shape[0], factor)[:h], axis=0, dtype=np.float64
    )
    sums = np.add.reduceat(rows, np.arange(0, blocks.shape[1], factor)[:w], axis=1)
    area = min(factor, blocks.shape[0]) * min(factor, blocks.shape[1])
    return np.round(sums / area).astype(np.uint8)


def _pack(images: Bytes, header: dict) -> bytes:
    h, w = images.shape[1:3]
    text = json.dumps(header | {"h": h, "w": w, "channels": 3 if images.ndim == 4 else 1}).encode()
    return len(text).to_bytes(4, "little") + text + np.ascontiguousarray(images).tobytes()
