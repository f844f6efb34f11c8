"""Are images read from Parquet, with the names of their classes, their ids and their parts?"""

from __future__ import annotations

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.data.imports.draft import Choices
from core.data.imports.file_limits import LOCAL
from core.data.imports.image_tables import found_image_rows, image_column
from core.data.imports.read_file import read
from core.types import UserError
from tests.tools.fuzzing import parquet, png, zipped

RNG = np.random.default_rng(0)
STACK = RNG.integers(0, 256, (6, 8, 8), dtype=np.uint8)
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def said(draft) -> str:
    """All faults as one text."""
    return " ".join(map(str, draft.faults))


def rows(images=STACK, path="{}.png") -> pa.Array:
    """Images as the datasets library keeps them."""
    return pa.array(
        [{"bytes": png(a), "path": path and path.format(i)} for i, a in enumerate(images)], IMAGE
    )


def named(columns: dict, **classes: list[str]) -> bytes:
    """A Parquet file whose metadata name the classes of these columns."""
    features = {name: {"names": names, "_type": "ClassLabel"} for name, names in classes.items()}
    meta = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    return parquet_of(pa.table(columns).replace_schema_metadata(meta))


def parquet_of(table: pa.Table) -> bytes:
    """A Parquet file of a table, with its metadata."""
    import pyarrow.parquet as pq

    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer)
    return buffer.getvalue().to_pybytes()


def tensors(values: np.ndarray) -> pa.Array:
    """A column of tensors of one shape."""
    return pa.FixedShapeTensorArray.from_numpy_ndarray(np.ascontiguousarray(values))


def test_a_dataset_of_hugging_face():
    data = named({"image": rows(), "label": [0, 1] * 3}, label=["cat", "dog"])
    draft = read(data, "train-00000-of-00001.parquet")
    np.testing.assert_array_equal(draft.points, STACK)
    assert draft.class_names == ("cat", "dog") and draft.labels.tolist() == [0, 1] * 3
    assert draft.ids.tolist() == [f"{i}.png" for i in range(6)] and draft.faults == ()


def test_rows_without_a_label_are_blank():
    data = named({"image": rows(path=None), "label": [0, -1, None, 1, 2, 1]}, label=["a", "b"])
    found = found_image_rows(data, "a", LOCAL, Choices(), [], lambda done, text: None)
    assert [found.labels[0][code] for code in found.labels[1]] == ["a", "", "", "b", "", "b"]
    assert found.ids is None


def test_rows_that_cannot_be_read_leave_the_others_their_numbers():
    images = [{"bytes": png(a), "path": None} for a in STACK]
    images[1] = {"bytes": b"no image", "path": None}
    images[3] = None
    draft = read(parquet({"image": pa.array(images, IMAGE), "label": list("ababab")}), "a.parquet")
    assert draft.ids.tolist() == ["0", "2", "4", "5"] and draft.left_out == 2
    assert draft.labels.tolist() == [0, 0, 0, 1] and "such as row 1, row 3" in said(draft)
    np.testing.assert_array_equal(draft.points, STACK[[0, 2, 4, 5]])


def test_parts_in_an_archive_and_in_a_folder(tmp_path):
    def part(which: list[int]) -> bytes:
        return named({"image": rows(STACK[which], path=None), "label": which}, label=list("uvwxyz"))

    files = {
        "d/data/validation-00000-of-00001.parquet": part([4, 5]),
        "d/data/train-00000-of-00002.parquet": part([0, 1]),
        "d/data/train-00001-of-00002.parquet": part([2, 3]),
        "d/README.md": b"x",
    }
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    for draft in (read(zipped(files), "d.zip"), read(tmp_path / "d", "d")):
        np.testing.assert_array_equal(draft.points, STACK)
        assert draft.class_names == tuple("uvwxyz") and draft.labels.tolist() == [*range(6)]
        assert draft.test.tolist() == [False] * 4 + [True] * 2


