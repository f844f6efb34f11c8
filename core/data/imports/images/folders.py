"""Image files in folders, with the tables that lie beside them.

What folders say of classes and parts: `core.data.imports.images.layouts`; what tables say:
`.label_tables`. Training rows come first, then by path. An image's id is its path.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter

import numpy as np

from core.data.imports.archives import Member
from core.data.imports.cleaning import draft_of, id_array
from core.data.imports.draft import Choices, Draft, Fault, FoundRows, Progress
from core.data.imports.file_limits import Limits
from core.data.imports.images.decoding import decoded_images
from core.data.imports.images.label_tables import labels_beside
from core.data.imports.images.layouts import layout, note_strays
from core.data.imports.wording import LONGEST_WORD, last_faults, some
from core.types import Ints, UserError

SHORTENED = "..."  # in the place of what is left out


def read_images(
    members: list[Member],
    tables: list[Member],
    title: str,
    limits: Limits,
    choices: Choices,
    faults: list[Fault],
    progress: Progress,
) -> Draft:
    """The draft of these image files, with the tables that lie beside them.

    A UserError if none can be read, or if they ask for too much.
    """
    if not members:
        raise UserError(
            f"{title}: found no images, expected folders of PNG, JPEG, WebP or BMP files, one"
            f" folder per class. {last_faults(faults)}".strip()
        )
    found_rows = found_images(members, tables, title, limits, choices, faults, progress)
    return draft_of(found_rows, title, limits, choices, faults)


def found_images(
    members: list[Member],
    tables: list[Member],
    title: str,
    limits: Limits,
    choices: Choices,
    faults: list[Fault],
    progress: Progress,
) -> FoundRows:
    """What the image files say, before any of it is believed; as `read_images`."""
    folders = layout([member.parts for member in members], faults)
    beside = labels_beside(tables, members, folders, title, limits, choices, faults)
    note_strays([member.parts for member in members], folders, beside.classes, faults)
    members = [members[i] for i in np.flatnonzero(folders.kept)]
    images = decoded_images(members, title, limits, choices.side, faults, progress)
    rows = np.flatnonzero(folders.kept)[images.rows]
    rows = rows[order := np.argsort(beside.test[rows], kind="stable")]
    if not any(beside.classes):
        faults.append(_no_classes([member.parts[-1] for member in members]))
    words, codes = coded_as_it_is([beside.classes[row] for row in rows])
    return FoundRows(
        images.points if (order == np.arange(len(order))).all() else images.points[order],
        labels=(words, codes) if any(words) else None,
        ids=_ids(beside.ids, rows, [members[i].path for i in images.rows[order]], faults),
        test=beside.test[rows],
        target=None if beside.target is None else beside.target[rows],
        columns=beside.columns,
        roles=beside.roles,
        shown={name: values[rows] for name, values in beside.shown.items()},
        asks=beside.asks,
        sides=images.sides,
        lost=len(members) - len(images.rows),
    )


def _no_classes(names: list[str]) -> Fault:
    """What is told of images without classes, whose names may begin with them."""
    starts = [re.match(r"[^\W\d_]*", name.lower())[0] for name in names]  # type: ignore[index]  # it fits any name
    counts = Counter(starts)
    what = "The images do not lie in folders of their class."
    mend = "Put them into such folders, or add a table with the columns file_name and label."
    if len(counts) > 1 and "" not in counts and min(counts.values()) > 1:
        what += f" Their names begin with {some(sorted(counts))}."
    return Fault(what, f"The points count as unlabeled. {mend}")


def _ids(
    chosen: list[str] | None, rows: Ints, paths: list[str], faults: list[Fault]
) -> np.ndarray | None:
    """What the images of these rows are called: their paths, unless the user chose a column."""
    if chosen is None:
        return np.array(path_ids(paths, faults))
    return id_array(*coded_as_it_is([chosen[row] for row in rows]), faults)


def coded_as_it_is(texts: list[str]) -> tuple[list[str], Ints]:
    """(words, code of each text) of names that stay as they are, blanks and all."""
    number: dict[str, int] = {}
    codes = np.array([number.setdefault(text, len(number)) for text in texts], np.int64)
    return [_shortened(line) for line in _distinct(list(number))], codes


def path_ids(paths: list[str], faults: list[Fault]) -> list[str]:
    """What images of these different paths are called. Where one is too long, the folders that all
    share are left out, and what is still too long is shortened.
    """
    ids = _distinct(paths)
    long = [path for path in ids if len(path) > LONGEST_WORD]
    if not long:
        return ids
    folders = [path.split("/")[:-1] for path in ids]
    low = min(folders)  # what the first and the last in order share, all share
    high = max(folders)
    same = [a == b for a, b in zip(low, high, strict=False)]
    shared = same.index(False) if False in same else len(same)
    ids = [_shortened("/".join(path.split("/")[shared:])) for path in ids]
    mend = "The ids of all images are their paths without the folders that all share."
    if any(SHORTENED in path for path in ids):
        mend = "Their ids are shortened, each in its own way."
    what = f"Paths of more than {LONGEST_WORD} characters: {len(long):,}, such as {some(long[:1])}."
    faults.append(Fault(what, mend))
    return ids


def _distinct(names: list[str]) -> list[str]:
    """Different names, made fit for print: an unprintable letter becomes a question mark, and where
    that makes two names equal, the later one gets a number.
    """
    lines: dict[str, None] = {}
    for name in names:
        line = "".join(letter if letter.isprintable() else "?" for letter in name)
        number = 2
        once = line
        while once in lines:
            once = f"{line} ({number})"
            number += 1
        lines[once] = None
    return list(lines)


def _shortened(text: str) -> str:
    """At most as long as a word may be, and different for different texts."""
    if len(text) <= LONGEST_WORD:
        return text
    mark = hashlib.blake2b(text.encode(errors="replace"), digest_size=4).hexdigest()
    return f"{text[:60]}{SHORTENED}{mark}{SHORTENED}{text[-100:]}"
