"""Which lines of a text are the table, and which only stand around it?

    table_part(text)              without comments, sep= and blank lines above; the separator
    without_lines_around(text)    without titles above and remarks below
    without_lines_within(text)    without units below the names, and names that come again
    lines_of_nothing(text)        how many rows hold nothing but separators

Each kind that is passed over is told.
"""

from __future__ import annotations

import re

from core.data.imports.draft import Fault
from core.data.imports.tables.cells import is_number, looks_like_names, sampled, separator_of
from core.data.imports.tables.numerals import is_missing, may_be_number
from core.data.imports.wording import some

TITLES = 10  # lines above a table, at most
REMARKS = 3  # below
UNITS = 3  # below the names


def table_part(text: bytes, title: str, faults: list[Fault]) -> tuple[bytes, str]:
    """(the text from the table's first line on, its separator).

    Before it may stand blank lines, comments, and Excel's sep=; of which the last comment may hold
    the columns' names (numpy.savetxt writes them so).
    """
    separator, comment = "", b""
    while text:
        line, _, rest = text.partition(b"\n")
        bare = line.strip()
        if said := re.fullmatch(rb'"?sep=(.)"?', line.strip(b"\r\n ")):
            separator = said[1].decode(errors="replace")
        elif bare.startswith(b"#"):
            comment = bare.lstrip(b"# ")
        elif (bare and rest.strip() == b"" and not comment) or bare:
            break
        text = rest
    separator = separator or separator_of(text)
    if comment:
        text, how = _with_comment(comment, text, separator, title)
        faults.append(Fault("Lines before the table begin with #.", how))
    return text, separator


def _with_comment(comment: bytes, text: bytes, separator: str, title: str) -> tuple[bytes, str]:
    first = text.partition(b"\n")[0]
    cut = (
        (lambda line: line.split())
        if separator == " "
        else (lambda line: line.split(separator.encode()))
    )
    names = cut(comment)
    cells = [cell.decode() for cell in cut(first.strip())]
    rows = sampled(text, separator)
    names_them = not looks_like_names(cells, rows[1:]) and looks_like_names(
        [name.decode() for name in names], rows
    )
    if len(names) == len(cells) > 1 and (all(map(is_number, cells)) or names_them):
        return comment + b"\n" + text, "The last of them names the columns."
    return text, "They are passed over."


def without_lines_around(text: bytes, separator: str, faults: list[Fault]) -> bytes:
    """The text without titles above a table of three or more columns, and remarks below."""
    rows = sampled(text, separator)
    lengths = [len(row) for row in rows if len(row) > 1]
    usual = max(lengths, key=lambda length: (lengths.count(length), length), default=0)
    above = next((i for i, row in enumerate(rows) if not _is_title(row, usual)), len(rows))
    if usual > 2 and 0 < above <= min(TITLES, len(rows) - 2) and any(map(str.strip, rows[0])):
        for _ in range(above):
            text = text.lstrip(b"\r\n").partition(b"\n")[2]
        what = f"Lines above the table: {above}, such as {some([' '.join(rows[0]).strip()])}."
        faults.append(Fault(what, "They are passed over."))
    return _without_remarks(text, separator, faults) if usual > 1 else text


def _is_title(row: list[str], usual: int) -> bool:
    """Fewer cells than the names of a table of so many have, or none but the first filled."""
    return len(row) < usual - 1 or not any(cell.strip() for cell in row[1:])


def _without_remarks(text: bytes, separator: str, faults: list[Fault]) -> bytes:
    """Without last lines of one cell that is no number: (20 rows affected)."""
    remarks = []
    while len(remarks) < REMARKS:
        rest, _, line = text.rstrip(b"\r\n ").rpartition(b"\n")
        said = line.decode().strip()
        if not rest or separator in said or '"' in said or may_be_number(said):
            break
        remarks.append(said)
        text = rest + b"\n"
    if remarks:
        what = f"Lines of one cell below the table: {len(remarks)}, such as {some(remarks[:1])}."
        faults.append(Fault(what, "They are passed over."))
    return text


def without_lines_within(
    text: bytes, first: list[str], rows: list[list[str]], faults: list[Fault]
) -> bytes:
    """The text without lines of units or words below the names, and without the names where they
    come again, as in tables that were put one below the other.
    """
    names, _, rest = text.lstrip(b"\r\n").partition(b"\n")
    line = names.strip()
    if any(map(str.isalpha, "".join(first))) and line in rest:
        lines = rest.split(b"\n")
        kept = [other for other in lines if other.strip() != line]
        if again := len(lines) - len(kept):
            rest = b"\n".join(kept)
            what = f"The line of names occurs {again:,} more time{'s' * (again > 1)}."
            faults.append(Fault(what, "It is passed over there."))
            rows = [row for row in rows if row != first]
    if units := _lines_of_words(rows):
        for _ in range(units):
            rest = rest.lstrip(b"\r\n").partition(b"\n")[2]
        words = [cell.strip() for cell in rows[0] if cell.strip()]
        what = f"Lines of words below the names: {units}, such as {some(words)}."
        faults.append(Fault(what, "They are passed over, as units or remarks."))
    return names + b"\n" + rest


def _lines_of_words(rows: list[list[str]]) -> int:
    """How many lines at the top have words in all columns that hold numbers below."""
    width = max(map(len, rows), default=0)
    if len({*map(len, rows)}) != 1:
        return 0
    for count in range(1, min(UNITS, len(rows) - 2) + 1):
        below = [[row[j] for row in rows[count:] if not is_missing(row[j])] for j in range(width)]
        numbers = [j for j in range(width) if below[j] and all(map(may_be_number, below[j]))]
        enough = len(numbers) > 1 or len(numbers) == width
        if enough and all(_is_of_words(row, numbers) for row in rows[:count]):
            return count
    return 0


def _is_of_words(row: list[str], numbers: list[int]) -> bool:
    """Words and blanks in these columns; the same word in all of them beside another cell is rather
    a row whose numbers are missing.
    """
    words = [row[j].strip() for j in numbers if not is_missing(row[j])]
    beside = any(cell.strip() for j, cell in enumerate(row) if j not in numbers)
    alike = len({*words}) == 1 and beside
    return bool(words) and not alike and not any(map(may_be_number, words))


def lines_of_nothing(text: bytes, separator: str) -> int:
    """How many lines have separators, and nothing between them."""
    starts = (b"\n" + start for start in (separator.encode(), b'"', b" "))
    if not any(start in text for start in starts):
        return 0
    apart = re.escape(separator.encode())
    return len(re.findall(rb'(?m)^[ "]*(?:' + apart + rb'[ "]*)+\r?$', text))
