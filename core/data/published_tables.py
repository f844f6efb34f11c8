"""Feature tables: how each is read, from a file that comes with the program, from OpenML, or
simulated.

    read_<table>(folder, (training rows, test rows), shape) -> points float32 (n, d), labels int64
    (n,)

Letter: columns as published, 0 to 15; the first 15,000 rows are the training part. Adult: the
one-hot columns of the census table, age, hours and the other four numbers shifted and scaled to
mean 0 and standard deviation 1 of the training part. OpenML's tables: 50,000 rows drawn with seed 0
where there are more, every column's words as numbers in the table's own order. Bank, CelebA's
attributes and Jigsaw: 5,000 and 4,200 rows drawn with seed 0, as the FI paper does with its own.
Sources: Frey and Slate 1991 (letter); Kohavi 1996 (adult); OpenML 155, 156 and 184 as in the BADGE
paper.
"""

from __future__ import annotations

import csv
import functools
import gzip
from pathlib import Path
from urllib.error import URLError

import numpy as np

from core.data import simulated
from core.data.published_files import as_published
from core.runtime.folders import ASSETS
from core.types import Floats, Ints, UserError

LETTER = (
    "x of box",
    "y of box",
    "width",
    "height",
    "pixels on",
    "mean x",
    "mean y",
    "x variance",
    "y variance",
    "x y correlation",
    "x x y",
    "x y y",
    "edges left to right",
    "edges with y",
    "edges bottom to top",
    "edges with x",
)
NUMBERS = 6  # leading columns of adult that are numbers; the others are one-hot
FeaturesAndLabels = tuple[Floats, Ints]


def read_letter(
    folder: Path, _parts: tuple[int, int], _shape: tuple[int, ...]
) -> FeaturesAndLabels:
    """20,000 letters as 16 numbers from 0 to 15 each, in the published order."""
    rows = _lines(folder / "letter" / "letter.csv.gz")[1:]
    labels = np.array([ord(row[0]) - ord("A") for row in rows], np.int64)
    return np.array([row[1:] for row in rows], np.float32), labels


def read_adult(folder: Path, parts: tuple[int, int], _shape: tuple[int, ...]) -> FeaturesAndLabels:
    """A class-stratified sample of the census table: who earns more than 50,000 dollars a year?"""
    table = np.array(_lines(folder / "adult" / "adult.csv.gz")[1:], np.float64)
    points = table[:, :-2]
    _standardize(points, parts[0], NUMBERS)
    return points.astype(np.float32), table[:, -1].astype(np.int64)


@functools.cache
def adult_columns() -> tuple[str, ...]:
    """ "age", ..., "native-country: Yugoslavia"."""
    with gzip.open(ASSETS / "adult" / "adult.csv.gz", "rt") as stream:
        header = next(csv.reader(stream))
    return tuple(name.replace("_", ": ") for name in header[:-2])


def read_simulated(
    name: str, _folder: Path, parts: tuple[int, int], _shape: tuple[int, ...]
) -> tuple[np.ndarray, ...]:
    """A set of core/data/simulated.py, always the same one: seed 0 draws the training part, seed 1
    the test part. (points, labels), and the target of a curve.
    """
    draw = getattr(simulated, name)
    drawn = [draw(n, np.random.default_rng(seed)) for seed, n in enumerate(parts)]
    return tuple(np.concatenate(array) for array in zip(*drawn, strict=True))


def read_openml(
    number: int, folder: Path, parts: tuple[int, int], shape: tuple[int, ...]
) -> FeaturesAndLabels:
    """The table of this number, downloaded once; as many of its rows as the parts have, drawn with
    seed 0, in random order.

    A UserError without network, and for a table that is not the expected one.
    """
    found = _openml(number, folder, as_frame=False)
    return _drawn(
        f"OpenML {number}",
        np.asarray(found.data, np.float32),
        np.asarray(found.target),
        parts,
        shape,
    )


