"""Columns that stand beside a dataset's points and are no features: text and numbers, in a Parquet
file of which a column is read when it is asked for.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from core.types import Ints


class ShownColumns(Mapping):
    """The columns that stand beside the points, by name; each is read when it is asked for."""

    def __init__(self, path: Path, names: tuple[str, ...], rows: Ints | None = None):
        self.path = path
        self.names = names
        self.rows = rows

    def __getitem__(self, name: str) -> np.ndarray:
        import pyarrow.parquet as pq

        if name not in self.names:
            raise KeyError(name)
        column = pq.read_table(self.path, columns=[f"{self.names.index(name)}"])[0]
        values = column.to_numpy()
        values = values.astype(str) if values.dtype == object else values
        return values if self.rows is None else values[self.rows]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def part_of(shown: Mapping[str, np.ndarray], rows: Ints) -> Mapping[str, np.ndarray]:
    """The columns of some of the points."""
    if isinstance(shown, ShownColumns):
        return ShownColumns(
            shown.path, shown.names, rows if shown.rows is None else shown.rows[rows]
        )
    return {name: values[rows] for name, values in shown.items()}


def as_bytes(shown: Mapping[str, np.ndarray]) -> list[bytes]:
    """What tells these columns from others."""
    parts = []
    for name, values in shown.items():
        parts.append(repr((name, values.dtype.str)).encode())
        parts.append(np.ascontiguousarray(values).tobytes())
    return parts


def packed(shown: Mapping[str, np.ndarray]) -> bytes:
    """As Parquet, whose columns are numbered; b"" for none."""
    if not shown:
        return b""
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    columns = {f"{j}": pa.array(values) for j, values in enumerate(shown.values())}
    pq.write_table(pa.table(columns), buffer, compression="zstd")
    return buffer.getvalue()
