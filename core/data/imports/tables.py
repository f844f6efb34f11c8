"""Tables, from Parquet or CSV: which column says what, and the rows' features.

    label      label, labels, class, target, y        (or the user's choice)
    id         id, ids, image_id, index, key, file, ..., a nameless first column
    split      train or test; val, valid and validation count as test
    prob_<class>, p_<class>                           one per class, each row summing to 1
    target     what a regression is to learn: a column of numbers of the user's choice
    features   one column of lists of equal length (an embedding), or else all other columns of
               numbers

Names are compared without regard to case. Columns called p_... that are no probabilities are
features. What is none of this is left out, with a fault. CSV ids stay as they are written ("007");
a label 3.0 is "3".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from core.data.imports.cleaning import (
    as_word,
    check_size,
    draft_of,
    has_fractions,
    id_array,
    narrow,
    split_of,
    sums_to_one,
    target_of_words,
)
from core.data.imports.csv_table import parse_csv
from core.data.imports.draft import Choices, Draft, Fault, FoundRows, chosen
from core.data.imports.file_limits import Limits
from core.data.imports.parquet_limits import MEND, open_parquet, read_columns
from core.data.imports.wording import damage_reported, some
from core.types import UserError

if TYPE_CHECKING:
    import pyarrow as pa

LABELS = ("label", "labels", "class", "target", "y")
NAMELESS = ("unnamed 1", "unnamed: 0", "__index_level_0__")  # where pandas writes its index
IDS = (
    "id",
    "ids",
    "image_id",
    "key",
    "index",
    "name",
    "file",
    "filename",
    "file_name",
    "path",
    *NAMELESS,
)
LISTS = ("embedding", "embeddings", "features", "vector")
PREFIXES = ("prob_", "p_")
FRACTIONS = (
    "Choose a column of classes, or none. Values that are measured are no classes; a regression can"
    " learn them: choose the column as the target."
)


@dataclass
class Roles:
    """The name of the column that plays each part. vector: the column of lists.

    numbers: the other columns of numbers.
    """

    target: str | None = None
    label: str | None = None
    id: str | None = None
    split: str | None = None
    vector: str | None = None
    numbers: list[str] = field(default_factory=list)
    choosable: list[str] = field(default_factory=list)

    @property
    def wanted(self) -> list[str]:
        """The columns to read."""
        return [
            name for name in (self.target, self.label, self.id, self.split, self.vector) if name
        ] + self.numbers


def read_csv(
    data: bytes, title: str, limits: Limits, choices: Choices, faults: list[Fault]
) -> Draft:
    """The draft of a CSV file."""
    table = parse_csv(
        data, title, limits, lambda names: chosen(names, choices.id, IDS, "Id column"), faults
    )
    return _draft(table, roles_of(table.schema, choices, faults), title, limits, choices, faults)


def read_parquet(
    data: bytes, title: str, limits: Limits, choices: Choices, faults: list[Fault]
) -> Draft:
    """The draft of a Parquet file."""
    file = open_parquet(data, title, limits)
    with damage_reported(title, MEND):
        schema = file.schema_arrow
    if len(set(schema.names)) < len(schema.names):
        raise UserError(f"{title}: found two columns of one name, expected different ones. {MEND}")
    roles = roles_of(schema, choices, faults)
    check_size((file.metadata.num_rows, max(len(roles.numbers), 1)), title, limits)
    return _draft(
        read_columns(file, data, roles.wanted, title, limits), roles, title, limits, choices, faults
    )


def roles_of(schema: pa.Schema, choices: Choices, faults: list[Fault]) -> Roles:
    """Which column plays which part, told from names, types and the user's choices."""
    import pyarrow as pa

    types = dict(zip(schema.names, schema.types, strict=True))
    roles = Roles(choosable=[name for name, kind in types.items() if not pa.types.is_nested(kind)])
    roles.target = chosen(roles.choosable, choices.target, (), "Target column")
    left = [name for name in roles.choosable if name != roles.target]
    roles.label = chosen(left, choices.label, LABELS, "Label column")
    left = [name for name in left if name != roles.label]
    roles.id = chosen(left, choices.id, IDS, "Id column")
    free = [name for name in types if name not in (roles.target, roles.label, roles.id)]
    roles.split = next(
        (name for name in free if name.lower() == "split" and _is_text(types[name])), None
    )
    roles.vector = chosen(
        [name for name in free if _is_list_of_numbers(types[name])],
        None,
        (*LISTS, *map(str.lower, free)),
        "",
    )
    free = [name for name in free if name not in (roles.split, roles.vector)]
    roles.numbers = [name for name in free if _is_number(types[name])]
    if others := [name for name in free if name not in roles.numbers]:
        mend = "They are left out. Write categories as numbers, or choose one as the label."
        faults.append(Fault(f"Columns that are not numbers: {some(others)}.", mend))
    return roles


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow.types as is_

    return (
        is_.is_string(kind)
        or is_.is_large_string(kind)
        or (is_.is_dictionary(kind) and _is_text(kind.value_type))
    )


