"""The experiment that this session has under way: pressed, started or joined, stopped.

The button is drawn in start_button.py, the bar in progress_bar.py; the work is done by
core/experiments/runner.py.
"""

from __future__ import annotations

import streamlit as st

from core.experiments import runner
from core.experiments.plan import Plan
from core.experiments.runner import Sweep
from core.hosting import policy
from pages.shared import state, visitor


def press(key: str) -> None:
    """The next run starts or joins this experiment, if its plan is still the one on the page."""
    st.session_state["pressed"] = key


def start(plan: Plan, fingerprint: str) -> Sweep:
    """Begin or join the plan's sweep in this session's name."""
    started = runner.start(plan, fingerprint, visitor.owner())
    st.session_state["experiment"] = started.key
    st.session_state.setdefault("own experiments", set()).add(runner.history_key(started.key))
    if policy.hosted():
        visitor.at_end(_let_go)
    return started


def _let_go(owner: str) -> None:
    for wanted in runner.unfinished(owner):
        runner.cancel(wanted.key, owner)


def stop(key: str, page: str) -> None:
    """Let go of it, and so for every session that has gone since.

    The link forgets it too, or a reload would go on with it.
    """
    known = runner.find(key)
    for owner in list(known.owners) if known else ():
        if owner == visitor.owner() or not visitor.here(owner):
            runner.cancel(key, owner)
    state.change_view(page, job="")


def mine() -> Sweep | None:
    """The experiment that this session has under way."""
    known = runner.find(st.session_state.get("experiment", ""))
    return (
        known
        if known is not None and not known.finished and visitor.owner() in known.owners
        else None
    )
