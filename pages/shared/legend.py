"""One line under a picture that says what its colours mean: named swatches, or a band from one end
to the other.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

import streamlit as st

_STYLE = """<style>
.legend {display: flex; flex-wrap: wrap; align-items: center; gap: .2rem .9rem; margin: 0; font-size: .9rem; line-height: 1.5}
.legend span {display: inline-flex; align-items: center; gap: .4rem}
.legend i {display: inline-block; width: .8rem; height: .8rem; border-radius: 50%; border: 1px solid rgba(128, 128, 128, .6)}
.legend .band {width: 9rem; border-radius: .2rem}
</style>"""


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