def test_bytes_alone_and_columns_that_are_chosen():
    columns = {"img": [png(a) for a in STACK], "fine_label": [3, 4] * 3, "age": [1.5, 2] * 3}
    data = named(columns | {"coarse": [0, 0, 1] * 2}, coarse=["x", "y"])
    draft = read(data, "a.parquet")
    assert draft.class_names == ("3", "4") and draft.columns == ("fine_label", "age", "coarse")
    assert {role.column: role.role for role in draft.roles} == {
        "img": "feature",
        "fine_label": "label",
        "age": "shown only",
        "coarse": "shown only",
    }
    assert draft.shown["age"].tolist() == [1.5, 2] * 3 and draft.faults == ()
    coarse = read(data, "a.parquet", choices=Choices(label="coarse", target="age"))
    assert coarse.class_names == ("x", "y") and coarse.target.tolist() == [1.5, 2] * 3
    assert read(data, "a.parquet", choices=Choices(label="")).class_names == ()
    other = Choices(roles=(("fine_label", "left out"), ("age", "target")))
    other = read(data, "a.parquet", choices=other)
    assert other.class_names == ("x", "y") and other.target.tolist() == [1.5, 2] * 3
    with pytest.raises(UserError, match="beside images, which are the features"):
        read(data, "a.parquet", choices=Choices(roles=(("age", "feature"),)))
    ids = read(data, "a.parquet", choices=Choices(id="age"))
    assert ids.ids is None  # they repeat


def test_measurements_are_no_labels_until_the_mend():
    data = parquet({"image": rows(), "label": [1.5, 2, 3, 4, 5, 6]})
    assert "found fractions" in said(read(data, "a.parquet"))
    mended = read(data, "a.parquet", choices=Choices(target="label"))
    assert mended.target.tolist() == [1.5, 2, 3, 4, 5, 6] and mended.faults == ()


@pytest.mark.parametrize(
    "values, expected",
    [
        (STACK, STACK),
        (STACK[..., None].repeat(3, axis=3), STACK),
        ((STACK / 255).astype(np.float32), STACK),
        (STACK[:, None], STACK),
    ],
)
def test_tensors_of_one_shape(values, expected):
    data = parquet_of(pa.table({"x": tensors(values), "label": list("ababab")}))
    draft = read(data, "a.parquet")
    np.testing.assert_array_equal(draft.points, expected)
    assert draft.labels.tolist() == [0, 1] * 3


def test_tensors_of_one_axis_are_features():
    values = RNG.normal(size=(6, 3)).astype(np.float32)
    data = parquet_of(pa.table({"embedding": tensors(values), "label": list("ababab")}))
    draft = read(data, "a.parquet")
    np.testing.assert_array_equal(draft.points, values)
    assert draft.kind == "table" and draft.class_names == ("a", "b")


def test_which_column_holds_images():
    columns = {"thumb": rows(), "image": rows(), "x": [1.0] * 6, "raw": [b"x"] * 6}
    assert image_column(pa.table(columns).schema) == "image"
    assert image_column(pa.table({"raw": [b"x"], "x": [1]}).schema) is None
    assert image_column(pa.table({"v": tensors(np.ones((2, 3)))}).schema) is None


@pytest.mark.parametrize("meta", [b"{", b"[]", b'{"info": 3}', b"[" * 100_000, b"\xff"])
def test_metadata_that_are_nonsense_are_passed_over(meta):
    table = pa.table({"image": rows(), "label": [0, 1] * 3})
    data = parquet_of(table.replace_schema_metadata({b"huggingface": meta}))
    assert read(data, "a.parquet").class_names == ("0", "1")


def test_no_image_at_all():
    with pytest.raises(UserError, match="none of the images can be read"):
        read(parquet({"image": [b"x", b"y"]}), "a.parquet")


def test_names_of_classes_in_a_table_without_images_and_beside_the_label():
    table = pa.table({"x": [1.5, 2.5, 3.5], "label": [1, 0, -1], "coarse_label": [0, 1, 1]})
    classes = {"label": ["neg", "pos"], "coarse_label": ["low", "high"]}
    features = {name: {"names": names, "_type": "ClassLabel"} for name, names in classes.items()}
    meta = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    content = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(meta), content)
    draft = read(content.getvalue(), "t.parquet")
    assert draft.class_names == ("neg", "pos") and draft.labels.tolist() == [1, 0, -1]
    assert draft.shown["coarse_label"].tolist() == ["low", "high", "high"]


def test_sounds_are_called_so():
    rows = [{"bytes": b"RIFF\0\0\0\0WAVEfmt ", "path": "a.wav"}] * 3
    content = io.BytesIO()
    pq.write_table(pa.table({"audio": rows, "label": [0, 1, 0]}), content)
    with pytest.raises(UserError, match="found sounds, expected images or numbers"):
        read(content.getvalue(), "t.parquet")
