"""Points as the reader sees them: images in a gallery, or rows with their unusual features."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.data import unusual_features
from core.types import Dataset, Ints
from pages.components.gallery import gallery

ROW = 35  # pixels
HEADER = 38  # pixels
MOST = 14  # rows in sight
SHOWN = 6  # columns beside the points; the dossier has all
COLUMNS = 30  # of a wider table only the unusual features are shown


def show(
    data: Dataset,
    points: Ints,
    scores: Sequence[str] | None = None,
    *,
    key: str,
    alt: str,
    ranks: Sequence[int] | None = None,
    marks: Sequence[str] | None = None,
    selected: int | None = None,
    max_rows: int | None = None,
    size: int = 56,
    ragged: bool = False,
    scored: str = "score",
) -> int | None:
    """These points in this order, each with its class and score; the one just clicked, else None.

    points: row numbers of the dataset. scores: formatted, one per point; in a table their column is
    called `scored`. For images as `gallery`;
    a table is at most 14 rows high.
    """
    captions = captions_of(data, points)
    texts = [""] * len(points) if scores is None else list(scores)
    if data.is_images:
        how = {
            "ranks": ranks,
            "marks": marks,
            "selected": selected,
            "max_rows": max_rows,
            "size": size,
            "ragged": ragged,
        }
        return gallery(
            data.points[points],
            captions,
            texts,
            np.asarray(points).tolist(),
            alt=alt,
            key=key,
            **how,
        )
    return _rows(data, np.asarray(points), texts, captions, ranks, marks, key, scored)


def captions_of(data: Dataset, points: Ints) -> list[str]:
    """The class of each point; "?" where it is not known, nothing in a dataset without labels."""
    return [
        (data.class_names[c] if c >= 0 else "?") if data.labeled else ""
        for c in data.labels[points]
    ]


def _rows(
    data: Dataset,
    points: Ints,
    texts: list[str],
    captions: list[str],
    ranks: Sequence[int] | None,
    marks: Sequence[str] | None,
    key: str,
    scored: str,
) -> int | None:
    import pandas as pd  # takes longer to import than a gallery of images takes to draw

    columns = {
        "rank": ranks,
        "class": captions if data.labeled else None,
        scored: texts if any(texts) else None,
        "mark": marks,
        "id": None if data.ids is None else data.ids[points],
    }
    columns |= {
        "most unusual features": unusual_features.unusual(data.points, points, data.feature_names),
        "row": data.index[points] if data.ids is None else None,
    }
    columns |= {
        f"column {name}" if name in columns else name: data.shown[name][points]
        for name in list(data.shown)[:SHOWN]
    }
    if data.d <= COLUMNS:
        columns |= {
            f"feature {name}" if name in columns else name: data.points[points, j]
            for j, name in enumerate(data.feature_names)
        }
    frame = pd.DataFrame({name: values for name, values in columns.items() if values is not None})
    height = HEADER + ROW * min(len(points), MOST)
    wide = {"most unusual features": st.column_config.TextColumn(width=430)}
    how = {
        "hide_index": True,
        "on_select": "rerun",
        "selection_mode": "single-row",
        "height": height,
        "row_height": ROW,
    }
    chosen = st.dataframe(frame, key=key, column_config=wide, **how)["selection"]["rows"]
    # A selected row stays selected, whatever the table shows in later runs: act on it once.
    clicked = (
        bool(chosen) and chosen != st.session_state.get(f"{key} seen") and chosen[0] < len(points)
    )
    st.session_state[f"{key} seen"] = chosen
    return int(points[chosen[0]]) if clicked else None
