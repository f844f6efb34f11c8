"""What was found in a user's file, before it is accepted: the draft, its faults, the user's
choices, and the limits of reading.

A draft is sound whatever the file was: shapes agree, values are finite, labels lie within the
classes, ids are unique. What had to give way for that is said in its faults. Nothing here touches a
disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from core.types import Bools, Dataset, Floats, Ints, UserError

Progress = Callable[[float | None, str], None]

MEGABYTE = 1_000_000
WORD = 200  # characters of a class name or an id


@dataclass(frozen=True)
class Limits:
    """What a file may ask for.

    file_bytes: of the file. unpacked_bytes: of an archive's members, or of a Parquet's pages,
    together. files: in an archive or a folder. rows, columns: of a table; columns also counts one
    image's values (pixels times channels). values: rows times columns. side: of the images that
    come out, in pixels. pixels: of one image that goes in; all_pixels: of all of them. classes:
    different labels.
    """

    file_bytes: int
    unpacked_bytes: int
    files: int
    rows: int
    columns: int
    values: int
    side: int
    pixels: int
    all_pixels: int
    classes: int

    @property
    def all_columns(self) -> int:
        """Features, and beside them label, id, split and one probability per class."""
        return self.columns + self.classes + 3


LOCAL = Limits(
    file_bytes=2_000 * MEGABYTE,
    unpacked_bytes=20_000 * MEGABYTE,
    files=1_000_000,
    rows=1_000_000,
    columns=65_536,
    values=1_000 * MEGABYTE,
    side=256,
    pixels=80 * MEGABYTE,
    all_pixels=100_000 * MEGABYTE,
    classes=1_000,
)
HOSTED = Limits(
    file_bytes=30 * MEGABYTE,
    unpacked_bytes=200 * MEGABYTE,
    files=20_000,
    rows=20_000,
    columns=4_096,
    values=20 * MEGABYTE,
    side=64,
    pixels=25 * MEGABYTE,
    all_pixels=400 * MEGABYTE,
    classes=200,
)


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
class Raw:
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


class TooMuch(UserError):
    """A file asks for more than its limits allow."""


@dataclass
class Allowance:
    """What is left of a limit. take(amount) lowers it; `TooMuch` where it runs out."""

    left: int
    what: str
    unit: str
    mend: str
    limit: int = field(init=False)

    def __post_init__(self):
        self.limit = self.left

    def take(self, amount: int) -> None:
        """Use up so much of it."""
        self.left -= amount
        if self.left < 0:
            raise TooMuch(
                f"{self.what}: found more than {size(self.limit)} {self.unit}, the most that is"
                f" read. {self.mend}"
            )


@contextmanager
def reading(what: str, mend: str) -> Iterator[None]:
    """Damaged files fail in more ways than can be listed: each becomes a UserError that says what
    could not be read.
    """
    try:
        yield
    except UserError:
        raise
    except MemoryError as error:
        raise UserError(
            f"{what}: found more than fits into memory, expected a smaller file. Bring fewer rows"
            " or columns."
        ) from error
    except Exception as error:
        raise UserError(f"{what}: found a damaged file that cannot be read. {mend}") from error


def word(text: str) -> str:
    """text on one line without surrounding blanks; what cannot be printed becomes a question
    mark.
    """
    return "".join(
        letter if letter.isprintable() else "?" for letter in " ".join(text[: 10 * WORD].split())
    )


def some(names: Iterable[object], most: int = 3) -> str:
    """ "a, b, c and 9 more", each shortened to what fits in a sentence."""
    names = list(names)
    shown = ", ".join(_short(word(str(name))) for name in names[:most])
    return shown + (f" and {len(names) - most:,} more" if len(names) > most else "")


def said(faults: list[Fault], last: int = 2) -> str:
    """The last faults as sentences, for the message that nothing could be used."""
    return " ".join(map(str, faults[-last:]))


def size(amount: int) -> str:
    """A number of bytes or pixels in a sentence: 30 million, or 12,345."""
    return f"{amount / MEGABYTE:,.3g} million" if amount >= MEGABYTE else f"{amount:,}"


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[: most - 20]}...{text[-17:]}"
