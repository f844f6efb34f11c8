"""The Retrain page's pictures, and the files that hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

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
from core.types import Dataset, Floats
from pages.parts.retrain import verdict
from pages.parts.retrain.verdict import Compared
from pages.shared import layout, memo, state
from pages.shared.experiments import experiment_page
from pages.shared.experiments.line_styles import selection_lines, selection_name
from pages.shared.points import show
from pages.shared.state import View
from pages.shared.words import inside, plain


class Shown(NamedTuple):
    """What one picture is drawn from.

    grid, compared: a network's trainings and what was found of them; beside: the trainings in the
    other pictures; budget: the place of the one that is looked at.
    """

    grid: Grid
    compared: Compared
    beside: Sequence[Grid]
    view: View
    budget: int
    data: Dataset
    dark: bool

    @property
    def lines(self) -> list[Line]:
        """How its competitors are drawn."""
        return selection_lines(self.grid.plan, self.dark)

    def key(self, name: str) -> str:
        """A widget's key: each network has its own."""
        return state.key(f"{name} {self.grid.plan.network}")


def picture(grids: Sequence[Grid], compared: Sequence[Compared], view: View, data: Dataset) -> None:
    """One of five pictures of the same trainings, each network beside the others."""
    budgets = list(grids[0].plan.budgets)
    budget = budgets.index(view["focus"]) if view["focus"] in budgets else 0
    st.markdown(_heading(grids, view, budget))
    for column, grid, found in zip(verdict.columns(grids), grids, compared, strict=True):
        with column:
            verdict.name_of(grid, grids)
            beside = [one for one in grids if one is not grid]
            _drawn(Shown(grid, found, beside, view, budget, data, layout.dark()))


def _drawn(shown: Shown) -> None:
    """The picture of one network, or what is missing for it."""
    grid = shown.grid
    of_one_budget = {"training": _by_step, "classes": _by_class, "points": _points}
    if not grid.finished:
        experiment_page.nothing_yet(grid.plan, shown.data.fingerprint)
    elif (draw := of_one_budget.get(shown.view["show"])) is None:
        (_difference if shown.view["show"] == "difference" else _by_budget)(shown)
    elif np.isfinite(grid.accuracy[:, shown.budget]).any():
        draw(shown)
    else:
        st.info(
            f"No training on {grid.plan.budgets[shown.budget]:,} points is finished yet."
            " Choose another budget, or wait for it."
        )


def _heading(grids: Sequence[Grid], view: View, budget: int) -> str:
    """What is shown, by which protocol, and of how many trainings."""
    plan = grids[0].plan
    if view["show"] == "budget":
        return (
            f"**Test accuracy after training on the selection, {_protocol(plan)}** ·"
            f" {_share(grids)}, every seed a dot, mean and 95% interval"
        )
    if view["show"] == "difference":
        rival = inside(selection_name(verdict.against(grids[0], view)))
        return (
            f"**Accuracy above or below {rival}, {_protocol(plan)}** · {_share(grids)}, seed by"
            " seed, intervals as in the sentences above"
        )
    at = f"{plan.budgets[budget]:,} points, {_protocol(plan)}** · {_share(grids, budget)}"
    if view["show"] == "classes":
        return f"**By class, training on {at}, mean over seeds, in per cent"
    if view["show"] == "points":
        return f"**What was selected for {at}"
    each = "each seed a thin line" if plan.seeds <= FEW_SEEDS else "mean and 95% interval"
    return f"**Test accuracy while training on {at}, {each}"


def _share(grids: Sequence[Grid], budget: int | None = None) -> str:
    """How many of the trainings are finished, of one budget or of all."""
    parts = [grid.accuracy if budget is None else grid.accuracy[:, budget] for grid in grids]
    done = sum(int(np.isfinite(part).sum()) for part in parts)
    total = sum(part.size for part in parts)
    return (
        f"all {total:,} trainings" if done == total else f"{done:,} of {total:,} trainings so far"
    )


