"""Which datasets are there, and what are their points?

    names() -> the datasets in menu order
    info(name) -> what a menu shows without loading anything
    is_ready(name) -> can load() answer from this machine's disk alone?
    fetch(name, progress) downloads and prepares, once; its minutes belong in a worker process
    load(name, n=..., seed=...) -> Dataset

Conventions: images uint8 (n, h, w) or (n, h, w, 3), upright; tables float32 (n, d); training rows
before test rows; labels int64 from 0. What comes with the program (core/data/catalogue.py) is read
from assets/ or simulated; the user's own come from core/data/own.py. Every other dataset is kept as
plain .npy arrays in <data folder>/prepared/<name>, mapped read-only, so that a process which only
shows points needs no memory for them; its published files lie in the data folder where
torchvision's own classes look for them (CIFAR-10's is the binary version, which holds no pickles).
Nothing here needs torch.
"""

from __future__ import annotations

import difflib
import errno
import os
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.data import catalogue, own, published_files, shown_columns
from core.data.dataset_info import Info
from core.data.splits import stratified_rows
from core.runtime.folders import ASSETS, data_folder, scratch_beside
from core.types import Bools, Dataset, Ints, UserError

ARRAYS = ("points", "labels", "test")
PER_POINT = (*ARRAYS, "index", "ids", "probs", "target")
Arrays = tuple[np.ndarray, Ints, Bools]
_REGISTRY = catalogue.ENTRIES


def names() -> tuple[str, ...]:
    """The names that load() knows, in menu order; the user's own come last."""
    return (*_REGISTRY, *own.names())


def info(name: str) -> Info:
    """What is known of the dataset before it is loaded.

    A UserError that lists the names if there is none of this name.
    """
    if own.is_own(name):
        return own.info(name)
    if name not in _REGISTRY:
        close = difflib.get_close_matches(str(name).lower().replace("-", "_"), names(), n=1)
        raise UserError(
            f"Dataset: found {name!r}, expected one of"
            f" {', '.join(names())}.{f' Did you mean {close[0]}?' if close else ''}"
        )
    return _REGISTRY[name]


def exists(name: str) -> bool:
    """Does load() know this name?"""
    try:
        return info(name) is not None
    except UserError:
        return False


def is_ready(name: str) -> bool:
    """Can load() answer without downloading or preparing anything?

    Costs about a millisecond, imports nothing.
    """
    entry = info(name)
    return entry.bundled or _prepared(entry) is not None


def load(name: str, *, n: int | None = None, seed: int = 0) -> Dataset:
    """The dataset, or a class-stratified subset of n of its rows; points, labels and masks are
    read-only.

    n: each class keeps its share, rounded by largest remainder to n rows in total, and at least one
    row when n is at least the number of classes. seed chooses the rows; they stay in their original
    order, and `index` says which they are. test: True for the published test part; `digits` has
    none, so False throughout. The grey levels 0 to 16 of `digits` are scaled to 0 to 255 and
    rounded (8 becomes 128). Raises UserError: unknown name, n or seed out of range, or whatever
    fetch() finds wrong; a dataset that is not ready is fetched first.
    """
    entry = info(name)
    n = _checked_size(entry, n)
    seed = _whole(seed, "seed", "0 or more", 0)
    if not is_ready(name):
        fetch(name)
    whole = own.load(name) if own.is_own(name) else _named(entry)
    return whole if n == entry.n else _part(whole, stratified_rows(whole.labels, n, seed))


def _named(entry: Info) -> Dataset:
    target = None
    if entry.bundled:
        points, labels, *more = entry.read(ASSETS, entry.parts, entry.shape)
        arrays = points, labels, np.arange(entry.n) >= entry.train
        target = more[0] if more else None
    elif (arrays := _prepared(entry)) is None:
        raise UserError(
            f"{entry.title}: the prepared arrays in {_home(entry)} vanished while they were opened."
            " Load the dataset again."
        )
    points, labels, test = arrays
    return _sealed(
        Dataset(
            entry.name,
            points,
            labels,
            entry.class_names,
            test,
            feature_names=entry.feature_names,
            target=target,
        )
    )


