"""Embeddings computed elsewhere, joined to a dataset by what its points are called."""

from __future__ import annotations

import numpy as np

from core.data.imports.draft import Draft, Fault
from core.data.imports.wording import some
from core.types import Dataset, Floats, UserError

MEND = (
    "Bring a table with one row for each point, with an id column that names the points as the"
    " dataset does."
)


def ids_of(dataset: Dataset) -> np.ndarray:
    """What a dataset's points are called, str (n,): its own ids, else the numbers of their rows
    from 0.
    """
    return dataset.index.astype(str) if dataset.ids is None else dataset.ids


def join(ids: np.ndarray, draft: Draft) -> tuple[Floats, tuple[Fault, ...]]:
    """(embedding float32 (n, d) in the order of ids, faults).

    ids: str (n,), one per point, as `ids_of` gives them. draft: a table. A table without ids is
    joined in its order if it has n rows. Rows of the table that belong to no point are left out.
    Raises UserError if the draft is no table, has a fatal fault or ids that cannot be used, or if a
    point is missing.
    """
    if draft.kind != "table":
        raise UserError(
            f"{draft.title}: found images, expected a table of features. Bring .npy, .npz, Parquet"
            " or CSV."
        )
    for fault in (*draft.fatal, draft.refused_ids):
        if fault:
            raise UserError(f"{draft.title}: {fault}")
    if draft.ids is None:
        return _in_order(ids, draft)
    rows = dict(zip(draft.ids.tolist(), range(len(draft)), strict=True))
    missing = [point for point in ids.tolist() if point not in rows]
    if missing:
        lost = f" Rows left out of the file: {draft.left_out:,}." if draft.left_out else ""
        found = f"{len(missing):,} of {len(ids):,} ids missing, such as {some(missing, 1)}"
        raise UserError(
            f"{draft.title}: found {found}, expected every point.{lost} The file's ids look like"
            f" {some(draft.ids, 1)}. {MEND}"
        )
    return draft.points[[rows[point] for point in ids.tolist()]], _about(
        draft, len(draft) - len(ids)
    )


def _in_order(ids: np.ndarray, draft: Draft) -> tuple[Floats, tuple[Fault, ...]]:
    if len(draft) != len(ids):
        lost = f" and {draft.left_out:,} left out" * bool(draft.left_out)
        raise UserError(
            f"{draft.title}: found {len(draft):,} rows without ids{lost}, expected {len(ids):,},"
            f" one for each point. {MEND}"
        )
    order = Fault(
        "The file has no ids.",
        "Its rows are joined in their order: the first row to the first point.",
    )
    return draft.points, (*_about(draft, 0), order)


def _about(draft: Draft, extra: int) -> tuple[Fault, ...]:
    more = (
        [Fault(f"Rows that belong to no point: {extra:,}.", "They are left out.")] if extra else []
    )
    return (*draft.faults, *more)
