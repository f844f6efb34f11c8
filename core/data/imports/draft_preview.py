"""What is in a draft, at a glance, before it is accepted: rows, classes, what is odd about the
values, and the memory it will take.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from core.data.imports.draft import Draft, Fault
from core.data.imports.wording import some
from core.types import Bools

BLOCK = 4096
FEW = 2
STAND_INS = (-99999, -9999, -999, -99, 999, 9999, 99999)  # for a number that is missing


@dataclass(frozen=True)
class Preview:
    """rows that the draft keeps, of which test_rows; left_out: those it does not. shape: of one
    point. classes: (name, points) in order.

    target: the smallest and the largest number that a regression is to learn, None without one.
    constant: columns (or pixels) that have one value throughout. duplicates: rows that repeat an
    earlier one. memory: bytes of the points, of their raw embedding (float32), and of its Gram
    matrix (float64), which leverage computes. faults: the draft's, and those about the values.
    """

    rows: int
    shape: tuple[int, ...]
    classes: tuple[tuple[str, int], ...]
    test_rows: int
    left_out: int
    constant: int
    duplicates: int
    memory: int
    faults: tuple[Fault, ...]
    target: tuple[float, float] | None = None

    @property
    def fatal(self) -> bool:
        """Does a fault keep the draft from being accepted?"""
        return any(fault.fatal for fault in self.faults)


def preview(draft: Draft) -> Preview:
    """The facts of a draft.

    One pass over its values for what is constant, and one that hashes its rows, at about 1 GB/s
    each.
    """
    constant = constant_columns(draft.points)
    repeated = duplicate_rows(draft.points)
    counts = (
        np.bincount(draft.labels[draft.labels >= 0], minlength=len(draft.class_names))
        if draft.class_names
        else ()
    )
    classes = tuple(
        (name, int(count)) for name, count in zip(draft.class_names, counts, strict=True)
    )
    n = len(draft)
    d = int(np.prod(draft.points.shape[1:]))
    return Preview(
        rows=n,
        shape=tuple(draft.points.shape[1:]),
        classes=classes,
        test_rows=int(draft.test.sum()),
        left_out=draft.left_out,
        constant=int(constant.sum()),
        duplicates=int(repeated.sum()),
        memory=draft.points.nbytes + 4 * n * d + 8 * min(n, d) ** 2,
        faults=(*draft.faults, *_faults(draft, constant, repeated, classes)),
        target=None if draft.target is None else (draft.target.min(), draft.target.max()),
    )


def constant_columns(points: np.ndarray) -> Bools:
    """Which values are the same for every point: bool, of the shape of one point."""
    same = np.ones(points.shape[1:], bool)
    for start in range(0, len(points), BLOCK):
        same &= (points[start : start + BLOCK] == points[0]).all(axis=0)
    return same


def duplicate_rows(points: np.ndarray) -> Bools:
    """Which rows repeat an earlier one: bool (n,).

    By 128-bit hashes of their values; 0 and -0 are the same.
    """
    seen: set[bytes] = set()
    repeated = np.zeros(len(points), bool)
    for start in range(0, len(points), BLOCK):
        block = points[start : start + BLOCK].reshape(len(points[start : start + BLOCK]), -1)
        rows = np.ascontiguousarray(block + block.dtype.type(0))  # turns -0 into 0
        for i, row in enumerate(rows, start):
            digest = hashlib.blake2b(row.data, digest_size=16).digest()
            repeated[i] = digest in seen
            seen.add(digest)
    return repeated


def _alike(names: Iterable[str]) -> list[str]:
    """The names that another one differs from in case or blanks only."""
    bare = {name: " ".join(name.casefold().split()) for name in names}
    times = Counter(bare.values())
    return [name for name, same in bare.items() if times[same] > 1]


def _stand_ins(draft: Draft) -> list[Fault]:
    """Numbers such as -999 far from all others of their column: they may stand for a gap."""
    found = []
    low, high = draft.points.min(axis=0), draft.points.max(axis=0)
    for mark in STAND_INS:
        for j in np.flatnonzero((low == mark) | (high == mark)):
            values = draft.points[:, j]
            others = values[values != mark]
            if len(others) and abs(mark - others).min() > np.ptp(others):
                rows = len(values) - len(others)
                name = draft.feature_names[j]
                what = f"Column {name}: found {mark} in {rows:,} rows, far from the others."
                how = "It is read as a number. Leave such cells empty if it stands for none."
                found.append(Fault(what, how))
    return found


def _faults(
    draft: Draft, constant: Bools, repeated: Bools, classes: tuple[tuple[str, int], ...]
) -> list[Fault]:
    found = []
    if draft.kind == "table" and constant.any():
        names = [name for name, same in zip(draft.feature_names, constant, strict=True) if same]
        found.append(
            Fault(
                f"Columns with one value throughout: {len(names):,}, such as {some(names)}.",
                "They are kept; they tell nothing.",
            )
        )
    if draft.kind == "images" and constant.all():
        found.append(
            Fault("All images are the same.", "They are kept; their scores will be equal.")
        )
    if draft.kind == "table":
        found += _stand_ins(draft)
    if repeated.any():
        first = np.flatnonzero(repeated)[0]
        what = (
            f"Rows that repeat an earlier one: {int(repeated.sum()):,}, the first being row"
            f" {first:,}."
        )
        found.append(Fault(what, "They are kept; copies share their leverage."))
    trained = {*draft.labels[~draft.test].tolist()}
    unseen = [name for c, (name, count) in enumerate(classes) if count and c not in trained]
    if unseen:
        what = f"Classes without a training point: {some(unseen)}."
        found.append(Fault(what, "Their points are kept; nothing can learn such a class."))
    if alike := _alike(name for name, _ in classes):
        what = f"Classes that differ in case or blanks only: {some(alike)}."
        found.append(Fault(what, "They are kept apart. Write them alike if they are one."))
    small = [name for name, count in classes if count < FEW]
    if small:
        what = f"Classes with fewer than {FEW} points: {some(small)}."
        found.append(
            Fault(
                what,
                "They are kept; a single point is never in the training and the test part at once.",
            )
        )
    return found