def read_bank(folder: Path, parts: tuple[int, int], shape: tuple[int, ...]) -> FeaturesAndLabels:
    """Will a client of the bank subscribe?

    OpenML 1461: 7 numbers, scaled as adult's, then 44 one-hot columns.
    """
    import pandas as pd

    found = _openml(1461, folder, as_frame=True)
    words = found.data.select_dtypes(exclude="number")
    numbers = found.data.drop(columns=words.columns).to_numpy(np.float64)
    # A column's words come in alphabetical order.
    codes = pd.get_dummies(words.astype(str)).to_numpy(np.float64)
    table = np.hstack([numbers, codes])
    points, labels = _drawn("Bank", table, np.asarray(found.target), parts, shape)
    _standardize(points, parts[0], numbers.shape[1])
    return points.astype(np.float32), labels


def read_celeba(folder: Path, parts: tuple[int, int], shape: tuple[int, ...]) -> FeaturesAndLabels:
    """Is the person smiling, given the other 39 attributes (-1 or 1)?

    From the published list_attr_celeba.txt, put there by the user.
    """
    path = folder / "celeba" / "list_attr_celeba.txt"
    _wanted(
        path,
        "CelebA attributes",
        "list_attr_celeba.txt of https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
    )
    with as_published(path):
        _, names, *lines = path.read_text().splitlines()
        table = np.array([line.split()[1:] for line in lines], np.float32)
        smiling = names.split().index("Smiling")
    return _drawn(
        "CelebA attributes", np.delete(table, smiling, axis=1), table[:, smiling] > 0, parts, shape
    )


def read_jigsaw(folder: Path, parts: tuple[int, int], shape: tuple[int, ...]) -> FeaturesAndLabels:
    """Is a comment toxic, given the embedding of its text? From a file of the user's own, read
    once: to read it anew, delete the folder prepared/jigsaw beside it.
    """
    path = folder / "jigsaw" / "jigsaw.npz"
    _wanted(
        path,
        "Jigsaw",
        f"a NumPy file without pickles with points (n, {shape[0]}) and labels (n,), 0 or 1",
    )
    with as_published(path), np.load(path, allow_pickle=False) as found:
        points = np.asarray(found["points"], np.float32)
        labels = np.asarray(found["labels"])
    if set(np.unique(labels)) != {0, 1} or not np.isfinite(points).all():
        raise UserError(
            f"{path}: expected labels 0 and 1, both of them, and points without NaN or infinity."
            " Correct the file."
        )
    return _drawn("Jigsaw", points, labels, parts, shape)


def _openml(number: int, folder: Path, *, as_frame: bool):
    from sklearn.datasets import fetch_openml

    try:
        return fetch_openml(data_id=number, data_home=folder, as_frame=as_frame, parser="liac-arff")
    except (URLError, OSError, ValueError) as error:
        raise UserError(
            f"OpenML {number} is not in the data folder {folder} and could not be downloaded"
            f" ({error}). Connect to the internet and try again; the letter dataset, OpenML 6,"
            " comes with the program."
        ) from None


def _wanted(path: Path, title: str, what: str) -> None:
    if not path.is_file():
        raise UserError(
            f"{title}: found no file {path}. It cannot be downloaded from here: put {what}, in this"
            " place."
        )


def _drawn(
    title: str, points: Floats, names: np.ndarray, parts: tuple[int, int], shape: tuple[int, ...]
) -> FeaturesAndLabels:
    """As many rows as the parts have, drawn with seed 0, and the classes counted from 0 in the
    order of their names.
    """
    if points.shape[1:] != shape or len(points) < sum(parts) or len(names) != len(points):
        found = " x ".join(f"{side:,}" for side in points.shape)
        raise UserError(
            f"{title}: found {found} values, expected {sum(parts):,} x {shape[0]} or more rows."
        )
    rows = np.random.default_rng(0).permutation(len(points))[: sum(parts)]
    return points[rows], np.unique(names, return_inverse=True)[1].astype(np.int64)[rows]


def _standardize(points: Floats, train: int, columns: int) -> None:
    """Shift and scale the first columns, in place, to mean 0 and standard deviation 1 of the first
    `train` rows.
    """
    seen = points[:train, :columns]
    points[:, :columns] = (points[:, :columns] - seen.mean(axis=0)) / seen.std(axis=0)


def _lines(path: Path) -> list[list[str]]:
    with as_published(path), gzip.open(path, "rt", newline="") as stream:
        return list(csv.reader(stream))
