"""Which column names the rows, and which only count them?"""

from __future__ import annotations

import re

from core.data.imports.draft import Fault
from core.data.imports.tables.assignment import Assignment
from core.data.imports.tables.columns import Column
from core.data.imports.wording import some

IDS = ("id", "ids", "uid", "uuid")
ID_ENDS = ("id", "ids", "uid", "uuid", "guid", "key", "name", "path", "file", "filename", "image")
ID_ENDS += ("filepath", "index", "url", "uri")
ROW_NUMBERS = re.compile(
    r"unnamed 1|unnamed: 0(\.\d+)?|__index_level_\d+__|index|level_0|row|row_?number", re.I
)
COUNTED = frozenset("time timestamp date day week month year age step epoch rank order".split())
FEW_ROWS = 8  # in fewer, whole numbers in a row may well be measured


def find_id(found: Assignment) -> None:
    """The column that names the rows; others that do are shown only."""
    likely = sorted(_id_candidates(found), key=lambda column: _id_place(column, found))
    if found.choices.id is None and not found.one("id"):
        unique = next((column for column in likely if column.is_unique), None)
        strict = next((column for column in likely if column.name.lower() in IDS), None)
        if (strict is not None and unique is None) or (strict is unique and unique is not None):
            found.settle(strict, "id", f"its name is {strict.name}")
        elif unique is not None:
            found.settle(unique, "id", _why_id(unique, found))
    if found.choices.id == "":
        likely = [column for column in likely if _is_row_number(column, found)]
    for column in likely:
        if column.name not in found.roles and (column.is_unique or _is_row_number(column, found)):
            _set_aside(found, column)


def _set_aside(found: Assignment, column: Column) -> None:
    other = found.one("id")
    why = "pandas' index" if column.name in found.index else "row numbers"
    how = "It is shown, and is no feature. Give it another role if it is measured."
    if other and column.is_unique:
        why = f"different in each row, and {other.name} is the id"
        how = "It is shown, and is no feature. Give it the role id if it names the rows."
    found.settle(column, "shown only", why)
    found.faults.append(Fault(f"Column {some([column.name])}: {why}.", how))


def _why_id(column: Column, found: Assignment) -> str:
    if column.name in found.index:
        return "pandas' index"
    named = _sounds_like_id(column) and column.name.lower() != "index"
    return "its name, and a different value in each row" if named else "row numbers"


def _id_candidates(found: Assignment) -> list[Column]:
    return [
        column
        for column in found.free
        if column.is_flat and (_sounds_like_id(column) or _is_row_number(column, found))
    ]


def _sounds_like_id(column: Column) -> bool:
    """id, sample_id, PassengerId, file name: the last word of the name says so."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", column.name)
    words = re.split(r"[^a-z0-9]+", spaced.lower().strip())
    return words[-1] in ID_ENDS and not column.has_fractions


def _is_row_number(column: Column, found: Assignment) -> bool:
    """pandas' index, a nameless column of whole numbers, or whole numbers without a gap under any
    name that does not speak of something counted.
    """
    if column.name in found.index:
        return True
    if ROW_NUMBERS.fullmatch(column.name):
        return column.is_whole or column.is_text
    words = set(re.split(r"[^a-z]+", column.name.lower()))
    spoken = len(column.name) == 1 or words & COUNTED or re.fullmatch(r"column \d+", column.name)
    return len(column) >= FEW_ROWS and not spoken and column.counts_rows


def _id_place(column: Column, found: Assignment) -> int:
    """Which of several candidates is the id: a name before pandas' index, that before a count."""
    if column.name.lower() in IDS:
        return 0
    if column.name in found.index:
        return 2 + bool(ROW_NUMBERS.fullmatch(column.name))
    return 1 if _sounds_like_id(column) and column.name.lower() != "index" else 3
