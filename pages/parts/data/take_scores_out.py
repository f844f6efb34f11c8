"""Take scores out: which of the rankings computed for these points to write into one file."""

from __future__ import annotations

import streamlit as st

from core import datasets, embeddings
from core.exports.ranking_names import column_names
from core.exports.score_table import Column, Projection
from core.plugins import menu
from core.runtime import cache
from core.spec import Spec, map_key, scores_key
from core.types import Dataset, Floats, UserError
from pages.shared import cached, layout, score_files, state
from pages.shared.words import noun, ranking_name, short, starless

MOST = 50  # rankings of one file


def sentence(spec: Spec, found: dict[Spec, Floats], data: Dataset) -> str:
    """How many rankings there are to write."""
    title = starless(datasets.info(spec.dataset).title)
    points = f"these {len(data):,} {noun(spec.dataset)} ({title})"
    if not found:
        return f"No ranking of {points} is computed yet."
    what = "One ranking is" if len(found) == 1 else f"{len(found):,} rankings are"
    most = f" A file takes {MOST} of them." if len(found) > MOST else ""
    return f"*{what} computed* of {points}.{most}"


def show(spec: Spec, data: Dataset, found: dict[Spec, Floats]) -> None:
    """Which of the rankings that were found for these points to write.

    With the map of the Spec's embedding if it is at hand.
    """
    if not found:
        st.info("Open Explore and choose an embedding and a strategy: the ranking is kept.")
        layout.onward(
            "explore", "Rank these points on Explore", ":material/arrow_forward:", spec.to_query()
        )
        return
    named = dict(zip(column_names(list(found)), found, strict=True))
    # Another key with every new ranking: it is chosen at first, as all are.
    key = state.key(f"take out {data.fingerprint} {len(named)}")
    how = {
        "max_selections": MOST,
        "format_func": lambda name: ranking_name(named[name]),
        "key": key,
    }
    chosen = [
        named[name] for name in st.multiselect("Rankings", list(named), list(named)[:MOST], **how)
    ]
    if not chosen:
        st.info("Choose at least one ranking to write.")
        return
    projection = _map(spec, data)
    left, right = st.columns([3, 1], vertical_alignment="center")
    left.caption(_contents(len(chosen), data, spec, projection))
    with right:
        score_files.offer(
            f"{spec.dataset}-scores".replace("_", "-"),
            data,
            lambda: [_column(one, found[one], data) for one in chosen],
            projection,
        )


def at_hand(spec: Spec, data: Dataset) -> dict[Spec, Floats]:
    """Every ranking of these points that is kept, in menu order, as Specs of this dataset."""
    found = {
        one: scores
        for kept, scores in cached.every_scores(data.fingerprint)
        if (one := _of(spec, kept))
    }
    seen, ranked = (
        {name: place for place, name in enumerate(offered)}
        for offered in (embeddings.embedders(), menu.strategies())
    )

    def place(one: Spec) -> tuple:
        embedding = (
            seen.get(one.embedding, len(seen)),
            one.embedding,
            one.seed,
            str(one.embedding_knobs),
        )
        return *embedding, ranked[one.strategy], str(one.strategy_knobs), one.draw

    return {one: found[one] for one in sorted(found, key=place)}


def _of(spec: Spec, kept: Spec) -> Spec | None:
    """A kept ranking as one of the points that are open.

    Equal points of another name share results, but not what was joined.
    """
    try:
        return kept.with_(dataset=spec.dataset, n=spec.n, subset=spec.subset)
    except UserError:
        return None


def _map(spec: Spec, data: Dataset) -> Projection | None:
    entry = cache.get(map_key(spec, data.fingerprint))
    return Projection(spec, entry.arrays["coordinates"], entry.facts) if entry else None


def _column(spec: Spec, scores: Floats, data: Dataset) -> Column:
    entry = cache.get(scores_key(spec, data.fingerprint))
    return Column(spec, scores, entry.facts if entry else {})


def _contents(m: int, data: Dataset, spec: Spec, projection: Projection | None) -> str:
    under = short(spec.embedding)
    mapped = (
        f"with the map of {under}"
        if projection
        else f"without a map: that of {under} has not been drawn yet"
    )
    what = f"{m} ranking{'s' * (m > 1)} of {len(data):,} {noun(spec.dataset)}, {mapped}."
    return (
        f"{what} The Parquet file can be read back here as it is,"
        " the CSV file together with its manifest."
    )
