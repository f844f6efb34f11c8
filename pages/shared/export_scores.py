"""Scores leave in one file, and come back from one: what has been computed for these points, and
what a file says beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import streamlit as st

from core import agreement, datasets, embeddings
from core.charts import palette
from core.charts.maps import Colour, scatter
from core.exports import reading_back, score_table
from core.exports.ranking_names import column_names
from core.exports.reading_back import Exported
from core.exports.score_table import Column, Projection
from core.plugins import menu
from core.runtime import cache
from core.spec import Spec, map_key, scores_key
from core.types import Dataset, Floats, UserError
from pages.shared import cached, layout, legend, render_lock, state, visitor_memory
from pages.shared.points import show
from pages.shared.words import (
    inside,
    noun,
    number,
    plain,
    ranking_name,
    score_texts,
    short,
    starless,
)

MOST = 50  # rankings of one file
SHOWN = 60
HEIGHT = 420
# differences that come from the machine, relative to the largest score; of scores kept in single
# precision
ROUNDING = 1e-9
SINGLE = 1e-6


def files(
    name: str,
    data: Dataset,
    columns: Callable[[], Sequence[Column]],
    projection: Projection | None = None,
) -> None:
    """The button that offers these rankings as Parquet, as CSV, and how they were made.

    columns: asked for when a file is.
    """
    rows = f"{len(data):,} rows"

    def content(kind: str) -> bytes:
        chosen = columns()
        return score_table.encode(
            score_table.table(data, chosen, projection),
            kind,
            score_table.manifest(data, chosen, projection),
        )

    offered = [
        (f"CSV, {rows}", lambda: content("csv"), f"{name}.csv"),
        (f"Parquet, {rows}", lambda: content("parquet"), f"{name}.parquet"),
        (
            "Manifest (JSON): how it was computed",
            lambda: score_table.manifest(data, columns(), projection),
            f"{name}.manifest.json",
        ),
    ]
    layout.downloads("Download scores", offered)


def take_out(spec: Spec, data: Dataset) -> None:
    """Which of the rankings that were computed for these points to write, with the map of the
    Spec's embedding if it is at hand.
    """
    found = at_hand(spec, data)
    if not found:
        st.info(
            "No ranking of these points has been computed yet. Open Explore and choose an embedding"
            " and a strategy: it is kept."
        )
        layout.onward(
            "explore", "Rank these points on Explore", ":material/arrow_forward:", spec.to_query()
        )
        return
    named = dict(zip(column_names(list(found)), found, strict=True))
    key = state.key(
        f"take out {data.fingerprint} {len(named)}"
    )  # a new ranking is chosen at first, as all are
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
        files(
            f"{spec.dataset}-scores".replace("_", "-"),
            data,
            lambda: [_column(one, found[one], data) for one in chosen],
            projection,
        )


def read_in(
    name: str,
    content: bytes,
    manifest: bytes | None = None,
    *,
    spec: Spec | None = None,
    data: Dataset | None = None,
) -> None:
    """A file of scores that was handed in: its rankings beside what this app computes, and the
    points that one of them puts first.

    spec, data: the points that are open now; a file about these very points is read as theirs,
    whatever they were called.
    """
    try:
        exported = _read(
            name,
            content,
            manifest,
            None if spec is None or data is None else (spec, data.fingerprint),
        )
    except UserError as error:
        st.error(plain(str(error)))
        return
    if not datasets.is_ready(exported.points.dataset):
        layout.offer_dataset(exported.points.dataset)
        return
    points = exported.points
    data = cached.dataset(points.dataset, points.n, points.subset)
    if reason := reading_back.other_points(exported, data):
        st.error(plain(reason))
        return
    layout.notes(exported.faults)
    verdicts = _beside(exported, data)
    chosen = _choice(exported)
    left, right = st.columns([3, 2], gap="large") if exported.projection else (st.container(), None)
    with left:
        _gallery(chosen, verdicts[chosen.spec], data)
    if exported.projection and right:
        with right:
            _drawn(chosen, exported.projection, data)


def at_hand(spec: Spec, data: Dataset) -> dict[Spec, Floats]:
    """Every ranking of these points that is kept, in menu order, as Specs of this dataset."""
    found = {
        one: scores
        for kept, scores in cached.every_scores(data.fingerprint)
        if (one := _of(spec, kept))
    }
    seen, ranked = (
        {name: place for place, name in enumerate(menu)}
        for menu in (embeddings.embedders(), menu.strategies())
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
    """A kept ranking as one of the points that are open: equal points of another name share
    results, but not what was joined.
    """
    try:
        return kept.with_(dataset=spec.dataset, n=spec.n, subset=spec.subset)
    except UserError:
        return None


def verdict(scores: Floats, computed: Floats | None) -> str:
    """What a file's scores are beside those computed here."""
    if computed is None:
        return "Not computed here yet"
    apart = np.abs(np.asarray(scores, np.float64) - computed)
    worst = float(apart.max())
    largest = float(np.abs(computed).max())
    if worst == 0:
        return "Same as computed here"
    single = any(
        np.array_equal(values, np.asarray(values, np.float32)) for values in (scores, computed)
    )
    if worst <= (SINGLE if single else ROUNDING) * largest:
        return f"Same but for rounding (by up to {number(worst)})"
    points = int((apart > 0).sum())
    return f"Differs by up to {number(worst)} at {points:,} point{'s' * (points > 1)}"


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
        f"{what} The Parquet file can be read back here as it is, the CSV file together with its"
        " manifest."
    )


