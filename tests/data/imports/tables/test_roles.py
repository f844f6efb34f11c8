"""Is every column taken for what it holds, said so, and taken otherwise where the user says so?"""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from core.data.imports.draft import Choices
from core.data.imports.read_file import read
from core.data.imports.tables.columns import Column
from core.data.imports.tables.label_columns import no_label
from core.data.imports.tables.split_columns import truth_of
from core.types import UserError
from tests.tools.fuzzing import csv, parquet

RNG = np.random.default_rng(0)
MEASURED = {f"f{j}": RNG.standard_normal(24).round(3).tolist() for j in range(3)}
CLASSES = list("ab" * 12)


@pytest.fixture(params=["csv", "parquet"])
def load(request):
    """load(columns, **choices) -> draft, from either format."""
    write = {"csv": csv, "parquet": parquet}[request.param]
    return lambda columns, **choices: read(
        write(columns), f"t.{request.param}", choices=Choices(**choices)
    )


def said(draft) -> str:
    """All faults as one text."""
    return " ".join(map(str, draft.faults))


def role(draft, column: str) -> str:
    """What a column is taken for."""
    return {role.column: role.role for role in draft.roles}[column]


def test_every_column_has_a_role_in_the_order_of_the_file(load):
    columns = MEASURED | {"id": [f"p{i}" for i in range(24)], "label": CLASSES, "note": CLASSES}
    columns["note"] = [f"n{i % 5}" for i in range(24)]
    draft = load(columns)
    assert [one.column for one in draft.roles] == list(columns)
    assert [one.role for one in draft.roles] == ["feature"] * 3 + ["id", "label", "shown only"]
    assert draft.shown["note"].tolist() == columns["note"]


@pytest.mark.parametrize("start", [0, 1, 5000])
def test_row_numbers_are_no_features_in_any_order(load, start):
    numbers = (RNG.permutation(24) + start).tolist()
    draft = load({"case": numbers} | MEASURED)
    assert role(draft, "case") == "id" and draft.ids.tolist() == [str(i) for i in numbers]
    draft = load({"case": numbers, "name": [f"p{i}" for i in range(24)]} | MEASURED)
    assert role(draft, "case") == "shown only" and "case: different in each row, and name" in said(
        draft
    )
    assert draft.shown["case"].tolist() == [str(i) for i in numbers]
    draft = load({"case": numbers} | MEASURED, roles=(("case", "feature"),))
    assert role(draft, "case") == "feature" and draft.feature_names == ("case", *MEASURED)


@pytest.mark.parametrize("name", ["x", "time", "age_in_years", "f9"])
def test_measured_whole_numbers_stay_features(load, name):
    numbers = list(range(24)) if name != "f9" else [3 * i for i in range(24)]
    assert role(load({name: numbers} | MEASURED), name) == "feature"


@pytest.mark.parametrize("name", ["sample_id", "PassengerId", "image key", "uuid", "file_path"])
def test_what_names_the_rows_by_its_name_and_its_values(load, name):
    values = [str(7 * i + 3) for i in range(24)]
    assert role(load({name: values} | MEASURED), name) == "id"
    draft = load({name: [str(i % 5) for i in range(24)]} | MEASURED)
    assert draft.ids is None, "values that repeat name no rows"


def test_a_measurement_is_no_id_whatever_its_name(load):
    assert role(load({"key": [i / 7 for i in range(24)]} | MEASURED), "key") == "feature"


def test_so_many_columns_are_kept_beside_the_points(load):
    words = {f"w{j}": [f"{i}-{j}" for i in range(24)] for j in range(32)}
    draft = load(words | MEASURED)
    assert list(draft.shown) == [f"w{j}" for j in range(30)]
    assert "Columns to show: 32, of which 30 are kept. Left out are w30, w31." in said(draft)


def test_what_repeats_the_label_is_no_feature(load):
    numbers = [ord(c) for c in CLASSES]
    draft = load({"label": CLASSES, "kind": numbers} | MEASURED)
    assert role(draft, "kind") == "shown only" and "repeat the label label: kind" in said(draft)
    coarse = {"label": [f"c{i % 4}" for i in range(24)], "label_group": [i % 2 for i in range(24)]}
    assert role(load(coarse | MEASURED), "label_group") == "shown only"
    near = [*numbers[:-1], 5]
    assert role(load({"label": CLASSES, "kind": near} | MEASURED), "kind") == "feature"


def test_two_rows_a_class_agree_by_chance(load):
    few = {"label": list("aabb"), "f": [1, 1, 2, 2], "g": [1.5, 2.5, 3.5, 4.5]}
    assert role(load(few), "f") == "feature"


