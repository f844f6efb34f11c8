"""The Active page's pictures, and the files that hold them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from core.charts import active as round_charts
from core.charts.common import Line
from core.charts.learning_curves import HEIGHT, accuracy_by_labels
from core.charts.maps import Colour, scatter
from core.experiments import statistics
from core.experiments.active import outcomes
from core.experiments.active.outcomes import FinishedRuns
from core.experiments.active.plan import Active, ActiveRun
from core.experiments.active.replay import replay_key
from core.experiments.active.strategy_texts import RANDOM
from core.experiments.statistics import Estimate
from core.runtime import tasks
from core.types import Dataset
from pages.parts.active import who_beats_whom
from pages.parts.active.controls import SHOWN
from pages.shared import cached, job_panel, layout, memo, pickers, state
from pages.shared.experiments import line_styles
from pages.shared.experiments.experiment_page import files, made_of
from pages.shared.points import show
from pages.shared.state import View

# A run that was stored before reached was recorded has no rows of it.
METRICS = ("accuracy", "loss", "epochs", "steps", "reached", "seconds", "log_det", "norm")
RIVALS = ("the strategy's batch", "the most uncertain points")
OBJECTIVES = {
    "radius": (
        "Covering radius",
        (
            "the largest distance of a point to the nearest labeled or picked one:"
            " CORESET makes it small"
        ),
    ),
    "log_det": (
        "Log-det",
        "spread and length of the picked gradient embeddings: BADGE and k-DPP make it large",
    ),
    "trace": ("Fisher trace", "expected error by the Fisher information: BAIT makes it small"),
}


def picture(plan: Active, curves: FinishedRuns, view: View, data: Dataset) -> View:
    """One of five pictures of the same runs."""
    view["show"] = pickers.segments("Show", SHOWN, view["show"], "active")
    lines = line_styles.strategy_lines(plan.strategies)
    if view["show"] == "replay":
        return _replay(plan, view, data)
    if view["show"] == "beats":
        return who_beats_whom.picture(plan, curves, lines, view, data)
    {"curves": _curves, "errors": _errors, "batches": _batches}[view["show"]](plan, curves, lines)
    return view


def of_whole_seeds(accuracy: np.ndarray) -> np.ndarray:
    """The seeds (a, s, r) that all strategies have finished, so that their means compare.

    All there is as long as there are none.
    """
    whole = np.isfinite(accuracy).all(axis=(0, 2))
    return accuracy[:, whole] if whole.any() else accuracy


def _curves(plan: Active, curves: FinishedRuns, lines: list[Line]) -> None:
    st.markdown(
        f"**Test accuracy by labels asked for** · {made_of(plan, curves.finished)},"
        " mean and standard error"
    )
    with layout.fluid("learning-curves", HEIGHT + 40):
        memo.chart(
            _learning,
            curves,
            lines,
            layout.dark(),
            key=state.key("learning curves"),
            alt=_table(plan, curves),
            height="stretch",
        )


def _table(plan: Active, curves: FinishedRuns) -> str:
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


def _learning(curves: FinishedRuns, lines: list[Line], dark: bool) -> Any:
    mean, error = statistics.standard_error(of_whole_seeds(curves.accuracy))
    return accuracy_by_labels(
        curves.labels, Estimate(mean, mean - error, mean + error, error), lines, dark
    )


def _errors(plan: Active, curves: FinishedRuns, lines: list[Line]) -> None:
    compared = outcomes.learning_curves(plan, curves)
    if not outcomes.budgets(compared) or not compared.learned[compared.random].any():
        st.info(
            "No budget is left at which to compare: random is at 99% of its final accuracy after"
            " one batch, not finished, or all of its rounds were cut."
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
    for values, title, log in (
        (curves.log_det, "log-det of a batch's gradient embeddings", False),
        (curves.norm, "mean length of its gradient embeddings", False),
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


def _replay(plan: Active, view: View, data: Dataset) -> View:
    """One batch, pick by pick, on the map and in the gallery, beside the most uncertain points."""
    others = [name for name in plan.strategies if name != RANDOM] or [RANDOM]
    with st.container(horizontal=True, vertical_alignment="top", gap="medium"):
        now = view["replayed"] if view["replayed"] in others else others[0]
        view["replayed"] = st.selectbox(
            "Strategy",
            others,
            others.index(now),
            format_func=line_styles.strategy_name,
            key=state.key("replayed"),
            width=240,
        )
        last = plan.rounds - 1
        view["round"] = st.number_input(
            "Round", 0, last, min(view["round"], last), key=state.key("replay round"), width=120
        )
    unit = next(
        unit for unit in plan.units() if unit.strategy == view["replayed"] and unit.seed == 1
    )
    if plan.task == "regression":
        st.info("Replay needs probabilities. Choose classification under What to compare.")
        return view
    key = replay_key(unit, view["round"], data.fingerprint)
    with layout.explained():
        shown = cached.result(key, tasks.REPLAY, unit, view["round"])
    if not hasattr(shown, "arrays"):
        job_panel.waiting(shown, "Replaying the round")
        return view
    _picks(shown.arrays, line_styles.strategy_name(view["replayed"]), data)
    return view


def _picks(arrays: Mapping[str, np.ndarray], name: str, data: Dataset) -> None:
    k = arrays["picks"].shape[1]
    at = st.slider(
        "Picks",
        1,
        k,
        min(k, 10),
        key=state.key("replay pick"),
        help="Drag, or use the arrow keys, to follow the batch.",
    )
    sides = st.columns(2, gap="large")
    for side, place, title in zip(sides, (0, 1), (name, "Most uncertain, top k"), strict=True):
        chosen = arrays["picks"][place][:at]
        with side:
            st.markdown(f"**{title}**, {at} of {k}")
            drawn = (_map, arrays["pool"], arrays["coordinates"], chosen, layout.dark())
            memo.chart(
                *drawn,
                key=state.key(f"replay map {place}"),
                alt=f"Map of the pool with {at} picks of {title}",
            )
            rows = arrays["pool"][chosen]
            show(
                data,
                rows,
                alt=f"The first {at} picks of {title}",
                key=state.key(f"replay {place}"),
                size=40,
                ragged=True,
            )
    for column, (objective, (title, why)) in zip(st.columns(3), OBJECTIVES.items(), strict=True):
        with column:
            st.markdown(f"**{title}**", help=why)
            drawn = (
                round_charts.objective_by_pick,
                arrays[objective],
                (name, RIVALS[1]),
                at,
                title.lower(),
                layout.dark(),
            )
            memo.chart(
                *drawn,
                key=state.key(f"replay {objective}"),
                alt=f"{title} after each pick, for {name} and for {RIVALS[1]}",
            )


def _map(pool: np.ndarray, coordinates: np.ndarray, chosen: np.ndarray, dark: bool) -> Any:
    member = np.zeros(len(pool))
    member[chosen] = 1
    colour = Colour("picked", member, ("pool", "picked"))
    inner = np.ones(len(member), bool)
    return scatter(
        np.asarray(coordinates, float), colour, inner, None, brush=False, dark=dark, height=320
    )


def downloads(
    plan: Active,
    data: Dataset,
    curves: FinishedRuns,
    found: Mapping[ActiveRun, Mapping[str, np.ndarray]],
) -> None:
    """The rows of all rounds, the learning curves, and how they were made."""
    figures = {"": lambda: _learning(curves, line_styles.strategy_lines(plan.strategies), False)}
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
        for metric in [name for name in METRICS if name in outcome]:
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
