"""The Trim page's pictures of an experiment, and the files that hold them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from core.charts.common import Line
from core.charts.comparisons import class_table, differences
from core.charts.learning_curves import HEIGHT, accuracy_by_removed, precision_by_removed
from core.charts.palette import CHANCE, TOP
from core.charts.trim import area_by_method
from core.experiments import statistics
from core.experiments.trim import outcomes, run
from core.experiments.trim.outcomes import Trimmed
from core.experiments.trim.plan import RANDOM, Trim, TrimRun
from core.experiments.trim.planted import DAMAGES
from core.types import Dataset
from pages.parts.trim import verdict
from pages.parts.trim.controls import focus
from pages.parts.trim.verdict import name_of
from pages.shared import layout, memo, state
from pages.shared.experiments import experiment_page
from pages.shared.points import captions_of, show
from pages.shared.state import View
from pages.shared.words import LEVERAGE, score_texts

Found = Mapping[TrimRun, Mapping[str, np.ndarray]]
STYLES = {
    "fi": (TOP, (1, 0)),
    "iv": ("#0072B2", (8, 4)),
    "shapley": ("#009E73", (8, 3, 2, 3)),
    "leverage": ("#E69F00", (2, 3)),
    "loss": ("#CC79A7", (12, 3)),
    RANDOM: (CHANCE, (5, 4)),
}


def line(method: str, name: str) -> Line:
    """How a method is drawn, on every picture of the page."""
    return Line(name, *STYLES[method])


def picture(trimmed: Trimmed, found: Found, view: View, data: Dataset) -> View:
    """One of the pictures of the experiment."""
    if not trimmed.finished:
        experiment_page.nothing_yet(trimmed.plan, data.fingerprint)
        return view
    if view["show"] == "difference":
        _difference(trimmed, view)
        return view
    if view["show"] in ("removed", "planted"):
        {"removed": _by_removed, "planted": _planted}[view["show"]](trimmed)
        return view
    view["focus"] = focus(view, trimmed.plan)
    if view["show"] == "classes":
        _classes(trimmed, view["focus"], data)
    else:
        _first(trimmed.plan, found, view["focus"], data)
    return view


def lines(plan: Trim) -> list[Line]:
    """The plan's methods as they are drawn."""
    return [line(method, name_of(method)) for method in plan.methods]


def _by_removed(trimmed: Trimmed) -> None:
    st.markdown(
        f"**Test accuracy after removing the first points** · {_made_of(trimmed)},"
        " every seed a dot, mean and 95% interval"
    )
    with layout.fluid("accuracy-by-removed", HEIGHT + 40):
        memo.chart(
            _removed_chart,
            trimmed,
            layout.dark(),
            key=state.key("accuracy by removed"),
            alt=table(trimmed),
            height="stretch",
        )


def _difference(trimmed: Trimmed, view: View) -> None:
    compared = verdict.compared(trimmed, view)
    if not compared:
        st.info("Only random competes. Add a method under What to compare.")
        return
    rival = verdict.rival_of(trimmed, view)
    st.markdown(
        f"**Accuracy above or below {rival}** · {_made_of(trimmed)}, seed by seed, intervals as in"
        " the sentences above"
    )
    drawn = [line(method, name_of(method)) for method in compared]
    alt = f"Points of accuracy above or below {rival}. {' '.join(verdict.sentences(trimmed, view))}"
    memo.chart(
        differences,
        trimmed.plan.budgets,
        list(compared.values()),
        rival,
        drawn,
        layout.dark(),
        key=state.key("trim difference"),
        alt=alt.replace("*", ""),
    )


def _planted(trimmed: Trimmed) -> None:
    plan = trimmed.plan
    dark = layout.dark()
    if plan.planted == "none":
        st.info(
            "Nothing is planted in this experiment, so there is nothing to find."
            " Choose some damage under Planted."
        )
        return
    count = round(plan.share * plan.training)
    st.markdown(
        f"**Who finds the {count:,} {DAMAGES[plan.planted].lower()} among"
        f" {plan.training:,} points?**"
        f" · {_made_of(trimmed)}"
    )
    auc = statistics.share_estimate(trimmed.auc)
    precision = statistics.share_estimate(trimmed.precision)
    said = [
        f"{one.name} {auc.mean[i]:.2f}"
        for i, one in enumerate(lines(plan))
        if np.isfinite(auc.mean[i])
    ]
    memo.chart(
        area_by_method,
        auc,
        lines(plan),
        dark,
        key=state.key("auc"),
        alt=f"Area under the curve. {'; '.join(said)}",
    )
    st.markdown(
        "**Precision**: the share of planted points among those removed, mean and 95% interval"
    )
    each = [
        f"{one.name} {precision.mean[i, 0]:.0%}"
        for i, one in enumerate(lines(plan))
        if np.isfinite(precision.mean[i, 0])
    ]
    with layout.fluid("precision-by-removed", HEIGHT + 40):
        alt = f"Precision with {plan.budgets[0]:,} points removed. {'; '.join(each)}"
        drawn = (precision_by_removed, plan.budgets, trimmed.precision, lines(plan), dark)
        memo.chart(*drawn, key=state.key("precision by removed"), alt=alt, height="stretch")
    if plan.planted == "duplicate":
        st.caption(
            "A point and its twin get the same score, so both count as planted."
            " No method here looks for twins."
        )