@pytest.mark.parametrize(
    ("name", "values", "tested"),
    [
        ("part_of", ["train", "dev"] * 12, 12),
        ("is_test", [False] * 18 + [True] * 6, 6),
        ("is_train", [1] * 18 + [0] * 6, 6),
        ("holdout", [0] * 18 + [1] * 6, 6),
    ],
)
def test_parts_by_their_words_or_their_truth(load, name, values, tested):
    draft = load({name: values} | MEASURED)
    assert role(draft, name) == "split" and draft.test.sum() == tested
    assert draft.feature_names == tuple(MEASURED)


def test_truth_under_a_name_that_does_not_say(load):
    assert truth_of("is_smoker") is None and truth_of("test") is True
    assert role(load({"smoker": [0, 1] * 12} | MEASURED), "smoker") == "feature"


def test_whole_numbers_with_many_values_are_a_target(load):
    prices = RNG.integers(100, 900, 24).tolist()
    draft = load({"y": prices} | MEASURED)
    assert draft.target.tolist() == prices and draft.class_names == ()
    assert "y: found numbers with many values" in said(draft)
    digits = [i % 10 for i in range(24)]
    assert len(load({"y": digits} | MEASURED).class_names) == 10
    draft = load({"x": prices[::-1], "y": prices} | MEASURED)
    assert draft.feature_names[:2] == ("x", "y") and draft.target is None
    assert len(load({"label": prices} | MEASURED).class_names) == len(set(prices))


def test_probabilities_named_after_the_classes(load):
    cat = RNG.random(24).round(3)
    named = {"label": ["cat", "dog"] * 12, "cat": cat.tolist(), "dog": (1 - cat).tolist()}
    draft = load(named | MEASURED)
    assert role(draft, "cat") == "probability" and np.allclose(draft.probs[:, 0], cat)
    assert role(load(named | {"dog": cat.tolist()} | MEASURED), "cat") == "feature"


def test_padded_class_numbers_keep_their_zeros_and_their_probabilities():
    text = b"label,prob_001,prob_010,x\n001,.2,.8,1\n010,.6,.4,2\n001,.5,.5,3\n"
    draft = read(text, "t.csv")
    assert draft.class_names == ("001", "010") and draft.probs[0].tolist() == pytest.approx(
        [0.2, 0.8]
    )


def test_what_this_app_wrote_comes_back_as_no_features(load):
    own = {
        "id": [f"p{i}" for i in range(24)],
        "index": list(range(24)),
        "score_raw_leverage": MEASURED["f0"],
        "rank_raw_leverage": list(range(1, 25)),
    }
    assert load(own | {"f1": MEASURED["f1"]}).feature_names == ("f1",)
    with pytest.raises(UserError, match="taken out of this app are read back under that name"):
        load(own)


def test_the_index_of_pandas_by_its_metadata():
    frame = pd.DataFrame(MEASURED, index=pd.Index(np.arange(24) * 10 + 7, name="case_no"))
    draft = read(_saved(frame), "t.parquet")
    assert draft.ids.tolist() == [str(i) for i in frame.index] and draft.feature_names == tuple(
        MEASURED
    )
    kept = read(_saved(pd.DataFrame(MEASURED).iloc[4:9].reset_index(drop=True)), "t.parquet")
    assert kept.ids is None
    tail = pd.DataFrame(MEASURED)
    tail.index = pd.RangeIndex(100, 124)
    assert read(_saved(tail), "t.parquet").ids.tolist()[:2] == ["100", "101"]


def _saved(frame: pd.DataFrame) -> bytes:
    content = io.BytesIO()
    frame.to_parquet(content)
    return content.getvalue()


def test_lists_beside_numbers_are_shown_unless_their_name_says_embedding():
    boxes = [[i, 2, 3, 4] for i in range(24)]
    draft = read(parquet(MEASURED | {"bbox": boxes}), "t.parquet")
    assert draft.feature_names == tuple(MEASURED) and role(draft, "bbox") == "shown only"
    draft = read(
        parquet(MEASURED | {"bbox": boxes}),
        "t.parquet",
        choices=Choices(roles=(("bbox", "feature"),)),
    )
    assert len(draft.feature_names) == 4 and role(draft, "f0") == "shown only"
    draft = read(parquet(MEASURED | {"embedding": boxes}), "t.parquet")
    assert len(draft.feature_names) == 4


def test_a_role_that_cannot_be_is_refused(load):
    with pytest.raises(UserError, match="Role of column f0: found 'colour', expected one of fea"):
        load(MEASURED, roles=(("f0", "colour"),))
    with pytest.raises(UserError, match="Role of a column: found 'z', expected one of f0"):
        load(MEASURED, roles=(("z", "feature"),))
    with pytest.raises(UserError, match="Role label: found f0 and f1, expected one column"):
        load(MEASURED, roles=(("f0", "label"), ("f1", "label")))


