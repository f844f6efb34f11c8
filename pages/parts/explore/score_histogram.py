"""Beside Explore's gallery: the histogram of the scores, the classes that they favour, downloads.

The page imports this once the gallery is drawn, because it brings Altair and pandas.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.charts.palette import family_colour
from core.charts.scores import class_shares, score_histogram
from core.experiments.statistics import over_represented
from core.exports import score_table
from core.runtime.cache import Entry
from core.spec import Spec
from core.types import Dataset, Floats, Ints
from pages.shared import cached, layout, memo, score_files, state
from pages.shared.state import View
from pages.shared.words import inside, number, plain


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


def shares(data: Dataset, points: np.ndarray, noun: str, wanted: Sequence[str]) -> None:
    """Which classes fill the gallery?

    wanted: the classes to which it is narrowed, () for none. They are compared among themselves,
    and one alone with nothing.
    """
    names = tuple(name for name in data.class_names if name in (wanted or data.class_names))
    if len(names) == 1:
        return
    labels = data.labels[points]
    if not (labels >= 0).any():
        st.markdown(f"**None of these {len(points):,} {noun} has a label**")
        return
    if (data.labels < 0).any():
        noun = f"labeled {noun}"
    kept = [data.class_names.index(name) for name in names]
    counts, all_counts = (
        np.bincount(some[some >= 0], minlength=len(data.class_names))[kept]
        for some in (labels, data.labels)
    )
    chosen, everyone = counts / counts.sum(), all_counts / all_counts.sum()
    of_all = "of all of these classes" if wanted else "of all"
    st.markdown(
        f"{favoured(counts, everyone, names, noun, of_all)}; grey: each class's share {of_all}"
    )
    alt = "Share of each class: " + ", ".join(
        f"{name} {share:.0%}" for name, share in zip(names, chosen, strict=True)
    )
    memo.chart(class_shares, names, chosen, everyone, layout.dark(), alt=alt)


def favoured(
    counts: Ints, everyone: Floats, names: Sequence[str], noun: str, of_all: str = "of all"
) -> str:
    """Which class stands out among the chosen points, if one does.

    counts (c,) of the chosen points, everyone (c,) the classes' shares of all points.
    """
    k = int(counts.sum())
    most = over_represented(counts, everyone)
    if most is None:
        return f"**No class stands out** in these {k:,} {noun}: a random choice is as uneven"
    return (
        f"**Class {plain(names[most])} is over-represented** in these {k:,} {noun}:"
        f" {counts[most] / k:.0%} of them, {everyone[most]:.0%} {of_all}"
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
