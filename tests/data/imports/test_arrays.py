"""Are arrays read as their owners mean them: images of any type and order, arrays in parts, labels
of every form?
"""

from __future__ import annotations

import numpy as np
import pytest

from core.data.imports.archives import open_zip
from core.data.imports.arrays import found_arrays
from core.data.imports.draft import Choices
from core.data.imports.file_limits import LOCAL
from core.data.imports.read_file import read
from core.types import UserError
from tests.tools.fuzzing import npy, npz, zipped

RNG = np.random.default_rng(0)
STACK = RNG.integers(0, 256, (6, 8, 8), dtype=np.uint8)
X = RNG.normal(size=(8, 3))
Y = np.array([0, 1, 2, 0, 1, 2, 0, 1])


def said(draft) -> str:
    """All faults as one text."""
    return " ".join(map(str, draft.faults))


def found(**arrays: np.ndarray):
    """(what a .npz of these arrays says, before any row is left out, the faults)."""
    faults = []
    archive = open_zip(npz(**arrays), "a", LOCAL)
    return found_arrays(archive, "a", LOCAL, Choices(), faults), " ".join(map(str, faults))


def words_of(rows) -> list[str]:
    """The label of each row."""
    return [rows.labels[0][code] for code in rows.labels[1]]


# Images.


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint16, np.int16, np.float32, np.float64])
def test_whole_numbers_to_255_stay_as_they_are(dtype):
    draft = read(npz(images=STACK.astype(dtype)), "a.npz")
    np.testing.assert_array_equal(draft.points, STACK)
    assert "values 0 to 255. They are read as they are." in said(draft)


@pytest.mark.parametrize(
    "images, expected, told",
    [
        (STACK.astype(np.uint16) * 257, STACK, "65,535 becomes 255"),
        (STACK.astype(np.int64) * 16, np.rint(STACK * 16.0 * 255 / 4095), "4,095 becomes 255"),
        (STACK / 255, STACK, "1 becomes 255"),
        ((STACK / 255).astype(np.float32), STACK, "1 becomes 255"),
        (
            (STACK / 255).astype(np.float16),
            np.rint((STACK / 255).astype(np.float16) * 255.0),
            "1 bec",
        ),
        (np.clip(STACK - 0.25, 0, 255), STACK, "rounded"),
        (STACK / 127.5 - 1, STACK, "-1 becomes 0, and 1 becomes 255"),
        (STACK * 7.0 - 300, STACK, "the smallest becomes 0"),
        (STACK.astype(np.int64) - 128, STACK, "the smallest becomes 0"),
        (STACK > 99, 255 * (STACK > 99), "1 becomes 255"),
    ],
)
def test_images_of_other_ranges_are_scaled_alike_and_told(images, expected, told):
    draft = read(npz(images=images), "a.npz")
    np.testing.assert_array_equal(draft.points, expected)
    assert told in said(draft) and f"Images of {images.dtype}" in said(draft)


def test_images_of_absurd_values_do_no_harm():
    for value in (5.5, 1e308, -1e308, 2.0**64 - 2048):
        assert len(read(npz(images=np.full((3, 4, 4), value)), "a.npz")) == 3
    with np.errstate(over="ignore"):
        images = RNG.normal(size=(3, 4, 4)) * 1e308
    read(npz(images=images), "a.npz")
    images = STACK / 255
    images[2, 0, 0] = np.nan
    draft = read(npz(images=images, ids=np.arange(6)), "a.npz")
    assert draft.ids.tolist() == ["0", "1", "3", "4", "5"] and "NaN or infinity: 1" in said(draft)
    np.testing.assert_array_equal(draft.points, STACK[[0, 1, 3, 4, 5]])
    with pytest.raises(UserError, match="every row is left out"):
        read(npz(images=np.full((3, 4, 4), np.nan)), "a.npz")


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_channels_that_come_first_are_moved(channels):
    images = RNG.integers(0, 256, (5, 8, 9, channels), dtype=np.uint8)
    first = read(npy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))), "a.npy")
    np.testing.assert_array_equal(first.points, read(npy(images), "a.npy").points)
    assert first.sides == ((9, 8), (9, 8)) and "their channels first" in said(first)


