"""What is a training point worth, averaged over all the teams of other points that it could join?

    s_i = mean over the orders of the points of v(those before i, and i) - v(those before i)

v(S) is how well a classifier trained on S does on the validation set, and the values sum to
v(all) - v(none). For nearest neighbours the average has a closed form; for a linear head it is
estimated from random orders.

Conventions: higher = picked first = worth more; values may be negative. Zero is no threshold of
harm: in KNN-Shapley every correct neighbour lifts all points behind it. Sources: Jia et al. 2019
(KNN-Shapley), Ghorbani and Zou 2019 (Data Shapley, truncated).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from core.linalg.batched_heads import fit_teams
from core.linalg.hessian import advance_scoring, open_head, point_blocks
from core.softmax_head import check_known_labels, check_points, log_softmax
from core.strategy import Knob, scorer
from core.types import Bools, Embedded, Floats, Head, Ints, UserError, check_matrix

# Data Shapley trains a head for each point of each order.
POINTS = 500
Neighbours = Annotated[
    int,
    Knob(
        "Neighbours",
        "How many nearest points vote on a validation point.",
        low=1,
        high=1_000,
        choices=(1, 3, 5, 10, 20),
    ),
]
Orders = Annotated[
    int,
    Knob(
        "Orders",
        "How many random orders of the points to average over.",
        low=1,
        high=1_000,
        choices=(1, 5, 10, 20, 50, 100),
    ),
]
Tolerance = Annotated[
    float,
    Knob(
        "Tolerance",
        "An order is cut where its value has come this close to that of all points, as a share of"
        " what all points add; 0 never cuts.",
        low=0.0,
        high=1.0,
        choices=(0.0, 0.01, 0.02, 0.05, 0.1),
    ),
]


@scorer("KNN-Shapley")
def knn_shapley(
    embedding: Floats, labels: Ints, validation: Embedded, *, neighbours: Neighbours = 5
) -> Floats:
    """The exact Shapley value when v(S) = mean over validation points of (their right ones among
    the K nearest points of S) / K.

    With the points sorted by distance from a validation point of class y:

        s_(n) = [y_(n) = y] / max(K, n)
        s_(i) = s_(i+1) + ([y_(i) = y] - [y_(i+1) = y]) / max(K, i)

    a cumulative sum from the far end; a team of fewer than K points still divides by K.
    embedding: (n, d), labels: (n,); Euclidean distances, equal ones in the order of the points.
    Returns (n,) float64 in [-1, 1], higher = picked first = worth more. UserError: validation
    points of another width or without labels. Source: Jia et al. 2019, Theorem 1; costs
    v n (d + log n).
    """
    embedding, labels, unseen, wanted = _neighbourhood(embedding, labels, validation)
    # About the points' centre, products lose fewer digits.
    centre = embedding.mean(axis=0, dtype=np.float64)
    n = len(labels)
    points = embedding - centre
    unseen = unseen - centre
    squares = (points**2).sum(axis=1)
    shares = 1.0 / np.maximum(neighbours, np.arange(1, n + 1))
    total = np.zeros(n)
    for block in point_blocks(len(unseen), 4 * n):
        # The validation point's own square moves all its distances alike.
        advance_scoring(block.start, len(unseen), "validation points")
        order = np.argsort(squares - 2 * unseen[block] @ points.T, axis=1, kind="stable")
        right = (labels[order] == wanted[block, None]).astype(np.float64)
        right[:, :-1] -= right[:, 1:]
        values = np.cumsum((right * shares)[:, ::-1], axis=1)[:, ::-1]
        total += np.bincount(order.ravel(), values.ravel(), minlength=n)
    return total / len(unseen)


@scorer("Data Shapley")
def data_shapley(
    embedding: Floats,
    labels: Ints,
    validation: Embedded,
    head: Head,
    *,
    orders: Orders = 10,
    tolerance: Tolerance = 0.02,
    rng: np.random.Generator,
) -> Floats:
    """The Shapley value for v(S) = mean validation log-likelihood of a linear head fitted on S,
    estimated from random orders.

    s_i = mean over orders of v(with i) - v(before i), cut where the rest of an order could add no
    more than the tolerance. With few points some classes are missing, so the intercept carries the
    penalty l2 of `head` here, and v(none) = -log c is the even guess. (n, d), (n,) -> (n,) float64
    in nats, higher = picked first = worth more; the values sum to v(all) - v(none) for tolerance 0.
    UserError: more than 500 points, a head without l2, points or labels that do not fit it. Source:
    Ghorbani and Zou 2019, Algorithm 1.
    """
    embedding = check_points(embedding, head)
    check_points(validation.embedding, head, "the validation set")
    labels = check_known_labels(labels, len(embedding), head)
    n = len(embedding)
    wanted = check_known_labels(validation.labels, len(validation), head, "validation labels")
    opened = open_head(head)
    if n > POINTS or not head.l2 > 0:
        raise UserError(
            f"Data Shapley: found {n:,} points and l2 = {head.l2:g}, expected at most {POINTS:,}"
            " points, since each joins a head in every order, and l2 above 0, since a head on a"
            " single point has no end without it."
        )
    rows = opened.design(embedding)
    unseen = opened.design(validation.embedding)
    game = _Game(rows, labels, np.full(rows.shape[1], head.l2), unseen, wanted, len(opened.theta))
    return game.shapley(np.array([rng.permutation(n) for _ in range(orders)]), tolerance)


@dataclass(frozen=True, eq=False)
class _Game:
    """v(S): the mean log-likelihood of unseen points under the head fitted on the rows of S.

    unseen (v, m), with labels `wanted` (v,).
    """

    rows: Floats
    labels: Ints
    penalty: Floats
    unseen: Floats
    wanted: Ints
    classes: int

    def shapley(self, orders: Ints, tolerance: float) -> Floats:
        """The mean over orders (k, n) of what each point adds to those before it.

        Orders within the tolerance of the end are dropped.
        """
        theta = np.zeros((len(orders), self.classes, self.rows.shape[1]))
        total = np.zeros(len(self.rows))
        nothing = self.values(theta[:1])[0]
        everything = self.values(self.heads(np.ones((1, len(self.rows)), bool), theta[:1]))[0]
        alive = np.arange(len(orders))
        teams = np.zeros(orders.shape, bool)
        before = np.full(len(orders), nothing)
        for place, joining in enumerate(orders.T):
            if not len(alive):
                break
            advance_scoring(place, orders.shape[1], "places of every order")
            teams[alive, joining[alive]] = True
            theta = self.heads(teams[alive], theta)
            after = self.values(theta)
            np.add.at(total, joining[alive], after - before)
            going = np.abs(everything - after) >= tolerance * abs(everything - nothing)
            alive = alive[going]
            theta = theta[going]
            before = after[going]
        return total / len(orders)

    def heads(self, teams: Bools, start: Floats) -> Floats:
        return fit_teams(self.rows, self.labels, teams, self.penalty, start)

    def values(self, theta: Floats) -> Floats:
        logs = log_softmax(np.matmul(self.unseen, theta.transpose(0, 2, 1)))
        return logs[:, np.arange(len(self.wanted)), self.wanted].mean(axis=1)


def _neighbourhood(
    embedding: Floats, labels: Ints, validation: Embedded
) -> tuple[Floats, Ints, Floats, Ints]:
    """(embedding, labels, validation points, their labels), checked to fit together."""
    embedding = check_matrix(embedding, "embedding")
    labels = np.asarray(labels)
    wanted = validation.labels
    if validation.embedding.shape[1] != embedding.shape[1]:
        raise UserError(
            f"The validation set has {validation.embedding.shape[1]} dimensions, the embedding"
            f" {embedding.shape[1]}. Embed both in the same way."
        )
    if (
        labels.shape != (len(embedding),)
        or wanted is None
        or np.shape(wanted) != (len(validation),)
    ):
        raise UserError(
            f"KNN-Shapley: expected one label for each of {len(embedding):,} points and"
            f" {len(validation):,} validation points."
        )
    if min(labels.min(), np.min(wanted)) < 0:
        raise UserError(
            "KNN-Shapley: found points without a label (-1). Leave unlabeled points out."
        )
    return embedding, labels, validation.embedding, np.asarray(wanted)
