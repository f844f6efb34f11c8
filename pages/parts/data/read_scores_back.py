"""Read scores back: what a file that left here says, beside what is computed here."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core import agreement, datasets
from core.charts import palette
from core.charts.maps import Colour, scatter
from core.exports import reading_back
from core.exports.reading_back import Exported
from core.exports.score_table import Column, Projection
from core.linalg import ties
from core.spec import Spec
from core.types import Dataset, Floats, UserError
from pages.parts.data import import_file
from pages.parts.data.take_scores_out import at_hand
from pages.shared import (
    cached,
    job_panel,
    layout,
    legend,
    state,
    visitor_memory,
)
from pages.shared.points import show as show_points
from pages.shared.serving import turns
from pages.shared.words import inside, noun, number, plain, ranking_name, score_texts, starless

SHOWN = 60
HEIGHT = 420
# Differences that come from the machine, relative to the largest score.
ROUNDING = 1e-9
SINGLE = 1e-6  # of scores kept in single precision


def show(spec: Spec, answer: Any) -> None:
    """Choose the file, and see what it says beside what this app computes.

    answer: the place of the sentence under the question.
    """
    help = (
        "Its scores are shown as the file's and compared with what is computed here."
        " Nothing of it is kept."
    )
    content, name = import_file.uploaded(
        "A file of scores that was taken out here", "back", help, ["parquet", "csv"]
    )
    if content is None:
        with answer:
            layout.answer("No file is read yet. Its scores will stand beside those computed here.")
        st.caption("Parquet as it is; CSV together with its manifest. Take scores out writes both.")
        return
    needed = name.lower().endswith(".csv")
    asked = (
        "Its manifest" if needed else "Its manifest, if another program has written the file anew"
    )
    manifest, _ = import_file.uploaded(
        asked, "manifest", "The file that ends in .manifest.json", ["json"]
    )
    if manifest is None and needed:
        st.info("A CSV file does not say what its columns are. Choose its manifest too.")
        return
    read_in(
        name,
        content,
        manifest,
        spec=spec,
        data=cached.dataset(spec.dataset, spec.n, spec.subset),
        answer=answer,
    )


def read_in(
    name: str,
    content: bytes,
    manifest: bytes | None = None,
    *,
    spec: Spec | None = None,
    data: Dataset | None = None,
    answer: Any = None,
) -> None:
    """A file of scores that was handed in: its rankings beside what this app computes.

    And the points that one of them puts first. spec, data: the points that are open now; a file
    about these very points is read as theirs, whatever they were called.
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
        job_panel.offer_dataset(exported.points.dataset)
        return
    points = exported.points
    data = cached.dataset(points.dataset, points.n, points.subset)
    if reason := reading_back.other_points(exported, data):
        st.error(plain(reason))
        return
    layout.notes(exported.faults)
    verdicts = _beside(exported, data, answer or st.container())
    chosen = _choice(exported)
    left, right = st.columns([3, 2], gap="large") if exported.projection else (st.container(), None)
    with left:
        _gallery(chosen, verdicts[chosen.spec], data)
    if exported.projection and right:
        with right:
            _drawn(chosen, exported.projection, data)


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


def _read(
    name: str, content: bytes, manifest: bytes | None, here: tuple[Spec, str] | None
) -> Exported:
    """The file, read once while it is on the page."""
    digest = hashlib.blake2b(content)
    for more in (manifest or b"", name.encode(), repr(here).encode()):
        digest.update(more)
    known = visitor_memory.get("scores", digest.digest())
    if known is None:
        with turns.aside():
            known = reading_back.read_back(content, name, manifest, here)
        visitor_memory.put("scores", digest.digest(), known, int(known.frame.memory_usage().sum()))
    return known


def _beside(exported: Exported, data: Dataset, answer: Any) -> dict[Spec, str]:
    """The table of the file's rankings, each beside what is computed here."""
    computed = at_hand(exported.points, data)
    verdicts = {
        column.spec: verdict(column.scores, computed.get(column.spec))
        for column in exported.columns
    }
    same = sum(said.startswith("Same") for said in verdicts.values())
    about = starless(datasets.info(exported.points.dataset).title)
    m = len(verdicts)
    with answer:
        layout.answer(
            f"*{m} ranking{'s' * (m > 1)}* of {len(data):,} {noun(data.name)} ({about});"
            f" *{same}* the same as computed here."
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
    order = ties.order(column.scores)[:SHOWN]
    st.markdown(f"**The first {len(order)} by the file's scores**: {inside(said)}.")
    alt = (
        f"{len(order)} {noun(data.name)} of highest score in the file: {ranking_name(column.spec)}"
    )
    show_points(
        data,
        order,
        score_texts(column.scores[order]),
        alt=alt,
        ranks=list(range(1, len(order) + 1)),
        key=state.key("read in gallery"),
    )
