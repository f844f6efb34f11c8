"""Farthest-first traversal: each new centre is the point farthest from all centres so far.

Its k centres leave no point farther than twice what the best k centres would (Gonzalez 1985). The
distance is Euclidean.

How: distances to a new centre come from a float32 product with the centred points, whose rounding
error is bounded for each point. One pass over the points takes the products with several of the
farthest, which are likely to be the next centres. The points that may be the farthest within that
bound, usually one, are measured again in float64 from the differences themselves, each against a
centre at most once. So the order is that of float64 arithmetic, and equal distances go to the first
point.
"""

from __future__ import annotations

import numpy as np

from core.linalg import row_blocks
from core.types import Floats, Ints

BLOCK = 2**22
AHEAD = 16


def farthest_first(embedding: np.ndarray, start: Ints, k: int) -> tuple[Ints, Floats]:
    """k centres beyond those in `start`, in order of choice, and each one's distance to the nearest
    centre when it was chosen.

    embedding: (n, d) finite. start: indices; if there are none, the point nearest to the mean comes
    first, and as no centre is there yet it is given the distance that it leaves: that of the
    farthest point from it. The distances never increase.
    """
    cover = Cover(embedding, start)
    indices = np.empty(k, np.int64)
    distances = np.empty(k)
    for j in range(k):
        i, squared = cover.farthest() if cover.centres else (cover.central, None)
        cover.add(i)
        indices[j] = i
        distances[j] = np.sqrt(cover.farthest()[1] if squared is None else squared)
    return indices, distances


class Cover:
    """Centres among points, and how far each point is from the nearest: `near` about, `exact` where
    it had to be known.

    `points` are centred and scaled to norm 1 at most, in float32, and so is `near`; `exact` is in
    the embedding's own unit, squared, and measured against the first `seen` centres. A centre's own
    exact distance is -1: it is never the farthest.
    """

    def __init__(self, embedding: np.ndarray, start: Ints):
        n, d = embedding.shape
        self.embedding = embedding
        self.points = np.empty((n, d), np.float32)
        self.squares = np.empty(n)
        self._centre_and_scale()
        self.centres: list[int] = []
        self.ahead: dict[int, Floats] = {}
        self.taken = np.zeros(n, bool)
        self.near = np.full(n, np.inf, np.float32)
        self.exact = np.full(n, np.inf)
        self.seen = np.zeros(n, np.int64)
        # A product errs by at most e (|x| + |c|)^2 with this e; as |c| <= |x| + distance, the
        # nearest distance by e (9 |x|^2 + 3 near).
        error = (d + 16) * float(np.finfo(np.float32).eps) / 2
        self.up = np.float32(1 + 3 * error)
        self.down = np.float32(1 - 3 * error)
        self.slack = np.float32(9 * error) * self.squares
        self.most = self.slack.max()
        rows = max(1, BLOCK // n)
        for first in range(0, len(start), rows):
            self._add_many(start[first : first + rows])

    def add(self, i: int) -> None:
        """One more centre."""
        if i not in self.ahead:
            self.ahead = self._look_ahead(i)
        np.minimum(self.near, self.ahead[i], out=self.near)
        self._take([i])

    def farthest(self) -> tuple[int, float]:
        """(the point farthest from its nearest centre, the first of equals; the squared distance).

        (0, 0.0) if all are centres.
        """
        top = int(np.argmax(self.near))
        sure = -np.inf if self.taken[top] else self.near[top] * self.down - self.slack[top]
        candidates = np.flatnonzero(self.near >= (sure - self.most) / self.up)
        candidates = candidates[self.near[candidates] * self.up + self.slack[candidates] >= sure]
        self._settle(candidates)
        i = int(candidates[np.argmax(self.exact[candidates])])
        return i, max(float(self.exact[i]), 0.0)

    def _look_ahead(self, i: int) -> dict[int, Floats]:
        """Distances of all points to i and to the points that are farthest now: most of these are
        centres soon.
        """
        soon = np.empty(0, np.int64)
        if self.centres:
            soon = np.argpartition(self.near, -min(AHEAD, len(self.near)))[-AHEAD:]
        soon = np.concatenate([[i], soon[soon != i][: AHEAD - 1]])
        products = self.points[soon] @ self.points.T
        products *= -2
        products += self.squares
        products += self.squares[soon, None]
        return dict(zip(soon.tolist(), products, strict=True))

    def _add_many(self, centres: Ints) -> None:
        products = self.points @ self.points[centres].T
        nearest = (self.squares[centres] - 2 * products).min(axis=1) + self.squares
        np.minimum(self.near, nearest, out=self.near)
        self._take(centres.tolist())

    def _take(self, centres: list[int]) -> None:
        self.centres += centres
        self.taken[centres] = True
        self.exact[centres] = -1.0

    def _settle(self, candidates: Ints) -> None:
        """Measure these points exactly against the centres that are new to them."""
        from scipy.spatial.distance import cdist  # in the function: menus do not need it

        waiting = self.exact[candidates] > 0
        behind = candidates[waiting & (self.seen[candidates] < len(self.centres))]
        if len(behind) == 0:
            return
        new = self.embedding[self.centres[self.seen[behind].min() :]]
        rows = max(1, BLOCK // len(new))
        for first in range(0, len(behind), rows):
            some = behind[first : first + rows]
            squared = cdist(self.embedding[some], new, "sqeuclidean").min(axis=1)
            self.exact[some] = np.minimum(self.exact[some], squared)
        self.seen[behind] = len(self.centres)

    def _centre_and_scale(self) -> None:
        mean = np.mean(self.embedding, axis=0, dtype=np.float64)
        starts = range(0, len(self.embedding), row_blocks.ROWS)
        parts = [slice(start, start + row_blocks.ROWS) for start in starts]
        for part in parts:
            centred = self.embedding[part] - mean
            self.squares[part] = np.einsum("ij,ij->i", centred, centred)
        longest = np.sqrt(self.squares.max()) or 1.0
        for part in parts:
            self.points[part] = (self.embedding[part] - mean) / longest
        self.central = int(np.argmin(self.squares))
        self.squares = (self.squares / longest**2).astype(np.float32)
