"""Do tables on disk hand out their rows exactly, in blocks of any size, and say what is wrong with
a file?
"""

import io
import os

import numpy as np
import pandas as pd
import pytest

from core.large import row_sources
from core.large.row_sources import open_table, recut
from core.types import UserError

N, D = 53, 4
NAMES = [f"c{j}" for j in range(D)]
X = np.random.default_rng(0).normal(size=(N, D)).astype(np.float32)


def frame(part=X):
    return pd.DataFrame(part, columns=NAMES)


def as_npy(folder):
    np.save(folder / "x.npy", X)
    return folder / "x.npy"


def as_one_file(folder):
    frame().to_parquet(folder / "x.parquet", row_group_size=10)
    return folder / "x.parquet"


def as_parts(folder):
    """Fourteen parts, three of them empty, named so that their order in the alphabet is another
    one.
    """
    some = np.array_split(X, 11)
    for number, part in enumerate([X[:0], *some[:4], X[:0], *some[4:], X[:0]]):
        frame(part).to_parquet(folder / f"part.{number}.parquet", row_group_size=2)
    return folder


@pytest.fixture(params=[as_npy, as_one_file, as_parts])
def table(request, tmp_path):
    return open_table(request.param(tmp_path))


def test_a_table_is_described_before_it_is_read(table):
    assert (table.shape, len(table), table.dtype) == ((N, D), N, np.float32)


@pytest.mark.parametrize("size", [1, 7, 10, N, 4096])
def test_blocks_hold_the_rows_in_order_and_as_many_as_asked_for(table, size):
    blocks = list(table.blocks(size))
    assert [len(block) for block in blocks] == [size] * (N // size) + [N % size] * (N % size > 0)
    assert np.array_equal(np.concatenate(blocks), X) and all(
        block.dtype == np.float32 for block in blocks
    )


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 1), (0, N), (9, 10), (10, 20), (13, 47), (N - 1, N), (40, 400)]
)
def test_a_part_is_a_run_of_rows(table, start, stop):
    part = table.part(start, stop)
    assert (
        np.array_equal(np.concatenate(list(part.blocks(5))), X[start:stop])
        and part.shape == X[start:stop].shape
    )
    inner = table.part(5, N).part(3, 9)
    assert np.array_equal(np.concatenate(list(inner.blocks(4))), X[8:14])


def test_blocks_do_not_share_memory(table):
    first, second = list(table.blocks(20))[:2]
    assert not np.shares_memory(first, second)


def test_pieces_are_cut_anew():
    pieces = [X[:3], X[3:3], X[3:40], X[40:]]
    assert [len(block) for block in recut(pieces, 8, D, np.float64)] == [8] * 6 + [5]
    assert list(recut([], 8, D, np.float64)) == []


def test_whole_numbers_and_other_widths_keep_their_values(tmp_path):
    mixed = pd.DataFrame({"a": np.arange(5, dtype=np.int16), "b": np.arange(5) / 3})
    mixed.to_parquet(tmp_path / "x.parquet")
    (block,) = open_table(tmp_path / "x.parquet").blocks(10)
    assert block.dtype == np.float64 and np.array_equal(block, mixed.to_numpy())
    np.save(tmp_path / "big_endian.npy", X.astype(">f8"))
    assert np.array_equal(next(open_table(tmp_path / "big_endian.npy").blocks(N)), X)


def test_an_index_of_pandas_is_no_dimension_and_columns_can_be_left_out(tmp_path):
    named = frame().assign(name=[f"row {i}" for i in range(N)]).sample(frac=1.0, random_state=0)
    named.to_parquet(tmp_path / "x.parquet")
    with pytest.raises(
        UserError,
        match=(
            r"column name holds \w+ values, expected real numbers. Leave it out with --without name"
        ),
    ):
        open_table(tmp_path / "x.parquet")
    table = open_table(tmp_path / "x.parquet", without=["name", "c2"])
    assert table.columns == ("c0", "c1", "c3")
    assert np.array_equal(next(table.blocks(N)), named[["c0", "c1", "c3"]].to_numpy())


def test_an_index_that_pandas_named_is_no_dimension(tmp_path):
    case = pd.Index(np.random.default_rng(0).permutation(N), name="case")
    frame().set_index(case).to_parquet(tmp_path / "x.parquet")
    table = open_table(tmp_path / "x.parquet")
    assert table.columns == ("c0", "c1", "c2", "c3")


def test_a_missing_value_becomes_nan(tmp_path):
    holed = frame().astype("Float32")
    holed.loc[7] = pd.NA
    holed.to_parquet(tmp_path / "x.parquet")
    block = next(open_table(tmp_path / "x.parquet").blocks(N))
    assert np.isnan(block[7]).all() and np.isfinite(np.delete(block, 7, axis=0)).all()


def bytes_of(array, **how) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **how)
    return buffer.getvalue()


