"""Does a Parquet file that claims too much, or is damaged where it hurts, end in a sentence and
never in the end of the process?
"""

import dataclasses
import io
import random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.data.imports.file_limits import LOCAL
from core.data.imports.tables import parquet_limits
from core.data.imports.tables.parquet_limits import open_parquet, read_columns
from core.types import UserError

N = 50
TABLE = pa.table(
    {
        "y": np.random.default_rng(1).random(N),
        "x": np.random.default_rng(0).random(N),
        "x.5": np.arange(N),
        "word": ["a", "b"] * (N // 2),
    }
)
WAYS = [
    {},
    {"compression": "zstd"},
    {"data_page_version": "2.0"},
    {"row_group_size": 7},
    {"write_page_index": True},
    {"use_dictionary": False},
]


def written(**how) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(TABLE, buffer, **how)
    return buffer.getvalue()


def read(data: bytes, names=("x", "x.5", "word"), **limits) -> pa.Table:
    within = dataclasses.replace(LOCAL, **limits)
    return read_columns(
        open_parquet(data, "a.parquet", within), data, list(names), "a.parquet", within
    )


def footer(data: bytes) -> int:
    """Where the footer begins."""
    return len(data) - 8 - int.from_bytes(data[-8:-4], "little")


@pytest.mark.parametrize("how", WAYS, ids=str)
def test_what_is_written_is_read(how):
    found = read(written(**how))
    assert found.column("x").to_pylist() == TABLE.column("x").to_pylist() and found.column(
        "word"
    ).to_pylist()[:3] == ["a", "b", "a"]


@pytest.mark.parametrize("how", WAYS, ids=str)
def test_the_footer_is_read_as_pyarrow_reads_it(how):
    data = written(**how)
    said = list(parquet_limits._chunks(data))
    meta = pq.read_metadata(io.BytesIO(data))
    theirs = [
        meta.row_group(i).column(j)
        for i in range(meta.num_row_groups)
        for j in range(meta.num_columns)
    ]
    for ours, chunk in zip(said, theirs, strict=True):
        assert b".".join(ours[parquet_limits.PATH]).decode() == chunk.path_in_schema
        assert (
            ours[parquet_limits.STORED] == chunk.total_compressed_size
            and ours[parquet_limits.DATA_AT] == chunk.data_page_offset
        )
        assert (ours.get(parquet_limits.DICTIONARY_AT) or None) == chunk.dictionary_page_offset


def test_the_pages_of_the_wanted_columns_are_added_up():
    data = written(compression="none", use_dictionary=False)
    assert read(data, ["y"], unpacked_bytes=N * 8 + 20).num_rows == N
    with pytest.raises(UserError, match="found more than 380 bytes when unpacked"):
        read(data, ["y"], unpacked_bytes=N * 8 - 20)


def test_a_page_that_announces_much_is_refused_whatever_the_footer_says():
    """The page's header says 8,000 bytes in place of 406; pyarrow alone would make room for it."""
    data = written(compression="none", use_dictionary=False)
    chunk = next(parquet_limits._chunks(data))
    start = chunk[parquet_limits.DATA_AT]
    size = next(
        place
        for place in range(start, start + 20)
        if data[place : place + 2] == varint(2 * (N * 8 + 6))
    )
    grown = data[:size] + varint(2 * 8_000) + data[size + 2 :]
    with pytest.raises(UserError, match="found more than 5,000 bytes when unpacked"):
        read(grown, ["y"], unpacked_bytes=5_000)


def varint(value: int) -> bytes:
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    return bytes([*made, value])


def test_a_field_that_comes_twice_is_refused():
    """Of two, one reader would believe the first and another the second."""
    once = bytes([0x15, 2, 0])  # field 1, whole number 1
    assert parquet_limits._Thrift(once, 0, 9).struct() == {(1, parquet_limits.INT): 1}
    with pytest.raises(ValueError, match="a field twice"):
        parquet_limits._Thrift(bytes([0x15, 2, 0x05, 2, 4, 0]), 0, 9).struct()


def test_a_field_of_another_type_does_not_count():
    assert (1, parquet_limits.LONG) not in parquet_limits._Thrift(
        bytes([0x15, 2, 0]), 0, 9
    ).struct()


def test_values_without_end_are_refused_early():
    endless = bytes(
        [0x19, 0xF7, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]
    )  # field 1, a list of very many numbers
    for content in (endless, endless + bytes(1000), bytes([0x1C]) * 100_000):
        with pytest.raises((ValueError, IndexError, RecursionError)):
            parquet_limits._Thrift(content, 0, 5000).struct()


def test_a_damaged_footer_never_ends_the_process():
    """Thousands of footers with a few bytes changed: among them are some for which pyarrow's own
    row groups abort.
    """
    rng = random.Random(2)
    data = written()
    start = footer(data)
    outcomes = {True: 0, False: 0}
    for _ in range(3000):
        damaged = bytearray(data)
        for _ in range(rng.randint(1, 4)):
            damaged[rng.randrange(start, len(data))] = rng.randrange(256)
        try:
            outcomes[read(bytes(damaged)).num_rows >= 0] += 1
        except UserError as error:
            outcomes[False] += 1
            assert str(error).startswith("a.parquet: ")
    assert min(outcomes.values()) > 100
