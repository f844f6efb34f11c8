"""What does a fit to bought labels lose on raw MNIST? Printed from the runs that come with the app,
beside an independent measurement: `python -m tests.benchmarks.sampling`. With --large also the time
and memory of choosing 5,000 of 1,000,000 rows on disk.

Theirs: three draws each, loss on all 60,000 rows over the full fit's 23,460; one-hot labels; test
accuracy; how many of the 712 directions the sample has. What uniform draws lose hangs on single
draws: the mean of the logarithm is shown.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from core import datasets
from core.experiments import presets, store
from core.experiments.sampling import outcomes
from core.experiments.statistics import factor_estimate

# (loss ratio, accuracy, directions) at 1,000, 2,000, 5,000, 10,000 and 20,000 labels.
MEASURED = {
    "leverage": (
        (5.57, 0.573, 697),
        (1.57, 0.751, 710),
        (1.17, 0.818, 712),
        (1.08, 0.839, 712),
        (1.04, 0.845, 712),
    ),
    "top": (
        (3.36, 0.364, 712),
        (1.99, 0.479, 712),
        (1.67, 0.539, 712),
        (1.57, 0.586, 712),
        (1.41, 0.663, 712),
    ),
    "pivotal": (None, (1.48, None, None), (1.13, None, None), (1.05, None, None), None),
    "coins": (None, (1.50, None, None), (1.14, None, None), (1.05, None, None), None),
}
ROWS = 1_000_000
COLUMNS = 64


def printed() -> None:
    """The table."""
    plan = presets.MNIST_LABELS
    data = datasets.load("mnist")
    bought = outcomes.bought_of(plan, store.outcomes(plan, data.fingerprint))
    print(f"full fit: loss {bought.whole.loss:,.0f}, test accuracy {bought.whole.accuracy:.4f}")
    for i, rule in enumerate(plan.rules):
        ratio = factor_estimate(bought.ratio[i])
        for b, budget in enumerate(plan.budgets):
            theirs = MEASURED.get(rule, (None,) * 5)[b - 1] if b else None
            said = "" if theirs is None else f"   measured elsewhere: {theirs}"
            print(
                f"{rule:>10} {budget:>6,}  loss x {ratio.mean[b]:.4g}"
                f" ({ratio.low[b]:.4g} to {ratio.high[b]:.4g}),"
                f" accuracy {bought.accuracy[i, b].mean():.3f},"
                f" directions {bought.directions[i, b].mean():.0f}{said}"
            )


def large() -> None:
    """Choosing rows of a table on disk."""
    from core.large import buying, row_sources

    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npy"
        rows = np.lib.format.open_memmap(path, "w+", np.float32, (ROWS, COLUMNS))
        for start in range(0, ROWS, 10_000):
            rows[start : start + 10_000] = rng.standard_t(3, size=(10_000, COLUMNS))
        rows.flush()
        del rows
        table = row_sources.open_table(str(path))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for rule in buying.RULES:
            started = time.perf_counter()
            indices, _, rank = buying.choose(table, rule, 5_000, rng)
            took = time.perf_counter() - started
            more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
            print(f"{rule}: {len(indices):,} rows of rank {rank}, {took:.1f} s, {more:.0f} MB more")


if __name__ == "__main__":
    printed()
    if "--large" in sys.argv:
        large()
