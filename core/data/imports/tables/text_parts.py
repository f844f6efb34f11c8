"""A table that lies in several texts, such as train.csv and test.csv: told by their names, and
joined if they have the same columns. A part may lack one of them, as a test part lacks the labels.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from core.data.imports.draft import Fault
from core.data.imports.file_limits import Limits
from core.data.imports.images.layouts import part_of
from core.data.imports.tables.csv_table import ParsedText, parse_csv
from core.data.imports.wording import damage_reported, some
from core.types import UserError

DAMAGE = "Save the parts alike, as CSV in UTF-8."


def part_name(path: str) -> str:
    """What a file's name says of its part: train of data/train.csv, "" for nothing."""
    stem = path.rpartition("/")[2].partition(".")[0]
    return stem if part_of(stem) else ""


def are_named_parts(paths: list[str]) -> bool:
    """Do the names of all files speak of parts, of different ones?"""
    names = [part_name(path) for path in paths]
    return len(paths) > 1 and all(names) and len({*names}) == len(names)


def joined_texts(
    contents: list[bytes], paths: list[str], title: str, limits: Limits, faults: list[Fault]
) -> bytes:
    """One text of all parts, the training part first, with a column split unless there is one."""
    order = sorted(range(len(paths)), key=lambda i: part_of(part_name(paths[i])) != "train")
    parts = {paths[i]: parse_csv(contents[i], title, limits, faults) for i in order}
    first = next(iter(parts.values()))
    names = first.table.column_names
    for path, part in parts.items():
        _check(part, first, paths, title)
        lost = [name for name in names if name not in part.table.column_names]
        if lost:
            what = f"{some([path])} has no column {some(lost)}."
            faults.append(Fault(what, "Its cells there are empty."))
    own = [] if "split" in names else ["split"]
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=first.separator, lineterminator="\n")
    writer.writerow([*names, *own])
    with damage_reported(title, DAMAGE):
        for path, part in parts.items():
            writer.writerows(_rows(part, names, [part_name(path)] * len(own)))
    rows = ", ".join(f"{path} {len(part.table):,}" for path, part in parts.items())
    faults.append(Fault(f"A table in parts: {rows} rows.", "They are joined."))
    return out.getvalue().encode()


def _check(part: ParsedText, first: ParsedText, paths: list[str], title: str) -> None:
    names, wanted = {*part.table.column_names}, {*first.table.column_names}
    alike = names <= wanted and len(wanted) - len(names) <= 1
    if not (alike and part.header and part.separator == first.separator):
        raise UserError(
            f"{title}: found {len(paths):,} tables with different columns or separators, expected"
            " the parts of one. Bring one of them, or give them the same columns."
        )


def _rows(part: ParsedText, names: list[str], end: list[str]) -> Iterable[list[str]]:
    """The cells of each row in the order of these names."""
    place = {name: j for j, name in enumerate(part.table.column_names)}
    at = [place.get(name, -1) for name in names]
    reader = csv.reader(io.StringIO(part.text.decode(), newline=""), delimiter=part.separator)
    next(row for row in reader if row)
    for row in reader:
        if row:
            yield [*(row[j] if j >= 0 else "" for j in at), *end]
