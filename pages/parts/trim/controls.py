"""The Trim page's controls: its widgets, the plan they describe, and what of it fits."""

from __future__ import annotations

import streamlit as st

from core.data.splits import split
from core.experiments import presets
from core.experiments.trim.plan import KNOBS, RANDOM, Trim
from core.experiments.trim.planted import DAMAGES
from core.experiments.trim.run import METHODS, MODELS, TRAINED
from core.models.network_names import FOR_TABLES
from core.spec import Spec
from core.types import Dataset, UserError
from pages.shared import pickers, state
from pages.shared.experiments import experiment_page, word_lists
from pages.shared.state import View

PAGE = "trim"
LISTS = ("methods", "budgets")
SHOWN = {
    "removed": "By points removed",
    "difference": "Difference",
    "planted": "Planted truth",
    "classes": "By class",
}
SHOWN |= {"points": "Trimmed first", "plane": "In the plane", "paper": "The paper's tables"}
APART = ("plane", "paper")  # do not belong to the experiment above them
FEWEST = 15  # points that suffice for the least training and validation sets
BUDGETS = (5, 10, 20, 25, 50, 100, 150, 200, 500, 1_000)


def widgets(view: View, data: Dataset) -> View:
    """What competes, on which model, and what is planted."""
    competing = st.expander("What to compare")
    names = {
        name: label
        for name, label in MODELS.items()
        if data.is_images or name not in TRAINED or name in FOR_TABLES
    }
    if view["model"] not in names:
        view["model"] = KNOBS["model"].default
    with st.container(horizontal=True, vertical_alignment="top", gap="medium"):
        view["model"] = pickers.dropdown(
            KNOBS["model"].label, names, view["model"], PAGE, KNOBS["model"].help, 230
        )
        view["planted"] = pickers.dropdown(
            KNOBS["planted"].label, DAMAGES, view["planted"], PAGE, KNOBS["planted"].help, 170
        )
        if view["planted"] != "none":
            view["share"] = _number("share", view["share"], 0.01)
        view["seeds"] = _number("seeds", view["seeds"])
    with competing:
        view |= {"methods": _methods(view["methods"])}
        help = "How many points are removed. Type a number to add another one."
        view["budgets"] = word_lists.budgets(
            Trim(),
            view["budgets"],
            (b for b in BUDGETS if b < view["training"]),
            "trim budgets",
            help,
        )
        with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
            for name in ("training", "validation"):
                view[name] = _number(name, view[name])
            view["l2"] = _number("l2", view["l2"], 0.001, "%g")
            if view["model"] in TRAINED:
                view["epochs"] = _number("epochs", view["epochs"])
        with st.container(horizontal=True, gap="medium"):
            for name, plan in presets.NAMED_TRIMS.items():
                st.button(name, on_click=show_plan, args=(plan,), help=f"{plan.title()}.")
    return view


def _methods(chosen: str) -> str:
    options = [name for name in METHODS if name != RANDOM]
    now = [name for name in chosen.split() if name != RANDOM]
    how = {
        "format_func": lambda name: METHODS[name].label,
        "key": state.key("trim methods"),
        "help": "Random always competes.",
    }
    return " ".join([*st.multiselect("Methods, beside random", options, now, **how), RANDOM])


def _number(name: str, value: float, step: float = 1, form: str | None = None) -> float:
    knob = KNOBS[name]
    low, high = (knob.kind(bound) for bound in (knob.low, knob.high))
    how = {
        "key": state.key(f"trim {name}"),
        "help": knob.help,
        "width": 145,
        "step": step,
        "format": form,
    }
    return st.number_input(knob.label, low, high, value, **how)


def plan_that_fits(spec: Spec, view: View, data: Dataset) -> tuple[Trim, str | None]:
    """The view's plan with as many points as there are and budgets that leave some.

    And what to say about it.
    """
    parts_of = {name: view[name] for name in (*LISTS, *KNOBS)}
    plan = Trim().with_(dataset=spec.dataset, n=spec.n, subset=spec.subset, **parts_of)
    pool = len(split(data)[0])
    training = plan.training
    validation = plan.validation
    if pool < FEWEST:
        raise UserError(
            f"{data.called}: found {pool} points, expected at least {FEWEST}. Choose more points."
        )
    if training + validation > pool:
        validation = min(validation, pool // 3)
        training = min(training, pool - validation)
    budgets = tuple(b for b in plan.budgets if b < training) or tuple(
        sorted({max(1, training // part) for part in (20, 10, 5)})
    )
    changed = plan.with_(training=training, validation=validation, budgets=budgets)
    if changed == plan:
        return plan, None
    said = ", ".join(f"{b:,}" for b in budgets)
    return (
        changed,
        (
            f"The training part has {pool:,} points. Shown are {training:,} to train on,"
            f" {validation:,} for validation, and budgets of {said}."
        ),
    )


def show_plan(plan: Trim) -> None:
    """For callbacks: the page shows this plan in the next run."""
    view = {name: getattr(plan, name) for name in KNOBS} | {
        name: word_lists.text_of(plan, name) for name in LISTS
    }
    experiment_page.reopen(plan, {**view, "focus": None})


def focus(view: View, plan: Trim) -> int:
    """How many removed points the detailed pictures look at."""
    budgets = list(plan.budgets)
    now = view["focus"] if view["focus"] in budgets else budgets[-1]
    if len(budgets) == 1:
        return now
    how = {"format_func": "{:,}".format, "key": state.key("trim focus"), "wrap": True}
    return st.segmented_control("Points removed", budgets, default=now, required=True, **how)
