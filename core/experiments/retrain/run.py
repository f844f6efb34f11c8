"""One training: a selection of the pool, a fresh network, its test accuracy as it learns.

    arrays, facts = train(data, scores, rule="top", budget=1000, network="talk_cnn", ...)

Protocols, all with Adam at a learning rate of 1e-3 and batches of 64:
    epochs   every selection is gone through equally often; shuffled, cross-entropy
    steps    every training takes equally many optimizer steps; shuffled, cross-entropy
    talk     as the talk's code had it: equal epochs, the selection in its own order (scores:
             highest first), never shuffled, and a cross-entropy that is fed softmax(outputs), so
             that softmax is applied twice

The seed draws the selection if its rule is random, the network's weights, and the order of the
batches: three streams of their own. Each training runs on one CPU thread, so that two at once use
two cores and the result depends on neither (a GPU is used if there is one).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from core.data.splits import split
from core.experiments.retrain import selections
from core.runtime.threads import one_thread
from core.types import Dataset, Floats, Ints, UserError

PROTOCOLS = {"epochs": "Equal epochs", "steps": "Equal steps", "talk": "As in the talk"}
AS_IN_THE_TALK = {"order": "as_given", "objective": "softmax_twice"}
CHECKPOINTS = 15
CURVE_POINTS = 2_000  # test points that a checkpoint looks at; the last one looks at all
SHOWN = 24


def train(
    data: Dataset,
    scores: Floats | None,
    *,
    rule: str,
    budget: int,
    network: str,
    protocol: str,
    length: int,
    seed: int,
    progress: Callable[[int, int, float], None] | None = None,
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Train a network on the rule's selection and test it on the way.

    scores: (pool size,), None for a rule without. length: epochs, or optimizer steps for the
    protocol "steps". Arrays: epoch (t,), step (t,), accuracy (t,) at the checkpoints, the last on
    all test points; loss () mean cross-entropy there; per_class (c,), NaN for a class without test
    points; classes (c,) points selected of each; chosen (at most 24,) dataset rows, first picked
    first. Facts: steps, seconds, samples_per_second of the training alone. UserError as in
    `selections.take`, and for a budget of 0.
    """
    from core.models import evaluation, networks, training
    from core.models.own_columns import scaling
    from core.models.recipe import Recipe

    pool, test = split(data)
    rows, weights = select(data, pool, scores, rule, budget, seed)
    if len(rows) == 0:
        raise UserError("Budget: found 0 points, expected at least 1 to train on.")
    fresh = networks.build(
        network,
        classes=len(data.class_names),
        shape=data.shape,
        seed=seed,
        **scaling(data.name, data.points, pool),
    )
    recipe = _recipe(protocol, length)
    total = Recipe(**recipe).total_steps(budget)
    checkpoints = _Checkpoints(data, test, -(-budget // 64), total)
    with one_thread():
        record = training.train(
            fresh,
            data.points[pool],
            data.labels[pool],
            seed=seed,
            subsets=[rows],
            weights=weights,
            on_epoch=checkpoints.visit,
            progress=progress,
            **recipe,
        )
        final = evaluation.evaluate(fresh, data.points[test], data.labels[test], precision="auto")
    checkpoints.add(len(record.losses), record.steps, final.accuracy)
    arrays = checkpoints.arrays() | {
        "loss": np.float64(final.loss),
        "per_class": final.per_class,
        "classes": np.bincount(data.labels[pool[rows]], minlength=len(data.class_names)),
        "chosen": pool[rows[:SHOWN]],
    }
    facts = {
        "steps": record.steps,
        "seconds": sum(record.seconds),
        "samples_per_second": record.samples_per_second,
    }
    return arrays, facts


def select(
    data: Dataset, pool: Ints, scores: Floats | None, rule: str, budget: int, seed: int
) -> tuple[Ints, Floats | None]:
    """Rows within the pool (budget,) in the rule's order, and the rule's loss weights.

    The weights are of all points of the pool; None for a rule without.
    """
    chosen = selections.find(rule)
    if chosen.scored and scores is None:
        raise UserError(
            f"{chosen.label}: found no scores. This rule ranks the points: give it a strategy."
        )
    rng = np.random.default_rng([seed, 1])
    rows = selections.take(chosen, scores, data.labels[pool], budget, rng)
    return rows, selections.weights(scores) if chosen.weighted else None


def _recipe(protocol: str, length: int) -> dict[str, Any]:
    if protocol not in PROTOCOLS:
        raise UserError(f"Protocol: found {protocol!r}, expected one of {', '.join(PROTOCOLS)}.")
    if protocol == "steps":
        return {"steps": length}
    return {"epochs": length} | (AS_IN_THE_TALK if protocol == "talk" else {})


class _Checkpoints:
    """Test accuracy at about 15 moments of a training, evenly spread over its passes.

    The last one is added by hand.
    """

    def __init__(self, data: Dataset, test: Ints, steps_per_pass: int, total: int):
        from core.data.splits import stratified_rows

        few = np.arange(len(test))
        if len(test) > CURVE_POINTS:
            few = stratified_rows(data.labels[test], CURVE_POINTS, 0)
        self.points = data.points[test[few]]
        self.labels = data.labels[test[few]]
        self.steps_per_pass = steps_per_pass
        self.passes = -(-total // steps_per_pass)
        self.rows: list[tuple[int, int, float]] = []

    def visit(self, epoch: int, network: Any) -> None:
        """After each pass."""
        from core.models import evaluation

        due = epoch * CHECKPOINTS // self.passes > (epoch - 1) * CHECKPOINTS // self.passes
        if due and epoch < self.passes:
            found = evaluation.evaluate(network, self.points, self.labels, precision="auto")
            self.add(epoch, epoch * self.steps_per_pass, found.accuracy)

    def add(self, epoch: int, step: int, accuracy: float) -> None:
        self.rows.append((epoch, step, accuracy))

    def arrays(self) -> dict[str, np.ndarray]:
        epoch, step, accuracy = zip(*self.rows, strict=True)
        return {
            "epoch": np.array(epoch, np.int64),
            "step": np.array(step, np.int64),
            "accuracy": np.array(accuracy),
        }
