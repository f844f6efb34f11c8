"""An experiment's cost before the button, the button, its progress, and the experiments of the
past. For every page that runs plans.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Protocol

import streamlit as st

from core.experiments import cost, runner, store
from core.experiments.kinds import KINDS
from core.experiments.plan import Plan
from core.experiments.runner import Sweep
from core.experiments.store import plan_key
from core.hosting import limits, policy
from core.runtime import cache, jobs
from core.runtime.jobs import Job
from core.types import UserError
from pages.shared import layout, render_lock, state, visitor
from pages.shared.words import plain, time_text

Show = Callable[[Plan], None]
REFRESH = 1.0  # seconds between two looks at a running experiment
QUICK = 0.3  # seconds to wait for a measurement before showing that it is being made
MEGABYTE = 2**20


class Source(Protocol):
    """What an experiment is about: a Dataset, or whatever else has a fingerprint."""

    @property
    def fingerprint(self) -> str: ...


def run(plan: Plan, data: Source, asked: str, show: Show) -> str:
    """The plan's state: what it would cost and the button, or how far it is; the key of the job
    that the link should carry ("" for none).

    asked: the job of the link. If it is this plan's and something is missing, it goes on at once: a
    reload or a restarted server finds it. show(plan) is the callback that opens an experiment.
    """
    key = plan_key(plan, data.fingerprint)
    missing = store.missing(plan, data.fingerprint)
    known = runner.find(key)
    if not missing:
        layout.notes(known.notes if known else ())
        return key if asked == key else ""
    mine = _mine()
    pressed = st.session_state.pop("pressed", None) == key
    found = asked == key and (
        known is None or not (known.finished or visitor.owner() in known.owners)
    )
    if (pressed or found) and mine is None and _may_start(plan, key, missing, known):
        known = _start(plan, data)
        if known.finished:  # it ended in between
            st.rerun()
    if known is not None and not known.finished:
        wanted = visitor.owner() in known.owners
        _progress(key, known.done, wanted)
        return key if wanted else ""
    _ended(plan, known, missing)
    if asked and asked != key and runner.find(asked) is None:
        _told(
            "job: found an experiment with other settings or of an older version's code. What it"
            " finished is under Past experiments."
        )
    _offer(plan, data, missing, mine, show)
    return ""


def _ended(plan: Plan, known: Sweep | None, missing: list) -> None:
    if known is not None and known.state == "failed":
        st.error(plain(policy.said(known.error or "")))
    elif known is not None and known.state == "cancelled":
        total = len(plan.units())
        st.info(
            f"Stopped. {total - len(missing):,} of {total:,} {plan.units_are} are finished and"
            " stay."
        )


def _told(problem: str) -> None:
    """Now, and as long as the link's other problems."""
    if problem not in state.problems():
        state.problems().append(problem)
        layout.messages([problem])


def _offer(plan: Plan, data: Source, missing: list, other: Sweep | None, show: Show) -> None:
    """What it would cost, and the button, unless this session has another experiment under way."""
    left, right = st.columns([4, 1], vertical_alignment="center")
    total = len(plan.units())
    with left:
        done = (
            f"{total - len(missing):,} of its {total:,} {plan.units_are} are finished. "
            if len(missing) < total
            else ""
        )
        refused = _refusal(plan, missing)
        st.markdown(f"{done}{refused or _cost(plan, missing)}")
    word = "Go on" if len(missing) < total else "Start"
    key = plan_key(plan, data.fingerprint)
    idle = other is not None or refused is not None
    how = {
        "type": "secondary" if idle else "primary",
        "disabled": idle,
    }  # the primary one's text is white, disabled or not
    right.button(word, on_click=_press, args=(key,), key=f"start {key}", width="stretch", **how)
    if other is not None:
        left, right = st.columns([4, 1], vertical_alignment="center")
        left.info(
            f"Your experiment on {other.plan.title()} is still running. Stop it first, or wait for"
            " its end: one at a time."
        )
        if other.plan.kind == plan.kind:
            right.button("Show it", on_click=show, args=(other.plan,), width="stretch")
        else:
            right.page_link(f"pages/{other.plan.kind}.py", label="Show it")
        _rerun_after(other)


def _may_start(plan: Plan, key: str, missing: list, known: Sweep | None) -> bool:
    """Whoever may not start it reads why.

    On the hosted demo it starts only once it is known how long it takes; anybody may join.
    """
    if not policy.hosted() or (known is not None and not known.finished):
        return True
    if _refusal(plan, missing):
        return False
    job = _measured(plan)
    if not job.finished:
        st.session_state["pressed"] = key
    return job.state == "done"


def _refusal(plan: Plan, missing: list) -> str | None:
    """Why a visitor of the hosted demo may not start it; its time counts as soon as it is known."""
    job = jobs.find(plan.measurement.key)
    seconds = (
        cost.predict((unit for unit, _ in missing), job.result()["rate"], jobs.slots())
        if job and job.state == "done"
        else None
    )
    try:
        limits.check_plan(plan, missing, seconds)
        limits.check_experiments(len(runner.unfinished()))
    except UserError as error:
        return str(error)
    return None