def _classes(trimmed: Trimmed, budget: int, data: Dataset) -> None:
    plan = trimmed.plan
    counts = np.moveaxis(trimmed.removed[:, plan.budgets.index(budget)], 1, -1)
    removed = statistics.estimate(counts).mean
    st.markdown(
        f"**Of which class are the {budget:,} removed points?** · mean over seeds,"
        " in per cent of the removed"
    )
    names = [name_of(method) for method in plan.methods]
    drawn = (
        partial(class_table, share=True),
        removed / budget,
        names,
        list(data.class_names),
        layout.dark(),
    )
    memo.chart(
        *drawn,
        key=state.key("trimmed classes"),
        alt=f"Share of each class among the removed for {'; '.join(names)}",
    )
    if plan.planted == "flip":
        st.caption("Classes as labelled, flipped labels included.")


def _first(plan: Trim, found: Found, budget: int, data: Dataset) -> None:
    """The points that each method of the first finished seed trims first, as it saw them."""
    st.markdown("**Trimmed first**, as the methods saw them")
    st.caption(
        "The influence value, Shapley and the loss put harm first, FI-util what matters either way,"
        " leverage what is unusual.",
        help=LEVERAGE,
    )
    for method in plan.methods:
        units = [unit for unit in found if unit.method == method]
        if not units:
            continue
        unit = min(units, key=lambda one: one.seed)
        first, scores = (np.asarray(found[unit][name])[:budget] for name in ("first", "score"))
        seen, planted, before = _seen(plan, unit.seed, data)
        marks = _marks(plan, planted[first], captions_of(data, before[first]))
        caught = (
            f": {int(planted[first].sum())} of the first {len(first)} are planted"
            if plan.planted != "none"
            else ""
        )
        st.markdown(f"**{name_of(method)}**, seed {unit.seed}{caught}")
        show(
            seen,
            first,
            score_texts(scores),
            key=state.key(f"first {method}"),
            alt=f"Trimmed first by {name_of(method)}",
            marks=marks,
            max_rows=3,
        )


def _seen(plan: Trim, seed: int, data: Dataset) -> tuple[Dataset, np.ndarray, np.ndarray]:
    """The seed's training points as a dataset, damaged; which are planted; their rows in `data`."""
    given = run.draw_points(data, plan.setting, seed)
    none = np.zeros(len(given.rows), bool)
    seen = Dataset(
        data.name,
        given.points,
        given.labels,
        data.class_names,
        none,
        data.index[given.rows],
        data.feature_names,
    )
    return seen, given.planted, given.rows


def _marks(plan: Trim, planted: np.ndarray, truly: list[str]) -> list[str] | None:
    """A badge on each planted point: its true class where labels were flipped."""
    if plan.planted == "none":
        return None
    return [
        ("" if not there else f"was {name}" if plan.planted == "flip" else "planted")
        for there, name in zip(planted, truly, strict=True)
    ]


def _made_of(trimmed: Trimmed) -> str:
    return experiment_page.made_of(trimmed.plan, trimmed.finished)


def table(trimmed: Trimmed) -> str:
    """The accuracies in words, for those who do not see the chart."""
    mean = statistics.share_estimate(trimmed.accuracy).mean
    said = []
    for i, method in enumerate(trimmed.plan.methods):
        each = [
            f"{value:.1%} without {b:,}"
            for b, value in zip(trimmed.budgets, mean[i], strict=True)
            if np.isfinite(value)
        ]
        said += [f"{name_of(method)}: {', '.join(each)}"] if each else []
    return "Mean test accuracy. " + "; ".join(said)


def downloads(trimmed: Trimmed, found: Found, data: Dataset) -> None:
    """The rows, the figure and how they were made."""
    plan = trimmed.plan
    name = f"trimming-{plan.dataset}-{plan.model}-{plan.planted}".replace("_", "-")
    figures = {"": lambda: _removed_chart(trimmed, False)}
    experiment_page.files(
        name,
        plan,
        data.fingerprint,
        len(found),
        lambda: outcomes.tidy_columns(plan, found),
        figures,
    )


def _removed_chart(trimmed: Trimmed, dark: bool) -> Any:
    return accuracy_by_removed(trimmed.budgets, trimmed.accuracy, lines(trimmed.plan), dark)
