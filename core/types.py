"""The nouns of Leverage Lab, and the checks that every room relies on.

    Dataset --embed--> Embedded --score--> scores (n,) --top_k--> Selection (k,)

Conventions: n points, d embedding dimensions, c classes, k picks. Arrays in and out are NumPy.
Scores are float64 and **higher means picked first**, always.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Ints = NDArray[np.integer]
Bools = NDArray[np.bool_]
Bytes = NDArray[np.uint8]


class UserError(ValueError):
    """Something the user can mend.

    The message says what was found, what was expected and how to mend it.
    """


@dataclass(frozen=True, eq=False)
class Dataset:
    """A named set of points.

    points: images uint8 (n, h, w) or (n, h, w, 3), or a feature table float (n, d). labels: class
    numbers int64 (n,), -1 for a point that has none yet. class_names: one per class, () if no point
    has one. test: bool (n,), True for rows that belong to the published test part. index: int64
    (n,), each point's row in the full dataset (a subset keeps its origin). ids: str (n,), what the
    points are called elsewhere, or None. probs: class probabilities (n, c) that came with the
    points, or None. title: of a dataset whose name means nothing to a reader. target: what a
    regression is to learn, finite numbers (n,) or (n, t), or None. shown: columns that stand beside
    the points and are no features, by name: text or numbers (n,).
    """

    name: str
    points: np.ndarray
    labels: Ints
    class_names: tuple[str, ...]
    test: Bools
    index: Ints = field(default=None)  # type: ignore[assignment]  # filled in below
    feature_names: tuple[str, ...] = ()
    ids: np.ndarray | None = None
    probs: Floats | None = None
    title: str = ""
    target: Floats | None = None
    shown: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self):
        if self.index is None:
            object.__setattr__(self, "index", np.arange(len(self.points), dtype=np.int64))
        if self.target is not None:
            object.__setattr__(self, "target", check_target(self.target))
        for what in ("labels", "test", "index", "ids", "probs", "target"):
            array = getattr(self, what)
            if array is not None and len(array) != len(self.points):
                raise UserError(
                    f"Dataset {self.name}: {len(self.points):,} points but {len(array):,} entries"
                    f" in {what}. Give one entry per point."
                )

    def __len__(self) -> int:
        return len(self.points)

    @property
    def is_images(self) -> bool:
        return self.points.dtype == np.uint8 and self.points.ndim in (3, 4)

    @property
    def called(self) -> str:
        """What messages call it: its title where its name means nothing to a reader."""
        return self.title or self.name

    @property
    def labeled(self) -> bool:
        """Are its classes known?"""
        return bool(self.class_names)

    @property
    def d(self) -> int:
        """Values per point: pixels (times channels) or features."""
        return int(np.prod(self.points.shape[1:]))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one point: (h, w), (h, w, 3) or (d,)."""
        return tuple(self.points.shape[1:])

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits of the content: one changed pixel or label changes it.

        What the points are called does not count.
        """
        digest = hashlib.blake2b(digest_size=8)
        for array in (
            self.points,
            self.labels,
            self.test,
            self.index,
            *([] if self.probs is None else [self.probs]),
            *([] if self.target is None else [self.target]),
        ):
            digest.update(repr((array.shape, array.dtype.str)).encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class Embedded:
    """One dataset through one embedding.

    embedding: float32 (n, d). probs: class probabilities (n, c) or None.
    labels: int (n,), -1 where unknown, or None. labeled: bool (n,), the points whose label is
    already known, or None: no label is, or all are.
    Lists, frames and tensors become arrays.
    """

    embedding: Floats
    probs: Floats | None = None
    labels: Ints | None = None
    labeled: Bools | None = None

    def __post_init__(self):
        object.__setattr__(self, "embedding", check_matrix(self.embedding, "embedding"))
        for what in ("probs", "labels", "labeled"):
            value = getattr(self, what)
            if value is None:
                continue
            value = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
            object.__setattr__(self, what, value)
            if len(value) != len(self.embedding):
                raise UserError(
                    f"{what} has {len(value):,} rows, the embedding {len(self.embedding):,}. Give"
                    " one row per point."
                )

    def __len__(self) -> int:
        return len(self.embedding)


@dataclass(frozen=True, eq=False)
class Head:
    """A linear softmax classifier on an embedding: probabilities softmax(H weights^T + intercepts).

    weights: (c, d). intercepts: (c,). l2: coefficient of |weights|^2/2 beside the mean loss.
    fitted_on: the points it was fitted on; its Hessian needs them.
    """

    weights: Floats
    intercepts: Floats
    l2: float
    fitted_on: Embedded


@dataclass(frozen=True, eq=False)
class Selection:
    """k chosen points, in the order of choice.

    indices: (k,). gains: (k,), the score at the moment of choice.
    nested: True if the first j of k are the answer for j.
    """

    indices: Ints
    gains: Floats
    nested: bool

    def __len__(self) -> int:
        return len(self.indices)


def check_matrix(matrix: np.ndarray, name: str) -> np.ndarray:
    """matrix as an array, if it is a non-empty, finite, numeric (n, d) one; otherwise a UserError.

    Lists, frames and tensors (whose gradient is left behind) become arrays; arrays stay themselves.
    """
    matrix = np.asarray(matrix.detach().cpu() if hasattr(matrix, "detach") else matrix)
    if matrix.ndim != 2 or matrix.shape[0] == 0:
        raise UserError(
            f"{name}: found shape {matrix.shape}, expected (n, d) with at least one row."
        )
    if not np.issubdtype(matrix.dtype, np.number) or np.iscomplexobj(matrix):
        raise UserError(f"{name}: found {matrix.dtype} values, expected real numbers.")
    if np.issubdtype(matrix.dtype, np.floating) and not _all_finite(matrix):
        bad = int((~np.isfinite(matrix)).any(axis=1).sum())
        raise UserError(
            f"{name}: {bad:,} of {len(matrix):,} rows hold NaN or infinity. Remove or fill these"
            " rows first."
        )
    return matrix


def check_target(target: np.ndarray, name: str = "target") -> Floats:
    """target as float64 (n,) or (n, t), if it holds finite numbers only; otherwise a UserError."""
    target = np.asarray(target)
    if not np.issubdtype(target.dtype, np.number) or np.iscomplexobj(target):
        raise UserError(
            f"{name}: found {target.dtype} values, expected numbers, which a regression can learn."
            " Choose another column, or take this one as the classes."
        )
    if target.ndim not in (1, 2) or 0 in target.shape:
        raise UserError(f"{name}: found shape {target.shape}, expected (n,) or (n, t).")
    bad = int((~np.isfinite(target)).reshape(len(target), -1).any(axis=1).sum())
    if bad:
        raise UserError(
            f"{name}: {bad:,} of {len(target):,} rows hold no finite number. Leave these rows out,"
            " or fill them."
        )
    return target.astype(np.float64)


def check_scores(scores: np.ndarray, n: int, name: str = "scores") -> np.ndarray:
    """scores as float64 (n,), if they are finite; otherwise a UserError."""
    scores = np.asarray(scores, dtype=np.float64)
    if scores.shape != (n,):
        raise UserError(
            f"{name}: found shape {scores.shape}, expected ({n},), one score per point."
        )
    if not np.isfinite(scores).all():
        raise UserError(
            f"{name}: {int((~np.isfinite(scores)).sum()):,} of {n:,} scores are NaN or infinite;"
            " they cannot be ranked."
        )
    return scores


def check_labels(
    labels: np.ndarray,
    n: int,
    classes: int | None = None,
    *,
    name: str = "labels",
    known: str = "",
    mend: str = "Leave unlabeled points out.",
) -> Ints:
    """labels as int64 (n,), if there is a whole number for every point, with `classes` one from 0
    to classes - 1; otherwise a UserError.

    known, mend: how the message goes on after the classes.
    """
    labels = np.asarray(labels)
    if labels.shape != (n,) or not np.issubdtype(labels.dtype, np.integer):
        raise UserError(
            f"{name}: found {labels.dtype} of shape {labels.shape}, expected {n:,} whole numbers,"
            " one per point."
        )
    if classes is not None and n and not 0 <= labels.min() <= labels.max() < classes:
        raise UserError(
            f"{name}: found {labels.min()} to {labels.max()}, expected 0 to"
            f" {classes - 1}{known}. {mend}"
        )
    return labels.astype(np.int64)


def check_budget(k: int, available: int) -> int:
    """k, if 0 <= k <= available; otherwise a UserError."""
    if isinstance(k, bool) or not isinstance(k, int | np.integer):
        raise UserError(f"Budget k: found {k!r}, expected a whole number of points to pick.")
    if not 0 <= k <= available:
        raise UserError(
            f"Budget k: found {k:,}, but {available:,} points can be picked. Choose k between 0 and"
            f" {available:,}."
        )
    return int(k)


def _all_finite(matrix: np.ndarray, rows: int = 8192) -> bool:
    """In blocks of rows, so that a large embedding costs no second array of its size."""
    return all(np.isfinite(matrix[i : i + rows]).all() for i in range(0, len(matrix), rows))
