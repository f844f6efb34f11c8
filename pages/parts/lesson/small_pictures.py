"""The lesson's small pictures, as text for st.html: light on a phone, sharp on a projector.

Rows of dots, tables of colour and rows of digits are HTML, so that their words grow with the page.
What colours mean stands in core/charts/palette.py.
"""

from __future__ import annotations

import base64
import html
import io
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from core.charts.palette import CORRELATION
from core.types import Bytes, Floats
from pages.shared import layout

STYLE = layout.style(Path(__file__).with_name("small_pictures.css"))


def ledger(parts: Sequence[tuple[int, str, str]]) -> str:
    """What a sum is made of: one bar of pieces, the largest first, and the same as a subtraction.

    A piece: (amount, words, colour).
    """
    pieces = "".join(
        f'<div style="flex: {n} 1 0; background: {colour}" title="{n:,}'
        f' {html.escape(words)}"></div>'
        for n, words, colour in parts
    )
    total = sum(n for n, _, _ in parts)
    rest = parts[0]
    rows = [(f"{total:,}", "pixels", "")]
    rows += [(f"− {n:,}", words, "") for n, words, _ in parts[1:]]
    rows.append((f"{rest[0]:,}", rest[1], ' class="total"'))
    figures = "".join(
        f"<dt{mark}>{n}</dt><dd{mark}>{html.escape(words)}</dd>" for n, words, mark in rows
    )
    return f'<div class="ledger" aria-hidden="true">{pieces}</div><dl class="sum">{figures}</dl>'


def strip(
    rows: Mapping[str, Sequence[float]], colours: Mapping[str, str], ends: Sequence[str]
) -> str:
    """Where does one point stand?

    One row per ranking, one dot per seed, at shares 0 to 1 of the row's width.
    """
    lines = []
    for name, shares in rows.items():
        said = f"{name}: " + (
            f"percentile {', '.join(f'{100 * share:.0f}' for share in shares)}"
            if len(shares)
            else "not shown yet"
        )
        dots = "".join(
            f'<i style="left: {100 * share:.1f}%; background: {colours[name]}"'
            f' title="{100 * share:.0f}"></i>'
            for share in shares
        )
        lines.append(
            f'<b>{html.escape(name)}</b><div class="track" role="img"'
            f' aria-label="{html.escape(said)}">{dots}</div>'
        )
    words = "".join(f"<span>{html.escape(end)}</span>" for end in ends)
    lines.append(f'<span></span><div class="ends">{words}</div>')
    return f'<div class="strip">{"".join(lines)}</div>'


def tau_table(names: Sequence[str], matrix: Floats, own: Sequence[str]) -> str:
    """Do these rankings agree? A table of correlations, coloured.

    The diagonal holds the families' agreement with themselves. matrix: (m, m); NaN on the diagonal
    where there is one ranking only. own: what stands under each diagonal value.
    """
    head = "".join(f'<th scope="col">{_breakable(name)}</th>' for name in names)
    body = ""
    for i, name in enumerate(names):
        cells = "".join(
            _cell(matrix[i, j], f"{name} and {names[j]}", own[i] if i == j else "")
            for j in range(len(names))
        )
        body += f'<tr><th scope="row">{_breakable(name)}</th>{cells}</tr>'
    return (
        '<table class="tau"><thead><tr><td'
        f' style="height:auto"></td>{head}</tr></thead><tbody>{body}</tbody></table>'
    )


def _breakable(name: str) -> str:
    """A long name may break before its ending."""
    return re.sub(r"(\w{4,})(fication|sion|trained)\b", "\\1&shy;\\2", html.escape(name))


def _cell(value: float, title: str, own: str) -> str:
    text = "–" if math.isnan(value) else f"{value:.2f}"
    colour = "rgba(128, 128, 128, .18); color: inherit" if math.isnan(value) else mixed(value)
    under = f"<small>{html.escape(own)}</small>" if own else ""
    kind = ' class="own"' if own else ""
    return (
        f'<td{kind} style="background: {colour}" title="{html.escape(title)}:'
        f' {text}">{text}{under}</td>'
    )


def mixed(value: float) -> str:
    """The colour of a correlation: blue at -1, white at 0, vermilion at 1."""
    end = CORRELATION[2] if value >= 0 else CORRELATION[0]
    channels = (int(end[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(
        f"{round(255 + min(1.0, abs(value)) * (channel - 255)):02X}" for channel in channels
    )


def digits_row(images: Bytes, alt: str, dark: bool, gap: int = 4) -> str:
    """Images (m, h, w) side by side, ink on the page's own ground."""
    m, h, w = images.shape
    row = np.zeros((h, m * w + (m - 1) * gap), np.uint8)
    for i, image in enumerate(images):
        row[:, i * (w + gap) : i * (w + gap) + w] = image
    return f'<img class="digits" alt="{html.escape(alt)}" src="{image_source(row, dark)}">'


def image_source(image: Bytes, dark: bool) -> str:
    """A grey image (h, w) as the address of a PNG: a value is the amount of ink."""
    ink = np.full_like(image, 255 if dark else 0)
    buffer = io.BytesIO()
    Image.fromarray(np.dstack([ink, image]), "LA").save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
