"""The Influence page's verdict: what the finished seeds say, in sentences."""

from __future__ import annotations

import numpy as np

from core.experiments.influence import outcomes
from core.experiments.influence.plan import Influence, Queries
from core.experiments.statistics import FEWEST, Estimate
from core.experiments.verdicts import GOAL, POINTS, levels, sentence
from core.strategies.goal import GOALS
from core.types import Dataset
from pages.parts.influence.shown_outcomes import (
    Found,
    constant,
    estimates,
    outside,
    shown_seeds,
    stacked,
)
from pages.parts.influence.words import IN_TEXT, STRATEGIES
from pages.shared import layout
from pages.shared.experiments import verdict_box
from pages.shared.state import View
from pages.shared.words import inside, noun, number

CEILING = "oracle"  # knows the labels beforehand, which nobody does
OVER = " over all rounds"
VARIED = "Each seed draws its own labeled, pool and validation points. Goals: after the last round."


def said(estimate: Estimate, i: int) -> str:
    """An estimate in words: "0.996 (0.991 to 1.000)"; without an interval for one seed."""
    if not np.isfinite(estimate.mean[i]):
        return "none"
    interval = (
        f" ({estimate.low[i]:.3f} to {estimate.high[i]:.3f})"
        if np.isfinite(estimate.low[i])
        else ""
    )
    return f"{estimate.mean[i]:.3f}{interval}".replace("-", "−")


def answer(plan: Influence, found: Found, view: View, data: Dataset) -> View:
    """What the finished seeds say, of the picture that the view shows."""
    if plan.study == "queries":
        return _rounds(plan, found, view)
    said = _foresight(plan, found, view, data)
    few = "" if len(found) >= FEWEST else f" Intervals need {FEWEST} finished seeds."
    layout.answer(f"{said}{few}")
    return view


def _foresight(plan: Influence, found: Found, view: View, data: Dataset) -> str:
    show = view["show"]
    seeds = shown_seeds(plan, found, view, data, show)
    each = estimates(seeds)
    size = outcomes.slopes(seeds, "linear")
    what = {
        "without": "the loss of one labeled point",
        "batches": "the gain of ten more points",
    }.get(show, f"what one more of these {noun(data.name)} brings")
    newton = (
        f"Without retraining, a Newton step foresees {what} with a correlation of"
        f" *{said(each['newton'], 0)}* with the truth"
    )
    beyond, steps = outside(plan, found, view, data, show)
    if beyond:
        newton += (
            f", though *{beyond:,} of its {steps:,} steps* are outside their range (there the"
            " labeled points' loss rises by less than half or more than twice what the step counts"
            " with)"
        )
    if constant(view) and show not in ("without", "batches"):
        values = [float(one["constant"][GOALS.index(view["goal"])]) for one in found.values()]
        same = ", ".join(number(value) for value in values[:1]).replace("-", "−")
        return (
            f"{newton}. The paper's first order cannot: with labels as predicted it is *{same} for"
            " every point* of a seed (Remark 1)."
        )
    off = (
        f", and is {number(float(f'{size:.2g}'))} times as large as the truth"
        if size > 0 and abs(np.log(size)) > np.log(1.5)
        else ""
    )
    return f"{newton}; the paper's first order reaches {said(each['linear'], 0)}{off}."


def _rounds(plan: Queries, found: Found, view: View) -> View:
    """Every strategy against random, or another: accuracies, and what GORAL works for."""
    view, box = verdict_box.controls(view, "influence", STRATEGIES)
    rival = view["against"] if view["against"] in plan.strategies else verdict_box.RANDOM
    margin = view["margin"] / 100
    accuracy, goal = outcomes.versus(
        plan.strategies,
        stacked(plan, found, "accuracy"),
        stacked(plan, found, "goals", GOALS.index(plan.goal)),
        rival,
        margin,
    )
    against = inside(IN_TEXT[rival])
    by_accuracy = {
        name: sentence(IN_TEXT[name], against, versus, POINTS, margin, over=OVER)
        for name, versus in accuracy.items()
    }
    by_goal = {
        name: sentence(f"The goal of {inside(IN_TEXT[name])}", f"{against}'s", versus, GOAL, 0.0)
        for name, versus in goal.items()
    }
    known = [name for name in by_accuracy if by_accuracy[name]]
    best = sorted(known, key=lambda name: (name == CEILING, -accuracy[name].outcomes[0].mean))
    said = [by_accuracy[name] for name in best[:1]]
    said += [words[CEILING] for words in (by_accuracy, by_goal) if CEILING in best[1:]]
    rest = [name for name in best[1:] if name != CEILING]
    said += [by_accuracy[name] for name in rest]
    said += [by_goal[name] for name in best if name not in best[1:] or name != CEILING]
    note = levels([one.outcomes[0] for one in (*accuracy.values(), *goal.values())], margin, POINTS)
    box.show(said or [verdict_box.NO_VERDICT], f"{note} {VARIED}" if note else "")
    return view
