"""A training record: how probable did a network find each class of each point after each pass?

    record[t] = softmax(outputs after pass t + 1),    (t, n, c)

The network is the BADGE and BAIT papers' MLP with 128 hidden units, trained on the embedding as it
is given (raw pixels: on the digits themselves), by Adam in batches of 64 with cross-entropy. One
mean and one standard deviation scale all dimensions together, so that the embedding keeps its
shape. It is trained on every labeled point, those of a published test part included: what is
counted on the record, such as forgetting, is defined for points that are trained on, and no
accuracy is claimed from this network.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from core.types import Embedded, Floats

PASSES = 15
NETWORK = "mlp"
LEARNING_RATE = 1e-3
SEED = 0
CHUNK = 8192


def train(
    points: Embedded, *, classes: int, progress: Callable[[int, int, float], None] | None = None
) -> Floats:
    """The record (PASSES, n, c) float32 of all points; those without a label (-1) are only watched.

    progress(step, steps, loss): after every step. UserErrors as in `training.train`: fewer than two
    classes, a loss that is not finite.
    """
    from core.models import evaluation, networks, training

    known = np.flatnonzero(points.labels >= 0)
    record = []
    seen = points.embedding if len(known) == len(points) else points.embedding[known]
    constants = {
        "mean": float(seen.mean(dtype=np.float64)),
        "std": float(seen.std(dtype=np.float64)) or 1.0,
    }
    network = networks.build(NETWORK, classes=classes, shape=seen.shape[1:], seed=SEED, **constants)

    def watch(epoch: int, trained: Any) -> None:
        record.append(evaluation.probabilities(trained, points.embedding, CHUNK).astype(np.float32))

    how = {"epochs": PASSES, "learning_rate": LEARNING_RATE, "progress": progress}
    training.train(network, seen, points.labels[known], seed=SEED, on_epoch=watch, **how)
    return np.stack(record)
