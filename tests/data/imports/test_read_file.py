"""Is a file read for what it is, within its limits, and refused in a sentence where it is nothing
that can be used?
"""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.data.imports.draft import Choices
from core.data.imports.file_limits import HOSTED, LOCAL, Allowance, TooMuch
from core.data.imports.read_file import format_of, read
from core.data.imports.wording import one_line, some
from core.types import UserError
from tests.tools.fuzzing import csv, npy, npz, parquet, png, zipped

ROOT = Path(__file__).parents[3]
IMAGES = np.arange(4 * 6 * 5, dtype=np.uint8).reshape(4, 6, 5)
FEATURES = np.arange(12, dtype=np.float64).reshape(4, 3) ** 2


def said(draft) -> str:
    """All faults as one text."""
    return " ".join(map(str, draft.faults))


# What it is.


@pytest.mark.parametrize(
    "data, kind",
    [
        (zipped({"a.png": b""}), "zip"),
        (npz(x=FEATURES), "zip"),
        (npy(FEATURES), "npy"),
        (parquet({"x": [1.0]}), "parquet"),
        (b"x,y\n1,2", "csv"),
    ],
)
def test_the_format_is_told_from_the_content(data, kind):
    assert format_of(data, "file") == kind


def test_a_wrong_ending_is_a_fault_and_no_more():
    draft = read(npy(FEATURES), "features.csv")
    assert draft.points.tolist() == FEATURES.tolist()
    assert "ends in .csv, the content is an .npy file" in said(draft) and not draft.fatal
    assert read(npy(FEATURES), "features.npy").faults == ()
    assert "no ending" in said(read(npy(FEATURES), "features"))


@pytest.mark.parametrize(
    "data, found",
    [
        (b"", "an empty file"),
        (b" \n ", "an empty file"),
        (png(IMAGES[0]), "an image"),
        (b"\x1f\x8b\x08rest", "a gzip file"),
        (b"\x80\x04\x95rest", "a pickled object"),
        (b"\x89HDF\r\n", "an HDF5 file"),
        (zipped({"xl/workbook.xml": b"x"}), "an Excel workbook"),
        (zipped({"model/data.pkl": b"x"}), "a saved PyTorch object"),
        (b"PARE....PARE", "an encrypted Parquet file"),
        (b"\0\1\2\3", "NUL bytes"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an Office document, such as .xls"),
        (b"$FL2@(#) SPSS", "an SPSS file"),
        (b"MATLAB 5.0 MAT-file", "a MATLAB file"),
        (b"ARROW1\0\0", "a Feather file"),
        (b"<stata_dta><header>", "a Stata file"),
        (b"s\1\1\0data", "a Stata file"),
        (gzip.compress(b"X\n\0\0\0\3"), "an R object"),
        (b"BZh91AY", "a packed file of another kind than gzip"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"GIF89a", "an image"),
        (b"RIFF....WAVEfmt", "a sound"),
        (b"a" * 257 + b"ustar", "a tar archive"),
        (b"version https://git-lfs.test/spec/v1\noid sha256:0\n", "a Git LFS pointer"),
        (b"\n<!DOCTYPE html>\n<html>", "a web page"),
        (b"<?xml version='1.0'?>", "XML"),
        (b"a,b,c\n", "0 rows of 3 values"),
        (b"PK\x05\x06" + bytes(18), "no images"),
        (b"PK\x03\x04 and no more", "a damaged file"),
        (b"PAR1 and no more PAR1", "a damaged file"),
    ],
)
def test_what_is_none_of_these_is_refused_with_a_mend(data, found):
    with pytest.raises(UserError, match=f"^file: found {found}"):
        read(data, "file.bin")


@pytest.mark.parametrize(
    "name, title",
    [
        ("../../etc/my digits.zip", "my digits"),
        ("C:\\data\\x.npz", "x"),
        ("", "Own data"),
        ("a\nb\0.csv", "a b"),
        ("a" * 300 + ".csv", "a" * 80),
    ],
)
def test_the_title_is_the_names_stem(name, title):
    assert read(npy(FEATURES), name).title == title


def test_a_path_is_read_as_its_bytes_are(tmp_path):
    (tmp_path / "features.npy").write_bytes(npy(FEATURES))
    assert read(tmp_path / "features.npy", "features.npy").points.tolist() == FEATURES.tolist()
    with pytest.raises(UserError, match=r"nothing that can be read.*Check the path"):
        read(tmp_path / "missing.npy", "missing.npy")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="neither a file nor a folder"):
        read(tmp_path / "pipe", "pipe")