def _is_number(kind: pa.DataType) -> bool:
    import pyarrow.types as is_

    return (
        is_.is_integer(kind)
        or is_.is_floating(kind)
        or is_.is_boolean(kind)
        or is_.is_decimal(kind)
    )


def _is_list_of_numbers(kind: pa.DataType) -> bool:
    import pyarrow.types as is_

    return (
        is_.is_list(kind) or is_.is_large_list(kind) or is_.is_fixed_size_list(kind)
    ) and _is_number(kind.value_type)


def _draft(
    table: pa.Table, roles: Roles, title: str, limits: Limits, choices: Choices, faults: list[Fault]
) -> Draft:
    check_size((table.num_rows, 1), title, limits)
    with damage_reported(title, "Write the table anew, with plain columns of numbers and text."):
        _settle_label(table, roles, choices, faults)
        labels = _words(table[roles.label]) if roles.label else None
        prob_names, likely = _probabilities(table, roles, labels)
        found_rows = _features(
            table,
            roles,
            [name for name in roles.numbers if name not in likely],
            title,
            limits,
            faults,
        )
        found_rows.labels = labels
        found_rows.prob_names = prob_names
        found_rows.columns = tuple(roles.choosable)
        if likely:
            found_rows.probs = np.column_stack([_numbers(table[name]) for name in likely])
        if roles.target:
            found_rows.target = _target(table[roles.target], roles.target, faults)
        if roles.id:
            found_rows.ids = id_array(*_words(table[roles.id]), faults)
        if roles.split:
            found_rows.test = _split(*_words(table[roles.split]), faults)
    return draft_of(found_rows, title, limits, faults)


def _features(
    table: pa.Table,
    roles: Roles,
    numbers: list[str],
    title: str,
    limits: Limits,
    faults: list[Fault],
) -> FoundRows:
    if not numbers and not roles.vector:
        expected = "columns of numbers, or one column of lists of equal length"
        raise UserError(
            f"{title}: found no features among the columns {some(roles.choosable, 5)}, expected"
            f" {expected}."
        )
    if not roles.vector:
        return _columns(table, _with_numbers(table, numbers, faults), title, limits)
    if numbers:
        what = f"Columns beside the lists of {some([roles.vector])}: {some(numbers)}."
        faults.append(Fault(what, "They are left out: the lists are the features."))
    return _vectors(table[roles.vector], roles.vector, title, limits)


def _with_numbers(table: pa.Table, names: list[str], faults: list[Fault]) -> list[str]:
    """The columns in which there is a number: one without any would cost every row."""
    blank = [name for name in names if not np.isfinite(_numbers(table[name])).any()]
    if not blank or len(blank) == len(names):
        return names
    faults.append(Fault(f"Columns without any number: {some(blank)}.", "They are left out."))
    return [name for name in names if name not in blank]


def _words(column: pa.ChunkedArray) -> tuple[list[str], np.ndarray]:
    """(words, code of each row); an empty cell is blank."""
    import pyarrow as pa

    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    coded = column.unify_dictionaries().combine_chunks()
    coded = coded if isinstance(coded, pa.DictionaryArray) else coded.chunk(0)
    words = [as_word(value) for value in coded.dictionary.to_pylist()] + [""]
    return words, coded.indices.fill_null(len(words) - 1).to_numpy(zero_copy_only=False).astype(
        np.int64
    )


