"""Random order: the baseline that every comparison carries, and the one that knows the labels."""

from __future__ import annotations

import numpy as np

from core.linalg.probabilities import check_labeled
from core.strategy import scorer, selector
from core.types import Floats, Ints, check_budget


@scorer("Random")
def random(embedding: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Independent uniform scores in [0, 1): every order of the points is equally likely.

    Shapes: embedding (n, d) -> (n,). Higher = picked first.
    """
    return rng.random(len(embedding))


@selector("Class-balanced random", nested=True)
def class_balanced_random(
    labels: np.ndarray, labeled: np.ndarray | None = None, *, k: int, rng: np.random.Generator
) -> tuple[Ints, Floats]:
    """Random points, equally many of each class: |picks of class y| differ by one at most while
    the classes last.

    labels: (n,), of all points: this baseline uses the labels of the pool, which an active learner
    would have to pay for. labeled: bool (n,) or None, never picked and not counted. Returns indices
    (k,) and gains (k,), all 0: chance prefers nothing. Within a class every order is equally
    likely; in each round the classes come in a random order, and a class that is used up is left
    out. A UserError for k above the pool or a point without a label.
    """
    labels = check_labeled(labels, len(labels))
    pool = np.arange(len(labels)) if labeled is None else np.flatnonzero(~labeled)
    k = check_budget(k, len(pool))
    shuffled = rng.permutation(pool)
    order = np.argsort(labels[shuffled], kind="stable")
    _, first = np.unique(labels[shuffled][order], return_index=True)
    turn = np.empty(len(pool), np.int64)  # how many of its class come before it
    turn[order] = np.arange(len(pool)) - np.repeat(first, np.diff([*first, len(pool)]))
    return shuffled[np.lexsort((rng.random(len(pool)), turn))][:k], np.zeros(k)