def _part(whole: Dataset, rows: Ints) -> Dataset:
    taken = {
        what: None if (array := getattr(whole, what)) is None else array[rows] for what in PER_POINT
    }
    return _sealed(replace(whole, **taken, shown=shown_columns.part_of(whole.shown, rows)))


def _sealed(data: Dataset) -> Dataset:
    for what in PER_POINT:
        if (array := getattr(data, what)) is not None:
            array.setflags(write=False)
    return data


def fetch(name: str, progress: published_files.Progress | None = None) -> None:
    """Make a dataset ready: find or download its published files, verify, decode and store them as
    plain arrays.

    progress(fraction or None, text) hears what is going on; an error it raises stops the fetch and
    passes through. Files that are there already need no network and stay untouched. Any number of
    threads and processes may fetch at once. Raises UserError, with nothing half-written left
    behind: the folder cannot be written, a file is not the published one, or the network is missing
    (then with the files to put where).
    """
    entry = info(name)
    progress = progress or (lambda fraction, text: None)
    if is_ready(name):
        return
    folder = data_folder()
    with scratch_beside(folder) as scratch:
        published_files.obtain(entry.files, entry.title, folder, scratch, progress)
        progress(None, f"{entry.title}: preparing {entry.n:,} points")
        points, labels = entry.read(folder, entry.parts, entry.shape)
        _store(entry, (points, labels, np.arange(entry.n) >= entry.train), folder, scratch)


def _checked_size(entry: Info, n: int | None) -> int:
    return (
        entry.n
        if n is None
        else _whole(
            n,
            f"{entry.title}: n",
            f"1 to {entry.n:,} rows, or nothing for all {entry.n:,}",
            1,
            entry.n,
        )
    )


def _whole(value: object, what: str, expected: str, low: int, high: int | None = None) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise UserError(f"{what}: found {value!r}, expected a whole number: {expected}.")
    if value < low or (high is not None and value > high):
        raise UserError(f"{what}: found {value:,}, expected {expected}.")
    return int(value)


def _home(entry: Info) -> Path:
    return data_folder() / "prepared" / entry.name


def _prepared(entry: Info) -> Arrays | None:
    """The prepared arrays, mapped read-only; None if they are missing or damaged (fetch() then
    prepares them anew).
    """
    try:
        points, labels, test = (
            np.load(_home(entry) / f"{what}.npy", mmap_mode="r", allow_pickle=False)
            for what in ARRAYS
        )
    except Exception:  # a truncated or overwritten .npy fails in more ways than can be listed
        return None
    arrays = np.asarray(points), np.asarray(labels), np.asarray(test)
    return None if _flaw(entry, arrays) else arrays


def _flaw(entry: Info, arrays: Arrays) -> str | None:
    """What keeps arrays from being this dataset, as "found ..., expected ..."; None if nothing
    does.
    """
    wanted = (
        ((entry.n, *entry.shape), entry.dtype),
        ((entry.n,), np.int64),
        ((entry.n,), np.bool_),
    )
    for what, array, (shape, dtype) in zip(ARRAYS, arrays, wanted, strict=True):
        if array.shape != shape or array.dtype != dtype:
            return (
                f"found {what} of shape {array.shape} ({array.dtype}), expected {shape}"
                f" ({np.dtype(dtype)})"
            )
    if arrays[1].min() < 0 or arrays[1].max() >= entry.classes:
        return (
            f"found labels from {arrays[1].min()} to {arrays[1].max()}, expected {entry.classes}"
            " classes"
        )
    return None


def _store(entry: Info, arrays: Arrays, folder: Path, scratch: Path) -> None:
    flaw = _flaw(entry, arrays)
    if flaw:
        raise UserError(f"{entry.title}: {flaw} in the files in {folder}. {published_files.MEND}")
    fresh = scratch / "prepared"
    fresh.mkdir()
    for what, array in zip(ARRAYS, arrays, strict=True):
        np.save(fresh / f"{what}.npy", array, allow_pickle=False)
    _home(entry).parent.mkdir(exist_ok=True)
    while True:
        try:
            return os.rename(fresh, _home(entry))
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
        if is_ready(entry.name):
            return  # another process was faster
        # Another process may have put the damaged arrays aside first.
        with suppress(FileNotFoundError):
            os.rename(_home(entry), Path(tempfile.mkdtemp(dir=scratch)) / "damaged")
