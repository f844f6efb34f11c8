"""What a check is: a function of a strategy or an embedding that raises Broken, or returns what
could be better.

findings(entry, contract, manners)   one Finding per check: kept, or what is wrong and its mend

What the contract asks must be kept, or the app shows something wrong or stops; the manners are
advice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.plugins.loading import Crashed
from core.types import UserError

Check = Callable[[Any], str | None]


class Broken(AssertionError):
    """A promise that a strategy or an embedding does not keep.

    The message says what was found, what was expected and how to mend it.
    """


@dataclass(frozen=True)
class Finding:
    """What a check found.

    check: the name of a promise. fault: what is wrong; None if it is kept. advice: nothing stops
    working without it.
    """

    check: str
    fault: str | None
    advice: bool

    @property
    def broken(self) -> bool:
        """Must it be mended?"""
        return self.fault is not None and not self.advice

    def __str__(self) -> str:
        mark = "kept" if self.fault is None else "advice" if self.advice else "BROKEN"
        return f"{mark:8}{self.check}" + (f": {self.fault}" if self.fault else "")


def findings(entry: Any, contract: Sequence[Check], manners: Sequence[Check]) -> Iterator[Finding]:
    """Every check of the entry, one after the other."""
    for check in [*contract, *manners]:
        with np.errstate(all="ignore"):
            name = check.__name__.replace("_", " ")
            yield Finding(name, _fault(check, entry), advice=check in manners)


def _fault(check: Check, entry: Any) -> str | None:
    try:
        return check(entry)
    except (Broken, UserError, ValueError) as error:
        return str(error)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def demand(kept: Any, fault: str) -> None:
    """Broken for this fault unless it is kept."""
    if not kept:
        raise Broken(fault)


def check_numbers(found: Any, shape: tuple[int, ...], what: str, where: str) -> None:
    """Broken unless `what` is an array of this shape with finite numbers."""
    found = np.asarray(found)
    demand(
        found.shape == shape, f"found {what} of shape {found.shape} for {where}, expected {shape}."
    )
    demand(
        np.issubdtype(found.dtype, np.number) or found.dtype == bool,
        f"found {found.dtype} {what} for {where}, expected numbers.",
    )
    odd = np.argwhere(~np.isfinite(found.astype(float)))
    if len(odd):
        raise Broken(
            f"found {found[tuple(odd[0])]} for {where}; a {what.rstrip('s')} must be a finite"
            " number. Say what it is there, such as 0."
        )


@contextmanager
def excused(where: str) -> Iterator[list[str]]:
    """Inside, a UserError of the entry's own will is fine, and its reason is handed out.

    A crash or a wrong answer is a fault, and the place is named.
    """
    reasons: list[str] = []
    try:
        yield reasons
    except Broken:
        raise
    except Exception as error:
        if not isinstance(error, UserError) or isinstance(error, Crashed):
            raise Broken(f"{where}: {error}") from error
        reasons.append(str(error))
