"""Tables, from Parquet or CSV: the points that their columns describe.

What each column is for is told in core/data/imports/tables/roles.py, how its cells are read in
columns.py. Text and numbers that are no features stay beside the points as columns that are
shown. CSV ids stay as they are written ("007"); a label 3.0 is "3", and 01 stays 01 where all
labels are so padded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from core.data.imports.archives import IMAGES
from core.data.imports.cleaning import (
    as_floats,
    check_size,
    draft_of,
    float_type,
    id_array,
    narrow,
    target_of_words,
)
from core.data.imports.draft import Choices, Draft, Fault, FoundRows, Role
from core.data.imports.file_limits import Limits
from core.data.imports.tables import roles
from core.data.imports.tables.assignment import Assignment
from core.data.imports.tables.class_names import class_names, named_classes
from core.data.imports.tables.columns import Column, columns_of
from core.data.imports.tables.csv_table import parse_csv
from core.data.imports.tables.label_columns import has_marks, without_marks
from core.data.imports.tables.pandas_index import pandas_index
from core.data.imports.tables.parquet_limits import MEND, open_parquet, read_columns
from core.data.imports.tables.split_columns import test_rows
from core.data.imports.wording import LONGEST_WORD, damage_reported, some
from core.types import Floats, Ints, UserError

if TYPE_CHECKING:
    import pyarrow as pa

LONG_TEXT = 30  # letters in a cell, on average
SHOWN = 30  # columns that are kept beside the points
DAMAGE = "Write the table anew, with plain columns of numbers and text."
Written = Callable[[str], "pa.ChunkedArray"]


def read_csv(
    data: bytes, title: str, limits: Limits, choices: Choices, faults: list[Fault]
) -> Draft:
    """The draft of a CSV file."""
    parsed = parse_csv(data, title, limits, faults, header=choices.header)
    rows = parsed.table.num_rows
    check_size((rows, 1 if rows else parsed.table.num_columns), title, limits)
    with damage_reported(title, DAMAGE):
        columns = columns_of(
            parsed.table,
            faults,
            separator=parsed.separator,
            padded=parsed.padded(),
            as_written=parsed.as_written,
        )
        found = roles.assign(columns, choices, faults)
        asks = frozenset({"header"} if parsed.doubtful or choices.header is not None else ())
        rows = _rows(found, parsed.as_written, title, limits, choices, faults)
        rows.asks |= asks
        rows = _without_nothing(rows, found, parsed.nothing, faults)
        return draft_of(rows, title, limits, choices, faults)


def read_parquet(
    data: bytes, title: str, limits: Limits, choices: Choices, faults: list[Fault]
) -> Draft:
    """The draft of a Parquet file."""
    file = open_parquet(data, title, limits)
    with damage_reported(title, MEND):
        schema = file.schema_arrow
    if len(set(schema.names)) < len(schema.names):
        raise UserError(f"{title}: found two columns of one name, expected different ones. {MEND}")
    check_size((file.metadata.num_rows, 1), title, limits)
    table = read_columns(file, data, _readable(schema), title, limits)
    with damage_reported(title, DAMAGE):
        index, numbers = pandas_index(schema)
        for name, names in class_names(schema).items():
            if name in table.column_names:
                column = Column(name, table[name])
                place = table.column_names.index(name)
                table = table.set_column(place, name, named_classes(column, names))
        columns = columns_of(table, faults)
        found = roles.assign(columns, choices, faults, index)
        for name in schema.names:
            if name not in found.roles:
                found.settle(name, "left out", "values of several parts")
        _note_left_out(found, faults)
        written = lambda name: table[name]  # noqa: E731  # as in the file
        rows = _rows(found, written, title, limits, choices, faults)
        if numbers is not None:
            rows.numbers = numbers[0] + numbers[1] * np.arange(len(rows.points))
        return draft_of(rows, title, limits, choices, faults)


def _readable(schema: pa.Schema) -> list[str]:
    """The columns that are read: numbers, lists, and what else has one value in every row, of which
    so many are kept.
    """
    columns = [(field.name, field.type) for field in schema]
    from core.data.imports.tables import columns as held

    numbers = [
        name for name, kind in columns if held.is_number(kind) or held.is_list_of_numbers(kind)
    ]
    import pyarrow.types as is_

    others = [n for n, kind in columns if n not in set(numbers) and not is_.is_nested(kind)]
    wanted = {*numbers, *others[: 2 * SHOWN]}
    return [name for name, _ in columns if name in wanted]


def _note_left_out(found: Assignment, faults: list[Fault]) -> None:
    left = [role.column for role in found.roles.values() if role.why == "values of several parts"]
    if left:
        faults.append(
            Fault(
                f"Columns of several values in a cell: {some(left)}.",
                "They are left out. Give each part a column of its own.",
            )
        )


def _rows(
    found: Assignment,
    as_written: Written,
    title: str,
    limits: Limits,
    choices: Choices,
    faults: list[Fault],
) -> FoundRows:
    rows = _features(found, title, limits)
    if label := found.one("label"):
        rows.labels = _labels(label, as_written, choices, faults)
        if has_marks(label.distinct):
            rows.asks |= {"marks"}
    if columns := [found.columns[name] for name in found.named("probability")]:
        rows.probs = np.column_stack([column.numbers() for column in columns])
        rows.prob_names = tuple(_class_of(found.roles[column.name]) for column in columns)
    if target := found.one("target"):
        rows.target = _target(target, faults)
    if named := found.one("id"):
        rows.ids = id_array(*Column(named.name, as_written(named.name)).coded, faults)
    if split := found.one("split"):
        rows.test = test_rows(split, faults)
    rows.columns = tuple(name for name, column in found.columns.items() if column.is_flat)
    rows.roles = tuple(found.roles[name] for name in dict.fromkeys((*found.columns, *found.roles)))
    rows.shown = _shown(found, as_written, faults)
    return rows


def _without_nothing(
    rows: FoundRows, found: Assignment, count: int, faults: list[Fault]
) -> FoundRows:
    """Rows of separators alone, as Excel leaves them below a table, are none."""
    if not count:
        return rows
    nothing = np.ones(len(rows.points), bool)
    for column in found.columns.values():
        words, codes = column.coded if column.is_flat else ([""], np.ones(len(nothing), int))
        nothing &= np.array([not word for word in words], bool)[codes]
    if nothing.sum() != count or nothing.all():
        return rows
    shown = some([f"{row:,}" for row in np.flatnonzero(nothing)[:3]], 3)
    what = f"Rows of empty cells alone: {count:,}, the first being {shown}."
    faults.append(Fault(what, "They are passed over."))
    return rows.only(~nothing)


def _class_of(role: Role) -> str:
    return role.why.removeprefix("of class ") if role.why != "chosen" else role.column


def _features(found: Assignment, title: str, limits: Limits) -> FoundRows:
    features = [found.columns[name] for name in found.named("feature")]
    if not features:
        flat = sum(column.is_flat for column in found.columns.values())
        raise UserError(
            f"{title}: found no features in {flat:,} column{'s' * (flat != 1)}, expected columns of"
            f" numbers, or one column of lists of equal length. {_mend_without_features(found)}"
        )
    if features[0].is_list:
        return _vectors(features[0], title, limits)
    return _numbers(features, title, limits)


def _mend_without_features(found: Assignment) -> str:
    """What can be done with a table without numbers, by what it has instead: not a word of it."""
    if any(role.why == "written by this app" for role in found.roles.values()):
        return "Scores that were taken out of this app are read back under that name."
    for place, name in enumerate(dict.fromkeys((*found.columns, *found.roles)), 1):
        column, role = found.columns.get(name), found.roles[name]
        if column is None or role.why == "values of several parts":
            return f"Column {place} holds several values in a cell: give each a column of its own."
        if column.is_number and role.role != "id":
            return (
                f"Column {place} has the role {role.role}: give it, or another, the role feature."
            )
    for place, column in enumerate(found.columns.values(), 1):
        words = column.distinct if column.is_text else set()
        if words and all(word.lower().endswith(IMAGES) for word in words):
            return f"Column {place} names images: pack them and this table into one zip."
        if words and sum(map(len, words)) > LONG_TEXT * len(words):
            return (
                f"Column {place} holds text: compute an embedding of it, and bring that, a row of"
                " numbers for each text."
            )
    return (
        "Write numbers in the place of words: pandas.get_dummies(table).to_csv('new.csv',"
        " index=False) gives each word a column of 0 and 1."
    )


def _numbers(columns: list[Column], title: str, limits: Limits) -> FoundRows:
    """The points of columns of numbers; NaN where there is none."""
    n = len(columns[0])
    check_size((n, len(columns)), title, limits)
    wide = [float_type(column.numbers()) for column in columns]
    out = np.empty((n, len(columns)), np.result_type(*set(wide)))
    large = np.zeros(n, bool)
    for j, column in enumerate(columns):
        narrow(out[:, j], column.numbers(), large)
    names = tuple(column.name for column in columns)
    exact = tuple(name for name, kind in zip(names, wide, strict=True) if kind == np.float64)
    return FoundRows(out, feature_names=names, large=large, exact=exact)


def _vectors(column: Column, title: str, limits: Limits) -> FoundRows:
    """The points of one column of lists; a missing list is a row without numbers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    lengths = pc.list_value_length(column.values).to_numpy(zero_copy_only=False)  # type: ignore[attr-defined]  # made when it is imported
    missing = np.asarray(column.values.is_null().to_numpy(zero_copy_only=False), bool)
    found = np.unique(lengths[~missing]).astype(np.int64)
    if len(found) != 1 or found[0] < 1:
        shown = (
            "no lists" if not len(found) else f"lists of {found.min():,} to {found.max():,} numbers"
        )
        raise UserError(
            f"{title}: found {shown} in column {some([column.name])}, expected lists of one length."
            " Fill or remove the odd rows."
        )
    d = int(found[0])
    check_size((len(column), d), title, limits)
    flat = pc.list_flatten(column.values).cast(pa.float64(), safe=False).to_numpy()  # type: ignore[attr-defined]  # as above
    values, some_large, exact = as_floats(flat.reshape(-1, d))
    out = np.full((len(column), d), np.nan, values.dtype)
    out[~missing] = values
    large = np.zeros(len(out), bool)
    large[~missing] = some_large
    names = tuple(f"{column.name} {j}" for j in range(d))
    return FoundRows(out, feature_names=names, large=large, exact=tuple(names[j] for j in exact))


