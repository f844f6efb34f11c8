"""The Sampling page's controls: its widgets, the plan they describe, and what of it fits."""

from __future__ import annotations

import streamlit as st

from core.data.splits import split
from core.experiments import presets
from core.experiments.sampling.plan import KNOBS, UNIFORM, Sampling, usual_budgets
from core.experiments.sampling.rules import RULES
from core.spec import Spec, resolve
from core.types import Dataset
from pages.shared import pickers, state
from pages.shared.experiments import experiment_page, word_lists
from pages.shared.experiments.sampling_rules import rule_name
from pages.shared.state import View

PAGE = "sampling"
LISTS = ("rules", "budgets")
SHOWN = {"curves": "Loss and accuracy", "weights": "Who is drawn", "samples": "The samples"}
JUDGED = {"loss": "Loss", "accuracy": "Accuracy"}


def widgets(view: View, spec: Spec, data: Dataset) -> View:
    """What competes, and for what. Budgets that nobody chose follow the dataset."""
    if view["budgets"] == word_lists.text_of(Sampling(), "budgets"):
        rows = int((~data.test).sum())
        if Sampling().budgets[-1] > rows:
            usual = usual_budgets(resolve(spec).width, rows)
            view["budgets"] = " ".join(map(str, usual))
    with st.expander("What to compare"):
        view |= {"rules": _rules(view["rules"])}
        with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
            if data.labeled and data.target is not None:
                names = {"labels": "Labels", "target": "Target"}
                view["learns"] = pickers.dropdown(
                    KNOBS["learns"].label, names, view["learns"], PAGE, KNOBS["learns"].help, 160
                )
            view["seeds"] = pickers.knob_widget(
                KNOBS["seeds"], view["seeds"], "sampling seeds", 120
            )
        offered = usual_budgets(resolve(spec).width, len(data))
        view["budgets"] = word_lists.budgets(
            Sampling(),
            view["budgets"],
            offered,
            "sampling budgets",
            "How many labels are bought. Type a number to add another one.",
        )
        st.caption("Finished ones")
        with st.container(horizontal=True, gap="small"):
            for name, plan in presets.NAMED_SAMPLINGS.items():
                st.button(name, on_click=show_plan, args=(plan,), help=f"{plan.title()}.")
    return view


def _rules(chosen: str) -> str:
    options = [name for name in RULES if name != UNIFORM]
    now = [name for name in chosen.split() if name != UNIFORM]
    picked = st.multiselect(
        "Rules, beside uniform",
        options,
        now,
        format_func=rule_name,
        key=state.key("sampling rules"),
        help="  \n".join(f"**{rule_name(name)}**: {RULES[name].says}" for name in options),
    )
    return " ".join([UNIFORM, *picked])


def plan_that_fits(spec: Spec, view: View, data: Dataset) -> tuple[Sampling, str | None]:
    """The view's plan with budgets for which there are rows, and what to say about it."""
    parts_of = {name: view[name] for name in (*LISTS, *KNOBS)}
    plan = Sampling().with_(seen=spec, **parts_of)
    pool = len(split(data, regression=plan.learns == "target")[0])
    if plan.budgets[-1] <= pool:
        return plan, None
    budgets = usual_budgets(resolve(spec).width, pool)
    said = ", ".join(f"{b:,}" for b in budgets)
    return plan.with_(budgets=budgets), (
        f"The training part has {pool:,} rows. Shown are budgets of {said} labels."
    )


def show_plan(plan: Sampling) -> None:
    """For callbacks: the page shows this plan in the next run."""
    now = st.session_state["spec"]
    st.session_state["spec"] = plan.seen.with_(strategy=now.strategy)
    view = {name: getattr(plan, name) for name in KNOBS} | {
        name: word_lists.text_of(plan, name) for name in LISTS
    }
    experiment_page.reopen(plan, {**view, "focus": None}, points=False)


def focus(view: View, plan: Sampling, rank: int | None) -> int:
    """Of which budget the sentences and the detailed pictures speak: as a rule the first of at
    least twice as many labels as directions.
    """
    budgets = list(plan.budgets)
    usual = next((b for b in budgets if rank and b >= 2 * rank), budgets[-1])
    now = view["focus"] if view["focus"] in budgets else usual
    if len(budgets) == 1:
        return now
    how = {"format_func": "{:,}".format, "key": state.key("sampling focus"), "wrap": True}
    return st.segmented_control("Labels bought", budgets, default=now, required=True, **how)
