"""The experiments of before: each opens its page anew."""

from __future__ import annotations

import datetime
from typing import Any

import streamlit as st

from core.experiments import store
from core.experiments.kinds import KINDS
from core.hosting import policy
from core.runtime import cache
from pages.shared.experiments.start_button import Show
from pages.shared.words import plain


def menu(fingerprint: str, show: Show, kind: str) -> None:
    """Past experiments of this kind on these points, each with how much of it is finished.

    show(plan) is the callback that opens one. On the hosted demo a visitor sees their own, and what
    comes with the app.
    """
    with st.popover("Past experiments", width="stretch"):
        plans = [
            (key, facts, plan) for key, facts, plan in records(kind) if facts["data"] == fingerprint
        ]
        if not plans:
            st.caption(
                "None yet on these points. An experiment appears here as soon as it is started."
            )
        for key, facts, plan in plans[:20]:
            total = len(plan.units())
            missing = len(store.missing(plan, fingerprint))
            when = datetime.datetime.fromtimestamp(facts["started"]).strftime("%d %B %Y, %H:%M")
            said = "finished" if not missing else f"{total - missing:,} of {total:,} finished"
            st.button(
                f"{plain(facts['title'])}  \n{when} · {said}",
                on_click=show,
                args=(plan,),
                key=f"history {key}",
                width="stretch",
            )


def records(kind: str) -> list[tuple[str, dict[str, Any], Any]]:
    """(key, facts, plan) of each experiment of this kind that this reader may see, newest first.

    Those whose data are gone are left out.
    """
    shown = st.session_state.get("own experiments", set()) if policy.hosted() else None
    found = [
        (key, facts, KINDS[kind].from_query(facts["plan"]))
        for key, facts in cache.entries("history")
        if facts["kind"] == kind and (shown is None or key in shown | {cache.bundled_key(key)})
    ]
    found.sort(key=lambda item: -item[1]["started"])
    return [(key, facts, plan) for key, facts, (plan, problems) in found if not problems]
