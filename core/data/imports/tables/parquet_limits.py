"""Reading Parquet within limits: the pages' own headers are added up before anything is unpacked.

The file's footer says how many rows there are and how large they become, but a page of a few bytes
may announce two billion, whatever the footer says. So the headers of the wanted columns' pages are
walked through first: each gives the size when unpacked, the size in the file and the number of
values, and the next one follows behind it. What a page unpacks to beyond its announcement, pyarrow
refuses. Where the pages lie is read from the footer here as well: asked for a damaged one,
pyarrow's own row groups end the whole process. A field counts only with the type that the format
gives it, and must not come twice, so that both readers see the same. Source: the format's
definition, parquet.thrift, and Thrift's compact protocol.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.data.imports.file_limits import Allowance, Limits
from core.data.imports.wording import damage_reported, some
from core.types import UserError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

# Hugging Face's and Spark's names of a table in parts
PART = re.compile(
    r"(?P<split>.*?)[-_.]?(?:\d{4,}-of-\d{4,}|part-\d{4,}.*|\d{4,})\.(?:\w+\.)?(?:parquet|pq)"
)
MEND = "Write the file anew, with pandas or pyarrow."
Fields = dict[tuple[int, int], Any]
TRUE, FALSE, BYTE, SHORT, INT, LONG, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)
# (number, type) of the fields that count, in parquet.thrift's FileMetaData, RowGroup, ColumnChunk,
# ColumnMetaData and PageHeader
ROW_GROUPS = (4, LIST)
CHUNKS = (1, LIST)
META = (3, STRUCT)
PATH = (3, LIST)
STORED = (7, LONG)
DATA_AT = (9, LONG)
DICTIONARY_AT = (11, LONG)
UNPACKED = (2, INT)
PACKED = (3, INT)
DATA = (5, STRUCT)
DATA_V2 = (8, STRUCT)
VALUES = (1, INT)
# values that are read of a footer, and of a page's header, which has a few dozen
FOOTER_ITEMS = 2_000_000
HEADER_ITEMS = 200


def open_parquet(data: bytes, title: str, limits: Limits) -> pq.ParquetFile:
    """The opened file, if its footer asks for no more than the limits.

    Text comes as dictionaries, so that no word is repeated.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with damage_reported(title, MEND):
        meta = pq.read_metadata(pa.BufferReader(data))
        rows = meta.num_rows
        leaves = meta.num_columns
    for found, most, what in ((rows, limits.rows, "rows"), (leaves, limits.all_columns, "columns")):
        if not 1 <= found <= most:
            raise UserError(
                f"{title}: found {found:,} {what}, expected 1 to {most:,}. Bring fewer, but some."
            )
    with damage_reported(title, MEND):
        words = [
            meta.schema.column(j).path
            for j in range(leaves)
            if meta.schema.column(j).physical_type == "BYTE_ARRAY"
        ]
        how = {
            "pre_buffer": False,
            "arrow_extensions_enabled": False,
            "page_checksum_verification": True,
        }
        return pq.ParquetFile(pa.BufferReader(data), metadata=meta, read_dictionary=words, **how)


def read_columns(
    file: pq.ParquetFile, data: bytes, names: list[str], title: str, limits: Limits
) -> pa.Table:
    """These columns, after their pages' headers are found to be within the limits."""
    unpacked = Allowance(
        limits.unpacked_bytes, title, "bytes when unpacked", "Bring fewer rows or columns."
    )
    values = Allowance(
        limits.values + 3 * limits.rows, title, "values", "Bring fewer rows or columns."
    )  # three: label, id and split
    with damage_reported(title, MEND):
        first = {name.split(".")[0] for name in names}
        for chunk in _chunks(data):
            if b".".join(chunk[PATH]).decode().split(".")[0] in first:
                _walk(data, chunk, unpacked, values)
        return _with_lists(file.read(columns=names, use_threads=False))


def _with_lists(table: pa.Table) -> pa.Table:
    """Tensors of one axis are lists."""
    import pyarrow as pa

    for j, field in enumerate(table.schema):
        if isinstance(field.type, pa.FixedShapeTensorType) and len(field.type.shape) == 1:
            lists = [chunk.storage for chunk in table.column(j).chunks]
            column = pa.chunked_array(lists, field.type.storage_type)
            table = table.set_column(j, field.name, column)
    return table


