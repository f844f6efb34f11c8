"""The Simulations page's picture, one panel for each design, and the files that hold it."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from core.charts.common import Line
from core.charts.learning_curves import HEIGHT, accuracy_by_labels, risk_by_budget
from core.experiments.simulations.outcomes import Found, tidy_columns
from core.experiments.simulations.plan import Simulations
from core.experiments.statistics import Estimate, estimate
from core.types import Floats
from pages.parts.simulations.words import DESIGNS, called
from pages.shared import layout, memo, state
from pages.shared.experiments import line_styles, start_button
from pages.shared.experiments.experiment_page import files, made_of


def picture(plan: Simulations, values: Floats, finished: int) -> None:
    """One panel for each design, side by side."""
    what = (
        "Test accuracy by labels asked for"
        if plan.needs_data
        else "Bayes risk by points picked: lower is better"
    )
    st.markdown(f"**{what}** · {made_of(plan, finished)}, mean and 95% interval")
    for i, panel in enumerate(st.columns(len(plan.designs), gap="medium")):
        name = DESIGNS[plan.designs[i]][1]
        with panel:
            st.markdown(f"**{name}**")
            with layout.fluid(f"simulation-{plan.designs[i]}", HEIGHT + 40):
                key = state.key(f"simulation {plan.designs[i]}")
                memo.chart(
                    chart,
                    plan,
                    values,
                    i,
                    layout.dark(),
                    key=key,
                    alt=_table(plan, values[i], name),
                    height="stretch",
                )


def chart(plan: Simulations, values: Floats, i: int, dark: bool) -> Any:
    """The curves on one design.

    Bayes risks of all designs share their axis: the designs share their covariance.
    """
    lines = _lines(plan)
    if plan.needs_data:
        return accuracy_by_labels(plan.budgets, np.moveaxis(values[i], 1, -1), lines, dark)
    found = _estimate(values[i])
    every = _estimate(values).mean
    return risk_by_budget(
        plan.budgets,
        found,
        lines,
        dark,
        (float(np.nanmin(every)) / 1.3, float(np.nanmax(every)) * 1.3),
    )


def _lines(plan: Simulations) -> list[Line]:
    return line_styles.strategy_lines(plan.strategies, partial(called, plan.figure))


def _estimate(values: Floats) -> Estimate:
    """Over the seeds, the last axis but one."""
    return estimate(np.moveaxis(values, -2, -1))


def _table(plan: Simulations, values: Floats, name: str) -> str:
    """The last values in words, for those who do not see the chart."""
    last = _estimate(values).mean[:, -1]
    written = "{:.1%}" if plan.needs_data else "{:.3g}"
    each = zip(plan.strategies, last, strict=True)
    said = [
        f"{called(plan.figure, text)} {written.format(value)}"
        for text, value in each
        if np.isfinite(value)
    ]
    what = (
        f"mean test accuracy at {plan.budgets[-1]:,} labels"
        if plan.needs_data
        else f"mean Bayes risk with {plan.budgets[-1]:,} points"
    )
    return f"{name}, {what}: {'; '.join(said)}"


def downloads(
    plan: Simulations, data: start_button.HasFingerprint, values: Floats, found: Found
) -> None:
    """The rows of all runs, a figure for each design, and how they were made."""
    names = [DESIGNS[design][1] for design in plan.designs]
    figures = {
        name: partial(chart, plan, values, i, False)
        for i, name in enumerate(names)
        if np.isfinite(values[i]).any()
    }
    files(
        f"simulation-{plan.figure}",
        plan,
        data.fingerprint,
        len(found),
        lambda: tidy_columns(plan, found),
        figures,
    )
