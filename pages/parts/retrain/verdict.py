"""The Retrain page's verdict: how each selection does against random, in sentences."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.experiments.retrain import outcomes
from core.experiments.retrain.outcomes import Grid
from core.experiments.retrain.plan import RANDOM
from pages.shared import layout
from pages.shared.experiments import line_styles

BESIDE = 4  # sentences in sight


def verdict_of(grid: Grid) -> list[str]:
    """One sentence per competitor."""
    return outcomes.sentences(
        grid, [line_styles.selection_name(candidate) for candidate in grid.plan.candidates]
    )


def answer(grid: Grid) -> None:
    """The sentences under the question: the first one large, the others below it."""
    competing = [i for i, candidate in enumerate(grid.plan.candidates) if candidate != RANDOM]
    known = np.isfinite(outcomes.against_random(grid).low[competing]).any(axis=1).tolist()
    said = [sentence for sentence, enough in zip(verdict_of(grid), known, strict=True) if enough]
    if said:
        layout.answer(said[0])
    elif competing and grid.finished:
        layout.answer("No verdict yet: an interval needs two seeds of a selection and of random.")
    others = [
        "  \n".join(sentence.replace("*", "**") for sentence in some)
        for some in (said[1:BESIDE], said[BESIDE:])
    ]
    if others[0]:
        st.markdown(others[0])
    if others[1]:
        with st.expander("The other selections against random"):
            st.markdown(others[1])
