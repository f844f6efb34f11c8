"""Are labels read from tables beside images, whatever they call them, and tables from archives that
hold nothing else?
"""

from __future__ import annotations

import gzip
import json
import unicodedata
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from core.data.imports.draft import Choices
from core.data.imports.file_limits import LOCAL
from core.data.imports.read_file import read, title_of
from core.types import UserError
from tests.tools.fuzzing import csv, npy, parquet, png, zipped

GREY = np.arange(64, dtype=np.uint8).reshape(8, 8) * 3
KINDS = ["cat", "dog", "cat", "dog"]


def said(draft) -> str:
    """All faults as one text."""
    return " ".join(map(str, draft.faults))


def images(*paths: str) -> dict[str, bytes]:
    """Different images under these paths."""
    return {path: png((GREY + i).astype(np.uint8)) for i, path in enumerate(paths)}


FOUR = images(*[f"im/{i:03}.png" for i in range(4)])


def labels_of(draft) -> list[str]:
    """The label of each point."""
    return [draft.class_names[label] if label >= 0 else "" for label in draft.labels]


# What images are called.


@pytest.mark.parametrize("column", ["file_name", "image", "id", "whatever"])
@pytest.mark.parametrize(
    "call",
    [
        "im/{:03}.png",
        "{:03}.png",
        "./im/{:03}.png",
        "im\\{:03}.png",
        "C:\\data\\im\\{:03}.png",
        "/srv/photos/im/{:03}.png",
        "im/{:03}",
        "{:03}",
        "{}",
    ],
)
def test_a_column_that_names_the_images_is_told_by_its_values(call, column):
    order = [2, 0, 3, 1]
    table = csv({column: [call.format(i) for i in order], "label": [KINDS[i] for i in order]})
    draft = read(zipped({"metadata.csv": table, **FOUR}), "a.zip")
    assert labels_of(draft) == KINDS and "labels are read from metadata.csv" in said(draft)
    assert draft.ids.tolist() == list(FOUR)


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC")])
def test_composed_and_decomposed_letters_are_the_same(forms):
    there, written = (
        [unicodedata.normalize(form, f"ä{i}.png") for i in range(4)] for form in forms
    )
    table = csv({"file_name": written, "label": KINDS}).decode().encode()
    draft = read(zipped({"metadata.csv": table, **images(*there)}), "a.zip")
    assert labels_of(draft) == KINDS


@pytest.mark.parametrize("kind", ["csv", "tsv", "parquet", "jsonl", "labels.txt"])
def test_tables_of_every_kind(kind):
    columns = {"file_name": [f"{i:03}.png" for i in range(4)], "class": KINDS}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    data = {
        "csv": csv(columns),
        "tsv": csv(columns, "\t"),
        "labels.txt": csv(columns, ";"),
        "parquet": parquet(columns),
        "jsonl": "\n".join(map(json.dumps, rows)).encode(),
    }[kind]
    draft = read(zipped({f"im/metadata.{kind}": data, **FOUR}), "a.zip")
    assert labels_of(draft) == KINDS and len(draft.faults) == 1


def test_a_table_of_many_columns_is_looked_at_in_part():
    columns = {"file_name": [f"{i:03}.png" for i in range(4)], "label": KINDS}
    columns |= {f"f{j}": range(4) for j in range(300)}
    lines = [
        json.dumps({name: str(values[i]) for name, values in columns.items()}) for i in range(4)
    ]
    for name, data in (
        ("m.csv", csv(columns)),
        ("m.parquet", parquet({n: list(v) for n, v in columns.items()})),
        ("m.jsonl", "\n".join(lines).encode()),
    ):
        draft = read(zipped({name: data, **FOUR}), "a.zip")
        assert labels_of(draft) == KINDS and len(draft.shown) == 30
        assert f"{name}: found more than 200 columns beside the images." in said(draft)


def test_a_table_without_a_header():
    rows = b"\n".join(b"%03d.png\t%s\t0\t9" % (i, kind.encode()) for i, kind in enumerate(KINDS))
    assert labels_of(read(zipped({"im/annotations.txt": rows, **FOUR}), "a.zip")) == KINDS


