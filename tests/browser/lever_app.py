"""The page that test_lever.py opens: the lesson's two figures, or what ?show= asks for.

line, ellipse: one figure. many: a line through 200 points. flat: three points of equal x. diagonal:
three points of the plane on one line. one: a single point. ?narrow=1 puts the figure into a third
of the page.
"""

import sys
from pathlib import Path

import numpy as np
import streamlit as st

sys.path.insert(0, str(Path(__file__).parents[2]))

from pages.components import lever


def cloud(n: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 10, n)
    return np.column_stack([x, 2 + 0.5 * x + rng.normal(size=n)])


st.set_page_config(layout="wide")
show = st.query_params.get("show", "both")
place = st.columns(3)[1] if "narrow" in st.query_params else st.container()
st.session_state.runs = st.session_state.get("runs", 0) + 1
with place:
    if show in ("both", "line"):
        lever.line(key="line")
    if show in ("both", "ellipse"):
        lever.ellipse(key="ellipse")
    if show == "many":
        lever.line(key="many", points=cloud(200))
    if show == "flat":
        lever.line(key="flat", points=[(2, 1), (2, 2), (2, 6)])
    if show == "one":
        lever.line(key="one", points=[(2, 5)])
    if show == "diagonal":
        lever.ellipse(key="diagonal", points=[(1, 1), (2, 2), (4, 4)])
st.text(f"run {st.session_state.runs}")
