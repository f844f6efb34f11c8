"""Which rounds were cut before they had learned their labels, in sentences.

A cut round is drawn, and no comparison counts it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.experiments.active import outcomes
from core.experiments.active.outcomes import FinishedRuns, LearningCurves
from core.experiments.active.plan import Active
from pages.parts.active import words
from pages.shared.experiments import line_styles


def told(plan: Active, runs: FinishedRuns) -> str:
    """How many rounds of each strategy were cut; nothing where a number of passes was asked for."""
    finished = np.isfinite(runs.value)
    if plan.until == "epochs" or not finished.any():
        return ""
    unknown = finished & np.isnan(runs.reached)
    cut = finished & (runs.reached == 0)
    said = []
    if cut.any():
        each = [
            f"{int(cut[i].sum()):,} of {int(finished[i].sum()):,} of"
            f" {line_styles.strategy_name(name)}"
            for i, name in enumerate(plan.strategies)
            if finished[i].any()
        ]
        said.append(
            f"Rounds that were cut before {words.learned(plan)}: {', '.join(each)}. They are drawn,"
            " and no comparison counts them."
        )
    if unknown.any():
        said.append(
            f"Of {int(unknown.sum()):,} rounds it was not recorded whether {words.learned(plan)}:"
            " no comparison counts them."
        )
    return " ".join(said) or f"All rounds were trained until {words.learned(plan)}."


def not_compared(curves: LearningCurves, places: Sequence[int]) -> str:
    """How many pairs of runs fell out of the comparison at these budgets."""
    out, pairs = outcomes.fallen_out(curves, places)
    if not out:
        return ""
    return f" {out:,} of {pairs:,} pairs of runs fell out: one of the two, or both, was cut."
