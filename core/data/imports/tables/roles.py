"""Which column of a table plays which part? Told from what the columns hold, by their names where
two readings fit, and always as the user chooses.

    target       numbers that a regression learns: chosen, or a `y` or `target` with many values
    label        label, labels, class, target, y, species, category: words or few whole numbers
    split        words such as train and test, or truth under a name such as is_test
    probability  prob_<class>, or columns named after the classes whose rows sum to 1
    id           id, *_id, file, path, index, ..., pandas' index, or the row numbers
    feature      one column of lists under a usual name, else every other column of numbers
    shown only   text, dates, lists; row numbers beside an id; what repeats the label
    left out     what is none of this

Each column has one role and a reason, which the preview shows. Names are compared without regard to
case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from core.data.imports.draft import Choices, Fault, chosen
from core.data.imports.tables.assignment import Assignment
from core.data.imports.tables.columns import Column, read_units
from core.data.imports.tables.id_columns import find_id, note_names, speaks_of_a_count
from core.data.imports.tables.label_columns import (
    are_classes,
    check_label,
    find_label,
    find_repeated_labels,
    find_target,
    speaks_of_classes,
)
from core.data.imports.tables.split_columns import find_split
from core.data.imports.usual_names import LABELS
from core.data.imports.wording import as_class, some
from core.types import UserError

LISTS = ("embedding", "embeddings", "features", "vector", "vectors", "hidden_state")
ONE_OF = re.compile(rf"({'|'.join(LABELS)})[ _.:=-].+", re.I)  # a column for each class
NUMBERED = re.compile(r"column \d+")  # of a file without a header
EXPORTED = re.compile(r"(score|rank)_.+|projection_[xy]")


def assign(
    columns: Sequence[Column], choices: Choices, faults: list[Fault], index: tuple[str, ...] = ()
) -> Assignment:
    """The role of every column. A UserError for a choice that cannot be."""
    found = Assignment({column.name: column for column in columns}, choices, faults, index)
    steps: tuple[Callable[[Assignment], None], ...] = (
        _choose,
        _find_exported,
        find_label,
        find_target,
        find_split,
        _find_probabilities,
        find_id,
        find_repeated_labels,
        _find_lists,
        _settle_rest,
        _note_hidden_labels,
        note_names,
    )
    for step in steps:
        step(found)
    return found


def _choose(found: Assignment) -> None:
    """What the user says."""
    given = dict(found.choices.roles)
    for name in given:
        if name not in found.columns:
            raise UserError(
                f"Role of a column: found {name!r}, expected one of {some(found.columns, 10)}."
            )
    flat = [name for name, column in found.columns.items() if column.is_flat]
    for role, choice in (
        ("target", found.choices.target),
        ("label", found.choices.label),
        ("id", found.choices.id),
    ):
        left = [name for name in flat if name not in found.roles]
        if choice and (name := chosen(left, choice, (), f"{role.capitalize()} column")):
            found.settle(name, role, "chosen")
    for name, role in given.items():
        if name not in found.roles:
            _check_single(found, name, role)
            found.settle(name, role, "chosen")
    for name in found.named("feature"):
        _read_feature(found.columns[name], found.faults)
    if target := found.one("target"):
        read_units(target, found.faults)
    check_label(found)


def _read_feature(column: Column, faults: list[Fault]) -> None:
    """A column of text that was chosen as a feature: its numbers, and gaps where it has none."""
    if column.is_number or column.is_list:
        return
    if not column.is_text:
        raise UserError(
            f"Role feature: column {column.name} holds {column.type}, expected numbers. Give it"
            " another role."
        )
    if read_units(column, faults):
        return
    values, odd = column.as_far_as_numbers()
    if not np.isfinite(values).any():
        raise UserError(
            f"Role feature: column {column.name} holds text, expected numbers. Give it another"
            " role."
        )
    if odd:
        what = f"Column {some([column.name])}: found {some(odd)} among the numbers."
        faults.append(Fault(what, "Such cells count as empty."))
    _take_as_far_as_numbers(column)


def _take_as_far_as_numbers(column: Column) -> None:
    import pyarrow as pa

    column.take(pa.chunked_array([pa.array(column.as_far_as_numbers()[0], from_pandas=True)]))


def _check_single(found: Assignment, name: str, role: str) -> None:
    if role in ("label", "id", "target", "split") and (other := found.one(role)):
        raise UserError(
            f"Role {role}: found {other.name} and {name}, expected one column. Give one of them"
            " another role."
        )


def _find_exported(found: Assignment) -> None:
    """Scores and ranks that were taken out of this app are no features of the points."""
    names = {column.name for column in found.free}
    scores = {name.removeprefix("score_") for name in names if name.startswith("score_")}
    ranks = {name.removeprefix("rank_") for name in names if name.startswith("rank_")}
    if not scores or scores != ranks:
        return
    own = [name for name in names if EXPORTED.fullmatch(name)]
    for name in own:
        found.settle(name, "shown only", "written by this app")
    found.faults.append(
        Fault(
            f"Columns that this app wrote: {some(sorted(own))}.",
            "They are shown, and are no features. Read scores back compares them.",
        )
    )


def _find_probabilities(found: Assignment) -> None:
    """Columns that say how likely each class is."""
    label = found.one("label")
    classes = {as_class(word) for word in label.distinct} - {""} if label else set()
    numbers = [column for column in found.free if column.is_number]
    for prefix in ("prob_", "proba_", "probability_", "p_", ""):
        named = {
            as_class(column.name[len(prefix) :]): column
            for column in numbers
            if column.name.lower().startswith(prefix)
        }
        if not prefix:
            named = {name: column for name, column in named.items() if name in classes}
        if all(name.lower().startswith("of_") for name in named) and not {*named} & classes:
            continue  # prob_of_rain
        if not named or (prefix in ("p_", "") and not _fit_classes(named, classes, prefix)):
            continue
        for column in named.values():
            found.settle(column, "probability", f"of class {column.name[len(prefix) :]}")
        return


def _fit_classes(named: dict[str, Column], classes: set[str], prefix: str) -> bool:
    if classes and set(named) != classes:
        return False
    sums = sum(column.numbers() for column in named.values())
    near = bool((np.abs(sums - 1) <= 1e-3).all()) and len(named) > 1
    return near or (bool(classes) and prefix == "p_")


def _find_lists(found: Assignment) -> None:
    """One column of lists holds the features if it is chosen, if its name says so, or if there are
    no numbers.
    """
    picked = [found.columns[name] for name in found.named("feature")]
    lists = [column for column in picked if column.is_list]
    if len(lists) > 1 or (lists and len(picked) > 1):
        raise UserError(
            f"Features: found {some(column.name for column in picked)}, expected columns of numbers"
            " or one column of lists. Give the others another role."
        )
    numbers = [column for column in found.free if column.is_number]
    vector = lists[0] if lists else None if picked else _usual_lists(found, bool(numbers))
    if vector is None:
        return
    if not lists:
        found.settle(vector, "feature", "a list of numbers in every row")
    if numbers:
        what = (
            f"Columns beside the lists of {some([vector.name])}: {some(c.name for c in numbers)}."
        )
        found.faults.append(Fault(what, "They are shown: the lists are the features."))
    for column in numbers:
        found.settle(column, "shown only", f"the lists of {vector.name} are the features")


def _usual_lists(found: Assignment, numbers: bool) -> Column | None:
    lists = [column for column in found.free if column.is_list]
    usual = {column.name.lower(): column for column in reversed(lists)}
    named = next((usual[name] for name in LISTS if name in usual), None)
    return named or (lists[0] if lists and not numbers else None)


def _settle_rest(found: Assignment) -> None:
    """Numbers are features; what can be shown is shown."""
    _leave_out_empty(found)
    for column in found.free:
        read_units(column, found.faults)
    numbers = any(column.is_number and not column.padded for column in found.free)
    alone = not numbers and not found.named("feature")
    others = []
    for column in found.free:
        mostly = _note_mostly_numbers(column, found.faults, taken=alone)
        if mostly and alone:
            _take_as_far_as_numbers(column)
        if column.padded and not alone:
            _settle_padded(found, column)
            continue
        if column.is_number:
            found.settle(column, "feature", "numbers")
            continue
        others += [] if mostly else [column.name]
        shown = column.is_flat or column.is_list
        found.settle(
            column,
            "shown only" if shown else "left out",
            "lists beside numbers"
            if column.is_list
            else ("no numbers" if shown else "values of several parts"),
        )
    if others:
        found.faults.append(
            Fault(
                f"Columns that are not numbers: {some(others)}.",
                "They are shown beside the points, and are no features. One can be chosen as the"
                " label.",
            )
        )


def _settle_padded(found: Assignment, column: Column) -> None:
    """007 is rather a name."""
    found.settle(column, "shown only", "zeros before its numbers")
    what = f"Column {some([column.name])}: found zeros before numbers, such as {column.padded}."
    how = "It is shown, and is no feature. Give it the role feature if it is measured."
    found.faults.append(Fault(what, how))


def _note_hidden_labels(found: Assignment) -> None:
    """Features that may well be the classes, where no column is the label."""
    if found.one("label") or found.one("target") or found.choices.label == "":
        return
    features = [found.columns[name] for name in found.named("feature")]
    features = [column for column in features if found.roles[column.name].why != "chosen"]
    whole = [column for column in features if column.is_whole]
    coded = [column for column in whole if ONE_OF.match(column.name)]
    if len(coded) > 1 and (sum(column.numbers() for column in coded) == 1).all():
        what = f"Columns {some(column.name for column in coded)}: one of them is 1 in each row."
        how = "They are features. If they say the class, write its name into one column label."
        found.faults.append(Fault(what, how))
        return
    ends = {
        column.name
        for column in features[:1] + features[-1:]
        if not _is_one_of_many(column, features)
    }
    for column in whole:
        count = len(column.distinct)
        likely = column.name in ends or speaks_of_classes(column.name)
        if likely and 1 < count < len(column) and are_classes(column):
            what = f"No column names the classes; {column.name} holds {count} whole numbers."
            how = "It is a feature. If it holds the classes, give it the role label."
            found.faults.append(Fault(what, how))


def _is_one_of_many(column: Column, features: list[Column]) -> bool:
    """Does the name say that it is no class: one of pixel1, pixel2, ..., or a time or an age?"""
    if NUMBERED.fullmatch(column.name):
        return False
    stem = re.sub(r"\d+", "", column.name)
    alike = sum(re.sub(r"\d+", "", other.name) == stem for other in features)
    return alike > 1 or speaks_of_a_count(column.name)


def _leave_out_empty(found: Assignment) -> None:
    empty = [c for c in found.free if c.is_flat and not c.is_number and not c.distinct]
    for column in empty:
        found.settle(column, "left out", "no cell holds anything")
    if empty:
        what = f"Columns without anything in them: {some(column.name for column in empty)}."
        found.faults.append(Fault(what, "They are left out."))


def _note_mostly_numbers(column: Column, faults: list[Fault], *, taken: bool) -> bool:
    """Is a column of text one of numbers but for some cells? That is told, with the cells. taken:
    it is a feature, for there is no other.
    """
    if not column.is_text:
        return False
    values, odd = column.as_far_as_numbers()
    count = int(np.isfinite(values).sum())
    if not count or 2 * count < len(values):
        return False
    mend = "It is shown only. Taken for a feature, those cells count as empty."
    if taken:
        mend = "It is a feature, and those cells count as empty. Write numbers there to mend it."
    what = (
        f"Column {some([column.name])}: {count:,} of {len(values):,} cells are numbers, others are"
        f" {some(odd)}, the first in row {min(odd.values()):,}."
    )
    faults.append(Fault(what, mend))
    return True
