"""The Active page's verdict: how each strategy does against random, in sentences."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.experiments import statistics
from core.experiments.active.outcomes import FinishedRuns
from core.experiments.active.plan import Active
from core.experiments.active.strategy_texts import RANDOM
from pages.shared import layout
from pages.shared.experiments import line_styles


def answer(plan: Active, curves: FinishedRuns) -> None:
    """How each strategy does against random over all rounds; the best first."""
    if not curves.finished:
        return
    over_rounds = curves.accuracy.mean(axis=-1)
    difference = statistics.estimate(over_rounds - over_rounds[plan.strategies.index(RANDOM)])
    known = [
        i
        for i, name in enumerate(plan.strategies)
        if name != RANDOM and np.isfinite(difference.low[i])
    ]
    if not known:
        layout.answer("No verdict yet: an interval needs two seeds of a strategy and of random.")
        return
    known.sort(key=lambda i: -difference.mean[i])
    said = [
        _sentence(
            line_styles.strategy_name(plan.strategies[i]),
            *(100 * part[i] for part in difference[:3]),
        )
        for i in known
    ]
    layout.answer(said[0])
    if len(said) > 1:
        st.markdown("  \n".join(sentence.replace("*", "**") for sentence in said[1:]))


def _sentence(name: str, mean: float, low: float, high: float) -> str:
    interval = f"95% interval {low:+.1f} to {high:+.1f}".replace("-", "−")
    if low <= 0 <= high:
        return (
            f"{name} is not distinguishable from random over all rounds ({mean:+.1f} points,"
            f" {interval}).".replace("-", "−")
        )
    return (
        f"{name} is *{abs(mean):.1f} points {'better' if mean > 0 else 'worse'}* than random on"
        f" average over all rounds ({interval})."
    )
