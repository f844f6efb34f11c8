"""Passes over the rows of an embedding in blocks: float64, constant extra memory, on the GPU when
there is one.

The rows are an array, or anything else that has a shape and hands out its rows in blocks, such as a
file (core/large/row_sources.py). A block is a NumPy array on the CPU and a torch tensor on the GPU;
both understand `x.T @ x`, `x @ w` and `(x * x).sum(1)`, so a formula is written once. On the CPU
NumPy's `x.T @ x` computes one triangle only (BLAS syrk): half the work of a product. Apple's GPUs
have no float64, so only CUDA counts as a GPU here.
"""

from __future__ import annotations

import ctypes
import functools
import sys
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from core.types import Ints

ROWS = 4096
# Without a driver there is no GPU, and that costs nothing to find out; importing torch costs half a
# gigabyte.
DRIVERS = ("libcuda.so.1", "nvcuda.dll")
AMD_DRIVER = Path("/dev/kfd")


class Rows(Protocol):
    """A table (n, d) that need not be in memory."""

    shape: tuple[int, int]
    dtype: np.dtype

    def __len__(self) -> int: ...

    def blocks(self, rows: int) -> Iterator[np.ndarray]:
        """The rows in order, `rows` at a time, fewer at the end."""
        ...


Table = np.ndarray | Rows


def device() -> str:
    """The name of the place where the arithmetic happens: "cuda" if this machine has such a GPU,
    else "cpu".
    """
    if "torch" not in sys.modules and not _driver():
        return "cpu"
    import torch  # in the functions: a web process that only draws menus must not pay for it

    return "cuda" if torch.cuda.is_available() else "cpu"


@functools.cache
def _driver() -> bool:
    return any(map(_loads, DRIVERS)) or AMD_DRIVER.exists()


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def slices(matrix: Table, rows: int = ROWS) -> Iterator[np.ndarray]:
    """The rows of `matrix` (n, d) as they are, `rows` at a time."""
    if isinstance(matrix, np.ndarray):
        return (matrix[start : start + rows] for start in range(0, len(matrix), rows))
    return matrix.blocks(rows)


def blocks(matrix: Table, dtype: Any = np.float64, rows: int = ROWS) -> Iterator[Any]:
    """The rows of `matrix` (n, d), `rows` at a time, as arrays of `dtype` where the arithmetic
    happens.
    """
    for block in slices(matrix, rows):
        yield place(block.astype(dtype))


def place(array: np.ndarray) -> Any:
    """`array` where the arithmetic happens."""
    if device() == "cpu":
        return array
    import torch

    return torch.from_numpy(np.ascontiguousarray(array)).cuda()


def fetch(array: Any) -> np.ndarray:
    """A block's result as a NumPy array."""
    return array if isinstance(array, np.ndarray) else array.cpu().numpy()


def gram(matrix: Table, weights: np.ndarray | None = None) -> np.ndarray:
    """X^T X (d, d) in float64, or (X W)^T (X W) with weights W (d, r)."""
    weights = None if weights is None else place(weights)
    total: Any = 0.0
    for x in blocks(matrix):
        y = x if weights is None else x @ weights
        total = total + y.T @ y
    return fetch(total)


def triangle(matrix: Table, weights: np.ndarray | None = None) -> np.ndarray:
    """R (d, d) in float64 with R^T R = X^T X, or (X W)^T (X W): by Householder's QR of the blocks.

    Singular values of R are those of X, to the precision of its numbers and not of their squares.
    """
    found = np.zeros((0, matrix.shape[1] if weights is None else weights.shape[1]))
    for x in slices(matrix):
        y = x.astype(np.float64) if weights is None else x @ weights
        found = join(found, y)
    return found


def join(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The triangle of the rows of both (a, d) and (b, d)."""
    return np.linalg.qr(np.vstack([first, second]), mode="r")


def largest(matrix: Table) -> np.ndarray:
    """max_i |x_ij| (d,) of each column, float64."""
    found = np.zeros(matrix.shape[1])
    for x in slices(matrix):
        found = np.maximum(found, np.abs(x.astype(np.float64)).max(axis=0))
    return found


def squared_norms(matrix: Table, weights: np.ndarray) -> np.ndarray:
    """|x_i W|^2 (n,) in float64 for weights W (d, r)."""
    weights = place(weights)
    norms = np.empty(len(matrix))
    start = 0
    for x in blocks(matrix):
        y = x @ weights
        y *= y
        norms[start : start + len(x)] = fetch(y.sum(1))
        start += len(x)
    return norms


def product(
    matrix: Table, weights: np.ndarray, finish: Callable = lambda y: y, dtype: Any = np.float32
) -> np.ndarray:
    """finish(X W) (n, r) as `dtype`, computed in `dtype`; `finish` acts on each block and must
    understand both kinds of array.
    """
    result = np.empty((len(matrix), weights.shape[1]), dtype)
    placed = place(weights.astype(dtype))
    start = 0
    for x in blocks(matrix, dtype):
        result[start : start + len(x)] = fetch(finish(x @ placed))
        start += len(x)
    return result


def not_finite(matrix: Table) -> Ints:
    """The numbers of the rows that hold NaN or infinity, in order."""
    found = []
    start = 0
    for x in slices(matrix):
        found.append(start + np.flatnonzero(~np.isfinite(x).all(axis=1)))
        start += len(x)
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def keep_last(function: Callable) -> Callable:
    """Keep the last result of function(matrix), if `matrix` is a read-only array: such a one cannot
    change under the result.

    This is how moving a knob costs one product: the worker's embeddings are read-only, so what
    depends on the embedding alone is computed once.
    """
    kept: list = []

    @functools.wraps(function)
    def wrapper(matrix: Table) -> Any:
        if kept and kept[0]() is matrix:
            return kept[1]
        result = function(matrix)
        fixed = isinstance(matrix, np.ndarray) and not matrix.flags.writeable
        kept[:] = [weakref.ref(matrix, lambda _: kept.clear()), result] if fixed else []
        return result

    return wrapper