def _by_budget(shown: Shown) -> None:
    grid = shown.grid
    beside = [other.accuracy for other in shown.beside]
    drawn = (_budget_chart, grid.plan.budgets, grid.accuracy, shown.lines, shown.dark, beside)
    _chart(shown, "accuracy by budget", _table(grid), *drawn)
    area = outcomes.area(grid)
    said = [
        f"{line.name} {_percent(area, i)}"
        for i, line in enumerate(shown.lines)
        if np.isfinite(area.mean[i])
    ]
    if said and len(grid.plan.budgets) > 1:
        st.caption(
            "Mean accuracy over the (logarithmic) budgets, the area under each curve: "
            + "; ".join(said)
            + "."
        )


def _by_step(shown: Shown) -> None:
    drawn = (_step_chart, shown.grid, shown.lines, shown.budget, shown.dark)
    _chart(shown, "accuracy during training", _table(shown.grid), *drawn)


def _difference(shown: Shown) -> None:
    if not shown.compared:
        st.info("Only random competes. Add a selection under What to compare.")
        return
    grid = shown.grid
    rival = inside(selection_name(verdict.against(grid, shown.view)))
    said = " ".join(verdict.sentences(grid, shown.compared, shown.view))
    memo.chart(
        _difference_chart,
        grid,
        shown.compared,
        rival,
        shown.lines,
        shown.dark,
        key=shown.key("difference"),
        alt=f"Points of accuracy above or below {rival}. {said}".replace("*", ""),
    )


def _by_class(shown: Shown) -> None:
    grid = shown.grid
    names = [line.name for line in shown.lines]
    selected = _classes(grid.classes[:, shown.budget])
    for values, title, share in (
        (
            selected / selected.sum(axis=-1, keepdims=True),
            "**Selected**: share of each class",
            True,
        ),
        (
            _classes(grid.per_class[:, shown.budget]),
            "**Learned**: test accuracy within each class",
            False,
        ),
    ):
        st.markdown(title)
        drawn = (
            partial(class_table, share=share),
            values,
            names,
            list(shown.data.class_names),
            shown.dark,
        )
        alt = f"{'Share selected' if share else 'Accuracy'} per class for {'; '.join(names)}"
        memo.chart(*drawn, alt=alt, key=shown.key(f"class {share}"))
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


def _points(shown: Shown) -> None:
    grid = shown.grid
    budget = shown.budget
    for i, (line, candidate) in enumerate(zip(shown.lines, grid.plan.candidates, strict=True)):
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
            shown.data,
            chosen,
            alt=f"First points of {line.name}",
            key=shown.key(f"selected {line.name}"),
            max_rows=2,
        )


def downloads(grids: Sequence[Grid], data: Dataset) -> None:
    """The rows, the figures and how they were made."""
    found = []
    for grid in grids:
        plan = grid.plan
        name = f"retraining-{plan.dataset}-{plan.network}-{plan.protocol}".replace("_", "-")
        lines = selection_lines(plan, False)
        figure = partial(_budget_chart, plan.budgets, grid.accuracy, lines, False)
        rows = partial(_rows, plan, data.fingerprint)
        of = f"{verdict.network(grid)}: " if len(grids) > 1 else ""
        made = (name, plan, data.fingerprint, grid.finished, rows, {"": figure}, of)
        found += experiment_page.offered(*made)
    layout.downloads("Download the run", found)


def _rows(plan: Retraining, fingerprint: str) -> dict[str, list]:
    return outcomes.tidy_columns(plan, store.outcomes(plan, fingerprint))


def _chart(shown: Shown, name: str, alt: str, *drawn: Any) -> None:
    place = f"{name} {shown.grid.plan.network}".replace(" ", "-")
    with layout.fluid(place, HEIGHT + 40):
        memo.chart(*drawn, key=shown.key(name), alt=alt, height="stretch")


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


def _protocol(plan: Retraining) -> str:
    length = f"{plan.steps:,} steps of 64" if plan.protocol == "steps" else f"{plan.epochs} epochs"
    return f"{PROTOCOLS[plan.protocol].lower()} ({length})"


def _percent(estimate: statistics.Estimate, i: int) -> str:
    interval = (
        f" [{estimate.low[i]:.1%}, {estimate.high[i]:.1%}]" if np.isfinite(estimate.low[i]) else ""
    )
    return f"{estimate.mean[i]:.1%}{interval}"


def _budget_chart(
    budgets: Sequence[int],
    accuracy: Floats,
    lines: list[Line],
    dark: bool,
    beside: Sequence[Floats] = (),
) -> Any:
    return accuracy_by_budget(budgets, accuracy, lines, dark, beside)


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
