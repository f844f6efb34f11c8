"""What the columns of a table hold: numbers, words or lists, however they are written.

    Column                        one column of an Arrow table, and what can be asked of it
    numbers_in_text(columns)      columns of text whose cells are numbers become numbers
    lists_in_text(column)         "[0.1, 0.2]" becomes a list

Numbers as text: a blank, ?, -, None and the like are empty cells; commas are decimal or part
thousands, decided once for the whole table; a leading zero ("007") makes a name, not a number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from core.data.imports.draft import Fault
from core.data.imports.wording import as_word, some, word
from core.types import Floats, Ints

if TYPE_CHECKING:
    import pyarrow as pa

MISSING = frozenset(
    {"", "?", "-", "--", ".", "nan", "none", "null", "nil", "na", "n/a", "#n/a", "missing"}
    | {"#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!"}  # what Excel writes
)
NO_LABEL = frozenset({"none", "null", "n/a", "na", "?", "-", "unlabeled", "unlabelled", "tbd"})
PLAIN = re.compile(r"[-+]?(?!0\d)(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?inf(inity)?", re.I)
DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+([eE][-+]?\d+)?")
THOUSANDS = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?")
POINTED = re.compile(r"[-+]?\d{1,3}(\.\d{3})+(,\d+)?")  # 1.234,5
SPACED = re.compile("[-+]?\\d{1,3}([ '\u2019\u00a0\u202f]\\d{3})+([.,]\\d+)?")
PERCENT = re.compile(rf"({PLAIN.pattern}) ?%", re.I)
LIST = re.compile(r"\s*[\[(].*[\])]\s*", re.S)
LOOKED_AT = 200  # cells, before all are read


@dataclass(eq=False)
class Column:
    """One column. values: as the file has them, or the numbers that its text stands for."""

    name: str
    values: pa.ChunkedArray

    def __len__(self) -> int:
        return len(self.values)

    def take(self, values: pa.ChunkedArray) -> None:
        """Take these values, and forget what was told of the ones before."""
        name = self.name
        self.__dict__.clear()
        self.name = name
        self.values = values

    def as_far_as_numbers(self) -> tuple[Floats, dict[str, int]]:
        """The numbers (n,) of a column of text, NaN where a cell is none; and what these cells
        say, each with the first row that says it.
        """
        words, codes = self.coded
        tidied = [tidy(word) for word in words]
        read = [float(word) if PLAIN.fullmatch(word) else np.nan for word in tidied]
        used, first = np.unique(codes, return_index=True)
        odd = {
            words[c]: int(row)
            for c, row in zip(used, first, strict=True)
            if not _is_plain(words[c])
        }
        return np.array(read)[codes], dict(sorted(odd.items()))

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
    commas_part_cells: bool = False,
    as_written: Callable[[str], pa.ChunkedArray] | None = None,
) -> list[Column]:
    """The columns of a table, numbers and lists that are written as text read as what they are.

    commas_part_cells: then a comma inside of a cell is rather one between thousands. as_written:
    the cells of a column of a text.
    """
    columns = [
        Column(name, values) for name, values in zip(table.column_names, table.columns, strict=True)
    ]
    for column in columns:
        if column.is_text and (lists := lists_in_text(column)) is not None:
            column.values = lists
    pointed = any(column.has_fractions for column in columns)
    texts = [column for column in columns if column.is_text]
    commas = numbers_in_text(texts, faults, commas_part_cells or pointed)
    if commas and as_written:
        for column in columns:
            if column not in texts and column.has_fractions:
                _points_between_thousands(column, as_written(column.name), faults)
    return columns


def _points_between_thousands(
    column: Column, written: pa.ChunkedArray, faults: list[Fault]
) -> None:
    """1.595 beside decimal commas is 1595."""
    import pyarrow as pa

    words, codes = Column(column.name, written).coded
    there = [word for word in words if word.lower() not in MISSING]
    if not all(POINTED.fullmatch(word) or re.fullmatch(r"-?\d{1,3}", word) for word in there):
        return
    numbers = {word: _float(word, "comma") for word in there}
    values = np.array([numbers.get(word, np.nan) for word in words])
    example = next(word for word in there if "." in word)
    what = f"Column {some([column.name])}: found points beside decimal commas, such as {example}."
    read = values[words.index(example)]
    faults.append(Fault(what, f"They part thousands: {example} is read as {read:g}."))
    column.take(pa.chunked_array([pa.array(values[codes], from_pandas=True)]))


def numbers_in_text(
    columns: Iterable[Column], faults: list[Fault], commas_part_cells: bool
) -> bool:
    """The columns of text that hold numbers become numbers, with a word on how they were read.
    Are there decimal commas among them?
    """
    found = []
    for column in columns:
        words = _numerals(column)
        if words:
            found.append((column, words, _style(words)))
    found = [one for one in found if one[2]]
    sure = {style for _, _, style in found} - {"plain", "either"}
    thousands = (commas_part_cells or "thousands" in sure) and not sure & {"comma", "mixed"}
    either = "thousands" if thousands else "comma"
    for column, _, style in found:
        _read_as(column, either if style == "either" else style, faults)
    return "comma" in sure or (not thousands and "either" in {style for _, _, style in found})


def _is_plain(word: str) -> bool:
    """A number as a float writes it, or a word for a missing one."""
    return tidy(word).lower() in MISSING or PLAIN.fullmatch(tidy(word)) is not None


def tidy(word: str) -> str:
    """With a plain minus sign, and without blanks at its ends."""
    return word.strip().replace("\u2212", "-")


def _numerals(column: Column) -> set[str]:
    """The different cells but for missing ones, if all of them could be numbers; else none."""
    values = column.values.slice(0, LOOKED_AT).to_pylist()
    if not all(_may_be_number(cell) for cell in values):
        return set()
    words = {tidy(word) for word in column.distinct}
    words = {word for word in words if word.lower() not in MISSING}
    return words if words and all(map(_may_be_number, words)) else set()


def _may_be_number(cell: str | None) -> bool:
    text = tidy(word(cell or ""))
    if text.lower() in MISSING:
        return True
    written = (PLAIN, DECIMAL_COMMA, THOUSANDS, POINTED, SPACED, PERCENT)
    return any(pattern.fullmatch(text) for pattern in written)


def _style(words: set[str]) -> str:
    """How these numbers are written: plain, thousands, comma, either of the two, mixed (decimal
    commas beside decimal points), spaced, percent; "" for none that fits all.
    """
    odd = [word for word in words if not PLAIN.fullmatch(word)]
    if not odd:
        return "plain"
    for style, patterns in (
        ("thousands", (THOUSANDS,)),
        ("comma", (DECIMAL_COMMA, POINTED)),
        ("spaced", (SPACED, DECIMAL_COMMA)),
        ("percent", (PERCENT,)),
    ):
        if all(any(p.fullmatch(word) for p in patterns) for word in odd):
            if style == "thousands" and all(map(DECIMAL_COMMA.fullmatch, odd)):
                return "either"
            pointed = [word for word in words if "." in word]
            return (
                "mixed" if style == "comma" and not all(map(POINTED.fullmatch, pointed)) else style
            )
    return ""


SAID = {
    "thousands": ("commas between thousands", "1,234 is read as 1234."),
    "comma": ("decimal commas", "1,5 is read as 1.5, and 1.234,5 as 1234.5."),
    "mixed": ("decimal commas beside decimal points", "1,5 is read as 1.5."),
    "spaced": ("numbers in groups of three digits", "1 234 is read as 1234."),
    "percent": ("percent signs", "5% is read as 5."),
    "plain": ("numbers written as text", "They are read as numbers."),
}


def _read_as(column: Column, style: str, faults: list[Fault]) -> None:
    import pyarrow as pa

    words, codes = column.coded
    missing = [tidy(word).lower() in MISSING for word in words]
    there = [word for word, gone in zip(words, missing, strict=True) if not gone]
    numbers = {word: _float(tidy(word), style) for word in there}
    values = np.array([numbers.get(word, np.nan) for word in words])
    example = next((word for word in there if not _is_plain(word)), there[0])
    if style != "plain":
        what, how = SAID[style]
        faults.append(Fault(f"Column {some([column.name])}: found {what}, such as {example}.", how))
    _note_missing(column.name, words, codes, missing, faults)
    column.take(pa.chunked_array([pa.array(values[codes], from_pandas=True)]))


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


def _float(word: str, style: str) -> float:
    if style == "thousands":
        word = word.replace(",", "")
    if style == "percent":
        word = word.rstrip("% ")
    if POINTED.fullmatch(word) and style == "comma":
        word = word.replace(".", "")
    if style in ("comma", "mixed"):
        word = word.replace(",", ".")
    if style == "spaced" and not PLAIN.fullmatch(word):
        word = re.sub("[ '\u2019\u00a0\u202f]", "", word).replace(",", ".")
    return float(word)


def lists_in_text(column: Column) -> pa.ChunkedArray | None:
    """Lists of numbers that are written as text, such as pandas and NumPy write them; None if a
    cell is none. An empty cell is an empty list.
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
    inner = cell.strip()[1:-1].replace(",", " ").split()
    try:
        return [float(word) for word in inner]
    except ValueError:
        return None
