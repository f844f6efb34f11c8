"""The FI paper's simulations on the Trim page: points in the plane, and its tables beside ours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.charts.common import Line
from core.charts.palette import BOTTOM, CHANCE, TOP
from core.charts.trim import PLANE_HEIGHT, trimmed_plane
from core.experiments import statistics
from core.experiments.trim import fi_simulations
from core.experiments.trim.fi_simulations import BUDGETS, METHODS, WORLDS, World
from core.runtime import tasks
from core.strategy import Knob
from pages.shared import cached, job_panel, layout, memo, pickers, state
from pages.shared.state import View

LINES = {
    "fi": Line("FI-util", TOP),
    "iv": Line("Influence value", "#0072B2", (8, 4)),
    "turned": Line("Influence value, sign turned", BOTTOM, (3, 3)),
    "random": Line("Random", CHANCE, (5, 4)),
}
TITLES = {name: world.title for name, world in WORLDS.items()}
IN_TEXT = {
    "fi": "FI-util",
    "iv": "the influence value",
    "turned": "the influence value with its sign turned",
    "random": "chance",
}
VIEW_KNOBS = {
    "world": Knob(
        "Points in the plane",
        name="world",
        kind=str,
        choices=tuple(WORLDS),
        default="two_gaussians",
    ),
    "traced": Knob("Method traced", name="traced", kind=str, choices=tuple(METHODS), default="iv"),
    "drawn": Knob("Dataset drawn", name="drawn", kind=int, low=1, high=30, default=1),
    "cut": Knob("Points cut", name="cut", kind=str, choices=tuple(map(str, BUDGETS)), default="20"),
}


def picture(view: View, answer: Any) -> View:
    """Points in the plane, or the paper's tables; what they say goes into `answer`, above."""
    return {"plane": _plane, "paper": _paper}[view["show"]](view, answer)


def _plane(view: View, answer: Any) -> View:
    """One dataset of two Gaussians or two crescents, under one method.

    Points, what is trimmed, both boundaries.
    """
    with st.container(horizontal=True, vertical_alignment="top", gap="medium"):
        view["world"] = pickers.dropdown("Points", TITLES, view["world"], "plane", width=160)
        view["traced"] = pickers.dropdown("Method", METHODS, view["traced"], "plane", width=230)
        last = WORLDS[view["world"]].seeds
        view["drawn"] = st.number_input(
            "Dataset drawn", 1, last, min(view["drawn"], last), key=state.key("drawn"), width=125
        )
        view["cut"] = st.segmented_control(
            "Points removed",
            list(VIEW_KNOBS["cut"].choices),
            default=view["cut"],
            required=True,
            key=state.key("cut"),
        )
    world = WORLDS[view["world"]]
    shown = cached.result(
        fi_simulations.boundaries_key(world.name, view["drawn"]),
        tasks.PLANE_BOUNDARIES,
        world.name,
        view["drawn"],
    )
    if not hasattr(shown, "arrays"):
        job_panel.waiting(shown, f"Trimming {world.title.lower()}")
        return view
    method = view["traced"]
    b = int(view["cut"])
    number = list(METHODS).index(method)
    before, after = shown.arrays["accuracy"][number][[0, 1 + BUDGETS.index(b)]]
    with answer:
        layout.answer(
            f"{world.title}, dataset {view['drawn']} of {world.seeds}: test accuracy {before:.1%}"
            f" with all points, *{after:.1%}* without the {b} that {IN_TEXT[method]} removes. One"
            " dataset is no verdict."
        )
    _boundaries(shown.arrays, world, method, b)
    return view


def _boundaries(arrays: Any, world: World, method: str, b: int) -> None:
    number = list(METHODS).index(method)
    traced = list(dict.fromkeys((method, "fi", "iv")))
    paths = {0: _polylines(arrays, 0, 0)} | {
        1 + i: _polylines(arrays, 1 + list(METHODS).index(one), b) for i, one in enumerate(traced)
    }
    rivals = [
        Line("Before", "#F5F5F5" if layout.dark() else "#1B2229", (2, 3)),
        *(LINES[one] for one in traced),
    ]
    drawn = (
        trimmed_plane,
        arrays["points"],
        arrays["labels"],
        arrays["trimmed"][number][:b],
        paths,
        rivals,
        layout.dark(),
    )
    classes = np.bincount(arrays["labels"][arrays["trimmed"][number][:b]], minlength=2)
    alt = (
        f"Training points in the plane, {b} of them ringed as removed,"
        " with the boundaries before and after"
    )
    with layout.fluid("plane", PLANE_HEIGHT + 40):
        memo.chart(*drawn, key=state.key("trimmed plane"), alt=alt, height="stretch")
    st.caption(
        "Training points; circles are class 0, squares class 1. Ringed: removed by"
        f" {IN_TEXT[method]}, {classes[0]} of class 0 and {classes[1]} of class 1. Lines: where"
        " both classes are equally probable, before and after as many points are removed."
        f" Settings: {world.settings}; {world.sizes[0]} training, {world.sizes[1]} validation and"
        f" {world.sizes[2]} test points."
    )


