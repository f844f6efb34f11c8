"""One line under a picture that says what its colours mean: named swatches, or a band."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from pages.shared import layout

_STYLE = layout.style(Path(__file__).with_name("legend.css"))


def swatches(title: str, pairs: Sequence[tuple[str, str]]) -> None:
    """title: ● name ● name ... from (colour, name) pairs."""
    names = "".join(
        f'<span><i style="background: {colour}"></i>{html.escape(name)}</span>'
        for colour, name in pairs
    )
    _line(title, names)


def band(title: str, colours: Sequence[str], low: str, high: str) -> None:
    """title: low ▇▇▇ high, the colours at equal distances."""
    strip = (
        f'<i class="band" style="background: linear-gradient(to right, {", ".join(colours)})"></i>'
    )
    _line(title, f"<span>{html.escape(low)}{strip}{html.escape(high)}</span>")


def _line(title: str, body: str) -> None:
    st.html(f'{_STYLE}<p class="legend"><b>{html.escape(title)}</b>{body}</p>')
