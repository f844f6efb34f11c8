"""The button that offers rankings as files, with how they were made."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.exports import score_table
from core.exports.score_table import Column, Projection
from core.types import Dataset
from pages.shared import layout


def offer(
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