def _read(
    name: str, content: bytes, manifest: bytes | None, here: tuple[Spec, str] | None
) -> Exported:
    """The file, read once while it is on the page."""
    digest = hashlib.blake2b(content)
    for more in (manifest or b"", name.encode(), repr(here).encode()):
        digest.update(more)
    known = visitor_memory.get("scores", digest.digest())
    if known is None:
        with render_lock.aside():
            known = reading_back.read_back(content, name, manifest, here)
        visitor_memory.put("scores", digest.digest(), known, int(known.frame.memory_usage().sum()))
    return known


def _beside(exported: Exported, data: Dataset) -> dict[Spec, str]:
    """The table of the file's rankings, each beside what is computed here."""
    computed = at_hand(exported.points, data)
    verdicts = {
        column.spec: verdict(column.scores, computed.get(column.spec))
        for column in exported.columns
    }
    same = sum(said.startswith("Same") for said in verdicts.values())
    about = starless(datasets.info(exported.points.dataset).title)
    m = len(verdicts)
    layout.answer(
        f"*{m} ranking{'s' * (m > 1)}* of {len(data):,} {noun(data.name)} ({about}); *{same}* the"
        " same as computed here."
    )
    rows = {
        "ranking": [ranking_name(spec) for spec in verdicts],
        "beside what this app computes": list(verdicts.values()),
    }
    st.dataframe(pd.DataFrame(rows), hide_index=True, height=min(38 + 35 * m, 248), row_height=35)
    return verdicts


def _choice(exported: Exported) -> Column:
    """One ranking of the file, and the same ranking on Explore."""
    names = [ranking_name(column.spec) for column in exported.columns]
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    key = state.key(f"read in {exported.name} {len(names)}")
    chosen = exported.columns[
        left.selectbox(
            "Ranking of the file", range(len(names)), format_func=names.__getitem__, key=key
        )
    ]
    layout.onward(
        "explore", "Open it on Explore", ":material/arrow_forward:", chosen.spec.to_query(), right
    )
    return chosen


def _drawn(column: Column, projection: Projection, data: Dataset) -> None:
    """The file's map, coloured by the file's scores."""
    whose = ranking_name(projection.spec).partition(", ")[0]
    st.markdown(f"**The file's map**: UMAP of {plain(whose)}, coloured by the file's scores.")
    colour = Colour("score percentile", 100 * agreement.percentiles(column.scores), ())
    everyone = np.ones(len(data), bool)
    drawn = scatter(
        projection.coordinates,
        colour,
        everyone,
        None,
        brush=False,
        dark=layout.dark(),
        height=HEIGHT,
    )
    alt = f"Map of {len(data):,} {noun(data.name)}, coloured by their score in the file"
    with layout.fluid("scores", HEIGHT):
        st.altair_chart(drawn, key=state.key("read in map"), alt=alt, height="stretch")
    legend.band("Score", palette.score_colours(layout.dark()), "lowest", "highest")


def _gallery(column: Column, said: str, data: Dataset) -> None:
    """The points that the file's scores put first."""
    order = np.argsort(-column.scores, kind="stable")[:SHOWN]
    st.markdown(f"**The first {len(order)} by the file's scores**: {inside(said)}.")
    alt = (
        f"{len(order)} {noun(data.name)} of highest score in the file: {ranking_name(column.spec)}"
    )
    show(
        data,
        order,
        score_texts(column.scores[order]),
        alt=alt,
        ranks=list(range(1, len(order) + 1)),
        key=state.key("read in gallery"),
    )
