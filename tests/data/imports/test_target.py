"""A target for a regression: is the column that the user names read as numbers, and every doubt
told with what was found, what was expected, and a mend?
"""

from __future__ import annotations

import re

import numpy as np
import pytest

from core.data.imports.draft import Choices
from core.data.imports.draft_preview import preview
from core.data.imports.read_file import read
from core.types import Dataset, UserError
from tests.tools.fuzzing import csv, npy, parquet
from tests.tools.own_data import npz_of, zip_of

RENTS = {"rent": [700.5, 900, 650, 1200], "rooms": [2, 3, 2, 4], "label": list("abba")}


@pytest.fixture(params=["csv", "parquet"])
def load(request):
    """load(columns, **choices) -> draft, from either format."""
    write = {"csv": csv, "parquet": parquet}[request.param]

    def read_columns(columns, **choices):
        choices = Choices(**{"target": "rent"} | choices)
        return read(write(columns), f"table.{request.param}", choices=choices)

    return read_columns


def said(draft) -> str:
    """All faults as one text."""
    return " ".join(map(str, draft.faults))


def test_the_named_column_is_the_target_and_no_feature(load):
    draft = load(RENTS)
    assert draft.target.tolist() == RENTS["rent"] and draft.target.dtype == np.float64
    assert draft.feature_names == ("rooms",) and draft.class_names == ("a", "b")
    assert draft.faults == () and draft.columns == tuple(RENTS)
    assert draft.dataset().target.tolist() == RENTS["rent"]
    assert preview(draft).target == (650, 1200)
    assert load(RENTS, target=None).target is None, "nothing is a target by itself"
    with pytest.raises(UserError, match="Target column: found 'price', expected one of rent, roo"):
        load(RENTS, target="price")
    with pytest.raises(UserError, match="Label column: found 'rent', expected one of rooms, lab"):
        load(RENTS, label="rent")


def test_a_column_that_would_be_the_labels_is_the_target_where_it_is_named(load):
    years = {"target": [1950, 1960, 1950, 1971], "x": [1.0, 2, 3, 4]}
    draft = load(years, target="target")
    assert draft.target.tolist() == years["target"]
    assert draft.class_names == () and (draft.labels == -1).all() and draft.faults == ()


def test_text_in_a_target_keeps_the_file_out(load):
    draft = load(RENTS | {"rent": ["700", "cheap", "?", "1200"]})
    (fault,) = draft.fatal
    assert fault.what == (
        "Target column rent: found text in 2 of 4 rows, such as cheap, ?, expected numbers."
    )
    assert "Choose another target or none, or write numbers in the file" in fault.mend
    assert draft.target is None and draft.feature_names == ("rooms",)
    assert preview(draft).fatal and preview(draft).target is None
    assert load(RENTS, target="label").fatal


def test_rows_without_a_target_are_left_out_and_counted(load):
    draft = load(RENTS | {"rent": [700.0, np.nan, 650, np.inf]})
    assert draft.target.tolist() == [700, 650] and draft.points[:, 0].tolist() == [2, 2]
    assert draft.left_out == 2 and not draft.fatal
    mend = "They are left out. Mend them in the file, or choose no target to keep them all."
    assert said(draft) == (
        f"Rows without a number as their target: 1 of 4, the first being 1. {mend}"
        f" Rows with an infinite target: 1 of 4, the first being 3. {mend}"
    )


def test_a_row_is_told_once_whether_a_number_is_missing_or_infinite():
    points = np.arange(8.0).reshape(4, 2)
    wide = np.array([[1.0, 2], [np.inf, np.nan], [3, -np.inf], [4, 5]])
    draft = read(npz_of(x=points, both=wide), "a.npz", choices=Choices(target="both"))
    assert draft.target.tolist() == [[1, 2], [4, 5]] and draft.left_out == 2
    assert "without a number as their target: 1 of 4, the first being 1." in said(draft)
    assert "with an infinite target: 1 of 4, the first being 2." in said(draft)


def test_a_target_that_tells_nothing_is_not_used(load):
    draft = load(RENTS | {"rent": [np.nan] * 4})
    assert draft.fatal and len(draft) == 4 and draft.target is None
    assert "Target: found no finite number in any of 4 rows." in said(draft)
    draft = load(RENTS | {"rent": [5.5] * 4})
    assert not draft.fatal and draft.target is None
    assert "All targets are the same: 5.5. One value says nothing" in said(draft)


def test_measured_labels_are_told_what_they_can_be(load):
    draft = load({"label": [0.5, 1.5], "x": [1, 2]}, target=None)
    assert draft.fatal and "choose the column as the target" in said(draft)


def test_arrays_of_an_npz_by_name():
    points = np.arange(12.0).reshape(6, 2)
    given = {"features": points, "labels": np.arange(6) % 2, "years": np.arange(1950, 1956)}
    given["places"] = points[:, ::-1] / 3
    content = npz_of(**given)
    plain = read(content, "a.npz")
    assert plain.target is None and plain.columns == ("labels", "years", "places")
    assert "not used: places, years" in said(plain)
    draft = read(content, "a.npz", choices=Choices(target="years"))
    assert draft.target.tolist() == given["years"].tolist() and draft.class_names == ("0", "1")
    both = read(content, "a.npz", choices=Choices(target="places", label=""))
    assert both.target.tolist() == given["places"].tolist() and both.class_names == ()
    text = read(
        npz_of(features=points, rent=np.array(list("abcdef"))), "a", choices=Choices(target="rent")
    )
    assert "Array of the target: found text in 6 of 6 rows" in said(text) and text.fatal
    short = read(
        npz_of(features=points, rent=np.arange(5)), "a.npz", choices=Choices(target="rent")
    )
    assert (
        "Array target: found int64 of shape (5,), expected shape (6,)" in said(short)
        and short.fatal
    )
    with pytest.raises(UserError, match="Target array: found 'z', expected one of features"):
        read(content, "a.npz", choices=Choices(target="z"))


def test_images_in_folders_have_no_target():
    with pytest.raises(UserError, match="expected images with such a column beside them"):
        read(zip_of(), "pets.zip", choices=Choices(target="year"))


def test_points_that_come_alone_have_no_target_and_the_mend_works():
    features = np.random.default_rng(0).standard_normal((6, 9))
    years = np.arange(1950, 1956)
    with pytest.raises(UserError) as refused:
        read(npy(features), "rows.npy", choices=Choices(target="year"))
    told = str(refused.value)
    assert told.startswith("rows: found one array, expected numbers for each point beside it")
    call = re.search(r"numpy\.savez\('file\.npz', (\w+)=\.\.\., (\w+)=\.\.\.\)", told)
    mended = read(
        npz_of(**{call[1]: features, call[2]: years}), "a", choices=Choices(target=call[2])
    )
    assert mended.target.tolist() == years.tolist() and not mended.fatal


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (list("abc"), "target: found <U1 values, expected numbers.*Choose another column"),
        ([1, np.nan, 3], "target: 1 of 3 rows hold no finite number. Leave these rows out"),
        (np.zeros((3, 0)), r"found shape \(3, 0\), expected"),
        ([1.0, 2.0], "3 points but 2 entries in target"),
    ],
)
def test_a_dataset_refuses_what_is_no_target(target, message):
    with pytest.raises(UserError, match=message):
        Dataset("", np.zeros((3, 2)), np.full(3, -1), (), np.zeros(3, bool), target=target)
