"""Which array of a .npz file plays which part, told by its name, and by what it
holds where two readings fit.

Names are compared without regard to case; an array of images wins over one of features. Arrays that
come in parts (train_images, x_test) are one array.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from contextlib import suppress

import numpy as np

from core.data.imports.draft import Choices, Fault, FoundRows, chosen
from core.data.imports.tables.label_columns import few_whole_numbers, may_be_measured
from core.data.imports.usual_names import TEST
from core.data.imports.wording import as_word, some
from core.types import UserError

MEASURED = ("y", "targets", "target")  # labels only if what they hold can be classes
ROLES = {
    "images": ("images", "image"),
    "features": ("embedding", "embeddings", "features", "emb", "x", "data"),
    "labels": ("labels", "label", *MEASURED),
    "ids": ("ids", "id", "filenames", "file_names", "filename", "paths", "image_ids"),
    "probs": ("probs", "probabilities"),
    "test": ("test", "is_test", "test_mask", "split"),
}
SPARE = (
    "They are left out: no part is known by these names, or another array plays it. Known are"
    " images, features, labels, ids, probs, test and split."
)
CLASS_NAMES = ("target_names", "class_names", "label_names", "classes")
FEATURE_NAMES = ("feature_names", "columns")
# ids only if there is one for each point
LONGEST_ID = 1_000  # bytes
PERHAPS_IDS = ("index", "indices", "idx", "uid", "uids", "uuid", "key", "keys", "name", "names")
PART = f"train|training|unlabeled|{'|'.join(TEST)}"
PARTED = re.compile(f"(?P<a>{PART})_?(?P<b>.+)|(?P<c>.+?)_?(?P<d>{PART})")


def groups_of(members: dict[str, zipfile.ZipInfo]) -> dict[str, dict[str, zipfile.ZipInfo]]:
    """{name: {part: member}}: train_images and test_images are images, in the order training,
    validation, test; an array that comes in no parts has the part "". Only arrays of a usual name
    come in parts, and only if the points do.
    """
    usual = {name for names in ROLES.values() for name in names}
    parted: dict[str, dict[str, zipfile.ZipInfo]] = {}
    whole = {}
    for name, info in members.items():
        found = PARTED.fullmatch(name)
        base = (found["b"] or found["c"]) if found else ""
        if found and base in usual and base not in members:
            parted.setdefault(base, {})[found["a"] or found["d"]] = info
        else:
            whole[name] = {"": info}
    if not {*parted} & {*ROLES["images"], *ROLES["features"]}:
        return {name: {"": info} for name, info in members.items()}

    def order(part: str) -> tuple[bool, bool]:
        return part in TEST, part in ("test", "testing")

    return whole | {
        base: {part: parts[part] for part in sorted(parts, key=order)}
        for base, parts in parted.items()
    }


def main_and_beside(
    names: list[str], found: list[str], title: str, choices: Choices
) -> tuple[str, dict[str, str]]:
    """(the array of the points, the arrays beside it by their roles)."""
    roles = _roles(names, choices)
    features = roles.pop("features", None)
    main = roles.pop("images", features)
    if main is None:
        expected = (
            "images, or one of embedding, features and x; labels, ids, probs and test may stand"
            " beside it"
        )
        raise UserError(
            f"{title}: found arrays named {some(found)}, expected {expected}. Rename them."
        )
    return main, roles


def _roles(names: list[str], choices: Choices) -> dict[str, str]:
    """The array of each kind: the user's choice, or the first of the usual names."""
    own = {"labels": choices.label, "ids": choices.id}
    found = {"target": chosen(names, choices.target, (), "Target array")}
    for role, usual in ROLES.items():
        left = [name for name in names if name not in found.values()]
        found[role] = chosen(left, own.get(role), usual, f"{role.capitalize()} array")
    return {role: name for role, name in found.items() if name}


def note_unused(
    members: dict[str, zipfile.ZipInfo], used: list[dict[str, zipfile.ZipInfo]], faults: list[Fault]
) -> None:
    """Arrays that play no part are told."""
    names = {info.filename for group in used for info in group.values()}
    unused = sorted(name for name, info in members.items() if info.filename not in names)
    if unused:
        faults.append(Fault(f"Arrays that are not used: {some(unused)}.", SPARE))


def perhaps_ids(
    groups: dict[str, dict[str, zipfile.ZipInfo]],
    used: set[str],
    n: int,
    read: Callable[[zipfile.ZipInfo], np.ndarray],
) -> dict[str, str]:
    """The array that names each of n points, each by another name, under a name that may say so."""
    for name in PERHAPS_IDS:
        group = groups.get(name, {})
        if name in used or set(group) != {""} or group[""].file_size > n * LONGEST_ID:
            continue
        with suppress(UserError):
            array = read(group[""])
            one_each = array.shape in ((n,), (n, 1)) and array.dtype.kind in "iuUS"
            if one_each and len(np.unique(array)) == n:
                return {"ids": name}
    return {}


def labels_or_target(
    name: str, joined: tuple[np.ndarray, np.ndarray] | None, faults: list[Fault]
) -> str:
    """The part of an array under a name that classes have, and measurements, too: as of a column
    of a table, see `core.data.imports.tables.label_columns`.
    """
    values = np.zeros(0) if joined is None else joined[0]
    column = values.ndim == 1 or values.shape[1:] == (1,)
    if name not in MEASURED or values.dtype.kind not in "iuf" or not values.size or not column:
        return "labels"
    numbers = np.asarray(values, np.float64).ravel()
    if not np.isfinite(numbers).any():
        return "labels"
    if not few_whole_numbers(numbers):
        what = f"Array {name}: found numbers with many values, which are no classes."
        faults.append(Fault(what, "They are the target of a regression."))
        return "target"
    if may_be_measured(numbers):
        what = f"Array {name}: found {len(np.unique(numbers))} whole numbers."
        how = "They are the classes. Choose the array as the target if they are measured."
        faults.append(Fault(what, how))
    return "labels"


def take_names(
    found_rows: FoundRows,
    groups: dict[str, dict[str, zipfile.ZipInfo]],
    read: Callable[[zipfile.ZipInfo], np.ndarray],
) -> list[str]:
    """Arrays of words that name the classes 0, 1, 2, ... or the features; which were used."""
    used = []
    for kind in (CLASS_NAMES, FEATURE_NAMES):
        name = next((name for name in kind if set(groups.get(name, {})) == {""}), None)
        if name is None:
            continue
        with suppress(UserError):
            words = [as_word(word) for word in read(groups[name][""]).ravel().tolist()]
            take = _name_classes if kind is CLASS_NAMES else _name_features
            used += [name] if len({*words}) == len(words) and take(found_rows, words) else []
    return used


def _name_classes(found_rows: FoundRows, names: list[str]) -> bool:
    words, codes = found_rows.labels or ([], None)
    numbers = {str(i): name for i, name in enumerate(names)}
    if not {*words} - {""} or not {*words} - {""} <= {*numbers} or "" in names:
        return False
    found_rows.labels = ([numbers.get(word, "") for word in words], codes)
    return True


def _name_features(found_rows: FoundRows, names: list[str]) -> bool:
    if len(names) != len(found_rows.feature_names) or "" in names:
        return False
    given = dict(zip(found_rows.feature_names, names, strict=True))
    found_rows.feature_names = tuple(names)
    found_rows.exact = tuple(given[name] for name in found_rows.exact)
    return True
