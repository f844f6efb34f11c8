"""The Influence page's own parts: its two studies, their settings, the answer in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from core.data.splits import split
from core.experiments import statistics
from core.experiments.influence.outcomes import (
    correlations,
    foreseen,
    left_out,
    mean_correlation,
    slopes,
    together,
)
from core.experiments.influence.plan import (
    QUERY_KNOBS,
    UTILITY_KNOBS,
    Influence,
    Queries,
    Utilities,
)
from core.experiments.presets import SYNTH2
from core.experiments.statistics import Estimate
from core.spec import Spec
from core.strategies.goal import GOALS
from core.types import Dataset, Floats
from pages.parts.influence.words import (
    GOAL_NAMES,
    MEANINGS,
    OVER_NAMES,
    STRATEGIES,
    STUDY_NAMES,
)
from pages.shared import layout, pickers, state
from pages.shared.experiments import experiment_page
from pages.shared.state import View, ViewKnobs
from pages.shared.words import noun, number

Found = Mapping[Any, Mapping[str, np.ndarray]]
PAGE = "influence"


def controls(view: View) -> View:
    """Which study, and its settings."""
    how = {
        "format_func": STUDY_NAMES.__getitem__,
        "required": True,
        "key": state.key("influence study"),
        "label_visibility": "collapsed",
    }
    view["study"] = st.segmented_control("Study", list(STUDY_NAMES), default=view["study"], **how)
    with st.container(horizontal=True, vertical_alignment="top"):
        view["goal"] = pickers.dropdown(
            "Goal", GOAL_NAMES, view["goal"], PAGE, MEANINGS["goal"], 180
        )
        if view["study"] == "utilities":
            view = _unknown_label(view)
        else:
            view = _numbers(view, QUERY_KNOBS, {"batch": 130, "rounds": 110})
        view = _numbers(view, UTILITY_KNOBS, {"labeled": 140, "seeds": 110})
    with (
        st.expander("More settings"),
        st.container(horizontal=True, vertical_alignment="top", gap="medium"),
    ):
        size = "pool" if view["study"] == "utilities" else "unlabeled"
        view = _numbers(view, UTILITY_KNOBS | QUERY_KNOBS, {size: 150, "validation": 160})
        view["l2"] = pickers.knob_widget(UTILITY_KNOBS["l2"], view["l2"], "l2", 240)
        st.button(
            "The paper's synth2",
            on_click=show_plan,
            args=(SYNTH2,),
            help=f"{SYNTH2.title()}.",
            type="tertiary",
        )
    return view


def _unknown_label(view: View) -> View:
    view["over"] = pickers.dropdown(
        "Unknown label", OVER_NAMES, view["over"], PAGE, MEANINGS["over"], 160
    )
    if view["over"] == "predicted":
        options = sorted({0.1, 0.5, 1.0, 2.0, 5.0, 10.0, view["temperature"]})
        how = {
            "format_func": "{:g}".format,
            "key": state.key("temperature"),
            "help": MEANINGS["temperature"],
            "width": 150,
        }
        view["temperature"] = st.select_slider("Temperature", options, view["temperature"], **how)
    return view


def _numbers(view: View, knobs: ViewKnobs, widths: Mapping[str, int]) -> View:
    for name, width in widths.items():
        view[name] = pickers.knob_widget(knobs[name], view[name], f"{PAGE} {name}", width)
    return view


def plan_of(spec: Spec, view: View) -> Influence:
    """The plan that the view describes. A UserError if its parts do not fit together."""
    blank = Utilities() if view["study"] == "utilities" else Queries()
    return blank.with_(seen=spec, **{name: view[name] for name in blank.knobs})


def plan_that_fits(spec: Spec, view: View, data: Dataset) -> tuple[Influence, str | None]:
    """The view's plan, with as many points as a small dataset has, and what to say about it."""
    plan = asked = plan_of(spec, view)
    total = len(split(data)[0])
    utilities = plan.study == "utilities"
    if total - plan.labeled < 20 <= total // 2:
        plan = replace(plan, labeled=total // 4)
    room = total - plan.labeled
    if plan.candidates + plan.validation > room >= 20:
        fewer = min(
            plan.validation, max(10, room // 4 if plan.validation < plan.candidates else room // 2)
        )
        plan = replace(
            plan,
            validation=fewer,
            **{"pool" if utilities else "unlabeled": min(plan.candidates, room - fewer)},
        )
        if not utilities:
            plan = replace(plan, rounds=max(1, min(plan.rounds, plan.candidates // plan.batch)))
    if plan == asked:
        return plan, None
    told = (
        f"labeled {plan.labeled:,}, validation {plan.validation:,},"
        f" {'pool' if utilities else 'unlabeled points'} {plan.candidates:,}"
    )
    told += "" if utilities else f", rounds {plan.rounds}"
    return (
        plan,
        f"This dataset has {total:,} training points; shown are the settings that fit: {told}.",
    )


def show_plan(plan: Influence) -> None:
    """For callbacks: the page shows this plan in the next run."""
    st.session_state["spec"] = plan.seen.with_(strategy=st.session_state["spec"].strategy)
    view = {name: getattr(plan, name) for name in plan.knobs} | {
        "study": plan.study,
        "round": 0,
        "point": None,
        "seed_shown": 1,
    }
    experiment_page.reopen(plan, view, points=False)


def shown_seeds(
    plan: Utilities, found: Found, view: View, data: Dataset, show: str
) -> list[dict[str, Floats]]:
    """Predictions and truth of every finished seed, as the picture needs them."""
    outcomes = [found[unit] for unit in plan.units() if unit in found]
    if show == "without":
        return [left_out(one) for one in outcomes]
    if show == "batches":
        return [together(one, view["goal"]) for one in outcomes]
    return [
        foreseen(one, data.labels[one["pool"]], view["goal"], view["over"], view["temperature"])
        for one in outcomes
    ]


def estimates(seeds: list[dict[str, Floats]]) -> dict[str, Estimate]:
    """For each step Pearson's and Spearman's correlation (2,), with intervals over the seeds."""
    return {name: mean_correlation(values) for name, values in correlations(seeds).items()}


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


def constant(view: View) -> bool:
    """Is the first order the same for all points?"""
    return view["over"] == "predicted" and view["temperature"] == 1


def stacked(plan: Queries, found: Found, name: str, part: int | None = None) -> Floats:
    """A number of every run and round: (strategies, seeds, rounds + 1), NaN where unfinished."""
    values = np.full((len(plan.strategies), plan.seeds, plan.rounds + 1), np.nan)
    for unit, outcome in found.items():
        array = outcome[name] if part is None else outcome[name][:, part]
        values[plan.strategies.index(unit.strategy), unit.seed - 1] = array
    return values


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
            f"not distinguishable from random ({mean:+.1f} points, 95% interval {low:+.1f} to"
            f" {high:+.1f})"
        )
    else:
        text = (
            f"{abs(mean):.1f} points {'better' if mean > 0 else 'worse'} than random (95% interval"
            f" {low:+.1f} to {high:+.1f})"
        )
    return text.replace("-", "−")
