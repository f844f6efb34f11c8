"""Is this the hosted demo, what may a visitor of it ask for, and what may they read of an error?

    hosted()           LEVERAGE_LAB_HOSTED=1: strangers share this machine
    BOUNDS.rows, ...   what one visitor may have computed; core/hosting/limits.py compares a
                       question with it
    said(message)      the message itself; on the hosted demo without paths, settings and internals

A visitor reads a number in place of what is left out, and the log has the whole message under that
number.
"""

from __future__ import annotations

import functools
import logging
import os
import re
import uuid
from dataclasses import dataclass

log = logging.getLogger(__name__)
# A visitor's name begins with that of their client, whose tab it is, and of their network: so many
# hex digits each.
CLIENT = 12
NETWORK = 8
YES = ("1", "true", "yes", "on")
# A path from the root of a disk or of a home folder, a setting of this program, the name of an
# exception, a worker's address.
_INTERNAL = re.compile(
    r"(?<![\w.:/])[~.]{0,2}/\w|\b[A-Za-z]:\\|LEVERAGE_LAB_|\b\w+(?:Error|Exception)\b|\b(?:tcp|tls)://|\bErrno\b"
)
BROKEN = "Something went wrong on this server."


@dataclass(frozen=True)
class Bounds:
    """What one visitor of the hosted demo may have computed.

    Chosen for two cores and 4 GB that a hundred visitors share.

        rows, values   points that are scored anew, and points times dimensions
        fitted         points for a strategy whose work grows faster than their number, or that fits
                       a head
        studied        points for one that fits many models
        mapped         points of a map
        compared       scores of all rankings of one comparison
        seeds, budgets, rounds, pool, units
                       of an experiment; pool also bounds how many points are trained on
        steps          of the optimizer in one round
        minutes        how long an experiment may keep this machine busy
        seconds, work_mb
                       of one question's computation, as estimated (core/hosting/estimates.py)
        patience       how many times its estimate a computation may take before it is stopped
        jobs, address_jobs, queue
                       unfinished computations of one client, of which one runs, of one address,
                       of all
        questions, address_questions
                       begun within a minute by one client, by one address
        experiments    waiting and running ones of all, one for each visitor
        upload_mb      of one file, which lies in memory until its visitor leaves
        client_uploads_mb, address_uploads_mb, uploads_mb
                       of all files in memory
        own, client_own_mb, address_own_mb, own_mb
                       datasets and embeddings that one client keeps, their megabytes, those of an
                       address and of all
        uploading      files on their way at once
        client_connections, address_connections, connections
                       open tabs; one address may be a hall with three hundred phones
        requests, cookies, messages, said_mb
                       at once, and more with every second: requests and new clients of an address,
                       messages of a client and their megabytes
        drawing, drawing_share
                       seconds of pages drawn at once, and with every second, while others wait
    """

    rows: int = 70_000
    values: int = 60_000_000
    fitted: int = 10_000
    studied: int = 2_000
    mapped: int = 10_000
    compared: int = 1_200_000
    seeds: int = 20
    budgets: int = 8
    rounds: int = 50
    steps: int = 30_000
    pool: int = 20_000
    units: int = 300
    minutes: float = 10.0
    seconds: float = 60.0
    work_mb: int = 1_200
    patience: float = 4.0
    jobs: int = 6
    address_jobs: int = 60
    queue: int = 120
    questions: int = 40
    address_questions: int = 300
    experiments: int = 20
    upload_mb: int = 10
    client_uploads_mb: int = 50
    address_uploads_mb: int = 250
    uploads_mb: int = 600
    own: int = 4
    client_own_mb: int = 200
    address_own_mb: int = 1_000
    own_mb: int = 2_000
    uploading: int = 3
    client_connections: int = 16
    address_connections: int = 600
    connections: int = 1_500
    requests: int = 20_000
    requests_per_second: float = 300.0
    cookies: int = 600
    cookies_per_second: float = 1.0
    messages: int = 60
    messages_per_second: float = 10.0
    said_mb: float = 20.0
    said_mb_per_second: float = 1.0
    drawing: float = 4.0
    drawing_share: float = 0.2


BOUNDS = Bounds()


def hosted() -> bool:
    """Do strangers share this machine? LEVERAGE_LAB_HOSTED=1 says so."""
    return os.environ.get("LEVERAGE_LAB_HOSTED", "").strip().lower() in YES


def said(message: str, instead: str = BROKEN) -> str:
    """The message as this reader may have it.

    On the hosted demo `instead` and a number, if it speaks of the machine's insides.
    """
    return hidden(message, instead) if hosted() and _INTERNAL.search(message) else message


def hidden(message: str, instead: str = BROKEN) -> str:
    """For messages that are internal as a whole: on the hosted demo `instead` and a number."""
    if not hosted():
        return message
    return f"{instead} Its host finds the details in the log under the number {_number(message)}."


@functools.lru_cache(maxsize=1000)
def _number(message: str) -> str:
    """The same for the same message, so that a page that is drawn again and again logs it once."""
    number = uuid.uuid4().hex[:8]
    log.error("%s: %s", number, message)
    return number
