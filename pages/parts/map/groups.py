"""Groups of points on the map: the colours of a column beside the points, and which groups are in
sight.
"""

from __future__ import annotations

import numpy as np
import streamlit as st

from core import agreement
from core.charts.maps import Colour
from core.types import Bools
from pages.shared import state

GROUPS = 9  # of a column of words; the rarer ones count as one


def column_colour(name: str, values: np.ndarray) -> Colour:
    """Numbers by their percentile, words by groups: the most frequent ones, and the rest as one."""
    if values.dtype.kind == "f" and np.isfinite(values).any():
        return Colour(f"{name}, percentile", percentiles(values), ())
    words, codes, counts = np.unique(values.astype(str), return_inverse=True, return_counts=True)
    common = np.argsort(-counts, kind="stable")[:GROUPS]
    place = np.full(len(words), len(common))
    place[common] = np.arange(len(common))
    rest = ("the rest",) if len(words) > len(common) else ()
    names = tuple(word or "none" for word in words[common])
    return Colour(name, place[codes.reshape(-1)], (*names, *rest))


def percentiles(scores: np.ndarray) -> np.ndarray:
    """Percentiles (n,) among the points that have a score; NaN elsewhere."""
    places = np.full(len(scores), np.nan)
    known = np.isfinite(scores)
    places[known] = 100 * agreement.percentiles(scores[known])
    return places


def in_sight(colour: Colour, linked: str) -> tuple[Bools, str]:
    """Which points are in sight: those of the groups that are chosen, all of them without a choice;
    and the choice as the link writes it, the groups' numbers.
    """
    everyone = np.ones(len(colour.values), bool)
    if not colour.names or colour.is_choice:
        return everyone, ""
    numbers = range(len(colour.names))
    before = [i for i in numbers if str(i) in linked.split(",")]
    chosen = st.multiselect(
        "Only",
        numbers,
        before,
        format_func=lambda i: colour.names[i],
        placeholder="all groups",
        help="The points of other groups are grey.",
        key=state.key(f"only {colour.title}"),
        width=320,
    )
    if not chosen:
        return everyone, ""
    return np.isin(colour.values, chosen), ",".join(map(str, sorted(chosen)))