def header(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


BAD_FILES = [
    ("x.npy", bytes_of(X)[:-1], "the file is cut short"),
    ("x.npy", bytes_of(X)[:50], "no .npy file that can be read"),
    ("x.npy", b"", "no .npy file that can be read"),
    ("x.npy", b"PK\x03\x04" + bytes(100), "no .npy file that can be read"),
    (
        "x.npy",
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999, 4)}\n"),
        "the file is cut short",
    ),
    (
        "x.npy",
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (-3, 4)}\n") + bytes(99),
        "expected",
    ),
    ("x.npy", header("__import__('os').abort()"), "no .npy file that can be read"),
    (
        "x.npy",
        bytes_of(np.array([{"a": 1}], object).reshape(1, 1), allow_pickle=True),
        "found object values, expected real numbers",
    ),
    ("x.npy", bytes_of(X.astype(complex)), "found complex128 values"),
    ("x.npy", bytes_of(X > 0), "found bool values"),
    ("x.npy", bytes_of(X.astype(str)), "values, expected real numbers"),
    ("x.npy", bytes_of(X[0]), r"found shape \(4,\), expected \(n, d\)"),
    ("x.npy", bytes_of(X[:0]), "at least one row and one column"),
    ("x.npy", bytes_of(X[:, :0]), "at least one row and one column"),
    ("x.npy", bytes_of(np.asfortranarray(X)), "Fortran order"),
    ("x.parquet", b"PAR1" + bytes(50) + b"PAR1", "no Parquet file that can be read"),
    ("x.parquet", b"", "no Parquet file that can be read"),
    ("x.csv", b"a,b\n1,2\n", "found .csv, expected .npy, .parquet or a folder"),
    ("x", b"", "found no file extension"),
]


@pytest.mark.parametrize(("name", "content", "message"), BAD_FILES)
def test_a_file_that_is_no_table_is_refused_with_its_name(name, content, message, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message) as refused:
        open_table(tmp_path / name)
    assert str(tmp_path / name) in str(refused.value)


BAD_TABLES = [
    (pd.DataFrame({"a": [1.0], "when": [pd.Timestamp(0)]}), "column when holds timestamp"),
    (
        pd.DataFrame({"a": [[1.0, 2.0], [3.0, 4.0]]}),
        "column a holds list.* Give every dimension a column of its own",
    ),
    (pd.DataFrame({"a": [True, False]}), "column a holds bool values"),
    (pd.DataFrame({"a": [1 + 2.0]})[:0], "found 0 rows and 1 columns"),
    (pd.DataFrame(index=range(3)), "0 columns"),
]


@pytest.mark.parametrize(("content", "message"), BAD_TABLES)
def test_columns_that_are_no_numbers_are_named(content, message, tmp_path):
    content.to_parquet(tmp_path / "x.parquet")
    with pytest.raises(UserError, match=message):
        open_table(tmp_path / "x.parquet")


def test_parts_with_different_columns_are_refused(tmp_path):
    frame().to_parquet(tmp_path / "1.parquet")
    frame().rename(columns={"c2": "other"}).to_parquet(tmp_path / "2.parquet")
    with pytest.raises(
        UserError, match=r"2.parquet: its columns are not those of 1.parquet \((c2|other)\)"
    ):
        open_table(tmp_path)
    frame()[NAMES[::-1]].to_parquet(tmp_path / "2.parquet")
    with pytest.raises(UserError, match="the same in another order"):
        open_table(tmp_path)


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(UserError, match="no such file or folder"):
        open_table(tmp_path / "x.npy")
    with pytest.raises(UserError, match=r"found no \.parquet file in this folder"):
        open_table(tmp_path)
    with pytest.raises(
        UserError, match=r"found no column 'label' to leave out\. Its columns are c0, c1, c2, c3"
    ):
        open_table(as_one_file(tmp_path), without=["label"])
    with pytest.raises(
        UserError, match=r"a \.npy file has no names of columns to leave out \(label\)"
    ):
        open_table(as_npy(tmp_path), without=["label"])


def test_a_file_that_changes_after_it_was_opened_is_noticed(tmp_path):
    table = open_table(as_npy(tmp_path))
    np.save(tmp_path / "x.npy", X[:20])
    with pytest.raises(UserError, match="the file ends before row"):
        list(table.blocks(6))
    os.remove(tmp_path / "x.npy")
    with pytest.raises(
        UserError, match=r"could not be read \(No such file or directory\). Every machine"
    ):
        list(table.blocks(6))
    table = open_table(as_one_file(tmp_path))
    frame(X[:20]).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(UserError, match="found 20 rows, at first there were 53"):
        list(table.blocks(6))


def test_only_the_rows_that_are_asked_for_are_read(tmp_path, monkeypatch):
    table = open_table(as_parts(tmp_path))
    opened = []
    usual = row_sources._parquet
    monkeypatch.setattr(
        row_sources, "_parquet", lambda path: opened.append(path.name) or usual(path)
    )
    list(table.part(0, 5).blocks(3))
    assert opened == ["part.1.parquet"]
