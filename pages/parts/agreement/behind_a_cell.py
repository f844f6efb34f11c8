"""Behind one cell of the matrix: all points' ranks under both, and where the two disagree most."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core import agreement
from core.charts.heatmaps import rank_plane
from core.types import Dataset
from pages.shared import layout, memo, state
from pages.shared.points import show as show_points
from pages.shared.words import noun, plain

BEHIND = 24


def show(
    data: Dataset,
    scores: np.ndarray,
    names: list[str],
    cell: tuple[int, int],
    compared: np.ndarray,
) -> None:
    """The rank-rank density of one pair, and the points on which it disagrees most, both ways.

    scores: (m, n). compared: rows of the points that every ranking has a score for.
    """
    i, j = cell
    a = names[i]
    b = names[j]
    if i == j:
        st.info(
            "A ranking agrees with itself."
            " Choose a cell off the diagonal to see what two rankings disagree about."
        )
        return
    scores = scores[:, compared] if len(compared) < len(data) else scores
    n = len(compared)
    st.subheader(plain(f"{a[:1].upper() + a[1:]} against {b}"), anchor=False)
    left, right = st.columns([2, 3], gap="large")
    with left:
        counts = memo.made(
            agreement.rank_density,
            scores[i],
            scores[j],
            int(np.clip((n / 20) ** 0.5, 8, 40)),
        )
        alt = f"Density of {n:,} points in the plane of their two percentiles"
        memo.chart(rank_plane, counts.T, a, b, layout.dark(), alt=alt)
    places = [memo.made(agreement.percentiles, scores[place]) for place in cell]
    parted = memo.made(agreement.disagreement, scores[i], scores[j], min(BEHIND, n))
    with right:
        for (high, low), points in zip(((a, b), (b, a)), parted, strict=True):
            st.markdown(
                f"**High under {plain(high)}, low under {plain(low)}**; below: percentiles under"
                f" {plain(a)} and {plain(b)}"
            )
            if len(points) == 0:
                st.caption(f"No point ranks higher under {plain(high)}.")
                continue
            show_points(
                data,
                compared[points],
                [f"{100 * places[0][p]:.0f} · {100 * places[1][p]:.0f}" for p in points],
                alt=f"{len(points)} {noun(data.name)} high under {high} and low under {low}",
                size=56,
                key=state.key(f"behind {high} over {low}"),
            )
