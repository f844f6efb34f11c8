"""Passes over rows in chunks on a Dask cluster: leverage of a table no single machine has to hold.

    scores, facts = leverage.leverage(Spread(array))

array: a Dask array (n, d), or a table on disk that every worker can read. Each chunk gives its part
of a sum (core/linalg/row_blocks.py, on its worker's GPU if there is one), and the parts are added
in the order of the chunks, whoever computed them and whenever they came. So one worker and two give
the same bits, provided that they are alike: a GPU and a CPU, or libraries with different numbers of
threads, round differently. The cluster is that of the current Dask client; without one the chunks
are computed in this process, one after the other. A chunk is computed anew in every pass.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any

import dask
import numpy as np
from distributed import get_client, worker_client

from core.large import leverage
from core.large.row_sources import RowsOnDisk
from core.linalg import row_blocks
from core.linalg.whitening import precision
from core.runtime import progress
from core.types import Floats, Ints, UserError

# Rows of a table on disk; a fixed number, because where chunks end decides the last digits.
CHUNK = 65_536


class Spread:
    """The passes of core/large/leverage.py over chunks of real numbers (n, d).

    table: a Dask array, or a table on disk.
    """

    def __init__(self, table: Any, tell: leverage.Tell = leverage.silent, rows: int = CHUNK):
        self.chunks = _of_file(table, rows) if isinstance(table, RowsOnDisk) else _of_array(table)
        self.shape = (int(table.shape[0]), int(table.shape[1]))
        self.eps = precision(table.dtype)
        self.tell = tell
        self.passes = 0

    def gram(self, weights: Floats | None = None) -> Floats:
        """X^T X, or (X W)^T (X W), float64: the chunks' own, added in their order."""
        return reduce(np.add, self._pass(row_blocks.gram, weights))

    def triangle(self, weights: Floats | None = None) -> Floats:
        """R with R^T R = X^T X, or (X W)^T (X W): the chunks' own, joined in their order."""
        return reduce(row_blocks.join, self._pass(row_blocks.triangle, weights))

    def largest(self) -> Floats:
        """max_i |x_ij| (d,)."""
        return reduce(np.maximum, self._pass(row_blocks.largest))

    def squared_norms(self, weights: Floats) -> Floats:
        """|x_i W|^2 (n,) float64."""
        return np.concatenate(list(self._pass(row_blocks.squared_norms, weights)))

    def not_finite(self) -> Ints:
        """The numbers of the rows that hold NaN or infinity."""
        found = []
        start = 0
        for bad, count in self._pass(_not_finite):
            found.append(start + bad)
            start += count
        return np.concatenate(found)

    def _pass(self, function: Callable, *arguments: Any) -> Iterator[Any]:
        """function(chunk, *arguments) of every chunk, in order; what has been used is let go."""
        self.passes += 1
        client = _client()
        done = 0
        if client is not None:
            arguments = tuple(client.scatter(argument) for argument in arguments)
        tasks = [dask.delayed(function, pure=False)(chunk, *arguments) for chunk in self.chunks]
        waiting = deque(tasks if client is None else client.compute(tasks))
        while waiting:
            result = waiting.popleft()
            yield result.compute() if client is None else result.result()
            progress.check()
            done += 1
            self.tell(done / len(tasks), f"Pass {self.passes}, {done:,} of {len(tasks):,} parts")


def leverage_of_file(table: RowsOnDisk, ridge: float) -> tuple[Floats, dict[str, Any]]:
    """In a worker: leverage of a table on disk, spread over all workers.

    This one lends its thread to them meanwhile.
    """
    with worker_client():
        return leverage.leverage(Spread(table, progress.report), ridge)


def _of_file(table: RowsOnDisk, rows: int) -> list[Any]:
    return [table.part(start, start + rows) for start in range(0, len(table), rows)]


def _of_array(array: Any) -> list[Any]:
    if getattr(array, "ndim", 0) != 2 or not hasattr(array, "to_delayed"):
        raise UserError(
            f"The table: found {type(array).__name__} of shape {getattr(array, 'shape', None)},"
            " expected a Dask array (n, d)."
        )
    if np.isnan(array.shape).any():
        raise UserError(
            "The table: found chunks of unknown size."
            " Call compute_chunk_sizes() on the Dask array first."
        )
    if 0 in array.shape:
        raise UserError(
            f"The table: found shape {array.shape}, expected (n,"
            " d) with at least one row and one column."
        )
    if not np.issubdtype(array.dtype, np.number) or np.issubdtype(array.dtype, np.complexfloating):
        raise UserError(f"The table: found {array.dtype} values, expected real numbers.")
    whole = array.rechunk({1: -1})
    return [
        chunk
        for chunk, size in zip(whole.to_delayed().ravel(), whole.chunks[0], strict=True)
        if size
    ]


def _not_finite(chunk: row_blocks.Table) -> tuple[Ints, int]:
    return row_blocks.not_finite(chunk), len(chunk)


def _client() -> Any:
    try:
        return get_client()
    except ValueError:  # there is none
        return None