@pytest.mark.parametrize("values", [[0, 1, -1, 1], ["0", "1", "-1", "1"]])
def test_minus_one_among_classes_is_no_label_yet(load, values):
    columns = {"label": values, "f": [1.5, 2.5, 3.5, 4.5]}
    draft = load(columns)
    assert draft.labels.tolist() == [0, 1, -1, 1] and "found -1 in 1 of 4 rows" in said(draft)
    draft = load(columns, marks_are_classes=True)
    assert draft.class_names == ("-1", "0", "1") and "-1" not in said(draft)


def test_minus_one_and_one_are_two_classes(load):
    assert load({"label": [-1, 1, 1, -1], "f": [1, 2, 3, 4]}).class_names == ("-1", "1")
    assert no_label(["a", "-1", "None", ""], False).tolist() == [False, True, True, True]


def test_a_column_counts_rows_without_a_gap():
    def counts(values):
        return Column("c", pa.chunked_array([pa.array(values)])).counts_rows

    assert counts([2, 0, 1]) and counts([1, 2, 3])
    assert counts([7, 5, 6])
    assert not counts([0, 1, 1]) and not counts([2, 3, 5]) and not counts([0.0, 1.0, 2.0])


@pytest.mark.parametrize("mark", ["NA", "?", "-", "None", "n/a", "unlabeled", "TBD", "-1"])
def test_marks_among_classes_mean_that_there_is_none_yet_unless_they_are_classes(load, mark):
    columns = {"label": ["a", "b", mark, "a"], "f": [1.5, 2.5, 3.5, 4.5]}
    draft = load(columns)
    assert draft.labels.tolist() == [0, 1, -1, 0] and f"found {mark} in 1 of 4 rows" in said(draft)
    assert draft.asks >= {"marks"}
    assert mark in load(columns, marks_are_classes=True).class_names


def test_text_that_is_mostly_numbers_is_told_and_can_be_a_feature(load):
    columns = {"conc": ["1.5", "<0.01", "2.5", "3.5"], "f": [1.5, 2.5, 3.5, 4.5]}
    draft = load(columns)
    assert draft.feature_names == ("f",) and role(draft, "conc") == "shown only"
    assert "3 of 4 cells are numbers, others are <0.01, the first in row 1." in said(draft)
    draft = load(columns, roles=(("conc", "feature"),))
    assert draft.points.tolist() == [[1.5, 1.5], [2.5, 3.5], [3.5, 4.5]]
    assert "found <0.01 among the numbers. Such cells count as empty." in said(draft)


def test_text_without_a_number_is_no_feature(load):
    columns = {"town": ["Bonn", "Köln", "Bonn"], "f": [1.5, 2.5, 3.5]}
    with pytest.raises(UserError, match="column town holds text, expected numbers"):
        load(columns, roles=(("town", "feature"),))


def test_columns_without_anything_are_left_out_and_told(load):
    draft = load({"f": [1.5, 2.5, 3.5], "notes": ["", "", ""], "g": [1.5, 2, 3]})
    assert draft.feature_names == ("f", "g") and role(draft, "notes") == "left out"
    assert len(draft) == 3 and "without anything in them: notes." in said(draft)


def test_a_column_for_each_class_is_told_where_there_is_no_label(load):
    columns = {"f": [1.5, 2.5, 3.5], "class_cat": [1, 0, 1], "class_dog": [0, 1, 0]}
    assert "class_cat, class_dog: one of them is 1 in each row." in said(load(columns))
    assert "one of them is 1" not in said(load(columns | {"label": ["a", "b", "a"]}))
    assert "one of them is 1" not in said(load(columns | {"class_dog": [0, 1, 1]}))


def test_classes_without_a_name_are_told():
    rows = [f"{i % 3},{i * 7 % 50},{i / 4}" for i in range(24)]
    assert "column 1 holds 3 whole numbers" in said(read("\n".join(rows).encode(), "t.csv"))
    named = "\n".join(["quality,b,c", *rows]).encode()
    assert "quality holds 3 whole numbers" in said(read(named, "t.csv"))
    counted = "\n".join(["age,b,c", *rows]).encode()
    assert "whole numbers" not in said(read(counted, "t.csv"))


@pytest.mark.parametrize("words", [["train", "test", "val"], ["train", "dev", "train"]])
def test_parts_beside_train_and_test_are_told(load, words):
    draft = load({"f": [1.5, 2.5, 3.5], "g": [1.5, 2, 3], "split": words})
    assert draft.test.tolist() == [word != "train" for word in words]
    assert "All but the training part count as test rows." in said(draft)


