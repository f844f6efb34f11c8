"""When has a round learned its labels? A fresh network, trained until 99% of them are right.

    learned = train(network, points, labels, rule, seed, objective, said)

The cap is on the optimizer's steps, not on the passes: in batches of 64 twenty labels get one step
a pass and two thousand get 32, so a cap on passes ends the first rounds before they have learned
anything, and those of hard labels unequally often.

Steps to 99% with an MLP of 128 hidden units at random labels (three seeds, slowest): MNIST 8 with
20 labels, 24 with 100, 320 with 2,000; letter 89 with 20, 322 with 100, 5,760 with 1,000, 11,552
with 2,000, 17,680 with 3,300; at labels that BADGE picked on letter up to 8,430 with 900 and 15,040
with 2,000 (two seeds). The default is twice that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.types import Ints

ENOUGH = 0.99
STEPS = 30_000  # by default at most
BATCH = 64
RATE = 1e-3


@dataclass(frozen=True)
class StopRule:
    """until: "accuracy" (99% of the labels are right, or so many steps) or "epochs" (so many)."""

    until: str
    epochs: int
    steps: int


@dataclass(frozen=True)
class Training:
    """What came of one: passes and steps, and whether 99% of the labels are right."""

    passes: int
    steps: int
    reached: bool


def train(
    network: Any,
    points: np.ndarray,
    labels: Ints,
    rule: StopRule,
    *,
    seed: int,
    objective: str,
    said: Callable[[float], None],
) -> Training:
    """Train the network in place, by Adam; said(fraction) hears how much of the bound is used."""
    from core.models import evaluation, training

    by_passes = rule.until == "epochs"
    a_pass = -(-len(points) // BATCH)
    reached = False

    def after_pass(epoch: int, trained: Any) -> None:
        nonlocal reached
        said(min(1.0, epoch / rule.epochs if by_passes else epoch * a_pass / rule.steps))
        if not by_passes or epoch == rule.epochs:
            reached = evaluation.evaluate(trained, points, labels).accuracy >= ENOUGH

    length = {"epochs": rule.epochs} if by_passes else {"steps": rule.steps}
    record = training.train(
        network,
        points,
        labels,
        seed=seed,
        batch_size=BATCH,
        learning_rate=RATE,
        objective=objective,
        on_epoch=after_pass,
        stop=lambda: reached,
        **length,
    )
    return Training(len(record.losses), record.steps, reached)
