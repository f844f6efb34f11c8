"""Explore's answer: the computed sentence under the question, and the facts under the sentence."""

from __future__ import annotations

import numpy as np

from core.linalg.whitening import close_call
from pages.shared.words import inside, number, starless, time_text


def sentence(label: str, embedding: str, noun: str, scores: np.ndarray, rank: int, d: int) -> str:
    """The computed sentence that answers the question, and one more for a low rank."""
    embedding = starless(embedding)
    if label == "Leverage" and rank == len(scores) and (scores == 1).all():
        return (
            f"Under *{embedding}* there are no more {noun} than dimensions, so *every leverage is"
            " 1* and ranks nothing. Set a ridge λ, or choose an embedding of fewer dimensions."
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
            + ("; leverage scores sum to it" if leverage else ""),
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


def _gap_text(gap: float | None, condition: float) -> str:
    shown = "none, full rank" if gap is None else number(gap)
    return f"{shown}: the rank was a close call" if close_call(gap, condition) else shown
