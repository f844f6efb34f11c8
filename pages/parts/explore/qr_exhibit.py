"""How QR fooled us: the textbook computation of leverage beside the exact one."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.runtime import tasks
from core.runtime.jobs import Job
from core.spec import Spec, textbook_key
from core.types import Dataset
from pages.components.gallery import gallery
from pages.shared import cached, job_panel, layout, memo, state
from pages.shared.points import captions_of
from pages.shared.words import score_texts

SHOWN = 60


def how_qr_fooled_us(spec: Spec, data: Dataset) -> None:
    """Both top 60 side by side, on the raw embedding."""
    st.divider()
    st.subheader("How QR fooled us", anchor=False)
    spec = spec.with_(strategy="leverage", strategy_knobs=())
    textbook = cached.result(textbook_key(spec, data.fingerprint), tasks.TEXTBOOK_SCORES, spec)
    exact = cached.scores(spec)
    pending = next((r for r in (textbook, exact) if isinstance(r, Job)), None)
    if pending is not None:
        job_panel.waiting(pending, "Comparing the two computations")
        return
    scores = textbook.arrays["scores"]
    artefacts = textbook.arrays["artefacts"]
    top = memo.made(_highest, scores)
    fooled = np.isin(top, artefacts)
    layout.answer(
        f"QR without pivoting, the usual textbook code, puts *{int(fooled.sum())} artefacts* among"
        f" its top {SHOWN}: rows whose number equals a dead pixel's column. Its scores sum to"
        f" *{textbook.facts['sum']:,.1f}*, but the rank is *{exact.facts['rank']:,}*."
    )
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Textbook QR**, top 60; artefacts marked")
        _top(data, scores, top, "textbook", ["artefact" if f else "" for f in fooled])
    with right:
        st.markdown("**Exact**, top 60")
        values = exact.arrays["scores"]
        _top(data, values, cached.ranking(exact.key, values).order[:SHOWN], "exact", None)
    with st.expander("Why this happens"):
        st.markdown(
            "Householder's QR works column by column. Where a column is zero (a pixel that no image"
            " uses) it has nothing to reflect, and column $j$ of $Q$ comes from the unit vector"
            " $e_j$ alone. The squared row norms of $Q$ then give row $j$ of the *dataset* a full"
            " unit of leverage, whatever image stands there. Rank correlation hardly notices,"
            " because only a few dozen ranks move; the sum of the scores does."
        )


def _highest(scores: np.ndarray) -> np.ndarray:
    """Scores of 1 differ by rounding only: ties in row order."""
    return np.argsort(-np.round(scores, 9), kind="stable")[:SHOWN]


def _top(
    data: Dataset, scores: np.ndarray, points: np.ndarray, name: str, marks: list[str] | None
) -> None:
    clicked = gallery(
        data.points[points],
        captions_of(data, points),
        score_texts(scores[points]),
        points.tolist(),
        marks=marks,
        alt=f"The {len(points)} highest by {name}",
        size=56,
        key=state.key(f"qr {name}"),
    )
    if clicked is not None:
        state.change_view("explore", point=clicked)
        st.rerun()
