"""A result that is not there yet, or a dataset: how far its job is, and ways to stop or retry."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from core import datasets
from core.hosting import policy
from core.runtime import jobs, tasks
from core.runtime.cache import Entry
from core.runtime.jobs import Job
from pages.shared import visitor
from pages.shared.words import plain


@dataclass(frozen=True)
class Shown:
    """What the page shows: a Spec and its result.

    stale: it is the previous one, shown while the next is computed.
    """

    spec: Any
    entry: Entry
    fresh: bool
    stale: bool


def arrived(page: str, spec: Any, result: Entry | Job, what: str) -> Shown | None:
    """The result, or the previous one with the job's progress above it.

    None if there is nothing to show yet.
    """
    session = st.session_state
    awaited = session.setdefault("awaited", set())
    if not isinstance(result, Job):
        session[f"shown {page}"] = Shown(spec, result, fresh=result.key in awaited, stale=False)
        return session[f"shown {page}"]
    awaited.add(result.key)
    waiting(result, what)
    before = session.get(f"shown {page}")
    return replace(before, stale=True) if before and before.spec.dataset == spec.dataset else None


def waiting(job: Job, what: str) -> None:
    """A result that is not there: how far it is, or why it did not come, and another try."""
    if job.state in ("failed", "cancelled"):
        failed(job, what)
    else:
        panel(job, what)


@st.fragment(run_every=0.5)
def panel(job: Job, what: str) -> None:
    """How far a job is, with a way to stop it; reruns the page when it ends."""
    if job.finished:
        st.rerun()
    visitor.watched()
    fraction, text = job.progress or (None, "")
    queued = f"Waiting, {job.position} before this one" if job.position else "Waiting for its turn"
    line = {"starting": "The worker is starting", "queued": queued}.get(job.state, text or what)
    left, right = st.columns([5, 1], vertical_alignment="bottom")
    left.progress(fraction or 0.0, f"{line} · {job.elapsed:.0f} s")
    right.button(
        "Stop",
        on_click=visitor.stop,
        args=(job.key,),
        key=f"stop {job.key} {what}",
        width="stretch",
    )


def failed(job: Job, what: str) -> None:
    """A job that did not succeed: why, and the way to try again unless it was refused."""
    if job.state == "failed":
        st.error(plain(policy.said(job.error or "")))
        if not job.attempt:
            return
    else:
        st.info("Stopped. Nothing was lost; what had been computed before is still there.")
    st.button("Try again", on_click=visitor.again, args=(job.key,), key=f"again {job.key} {what}")


def offer_dataset(name: str) -> None:
    """A dataset that is not on this machine yet: say so, and offer to fetch it."""
    about = datasets.info(name)
    key = f"~fetch {name}"
    job = jobs.find(key)
    if job is not None and not job.finished:
        panel(job, f"Fetching {about.title}")
        return
    if job is not None and job.state == "failed":
        st.error(plain(job.error))
    what = f"{about.title} ({about.n:,} points; {about.origin})"
    if policy.hosted():
        st.info(
            f"{what} is not on this server. Choose another dataset in the sidebar. The host can add"
            f" it: python -m core fetch {name}"
        )
        return
    st.info(f"{what} is not on this machine yet.")
    st.button(
        f"Download {about.title}",
        type="primary",
        on_click=jobs.submit,
        args=(tasks.FETCH_DATASET, name),
        kwargs={"key": key},
    )
