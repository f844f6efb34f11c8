"""The Simulations page's controls: its widgets, and the plan they describe."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.experiments.active.plan import Active
from core.experiments.active.strategy_texts import RANDOM, parse_strategy
from core.experiments.simulations import plan as simulation_plan
from core.experiments.simulations.plan import KNOBS, PRESETS, Simulations
from core.plugins import menu
from core.spec import Spec
from core.types import UserError
from pages.parts.simulations.words import FIGURES, called
from pages.shared import pickers, state
from pages.shared.experiments import experiment_page
from pages.shared.state import View

PAGE = "simulations"
OF_FIGURE = {
    "risk": ("pool", "ridge", "seeds"),
    "representations": ("pool", "batch", "rounds", "seeds"),
}
OF_FIGURE["backward"] = OF_FIGURE["representations"]
WIDTHS = {"pool": 140, "ridge": 240, "batch": 140, "rounds": 120, "seeds": 120}


def figure(view: View) -> View:
    """Which simulation. Another one begins as its preset says."""
    view["figure"] = pickers.segments("Simulation", FIGURES, view["figure"], PAGE)
    if state.changed(f"{PAGE} figure", view["figure"]):
        view |= dict.fromkeys(KNOBS) | {"strategies": "", "job": ""}
    return view


def readable(view: View) -> View:
    """The view without strategies that cannot take part.

    A link's are told, and the others are used.
    """
    kept = []
    for word in view["strategies"].split():
        try:
            Active().with_(strategies=word)
            if reason := simulation_plan.absent(parse_strategy(word)[0], view["figure"]):
                raise UserError(f"Strategy {word} {reason}.")
            kept.append(word)
        except UserError as error:
            state.problems().append(str(error))
    return view | {"strategies": " ".join(kept)}


def widgets(view: View) -> View:
    """What competes, and the numbers of this figure.

    What is as in the preset stays out of the view.
    """
    preset = PRESETS[view["figure"]]
    with st.expander("What to compare"):
        chosen = _strategies(view, preset)
        view["strategies"] = "" if chosen == " ".join(preset.strategies) else chosen
        with st.container(horizontal=True, vertical_alignment="top", gap="medium"):
            for name in OF_FIGURE[preset.figure]:
                usual = getattr(preset, name)
                now = usual if view[name] is None else view[name]
                value = pickers.knob_widget(
                    KNOBS[name], now, f"{PAGE} {preset.figure} {name}", WIDTHS[name]
                )
                view[name] = None if value == usual else value
        st.button(
            "As it comes",
            on_click=show_plan,
            args=(preset,),
            help=f"{preset.title()}.",
            type="tertiary",
        )
    return view


def _strategies(view: View, preset: Simulations) -> str:
    reasons = {name: simulation_plan.absent(name, preset.figure) for name in menu.strategies()}
    now = [name for name in view["strategies"].split() or preset.strategies if name != RANDOM]
    options = dict.fromkeys(
        [*now, *preset.strategies, *(name for name, reason in reasons.items() if not reason)]
    )
    options.pop(RANDOM, None)
    names = {name: called(preset.figure, name) for name in options}
    key = state.key(f"{PAGE} {preset.figure} strategies")
    help = "Type to search. Random always competes."
    return " ".join(
        [
            *st.multiselect(
                "Strategies, beside random",
                list(names),
                now,
                format_func=names.get,
                key=key,
                help=help,
            ),
            RANDOM,
        ]
    )


def plan_that_fits(spec: Spec, view: View, data: Any) -> tuple[Simulations, str | None]:
    """The plan that the view describes. A UserError if its parts do not fit together."""
    changed = {name: view[name] for name in KNOBS if view[name] is not None}
    if view["strategies"]:
        changed["strategies"] = view["strategies"]
    return (
        PRESETS[view["figure"]].with_(
            dataset=spec.dataset, n=spec.n, subset=spec.subset, **changed
        ),
        None,
    )


def show_plan(plan: Simulations) -> None:
    """For callbacks: the page shows this plan in the next run."""
    preset = PRESETS[plan.figure]
    view = {
        name: None if getattr(plan, name) == getattr(preset, name) else getattr(plan, name)
        for name in KNOBS
    }
    chosen = "" if plan.strategies == preset.strategies else " ".join(plan.strategies)
    experiment_page.reopen(
        plan, view | {"figure": plan.figure, "strategies": chosen}, points=plan.needs_data
    )
