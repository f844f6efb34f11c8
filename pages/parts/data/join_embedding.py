"""Embeddings computed elsewhere: joined to a dataset by id, and compared with all others."""

from __future__ import annotations

import streamlit as st

from core import datasets, embeddings
from core.data import own
from core.data.imports import join_by_id
from core.data.imports.draft import Choices, Draft
from core.spec import Spec, resolve
from pages.parts.data import import_file, own_data
from pages.shared import cached, job_panel, layout, state
from pages.shared.words import noun, plain, short, starless

TYPES = ["npy", "npz", "parquet", "csv", "tsv", "txt"]


def sentence(spec: Spec) -> str:
    """What is joined to the dataset."""
    title = starless(resolve(spec).about.title)
    found = [starless(one.title) for one in own.joined(spec.dataset).values()]
    if not found:
        return (
            f"Nothing is joined to {title} yet. Drop a file: an embedding computed elsewhere then"
            " stands beside the app's own."
        )
    more = f" and {len(found) - 3:,} more" if len(found) > 3 else ""
    what = "One embedding is" if len(found) == 1 else f"{len(found):,} embeddings are"
    return f"*{what} joined* to {title}: {', '.join(found[:3])}{more}."


def show(spec: Spec) -> None:
    """Choose a file with an embedding of the dataset beside, look at it, keep it."""
    about = resolve(spec).about
    if not datasets.is_ready(spec.dataset):
        job_panel.offer_dataset(spec.dataset)
        return
    help = (
        "Rows are matched by the column that holds the ids of the points, whatever its name."
        " Without one there must be a row for every point, in the dataset's order."
    )
    label = (
        f"An embedding of the {about.n:,} {noun(spec.dataset)} of {plain(about.title)},"
        " computed elsewhere"
    )
    content, name = import_file.uploaded(label, "join", help, TYPES)
    if content is None:
        own_ids = cached.dataset(spec.dataset, None, 0).ids is not None
        named = "the ids that came with it" if own_ids else f"row numbers, 0 to {about.n - 1:,}"
        ids = f"The ids of {plain(about.title)} are {named}."
        st.caption(
            f"A table with one row per point: a column named id, and columns of numbers. {ids}"
        )
    else:
        _look(spec, about, content, name)
    _list(spec)


def _look(spec: Spec, about: datasets.Info, content: bytes, name: str) -> None:
    draft = import_file.read(content, name, Choices(), "join")
    if (chosen := _choices(draft)) != Choices():
        draft = import_file.read(content, name, chosen, "join chosen")
        st.session_state["read join"] = st.session_state["read join chosen"]
    embedding, faults = join_by_id.join(
        join_by_id.ids_of(cached.dataset(spec.dataset, None, 0)), draft
    )
    import_file.tell(faults)
    facts = [("points", f"{len(embedding):,}", "Rows of the file that were matched with a point")]
    layout.facts(
        [*facts, ("dimensions", f"{embedding.shape[1]:,}", "Numbers that describe each point")]
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        title = st.text_input(
            "Name", draft.title, max_chars=own.LONGEST_TITLE, key=f"title {draft.title}", width=320
        )
        unsure = [fault for fault in faults if fault.confirm and not _confirmed(fault.confirm)]
        kept = import_file.pressed("Join it", "join", bool(draft.fatal or unsure))
    if kept:
        taken = {
            text
            for name, entry in embeddings.embedders().items()
            for text in (entry.label, short(name))
        }
        joined = own.join(about, title, embedding, taken)
        import_file.forget("join")
        st.session_state["spec"] = spec.with_(embedding=joined)
        state.renew()
        st.rerun()


def _choices(draft: Draft) -> Choices:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        return Choices(
            id=_id_column(draft) if draft.columns else None,
            gaps=_gaps() if "gaps" in draft.asks else None,
        )


def _gaps() -> str | None:
    return st.selectbox(
        "Gaps",
        list(import_file.GAPS),
        format_func=import_file.GAPS.get,
        help="Where the table has no number. A point whose row is left out cannot be joined.",
        key=f"join gaps {st.session_state.get('files join', 0)}",
        width=200,
    )


def _id_column(draft: Draft) -> str | None:
    """The column that names the points; None: the one that does."""
    titles = {None: "as found", "": "none"}
    return st.selectbox(
        "Ids",
        [None, "", *draft.columns],
        format_func=lambda name: titles.get(name, name),
        help="The column whose values are the ids of the points.",
        key=f"join ids {st.session_state.get('files join', 0)}",
        width=200,
    )


def _confirmed(sentence: str) -> bool:
    key = f"confirmed {sentence} {st.session_state.get('files join', 0)}"
    return st.checkbox(sentence, key=key)


def _list(spec: Spec) -> None:
    """What is joined to the dataset, and the comparison that it is for."""
    found = own.joined(spec.dataset)
    if not found:
        return
    st.subheader(f"Joined to {plain(resolve(spec).about.title)}", anchor=False)
    query = spec.with_(embedding=Spec().embedding).to_query() | {
        "embeddings": ",".join(["raw", *found])
    }
    layout.onward(
        "agreement",
        "Do they agree with raw features, and with each other?",
        ":material/apps:",
        query,
    )
    for one in found.values():
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            st.markdown(f"**{plain(one.title)}**: {one.shape[1]:,} dimensions", width="stretch")
            layout.onward(
                "explore",
                "Explore it",
                ":material/grid_view:",
                spec.with_(embedding=one.name).to_query(),
            )
            own_data.removal(one.name, one.title)
