"""The Retrain page's pictures, and the files that hold them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from core.charts.common import Line
from core.charts.comparisons import class_table, differences
from core.charts.learning_curves import FEW_SEEDS, HEIGHT, accuracy_by_budget, accuracy_by_step
from core.experiments import statistics, store
from core.experiments.retrain import outcomes, selections
from core.experiments.retrain.outcomes import Grid
from core.experiments.retrain.plan import Candidate, Retraining
from core.experiments.retrain.run import PROTOCOLS
from core.experiments.verdicts import Versus
from core.types import Dataset
from pages.parts.retrain import verdict
from pages.parts.retrain.controls import SHOWN, focus
from pages.shared import layout, memo, pickers, state
from pages.shared.experiments.experiment_page import files, made_of
from pages.shared.experiments.line_styles import selection_lines, selection_name
from pages.shared.points import show
from pages.shared.state import View
from pages.shared.words import inside, plain


def picture(grid: Grid, view: View, data: Dataset) -> View:
    """One of five pictures of the same trainings."""
    view["show"] = pickers.segments("Show", SHOWN, view["show"], "retrain")
    plan = grid.plan
    dark = layout.dark()
    competitors = selection_lines(plan, dark)
    if view["show"] == "budget":
        _by_budget(grid, competitors, dark)
        return view
    if view["show"] == "difference":
        _difference(grid, view, competitors, dark)
        return view
    view["focus"] = focus(view, plan)
    budget = plan.budgets.index(view["focus"])
    if np.isfinite(grid.accuracy[:, budget]).any():
        draw = {"training": _by_step, "classes": _by_class, "points": _points}[view["show"]]
        draw(grid, competitors, budget, dark, data)
    else:
        st.info(
            f"No training on {view['focus']:,} points is finished yet."
            " Choose another budget, or wait for it."
        )
    return view


def _by_budget(grid: Grid, competitors: list[Line], dark: bool) -> None:
    st.markdown(
        f"**Test accuracy after training on the selection, {_protocol(grid.plan)}** ·"
        f" {made_of(grid.plan, grid.finished)}, every seed a dot, mean and 95% interval"
    )
    _chart("accuracy by budget", _table(grid), _budget_chart, grid, competitors, dark)
    area = outcomes.area(grid)
    said = [
        f"{line.name} {_percent(area, i)}"
        for i, line in enumerate(competitors)
        if np.isfinite(area.mean[i])
    ]
    if said and len(grid.plan.budgets) > 1:
        st.caption(
            "Mean accuracy over the (logarithmic) budgets, the area under each curve: "
            + "; ".join(said)
            + "."
        )


def _by_step(grid: Grid, competitors: list[Line], budget: int, dark: bool, data: Dataset) -> None:
    drawn = "each seed a thin line" if grid.plan.seeds <= FEW_SEEDS else "mean and 95% interval"
    st.markdown(f"**Test accuracy while training on {_at(grid, budget)}, {drawn}")
    _chart("accuracy during training", _table(grid), _step_chart, grid, competitors, budget, dark)


def _difference(grid: Grid, view: View, competitors: list[Line], dark: bool) -> None:
    if len(competitors) == 1:
        st.info("Only random competes. Add a selection under What to compare.")
        return
    rival = inside(selection_name(verdict.against(grid, view)))
    st.markdown(
        f"**Accuracy above or below {rival}, {_protocol(grid.plan)}** ·"
        f" {made_of(grid.plan, grid.finished)}, seed by seed, intervals as in the sentences above"
    )
    alt = f"Points of accuracy above or below {rival}. {' '.join(verdict.sentences(grid, view))}"
    memo.chart(
        _difference_chart,
        grid,
        verdict.compared(grid, view),
        rival,
        competitors,
        dark,
        key=state.key("difference"),
        alt=alt.replace("*", ""),
    )


def _by_class(grid: Grid, competitors: list[Line], budget: int, dark: bool, data: Dataset) -> None:
    names = [line.name for line in competitors]
    selected = _classes(grid.classes[:, budget])
    st.markdown(f"**By class, training on {_at(grid, budget)}, mean over seeds, in per cent")
    for values, title, share in (
        (
            selected / selected.sum(axis=-1, keepdims=True),
            "**Selected**: share of each class",
            True,
        ),
        (
            _classes(grid.per_class[:, budget]),
            "**Learned**: test accuracy within each class",
            False,
        ),
    ):
        st.markdown(title)
        drawn = (
            partial(class_table, share=share),
            values,
            names,
            list(data.class_names),
            dark,
        )
        alt = f"{'Share selected' if share else 'Accuracy'} per class for {'; '.join(names)}"
        memo.chart(*drawn, alt=alt, key=state.key(f"class {share}"))
    never = [names[i] for i in np.flatnonzero((selected == 0).any(axis=-1))]
    if never:
        st.caption(
            "A class that was never selected cannot be learned. With a class left out entirely:"
            f" {plain('; '.join(never))}."
        )


def _classes(values: np.ndarray) -> np.ndarray:
    """Mean over the seeds that are finished."""
    with np.errstate(invalid="ignore"):
        return statistics.estimate(np.moveaxis(values, -2, -1)).mean


def _points(grid: Grid, competitors: list[Line], budget: int, dark: bool, data: Dataset) -> None:
    st.markdown(f"**What was selected for {_at(grid, budget)}")
    for i, (line, candidate) in enumerate(zip(competitors, grid.plan.candidates, strict=True)):
        finished = np.flatnonzero(np.isfinite(grid.accuracy[i, budget]))
        if not len(finished):
            continue
        chosen = grid.chosen[i, budget, finished[0]]
        chosen = chosen[chosen >= 0]
        drawn = (
            f" drawn by seed {finished[0] + 1}" if selections.find(candidate.rule).random else ""
        )
        st.markdown(
            f"**{plain(line.name)}**: the first of {grid.plan.budgets[budget]:,} points{drawn}"
        )
        show(
            data,
            chosen,
            alt=f"First points of {line.name}",
            key=state.key(f"selected {line.name}"),
            max_rows=2,
        )


def downloads(plan: Retraining, data: Dataset, grid: Grid) -> None:
    """The rows, the figure and how they were made."""
    name = f"retraining-{plan.dataset}-{plan.network}-{plan.protocol}".replace("_", "-")
    figures = {"": lambda: _budget_chart(grid, selection_lines(plan, False), False)}
    found = store.outcomes(plan, data.fingerprint)
    files(
        name,
        plan,
        data.fingerprint,
        grid.finished,
        lambda: outcomes.tidy_columns(plan, found),
        figures,
    )


def _chart(name: str, alt: str, *drawn: Any) -> None:
    with layout.fluid(name.replace(" ", "-"), HEIGHT + 40):
        memo.chart(*drawn, key=state.key(name), alt=alt, height="stretch")


def _table(grid: Grid) -> str:
    """The final accuracies in words, for those who do not see the chart."""
    final = statistics.share_estimate(grid.accuracy).mean
    said = []
    for i, candidate in enumerate(grid.plan.candidates):
        each = zip(grid.plan.budgets, final[i], strict=True)
        values = ", ".join(
            f"{value:.1%} at {budget:,}" for budget, value in each if np.isfinite(value)
        )
        said.append(f"{selection_name(candidate)}: {values}")
    return "Mean test accuracy. " + "; ".join(said)


def _at(grid: Grid, budget: int) -> str:
    """Of a heading: the budget, the protocol, its length, how many trainings are finished."""
    done = int(np.isfinite(grid.accuracy[:, budget]).sum())
    total = grid.accuracy[:, budget].size
    share = (
        f"all {total:,} trainings" if done == total else f"{done:,} of {total:,} trainings so far"
    )
    return f"{grid.plan.budgets[budget]:,} points, {_protocol(grid.plan)}** · {share}"


def _protocol(plan: Retraining) -> str:
    length = f"{plan.steps:,} steps of 64" if plan.protocol == "steps" else f"{plan.epochs} epochs"
    return f"{PROTOCOLS[plan.protocol].lower()} ({length})"


def _percent(estimate: statistics.Estimate, i: int) -> str:
    interval = (
        f" [{estimate.low[i]:.1%}, {estimate.high[i]:.1%}]" if np.isfinite(estimate.low[i]) else ""
    )
    return f"{estimate.mean[i]:.1%}{interval}"


def _budget_chart(grid: Grid, competitors: list[Line], dark: bool) -> Any:
    return accuracy_by_budget(grid.plan.budgets, grid.accuracy, competitors, dark)


def _step_chart(grid: Grid, competitors: list[Line], budget: int, dark: bool) -> Any:
    by_steps = grid.plan.protocol == "steps"
    places = (grid.step if by_steps else grid.epoch)[:, budget]
    seen = np.isfinite(places).any(axis=(0, 1))
    at = np.nanmax(places[..., seen], axis=(0, 1))
    what = "optimizer steps" if by_steps else "epochs"
    return accuracy_by_step(at, grid.curve[:, budget][..., seen], competitors, what, dark)


def _difference_chart(
    grid: Grid,
    compared: Mapping[Candidate, Versus],
    rival: str,
    competitors: list[Line],
    dark: bool,
) -> Any:
    drawn = [competitors[grid.plan.candidates.index(candidate)] for candidate in compared]
    return differences(grid.plan.budgets, list(compared.values()), rival, drawn, dark)
