"""Several opinions on every point: the probabilities (m, n, c) that BALD compares.

    from_heads     linear heads on one embedding, each fitted to its own bootstrap sample of the
                   training points
    from_dropout   one network, asked several times with its dropout left on (Monte-Carlo dropout)

Each table holds a member's own softmax; whoever averages them averages probabilities, never logits.
Sources: Breiman 1996 (bootstrap ensembles); Gal and Ghahramani 2016, Gal, Islam and Ghahramani 2017
(Monte-Carlo dropout).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from core import softmax_head
from core.types import Embedded, Floats, Ints

HEADS = 8
PASSES = 20
# Members differ by far more than this gradient norm.
TOLERANCE = 1e-4
CHUNK = 512


def from_heads(
    points: Embedded,
    rows: Ints,
    *,
    classes: int,
    l2: float,
    rng: np.random.Generator,
    progress: Callable[[int, int], None] | None = None,
) -> Floats:
    """Probabilities (HEADS, n, c) of all points under heads fitted to bootstrap samples of `rows`.

    A sample is drawn class by class, as many points of each as there are, so that every head knows
    every class. progress(done, of all): after each head. UserErrors as in `softmax_head.fit`, for
    instance for a class without a point.
    """
    tables = []
    start = None
    for number in range(HEADS):
        drawn = bootstrap(points.labels, rows, rng)
        # From the head before it: its optimum is near.
        head = softmax_head.fit(
            points.embedding[drawn],
            points.labels[drawn],
            l2=l2,
            classes=classes,
            tolerance=TOLERANCE,
            start=start,
        )
        start = np.column_stack([head.weights, head.intercepts])
        tables.append(softmax_head.probabilities(points.embedding, head))
        if progress:
            progress(number + 1, HEADS)
    return np.stack(tables)


def bootstrap(labels: Ints, rows: Ints, rng: np.random.Generator) -> Ints:
    """As many rows as there are, drawn with replacement within each class."""
    by_class = (rows[labels[rows] == c] for c in np.unique(labels[rows]))
    return np.concatenate([rng.choice(own, len(own)) for own in by_class])


def from_dropout(network: Any, points: np.ndarray, *, seed: int, passes: int = PASSES) -> Floats:
    """Probabilities (passes, n, c) float64 of a network; each pass draws its own mask per point.

    Only dropout is switched on; batch statistics are neither taken nor changed. The network is left
    in eval mode on its device.
    """
    import torch

    from core.models import networks
    from core.models.training_data import tensor

    network.eval()
    networks.seed_dropout(network, seed)
    layers = [layer for layer in network.modules() if isinstance(layer, networks.Dropout)]
    device = network.head.weight.device
    tables = []
    for layer in layers:
        layer.train()
    try:
        with torch.inference_mode():
            for _ in range(passes):
                outputs = [
                    network(tensor(points[i : i + CHUNK]).to(device))
                    for i in range(0, len(points), CHUNK)
                ]
                tables.append(torch.cat(outputs).double().softmax(-1).cpu().numpy())
    finally:
        network.eval()
    return np.stack(tables)
