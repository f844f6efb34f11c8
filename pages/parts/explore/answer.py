"""Explore's answer: the computed sentence under the question, and the facts under the sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from core.linalg.whitening import close_call
from core.spec import Request, Spec, first_look
from core.types import Dataset
from pages.shared import layout
from pages.shared.words import inside, number, starless, time_text


def sentence(label: str, embedding: str, noun: str, scores: np.ndarray, rank: int, d: int) -> str:
    """The computed sentence that answers the question, and one more for a low rank."""
    embedding = starless(embedding)
    if all_alike(label, scores, rank):
        return (
            f"Under *{embedding}* the rank equals the number of {noun}, {rank:,}, so *every"
            " leverage is 1* and ranks nothing. Set a ridge λ, or choose an embedding of fewer"
            " dimensions."
        )
    if label == "Leverage":
        sure = int((scores > 0.99).sum())
        first = max(1, len(scores) // 100)
        share = np.sort(scores)[::-1][:first].sum() / (scores.sum() or 1)
        who = "The top 1% carry" if len(scores) >= 100 else "The highest alone carries"
        owners = (
            f"*{sure:,} of {len(scores):,}* {noun} have a leverage above 0.99:"
            " each is nearly alone in one direction"
        )
        none = (
            f"*no one* of {len(scores):,} {noun} is alone in any direction: the highest leverage is"
            f" {number(float(scores.max()))}"
        )
        spread = (
            f"{who} {share:.0%} of all leverage; the median is {number(float(np.median(scores)))}."
        )
        narrow = (
            f" This embedding spans only *{rank:,} of its {d:,}* dimensions."
            if rank < 0.8 * d
            else ""
        )
        return f"Under *{embedding}*, {owners if sure else none}. {spread}{narrow}"
    low, median, high = (number(float(v)) for v in np.quantile(scores, [0, 0.5, 1]))
    return (
        f"Under *{embedding}*, {inside(label)} scores {len(scores):,} {noun} from {low} to {high};"
        f" the median is {median}."
    )


def all_alike(label: str, scores: np.ndarray, rank: int) -> bool:
    """Is every leverage 1, because each point has a direction of its own?"""
    return label == "Leverage" and rank == len(scores) and bool((scores > 1 - 1e-6).all())


def onward(request: Request, alike: bool) -> None:
    """Where every raw leverage is 1: the way to few components, and back to the raw points."""
    spec = request.spec
    look = first_look(request.about, spec.n, spec.subset)
    if not look.why:
        return
    if spec == look.spec:
        st.caption(look.why)
        raw = spec.with_(embedding=Spec().embedding)
        layout.onward("explore", raw.embedding_label, ":material/grid_on:", raw.to_query())
    elif alike:
        label = "See it under fewer dimensions: principal components"
        layout.onward("explore", label, ":material/grid_view:", look.spec.to_query())


def fact_row(
    label: str, facts: dict, scores: np.ndarray, fresh: bool
) -> list[tuple[str, str, str]]:
    """The facts under the sentence: label, value, explanation; leverage's own under leverage."""
    leverage = label == "Leverage"
    own = [
        (
            "sum of scores",
            f"{facts['sum']:,.1f}",
            "The rank, or the effective dimension under a ridge",
        ),
        ("above 0.99", f"{int((scores > 0.99).sum()):,}", "Points with a score above 0.99"),
    ]
    return [
        ("points", f"{facts['n']:,}", "n, the points that are ranked"),
        (
            "dimensions",
            f"{facts['d']:,}",
            "d, the numbers that describe each point in this embedding",
        ),
        (
            "rank",
            f"{facts['rank']:,}",
            "How many directions the points really span"
            + ("; leverage scores sum to it" if leverage else "")
            + (". It equals n, so every leverage is 1" if facts["rank"] == facts["n"] else ""),
        ),
        (
            "gap",
            _gap_text(facts["gap"], facts["condition"]),
            "The eigenvalue of the last direction that counts, over the next one's, after scaling"
            " every column to norm 1. It is a close call below 100, or where a direction counts"
            " whose singular value is below 1e-5 of the largest",
        ),
        *(own if leverage else ()),
        ("dead columns", f"{facts['dead']:,}", "Dimensions that are zero for every point"),
        (
            "condition",
            number(facts["condition"]),
            "Largest over smallest singular value, after scaling every column to norm 1",
        ),
        ("device", facts["device"], "Where the scores were computed"),
        (
            "computed in" if fresh else "cached, took",
            time_text(facts["seconds"]),
            "Seconds for the scores alone, with the embedding at hand",
        ),
    ]


def label_rows(data: Dataset, facts: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Facts of a dataset whose labels are incomplete; none where they are complete."""
    rows = []
    if data.labeled and (missing := int((data.labels < 0).sum())):
        why = "Points without a label: embedded and ranked, but nothing is fitted to them"
        rows.append(("without a label", f"{missing:,}", why))
    if absent := facts.get("unscored"):
        why = "Points that this strategy has no score for: they rank last"
        rows.append(("without a score", f"{absent:,}", why))
    training = np.bincount(data.labels[~data.test & (data.labels >= 0)], minlength=1)
    lost = [c for c in np.unique(data.labels[data.labels >= 0]) if not training[c : c + 1].any()]
    if lost:
        names = ", ".join(data.class_names[c] for c in lost)
        why = f"No head can learn a class that has no training point: {names}"
        rows.append(("classes not learned", f"{len(lost):,}", why))
    return rows


def _gap_text(gap: float | None, condition: float) -> str:
    shown = "none, full rank" if gap is None else number(gap)
    return f"{shown}: the rank was a close call" if close_call(gap, condition) else shown
