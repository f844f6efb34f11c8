"""How QR fooled us: the textbook computation of leverage beside the exact one."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.linalg import ties
from core.runtime import tasks
from core.runtime.jobs import Job
from core.spec import Spec, textbook_key
from core.types import Dataset
from pages.shared import cached, job_panel, layout, memo, state
from pages.shared.points import show
from pages.shared.words import inside, score_texts, starless

SHOWN = 60


def how_qr_fooled_us(spec: Spec, data: Dataset) -> None:
    """Both top 60 side by side, under this embedding."""
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
    top = memo.made(_highest, scores)
    fooled = np.isin(top, textbook.arrays["artefacts"])
    layout.answer(
        sentence(
            spec.embedding_label, int(fooled.sum()), len(top), textbook.facts, exact.facts["rank"]
        )
    )
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(f"**Textbook QR**, top {len(top)}; artefacts marked")
        _top(data, scores, top, "textbook", ["artefact" if f else "" for f in fooled])
    with right:
        st.markdown(f"**Exact**, top {len(top)}")
        values = exact.arrays["scores"]
        _top(data, values, cached.ranking(exact.key, values).order[:SHOWN], "exact", None)
    with st.expander("Why this happens"):
        st.markdown(
            "Householder's QR works column by column. Where a column is zero (a pixel that no image"
            " uses, a unit of a network that is off for every point) it has nothing to reflect, and"
            " column $j$ of $Q$ comes from the unit vector $e_j$ alone. The squared row norms of"
            " $Q$ then give row $j$ of the *dataset* up to a full unit of leverage, whatever stands"
            " there. Under raw pixels rank correlation hardly notices, because only a few dozen"
            " ranks move; the sum of the scores does. It is worst where most columns are dead: all"
            " 60 digits that the talk showed as the top of its regression network were artefacts."
        )


def sentence(embedding: str, fooled: int, shown: int, facts: dict, rank: int) -> str:
    """What QR without pivoting does under this embedding."""
    under = inside(starless(embedding))
    sums = f"Its scores sum to *{facts['sum']:,.1f}*, and the rank is *{rank:,}*."
    if fooled:
        return (
            "QR without pivoting, the usual textbook code, puts"
            f" *{fooled} {'artefact' if fooled == 1 else 'artefacts'}* among its top {shown} under"
            f" {under}: points whose score is more than half a unit above their leverage."
            f" {facts['dead']:,} columns are dead. {sums}"
        )
    if facts["sum"] - rank > 0.5:
        return (
            "QR without pivoting, the usual textbook code, has no artefacts among its top"
            f" {shown} under {under}, but spreads what is too much elsewhere. {sums}"
        )
    return (
        "QR without pivoting, the usual textbook code, is right under"
        f" {under}: no artefacts among its top {shown}. {sums}"
    )


def _highest(scores: np.ndarray) -> np.ndarray:
    return ties.order(scores)[:SHOWN]


def _top(
    data: Dataset, scores: np.ndarray, points: np.ndarray, name: str, marks: list[str] | None
) -> None:
    clicked = show(
        data,
        points,
        score_texts(scores[points]),
        marks=marks,
        alt=f"The {len(points)} highest by {name}",
        key=state.key(f"qr {name}"),
    )
    if clicked is not None:
        state.change_view("explore", point=clicked)
        st.rerun()
