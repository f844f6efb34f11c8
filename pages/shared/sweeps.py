"""An experiment's cost before the button, the button, its progress, and the experiments of the past. For every page that runs plans."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable
from typing import Any

import streamlit as st

from core import cache, jobs
from core.experiments import cost, results, sweep
from core.experiments.results import plan_key
from core.experiments.retrain import Retraining, from_query
from core.experiments.sweep import Sweep
from core.types import Dataset
from pages.shared import parts
from pages.shared.words import time_text

REFRESH = 1.0  # seconds between two looks at a running experiment
MEGABYTE = 2**20


def run(plan: Retraining, data: Dataset, asked: str) -> str:
    """The plan's state: what it would cost and the button, or how far it is; the key of the job that the link should carry ("" for none).

    asked: the job of the link. If it is this plan's and something is missing, it goes on at once: a reload or a restarted server finds it.
    """
    key, missing = plan_key(plan, data.fingerprint), results.missing(plan, data.fingerprint)
    known = sweep.find(key)
    if not missing:
        if known is not None:
            parts.notes(known.notes)
        return key if asked == key else ""
    if known is None and asked == key:
        known = sweep.start(plan, data.fingerprint, _owner())
    if known is not None and not known.finished:
        _panel(known, known.done)
        return key
    if known is not None and known.state == "failed":
        st.error(known.error)
    elif known is not None and known.state == "cancelled":
        st.info(f"Stopped. {len(plan.units()) - len(missing):,} of {len(plan.units()):,} trainings are finished and stay.")
    if asked and asked != key:
        st.caption("The link's experiment had other settings or an older version's code; what it finished is in the history.")
    return key if _offer(plan, data, missing) else ""


def _offer(plan: Retraining, data: Dataset, missing: list) -> bool:
    """What it would cost, and the button; was it pressed?"""
    left, right = st.columns([4, 1], vertical_alignment="center")
    total = len(plan.units())
    with left:
        done = f"{total - len(missing):,} of its {total:,} trainings are finished. " if len(missing) < total else ""
        st.markdown(f"{done}{_cost(plan, missing)}")
    word = "Go on" if len(missing) < total else "Start"
    pressed = right.button(word, type="primary", width="stretch", key=f"start {plan_key(plan, data.fingerprint)}")
    if pressed:
        sweep.start(plan, data.fingerprint, _owner())
    return pressed


def _cost(plan: Retraining, missing: list) -> str:
    """How long and how much memory, from the rate that the worker has shown on this network."""
    key = f"~rate {plan.dataset} {plan.network}"
    arguments = (plan.dataset, plan.n, plan.subset, plan.network)
    job = jobs.find(key) or jobs.submit("core.experiments.cost:measure", *arguments, key=key, priority=1)
    if job.state == "failed":
        return job.error or ""
    if not job.wait(0.3) or job.state != "done":
        _until_measured(job)
        return f"{len(missing):,} trainings to do. Measuring how fast this machine trains this network…"
    shown, slots = job.result(), jobs.slots()
    seconds = cost.predict((unit for unit, _ in missing), shown["rate"], slots)
    memory = shown["memory"] + slots * 16 * shown["weights"]  # float32 weights, gradients and Adam's two moments
    together = f"{slots} at a time" if slots > 1 else "one after the other"
    return (
        f"{len(missing):,} trainings to do, {together}: about **{_rough(seconds)}** and {memory / MEGABYTE:,.0f} MB of memory "
        f"({shown['rate']:,.0f} samples per second each, just measured)."
    )


@st.fragment(run_every=0.5)
def _until_measured(job: Any) -> None:
    if job.finished:
        st.rerun()


def _panel(running: Sweep, done: int) -> None:
    """How far it is, and the way to stop it."""
    _progress(running.key, done)


@st.fragment(run_every=REFRESH)
def _progress(key: str, done: int) -> None:
    running = sweep.find(key)
    if running is None or running.finished or running.done != done:
        st.rerun()
    left, right = st.columns([5, 1], vertical_alignment="bottom")
    left.progress(min(1.0, running.fraction), _line(running))
    mine = _owner() in running.owners
    right.button("Stop", on_click=sweep.cancel, args=(key, _owner()), key=f"stop {key}", width="stretch", disabled=not mine)


def _line(running: Sweep) -> str:
    if running.position and not running.running:
        return f"Waiting: {running.position} experiment{'s' if running.position > 1 else ''} before this one"
    left = running.seconds_left
    parts_said = [f"{running.done:,} of {running.total:,} trainings", f"{time_text(running.elapsed)} so far"]
    return " · ".join([*parts_said, f"about {_rough(left)} left"] if left is not None else parts_said)


def history(fingerprint: str, show: Callable[[Retraining], None]) -> None:
    """Past experiments on these points, each with how much of it is finished; show(plan) is the callback that opens one."""
    with st.popover("Past experiments", width="stretch"):
        records = sorted(cache.entries("history"), key=lambda item: -item[1]["started"])
        plans = [(key, facts, from_query(facts["plan"])[0]) for key, facts in records if facts["data"] == fingerprint]
        if not plans:
            st.caption("None yet on these points. An experiment appears here as soon as it is started.")
        for key, facts, plan in plans[:20]:
            total, missing = len(plan.units()), len(results.missing(plan, fingerprint))
            when = datetime.datetime.fromtimestamp(facts["started"]).strftime("%d %B %Y, %H:%M")
            said = "finished" if not missing else f"{total - missing:,} of {total:,} finished"
            st.button(f"{facts['title']}  \n{when} · {said}", on_click=show, args=(plan,), key=f"history {key}", width="stretch")


def _owner() -> str:
    """This session's name, the same over its reruns."""
    session = st.session_state
    if "owner" not in session:
        session["owner"] = uuid.uuid4().hex
    return session["owner"]


def _rough(seconds: float) -> str:
    """A prediction is not exact: seconds below two minutes, else minutes, else hours."""
    if seconds < 120:
        return f"{max(1, round(seconds)):,} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
