"""One point more, or one less: what was predicted, and what retraining gives, for one seed.

    arrays, facts = compare(data, embedding, labeled=100, pool=150, validation=500, l2=0.01, seed=1)

The head is fitted to the labeled points. For every point of the pool under every label: the
first-order utility of the GORAL paper, ours by a Newton step, and the true one of the head fitted
anew, for all three goals. The same for batches of ten neighbours in the pool's order, under their
true labels. And for every labeled point what its absence would cost: by the influence function, by
a Newton step, and by retraining without it. Source: Xu and Kazantsev 2019, Figures 2 to 4; Koh and
Liang 2017 for the points left out.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.experiments.influence.labeled_heads import draw, fitted, part, seen
from core.linalg import batched_heads
from core.linalg.hessian import OpenHead
from core.linalg.newton_update import added_shifts, outside, rise_ratios
from core.softmax_head import probabilities
from core.strategies.goal import GOALS, Aim, aim_of, every_label, linear_terms, open_pool
from core.strategies.influence import influence_value, newton_influence
from core.types import Dataset, Embedded, Floats, Head, Ints

BATCH = 10
BATCHES = 100
Progress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class Problem:
    """A head with everything around it. known: labels of its points.

    rows (n, m), labels (n,): the pool. aims: one for each goal.
    """

    head: Head
    opened: OpenHead
    known: Ints
    rows: Floats
    labels: Ints
    validation: Embedded
    aims: list[Aim]

    def goals(self, shifts: Floats) -> Floats:
        """By how much heads T + shifts (..., c, m) raise the goals: (3, ...)."""
        return np.stack([aim.after(shifts) - aim.value(aim.logits) for aim in self.aims])


def compare(
    data: Dataset,
    embedding: Floats,
    *,
    labeled: int,
    pool: int,
    validation: int,
    l2: float,
    seed: int,
    progress: Progress | None = None,
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """All predictions and their truths for one seed. Utilities are by goal, point and label.

    labeled (M,), pool (n,)               dataset rows
    probs (n, c)                          of the pool
    linear, newton, retrained (3, n, c)   utilities of the pool's points
    constant (3,)                         first-order utility under the predictions, the same
                                          for all points (Remark 1)
    batch_linear, batch_newton, batch_retrained (3, g)
                                          of batches under their true labels
    outside (n, c), batch_outside (g,)    is the Newton step outside its range?
                                          (core/linalg/newton_update.py)
    removed_linear, removed_newton, removed_retrained (M,)
                                          rise of the mean validation loss without the point
    accuracy ()                           of the head on the test points
    before (3,)                           the goals
    """
    report = progress or (lambda fraction, text: None)
    matrix = seen(data, embedding)
    chosen = draw(data, labeled, pool, validation, seed)
    report(0.0, "Fitting the head")
    problem = problem_of(data, matrix, chosen.labeled, chosen.pool, chosen.validation, l2)
    known = problem.known
    probs = probabilities(matrix[chosen.test].astype(np.float64), problem.head)
    right = probs.argmax(axis=1) == data.labels[chosen.test]
    arrays = {"labeled": chosen.labeled, "pool": chosen.pool, "accuracy": np.float64(right.mean())}
    arrays |= {
        "before": np.array([aim.value(aim.logits) for aim in problem.aims]),
        "probs": problem.opened.probabilities(problem.rows),
    }
    arrays |= (
        added(problem, report)
        | batches(problem, report)
        | removed(problem, matrix[chosen.labeled].astype(np.float64), report)
    )
    return arrays, {"labeled": len(known), "pool": len(problem.rows), "dimensions": matrix.shape[1]}


def problem_of(
    data: Dataset, matrix: Floats, labeled: Ints, pool: Ints, validation: Ints, l2: float
) -> Problem:
    """The head fitted to the labeled rows, with its pool and its goals."""
    head = fitted(data, matrix, labeled, l2)
    unseen = part(data, matrix, validation)
    opened, rows = open_pool(matrix[pool].astype(np.float64), head)
    aims = [aim_of(opened, rows, unseen, head, goal) for goal in GOALS]
    return Problem(head, opened, data.labels[labeled], rows, data.labels[pool], unseen, aims)


def added(problem: Problem, report: Progress) -> dict[str, Floats]:
    """Pool points added under each label: linear, newton, retrained (3, n, c), constant (3,),
    outside (n, c).
    """
    opened = problem.opened
    rows = problem.rows
    c = len(problem.opened.theta)
    newton, retrained = (np.empty((len(GOALS), len(rows), c)) for _ in range(2))
    beyond = np.empty((len(rows), c), bool)
    tried = every_label(opened, len(rows))
    linear, constant = first_order(problem)
    numbers = 4 * c * max(aim.logits.size for aim in problem.aims)
    for block, shifts in added_shifts(
        opened, problem.known, 0.0, rows[:, None], tried[..., None], numbers
    ):
        moves = np.matmul(opened.basis, shifts)
        newton[:, block] = problem.goals(moves)
        beyond[block] = outside(rise_ratios(opened, shifts))
        for i, move in zip(range(block.start, block.stop), moves, strict=True):
            report(
                0.9 * i / len(rows),
                f"Retraining with point {i + 1:,} of {len(rows):,} under {c} labels",
            )
            heads = batched_heads.with_points(
                opened, problem.known, rows[i : i + 1], tried[i][:, None], opened.theta + move
            )
            retrained[:, i] = problem.goals(heads - opened.theta)
    return {
        "linear": linear,
        "newton": newton,
        "retrained": retrained,
        "constant": constant,
        "outside": beyond,
    }


def first_order(problem: Problem) -> tuple[Floats, Floats]:
    """The paper's utilities (3, n, c), and what they are under the predictions themselves (3,)."""
    linear = []
    constant = []
    for aim in problem.aims:
        probs, products, same = linear_terms(problem.opened, aim, problem.rows, 0.0)
        linear.append(same + (probs * products).sum(axis=1)[:, None] - products)
        constant.append(same)
    return np.array(linear), np.array(constant)


