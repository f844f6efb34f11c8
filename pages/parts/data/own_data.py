"""What the user has brought in so far: each with the ways to look at it and to let go of it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core import datasets
from core.data import own
from core.hosting import policy
from core.spec import Spec, first_look
from pages.shared import layout, state
from pages.shared.words import noun, plain, starless


def sentence(names: Sequence[str]) -> str:
    """What is here."""
    if not names:
        ends = " It goes when your visit ends." if policy.hosted() else ""
        return (
            "Nothing of yours is here yet."
            f" Drop a file: nothing is kept before you have seen what is in it.{ends}"
        )
    titles = ", ".join(
        f"{starless(datasets.info(name).title)} ({datasets.info(name).n:,} {noun(name)})"
        for name in names[:3]
    )
    more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    what = "One dataset of yours is" if len(names) == 1 else f"{len(names):,} datasets of yours are"
    them = "it" if len(names) == 1 else "them"
    pages = (
        f"Every page can look at {them}."
        if all(datasets.info(name).labeled for name in names)
        else "Pages that learn need labels, or for Active a target."
    )
    return f"*{what} here*: {titles}{more}. {pages}"


def brought() -> None:
    """The dataset that has just come in, and where to go with it."""
    name = st.session_state.get("brought")
    if name in own.names():
        look = first_look(datasets.info(name))
        with st.container(border=True, horizontal=True, vertical_alignment="center", gap="medium"):
            st.markdown(
                f"**{plain(datasets.info(name).title)}** is kept, and chosen as the dataset now.",
                width="stretch",
            )
            layout.onward(
                "explore",
                "Explore it",
                ":material/grid_view:",
                look.spec.to_query(),
            )
        if look.why:
            st.caption(look.why)


def show() -> None:
    """The list."""
    names = own.names()
    if not names:
        return
    st.subheader("Your datasets", anchor=False)
    if policy.hosted():
        st.caption("Only you see these. They go when your visit ends.")
    for name in names:
        about = datasets.info(name)
        shape = " x ".join(f"{size:,}" for size in about.shape)
        labels = f"{about.classes:,} classes" if about.labeled else "no labels"
        labels += ", a target" if about.target else ""
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            st.markdown(
                f"**{plain(about.title)}**:"
                f" {about.n:,} {'images' if about.is_images else 'rows'} of {shape}, {labels}",
                width="stretch",
            )
            layout.onward(
                "explore",
                "Explore it",
                ":material/grid_view:",
                first_look(datasets.info(name)).spec.to_query(),
            )
            removal(name, about.title)


def removal(name: str, title: str) -> None:
    """A button that asks once more."""
    with st.popover("Remove"):
        st.markdown(f"Remove **{plain(title)}** from this machine? Your own file stays as it is.")
        st.button("Remove it", key=f"remove {name}", on_click=_remove, args=(name,), type="primary")


def _remove(name: str) -> None:
    own.remove(name)
    if st.session_state.get("brought") == name:
        del st.session_state["brought"]
    spec = st.session_state["spec"]
    if own.is_own(name) and spec.dataset == name:
        st.session_state["spec"] = Spec()
    elif spec.embedding == name:
        st.session_state["spec"] = spec.with_(embedding=Spec().embedding)
    state.renew()
