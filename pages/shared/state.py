"""The link and the session say the same thing.

On arrival, and whenever the address changes under us (back, forward, an edited link), the link is
read; after the widgets have spoken, it is written. A page keeps what only it knows (which tab,
which point) in a view: a mapping of names to Knobs, whose defaults stay out of the link.

The shared choice (dataset, embedding, strategy) lives in the session and survives a change of page.
"""

from __future__ import annotations

import runpy
from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.data import own
from core.hosting import policy
from core.runtime.folders import ROOT
from core.spec import Spec, from_query
from core.strategy import Knob
from core.types import UserError
from pages.shared import streamlit_internals, visitor

ViewKnobs = Mapping[str, Knob]  # what a page's view holds, by name
View = dict[str, Any]  # the value of each


def arrive(page: str, knobs: ViewKnobs) -> tuple[Spec, View]:
    """The Spec and the page's view, from the link if it is new, else from the session."""
    query = dict(st.query_params)
    session = st.session_state
    moved = _enter(page)
    if (
        (query and query != session.get("link"))
        or (not moved and query != session.get("link", {}))
        or "spec" not in session
    ):
        session["spec"], problems = from_query(query)
        session[f"view {page}"], more = _read_view(knobs, query)
        session["problems"] = problems + more
        renew()
    elif moved:
        session["problems"] = []
    _leave_what_is_gone()
    view = {name: knob.default for name, knob in knobs.items()} | session.get(f"view {page}", {})
    return session["spec"], view


def pass_through(page: str) -> None:
    """For a page that has no state: what was chosen elsewhere stays chosen, the address bare."""
    _enter(page)
    st.session_state["link"] = {}


def leave(page: str, knobs: ViewKnobs, spec: Spec, view: Mapping[str, Any]) -> dict[str, str]:
    """Keep the Spec and the view, and write them into the link, which is returned."""
    session = st.session_state
    session["spec"] = spec
    session[f"view {page}"] = dict(view)
    link = spec.to_query() | {
        name: str(view[name]) for name, knob in knobs.items() if view[name] != knob.default
    }
    if link != dict(st.query_params):
        st.query_params.from_dict(link)
    session["link"] = link
    return link


def key(name: str) -> str:
    """A widget's key.

    It changes when a new link arrives, so that the widget starts from the link's value.
    """
    return f"{name} {st.session_state.get('generation', 0)}"


def problems() -> list[str]:
    """What could not be used of the link that brought us here."""
    return st.session_state.get("problems", [])


def change_view(page: str, **changes: Any) -> None:
    """For callbacks: change parts of the page's view before the next run."""
    st.session_state[f"view {page}"] = st.session_state.get(f"view {page}", {}) | changes


def changed(name: str, value: Any) -> bool:
    """Is this another value than in this session's last run?

    Not if a link brought it: the link says what goes with it.
    """
    session = st.session_state
    generation, before = session.get(f"last {name}", (None, None))
    session[f"last {name}"] = session.get("generation", 0), value
    return generation == session.get("generation", 0) and before != value


def renew() -> None:
    """For callbacks: let every widget start anew from the Spec and the view."""
    st.session_state["generation"] = st.session_state.get("generation", 0) + 1


def _enter(page: str) -> bool:
    """A run of this page begins. Was the last one another page's?"""
    _with_app()
    visitor.begin_run()
    if policy.hosted():
        visitor.at_end(own.remove_all_of)
    moved = st.session_state.get("page") != page
    st.session_state["page"] = page
    return moved


def _with_app() -> None:
    """A fresh server's first visitor on a page's own link gets the page without app.py.

    That is because the folder is called pages. Then app.py is run from here: its st.navigation ends
    this for the whole server, and it runs the page once more.
    """
    if streamlit_internals.pages_come_without_app():
        runpy.run_path(str(ROOT / "app.py"), run_name="__main__")
        st.stop()


def _leave_what_is_gone() -> None:
    """A dataset or embedding of one's own may be removed while a session looks at it."""
    session = st.session_state
    try:
        session["spec"] = session["spec"].with_()
        own.check_listed(session["spec"].dataset)
    except UserError as error:
        session["spec"] = Spec()
        session["problems"] = [*session["problems"], str(error)]
        renew()


def _read_view(knobs: ViewKnobs, query: Mapping[str, str]) -> tuple[View, list[str]]:
    view = {}
    found = []
    for name in (name for name in knobs if name in query):
        try:
            view[name] = knobs[name].parse(query[name])
        except UserError as error:
            found.append(str(error))
    return view, found
