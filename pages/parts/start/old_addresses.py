"""The bare address was Explore's, and links to it were copied: with its parameters it still is."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import streamlit as st
from streamlit.errors import StreamlitPageNotFoundError

from core.spec import Spec
from pages.shared import contents

# What Explore's links hold: the shared choice with its knobs, and what only that page knows.
CHOICE = {field.name for field in dataclasses.fields(Spec)}
KNOBS = ("e.", "s.")
VIEW = {"show", "percentile", "classes", "count", "low", "high", "point"}
SENT = "sent on from"


def meant_for_explore(query: Mapping[str, str]) -> bool:
    """Does this link speak of points and rankings? Others carry what does not concern the app."""
    return any(name in CHOICE | VIEW or name.startswith(KNOBS) for name in query)


def send_on(query: Mapping[str, str]) -> None:
    """Open Explore with what the link holds.

    Once: who goes back from there to such a link wants to see this page, and is not caught.
    """
    session = st.session_state
    if not meant_for_explore(query):
        return
    if query == session.get(SENT):
        st.query_params.clear()
        return
    session[SENT] = query
    try:
        st.switch_page(contents.PAGES["explore"].file, query_params=query)
    except StreamlitPageNotFoundError:  # a page that runs alone knows no others
        return
