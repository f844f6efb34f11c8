"""Named columns of a Parquet or CSV file that somebody hands in, read without trust, as arrays.

    opened = open_columns(content, "scores.parquet")
        the names, and what the file carries inside
    opened.columns(whole=["index"], numbers=["score"], texts=["id"])
        the arrays: int64, float64, texts

Bounds: the file's bytes; its values, counted before they are decoded; of a Parquet file also
what its pages unpack to (core/data/imports/tables/parquet_limits.py). Nothing in such a file is
ever run.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.data.imports.file_limits import MEGABYTE, Limits
from core.data.imports.tables import parquet_limits
from core.exports.score_table import METADATA, kind_of
from core.types import UserError

if TYPE_CHECKING:
    import pyarrow as pa

LIMITS = Limits(
    file_bytes=100 * MEGABYTE,
    unpacked_bytes=500 * MEGABYTE,
    files=0,
    rows=2 * MEGABYTE,
    columns=2_000,
    values=20 * MEGABYTE,
    side=0,
    pixels=0,
    all_pixels=0,
    classes=0,
)
HEADER_BYTES = MEGABYTE
AGAIN = "Export the scores again, and hand the file in as it was written."
Names = Sequence[str]


@dataclass(frozen=True, eq=False)
class Opened:
    """A file whose columns can be read.

    name                          of the file
    names                         of its columns
    inside                        the manifest that the file carries, or None
    read(whole, numbers, texts)   the columns of these names as a table
    """

    name: str
    names: Names
    inside: bytes | None
    read: Callable[[Names, Names, Names], pa.Table]

    def columns(
        self,
        whole: Names,
        numbers: Names,
        texts: Names = (),
        missing: Mapping[str, int] | None = None,
    ) -> dict[str, np.ndarray]:
        """The named columns: int64 (n,), finite float64 (n,), texts (n,).

        missing: how many numbers a column may lack; these are NaN.

        A UserError for one that is not there or is something else.
        """
        counts = Counter(self.names)
        odd = [name for name in (*whole, *numbers, *texts) if counts[name] != 1]
        if odd:
            found = f"{'no' if counts[odd[0]] == 0 else 'more than one'} column {odd[0][:80]!r}"
            more = f" (and {len(odd) - 1} more like it)" if len(odd) > 1 else ""
            raise UserError(
                f"{self.name}:"
                f" found {found}{more}, expected each column of its manifest once. {AGAIN}"
            )
        with _reading(self.name, self.names):
            table = self.read(whole, numbers, texts)
            arrays = {
                name: _numbers(
                    self.name, name, table.column(name), name in whole, (missing or {}).get(name, 0)
                )
                for name in (*whole, *numbers)
            }
            return arrays | {name: _texts(table.column(name)) for name in texts}


def open_columns(content: bytes, name: str) -> Opened:
    """The file, by the ending of its name.

    A UserError if it is too large, of another format, or not readable.
    """
    kind = kind_of(name.lower())
    if len(content) > LIMITS.file_bytes:
        raise UserError(
            f"{name}: found {len(content):,} bytes, expected at most {LIMITS.file_bytes:,}. Export"
            " fewer rankings at once."
        )
    with _reading(name):
        return _open_csv(content, name) if kind == "csv" else _open_parquet(content, name)


def _open_csv(content: bytes, name: str) -> Opened:
    import pyarrow as pa
    from pyarrow import csv as arrow

    first = io.StringIO(content[:HEADER_BYTES].decode("utf-8-sig", "replace"), newline="")
    names = next(csv.reader(first), [])

    def read(whole: Names, numbers: Names, texts: Names) -> pa.Table:
        wanted = [*whole, *numbers, *texts]
        _check_values(name, content.count(b"\n"), len(wanted))
        types = (
            dict.fromkeys(whole, pa.int64())
            | dict.fromkeys(numbers, pa.float64())
            | dict.fromkeys(texts, pa.string())
        )
        convert = arrow.ConvertOptions(
            include_columns=wanted, column_types=types, null_values=[""], strings_can_be_null=False
        )
        parse = arrow.ParseOptions(newlines_in_values=True)
        return arrow.read_csv(
            pa.BufferReader(content), parse_options=parse, convert_options=convert
        )

    return Opened(name, names, None, read)


def _open_parquet(content: bytes, name: str) -> Opened:
    file = parquet_limits.open_parquet(content, name, LIMITS)
    schema = file.schema_arrow

    def read(whole: Names, numbers: Names, texts: Names) -> pa.Table:
        wanted = [*whole, *numbers, *texts]
        _check_values(name, file.metadata.num_rows, len(wanted))
        _check_types(name, schema, [*whole, *numbers], texts)
        return parquet_limits.read_columns(file, content, wanted, name, LIMITS)

    return Opened(name, schema.names, (schema.metadata or {}).get(METADATA), read)


@contextmanager
def _reading(name: str, names: Names = ()) -> Iterator[None]:
    """Inside, what the readers find wrong becomes a sentence that names the file.

    It names the column too, where that is known.
    """
    import pyarrow as pa

    try:
        yield
    except UserError:
        raise
    except (pa.ArrowException, OSError, ValueError, MemoryError, OverflowError, csv.Error) as error:
        why = " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
        at = re.match(r"In CSV column #(\d+): (.*)", why)
        if at and int(at[1]) < len(names):
            why = f"column {names[int(at[1])][:80]!r}: {at[2]}"
        raise UserError(f"{name}: could not be read ({why}). {AGAIN}") from None


def _check_values(name: str, rows: int, columns: int) -> None:
    if rows * columns > LIMITS.values:
        found = f"{rows:,} rows of {columns:,} columns"
        raise UserError(
            f"{name}: found {found}, expected at most {LIMITS.values:,} values."
            " Export fewer rankings at once."
        )


def _check_types(name: str, schema: pa.Schema, numbers: Names, texts: Names) -> None:
    from pyarrow import types

    for column, wanted in [*((n, "numbers") for n in numbers), *((t, "texts") for t in texts)]:
        kind = schema.field(column).type
        plain = kind.value_type if types.is_dictionary(kind) else kind
        number = types.is_integer(kind) or types.is_floating(kind)
        text = types.is_string(plain) or types.is_large_string(plain)
        if not (number if wanted == "numbers" else text):
            raise UserError(
                f"{name}: column {column[:80]!r}:"
                f" found values of type {str(plain)[:80]}, expected {wanted}. {AGAIN}"
            )


def _numbers(
    file: str, name: str, column: pa.ChunkedArray, whole: bool, missing: int
) -> np.ndarray:
    import pyarrow as pa

    values = column.combine_chunks().cast(pa.int64() if whole else pa.float64())
    array = values.drop_null().to_numpy(zero_copy_only=False)
    bad = len(column) - int(np.isfinite(array).sum())
    if bad and bad == missing and not whole and not np.isinf(array).any():
        return values.fill_null(np.nan).to_numpy(zero_copy_only=False)
    if bad:
        raise UserError(
            f"{file}: column {name[:80]!r}:"
            f" {bad:,} of {len(column):,} values are missing or not finite. {AGAIN}"
        )
    return array


def _texts(column: pa.ChunkedArray) -> np.ndarray:
    """Each different text once in memory, whatever the file repeats. A missing one is ""."""
    import pyarrow as pa

    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    coded = coded.combine_chunks()
    known = np.array([*(text or "" for text in coded.dictionary.to_pylist()), ""], dtype=object)
    return known[coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
