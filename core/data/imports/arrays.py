"""NumPy's .npy and .npz files: features (n, d) or images (n, h, w[, 1 | 3 | 4]), with labels, ids,
probabilities, test rows, and numbers for a regression to learn.

Pickled objects are never read: beside the points they are left out, and told. Names in a .npz are
compared without regard to case; an array of images wins over one of features. Arrays
that come in parts (train_images, x_test) are joined, training first; the others are test rows.
Labels may be columns of 0 and 1; -1 beside two other classes is no label.
"""

from __future__ import annotations

import zipfile
from functools import partial

import numpy as np

from core.data.imports.archives import locked, unpack
from core.data.imports.array_roles import (
    ROLES,
    groups_of,
    labels_or_target,
    main_and_beside,
    note_unused,
    perhaps_ids,
    take_names,
)
from core.data.imports.cleaning import (
    as_floats,
    check_size,
    draft_of,
    encoded,
    has_fractions,
    id_array,
    target_of_words,
)
from core.data.imports.draft import Choices, Draft, Fault, FoundRows
from core.data.imports.file_limits import Allowance, Limits
from core.data.imports.images.decoding import stack_rows
from core.data.imports.npy_bytes import MEND, ObjectsFound, parse_npy
from core.data.imports.tables.label_columns import has_marks, without_marks
from core.data.imports.usual_names import TEST, TRAIN
from core.data.imports.wording import some
from core.types import UserError

FEATURES = ("embedding", "embeddings", "features", "emb")  # never images, unless they are uint8
WORDS = ("labels", "ids")  # roles of words, the others are of numbers


def read_npy(
    data: bytes, title: str, limits: Limits, choices: Choices, faults: list[Fault]
) -> Draft:
    """The draft of a .npy file: images if it has three or four axes, else features."""
    points = parse_npy(data, title)
    found_rows = _points(points, "", title, limits, choices, faults)
    return draft_of(found_rows, title, limits, choices, faults)


def is_npz(archive: zipfile.ZipFile) -> bool:
    """Does the archive hold arrays?"""
    return any(info.filename.endswith(".npy") for info in archive.infolist())


def read_npz(
    archive: zipfile.ZipFile, title: str, limits: Limits, choices: Choices, faults: list[Fault]
) -> Draft:
    """The draft of a .npz file."""
    found_rows = found_arrays(archive, title, limits, choices, faults)
    return draft_of(found_rows, title, limits, choices, faults)


def found_arrays(
    archive: zipfile.ZipFile, title: str, limits: Limits, choices: Choices, faults: list[Fault]
) -> FoundRows:
    """What a .npz file says, before any of it is believed."""
    members = {
        info.filename.removesuffix(".npy").lower(): info
        for info in archive.infolist()
        if not info.filename.endswith("/")
    }
    groups = groups_of(members)
    main, roles = main_and_beside(list(groups), list(members), title, choices)
    allowance = Allowance(limits.unpacked_bytes, title, "bytes when unpacked", "Bring fewer rows.")
    parts = {part: _member(archive, info, allowance) for part, info in groups[main].items()}
    points = _stacked(parts, main, title)
    found_rows = _points(points, main, title, limits, choices, faults)
    rows = {part: len(array) for part, array in parts.items()}
    _note_parts(rows, main, found_rows, faults)
    reader = partial(_member, archive, allowance=allowance)
    if "ids" not in roles and choices.id is None:
        roles |= perhaps_ids(groups, {main, *roles.values()}, sum(rows.values()), reader)
    for role, name in roles.items():
        arrays = _beside(archive, groups[name], role, allowance, faults)
        joined = _joined(role, arrays, rows, faults)
        if role == "labels" and choices.label is None and "target" not in roles:
            role = labels_or_target(name, joined, faults)
        _fill(found_rows, role, name, joined, choices, faults)
    names = take_names(found_rows, groups, reader)
    note_unused(members, [groups[name] for name in (main, *roles.values(), *names)], faults)
    found_rows.columns = tuple(name for name in groups if name != main)
    return found_rows


def _note_parts(
    rows: dict[str, int], main: str, found_rows: FoundRows, faults: list[Fault]
) -> None:
    """Which rows are test rows, where the points come in parts."""
    if set(rows) <= {"", "train", "training"}:
        return
    counts = ", ".join(f"{part} {n:,}" for part, n in rows.items())
    what = f"Array {main} in parts: {counts}."
    faults.append(Fault(what, "They are joined; all but the training part count as test rows."))
    found_rows.test = np.concatenate([np.full(n, part in TEST) for part, n in rows.items()])


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, allowance: Allowance) -> np.ndarray:
    if locked(info):
        raise UserError(
            f"{some([info.filename])}: found an encrypted or rarely packed array. {MEND}"
        )
    return parse_npy(unpack(archive, info, allowance, MEND), some([info.filename]))


