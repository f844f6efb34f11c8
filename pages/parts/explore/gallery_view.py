"""The Explore page's own parts: the sentence, the facts, the gallery's controls and its points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from core.strategy import Knob
from pages.shared import cached, pickers, state
from pages.shared.words import inside, number, plain, starless, time_text

View = dict[str, Any]


def sentence(label: str, embedding: str, noun: str, scores: np.ndarray, rank: int, d: int) -> str:
    """One computed sentence that answers the question, and a second one where the embedding is far
    from full rank.
    """
    embedding = starless(embedding)
    if label == "Leverage" and rank == len(scores) and (scores == 1).all():
        return (
            f"Under *{embedding}* there are no more {noun} than dimensions, so *every leverage is"
            " 1* and ranks nothing. Set a ridge λ, or choose an embedding of fewer dimensions."
        )
    if label == "Leverage":
        sure = int((scores > 0.99).sum())
        share = np.sort(scores)[::-1][: len(scores) // 100].sum() / (scores.sum() or 1)
        owners = (
            f"*{sure:,} of {len(scores):,}* {noun} have a leverage above 0.99: each is nearly alone"
            " in one direction"
        )
        none = (
            f"*no one* of {len(scores):,} {noun} is alone in any direction: the highest leverage is"
            f" {number(float(scores.max()))}"
        )
        spread = (
            f"The top 1% carry {share:.0%} of all leverage; the median is"
            f" {number(float(np.median(scores)))}."
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


def fact_row(facts: dict, scores: np.ndarray, fresh: bool) -> list[tuple[str, str, str]]:
    """The facts under the sentence: label, value, explanation."""
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
            "How many directions the points really span; leverage scores sum to it",
        ),
        (
            "sum of scores",
            f"{facts['sum']:,.1f}",
            "For leverage: the rank, or the effective dimension under a ridge",
        ),
        ("above 0.99", f"{int((scores > 0.99).sum()):,}", "Points with a score above 0.99"),
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


def chosen_points(
    ranking: cached.Ranking, labels: np.ndarray, view: dict, names: list[str], draw: int
) -> np.ndarray:
    """The points of the gallery, in its order: filtered by class and score, then highest, lowest,
    around or random.
    """
    wanted = [names.index(name) for name in chosen_classes(view, names)]
    kept = np.isin(labels, wanted) if wanted else np.ones(len(labels), bool)
    if view["low"] is not None:
        kept &= ranking.scores >= view["low"]
    if view["high"] is not None:
        kept &= ranking.scores <= view["high"]
    order = ranking.order[kept[ranking.order]]
    count = view["count"]
    if view["show"] == "bottom":
        return order[::-1][:count]
    if view["show"] == "around":
        middle = round((1 - view["percentile"] / 100) * len(order))
        return order[max(0, min(middle - count // 2, len(order) - count)) :][:count]
    return (
        np.random.default_rng(draw).permutation(order)[:count]
        if view["show"] == "random"
        else order[:count]
    )


def chosen_classes(view: View, names: list[str]) -> list[str]:
    """The classes that the view's list names."""
    return [name for name in names if _in_list(name) in view["classes"].split(",")]


def _in_list(name: str) -> str:
    """A class name as the link's list writes it: own data may have commas in their names."""
    return name.replace("%", "%25").replace(",", "%2C")


def gallery_controls(
    view: View, knobs: Mapping[str, Knob], shown: Mapping[str, str], names: list[str]
) -> View:
    """Which end of the ranking, which classes, how many."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        show = st.segmented_control(
            "Show",
            list(shown),
            format_func=shown.get,
            default=view["show"],
            required=True,
            key=state.key("show"),
        )
        if show == "around":
            view["percentile"] = pickers.knob_widget(
                knobs["percentile"], view["percentile"], "percentile"
            )
        view["count"] = st.selectbox(
            "Shown",
            sorted({*knobs["count"].choices, view["count"]}),
            key=state.key("count"),
            index=sorted({*knobs["count"].choices, view["count"]}).index(view["count"]),
            width=110,
        )
    chosen = chosen_classes(view, names)
    strangers = sorted(set(view["classes"].split(",")) - {"", *map(_in_list, names)})
    if strangers:
        said = (
            f"Classes: found {', '.join(strangers)}, expected some of {', '.join(names) or 'none'}."
            " They are left out."
        )
        st.warning(plain(said))
    if not names:
        return view | {"show": show, "classes": ""}
    classes = st.pills(
        "Classes",
        names,
        selection_mode="multi",
        default=chosen,
        format_func=plain,
        key=state.key("classes"),
        label_visibility="collapsed",
        wrap=True,
    )
    return view | {"show": show, "classes": ",".join(map(_in_list, classes))}
