"""BADGE: a batch of points whose gradients are long and lie apart.

The gradient of a point at the last layer, as if the predicted class yhat were its label, is g = (p - e_yhat) (x) h. Its length is a lower
bound on that of the true label's gradient: |g^y|^2 = (sum_k p_k^2 + 1 - 2 p_y) |h|^2 (Proposition 1). The batch is drawn as k-means++
seeds: the next point has probability D(x)^2 / sum D^2, with D(x) the distance of its gradient to the nearest one picked.

How: distances factor (see `core.outer`), so a pick reads the embedding and the probabilities once. A distance that loses more
than two digits of it to cancellation is taken again from the differences: copies have D = 0 exactly and are never drawn while any
other point is left.

Source: Ash, Zhang, Krishnamurthy, Langford and Agarwal 2020 (Algorithms 1 and 2); Arthur and Vassilvitskii 2007 (k-means++).
"""

from __future__ import annotations

from typing import Annotated

import numpy as np

from core.draws import by_weight
from core.outer import Outer, gradients
from core.strategy import Knob, selector
from core.types import Floats, Ints, check_budget

CLOSE = 1e-2


@selector("BADGE", nested=True)
def badge(
    embedding: np.ndarray,
    probs: np.ndarray,
    labeled: np.ndarray | None = None,
    *,
    k: int,
    rng: np.random.Generator,
    first: Annotated[
        str, Knob("First pick", "The longest gradient (the authors' program) or any point (the paper).", choices=("norm", "uniform"))
    ] = "norm",
) -> tuple[Ints, Floats]:
    """k-means++ over the gradients g = (p - e_yhat) (x) h: P(next = x) = D(x)^2 / sum D^2.

    embedding: h (n, d); probs: p (n, c); labeled: bool (n,) or None, never picked. Returns indices (k,) and gains (k,): D(x)^2 when x was
    picked, |g|^2 for the first. Where every D is 0 (only copies are left, or no point is in doubt), all points left are equally probable.

    first: the paper's Algorithm 2 begins anywhere, the authors' program with the longest gradient (of equals the first), which is the
    default. Labeled points are no centres, as in both: distances are among the new points only. One number of rng is used per pick, so the
    first j of k picks are those for j. A UserError for k above the pool.
    """
    x = gradients(embedding, probs, exact=False)
    open_ = np.ones(len(x), bool) if labeled is None else ~labeled
    k = check_budget(k, int(open_.sum()))
    indices, gains = np.empty(k, np.int64), np.empty(k)
    near = np.where(open_, np.inf, 0.0)
    for j in range(k):
        weights = near if j else _first_weights(x, open_, first)
        i = _draw(weights, open_, rng.random())
        indices[j], gains[j], open_[i] = i, near[i] if j else x.squares[i], False
        _approach(x, i, near)
    return indices, gains


def _first_weights(x: Outer, open_: np.ndarray, first: str) -> Floats:
    """Nothing but the longest gradient, or all alike."""
    if first == "uniform":
        return open_.astype(np.float64)
    weights = np.zeros(len(x))
    longest = int(np.argmax(np.where(open_, x.squares, -1.0)))
    weights[longest] = x.squares[longest]
    return weights


def _draw(weights: Floats, open_: np.ndarray, u: float) -> int:
    """A point by its weight; if no weight is above 0, any of the open points."""
    return by_weight(weights if weights.any() else open_, u)


def _approach(x: Outer, i: int, near: Floats) -> None:
    """near = min(near, |x - x_i|^2), in place."""
    scale = x.squares + x.squares[i]
    distances = scale - 2 * x.dot(i)
    close = np.flatnonzero((distances < CLOSE * scale) & (near > 0))
    distances[close] = x.direct_distances(close, i)
    np.minimum(near, np.maximum(distances, 0.0, out=distances), out=near)
    near[i] = 0.0