def test_a_last_axis_of_channels_is_never_moved():
    images = RNG.integers(0, 256, (5, 3, 8, 3), dtype=np.uint8)
    np.testing.assert_array_equal(read(npy(images), "a.npy").points, images)


@pytest.mark.parametrize("shape", [(6, 8, 9, 5), (6, 5, 8, 9)])
def test_too_many_channels_are_refused_with_mends_that_work(shape):
    images = RNG.integers(0, 256, shape, dtype=np.uint8)
    with pytest.raises(
        UserError, match=r"Keep three channels, such as (.*), or .* features: (.*)\.$"
    ) as e:
        read(npy(images), "a.npy")
    mends = e.value.args[0].split("such as ")[1].rstrip(".").split(", or bring them as features: ")
    kept, flat = (np.ascontiguousarray(eval(mend, {"images": images})) for mend in mends)
    assert read(npy(kept), "a.npy").points.shape == (6, 8, 9, 3)
    assert read(npy(flat), "a.npy").points.shape == (6, 360)


def test_an_array_of_three_axes_is_told_and_the_mends_work():
    x = RNG.random((6, 4, 5))
    draft = read(npz(x=x), "a.npz")
    assert draft.kind == "images" and "taken for images" in said(draft)
    assert "x.reshape(len(x), -1)" in said(draft)
    flat = read(npz(x=x.reshape(len(x), -1)), "a.npz")
    assert flat.kind == "table" and flat.points.shape == (6, 20)
    with pytest.raises(UserError, match="call images images"):
        read(npz(features=x), "a.npz")
    assert read(npz(images=x), "a.npz").kind == "images"


# Arrays in parts.


@pytest.mark.parametrize("form", ["{0}_images {0}_labels", "x_{0} y_{0}", "{0}_x {0}_y"])
def test_parts_are_joined_training_first(form):
    arrays = {}
    for part, rows in (("test", slice(4, 5)), ("val", slice(3, 4)), ("train", slice(0, 3))):
        images, labels = form.format(part).split()
        arrays |= {images: STACK[rows], labels: Y[rows, None]}
    draft = read(npz(**arrays), "a.npz")
    np.testing.assert_array_equal(draft.points, STACK[:5])
    assert draft.test.tolist() == [False] * 3 + [True] * 2 and draft.labels.tolist() == [*Y[:5]]
    assert "in parts: train 3, val 1, test 1." in said(draft)
    assert len(draft.columns) == 1 and not draft.fatal


def test_features_in_parts_with_everything_beside_them():
    draft = read(
        npz(
            X_train=X[:5],
            X_test=X[5:],
            y_train=Y[:5],
            y_test=Y[5:],
            ids_train=np.array(list("abcde")),
            ids_test=np.array(list("fgh")),
        ),
        "a.npz",
    )
    np.testing.assert_array_equal(draft.points, X.astype(np.float32))
    assert draft.ids.tolist() == list("abcdefgh") and draft.labels.tolist() == Y.tolist()


def test_a_test_part_without_labels_is_unlabeled():
    rows, _ = found(x_train=X[:5], x_test=X[5:], y_train=Y[:5])
    assert words_of(rows) == ["0", "1", "2", "0", "1", "", "", ""]
    assert rows.test.tolist() == [False] * 5 + [True] * 3


def test_the_labels_of_parts_can_be_the_target():
    parts = {"labels_train": Y[:5] / 3, "labels_test": Y[5:] / 3}
    assert read(npz(x_train=X[:5], x_test=X[5:], **parts), "a.npz").fatal
    data = npz(x_train=X[:5], x_test=X[5:], y_train=Y[:5] / 3, y_test=Y[5:] / 3)
    assert read(data, "a.npz").target.tolist() == (Y / 3).tolist()
    assert read(data, "a.npz", choices=Choices(target="y")).target.tolist() == (Y / 3).tolist()


