"""Tables that lie beside images and say their labels: CSV, Parquet, JSON lines.

The column that names the images is told by its values: they are the images' paths or names, with
or without folders above, ./ and an ending, with / or \\, and with accents composed or not. A table
counts for the images of its own folder, and of its own part where it is called like one
(train.csv). The label is the column of that name, the only other column that repeats its values, or
columns of 0 and 1 of which each row has one; or the column that the user chooses, who may choose
one of numbers as the target, too. A column split says which rows are test rows where no folder
does. Folders that say classes win over a label that nobody chose.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from core.data.imports.archives import IMAGES, TEXT, Member
from core.data.imports.cleaning import as_word, split_of
from core.data.imports.csv_table import parse_csv
from core.data.imports.draft import Choices, Fault
from core.data.imports.file_limits import Allowance, Limits, TooMuch
from core.data.imports.images.image_names import Column, NamedImages
from core.data.imports.images.layouts import Layout, pieces
from core.data.imports.parquet_limits import open_parquet, read_columns
from core.data.imports.wording import damage_reported, some
from core.types import Bools, UserError

if TYPE_CHECKING:
    import pyarrow as pa

MOST = 20  # tables that are looked at
COLUMNS = 200  # of a table that are looked at
NAMING = {"id", "ids", "image", "images", "img", "file", "filename", "filepath", "name", "path"}
SHARE = 0.5  # of its rows or of the images that a column must name
LABELS = ("label", "labels", "class", "target", "y", "category", "class_name", "label_name")
LABELS = (*LABELS, "class_label", "classname", "labels_name", "species", "breed", "diagnosis")
SPLITS = ("split", "subset", "partition", "set", "data set", "dataset")
MEND = "Call the column of the labels label, or choose it."


@dataclass
class Beside:
    """What folders and tables say, one entry per image. classes: "" where none is known. columns:
    of the tables, which can be chosen. ids: of the column that the user chose, "" for nothing.
    """

    classes: list[str]
    test: Bools
    target: np.ndarray | None = None
    ids: list[str] | None = None
    columns: tuple[str, ...] = ()


@dataclass
class Named:
    """A table that names images. rows: of the table, for each image that it names."""

    path: str
    columns: dict[str, Column]
    names: str
    rows: dict[int, int] = field(default_factory=dict)


def labels_beside(
    tables: list[Member],
    images: list[Member],
    folders: Layout,
    title: str,
    limits: Limits,
    choices: Choices,
    faults: list[Fault],
) -> Beside:
    """What folders say, and what tables add to it."""
    beside = Beside(list(folders.classes), folders.test.copy())
    named = _naming(tables, images, title, limits, faults)
    columns = list(dict.fromkeys(name for t in named for name in t.columns if name != t.names))
    beside.columns = tuple(columns)
    _refuse_unknown(choices, columns, title)
    found = {}
    for table in named:
        found |= _labels(table, {*beside.classes} - {""}, choices, faults)
    _settle(beside, found, named, choices, faults)
    if not beside.test.any():
        for table in named:
            _note_split(table, beside)
    if choices.target:
        beside.target = _target(named, choices.target, len(images))
    if choices.id in columns:
        beside.ids = _in_rows(named, choices.id, len(images))
    return beside


def _refuse_unknown(choices: Choices, columns: list[str], title: str) -> None:
    chosen = {"Label": choices.label, "Id": choices.id, "Target": choices.target}
    for what, choice in chosen.items():
        if choice and columns and choice not in columns:
            raise UserError(
                f"{what} column: found {choice!r}, expected one of {some(columns, 10)}. Choose"
                " another one, or none."
            )
    if choices.target and not columns:
        raise UserError(
            f"{title}: found points alone, expected numbers beside them under the name"
            f" {choices.target!r}. Bring a table that names the images and has such a column, or"
            " an .npz with the points and such an array."
        )


# Which tables name images.


def _naming(
    tables: list[Member], images: list[Member], title: str, limits: Limits, faults: list[Fault]
) -> list[Named]:
    """The tables that name images, with the rows of each image; the others are told."""
    allowance = Allowance(limits.file_bytes, title, "bytes of tables", "Bring smaller tables.")
    places = NamedImages([member.path for member in images])
    good = []
    others = [table.path for table in tables[MOST:]]
    broken = []
    guesses = []
    for table in tables[:MOST]:
        if "submission" in pieces(table.path):
            guesses.append(table.path)
            continue
        try:
            columns = _columns(table.path, table.read(allowance), limits)
        except TooMuch:
            raise
        except UserError:
            broken.append(table.path)
            continue
        found = _named(table, columns, places)
        good += [found] if found else []
        others += [] if found else [table.path]
    for paths, what, mend in (
        (others, "that name none of the images", "Name them in a column file_name."),
        (broken, "that cannot be read", "Save them as CSV."),
        (guesses, "of a submission", "Rename them if their labels are true."),
    ):
        if paths:
            what = f"Tables {what}: {len(paths):,}, such as {some(paths[:1])}."
            faults.append(Fault(what, f"They are not used. {mend}"))
    return good


def _columns(path: str, data: bytes | bytearray, limits: Limits) -> dict[str, Column]:
    """The columns of a table, as they are written."""
    name = path.lower()
    with damage_reported(some([path]), "Save it as CSV."):
        if name.endswith((".jsonl", ".ndjson")):
            return _json_lines(bytes(data), limits)
        if name.endswith((".parquet", ".pq")):
            file = open_parquet(bytes(data), path, limits)
            names = [field.name for field in file.schema_arrow if _is_plain(field.type)][:COLUMNS]
            table = read_columns(file, bytes(data), names, path, limits)
            return {name: [_word(value) for value in table[name].to_pylist()] for name in names}
        return _csv(bytes(data), path, limits)


def _is_plain(kind: pa.DataType) -> bool:
    """Numbers, truth, text; or a struct with a path, as Hugging Face's datasets writes images."""
    import pyarrow.types as is_

    if is_.is_struct(kind):
        return kind.get_field_index("path") >= 0
    return not (is_.is_nested(kind) or is_.is_binary(kind) or is_.is_large_binary(kind))


