"""Where a table has no number: rows or columns that are left out, or gaps that are filled.

By themselves columns that are mostly empty are left out, then the rows with a gap, unless these are
most of them: then the user has to choose.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.data.imports.draft import Choices, Fault, FoundRows
from core.data.imports.wording import some
from core.types import Bools, Ints

BLOCK = 8192  # rows
MOSTLY = 0.5  # a column with more gaps is left out by itself, and so many rows never are


def without_gaps(
    found_rows: FoundRows, title: str, choices: Choices, faults: list[Fault]
) -> tuple[FoundRows, Bools]:
    """(the rows without the columns that are left out, or with gaps filled; which rows stay)."""
    points = found_rows.points
    if points.ndim > 2:
        return found_rows, _sound_images(found_rows, faults)
    counts = np.zeros(points.shape[1], np.int64)
    gaps = np.zeros(len(points), bool)
    for start in range(0, len(points), BLOCK):
        holes = ~np.isfinite(points[start : start + BLOCK])
        counts += holes.sum(axis=0)
        gaps[start : start + BLOCK] = holes.any(axis=1)
    if not gaps.any():
        return found_rows, ~gaps
    found_rows = replace(found_rows, asks=found_rows.asks | {"gaps"})
    return _mended(found_rows, counts, title, choices.gaps, faults)


def _mended(
    found_rows: FoundRows, counts: Ints, title: str, how: str | None, faults: list[Fault]
) -> tuple[FoundRows, Bools]:
    n = len(found_rows.points)
    drop = counts > MOSTLY * n if how is None else counts > 0
    if how == "rows" or drop.all():
        drop = np.zeros(len(counts), bool)
    if how == "median":
        drop = counts == n
        found_rows = _filled(found_rows, ~drop & (counts > 0), faults)
    if drop.any():
        faults.append(_columns_left_out(found_rows, drop, counts, how))
        found_rows = _without(found_rows, drop)
    finite = np.isfinite(found_rows.points).all(axis=1)
    if not finite.all():
        faults.append(_rows_left_out(found_rows, ~finite, counts[~drop], how))
    return found_rows, finite


def _without(found_rows: FoundRows, drop: Bools) -> FoundRows:
    names = found_rows.feature_names
    kept = tuple(name for name, gone in zip(names, drop, strict=True) if not gone)
    gone = set(names) - set(kept)
    roles = tuple(
        replace(role, role="left out", why="gaps") if role.column in gone else role
        for role in found_rows.roles
    )
    points = np.ascontiguousarray(found_rows.points[:, ~drop])
    return replace(found_rows, points=points, feature_names=kept, roles=roles)


def _filled(found_rows: FoundRows, columns: Bools, faults: list[Fault]) -> FoundRows:
    """Gaps in these columns take the column's median; which cells did is a column that is shown."""
    points = found_rows.points.copy()
    marks = np.full(len(points), "", dtype="U200")
    told = []
    for j in np.flatnonzero(columns):
        holes = ~np.isfinite(points[:, j])
        name = found_rows.feature_names[j] if found_rows.feature_names else f"feature {j}"
        points[holes, j] = np.median(points[~holes, j])
        marks[holes] = [f"{mark}, {name}".lstrip(", ") for mark in marks[holes]]
        told.append(f"{name} ({int(holes.sum()):,})")
    faults.append(
        Fault(
            f"Gaps filled by the median of their column: {some(told, 10)}.",
            "These values are made up. A column called filled in says where, and is shown.",
        )
    )
    return replace(found_rows, points=points, shown={**found_rows.shown, "filled in": marks})


def _columns_left_out(found_rows: FoundRows, drop: Bools, counts: Ints, how: str | None) -> Fault:
    n = len(found_rows.points)
    told = [
        f"{found_rows.feature_names[j] if found_rows.feature_names else j} ({counts[j]:,} of {n:,})"
        for j in np.flatnonzero(drop)
    ]
    mend = (
        "They are left out, so that the rows stay."
        if how
        else ("They are left out, being mostly empty. The rows can be left out in their place.")
    )
    return Fault(f"Columns with gaps: {some(told, 5)}.", mend)


def _rows_left_out(found_rows: FoundRows, gaps: Bools, counts: Ints, how: str | None) -> Fault:
    """The rows that a gap costs; a fatal fault if they are most of them and nobody chose so."""
    rows = np.flatnonzero(gaps)
    names = found_rows.feature_names or tuple(map(str, range(len(counts))))
    worst = np.argsort(-counts, kind="stable")
    told = [f"{names[j]} ({counts[j]:,})" for j in worst if counts[j]]
    kind = _kind(found_rows)
    what = (
        f"Rows with {kind}: {len(rows):,} of {len(gaps):,}, the first being"
        f" {some([f'{row:,}' for row in rows[:3]])}, in {some(told)}."
    )
    if how is None and len(rows) > MOSTLY * len(gaps) and len(rows) < len(gaps):
        mend = "Choose what is left out, the columns or the rows, or fill the gaps by the median."
        return Fault(what, mend, fatal=True)
    mend = (
        "They are left out. The columns can be left out in their place, or the gaps filled by the"
        " median."
    )
    nothing = (counts == len(gaps)).all()
    return Fault(what, "No number is left. Write numbers in the file." if nothing else mend)


def _kind(found_rows: FoundRows) -> str:
    """What stands where a number should: in a table with columns of its own an empty cell."""
    if not found_rows.roles:
        return "NaN or infinity" if np.isnan(found_rows.points).any() else "infinity"
    kinds = [
        name
        for name, is_there in (("empty cells", np.isnan), ("infinity", np.isinf))
        if is_there(found_rows.points).any()
    ]
    return " or ".join(kinds)


def _sound_images(found_rows: FoundRows, faults: list[Fault]) -> Bools:
    broken = found_rows.broken
    if broken is None or not broken.any():
        return np.ones(len(found_rows.points), bool)
    faults.append(left_out(broken, "with NaN or infinity", "Fill or remove them in the file."))
    return ~broken


def left_out(flags: Bools, what: str, mend: str) -> Fault:
    """Rows that are left out, and the first of them, counted from 0."""
    rows = np.flatnonzero(flags)
    shown = some([f"{row:,}" for row in rows[:3]])
    return Fault(
        f"Rows {what}: {len(rows):,} of {len(flags):,}, the first being {shown}.",
        f"They are left out. {mend}",
    )
