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

from core.data.imports.archives import TEXT, Member
from core.data.imports.draft import Choices, Fault, Role
from core.data.imports.file_limits import MEGABYTE, Allowance, Limits, TooMuch
from core.data.imports.images.beside_images import (
    SINGLE,
    chosen_parts,
    numbers_of,
    parts_of,
    shown_columns,
)
from core.data.imports.images.image_names import Column, NamedImages
from core.data.imports.images.layouts import Layout, part_of, pieces
from core.data.imports.tables.csv_table import ParsedText, parse_csv
from core.data.imports.tables.label_columns import has_marks, without_marks
from core.data.imports.tables.parquet_limits import open_parquet, read_columns
from core.data.imports.usual_names import LABEL_WORDS, LABELS, SPLITS
from core.data.imports.wording import as_word, damage_reported, some
from core.types import Bools, Ints, UserError

if TYPE_CHECKING:
    import pyarrow as pa

MOST = 20  # tables that are looked at
COLUMNS = 200  # of a table that are looked at
SCALARS = (str, int, float, bool)
NAMING = {"id", "ids", "image", "images", "img", "file", "filename", "filepath", "name", "path"}
SHARE = 0.5  # of its rows or of the images that a column must name
MEND = "Call the column of the labels label, or choose it."


@dataclass
class Beside:
    """What folders and tables say, one entry per image.

    classes: "" where none is known. ids: of the column that the user chose, "" for nothing.
    columns: of the tables, which can be chosen; roles, shown, asks: of these columns, as in
    `core.data.imports.draft.Draft`.
    """

    classes: list[str]
    test: Bools
    target: np.ndarray | None = None
    ids: list[str] | None = None
    columns: tuple[str, ...] = ()
    roles: tuple[Role, ...] = ()
    shown: dict[str, np.ndarray] = field(default_factory=dict)
    asks: frozenset[str] = frozenset()


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
    given = chosen_parts(choices, columns, title)
    found = {role: column for column, role in given.items() if role in SINGLE}
    labels = {}
    for table in named:
        labels |= _labels(table, found, given, {*beside.classes} - {""}, choices, faults)
    used = _settle(beside, labels, named, choices.label, "label" in given.values(), faults)
    found |= {} if used else {"label": None}
    if not beside.test.any():
        found |= {"split": _note_splits(named, beside, found.get("split"), faults)}
    values = {name: _in_rows(named, name, len(images)) for name in columns}
    if target := found.get("target"):
        beside.target = numbers_of(values[target])
    if own := found.get("id"):
        beside.ids = values[own]
    if any(has_marks({*table.columns.get(found.get("label") or "", ())}) for table in named):
        beside.asks = frozenset({"marks"})
    beside.columns = tuple(columns)
    beside.roles = parts_of(columns, found, given)
    beside.shown = shown_columns(beside.roles, values, faults)
    return beside


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
            own = places.of_table(table.path)
            columns = _columns(table.path, table.read(allowance), own, limits, faults)
            found = _named(table, columns, own)
            good += [found] if found else []
            others += [] if found else [table.path]
        except TooMuch:
            raise
        except UserError:
            broken.append(table.path)
    _note_unused(
        others,
        "that name none of the images",
        "Name them in a column file_name, with their folders where a name occurs twice.",
        faults,
    )
    _note_unused(broken, "that cannot be read", "Save them as CSV.", faults)
    _note_unused(guesses, "of a submission", "Rename them if their labels are true.", faults)
    return good


def _note_unused(paths: list[str], which: str, mend: str, faults: list[Fault]) -> None:
    if paths:
        what = f"Tables {which}: {len(paths):,}, such as {some(paths[:1])}."
        faults.append(Fault(what, f"They are not used. {mend}"))


def _columns(
    path: str,
    data: bytes | bytearray,
    places: NamedImages,
    limits: Limits,
    faults: list[Fault],
) -> dict[str, Column]:
    """The columns of a table, as they are written."""
    name = path.lower()
    with damage_reported(some([path]), "Save it as CSV."):
        if name.endswith((".jsonl", ".ndjson")):
            return _json_lines(path, bytes(data), limits, faults)
        if name.endswith((".parquet", ".pq")):
            file = open_parquet(bytes(data), path, limits)
            names = [field.name for field in file.schema_arrow if _is_plain(field.type)]
            names = _first(names, file.metadata.num_rows, path, limits, faults)
            table = read_columns(file, bytes(data), names, path, limits)
            return {name: [_word(value) for value in table[name].to_pylist()] for name in names}
        parsed = parse_csv(bytes(data), path, limits, [])
        names = parsed.table.column_names[:COLUMNS]
        if any(not name.isdigit() and places.rows([name]) for name in names):
            parsed = parse_csv(bytes(data), path, limits, [], header=False)
        rows = parsed.table.num_rows
        names = _first(parsed.table.column_names, rows, path, limits, faults)
        return {name: _as_written(parsed, name) for name in names}