def schema_of(data: bytes, title: str, limits: Limits) -> pa.Schema:
    """The columns and their types."""
    file = open_parquet(data, title, limits)
    with damage_reported(title, MEND):
        return file.schema_arrow


def are_parts(paths: list[str]) -> bool:
    """Are these the parts of one table, such as train-00000-of-00002.parquet?"""
    return len(paths) > 1 and all(PART.fullmatch(path.rpartition("/")[2]) for path in paths)


def joined_parts(contents: list[bytes], paths: list[str], title: str, limits: Limits) -> bytes:
    """One Parquet file of all parts, in the order of their paths, the training part first. Where
    their names speak of different parts, a column split says which, unless there is one.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [path.rpartition("/")[2] for path in paths]
    splits = [
        found["split"] if (found := PART.fullmatch(name)) else name.partition(".")[0]
        for name in names
    ]
    order = sorted(range(len(paths)), key=lambda i: not splits[i].startswith("train"))
    tables = []
    for i in order:
        file = open_parquet(contents[i], title, limits)
        with damage_reported(title, MEND):
            names = file.schema_arrow.names
        tables.append(read_columns(file, contents[i], names, title, limits))
        if len({*splits}) > 1 and "split" not in names:
            tables[-1] = tables[-1].append_column("split", pa.array([splits[i]] * len(tables[-1])))
    if any(table.schema.names != tables[0].schema.names for table in tables):
        raise UserError(
            f"{title}: found parts with different columns, {some(paths)}, expected the same ones."
            " Bring one of them."
        )
    with damage_reported(title, MEND):
        joined = pa.concat_tables(tables, promote_options="permissive")
        buffer = pa.BufferOutputStream()
        pq.write_table(joined, buffer)
        return buffer.getvalue().to_pybytes()


def _chunks(data: bytes) -> Iterator[Fields]:
    """What the footer says of every column's part in every row group."""
    length = int.from_bytes(data[-8:-4], "little")
    footer = _Thrift(data, len(data) - 8 - length, FOOTER_ITEMS).struct()
    for group in footer[ROW_GROUPS]:
        yield from (chunk[META] for chunk in group[CHUNKS])


def _walk(data: bytes, chunk: Fields, unpacked: Allowance, values: Allowance) -> None:
    """Take what the pages of one column chunk announce from the two allowances."""
    start = min(offset for offset in (chunk[DATA_AT], chunk.get(DICTIONARY_AT)) if offset)
    end = start + chunk[STORED]
    if not 0 <= start <= end <= len(data):
        raise ValueError("pages outside of the file")
    while start < end:
        page = _Thrift(data, start, HEADER_ITEMS)
        header = page.struct()
        if min(header[UNPACKED], header[PACKED]) < 0:
            raise ValueError("a page of negative size")
        unpacked.take(header[UNPACKED])
        values.take(sum(header[kind].get(VALUES, 0) for kind in (DATA, DATA_V2) if kind in header))
        start = page.at + header[PACKED]


@dataclass
class _Thrift:
    """Reads values of the compact protocol from one place of the data onwards, `left` of them at
    most.
    """

    data: bytes
    at: int
    left: int

    def struct(self) -> Fields:
        """{(number, type): value}."""
        fields: Fields = {}
        seen: set[int] = set()
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._integer()
            if number in seen:
                raise ValueError("a field twice")
            seen.add(number)
            kind = head & 15
            fields[number, kind] = kind == TRUE if kind in (TRUE, FALSE) else self._value(kind)
        return fields

    def _value(self, kind: int) -> Any:
        self.left -= 1
        if self.left < 0:
            raise ValueError("too many values")
        if kind in (SHORT, INT, LONG):
            return self._integer()
        if kind in (TRUE, FALSE, BYTE):  # a truth in a list takes a byte
            return self._byte()
        if kind in (DOUBLE, BINARY):
            return self._bytes(8 if kind == DOUBLE else self._varint())
        if kind == LIST:
            return self._list()
        if kind == STRUCT:
            return self.struct()
        raise ValueError("a type that the format does not use")

    def _list(self) -> list[Any]:
        head = self._byte()
        count = head >> 4 if head >> 4 < 15 else self._varint()
        return [self._value(head & 15) for _ in range(count)]

    def _bytes(self, length: int) -> bytes:
        self.at += length
        return self.data[self.at - length : self.at]

    def _byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def _integer(self) -> int:
        coded = self._varint()
        return (coded >> 1) ^ -(coded & 1)

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ValueError("a number without end")
