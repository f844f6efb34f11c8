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
        jobs           unfinished computations of one visitor, one of which runs
        queue          unfinished computations of all
        experiments    waiting and running ones of all, one for each visitor
        upload_mb      of one file, which lies in memory until its visitor leaves
        own, own_mb    datasets and embeddings that one visitor keeps, megabytes of all visitors'
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
    jobs: int = 6
    queue: int = 120
    experiments: int = 20
    upload_mb: int = 10
    own: int = 4
    own_mb: int = 2_000


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