def _measured(plan: Plan) -> Job:
    """The measurement of the worker's speed: on this plan's network, or as the plan itself says."""
    wanted = plan.measurement
    return visitor.ask(wanted.key, wanted.task, *wanted.arguments, priority=1)


def _cost(plan: Plan, missing: list) -> str:
    """How long and how much memory, from the rate that the worker has shown."""
    measured = plan.measurement
    job = _measured(plan)
    with render_lock.aside():
        quick = job.wait(QUICK)
    if not quick:
        _rerun_after(job)
        return f"{len(missing):,} {plan.units_are} to do. Measuring {measured.what}…"
    if job.state != "done":
        layout.failed(job, "the speed")
        return f"{len(missing):,} {plan.units_are} to do."
    if "pressed" in st.session_state:  # it was to start as soon as this is known
        st.rerun()
    shown = job.result()
    slots = jobs.slots()
    seconds = cost.predict((unit for unit, _ in missing), shown["rate"], slots)
    memory = (
        shown["memory"] + slots * 16 * shown["weights"]
    )  # float32 weights, gradients and Adam's two moments
    together = f"{slots} at a time" if slots > 1 else "one after the other"
    return (
        f"{len(missing):,} {plan.units_are} to do, {together}: about **{_rough(seconds)}** and"
        f" {memory / MEGABYTE:,.0f} MB of memory ({measured.told.format(shown['rate'])}, just"
        " measured)."
    )


@st.fragment(run_every=0.5)
def _rerun_after(awaited: Job | Sweep) -> None:
    """The page runs again when this has ended."""
    if awaited.finished:
        st.rerun()


@st.fragment(run_every=REFRESH)
def _progress(key: str, done: int, wanted: bool) -> None:
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
            on_click=_stop,
            args=(key, running.plan.kind),
            key=f"stop {key}",
            width="stretch",
        )
    else:
        st.caption("Another session waits for this experiment, so it goes on.")
        right.button(
            "Join",
            on_click=_press,
            args=(key,),
            key=f"join {key}",
            width="stretch",
            disabled=_mine() is not None,
        )


def _line(running: Sweep) -> str:
    if running.position and not running.running:
        return (
            f"Waiting: {running.position} experiment{'s' if running.position > 1 else ''} before"
            " this one"
        )
    left = running.seconds_left
    parts_said = [
        f"{running.done:,} of {running.total:,} {running.plan.units_are}",
        f"{time_text(running.elapsed)} so far",
    ]
    return " · ".join(
        [*parts_said, f"about {_rough(left)} left"] if left is not None else parts_said
    )


def history(fingerprint: str, show: Show, kind: str) -> None:
    """Past experiments of this kind on these points, each with how much of it is finished;
    show(plan) is the callback that opens one.

    On the hosted demo a visitor sees their own, and what comes with the app.
    """
    with st.popover("Past experiments", width="stretch"):
        shown = st.session_state.get("own experiments", set()) if policy.hosted() else None
        records = [
            (key, facts)
            for key, facts in cache.entries("history")
            if shown is None or key in shown | {cache.bundled_key(key)}
        ]
        records.sort(key=lambda item: -item[1]["started"])
        wanted = [
            (key, facts)
            for key, facts in records
            if facts["data"] == fingerprint and facts["kind"] == kind
        ]
        read = [(key, facts, KINDS[kind].from_query(facts["plan"])) for key, facts in wanted]
        plans = [
            (key, facts, plan) for key, facts, (plan, problems) in read if not problems
        ]  # others ran on data that are gone
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


def _press(key: str) -> None:
    """The next run starts or joins this experiment, if its plan is still the one on the page."""
    st.session_state["pressed"] = key


def _start(plan: Plan, data: Source) -> Sweep:
    """Begin or join the plan's sweep in this session's name."""
    started = runner.start(plan, data.fingerprint, visitor.owner())
    st.session_state["experiment"] = started.key
    st.session_state.setdefault("own experiments", set()).add(runner.history_key(started.key))
    if policy.hosted():
        visitor.at_end(_let_go)
    return started


def _let_go(owner: str) -> None:
    for wanted in runner.unfinished(owner):
        runner.cancel(wanted.key, owner)


def _stop(key: str, page: str) -> None:
    """Let go of it, and so for every session that has gone since; the link forgets it too, or a
    reload would go on with it.
    """
    known = runner.find(key)
    for owner in list(known.owners) if known else ():
        if owner == visitor.owner() or not visitor.here(owner):
            runner.cancel(key, owner)
    state.change_view(page, job="")


def _mine() -> Sweep | None:
    """The experiment that this session has under way."""
    known = runner.find(st.session_state.get("experiment", ""))
    return (
        known
        if known is not None and not known.finished and visitor.owner() in known.owners
        else None
    )


def _rough(seconds: float) -> str:
    """A prediction is not exact: seconds below two minutes, else minutes, else hours."""
    if seconds < 120:
        return f"{max(1, round(seconds)):,} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
