"""How the lines of a text are cut into cells, and whether the first of them names the columns."""

from __future__ import annotations

import csv
import io
import re

import numpy as np

from core.data.imports.tables.numerals import MISSING, PLAIN

SEPARATORS = (",", ";", "\t", "|")
BLANKS = re.compile(rb"[ \t]+")
SAMPLE = 20  # rows that tell the separator and the header
SAMPLE_BYTES = 1_000_000
BLOCK = 4_000_000  # bytes


def separator_of(text: bytes) -> str:
    """The separator that cuts the first rows most evenly into more than one cell each; of several
    the one with more cells. Lines above a table count only if nothing else cuts evenly.
    """
    best, found = _most_even(text, titles=False)
    if best[0] < 0.5:
        without, other = _most_even(text, titles=True)
        best, found = (without, other) if without[0] > best[0] else (best, found)
    lines = [_blank_cells(line) for line in text[:SAMPLE_BYTES].splitlines()[:SAMPLE]]
    lines = [line for line in lines if line]
    if len(lines) > 2 and _announces(*lines[:2]):
        lines = lines[1:]
    lengths = {len(line) for line in lines[1:] or lines}
    even = len(lengths) == 1 and bool(lengths & {len(lines[0]), len(lines[0]) + 1})
    inside = found == "\t" and best[1] == 2 and max(lengths, default=0) > 3  # a tab among blanks
    if (best[0] == 0.0 or inside) and even and max(lengths) > 1:
        cells = [cell for line in lines[1:] or lines for cell in line]
        if sum(map(is_number, cells)) >= len(cells) / 3:
            return " "
    return found


def _most_even(text: bytes, *, titles: bool) -> tuple[tuple[float, int], str]:
    """((share of the rows that have as many cells as most, that number), separator). titles: pass
    over first lines of one cell.
    """
    best, found = (0.0, 1), ","
    for separator in SEPARATORS:
        lengths = [len(row) for row in sampled(text, separator)]
        above = next((i for i, length in enumerate(lengths) if length > 1), 0)
        lengths = lengths[above:] if titles else lengths
        if not lengths or max(lengths) < 2:
            continue
        usual = max(set(lengths), key=lengths.count)
        even = lengths.count(usual) / len(lengths) if usual > 1 and len(lengths) > titles else 0.0
        if (even, usual) > best or best[0] == 0.0:
            best, found = (even, max(usual, 2)), separator
    return best, found


def _announces(first: list[str], second: list[str]) -> bool:
    """Does the first line say how many rows and numbers come, as word2vec's text does?"""
    return len(first) == 2 and first[1].isdigit() and len(second) == int(first[1]) + 1 > 3


def _blank_cells(line: bytes) -> list[str]:
    """The cells of a line that blanks part, those between quotation marks whole."""
    return [cell.strip('"') for cell in re.findall(r'"[^"]*"|\S+', line.decode(errors="replace"))]


def sampled(text: bytes, separator: str) -> list[list[str]]:
    """The cells of the first rows that are not blank; none where the text is no such table."""
    stream = io.StringIO(text[:SAMPLE_BYTES].decode(errors="replace"), newline="")
    rows: list[list[str]] = []
    try:
        for row in csv.reader(stream, delimiter=separator):
            if row and (len(row) > 1 or row[0].strip()):
                rows.append(row)
            if len(rows) > SAMPLE:
                break
    except csv.Error:
        return rows
    cut = len(text) > SAMPLE_BYTES and len(rows) <= SAMPLE
    return rows[:-1] if cut and len(rows) > 1 else rows


def cut_by_blanks(text: bytes) -> bytes:
    """Tabs in the place of blanks, but for those between quotation marks."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter="\t", lineterminator="\n")
    lines = (line.replace("\t", " ").strip() for line in text.decode().splitlines())
    try:
        writer.writerows(csv.reader(lines, delimiter=" ", skipinitialspace=True))
    except csv.Error:
        return b"\n".join(BLANKS.sub(b"\t", line.strip()) for line in text.splitlines()) + b"\n"
    return out.getvalue().encode()


def is_number(cell: str) -> bool:
    """A plain number, or nan."""
    return PLAIN.fullmatch(cell.strip()) is not None or cell.strip().lower() == "nan"


def looks_like_names(first: list[str], rows: list[list[str]]) -> bool:
    """Does the first line name the columns? Not if it is like the rows below it."""
    columns = [
        [row[j].strip() for row in rows if j < len(row) and row[j].strip().lower() not in MISSING]
        for j in range(len(first))
    ]
    cells = [cell.strip() for cell in first]
    numeric = [j for j, column in enumerate(columns) if column and all(map(is_number, column))]
    if all(map(is_number, cells)):
        return _counts(cells) and _holds_fractions(columns)
    if not numeric or any(not is_number(cells[j]) and cells[j] for j in numeric):
        return True
    words = [j for j in range(len(first)) if j not in numeric]
    repeated = any(cells[j] and cells[j] in columns[j] for j in words)
    over = [cells[j] for j in numeric if cells[j]]
    measured = any(re.search(r"[.eE-]", cell) for cell in over) or len(set(over)) < len(over)
    return not over or not (repeated or measured)


def _counts(cells: list[str]) -> bool:
    """0, 1, 2, ...: what pandas writes over columns without names."""
    return len(cells) > 1 and cells == [str(j) for j in range(len(cells))]


def _holds_fractions(columns: list[list[str]]) -> bool:
    return any(re.search(r"[.eE]", cell) for column in columns for cell in column)


def has_padded(text: bytes, separator: str) -> bool:
    """Does a cell begin with a zero and two more digits?"""
    digit = np.zeros(256, bool)
    digit[48:58] = True
    before = np.zeros(256, bool)
    before[[ord(separator), *b'\n" ']] = True
    for start in range(0, len(text), BLOCK):
        held = np.frombuffer(text[max(start - 1, 0) : start + BLOCK + 3], np.uint8)
        zero = (held[1:-2] == 48) & before[held[:-3]]
        if (zero & digit[held[2:-1]] & digit[held[3:]]).any():
            return True
    return False
