"""The Active page's verdict: how each strategy does against another, in sentences."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core import datasets
from core.experiments.active import outcomes
from core.experiments.active.outcomes import FinishedRuns, LearningCurves
from core.experiments.active.plan import Active
from core.experiments.verdicts import LOSS, POINTS, levels, sentence
from pages.parts.active import cut_rounds, words
from pages.shared.experiments import verdict_box
from pages.shared.experiments.line_styles import strategy_name
from pages.shared.state import View
from pages.shared.words import inside


def answer(plan: Active, runs: FinishedRuns, view: View) -> View:
    """How each strategy does against the chosen one over all rounds; the best first."""
    names = {name: strategy_name(name) for name in plan.strategies}
    view, box = verdict_box.controls(view, "active", names)
    if not runs.finished:
        return view
    rival = view["against"] if view["against"] in names else verdict_box.RANDOM
    margin = view["margin"] / 100
    compared = outcomes.versus(plan, runs, rival, margin)
    best = sorted(compared, key=lambda name: -compared[name].outcomes[0].mean)
    curves = outcomes.learning_curves(plan, runs)
    scale = LOSS if curves.lower else POINTS
    said = [
        sentence(
            names[name],
            inside(names[rival]),
            compared[name],
            scale,
            margin,
            over=_over(plan, curves, plan.strategies.index(name), plan.strategies.index(rival)),
        )
        for name in best
    ]
    said = [one for one in said if one]
    found = [versus.outcomes[0] for versus in compared.values()]
    note = levels(found, margin, scale)
    way = f"{_less(plan)} " if curves.lower else ""
    box.show(said or [verdict_box.NO_VERDICT], f"{way}{note} {VARIED}" if note else way)
    if cut := cut_rounds.told(plan, runs):
        st.caption(cut)
    return view


def _over(plan: Active, curves: LearningCurves, first: int, second: int) -> str:
    """What is compared where it is no accuracy, and which rounds the difference is a mean of."""
    there = np.isfinite(curves.value[first] - curves.value[second])
    lost = int((there & np.isnan(outcomes.differences(curves, first, second))).sum())
    which = f"the rounds that both learned ({lost:,} fell out)" if lost else "all rounds"
    what = f" in {words.measure(plan)}" if curves.lower else ""
    return f"{what} on average over {which}"


def _less(plan: Active) -> str:
    """Which way is better, and the unit: of a dataset's own target, its variance."""
    if not datasets.info(plan.dataset).target:
        return "Less test loss is better."
    return "Less test loss is better; the mean of the targets alone leaves about 1 for each."


VARIED = "Each seed draws anew: first labels, first weights, batches, what strategies draw."