# Arrays.


NO_TABLES = {
    "passwd": "root:x:0:0:root\nHIDDEN:x:1000:1000:HIDDEN,,,:HIDDEN:/bin/HIDDEN\n",
    "one per line": "HIDDEN1\nHIDDEN2\nHIDDEN3\n",
    "key": "-----BEGIN HIDDEN-----\nHIDDENb3BlbnNza\nHIDDENtZXk=\n-----END HIDDEN-----\n",
    ".env": "KEY=HIDDEN1,HIDDEN2\nPASSWORD=HIDDEN3,HIDDEN4\n",
    "diary": "Dear HIDDEN, today\nHIDDEN went home\nand, HIDDEN, slept\n",
    "logins.csv": "HIDDENsite,HIDDENuser,HIDDENword\na,HIDDEN,b\n",
    "hosts": "127.0.0.1 HIDDEN\n10.0.0.5 HIDDEN\n",
    "config.json": '{"token": "HIDDEN", "user": "HIDDEN"}\n',
    "config.yaml": "token: HIDDEN\nusers:\n  - HIDDEN\n  - [HIDDEN, 'HIDDEN\n",
    "quotes.csv": 'a,b\n1,2\n"HIDDEN,3\n4,5\n',
    "uneven.csv": "a,b\n1,2\nHIDDEN,3,4,5\n",
    "HIDDEN.py": "import HIDDEN\nHIDDEN = (1, 2)\n",
}


@pytest.mark.parametrize("folder", [False, True], ids=["file", "folder"])
@pytest.mark.parametrize("name", NO_TABLES)
def test_what_is_no_table_is_refused_without_a_word_of_it(name, folder, tmp_path):
    """A path may lead to any file of this machine."""
    place = tmp_path / ("file.csv" if folder else "file")
    place.write_text(NO_TABLES[name])
    with pytest.raises(UserError) as refused:
        read(tmp_path if folder else place, "file")
    assert "HIDDEN" not in str(refused.value), refused.value


def test_images_with_everything_beside_them():
    probs = np.array([[0.5, 0.5], [1, 0], [0, 1], [0.25, 0.75]])
    data = npz(
        images=IMAGES,
        labels=np.array([7, -2, 7, -2]),
        ids=np.array(["a", "b", "c", "d"]),
        probs=probs,
        test=np.array([0, 0, 1, 1]),
    )
    draft = read(data, "own.npz")
    assert draft.kind == "images" and draft.faults == () and draft.sides == ((5, 6), (5, 6))
    np.testing.assert_array_equal(draft.points, IMAGES)
    assert draft.class_names == ("-2", "7") and draft.labels.tolist() == [1, 0, 1, 0]
    assert draft.ids.tolist() == ["a", "b", "c", "d"] and draft.test.tolist() == [
        False,
        False,
        True,
        True,
    ]
    np.testing.assert_array_equal(draft.probs, probs.astype(np.float32))


def test_text_labels_are_sorted_by_name_and_numbers_by_size():
    assert read(npz(x=FEATURES, y=np.array(["dog", "cat", "dog", "ape"])), "a.npz").class_names == (
        "ape",
        "cat",
        "dog",
    )
    assert read(npz(x=FEATURES, labels=np.array([10, 9, 1, 9])), "a.npz").class_names == (
        "1",
        "9",
        "10",
    )
    assert read(npz(x=FEATURES, y=np.array([1.0, 2.0, 2.0, 1.0])), "a.npz").class_names == (
        "1",
        "2",
    )
    assert read(npz(x=FEATURES, y=np.full(4, -1)), "a.npz").class_names == ()


@pytest.mark.parametrize("shape", [(4, 6, 5, 1), (4, 6, 5, 3), (4, 6, 5, 4)])
def test_channels(shape):
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    if shape[3] == 4:
        images[..., 3] = 0  # all transparent: white, hence grey
    draft = read(npy(images), "a.npy")
    assert draft.points.shape == {1: (4, 6, 5), 3: shape, 4: (4, 6, 5)}[shape[3]]
    expected = {1: images[..., 0], 3: images, 4: np.full((4, 6, 5), 255)}[shape[3]]
    np.testing.assert_array_equal(draft.points, expected)


