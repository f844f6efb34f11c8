"""What plans have in common: read from a link, and lists of numbers in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from core.strategy import Knob
from core.types import UserError

MOST_BUDGETS = 12


def read(plan: Any, names: Iterable[str], query: Mapping[str, str]) -> tuple[Any, list[str]]:
    """The plan with what a link says, and one message for every part that could not be used (the
    rest is kept).
    """
    problems = []
    for name in names:
        if name in query:
            try:
                plan = plan.with_(**{name: query[name]})
            except UserError as error:
                problems.append(str(error))
    return plan, problems


def budgets(given: str | tuple[int, ...]) -> tuple[int, ...]:
    """Sorted whole numbers of at least 1, out of a text or a tuple; a UserError for anything else,
    for none, and for more than twelve.
    """
    knob = Knob("Budget", low=1, name="budget", kind=int)
    texts = (
        re.sub(r"(?<=\d),(?=\d{3}\b)", "", given).split() if isinstance(given, str) else given
    )  # 1,000 is one number; 5,6 is none
    parsed = sorted({knob.parse(text) for text in texts})
    if not 1 <= len(parsed) <= MOST_BUDGETS:
        raise UserError(
            f"Budgets: found {len(parsed)}, expected 1 to {MOST_BUDGETS} numbers of points such as"
            " 1000 5000 10000."
        )
    return tuple(parsed)
