"""Embeddings computed elsewhere, joined to a dataset by what its points are called.

Identity is never position: the file's column whose values are the dataset's ids is found whatever
its name; where two such columns disagree, the user has to choose. Two ids are the same if they
differ in nothing but their slashes, a leading ./, 100.0 for 100, how accented letters are composed,
or folders before them that all ids of one side share. Only a file of equal length without any such
column is joined in its order, and that has to be confirmed.
"""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Callable, Iterator

import numpy as np

from core.data.imports.draft import Draft, Fault
from core.data.imports.wording import as_word, some
from core.types import Dataset, Floats, Ints, UserError

MEND = (
    "Bring a table with one row for each point, with an id column that names the points as the"
    " dataset does."
)
COUNTS = ("row numbers", "pandas' index")  # why a column is the id that only counts the rows
LEFT_OUT = "Rows with"  # so begins what is said of rows that a gap costs
DEEPEST = 12  # folders that may stand before the ids of one side
Names = list[str]


def ids_of(dataset: Dataset) -> np.ndarray:
    """What a dataset's points are called, str (n,): its own ids, else the numbers of their rows
    from 0.
    """
    return dataset.index.astype(str) if dataset.ids is None else dataset.ids


def join(ids: np.ndarray, draft: Draft) -> tuple[Floats, tuple[Fault, ...]]:
    """(embedding (n, d) in the order of ids, faults).

    ids: str (n,), one per point, as `ids_of` gives them. draft: a table. Rows of the table that
    belong to no point are left out. A fault with `confirm` says that rows were joined by their
    order or their number in the file, since nothing in it names them. Raises UserError if the draft
    is no table, has a fatal fault or ids that cannot be used, if a point is missing, or if two
    columns could name the points and disagree.
    """
    if draft.kind != "table":
        raise UserError(
            f"{draft.title}: found images, expected a table of features. Bring .npy, .npz, Parquet"
            " or CSV."
        )
    for fault in draft.fatal:
        raise UserError(f"{draft.title}: {fault}")
    wanted = ids.tolist()
    for loose in (False, True):
        if found := _fitting(wanted, draft, loose=loose):
            _refuse_doubt(found, draft)
            return _joined(draft, *found[0], loose)
    if draft.refused_ids:
        raise UserError(f"{draft.title}: {draft.refused_ids.what} Make them unique, one a row.")
    return _by_number(wanted, draft)


def rows_of(wanted: Names, names: Names, *, loose: bool = False) -> Ints | None:
    """The row of `names` that each of the wanted ids is; None if one is missing or in doubt.

    loose: whatever the case of letters, the ending of a file's name, and zeros before a number.
    """
    for same in _readings(wanted, names, _bare if loose else _plain):
        rows: dict[str, int] = {}
        for row, name in enumerate(names):
            if rows.setdefault(same[1](name), row) != row:
                break
        else:
            found = [rows.get(same[0](name), -1) for name in wanted]
            if min(found) >= 0 and len(set(found)) == len(found):
                return np.array(found, np.int64)
    return None


def _readings(
    wanted: Names, names: Names, bare: Callable[[str], str]
) -> Iterator[tuple[Callable, Callable]]:
    """Ways to compare an id of the dataset and one of the file, the strictest first."""
    yield str, str
    yield bare, bare
    for depth in range(1, DEEPEST):
        yield from _cuts(depth, wanted, names, bare)


def _cuts(
    depth: int, wanted: Names, names: Names, bare: Callable[[str], str]
) -> list[tuple[Callable, Callable]]:
    """The first `depth` folders are passed over on one side, if all ids there share them."""

    def without(name: str) -> str:
        return bare(name).split("/", depth)[-1]

    def shared(side: Names) -> bool:
        starts = {tuple(bare(name).split("/")[:depth]) for name in side}
        deep = all(bare(name).count("/") >= depth for name in side)
        return deep and len(starts) == 1

    cuts: list[tuple[Callable, Callable]] = []
    if shared(names):
        cuts.append((bare, without))
    if shared(wanted):
        cuts.append((without, bare))
    return cuts


def _plain(name: str) -> str:
    name = unicodedata.normalize("NFC", name.strip()).replace("\\", "/")
    name = re.sub(r"^(\./)+", "", name).lstrip("/")
    return name[:-2] if re.fullmatch(r"-?\d+\.0", name) else name


def _bare(name: str) -> str:
    name = re.sub(r"(?<=[^./])\.[A-Za-z]{2,5}$", "", _plain(name)).casefold()
    return re.sub(r"(?<![^/])0+(?=\d+$)", "", name)


def _fitting(wanted: Names, draft: Draft, *, loose: bool) -> list[tuple[str, Ints]]:
    """(column, the row of each point) of every column that may name the rows and fits, likely ones
    first; only that one, if the user chose it. "" is the ids' name.

    Features that hold whole numbers come last. Where the ids only count, as many a measurement
    does, none names the rows by itself, but may speak against a column that only counts, too.
    """
    columns = {} if draft.ids is None else {"": draft.ids.tolist()}
    columns |= {name: [as_word(v) for v in values.tolist()] for name, values in draft.shown.items()}
    found = _those_that_fit(wanted, columns, loose)
    role = next((role for role in draft.roles if role.role == "id"), None)
    if found and found[0][0] == "" and role and role.why == "chosen":
        return found[:1]
    counted = set(wanted) == {str(i) for i in range(len(wanted))}
    if counted and (not found or not role or role.why not in COUNTS):
        return found
    return found + _those_that_fit(wanted, _whole_features(draft), loose)


