"""What an experiment would cost, and the button that starts it; once it runs, how far it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import streamlit as st

from core.experiments import cost, runner, store
from core.experiments.plan import Plan
from core.experiments.runner import Sweep
from core.experiments.store import plan_key
from core.hosting import limits, policy
from core.runtime import jobs
from core.runtime.jobs import Job
from core.types import UserError
from pages.shared import job_panel, layout, state, visitor
from pages.shared.experiments import progress_bar, session_experiment
from pages.shared.serving import turns
from pages.shared.words import plain

Show = Callable[[Plan], None]
QUICK = 0.3  # seconds to wait for a measurement before showing that it is being made
MEGABYTE = 2**20


class HasFingerprint(Protocol):
    """What an experiment is about: a Dataset, or whatever else has a fingerprint."""

    @property
    def fingerprint(self) -> str: ...


def cost_or_progress(plan: Plan, data: HasFingerprint, asked: str, show: Show) -> str:
    """The plan's state: what it would cost and the button, or how far it is.

    Returns the key of the job that the link should carry ("" for none). asked: the job of the link.
    If it is this plan's and something is missing, it goes on at once: a reload or a restarted
    server finds it. show(plan) is the callback that opens an experiment.
    """
    key = plan_key(plan, data.fingerprint)
    missing = store.missing(plan, data.fingerprint)
    known = runner.find(key)
    if not missing:
        layout.notes(known.notes if known else ())
        return key if asked == key else ""
    mine = session_experiment.mine()
    pressed = st.session_state.pop("pressed", None) == key
    found = asked == key and (
        known is None or not (known.finished or visitor.owner() in known.owners)
    )
    if (pressed or found) and mine is None and _may_start(plan, data, missing, known):
        known = session_experiment.start(plan, data.fingerprint)
        if known.finished:  # it ended in between
            st.rerun()
    if known is not None and not known.finished:
        wanted = visitor.owner() in known.owners
        progress_bar.show(key, known.done, wanted)
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
        done = total - len(missing)
        are = "is finished and stays" if done == 1 else "are finished and stay"
        st.info(f"Stopped. {done:,} of {total:,} {plan.units_are} {are}.")


def _told(problem: str) -> None:
    """Now, and as long as the link's other problems."""
    if problem not in state.problems():
        state.problems().append(problem)
        layout.messages([problem])


def _offer(
    plan: Plan, data: HasFingerprint, missing: list, other: Sweep | None, show: Show
) -> None:
    """What it would cost, and the button, unless this session has another experiment under way."""
    left, right = st.columns([4, 1], vertical_alignment="center")
    total = len(plan.units())
    with left:
        finished = total - len(missing)
        are = "is" if finished == 1 else "are"
        done = (
            f"{finished:,} of its {total:,} {plan.units_are} {are} finished. " if finished else ""
        )
        refused = _refusal(plan, missing, data.fingerprint)
        st.markdown(f"{done}{refused or _cost(plan, missing, data.fingerprint)}")
    word = "Go on" if len(missing) < total else "Start"
    key = plan_key(plan, data.fingerprint)
    idle = other is not None or refused is not None
    how = {
        "type": "secondary" if idle else "primary",
        "disabled": idle,
    }  # the primary one's text is white, disabled or not
    right.button(
        word,
        on_click=session_experiment.press,
        args=(key,),
        key=f"start {key}",
        width="stretch",
        **how,
    )
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
        progress_bar.rerun_after(other)


def _may_start(plan: Plan, data: HasFingerprint, missing: list, known: Sweep | None) -> bool:
    """Whoever may not start it reads why.

    On the hosted demo it starts only once it is known how long it takes; anybody may join.
    """
    if not policy.hosted() or (known is not None and not known.finished):
        return True
    if _refusal(plan, missing, data.fingerprint):
        return False
    job = _measured(plan)
    if not job.finished:
        st.session_state["pressed"] = plan_key(plan, data.fingerprint)
    return job.state == "done"


def _refusal(plan: Plan, missing: list, fingerprint: str) -> str | None:
    """Why a visitor of the hosted demo may not start it; its time counts as soon as it is known."""
    job = jobs.find(plan.measurement.key)
    known = job is not None and job.state == "done"
    seconds = _seconds(plan, missing, fingerprint, job.result())[0] if known else None
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


def _seconds(
    plan: Plan, missing: list, fingerprint: str, found: Mapping[str, Any]
) -> tuple[float, float]:
    """Of all of it, and of what comes before the first unit, by this measurement."""
    units = [unit for unit, _ in missing]
    shared = plan.shared(units, fingerprint)
    slots = jobs.slots()
    return cost.predict(units, found, slots, shared), cost.predict([], found, slots, shared)


def _cost(plan: Plan, missing: list, fingerprint: str) -> str:
    """How long and how much memory, from the rate that the worker has shown."""
    measured = plan.measurement
    job = _measured(plan)
    with turns.aside():
        quick = job.wait(QUICK)
    if not quick:
        progress_bar.rerun_after(job)
        return f"{len(missing):,} {plan.units_are} to do. Measuring {measured.what}…"
    if job.state != "done":
        job_panel.failed(job, "the speed")
        return f"{len(missing):,} {plan.units_are} to do."
    if "pressed" in st.session_state:  # it was to start as soon as this is known
        st.rerun()
    shown = job.result()
    slots = jobs.slots()
    seconds, first = _seconds(plan, missing, fingerprint, shown)
    before = f", {progress_bar.rough(first)} of it for {plan.shared_is}" if first else ""
    memory = (
        shown["memory"] + slots * 16 * shown["weights"]
    )  # float32 weights, gradients and Adam's two moments
    together = f"{slots} at a time" if slots > 1 else "one after the other"
    return (
        f"{len(missing):,} {plan.units_are} to do, {together}:"
        f" about **{progress_bar.rough(seconds)}**{before} and {memory / MEGABYTE:,.0f} MB of"
        f" memory ({measured.told.format(shown['rate'])}, just measured)."
    )
