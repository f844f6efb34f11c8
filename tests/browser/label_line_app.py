"""The page that test_label_line.py opens: the figure of labels on a line, as ?show= asks for.

place: as the lesson begins. bought, revealed: later steps. few: three labels for degree 8.
?narrow=1 puts the figure into a third of the page.
"""

import sys
from pathlib import Path

import streamlit as st

sys.path.insert(0, str(Path(__file__).parents[2]))

from pages.components import label_line

st.set_page_config(layout="wide")
show = st.query_params.get("show", "place")
design = st.query_params.get("design", "mine")
place = st.columns(3)[1] if "narrow" in st.query_params else st.container()
st.session_state.runs = st.session_state.get("runs", 0) + 1
with place:
    if show == "place":
        label_line.draw(key="place", design=design)
    if show == "bought":
        label_line.draw(key="bought", step="labels", design=design)
    if show == "revealed":
        label_line.draw(key="revealed", step="curve", design=design)
    if show == "few":
        label_line.draw(key="few", step="curve", labels=3, design=design)
st.text(f"run {st.session_state.runs}")
