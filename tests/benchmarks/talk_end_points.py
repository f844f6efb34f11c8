"""Do the talk's accuracies come out under its own protocol? Printed from finished trainings:
`python -m tests.benchmarks.talk_end_points`.

Test accuracy of the talk's network after 15 epochs on k selected digits: published (one seed,
softmax applied twice, never shuffled), ours under the same protocol, and ours with shuffled batches
and the right loss. Ours: mean and range over the seeds that come with the app; what does not is
computed first with --compute (more than an hour on two cores).

Under the talk's protocol a seed can lose a whole class for good (softmax applied twice hardly lets
it come back), so accuracies fall into steps of about a tenth: the published figures are to be found
among the seeds' range, not at their mean.
"""

from __future__ import annotations

import sys

import numpy as np

from core import datasets
from core.experiments import presets, store
from core.experiments.retrain import outcomes
from core.experiments.retrain.outcomes import Grid
from core.experiments.retrain.plan import Retraining, parse_candidate

PUBLISHED = {1_000: (0.53, 0.63, 0.94), 10_000: (0.96, 0.89, 0.98), 50_000: (0.99, 0.99, 0.99)}
CANDIDATES = tuple(map(parse_candidate, ("top:raw", "top:cnn_regression", "random")))
NAMES = ("leverage", "network leverage", "random")


def finished(plan: Retraining, compute: bool) -> Grid:
    """The plan's outcomes as far as they are there, or after computing the rest."""
    if compute:
        from core.experiments import shipping

        shipping.finish(plan, print)
    data = datasets.load(plan.dataset)
    return outcomes.grid(plan, store.outcomes(plan, data.fingerprint), len(data.class_names))


def said(values: np.ndarray) -> str:
    """Mean, and the range over the finished seeds."""
    values = values[np.isfinite(values)]
    return (
        f"{values.mean():.2f} ({values.min():.2f}-{values.max():.2f}, {len(values)} seeds)"
        if len(values)
        else "not computed"
    )


def main() -> None:
    """Print the published accuracies beside ours."""
    compute = "--compute" in sys.argv
    wanted = {"candidates": " ".join(map(str, CANDIDATES)), "budgets": tuple(PUBLISHED)}
    talk, fair = (finished(plan.with_(**wanted), compute) for plan in (presets.TALK, presets.FAIR))
    print(
        f"{'k':>7}  {'selection':17} {'published':>9}  {'as in the talk':28} equal epochs,"
        " shuffled, right loss"
    )
    for k, published in PUBLISHED.items():
        for i, (name, value) in enumerate(zip(NAMES, published, strict=True)):
            b = talk.plan.budgets.index(k)
            print(
                f"{k:>7,}  {name:17} {value:>9.2f}  {said(talk.accuracy[i, b]):28}"
                f" {said(fair.accuracy[i, b])}"
            )


if __name__ == "__main__":
    main()
