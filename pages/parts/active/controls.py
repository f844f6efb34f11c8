"""The Active page's controls: its widgets, the plan they describe, and what of it fits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from core.experiments import presets
from core.experiments.active.plan import KNOBS, Active
from core.experiments.active.rounds import inputs_of, pool_of
from core.experiments.active.strategy_texts import RANDOM, parse_strategy
from core.plugins import menu
from core.spec import Spec
from core.types import Dataset, UserError
from pages.shared import pickers, state
from pages.shared.experiments import experiment_page, line_styles
from pages.shared.state import View
from pages.shared.words import lacking, plain

PAGE = "active"
SMALLEST = 20  # points of a pool that a comparison is fitted to
SHOWN = {
    "curves": "Learning curves",
    "beats": "Who beats whom",
    "errors": "Errors",
    "batches": "Batches",
    "replay": "Replay",
}
UNTIL = {
    "classification": {"accuracy": "99% of the labels are right", "epochs": "a number of passes"},
    "regression": {"accuracy": "99% of the variance is explained", "epochs": "a number of passes"},
}
UNTIL_MEANING = {
    "classification": KNOBS["until"].help,
    "regression": "Of the labeled targets. The paper gives no rule for a regression.",
}
TASK_MEANING = (
    "Regression takes the squared loss: on the dataset's target where it has one, else on one-hot"
    " labels, as the BAIT paper does. Strategies that need classes are then out."
)
FOR_REGRESSION = ("bait_regression", "k_center")  # where none of those chosen can take part
# Minutes by processor seconds of one run a strategy (MLP), or of its rounds and picks (linear).
PAPERS = {
    "BAIT paper's Figure 8, MLP": (presets.FIGURE_8, "curves", 10),
    "BAIT paper's Figure 8, linear": (presets.FIGURE_8_LINEAR, "curves", 15),
    "BAIT paper's Figure 9": (presets.FIGURE_8, "batches", 10),
}


def readable(view: View) -> View:
    """The view without strategies that mean nothing: a link's are told, and the others are used."""
    kept = []
    for word in view["strategies"].split():
        try:
            Active().with_(strategies=word)
            kept.append(word)
        except UserError as error:
            state.problems().append(str(error))
    return view | {"strategies": " ".join(kept)}


def widgets(view: View, data: Dataset) -> View:
    """What competes, and how a round goes."""
    competing = st.expander("What to compare")
    told = st.container()  # what a reader has to know with the expander closed
    with st.container(horizontal=True, vertical_alignment="top", gap="medium"):
        view["network"] = pickers.network_choice(KNOBS["network"], view["network"], data.is_images)
        for name, width in (("batch", 140), ("rounds", 120), ("seeds", 120)):
            view[name] = pickers.knob_widget(KNOBS[name], view[name], f"{PAGE} {name}", width)
    with competing:
        with st.container(horizontal=True, vertical_alignment="top", gap="medium"):
            view["task"] = _task(view["task"], data, told)
            view["until"] = pickers.dropdown(
                "Train until",
                UNTIL[view["task"]],
                view["until"],
                PAGE,
                UNTIL_MEANING[view["task"]],
                240,
            )
            bound = "steps" if view["until"] == "accuracy" else "epochs"
            for name, width in ((bound, 150), ("start", 130), ("pool", 140)):
                view[name] = pickers.knob_widget(KNOBS[name], view[name], f"{PAGE} {name}", width)
        view["strategies"] = _strategies(_suited(view, told))
        _named_plans()
    return view


def _task(now: str, data: Dataset, told: Any) -> str:
    """What is learned of this dataset: classes or numbers."""
    tasks = {"classification": "Classification"} if data.labeled else {}
    own = data.target is not None
    tasks["regression"] = f"Regression on {'its target' if own else 'one-hot labels'}"
    if not data.labeled:
        told.info(f"{plain(data.called)} has a target and no labels: this is a regression.")
    now = now if now in tasks else "regression"
    return pickers.dropdown("Task", tasks, now, PAGE, TASK_MEANING, 240)