def _labels(
    label: Column, as_written: Written, choices: Choices, faults: list[Fault]
) -> tuple[list[str], Ints]:
    """(words, codes); "" for what says that there is no label yet."""
    words, codes = label.coded
    if label.is_number:
        padded, written = Column(label.name, as_written(label.name)).coded
        digits = {word for word in padded if word}
        lengths = {len(word) for word in digits}
        if all(map(str.isdigit, digits)) and len(lengths) == 1 and len(digits) > 1:
            words, codes = padded, written
    return without_marks(words, codes, choices.marks_are_classes, faults)


def _target(column: Column, faults: list[Fault]) -> Floats | None:
    """float64 (n,), NaN where a cell is empty; None with a fatal fault if there is text in it."""
    if column.is_number:
        return column.numbers()
    return target_of_words(*column.coded, f"Target column {some([column.name])}", faults)


def _shown(found: Assignment, as_written: Written, faults: list[Fault]) -> dict[str, np.ndarray]:
    """The columns that stand beside the points: numbers as they are, all else as text."""
    names = found.named("shown only")
    if len(names) > SHOWN:
        faults.append(
            Fault(
                f"Columns to show: {len(names):,}, of which {SHOWN} are kept.",
                f"Left out are {some(names[SHOWN:])}.",
            )
        )
    return {name: _as_shown(found.columns[name], as_written) for name in names[:SHOWN]}


def _as_shown(column: Column, as_written: Written) -> np.ndarray:
    if column.is_number and not column.counts_rows and not column.padded:
        return column.numbers()
    if column.is_list:
        words = [str(value)[:LONGEST_WORD] for value in column.values.to_pylist()]
        return np.array(words, dtype=str)
    words, codes = Column(column.name, as_written(column.name)).coded
    return np.array([word[:LONGEST_WORD] for word in words], dtype=str)[codes]