def _word(value: object) -> str:
    return as_word(value["path"] if isinstance(value, dict) else value)


def _csv(data: bytes, path: str, limits: Limits) -> dict[str, Column]:
    """Whole numbers may be names that begin with 0: such columns are read a second time as text."""
    import pyarrow.types as is_

    table = parse_csv(data, path, limits, lambda names: None, [])
    if any(name.lower().endswith(IMAGES) for name in table.column_names):
        data = _with_header(data, len(table.column_names))
        table = parse_csv(data, path, limits, lambda names: None, [])
    columns = {}
    for name in table.column_names[:COLUMNS]:
        column = table[name]
        if is_.is_integer(column.type) and len(table.column_names) <= 10:
            again = parse_csv(data, path, limits, lambda names, own=name: own, [])
            column = again[name] if name in again.column_names else column
        columns[name] = [as_word(value) for value in column.to_pylist()]
    return columns


def _with_header(data: bytes, columns: int) -> bytes:
    """A table whose first line names an image already, with a line of column names above it."""
    first = data.partition(b"\n")[0]
    separator = next((s for s in (b",", b";", b"\t", b" ") if first.count(s) == columns - 1), b",")
    return separator.join(b"column %d" % (j + 1) for j in range(columns)) + b"\n" + data


def _json_lines(data: bytes, limits: Limits) -> dict[str, Column]:
    lines = [line for line in data.splitlines() if line.strip()]
    if len(lines) > limits.rows:
        raise UserError(f"found {len(lines):,} lines, expected at most {limits.rows:,}.")
    rows = [json.loads(line) for line in lines]
    names = list(dict.fromkeys(name for row in rows for name in row))[:COLUMNS]
    plain = (str, int, float, bool)
    return {
        name: [as_word(value) if isinstance(value := row.get(name), plain) else "" for row in rows]
        for name in names
    }


def _named(table: Member, columns: dict[str, Column], places: NamedImages) -> Named | None:
    """The table with the column that names the most images, if it names enough of them."""
    best: dict[int, int] = {}
    names = ""
    own = places.of_table(table.path)
    for i, (name, column) in enumerate(columns.items()):
        if i and not {*pieces(name)} & NAMING and all(map(str.isdigit, filter(None, column))):
            continue  # numbers may be anything
        found = own.rows(column)
        if len(found) > len(best):
            best = found
            names = name
    rows = len([value for value in columns.get(names, ()) if value])
    enough = best and (len(best) >= SHARE * rows or len(best) >= SHARE * len(own.paths))
    return Named(table.path, columns, names, best) if enough else None