def _settle_label(table: pa.Table, roles: Roles, choices: Choices, faults: list[Fault]) -> None:
    """Measurements are no labels.

    A column y that nobody chose is then a feature, as beside x; any other is a matter for the user.
    """
    import pyarrow.types as is_

    if roles.label is None or not (
        is_.is_floating(kind := table.schema.field(roles.label).type) or is_.is_decimal(kind)
    ):
        return
    if not has_fractions(_numbers(table[roles.label])):
        return
    if roles.label.lower() == "y" and choices.label is None and roles.vector is None:
        taken = {*roles.numbers, roles.label}
        roles.numbers = [name for name in roles.choosable if name in taken]
        faults.append(
            Fault(
                "Column y: found fractions, which are no classes.",
                "It is taken as a feature. Choose it as the target for a regression.",
            )
        )
    else:
        faults.append(
            Fault(
                f"Label column {some([roles.label])}: found fractions, expected classes.",
                FRACTIONS,
                fatal=True,
            )
        )
    roles.label = None


def _probabilities(
    table: pa.Table, roles: Roles, labels: tuple | None
) -> tuple[tuple[str, ...], list[str]]:
    """(class of each, names) of the columns that hold class probabilities.

    prob_... always does. p_... does if its classes are those of the labels or, without labels, if
    each row sums to 1.
    """
    for prefix in PREFIXES:
        named = {
            as_word(name[len(prefix) :]): name
            for name in roles.numbers
            if name.lower().startswith(prefix)
        }
        if not named:
            continue
        if prefix == "prob_" or (
            set(named) == set(labels[0]) - {""}
            if labels
            else _sum_to_one(table, list(named.values()))
        ):
            return tuple(named), list(named.values())
    return (), []


def _sum_to_one(table: pa.Table, names: list[str]) -> bool:
    return sums_to_one(np.column_stack([_numbers(table[name]) for name in names]))


def _numbers(column: pa.ChunkedArray) -> np.ndarray:
    """float64 (n,), NaN where a cell is empty."""
    import pyarrow as pa

    return column.cast(pa.float64(), safe=False).to_numpy()


def _target(column: pa.ChunkedArray, name: str, faults: list[Fault]) -> np.ndarray | None:
    """float64 (n,), NaN where a cell is empty; None with a fatal fault if there is text in it."""
    if _is_number(column.type):
        return _numbers(column)
    return target_of_words(*_words(column), f"Target column {some([name])}", faults)


def _columns(table: pa.Table, names: list[str], title: str, limits: Limits) -> FoundRows:
    """The points of columns of numbers."""
    check_size((table.num_rows, len(names)), title, limits)
    out = np.empty((table.num_rows, len(names)), np.float32)
    broken = np.zeros(len(out), bool)
    large = np.zeros(len(out), bool)
    for j, name in enumerate(names):
        narrow(out[:, j], _numbers(table[name]), broken, large)
    return FoundRows(out, feature_names=tuple(names), broken=broken, large=large)


def _vectors(column: pa.ChunkedArray, name: str, title: str, limits: Limits) -> FoundRows:
    """The points of one column of lists; a missing list is a broken row."""
    import pyarrow.compute as pc

    lengths = pc.list_value_length(column).to_numpy(zero_copy_only=False)  # type: ignore[attr-defined]  # made when it is imported
    missing = np.asarray(column.is_null().to_numpy(zero_copy_only=False), bool)
    found = np.unique(lengths[~missing]).astype(np.int64)
    if len(found) != 1 or found[0] < 1:
        shown = (
            "no lists" if not len(found) else f"lists of {found.min():,} to {found.max():,} numbers"
        )
        raise UserError(
            f"{title}: found {shown} in column {some([name])}, expected lists of one length. Fill"
            " or remove the odd rows."
        )
    d = int(found[0])
    check_size((len(column), d), title, limits)
    out = np.zeros((len(column), d), np.float32)
    broken = missing.copy()
    large = np.zeros(len(out), bool)
    values = np.zeros((int((~missing).sum()), d), np.float32)
    flags = np.zeros((2, len(values)), bool)
    narrow(values, _numbers(pc.list_flatten(column)).reshape(-1, d), *flags)  # type: ignore[attr-defined]  # as above
    out[~missing] = values
    broken[~missing] = flags[0]
    large[~missing] = flags[1]
    return FoundRows(
        out, feature_names=tuple(f"{name} {j}" for j in range(d)), broken=broken, large=large
    )


def _split(words: list[str], codes: np.ndarray, faults: list[Fault]) -> np.ndarray | None:
    present, codes = np.unique(codes, return_inverse=True)
    words = [words[code] or "a blank" for code in present]
    test = split_of(words, codes)
    if test is None:
        faults.append(
            Fault(
                f"Column split: found {some(words)}, expected train and test.",
                "It is not used: all are training rows.",
            )
        )
    return test