def _those_that_fit(
    wanted: Names, columns: dict[str, Names], loose: bool
) -> list[tuple[str, Ints]]:
    tried = ((name, rows_of(wanted, names, loose=loose)) for name, names in columns.items())
    return [(name, rows) for name, rows in tried if rows is not None]


def _whole_features(draft: Draft) -> dict[str, Names]:
    """The features of a table of several whose whole numbers all differ."""
    found = {}
    for name, values in zip(draft.feature_names, draft.points.T, strict=True):
        whole = len(draft.feature_names) > 1 and np.ptp(values) >= len(values) - 1
        if whole and (values == np.floor(values)).all() and len(np.unique(values)) == len(values):
            found[name] = [as_word(value) for value in values.tolist()]
    return found


def _refuse_doubt(found: list[tuple[str, Ints]], draft: Draft) -> None:
    """A UserError if columns that fit would join the rows in different ways. What only counts the
    rows of the file does not speak against an id that is called so.
    """
    role = next((role for role in draft.roles if role.role == "id"), None)
    own = role.column if role else "the ids"
    first, rows = found[0]
    sure = first == "" and role is not None and role.why not in COUNTS
    rivals = [
        name
        for name, others in found[1:]
        if not np.array_equal(others, rows) and not (sure and (np.diff(others) == 1).all())
    ]
    other = next(iter(rivals), None)
    if other is None:
        return
    names = [first or own, other]
    options = " or ".join(f"--id {shlex.quote(name)}" for name in names)
    raise UserError(
        f"{draft.title}: found two columns that could name the points, {some(names)}, and they"
        f" disagree. Choose the right one as the ids (in a terminal {options})."
    )


def _joined(draft: Draft, name: str, rows: Ints, loose: bool) -> tuple[Floats, tuple[Fault, ...]]:
    faults = [*draft.faults]
    if loose:
        what = "The ids fit but for case, endings of files or zeros before a number."
        faults.append(Fault(what, "They are joined so."))
    points = draft.points
    if name in draft.feature_names:
        points = np.delete(points, draft.feature_names.index(name), axis=1)
    if name:
        faults.append(Fault(f"Column {some([name])} holds the ids.", "Rows are joined by it."))
    if extra := len(draft) - len(rows):
        faults.append(Fault(f"Rows that belong to no point: {extra:,}.", "They are left out."))
    return points[rows], tuple(faults)


def _by_number(wanted: Names, draft: Draft) -> tuple[Floats, tuple[Fault, ...]]:
    """Nothing in the file names its rows: in their order, or by their numbers where the dataset
    lacks rows of a file as long.
    """
    n = len(draft)
    if draft.ids is not None:
        raise _missing(wanted, draft)
    rows = np.arange(n) if n == len(wanted) else _numbered(wanted, n)
    if rows is None:
        lost = f" and {draft.left_out:,} left out" * bool(draft.left_out)
        raise UserError(
            f"{draft.title}: found {n:,} rows without ids{lost}, expected {len(wanted):,},"
            f" one for each point. {MEND}"
        )
    likely = [name for name, _ in _those_that_fit(wanted, _whole_features(draft), loose=False)]
    what = f" Column {some(likely)} could: choose it as the ids if it does." if likely else ""
    order = Fault(
        f"Nothing in the file names its rows for certain.{what}"
        if likely
        else "Nothing in the file names its rows.",
        "Joined in their order, the first row is the first point."
        if n == len(wanted)
        else "Joined by their numbers in the file, counted from 0, each row is a point.",
        confirm="The rows of the file are in the order of the points",
    )
    return draft.points[rows], (*draft.faults, order)


def _numbered(wanted: Names, n: int) -> Ints | None:
    """The wanted ids as rows of a file of n rows, if they are numbers of which the largest is the
    last.
    """
    if not all(re.fullmatch(r"\d{1,12}", name) for name in wanted):
        return None
    rows = np.array([int(name) for name in wanted], np.int64)
    return rows if rows.max() == n - 1 else None


def _missing(wanted: Names, draft: Draft) -> UserError:
    there = {_plain(name) for name in draft.ids.tolist()}
    missing = [name for name in wanted if _plain(name) not in there]
    found = (
        f"{len(missing):,} of {len(wanted):,} ids missing, such as {some(missing, 1)}"
        if missing
        else "ids that are the same once slashes and folders are compared"
    )
    if draft.left_out and "gaps" in draft.asks:
        gaps = next(fault.what for fault in draft.faults if fault.what.startswith(LEFT_OUT))
        return UserError(
            f"{draft.title}: found {found}, for rows were left out. {gaps} Write numbers there, or"
            " choose what goes in the place of gaps (in a terminal --gaps median, or --gaps columns"
            " to leave out the columns)."
        )
    lost = f" Rows left out of the file: {draft.left_out:,}." if draft.left_out else ""
    return UserError(
        f"{draft.title}: found {found}, expected every point.{lost} The file's ids look like"
        f" {some(draft.ids, 1)}. {MEND}"
    )
