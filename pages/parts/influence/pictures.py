"""The Influence page's pictures, and the files that hold them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.agreement import percentiles
from core.charts.influence import HEIGHT, distributions, predicted_against_retrained
from core.charts.palette import score_colours
from core.experiments.influence.outcomes import foreseen, slopes
from core.experiments.influence.plan import Influence, Utilities
from core.linalg import ties
from core.strategies.goal import GOALS, OVER
from core.types import Dataset, Floats, Ints
from pages.parts.influence.query_rounds import curves, snapshots
from pages.parts.influence.shown_outcomes import Found, constant, estimates, shown_seeds
from pages.parts.influence.verdict import said
from pages.parts.influence.words import FOLLOWED, OVER_NAMES, SHOWN, STEPS, UNITS
from pages.shared import layout, legend, memo, points, state
from pages.shared.state import View
from pages.shared.words import noun, number, score_texts

BEST = 24  # points at each end, of which whole rows are shown
WITHOUT = "rise of the validation loss without the point"


def choice(plan: Influence, found: Found, view: View) -> View:
    """Which picture of the study, and of which seed: chosen before anything is said about it."""
    name, options = ("show", SHOWN) if plan.study == "utilities" else ("follow", FOLLOWED)
    how = {"format_func": options.__getitem__, "key": state.key(f"influence {name}"), "wrap": True}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        view[name] = st.segmented_control(
            "Show", list(options), default=view[name], required=True, **how
        )
        if plan.study == "utilities":
            view = _seed(plan, found, view)
    return view


def picture(plan: Influence, found: Found, view: View, data: Dataset) -> View:
    """The chosen picture."""
    if plan.study == "queries":
        return (
            curves(plan, found, view)
            if view["follow"] == "curves"
            else snapshots(plan, found, view, data)
        )
    pictures = {
        "scatter": _scatter,
        "batches": _batches,
        "without": _without,
        "spread": _spread,
        "points": _ends,
    }
    return pictures[view["show"]](plan, found, view, data)


def _seed(plan: Influence, found: Found, view: View) -> View:
    """Which finished seed is shown; correlations are over all of them."""
    done = sorted({unit.seed for unit in found})
    now = view["seed_shown"] if view["seed_shown"] in done else done[0]
    total = "all" if len(done) == plan.seeds else f"{len(done)} of"
    how = {
        "key": state.key("seed shown"),
        "width": 120,
        "help": f"Correlations are over {total} {plan.seeds} seeds; a picture shows one.",
    }
    view["seed_shown"] = st.selectbox("Seed shown", done, done.index(now), **how)
    return view


def outcome_of(plan: Influence, found: Found, view: View) -> Any:
    """Of the seed that is shown."""
    (unit,) = [unit for unit in plan.units() if unit.seed == view["seed_shown"]]
    return found[unit]


def _notes(seeds: list[dict[str, Floats]]) -> dict[str, str]:
    """Under each picture: how well its step foresees, over all seeds."""
    each = estimates(seeds)
    sizes = {step: slopes(seeds, step) for step in STEPS}
    return {
        step: (
            f"Pearson {said(each[step], 0)}  \nSpearman {said(each[step], 1)} "
            f" \n{number(sizes[step])} times as large as the truth"
        )
        for step in STEPS
    }


def _scatter(plan: Utilities, found: Found, view: View, data: Dataset) -> View:
    outcome = outcome_of(plan, found, view)
    labels = data.labels[outcome["pool"]]
    values = foreseen(outcome, labels, view["goal"], view["over"], view["temperature"])
    true = foreseen(outcome, labels, view["goal"])["retrained"]
    notes = _notes(shown_seeds(plan, found, view, data, "scatter"))
    if constant(view):
        notes["linear"] = (
            "The same for every point (Remark 1): under the predictions a point's mean gradient is"
            " zero, and what remains is the penalty's pull. It cannot rank; choose another"
            " temperature, or another meaning of the unknown label."
        )
    return _pair(view, data, values, outcome["pool"], true, UNITS[view["goal"]], notes)


def _without(plan: Utilities, found: Found, view: View, data: Dataset) -> View:
    notes = _notes(shown_seeds(plan, found, view, data, "without"))
    outcome = outcome_of(plan, found, view)
    values = {name: np.asarray(outcome[f"removed_{name}"], float) for name in (*STEPS, "retrained")}
    st.caption(
        "Always the validation loss, and the labels that these points have: the goal and the"
        " unknown label chosen above play no part."
    )
    view = _pair(view, data, values, outcome["labeled"], values["retrained"], WITHOUT, notes)
    _two_ends(
        data, outcome["labeled"], values["retrained"], ("Most missed", "Better left out"), "without"
    )
    return view


def _batches(plan: Utilities, found: Found, view: View, data: Dataset) -> View:
    seeds = shown_seeds(plan, found, view, data, "batches")
    values = seeds[[unit.seed for unit in plan.units() if unit in found].index(view["seed_shown"])]
    names = [f"batch {i + 1}" for i in range(len(values["retrained"]))]
    frame = frame_of(values, np.arange(len(names)), names, values["retrained"])
    _charts(frame, UNITS[view["goal"]], None, "batches", _notes(seeds))
    st.caption(
        "Ten neighbours of the pool at a time, always under their true labels: the unknown label"
        " chosen above plays no part. First order: the sum of the single utilities (Remark 2)."
    )
    return view


def _pair(
    view: View,
    data: Dataset,
    values: dict[str, Floats],
    rows: Ints,
    colour: Floats,
    unit: str,
    notes: dict[str, str],
) -> View:
    """First order and Newton side by side; a click picks a point."""
    names = [
        f"{data.class_names[c]}, row {row:,}"
        for c, row in zip(data.labels[rows], data.index[rows], strict=True)
    ]
    clicked = _charts(
        frame_of(values, rows, names, colour), unit, view["point"], view["show"], notes
    )
    if clicked is not None and clicked != view["point"]:
        state.change_view("influence", point=clicked)
        st.rerun()
    if view["point"] in rows:
        _one(data, values, int(np.flatnonzero(rows == view["point"])[0]), rows)
    else:
        st.caption("Click a dot to see its point.")
    return view


def frame_of(
    values: dict[str, Floats], rows: Ints, names: list[str], colour: Floats
) -> pd.DataFrame:
    """What the two charts draw: a row for each point, its colour the percentile of `colour`."""
    return pd.DataFrame({"row": rows, "name": names, "colour": 100 * percentiles(colour), **values})


def _charts(
    frame: pd.DataFrame, unit: str, picked: int | None, key: str, notes: dict[str, str]
) -> int | None:
    """Both steps beside one another on the same points; the row of the point just clicked."""
    clicked = None
    st.markdown(f"**{unit[:1].upper()}{unit[1:]}**: predicted, upwards, against retrained")
    for column, (step, title) in zip(st.columns(2, gap="large"), STEPS.items(), strict=True):
        with column:
            drawn = (
                predicted_against_retrained,
                frame,
                step,
                f"predicted: {title}",
                picked,
                layout.dark(),
            )
            how = {
                "key": state.key(f"{key} {step}"),
                "alt": f"{title} against retrained, {len(frame)} points: {unit}",
                "height": "stretch",
            }
            with layout.fluid(f"{key}-{step}", HEIGHT + 10):
                event = memo.chart(*drawn, on_select="rerun", selection_mode="picked", **how)
            if found := event["selection"].get("picked"):
                clicked = int(found[0]["row"])
            st.caption(notes[step].replace("-", "−"))
    legend.band("Rank by the retrained utility", score_colours(layout.dark()), "lowest", "highest")
    return clicked


def _one(data: Dataset, values: dict[str, Floats], i: int, rows: Ints) -> None:
    """The picked point and its numbers."""
    left, right = st.columns([1, 4], vertical_alignment="center")
    with left:
        points.show(
            data, rows[i : i + 1], alt="The picked point", key=state.key("picked point"), size=96
        )
    with right:
        texts = score_texts([values[name][i] for name in (*STEPS, "retrained")])
        pairs = zip((*STEPS.values(), "Retrained"), texts, strict=True)
        layout.facts([(name, text.replace("-", "−"), "For this point") for name, text in pairs])


def _spread(plan: Utilities, found: Found, view: View, data: Dataset) -> View:
    outcome = outcome_of(plan, found, view)
    labels = data.labels[outcome["pool"]]
    each = {
        OVER_NAMES[over]: foreseen(outcome, labels, view["goal"], over, view["temperature"])[
            "retrained"
        ]
        for over in OVER
    }
    same = float(outcome["constant"][GOALS.index(view["goal"])])
    shown = OVER_NAMES[view["over"]]
    st.markdown("**Retrained utilities of the pool**, by what the unknown label is taken for")
    drawn = (
        distributions,
        each,
        same if constant(view) else None,
        shown,
        UNITS[view["goal"]],
        layout.dark(),
    )
    spreads = "; ".join(f"{name} {np.std(values):.2g}" for name, values in each.items())
    memo.chart(
        *drawn,
        key=state.key("spread"),
        alt=f"Standard deviations of the retrained utilities: {spreads}",
    )
    st.caption(
        f"Standard deviations: {spreads}."
        " The closer together, the less a utility can tell points apart."
    )
    return view


def _ends(plan: Utilities, found: Found, view: View, data: Dataset) -> View:
    outcome = outcome_of(plan, found, view)
    values = foreseen(
        outcome, data.labels[outcome["pool"]], view["goal"], view["over"], view["temperature"]
    )
    _two_ends(data, outcome["pool"], values["retrained"], ("Most helpful", "Most harmful"), "ends")
    return view


def _two_ends(data: Dataset, rows: Ints, values: Floats, titles: tuple[str, str], key: str) -> None:
    order = ties.order(values)
    k = min(BEST, len(order) // 2)
    for title, chosen in zip(titles, (order[:k], order[::-1][:k]), strict=True):
        st.markdown(f"**{title}** of {len(rows):,} {noun(data.name)}, by retraining")
        texts = [text.replace("-", "−") for text in score_texts(values[chosen])]
        points.show(
            data,
            rows[chosen],
            texts,
            alt=f"{title}: {k} {noun(data.name)}",
            key=state.key(f"{key} {title}"),
            max_rows=2,
        )
