"""Which column says the parts, and which rows does it set aside for testing?"""

from __future__ import annotations

import re

import numpy as np

from core.data.imports.draft import Fault
from core.data.imports.tables.assignment import Assignment
from core.data.imports.tables.columns import Column
from core.data.imports.usual_names import SPLITS, TEST, TRAIN
from core.data.imports.wording import some
from core.types import Bools


def find_split(found: Assignment) -> None:
    """Words of parts whatever the column's name, or truth under a name that says of what."""
    if found.one("split"):
        return
    for column in found.free:
        if not column.is_text:
            continue
        words = {word.lower() for word in column.distinct}
        parts = words <= {*TRAIN, *TEST} and bool(words & {*TRAIN})
        if column.name.lower() == "split" or (parts and bool(words & {*TEST})):
            found.settle(column, "split", "its words name parts")
            break
    else:
        _find_truths(found)
    for column in found.free:
        if column.name.lower() in SPLITS and column.is_number:
            found.settle(column, "shown only", "its numbers do not say which part is for testing")
            found.faults.append(
                Fault(
                    f"Column {column.name}: found numbers, expected words such as train and test.",
                    "It is shown, and is no feature. Write train and test in its place to use it.",
                )
            )


def _find_truths(found: Assignment) -> None:
    for column in found.free:
        if column.is_number and is_truth(column) and truth_of(column.name) is not None:
            if found.one("split"):
                found.settle(column, "shown only", "another column says the parts")
            else:
                found.settle(column, "split", "its truth values say which rows are for testing")


def truth_of(name: str) -> bool | None:
    """Does a true value under this name mean a test row? None if the name does not say."""
    words = [word for word in re.split(r"[^a-z]+", name.lower()) if word not in ("", "is", "in")]
    if len(words) != 1:
        return None
    if words[0] in (*TEST, "istest"):
        return True
    return False if words[0] in (*TRAIN, "istrain") else None


def is_truth(column: Column) -> bool:
    """Nothing but 0 and 1, or true and false."""
    return bool(np.isin(column.numbers(), (0, 1)).all())


def test_rows(column: Column, faults: list[Fault]) -> Bools | None:
    """Which rows a split column sets aside for testing; None, with a fault, if it does not say."""
    if column.is_number:
        truth = truth_of(column.name)
        if truth is None or not is_truth(column):
            found = "numbers" if truth is None else some(column.distinct)
            _note_split(column, found, faults)
            return None
        return (column.numbers() == 1) == truth
    words, codes = column.coded
    lower = [word.lower() for word in words]
    used = {lower[code] for code in np.unique(codes)}
    if not used <= {*TRAIN, *TEST}:
        _note_split(column, some(word or "a blank" for word in sorted(used)), faults)
        return None
    kinds = used & {*TEST}
    if len(used) > 2 or not kinds & {"test", "testing"}:
        faults.append(
            Fault(
                f"Column {column.name}: found {some(sorted(used))}.",
                "All but the training part count as test rows.",
            )
        )
    return np.array([word in TEST for word in lower])[codes]


def _note_split(column: Column, found: str, faults: list[Fault]) -> None:
    faults.append(
        Fault(
            f"Column {column.name}: found {found}, expected train and test.",
            "It is not used: all are training rows.",
        )
    )
