"""Which columns of a Parquet file did pandas write as its index? Told by the schema's metadata."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from core.types import Ints

if TYPE_CHECKING:
    import pyarrow as pa


def pandas_index(schema: pa.Schema) -> tuple[tuple[str, ...], Ints | None]:
    """(the columns that pandas wrote as its index, the rows' numbers where its index is a range
    that does not count from 0 in ones).
    """
    try:
        said = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
        index = said.get("index_columns", [])
        names = tuple(name for name in index if isinstance(name, str) and name in schema.names)
        ranges = [entry for entry in index if isinstance(entry, dict)]
        start, step = (int(ranges[0][what]) for what in ("start", "step")) if ranges else (0, 1)
        stop = int(ranges[0]["stop"]) if ranges else 0
    except (ValueError, TypeError, KeyError, AttributeError):
        return (), None
    numbered = bool(ranges) and (start, step) != (0, 1) and abs(stop) < 2**62 and step != 0
    return names, np.array([start, step]) if numbered else None
