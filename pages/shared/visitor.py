"""Who is here, what they wait for, and what ends with their visit.

    owner()                    this session's name: its client's, and more at random; the same over
                               its reruns
    at_end(function)           function(owner) is called when the session has ended
    ask(key, task, ...)        the job that this visitor wants, or why they cannot have it
    uploads()                  what each session has in memory, and whose it is
    stop(key), again(key)      for callbacks: let go of a job; want it again, anew if it failed

A session ends when its browser tab has been closed or loaded anew. Streamlit says so too early: a
phone that loses its network for a moment comes back to the same session. So an end is believed only
when nobody has come back after GRACE seconds. What somebody who is away asked for and nobody has
begun leaves the queue sooner: on their return the page asks again.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

import streamlit as st

from core.data import own
from core.hosting import limits, policy
from core.hosting.policy import BOUNDS
from core.runtime import jobs
from core.runtime.jobs import Job
from core.types import UserError
from pages.shared import streamlit_internals
from pages.shared.serving import clients
from pages.shared.serving.allowances import Allowance
from pages.shared.serving.clients import Identity

log = logging.getLogger(__name__)
GRACE = 130.0  # seconds; Streamlit itself keeps a session for 120
LOOK = 5.0  # seconds between two looks at who has come back
MINUTE = 60.0
Ending = Callable[[str], None]


class _Guests:
    """The visitors of this server.

    sessions   owner -> their session
    clients    owner -> who they are
    endings    what to call at their end
    away       since when nobody has seen them
    """

    def __init__(self):
        self.lock = threading.Lock()
        self.sessions: dict[str, str] = {}
        self.clients: dict[str, Identity] = {}
        self.endings: dict[str, dict[Ending, None]] = {}
        self.away: dict[str, float] = {}
        self.thread: threading.Thread | None = None

    def left(self, owner: str) -> None:
        """A connection was lost: begin to watch."""
        with self.lock:
            self.away.setdefault(owner, time.monotonic())
            if self.thread is None:
                self.thread = threading.Thread(
                    target=self._watch, name="leverage-lab-guests", daemon=True
                )
                self.thread.start()

    def _watch(self) -> None:
        """One who has come back is still watched.

        The next loss of their connection may not be told.
        """
        while True:
            time.sleep(LOOK)
            now = time.monotonic()
            with self.lock:
                self.away.update({owner: now for owner in self.away if here(owner)})
                away = [owner for owner, since in self.away.items() if now - since >= LOOK]
                gone = [owner for owner, since in self.away.items() if now - since >= GRACE]
                endings = [(owner, list(self.endings.pop(owner, ()))) for owner in gone]
                for owner in gone:
                    self.away.pop(owner), self.sessions.pop(owner, None)
                    self.clients.pop(owner, None)
                everyone_is_told = not self.away
                if everyone_is_told:
                    self.thread = None
            for owner in away:
                _let_go_of_waiting(owner)
            for owner, functions in endings:
                _end(owner, functions)
            if everyone_is_told:
                return


_guests = _Guests()
_asked = [
    Allowance(BOUNDS.questions, BOUNDS.questions / MINUTE),
    Allowance(BOUNDS.address_questions, BOUNDS.address_questions / MINUTE),
]


def owner() -> str:
    """This session's name. Nobody else can guess it."""
    session = st.session_state
    if "owner" not in session:
        who = clients.current()
        session["owner"] = name = who.client + who.network + secrets.token_hex(10)
        _guests.sessions[name] = streamlit_internals.session_id()
        _guests.clients[name] = who
        _presence(name)
    return session["owner"]


def uploads() -> list[tuple[Identity, int]]:
    """Bytes of the files that each session has uploaded and that are still in memory."""
    kept = streamlit_internals.uploaded_bytes()
    known = [
        (_guests.clients.get(owner), session) for owner, session in list(_guests.sessions.items())
    ]
    return [(who, kept[session]) for who, session in known if who and kept.get(session)]


def _whose_data() -> str:
    """Whose own data the run under way means, in callbacks and fragments too: at home everybody's,
    and outside a run nobody's.
    """
    return owner() if policy.hosted() and streamlit_internals.is_a_run() else ""


own.find_visitor_by(_whose_data)


