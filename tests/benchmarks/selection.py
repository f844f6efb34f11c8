"""How fast are BADGE, CORESET and the volume batches? One run, printed: `python -m
tests.benchmarks.selection`.

BADGE: 50,000 points, 128 dimensions, 10 classes, 100 picks, against the factored NumPy program of
the authors, which builds its distribution anew for every pick (scipy's rv_discrete). Wanted: at
least 8 times faster. CORESET: the same points, against a Python loop over the points that keeps
each one's distance; wanted: at least 10 times faster, and no slower than scikit-activeml where that
is installed (`pip install scikit-activeml`; nothing else here needs it). CORESET must pick the same
points, BADGE points that leave as much. k-DPP and log-det are timed for 100 picks of 10,000 points,
without a wanted figure. Each time is the best of --repeat runs, ours and theirs in turns; run it on
a quiet machine.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

import numpy as np
from scipy import stats
from scipy.spatial.distance import cdist

from core.linalg.outer_products import gradients
from core.linalg.probabilities import predicted_residuals
from core.softmax_head import softmax
from core.strategies.badge import badge
from core.strategies.coreset import k_center
from core.strategies.dpp import k_dpp, log_det

WANTED = {"BADGE": 8, "CORESET": 10, "scikit-activeml": 1}


def world(n: int, d: int, c: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A ReLU-like embedding with clusters, float32, and probabilities that are sure of most
    points.
    """
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(c, d))
    h = np.maximum(centres[rng.integers(0, c, n)] + rng.normal(size=(n, d)), 0).astype(np.float32)
    return h, softmax(h @ centres.T.astype(np.float32) / 10).astype(np.float32)


def rebuilt(h: np.ndarray, probs: np.ndarray, k: int, seed: int) -> np.ndarray:
    """BADGE step by step as the authors' program: factored distances, rooted, squared, summed by
    Python's sum, a new rv_discrete each.
    """
    rng, q = np.random.default_rng(seed), predicted_residuals(probs).astype(h.dtype)
    squares = (q**2).sum(axis=1) * (h**2).sum(axis=1)
    picks, near = [int(np.argmax(squares))], np.full(len(h), np.inf)
    while len(picks) < k:
        c = picks[-1]
        squared = squares + squares[c] - 2 * (q @ q[c]) * (h @ h[c])
        near = np.minimum(near, np.sqrt(np.clip(squared, 0, None)).astype(float))
        near[picks] = 0
        chances = near**2 / sum(near**2)
        picks.append(
            int(stats.rv_discrete(values=(np.arange(len(h)), chances)).rvs(random_state=rng))
        )
    return np.array(picks)


def left(h: np.ndarray, probs: np.ndarray, picks: np.ndarray) -> float:
    """The summed squared distances of all gradients to the nearest of these points: equal but for
    chance if both draw alike.
    """
    x = gradients(h, probs, exact=True)
    return float(
        np.min(
            [np.maximum(x.squares + x.squares[i] - 2 * x.dot(i), 0) for i in picks], axis=0
        ).sum()
    )


def looped(h: np.ndarray, start: int, k: int) -> np.ndarray:
    """Farthest first with a loop over the points at every pick, as published active-learning
    programs have it.
    """
    near, picks = np.full(len(h), np.inf), [start]
    while len(picks) < k:
        distances = cdist(h, h[picks[-1:]])
        for i in range(len(h)):
            near[i] = min(near[i], distances[i, 0])
        picks.append(int(np.argmax(near)))
    return np.array(picks)


def activeml(h: np.ndarray, start: int, k: int) -> Callable | None:
    """scikit-activeml's CoreSet from the same first point; None where it is not installed."""
    try:
        from skactiveml.pool import CoreSet
    except ImportError:
        return None
    labels = np.full(len(h), np.nan)
    labels[start] = 0
    return lambda: np.concatenate(
        [[start], CoreSet(random_state=0).query(h, labels, batch_size=k - 1)]
    )


def race(
    ours: Callable, theirs: Callable, repeats: int
) -> tuple[float, float, np.ndarray, np.ndarray]:
    """(seconds of our quickest call, of theirs, our points, theirs), the two in turns."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        mine = ours()[0]
        between = time.perf_counter()
        other = theirs()
        times.append((between - started, time.perf_counter() - between))
    return *np.min(times, axis=0), mine, other


def told(name: str, ours: float, theirs: float, label: str, note: str) -> None:
    ratio, wanted = theirs / ours, WANTED[name]
    print(
        f"{name:16s} ours {ours:7.3f} s   {label} {theirs:7.3f} s   {ratio:6.1f} times (wanted"
        f" {wanted}): ",
        end="",
    )
    print("as wanted" if ratio >= wanted else "NOT as wanted", f"  {note}")


def main() -> None:
    """Print measured beside wanted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=50_000)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    n, d, c, k = given.points, 128, 10, 100
    h, probs = world(n, d, c)
    print(
        f"{n:,} points, {d} dimensions, {c} classes, {k} picks;"
        f" {os.environ.get('OMP_NUM_THREADS', 'all')} threads"
    )

    seconds, theirs, picks, other = race(
        lambda: badge(h, probs, k=k, rng=np.random.default_rng(0)),
        lambda: rebuilt(h, probs, k, 0),
        given.repeat,
    )
    note = f"sum of D^2 left: {left(h, probs, picks):.4g} and {left(h, probs, other):.4g}"
    told("BADGE", seconds, theirs, "rebuilt distribution", note)

    start = int(k_center(h, k=1)[0][0])
    seconds, theirs, picks, other = race(
        lambda: k_center(h, k=k), lambda: looped(h, start, k), given.repeat
    )
    told(
        "CORESET",
        seconds,
        theirs,
        "loop over points",
        f"same points: {(picks == other).sum()} of {k}",
    )
    if reference := activeml(h, start, k):
        seconds, theirs, picks, other = race(lambda: k_center(h, k=k), reference, given.repeat)
        told(
            "scikit-activeml",
            seconds,
            theirs,
            "its CoreSet",
            f"same points: {(picks == other).sum()} of {k}",
        )
    else:
        print(
            "scikit-activeml  not installed: `pip install scikit-activeml` to compare CORESET"
            " with it"
        )

    h, probs = h[:10_000], probs[:10_000]
    for name, run in {
        "k-DPP": lambda: k_dpp(h, probs, k=k, rng=np.random.default_rng(0)),
        "log-det": lambda: log_det(h, probs, k=k),
        "log-det, all labels": lambda: log_det(h, probs, k=k, all_labels=True),
    }.items():
        started = time.perf_counter()
        run()
        print(f"{name:20s} {time.perf_counter() - started:7.3f} s for {len(h):,} points")


if __name__ == "__main__":
    main()
