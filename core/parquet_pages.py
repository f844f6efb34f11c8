"""Reading Parquet within limits: the pages' own headers are added up before anything is unpacked.

The file's footer says how many rows there are and how large they become, but a page of a few bytes may announce two billion, whatever the
footer says. So the headers of the wanted columns' pages are walked through first: each gives the size when unpacked, the size in the file
and the number of values, and the next one follows behind it. What a page unpacks to beyond its announcement, pyarrow refuses.
Source: the format's definition, parquet.thrift, and Thrift's compact protocol.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.draft import Allowance, Limits, reading
from core.types import UserError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

MEND = "Write the file anew, with pandas or pyarrow."
FIELDS, DEPTH = 64, 6  # more than any page header has
UNPACKED, PACKED, DATA, DATA_V2, VALUES = 2, 3, 5, 8, 1  # numbers of fields in parquet.thrift's PageHeader
TRUE, FALSE, BYTE, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = 1, 2, 3, 7, 8, 9, 10, 11, 12


def open_parquet(data: bytes, title: str, limits: Limits) -> pq.ParquetFile:
    """The opened file, if its footer asks for no more than the limits. Text comes as dictionaries, so that no word is repeated."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with reading(title, MEND):
        meta = pq.read_metadata(pa.BufferReader(data))
        rows, leaves = meta.num_rows, meta.num_columns
    for found, most, what in ((rows, limits.rows, "rows"), (leaves, limits.all_columns, "columns")):
        if not 1 <= found <= most:
            raise UserError(f"{title}: found {found:,} {what}, expected 1 to {most:,}. Bring fewer, but some.")
    with reading(title, MEND):
        words = [meta.schema.column(j).path for j in range(leaves) if meta.schema.column(j).physical_type == "BYTE_ARRAY"]
        return pq.ParquetFile(pa.BufferReader(data), metadata=meta, read_dictionary=words, pre_buffer=False, arrow_extensions_enabled=False)


def read_columns(file: pq.ParquetFile, data: bytes, names: list[str], title: str, limits: Limits) -> pa.Table:
    """These columns, after their pages' headers are found to be within the limits."""
    unpacked = Allowance(limits.unpacked_bytes, title, "Bring fewer rows or columns.")
    values = Allowance(limits.values + 3 * limits.rows, title, "Bring fewer rows or columns.")  # three: label, id and split
    with reading(title, MEND):
        for i in range(file.metadata.num_row_groups):
            group = file.metadata.row_group(i)
            for chunk in map(group.column, range(group.num_columns)):
                if chunk.path_in_schema.split(".")[0] in {name.split(".")[0] for name in names}:
                    _walk(data, chunk, unpacked, values)
        return file.read(columns=names, use_threads=False)


def _walk(data: bytes, chunk: Any, unpacked: Allowance, values: Allowance) -> None:
    """Take what the pages of one column chunk announce from the two allowances."""
    start = min(offset for offset in (chunk.data_page_offset, chunk.dictionary_page_offset) if offset)
    end = start + chunk.total_compressed_size
    if not 0 <= start <= end <= len(data):
        raise ValueError("pages outside of the file")
    while start < end:
        header, start = _struct(data, start, DEPTH)
        if min(header[UNPACKED], header[PACKED]) < 0:
            raise ValueError("a page of negative size")
        unpacked.take(header[UNPACKED])
        values.take(sum(header[kind].get(VALUES, 0) for kind in (DATA, DATA_V2) if kind in header))
        start += header[PACKED]


def _struct(data: bytes, at: int, depth: int) -> tuple[dict[int, Any], int]:
    """({field number: value}, where it ends) of a struct in the compact protocol."""
    fields: dict[int, Any] = {}
    number = 0
    for _ in range(FIELDS):
        head, at = data[at], at + 1
        if head == 0:
            return fields, at
        if head >> 4:
            number += head >> 4
        else:
            number, at = _integer(data, at)
        fields[number], at = _value(data, at, head & 15, depth - 1)
    raise ValueError("too many fields")


def _value(data: bytes, at: int, kind: int, depth: int) -> tuple[Any, int]:
    if depth < 0:
        raise ValueError("too deep")
    if kind in (TRUE, FALSE):
        return kind == TRUE, at
    if kind == BYTE:
        return data[at], at + 1
    if kind < DOUBLE:
        return _integer(data, at)
    if kind == DOUBLE:
        return None, at + 8
    if kind == BINARY:
        length, at = _varint(data, at)
        return None, at + length
    if kind == STRUCT:
        return _struct(data, at, depth)
    raise ValueError("a page header has no lists")


def _integer(data: bytes, at: int) -> tuple[int, int]:
    coded, at = _varint(data, at)
    return (coded >> 1) ^ -(coded & 1), at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte, at = data[at], at + 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("a number without end")
