"""Tables that need not fit into memory: rows of a .npy file or of Parquet files, in blocks.

    table = row_sources.open_table("features.npy")   shape, dtype; nothing is read but the header
    for block in table.blocks(4096): ...             plain reads: at no moment is more than one
                                                     block in memory

A file is never mapped: pages of a mapped file count as the process's memory. A Parquet table is one
file or the `*.parquet` of a folder in the order of their names (numbers in names count as numbers);
its columns are the dimensions, one number each. pandas' index columns (`__index_level_0__`, or
those that its metadata name) are no dimensions. `part` is a run of rows as a table of its own; both
are small descriptions that travel to other machines, which read the same paths. Blocks hold exactly
as many rows as asked for, whatever the files and their row groups are, so that the same rows give
the same results however they are stored. While a Parquet row group is read, Arrow keeps the
dictionary of each of its columns, up to 2 MB: with hundreds of columns, write row groups of at most
65,536 rows, or no dictionaries.

Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html;
https://parquet.apache.org/docs/file-format/.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.data.imports.tables.pandas_index import pandas_index
from core.types import UserError

INDEX_COLUMN = re.compile(r"__index_level_\d+__")
# Of each column; without a number Arrow reads whole columns of a row group at once.
STREAM_BYTES = 1 << 13
CHANGED = "It has changed since it was opened. Start again when it is whole."
HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


@dataclass(frozen=True)
class RowsOnDisk(ABC):
    """Rows start to stop (without) of a table on disk.

    d: how many columns. dtype: of the blocks.
    """

    start: int
    stop: int
    d: int
    dtype: np.dtype

    @property
    def shape(self) -> tuple[int, int]:
        """(n, d)"""
        return len(self), self.d

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    @abstractmethod
    def paths(self) -> tuple[Path, ...]:
        """The files of the table."""

    @property
    def name(self) -> str:
        """What to call the table: its file, or the folder of its parts."""
        first, *more = self.paths
        return first.parent.name if more else first.name

    def part(self, start: int, stop: int) -> RowsOnDisk:
        """The rows from start to stop (without), counted from this table's first."""
        return replace(self, start=self.start + start, stop=min(self.start + stop, self.stop))

    @abstractmethod
    def blocks(self, rows: int) -> Iterator[np.ndarray]:
        """The rows in order, `rows` at a time, fewer at the end.

        A UserError for a file that changed since it was opened.
        """


@dataclass(frozen=True)
class NpyRows(RowsOnDisk):
    """Rows of a .npy file whose numbers begin `offset` bytes after its start."""

    path: Path
    offset: int

    @property
    def paths(self) -> tuple[Path, ...]:
        """See RowsOnDisk."""
        return (self.path,)

    def blocks(self, rows: int) -> Iterator[np.ndarray]:
        """See RowsOnDisk."""
        with _readable(self.path), open(self.path, "rb") as file:
            file.seek(self.offset + self.start * self.d * self.dtype.itemsize)
            for first in range(self.start, self.stop, rows):
                block = np.empty((min(rows, self.stop - first), self.d), self.dtype)
                if file.readinto(block.reshape(-1).view(np.uint8)) != block.nbytes:
                    raise UserError(
                        f"{self.path}: the file ends before row {first + len(block):,}. {CHANGED}"
                    )
                yield block