# What they say.


def _labels(table: Named, known: set[str], choices: Choices, faults: list[Fault]) -> dict[int, str]:
    """{image: label} of one table. known: the classes that folders have."""
    others = {name: column for name, column in table.columns.items() if name != table.names}
    label = choices.label
    if label is None:
        by_name = {name.lower(): name for name in reversed(others)}
        label = next((by_name[name] for name in LABELS if name in by_name), None)
    if label is None and (hot := _one_hot(others)):
        what = f"{some([table.path])}: columns of 0 and 1, one of them for each image."
        faults.append(Fault(what, "They are read as classes."))
        return {image: hot[row] for image, row in table.rows.items()}
    label = _likely(others, known, table) if label is None else label
    if label in others:
        return {image: others[label][row] for image, row in table.rows.items()}
    if others and label != "":
        what = f"{some([table.path])}: no labels among the columns {some(others)}."
        faults.append(Fault(what, f"They are not used. {MEND}"))
    return {}


def _likely(others: dict[str, Column], known: set[str], table: Named) -> str | None:
    """The column that holds classes of the folders; or the only other one, of a plain text the
    first, if it repeats its values.
    """
    for name, column in others.items():
        if {*column} <= {*known, ""} and len(known) > 1:
            return name
    if len(others) != 1 and not table.path.lower().endswith(TEXT):
        return None
    name, column = next(iter(others.items()), ("", []))
    words = {*column} - {""}
    return name if 1 < len(words) <= len(column) / 2 and len(max(words, key=len)) <= 60 else None


def _one_hot(others: dict[str, Column]) -> list[str]:
    """The name of the column that is 1 in each row, [] if there is not one in each."""
    hot = {
        name: [value == "1" for value in column]
        for name, column in others.items()
        if {*column} <= {"0", "1"}
    }
    if len(hot) < 2:
        return []
    table = np.array(list(hot.values()))
    names = list(hot)
    return [names[j] for j in table.argmax(axis=0)] if (table.sum(axis=0) == 1).all() else []


def _settle(
    beside: Beside,
    found: dict[int, str],
    named: list[Named],
    choices: Choices,
    faults: list[Fault],
) -> None:
    """Labels of tables are used where folders say none, or where the user chooses them."""
    if choices.label == "":
        beside.classes = [""] * len(beside.classes)
        return
    classes = len({*beside.classes} - {""})
    if not found:
        return
    where = some([table.path for table in named])
    known = {image: name for image, name in enumerate(beside.classes) if name}
    if classes > 1 and not choices.label:
        if any(known.get(image, label) != label for image, label in found.items()):
            what = f"Labels in {where} that differ from the folders."
            faults.append(Fault(what, "The folders are the classes. Choose the column to use it."))
            return
        if {*found} <= {*known}:
            return
        found = found | known
    beside.classes = [found.get(image, "") for image in range(len(beside.classes))]
    missing = beside.classes.count("")
    what = f"The labels are read from {where}."
    what += f" Images that are not named there have none: {missing:,}." * bool(missing)
    faults.append(Fault(what, "Choose another column, or none, to change that."))


def _note_split(table: Named, beside: Beside) -> None:
    name = next((n for n in table.columns if n.lower() in SPLITS and n != table.names), None)
    if name is None:
        return
    words = sorted({*table.columns[name]})
    codes = np.array([words.index(word) for word in table.columns[name]])
    test = split_of(words, codes)
    if test is not None:
        for image, row in table.rows.items():
            beside.test[image] = test[row]


def _in_rows(named: list[Named], name: str, n: int) -> list[str]:
    """The column's value for each of n images, "" for none."""
    found = [""] * n
    for table in named:
        for image, row in table.rows.items() if name in table.columns else ():
            found[image] = table.columns[name][row]
    return found


def _target(named: list[Named], name: str, n: int) -> np.ndarray:
    """float64 (n,), NaN where no number stands."""
    target = np.full(n, np.nan)
    for image, value in enumerate(_in_rows(named, name, n)):
        try:
            target[image] = float(value)
        except ValueError:
            continue
    return target
