"""Are columns read for what they are, in CSV and in Parquet, and is every doubt told?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from core.data.imports.draft import Choices
from core.data.imports.file_limits import HOSTED, LOCAL
from core.data.imports.read_file import read
from core.data.imports.tables.parquet_limits import INT, STRUCT, TRUE, _Thrift
from core.types import UserError
from tests.tools.fuzzing import csv, parquet

TABLE = {
    "id": ["p", "q", "r", "s"],
    "label": ["cat", "dog", "dog", "cat"],
    "split": ["train", "test", "test", "train"],
    "x": [1.5, 2.0, -3.0, 4.0],
    "n": [1, 2, 3, 4],
    "prob_dog": [0.25, 1.0, 0.5, 0.0],
    "prob_cat": [0.75, 0.0, 0.5, 1.0],
}


def said(draft) -> str:
    """All faults as one text."""
    return " ".join(map(str, draft.faults))


@pytest.fixture(params=["csv", "parquet"])
def load(request):
    """load(columns, **choices) -> draft, from either format."""
    write = {"csv": csv, "parquet": parquet}[request.param]

    def read_columns(columns, limits=LOCAL, **choices):
        return read(
            write(columns), f"table.{request.param}", limits=limits, choices=Choices(**choices)
        )

    return read_columns


# Roles.


def test_every_role_is_found_by_name(load):
    draft = load(TABLE)
    assert draft.kind == "table" and draft.faults == () and draft.title == "table"
    assert draft.feature_names == ("x", "n") and draft.points.tolist() == [
        [1.5, 1],
        [2, 2],
        [-3, 3],
        [4, 4],
    ]
    assert draft.class_names == ("cat", "dog") and draft.labels.tolist() == [0, 1, 1, 0]
    assert draft.ids.tolist() == ["p", "q", "r", "s"] and draft.test.tolist() == [
        False,
        True,
        True,
        False,
    ]
    assert draft.probs.tolist() == [[0.75, 0.25], [0, 1], [0.5, 0.5], [1, 0]]
    assert draft.columns == tuple(TABLE)


@pytest.mark.parametrize("name", ["Label", "CLASS", "target", "y", "labels"])
def test_label_names(load, name):
    assert load({name: [3, 1, 3], "x": [1, 2, 3]}).class_names == ("1", "3")


@pytest.mark.parametrize(
    "name", ["ID", "ids", "index", "Name", "key", "file", "Filename", "path", "Unnamed: 0"]
)
def test_id_names(load, name):
    draft = load({name: ["b", "a", "c"], "x": [1, 2, 3]})
    assert draft.ids.tolist() == ["b", "a", "c"] and draft.feature_names == ("x",)


def test_the_user_may_choose_other_columns_or_none(load):
    draft = load(TABLE, label="n", id="label")
    assert (
        draft.class_names == ("1", "2", "3", "4")
        and draft.ids is None
        and "more than once: 2, such as cat" in said(draft)
    )
    assert draft.feature_names == ("x",) and "Column id: different in each row" in said(draft)
    draft = load({"label": [0, 1, 0], "id": [7, 8, 9]}, label="", id="")
    assert draft.class_names == () and draft.ids is None and draft.feature_names == ("label", "id")
    with pytest.raises(UserError, match=r"Label column: found 'z', expected one of id, label"):
        load(TABLE, label="z")
    draft = load(TABLE, id="label")
    assert draft.refused_ids and draft.class_names == ()
    with pytest.raises(UserError, match=r"Id column: found 'x', expected one of id, label, split"):
        load(TABLE, label="x", id="x")


def test_fractions_are_no_classes(load):
    draft = load({"label": [0.5, 1.0, 2.0], "x": [1, 2, 3]})
    assert (
        draft.fatal
        and draft.class_names == ()
        and draft.feature_names == ("x",)
        and "label: found fractions" in said(draft)
    )
    draft = load({"target": [0.5, 1.0, 2.0], "x": [1, 2, 3]})
    assert draft.target.tolist() == [0.5, 1, 2] and draft.feature_names == ("x",)
    assert "Column target: found numbers with many values" in said(draft) and not draft.fatal
    draft = load({"x": [1.0, 2.0, 3.0], "y": [0.5, 1.0, 2.0]})
    assert (
        not draft.fatal
        and draft.feature_names == ("x", "y")
        and "It is taken as a feature beside x." in said(draft)
    )
    assert load({"x": [1.0, 2.0, 3.0], "y": [0.5, 1.0, 2.0]}, label="y").fatal
    assert load({"x": [1.0, 2.0, 3.0], "y": [1.0, 1.0, 2.0]}).class_names == ("1", "2")


def test_probabilities_of_other_classes_are_not_used(load):
    draft = load({**TABLE, "label": ["cat", "cow", "cow", "cat"]})
    assert draft.probs is None and "found those of dog, cat, expected those of cat, cow" in said(
        draft
    )
    assert draft.feature_names == ("x", "n")
    draft = load({**TABLE, "prob_dog": [0.5] * 4})
    assert draft.probs is None and "3 of 4 rows" in said(draft)


def test_columns_called_p_are_probabilities_only_if_they_can_be(load):
    draft = load({"label": [0, 1, 0], "p_0": [0.5, 0, 1], "p_1": [0.5, 1, 0], "x": [1, 2, 3]})
    assert draft.probs.tolist() == [[0.5, 0.5], [0, 1], [1, 0]] and draft.feature_names == ("x",)
    draft = load({"label": [0, 1, 0], "p_value": [0.5, 0, 1], "x": [1, 2, 3]})
    assert draft.probs is None and draft.feature_names == ("p_value", "x") and draft.faults == ()
    draft = load({"p_a": [0.5, 0, 1], "p_b": [0.5, 1, 0], "x": [1, 2, 3]})
    assert draft.probs.shape == (3, 2) and draft.class_names == () and draft.feature_names == ("x",)
    assert load({"p_a": [0.5, 0, 1], "p_b": [0.5, 1, 1], "x": [1, 2, 3]}).feature_names == (
        "p_a",
        "p_b",
        "x",
    )


def test_a_split_of_other_words_is_not_used(load):
    draft = load({"split": ["train", "never", "test"], "x": [1, 2, 3]})
    assert not draft.test.any() and "Column split: found" in said(draft) and "never" in said(draft)
    draft = load({"split": [0, 1, 1], "x": [1, 2, 3]})
    assert draft.feature_names == ("x",) and "split: found numbers" in said(draft)
    assert draft.shown["split"].tolist() == [0, 1, 1] and not draft.test.any()
    draft = load({"split": [0, 1, 1], "x": [1, 2, 3]}, roles=(("split", "feature"),))
    assert draft.feature_names == ("split", "x") and draft.faults == ()


def test_text_is_left_out(load):
    draft = load({"x": [1, 2], "note": ["a", "b"], "day": ["2020-01-01", "2020-01-02"]})
    assert draft.feature_names == ("x",) and "not numbers: note, day." in said(draft)
    with pytest.raises(UserError, match="found no features in 2 columns, expected"):
        load({"id": [1, 2], "note": ["a", "b"]})


def test_truth_values_and_large_numbers():
    money = pa.array([1, 2], pa.decimal128(5, 2))
    small = pa.array([1, 2], pa.uint8())
    draft = read(
        parquet({"b": [True, False], "i": [2**62, 1], "d": money, "u": small}), "t.parquet"
    )
    assert draft.points.tolist() == [[1, 2**62, 1, 1], [0, 1, 2, 2]]
    assert read(b"a,b\ntrue,1\nfalse,2\n", "t.csv").points.tolist() == [[1, 1], [0, 2]]


def test_missing_values_are_rows_left_out(load):
    draft = load({"x": [1.0, float("nan"), float("inf"), 1e300, 5.0], "id": [1, 2, 3, 4, 5]})
    assert (
        draft.points.tolist() == [[1], [5]]
        and draft.ids.tolist() == ["1", "5"]
        and draft.left_out == 3
    )
    assert "Rows with empty cells or infinity: 2 of 5, the first being 1, 2, in x (2)." in said(
        draft
    )
    assert "float32: 1 of 5, the first being 3." in said(draft)


# CSV.


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends(separator, end):
    text = end.join(
        separator.join(row) for row in (["id", "x", "z"], ["a", "1", "2.5"], ["b", "3", "-4e-1"])
    )
    draft = read(text.encode(), "t.csv")
    assert draft.ids.tolist() == ["a", "b"] and np.allclose(draft.points, [[1, 2.5], [3, -0.4]])


def test_byte_order_mark_and_latin_1():
    assert read("\ufeffx,é\n1,2\n".encode(), "t.csv").feature_names == ("x", "é")
    draft = read("x,é\n1,2\n".encode("latin-1"), "t.csv")
    assert draft.feature_names == ("x", "é") and "not UTF-8" in said(draft)


def test_ids_stay_as_they_are_written_but_labels_are_numbers():
    draft = read(b"id,label,x\n007,01,1\n7,1.0,2\n1.0,2,3\n", "t.csv")
    assert draft.ids.tolist() == ["007", "7", "1.0"] and draft.class_names == ("1", "2")


def test_the_nameless_first_column_is_an_id():
    draft = read(b",x,\n10,1,5\n11,2,6\n", "t.csv")
    assert draft.ids.tolist() == ["10", "11"] and draft.feature_names == ("x", "unnamed 3")


def test_a_table_without_a_header():
    draft = read(b"1,2\n3,4\n", "t.csv")
    assert (
        draft.points.tolist() == [[1, 2], [3, 4]]
        and draft.feature_names == ("column 1", "column 2")
        and draft.ids is None
    )
    assert "first line holds numbers" in said(draft)


def test_repeated_names_are_numbered():
    draft = read(b"x,x,x (2)\n1,2,3\n4,5,6\n", "t.csv")
    assert (
        len(set(draft.feature_names)) == 3
        and draft.points.tolist() == [[1, 2, 3], [4, 5, 6]]
        and "more than once: x." in said(draft)
    )


def test_quoted_cells_may_hold_separators_and_line_ends():
    draft = read(b'label,x\n"a, or\nso",1\n"b",2\n', "t.csv")
    assert draft.class_names == ("a, or so", "b") and draft.points.tolist() == [[1], [2]]


def test_a_column_of_numbers_with_a_late_word_is_text():
    rows = b"\n".join(b"%d,1" % i for i in range(50_000))
    draft = read(b"a,x\n" + rows + b"\nword,2\n", "t.csv")
    assert (
        draft.feature_names == ("x",)
        and len(draft) == 50_001
        and "50,000 of 50,001 cells are numbers, others are word, the first in row 50,000"
        in said(draft)
    )


@pytest.mark.parametrize(
    "data, message",
    [
        (b"a,b\n1,2\n1,2,3\n", r"found line 3 of 3 cells, expected 2"),
        (b"a,b\n1\n", r"found line 2 of 1 cells, expected 2"),
        (b"a,b\n1,\0\n", "found NUL bytes"),
        (b",,\n1,2,3\n", "found an empty first line"),
        (b"a,b\n", "found 0 rows"),
        (b"just words", "found 0 rows"),
        (b"a,b\nx,y\n", "found no features"),
        (b'a,"b\n1,2\n', "damaged|cells|no header"),
        (b"x\n" + b"1" * 11_000_000, "found a line of 11,000,000 bytes"),
        (b'a,"' + b"b" * 200_000 + b'"\n1,2\n', "a first line that is no header"),
        (b"," * 5_000 + b"\n", "found 5,001 columns, expected at most 4,299"),
    ],
)
def test_text_that_is_no_table(data, message):
    with pytest.raises(UserError, match=message):
        read(data, "t.csv", limits=replace(HOSTED, file_bytes=LOCAL.file_bytes))


# Parquet.


def test_lists_are_an_embedding():
    columns = {
        "key": ["a", "b"],
        "age": [1, 2],
        "embedding": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]],
        "label": [1, 0],
    }
    draft = read(parquet(columns), "t.parquet")
    assert draft.points.tolist() == columns["embedding"] and draft.feature_names == (
        "embedding 0",
        "embedding 1",
        "embedding 2",
    )
    assert (
        draft.ids.tolist() == ["a", "b"]
        and draft.labels.tolist() == [1, 0]
        and draft.columns == ("key", "age", "label")
    )
    assert "beside the lists of embedding: age." in said(draft)


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.float32()), pa.large_list(pa.float64()), pa.list_(pa.int8(), 2)]
)
def test_every_kind_of_list(kind):
    draft = read(parquet({"v": pa.array([[1, 2], None, [3, None], [5, 6]], kind)}), "t.parquet")
    assert draft.points.tolist() == [[1, 2], [5, 6]] and draft.left_out == 2


def test_several_lists_and_lists_of_several_lengths():
    draft = read(parquet({"a": [[1.0], [2.0]], "vector": [[3.0], [4.0]]}), "t.parquet")
    assert draft.points.tolist() == [[3], [4]] and "not numbers: a." in said(draft)
    with pytest.raises(
        UserError, match="lists of 1 to 2 numbers in column a, expected lists of one length"
    ):
        read(parquet({"a": [[1.0], [2.0, 3.0]]}), "t.parquet")
    with pytest.raises(UserError, match="found no lists in column a"):
        read(parquet({"a": pa.nulls(2, pa.list_(pa.float32()))}), "t.parquet")


def test_lists_beside_probabilities():
    draft = read(
        parquet(
            {
                "embedding": [[1.0], [2.0]],
                "prob_a": [0.5, 1],
                "prob_b": [0.5, 0],
                "label": ["a", "b"],
            }
        ),
        "t.parquet",
    )
    assert draft.probs.tolist() == [[0.5, 0.5], [1, 0]] and draft.faults == ()


def test_columns_of_every_other_type():
    columns = {
        "x": [1.0, 2.0],
        "s": [{"a": 1}, {"a": 2}],
        "when": pa.array([1, 2], pa.timestamp("s")),
        "none": pa.nulls(2),
        "label": pa.array(["a", "b"]).dictionary_encode(),
        "id": pa.array([b"u", b"v"], pa.binary()),
    }
    draft = read(parquet(columns), "t.parquet")
    assert (
        draft.feature_names == ("x",)
        and draft.class_names == ("a", "b")
        and draft.ids.tolist() == ["u", "v"]
    )
    assert "not numbers: when." in said(draft) and "s" not in draft.columns
    assert "several values in a cell: s. They are left out." in said(draft)
    assert draft.shown["when"].tolist() == ["1970-01-01 00:00:01", "1970-01-01 00:00:02"]


def test_ids_that_pandas_made_fractions_of():
    draft = read(parquet({"id": [1.0, 2.0, None], "x": [1, 2, 3]}), "t.parquet")
    assert draft.ids is None and "without an id: 1 of 3" in said(draft)
    assert read(parquet({"id": [1.0, 2.0], "x": [1, 2]}), "t.parquet").ids.tolist() == ["1", "2"]


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd", "lz4", "brotli"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_every_compression_and_page_version_is_within_the_limits_exactly(compression, version):
    columns = {
        "x": np.random.default_rng(0).normal(size=5_000),
        "label": ["a", "b"] * 2_500,
        "id": [f"p{i}" for i in range(5_000)],
    }
    data = parquet(
        columns,
        compression=compression,
        data_page_version=version,
        row_group_size=700,
        data_page_size=1_000,
        write_statistics=True,
    )
    draft = read(data, "t.parquet")
    np.testing.assert_array_equal(draft.points[:, 0], columns["x"].astype(np.float32))
    assert draft.ids.tolist() == columns["id"] and draft.class_names == ("a", "b")
    values = replace(LOCAL, values=5_000, rows=5_000)
    assert len(read(data, "t.parquet", limits=values)) == 5_000
    with pytest.raises(UserError, match="found more than 30,000 bytes when unpacked"):
        read(data, "t.parquet", limits=replace(LOCAL, unpacked_bytes=30_000))


def test_a_page_header_by_hand():
    # Thrift's compact protocol: field 1 (i32) = 0, field 2 = 1000, field 3 = 300, field 5 a struct
    # with field 1 = 7 and a boolean, stop.
    data = bytes(
        [0x15, 0x00, 0x15, 0xD0, 0x0F, 0x15, 0xD8, 0x04, 0x2C, 0x15, 0x0E, 0x11, 0x00, 0x00, 0xFF]
    )
    reader = _Thrift(data, 0, 6)
    inner = {(1, INT): 7, (2, TRUE): True}
    assert (
        reader.struct() == {(1, INT): 0, (2, INT): 1000, (3, INT): 300, (5, STRUCT): inner}
        and reader.at == 14
    )


def test_two_columns_of_one_name_are_refused():
    table = pa.table([pa.array([1.0]), pa.array([2.0])], names=["x", "x"])
    buffer = pa.BufferOutputStream()
    pa.parquet.write_table(table, buffer)
    with pytest.raises(UserError, match="two columns of one name"):
        read(buffer.getvalue().to_pybytes(), "t.parquet")


@pytest.mark.parametrize("write", [csv, parquet])
def test_a_column_without_any_number_costs_itself_and_no_row(write):
    draft = read(write({"x": [1.0, 2, 3], "gone": [np.nan] * 3, "z": [4.0, np.nan, 6]}), "t")
    assert draft.feature_names == ("x", "z") and draft.points.tolist() == [[1, 4], [3, 6]]
    assert draft.left_out == 1 and not draft.fatal
    if write is parquet:  # in a CSV file it is a column of nothing
        assert "Columns with gaps: gone (3 of 3). They are left out" in said(draft)
    with pytest.raises(UserError, match="every row is left out"):
        read(parquet({"x": [np.nan] * 3}), "t")


@pytest.mark.parametrize("value", [2.31, 0.1, 1e9 + 0.1])
def test_a_column_of_one_value_has_no_differences_to_lose(value):
    rows = "".join(f"{value},{i * 0.37:.2f}\n" for i in range(10))
    draft = read(f"a,b\n{rows}".encode(), "t.csv")
    assert draft.points.dtype == np.float32 and "float32" not in said(draft)
