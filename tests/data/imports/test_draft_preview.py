"""Does the preview count what is there?"""

import numpy as np
import pytest

from core.data.imports.draft_preview import constant_columns, duplicate_rows, preview
from core.data.imports.read_file import read
from tests.tools.fuzzing import csv, npy, npz, png, zipped


def test_a_table_by_hand():
    columns = {
        "label": ["a", "b", "b", "a", "c", "a"],
        "x": [1, 2, 2, 1, 5, "nan"],
        "one": [7] * 6,
        "split": ["train"] * 4 + ["test"] * 2,
    }
    found = preview(read(csv(columns), "t.csv"))
    assert (found.rows, found.shape, found.test_rows, found.left_out) == (5, (2,), 1, 1)
    assert found.classes == (("a", 2), ("b", 2), ("c", 1))
    assert (found.constant, found.duplicates) == (1, 2)
    assert found.memory == 5 * 2 * 4 + 5 * 2 * 4 + 2 * 2 * 8
    told = " ".join(map(str, found.faults))
    for expected in (
        "Rows with empty cells: 1 of 6",
        "throughout: 1, such as one",
        "earlier one: 2, the first being row 2",
        "points: c",
    ):
        assert expected in told
    assert not found.fatal


def test_images_by_hand():
    image = np.arange(16, dtype=np.uint8).reshape(4, 4)
    other = image.copy()
    other[0, 0] = 99
    found = preview(
        read(zipped({"a/1.png": png(image), "a/2.png": png(other), "b/3.png": png(image)}), "a.zip")
    )
    assert (found.rows, found.shape, found.constant, found.duplicates) == (3, (4, 4), 15, 1)
    assert found.memory == 48 + 3 * 16 * 4 + 3 * 3 * 8 and found.classes == (("a", 2), ("b", 1))
    assert "All images are the same" in str(
        preview(read(npy(np.zeros((3, 4, 4), np.uint8)), "a.npy")).faults
    )


def test_without_labels_there_are_no_classes():
    assert preview(read(npy(np.eye(3)), "a.npy")).classes == ()


def test_a_fatal_fault_is_told():
    assert preview(read(npz(x=np.eye(3), labels=np.arange(2)), "a.npz")).fatal


@pytest.mark.parametrize("n", [1, 5, 4096, 4097])
def test_duplicates_against_sorting(n):
    points = np.random.default_rng(n).integers(0, 9, (n, 3)).astype(np.float32)
    _, first = np.unique(points, axis=0, return_index=True)
    assert np.flatnonzero(~duplicate_rows(points)).tolist() == sorted(first)
    assert constant_columns(np.hstack([points, np.ones((n, 1), np.float32)])).tolist()[-1] is True


def test_minus_zero_is_zero():
    assert duplicate_rows(np.array([[0.0, 1], [-0.0, 1]], np.float32)).tolist() == [False, True]
    assert duplicate_rows(np.zeros((2, 3, 3), np.uint8)).tolist() == [False, True]


def test_numbers_that_may_stand_for_none_are_told():
    columns = {
        "x": [1.5, -999, 2.5, 3, -999],
        "y2": [-999, -500, 0, 500, 999],
        "z": [3, 1, 4, 1, 5],
    }
    told = " ".join(map(str, preview(read(csv(columns), "t.csv")).faults))
    assert "Column x: found -999 in 2 rows, far from the others." in told
    assert "y2" not in told and "Column z" not in told


def test_classes_that_differ_in_case_only_are_told():
    columns = {"label": ["Cat", "cat ", "dog", "Cat", "cat", "dog"], "x": [1, 2, 3, 4, 5, 6.5]}
    told = " ".join(map(str, preview(read(csv(columns), "t.csv")).faults))
    assert "differ in case or blanks only: Cat, cat." in told


def test_classes_of_test_rows_only_are_told():
    columns = {
        "label": ["a", "b", "a", "c", "b", "c"],
        "x": [1, 2, 3, 4, 5, 6.5],
        "split": ["train"] * 3 + ["test"] * 3,
    }
    told = " ".join(map(str, preview(read(csv(columns), "t.csv")).faults))
    assert "Classes without a training point: c." in told
