"""Where leverage does help: which labels to buy for a fit to all points."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.charts.palette import CHANCE, FAMILIES, TOP
from core.experiments import presets, store
from core.experiments.sampling import outcomes
from core.experiments.sampling.outcomes import Bought
from core.experiments.statistics import BETTER, MARGIN, WORSE, factor_estimate
from core.types import UserError
from pages.components.curves import Axis, Curve, Panel, curves
from pages.parts.lesson import chapter_frame, quiz
from pages.parts.lesson.material import Material
from pages.shared import cached, layout, state

ROOM = "Sampling: which labels are worth buying?"
NAME = "Where they do help"
BUDGET = 2_000  # where ten draws settle it
# Rule -> what it is called, colour and dash; as on the Sampling page.
RULES = {
    "leverage": ("by leverage", FAMILIES["classification"], (1.0, 0.0)),
    "uniform": ("at random", CHANCE, (5.0, 4.0)),
    "top": ("the top", TOP, (1.0, 0.0)),
}
OPTIONS = {
    "uniform": "Drawn at random",
    "top": "The top by leverage",
    "leverage": "Drawn by leverage",
}


@st.cache_resource(show_spinner=False)
def bought() -> Bought:
    """The bundled fits to some of MNIST's labels, raw pixels; a UserError without them."""
    plan = presets.MNIST_LABELS
    data = cached.dataset("mnist", None, 0)
    found = store.outcomes(plan, data.fingerprint)
    if len(found) < len(plan.units()):
        raise UserError(
            "Lesson: found no finished sampling among the bundled results."
            " Run python -m core experiments."
        )
    return outcomes.bought_of(plan, found)


@st.cache_resource(show_spinner=False)
def means() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """By rule and budget: the loss over the least possible, and the accuracy, means over draws."""
    found = bought()
    ratio = factor_estimate(found.ratio).mean
    places = [found.plan.rules.index(rule) for rule in RULES]
    accuracy = found.accuracy.mean(axis=-1)
    return (
        {rule: ratio[i] for rule, i in zip(RULES, places, strict=True)},
        {rule: accuracy[i] for rule, i in zip(RULES, places, strict=True)},
    )


def loss(rule: str) -> str:
    """ "1.59 times" the least possible: what BUDGET labels leave, typically."""
    return _times(means()[0][rule][bought().plan.budgets.index(BUDGET)])


def sampling_lead(material: Material) -> str:
    """What is bought."""
    return (
        f"Buy *{BUDGET:,} of {bought().whole.rows:,} labels*, fit them by least squares, measure"
        " the loss on all digits."
    )


def sampling(material: Material, talk: bool) -> None:
    """A prediction, then the loss and the accuracy against the labels bought."""
    ratio, _ = means()
    place = bought().plan.budgets.index(BUDGET)
    best = min(RULES, key=lambda rule: ratio[rule][place])
    losses = ", ".join(f"{RULES[rule][0]} {loss(rule)}" for rule in OPTIONS)
    measured = f"{losses} the least possible."
    known = quiz.ask_across(
        "sampling", NAME, "Which labels leave the least loss?", OPTIONS, best, measured
    )
    curves(
        _panels(known),
        key=state.key("lesson sampling"),
        x=_budgets(),
        height=round(285 * chapter_frame.scale(talk)) if talk else None,
    )
    if known and not talk:
        layout.onward("sampling", ROOM, ":material/arrow_forward:", {})


def sampling_home(material: Material) -> str:
    """What leverage is for, if the draws say so."""
    found = bought()
    place = found.plan.budgets.index(BUDGET)

    def verdict(rule: str, what: str) -> str:
        return outcomes.versus(found, "uniform", what, MARGIN)[rule].outcomes[place].outcome

    _, accuracy = means()
    left = loss("leverage")
    if verdict("leverage", "ratio") == BETTER and verdict("top", "accuracy") == WORSE:
        return (
            f"*Leverage is for drawing, not for taking the top*, and it bounds the loss ({left} the"
            f" least possible), not the accuracy: {accuracy['leverage'][place]:.0%}, at random"
            f" {accuracy['uniform'][place]:.0%}, the top {accuracy['top'][place]:.0%}."
        )
    return f"Drawn by leverage, {BUDGET:,} labels leave {left} the least possible loss."


def _times(ratio: float) -> str:
    return f"{ratio:.3g} times" if ratio < 1e4 else f"{ratio:,.0f} times"


def _budgets() -> Axis:
    budgets = bought().plan.budgets
    ticks = tuple(float(k) for k in budgets)
    return Axis("labels bought", ticks[0], ticks[-1], ticks[1::2], log=True)


def _panels(whole: bool) -> tuple[Panel, Panel]:
    """Before the prediction with random's curve alone, over the same axes."""
    ratio, accuracy = means()
    decades = int(np.ceil(np.log10(max(float(np.nanmax(one)) for one in ratio.values()))))
    ticks = tuple(10.0**i for i in range(0, decades + 1, 1 + decades // 5))
    above = Axis("loss over the least possible", 1.0, 10.0**decades, ticks, log=True)
    share = Axis("accuracy on the test digits", 0.0, 1.0, (0, 0.25, 0.5, 0.75, 1), form="percent")
    return (
        Panel(
            "The loss on all digits", "", _lines(ratio, whole), above, _ends("Loss", ratio, whole)
        ),
        Panel(
            "The accuracy", "", _lines(accuracy, whole), share, _ends("Accuracy", accuracy, whole)
        ),
    )


def _lines(values: dict[str, np.ndarray], whole: bool) -> tuple[Curve, ...]:
    budgets = np.array(bought().plan.budgets, float)
    drawn = []
    for rule, mean in _shown(values, whole).items():
        known = np.isfinite(mean)
        points = tuple(budgets[known].tolist()), tuple(mean[known].tolist())
        drawn.append(Curve(*RULES[rule], *points))
    return tuple(drawn)


def _shown(values: dict[str, np.ndarray], whole: bool) -> dict[str, np.ndarray]:
    return values if whole else {"uniform": values["uniform"]}


def _ends(what: str, values: dict[str, np.ndarray], whole: bool) -> str:
    place = bought().plan.budgets.index(BUDGET)
    each = ", ".join(
        f"{RULES[rule][0]} {mean[place]:.3g}" for rule, mean in _shown(values, whole).items()
    )
    return f"{what} against the labels bought; at {BUDGET:,}: {each}"
