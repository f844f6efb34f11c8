"""BADGE: a batch of points whose gradients are long and lie apart.

The gradient of a point at the last layer, as if the predicted class yhat were its label, is g = (p
- e_yhat) (x) h. Its length is a lower bound on that of the true label's gradient: |g^y|^2 = (sum_k
p_k^2 + 1 - 2 p_y) |h|^2 (Proposition 1). The batch is drawn as k-means++ seeds: the next point has
probability D(x)^2 / sum D^2, with D(x) the distance of its gradient to the nearest one picked.

How: distances factor (see `core.linalg.outer_products`), so a pick reads the probabilities once,
and of the embedding only the rows that may have come nearer. A distance that loses more than two
digits of it to cancellation is taken again from the differences: copies have D = 0 exactly and are
never drawn while any other point is left.

Source: Ash, Zhang, Krishnamurthy, Langford and Agarwal 2020 (Algorithms 1 and 2); Arthur and
Vassilvitskii 2007 (k-means++).
"""

from __future__ import annotations

from typing import Annotated

import numpy as np

from core.linalg.outer_products import Outer, gradients
from core.linalg.weighted_draws import by_weight
from core.strategy import Knob, selector
from core.types import Floats, Ints, UserError, check_budget

FIRST = ("norm", "uniform")
CLOSE = 1e-2  # below this part of |x|^2 + |y|^2 a factored distance has lost digits
MANY = 0.3  # from this part of the rows on, reading all of them is quicker than picking them out


@selector("BADGE", nested=True)
def badge(
    embedding: np.ndarray,
    probs: np.ndarray,
    labeled: np.ndarray | None = None,
    *,
    k: int,
    rng: np.random.Generator,
    first: Annotated[
        str,
        Knob(
            "First pick",
            "The longest gradient (the authors' program) or any point (the paper).",
            choices=FIRST,
        ),
    ] = "norm",
) -> tuple[Ints, Floats]:
    """k-means++ over the gradients g = (p - e_yhat) (x) h: P(next = x) = D(x)^2 / sum D^2.

    embedding: h (n, d); probs: p (n, c); labeled: bool (n,) or None, never picked. Returns indices
    (k,) and gains (k,): D(x)^2 when x was picked, |g|^2 for the first. Where every D is 0 (only
    copies are left, or no point is in doubt), all points left are equally probable.

    first: the paper's Algorithm 2 begins anywhere, the authors' program with the longest gradient
    (of equals the first), which is the default. Labeled points are no centres, as in both:
    distances are among the new points only. One number of rng is used per pick, so the first j of k
    picks are those for j. A UserError for k above the pool and for another word as first.
    """
    if first not in FIRST:
        raise UserError(f"First pick: found {first!r}, expected one of {', '.join(FIRST)}.")
    x = gradients(embedding, probs, exact=False)
    unpicked = np.ones(len(x), bool) if labeled is None else ~labeled
    k = check_budget(k, int(unpicked.sum()))
    indices = np.empty(k, np.int64)
    gains = np.empty(k)
    nearest = Nearest(x, unpicked)
    for j in range(k):
        weights = nearest.squared if j else _first_weights(x, unpicked, first)
        i = _draw(weights, unpicked, rng.random())
        indices[j] = i
        gains[j] = nearest.squared[i] if j else x.squares[i]
        unpicked[i] = False
        nearest.add(i)
    return indices, gains


def _first_weights(x: Outer, unpicked: np.ndarray, first: str) -> Floats:
    """Nothing but the longest gradient, or all alike."""
    if first == "uniform":
        return unpicked.astype(np.float64)
    weights = np.zeros(len(x))
    longest = int(np.argmax(np.where(unpicked, x.squares, -1.0)))
    weights[longest] = x.squares[longest]
    return weights


def _draw(weights: Floats, unpicked: np.ndarray, u: float) -> int:
    """A point by its weight; if no weight is above 0, any of the open points."""
    return by_weight(weights if weights.any() else unpicked, u)


class Nearest:
    """squared (n,): each point's squared distance to the nearest pick so far, infinite before the
    first, 0 for picked and labeled points.

    A pick moves few points. By Cauchy and Schwarz |x - y|^2 >= |x|^2 + |y|^2 - 2 |left_x . left_y|
    |right_x| |right_y|, so the small left factors alone show which points may have come nearer;
    only their right factors are read. (If right holds no negative number, <right_x, right_y> >= 0
    and a negative left product brings nothing nearer.) The test runs in float32 in units of the
    longest factors, with room for its rounding, so it never loses a point.
    """

    def __init__(self, x: Outer, unpicked: np.ndarray):
        longest = float(x.left_squares.max()) or 1.0, float(x.right_squares.max()) or 1.0
        self.x = x
        self.squared = np.where(unpicked, np.inf, 0.0)
        self.unit = longest[0]
        # (c, n): products with one column run along n.
        self.left = np.ascontiguousarray((x.left / np.sqrt(longest[0])).T, x.right.dtype)
        self.lengths = np.sqrt(x.right_squares / longest[1]).astype(np.float32)
        self.scale = longest[0] * longest[1]
        room = 1 - (x.left.shape[1] + 16) * np.finfo(np.float32).eps
        self.squares = (room * (x.squares / self.scale)).astype(np.float32)
        self.near = self.squared.astype(np.float32)
        self.one_sign = x.right.min(initial=0) >= 0

    def add(self, i: int) -> None:
        """One more pick."""
        product = self.left[:, i] @ self.left
        reach = np.maximum(product, 0) if self.one_sign else np.abs(product)
        least = reach.astype(np.float32, copy=False) * self.lengths
        least *= -2 * self.lengths[i]
        least += self.squares
        rows = np.flatnonzero(least <= self.near - self.squares[i])
        nearest = np.minimum(self.squared[rows], self._distances(rows, product[rows], i))
        self.squared[rows] = nearest
        self.near[rows] = nearest / self.scale
        self.squared[i] = self.near[i] = 0.0

    def _distances(self, rows: Ints, left: Floats, i: int) -> Floats:
        """|x - x_i|^2 for these points; from the differences themselves where little of it is left
        and it matters.
        """
        x = self.x
        if len(rows) < MANY * len(x):
            right = np.take(x.right, rows, axis=0) @ x.right[i]
        else:
            right = (x.right @ x.right[i])[rows]
        scale = x.squares[rows] + x.squares[i]
        found = np.maximum(scale - 2 * self.unit * left * right.astype(np.float64), 0.0)
        close = np.flatnonzero((found < CLOSE * scale) & (self.squared[rows] > 0))
        found[close] = x.direct_distances(rows[close], i)
        return found