def _stacked(parts: dict[str, np.ndarray], main: str, title: str) -> np.ndarray:
    """The points of all parts."""
    arrays = list(parts.values())
    if len(arrays) == 1:
        return arrays[0]
    shapes = [array.shape[1:] for array in arrays]
    if min(array.ndim for array in arrays) < 2 or len({*shapes}) > 1:
        raise UserError(
            f"{title}: found parts of {main} of shapes {some(a.shape for a in arrays)}, expected"
            " points of one shape. Save them alike."
        )
    if any(array.dtype.kind not in "biuf" for array in arrays):
        raise UserError(f"{title}: found text in {main}, expected numbers. {MEND}")
    return np.concatenate(arrays)


def _beside(
    archive: zipfile.ZipFile,
    group: dict[str, zipfile.ZipInfo],
    role: str,
    allowance: Allowance,
    faults: list[Fault],
) -> dict[str, np.ndarray]:
    """{part: array}; objects are left out, and told: no pickle is read."""
    arrays = {}
    for part, info in group.items():
        try:
            arrays[part] = _member(archive, info, allowance)
        except ObjectsFound:
            name = info.filename.removesuffix(".npy")
            kind = "str" if role in WORDS else "float"
            what = f"Array {some([name])}: found Python objects, which only a pickle holds."
            mend = f"It is left out. Save {some([name])}.astype({kind}) in its place."
            faults.append(Fault(what, mend, fatal=role == "target"))
    return arrays


def _joined(
    role: str, arrays: dict[str, np.ndarray], rows: dict[str, int], faults: list[Fault]
) -> tuple[np.ndarray, np.ndarray] | None:
    """(the values of the parts that have some, the rows that they belong to)."""
    if not set(arrays) & set(rows):
        if set(rows) == {""} or not arrays:
            return None
        arrays = {"": arrays.popitem()[1]}  # one array for all parts together
        rows = {"": sum(rows.values())}
    there = [part for part in rows if part in arrays]
    wrong = [part for part in there if not _has_length(role, arrays[part], rows[part], faults)]
    if wrong:
        return None
    if len({arrays[part].shape[1:] for part in there}) > 1:
        what = f"Array {role}: found parts of different shapes, expected one."
        faults.append(Fault(what, "Save its parts alike.", fatal=True))
        return None
    known = np.concatenate([np.full(n, part in there) for part, n in rows.items()])
    values = [arrays[part] for part in there]
    return values[0] if len(values) == 1 else np.concatenate(values), np.flatnonzero(known)


def _fill(
    found_rows: FoundRows,
    role: str,
    name: str,
    joined: tuple[np.ndarray, np.ndarray] | None,
    choices: Choices,
    faults: list[Fault],
) -> None:
    """Put what an array says into the rows that it belongs to."""
    if joined is None:
        return
    values, rows = joined
    n = len(found_rows.points)
    if role == "labels":
        words = _labels(values, name, choices, faults)
        found_rows.labels = _spread_words(words, rows, n) if words else None
        if values.ndim == 1 and has_marks(encoded(values)[0]):
            found_rows.asks |= {"marks"}
    if role == "ids":
        words, codes = _spread_words(encoded(values.reshape(len(rows))), rows, n)
        found_rows.ids = id_array(words, codes, faults)
    if role == "test":
        test = _truths(values.reshape(len(rows)), faults)
        found_rows.test = found_rows.test if test is None else _spread(test, rows, n, False)
    if role == "target":
        target = _target(values, faults)
        found_rows.target = None if target is None else _spread(target, rows, n, np.nan)
    if role == "probs":
        found_rows.probs = _spread(values, rows, n, np.nan)


def _spread(values: np.ndarray, rows: np.ndarray, n: int, fill: object) -> np.ndarray:
    """values in these of n rows, and fill in the others."""
    if len(rows) == n:
        return values
    out = np.full((n, *values.shape[1:]), fill)
    out[rows] = values
    return out


def _spread_words(
    found: tuple[list[str], np.ndarray], rows: np.ndarray, n: int
) -> tuple[list[str], np.ndarray]:
    words, codes = found
    return ([*words, ""], _spread(codes, rows, n, len(words))) if len(rows) < n else found


