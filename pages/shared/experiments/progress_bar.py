"""How far a running experiment is, with the ways to stop it and to join it."""

from __future__ import annotations

import streamlit as st

from core.experiments import runner
from core.experiments.runner import Sweep
from core.runtime.jobs import Job
from pages.shared import visitor
from pages.shared.experiments import session_experiment
from pages.shared.words import time_text

REFRESH = 1.0  # seconds between two looks at a running experiment


@st.fragment(run_every=REFRESH)
def show(key: str, done: int, wanted: bool) -> None:
    """How far it is, and for those who want it the way to stop it."""
    running = runner.find(key)
    pressed = "pressed" in st.session_state
    if (
        pressed
        or running is None
        or running.finished
        or running.done != done
        or (visitor.owner() in running.owners) != wanted
    ):
        st.rerun()
    left, right = st.columns([5, 1], vertical_alignment="bottom")
    left.progress(min(1.0, running.fraction), _line(running))
    if wanted:
        right.button(
            "Stop",
            on_click=session_experiment.stop,
            args=(key, running.plan.kind),
            key=f"stop {key}",
            width="stretch",
        )
    else:
        st.caption("Another session waits for this experiment, so it goes on.")
        right.button(
            "Join",
            on_click=session_experiment.press,
            args=(key,),
            key=f"join {key}",
            width="stretch",
            disabled=session_experiment.mine() is not None,
        )


def _line(running: Sweep) -> str:
    if running.position and not running.running:
        return (
            f"Waiting: {running.position} experiment{'s' if running.position > 1 else ''} before"
            " this one"
        )
    if (pause := running.patience.pause) > 0:
        return (
            f"{running.done:,} of {running.total:,} {running.plan.units_are}"
            f" · {running.notes[-1]} It goes on in {rough(pause)}"
        )
    left = running.seconds_left
    parts_said = [
        f"{running.done:,} of {running.total:,} {running.plan.units_are}",
        f"{time_text(running.elapsed)} so far",
    ]
    return " · ".join(
        [*parts_said, f"about {rough(left)} left"] if left is not None else parts_said
    )


@st.fragment(run_every=0.5)
def rerun_after(awaited: Job | Sweep) -> None:
    """The page runs again when this has ended."""
    if awaited.finished:
        st.rerun()


def rough(seconds: float) -> str:
    """A prediction is not exact: seconds below two minutes, else minutes, else hours."""
    if seconds < 120:
        return f"{max(1, round(seconds)):,} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
