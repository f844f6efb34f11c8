"""What the experiments on goals share: how a linear head sees the points, and the first labels.

One l2 acts on all weights alike, so a table's columns are shifted and scaled to mean 0 and standard
deviation 1 of its training points first, but for columns of zeros and ones; embeddings of images
stay as they are. The first labeled points are random, with two of each class at least (the GORAL
paper has 52 for 26 letters), so that no class is lost when a point is left out. On synth2 they come
from the central clusters: that is what misleads the first head there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core import softmax_head
from core.data.simulated import synth2_groups
from core.data.splits import split
from core.types import Dataset, Embedded, Floats, Head, Ints, UserError

OF_EACH_CLASS = 2
ACCURACY = 1e-8  # gradient norm to which heads are fitted


@dataclass(frozen=True)
class Draw:
    """Dataset rows: labeled (M,) at first, of the pool, of the validation set, of the test set."""

    labeled: Ints
    pool: Ints
    validation: Ints
    test: Ints


def draw(data: Dataset, labeled: int, pool: int, validation: int, seed: int) -> Draw:
    """Three parts of the training points, at random.

    A UserError if there are too few points, or too few of a class.
    """
    train, test = split(data)
    needed = labeled + pool + validation
    if len(train) < needed:
        parts = f"{labeled:,} labeled, {pool:,} in the pool and {validation:,} for validation"
        raise UserError(
            f"{data.called}: found {len(train):,} training points, but {parts} make {needed:,}."
            " Choose fewer, or more points."
        )
    order = np.random.default_rng([seed, 4]).permutation(train)
    allowed = np.ones(len(order), bool)
    if data.name == "synth2":
        allowed = synth2_groups(data.points[order]) == 0
    first = _first(data, order[allowed], labeled)
    rest = order[~np.isin(order, first)]
    return Draw(first, rest[:pool], rest[pool : pool + validation], test)


def _first(data: Dataset, order: Ints, labeled: int) -> Ints:
    """`labeled` of these rows: the first two of each class, then the first others."""
    classes = len(data.class_names)
    if labeled < OF_EACH_CLASS * classes or labeled > len(order):
        raise UserError(
            f"First labels: found {labeled:,} for {classes} classes, expected at least"
            f" {OF_EACH_CLASS * classes}, two of each class, and at most {len(order):,}. Change the"
            " number of labeled points."
        )
    each = [order[data.labels[order] == c][:OF_EACH_CLASS] for c in range(classes)]
    poor = [data.class_names[c] for c, rows in enumerate(each) if len(rows) < OF_EACH_CLASS]
    if poor:
        raise UserError(
            f"First labels: class {', '.join(poor[:5])} has fewer than two training points, and"
            " without one a head that leaves it out cannot be fitted. Use more points, or a"
            " dataset with more of each class."
        )
    picked = np.concatenate(each)
    return np.concatenate([picked, order[~np.isin(order, picked)][: labeled - len(picked)]])


def scaling(data: Dataset, embedding: Floats) -> tuple[Floats, Floats]:
    """(shift (d,), scale (d,)) by which the head sees (x - shift) / scale.

    0 and 1 for images and for columns of zeros and ones.
    """
    d = embedding.shape[1]
    if data.is_images:
        return np.zeros(d), np.ones(d)
    rows = embedding[split(data)[0]].astype(np.float64)
    binary = np.isin(rows, (0, 1)).all(axis=0)
    spread = rows.std(axis=0)
    kept = binary | (spread == 0)
    return np.where(kept, 0, rows.mean(axis=0)), np.where(kept, 1, spread)


def seen(data: Dataset, embedding: Floats) -> Floats:
    """The embedding as the head sees it: (n, d) float64 for a table, unchanged for images."""
    if data.is_images:
        return embedding
    shift, scale = scaling(data, embedding)
    return (embedding - shift) / scale


def fitted(
    data: Dataset, matrix: Floats, rows: Ints, l2: float, start: Floats | None = None
) -> Head:
    """The head on these labeled rows of the matrix. A UserError for what the fit refuses."""
    points = matrix[rows].astype(np.float64)
    return softmax_head.fit(
        points,
        data.labels[rows],
        l2=l2,
        classes=len(data.class_names),
        tolerance=ACCURACY,
        start=start,
    )


def part(data: Dataset, matrix: Floats, rows: Ints) -> Embedded:
    """Some rows of the matrix with their labels."""
    return Embedded(matrix[rows].astype(np.float64), labels=data.labels[rows])
