"""What the web process keeps in memory: datasets and rankings, read-only, shared by all sessions.

Results come from the cache on disk; what is not there yet is a job in the worker.
"""

from __future__ import annotations

import gc
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from core import datasets
from core.data import own
from core.hosting import policy
from core.linalg import ties
from core.runtime import cache, jobs, tasks
from core.runtime.cache import Entry
from core.runtime.jobs import Job
from core.spec import Comparison, Spec, comparison_key, from_query, scores_key
from core.types import Dataset
from pages.shared import visitor
from pages.shared.recently_used import RecentlyUsed
from pages.shared.serving import turns

WORKER_AFTER = 2.0  # seconds after the first visitor
QUICK = 0.35  # seconds to wait for a result before showing that it is being computed
SEEN = 200  # results that a visitor of the hosted demo has seen and their dossiers tell of
_datasets = RecentlyUsed(4)
_reading = threading.Lock()  # one at a time: each may fill much memory


@st.cache_resource(show_spinner=False)
def prepare_server() -> None:
    """Once per server: start the worker, and freeze what is loaded now.

    What is frozen is out of the garbage collector's sight. The worker starts a moment later, or
    when it is first asked for: the first picture comes without it and comes first. The hosted demo
    starts it only when somebody asks for work.
    """
    if policy.hosted():
        own.remove_what_ended_servers_left()
    else:
        starter = threading.Timer(WORKER_AFTER, jobs.start_in_background)
        starter.daemon = True
        starter.start()
    gc.collect()
    gc.freeze()


def dataset(name: str, n: int | None, subset: int) -> Dataset:
    """The dataset, read-only. Only call it for a dataset that is ready.

    While one is read others may have their turn, and each is read once: so no lock is held that
    somebody with a turn may wait for.
    """
    key = name, n, subset
    found = _datasets.get(key)
    if found is None:
        with st.spinner("Reading the points"), turns.aside(), _reading:
            found = _datasets.get(key)
            if found is None:
                found = datasets.load(name, n=n, seed=subset)
                _datasets.put(key, found)
    return found


def forget_datasets() -> None:
    """Read them anew when they are next asked for."""
    _datasets.forget(lambda key: True)


@dataclass(frozen=True, eq=False)
class Ranking:
    """A ranking of n points.

    scores (n,); order (n,), best first; rank (n,), 1 = best; scores equal to rounding in the order
    of the points (core/linalg/ties.py). scored (n,) bool: the other points have no score and rank
    last.
    """

    scores: np.ndarray
    order: np.ndarray
    rank: np.ndarray
    scored: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """The scores of the points that have one."""
        return self.scores if self.scored.all() else self.scores[self.scored]

    @property
    def with_gaps(self) -> np.ndarray:
        """The scores (n,), NaN where there is none."""
        return self.scores if self.scored.all() else ties.gaps(self.scores, ~self.scored)


@st.cache_resource(show_spinner=False, max_entries=32)
def ranking(key: str, _scores: np.ndarray, _unscored: np.ndarray | None = None) -> Ranking:
    """The ranking of a cached result, by its key. _unscored (n,): where there is no score."""
    scored = np.ones(len(_scores), bool) if _unscored is None else ~_unscored
    return Ranking(_scores, ties.order(_scores), ties.ranks(_scores), scored)


def ranking_of(entry: Entry) -> Ranking:
    """The ranking of what `scores` gives."""
    return ranking(entry.key, entry.arrays["scores"], entry.arrays.get("unscored"))


def scores(spec: Spec) -> Entry | Job:
    """The scores of a Spec if they are at hand within a moment, else the job that computes them."""
    data = dataset(spec.dataset, spec.n, spec.subset)
    return result(scores_key(spec, data.fingerprint), tasks.SCORES, spec)


def result(key: str, task: str, *arguments: Any) -> Any:
    """What `task` returns, from the cache or if it is quick; else its Job.

    The Job may still run, have failed, been stopped or refused. A key that begins with "~" names
    something quick that is not kept on disk.
    """
    on_disk = not key.startswith("~")
    found = cache.get(key) if on_disk else None
    if found:
        return _saw(found)
    job = visitor.ask(key, task, *arguments)
    with turns.aside():
        job.wait(QUICK)
    if job.state != "done":
        return job
    value = job.result()
    if on_disk and not value.notes:
        jobs.forget(key)  # it is on disk now: the memory is free again
    return _saw(value) if on_disk else value


def _saw(entry: Entry) -> Entry:
    """On the hosted demo a session's dossiers tell of what it has seen, whatever others compute."""
    if policy.hosted():
        seen = st.session_state.setdefault("seen", {})
        seen.pop(entry.key, None)
        seen[entry.key] = entry.facts
        for key in list(seen)[:-SEEN]:
            del seen[key]
    return entry


def _told(step: str) -> list[tuple[str, dict[str, Any]]]:
    """(key, facts) of the results of this step of which a dossier tells."""
    if not policy.hosted():
        return cache.entries(step)
    seen = st.session_state.get("seen", {})
    return [*_bundled(step), *(one for one in seen.items() if one[0].startswith(f"{step}-"))]


@st.cache_resource(show_spinner=False)
def _bundled(step: str) -> list[tuple[str, dict[str, Any]]]:
    return cache.entries(step, bundled_only=True)


def every_scores(fingerprint: str) -> list[tuple[Spec, np.ndarray]]:
    """The scores of every ranking of these points that is kept, one per Spec, NaN where it has
    none.

    In the cache or the bundle, made by today's code; on the hosted demo of the cache what this
    session has seen, so that one who computes a thousand slows nobody. Of joined embeddings only
    those that this visitor has joined: what others call theirs is nobody else's business.
    """
    found: dict[Spec, np.ndarray] = {}
    for stored, facts in _told("scores"):
        spec, problems = from_query(facts["spec"])
        entry = (
            None
            if problems or not _listed(spec)
            else _stored(stored, scores_key(spec, fingerprint))
        )
        if entry:
            found[spec] = ties.gaps(entry.arrays["scores"], entry.arrays.get("unscored"))
    for stored, facts in _told("agreement"):
        columns = tuple(from_query(query)[0] for query in facts["columns"])
        entry = _stored(stored, comparison_key(Comparison(columns, facts["k"]), fingerprint))
        rows = entry.arrays["scores"] if entry else ()
        absent = entry.arrays.get("unscored", [None] * len(rows)) if entry else ()
        for spec, scores, where in zip(columns, rows, absent, strict=False):
            if _listed(spec):
                found.setdefault(spec, ties.gaps(scores, where))
    return list(found.items())


def _listed(spec: Spec) -> bool:
    return not own.is_joined(spec.embedding) or spec.embedding in own.joined(spec.dataset)


def _stored(name: str, key: str) -> Entry | None:
    return cache.get(key) if name in (key, cache.bundled_key(key)) else None
