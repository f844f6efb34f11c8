"""Leverage of a table that does not fit into memory, by two passes over its rows.

    first pass    X^T X -> W, as core/linalg/whitening.py finds it (more passes where X is badly
                  conditioned, or its rank in doubt)
    second pass   l_i = |x_i W|^2

The algebra is that of core/strategies/leverage.py; what differs is how a pass is made: `Streamed`
reads block after block in this process, core/large/dask_rows.py spreads the blocks over workers.
Rows that hold NaN are noticed in the first pass, whose sums they spoil. In the blocks of
core/linalg/row_blocks.py the same rows give the same bits whether they come from an array, a .npy
file or Parquet files; only an array with fewer rows than columns takes another way
(core/linalg/whitening.py), to the same scores but for rounding.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from core.exports import score_table
from core.large.row_sources import RowsOnDisk
from core.linalg import row_blocks, whitening
from core.linalg.row_blocks import Table
from core.linalg.ties import ranks
from core.runtime import jobs, tasks
from core.runtime.code_version import code_version
from core.strategies.leverage import exact
from core.types import Floats, Ints, UserError

Tell = Callable[[float | None, str], None]
NAMED = 8
MOST_COLUMNS = 20_000  # X^T X of so many takes 3.2 GB, its eigenvectors as much again


class Passes(whitening.Passes, Protocol):
    """What can be asked of the rows of X (n, d), each for one pass over them."""

    def squared_norms(self, weights: Floats) -> Floats:
        """|x_i W|^2 (n,) float64."""
        ...

    def not_finite(self) -> Ints:
        """The numbers of the rows that hold NaN or infinity."""
        ...


def silent(fraction: float | None, text: str) -> None:
    """For those who need not be told how far a pass is."""


@dataclass
class Streamed:
    """The passes over a table in this process.

    tell(fraction, text) hears how far the current pass is.
    """

    table: Table
    tell: Tell = silent
    passes: int = 0

    @property
    def shape(self) -> tuple[int, int]:
        """(n, d)"""
        return self.table.shape

    def __len__(self) -> int:
        return len(self.table)

    def blocks(self, rows: int) -> Iterator[np.ndarray]:
        """The rows of the table; each block is told when it has been used."""
        self.passes = self.passes + 1
        done = 0
        for block in row_blocks.slices(self.table, rows):
            yield block
            done += len(block)
            self.tell(done / len(self), f"Pass {self.passes}, {done:,} of {len(self):,} rows")

    @property
    def dtype(self) -> np.dtype:
        """Of the blocks."""
        return self.table.dtype

    @property
    def eps(self) -> float:
        """The precision of the numbers."""
        return whitening.precision(self.dtype)

    def gram(self, weights: Floats | None = None) -> Floats:
        """See Passes."""
        return row_blocks.gram(self, weights)

    def triangle(self, weights: Floats | None = None) -> Floats:
        """See Passes."""
        return row_blocks.triangle(self, weights)

    def largest(self) -> Floats:
        """See Passes."""
        return row_blocks.largest(self)

    def squared_norms(self, weights: Floats) -> Floats:
        """See Passes."""
        return row_blocks.squared_norms(self, weights)

    def not_finite(self) -> Ints:
        """See Passes."""
        return row_blocks.not_finite(self)


def leverage(rows: Passes, ridge: float = 0.0) -> tuple[Floats, dict[str, Any]]:
    """Scores l_i = x_i^T (X^T X + ridge I)^+ x_i (n,) float64 in [0, 1], and facts about the table.

    Higher = picked first. facts: n, d, ridge, sum; with ridge = 0 also rank, gap (None: full rank),
    condition and dead, the number of columns of zeros. A UserError for rows that hold NaN or
    infinity, for numbers whose squares exceed float64, and for a ridge below 0.
    """
    if not 0 <= ridge < np.inf:
        raise UserError(f"Ridge: found {ridge}, expected a number of at least 0.")
    n, d = rows.shape
    if d > MOST_COLUMNS:
        raise UserError(
            f"The table: found {d:,} columns, expected at most {MOST_COLUMNS:,}. Project it to"
            " fewer dimensions first."
        )
    first = _finite(rows)
    facts = {"n": n, "d": d, "ridge": ridge}
    if ridge == 0:
        found = whitening.from_passes(rows, first)
        scores = exact(found, n, rows.squared_norms)
        facts |= {
            "rank": found.rank,
            "gap": None if np.isinf(found.gap) else found.gap,
            "condition": found.condition,
            "dead": int(found.dead.sum()),
        }
    else:
        scores = np.minimum(rows.squared_norms(whitening.ridge_weights(first, ridge)), 1.0)
    return scores, facts | {"sum": float(scores.sum())}


def of_file(
    table: RowsOnDisk, ridge: float = 0.0, tell: Tell = silent
) -> tuple[Floats, dict[str, Any]]:
    """`leverage` of a table on disk: here, or on the cluster of LEVERAGE_LAB_SCHEDULER.

    The cluster's workers read the same path.
    """
    if not os.environ.get("LEVERAGE_LAB_SCHEDULER"):
        return leverage(Streamed(table, tell), ridge)
    job = jobs.submit(
        tasks.LEVERAGE_OF_FILE,
        table,
        ridge,
        key=f"~leverage {table.paths[0]} {identity(table)} {ridge!r}",
    )
    while not job.wait(1.0):
        tell(*job.progress)
    return job.result()


def title(table: RowsOnDisk) -> str:
    """What was computed of what."""
    return f"{table.name}, Leverage"


def frame(scores: Floats) -> pd.DataFrame:
    """Columns index (the row, from 0), score and rank.

    Rank 1 is the highest; equal scores are in the order of the rows.
    """
    return pd.DataFrame({"index": np.arange(len(scores)), "score": scores, "rank": ranks(scores)})


def manifest(table: RowsOnDisk, without: Sequence[str], facts: Mapping[str, Any]) -> str:
    """JSON: the files, the columns left out, the facts, the code's and the packages' versions."""
    content = {
        "title": title(table),
        "table": identity(table),
        "without": list(without),
        "facts": dict(facts),
    }
    content["code"] = code_version("core.linalg.whitening")
    content["versions"] = score_table.versions()
    return json.dumps(content, indent=1)


def identity(table: RowsOnDisk) -> list[dict[str, Any]]:
    """Name, size and time of change of each file: what can be said without reading them whole."""
    return [
        {"file": path.name, "bytes": path.stat().st_size, "modified": path.stat().st_mtime}
        for path in table.paths
    ]


def _finite(rows: Passes) -> Floats:
    """X^T X, all of it finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        gram = rows.gram()
    if np.isfinite(gram).all():
        return gram
    bad = rows.not_finite()
    if len(bad) == 0:
        raise UserError(
            "The table holds numbers so large that their squares exceed float64."
            " Divide it by its largest value."
        )
    more = f" and {len(bad) - NAMED:,} more" if len(bad) > NAMED else ""
    raise UserError(
        f"{len(bad):,} of {rows.shape[0]:,} rows hold NaN or infinity:"
        f" row{'s' if len(bad) > 1 else ''} {', '.join(f'{row:,}' for row in bad[:NAMED])}{more}"
        " (the first is row 0). Remove or fill them first."
    )
