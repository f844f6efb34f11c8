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
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from core.data.imports.archives import IMAGES, TEXT, Member
from core.data.imports.cleaning import as_word, split_of
from core.data.imports.csv_table import parse_csv
from core.data.imports.draft import Choices, Fault
from core.data.imports.file_limits import Allowance, Limits, TooMuch
from core.data.imports.images.layouts import Layout, part_of, pieces
from core.data.imports.parquet_limits import open_parquet, read_columns
from core.data.imports.wording import damage_reported, some
from core.types import Bools, UserError

MOST = 20  # tables that are looked at
COLUMNS = 200  # of a table that are looked at
SHARE = 0.5  # of its rows or of the images that a column must name
LABELS = ("label", "labels", "class", "target", "y", "category", "class_name", "label_name")
LABELS = (*LABELS, "class_label", "classname", "labels_name", "species", "breed", "diagnosis")
SPLITS = ("split", "subset", "partition", "set", "data set", "dataset")
MEND = "Call the column of the labels label, or choose it."
Column = list[str]  # as it is written, "" for nothing


@dataclass
class Beside:
    """What folders and tables say, one entry per image. classes: "" where none is known. columns:
    of the tables, which can be chosen.
    """

    classes: list[str]
    test: Bools
    target: np.ndarray | None = None
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
        found |= _labels(table, choices, faults)
    _settle(beside, found, named, choices, faults)
    if not beside.test.any():
        for table in named:
            _note_split(table, beside)
    if choices.target:
        beside.target = _target(named, choices.target, len(images))
    return beside


def _refuse_unknown(choices: Choices, columns: list[str], title: str) -> None:
    for what, choice in (("Label", choices.label), ("Target", choices.target)):
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
    places = _Places([member.path for member in images])
    good = []
    others = [table.path for table in tables[MOST:]]
    broken = []
    for table in tables[:MOST]:
        try:
            columns = _columns(table.path, table.read(allowance), limits)
        except TooMuch:
            raise
        except UserError:
            broken.append(table.path)
            continue
        found = None if "submission" in pieces(table.path) else _named(table, columns, places)
        good += [found] if found else []
        others += [] if found else [table.path]
    for paths, what in ((others, "that name none of the images"), (broken, "that cannot be read")):
        if paths:
            mend = "They are not used. Name the images in a column file_name as their files are."
            faults.append(Fault(f"Tables {what}: {len(paths):,}, such as {some(paths, 1)}.", mend))
    return good


def _columns(path: str, data: bytes | bytearray, limits: Limits) -> dict[str, Column]:
    """The columns of a table, as they are written."""
    name = path.lower()
    with damage_reported(some([path]), "Save it as CSV."):
        if name.endswith((".jsonl", ".ndjson")):
            return _json_lines(bytes(data), limits)
        if name.endswith((".parquet", ".pq")):
            file = open_parquet(bytes(data), path, limits)
            names = [n for n, kind in zip(*_flat(file.schema_arrow), strict=True) if kind][:COLUMNS]
            table = read_columns(file, bytes(data), names, path, limits)
            return {n: [as_word(value) for value in table[n].to_pylist()] for n in names}
        return _csv(bytes(data), path, limits)


def _flat(schema) -> tuple[list[str], list[bool]]:
    import pyarrow.types as is_

    return schema.names, [
        not (is_.is_nested(kind) or is_.is_binary(kind) or is_.is_large_binary(kind))
        for kind in schema.types
    ]


def _csv(data: bytes, path: str, limits: Limits) -> dict[str, Column]:
    """Whole numbers may be names that begin with 0: such columns are read a second time as text."""
    import pyarrow.types as is_

    table = parse_csv(data, path, limits, lambda names: None, [])
    columns = {}
    for name in table.column_names[:COLUMNS]:
        column = table[name]
        if is_.is_integer(column.type) and len(table.column_names) <= 10:
            again = parse_csv(data, path, limits, lambda names, own=name: own, [])
            column = again[name] if name in again.column_names else column
        columns[name] = [as_word(value) for value in column.to_pylist()]
    return columns


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


def _named(table: Member, columns: dict[str, Column], places: _Places) -> Named | None:
    """The table with the column that names the most images, if it names enough of them."""
    best: dict[int, int] = {}
    names = ""
    own = places.of_table(table.path)
    for name, column in columns.items():
        found = own.rows(column)
        if len(found) > len(best):
            best = found
            names = name
    rows = len([value for value in columns.get(names, ()) if value])
    enough = best and (len(best) >= SHARE * rows or len(best) >= SHARE * len(own.paths))
    return Named(table.path, columns, names, best) if enough else None


