"""What the columns of a table hold: numbers, words or lists, however they are written.

    Column                        one column of an Arrow table, and what can be asked of it
    numbers_in_text(columns)      columns of text whose cells are numbers become numbers
    lists_in_text(column)         "[0.1, 0.2]" becomes a list

Numbers as text: a blank, ?, -, None and the like are empty cells; commas are decimal or part
thousands, decided once for the whole table; a leading zero ("007") makes a name, not a number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from core.data.imports.draft import Fault
from core.data.imports.tables.numerals import (
    POINTED,
    SAID,
    is_missing,
    is_plain,
    marks_of,
    may_be_number,
    style_of,
    unit_of,
    value_of,
)
from core.data.imports.wording import as_word, some, word
from core.types import Floats, Ints

if TYPE_CHECKING:
    import pyarrow as pa

NO_LABEL = frozenset({"none", "null", "n/a", "na", "?", "-", "unlabeled", "unlabelled", "tbd"})
LIST = re.compile(r"\s*(\[.*\]|\(.*[,\s].*\))\s*", re.S)  # (10) is a number
LOOKED_AT = 200  # cells, before all are read


@dataclass(eq=False)
class Column:
    """One column. values: as the file has them, or the numbers that its text stands for.

    either: what a comma is in this table where it could be decimal or part thousands. padded: a
    cell of a text's whole numbers that begin with zeros, "" for none.
    """

    name: str
    values: pa.ChunkedArray
    either: str = "comma"
    padded: str = ""

    def __len__(self) -> int:
        return len(self.values)

    def take(self, values: pa.ChunkedArray) -> None:
        """Take these values, and forget what was told of the ones before."""
        kept = {"name": self.name, "either": self.either, "values": values}
        self.__dict__.clear()
        self.__dict__.update(kept)

    def as_far_as_numbers(self) -> tuple[Floats, dict[str, int]]:
        """The numbers (n,) of a column of text, NaN where a cell is none; and what these cells
        say, each with the first row that says it.
        """
        words, codes = self.coded
        numbers = {word for word in words if not is_missing(word) and may_be_number(word)}
        style = style_of(numbers)
        style = self.either if style == "either" else style
        read = {word: value_of(word, style) for word in numbers} if style else {}
        used, first = np.unique(codes, return_index=True)
        odd = {
            words[c]: int(row)
            for c, row in zip(used, first, strict=True)
            if words[c] not in read and not is_missing(words[c])
        }
        values = np.array([read.get(word, np.nan) for word in words])
        return values[codes], dict(sorted(odd.items()))

    @property
    def type(self) -> pa.DataType:
        return self.values.type

    @property
    def is_number(self) -> bool:
        """Whole numbers, fractions, truth values."""
        return is_number(self.type)

    @property
    def is_text(self) -> bool:
        return is_text(self.type)

    @property
    def is_list(self) -> bool:
        """A list of numbers in every row."""
        return is_list_of_numbers(self.type)

    @property
    def is_flat(self) -> bool:
        """One value in every row, so that it can be a word."""
        import pyarrow.types as is_

        return not is_.is_nested(self.type)

    def numbers(self) -> Floats:
        """float64 (n,), NaN where a cell is empty."""
        import pyarrow as pa

        return self.values.cast(pa.float64(), safe=False).to_numpy()

    @cached_property
    def coded(self) -> tuple[list[str], Ints]:
        """(words, code of each row); the last word is "", an empty cell."""
        import pyarrow as pa

        values = self.values
        if not pa.types.is_dictionary(values.type):
            values = values.dictionary_encode()
        coded = values.unify_dictionaries().combine_chunks()
        coded = coded if isinstance(coded, pa.DictionaryArray) else coded.chunk(0)
        words = [as_word(value) for value in coded.dictionary.to_pylist()] + [""]
        codes = coded.indices.fill_null(len(words) - 1).to_numpy(zero_copy_only=False)
        return words, codes.astype(np.int64)

    @property
    def words(self) -> list[str]:
        """The word of each row."""
        words, codes = self.coded
        return [words[code] for code in codes]

    @cached_property
    def distinct(self) -> set[str]:
        """The different words, but for blanks."""
        words, codes = self.coded
        return {words[code] for code in np.unique(codes)} - {""}

    @cached_property
    def is_unique(self) -> bool:
        """A word in every row, and each once."""
        return len(self.distinct) == len(self)

    @cached_property
    def is_whole(self) -> bool:
        """Whole numbers without a gap."""
        if not self.is_number:
            return False
        numbers = self.numbers()
        return bool(np.isfinite(numbers).all() and (numbers == np.floor(numbers)).all())

    @cached_property
    def has_fractions(self) -> bool:
        """Numbers of which not all are whole."""
        if not self.is_number:
            return False
        numbers = self.numbers()
        return bool((numbers != np.floor(numbers))[np.isfinite(numbers)].any())

    @cached_property
    def counts_rows(self) -> bool:
        """As many whole numbers in a row as there are rows, from any one on, in any order."""
        import pyarrow.compute as pc
        import pyarrow.types as is_

        n = len(self)
        if not is_.is_integer(self.type) or self.values.null_count:
            return False
        low, high = (pc.min_max(self.values)[end].as_py() for end in ("min", "max"))  # type: ignore[attr-defined]  # made when it is imported
        return high - low == n - 1 and len(np.unique(self.numbers())) == n


def is_text(kind: pa.DataType) -> bool:
    """Text, also as a dictionary of words."""
    import pyarrow.types as is_

    if is_.is_dictionary(kind):
        return is_text(kind.value_type)
    return is_.is_string(kind) or is_.is_large_string(kind)


def is_number(kind: pa.DataType) -> bool:
    """Whole numbers, fractions, truth values."""
    import pyarrow.types as is_

    return (
        is_.is_integer(kind)
        or is_.is_floating(kind)
        or is_.is_boolean(kind)
        or is_.is_decimal(kind)
    )


def is_list_of_numbers(kind: pa.DataType) -> bool:
    """Lists, of any or of a fixed length."""
    import pyarrow.types as is_

    lists = is_.is_list(kind) or is_.is_large_list(kind) or is_.is_fixed_size_list(kind)
    return lists and is_number(kind.value_type)


def columns_of(
    table: pa.Table,
    faults: list[Fault],
    *,
    separator: str = "",
    padded: Mapping[str, str] | None = None,
    as_written: Callable[[str], pa.ChunkedArray] | None = None,
) -> list[Column]:
    """The columns of a table, numbers and lists that are written as text read as what they are.

    separator: of a text; a comma inside of cells that commas part is rather one between thousands.
    padded: as in `Column`. as_written: the cells of a column of a text.
    """
    columns = [
        Column(name, values, padded=(padded or {}).get(name, ""))
        for name, values in zip(table.column_names, table.columns, strict=True)
    ]
    for column in columns:
        if column.is_text and (lists := lists_in_text(column)) is not None:
            column.values = lists
    pointed = any(column.has_fractions for column in columns)
    texts = [column for column in columns if column.is_text]
    commas = numbers_in_text(texts, faults, separator == "," or pointed)
    for column in columns if as_written and separator != "," else ():
        if column not in texts and column.has_fractions and (commas or _may_be_thousands(column)):
            _points_between_thousands(column, as_written(column.name), faults, sure=commas)
    return columns


def _may_be_thousands(column: Column) -> bool:
    """Three digits behind the point beside a whole number of three digits: 1.2 and 900."""
    numbers = column.numbers()
    numbers = numbers[np.isfinite(numbers)]
    thousands = 1000 * numbers
    whole = numbers == np.floor(numbers)
    return bool(
        (np.abs(numbers) < 1000).all()
        and (np.abs(numbers[whole]) >= 100).any()
        and (np.abs(thousands - np.round(thousands)) < 1e-6).all()
    )


def _points_between_thousands(
    column: Column, written: pa.ChunkedArray, faults: list[Fault], *, sure: bool
) -> None:
    """1.595 beside decimal commas is 1595; without any it is if no digit stands alone before it."""
    words, _ = Column(column.name, written).coded
    there = [word for word in words if not is_missing(word)]
    if not all(POINTED.fullmatch(word) or re.fullmatch(r"-?\d{1,3}", word) for word in there):
        return
    if not sure and any(re.match(r"-?0", word) for word in there):
        return
    numbers = {word: value_of(word, "comma") for word in there}
    example = next(word for word in there if "." in word)
    beside = "decimal commas" if sure else f"whole numbers such as {max(there, key=_digits)}"
    what = f"Column {some([column.name])}: found points such as in {example} beside {beside}."
    how = f"They part thousands: {example} is read as {numbers[example]:.10g}."
    if not sure:
        how += " If they are decimal points, save the table with commas between its cells."
    faults.append(Fault(what, how))
    column.take(written)
    _take_numbers(column, numbers)


def _digits(word: str) -> int:
    return len(word) if word.isdigit() else 0


def numbers_in_text(
    columns: Iterable[Column], faults: list[Fault], commas_part_cells: bool
) -> bool:
    """The columns of text that hold numbers become numbers, with a word on how they were read.
    Are there decimal commas among them?
    """
    columns = [*columns]
    found = []
    for column in columns:
        words = _numerals(column)
        if words:
            found.append((column, style_of(words)))
    found = [one for one in found if one[1]]
    sure = {style for _, style in found} - {"plain", "either"}
    thousands = (commas_part_cells or "thousands" in sure) and not sure & {"comma", "mixed"}
    either = "thousands" if thousands else "comma"
    for column in columns:
        column.either = either
    for column, style in found:
        _read_as(column, either if style == "either" else style, faults)
    return "comma" in sure or (not thousands and "either" in {style for _, style in found})


def _numerals(column: Column) -> set[str]:
    """The different cells but for missing ones, if all of them could be numbers; else none."""
    values = column.values.slice(0, LOOKED_AT).to_pylist()
    if not all(may_be_number(word(cell or "")) for cell in values):
        return set()
    words = {word for word in column.distinct if not is_missing(word)}
    return words if all(map(may_be_number, words)) else set()


def _read_as(column: Column, style: str, faults: list[Fault]) -> None:
    words, codes = column.coded
    missing = [is_missing(word) for word in words]
    there = [word for word, gone in zip(words, missing, strict=True) if not gone]
    numbers = {word: value_of(word, style) for word in there}
    said = [*marks_of(there), *([SAID[style]] if style in SAID else [])]
    if said:
        example = next((word for word in there if not is_plain(word)), there[0])
        what = f"Column {some([column.name])}: found {' and '.join(said)}, such as {example}."
        how = f"{example} is read as {numbers[example]:.10g}"
        other = next(
            (w for w in there if style == "comma" and w != example and POINTED.fullmatch(w)), None
        )
        how += f", and {other} as {numbers[other]:.10g}." if other else "."
        faults.append(Fault(what, how))
    _note_missing(column.name, words, codes, missing, faults)
    _take_numbers(column, numbers)


def _take_numbers(column: Column, numbers: dict[str, float]) -> None:
    """The number of each word, and gaps where there is none."""
    import pyarrow as pa

    words, codes = column.coded
    values = np.array([numbers.get(word, np.nan) for word in words])
    column.take(pa.chunked_array([pa.array(values[codes], from_pandas=True)]))


def read_units(column: Column, faults: list[Fault]) -> bool:
    """Numbers in text that all have one currency sign or one unit become numbers, with a word."""
    if not column.is_text:
        return False
    words = {word for word in column.distinct if not is_missing(word)}
    unit, bare = unit_of(words)
    style = style_of(bare.values()) if unit else ""
    if not style:
        return False
    style = column.either if style == "either" else style
    numbers = {word: value_of(number, style) for word, number in bare.items()}
    example = min(words)
    what = f"Column {some([column.name])}: found {unit} in every cell, such as {example}."
    how = f"{example} is read as {numbers[example]:.10g}."
    faults.append(Fault(what, how))
    _take_numbers(column, numbers)
    return True


def _note_missing(
    name: str, words: list[str], codes: Ints, missing: Sequence[bool], faults: list[Fault]
) -> None:
    """Words that stand for an empty cell, and in which rows."""
    marks = [w for w, gone in zip(words, missing, strict=True) if gone and w]
    if marks:
        rows = np.flatnonzero(np.isin(codes, [words.index(mark) for mark in marks]))
        shown = some([f"{row:,}" for row in rows])
        faults.append(
            Fault(
                f"Column {some([name])}: found {some(marks)} in {len(rows):,} of"
                f" {len(codes):,} rows (row {shown}, counted from 0).",
                "Such cells count as empty.",
            )
        )


def lists_in_text(column: Column) -> pa.ChunkedArray | None:
    """Lists of numbers that are written as text, such as pandas and NumPy write them, also lists of
    lists, row by row; None if a cell is none. An empty cell is an empty list.
    """
    import pyarrow as pa

    first = column.values.slice(0, LOOKED_AT).to_pylist()
    if not any(first) or not all(LIST.fullmatch(cell) for cell in first if cell):
        return None
    rows = []
    for cell in column.values.to_pylist():
        row = _list(cell)
        if row is None and cell:
            return None
        rows.append(row)
    return pa.chunked_array([pa.array(rows, pa.list_(pa.float64()))])


def _list(cell: str | None) -> list[float] | None:
    if not cell or not LIST.fullmatch(cell):
        return None
    inner = re.sub(r"[\[\](),]", " ", cell).split()
    try:
        return [float(word) for word in inner]
    except ValueError:
        return None
