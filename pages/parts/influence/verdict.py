"""The Influence page's verdict: what the finished seeds say, in sentences."""

from __future__ import annotations

import numpy as np

from core.experiments import statistics
from core.experiments.influence.outcomes import (
    slopes,
)
from core.experiments.influence.plan import (
    Influence,
    Queries,
)
from core.experiments.statistics import Estimate
from core.strategies.goal import GOALS
from core.types import Dataset
from pages.parts.influence.shown_outcomes import Found, constant, estimates, shown_seeds, stacked
from pages.parts.influence.words import (
    STRATEGIES,
)
from pages.shared import layout
from pages.shared.state import View
from pages.shared.words import noun, number


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


def answer(plan: Influence, found: Found, view: View, data: Dataset) -> None:
    """What the finished seeds say."""
    if not found:
        return
    layout.answer(
        _foresight(plan, found, view, data) if plan.study == "utilities" else _progress(plan, found)
    )


def _foresight(plan: Influence, found: Found, view: View, data: Dataset) -> str:
    show = view["show"]
    seeds = shown_seeds(plan, found, view, data, show)
    each = estimates(seeds)
    size = slopes(seeds, "linear")
    what = {
        "without": "the loss of one labeled point",
        "batches": "the gain of ten more points",
    }.get(show, f"what one more of these {noun(data.name)} brings")
    newton = (
        f"Without retraining, a Newton step foresees {what} with a correlation of"
        f" *{said(each['newton'], 0)}* with the truth"
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


def _progress(plan: Queries, found: Found) -> str:
    accuracy = stacked(plan, found, "accuracy").mean(axis=-1)
    goals = stacked(plan, found, "goals", GOALS.index(plan.goal))
    random = plan.strategies.index("random")
    oracle = plan.strategies.index("oracle")
    gain = statistics.estimate(100 * (accuracy - accuracy[random]))
    usable = [
        i
        for i, name in enumerate(plan.strategies)
        if name not in ("random", "oracle") and np.isfinite(gain.low[i])
    ]
    if not usable or not np.isfinite(gain.low[oracle]):
        return "No verdict yet: an interval needs two finished seeds of every strategy."
    best = max(usable, key=lambda i: gain.mean[i])
    raised = statistics.estimate(goals[oracle, :, -1] - goals[random, :, -1])
    interval = f"95% interval {raised.low:+.2g} to {raised.high:+.2g}"
    apart = (
        f"brings its goal {abs(raised.mean):.2g} {'above' if raised.mean > 0 else 'below'} random's"
        f" ({interval})"
    )
    if raised.low <= 0 <= raised.high:
        apart = f"leaves its goal where random does ({raised.mean:+.2g}, {interval})"
    return (
        f"Knowing every label beforehand, GORAL {apart.replace('-', '−')}, and its accuracy over"
        f" all rounds is {_points(gain, oracle)}. Of the strategies that one can really use,"
        f" *{STRATEGIES[plan.strategies[best]]}* does best: {_points(gain, best)}."
    )


def _points(gain: Estimate, i: int) -> str:
    """A gain in words: "1.2 points better than random (95% interval +0.4 to +2.0)"."""
    mean = gain.mean[i]
    low = gain.low[i]
    high = gain.high[i]
    if low <= 0 <= high:
        text = (
            f"not distinguishable from random ({mean:+.1f} points,"
            f" 95% interval {low:+.1f} to {high:+.1f})"
        )
    else:
        text = (
            f"{abs(mean):.1f} points {'better' if mean > 0 else 'worse'} than random (95% interval"
            f" {low:+.1f} to {high:+.1f})"
        )
    return text.replace("-", "−")
