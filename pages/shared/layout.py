"""Parts that every page shares: the facts, the job panel, messages, the foot of the page."""

from __future__ import annotations

import html
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitPageNotFoundError

from core import datasets
from core.hosting import policy
from core.plugins import loading
from core.runtime import jobs, tasks
from core.runtime.cache import Entry
from core.runtime.jobs import Job
from core.spec import Spec
from core.types import UserError
from pages.shared import visitor
from pages.shared.words import plain

# Styles that Streamlit has no setting for. Only classes of our own and .st-key-* are touched.
STYLE = """<style>
dl.facts.facts {display: flex; flex-wrap: wrap; gap: .35rem 1.6rem; margin: 0; padding: 0; font-variant-numeric: tabular-nums}
.facts div {display: flex; flex-direction: column-reverse}
.facts dt {font-size: .85rem; opacity: .75; white-space: nowrap}
.facts dd {font-size: 1.45rem; line-height: 1.25; margin: 0; padding: 0; font-weight: 600; white-space: nowrap}
.answer {font-size: 1.2rem; line-height: 1.5; margin: 0; max-width: 62rem; text-wrap: pretty}
.st-key-stale {opacity: .45}
:has(> [class*=st-key-fluid]), [class*=st-key-fluid] {max-height: 100vw; overflow: hidden}
[data-testid^=stBaseButton-primary] p, [data-testid=stMultiSelect] [data-tag] * {color: light-dark(#FFFFFF, #101418)}
@media (max-width: 640px) {
  dl.facts.facts {gap: .1rem .9rem} .facts div {flex-direction: row-reverse; gap: .3rem; align-items: baseline}
  .facts dd {font-size: 1rem} .answer {font-size: 1.05rem}
}
</style>"""


MIME = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet", "json": "application/json"}
MIME |= {"svg": "image/svg+xml", "png": "image/png"}


def dark() -> bool:
    """Does the reader see the dark theme?"""
    return st.context.theme.type == "dark"


def head(question: str) -> None:
    """The question that the page answers, and under it which own strategies could not be loaded; a
    visitor of the hosted demo has none.
    """
    st.html(STYLE)
    st.title(question, anchor=False)
    for problem in [] if policy.hosted() else loading.problems():
        st.warning(f"From {loading.VARIABLE}: {plain(problem)} The other strategies work.")


def answer(sentence: str) -> None:
    """The computed sentence under the question; *stars* make bold."""
    parts = html.escape(sentence).split("*")
    st.html(
        f'<p class="answer">{"".join(f"<b>{p}</b>" if i % 2 else p for i, p in enumerate(parts))}</p>'
    )


def fluid(name: str, height: int):
    """A container for one chart that is `height` pixels high, but never higher than the screen is
    wide; the chart stretches in it.
    """
    return st.container(key=f"fluid-{name}", height=height, border=False)


def facts(pairs: Sequence[tuple[str, str, str]]) -> None:
    """One row of (label, value, explanation); a compact line on a phone."""
    items = "".join(
        "<div"
        f' title="{html.escape(why)}"><dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd></div>'
        for name, value, why in pairs
    )
    st.html(f'<dl class="facts">{items}</dl>')


def messages(problems: Sequence[str]) -> None:
    """What could not be used, each with its mend; what could be used is on the page."""
    for problem in map(policy.said, problems):
        st.warning(
            f"From the link: {plain(problem)} The rest of the link is used as it is.", icon=None
        )


def notes(sentences: Sequence[str]) -> None:
    """What the reader should know of how a result came about."""
    for sentence in sentences:
        st.warning(
            plain(
                policy.said(
                    sentence,
                    "This result is whole, but this server could not keep it or had lost it"
                    " before.",
                )
            )
        )


def made_of(sentences: Sequence[str | None]) -> None:
    """What was made for the strategies besides the embedding: who judges, how many opinions, which
    training. Each once.
    """
    for sentence in dict.fromkeys(filter(None, sentences)):
        st.caption(sentence)