def batches(problem: Problem, report: Progress) -> dict[str, Floats]:
    """Windows of ten points of the pool under their true labels.

    batch_linear, batch_newton, batch_retrained (3, g), batch_outside (g,).
    """
    opened = problem.opened
    n = len(problem.rows)
    b = min(BATCH, n)
    starts = np.unique(np.linspace(0, n - b, min(BATCHES, n - b + 1)).astype(int))
    groups = starts[:, None] + np.arange(b)
    true = first_order(problem)[0][:, np.arange(n), problem.labels]
    newton, retrained = (np.empty((len(GOALS), len(starts))) for _ in range(2))
    beyond = np.empty(len(starts), bool)
    numbers = 4 * max(aim.logits.size for aim in problem.aims)
    steps = added_shifts(
        opened, problem.known, 0.0, problem.rows[groups], problem.labels[groups][:, None], numbers
    )
    for block, shifts in steps:
        moves = np.matmul(opened.basis, shifts[:, 0])
        newton[:, block] = problem.goals(moves)
        beyond[block] = outside(rise_ratios(opened, shifts))[:, 0]
        for i, move in zip(range(block.start, block.stop), moves, strict=True):
            report(0.9 + 0.08 * i / len(starts), f"Retraining with batch {i + 1} of {len(starts)}")
            points = problem.rows[groups[i]]
            labels = problem.labels[groups[i]][None]
            head = batched_heads.with_points(
                opened, problem.known, points, labels, (opened.theta + move)[None]
            )
            retrained[:, i] = problem.goals(head[0] - opened.theta)
    return {
        "batch_linear": true[:, groups].sum(axis=-1),
        "batch_newton": newton,
        "batch_retrained": retrained,
        "batch_outside": beyond,
    }


def removed(problem: Problem, points: Floats, report: Progress) -> dict[str, Floats]:
    """The rise of the mean validation loss without each labeled point.

    removed_linear, removed_newton, removed_retrained (M,).
    """
    retrained = np.empty(len(points))
    for block, heads in batched_heads.without_each(problem.opened, problem.known):
        report(0.98, f"Retraining without point {block.stop:,} of {len(points):,}")
        retrained[block] = -problem.goals(heads - problem.opened.theta)[GOALS.index("dev")]
    given = points, problem.known, problem.validation, problem.head
    return {
        "removed_linear": influence_value(*given),
        "removed_newton": newton_influence(*given),
        "removed_retrained": retrained,
    }


def speed(data: Dataset, embedding: Floats, labeled: int, l2: float) -> dict[str, float]:
    """Heads retrained per second on this problem, tried on two points; worker's memory in bytes."""
    import psutil

    matrix = seen(data, embedding)
    chosen = draw(data, labeled, 2, 2, 1)
    problem = problem_of(data, matrix, chosen.labeled, chosen.pool, chosen.validation, l2)
    started = time.perf_counter()
    added(problem, lambda fraction, text: None)
    seconds = time.perf_counter() - started
    memory = float(psutil.Process(os.getpid()).memory_info().rss)
    return {
        "rate": 2 * len(problem.opened.theta) / seconds,
        "memory": memory,
        "weights": float(problem.opened.theta.size),
    }
