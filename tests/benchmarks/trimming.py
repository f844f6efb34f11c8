"""Does trimming do what the FI paper says? One run, printed: `python -m tests.benchmarks.trimming
[gaussians crescents adult mnist]`.

    gaussians   Table 1: in how many of 30 datasets FI-util leaves the better logistic regression,
                the paper's counts beside ours, under
                every setting searched: distance of the centres, penalty, intercept, validation
                points. Wanted: 23, 28, 30.
    crescents   Table 2: the same of 20 datasets for a network of two hidden layers. Wanted: 17, 17,
                15.
    adult       Figure 2: test accuracy against points removed on a sample of Adult. The paper has
                curves and no numbers: FI above IV
                above random.
    mnist       planted label flips: AUC, precision and accuracy of every method. Wanted: all but
                leverage and random above 0.5.

The influence value is counted twice: as it is defined (harmful points first), and with its sign
turned (helpful ones first), under which the paper's counts nearly appear.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from core import datasets
from core.data import simulated
from core.experiments import presets, statistics
from core.experiments.trim import outcomes
from core.experiments.trim import plan as trim
from core.experiments.trim.fi_simulations import (
    BUDGETS,
    CRESCENTS,
    GAUSSIANS,
    METHODS,
    Logistic,
    TwoLayers,
    World,
    better,
    trial,
)
from core.experiments.trim.run import METHODS as RANKERS
from core.experiments.trim.run import run
from core.runtime.threads import one_thread

DISTANCES, PENALTIES = (3.0, 3.4, 3.6, 3.8), (1e-4, 1e-3, 1 / 150, 1e-2, 1e-1)
NOISES, DAMPINGS = (0.25, 0.3, 0.35), (1e-3, 1e-2, 1e-1)


def simulation(world: World, varied: list[tuple[str, World]]) -> None:
    """The paper's table beside ours, then the counts under every setting searched."""
    wanted = ", ".join(str(world.paper[b][0]) for b in BUDGETS)
    print(
        f"{world.title}: FI better in so many of {world.seeds} datasets,"
        f" {', '.join(map(str, BUDGETS))} points removed; the paper: {wanted}"
    )
    accuracy = accuracies(world)
    print(f"  ours ({world.settings}): {counts(accuracy)}")
    for b, j in zip(BUDGETS, range(1, 4), strict=True):
        _, fi, iv = world.paper[b]
        said = "  ".join(
            f"{label} {cell(accuracy[:, i, j])}" for i, label in enumerate(METHODS.values())
        )
        print(
            f"  {b:3d} removed: paper FI {'-' if fi is None else f'{100 * fi:.2f}'} IV"
            f" {100 * iv:.2f};  ours {said}"
        )
    for settings, other in varied:
        print(f"  searched {settings}: {counts(accuracies(other))}", flush=True)


def accuracies(world: World) -> np.ndarray:
    """(s, m, b + 1) of all seeds."""
    with one_thread():
        return np.array([trial(world, seed)["accuracy"] for seed in range(1, world.seeds + 1)])


def counts(accuracy: np.ndarray) -> str:
    """FI against both signs of the influence value, and the mean accuracies of the three."""
    mean = 100 * accuracy.mean(axis=0)
    said = [
        f"{name} {', '.join(f'{value:.2f}' for value in mean[i, 1:])}"
        for i, name in enumerate(list(METHODS)[:3])
    ]
    each = [", ".join(map(str, better(accuracy, rival))) for rival in ("iv", "turned")]
    return (
        f"as defined {each[0]}, sign turned {each[1]} (before {mean[0, 0]:.2f}; {'; '.join(said)})"
    )


def cell(values: np.ndarray) -> str:
    """Mean and standard deviation in per cent, as the paper prints them."""
    return f"{100 * values.mean():.2f} ± {100 * values.std(ddof=1):.2f}"


def gaussians() -> None:
    """Table 1."""
    varied = [
        (
            f"distance {distance}, l2 {l2:.4f}{'' if intercept else ', no intercept'}",
            gaussian(distance, l2, intercept),
        )
        for distance in DISTANCES
        for l2 in PENALTIES
        for intercept in (True, False)
    ]
    varied += [
        (f"{v} validation points", replace(GAUSSIANS, sizes=(150, v, 600))) for v in (50, 200, 600)
    ]
    simulation(GAUSSIANS, varied)


def gaussian(distance: float, l2: float, intercept: bool) -> World:
    """Table 1's world with these settings."""
    draw, model = (
        partial(simulated.two_gaussians, distance=distance),
        partial(Logistic, l2=l2, intercept=intercept),
    )
    return replace(GAUSSIANS, draw=draw, model=model)


def crescents() -> None:
    """Table 2."""
    varied = [
        (f"noise {noise}", replace(CRESCENTS, draw=partial(simulated.two_crescents, noise=noise)))
        for noise in NOISES
        if noise != 0.3
    ]
    varied += [
        (f"damping {d:g}", replace(CRESCENTS, model=partial(TwoLayers, damping=d)))
        for d in DAMPINGS
        if d != 0.01
    ]
    varied += [("1,000 steps", replace(CRESCENTS, model=partial(TwoLayers, steps=1000)))]
    simulation(CRESCENTS, varied)


def experiment(plan: trim.Trim) -> None:
    """Accuracy, and if something is planted AUC and precision, of every method: means and 95%
    intervals over seeds.
    """
    data = datasets.load(plan.dataset, n=plan.n, seed=plan.subset)
    plan.check(data)
    found = {unit: run(data, unit.method, unit.setting, unit.seed)[0] for unit in plan.units()}
    trimmed = outcomes.trimmed_of(plan, found, len(data.class_names))
    accuracy = statistics.share_estimate(trimmed.accuracy)
    auc = statistics.share_estimate(trimmed.auc)
    compared = outcomes.versus(trimmed, "random", statistics.MARGIN)
    print(
        f"{plan.title()}: accuracy in per cent with {', '.join(map(str, trimmed.budgets))} points"
        " removed"
    )
    for i, method in enumerate(plan.methods):
        curve = ", ".join(f"{100 * value:.1f}" for value in accuracy.mean[i])
        print(f"  {RANKERS[method].label:16s} {curve}", end="")
        if method in compared:
            last = compared[method].outcomes[-1]
            print(
                f"; against random {100 * last.mean:+.1f} [{100 * last.low:+.1f},"
                f" {100 * last.high:+.1f}], {last.outcome}",
                end="",
            )
        if plan.planted != "none":
            precision = ", ".join(
                f"{value:.2f}" for value in statistics.estimate(trimmed.precision).mean[i]
            )
            print(
                f"; AUC {auc.mean[i]:.3f} [{auc.low[i]:.3f}, {auc.high[i]:.3f}], precision"
                f" {precision}",
                end="",
            )
        print(flush=True)


PARTS: dict[str, Callable[[], None]] = {
    "gaussians": gaussians,
    "crescents": crescents,
    "adult": lambda: experiment(presets.ADULT),
    "mnist": lambda: experiment(presets.TRIM),
}


def main(names: list[str]) -> None:
    """The parts asked for, or all of them."""
    for name in names or PARTS:
        PARTS[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
