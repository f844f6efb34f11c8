"""The Explore page's right column: how the scores are spread, which classes they favour, how to
read it, downloads.

A room of its own, because it brings Altair and pandas: the page imports it once the gallery is
drawn.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from core.charts.palette import family_colour
from core.charts.scores import class_shares, score_histogram
from core.exports import score_table
from core.plugins import menu
from core.runtime.cache import Entry
from core.spec import Spec
from core.types import Dataset
from pages.shared import export_scores, layout, memo, small_pictures, state
from pages.shared.words import inside, number, plain

View = dict[str, Any]

READING = {
    "leverage": (
        "A leverage of 1 means: without this point one direction of the data would vanish. A"
        " leverage of 0 means: the other points say everything about where this one lies. The"
        " scores add up to the rank, so the average is rank / n.\n\nHigh leverage marks what is"
        " *unusual*, not what is useful: under raw pixels it finds digits with a speck where no"
        " other digit has ink.\n\n$$\\ell_i = x_i^\\top (X^\\top X)^{+} x_i$$"
    ),
    "forgetting": (
        "A point is forgotten when a network in training had it right after one pass over the data"
        " and wrong after the next; the score counts how often. Points that were never right come"
        " first. What is learned once and stays is easy; what is forgotten again and again is"
        " unusual, ambiguous or mislabeled."
    ),
    "bald": (
        "Several classifiers answer for every point. BALD is high where each is sure of its own"
        " answer and the answers differ: more labels there would settle it. Where all are unsure in"
        " the same way it is low, since no label would help.\n\n$$H\\Big(\\frac1M\\sum_m p_m\\Big)"
        " - \\frac1M\\sum_m H(p_m)$$"
    ),
    "influence_value": (
        "How much the mean loss of the points that judge it would rise if this point were not in"
        " the training set. High: it helps, and no other point says the same. Near zero: the others"
        " would do without it. Lowest: the loss would fall without it, and mislabeled points are"
        " often among these."
    ),
    "fi_util": (
        "How much the loss of the points that judge it hangs on where exactly this training point"
        " lies: the change of the loss when the point is shifted a little, measured by what the"
        " shift does to the point's own probabilities. The highest are to be trimmed."
    ),
    "random": (
        "Random scores are the yardstick: whatever a strategy shows, ask whether a random order"
        " would have shown it too."
    ),
}


def score_range(view: View, scores: np.ndarray, label: str, family: str, identity: str) -> View:
    """The histogram; a drag across it keeps the points in that range of scores."""
    low = view["low"]
    high = view["high"]
    whole = (float(scores.min()), float(scores.max()))
    kept = (
        None
        if low is None and high is None
        else (whole[0] if low is None else low, whole[1] if high is None else high)
    )
    st.markdown(
        "**How the scores are spread** — drag to keep a range"
        if kept is None
        else f"**Kept: {number(kept[0])} to {number(kept[1])}**"
    )
    summary = (
        f"Histogram of {len(scores):,} {inside(label)} scores from {number(whole[0])} to"
        f" {number(whole[1])}"
    )
    key = state.key(f"histogram {identity}")
    drawn = (
        score_histogram,
        scores,
        inside(label),
        family_colour(family, layout.dark()),
        kept,
        layout.dark(),
    )
    event = memo.chart(*drawn, on_select="rerun", selection_mode="range", key=key, alt=summary)
    brushed = (event["selection"].get("range") or {}).get("from")
    if brushed and brushed != st.session_state.get(
        f"{key} seen"
    ):  # a brush stays in the chart: act on it once
        st.session_state[f"{key} seen"] = brushed
        state.change_view("explore", low=float(min(brushed)), high=float(max(brushed)))
        st.rerun()
    if kept is not None:
        st.button("Show all scores", on_click=_clear_range, width="stretch")
    return view


def shares(data: Dataset, points: np.ndarray, noun: str) -> None:
    """Which classes fill the gallery?"""
    c = len(data.class_names)
    chosen, everyone = (
        np.bincount(labels, minlength=c) / len(labels)
        for labels in (data.labels[points], data.labels)
    )
    most = data.class_names[int(np.argmax(chosen - everyone))]
    st.markdown(
        f"**Class {plain(most)} is over-represented** in these {len(points):,} {noun}; grey: its"
        " share of all"
    )
    alt = "Share of each class: " + ", ".join(
        f"{name} {share:.0%}" for name, share in zip(data.class_names, chosen, strict=True)
    )
    memo.chart(class_shares, data.class_names, chosen, everyone, layout.dark(), alt=alt)


def how_to_read(chosen: str) -> None:
    """One folded paragraph: of the strategy's own, or what its docstring says first."""
    with st.expander("How to read this"):
        if chosen in READING:
            st.markdown(READING[chosen])
        else:
            st.html(
                f"<p>{small_pictures.formula(menu.find(chosen).summary)}</p><p>Higher scores are"
                " picked first.</p>"
            )


def downloads(spec: Spec, data: Dataset, entry: Entry) -> None:
    """The scores of all points as a table, and how they were made."""
    export_scores.files(
        layout.file_name(spec),
        data,
        lambda: [score_table.Column(spec, entry.arrays["scores"], entry.facts)],
    )


def _clear_range() -> None:
    state.change_view("explore", low=None, high=None)
    state.renew()
