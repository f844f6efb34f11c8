"""The Simulations page's verdict: the figure's two strategies compared, in a sentence."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.experiments.simulations import outcomes
from core.experiments.simulations.plan import Simulations
from core.types import Floats
from pages.parts.simulations.words import DESIGNS, called
from pages.shared import layout


def answer(plan: Simulations, values: Floats, reached: Floats) -> None:
    """The two strategies of the figure, on each design; the clearest difference first.

    Rounds that were cut before they had learned their labels are not compared, and told.
    """
    if not np.isfinite(values).any():
        return
    finished = np.isfinite(values)
    over = "over all budgets"
    if plan.needs_data:
        whole = (reached[finished] == 1).all()
        over = "over all rounds" if whole else "over the rounds that both learned"
    _compare(plan, np.where(reached == 1, values, np.nan), over)
    for count, said in (
        (finished & (reached == 0), "were cut before 99% of their labels were right"),
        (finished & np.isnan(reached), "do not say whether 99% of their labels were right"),
    ):
        if count.any():
            st.caption(
                f"{int(count.sum()):,} of {int(finished.sum()):,} rounds {said}: they are drawn and"
                " not compared."
            )


def _compare(plan: Simulations, values: Floats, over: str) -> None:
    found = outcomes.advantage(plan, values)
    known = [i for i in range(len(plan.designs)) if np.isfinite(found.low[i])]
    if not known or plan.duel[0] == plan.duel[1]:
        layout.answer("No verdict yet: an interval needs two seeds of two strategies.")
        return
    known.sort(key=lambda i: -abs(found.mean[i]))
    said = [
        _compared(plan, i, over, *(float(part[i]) for part in found[:3]), again=i != known[0])
        for i in known
    ]
    sentence = "; ".join(said)
    layout.answer(f"{sentence[:1].upper()}{sentence[1:]}.")


def _compared(
    plan: Simulations, i: int, over: str, mean: float, low: float, high: float, again: bool
) -> str:
    """One design's verdict in words.

    "on the orthonormal design the Bayes risk of BAIT is *29% lower* than that of log-det over all
    budgets (95% interval ...)". again: what is compared has been said.
    """
    unit = " points" if plan.needs_data else "%"
    first, second = (_within(called(plan.figure, name)) for name in plan.duel)
    place = DESIGNS[plan.designs[i]][0]
    interval = f"(95% interval {low:+.1f} to {high:+.1f}{unit})".replace("-", "−")
    if low <= 0 <= high:
        return (
            f"{place} no difference shows {interval}"
            if again
            else f"{place} no difference between {first} and {second} shows {over} {interval}"
        )
    word = (
        ("better" if mean > 0 else "worse")
        if plan.needs_data
        else ("lower" if mean < 0 else "higher")
    )
    amount = f"*{abs(mean):.1f} points {word}*" if plan.needs_data else f"*{abs(mean):.0f}% {word}*"
    if again:
        return f"{place} it is {amount} {interval}"
    what, than = (
        (first, second) if plan.needs_data else (f"the Bayes risk of {first}", f"that of {second}")
    )
    return f"{place} {what} is {amount} than {than} {over} {interval}"


def _within(name: str) -> str:
    """A name inside a sentence: acronyms keep their capitals."""
    return name if name[1:2].isupper() else f"{name[:1].lower()}{name[1:]}"
