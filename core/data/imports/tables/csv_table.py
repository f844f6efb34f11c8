"""A CSV file as a table: its encoding, its separator, its header, and every way in which the text
may be absurd.

UTF-8, with or without a byte order mark, UTF-16, else Windows-1252 with a fault. Lines before the
table (sep=;, comments, blanks) are passed over. The separator is the one of comma, semicolon, tab,
bar and blanks that cuts the first rows most evenly. The first line names the columns unless it
looks like the rows below it; 0, 1, 2, ... over fractions are names. Types are told from the whole
column, not from its beginning. Rows of different lengths, NUL bytes, endless lines and a million
columns are refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.data.imports.draft import Fault
from core.data.imports.file_limits import MEGABYTE, Limits
from core.data.imports.tables.cells import (
    cut_by_blanks,
    has_padded,
    is_number,
    looks_like_names,
    sampled,
)
from core.data.imports.tables.lines_around import (
    lines_of_nothing,
    table_part,
    without_lines_around,
    without_lines_within,
)
from core.data.imports.wording import damage_reported, some, word
from core.types import UserError

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST_LINE = 10 * MEGABYTE
BYTE_ORDER = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
MEND = "Save the table as CSV in UTF-8, with one separator and paired quotation marks throughout."
UNEVEN = (
    "Delete lines above the names of the columns and below the table, and use one separator and"
    " paired quotation marks throughout."
)


@dataclass(frozen=True, eq=False)
class ParsedText:
    """table: its column names unique. doubtful: the first line may be names or a row. nothing: how
    many rows hold nothing but separators.

    as_written(name): a column's cells as text.
    """

    table: pa.Table
    text: bytes
    separator: str
    header: bool
    doubtful: bool
    nothing: int = 0

    def as_written(self, name: str) -> pa.ChunkedArray:
        names = self.table.column_names
        if self.table.schema.field(name).type == "string":
            return self.table[name]
        return _parse(self.text, "", self.separator, names, header=self.header, kept=[name])[name]

    def padded(self) -> dict[str, str]:
        """{name: a cell} of whole numbers of three and more digits, as many in each cell, some of
        which begin with a zero: 007. Where all numbers of a table are so, its cells have one width,
        and that says nothing.
        """
        import pyarrow.compute as pc
        import pyarrow.types as is_

        schema = self.table.schema
        whole = [field.name for field in schema if is_.is_integer(field.type)]
        if not whole or not has_padded(self.text, self.separator):
            return {}
        names = self.table.column_names
        cells = _parse(self.text, "", self.separator, names, header=self.header, kept=whole)
        found = {}
        for name in whole:
            words = [word for word in pc.unique(cells[name]).to_pylist() if word]  # type: ignore[attr-defined]  # made when it is imported
            long = all(map(str.isdigit, words)) and {*map(len, words)} - {0, 1, 2}
            if long and len(long) == 1 and (zero := [word for word in words if word[0] == "0"]):
                found[name] = zero[0]
        numbers = [f for f in schema if is_.is_integer(f.type) or is_.is_floating(f.type)]
        return found if len(found) < len(numbers) else {}


def parse_csv(
    data: bytes, title: str, limits: Limits, faults: list[Fault], *, header: bool | None = None
) -> ParsedText:
    """The table of a text. header: does its first line name the columns? None: as it looks."""
    text = _utf8(data, title, faults)
    _check_lines(text, title, limits)
    text, separator = table_part(text, title, faults)
    if separator == " ":
        text, separator = cut_by_blanks(text), "\t"
    text = without_lines_around(text, separator, faults)
    columns = text.partition(b"\n")[0].count(separator.encode()) + 1
    if columns > limits.all_columns:
        raise UserError(
            f"{title}: found {columns:,} columns, expected at most {limits.all_columns:,}. Bring"
            " fewer columns."
        )
    first, *rows = _records(text, separator, title)
    likely = looks_like_names(first, rows)
    named = likely if header is None else header
    if named and likely:
        text = without_lines_within(text, first, rows, faults)
        rows = sampled(text, separator)[1:]
    names = _names(first, rows, named, faults)
    table = _parse(text, title, separator, names, header=named)
    doubtful = not likely or all(map(is_number, first))
    nothing = lines_of_nothing(text, separator)
    return ParsedText(table, text, separator, named, doubtful, nothing)


def unique_names(names: list[str], faults: list[Fault]) -> list[str]:
    """Each name on one line and once: a nameless column is called by its number, a repeated name
    gets a number behind it.
    """
    seen: dict[str, int] = {}
    unique = []
    for i, name in enumerate(names):
        name = word(name) or f"unnamed {i + 1}"
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    repeated = [name for name, count in seen.items() if count > 1]
    if repeated:
        faults.append(
            Fault(
                f"Column names that occur more than once: {some(repeated)}.",
                "The later ones are numbered.",
            )
        )
    return (
        unique
        if len(set(unique)) == len(unique)
        else [f"{name} [{i + 1}]" for i, name in enumerate(unique)]
    )


def _utf8(data: bytes, title: str, faults: list[Fault]) -> bytes:
    data = _decoded_utf16(data, title, faults)
    if b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    data = data if data.endswith(b"\n") else data + b"\n"
    try:
        data.decode()
        return data.removeprefix(b"\xef\xbb\xbf")
    except UnicodeDecodeError:
        faults.append(
            Fault(
                "The text is not UTF-8.",
                "It is read as Windows-1252; save it as UTF-8 if letters look wrong.",
            )
        )
    try:
        return data.decode("cp1252").encode()
    except UnicodeDecodeError:
        return data.decode("latin-1").encode()


def _decoded_utf16(data: bytes, title: str, faults: list[Fault]) -> bytes:
    """UTF-16 as UTF-8: by its mark, or since every second byte of plain letters is NUL."""
    coding = BYTE_ORDER.get(data[:2])
    if coding is None and b"\0" in data:
        odd, even = data[1:400:2].count(0), data[0:400:2].count(0)
        half = len(data[:400]) // 2
        coding = "utf-16-le" if odd > 0.6 * half else "utf-16-be" if even > 0.6 * half else None
    if coding:
        try:
            text = data.decode(coding)
        except UnicodeDecodeError:
            text = "\0"
        data = text.encode(errors="replace")
        if b"\0" not in data:
            faults.append(Fault("The text is UTF-16.", "It is read as such."))
    if b"\0" in data:
        raise UserError(
            f"{title}: found NUL bytes, expected a table, images or arrays of a known format."
            f" {MEND}"
        )
    return data


def _check_lines(text: bytes, title: str, limits: Limits) -> None:
    lines = text.count(b"\n")
    if lines > 2 * limits.rows + 1:  # blank lines and line breaks inside cells may double them
        raise UserError(
            f"{title}: found {lines:,} lines, expected at most {limits.rows:,} rows. Bring fewer"
            " rows."
        )
    longest = max(map(len, text.split(b"\n")))
    if longest > LONGEST_LINE:
        raise UserError(
            f"{title}: found a line of {longest:,} bytes, expected a table with at most"
            f" {LONGEST_LINE:,} a row. {MEND}"
        )


def _records(text: bytes, separator: str, title: str) -> list[list[str]]:
    rows = sampled(text, separator)
    if not rows:
        raise UserError(
            f"{title}: found a first line that is no header, expected the names of the columns."
            f" {MEND}"
        )
    if not any(cell.strip() for cell in rows[0]):
        raise UserError(
            f"{title}: found an empty first line, expected the names of the columns. {UNEVEN}"
        )
    return rows


def _names(first: list[str], rows: list[list[str]], named: bool, faults: list[Fault]) -> list[str]:
    if not named:
        what = (
            "The first line holds numbers instead of names."
            if all(map(is_number, first))
            else "The first line looks like a row, and not like names."
        )
        faults.append(Fault(what, "It is read as a row, and the columns are numbered."))
        return [f"column {i + 1}" for i in range(len(first))]
    if all(map(is_number, first)):
        faults.append(
            Fault(
                f"The first line counts the columns: {some(first)}.", "It is read as their names."
            )
        )
    lengths = {len(row) for row in rows}
    if lengths == {len(first) + 1}:  # a name is missing: of an index, or behind a last separator
        blank = all(not row[-1].strip() for row in rows)
        first = [*first, ""] if blank else ["", *first]
        where = "last" if blank else "first"
        faults.append(
            Fault(
                "Every row has one cell more than the first line has names.",
                f"The {where} column has no name.",
            )
        )
    return unique_names(first, faults)


def _parse(
    text: bytes,
    title: str,
    separator: str,
    names: list[str],
    *,
    header: bool,
    kept: list[str] | None = None,
) -> pa.Table:
    """header: is the first line one? kept: the only columns that are read, as they are written."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    uneven: list[Any] = []
    numbered = [f"{i}" for i in range(len(names))]
    read = arrow_csv.ReadOptions(
        use_threads=False,
        block_size=len(text) + 1,
        column_names=numbered,
        skip_rows_after_names=int(header),
    )
    parse = arrow_csv.ParseOptions(
        delimiter=separator,
        newlines_in_values=True,
        invalid_row_handler=lambda row: uneven.append(row) or "error",
    )
    only = [numbered[names.index(name)] for name in kept or ()]
    convert = arrow_csv.ConvertOptions(
        column_types=dict.fromkeys(only, pa.string()),
        include_columns=only or None,
    )
    with damage_reported(title, MEND):
        try:
            table = arrow_csv.read_csv(pa.py_buffer(text), read, parse, convert)
        except pa.ArrowInvalid as error:
            if not uneven:
                raise
            raise _uneven(uneven[0], title) from error
    return table.rename_columns(kept or names)


def _uneven(row: Any, title: str) -> UserError:
    where = f"line {row.number:,}" if row.number else "a line"
    found = f"{where} of {row.actual_columns:,} cells"
    return UserError(f"{title}: found {found}, expected {row.expected_columns:,}. {UNEVEN}")
