"""Training dynamics: which points are hard to learn?

EL2N and GraNd read one network, early in training; forgetting reads a training record: the
probabilities of every point after each epoch, an array (t, n, c) of t epochs, made by asking the
network for its probabilities (softmax of its outputs, without augmentation) each time an epoch
ends. All need the labels of the points that they score. A forgetting event is defined for points
that are trained on, so the record that the lab makes (core/models/training_record.py) comes from a
network that is trained on all of them, those of a test part included. EL2N and GraNd take
probabilities as they are given: the lab's menus hand them a head fitted to the end.

Sources: Paul, Ganguli and Dziugaite 2021 (EL2N, GraNd); Toneva et al. 2019 (forgetting events).
"""

from __future__ import annotations

import numpy as np

from core.linalg.probabilities import check_labeled, check_probs
from core.strategy import scorer
from core.types import Bools, Floats, UserError, check_matrix


@scorer("EL2N")
def el2n(probs: np.ndarray, labels: np.ndarray) -> Floats:
    """The length of a point's error, |p - e_y|, with e_y the one-hot label.

    probs: (n, c); labels: (n,). Returns (n,) float64 in [0, sqrt 2], higher = picked first (hard
    points). The paper takes the mean over several networks after a few epochs: `mean_el2n` does
    that from a record.
    """
    probs = check_probs(probs)
    errors = probs.copy()
    errors[np.arange(len(probs)), check_labeled(labels, len(probs), probs.shape[1])] -= 1
    return np.sqrt(np.einsum("nc,nc->n", errors, errors))


@scorer("GraNd, last layer")
def grand(embedding: np.ndarray, probs: np.ndarray, labels: np.ndarray) -> Floats:
    """The length of a point's loss gradient by the last layer's weights:
    |(p - e_y) (x) h| = |p - e_y| |h|.

    embedding: h (n, d); probs: (n, c); labels: (n,). Returns (n,) float64 >= 0, higher = picked
    first. The paper takes the gradient by all weights and the mean over networks; here it is the
    last layer's, without its intercepts, of the network at hand.
    """
    h = check_matrix(embedding, "embedding")
    check_probs(probs, len(h))
    return el2n(probs, labels) * np.sqrt(np.einsum("nd,nd->n", h, h, dtype=np.float64))


@scorer("Forgetting")
def forgetting(record: np.ndarray, labels: np.ndarray) -> Floats:
    """How often a point was forgotten: sum_t [right after epoch t, wrong after epoch t+1].

    record: probabilities (t, n, c) after each of t epochs; labels: (n,). Returns (n,) float64,
    whole numbers from 0 to t, higher = picked first. A point that was never right gets t, above
    every count, as the paper puts such points first. The paper counts at each presentation in a
    batch; once per epoch is the same count up to what happens between a point's own steps and the
    epoch's end.
    """
    right = correctness(record, labels)
    return np.where(right.any(axis=0), forgetting_events(right), len(right)).astype(np.float64)


def correctness(record: np.ndarray, labels: np.ndarray) -> Bools:
    """(t, n): was the most probable class the label after each epoch?

    record: (t, n, c); labels: (n,).
    """
    labels = check_labeled(labels, *_check_record(record).shape[1:])
    return np.array(
        [check_probs(probs, name="record").argmax(axis=1) == labels for probs in record]
    )


def forgetting_events(right: Bools) -> np.ndarray:
    """(n,) whole numbers: how often a point goes from right to wrong.

    That is, between one row of right (t, n) and the next.
    """
    return (right[:-1] & ~right[1:]).sum(axis=0)


def mean_el2n(record: np.ndarray, labels: np.ndarray) -> Floats:
    """EL2N averaged over the tables of a record (t, n, c). (n,), higher = harder.

    The tables are epochs of one network, or one epoch of several.
    """
    return np.mean([el2n(probs, labels) for probs in _check_record(record)], axis=0)


def _check_record(record: np.ndarray) -> np.ndarray:
    record = np.asarray(record)
    if record.ndim != 3 or len(record) == 0:
        raise UserError(
            f"record: found shape {record.shape}, expected (t, n, c): probabilities of n points"
            " after each of t epochs."
        )
    return record