def _polylines(arrays: Any, number: int, b: int) -> list[np.ndarray]:
    own = (arrays["piece"][:, 0] == number) & (arrays["piece"][:, 1] == b)
    line = arrays["line"][own]
    places = arrays["piece"][own, 2]
    return [line[places == i] for i in np.unique(places)]


def _paper(view: View, answer: Any) -> View:
    """Tables 1 and 2: the paper's numbers beside ours, one table at a time."""
    view["world"] = pickers.dropdown("Points", TITLES, view["world"], "plane", width=160)
    world = WORLDS[view["world"]]
    shown = cached.result(
        fi_simulations.accuracies_key(world.name), tasks.PLANE_ACCURACIES, world.name
    )
    if not hasattr(shown, "arrays"):
        job_panel.waiting(shown, f"Trimming {world.seeds} datasets")
        return view
    accuracy = np.asarray(shown.arrays["accuracy"])
    st.markdown(
        f"**{world.title}: in how many of {world.seeds} datasets does FI leave the better model?**"
        " Accuracies in per cent"
    )
    st.dataframe(
        table(world, accuracy),
        hide_index=True,
        height=38 + 35 * 9,
        key=state.key(f"table {world.name}"),
    )
    with answer:
        layout.answer(verdict_of(world, accuracy))
    st.caption(
        "The paper leaves open how the points are drawn and the model is fitted. Ours were picked,"
        " after a search, for coming near its figures,"
        f" so nearness is no proof of what the paper did: {world.settings}."
    )
    return view


def table(world: World, accuracy: np.ndarray) -> pd.DataFrame:
    """Three rows per budget: the paper's count and accuracies, and ours.

    Ours under both signs of the influence value.
    """
    mean = statistics.share_estimate(np.moveaxis(accuracy, 0, -1))
    names = list(METHODS)
    rows = []
    for j, b in enumerate(BUDGETS):
        count, fi, iv = world.paper[b]
        rows.append(
            (b, "the paper", count, "–" if fi is None else f"{100 * fi:.2f}", f"{100 * iv:.2f}")
        )
        for rival, whose in (("iv", "ours"), ("turned", "ours, IV's sign turned")):
            said = (_percent(mean, names.index(method), j + 1) for method in ("fi", rival))
            rows.append((b, whose, int(fi_simulations.better(accuracy, rival)[j]), *said))
    return pd.DataFrame(
        rows,
        columns=[
            "removed",
            "whose",
            f"FI better, of {world.seeds}",
            "accuracy, FI",
            "accuracy, IV",
        ],
    )


def verdict_of(world: World, accuracy: np.ndarray) -> str:
    """Do the paper's counts appear? How far off ours are under either sign."""
    wanted = np.array([world.paper[b][0] for b in BUDGETS])
    off = {
        rival: np.abs(fi_simulations.better(accuracy, rival) - wanted) for rival in ("iv", "turned")
    }
    counts = {rival: ", ".join(map(str, fi_simulations.better(accuracy, rival))) for rival in off}
    said = (
        f"The paper counts {', '.join(map(str, wanted))}. With the influence value as it is defined"
        f" we count {counts['iv']}"
    )
    if off["iv"].max() <= 2:
        return f"{said}: the paper's counts appear."
    if off["turned"].max() < off["iv"].max():
        near = (
            "near the paper's"
            if off["turned"].max() <= 5
            else "nearer to the paper's but still off"
        )
        return (
            f"{said}; with its sign turned, so that the most *helpful* points are removed,"
            f" {counts['turned']}, which is {near}."
        )
    return (
        f"{said}, with its sign turned {counts['turned']}:"
        " the paper's counts do not appear under these settings."
    )


def _percent(mean: statistics.Estimate, i: int, j: int) -> str:
    return f"{100 * mean.mean[i, j]:.2f} [{100 * mean.low[i, j]:.2f}, {100 * mean.high[i, j]:.2f}]"
