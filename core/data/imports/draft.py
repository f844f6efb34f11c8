"""What was found in a user's file, before it is accepted: the draft, its faults and the user's
choices.

A draft is sound whatever the file was: shapes agree, values are finite, labels lie within the
classes, ids are unique. What had to give way for that is said in its faults. Nothing here touches a
disk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from core.data.imports.wording import some
from core.types import Bools, Dataset, Floats, Ints, UserError

Progress = Callable[[float | None, str], None]


@dataclass(frozen=True)
class Fault:
    """what: found (and expected). mend: how to mend it, or what is done about it.

    fatal: the draft cannot be accepted as it is. confirm: it is kept once the user says that this
    sentence is so.
    """

    what: str
    mend: str
    fatal: bool = False
    confirm: str = ""

    def __str__(self) -> str:
        return f"{self.what} {self.mend}"


GAPS = ("rows", "columns", "median")
ROLES = ("feature", "label", "target", "id", "split", "probability", "shown only", "left out")


@dataclass(frozen=True)
class Role:
    """What a column of a table is taken for, one of `ROLES`, and why."""

    column: str
    role: str
    why: str


@dataclass(frozen=True)
class Choices:
    """What the user may choose at the preview; None: found by itself.

    side: images are brought to side x side pixels. label, id, target: the column of a table, or the
    array of an .npz, that holds them, "" for none. roles: (column, role) of any other column of a
    table. header: does the first line of a text name the columns? gaps: what goes where a table has
    no number: "rows", "columns", or "median" to fill them. marks_are_classes: else labels such as
    -1, NA and ? mean that there is none yet.
    """

    side: int | None = None
    label: str | None = None
    id: str | None = None
    target: str | None = None
    roles: tuple[tuple[str, str], ...] = ()
    header: bool | None = None
    gaps: str | None = None
    marks_are_classes: bool = False

    def __post_init__(self):
        for column, role in self.roles:
            if role not in ROLES:
                raise UserError(
                    f"Role of column {column}: found {role!r}, expected one of {', '.join(ROLES)}."
                )
        if self.gaps not in (None, *GAPS):
            raise UserError(f"Gaps: found {self.gaps!r}, expected one of {', '.join(GAPS)}.")


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

    kind: "images" (points uint8 (n, h, w) or (n, h, w, 3)) or "table" (points float32 (n, d), or
    float64 where float32 would lose the differences of a column). labels: -1 for a point that has
    none yet; class_names () if no point has one. probs: float32 (n, c), one column per class in the
    order of class_names where the classes are known. ids: of the file, else the rows' numbers in
    the file, from 0, where rows are left out. columns: of a table or an .npz, what may hold labels,
    ids or a target. roles: of every column of a table. shown: columns that are no features and
    stand beside the points, by name: text or numbers (n,). sides: the smallest and the largest
    (width, height) of the images as they came. left_out: rows that the file has and the draft has
    not. refused_ids: the fault for which the file's ids are not used. asks: the choices that matter
    for this file, of "header", "gaps" and "marks".
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
    roles: tuple[Role, ...] = ()
    shown: Mapping[str, np.ndarray] = field(default_factory=dict)
    asks: frozenset[str] = frozenset()

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
            "shown": self.shown,
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

    points: of a table with NaN and infinity as they are. labels: (words, code of each row); the
    word "" is a blank. ids: str (n,), "" is a blank. probs: (n, c), with the class of each column
    in prob_names, or () if they follow the classes in order. target: float64 (n,) or (n, t), NaN is
    a blank. large: bool (n,), rows beyond float32. exact: columns that float32 would not keep.
    lost: how many rows could not even be read. numbers: of the rows in the file, where they are not
    0, 1, 2, ... shown, roles, asks: as in `Draft`.
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
    broken: Bools | None = None  # images with NaN or infinity
    large: Bools | None = None
    exact: tuple[str, ...] = ()
    lost: int = 0
    target: Floats | None = None
    numbers: Ints | None = None
    roles: tuple[Role, ...] = ()
    shown: dict[str, np.ndarray] = field(default_factory=dict)
    asks: frozenset[str] = frozenset()

    def only(self, keep: Bools) -> FoundRows:
        """These rows alone; they keep their numbers in the file."""
        arrays = ("points", "ids", "probs", "test", "broken", "large", "target")
        held = {name: getattr(self, name) for name in arrays}
        kept = {name: values[keep] for name, values in held.items() if values is not None}
        if self.labels is not None:
            kept["labels"] = (self.labels[0], self.labels[1][keep])
        numbers = np.arange(len(keep)) if self.numbers is None else self.numbers
        if self.numbers is not None or not keep[: int(keep.sum())].all():
            kept["numbers"] = numbers[keep]
        shown = {name: values[keep] for name, values in self.shown.items()}
        return replace(self, **kept, shown=shown)