@pytest.mark.parametrize("dtype", ["<f8", ">f4", "<f2", "|b1", "<i8", "|u1", ">u2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_features_of_every_type(dtype, order):
    values = (np.arange(12) % 2).reshape(4, 3)
    draft = read(npy(np.asarray(values, dtype, order=order)), "a.npy")
    assert (
        draft.kind == "table"
        and draft.points.dtype == np.float32
        and draft.points.tolist() == values.tolist()
    )


@pytest.mark.parametrize(
    "data, message",
    [
        (
            npz(features=np.zeros((3, 2, 2))),
            r"found float64 of shape \(3, 2, 2\), expected images or features",
        ),
        (npy(np.zeros(3)), "expected numbers of shape"),
        (npy(np.zeros((3, 2), complex)), "found values of type complex128"),
        (npy(np.array(["a"])), "expected numbers of shape"),
        (npy(np.zeros((0, 3))), "found 0 rows"),
        (npy(np.zeros((3, 0))), "found 3 rows of 0 values"),
        (npy(np.zeros((3, 5, 8, 8), np.uint8)), "Keep three channels"),
        (npy(np.array([print], dtype=object), objects=True), "objects are not read"),
        (npz(labels=np.arange(3)), "found arrays named labels, expected images"),
        (npy(FEATURES)[:-1], "found 95 bytes of values, expected 96"),
        (npy(FEATURES) + b"x", "found 97 bytes of values, expected 96"),
    ],
)
def test_arrays_that_are_no_dataset(data, message):
    with pytest.raises(UserError, match=message):
        read(data, "file.npy")


@pytest.mark.parametrize("role", ["labels", "ids", "test", "probs"])
def test_a_wrong_length_is_fatal_and_leaves_a_sound_draft(role):
    draft = read(
        npz(x=FEATURES, **{role: np.ones((3, 2)) if role == "probs" else np.arange(3)}), "a.npz"
    )
    assert (
        len(draft) == 4
        and draft.class_names == ()
        and draft.ids is None
        and draft.probs is None
        and not draft.test.any()
    )
    assert [fault.fatal for fault in draft.faults] == [True]
    assert f"Array {role}: found" in said(draft) and "Give one entry per point" in said(draft)


@pytest.mark.parametrize("others", [("features",), ("image",), ("x", "embedding")])
def test_arrays_that_another_one_displaces_are_named(others):
    images = np.arange(4 * 64, dtype=np.uint8).reshape(4, 8, 8)
    draft = read(
        npz(images=images, labels=np.array([0, 1, 0, 1]), **dict.fromkeys(others, FEATURES)),
        "a.npz",
    )
    assert (
        draft.kind == "images"
        and f"not used: {', '.join(sorted(others))}." in said(draft)
        and draft.labels.tolist() == [0, 1, 0, 1]
    )


def test_other_arrays_are_named():
    assert "not used: extra." in said(read(npz(x=FEATURES, extra=np.ones(1)), "a.npz"))


# What is left out or not used.


def test_rows_that_cannot_be_used_are_left_out_and_counted():
    x = FEATURES.copy()
    x[0, 1] = np.nan
    x[2, 0] = 1e39
    draft = read(
        npz(x=x, labels=np.array(["a", "b", "c", "b"]), ids=np.array(list("pqrs"))), "a.npz"
    )
    assert (
        draft.points.tolist() == x[[1, 3]].tolist()
        and draft.ids.tolist() == ["q", "s"]
        and draft.left_out == 2
    )
    assert "NaN or infinity: 1 of 4, the first being 0, in feature 1 (1)." in said(draft)
    assert "float32: 1 of 4, the first being 2." in said(draft)
    assert draft.class_names == () and "All labels are the same: b." in said(draft)
    with pytest.raises(UserError, match=r"every row is left out\. Rows with inf.*No number is"):
        read(npy(np.full((2, 2), np.inf)), "a.npy")


def test_rows_without_a_label_stay():
    draft = read(npz(x=FEATURES, labels=np.array(["a", "", "b", " "])), "a.npz")
    assert draft.points.tolist() == FEATURES.tolist() and draft.labels.tolist() == [0, -1, 1, -1]
    assert "without a label: 2 of 4, the first being row 1. They stay" in said(draft)
    draft = read(npz(x=FEATURES, labels=np.array([""] * 4)), "a.npz")
    assert len(draft) == 4 and draft.class_names == () and "All labels are blank." in said(draft)


def test_labels_that_look_like_ids_are_for_the_user_to_decide():
    data = npz(x=FEATURES, labels=np.arange(4))
    few = replace(LOCAL, classes=3)
    draft = read(data, "a.npz", limits=few)
    assert draft.fatal and draft.class_names == () and (draft.labels == -1).all()
    assert "4 different labels among 4 points, expected at most 3 classes" in said(
        draft
    ) and "looks like a column of ids" in said(draft)
    assert read(data, "a.npz").class_names == ("0", "1", "2", "3")
    assert read(npz(x=FEATURES, labels=np.array([0.5, 1, 2, 3])), "a.npz").fatal


@pytest.mark.parametrize(
    "ids, told", [("abac", "more than once: 1, such as a"), ("a bc", "without an id: 1 of 4")]
)
def test_ids_in_doubt_are_not_used(ids, told):
    draft = read(npz(x=FEATURES, ids=np.array(list(ids))), "a.npz")
    assert (
        draft.ids is None
        and told in said(draft)
        and draft.refused_ids in draft.faults
        and not draft.fatal
    )


def test_ids_that_are_long_texts_are_refused():
    draft = read(npz(x=FEATURES, ids=np.array(["a" * 201, "b", "c", "d"])), "a.npz")
    assert draft.ids is None and draft.fatal and "201 characters" in said(draft)


@pytest.mark.parametrize(
    "probs, told",
    [
        (np.full((4, 2), 0.6), "4 of 4 rows that are not positive with sum 1"),
        (np.array([[1.5, -0.5]] * 4), "4 of 4 rows"),
        (np.array([[np.nan, 1]] * 4), "4 of 4 rows"),
        (np.full((4, 4), 0.25), "4 columns, expected 2"),
    ],
)
def test_probabilities_in_doubt_are_not_used(probs, told):
    draft = read(npz(x=FEATURES, labels=np.array([0, 1, 0, 1]), probs=probs), "a.npz")
    assert draft.probs is None and told in said(draft) and not draft.fatal


def test_probabilities_may_be_off_by_a_thousandth_and_need_no_labels():
    draft = read(npz(x=FEATURES, probs=np.full((4, 2), 0.5004)), "a.npz")
    assert draft.probs.shape == (4, 2) and draft.class_names == () and draft.faults == ()


def test_a_test_part_of_everything_is_none():
    draft = read(npz(x=FEATURES, test=np.ones(4, bool)), "a.npz")
    assert not draft.test.any() and "All rows are test rows." in said(draft)
    assert "expected true and false" in said(read(npz(x=FEATURES, test=np.arange(4)), "a.npz"))


# Limits.


@pytest.mark.parametrize(
    "change, data, message",
    [
        ({"file_bytes": 100}, npy(FEATURES), "found 224 bytes, expected at most 100"),
        ({"rows": 3}, npy(FEATURES), "found 4 rows, expected at most 3"),
        ({"columns": 2}, npy(FEATURES), "found 3 values per row, expected at most 2"),
        ({"values": 11}, npy(FEATURES), "found 12 values, expected at most 11"),
        ({"rows": 3}, csv({"x": [1, 2, 3, 4]}), "found 4 rows, expected at most 3"),
        ({"rows": 1}, csv({"x": [1, 2, 3, 4]}), "found 5 lines, expected at most 1 rows"),
        (
            {"columns": 1, "classes": 1},
            csv({name: [1] for name in "abcdef"}),
            "found 6 columns, expected at most 5",
        ),
        ({"rows": 3}, parquet({"x": [1, 2, 3, 4]}), "found 4 rows, expected 1 to 3"),
        (
            {"columns": 1, "classes": 1},
            parquet({name: [1] for name in "abcdef"}),
            "found 6 columns, expected 1 to 5",
        ),
        ({"unpacked_bytes": 200}, npz(x=FEATURES), "found more than 200 bytes when unpacked"),
        (
            {"files": 1},
            zipped({f"{i}.png": png(IMAGES[0]) for i in range(4)}),
            "found 4 entries, expected at most 1 files",
        ),
        (
            {"files": 2},
            zipped({f"{i}.png": png(IMAGES[0]) for i in range(3)}),
            "found more than 2 images",
        ),
        (
            {"unpacked_bytes": 79},
            zipped({"a.png": png(IMAGES[0])}),
            "found 80 bytes when unpacked, expected at most 79",
        ),
        (
            {"all_pixels": 50},
            zipped({f"{i}.png": png(IMAGES[0]) for i in range(2)}),
            "found 60 pixels, expected at most 50",
        ),
        (
            {"pixels": 29},
            zipped({"a.png": png(IMAGES[0])}),
            r"none of the images can be read\. .*Images of more than 29 pixels: 1",
        ),
    ],
)
def test_what_asks_for_too_much_is_refused(change, data, message):
    with pytest.raises(UserError, match=message):
        read(data, "file.x", limits=replace(LOCAL, **change))


def test_the_hosted_limits_are_within_the_local_ones():
    assert all(getattr(HOSTED, name) < getattr(LOCAL, name) for name in HOSTED.__dataclass_fields__)


def test_an_allowance_runs_out_once_it_is_passed():
    allowance = Allowance(10, "file", "bytes", "Bring less.")
    allowance.take(10)
    with pytest.raises(
        TooMuch, match=r"file: found more than 10 bytes, the most that is read\. Bring less\."
    ):
        allowance.take(1)


def test_a_header_that_announces_too_much_is_compared_with_the_bytes():
    honest = npy(np.zeros((4, 3)))
    with pytest.raises(
        UserError,
        match=(
            r"found 96 bytes of values, expected 72,000,000,000,024 for shape \(3000000000001, 3\)"
        ),
    ):
        read(
            honest.replace(b"'shape': (4, 3), }" + b" " * 13, b"'shape': (3000000000001, 3), } "),
            "file.npy",
        )


BOMBS = """
import resource
from dataclasses import replace
import numpy as np, pyarrow as pa, pyarrow.csv, pyarrow.parquet, pyarrow.compute
import PIL.Image, PIL.PngImagePlugin
from core.data.imports.file_limits import HOSTED
from core.data.imports.read_file import read
from core.types import UserError
from tests.tools.fuzzing import announcing, npy, parquet, png, zipped

image = png(np.zeros((8, 8), np.uint8))
zeros = bytes(75_000_000)
words = {"label": ["x" * 6_000] * 10_000, "x": range(10_000)}
bombs = {
    "zip": zipped({"a/1.png": zeros}),
    "npz": zipped({"x.npy": npy(np.zeros((1, 8)))[:-64] + zeros}),
    "page": parquet(words, use_dictionary=False, compression="zstd"),
    "words": parquet(words),
    "values": parquet({"embedding": pa.array([np.zeros(8_000_000, bool)])}, compression="zstd"),
    "columns": b"," * 9_000_000,
    "cell": b"x,y\\n" + b"x" * 12_000_000 + b",1",
    "image": zipped({"a/1.png": announcing(image, 30_000, 30_000)}),
}
del zeros, words
limits = replace(HOSTED, file_bytes=30_000_000, unpacked_bytes=50_000_000, values=5_000_000)
held = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (held + 110_000_000, -1))
for name, data in bombs.items():
    try:
        print(name, *read(data, "bomb", limits=limits).faults)
    except UserError as error:
        print(name, error)
"""
ENDS = (
    "75 million bytes when unpacked",
    "50 million bytes when unpacked",
    "50 million bytes when unpacked",
    "longer than 200 characters",
    "5.06 million values",
    "found 9,000,001 columns",
    "a line of 12,000,002 bytes",
    "more than 25 million pixels",
)


def test_bombs_are_refused_in_bounded_memory():
    """The process may not hold 110 MB more than when the bombs were made; each of them would unpack
    to more, or is one line of text.
    """
    run = subprocess.run(
        [sys.executable, "-c", BOMBS], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    for line, end in zip(run.stdout.splitlines(), ENDS, strict=True):
        assert end in line, line


def test_neither_torch_nor_sklearn_is_imported(tmp_path):
    files = {
        "a.npz": npz(x=FEATURES),
        "a.zip": zipped({"a/1.png": png(IMAGES[0])}),
        "a.csv": csv({"x": [1, 2]}),
        "a.parquet": parquet({"x": [1]}),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    code = (
        "import sys; from pathlib import Path; from core.data.imports.read_file import read; from"
        " core.data.imports.draft_preview import preview\nfor path in"
        f" sorted(Path({str(tmp_path)!r}).iterdir()): preview(read(path, path.name))\nassert not"
        " {'torch', 'sklearn', 'streamlit', 'scipy'} & set(sys.modules), set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_progress_is_told_and_may_stop_the_reading():
    data = zipped({f"a/{i}.png": png(IMAGES[0]) for i in range(120)})
    told = []
    read(data, "a.zip", progress=lambda fraction, text: told.append((fraction, text)))
    fractions = [fraction for fraction, _ in told]
    assert (
        fractions == sorted(fractions)
        and 0 <= fractions[0] < fractions[-1] < 1
        and "of 120" in told[0][1]
    )

    def stop(fraction, text):
        raise KeyError("stopped")

    with pytest.raises(KeyError, match="stopped"):
        read(data, "a.zip", progress=stop)


def test_words_stay_on_one_line():
    assert one_line(" a\n\tb\0 ") == "a b?" and len(one_line("x" * 10**6)) == 2000
    assert some(["a", "b", "c", "d"]) == "a, b, c and 1 more" and len(some(["x" * 1000])) == 60


def test_choices_of_another_kind_are_ignored():
    assert read(
        npy(FEATURES), "a.npy", choices=Choices(side=16, label="x", id="y")
    ).points.shape == (4, 3)


def test_a_zip_packed_by_a_rare_method_is_told():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("x.npy", npy(FEATURES))
    with pytest.raises(UserError, match="rarely packed"):
        read(buffer.getvalue(), "a.npz")


@pytest.mark.parametrize("text", [b'{"a": [1, 2]}', b' [{"a": 1}, {"a": 2}]', b"[[1, 2], [3, 4]]"])
def test_json_is_told_with_the_way_to_a_table(text):
    with pytest.raises(UserError, match=r"found JSON, expected .*read_json"):
        read(text, "t.csv")


# A table in parts.

TRAIN = "x,z,label\n1.5,2,a\n2.5,3,b\n3.5,4,a\n"


@pytest.mark.parametrize("folder", ["", "data/"])
@pytest.mark.parametrize(
    ("test", "labels"),
    [
        ("x,z,label\n4.5,5,b\n", [0, 1, 0, 1]),
        ("label,z,x\nb,5,4.5\n", [0, 1, 0, 1]),
        ("x,z\n4.5,5\n", [0, 1, 0, -1]),
    ],
)
def test_a_table_in_two_texts_is_joined(test, labels, folder):
    files = {"test.csv": test, "train.csv": TRAIN, "sample_submission.csv": "id,label\n0,a\n"}
    packed = zipped({folder + name: text.encode() for name, text in files.items()})
    draft = read(packed, "kaggle.zip")
    assert draft.points[:, 0].tolist() == [1.5, 2.5, 3.5, 4.5] and draft.labels.tolist() == labels
    assert draft.test.tolist() == [False] * 3 + [True]
    assert "A table in parts:" in said(draft) and "Tables of a submission:" in said(draft)
    assert ("has no column label" in said(draft)) == (labels[-1] == -1)


def test_a_table_in_two_parquet_files_of_the_names_of_parts():
    columns = {"x": [1.5, 2.5], "label": ["a", "b"]}
    packed = zipped({"train.parquet": parquet(columns), "test.parquet": parquet(columns)})
    assert read(packed, "t.zip").test.tolist() == [False, False, True, True]


@pytest.mark.parametrize("test", ["x,w\n1,2\n", "x;z;label\n1;2;a\n", "x,z,label,w\n1,2,a,3\n"])
def test_texts_of_other_columns_are_no_parts(test):
    packed = zipped({"train.csv": TRAIN.encode(), "test.csv": test.encode()})
    with pytest.raises(UserError, match="found 2 tables with different columns or separators"):
        read(packed, "t.zip")


def test_lines_of_json_have_a_mend_that_works(tmp_path):
    place = tmp_path / "t.jsonl"
    place.write_text('{"x": 1.5, "label": "a"}\n{"x": 2.5, "label": "b"}\n')
    with pytest.raises(UserError, match=r"read_json\(\.\.\., lines=True\)\.to_csv"):
        read(place, place.name)
    pd.read_json(place, lines=True).to_csv(tmp_path / "t.csv", index=False)
    assert read(tmp_path / "t.csv", "t.csv").class_names == ("a", "b")


def test_the_texts_of_the_uci_archive_are_tables():
    rows = "".join(f"{i}.5,{i * 2 % 5},{'xy'[i % 2]}\n" for i in range(10)).encode()
    draft = read(zipped({"iris.data": rows, "iris.names": b"About"}), "iris.zip")
    assert draft.class_names == ("x", "y") and "ends in" not in said(draft)
    with pytest.raises(UserError, match="found 2 tables"):
        read(zipped({"iris.data": rows, "bezdek.data": rows}), "iris.zip")
