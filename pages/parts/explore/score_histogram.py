"""Beside Explore's gallery: the histogram of the scores, the classes that they favour, downloads.

The page imports this once the gallery is drawn, because it brings Altair and pandas.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st
from scipy import special

from core.charts.palette import family_colour
from core.charts.scores import class_shares, score_histogram
from core.exports import score_table
from core.runtime.cache import Entry
from core.spec import Spec
from core.types import Dataset, Floats, Ints
from pages.shared import cached, layout, memo, score_files, state
from pages.shared.state import View
from pages.shared.words import inside, number, plain

SURE = 0.05  # a class that chance would favour as much more rarely stands out


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
    # A brush stays in the chart: act on it once.
    if brushed and brushed != st.session_state.get(f"{key} seen"):
        st.session_state[f"{key} seen"] = brushed
        state.change_view("explore", low=float(min(brushed)), high=float(max(brushed)))
        st.rerun()
    if kept is not None:
        st.button("Show all scores", on_click=_clear_range, width="stretch")
    return view


def shares(data: Dataset, points: np.ndarray, noun: str) -> None:
    """Which classes fill the gallery?"""
    c = len(data.class_names)
    labels = data.labels[points]
    labels = labels[labels >= 0]
    if len(labels) == 0:
        st.markdown(f"**None of these {len(points):,} {noun} has a label**")
        return
    if (data.labels < 0).any():
        noun = f"labeled {noun}"
    counts = np.bincount(labels, minlength=c)
    chosen = counts / len(labels)
    known = data.labels[data.labels >= 0]
    everyone = np.bincount(known, minlength=c) / len(known)
    st.markdown(
        f"{favoured(counts, everyone, data.class_names, noun)}; grey: each class's share of all"
    )
    alt = "Share of each class: " + ", ".join(
        f"{name} {share:.0%}" for name, share in zip(data.class_names, chosen, strict=True)
    )
    memo.chart(class_shares, data.class_names, chosen, everyone, layout.dark(), alt=alt)


def favoured(counts: Ints, everyone: Floats, names: Sequence[str], noun: str) -> str:
    """Which class stands out among the chosen points, if one does.

    counts (c,) of the chosen points, everyone (c,) the classes' shares of all points. A class
    stands out if so many of it would come with a probability below 5% in any class of a random
    choice: its binomial tail, times the number of classes.
    """
    k = int(counts.sum())
    tails = special.bdtrc(counts - 1, k, everyone)
    tails[counts == 0] = 1.0
    most = int(np.argmin(tails))
    if len(names) * tails[most] >= SURE:
        return f"**No class stands out** in these {k:,} {noun}: a random choice is as uneven"
    return (
        f"**Class {plain(names[most])} is over-represented** in these {k:,} {noun}:"
        f" {counts[most] / k:.0%} of them, {everyone[most]:.0%} of all"
    )


def downloads(spec: Spec, data: Dataset, entry: Entry) -> None:
    """The scores of all points as a table, and how they were made."""
    score_files.offer(
        layout.file_name(spec),
        data,
        lambda: [score_table.Column(spec, cached.ranking_of(entry).with_gaps, entry.facts)],
    )


def _clear_range() -> None:
    state.change_view("explore", low=None, high=None)
    state.renew()
