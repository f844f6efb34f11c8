"""One batch, pick by pick: in the gallery, on the objectives, and on the map once it is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from core.charts import active as round_charts
from core.charts.learning_curves import HEIGHT
from core.charts.maps import Colour, scatter
from core.experiments.active import objectives
from core.experiments.active.plan import Active, ActiveRun
from core.experiments.active.replay import map_key, replay_key
from core.experiments.active.strategy_texts import RANDOM
from core.runtime import tasks
from core.runtime.cache import Entry
from core.types import Dataset
from pages.parts.active import words
from pages.shared import cached, job_panel, layout, memo, state
from pages.shared.experiments import line_styles
from pages.shared.points import show
from pages.shared.state import View

RIVALS = {"uncertain": "Most uncertain, top k", "random": "Random"}
OBJECTIVES = {
    "radius": (
        "Covering radius",
        "The largest distance of a pool point to the nearest labeled or picked one.",
    ),
    "potential": (
        "Distance to the picks",
        "Mean squared distance of the pool's gradient embeddings to the nearest picked one.",
    ),
    "trace": (
        "Fisher trace",
        "tr(M⁻¹F), expected error by the Fisher information. Points that BAIT took back are left"
        " out from the first pick on, so only its last value is what it chose by.",
    ),
    "log_det": (
        "Log-det",
        "By how much the picks raise the log-determinant of the gradient embeddings: their spread"
        " and their length.",
    ),
    "score": ("Mean score", "Of the picks so far, by the strategy's own score."),
}


def picture(plan: Active, view: View, data: Dataset) -> View:
    """The strategy's batch beside the most uncertain points and random ones."""
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
    key = replay_key(unit, view["round"], data.fingerprint)
    with layout.explained():
        shown = cached.result(key, tasks.REPLAY, unit, view["round"])
    if not hasattr(shown, "arrays"):
        job_panel.waiting(shown, "Replaying the round")
        return view
    names = [
        line_styles.strategy_name(view["replayed"]),
        *(RIVALS[rival] for rival in shown.facts["rivals"]),
    ]
    k = shown.arrays["picks"].shape[1]
    at = st.slider(
        "Picks",
        1,
        k,
        min(k, 10),
        key=state.key("replay pick"),
        help="Drag, or use the arrow keys, to follow the batch.",
    )
    if plan.task == "regression":
        st.caption("A regression has no class probabilities, so no points are the most uncertain.")
    lines = line_styles.strategy_lines(plan.strategies)
    colour = lines[plan.strategies.index(view["replayed"])].colour
    _objectives(plan, shown, names, at, colour)
    _galleries(shown, names[:2], at, data)
    _maps(unit, view["round"], shown, names[:2], at, data)
    return view


def _objectives(plan: Active, shown: Entry, names: Sequence[str], at: int, colour: str) -> None:
    """The strategy's own large, with its values in words; the others' smaller."""
    own = shown.facts["own"]
    others = [name for name in shown.facts["objectives"] if name != own]
    if own:
        title, what = OBJECTIVES[own]
        values = shown.arrays[own][:, at - 1]
        each = "; ".join(f"{name} {value:.4g}" for name, value in zip(names, values, strict=True))
        seeks = "lower" if own in objectives.LOWER else "higher"
        st.markdown(
            f"**{title}, by which {names[0]} picks** ({seeks} is what it seeks) · after"
            f" {at:,} picks: {each}",
            help=_of(plan, what),
        )
        _followed(shown, own, names, at, HEIGHT - 80, colour)
    else:
        st.markdown(f"**{names[0]}** has no objective of its own.")
    st.markdown("**On what other strategies pick by**")
    for column, objective in zip(st.columns(len(others)), others, strict=True):
        with column:
            title, what = OBJECTIVES[objective]
            seeks = "lower" if objective in objectives.LOWER else "higher"
            st.markdown(f"{title} ({seeks} is sought)", help=_of(plan, what))
            _followed(shown, objective, names, at, 200, colour)


def _of(plan: Active, meaning: str) -> str:
    return meaning.replace("gradient embeddings", words.vectors(plan))


def _followed(
    shown: Entry, objective: str, names: Sequence[str], at: int, height: int, colour: str
) -> None:
    title = OBJECTIVES[objective][0]
    memo.chart(
        round_charts.objective_by_pick,
        shown.arrays[objective],
        tuple(names),
        at,
        title.lower(),
        layout.dark(),
        height,
        colour,
        key=state.key(f"replay {objective}"),
        alt=f"{title} after each pick, for {', '.join(names)}",
    )


def _galleries(shown: Entry, names: Sequence[str], at: int, data: Dataset) -> None:
    k = shown.arrays["picks"].shape[1]
    for place, (side, title) in enumerate(zip(st.columns(2, gap="large"), names, strict=True)):
        with side:
            st.markdown(f"**{title}**, {at} of {k}")
            show(
                data,
                shown.arrays["pool"][shown.arrays["picks"][place][:at]],
                alt=f"The first {at} picks of {title}",
                key=state.key(f"replay {place}"),
                size=40,
                ragged=True,
            )


def _maps(
    unit: ActiveRun, number: int, shown: Entry, names: Sequence[str], at: int, data: Dataset
) -> None:
    """Both batches on the map of the pool; how far the map is until then."""
    with layout.explained():
        key = map_key(unit, number, data.fingerprint)
        drawn = cached.result(key, tasks.REPLAY_MAP, unit, number)
    if not hasattr(drawn, "arrays"):
        job_panel.waiting(drawn, "Mapping the pool")
        return
    for place, (side, title) in enumerate(zip(st.columns(2, gap="large"), names, strict=True)):
        with side:
            st.markdown(f"**{title}** on the map")
            memo.chart(
                _map,
                shown.arrays["pool"],
                drawn.arrays["coordinates"],
                shown.arrays["picks"][place][:at],
                layout.dark(),
                key=state.key(f"replay map {place}"),
                alt=f"Map of the pool with {at} picks of {title}",
            )


def _map(pool: np.ndarray, coordinates: np.ndarray, chosen: np.ndarray, dark: bool) -> Any:
    member = np.zeros(len(pool))
    member[chosen] = 1
    colour = Colour("picked", member, ("pool", "picked"))
    inner = np.ones(len(member), bool)
    return scatter(
        np.asarray(coordinates, float), colour, inner, None, brush=False, dark=dark, height=320
    )
