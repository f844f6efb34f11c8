"""How much faster than a scipy loop are the two Kendalls, and do they give the same numbers?

    python -m tests.benchmarks.agreement [--points 70000] [--rankings 17] [--repeat 3]

Seventeen rankings of 70,000 points (a shared component beside each one's own, taus of about 1/3),
all 136 pairs, in one run. Ours is the median of `--repeat` runs and includes the sorting; scipy's
loop is run once, since it lasts half a minute. Compilation (or loading the kept code) is a warm-up,
printed apart. Wanted: Kendall at least 2 times, weighted Kendall at least 10 times faster,
difference at most 1e-12.
"""

from __future__ import annotations

import argparse
import itertools
import os
import time
from collections.abc import Callable
from statistics import median

import numpy as np
from scipy import stats

from core import agreement

WANTED = (("kendall", stats.kendalltau, 2), ("weighted_kendall", stats.weightedtau, 10))


def rankings(m: int, n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=n) + rng.normal(size=(m, n))


def timed(function: Callable, *arguments) -> tuple[float, object]:
    start = time.perf_counter()
    value = function(*arguments)
    return time.perf_counter() - start, value


def scipy_matrix(measure: Callable, scores: np.ndarray) -> np.ndarray:
    matrix = np.eye(len(scores))
    for a, b in itertools.combinations(range(len(scores)), 2):
        matrix[a, b] = matrix[b, a] = measure(scores[a], scores[b]).statistic
    return matrix


def compare(name: str, reference: Callable, wanted: float, scores: np.ndarray, repeat: int) -> None:
    ours = getattr(agreement, name)
    seconds = [timed(ours, scores)[0] for _ in range(repeat)]
    theirs, expected = timed(scipy_matrix, reference, scores)
    ratio = theirs / median(seconds)
    difference = np.abs(ours(scores) - expected).max()
    verdict = "as wanted" if ratio >= wanted and difference <= 1e-12 else "NOT as wanted"
    runs = ", ".join(f"{second:.3f}" for second in seconds)
    print(
        f"{name:17s} ours {median(seconds):6.3f} s ({runs})   scipy {theirs:6.2f} s   {ratio:5.1f}"
        f" times (wanted {wanted})"
    )
    print(f"{'':17s} largest difference to scipy {difference:.1e} (wanted 1e-12): {verdict}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=70_000)
    parser.add_argument("--rankings", type=int, default=17)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    scores = rankings(given.rankings, given.points)
    pairs = given.rankings * (given.rankings - 1) // 2
    print(
        f"{given.rankings} rankings of {given.points:,} points, {pairs} pairs, {os.cpu_count()}"
        " processors"
    )
    print(
        "warm-up (compiling, or loading kept code):"
        f" {timed(agreement.weighted_kendall, scores[:2, :10])[0]:.2f} s"
    )
    for name, reference, wanted in WANTED:
        compare(name, reference, wanted, scores, given.repeat)


if __name__ == "__main__":
    main()
