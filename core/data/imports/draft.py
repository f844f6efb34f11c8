"""What was found in a user's file, before it is accepted: the draft, its faults and the user's
choices.

A draft is sound whatever the file was: shapes agree, values are finite, labels lie within the
classes, ids are unique. What had to give way for that is said in its faults. Nothing here touches a
disk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.data.imports.wording import some
from core.types import Bools, Dataset, Floats, Ints, UserError

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

    side: images are brought to side x side pixels. label, id: the column of a table, or the array
    of an .npz, that holds them, "" for none. target: the one that a regression is to learn; none
    is found by itself.
    """

    side: int | None = None
    label: str | None = None
    id: str | None = None
    target: str | None = None


def chosen(
    names: Sequence[str], choice: str | None, usual: tuple[str, ...], what: str
) -> str | None:
    """The column or array that the user names, none for "", or the first of the usual ones."""
    if choice is None:
        by_name = {name.lower(): name for name in reversed(names)}
        return next((by_name[name] for name in usual if name in by_name), None)
    if choice and choice not in names:
        raise UserError(
            f"{what}: found {choice!r}, expected one of {some(names, 10)}. Choose another one, or"
            " none."
        )
    return choice or None


@dataclass(frozen=True, eq=False)
class Draft:
    """A dataset in waiting; fields as in `core.types.Dataset`.

    kind: "images" (points uint8 (n, h, w) or (n, h, w, 3)) or "table" (points float32 (n, d)).
    labels: -1 throughout and class_names () if the classes are not known. probs: float32 (n, c),
    one column per class in the order of class_names where the classes are known. columns: of a
    table or an .npz, what may hold labels, ids or a target. sides: the smallest and the largest
    (width, height) of the images as they came. left_out: rows that the file has and the draft has
    not. refused_ids: the fault for which the file's ids are not used.
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
    target: Floats | None = None

    def __len__(self) -> int:
        return len(self.points)

    def dataset(self) -> Dataset:
        """The dataset that it becomes when it is accepted."""
        also = {
            "feature_names": self.feature_names,
            "ids": self.ids,
            "probs": self.probs,
            "title": self.title,
            "target": self.target,
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
    target: float64 (n,) or (n, t), NaN is a blank. broken, large: bool (n,), rows with NaN or
    infinity, or beyond float32. lost: how many rows could not even be read.
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
    target: Floats | None = None