@pytest.mark.parametrize("name", ["Survived", "Outcome", "class_id", "LabelId", "Klasse", "digit"])
@pytest.mark.parametrize("place", [0, 1, 3])
def test_whole_numbers_that_may_be_the_classes_are_told(load, name, place):
    columns = list(MEASURED.items())
    columns.insert(place, (name, [i % 2 for i in range(24)]))
    told = f"No column names the classes; {name} holds 2 whole numbers." in said(
        load(dict(columns))
    )
    spoken = name in ("class_id", "LabelId", "Klasse", "Outcome")
    assert told == (spoken or place in (0, 3))
    assert "No column names" not in said(load({"label": CLASSES} | dict(columns)))
    columns.insert(2, ("Pclass", [i % 3 for i in range(24)]))
    assert "Pclass" not in said(load(dict(columns)))


@pytest.mark.parametrize("name", ["species", "Diagnosis", "variety"])
def test_few_whole_numbers_under_a_name_of_classes_are_classes_and_told(load, name):
    draft = load({name: [i % 3 for i in range(24)]} | MEASURED)
    assert draft.class_names == ("0", "1", "2")
    assert f"Column {name}: found 3 whole numbers. They are the classes." in said(draft)
    assert role(load({name: RNG.integers(0, 900, 24).tolist()} | MEASURED), name) == "feature"


def test_a_y_that_may_be_measured_is_told(load):
    years = [20 + i % 41 for i in range(300)]
    longer = {"f": RNG.standard_normal(300).tolist()}
    assert "Column y: found 41 whole numbers." in said(load({"y": years} | longer))
    counted = [i % 41 for i in range(300)]
    assert said(load({"y": counted} | longer)) == ""
    beside = load({"x": longer["f"][:24], "y": [i % 3 for i in range(24)]} | MEASURED)
    assert "Column y: found 3 whole numbers beside x." in said(beside)


@pytest.mark.parametrize("name", ["wavelength", "dose", "voltage", "Matrikelnummer", "Nr."])
def test_numbers_that_are_taken_for_the_id_are_told(load, name):
    step = 7 if name in ("Matrikelnummer", "Nr.") else 1
    draft = load({name: [170 + step * i for i in range(24)]} | MEASURED)
    assert role(draft, name) == "id"
    assert f"Column {name}: found" in said(draft) and "Give it the role feature" in said(draft)
    kept = load({name: list(range(24))} | MEASURED, roles=((name, "feature"),))
    assert kept.feature_names[0] == name


@pytest.mark.parametrize("name", ["subject", "patient_id", "CustomerID"])
def test_whole_numbers_that_name_groups_are_told(load, name):
    draft = load({"label": CLASSES, name: [107 + i % 7 for i in range(24)]} | MEASURED)
    assert f"Column {name}: found 7 whole numbers that repeat. It is a feature." in said(draft)


def test_numbers_of_their_own_before_a_table_without_names_are_told():
    rows = [f"{842302 + 7 * i},{i / 4},{'MB'[i % 2]}" for i in range(24)]
    draft = read("\n".join(rows).encode(), "t.csv")
    assert "Column 1: found a different whole number in each row." in said(draft)


def test_coordinates_are_no_row_numbers(load):
    grid = {"row": [i // 6 for i in range(36)], "col": [i % 6 for i in range(36)]}
    plate = {"row": [f"{'ABCDEF'[i // 6]}" for i in range(36)], "col": grid["col"]}
    light = {"light": RNG.random(36).tolist()}
    assert load(grid | light).feature_names == ("row", "col", "light")
    assert "row numbers" not in said(load(plate | light))
    measured = {"index": (50 + RNG.integers(0, 40, 36)).tolist()}
    assert load(measured | light).feature_names == ("index", "light")
    stacked = {"index": [*range(18), *range(18)]}
    assert load(stacked | light).feature_names == ("light",)


def test_a_target_of_few_values_beside_a_label_is_said_as_it_is(load):
    draft = load({"label": CLASSES, "target": [i % 3 for i in range(24)]} | MEASURED)
    assert "Column target: found numbers beside the label label." in said(draft)
    assert "many values" not in said(draft)
    places = {"x": MEASURED["f0"], "y": MEASURED["f1"], "label": CLASSES}
    assert load(places).feature_names == ("x", "y") and said(load(places)) == ""


def test_probabilities_of_something_else_are_features(load):
    rain = {f"prob_of_{what}": RNG.random(24).tolist() for what in ("rain", "snow")}
    assert load(rain | {"label": CLASSES}).feature_names == tuple(rain)
