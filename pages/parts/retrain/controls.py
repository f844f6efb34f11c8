"""The Retrain page's controls: its widgets, the plan they describe, and what of it fits."""

from __future__ import annotations

import streamlit as st

from core import datasets, embeddings
from core.data.splits import split
from core.experiments import presets
from core.experiments.retrain import selections
from core.experiments.retrain.plan import KNOBS, RANDOM, Candidate, Retraining, parse_candidate
from core.experiments.retrain.run import PROTOCOLS
from core.models.network_names import FOR_TABLES, NETWORKS
from core.spec import Spec
from core.strategy import Knob
from core.types import Dataset
from pages.shared import pickers, state
from pages.shared.experiments import experiment_page, line_styles, word_lists
from pages.shared.state import View

PAGE = "retrain"
LISTS = {name: word_lists.text_of(Retraining(), name) for name in ("candidates", "budgets")}
# The first look: the network whose scores rank the points, trained anew, and a smaller one.
BOTH = "both"
SIDE_BY_SIDE = {
    "talk_cnn": "The same architecture, the talk's network",
    "lenet5": "A smaller one, LeNet-5",
}
NETWORK = Knob(
    "Network",
    "Trained from scratch on every selection.",
    choices=(BOTH, *NETWORKS),
    name="network",
    kind=str,
    default=BOTH,
)
SHOWN = {"budget": "By budget", "training": "During training", "difference": "Difference"}
SHOWN |= {"classes": "By class", "points": "What was selected"}
OF_ONE_BUDGET = ("training", "classes", "points")
BUDGETS = (100, 300, 1_000, 3_000, 5_000, 10_000, 20_000, 50_000)
PROTOCOL_MEANING = (
    "**Equal epochs**: every selection is gone through equally often, so a larger one trains"
    " longer.  \n**Equal steps**: every training takes equally many optimizer steps, whatever the"
    " budget.  \n**As in the talk**: equal epochs, but the selection stays in its order (highest"
    " score first) and is never shuffled, softmax is applied twice, and leverage comes from"
    " textbook QR, artefacts included. Random selections have no order, so they do not suffer from"
    " it."
)


def readable(view: View) -> View:
    """The view without selections and budgets that mean nothing.

    A link's are told, and the others are used.
    """
    return word_lists.readable(Retraining(), LISTS, view)


def training(view: View, data: Dataset) -> View:
    """In a row: what is trained, and how."""
    names = {BOTH: "The talk's and LeNet-5"} if data.is_images else {}
    names |= {name: NETWORKS[name] for name in NETWORKS if data.is_images or name in FOR_TABLES}
    chosen = view["network"] if view["network"] in names else next(iter(names))
    view["network"] = pickers.dropdown("Network", names, chosen, PAGE, NETWORK.help, 220)
    view["protocol"] = pickers.segments(
        "Protocol", PROTOCOLS, view["protocol"], PAGE, PROTOCOL_MEANING
    )
    return view


def competing(view: View, data: Dataset) -> View:
    """What competes, at which budgets, for how long; and the plans that come with the app."""
    with st.popover("What to compare", type="tertiary"):
        view |= {
            "candidates": _selections(view["candidates"], data),
            "budgets": _budgets(view["budgets"], data),
        }
        with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
            for name in ("seeds", "steps" if view["protocol"] == "steps" else "epochs"):
                view[name] = pickers.knob_widget(KNOBS[name], view[name], f"{PAGE} {name}", 160)
        with st.container(horizontal=True, gap="medium"):
            for name, plan in {
                "The talk's protocol": presets.TALK,
                "The fair one": presets.FAIR,
            }.items():
                how = {"kwargs": {"network": BOTH}, "help": "Both networks; comes finished."}
                st.button(name, on_click=show_plan, args=(plan,), **how)
    return view


def _selections(chosen: str, data: Dataset) -> str:
    names = list(embeddings.embedders(datasets.info(data.name)))
    scored = [
        Candidate(rule, name) for rule, r in selections.RULES.items() if r.scored for name in names
    ]
    options = [
        *map(str, scored),
        *(name for name, r in selections.RULES.items() if not r.scored and name != RANDOM.rule),
    ]
    absent = {name for name in embeddings.embedders() if name not in names}
    now = [
        text
        for text in chosen.split()
        if text != str(RANDOM) and parse_candidate(text).embedding not in absent
    ]
    options += [text for text in now if text not in options]
    help = (
        "A rule and the embedding under which leverage is computed. Type to search."
        " Random always competes."
    )
    picked = st.multiselect(
        "Selections, beside random",
        options,
        now,
        format_func=line_styles.selection_name,
        key=state.key("retrain selections"),
        help=help,
    )
    return " ".join([*picked, str(RANDOM)])


def _budgets(chosen: str, data: Dataset) -> str:
    offered = (budget for budget in BUDGETS if budget < len(data))
    help = "How many points are selected. Type a number to add another one."
    return word_lists.budgets(Retraining(), chosen, offered, "retrain budgets", help)


def plan_of(spec: Spec, view: View) -> Retraining:
    """The plan that the view describes. A UserError if its parts do not go together."""
    points = {"dataset": spec.dataset, "n": spec.n, "subset": spec.subset}
    settings = {name: view[name] for name in (*LISTS, *KNOBS)}
    if view["network"] == BOTH:
        settings["network"] = next(iter(SIDE_BY_SIDE))
    return Retraining().with_(**points, **settings)


def side_by_side(view: View, plan: Retraining) -> list[Retraining]:
    """The plans that the page shows beside each other: of one network, or of both."""
    return [plan.with_(network=one) for one in SIDE_BY_SIDE] if view["network"] == BOTH else [plan]


def plan_that_fits(spec: Spec, view: View, data: Dataset) -> tuple[Retraining, str | None]:
    """The view's plan without budgets beyond the pool, and what to say about it.

    Shares of the pool if none is left.
    """
    plan = plan_of(spec, view)
    pool = len(split(data)[0])
    fits = tuple(budget for budget in plan.budgets if budget <= pool)
    if len(fits) == len(plan.budgets):
        return plan, None
    left_out = ", ".join(f"{budget:,}" for budget in plan.budgets if budget > pool)
    budgets = fits or tuple(max(1, pool // part) for part in (20, 5, 2))
    instead = "" if fits else f" Shown instead: {', '.join(f'{budget:,}' for budget in budgets)}."
    return (
        plan.with_(budgets=budgets),
        f"Budgets: {left_out} left out, because only {pool:,} points can be selected.{instead}",
    )


def show_plan(plan: Retraining, **changes: str) -> None:
    """For callbacks: the page shows this plan in the next run, but for these changes."""
    view = {name: getattr(plan, name) for name in KNOBS} | changes
    texts = {name: word_lists.text_of(plan, name) for name in LISTS}
    experiment_page.reopen(plan, {**view, **texts, "focus": None})


def focus(view: View, plan: Retraining) -> View:
    """The budget that the detailed pictures look at: a small one shows most."""
    if view["show"] in OF_ONE_BUDGET:
        budgets = list(plan.budgets)
        view["focus"] = view["focus"] if view["focus"] in budgets else budgets[0]
        if len(budgets) > 1:
            how = {"format_func": "{:,}".format, "key": state.key("retrain focus"), "wrap": True}
            chosen = {"default": view["focus"], "required": True}
            view["focus"] = st.segmented_control("Budget", budgets, **chosen, **how)
    return view
