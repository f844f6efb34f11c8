"""A page for tests/pages/test_whose_data.py: whose own data are meant in its run, in a callback, in
a fragment and in a download.
"""

import streamlit as st

from core.data import own
from pages.shared import layout, state

state.arrive("whose", {})


def clicked() -> None:
    st.session_state["in callback"] = own.whose()


@st.fragment(run_every=3600)
def part() -> None:
    st.markdown(f"fragment {own.whose()}")


st.markdown(f"run {own.whose()}")
st.markdown(f"callback {st.session_state.get('in callback')}")
st.button("Click", on_click=clicked)
part()
layout.downloads("Files", [("Download", own.whose, "whose.csv")])