def test_a_folder_on_this_machine(tmp_path):
    for path, content in FOUR.items():
        (tmp_path / "pets" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pets" / path).write_bytes(content)
    (tmp_path / "pets/l.csv").write_bytes(csv({"image": [*FOUR], "label": KINDS}))
    assert labels_of(read(tmp_path / "pets", "pets")) == KINDS


def test_lists_of_images_are_parts():
    files = images(*[f"images/{c}/{i}.png" for c in "ab" for i in range(2)])
    files |= {"meta/train.txt": b"a/0\nb/0\n", "meta/test.txt": b"a/1\nb/1\n"}
    draft = read(zipped(files), "food.zip")
    assert labels_of(draft) == list("abab") and draft.test.tolist() == [False] * 2 + [True] * 2
    assert draft.ids.tolist()[2:] == ["images/a/1.png", "images/b/1.png"]
    assert "The test images are those that meta/test.txt lists: 2." in " ".join(
        map(str, draft.faults)
    )


def test_each_part_has_its_own_table():
    files = images(*[f"{part}/{i}.png" for part in ("test", "train") for i in range(2)])
    for part, kinds in (("train", "ab"), ("test", "ba")):
        table = {"file_name": ["0.png", "1.png"], "label": list(kinds)}
        files[f"{part}/metadata.csv"] = csv(table)
    draft = read(zipped(files), "a.zip")
    assert labels_of(draft) == list("abba") and draft.test.tolist() == [False] * 2 + [True] * 2
    # by its name, where it lies above both
    files = images(*[f"{part}/{i}.png" for part in ("test", "train") for i in range(3)])
    files["train.csv"] = csv({"id": [0, 1, 2], "label": list("aba")})
    files["sample_submission.csv"] = csv({"id": [0, 1, 2], "label": list("aaa")})
    draft = read(zipped(files), "a.zip")
    assert "of a submission: 1, such as sample_submission.csv" in said(draft)
    assert labels_of(draft) == [*"aba", "", "", ""]
    files["test_truth.csv"] = files.pop("sample_submission.csv")  # the mend
    assert labels_of(read(zipped(files), "a.zip")) == list("abaaaa")


# Which column is the label.


def test_captions_are_no_labels_until_the_mend():
    columns = {"file_name": [f"{i:03}.png" for i in range(4)], "text": ["a", "b", "a", "b b"]}
    draft = read(zipped({"m.csv": csv({**columns, "n": [1, 2, 3, 4]}), **FOUR}), "a.zip")
    assert draft.class_names == () and draft.columns == ("text", "n")
    assert draft.shown["text"].tolist() == columns["text"]
    assert draft.shown["n"].tolist() == [1, 2, 3, 4] and "shown only" in said(draft)
    assert "m.csv: no labels among the columns text, n." in said(draft)
    data = zipped({"m.csv": csv({**columns, "n": [1, 2, 3, 4]}), **FOUR})
    assert labels_of(read(data, "a.zip", choices=Choices(label="text"))) == ["a", "b", "a", "b b"]
    named = {"file_name": columns["file_name"], "label": columns["text"]}
    draft = read(zipped({"m.csv": csv(named), **FOUR}), "a.zip")
    assert labels_of(draft) == ["a", "b", "a", "b b"]


def test_the_only_other_column_is_the_label_if_it_repeats():
    names = [f"{i:03}.png" for i in range(4)]
    data = zipped({"m.csv": csv({"bild": names, "tier": KINDS}), **FOUR})
    assert labels_of(read(data, "a.zip")) == KINDS
    data = zipped({"m.csv": csv({"bild": names, "tier": list("abcd")}), **FOUR})
    assert read(data, "a.zip").class_names == ()


def test_columns_of_zero_and_one_are_classes():
    columns = {"image": range(4), "MEL": [1, 0, 1, 0], "NV": [0, 1, 0, 1], "BCC": [0] * 4}
    for number in (int, float):
        hot = {name: [number(value) for value in values] for name, values in columns.items()}
        draft = read(zipped({"truth.csv": csv(hot | {"image": range(4)}), **FOUR}), "a.zip")
        assert labels_of(draft) == ["MEL", "NV", "MEL", "NV"]
        assert "one of them for each image" in said(draft)


def test_labels_stay_as_they_are_written_and_can_be_chosen():
    columns = {"image": range(4), "label": ["001", "002"] * 2, "other": list("xxyy")}
    data = zipped({"m.csv": csv(columns), **FOUR})
    assert read(data, "a.zip").class_names == ("001", "002")
    assert labels_of(read(data, "a.zip", choices=Choices(label="other"))) == list("xxyy")
    none = read(data, "a.zip", choices=Choices(label=""))
    assert none.class_names == () and none.columns == ("label", "other")
    with pytest.raises(UserError, match="Label column: found 'z', expected one of label, other"):
        read(data, "a.zip", choices=Choices(label="z"))


def test_numbers_beside_images_can_be_the_target():
    columns = {"image": range(4), "age": [3.5, 4, "", 6]}
    data = zipped({"m.csv": csv(columns), **FOUR})
    draft = read(data, "a.zip", choices=Choices(target="age"))
    assert draft.target.tolist() == [3.5, 4, 6] and draft.ids.tolist()[2] == "im/003.png"
    for files in (FOUR, {"m.csv": csv(columns), **FOUR}):
        with pytest.raises(UserError, match=r"Bring a table that names|expected one of age"):
            read(zipped(files), "a.zip", choices=Choices(target="weight"))


def test_another_column_can_be_the_ids():
    columns = {"image": [3, 2, 1, 0], "label": KINDS, "code": ["d", "c", "b", "a"]}
    data = zipped({"m.csv": csv(columns), **FOUR})
    assert read(data, "a.zip", choices=Choices(id="code")).ids.tolist() == list("abcd")
    assert read(data, "a.zip").ids.tolist() == list(FOUR)
    with pytest.raises(UserError, match="Id column: found 'z'"):
        read(data, "a.zip", choices=Choices(id="z"))


def test_folders_win_over_a_table_that_differs_until_it_is_chosen():
    files = images("a/0.png", "a/1.png", "b/2.png", "b/3.png")
    table = csv({"image": range(4), "label": list("aaab")})
    draft = read(zipped({"m.csv": table, **files}), "a.zip")
    assert labels_of(draft) == list("aabb") and "differ from the folders" in said(draft)
    chosen = read(zipped({"m.csv": table, **files}), "a.zip", choices=Choices(label="label"))
    assert labels_of(chosen) == list("aaab")
    same = csv({"image": range(4), "label": list("aabb")})
    assert read(zipped({"m.csv": same, **files}), "a.zip").faults == ()


def test_a_table_labels_what_folders_do_not():
    files = images(*[f"train/{c}/images/{c}{i}.png" for c in "ab" for i in "12"])
    files |= images("val/images/v1.png", "val/images/v2.png")
    rows = b"v1.png\tb\t0\t0\nv2.png\ta\t0\t0\n"
    draft = read(zipped({"val/val_annotations.txt": rows, **files}), "tiny.zip")
    assert labels_of(draft) == list("aabbba") and draft.test.tolist() == [False] * 4 + [True] * 2
    assert [fault.what for fault in draft.faults] == [
        "The labels are read from val/val_annotations.txt."
    ]


def test_a_split_column_says_which_rows_are_test_rows():
    columns = {"image": range(4), "label": KINDS, "split": ["train", "val", "train", "test"]}
    draft = read(zipped({"m.csv": csv(columns), **FOUR}), "a.zip")
    assert draft.test.tolist() == [False, False, True, True]
    assert draft.ids.tolist() == ["im/000.png", "im/002.png", "im/001.png", "im/003.png"]
    assert labels_of(draft) == ["cat", "cat", "dog", "dog"]


def test_a_table_of_something_else_is_told_and_the_mend_works():
    other = csv({"x": [0.5, 1.5], "y": [1, 3]})
    draft = read(zipped({"m.csv": other, "broken.parquet": b"PAR1", **FOUR}), "a.zip")
    assert "name none of the images: 1, such as m.csv" in said(draft)
    assert "cannot be read: 1, such as broken.parquet" in said(draft)
    assert "column file_name" in said(draft) and draft.class_names == ()
    mended = csv({"file_name": ["000.png", "001.png"], "label": ["a", "b"]})
    assert read(zipped({"m.csv": mended, **FOUR}), "a.zip").class_names == ("a", "b")


def test_images_that_a_table_does_not_name_have_no_label():
    table = csv({"image": range(3), "label": KINDS[:3]})
    draft = read(zipped({"m.csv": table, **FOUR}), "a.zip")
    assert labels_of(draft) == [*KINDS[:3], ""] and "Points without a label: 1 of 4" in said(draft)


def test_paths_of_images_in_a_table_of_hugging_face():
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    rows = pa.array([{"bytes": None, "path": f"im/{i:03}.png"} for i in range(4)], kind)
    table = parquet({"image": rows, "label": KINDS})
    with pytest.raises(
        UserError, match=r"paths of images without their bytes.*zip, with this table"
    ):
        read(table, "a.parquet")
    assert labels_of(read(zipped({"t.parquet": table, **FOUR}), "a.zip")) == KINDS


# Archives that hold a table and no images.

TABLE = csv({"x": [1.5, 2, 3, 4], "z": [2, 3.5, 1, 0], "label": list("abab")})


@pytest.mark.parametrize(
    "name, data",
    [
        ("t.csv.zip", zipped({"d/t.csv": TABLE, "readme.txt": b"x", "__MACOSX/._t.csv": b"x"})),
        ("t.zip", zipped({"t.txt": TABLE})),
        ("t.zip", zipped({"t.parquet": parquet({"x": [1.5, 2, 3, 4], "z": [2.5, 3, 1, 0]})})),
        ("t.csv.gz", gzip.compress(TABLE)),
        ("t.csv.gz", gzip.compress(TABLE[:20]) + gzip.compress(TABLE[20:])),
        ("t.parquet.gz", gzip.compress(parquet({"x": [1.5, 2, 3, 4], "z": [2.5, 3, 1, 0]}))),
        ("t.npy.gz", gzip.compress(npy(np.ones((4, 2))))),
        ("t.zip.gz", gzip.compress(zipped({"t.csv": TABLE}))),
    ],
)
def test_a_packed_table_is_read_as_that_table(name, data):
    draft = read(data, name)
    assert draft.kind == "table" and draft.points.shape == (4, 2)
    assert "ends in" not in said(draft)
    assert title_of("t.csv.gz") == "t" and title_of("t.tar.gz") == "t.tar"


def test_several_tables_are_named_and_the_mend_works():
    with pytest.raises(
        UserError, match=r"found 2 tables, days\.csv, nights\.csv.*bring one of them"
    ):
        read(zipped({"days.csv": TABLE, "nights.csv": TABLE}), "titanic.zip")
    assert len(read(TABLE, "train.csv")) == len(read(zipped({"train.csv": TABLE}), "t.zip")) == 4


def test_a_table_that_is_something_else_is_refused():
    for data, found in (
        (zipped({"t.csv": zipped({"a.png": b""})}), "which is no table"),
        (gzip.compress(gzip.compress(TABLE)), "a gzip file inside another"),
        (gzip.compress(TABLE)[:40], "a gzip file that is damaged"),
        (gzip.compress(b"\0tar"), "NUL bytes"),
    ):
        with pytest.raises(UserError, match=found):
            read(data, "a.bin")


def test_packed_tables_stay_within_their_limits():
    small = replace(LOCAL, file_bytes=10_000)
    for name, data in (
        ("t.csv.gz", gzip.compress(b"x,y\n" + b"1,2\n" * 10_000)),
        ("t.zip", zipped({"t.csv": b"x,y\n" + b"1,2\n" * 10_000})),
        ("t.zip", zipped({"m.csv": b"x,y\n" + b"1,2\n" * 10_000, **FOUR})),
    ):
        with pytest.raises(UserError, match="found more than 10,000 bytes"):
            read(data, name, limits=small)


def test_parts_of_one_table_are_joined():
    def part(start: int) -> bytes:
        return parquet({"x": [start + 0.5, start + 1], "label": ["a", "b"]})

    names = ("test-00000-of-00001", "train-00000-of-00002", "train-00001-of-00002")
    files = {f"data/{name}.parquet": part(10 * i) for i, name in enumerate(names)}
    draft = read(zipped(files), "a.zip")
    assert draft.points[:, 0].tolist() == [10.5, 11, 20.5, 21, 0.5, 1]
    assert draft.test.tolist() == [False] * 4 + [True] * 2 and labels_of(draft) == list("ababab")
    spark = {f"out/part-0000{i}-x.snappy.parquet": part(i) for i in range(2)}
    assert read(zipped(spark), "a.zip").points[:, 0].tolist() == [0.5, 1, 1.5, 2]
    files["data/train-00001-of-00002.parquet"] = parquet({"y": [1.5]})
    with pytest.raises(UserError, match="parts with different columns"):
        read(zipped(files), "a.zip")