def _first(
    names: list[str], rows: int, path: str, limits: Limits, faults: list[Fault]
) -> list[str]:
    """As many of the columns as are looked at, which bounds the memory that they take as text."""
    most = min(COLUMNS, max(2, 5 * max(limits.rows, MEGABYTE // 5) // max(rows, 1)))
    if len(names) > most:
        what = f"{some([path])}: found more than {most:,} columns beside the images."
        faults.append(Fault(what, f"The first {most:,} are looked at."))
    return names[:most]


def _as_written(parsed: ParsedText, name: str) -> Column:
    """The cells, whole numbers with the 0 that they begin with; but 1.0 is 1."""
    import pyarrow.types as is_

    cells = parsed.table[name]
    cells = cells if is_.is_floating(cells.type) else parsed.as_written(name)
    return [as_word(cell) for cell in cells.to_pylist()]


def _is_plain(kind: pa.DataType) -> bool:
    """Numbers, truth, text; or a struct with a path, as Hugging Face's datasets writes images."""
    import pyarrow.types as is_

    if is_.is_struct(kind):
        return kind.get_field_index("path") >= 0
    return not (is_.is_nested(kind) or is_.is_binary(kind) or is_.is_large_binary(kind))


def _word(value: object) -> str:
    return as_word(value["path"] if isinstance(value, dict) else value)


def _json_lines(path: str, data: bytes, limits: Limits, faults: list[Fault]) -> dict[str, Column]:
    """One object a line; of its values text, numbers and truth are kept."""
    lines = [line for line in data.splitlines() if line.strip()]
    if len(lines) > limits.rows or max(map(len, lines), default=0) > MEGABYTE:
        raise UserError(f"{some([path])}: found too many or too long lines. Save it as CSV.")
    rows = [_scalars(json.loads(line)) for line in lines]
    names = list(dict.fromkeys(name for row in rows for name in row))
    names = _first(names, len(rows), path, limits, faults)
    return {name: [row.get(name, "") for row in rows] for name in names}


def _scalars(row: dict[str, object]) -> dict[str, str]:
    values = [(name, value) for name, value in row.items() if isinstance(value, SCALARS)]
    return {name: as_word(value) for name, value in values[: COLUMNS + 1]}


def _named(table: Member, columns: dict[str, Column], own: NamedImages) -> Named | None:
    """The table with the column that names the most images, if it names enough of them."""
    best: dict[int, int] = {}
    names = ""
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


def _labels(
    table: Named,
    found: dict[str, str],
    given: dict[str, str],
    known: set[str],
    choices: Choices,
    faults: list[Fault],
) -> dict[int, str]:
    """{image: label} of one table, whose column goes into what is found. known: the classes that
    folders have.
    """
    if choices.label == "":
        return {}
    label = found.get("label")
    others = {n: c for n, c in table.columns.items() if n != table.names and n not in given}
    if label is None:
        by_name = {name.lower(): name for name in reversed(others)}
        label = next((by_name[name] for name in (*LABELS, *LABEL_WORDS) if name in by_name), None)
    if label is None and (hot := _one_hot(others)):
        what = f"{some([table.path])}: columns of 0 and 1, one of them for each image."
        faults.append(Fault(what, "They are read as classes."))
        return {image: hot[row] for image, row in table.rows.items()}
    label = _likely(others, known, table) if label is None else label
    if label in table.columns:
        found["label"] = label
        words, codes = _coded(table.columns[label])
        words, codes = without_marks(words, codes, choices.marks_are_classes, faults)
        return {image: words[codes[row]] for image, row in table.rows.items()}
    if others:
        what = f"{some([table.path])}: no labels among the columns {some(others)}."
        faults.append(Fault(what, f"They are shown only. {MEND}"))
    return {}


def _coded(column: Column) -> tuple[list[str], Ints]:
    words = list(dict.fromkeys(column))
    number = {word: i for i, word in enumerate(words)}
    return words, np.array([number[word] for word in column], np.int64)


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
    labels: dict[int, str],
    named: list[Named],
    label: str | None,
    chosen: bool,
    faults: list[Fault],
) -> bool:
    """Are labels of tables used? Where folders say none, or where the user chooses them."""
    if label == "":
        beside.classes = [""] * len(beside.classes)
    if not labels:
        return False
    where = some([table.path for table in named])
    known = {image: name for image, name in enumerate(beside.classes) if name}
    if len({*known.values()}) > 1 and not chosen:
        if any(known.get(image, name) != name for image, name in labels.items()):
            what = f"Labels in {where} that differ from the folders."
            faults.append(Fault(what, "The folders are the classes. Choose the column to use it."))
            return False
        if {*labels} <= {*known}:
            return False
        labels = labels | known
    beside.classes = [labels.get(image, "") for image in range(len(beside.classes))]
    mend = "Choose another column, or none, to change that."
    faults.append(Fault(f"The labels are read from {where}.", mend))
    return True


def _note_splits(
    named: list[Named], beside: Beside, chosen: str | None, faults: list[Fault]
) -> str | None:
    """Which images are test rows, by a column of parts or by lists of images such as test.txt. The
    column's name.
    """
    used = None
    for table in named:
        name = chosen or next(
            (n for n in table.columns if n.lower() in SPLITS and n != table.names), None
        )
        if name in table.columns:
            kinds = [part_of(word) for word in table.columns[name]]
            if {*kinds} <= {"train", "test"}:
                used = name
                for image, row in table.rows.items():
                    beside.test[image] = kinds[row] == "test"
                what = f"The test images are read from column {some([name])} of {table.path}."
                faults.append(Fault(what, "Give the column another role to change that."))
        elif len(table.columns) == 1 and part_of(table.path.rpartition("/")[2]) == "test":
            beside.test[list(table.rows)] = True
            what = f"The test images are those that {table.path} lists: {len(table.rows):,}."
            faults.append(Fault(what, "Leave the list out to have no test part."))
    return used


def _in_rows(named: list[Named], name: str, n: int) -> list[str]:
    """The column's value for each of n images, "" for none."""
    found = [""] * n
    for table in named:
        for image, row in table.rows.items() if name in table.columns else ():
            found[image] = table.columns[name][row]
    return found