@dataclass(frozen=True)
class ParquetRows(RowsOnDisk):
    """Rows of Parquet files, one after the other.

    files: (path, number of rows). columns: the dimensions.
    """

    files: tuple[tuple[Path, int], ...]
    columns: tuple[str, ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        """See RowsOnDisk."""
        return tuple(path for path, _ in self.files)

    def blocks(self, rows: int) -> Iterator[np.ndarray]:
        """See RowsOnDisk."""
        return recut(self._pieces(rows), rows, self.d, self.dtype)

    def _pieces(self, rows: int) -> Iterator[np.ndarray]:
        """The rows in pieces, as the files have them, no longer than `rows`.

        No file stays open between two tables.
        """
        first = 0  # of the file's rows
        for path, count in self.files:
            yield from self._of_file(path, first, count, rows)
            first += count

    def _of_file(self, path: Path, first: int, count: int, rows: int) -> Iterator[np.ndarray]:
        if count == 0 or first >= self.stop or first + count <= self.start:
            return
        with _readable(path), _parquet(path) as file:
            if file.metadata.num_rows != count:
                raise UserError(
                    f"{path}: found {file.metadata.num_rows:,} rows,"
                    f" at first there were {count:,}. {CHANGED}"
                )
            sizes = [
                file.metadata.row_group(group).num_rows
                for group in range(file.metadata.num_row_groups)
            ]
            begins = first + np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
            groups = [
                g for g in range(len(sizes)) if begins[g] < self.stop and begins[g + 1] > self.start
            ]
            at = int(begins[groups[0]])
            for batch in file.iter_batches(rows, groups, list(self.columns)):
                wanted = slice(max(0, self.start - at), max(0, self.stop - at))
                at += batch.num_rows
                yield _array(batch, self.dtype)[wanted]


def open_table(path: str | Path, without: Sequence[str] = ()) -> RowsOnDisk:
    """The table at this path: a .npy file, a .parquet file or a folder of them.

    without: names of columns to leave out. Real numbers in two dimensions, at least one row and one
    column. A UserError says what does not fit and how to mend it.
    """
    path = Path(path).expanduser().resolve()
    if not path.exists():
        raise UserError(f"{path}: there is no such file or folder. Correct the path.")
    if path.is_dir() or path.suffix.lower() == ".parquet":
        return _open_parquet(path, without)
    if path.suffix.lower() != ".npy":
        raise UserError(
            f"{path}: found {path.suffix or 'no file extension'}, expected .npy, .parquet or a"
            " folder of .parquet files."
        )
    if without:
        raise UserError(
            f"{path}: a .npy file has no names of columns to leave out ({', '.join(without)})."
            " Remove the columns yourself."
        )
    return _open_npy(path)


def recut(pieces: Iterable[np.ndarray], rows: int, d: int, dtype: Any) -> Iterator[np.ndarray]:
    """Blocks of exactly `rows` rows, fewer at the end, from pieces of any lengths."""
    block = np.empty((rows, d), dtype)
    filled = 0
    for piece in pieces:
        while len(piece):
            taken = piece[: rows - filled]
            block[filled : filled + len(taken)] = taken
            piece = piece[len(taken) :]
            filled = filled + len(taken)
            if filled == rows:
                yield block
                block = np.empty((rows, d), dtype)
                filled = 0
    if filled:
        yield block[:filled]


def _open_npy(path: Path) -> NpyRows:
    with _readable(path), open(path, "rb") as file:
        try:
            shape, by_columns, dtype = HEADERS[np.lib.format.read_magic(file)](file)
        except (ValueError, KeyError) as error:
            raise UserError(
                f"{path}: this is no .npy file that can be read ({error})."
                " Write it with numpy.save."
            ) from None
        offset = file.tell()
    if len(shape) != 2 or min(shape) < 1:
        raise UserError(
            f"{path}: found shape {shape}, expected (n, d) with at least one row and one column."
        )
    if not _real(dtype):
        raise UserError(
            f"{path}: found {dtype} values, expected real numbers. Convert the table to float32."
        )
    if by_columns and min(shape) > 1:
        raise UserError(
            f"{path}: found columns one after the other (Fortran order), expected rows. Save"
            " numpy.ascontiguousarray of it."
        )
    found = path.stat().st_size
    expected = offset + shape[0] * shape[1] * dtype.itemsize
    if found < expected:
        raise UserError(
            f"{path}: found {found:,} bytes, expected {expected:,} for {shape}: the file is cut"
            " short. Write or copy it anew."
        )
    return NpyRows(0, shape[0], shape[1], dtype, path, offset)


def _open_parquet(path: Path, without: Sequence[str]) -> ParquetRows:
    paths = sorted(path.glob("*.parquet"), key=_by_number) if path.is_dir() else [path]
    if not paths:
        raise UserError(
            f"{path}: found no .parquet file in this folder."
            " Correct the path, or name a .npy or .parquet file."
        )
    parts = [_columns_of(part, without) for part in paths]
    columns = tuple(parts[0][0])
    for part, (found, _) in zip(paths, parts, strict=True):
        if tuple(found) != columns:
            odd = next(iter(set(found) ^ set(columns)), "the same in another order")
            raise UserError(
                f"{part}: its columns are not those of {paths[0].name} ({odd})."
                " Give every part the same columns."
            )
    files = tuple((part, count) for part, (_, count) in zip(paths, parts, strict=True))
    n = sum(count for _, count in files)
    if n == 0 or not columns:
        raise UserError(
            f"{path}: found {n:,} rows and {len(columns):,} columns, expected at least one of each."
        )
    dtype = np.result_type(*(dtype for found, _ in parts for dtype in found.values()))
    return ParquetRows(0, n, len(columns), dtype, files, columns)


def _columns_of(path: Path, without: Sequence[str]) -> tuple[dict[str, np.dtype], int]:
    """(the number type of each column that counts, how many rows)."""
    with _readable(path), _parquet(path) as file:
        fields = list(file.schema_arrow)
        index = pandas_index(file.schema_arrow)[0]
        count = file.metadata.num_rows
    names = [field.name for field in fields]
    if strangers := [name for name in without if name not in names]:
        raise UserError(
            f"{path}: found no column {strangers[0]!r} to leave out."
            f" Its columns are {_some(names)}."
        )
    if len(set(names)) < len(names):
        raise UserError(f"{path}: two columns have the same name. Give each a name of its own.")
    kept = [
        field
        for field in fields
        if field.name not in (*without, *index) and not INDEX_COLUMN.fullmatch(field.name)
    ]
    for field in kept:
        if not _real(_dtype(field.type)):
            mend = (
                "Give every dimension a column of its own"
                if "list" in str(field.type)
                else f"Leave it out with --without {field.name}"
            )
            raise UserError(
                f"{path}: column {field.name} holds {field.type} values,"
                f" expected real numbers. {mend}."
            )
    return {field.name: _dtype(field.type) for field in kept}, count


def _array(batch: Any, dtype: np.dtype) -> np.ndarray:
    """A batch of Arrow columns as (rows, d); missing values become NaN."""
    columns = np.empty((batch.num_columns, batch.num_rows), dtype)
    for j, column in enumerate(batch.columns):
        columns[j] = column.to_numpy(zero_copy_only=False)
    return columns.T


@contextmanager
def _parquet(path: Path) -> Iterator[Any]:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path, buffer_size=STREAM_BYTES, pre_buffer=False) as file:
            yield file
    except (pyarrow.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.strerror:  # the disk's, not Arrow's
            raise
        raise UserError(
            f"{path}: this is no Parquet file that can be read ({error}). Write it anew."
        ) from None


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise UserError(
            f"{path}: could not be read ({why})."
            " Every machine that computes reads it under this path."
        ) from None


def _dtype(kind: Any) -> np.dtype:
    try:
        return np.dtype(kind.to_pandas_dtype())
    except NotImplementedError:
        return np.dtype(object)


def _real(dtype: np.dtype) -> bool:
    return np.issubdtype(dtype, np.integer) or np.issubdtype(dtype, np.floating)


def _by_number(path: Path) -> list[tuple[bool, int, str]]:
    """part.2 before part.10."""
    return [
        (word.isdigit(), int(word) if word.isdigit() else 0, word)
        for word in re.split(r"(\d+)", path.name)
    ]


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8:,} more" if len(names) > 8 else "")