def test_parts_that_do_not_fit():
    with pytest.raises(UserError, match=r"parts of x of shapes \(5, 3\), \(3, 2\)"):
        read(npz(x_train=X[:5], x_test=X[5:, :2]), "a.npz")
    assert read(npz(x_train=X[:5], x_test=X[5:], y_train=Y[:5], y_test=Y), "a.npz").fatal
    draft = read(npz(x=X, y=Y, x_train=X[:2], train_y=Y[:2]), "a.npz")
    assert len(draft) == 8 and "not used: train_y, x_train." in said(draft)
    assert read(npz(x_train=X, y=Y), "a.npz").labels.tolist() == Y.tolist()


# Labels.


def test_columns_of_zero_and_one_are_classes_unless_they_are_the_target():
    for hot in (np.eye(3)[Y], np.eye(3, dtype=bool)[Y]):
        draft = read(npz(x=X, y=hot), "a.npz")
        assert draft.class_names == ("0", "1", "2") and draft.labels.tolist() == Y.tolist()
        assert "one of them for each point" in said(draft)
    target = read(npz(x=X, y=np.eye(3)[Y]), "a.npz", choices=Choices(target="y")).target
    np.testing.assert_array_equal(target, np.eye(3)[Y])


def test_several_labels_a_point_are_refused_with_mends_that_work():
    many = np.array([[1, 1], [0, 1], [0, 0], [1, 0]] * 2)
    draft = read(npz(x=X, y=many), "a.npz")
    assert draft.fatal and "Choose no labels, or this array as the target" in said(draft)
    assert not read(npz(x=X, y=many), "a.npz", choices=Choices(label="")).fatal
    chosen = read(npz(x=X, y=many), "a.npz", choices=Choices(target="y"))
    assert not chosen.fatal and chosen.target.tolist() == many.tolist()


@pytest.mark.parametrize("dtype", [int, float, str])
def test_minus_one_beside_two_classes_is_no_label_unless_it_is_chosen(dtype):
    labels = np.array([0, 1, -1, -1, -1, 0, 1, -1]).astype(dtype)
    rows, told = found(features=X, labels=labels)
    words = ["0", "1", "", "", "", "0", "1", ""]
    assert [word.removesuffix(".0") for word in words_of(rows)] == words
    assert "found -1 in 4 of 8 rows" in told and rows.asks == {"marks"}
    choices = Choices(marks_are_classes=True)
    chosen = read(npz(features=X, labels=labels), "a.npz", choices=choices)
    assert "-1" in {name.removesuffix(".0") for name in chosen.class_names}


@pytest.mark.parametrize("labels", [[-1, 1] * 4, [-2, -1, 0, 1] * 2])
def test_minus_one_that_is_a_class_stays_one(labels):
    draft = read(npz(x=X, y=np.array(labels)), "a.npz")
    assert "-1" in draft.class_names and len(draft) == 8 and draft.faults == ()


def test_labels_of_bytes():
    draft = read(npz(x=X, y=np.array([b"cat", b"dog"] * 4)), "a.npz")
    assert draft.class_names == ("cat", "dog")


def test_objects_are_never_read_and_the_mend_works():
    objects = np.array(list("aabbabab"), dtype=object)
    scores = np.array([0.5, 1] * 4, dtype=object)
    packed = zipped(
        {
            "features.npy": npy(X),
            "labels.npy": npy(objects, objects=True),
            "ids.npy": npy(np.array(list("stuvwxyz"), dtype=object), objects=True),
            "price.npy": npy(scores, objects=True),
        }
    )
    draft = read(packed, "a.npz")
    assert len(draft) == 8 and draft.class_names == () and draft.ids is None and not draft.fatal
    assert "Array labels: found Python objects" in said(draft)
    assert "labels.astype(str)" in said(draft) and "ids.astype(str)" in said(draft)
    chosen = read(packed, "a.npz", choices=Choices(target="price"))
    assert chosen.fatal and "price.astype(float)" in said(chosen)
    mended = npz(features=X, labels=objects.astype(str), price=scores.astype(float))
    assert read(mended, "a.npz").class_names == ("a", "b")
    assert read(mended, "a.npz", choices=Choices(target="price")).target.tolist() == [0.5, 1] * 4


