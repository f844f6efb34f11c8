"""How fast are FI, the goal-oriented utilities and KNN-Shapley? One run, printed: `python -m
tests.benchmarks.influence`.

    FI-util     5,000 points, 785 parameters; beside it torch's automatic derivatives of 20 points,
                one by one, with the same Hessian
                factor and the same thin SVD, so that only the derivatives differ. Wanted: at least
                20 times faster.
    FI-active   the FI paper's MNIST setting: 480 labeled points, 420 in the pool, 256 dimensions
                and an intercept, 10 classes.
                Wanted: under 5 s on two cores, exactly; the paper's Table 7 has 19 s with two
                approximations (hardware not stated).
    GORAL       first-order utilities of 15,000 points under 26 labels (letter: 16 dimensions, 52
                labeled points). Wanted: under 0.5 s.
    KNN-Shapley 10,000 points, 100 validation points, 16 dimensions; seconds only.

Synthetic points; run it on a quiet machine. On a busy one the seconds of work, all cores together,
say more than the wall clock.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import psutil
import torch
from scipy.linalg import cho_factor, cho_solve

from core import softmax_head
from core.linalg.hessian import dense_hessian, open_head
from core.strategies.goal import goal_utility
from core.strategies.local_influence import fi_active, fi_util
from core.strategies.shapley import knn_shapley
from core.types import Embedded, Head


class Seconds(NamedTuple):
    """Wall-clock seconds, and the seconds that all cores together worked."""

    wall: float
    work: float

    def __str__(self) -> str:
        return f"{self.wall:.3f} s ({self.work:.3f} s of work)"


def timed(function: Callable[[], Any], repeats: int = 3) -> tuple[Seconds, Any]:
    """(seconds of the quickest call, its result)."""
    times = []
    for _ in range(repeats):
        wall, work = time.perf_counter(), time.process_time()
        result = function()
        times.append(Seconds(time.perf_counter() - wall, time.process_time() - work))
    return min(times), result


def clouds(n: int, d: int, c: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """n points around c centres in d dimensions, with their labels."""
    rng, labels = np.random.default_rng(seed), np.arange(n) % c
    centres = np.random.default_rng(99).normal(size=(c, d)) * 4 / np.sqrt(d)
    return (centres[labels] + rng.normal(size=(n, d)) / 2).astype(np.float32), labels


def by_autograd(
    head: Head, validation: Embedded, points: np.ndarray, labels: np.ndarray
) -> tuple[Seconds, np.ndarray]:
    """(seconds for all of them, FI-util) of these points with torch's derivatives of the loss and
    of log P. Two classes.
    """
    opened = open_head(head)
    factor = cho_factor(dense_hessian(opened, opened.penalty))
    rows = opened.design(validation.embedding)
    slope = opened.mean_gradient(
        rows, opened.residuals(opened.probabilities(rows), validation.labels)
    ).ravel()
    theta, basis = torch.tensor(opened.basis.T @ opened.theta), torch.tensor(opened.basis)

    def log_probs(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return torch.log_softmax(basis @ (t @ torch.cat([x, x.new_ones(1)])), dim=0)

    def score(x: torch.Tensor, label: int) -> float:
        mixed = torch.func.jacfwd(torch.func.grad(lambda t, x: -log_probs(x, t)[label]), argnums=1)(
            theta, x
        )
        shift = -cho_solve(factor, mixed.reshape(theta.numel(), -1).numpy()) / opened.n
        by_x, by_theta = torch.func.jacrev(log_probs, argnums=(0, 1))(x, theta)
        slopes = by_x.numpy() + by_theta.reshape(len(by_x), -1).numpy() @ shift
        _, values, vectors = np.linalg.svd(
            np.sqrt(log_probs(x, theta).exp().numpy())[:, None] * slopes, full_matrices=False
        )
        return float(((vectors[:1] @ (slope @ shift) / values[:1]) ** 2).sum())

    seconds, scores = timed(
        lambda: [
            score(torch.tensor(x, dtype=torch.float64), int(y))
            for x, y in zip(points, labels, strict=True)
        ],
        1,
    )
    return seconds, np.array(scores)


def trimming() -> None:
    """FI-util beside autograd."""
    x, y = clouds(5_000, 784, 2, 0)
    unseen = Embedded(*clouds(1_000, 784, 2, 1)[:1], labels=clouds(1_000, 784, 2, 1)[1])
    head = softmax_head.fit(x, y, l2=1e-2)
    seconds, scores = timed(lambda: fi_util(x, y, unseen, head))
    slower, slow = by_autograd(head, unseen, x[:20], y[:20])
    difference = np.abs(scores[:20] / slow - 1).max()
    print(f"FI-util, 5,000 points, 785 parameters: {seconds}; autograd {slower} for 20 points")
    wall, work = (5_000 / 20 * theirs / ours for theirs, ours in zip(slower, seconds, strict=True))
    print(
        f"  {wall:.0f} times faster ({work:.0f} by work), wanted at least 20; largest relative"
        f" difference {difference:.0e}"
    )


def active_learning() -> None:
    """FI-active in the paper's setting."""
    x, y = clouds(900, 256, 10, 2)
    labeled = np.arange(900) < 480
    head = softmax_head.fit(x[labeled], y[labeled], l2=1e-3)
    exact, scores = timed(lambda: fi_active(x, y, labeled, head))
    quick, factored = timed(lambda: fi_active(x, y, labeled, head, hessian="kfac", directions=10))
    agreement = np.corrcoef(
        np.argsort(np.argsort(scores[480:])), np.argsort(np.argsort(factored[480:]))
    )[0, 1]
    print(
        f"FI-active, 480 labeled, 420 in the pool, 2,313 parameters: exact {exact}, wanted"
        " under 5 s"
    )
    print(
        f"  with Kronecker factors and 10 directions {quick}; Spearman correlation with the exact"
        f" scores {agreement:.2f}"
    )


def utilities() -> None:
    """First-order utilities of a pool under every label."""
    x, y = clouds(15_000, 16, 26, 3)
    start, known = clouds(52, 16, 26, 4)
    unseen = Embedded(*clouds(1_500, 16, 26, 5)[:1], labels=clouds(1_500, 16, 26, 5)[1])
    head = softmax_head.fit(start, known, l2=1e-2)
    for goal in ("dev", "entropy", "fisher"):
        worst, _ = timed(lambda goal=goal: goal_utility(x, y, unseen, head, goal=goal, over="min"))
        print(
            f"GORAL, 15,000 points, goal {goal}, the minimum over 26 labels: {worst}, wanted under"
            " 0.5 s"
        )


def neighbours() -> None:
    """KNN-Shapley."""
    x, y = clouds(10_000, 16, 10, 6)
    unseen = Embedded(*clouds(100, 16, 10, 7)[:1], labels=clouds(100, 16, 10, 7)[1])
    seconds, _ = timed(lambda: knn_shapley(x, y, unseen))
    print(f"KNN-Shapley, 10,000 points, 100 validation points: {seconds}")


def main() -> None:
    """All four, one after the other."""
    machine = platform.processor() or platform.machine()
    print(f"{machine}, {psutil.cpu_count()} cores, load {psutil.getloadavg()[0]:.1f}")
    trimming()
    active_learning()
    utilities()
    neighbours()


if __name__ == "__main__":
    main()
