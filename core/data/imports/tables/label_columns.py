"""Which column says the classes, which the numbers that a regression learns, and which only repeat
the classes?
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np

from core.data.imports.draft import Fault
from core.data.imports.tables.assignment import Assignment
from core.data.imports.tables.columns import NO_LABEL, Column
from core.data.imports.usual_names import LABEL_WORDS, LABELS
from core.data.imports.wording import some
from core.types import Bools, Ints

SURE = ("label", "labels", "class", "classes")  # whatever such a column holds
FEW = 10  # different numbers in a `y` that do not count from 0 or 1 may well be measured
MANY = 100  # different numbers in a `y` are no classes any more
CALLED = re.compile(
    r"(?:(?<![a-z])|super|sub)(?:label|class|klasse|target|categor|species|outcome)|^y$"
)
FRACTIONS = (
    "Choose a column of classes, or none. Values that are measured are no classes; a regression can"
    " learn them: choose the column as the target."
)


def find_label(found: Assignment) -> None:
    """By its name, if what it holds can be classes."""
    if found.choices.label is not None or found.one("label"):
        return
    by_name = {column.name.lower(): column for column in reversed(found.free) if column.is_flat}
    for name in (*LABELS, *LABEL_WORDS):
        column = by_name.get(name)
        if column is None or (name not in SURE and not are_classes(column)):
            continue
        found.settle(column, "label", f"its name is {column.name}")
        check_label(found)
        _note_doubtful(found, column)
        return
    _find_word_without_name(found)


def _note_doubtful(found: Assignment, label: Column) -> None:
    """Few whole numbers may be measured: under a name that is rather one of words, as y beside x,
    and where they do not count from 0 or 1.
    """
    name = label.name.lower()
    if not label.is_number or name in SURE:
        return
    count = len(label.distinct)
    beside = name == "y" and any(other.lower() == "x" for other in found.columns)
    if beside or name in LABEL_WORDS or may_be_measured(label.numbers()):
        what = f"Column {some([label.name])}: found {count} whole numbers{' beside x' * beside}."
        how = "They are the classes. If they are measured, give it the role feature or target."
        found.faults.append(Fault(what, how))


def speaks_of_classes(name: str) -> bool:
    """Is the column called as people call classes? ClassId and superclass are, Pclass is not."""
    return CALLED.search(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()) is not None


def check_label(found: Assignment) -> None:
    """Measurements that were chosen as the label are a matter for the user."""
    label = found.one("label")
    if label is not None and label.has_fractions:
        found.faults.append(
            Fault(
                f"Label column {some([label.name])}: found fractions, expected classes.",
                FRACTIONS,
                fatal=True,
            )
        )
        found.settle(label, "left out", "fractions are no classes")


def _find_word_without_name(found: Assignment) -> None:
    """In a table without a header: the first or the last column, if it holds words that repeat."""
    if not all(re.fullmatch(r"column \d+", name) for name in found.columns):
        return
    ends = list(found.columns.values())
    words = [column for column in found.free if column.is_text and not column.is_unique]
    word = next((column for column in (ends[-1], ends[0]) if column in words), None)
    if word is not None and len(words) == 1:
        found.settle(word, "label", "the only words of a table without names")
        found.faults.append(
            Fault(f"{word.name.capitalize()} holds words that repeat.", "They are the labels.")
        )


def find_target(found: Assignment) -> None:
    """A y or a target that is no label is what a regression learns; beside x, y is a coordinate."""
    if found.choices.target is not None or found.one("target"):
        return
    by_name = {column.name.lower(): column for column in found.free if column.is_number}
    column = by_name.get("target") or by_name.get("y")
    if column is None or _repeats(column, found.one("label")):
        return
    if column.name.lower() == "y" and "x" in by_name:
        if found.choices.label is None and not found.one("label"):
            held = "fractions" if column.has_fractions else "many whole numbers"
            found.faults.append(
                Fault(
                    f"Column y: found {held}, which are no classes.",
                    "It is taken as a feature beside x. Choose it as the target for a regression.",
                )
            )
        return
    if found.choices.label is not None and not found.choices.label:
        return
    label = found.one("label")
    few = label is not None and are_classes(column)
    why = f"numbers beside the label {label.name}" if few else "numbers with many values"
    found.settle(column, "target", why)
    what = f"Column {column.name}: found {why}{', which are no classes' * (not few)}."
    found.faults.append(Fault(what, "They are the target of a regression, and no feature."))


def are_classes(column: Column) -> bool:
    """Words, or whole numbers that are few enough to be classes."""
    return not column.is_number or few_whole_numbers(column.numbers())


def few_whole_numbers(numbers: np.ndarray) -> bool:
    """Are these whole numbers that can be classes? Two, or of 0, 1, 2, ... at most half as many as
    rows, or ten of which one comes again; of others a quarter.
    """
    numbers = numbers[np.isfinite(numbers)]
    if (numbers != np.floor(numbers)).any() or not len(numbers):
        return False
    values = _without_marks(numbers)
    count = len(values)
    most = len(numbers) / 4
    if count_from_the_start(values):
        most = max(len(numbers) / 2, min(FEW, len(numbers) - 1))
    return count <= 2 or count <= min(MANY, most)


def _without_marks(numbers: np.ndarray) -> np.ndarray:
    values = np.unique(numbers)
    return values[values >= 0] if len(values) > 2 else values


def count_from_the_start(values: np.ndarray) -> bool:
    """Are the different numbers, in order, 0, 1, 2, ... or 1, 2, 3, ...?"""
    return bool(values[0] in (0, 1) and values[-1] - values[0] == len(values) - 1)


def may_be_measured(numbers: np.ndarray) -> bool:
    """Are these classes so many, or so far apart, that they are told?"""
    values = _without_marks(numbers[np.isfinite(numbers)])
    return len(values) > FEW and not count_from_the_start(values)


def find_repeated_labels(found: Assignment) -> None:
    """A copy or a function of the label is no feature: it would tell the answer."""
    label = found.one("label")
    if label is None:
        return
    told = []
    for column in found.free:
        if (column.is_number or column.is_text) and _repeats(column, label):
            found.settle(column, "shown only", f"repeats what {label.name} says")
            told.append(column.name)
    if told:
        found.faults.append(
            Fault(
                f"Columns that repeat the label {label.name}: {some(told)}.",
                "They are shown, and are no features: they would tell the answer. Give them another"
                " role if they are measured.",
            )
        )


def _repeats(column: Column, label: Column | None) -> bool:
    """Has the column one value for each class, and not the same for all?

    In few rows that happens by chance: then its name has to speak of a label, too.
    """
    if label is None or not column.is_flat:
        return False
    _, classes = label.coded
    present, first, counts = np.unique(classes, return_index=True, return_counts=True)
    values = column.numbers() if column.is_number else column.coded[1]
    if len(present) < 2 or not _same_within(values, classes, present, first):
        return False
    kinds = len(np.unique(values[first]))
    speaks = speaks_of_classes(column.name)
    if kinds == len(present):
        return (speaks and bool(counts.max() > 1)) or (counts.min() >= 3 and len(values) >= 12)
    return kinds > 1 and (speaks or len(values) >= 20 * len(present))


def _same_within(values: np.ndarray, classes: Ints, present: Ints, first: Ints) -> bool:
    of_class = np.zeros(int(present.max()) + 1, np.int64)
    of_class[present] = first
    head = slice(0, 256)
    if (values[head] != values[of_class[classes[head]]]).any():
        return False
    return bool((values == values[of_class[classes]]).all())


def without_marks(
    words: list[str], codes: Ints, marks_are_classes: bool, faults: list[Fault]
) -> tuple[list[str], Ints]:
    """Labels with "" for what says that there is none yet; the marks among them are told."""
    gone = no_label(words, marks_are_classes)
    marks = [word for word, lost in zip(words, gone, strict=True) if lost and not is_blank(word)]
    if marks:
        rows = int(np.isin(codes, [words.index(mark) for mark in marks]).sum())
        faults.append(
            Fault(
                f"Labels: found {some(marks)} in {rows:,} of {len(codes):,} rows.",
                "It is read as: no label yet. It can be chosen as a class.",
            )
        )
    return ["" if lost else word for word, lost in zip(words, gone, strict=True)], codes


def no_label(words: Sequence[str], marks_are_classes: bool) -> Bools:
    """Which of the words of a label column stand for "no label yet": blanks, and, unless they are
    classes, marks such as NA and ?, and -1 beside anything but 1 and other negative numbers.
    """
    blank = np.array([is_blank(word) for word in words], bool)
    return blank if marks_are_classes else blank | _marks(words)


def has_marks(words: Iterable[str]) -> bool:
    """Is there a word that may be a class or may mean that there is none?"""
    return bool(_marks(list(words)).any())


def is_blank(word: str) -> bool:
    """Nothing, or what a float writes for it."""
    return word.lower() in ("", "nan")


def _marks(words: Sequence[str]) -> Bools:
    marks = np.array([word.lower() in NO_LABEL for word in words], bool)
    others = {w for w, mark in zip(words, marks, strict=True) if not mark and not is_blank(w)}
    others -= {"-1"}
    minus = bool(others) and others != {"1"} and not any(re.match(r"-\d", w) for w in others)
    return marks | np.array([minus and word == "-1" for word in words], bool)
