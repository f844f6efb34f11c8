"""What was found in a user's file, before it is accepted: the draft, its faults and the user's
choices.

A draft is sound whatever the file was: shapes agree, values are finite, labels lie within the
classes, ids are unique. What had to give way for that is said in its faults. Nothing here touches a
disk.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.types import Bools, Dataset, Floats, Ints

Progress = Callable[[float | None, str], None]


@dataclass(frozen=True)
class Fault:
    """what: found (and expected). mend: how to mend it, or what is done about it.

    fatal: the draft cannot be accepted as it is.
    """

    what: str
    mend: str
    fatal: bool = False

    def __str__(self) -> str:
        return f"{self.what} {self.mend}"


@dataclass(frozen=True)
class Choices:
    """What the user may choose at the preview; None: found by itself.

    side: images are brought to side x side pixels. label, id: the column of a table that holds
    them, "" for none.
    """

    side: int | None = None
    label: str | None = None
    id: str | None = None


@dataclass(frozen=True, eq=False)
class Draft:
    """A dataset in waiting; fields as in `core.types.Dataset`.

    kind: "images" (points uint8 (n, h, w) or (n, h, w, 3)) or "table" (points float32 (n, d)).
    labels: -1 throughout and class_names () if the classes are not known. probs: float32 (n, c),
    one column per class in the order of class_names where the classes are known. columns: of a
    table, what may hold labels or ids. sides: the smallest and the largest (width, height) of the
    images as they came. left_out: rows that the file has and the draft has not. refused_ids: the
    fault for which the file's ids are not used.
    """

    kind: str
    points: np.ndarray
    labels: Ints
    class_names: tuple[str, ...]
    test: Bools
    ids: np.ndarray | None = None
    probs: Floats | None = None
    feature_names: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    columns: tuple[str, ...] = ()
    sides: tuple[tuple[int, int], ...] = ()
    title: str = ""
    left_out: int = 0
    refused_ids: Fault | None = None

    def __len__(self) -> int:
        return len(self.points)

    def dataset(self) -> Dataset:
        """The dataset that it becomes when it is accepted."""
        also = {
            "feature_names": self.feature_names,
            "ids": self.ids,
            "probs": self.probs,
            "title": self.title,
        }
        return Dataset("draft", self.points, self.labels, self.class_names, self.test, **also)

    @property
    def fatal(self) -> tuple[Fault, ...]:
        """The faults that keep it from being accepted."""
        return tuple(fault for fault in self.faults if fault.fatal)


@dataclass
class FoundRows:
    """What a file says, one entry per row, before any row is left out and before anything is
    believed.

    labels: (words, code of each row); the word "" is a blank. ids: str (n,), "" is a blank. probs:
    (n, c), with the class of each column in prob_names, or () if they follow the classes in order.
    broken, large: bool (n,), rows with NaN or infinity, or beyond float32. lost: how many rows
    could not even be read.
    """

    points: np.ndarray
    labels: tuple[list[str], Ints] | None = None
    ids: np.ndarray | None = None
    probs: np.ndarray | None = None
    prob_names: tuple[str, ...] = ()
    test: np.ndarray | None = None
    feature_names: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    sides: tuple[tuple[int, int], ...] = ()
    broken: Bools | None = None
    large: Bools | None = None
    lost: int = 0
