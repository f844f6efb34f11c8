"""The Active page's verdict: how each strategy does against random, in sentences."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.experiments import statistics
from core.experiments.active import outcomes
from core.experiments.active.outcomes import FinishedRuns, LearningCurves
from core.experiments.active.plan import Active
from core.experiments.active.strategy_texts import RANDOM
from pages.parts.active import cut_rounds
from pages.shared import layout
from pages.shared.experiments import line_styles


def answer(plan: Active, runs: FinishedRuns) -> None:
    """How each strategy does against random over its rounds, the best first; what was cut."""
    if not runs.finished:
        return
    curves = outcomes.learning_curves(plan, runs)
    difference = statistics.estimate(outcomes.against_random(curves))
    known = [
        i
        for i, name in enumerate(plan.strategies)
        if name != RANDOM and np.isfinite(difference.low[i])
    ]
    known.sort(key=lambda i: -difference.mean[i])
    said = [
        _sentence(
            line_styles.strategy_name(plan.strategies[i]),
            _over(curves, i),
            *(100 * part[i] for part in difference[:3]),
        )
        for i in known
    ] or ["No verdict yet: an interval needs two seeds of a strategy and of random."]
    layout.answer(said[0])
    if len(said) > 1:
        st.markdown("  \n".join(sentence.replace("*", "**") for sentence in said[1:]))
    if cut := cut_rounds.told(plan, runs):
        st.caption(cut)


def _over(curves: LearningCurves, i: int) -> str:
    """Which rounds the difference is taken over."""
    there = np.isfinite(curves.accuracy[i] - curves.accuracy[curves.random])
    lost = int((there & np.isnan(outcomes.differences(curves, i, curves.random))).sum())
    return f"over the rounds that both learned ({lost:,} fell out)" if lost else "over all rounds"


def _sentence(name: str, over: str, mean: float, low: float, high: float) -> str:
    interval = f"95% interval {low:+.1f} to {high:+.1f}".replace("-", "−")
    if low <= 0 <= high:
        return (
            f"{name} is not distinguishable from random {over} ({mean:+.1f} points,"
            f" {interval}).".replace("-", "−")
        )
    return (
        f"{name} is *{abs(mean):.1f} points {'better' if mean > 0 else 'worse'}* than random on"
        f" average {over} ({interval})."
    )
