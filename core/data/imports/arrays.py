"""NumPy's .npy and .npz files: features (n, d) or images uint8 (n, h, w[, 1 | 3 | 4]), with labels,
ids, probabilities, test rows, and numbers for a regression to learn.

A header only announces a shape: it is compared with the bytes that are there before an array is
made of them. Pickled objects are refused. Names in a .npz are compared without regard to case; an
array of images wins over one of features. Source: the format's definition, numpy.lib.format.
"""

from __future__ import annotations

import io
import math
import zipfile

import numpy as np

from core.data.imports.archives import locked, unpack
from core.data.imports.cleaning import (
    as_floats,
    check_size,
    draft_of,
    encoded,
    has_fractions,
    id_array,
    target_of_words,
)
from core.data.imports.draft import Choices, Draft, Fault, FoundRows, chosen
from core.data.imports.file_limits import Allowance, Limits
from core.data.imports.images import fit_stack
from core.data.imports.wording import damage_reported, some
from core.types import UserError

MEND = "Save plain numbers or text with numpy.save or numpy.savez."
ROLES = {
    "images": ("images", "image"),
    "features": ("embedding", "embeddings", "features", "x", "data"),
    "labels": ("labels", "label", "y", "targets", "target"),
    "ids": ("ids", "id"),
    "probs": ("probs", "probabilities"),
    "test": ("test", "is_test"),
}
SPARE = "They are left out. One array of each kind is used, and images before features."
HEADER = 100_000  # bytes; NumPy reads no header beyond 10,000
PLAIN = "biufUS"  # kinds of values: truth, integers, floats and text


def parse_npy(data: bytes | bytearray, what: str) -> np.ndarray:
    """The array of a .npy file, read-only and without a copy.

    A UserError if it is damaged, or of other values than numbers and text.
    """
    stream = io.BytesIO(data[:HEADER])
    with damage_reported(what, MEND):
        version = np.lib.format.read_magic(stream)
        header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = header(stream)
    if dtype.kind not in PLAIN or dtype.itemsize == 0 or dtype.names:
        raise UserError(
            f"{what}: found values of type {some([dtype])}, expected numbers or text; objects are"
            f" not read. {MEND}"
        )
    wanted = math.prod(shape) * dtype.itemsize
    there = len(data) - stream.tell()
    if min(shape, default=1) < 0 or wanted != there:
        raise UserError(
            f"{what}: found {there:,} bytes of values, expected {wanted:,} for shape"
            f" {some([shape])}. Save the file anew."
        )
    with damage_reported(what, MEND):
        return np.frombuffer(data, dtype, offset=stream.tell()).reshape(
            shape, order="F" if fortran else "C"
        )


def read_npy(
    data: bytes, title: str, limits: Limits, choices: Choices, faults: list[Fault]
) -> Draft:
    """The draft of a .npy file: images if it is uint8 with three or four axes, else features."""
    return _draft({}, parse_npy(data, title), title, limits, choices, faults)


def is_npz(archive: zipfile.ZipFile) -> bool:
    """Does the archive hold arrays?"""
    return any(info.filename.endswith(".npy") for info in archive.infolist())


def read_npz(
    archive: zipfile.ZipFile, title: str, limits: Limits, choices: Choices, faults: list[Fault]
) -> Draft:
    """The draft of a .npz file."""
    members = {
        info.filename.removesuffix(".npy").lower(): info
        for info in archive.infolist()
        if not info.filename.endswith("/")
    }
    found = {role: members[name] for role, name in _roles(list(members), choices).items()}
    main = found.pop("images", None) or found.get("features")
    found.pop("features", None)
    if main is None:
        expected = (
            "images, or one of embedding, features and x; labels, ids, probs and test may stand"
            " beside it"
        )
        raise UserError(
            f"{title}: found arrays named {some(list(members))}, expected {expected}. Rename them."
        )
    used = {info.filename for info in (main, *found.values())}
    unused = sorted(name for name, info in members.items() if info.filename not in used)
    if unused:
        faults.append(Fault(f"Arrays that are not used: {some(unused)}.", SPARE))
    allowance = Allowance(limits.unpacked_bytes, title, "bytes when unpacked", "Bring fewer rows.")
    arrays = {
        role: _member(archive, info, allowance) for role, info in [("main", main), *found.items()]
    }
    points = arrays.pop("main")
    beside = tuple(name for name, info in members.items() if info is not main)
    return _draft(arrays, points, title, limits, choices, faults, beside)


