"""Feature tables: how each is read, from a file that comes with the program, from OpenML, or simulated.

    read_<table>(folder, (training rows, test rows), shape) -> points float32 (n, d), labels int64 (n,)

Letter: columns 0 to 15 as published; the first 15,000 rows are the training part. Adult: the one-hot columns of the census table, age,
hours and the other four numbers shifted and scaled to mean 0 and standard deviation 1 of the training part. OpenML's tables: 50,000 rows
drawn with seed 0 where there are more, every column's words as numbers in the table's own order.
Sources: Frey and Slate 1991 (letter); Kohavi 1996 (adult); OpenML 155, 156 and 184 as in the BADGE paper.
"""

from __future__ import annotations

import csv
import functools
import gzip
from pathlib import Path
from urllib.error import URLError

import numpy as np

from core import simulated
from core.dataset_files import RawFile, reading
from core.types import Floats, Ints, UserError

ASSETS = Path(__file__).resolve().parent.parent / "assets"
LETTER = (
    "x of box", "y of box", "width", "height", "pixels on", "mean x", "mean y", "x variance", "y variance", "x y correlation",
    "x x y", "x y y", "edges left to right", "edges with y", "edges bottom to top", "edges with x",
)  # fmt: skip
NUMBERS = 6  # leading columns of adult that are numbers; the others are one-hot
Table = tuple[Floats, Ints]


def read_letter(folder: Path, _parts: tuple[int, int], _shape: tuple[int, ...]) -> Table:
    """20,000 letters as 16 numbers from 0 to 15 each, in the published order."""
    rows = _lines(folder / "letter" / "letter.csv.gz")[1:]
    return np.array([row[1:] for row in rows], np.float32), np.array([ord(row[0]) - ord("A") for row in rows], np.int64)


def read_adult(folder: Path, parts: tuple[int, int], _shape: tuple[int, ...]) -> Table:
    """A class-stratified sample of the census table: who earns more than 50,000 dollars a year?"""
    table = np.array(_lines(folder / "adult" / "adult.csv.gz")[1:], np.float64)
    points, numbers = table[:, :-2], table[: parts[0], :NUMBERS]
    points[:, :NUMBERS] = (points[:, :NUMBERS] - numbers.mean(axis=0)) / numbers.std(axis=0)
    return points.astype(np.float32), table[:, -1].astype(np.int64)


@functools.cache
def adult_columns() -> tuple[str, ...]:
    """ "age", ..., "native-country: Yugoslavia"."""
    with gzip.open(ASSETS / "adult" / "adult.csv.gz", "rt") as stream:
        header = next(csv.reader(stream))
    return tuple(name.replace("_", ": ") for name in header[:-2])


def read_simulated(name: str, _folder: Path, parts: tuple[int, int], _shape: tuple[int, ...]) -> Table:
    """A point cloud of core/simulated.py, always the same one: seed 0 draws the training part, seed 1 the test part."""
    drawn = [getattr(simulated, name)(n, np.random.default_rng(seed)) for seed, n in enumerate(parts)]
    return np.concatenate([points for points, _ in drawn]), np.concatenate([labels for _, labels in drawn])


def no_files() -> list[RawFile]:
    """OpenML's tables are fetched and kept by scikit-learn."""
    return []


def read_openml(number: int, folder: Path, parts: tuple[int, int], shape: tuple[int, ...]) -> Table:
    """The table of this number, downloaded once; as many of its rows as the parts have, drawn with seed 0, in random order.

    A UserError without network, and for a table that is not the expected one.
    """
    from sklearn.datasets import fetch_openml

    try:
        found = fetch_openml(data_id=number, data_home=folder, as_frame=False, parser="liac-arff")
    except (URLError, OSError, ValueError) as error:
        raise UserError(
            f"OpenML {number} is not in the data folder {folder} and could not be downloaded ({error}). Connect to the internet and "
            "try again; the letter dataset, OpenML 6, comes with the program."
        ) from None
    points, names = np.asarray(found.data, np.float32), np.asarray(found.target)
    if points.shape[1:] != shape or len(points) < sum(parts):
        raise UserError(f"OpenML {number}: found {points.shape[0]:,} x {points.shape[1]} values, expected {sum(parts):,} x {shape[0]}.")
    rows = np.random.default_rng(0).permutation(len(points))[: sum(parts)]
    return points[rows], np.unique(names, return_inverse=True)[1].astype(np.int64)[rows]


def _lines(path: Path) -> list[list[str]]:
    with reading(path), gzip.open(path, "rt", newline="") as stream:
        return list(csv.reader(stream))