class _Places:
    """The images of an archive, found by what a table calls them. paths: (number, path) of each."""

    def __init__(
        self, paths: Iterable[str], numbers: Iterable[int] | None = None, folder: str = ""
    ):
        lines = [unicodedata.normalize("NFC", path) for path in paths]
        self.paths = list(zip(numbers or range(len(lines)), lines, strict=True))
        self.folder = folder
        self.whole = {
            True: {path: image for image, path in self.paths},
            False: {path.rpartition(".")[0]: image for image, path in self.paths},
        }
        self.by_length: dict[tuple[int, bool], dict[str, int]] = {}

    def of_table(self, path: str) -> _Places:
        """Those that a table of this path may speak of: of its folder, and of its part."""
        path = unicodedata.normalize("NFC", path)
        folder, _, name = path.rpartition("/")
        inside = [entry for entry in self.paths if not folder or entry[1].startswith(folder + "/")]
        inside = inside or self.paths
        part = part_of(name.rpartition(".")[0])
        parted = [
            entry for entry in inside if part in map(part_of, entry[1].split("/")[:-1])
        ] * bool(part)
        numbers, paths = zip(*(parted or inside), strict=True)
        return _Places(paths, numbers, folder)

    def rows(self, column: Column) -> dict[int, int]:
        """{image: row} of the images that a column names, each once."""
        values = _without_shared([_tidy(value) for value in column])
        found: dict[int, int] = {}
        for row, value in enumerate(values):
            image = self._find(value) if value else None
            if image is not None:
                found.setdefault(image, row)
        return found

    def _find(self, value: str) -> int | None:
        ended = value.lower().endswith(IMAGES)
        length = value.count("/") + 1
        known = self.by_length.get((length, ended))
        if known is None:
            known = self.by_length[length, ended] = self._ends(length, ended)
        image = self.whole[ended].get(f"{self.folder}/{value}" if self.folder else value, -1)
        image = known.get(value, -1) if image < 0 else image
        if image < 0 and not ended and value.isdigit():
            image = known.get(f"#{int(value)}", -1)
        return image if image >= 0 else None

    def _ends(self, length: int, ended: bool) -> dict[str, int]:
        """{the last folders and the name: image}, -2 where several end so."""
        known: dict[str, int] = {}
        for image, path in self.paths:
            whole = path if ended else path.rpartition(".")[0]
            end = "/".join(whole.split("/")[-length:])
            known[end] = -2 if end in known else image
            if end.isdigit():
                number = f"#{int(end)}"
                known[number] = -2 if number in known else image
        return known


def _tidy(value: str) -> str:
    value = unicodedata.normalize("NFC", value.replace("\\", "/"))
    return "/".join(part for part in value.split("/") if part not in ("", "."))


def _without_shared(values: list[str]) -> list[str]:
    """Without the folders that all share: an absolute path has more than the archive knows."""
    while True:
        first = {value.partition("/")[0] if "/" in value else "" for value in values if value}
        if len(first) != 1 or first == {""}:
            return values
        values = [value.partition("/")[2] for value in values]


# What they say.


def _labels(table: Named, choices: Choices, faults: list[Fault]) -> dict[int, str]:
    """{image: label} of one table."""
    others = {name: column for name, column in table.columns.items() if name != table.names}
    label = choices.label
    if label is None:
        by_name = {name.lower(): name for name in reversed(others)}
        label = next((by_name[name] for name in LABELS if name in by_name), None)
    if label is None and (hot := _one_hot(others)):
        what = f"{some([table.path])}: columns of 0 and 1, one of them for each image."
        faults.append(Fault(what, "They are read as classes."))
        return {image: hot[row] for image, row in table.rows.items()}
    label = _likely(others, table) if label is None else label
    if label in others:
        return {image: others[label][row] for image, row in table.rows.items()}
    if others and label != "":
        what = f"{some([table.path])}: no labels among the columns {some(others)}."
        faults.append(Fault(what, f"They are not used. {MEND}"))
    return {}


def _likely(others: dict[str, Column], table: Named) -> str | None:
    """The only other column, if it has fewer values than rows and is no text of its own."""
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
    if classes > 1 and not choices.label:
        if any(beside.classes[image] != label for image, label in found.items()):
            what = f"Labels in {where} that differ from the folders."
            faults.append(Fault(what, "The folders are the classes. Choose the column to use it."))
        return
    missing = len(beside.classes) - len(found)
    beside.classes = [found.get(image, "") for image in range(len(beside.classes))]
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


def _target(named: list[Named], name: str, n: int) -> np.ndarray:
    """float64 (n,), NaN where no number stands."""
    target = np.full(n, np.nan)
    for table in named:
        for image, row in table.rows.items() if name in table.columns else ():
            try:
                target[image] = float(table.columns[name][row])
            except ValueError:
                continue
    return target
