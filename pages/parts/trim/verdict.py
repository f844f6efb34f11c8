"""The Trim page's verdict: what removal did, method by method, in sentences."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.experiments import statistics
from core.experiments.trim import outcomes
from core.experiments.trim.outcomes import Trimmed
from core.experiments.trim.plan import RANDOM
from core.experiments.trim.run import METHODS
from pages.shared import layout

IN_TEXT = {
    "iv": "the influence value",
    "leverage": "leverage",
    "loss": "the loss",
}  # the others are names


def name_of(method: str) -> str:
    """Its label."""
    return METHODS[method].label


def answer(trimmed: Trimmed, noun: str) -> None:
    """At the largest budget: the best method against random and against removing nothing.

    Then the others against random.
    """
    said = sentences(trimmed, noun)
    if said:
        layout.answer(said[0])
    elif trimmed.finished and len(trimmed.plan.methods) > 1:
        layout.answer("No verdict yet: an interval needs two seeds of a method and of random.")
    if said[1:]:
        st.markdown("  \n".join(said[1:]))


def sentences(trimmed: Trimmed, noun: str) -> list[str]:
    """The best method first, in full; the others in short. Empty while nothing can be said."""
    plan = trimmed.plan
    last = trimmed.plan.budgets[-1]
    gain = statistics.Estimate(*(part[:, -1] for part in outcomes.against_random(trimmed)))
    known = [
        i for i, method in enumerate(plan.methods) if method != RANDOM and np.isfinite(gain.low[i])
    ]
    if not known:
        return []
    known.sort(key=lambda i: -gain.mean[i])
    best = plan.methods[known[0]]
    change = statistics.estimate(trimmed.accuracy[known[0], -1] - trimmed.accuracy[known[0], 0])
    first = (
        f"Without the {last:,} of {plan.training:,} {noun} that"
        f" *{IN_TEXT.get(best, name_of(best))}* puts first, the model is"
        f" {_compared(*(part[known[0]] for part in gain[:3]), 'random removal', bold=True)};"
        f" against keeping all, it is {_compared(*change[:3], 'before')}."
    )
    return [
        first,
        *(
            f"{name_of(plan.methods[i])}:"
            f" {_compared(*(part[i] for part in gain[:3]), 'random removal')}."
            for i in known[1:]
        ),
    ]


def _compared(mean: float, low: float, high: float, what: str, bold: bool = False) -> str:
    """A difference in words: "1.2 points better than random removal (95% interval 0.6 to 1.8)".

    Points are hundredths of accuracy.
    """
    mean, low, high = (100 * value for value in (mean, low, high))
    star = "*" if bold else ""
    if not low > 0 and not high < 0:
        interval = f"{mean:+.1f} points, 95% interval {low:+.1f} to {high:+.1f}".replace("-", "−")
        return f"{star}not distinguishable{star} from {what} ({interval})"
    near, far = sorted((abs(low), abs(high)))
    return (
        f"{star}{abs(mean):.1f} points {'better' if mean > 0 else 'worse'}{star} than {what} (95%"
        f" interval {near:.1f} to {far:.1f})"
    )
