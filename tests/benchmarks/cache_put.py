"""How long does a `put` take when the cache holds many results, and what does a small one cost?

    python -m tests.benchmarks.cache_put [--most 50000] [--puts 100]

A result as a unit of an experiment leaves it (seven arrays, 3 kB), stored in a folder that already
holds so many. The others are written once and copied by link, without waiting for the disk. Median,
95th percentile and longest of the puts; the longest is the first, which looks at all of them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np

from core.runtime import cache, result_folders

PUTS = 100
SIZES = (0, 1_000, 10_000, 50_000)
ARRAYS = {
    **{name: np.arange(10) / 7 for name in ("epoch", "step", "loss", "accuracy")},
    "per_class": np.arange(100) / 7,
    "classes": np.arange(10),
    "chosen": np.arange(200),
}
FACTS = {"seconds": 1.5, "device": "cpu", "precision": "float32", "samples": 20_000}


def key_of(number: int) -> str:
    """A key for each number."""
    return cache.key("unit", {"n": number}, code="c", data="d")


def fill(held: int, most: int) -> None:
    """Let there be so many, by links to the first one's files."""
    if held == 0:
        cache.put(key_of(0), ARRAYS, FACTS)
    first = next(place for place in (cache.folder() / "unit").iterdir() if key_of(0) in place.name)
    for number in range(max(1, held), most):
        place = first.with_name(first.name.replace(key_of(0), key_of(number)))
        shutil.copytree(first, place, copy_function=os.link) if first.is_dir() else os.link(
            first, place
        )


def puts(begin: int, many: int) -> np.ndarray:
    """Milliseconds of each of so many."""
    took = []
    for number in range(begin, begin + many):
        start = time.perf_counter()
        cache.put(key_of(number), ARRAYS, FACTS)
        took.append(1e3 * (time.perf_counter() - start))
    return np.array(took)


def disk_bytes(place: Path) -> int:
    """What the disk gives for it."""
    files = [place, *place.iterdir()] if place.is_dir() else [place]
    return sum(one.stat().st_blocks * 512 for one in files)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=SIZES[-1])
    parser.add_argument("--puts", type=int, default=PUTS)
    most, number = vars(parser.parse_args()).values()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LEVERAGE_LAB_CACHE"] = folder
        held = 0
        print(f"{'held':>8} {'median':>9} {'p95':>9} {'longest':>9}  (ms)")
        for size in [size for size in SIZES if size <= most]:
            fill(held, size)
            getattr(result_folders, "_known", {}).clear()  # as in a process that begins
            took = puts(10_000_000 + size, number)
            held = max(size, 1)
            print(
                f"{size:8,} {np.median(took):9.2f} {np.quantile(took, 0.95):9.2f}"
                f" {took.max():9.2f}",
                flush=True,
            )
        held_bytes = sum(array.nbytes for array in ARRAYS.values())
        one = next(iter((cache.folder() / "unit").iterdir()))
        print(f"one result: {held_bytes:,} bytes of arrays, {disk_bytes(one):,} bytes on disk")


if __name__ == "__main__":
    main()