def _points(
    points: np.ndarray,
    name: str,
    title: str,
    limits: Limits,
    choices: Choices,
    faults: list[Fault],
) -> FoundRows:
    images = points.ndim in (3, 4) and points.dtype.kind in "biuf"
    if images and (points.dtype == np.uint8 or name not in FEATURES):
        if points.dtype != np.uint8 and name not in ROLES["images"]:
            what = f"An array of shape {some([points.shape])} is taken for images."
            faults.append(Fault(what, "Flatten it if it holds features: x.reshape(len(x), -1)."))
        return stack_rows(points, title, limits, choices, faults)
    if points.ndim > 2:
        raise UserError(
            f"{title}: found {points.dtype} of shape {some([points.shape])}, expected images or"
            " features (n, d). Flatten features: x.reshape(len(x), -1); call images images."
        )
    if points.ndim < 2 or points.dtype.kind not in "biuf":
        found = f"{points.dtype} of shape {some([points.shape])}"
        raise UserError(
            f"{title}: found {found}, expected numbers of shape (n, d). Save one row per point:"
            " x.reshape(n, d)."
        )
    if name in ROLES["images"]:
        what = f"Array {name}: found shape {some([points.shape])}, expected (n, height, width)."
        mend = "It is read as features. Give images their sides: images.reshape(n, 28, 28)."
        faults.append(Fault(what, mend))
    check_size(points.shape, title, limits)
    values, large, exact = as_floats(points)
    names = tuple(f"feature {i}" for i in range(points.shape[1]))
    return FoundRows(values, large=large, feature_names=names, exact=tuple(names[j] for j in exact))


def _has_length(role: str, array: np.ndarray, n: int, faults: list[Fault]) -> bool:
    """Is there one entry per point? A fatal fault otherwise."""
    matrix = array.ndim == 2 and array.shape[1] > 0 and array.dtype.kind in "biuf"
    column = array.ndim == 1 or array.shape[1:] == (1,)
    fits = {"probs": matrix, "target": matrix or column, "labels": column or _is_one_hot(array)}
    if len(np.atleast_1d(array)) == n and fits.get(role, column):
        return True
    expected = f"numbers of shape ({n:,}, classes)" if role == "probs" else f"shape ({n:,},)"
    what = f"Array {role}: found {array.dtype} of shape {some([array.shape])}, expected {expected}."
    mend = "Give one entry per point, in the same order."
    if role == "labels" and matrix and len(array) == n:
        mend = "Choose no labels, or this array as the target of a regression."
    faults.append(Fault(what, mend, fatal=True))
    return False


def _is_one_hot(array: np.ndarray) -> bool:
    """Is each row 1 in one column, and 0 in the others?"""
    return (
        array.ndim == 2
        and array.shape[1] > 1
        and array.dtype.kind in "biuf"
        and bool(np.isin(array, (0, 1)).all() and (array.sum(axis=1) == 1).all())
    )


def _labels(
    labels: np.ndarray, name: str, choices: Choices, faults: list[Fault]
) -> tuple[list[str], np.ndarray] | None:
    """(words, codes); -1 throughout stands for no labels."""
    if labels.ndim == 2 and labels.shape[1] > 1:
        what = f"Array {some([name])}: found columns of 0 and 1, one of them for each point."
        faults.append(Fault(what, "They are read as classes, numbered from 0."))
        return encoded(labels.argmax(axis=1))
    labels = labels.reshape(len(labels))
    if labels.dtype.kind == "f" and has_fractions(labels):
        mend = (
            "Save the number or the name of each point's class, or choose this array as the target"
            " of a regression."
        )
        faults.append(Fault("Labels: found fractions, expected classes.", mend, fatal=True))
        return None
    if labels.dtype.kind in "iuf" and (labels == -1).all():
        return None
    return without_marks(*encoded(labels), choices.marks_are_classes, faults)


def _target(target: np.ndarray, faults: list[Fault]) -> np.ndarray | None:
    """float64 (n,) or (n, t); None with a fatal fault if there is text in it."""
    n = len(target)
    target = target.reshape(n) if target.size == n else target
    if target.dtype.kind in "biuf":
        return np.asarray(target, np.float64)
    return target_of_words(*encoded(target), "Array of the target", faults)


def _truths(test: np.ndarray, faults: list[Fault]) -> np.ndarray | None:
    """Which rows are test rows, by truth or by words such as train and test."""
    if test.dtype.kind in "biu" and np.isin(test, (0, 1)).all():
        return test.astype(bool)
    words, codes = encoded(test)
    if {word.lower() for word in words} <= {*TRAIN, *TEST}:
        return np.array([word.lower() in TEST for word in words])[codes]
    faults.append(
        Fault(
            f"Array test: found {test.dtype}, expected true and false, or words such as train and"
            " test.",
            "It is not used: all rows count as training rows.",
        )
    )
    return None