@contextmanager
def explained() -> Iterator[None]:
    """Inside, what the user can mend becomes a sentence on the page, which stops there."""
    try:
        yield
    except UserError as error:
        st.error(plain(policy.said(str(error))))
        st.stop()


def waiting(job: Job, what: str) -> None:
    """A result that is not there: how far it is, or why it did not come and the way to try again."""
    if job.state in ("failed", "cancelled"):
        failed(job, what)
    else:
        job_panel(job, what)


@st.fragment(run_every=0.5)
def job_panel(job: Job, what: str) -> None:
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


@dataclass(frozen=True)
class Shown:
    """What the page shows: a Spec and its result; stale if it is the previous one, shown while the
    next is computed.
    """

    spec: Any
    entry: Entry
    fresh: bool
    stale: bool


def arrived(page: str, spec: Any, result: Entry | Job, what: str) -> Shown | None:
    """The result, or the previous one with the job's progress above it; None if there is nothing to
    show yet.
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


def downloads(label: str, files: Sequence[tuple[str, Callable[[], bytes | str], str]]) -> None:
    """A button that offers files: (what it says, content, file name).

    Contents are made when asked for.
    """
    with st.popover(label, width="stretch"):
        for text, content, name in files:
            mime = MIME[name.rsplit(".", 1)[-1]]
            st.download_button(
                text,
                data=content,
                file_name=name,
                mime=mime,
                on_click="ignore",
                width="stretch",
                key=f"download {name}",
            )


def offer_dataset(name: str) -> None:
    """A dataset that is not on this machine yet: say so, and offer to fetch it."""
    about = datasets.info(name)
    key = f"~fetch {name}"
    job = jobs.find(key)
    if job is not None and not job.finished:
        job_panel(job, f"Fetching {about.title}")
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


def no_labels(name: str) -> None:
    """A page that learns from labels, and a dataset without: say what still works."""
    what = plain(datasets.info(name).title)
    st.info(
        f"{what} has no labels, and this page trains on them. Choose another dataset beside, or"
        " bring it in again with its labels."
    )
    onward(
        "explore",
        f"Explore {what}: what needs no labels works there",
        ":material/grid_view:",
        Spec(dataset=name).to_query(),
    )


def onward(page: str, label: str, icon: str, query: Mapping[str, str], where: Any = st) -> None:
    """A link to another page with this state; the session goes along, and what it has brought in."""
    try:
        where.page_link(f"pages/{page}.py", label=label, icon=icon, query_params=query)
    except StreamlitPageNotFoundError:  # a page that runs alone knows no others
        where.markdown(f"[{label}](/{page}?{urllib.parse.urlencode(query)})")


def failed(job: Job, what: str) -> None:
    """A job that did not succeed: why, and the way to try again unless it was refused."""
    if job.state == "failed":
        st.error(plain(policy.said(job.error or "")))
        if not job.attempt:
            return
    else:
        st.info("Stopped. Nothing was lost; what had been computed before is still there.")
    st.button("Try again", on_click=visitor.again, args=(job.key,), key=f"again {job.key} {what}")


def link_of(query: Mapping[str, str]) -> str:
    """The address that restores this state from cold."""
    base = (st.context.url or "").split("?")[0]
    return f"{base}?{urllib.parse.urlencode(query)}" if query else base


def link_box(query: Mapping[str, str]) -> None:
    """A button that shows the link, ready to copy."""
    with st.popover("Link to this view", width="stretch"):
        st.caption("Opens exactly this view, anywhere this app runs.")
        st.code(link_of(query), language=None, wrap_lines=True)


def file_name(spec: Spec) -> str:
    """A file name without surprises: letters, digits, dots and hyphens."""
    return "-".join(
        filter(
            None,
            [
                spec.dataset,
                spec.embedding,
                spec.strategy,
                *(f"{n}{v}" for n, v in spec.strategy_knobs),
            ],
        )
    ).replace("_", "-")