def _roles(names: list[str], choices: Choices) -> dict[str, str]:
    """The array of each kind: the user's choice, or the first of the usual names."""
    own = {"labels": choices.label, "ids": choices.id}
    found = {"target": chosen(names, choices.target, (), "Target array")}
    for role, usual in ROLES.items():
        left = [name for name in names if name not in found.values()]
        found[role] = chosen(left, own.get(role), usual, f"{role.capitalize()} array")
    return {role: name for role, name in found.items() if name}


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, allowance: Allowance) -> np.ndarray:
    if locked(info):
        raise UserError(
            f"{some([info.filename])}: found an encrypted or rarely packed array. {MEND}"
        )
    return parse_npy(unpack(archive, info, allowance, MEND), some([info.filename]))


def _draft(
    beside: dict[str, np.ndarray],
    points: np.ndarray,
    title: str,
    limits: Limits,
    choices: Choices,
    faults: list[Fault],
    columns: tuple[str, ...] = (),
) -> Draft:
    found_rows = _points(points, title, limits, choices, faults)
    beside = {
        role: array
        for role, array in beside.items()
        if _has_length(role, array, len(points), faults)
    }
    if "labels" in beside:
        found_rows.labels = _labels(beside["labels"].reshape(len(points)), faults)
    if "ids" in beside:
        found_rows.ids = id_array(*encoded(beside["ids"].reshape(len(points))), faults)
    if "test" in beside:
        found_rows.test = _truths(beside["test"].reshape(len(points)), faults)
    if "target" in beside:
        found_rows.target = _target(beside["target"], faults)
    found_rows.probs = beside.get("probs")
    found_rows.columns = columns
    return draft_of(found_rows, title, limits, choices, faults)


def _points(
    points: np.ndarray, title: str, limits: Limits, choices: Choices, faults: list[Fault]
) -> FoundRows:
    if points.dtype == np.uint8 and points.ndim in (3, 4):
        check_size((len(points), 1), title, limits)
        height, width = points.shape[1:3]
        return FoundRows(
            fit_stack(points, title, limits, choices, faults),
            sides=((width, height), (width, height)),
        )
    if points.ndim > 2:
        mend = (
            "Save images as whole numbers 0 to 255: (255 * x).round().astype('uint8'); flatten"
            " features: x.reshape(len(x), -1)."
        )
        raise UserError(
            f"{title}: found {points.dtype} of shape {some([points.shape])}, expected uint8 images"
            f" or features (n, d). {mend}"
        )
    if points.ndim < 2 or points.dtype.kind not in "biuf":
        found = f"{points.dtype} of shape {some([points.shape])}"
        raise UserError(
            f"{title}: found {found}, expected numbers of shape (n, d). Save one row per point:"
            " x.reshape(n, d)."
        )
    check_size(points.shape, title, limits)
    values, large, exact = as_floats(points)
    names = tuple(f"feature {i}" for i in range(points.shape[1]))
    return FoundRows(values, large=large, feature_names=names, exact=tuple(names[j] for j in exact))


def _has_length(role: str, array: np.ndarray, n: int, faults: list[Fault]) -> bool:
    """Is there one entry per point? A fatal fault otherwise."""
    matrix = array.ndim == 2 and array.shape[1] > 0 and array.dtype.kind in "biuf"
    column = array.ndim == 1 or array.shape[1:] == (1,)
    fits = {"probs": matrix, "target": matrix or column}.get(role, column)
    if len(np.atleast_1d(array)) == n and fits:
        return True
    expected = f"numbers of shape ({n:,}, classes)" if role == "probs" else f"shape ({n:,},)"
    what = f"Array {role}: found {array.dtype} of shape {some([array.shape])}, expected {expected}."
    faults.append(Fault(what, "Give one entry per point, in the same order.", fatal=True))
    return False


def _labels(labels: np.ndarray, faults: list[Fault]) -> tuple[list[str], np.ndarray] | None:
    """(words, codes); -1 throughout stands for no labels."""
    if labels.dtype.kind == "f" and has_fractions(labels):
        mend = (
            "Save the number or the name of each point's class, or choose this array as the target"
            " of a regression."
        )
        faults.append(Fault("Labels: found fractions, expected classes.", mend, fatal=True))
        return None
    return None if labels.dtype.kind in "iuf" and (labels == -1).all() else encoded(labels)


def _target(target: np.ndarray, faults: list[Fault]) -> np.ndarray | None:
    """float64 (n,) or (n, t); None with a fatal fault if there is text in it."""
    n = len(target)
    target = target.reshape(n) if target.size == n else target
    if target.dtype.kind in "biuf":
        return np.asarray(target, np.float64)
    return target_of_words(*encoded(target), "Array of the target", faults)


def _truths(test: np.ndarray, faults: list[Fault]) -> np.ndarray | None:
    if test.dtype.kind in "biu" and np.isin(test, (0, 1)).all():
        return test.astype(bool)
    faults.append(
        Fault(
            f"Array test: found {test.dtype}, expected true and false.",
            "It is not used: all rows count as training rows.",
        )
    )
    return None
