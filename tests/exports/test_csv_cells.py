"""Does no text of a CSV file begin like a formula, does every number stay one, and does each text
come back as it was?
"""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.exports import csv_cells
from core.exports.reading_back import read_back
from core.exports.score_table import Column, encode, manifest, table
from core.spec import Spec
from core.types import Dataset

FORMULAS = ["=1+1", "+A1", "-A1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "-1-1", "+", "--1"]
TEXTS = ["cat", "", "a=b", " =1", "'", "'tis", "-1", "+2.5", "-.5e-3", "1"]
DIGITS = Spec(dataset="digits")


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_stands_behind_an_apostrophe(text):
    assert csv_cells.guarded(text) == f"'{text}" and csv_cells.unguarded(f"'{text}") == text


@pytest.mark.parametrize("text", TEXTS)
def test_other_texts_and_plain_numbers_stay(text):
    assert csv_cells.guarded(text) == text == csv_cells.unguarded(text)


@given(st.text("'=+-@\t\r\n1.ea ＝", max_size=8))
def test_every_text_comes_back_and_none_begins_like_a_formula(text):
    held = csv_cells.guarded(text)
    assert csv_cells.unguarded(held) == text
    assert held[:1] not in tuple("=@\t\r\n＝") or not held
    if held[:1] in ("+", "-"):
        float(held)


def frame():
    return pd.DataFrame(
        {"=name": ["=1", "-1", "b"], "score": [-1.5, 0.1, np.nan], "rank": [-3, 2, 1]},
        index=pd.Index(["@a", "b", "c"], name="+index"),
    )


def cells(content):
    return list(csv.reader(io.StringIO(content.decode())))


def test_columns_of_numbers_stay_numbers_and_names_are_texts_too():
    given = frame()
    assert cells(csv_cells.as_csv(given)) == [
        ["'=name", "score", "rank"],
        ["'=1", "-1.5", "-3"],
        ["-1", "0.10000000000000001", "2"],
        ["b", "", "1"],
    ]
    assert [row[0] for row in cells(csv_cells.as_csv(given, index=True))[1:]] == ["'@a", "b", "c"]
    pd.testing.assert_frame_equal(given, frame())  # untouched


def test_for_programs_texts_may_stand_as_they_are(monkeypatch):
    monkeypatch.setenv(csv_cells.SETTING, "plain")
    assert cells(csv_cells.as_csv(frame()))[0][0] == "=name"


@pytest.mark.parametrize("setting", ["", "plain"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_exported_ids_and_labels_come_back_as_they_were(kind, setting, monkeypatch):
    monkeypatch.setenv(csv_cells.SETTING, setting)
    formulas = [text for text in FORMULAS if text.isprintable()]  # as what is brought in always is
    ids = np.array([*formulas, *(text for text in TEXTS if text), "'=1"])
    n = len(ids)
    data = Dataset(
        "digits",
        np.zeros((n, 8, 8), np.uint8),
        np.arange(n) % 2,
        ("=evil", "'=evil"),
        np.zeros(n, bool),
        np.arange(n),
        ids=ids,
    )
    columns = [Column(DIGITS, np.arange(n) / 7)]
    said = manifest(data, columns)
    content = encode(table(data, columns), kind, said)
    back = read_back(content, f"scores.{kind}", said.encode()).frame
    assert back["id"].tolist() == ids.tolist()
    assert back["label"].tolist() == [data.class_names[label] for label in data.labels]
    if kind == "csv":
        assert (b",=evil," in content) is (setting == "plain")
