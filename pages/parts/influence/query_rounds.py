"""Rounds of queries on the Influence page: accuracy and goal, and what was asked in the plane."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.charts.common import Line
from core.charts.influence import mean_by_labels, queried_plane
from core.charts.palette import CHANCE, class_colour, score_colours
from core.data.simulated import SYNTH2
from core.experiments import statistics
from core.experiments.influence.plan import Queries
from core.experiments.influence.queries import asked_in_round
from core.strategies.goal import GOALS
from core.types import Dataset, Floats
from pages.parts.influence.shown_outcomes import Found, stacked
from pages.parts.influence.words import LEVELS, STRATEGIES
from pages.shared import layout, legend, memo, state
from pages.shared.experiments.experiment_page import made_of
from pages.shared.state import View

COLOURS = {"oracle": 5, "max": 6, "uniform": 2, "min": 4, "entropy": 0}  # of the palette's ten


def lines(plan: Queries) -> list[Line]:
    """Every strategy has a colour of its own; random is grey and dashed."""
    return [
        (
            Line(STRATEGIES[name], CHANCE, (5, 4))
            if name == "random"
            else Line(STRATEGIES[name], class_colour(COLOURS[name]))
        )
        for name in plan.strategies
    ]


def curves(plan: Queries, found: Found, view: View) -> View:
    """Accuracy and goal side by side."""
    drawn = lines(plan)
    for column, title in zip(st.columns(2, gap="large"), ("Test accuracy", "Goal"), strict=True):
        with column:
            st.markdown(
                f"**{title}** by labels · {made_of(plan, len(found))}, every seed a dot, mean and"
                " 95% interval"
            )
            mean = statistics.estimate(measured(plan, found, title)[:, -1]).mean
            last = "; ".join(
                f"{line.name} {value:.3g}"
                for line, value in zip(drawn, mean, strict=True)
                if np.isfinite(value)
            )
            alt = f"{title} at {plan.labeled + plan.batch * plan.rounds:,} labels: {last}"
            st.altair_chart(
                curve(plan, found, title, layout.dark()),
                key=state.key(f"influence {title}"),
                alt=alt,
            )
    legend.swatches("Strategy", [(line.colour, line.name) for line in drawn])
    over_rounds = statistics.estimate(100 * stacked(plan, found, "accuracy").mean(axis=-1))
    known = [
        (line.name, mean)
        for line, mean in zip(drawn, over_rounds.mean, strict=True)
        if np.isfinite(mean)
    ]
    layout.facts(
        [
            (name, f"{mean:.1f}%", "Test accuracy, mean over all rounds and finished seeds")
            for name, mean in known
        ]
    )
    return view


def measured(plan: Queries, found: Found, title: str) -> Floats:
    """Accuracies or goals, (a, r, s)."""
    goal = None if title == "Test accuracy" else GOALS.index(plan.goal)
    values = stacked(plan, found, "accuracy" if goal is None else "goals", goal)
    return np.moveaxis(values, 1, -1)


def curve(plan: Queries, found: Found, title: str, dark: bool) -> Any:
    """One of the two charts."""
    labels = plan.labeled + plan.batch * np.arange(plan.rounds + 1)
    percent = title == "Test accuracy"
    axis = "accuracy on the test points" if percent else LEVELS[plan.goal]
    return mean_by_labels(labels, measured(plan, found, title), lines(plan), axis, percent, dark)


def snapshots(plan: Queries, found: Found, view: View, data: Dataset) -> View:
    """Points in the plane after some rounds, for every strategy."""
    if data.points.shape[1:] != (2,) or plan.seen.embedding != "raw":
        st.info(
            "Snapshots need points in the plane, as they are. Choose Synth2, Two Gaussians or Two"
            " crescents in the sidebar."
        )
        return view
    view["round"] = st.slider(
        "Round", 0, plan.rounds, min(view["round"], plan.rounds), key=state.key("influence round")
    )
    first = {
        unit.strategy: found[unit] for unit in plan.units() if unit.seed == 1 and unit in found
    }
    order = [
        name for name in ("oracle", "uniform", "min", "max", "entropy", "random") if name in first
    ]
    for start in range(0, len(order), 3):
        for column, name in zip(
            st.columns(3, gap="medium"), order[start : start + 3], strict=False
        ):
            with column:
                _snapshot(data, first[name], name, view["round"])
    legend.band("Asked for", score_colours(layout.dark()), "first", "last")
    st.caption(
        "Vermilion: labeled at first. Hollow: not asked for. Circles and squares are the two"
        " classes, the line is the head's border."
    )
    return view


def _snapshot(data: Dataset, outcome: Any, name: str, number: int) -> None:
    pool = outcome["pool"]
    labeled = outcome["labeled"]
    rows = np.concatenate([pool, labeled])
    asked = asked_in_round(outcome["picks"][:number], pool).astype(float)
    frame = pd.DataFrame(
        {"x": data.points[rows, 0].astype(float), "y": data.points[rows, 1].astype(float)}
    )
    frame["label"] = [data.class_names[c] for c in data.labels[rows]]
    frame["asked"] = np.concatenate([np.where(asked > 0, asked, np.nan), np.zeros(len(labeled))])
    box = [
        frame["x"].min() - 0.5,
        frame["x"].max() + 0.5,
        frame["y"].min() - 0.5,
        frame["y"].max() + 0.5,
    ]
    st.markdown(f"**{STRATEGIES[name]}** · accuracy {outcome['accuracy'][number]:.1%}")
    names = _clusters() if data.name == "synth2" else None
    line = border(np.asarray(outcome["heads"][number], float), box)
    drawn = (queried_plane, frame, line, names, box, number, layout.dark())
    alt = f"{STRATEGIES[name]} after {number} rounds: {int((asked > 0).sum())} points asked for"
    memo.chart(*drawn, key=state.key(f"snapshot {name}"), alt=alt)


def border(head: Floats, box: list[float]) -> Floats | None:
    """The ends (2, 2) of the line where two classes are equally probable, beyond the box.

    None for more classes or no line.
    """
    if len(head) != 2:
        return None
    a, b, c = head[1] - head[0]
    reach = 10 * (abs(np.array(box)).max() + 1)
    size = np.hypot(a, b)
    if size == 0:
        return None
    foot = -c * np.array([a, b]) / size**2
    along = np.array([-b, a]) / size
    return np.stack([foot - reach * along, foot + reach * along])


def _clusters() -> pd.DataFrame:
    """The names of the clusters, above each.

    The central ones, which lie close together, have one beside them.
    """
    each = [
        (side * x, side * y + 1.6, name)
        for name, (x, y) in SYNTH2.items()
        if name != "central"
        for side in (1, -1)
    ]
    return pd.DataFrame([*each, (-2.4, 0.0, "central")], columns=["x", "y", "name"])
