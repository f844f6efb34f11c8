"""The Active page's own parts: what competes, the verdict in a sentence, how to read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from core.experiments import presets, statistics
from core.experiments.active.outcomes import LearningCurves
from core.experiments.active.plan import KNOBS, Active, ActiveRun
from core.experiments.active.rounds import HELD_BACK, inputs_of, pool_of
from core.experiments.active.strategy_texts import RANDOM
from core.plugins import menu
from core.spec import Spec
from core.types import Dataset, Floats, Ints, UserError
from pages.shared import layout, pickers, state
from pages.shared.experiments import experiment_page, line_styles
from pages.shared.state import View

PAGE = "active"
SMALLEST = 20  # points of a pool that a comparison is fitted to
SHOWN = {
    "curves": "Learning curves",
    "beats": "Who beats whom",
    "errors": "Errors",
    "batches": "Batches",
    "replay": "Replay",
}
UNTIL = {"accuracy": "99% of the labels are right", "epochs": "a number of passes"}
TASK_MEANING = "Regression takes the squared loss on one-hot labels, as the BAIT paper does."
TASKS = {"classification": "Classification", "regression": "Regression on one-hot labels"}
READING = (
    "All strategies of a seed begin with the same random labels. In each round a fresh network is"
    " trained on what is labeled, the strategy looks at the rest of the pool through this network"
    " (its penultimate layer and its probabilities) and picks a batch; no strategy sees the label"
    " of a point of the pool that was not asked for: one that takes labels is given the network's"
    " predictions in their place, so that the true label of an influence or a utility (oracle) is"
    " the predicted one here.\n\nInfluence, FI-util, Shapley and goal-oriented utilities judge by"
    f" a validation set: up to {HELD_BACK} labeled points that are never in the pool and are not"
    " counted among the labels. BADGE, BAIT, CORESET and the uncertainties do without.\n\nALBL"
    " draws one of two strategies, CORESET or least confidence, in each round. After it, two more"
    " networks tell how well the points that it asked for are predicted without their own labels;"
    " by this its weights move.\n\n*Learning curves*: mean over seeds, the band is one standard"
    " error to each side, as in the papers.\n\n*Who beats whom*: for budgets M + 2^k B up to where"
    " random reaches 99% of its final accuracy, a paired t-test over the seeds (t > 2.776 for"
    " five); every setting shares 1 among its budgets. The BADGE paper counts on errors, with the"
    " sign turned; here as in the BAIT paper: on accuracies, so a high row beats others and a low"
    " column mean is good.\n\n*Errors*: at how many of these budgets a strategy's error is at most"
    " x times random's."
)


@dataclass(frozen=True, eq=False)
class Curves:
    """The finished runs as arrays, NaN where none is: accuracy, (a, s, r + 1); per batch seconds,
    log_det and norm, (a, s, r).
    """

    labels: Ints
    accuracy: Floats
    seconds: Floats
    log_det: Floats
    norm: Floats
    finished: int


def curves_of(plan: Active, found: Mapping[ActiveRun, Mapping[str, np.ndarray]]) -> Curves:
    """The outcomes in their places."""
    shape = (len(plan.strategies), plan.seeds)
    arrays = {
        name: np.full((*shape, plan.rounds), np.nan) for name in ("seconds", "log_det", "norm")
    }
    arrays["accuracy"] = np.full((*shape, plan.rounds + 1), np.nan)
    for unit, outcome in found.items():
        for name, array in arrays.items():
            array[plan.strategies.index(unit.strategy), unit.seed - 1] = outcome[name]
    labels = plan.start + plan.batch * np.arange(plan.rounds + 1)
    return Curves(labels, **arrays, finished=len(found))


def comparison(plan: Active, curves: Curves) -> LearningCurves:
    """The curves as the papers compare them."""
    return LearningCurves(
        curves.labels, curves.accuracy, plan.strategies.index(RANDOM), plan.start, plan.batch
    )


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


def controls(view: View, images: bool) -> View:
    """What competes, and how a round goes."""
    competing = st.expander("What to compare")
    with st.container(horizontal=True, vertical_alignment="top", gap="medium"):
        view["network"] = pickers.network_choice(KNOBS["network"], view["network"], images)
        for name, width in (("batch", 140), ("rounds", 120), ("seeds", 120)):
            view[name] = pickers.knob_widget(KNOBS[name], view[name], f"{PAGE} {name}", width)
    with competing:
        view["strategies"] = _strategies(view)
        with st.container(horizontal=True, vertical_alignment="top", gap="medium"):
            view["task"] = pickers.dropdown("Task", TASKS, view["task"], PAGE, TASK_MEANING, 240)
            view["until"] = pickers.dropdown(
                "Train until", UNTIL, view["until"], PAGE, KNOBS["until"].help, 240
            )
            for name, width in (("epochs", 120), ("start", 130), ("pool", 140)):
                view[name] = pickers.knob_widget(KNOBS[name], view[name], f"{PAGE} {name}", width)
        with st.container(horizontal=True, gap="medium"):
            for name, plan in presets.NAMED_ACTIVE.items():
                st.button(
                    name, on_click=show_plan, args=(plan,), help=f"{plan.title()}; comes finished."
                )
    return view


def _strategies(view: View) -> str:
    setting = Active().with_(task=view["task"]).setting
    reasons = {name: inputs_of(chosen.needs, setting) for name, chosen in menu.strategies().items()}
    now = [text for text in view["strategies"].split() if text != RANDOM]
    options = list(
        dict.fromkeys(
            [*(name for name, reason in reasons.items() if not reason and name != RANDOM), *now]
        )
    )
    absent = [f"{menu.find(name).label}: {reason}" for name, reason in reasons.items() if reason]
    help = "Type to search. Random always competes." + (
        "  \nNot here: " + "; ".join(absent) + "." if absent else ""
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
            f"Rounds: {plan.rounds} batches of {plan.batch:,} do not fit into the pool; shown are"
            f" {rounds}."
        ),
    )


def show_plan(plan: Active) -> None:
    """For callbacks: the page shows this plan in the next run."""
    experiment_page.reopen(
        plan,
        {name: getattr(plan, name) for name in KNOBS} | {"strategies": " ".join(plan.strategies)},
    )


def answer(plan: Active, curves: Curves) -> None:
    """How each strategy does against random over all rounds; the best first."""
    if not curves.finished:
        return
    over_rounds = curves.accuracy.mean(axis=-1)
    difference = statistics.estimate(over_rounds - over_rounds[plan.strategies.index(RANDOM)])
    known = [
        i
        for i, name in enumerate(plan.strategies)
        if name != RANDOM and np.isfinite(difference.low[i])
    ]
    if not known:
        layout.answer("No verdict yet: an interval needs two seeds of a strategy and of random.")
        return
    known.sort(key=lambda i: -difference.mean[i])
    said = [
        _sentence(
            line_styles.strategy_name(plan.strategies[i]),
            *(100 * part[i] for part in difference[:3]),
        )
        for i in known
    ]
    layout.answer(said[0])
    if len(said) > 1:
        st.markdown("  \n".join(sentence.replace("*", "**") for sentence in said[1:]))


def _sentence(name: str, mean: float, low: float, high: float) -> str:
    interval = f"95% interval {low:+.1f} to {high:+.1f}".replace("-", "−")
    if low <= 0 <= high:
        return (
            f"{name} is not distinguishable from random over all rounds ({mean:+.1f} points,"
            f" {interval}).".replace("-", "−")
        )
    return (
        f"{name} is *{abs(mean):.1f} points {'better' if mean > 0 else 'worse'}* than random on"
        f" average over all rounds ({interval})."
    )


def table(plan: Active, curves: Curves) -> str:
    """The last accuracies in words, for those who do not see the chart."""
    final = statistics.standard_error(curves.accuracy)[0]
    last = {
        line_styles.strategy_name(name): row[np.isfinite(row)][-1]
        for name, row in zip(plan.strategies, final, strict=True)
        if np.isfinite(row).any()
    }
    return f"Mean test accuracy at {curves.labels[-1]:,} labels. " + "; ".join(
        f"{name}: {value:.1%}" for name, value in last.items()
    )
