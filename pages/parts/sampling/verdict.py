"""The Sampling page's verdict: what a fit to the bought labels loses, rule by rule."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.experiments.sampling import outcomes
from core.experiments.sampling.outcomes import Bought
from core.experiments.statistics import factor_estimate, share_estimate
from core.experiments.verdicts import FACTOR, POINTS, Scale, Versus, levels, sentence
from pages.parts.sampling.controls import JUDGED
from pages.shared import pickers
from pages.shared.experiments import verdict_box
from pages.shared.experiments.sampling_rules import IN_TEXT, capital, loss_text, rule_name
from pages.shared.state import View

UNIFORM = "uniform"
MEASURES = {"loss": ("ratio", FACTOR), "accuracy": ("accuracy", POINTS)}
VARIED = (
    "Each draw takes other rows; the embedding, the training and the test part stay. The top by"
    " leverage and the greedy designs have nothing to draw."
)


def answer(bought: Bought, view: View, budget: int) -> View:
    """Each rule against a uniform draw, or another, at one budget; folded, at all of them."""
    st.markdown("**Is that more than chance?**")
    if bought.classes:
        view["judged"] = pickers.segments("Judged by", JUDGED, view["judged"], "sampling")
    names = {rule: rule_name(rule) for rule in bought.plan.rules}
    chosen = {
        **view,
        "against": UNIFORM if view["against"] == verdict_box.RANDOM else view["against"],
    }
    shown, box = verdict_box.controls(chosen, "sampling", names)
    found = compared(bought, shown)
    _, scale = measure(bought, shown)
    margin = shown["margin"] / 100
    said = sentences(bought, shown, budget)
    note = levels([one for each in found.values() for one in each.outcomes], margin, scale)
    for sentence_ in said or [verdict_box.NO_VERDICT]:
        box.sentences.markdown(sentence_.replace("*", "**"))
    with box.sentences.expander("At all budgets"):
        st.markdown("  \n".join(sentences(bought, shown)).replace("*", "**"))
    box.note.caption(f"{note} {VARIED}" if note else "")
    return view | {"margin": shown["margin"], "against": shown["against"]}


def measure(bought: Bought, view: View) -> tuple[str, Scale]:
    """What is compared: the loss, or the accuracy where there are classes."""
    return MEASURES[view["judged"] if bought.classes else "loss"]


def against(bought: Bought, view: View) -> str:
    """Whom the others are compared with."""
    wanted = view["against"]
    if wanted in bought.plan.rules:
        return wanted
    return UNIFORM


def compared(bought: Bought, view: View) -> dict[str, Versus]:
    """The others against the one that is chosen, as the sentences and the picture show them."""
    what, _ = measure(bought, view)
    rival = against(bought, view)
    margin = view["margin"] / 100
    return outcomes.versus(bought, rival, what, margin)


def sentences(bought: Bought, view: View, budget: int | None = None) -> list[str]:
    """One for each of the others, the best at the largest budget first. budget: of that alone."""
    found = compared(bought, view)
    if budget is not None:
        place = bought.plan.budgets.index(budget)
        found = {rule: versus.at(place) for rule, versus in found.items()}
    what, scale = measure(bought, view)
    best = sorted(
        found, key=lambda rule: -np.nan_to_num(found[rule].outcomes[-1].mean, nan=-np.inf)
    )
    rival = IN_TEXT[against(bought, view)]
    each = (
        sentence(
            capital(IN_TEXT[rule]) if what != "ratio" else f"The loss of {IN_TEXT[rule]}",
            f"that of {rival}" if what == "ratio" else rival,
            found[rule],
            scale,
            view["margin"] / 100,
        )
        for rule in best
    )
    return [said for said in each if said]


def headline(bought: Bought, budget: int) -> str:
    """ "With 2,000 of 60,000 labels the loss is ..., and the accuracies ..."."""
    plan = bought.plan
    whole = bought.whole
    if whole is None:
        return ""
    if whole.exact:
        return (
            f"All {whole.rows:,} labels are fitted without a loss, so no fit to fewer can be"
            " measured by it."
        )
    b = plan.budgets.index(budget)
    losses = factor_estimate(bought.ratio[:, b]).mean
    order = [i for i in np.argsort(losses) if np.isfinite(losses[i])]
    if not order:
        return ""
    said = [f"*{loss_text(losses[i])}* for {IN_TEXT[plan.rules[i]]}" for i in order]
    text = f"With *{budget:,}* of {whole.rows:,} labels the loss on all rows is {listed(said)}."
    return f"{text} {_accuracies(bought, b)}".strip()


def _accuracies(bought: Bought, b: int) -> str:
    """Whether the accuracies would put the rules in the same order as the losses."""
    if not bought.classes:
        return ""
    losses = factor_estimate(bought.ratio[:, b]).mean
    accuracy = share_estimate(bought.accuracy[:, b]).mean
    known = [i for i in range(len(losses)) if np.isfinite(losses[i]) and np.isfinite(accuracy[i])]
    by_loss = min(known, key=lambda i: losses[i])
    by_accuracy = max(known, key=lambda i: accuracy[i])
    rules = bought.plan.rules
    first = f"{accuracy[by_loss]:.1%} of the test part is right with {IN_TEXT[rules[by_loss]]}"
    if accuracy[by_accuracy] - accuracy[by_loss] < 0.005:
        return f"{first}; no rule here is half a point better."
    return (
        f"The accuracy says otherwise: {first}, {accuracy[by_accuracy]:.1%} with"
        f" {IN_TEXT[rules[by_accuracy]]}."
    )


def listed(words: list[str]) -> str:
    """ "a, b and c"."""
    *first, last = words
    if not first:
        return last
    before = ", ".join(first)
    return f"{before} and {last}"
