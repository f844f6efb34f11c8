"""The matrix of agreement as a picture, with its legend, what chance would give, its download."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.agreement import Interval
from core.charts.heatmaps import heatmap, heatmap_height
from core.charts.palette import CORRELATION
from core.exports import csv_cells
from core.runtime.cache import Entry
from core.spec import Spec
from core.types import Floats, Ints
from pages.parts.agreement import comparison
from pages.parts.agreement.comparison import MEASURES
from pages.shared import layout, legend, memo, state
from pages.shared.state import View
from pages.shared.words import LEVERAGE, plain, short

Cell = tuple[int, int]


def order_of(matrix: Floats, view: View) -> Ints:
    """In which order the rankings stand in the picture."""
    return similarity_order(matrix) if view["order"] == "similarity" else np.arange(len(matrix))


def chosen_cell(view: View, matrix: Floats, order: Ints) -> Cell:
    """The cell that the view names, in the picture; without one, that of the lowest agreement."""
    linked = linked_cell(view["cell"], len(matrix))
    if linked:
        place = np.argsort(order)  # where a column of the comparison stands in the picture
        return int(place[linked[0]]), int(place[linked[1]])
    if view["cell"]:
        layout.messages(
            [
                f"cell: found {view['cell']!r},"
                f" expected two numbers from 0 to {len(matrix) - 1}, such as 0-1."
            ]
        )
    lowest = np.argmin(matrix[np.ix_(order, order)])
    return divmod(int(lowest), len(matrix))


def show(
    entry: Entry,
    columns: tuple[Spec, ...],
    view: View,
    order: Ints,
    cell: Cell,
    ceilings: Mapping[str, Interval | None],
) -> str | None:
    """Draw the matrix in this order; the cell just clicked, as the link writes it."""
    measure = view["measure"]
    matrix = entry.arrays[measure][np.ix_(order, order)]
    names = [comparison.labels(columns)[i] for i in order]
    families = [comparison.groups(columns)[i] for i in order]
    drawn = (
        heatmap,
        matrix,
        names,
        comparison.colours(columns, order),
        tips(families, ceilings, entry.facts["nulls"][measure]),
        cell,
        measure != "overlap",
        layout.dark(),
    )
    how = {
        "key": state.key(f"heatmap {entry.key} {view['order']}"),
        "alt": (
            f"{MEASURES[measure]} of {len(names)} rankings, pair by pair;"
            f" the lowest is {matrix.min():.2f}"
        ),
        "height": "stretch",
    }
    with layout.fluid("heatmap", heatmap_height(len(names))):
        event = memo.chart(*drawn, on_select="rerun", selection_mode="cell", **how)
    return clicked_cell(event, order)


def under(entry: Entry, columns: tuple[Spec, ...], measure: str, n: int) -> None:
    """What the colours mean, and what two unrelated rankings of n points would give."""
    ends = (
        ("0, none in common", "1, the same top")
        if measure == "overlap"
        else ("−1, reversed", "1, the same order")
    )
    legend.band(MEASURES[measure], CORRELATION[measure == "overlap" :], *ends)
    low, high = (f"{bound:.3f}".replace("-", "−") for bound in entry.facts["nulls"][measure][1:])
    compared = entry.facts["n"]
    if compared < n:
        st.caption(f"{compared:,} of {n:,} points are compared: those that every ranking scores.")
    st.caption(
        f"{rank_line(columns, entry.facts['ranks'])} Two unrelated rankings of"
        f" {compared:,} points would give between {low} and {high} (95%)."
        " Click a cell to see the images behind it.",
        help=LEVERAGE if any(spec.strategy == "leverage" for spec in columns) else None,
    )
    layout.made_of(entry.facts.get("made_of", []))


def similarity_order(matrix: np.ndarray) -> np.ndarray:
    """Rankings in the order of the Fiedler vector of their similarities.

    Those that agree stand together.
    """
    weights = np.clip(matrix, 0, None)
    _, vectors = np.linalg.eigh(np.diag(weights.sum(axis=1)) - weights)
    return np.argsort(vectors[:, min(1, len(matrix) - 1)], kind="stable")


def tips(
    families: list[str], ceilings: Mapping[str, Interval | None], null: list[float]
) -> list[dict[str, str]]:
    """What a cell's tooltip says beside its value: chance, and both families' reseed ceilings."""
    chance = f"{null[0]:.3f} [{null[1]:.3f}, {null[2]:.3f}]"
    bound = {
        name: f"{c.mean:.3f} [{c.low:.3f}, {c.high:.3f}]" if c else "one seed only"
        for name, c in ceilings.items()
    }
    return [
        {"by chance": chance, "ceiling of the first": bound[a], "ceiling of the second": bound[b]}
        for a in families
        for b in families
    ]


def linked_cell(text: str, m: int) -> tuple[int, int] | None:
    """(3, 7) for "3-7", if there are so many rankings."""
    halves = text.split("-")
    if len(halves) == 2 and all(half.isdecimal() and int(half) < m for half in halves):
        return int(halves[0]), int(halves[1])
    return None


def clicked_cell(event: Any, order: np.ndarray) -> str | None:
    """The cell of a click as the link writes it: both rankings' places before they were ordered."""
    picked = event["selection"].get("cell")
    return f"{order[int(picked[0]['row'])]}-{order[int(picked[0]['column'])]}" if picked else None


def downloads(names: list[str], matrix: np.ndarray, measure: str, dataset: str) -> None:
    """The matrix as a table."""
    table = pd.DataFrame(matrix, index=pd.Index(names, name=measure), columns=names)
    content = partial(csv_cells.as_csv, table, index=True)
    layout.downloads(
        "Download the matrix",
        [(f"CSV, {len(names)} x {len(names)}", content, f"{dataset}-{measure}.csv")],
    )


def rank_line(columns: tuple[Spec, ...], ranks: list[int]) -> str:
    """Which embeddings fall short of full rank.

    Leverage then spreads over fewer directions than there are dimensions.
    """
    spans: dict[str, list[int]] = {}
    for spec, rank in zip(columns, ranks, strict=True):
        spans.setdefault(spec.embedding, []).append(rank)
    texts = [
        f"{plain(short(name))} {min(r)}{f' to {max(r)}' if max(r) > min(r) else ''}"
        for name, r in spans.items()
    ]
    leverage = any(spec.strategy == "leverage" for spec in columns)
    what = " (the sum of their leverage scores)" if leverage else ""
    return f"Rank of the embeddings{what}: {', '.join(texts)}."
