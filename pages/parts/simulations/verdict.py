"""The Simulations page's verdict: the figure's two strategies compared, in a sentence."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.experiments.simulations import outcomes
from core.experiments.simulations.plan import Simulations
from core.experiments.verdicts import POINTS, RATIO, levels, sentence
from core.types import Floats
from pages.parts.simulations.words import DESIGNS, called
from pages.shared.experiments import verdict_box
from pages.shared.state import View
from pages.shared.words import inside


def answer(plan: Simulations, values: Floats, reached: Floats, view: View) -> View:
    """The two strategies of the figure, on each design.

    Rounds that were cut before they had learned their labels are not compared, and told.
    """
    view, box = verdict_box.controls(view, "simulations", {})
    if not np.isfinite(values).any():
        return view
    margin = view["margin"] / 100
    found = outcomes.duel(plan, np.where(reached == 1, values, np.nan), margin)
    if found is None:
        box.show(["No verdict: two different strategies are needed."])
        return view
    first, second = (inside(called(plan.figure, name)) for name in plan.duel)
    finished = np.isfinite(values)
    scale, over = RATIO, " over all budgets"
    if plan.needs_data:
        whole = (reached[finished] == 1).all()
        scale, over = POINTS, f" over {'all rounds' if whole else 'the rounds that both learned'}"
    if not plan.needs_data:
        first, second = f"the Bayes risk of {first}", f"that of {second}"
    places = [DESIGNS[design][0] for design in plan.designs]
    said = sentence(first, second, found._replace(places=places), scale, margin, over=over)
    note = levels(found.outcomes, margin, scale)
    box.show(
        [f"{said[:1].upper()}{said[1:]}" or verdict_box.NO_VERDICT],
        f"{note} Each seed draws anew: points, labels, weights." if note else "",
    )
    for count, said in (
        (finished & (reached == 0), "were cut before 99% of their labels were right"),
        (finished & np.isnan(reached), "do not say whether 99% of their labels were right"),
    ):
        if count.any():
            st.caption(
                f"{int(count.sum()):,} of {int(finished.sum()):,} rounds {said}: they are drawn and"
                " not compared."
            )
    return view
