"""Which column names the rows, and which only count them?"""

from __future__ import annotations

import re

import numpy as np

from core.data.imports.draft import Fault
from core.data.imports.tables.assignment import Assignment
from core.data.imports.tables.columns import Column
from core.data.imports.tables.label_columns import speaks_of_classes
from core.data.imports.wording import some

IDS = ("id", "ids", "uid", "uuid")
ID_ENDS = ("id", "ids", "uid", "uuid", "guid", "key", "name", "path", "file", "filename", "image")
ID_ENDS += ("filepath", "index", "idx", "url", "uri")
NUMBERS = ("number", "nummer", "nr", "no")  # names the rows if all are different, and is told
GROUPS = (
    "subject",
    "patient",
    "participant",
    "user",
    "customer",
    "person",
    "respondent",
    "proband",
)
COUNTERS = ("index", "idx")  # name the rows, where nothing else does
NAMELESS = re.compile(r"unnamed 1|unnamed: 0(\.\d+)?|__index_level_\d+__", re.I)
ROW_NUMBERS = re.compile(rf"{NAMELESS.pattern}|index|level_0|row|row_?number", re.I)
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
            _note_doubtful(unique, found)
    if found.choices.id == "":
        likely = [column for column in likely if _is_row_number(column, found)]
    for column in likely:
        if column.name not in found.roles and (column.is_unique or _is_row_number(column, found)):
            _set_aside(found, column)


def _note_doubtful(column: Column, found: Assignment) -> None:
    """Whole numbers that are taken for the rows' names may well be measured."""
    named = _last_word(column.name) in ID_ENDS or ROW_NUMBERS.fullmatch(column.name)
    if column.is_number and not named and column.name not in found.index:
        held = "whole numbers in a row" if column.counts_rows else "a whole number of its own"
        what = f"Column {some([column.name])}: found {held}, one for each point."
        how = "It is the id, and no feature. Give it the role feature if it is measured."
        found.faults.append(Fault(what, how))


def note_names(found: Assignment) -> None:
    """Features of whole numbers that rather name something than measure it."""
    for name in found.named("feature"):
        column = found.columns[name]
        if found.roles[name].why == "chosen" or not column.is_whole or speaks_of_classes(name):
            continue
        own = name == "column 1" and len(column) >= FEW_ROWS and column.is_unique
        repeats = _last_word(name) in (*IDS, *GROUPS) and not column.is_unique
        if own:
            what = "Column 1: found a different whole number in each row."
            how = "It is a feature. Give it the role id if it names the rows."
        if repeats:
            what = (
                f"Column {some([name])}: found {len(column.distinct):,} whole numbers that repeat."
            )
            how = "It is a feature. Give it the role shown only if its numbers are only names."
        if own or repeats:
            found.faults.append(Fault(what, how))


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
    named = _sounds_like_id(column) and column.name.lower() not in COUNTERS
    return "its name, and a different value in each row" if named else "row numbers"


def _id_candidates(found: Assignment) -> list[Column]:
    return [
        column
        for column in found.free
        if column.is_flat and (_sounds_like_id(column) or _is_row_number(column, found))
    ]


def _sounds_like_id(column: Column) -> bool:
    """id, sample_id, PassengerId, file name: the last word of the name says so; a number does if
    all are different.
    """
    last = _last_word(column.name)
    if last.endswith(NUMBERS[:2]) or last in NUMBERS:
        if ROW_NUMBERS.fullmatch(column.name):
            return False
        return column.is_unique and (column.is_whole or column.is_text)
    return last in ID_ENDS and not column.has_fractions


def _last_word(name: str) -> str:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    words = re.findall(r"[^\W_]+", spaced.lower())
    return words[-1] if words else ""


def _is_row_number(column: Column, found: Assignment) -> bool:
    """pandas' index, a nameless column of whole numbers, or whole numbers without a gap under any
    name that does not speak of something counted. Under a name such as row or index all have to
    differ, or to begin anew, as where tables were stacked.
    """
    if column.name in found.index:
        return True
    if NAMELESS.fullmatch(column.name):
        return column.is_whole or column.is_text
    if ROW_NUMBERS.fullmatch(column.name):
        different = column.is_unique and (column.is_whole or column.is_text)
        return different or (column.name.lower() in ("index", "level_0") and _begins_anew(column))
    spoken = speaks_of_a_count(column.name) or re.fullmatch(r"column \d+", column.name)
    return len(column) >= FEW_ROWS and not spoken and column.counts_rows


def _begins_anew(column: Column) -> bool:
    """Whole numbers that go up by one from 0 or 1, again and again."""
    if not column.is_whole:
        return False
    numbers = column.numbers()
    anew = numbers == numbers[0]
    return bool(numbers[0] in (0, 1) and (anew[1:] | (np.diff(numbers) == 1)).all())


def speaks_of_a_count(name: str) -> bool:
    """A letter alone, or a word for what is counted in ones, such as a time or an age."""
    return len(name) == 1 or bool({*re.split(r"[^a-z]+", name.lower())} & COUNTED)


def _id_place(column: Column, found: Assignment) -> int:
    """Which of several candidates is the id: a name before pandas' index, that before a count."""
    if column.name.lower() in IDS:
        return 0
    if column.name in found.index:
        return 2 + bool(ROW_NUMBERS.fullmatch(column.name))
    return 1 if _sounds_like_id(column) and column.name.lower() not in COUNTERS else 3
