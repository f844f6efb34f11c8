"""The Active page's pictures, and the files that hold them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from core.charts import active as round_charts
from core.charts.common import Line
from core.charts.learning_curves import HEIGHT, accuracy_by_labels, loss_by_labels
from core.experiments import statistics
from core.experiments.active import outcomes
from core.experiments.active.outcomes import FinishedRuns
from core.experiments.active.plan import Active, ActiveRun
from core.types import Dataset
from pages.parts.active import replayed_batch, who_beats_whom, words
from pages.parts.active.controls import SHOWN
from pages.shared import layout, memo, pickers, state
from pages.shared.experiments import line_styles
from pages.shared.experiments.experiment_page import files, made_of
from pages.shared.state import View

# A run that was stored before reached was recorded has no rows of it; a regression has no accuracy.
METRICS = ("accuracy", "loss", "epochs", "steps", "reached", "seconds", "log_det", "norm")


def picture(plan: Active, curves: FinishedRuns, view: View, data: Dataset) -> View:
    """One of five pictures of the same runs."""
    view["show"] = pickers.segments("Show", SHOWN, view["show"], "active")
    lines = line_styles.strategy_lines(plan.strategies)
    if view["show"] == "replay":
        return replayed_batch.picture(plan, view, data)
    if view["show"] == "beats":
        return who_beats_whom.picture(plan, curves, lines, view, data)
    {"curves": _curves, "errors": _errors, "batches": _batches}[view["show"]](plan, curves, lines)
    return view


def of_whole_seeds(value: np.ndarray) -> np.ndarray:
    """The seeds (a, s, r) that all strategies have finished, so that their means compare.

    All there is as long as there are none.
    """
    whole = np.isfinite(value).all(axis=(0, 2))
    return value[:, whole] if whole.any() else value


def _curves(plan: Active, curves: FinishedRuns, lines: list[Line]) -> None:
    st.markdown(
        f"**{words.measure(plan).capitalize()} by labels asked for**"
        f" · {made_of(plan, curves.finished)},"
        f" {seeds_drawn(curves)}"
    )
    with layout.fluid("learning-curves", HEIGHT + 40):
        memo.chart(
            _learning,
            plan,
            curves,
            lines,
            layout.dark(),
            key=state.key("learning curves"),
            alt=_table(plan, curves),
            height="stretch",
        )


def seeds_drawn(curves: FinishedRuns) -> str:
    """What the dots and bands are."""
    finished = np.isfinite(curves.value).all(axis=-1)
    whole = finished.all(axis=0).sum()
    which = "every seed" if finished.any(axis=0).sum() == whole else "every seed that all finished"
    return f"{which if whole else 'every seed so far'} a dot, mean and 95% interval"


def _table(plan: Active, curves: FinishedRuns) -> str:
    """The last accuracies in words, for those who do not see the chart."""
    final = statistics.estimate(np.moveaxis(of_whole_seeds(curves.value), 1, -1)).mean
    last = {
        line_styles.strategy_name(name): row[np.isfinite(row)][-1]
        for name, row in zip(plan.strategies, final, strict=True)
        if np.isfinite(row).any()
    }
    written = "{:.4g}" if plan.task == "regression" else "{:.1%}"
    return f"Mean {words.measure(plan)} at {curves.labels[-1]:,} labels. " + "; ".join(
        f"{name}: {written.format(value)}" for name, value in last.items()
    )


def _learning(plan: Active, runs: FinishedRuns, lines: list[Line], dark: bool) -> Any:
    by_seed = np.moveaxis(of_whole_seeds(runs.value), 1, -1)
    drawn = loss_by_labels if plan.task == "regression" else accuracy_by_labels
    return drawn(runs.labels, by_seed, lines, dark)


def _errors(plan: Active, curves: FinishedRuns, lines: list[Line]) -> None:
    compared = outcomes.learning_curves(plan, curves)
    if not outcomes.budgets(compared) or not compared.learned[compared.random].any():
        st.info(
            f"No budget is left at which to compare: random's {words.measure(plan)} is within 1% of"
            " its final one after one batch, it is not finished, or all of its rounds were cut."
        )
        return
    st.markdown(
        "**Errors divided by random's**: the share of budgets at or below ·"
        f" {made_of(plan, curves.finished)}"
    )
    values, weights = outcomes.normalised_errors([compared])
    known = np.isfinite(values).any(axis=1)
    shown = [line for line, there in zip(lines, known, strict=True) if there]
    drawn = (round_charts.error_shares, values[known], weights, shown, layout.dark())
    memo.chart(*drawn, key=state.key("errors"), alt="Cumulative shares of normalised errors")
    if missing := np.isnan(values[known]).sum():
        st.caption(
            f"{missing:,} of {values[known].size:,} errors fell out: no seed learned there, of the"
            " strategy or of random."
        )


def _batches(plan: Active, curves: FinishedRuns, lines: list[Line]) -> None:
    asked = curves.labels[:-1]
    vectors = words.vectors(plan)
    for values, title, log in (
        (curves.log_det, f"log-det of a batch's {vectors}", False),
        (curves.norm, f"mean length of its {vectors}", False),
        (curves.seconds, "seconds to pick a batch", True),
    ):
        st.markdown(f"**{title[:1].upper()}{title[1:]}**" + (" (log scale)" if log else ""))
        mean, _ = statistics.standard_error(values)
        memo.chart(
            round_charts.number_by_batch,
            asked,
            mean,
            lines,
            title,
            layout.dark(),
            log,
            key=state.key(title),
            alt=f"{title} by labels known",
        )
    st.caption(
        "Seconds as they were in these runs; whatever else the machine did then lengthened them."
    )


def downloads(
    plan: Active,
    data: Dataset,
    curves: FinishedRuns,
    found: Mapping[ActiveRun, Mapping[str, np.ndarray]],
) -> None:
    """The rows of all rounds, the learning curves, and how they were made."""
    figures = {
        "": lambda: _learning(plan, curves, line_styles.strategy_lines(plan.strategies), False)
    }
    files(
        f"active-{plan.dataset}-{plan.network}",
        plan,
        data.fingerprint,
        len(found),
        lambda: _rows(found),
        figures,
    )


def _rows(found: Mapping[ActiveRun, Mapping[str, np.ndarray]]) -> dict[str, list]:
    columns: dict[str, list] = {
        name: [] for name in ("strategy", "seed", "budget", "round", "metric", "value")
    }
    for unit, outcome in found.items():
        measured = [name for name in METRICS if name in outcome]
        for metric in [name for name in measured if not np.isnan(outcome[name]).all()]:
            for number, value in enumerate(outcome[metric]):
                line = (
                    unit.strategy,
                    unit.seed,
                    int(outcome["labels"][number]),
                    number,
                    metric,
                    float(value),
                )
                for column, entry in zip(columns, line, strict=True):
                    columns[column].append(entry)
    return columns
