"""The files of the Influence page: tidy rows, figures, and how they were made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from core.charts.influence import predicted_against_retrained
from core.experiments.influence.outcomes import foreseen
from core.experiments.influence.plan import Influence
from core.strategies.goal import GOALS
from core.types import Dataset
from pages.parts.influence.pictures import frame_of, outcome_of
from pages.parts.influence.query_rounds import curve
from pages.parts.influence.shown_outcomes import Found
from pages.parts.influence.words import STEPS
from pages.shared.experiments import experiment_page
from pages.shared.state import View


def downloads(plan: Influence, data: Dataset, found: Found, view: View) -> None:
    """What is offered."""
    name = f"influence-{plan.study}-{plan.dataset}"
    rows = _utility_rows if plan.study == "utilities" else _query_rows
    figures = _figures(plan, data, found, view) if found else {}
    experiment_page.files(
        name, plan, data.fingerprint, len(found), lambda: rows(found, data), figures
    )


def _figures(
    plan: Influence, data: Dataset, found: Found, view: View
) -> dict[str, Callable[[], Any]]:
    if plan.study == "queries":
        return {
            title.lower(): lambda title=title: curve(plan, found, title, False)
            for title in ("Test accuracy", "Goal")
        }
    return {
        title.lower(): lambda step=step, title=title: _scatter(plan, data, found, view, step, title)
        for step, title in STEPS.items()
    }


def _scatter(
    plan: Influence, data: Dataset, found: Found, view: View, step: str, title: str
) -> Any:
    outcome = outcome_of(plan, found, view)
    labels = data.labels[outcome["pool"]]
    values = foreseen(outcome, labels, view["goal"], view["over"], view["temperature"])
    frame = frame_of(
        values,
        outcome["pool"],
        [data.class_names[c] for c in labels],
        foreseen(outcome, labels, view["goal"])["retrained"],
    )
    return predicted_against_retrained(frame, step, f"predicted: {title}", None, False)


def _utility_rows(found: Found, data: Dataset) -> pd.DataFrame:
    """One row per seed, goal, point and label that it is given."""
    frames = []
    for unit, outcome in found.items():
        _, n, c = outcome["linear"].shape
        rows = np.repeat(data.index[outcome["pool"]], c)
        true = np.repeat(data.labels[outcome["pool"]], c)
        for g, goal in enumerate(GOALS):
            columns = {
                "seed": unit.seed,
                "goal": goal,
                "row": rows,
                "label": np.tile(np.arange(c), n),
                "true": true,
            }
            frames.append(
                pd.DataFrame(
                    columns | {step: outcome[step][g].ravel() for step in (*STEPS, "retrained")}
                )
            )
    return pd.concat(frames)


def _query_rows(found: Found, _data: Dataset) -> pd.DataFrame:
    """One row per run, round and number."""
    frames = []
    for unit, outcome in found.items():
        numbers = {"accuracy": outcome["accuracy"]} | {
            goal: outcome["goals"][:, g] for g, goal in enumerate(GOALS)
        }
        for metric, values in numbers.items():
            columns = {
                "strategy": unit.strategy,
                "seed": unit.seed,
                "labels": outcome["labels"],
                "metric": metric,
                "value": values,
            }
            frames.append(pd.DataFrame(columns))
    return pd.concat(frames)
