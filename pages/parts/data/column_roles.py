"""What each column of a table is taken for, why, and a way to change it."""

from __future__ import annotations

import streamlit as st

from core.data.imports.draft import ROLES, Draft

MEANINGS = {
    "feature": "what describes the points",
    "label": "their classes",
    "target": "numbers that a regression is to learn",
    "id": "what the points are called",
    "split": "which points are for testing",
    "probability": "how likely a class is",
    "shown only": "stands beside the points, and counts for nothing",
    "left out": "not kept",
}
MOST = 300  # rows of the list; of a wider table the features beyond are counted


def changed(room: str) -> tuple[tuple[str, str], ...]:
    """The roles that were chosen for the file of this room: (column, role)."""
    return tuple(_changes(room).items())


def show(draft: Draft, room: str) -> None:
    """The list of columns, and the two menus that give one another role."""
    if not draft.roles:
        return
    st.markdown("**What each column is taken for**")
    order = sorted(draft.roles, key=lambda role: role.role == "feature")[:MOST]
    st.dataframe(
        {
            "column": [role.column for role in order],
            "taken for": [role.role for role in order],
            "since": [role.why for role in order],
        },
        hide_index=True,
        height=min(35 * (len(order) + 1) + 3, 318),
        key=f"roles {room} {_file(room)}",
    )
    if len(draft.roles) > MOST:
        st.caption(f"And {len(draft.roles) - MOST:,} more features.")
    _menus(draft, room)


def _menus(draft: Draft, room: str) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        names = [role.column for role in draft.roles]
        where = f"{room} {_file(room)}"
        column = st.selectbox(
            "Take column",
            names,
            None,
            placeholder="a column",
            key=f"changed column {where}",
            width=200,
        )
        st.selectbox(
            "for",
            ROLES,
            None,
            placeholder="another role",
            format_func=lambda role: f"{role}: {MEANINGS[role]}",
            key=f"changed role {where}",
            on_change=_change,
            args=(room, where),
            disabled=column is None,
            width=320,
        )
        if _changes(room):
            st.button("All as found", on_click=_changes(room).clear, key=f"as found {where}")


def _change(room: str, where: str) -> None:
    column = st.session_state[f"changed column {where}"]
    role = st.session_state[f"changed role {where}"]
    if column is not None and role is not None:
        _changes(room)[column] = role
        st.session_state[f"changed column {where}"] = None
        st.session_state[f"changed role {where}"] = None


def _changes(room: str) -> dict[str, str]:
    """Kept for the file at hand alone."""
    mark = st.session_state.get(f"read {room}")
    kept = st.session_state.get(f"changed roles {room}")
    if kept is None or kept[0] != mark:
        kept = st.session_state[f"changed roles {room}"] = (mark, {})
    return kept[1]


def _file(room: str) -> int:
    return st.session_state.get(f"files {room}", 0)
