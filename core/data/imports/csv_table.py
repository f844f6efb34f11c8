"""A CSV file as a table: its encoding, its separator, its header, and every way in which the text
may be absurd.

UTF-8, with or without a byte order mark, else Latin-1 with a fault. The separator is the one of
comma, semicolon and tab that the first line holds most often. A first line of numbers is a row, not
a header. Types are told from the whole column, not from its beginning. Rows of different lengths,
decimal commas, NUL bytes, endless lines and a million columns are refused.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from core.data.imports.draft import Fault
from core.data.imports.file_limits import MEGABYTE, Limits
from core.data.imports.wording import damage_reported, one_line, some
from core.types import UserError

if TYPE_CHECKING:
    import pyarrow as pa

SEPARATORS = (",", ";", "\t")
LONGEST_LINE = 10 * MEGABYTE
UTF16 = (b"\xff\xfe", b"\xfe\xff")
MEND = "Save the table as CSV in UTF-8, with one separator and paired quotation marks throughout."
DECIMAL_COMMA = re.compile(r"\s*[-+]?\d+,\d+\s*")


def parse_csv(
    data: bytes,
    title: str,
    limits: Limits,
    text_column: Callable[[list[str]], str | None],
    faults: list[Fault],
) -> pa.Table:
    """The table, its column names unique.

    text_column(names) is the column whose values stay as they are written, or None.
    """
    text = _utf8(data, title, faults)
    _check_lines(text, title, limits)
    first = text.partition(b"\n")[0].decode()
    separator = max(SEPARATORS, key=first.count)
    columns = first.count(separator) + 1
    if columns > limits.all_columns:
        raise UserError(
            f"{title}: found {columns:,} columns, expected at most {limits.all_columns:,}. Bring"
            " fewer columns."
        )
    cells = _cells(first, separator, title)
    if all(_is_number(cell) for cell in cells):
        what = "The first line holds numbers instead of names."
        faults.append(Fault(what, "It is read as a row, and the columns are numbered."))
        names = [f"column {i + 1}" for i in range(len(cells))]
        table = _parse(text, title, separator, names, header=False)
    else:
        names = unique_names(cells, faults)
        table = _parse(text, title, separator, names, header=True, kept=text_column(names))
    _refuse_decimal_commas(table, title)
    return table


def unique_names(names: list[str], faults: list[Fault]) -> list[str]:
    """Each name on one line and once: a nameless column is called by its number, a repeated name
    gets a number behind it.
    """
    seen: dict[str, int] = {}
    unique = []
    for i, name in enumerate(names):
        name = one_line(name) or f"unnamed {i + 1}"
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
    if data.startswith(UTF16) or b"\0" in data:
        raise UserError(
            f"{title}: found NUL bytes or UTF-16, expected a table, images or arrays of a known"
            f" format. {MEND}"
        )
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
                "It is read as Latin-1; save it as UTF-8 if letters look wrong.",
            )
        )
        return data.decode("latin-1").encode()


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


def _cells(line: str, separator: str, title: str) -> list[str]:
    try:
        cells = next(csv.reader([line.rstrip("\r")], delimiter=separator), [])
    except csv.Error as error:
        raise UserError(
            f"{title}: found a first line that is no header, expected the names of the columns."
            f" {MEND}"
        ) from error
    if not any(cell.strip() for cell in cells):
        raise UserError(
            f"{title}: found an empty first line, expected the names of the columns. {MEND}"
        )
    return cells


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _parse(
    text: bytes,
    title: str,
    separator: str,
    names: list[str],
    *,
    header: bool,
    kept: str | None = None,
) -> pa.Table:
    """header: is the first line one? kept: the column whose values stay as they are written."""
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
    convert = arrow_csv.ConvertOptions(
        column_types={numbered[names.index(kept)]: pa.string()} if kept else None
    )
    with damage_reported(title, MEND):
        try:
            table = arrow_csv.read_csv(pa.py_buffer(text), read, parse, convert)
        except pa.ArrowInvalid as error:
            if not uneven:
                raise
            raise _uneven(uneven[0], title) from error
    return table.rename_columns(names)


def _uneven(row: Any, title: str) -> UserError:
    where = f"row {row.number} " if row.number else "a row "
    found = f"{where}of {row.actual_columns:,} cells ({some([row.text])})"
    return UserError(f"{title}: found {found}, expected {row.expected_columns:,}. {MEND}")


def _refuse_decimal_commas(table: pa.Table, title: str, looked_at: int = 100) -> None:
    import pyarrow as pa

    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_string(column.type):
            texts = [text for text in column.slice(0, looked_at).to_pylist() if text]
            if texts and all(DECIMAL_COMMA.fullmatch(text) for text in texts):
                found = f"decimal commas in column {some([name])}, such as {some(texts[:1])}"
                raise UserError(
                    f"{title}: found {found}, expected decimal points. Save the table with points."
                )
