"""The Influence page's controls: its widgets, the plan they describe, and what of it fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from core.data.splits import split
from core.experiments.influence.plan import (
    QUERY_KNOBS,
    UTILITY_KNOBS,
    Influence,
    Queries,
    Utilities,
)
from core.experiments.presets import SYNTH2
from core.spec import Spec
from core.types import Dataset
from pages.parts.influence.words import (
    GOAL_NAMES,
    MEANINGS,
    OVER_NAMES,
    STUDY_NAMES,
)
from pages.shared import pickers, state
from pages.shared.experiments import experiment_page
from pages.shared.state import View, ViewKnobs

PAGE = "influence"


def widgets(view: View) -> View:
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
