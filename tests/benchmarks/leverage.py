"""How fast is exact leverage? One run, printed: `python -m tests.benchmarks.leverage`.

Compared with torch's float64 QR of the same matrix, and with the floor: one Gram product and one n
x d x r product at the rate that this machine reaches for them, on the same blocks, with nothing
around them. Wanted: at most 1.5 times the floor, faster than QR, at most 300 MB beyond the float32
embedding, and a ridge move of at most 50 ms. Each time is the best of several; run it on a quiet
machine.
"""

from __future__ import annotations

import platform
import threading
import time
from collections.abc import Callable

import numpy as np
import psutil
import torch

from core.datasets import load
from core.embeddings import embed
from core.linalg import row_blocks
from core.strategies.leverage import effective_rank, leverage


def best(function: Callable, repeats: int) -> float:
    """Seconds of the quickest of `repeats` calls."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        function()
        times.append(time.perf_counter() - started)
    return min(times)


def extra_memory(function: Callable) -> float:
    """MB by which the process grows at most while the function runs, sampled every 5 ms."""
    process, running = psutil.Process(), True
    before = peak = process.memory_info().rss

    def watch() -> None:
        nonlocal peak
        while running:
            peak = max(peak, process.memory_info().rss)
            time.sleep(0.005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        function()
    finally:
        running = False
        watcher.join()
    return (peak - before) / 2**20


def floor_seconds(n: int, d: int, r: int, repeats: int) -> float:
    """One Gram product and one product with (d, r), at the rate measured on one float64 block of
    this shape.
    """
    x = np.random.default_rng(0).normal(size=(row_blocks.ROWS, d))
    w = np.random.default_rng(1).normal(size=(d, r))
    x, w = row_blocks.place(x), row_blocks.place(w)
    rounds = 10
    return (n / row_blocks.ROWS / rounds) * (
        best(lambda: [x.T @ x for _ in range(rounds)], repeats)
        + best(lambda: [x @ w for _ in range(rounds)], repeats)
    )


def qr_seconds(x: np.ndarray) -> float:
    """torch's float64 QR of the same matrix."""
    matrix = torch.tensor(x, dtype=torch.float64)
    return best(lambda: torch.linalg.qr(matrix), 1 if x.shape[1] > 500 else 3)


def measure(name: str, x: np.ndarray) -> None:
    """Print one row of figures for the embedding x."""
    n, d = x.shape
    r = effective_rank(x)
    fresh = lambda: leverage(x.view())  # noqa: E731  a view is another array: nothing kept is reused
    fresh()
    ours, floor = best(fresh, 5), floor_seconds(n, d, r, 5)
    qr = qr_seconds(x)
    memory = extra_memory(fresh)
    leverage(x, ridge=1.0)
    move = best(lambda: leverage(x, ridge=2.0), 5)
    print(f"{name}: n = {n:,}, d = {d}, rank {r}")
    print(f"  exact leverage {ours:.3f} s = {ours / floor:.2f} times the floor ({floor:.3f} s)")
    print(f"  torch QR {qr:.2f} s = {qr / ours:.1f} times ours")
    print(f"  extra memory {memory:.0f} MB; a ridge move {move * 1e3:.1f} ms")


def main() -> None:
    """Both shapes of the figures in README.md, on the full MNIST."""
    machine = platform.processor() or platform.machine()
    print(
        f"{machine}, {psutil.cpu_count()} cores, {torch.get_num_threads()} threads, arithmetic on"
        f" {row_blocks.device()}"
    )
    mnist = load("mnist")
    measure("raw pixels", embed(mnist, "raw").embedding)
    measure("random projection", embed(mnist, "projection", k=200).embedding)


if __name__ == "__main__":
    main()
