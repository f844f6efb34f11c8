"""The candidates' states B_x and C_x, compiled: 128 candidates side by side make each small matrix
step a run of vector instructions.

The same as `core.linalg.a_optimal_design.Pool` to rounding, which says what is computed. Candidates
lie in tiles of LANES, the last axis runs over the candidates of a tile, and of the symmetric B and
C only the lower triangle is kept: entry (i, j), i >= j, at i (i + 1) / 2 + j. The products with the
embedding are float64 BLAS calls on a few thousand candidates at a time; what follows fits into the
cache. Importing this module imports numba; `core.linalg.a_optimal_design` does so only when it
computes on a CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numba
import numpy as np

from core.linalg.fisher_information import forms
from core.types import Floats

LANES = 128
CHUNK = 4096  # candidates per BLAS call, a multiple of LANES
TINY = 1e-300
# Asking numba itself would start its OpenMP threads, and torch would train with as many.
THREADS = numba.config.NUMBA_NUM_THREADS


class LanePool:
    """B_x and C_x of every candidate, on the CPU.

    rows (n, d), roots L (n, r, r), design: P and Q as they are now.
    """

    def __init__(self, rows: Floats, roots: Floats, design: Any):
        self.n = len(rows)
        self.r = roots.shape[1]
        count = -(-self.n // LANES)
        self.rows = np.zeros((count * LANES, rows.shape[1]))
        self.rows[: self.n] = rows
        self.roots = np.zeros((count, self.r, self.r, LANES))
        self._spread(self.roots, [roots])
        triangle = np.tril_indices(self.r)
        self.b, self.c = (np.zeros((count, len(triangle[0]), LANES)) for _ in "BC")
        for state, matrix in ((self.b, design.p), (self.c, design.q)):
            lower = (form[:, *triangle] for form in forms(rows, roots, matrix))
            self._spread(state, lower)
        self.products = np.empty(2 * self.r**2 * CHUNK)
        # Threads of our own: two callers in numba's parallel loops would end the process.
        self.threads = ThreadPoolExecutor(THREADS)

    def move(self, pair: np.ndarray, sign: int) -> None:
        """Follow a point that went in (sign 1) or out (-1); pair (D, 2 r) is what `Design.move`
        returned.
        """
        r = self.r
        d = self.rows.shape[1]
        turned = pair.reshape(r, d, 2, r).transpose(2, 0, 3, 1)
        weights = np.ascontiguousarray(turned).reshape(-1, d)
        for start in range(0, len(self.rows), CHUNK):
            rows = self.rows[start : start + CHUNK]
            products = self.products[: len(weights) * len(rows)].reshape(len(weights), len(rows))
            np.matmul(weights, rows.T, out=products)
            shaped = products.reshape(2, r, r, len(rows))
            first = start // LANES
            state = (shaped, self.roots, self.b, self.c, float(sign), first)
            self._share(_follow, len(rows) // LANES, state)

    def changes(self, sign: int) -> Floats:
        """tr(C_x (I + sign B_x)^-1) (n,)."""
        result = np.empty((len(self.b), LANES))
        self._share(_changes, len(self.b), (self.b, self.c, self.r, float(sign), result))
        return result.ravel()[: self.n]

    def _spread(self, target: np.ndarray, parts: Any) -> None:
        """Points first -> lanes last."""
        start = 0
        for part in parts:
            at = np.arange(start, start + len(part))
            target[(at // LANES, *[slice(None)] * (target.ndim - 2), at % LANES)] = part
            start += len(part)

    def _share(self, kernel: Callable, count: int, arguments: tuple) -> None:
        """The kernel over `count` tiles, a range for each thread."""
        cuts = np.linspace(0, count, THREADS + 1).astype(int)
        ranges = [(a, b) for a, b in pairwise(cuts) if b > a]
        jobs = [self.threads.submit(_run, kernel, *arguments, a, b) for a, b in ranges]
        for job in jobs:
            job.result()


def _run(kernel: Callable, *arguments: Any) -> None:
    try:
        kernel(*arguments)
    except OSError:  # compiled, but the cache folder took no copy; the copy in memory serves
        kernel(*arguments)


def _compiled(function: Callable) -> Callable:
    """Compiled on the first call, and kept on disk for the next process where a folder can be
    written. Multiply and add may fuse.
    """
    options = {"nogil": True, "fastmath": {"contract"}}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # numba finds no folder to keep it in
        return numba.njit(**options)(function)


@_compiled
def _follow(products, roots, b, c, sign, first, start, stop):
    """B -= sign G G^T, C -= sign (G H^T + H G^T) with G = L^T products[0], H = L^T products[1], for
    tiles start to stop of the products.
    """
    r = roots.shape[1]
    g = np.empty((r, r, LANES))
    h = np.empty((r, r, LANES))
    for tile in range(start, stop):
        root = roots[first + tile]
        lane = tile * LANES
        for i in range(r):
            for k in range(r):
                x = g[i, k]
                y = h[i, k]
                x[:] = 0
                y[:] = 0
                for a in range(r):
                    left = root[a, i]
                    u = products[0, a, k]
                    z = products[1, a, k]
                    for t in range(LANES):
                        x[t] += left[t] * u[lane + t]
                        y[t] += left[t] * z[lane + t]
        at = 0
        for i in range(r):
            for j in range(i + 1):
                x = b[first + tile, at]
                y = c[first + tile, at]
                for k in range(r):
                    gi = g[i, k]
                    gj = g[j, k]
                    hi = h[i, k]
                    hj = h[j, k]
                    for t in range(LANES):
                        x[t] -= sign * gi[t] * gj[t]
                        y[t] -= sign * (gi[t] * hj[t] + hi[t] * gj[t])
                at += 1


@_compiled
def _changes(b, c, r, sign, result, start, stop):
    """tr(C (I + sign B)^-1) by the Cholesky factor K of I + sign B: sum of C times K^-T K^-1."""
    k = np.empty((r, r, LANES))
    inverse = np.empty((r, r, LANES))
    for tile in range(start, stop):
        _cholesky(b[tile], sign, k)
        _invert(k, inverse)
        total = result[tile]
        at = 0
        total[:] = 0
        for i in range(r):
            for j in range(i + 1):
                weight = 1.0 if i == j else 2.0
                entry = c[tile, at]
                for m in range(i, r):
                    p = inverse[m, i]
                    q = inverse[m, j]
                    for t in range(LANES):
                        total[t] += weight * entry[t] * p[t] * q[t]
                at += 1


@_compiled
def _cholesky(b, sign, k):
    """K (r, r, LANES), lower, with K K^T = I + sign B; a pivot lost to rounding is kept just above
    zero.
    """
    r = len(k)
    at = 0
    for i in range(r):
        for j in range(i + 1):
            x = k[i, j]
            entry = b[at]
            for t in range(LANES):
                x[t] = sign * entry[t] + (1.0 if i == j else 0.0)
            for m in range(j):
                p = k[i, m]
                q = k[j, m]
                for t in range(LANES):
                    x[t] -= p[t] * q[t]
            pivot = k[j, j]
            for t in range(LANES):
                x[t] = np.sqrt(max(x[t], TINY)) if i == j else x[t] / pivot[t]
            at += 1


@_compiled
def _invert(k, inverse):
    """K^-1, lower, column by column."""
    r = len(k)
    for j in range(r):
        for i in range(j, r):
            x = inverse[i, j]
            pivot = k[i, i]
            x[:] = 1.0 if i == j else 0.0
            for m in range(j, i):
                p = k[i, m]
                q = inverse[m, j]
                for t in range(LANES):
                    x[t] -= p[t] * q[t]
            for t in range(LANES):
                x[t] /= pivot[t]