def _suited(view: View, told: Any) -> View:
    """The view without strategies that cannot take part in its task: it says which, and why."""
    setting = Active().with_(task=view["task"]).setting
    given = [text for text in view["strategies"].split() if text != RANDOM]
    out = {}
    for text in given:
        chosen = menu.find(parse_strategy(text)[0])
        if reason := inputs_of(chosen.needs, setting):
            out[text] = chosen.label, reason
    if view["task"] == "classification" or not out:
        return view
    kept = [text for text in given if text not in out] or [*FOR_REGRESSION]
    told.info(f"Out of this regression: {lacking(dict(out.values()))}.")
    return view | {"strategies": " ".join([*kept, RANDOM])}


def _named_plans() -> None:
    """Comparisons that come finished, and figures of a paper that do not."""
    with st.container(horizontal=True, gap="medium"):
        for name, plan in presets.NAMED_ACTIVE.items():
            help = f"{plan.title()}; comes finished."
            st.button(name, on_click=show_plan, args=(plan,), help=help)
        for name, (plan, view, minutes) in PAPERS.items():
            help = f"{plan.title()}; not computed: an estimated {minutes} minutes on two cores."
            st.button(name, on_click=show_plan, args=(plan, view), help=help)


def _strategies(view: View) -> str:
    setting = Active().with_(task=view["task"]).setting
    reasons = {name: inputs_of(chosen.needs, setting) for name, chosen in menu.strategies().items()}
    now = [text for text in view["strategies"].split() if text != RANDOM]
    options = list(
        dict.fromkeys(
            [*(name for name, reason in reasons.items() if not reason and name != RANDOM), *now]
        )
    )
    absent = lacking({menu.find(name).label: reason for name, reason in reasons.items()})
    help = "Type to search. Random always competes." + (
        f"  \nNot here: {absent}." if absent else ""
    )
    key = state.key(f"active strategies {view['task']}")
    return " ".join(
        [
            *st.multiselect(
                "Strategies, beside random",
                options,
                now,
                format_func=line_styles.strategy_name,
                key=key,
                help=help,
            ),
            RANDOM,
        ]
    )


def plan_of(spec: Spec, view: View) -> Active:
    """The plan that the view describes. A UserError if its parts do not fit together."""
    parts_of = {name: view[name] for name in ("strategies", *KNOBS)}
    return Active().with_(dataset=spec.dataset, n=spec.n, subset=spec.subset, **parts_of)


def plan_that_fits(spec: Spec, view: View, data: Dataset) -> tuple[Active, str | None]:
    """The view's plan with as many rounds as the pool can feed, and what to say about it."""
    plan = plan_of(spec, view)
    pool = len(pool_of(data, replace(plan.setting, rounds=0, start=1, batch=1), 1)[0])
    rounds = (pool - plan.start) // plan.batch
    if rounds >= plan.rounds or pool < SMALLEST:
        return plan, None
    if rounds < 1:
        batch = pool // SMALLEST
        plan = plan.with_(start=2 * batch, batch=batch, rounds=min(plan.rounds, SMALLEST // 2))
        return (
            plan,
            (
                f"The pool has {pool:,} points: shown are {plan.rounds} batches of {batch:,}, from"
                f" {plan.start:,} labels on."
            ),
        )
    return (
        plan.with_(rounds=rounds),
        (
            f"Rounds: {plan.rounds} batches of {plan.batch:,} do not fit into the pool;"
            f" shown are {rounds}."
        ),
    )


def show_plan(plan: Active, show: str | None = None) -> None:
    """For callbacks: the page shows this plan in the next run, and this picture of it."""
    view = {name: getattr(plan, name) for name in KNOBS}
    view |= {"strategies": " ".join(plan.strategies)} | ({"show": show} if show else {})
    experiment_page.reopen(plan, view)
