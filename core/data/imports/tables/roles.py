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
from core.data.imports.tables.columns import Column
from core.data.imports.tables.id_columns import find_id
from core.data.imports.tables.label_columns import (
    check_label,
    find_label,
    find_repeated_labels,
    find_target,
)
from core.data.imports.tables.split_columns import find_split
from core.data.imports.usual_names import LABELS
from core.data.imports.wording import as_class, some
from core.types import UserError

LISTS = ("embedding", "embeddings", "features", "vector", "vectors", "hidden_state")
ONE_OF = re.compile(rf"({'|'.join(LABELS)})[ _.:=-].+", re.I)  # a column for each class
NUMBERED = re.compile(r"column \d+")  # of a file without a header
FEW_CLASSES = 100
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
    check_label(found)


def _read_feature(column: Column, faults: list[Fault]) -> None:
    """A column of text that was chosen as a feature: its numbers, and gaps where it has none."""
    import pyarrow as pa

    if column.is_number or column.is_list:
        return
    if not column.is_text:
        raise UserError(
            f"Role feature: column {column.name} holds {column.type}, expected numbers. Give it"
            " another role."
        )
    values, odd = column.as_far_as_numbers()
    if not np.isfinite(values).any():
        raise UserError(
            f"Role feature: column {column.name} holds text, expected numbers. Give it another"
            " role."
        )
    what = f"Column {some([column.name])}: found {some(odd)} among the numbers."
    faults.append(Fault(what, "Such cells count as empty."))
    column.take(pa.chunked_array([pa.array(values, from_pandas=True)]))


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
    others = []
    _leave_out_empty(found)
    for column in found.free:
        if column.is_number:
            found.settle(column, "feature", "numbers")
            continue
        if not _note_mostly_numbers(column, found.faults):
            others.append(column.name)
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


def _note_hidden_labels(found: Assignment) -> None:
    """Features that may well be the classes, where no column is the label."""
    if found.one("label") or found.one("target"):
        return
    features = [found.columns[name] for name in found.named("feature")]
    whole = [column for column in features if column.is_whole]
    coded = [column for column in whole if ONE_OF.match(column.name)]
    if len(coded) > 1 and (sum(column.numbers() for column in coded) == 1).all():
        what = f"Columns {some(column.name for column in coded)}: one of them is 1 in each row."
        how = "They are features. If they say the class, write its name into one column label."
        found.faults.append(Fault(what, how))
    ends = {column.name for column in features[:1] + features[-1:]}
    for column in whole:
        few = column.name in ends and 1 < len(column.distinct) <= min(FEW_CLASSES, len(column) / 4)
        if few and NUMBERED.fullmatch(column.name):
            count = len(column.distinct)
            what = f"No column names the classes; {column.name} holds {count} whole numbers."
            how = "It is a feature. If it holds the classes, give it the role label."
            found.faults.append(Fault(what, how))


def _leave_out_empty(found: Assignment) -> None:
    empty = [c for c in found.free if c.is_flat and not c.is_number and not c.distinct]
    for column in empty:
        found.settle(column, "left out", "no cell holds anything")
    if empty:
        what = f"Columns without anything in them: {some(column.name for column in empty)}."
        found.faults.append(Fault(what, "They are left out."))


def _note_mostly_numbers(column: Column, faults: list[Fault]) -> bool:
    """Is a column of text one of numbers but for some cells? That is told, with the cells."""
    if not column.is_text:
        return False
    values, odd = column.as_far_as_numbers()
    count = int(np.isfinite(values).sum())
    if 2 * count < len(values):
        return False
    faults.append(
        Fault(
            f"Column {some([column.name])}: {count:,} of {len(values):,} cells are numbers, others"
            f" are {some(odd)}, the first in row {min(odd.values()):,}.",
            "It is shown only. Taken for a feature, those cells count as empty.",
        )
    )
    return True