def here(owner: str) -> bool:
    """Is their browser tab open and connected?"""
    session = _guests.sessions.get(owner)
    return session is not None and streamlit_internals.is_connected(session)


def at_end(function: Ending) -> None:
    """function(owner) is called once when this session has ended, in a thread of its own.

    Asked for again, it is still called once.
    """
    name = owner()
    with _guests.lock:
        _guests.endings.setdefault(name, {})[function] = None


@st.cache_resource(scope="session", show_spinner=False, on_release=_guests.left)
def _presence(owner: str) -> str:
    """Released by Streamlit when the connection is lost."""
    return owner


def _end(owner: str, functions: list[Ending]) -> None:
    for function in functions:
        try:
            function(owner)
        except Exception:  # the others have to hear of it all the same
            log.exception("the end of a visit")


def begin_run() -> None:
    """A page begins: what the last run but one wanted and the last did not is wanted no more."""
    session = st.session_state
    session["run"] = session.get("run", 0) + 1
    _let_go_of_older(session["run"] - 1)


def watched() -> None:
    """In a fragment that shows a job's progress: let go of this visitor's older questions.

    Once the run that drew it is complete.
    """
    if streamlit_internals.only_fragments_run():
        _let_go_of_older(st.session_state.get("run", 0))


def _let_go_of_older(run: int) -> None:
    """On the hosted demo a newer question takes the place of an older one.

    At home whatever was asked for is computed, and kept.
    """
    asked = st.session_state.setdefault("asked", {})
    for key in [key for key, when in asked.items() if when < run]:
        del asked[key]
        if policy.hosted():
            jobs.let_go(key, owner())


def ask(key: str, task: str, *arguments: Any, priority: int = 0) -> Job:
    """The job of this key, which this visitor waits for from now on; begun if there is none.

    One that they have stopped stays stopped for them, whoever else waits for it. One that they may
    not begin has failed, with the reason.
    """
    session = st.session_state
    job = jobs.find(key)
    if key in session.get("stopped", ()) and not (job is not None and job.finished):
        return _never_begun(key, task, arguments, "cancelled")
    session.setdefault("asked", {})[key] = session.get("run", 0)
    if job is not None:
        jobs.join(key, owner())
        return job
    try:
        how = limits.check_task(task, arguments)
        check_fair_share(owner())
        if policy.hosted():
            at_end(_let_go_of_all)
    except UserError as error:
        return _never_begun(key, task, arguments, "failed", str(error))
    return jobs.submit(task, *arguments, key=key, priority=priority, owner=owner(), **how)


def check_fair_share(owner: str) -> None:
    """On the hosted demo a UserError if this client, its address or all together have asked for
    enough.
    """
    if not policy.hosted() or (who := _guests.clients.get(owner)) is None:
        return
    wanted = [{_guests.clients.get(one) for one in job.owners} for job in jobs.wanted()]
    limits.check_queue(
        sum(any(one and one.client == who.client for one in owners) for owners in wanted),
        sum(any(one and one.address == who.address for one in owners) for owners in wanted),
        len(wanted),
    )
    for asked, name in zip(_asked, (who.client, who.address), strict=True):
        limits.check_pace(asked.take(name))


def stop(key: str) -> None:
    """Let go of this job. It goes on if somebody else waits for it."""
    st.session_state.setdefault("stopped", set()).add(key)
    job = jobs.find(key)
    if job is not None and not job.owners:  # nobody's: one that this page did not ask for by `ask`
        job.cancel()
    jobs.let_go(key, owner())


def again(key: str) -> None:
    """Want this job again: the next run of the page asks for it."""
    st.session_state.get("stopped", set()).discard(key)
    jobs.forget(key)


def _never_begun(
    key: str, task: str, arguments: tuple, state: str, error: str | None = None
) -> Job:
    job = Job(key, task, arguments, attempt=0)
    job._finish(state, error=error)
    return job


def _let_go_of_waiting(owner: str) -> None:
    if policy.hosted():
        for job in jobs.wanted(owner):
            if job.state in ("starting", "queued"):
                jobs.let_go(job.key, owner)


def _let_go_of_all(owner: str) -> None:
    for job in jobs.wanted(owner):
        jobs.let_go(job.key, owner)
