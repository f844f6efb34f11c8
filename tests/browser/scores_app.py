"""The page that test_scores_out.py opens: rankings taken out, and a file of scores read in. Explore lies beside it.

?dataset=, ?n=, ?embedding= choose the points and the map, as on every page.
"""

import sys
from pathlib import Path

import streamlit as st

sys.path.insert(0, str(Path(__file__).parents[2]))

from pages.shared import cached, parts, scores_out, state

EXPLORE = Path(__file__).parents[2] / "pages" / "explore.py"


def draw() -> None:
    """Both parts, as a page of the app would mount them."""
    spec, _ = state.arrive("scores", {})
    state.leave("scores", {}, spec, {})
    parts.head("Where do the scores go?")
    data = cached.dataset(spec.dataset, spec.n, spec.subset)
    st.header("Take out", anchor=False)
    scores_out.take_out(spec, data)
    st.header("Read in", anchor=False)
    files = st.file_uploader("A file of scores, and its manifest", ["parquet", "csv", "json"], accept_multiple_files=True)
    manifest = next((file.getvalue() for file in files if file.name.endswith(".json")), None)
    for file in [file for file in files if not file.name.endswith(".json")][:1]:
        scores_out.read_in(file.name, file.getvalue(), manifest, spec=spec, data=data)


st.set_page_config(page_title="Scores", layout="wide")
cached.warm()
st.navigation([st.Page(draw, title="Scores", default=True), st.Page(EXPLORE, title="Explore")]).run()
