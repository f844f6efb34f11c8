"""One point's dossier: its image, ranks, neighbours, and what carries its leverage."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from core import embeddings
from core.charts.scores import percentile_strip
from core.plugins import menu
from core.runtime import tasks
from core.runtime.jobs import Job
from core.spec import Spec, embedding_key
from core.types import Dataset
from pages.components.gallery import gallery
from pages.shared import cached, job_panel, layout, memo, state
from pages.shared.points import show as show_points
from pages.shared.words import inside, noun, number, plain, ranking_name


def show(page: str, spec: Spec, data: Dataset, ranking: cached.Ranking, point: int) -> None:
    """Open the dossier as a drawer; closing it takes the point out of the link."""
    if not 0 <= point < len(data):
        st.warning(
            f"From the link: point {point:,} is not in this dataset of {len(data):,}."
            " Choose a point in the gallery."
        )
        return
    label = data.labels[point]
    known = f", class {data.class_names[label]}" if label >= 0 else ", no label yet"
    kind = known if data.labeled else ""
    title = plain(f"Number {int(data.index[point]):,} of the {noun(spec.dataset)}{kind}")
    st.dialog(
        title, width=720, position="right", on_dismiss=lambda: state.change_view(page, point=None)
    )(_body)(spec, data, ranking, point)


def _body(spec: Spec, data: Dataset, ranking: cached.Ranking, point: int) -> None:
    left, right = st.columns([1, 2], gap="medium")
    with left:
        _picture(data, ranking, [point], "dossier image", 168, f"The image of point {point}")
    with right:
        scored = bool(ranking.scored[point])
        score = number(float(ranking.scores[point])) if scored else "no score"
        st.metric(menu.find(spec.strategy).label, score)
        under = plain(inside(spec.embedding_label))
        above = standing(ranking.with_gaps, point) if scored else ""
        st.markdown(f"Rank **{ranking.rank[point]:,}** of {len(data):,}{above} under {under}.")
        called = f", id {plain(str(data.ids[point]))}" if data.ids is not None else ""
        part = "Test" if data.test[point] else "Training"
        st.caption(f"{part} part, row {int(data.index[point]):,}{called}")
    _beside(data, point)
    _strip(data, point)
    # "~": computed in a moment, not kept on disk
    key = f"~dossier {embedding_key(spec, data.fingerprint)} {point}"
    found = cached.result(key, tasks.DOSSIER, spec, point)
    if isinstance(found, Job):
        job_panel.waiting(found, "Looking for its neighbours")
        return
    if len(data) > 1:
        _neighbours(spec, data, ranking, found)
    _directions(spec, data, found)


def _beside(data: Dataset, point: int) -> None:
    """What the file says of the point in columns that are no features."""
    if data.shown:
        names = list(data.shown)
        values = [str(data.shown[name][point]) for name in names]
        st.dataframe({"column": names, "of this point": values}, hide_index=True)


def standing(scores: np.ndarray, point: int) -> str:
    """Above how many of the others a point stands, never rounded up: ", higher than 99.9% of the
    others". Others without a score (NaN) do not count.
    """
    others = int(np.isfinite(scores).sum()) - 1
    lower = int((scores < scores[point]).sum())
    equal = int((scores == scores[point]).sum()) - 1
    if others == 0:
        return ""
    tied = f", equal to {equal:,}" if equal else ""
    if lower == others:
        return ", the highest"
    if lower + equal == others:
        return f", higher than {lower:,} of the others{tied}"
    return f", higher than {np.floor(1000 * lower / others) / 10:.1f}% of the others{tied}"


def _neighbours(spec: Spec, data: Dataset, ranking: cached.Ranking, found: dict) -> None:
    st.markdown(
        f"**Nearest neighbours** under {plain(inside(spec.embedding_label))}; below: distance"
    )
    _picture(
        data,
        ranking,
        found["neighbours"],
        "dossier neighbours",
        56,
        "Nearest neighbours",
        [number(float(d)) for d in found["distances"]],
    )


def _directions(spec: Spec, data: Dataset, found: dict) -> None:
    """The eigen-directions that carry the point's leverage: images where the embedding is raw."""
    total = found["shares"].sum()
    st.markdown(
        "**What carries its leverage**:"
        f" {len(found['shares'])} of the eigen-directions hold {total:.0%} of it"
    )
    if spec.embedding != "raw" or not data.is_images:
        st.dataframe(
            pd.DataFrame(
                {
                    "direction": np.arange(1, len(found["shares"]) + 1),
                    "share of its leverage, %": 100 * found["shares"],
                }
            ),
            hide_index=True,
        )
        return
    pictures = np.stack([_signed(axis.reshape(data.shape)) for axis in found["axes"]])
    gallery(
        pictures,
        [f"{share:.0%}" for share in found["shares"]],
        ["" for _ in pictures],
        list(range(len(pictures))),
        alt="Eigen-directions as images: orange positive, blue negative, white zero",
        size=84,
        key=state.key("dossier directions"),
    )
    st.caption(
        "Orange: positive weight, blue: negative, white: none."
        " A single bright pixel means the point owns that pixel."
    )


def _signed(image: np.ndarray) -> np.ndarray:
    """-1..1 as blue - white - orange, uint8 (h, w, 3)."""
    image = image.mean(axis=-1) if image.ndim == 3 else image
    strength = np.abs(image) / (np.abs(image).max() or 1)
    ends = np.where(
        image[..., None] >= 0, np.array([0xD5, 0x5E, 0x00]), np.array([0x00, 0x72, 0xB2])
    )
    return np.round(255 + strength[..., None] * (ends - 255.0)).astype(np.uint8)


def _strip(data: Dataset, point: int) -> None:
    """The point's percentile under every embedding and strategy computed so far."""
    rows = []
    for spec, scores in cached.every_scores(data.fingerprint):
        if np.isnan(scores[point]):
            continue
        known = int(np.isfinite(scores).sum())
        lower = int((scores < scores[point]).sum())
        equal = int((scores == scores[point]).sum())
        row = ranking_name(spec, seeds=False)
        family = embeddings.find(spec.embedding).family
        percentile = 100 * (lower + (equal - 1) / 2) / max(1, known - 1)
        rows.append(
            (
                row,
                family,
                spec.seed,
                float(scores[point]),
                known - lower - equal + 1,
                percentile,
            )
        )
    if not rows:  # nothing could be kept on disk
        return
    st.markdown("**Its percentile under every ranking computed so far**, one dot per seed")
    frame = pd.DataFrame(rows, columns=["ranking", "family", "seed", "score", "rank", "percentile"])
    best = frame.loc[frame["percentile"].idxmax()]
    summary = (
        f"Percentile under {len(frame)} rankings, from {frame['percentile'].min():.0f} to"
        f" {best['percentile']:.0f} ({best['ranking']})"
    )
    memo.chart(percentile_strip, frame, layout.dark(), alt=summary)


def _picture(
    data: Dataset,
    ranking: cached.Ranking,
    points,
    name: str,
    size: int,
    alt: str,
    texts: list[str] | None = None,
) -> None:
    show_points(data, np.asarray(points), texts, alt=alt, size=size, key=state.key(name))
