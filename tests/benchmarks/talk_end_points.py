"""Do the talk's accuracies come out? Printed from finished trainings, bundled networks and one
linear regression: `python -m tests.benchmarks.talk_end_points`.

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

from core import datasets, embeddings
from core.experiments import presets, store
from core.experiments.retrain import outcomes
from core.experiments.retrain.outcomes import Grid
from core.experiments.retrain.plan import Retraining, parse_candidate
from core.models import evaluation, shipped_networks
from core.types import Dataset

PUBLISHED = {1_000: (0.53, 0.63, 0.94), 10_000: (0.96, 0.89, 0.98), 50_000: (0.99, 0.99, 0.99)}
CANDIDATES = tuple(map(parse_candidate, ("top:raw", "top:cnn_regression", "random")))
NAMES = ("leverage", "network leverage", "random")


def finished(plan: Retraining, compute: bool) -> Grid:
    """The plan's outcomes as far as they are there, or after computing the rest."""
    if compute:
        from core.experiments import bundling

        bundling.finish(plan, print)
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


def one_hot_regression(data: Dataset) -> tuple[float, float, float]:
    """(training accuracy, test accuracy, sum of squared errors on the training digits) of the
    least-squares fit of one-hot labels on the pixels, without an intercept.
    """
    x = embeddings.embed(data, "raw").embedding.astype(np.float64)
    targets = np.eye(len(data.class_names))[data.labels]
    train = ~data.test
    weights = np.linalg.lstsq(x[train].T @ x[train], x[train].T @ targets[train], rcond=1e-12)[0]
    right = (x @ weights).argmax(axis=1) == data.labels
    errors = ((x[train] @ weights - targets[train]) ** 2).sum()
    return float(right[train].mean()), float(right[data.test].mean()), float(errors)


def accuracies(data: Dataset, objective: str) -> np.ndarray:
    """Of the five bundled networks that were trained for this objective: (5,)."""
    found = []
    for seed in shipped_networks.SEEDS:
        network = shipped_networks.load(
            shipped_networks.file(data.name, objective, seed),
            shipped_networks.description(data, objective, seed),
        )
        right = evaluation.evaluate(network, data.points[data.test], data.labels[data.test])
        found.append(right.accuracy)
    return np.array(found)


def beside_the_selections() -> None:
    """Print what the talk says of all 60,000 digits: its linear regression and its networks."""
    data = datasets.load("mnist")
    train, test, errors = one_hot_regression(data)
    print("one-hot linear regression: published .8519 (train), .8534 (test), squared error 23,460;")
    print(f"ours {train:.4f}, {test:.4f}, {errors:,.0f}")
    for name, objective, published in (
        ("classification", "cross_entropy", ".992"),
        ("regression", "smooth_l1", ".986"),
    ):
        ours = accuracies(data, objective)
        print(f"{name} networks: published {published}, ours {ours.min():.4f} to {ours.max():.4f}")


def main() -> None:
    """Print the published accuracies beside ours."""
    beside_the_selections()
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