def test_names_of_files_are_ids():
    draft = read(npz(embeddings=X, filenames=np.array([f"{i}.png" for i in range(8)])), "a.npz")
    assert draft.ids.tolist() == [f"{i}.png" for i in range(8)]


@pytest.mark.parametrize(
    "parts",
    [
        {"split": np.array(["train", "Test"] * 4)},
        {"test_mask": np.array([False, True] * 4)},
        {"test_mask": np.array([0, 1] * 4)},
    ],
)
def test_an_array_tells_the_test_rows_by_truth_or_by_words(parts):
    draft = read(npz(features=X, labels=Y, **parts), "a.npz")
    assert draft.test.tolist() == [False, True] * 4


def test_an_array_of_other_words_tells_no_test_rows():
    draft = read(npz(features=X, labels=Y, split=np.array(["one", "two"] * 4)), "a.npz")
    assert not draft.test.any() and "or words such as train and test" in said(draft)


def test_images_in_a_row_are_read_as_features_and_told():
    draft = read(npz(images=STACK.reshape(6, 64)), "a.npz")
    assert draft.kind == "table" and "images.reshape(n, 28, 28)" in said(draft)


# What an array is by what it holds.


@pytest.mark.parametrize("name", ["y", "target", "targets"])
def test_a_y_with_many_values_is_a_target_as_in_a_table(name):
    many = RNG.permutation(8) * 60
    draft = read(npz(x=X, **{name: many}), "a.npz")
    assert draft.target.tolist() == many.tolist() and draft.class_names == () and not draft.fatal
    assert f"Array {name}: found numbers with many values, which are no classes." in said(draft)
    assert len(read(npz(x=X, labels=many), "a.npz").class_names) == 8
    chosen = read(npz(x=X, **{name: many}), "a.npz", choices=Choices(label=name))
    assert len(chosen.class_names) == 8
    longer = {"x": RNG.normal(size=(300, 3)), name: 20 + np.arange(300) % 41}
    draft = read(npz(**longer), "a.npz")
    assert len(draft.class_names) == 41 and "found 41 whole numbers." in said(draft)


@pytest.mark.parametrize("name", ["indices", "idx", "index", "names", "keys", "uid"])
def test_ids_under_another_name_are_used_if_there_is_one_for_each_point(name):
    numbers = RNG.permutation(8)
    draft = read(npz(features=X, **{name: numbers}), "a.npz")
    assert draft.ids.tolist() == numbers.astype(str).tolist() and said(draft) == ""
    for others in (np.arange(5), np.array([1, 1, 2, 3, 4, 5, 6, 7]), np.eye(8)):
        draft = read(npz(features=X, **{name: others}), "a.npz")
        assert draft.ids is None and f"not used: {name}." in said(draft) and not draft.fatal


def test_names_of_classes_and_of_features_as_scikit_learn_has_them():
    names = {
        "target_names": np.array(["neg", "mid", "pos"]),
        "feature_names": np.array(list("uvw")),
    }
    draft = read(npz(data=X, target=Y, **names), "a.npz")
    assert draft.class_names == ("mid", "neg", "pos") and said(draft) == ""
    assert [draft.class_names[label] for label in draft.labels[:3]] == ["neg", "mid", "pos"]
    assert draft.feature_names == ("u", "v", "w")
    few = names | {"target_names": np.array(["neg", "pos"])}
    draft = read(npz(data=X, target=Y, **few), "a.npz")
    assert draft.class_names == ("0", "1", "2") and "not used: target_names." in said(draft)
