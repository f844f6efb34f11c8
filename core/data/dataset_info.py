"""What is known of a dataset before it is loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.data.published_files import PublishedFile

Read = Callable[[Path, tuple[int, int], tuple[int, ...]], tuple[np.ndarray, ...]]


@dataclass(frozen=True)
class Info:
    """What is known of a dataset before it is loaded.

    n: all rows. train: the first rows, up to the published test part. shape: of one point, (d,) for
    a table. origin, licence: in words. read(folder, (training rows, test rows), shape) -> points,
    labels and, where there is one, the target; None for the user's own. files: its published files;
    None if nothing has to be fetched. class_names: () if there are no labels. feature_names: of a
    table's columns. probs: did class probabilities come with the points? target: did numbers that a
    regression can learn? shown: names of the columns that stand beside the points. exact: a table
    in double precision.
    """

    name: str
    title: str
    n: int
    train: int
    shape: tuple[int, ...]
    class_names: tuple[str, ...]
    origin: str
    licence: str
    read: Read | None = None
    files: tuple[PublishedFile, ...] | None = None
    feature_names: tuple[str, ...] = ()
    probs: bool = False
    target: bool = False
    shown: tuple[str, ...] = ()
    exact: bool = False

    @property
    def classes(self) -> int:
        return len(self.class_names)

    @property
    def parts(self) -> tuple[int, int]:
        """Training rows, test rows."""
        return self.train, self.n - self.train

    @property
    def bundled(self) -> bool:
        """Comes with the program: always ready, nothing to fetch."""
        return self.files is None

    @property
    def is_images(self) -> bool:
        """Images; otherwise a table."""
        return len(self.shape) > 1

    @property
    def labeled(self) -> bool:
        """Are its classes known?"""
        return bool(self.class_names)

    @property
    def dtype(self) -> type[np.generic]:
        """Of the points."""
        return np.uint8 if self.is_images else np.float64 if self.exact else np.float32
