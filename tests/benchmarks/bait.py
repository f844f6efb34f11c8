"""How fast is BAIT, against the straightforward definition? One run, printed: `python -m
tests.benchmarks.bait`.

The definition computes V_x^T P V_x and V_x^T P F P V_x for every candidate anew at each pick, from
the n x c x (c d) gradients: two products with (c d, c d) matrices. Every pick costs it the same, so
two are timed and the 2k of the forward phase are counted at that rate; its gradients come a slice
at a time, to fit into memory, and what it does besides the products is left out. Wanted, on two
cores: at n = 20,000, d = 128, c = 10, k = 10 at least 100 times faster, with the same picks; n =
60,000, k = 100 in 90 s and 2 GB. BAIT computes on the GPU where there is one, and the lines say so.
Run it on a quiet machine.
"""

from __future__ import annotations

import platform
import threading
import time
from collections.abc import Callable

import numpy as np
import psutil
import torch

from core.linalg import row_blocks
from core.strategies.bait import bait

SLICE = 500


def problem(n: int, d: int, c: int) -> tuple[np.ndarray, np.ndarray]:
    """ReLU-like features and probabilities that are sharp for most points."""
    rng = np.random.default_rng(0)
    h = np.maximum(rng.normal(size=(n, d)) / np.sqrt(1 + np.arange(d)), 0).astype(np.float32)
    logits = 4 * h @ rng.normal(size=(d, c)).astype(np.float32)
    return h, torch.from_numpy(logits).softmax(-1).numpy()


def gradients(h: np.ndarray, p: np.ndarray) -> torch.Tensor:
    """V_x^T (m, c, c d) float64, as the definition has it."""
    h, p = torch.from_numpy(h).double(), torch.from_numpy(p).double()
    p = p / p.sum(1, keepdim=True)
    rows = p.sqrt()[:, :, None] * (torch.eye(p.shape[1], dtype=torch.float64) - p[:, None, :])
    return (rows[:, :, :, None] * h[:, None, None, :]).flatten(2)


def slices(h: np.ndarray, p: np.ndarray):
    """The gradients, a slice of points at a time."""
    for start in range(0, len(h), SLICE):
        yield gradients(h[start : start + SLICE], p[start : start + SLICE])


def definition(h: np.ndarray, p: np.ndarray, picks: int) -> tuple[list[int], float]:
    """The first picks with no labeled points and ridge 1, and the mean seconds of one."""
    size = h.shape[1] * p.shape[1]
    inverse, fisher = (
        torch.eye(size, dtype=torch.float64),
        torch.zeros(size, size, dtype=torch.float64),
    )
    for v in slices(h, p):
        flat = v.flatten(0, 1)
        fisher += flat.T @ flat / len(h)
    chosen, seconds = [], 0.0
    for _ in range(picks):
        middle, gains = inverse @ fisher @ inverse, []
        for v in slices(h, p):
            started = time.perf_counter()
            inner = torch.linalg.inv(
                torch.eye(v.shape[1], dtype=torch.float64) + (v @ inverse) @ v.mT
            )
            gains.append((((v @ middle) @ v.mT) * inner.mT).sum((1, 2)))
            seconds += time.perf_counter() - started
        gains = torch.cat(gains)
        gains[chosen] = -torch.inf
        chosen.append(int(gains.argmax()))
        v = gradients(h[chosen[-1:]], p[chosen[-1:]])[0]
        u = inverse @ v.T
        inverse = inverse - u @ torch.linalg.solve(
            torch.eye(len(v), dtype=torch.float64) + v @ u, u.T
        )
    return chosen, seconds / picks


def timed(function: Callable) -> tuple[object, float, float]:
    """The function's result, its seconds, and the largest memory of the process in GB meanwhile,
    sampled every 5 ms.
    """
    process, running, peak = psutil.Process(), True, 0

    def watch() -> None:
        nonlocal peak
        while running:
            peak = max(peak, process.memory_info().rss)
            time.sleep(0.005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    started = time.perf_counter()
    try:
        result = function()
    finally:
        seconds, running = time.perf_counter() - started, False
        watcher.join()
    return result, seconds, peak / 1e9


def main() -> None:
    """Both sizes, and the definition at the smaller one."""
    name = "GPU" if row_blocks.device() == "cuda" else "CPU"
    print(
        f"{platform.processor() or platform.machine()}, {psutil.cpu_count()} cores,"
        f" {torch.get_num_threads()} threads, BAIT on the {name}"
    )
    h, p = problem(20_000, 128, 10)
    bait(h[:500], p[:500], k=2)  # compiles
    (indices, _), ours, _ = timed(lambda: bait(h, p, k=10))
    (forward, _), ours_forward, _ = timed(lambda: bait(h, p, k=10, backward=False))
    picks, each = definition(h, p, 2)
    print("n = 20,000, d = 128, c = 10, k = 10, float64 both")
    print(f"  BAIT {ours:.2f} s in all: 20 in, 10 out, {name}; forward only {ours_forward:.2f} s")
    print(
        f"  definition, CPU: {each:.1f} s a pick, so {20 * each:.0f} s for 20 in:"
        f" {20 * each / ours:.0f} times ours, wanted 100"
    )
    print(
        f"  the definition's first picks {picks}, ours {forward[:2].tolist()}; {len(indices)}"
        " points stay"
    )
    h, p = problem(60_000, 128, 10)
    _, seconds, peak = timed(lambda: bait(h, p, k=100))
    print(
        f"n = 60,000, d = 128, c = 10, k = 100: 200 in, 100 out, {name} {seconds:.1f} s, wanted 90;"
        f" {peak:.2f} GB at most, wanted 2"
    )


if __name__ == "__main__":
    main()
