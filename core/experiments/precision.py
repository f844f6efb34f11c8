"""In which precision do a plan's networks train? One comparison never mixes two, unless it is told.

    recorded(plan, fingerprint)    what its finished units have, None if that is not known
    agreed(answers)                what the workers' measurements come to
    note(plan, fingerprint)        what the page says of it

A plan goes on in the precision of its finished units: bfloat16 computes on every chip, only slower
on some. A new one takes what was measured as fastest, and on workers with unlike chips what is
fastest on all of them, else float32. Of what was finished before precisions were recorded the page
says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from core import datasets
from core.experiments import store
from core.experiments.plan import Plan

DEFAULT = "float32"


def recorded(plan: Plan, fingerprint: str) -> str | None:
    """The precision that most of its finished units have on record."""
    found = store.precisions(plan, fingerprint)
    known = [name for name, _ in found.most_common() if name is not None]
    return known[0] if known else None


def question(plan: Plan) -> tuple[Any, ...]:
    """What a worker is asked: architecture, classes (two where there are none, for a regression),
    shape of a point.
    """
    about = datasets.info(plan.dataset)
    return plan.trains, about.classes or 2, tuple(about.shape)


def agreed(answers: Iterable[str | None]) -> str:
    """What all workers answer; float32 where they differ, or one could not answer (None)."""
    given = set(answers)
    return given.pop() or DEFAULT if len(given) == 1 else DEFAULT


def note(plan: Plan, fingerprint: str) -> str:
    """In which precision its finished units were trained; "" if there is nothing to say."""
    found = store.precisions(plan, fingerprint)
    if plan.trains is None or not found:
        return ""
    if len(found) == 1:
        return f"Trained in {_named(next(iter(found)))}."
    parts = [f"{count:,} {plan.units_are} in {_named(name)}" for name, count in found.most_common()]
    return (
        f"Trained in unlike precision: {' and '.join(parts)}. What is compared may differ by"
        " that too; another number of epochs, steps or points computes all anew, in one."
    )


def _named(precision: str | None) -> str:
    return precision or "a precision that was not recorded"
