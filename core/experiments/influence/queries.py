"""Rounds on a linear head: what does each strategy ask for; do goal and accuracy rise together?

    arrays, facts = run(data, embedding, strategy="oracle", goal="dev", batch=10, rounds=20, ...)

Strategies: random, entropy (the most uncertain points), and goal-oriented ones by what they take
the unknown label for: oracle, max, uniform, min, all by the paper's first-order utility; the batch
is the points of the highest utilities, which its Remark 2 justifies. The head is fitted anew to the
optimum in each round, with the same l2 beside the mean loss; the paper keeps scikit-learn's C
instead, which weakens the penalty as points are added. Source: Xu and Kazantsev 2019, Figures 1, 5,
6 and 8.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from core.experiments.influence.labeled_heads import draw, fitted, part, scaling, seen
from core.softmax_head import probabilities
from core.strategies.goal import GOALS, aim_of, goal_utility, open_pool
from core.strategies.uncertainty import entropy
from core.strategy import top_k
from core.types import Dataset, Embedded, Floats, Head, Ints, UserError

STRATEGIES = ("oracle", "max", "uniform", "min", "entropy", "random")
Progress = Callable[[float, str], None]


def run(
    data: Dataset,
    embedding: Floats,
    *,
    strategy: str,
    goal: str,
    batch: int,
    rounds: int,
    labeled: int,
    unlabeled: int,
    validation: int,
    l2: float,
    seed: int,
    progress: Progress | None = None,
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """One strategy with one seed through all rounds.

        labels, accuracy (rounds + 1,)   points labeled and test accuracy
        goals (rounds + 1, 3)            validation log-likelihood, and of the whole first pool
                                         minus the entropy and minus the Fisher information
        picks (rounds, batch), labeled (M,), pool (n,)
                                         dataset rows
        heads (rounds + 1, c, 3)         weights and intercept in the dataset's own coordinates, of
                                         points in the plane; otherwise (rounds + 1, c, 0)

    A UserError if the pool cannot feed all rounds.
    """
    if unlabeled < batch * rounds:
        raise UserError(
            f"Queries: found {unlabeled:,} points, but {rounds} batches of {batch} ask for"
            f" {batch * rounds:,}. Choose fewer."
        )
    report = progress or (lambda fraction, text: None)
    matrix = seen(data, embedding)
    names = ("labels", "accuracy", "goals", "heads")
    chosen = draw(data, labeled, unlabeled, validation, seed)
    rng = np.random.default_rng([seed, 5])
    unseen = part(data, matrix, chosen.validation)
    test = part(data, matrix, chosen.test)
    whole = matrix[chosen.pool].astype(np.float64)
    known = chosen.labeled
    left = chosen.pool
    record: dict[str, list] = {name: [] for name in names}
    picks = []
    theta = None
    for number in range(rounds + 1):
        report(number / (rounds + 1), f"{len(known):,} labels, round {number} of {rounds}")
        head = fitted(data, matrix, known, l2, theta)
        theta = np.column_stack([head.weights, head.intercepts])
        accuracy = (probabilities(test.embedding, head).argmax(axis=1) == test.labels).mean()
        state = (
            len(known),
            accuracy,
            values(whole, unseen, head),
            in_the_plane(data, embedding, head),
        )
        for name, value in zip(names, state, strict=True):
            record[name].append(value)
        if number < rounds:
            scores = scored(strategy, part(data, matrix, left), unseen, head, goal, rng)
            best = top_k(scores, batch).indices
            picks.append(left[best])
            known = np.append(known, left[best])
            left = np.delete(left, best)
    arrays = {name: np.array(each) for name, each in record.items()}
    picked = np.array(picks, np.int64).reshape(rounds, batch)
    return arrays | {"picks": picked, "labeled": chosen.labeled, "pool": chosen.pool}, {
        "strategy": strategy
    }


def scored(
    strategy: str,
    points: Embedded,
    validation: Embedded,
    head: Head,
    goal: str,
    rng: np.random.Generator,
) -> Floats:
    """What the strategy thinks of each point left in the pool, (n,): the highest are asked for."""
    if strategy == "random":
        return rng.random(len(points))
    if strategy == "entropy":
        return entropy(probabilities(points.embedding, head))
    return goal_utility(points.embedding, points.labels, validation, head, goal=goal, over=strategy)


def values(pool: Floats, validation: Embedded, head: Head) -> list[float]:
    """The three goals as they stand."""
    opened, rows = open_pool(pool, head)
    aims = [aim_of(opened, rows, validation, head, goal) for goal in GOALS]
    return [float(aim.value(aim.logits)) for aim in aims]


def in_the_plane(data: Dataset, embedding: Floats, head: Head) -> Floats:
    """The head of points in the plane as (c, 3): weights and intercept for the points as they are.

    (c, 0) for other points.
    """
    if embedding.shape[1] != 2:
        return np.empty((len(head.weights), 0))
    shift, scale = scaling(data, embedding)
    weights = head.weights / scale
    return np.column_stack([weights, head.intercepts - weights @ shift])


def asked_in_round(picks: Ints, pool: Ints) -> Ints:
    """The round in which each pool point was asked for, from 1; 0 for never. (n,)."""
    rounds = np.zeros(len(pool), np.int64)
    places = {int(row): i for i, row in enumerate(pool)}
    for number, batch in enumerate(picks, 1):
        rounds[[places[int(row)] for row in batch]] = number
    return rounds
