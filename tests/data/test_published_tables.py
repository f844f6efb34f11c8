"""Are the tables the published ones, and does what goes wrong with them end in a message?"""

from __future__ import annotations

import gzip
import urllib.error

import numpy as np
import pandas as pd
import pytest
import sklearn.datasets
from sklearn.utils import Bunch

from assets import make_adult
from core import datasets
from core.data import catalogue, published_tables
from core.types import UserError


def test_letter_is_the_published_one():
    data = datasets.load("letter")
    assert (
        data.points.shape == (20_000, 16) and data.points.dtype == np.float32 and not data.is_images
    )
    assert data.points.min() == 0 and data.points.max() == 15
    # Frey and Slate's own count of the letters: 789 A, 766 B, 736 C, ..., 734 Z.
    assert np.bincount(data.labels)[[0, 1, 2, 25]].tolist() == [789, 766, 736, 734]
    assert data.test.sum() == 5_000 and not data.test[:15_000].any()
    # The first published row: T,2,8,3,5,1,8,13,0,6,6,10,8,0,8,0,8.
    assert data.class_names[data.labels[0]] == "T"
    assert data.points[0].tolist() == [2, 8, 3, 5, 1, 8, 13, 0, 6, 6, 10, 8, 0, 8, 0, 8]
    assert len(data.feature_names) == 16


def test_adult_is_a_sample_with_the_tables_shares():
    data = datasets.load("adult")
    assert data.points.shape == (9_200, 104) and data.test.sum() == 4_200
    for part in (data.test, ~data.test):
        assert data.labels[part].mean() == pytest.approx(
            0.2478, abs=2e-4
        )  # 11,208 of the 45,222 rows earn more
    numbers = data.points[~data.test][:, : published_tables.NUMBERS]
    codes = data.points[:, published_tables.NUMBERS :]
    np.testing.assert_allclose(numbers.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(numbers.std(axis=0), 1, atol=1e-4)
    assert set(np.unique(codes)) == {0, 1}
    groups = [name.split(": ")[0] for name in data.feature_names[published_tables.NUMBERS :]]
    for group in set(groups):  # every row has one workclass, one education, ...
        np.testing.assert_array_equal(codes[:, [name == group for name in groups]].sum(axis=1), 1)


def test_the_sample_is_what_its_command_draws(tmp_path, monkeypatch):
    rng = np.random.default_rng(5)
    labels = (rng.random(100) < 0.25).astype(int)
    monkeypatch.setattr(make_adult, "PARTS", (40, 20))
    rows = make_adult.sample(labels)
    assert len(set(rows)) == 60
    for part in (rows[:40], rows[40:]):
        assert abs(labels[part].mean() - labels.mean()) <= 0.5 / len(part)
    monkeypatch.setattr(make_adult, "__file__", str(tmp_path / "make_adult.py"))
    (tmp_path / "adult").mkdir()
    lines = ["a,no,yes", *(f"{i},{1 - label},{label}" for i, label in enumerate(labels))]
    (tmp_path / "whole.csv.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    make_adult.main(str(tmp_path / "whole.csv.gz"))
    written = (
        gzip.decompress((tmp_path / "adult" / "adult.csv.gz").read_bytes()).decode().splitlines()
    )
    assert written[0] == lines[0]
    assert [int(line.split(",")[0]) for line in written[1:]] == rows.tolist()


@pytest.mark.parametrize("name", ["synth2", "two_gaussians", "two_crescents"])
def test_simulated_sets_are_always_the_same_and_their_parts_differ(name):
    first = datasets.load(name)
    second = datasets.load(name)
    np.testing.assert_array_equal(first.points, second.points)
    assert first.points.dtype == np.float32 and first.shape == (2,)
    shared = {tuple(p) for p in first.points[first.test]} & {
        tuple(p) for p in first.points[~first.test]
    }
    assert not shared and set(np.unique(first.labels)) == {0, 1}


def test_unbalanced_mnist_has_the_papers_shares():
    data = datasets.load("mnist_unbalanced")
    counts = np.bincount(data.labels[~data.test])
    assert (
        counts.tolist() == [500] * 5 + [5000] * 5 and counts.sum() == 27_500
    )  # 1/55 and 10/55 of 27,500
    assert data.test.sum() == 10_000


def test_redundant_mnist_has_equally_many_ones_and_sevens_and_the_rest_as_neither():
    data = datasets.load("mnist_redundant")
    whole = datasets.load("mnist")
    assert data.class_names == ("1", "7", "neither")
    assert np.bincount(data.labels[~data.test]).tolist()[:2] == [6000, 6000]
    assert np.bincount(data.labels[data.test]).tolist()[:2] == [1000, 1000]
    images = {
        image.tobytes(): label for image, label in zip(whole.points, whole.labels, strict=True)
    }
    rng = np.random.default_rng(1)
    for row in rng.choice(len(data), 300, replace=False):
        digit = images[data.points[row].tobytes()]
        assert data.class_names[data.labels[row]] == {1: "1", 7: "7"}.get(digit, "neither")


@pytest.fixture
def chess(tmp_path, monkeypatch):
    """fetch_openml answers with this many rows; the data folder is empty."""
    entry = datasets.info("openml_184")
    monkeypatch.setenv("LEVERAGE_LAB_DATA", str(tmp_path))

    def answer(rows, columns=6, error=None):
        def fetch(data_id, data_home, as_frame, parser):
            assert data_id == 184 and str(data_home) == str(tmp_path)
            if error:
                raise error
            moves = np.array(entry.class_names)[np.arange(rows) % entry.classes]
            return Bunch(
                data=np.arange(rows * columns, dtype=float).reshape(rows, columns), target=moves
            )

        monkeypatch.setattr(sklearn.datasets, "fetch_openml", fetch)

    return answer


def test_an_openml_table_is_fetched_once_and_kept(chess):
    chess(28_056)
    data = datasets.load("openml_184")
    assert data.points.shape == (28_056, 6) and data.test.sum() == 28_056 - 22_445
    order = (data.points[:, 0] / 6).astype(int)
    assert [data.class_names[c] for c in data.labels[:50]] == [
        data.class_names[i % 18] for i in order[:50]
    ]
    chess(0, error=AssertionError("asked again"))
    np.testing.assert_array_equal(datasets.load("openml_184").points, data.points)


def test_without_network_the_mend_is_named(chess):
    chess(0, error=urllib.error.URLError("no network here"))
    with pytest.raises(
        UserError,
        match=r"OpenML 184 is not in the data folder.*no network here.*Connect to the internet",
    ):
        datasets.load("openml_184")
    assert not datasets.is_ready("openml_184")


@pytest.mark.parametrize(("rows", "columns"), [(28_056, 7), (28_055, 6)])
def test_another_table_of_the_same_number_is_refused(chess, rows, columns):
    chess(rows, columns)
    with pytest.raises(UserError, match=f"found {rows:,} x {columns} values, expected 28,056 x 6"):
        datasets.load("openml_184")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty data folder."""
    monkeypatch.setenv("LEVERAGE_LAB_DATA", str(tmp_path))
    return tmp_path


def test_bank_has_its_numbers_scaled_and_its_words_one_hot(folder, monkeypatch):
    rng = np.random.default_rng(3)
    n = 9_500
    names = iter(f"V{i}" for i in range(1, 17))
    columns = {next(names): rng.normal(40, 10, n) for _ in range(7)}
    for count in (
        12,
        3,
        4,
        2,
        2,
        2,
        3,
        12,
        4,
    ):  # job, marital, education, default, housing, loan, contact, month, outcome
        columns[next(names)] = pd.Categorical([f"word {i % count:02}" for i in range(n)])
    answer = Bunch(data=pd.DataFrame(columns), target=np.where(np.arange(n) % 8 == 0, "2", "1"))
    monkeypatch.setattr(
        sklearn.datasets, "fetch_openml", lambda **how: answer if how["data_id"] == 1461 else None
    )
    data = datasets.load("bank")
    assert data.points.shape == (9_200, 51) and data.test.sum() == 4_200
    assert data.labels.mean() == pytest.approx(1 / 8, abs=0.01)
    np.testing.assert_allclose(data.points[:, :7].std(axis=0), 1, atol=0.05)
    assert (
        set(np.unique(data.points[:, 7:])) == {0, 1} and (data.points[:, 7:].sum(axis=1) == 9).all()
    )


def test_celeba_reads_the_published_list_without_the_attribute_it_asks_for(folder):
    names = [f"a{i}" for i in range(31)] + ["Smiling"] + [f"b{i}" for i in range(8)]
    values = np.where(np.random.default_rng(4).random((9_300, 40)) < 0.3, 1, -1)
    lines = [
        str(len(values)),
        " ".join(names),
        *(f"{i:06}.jpg " + " ".join(map(str, row)) for i, row in enumerate(values)),
    ]
    (folder / "celeba").mkdir()
    (folder / "celeba" / "list_attr_celeba.txt").write_text("\n".join(lines) + "\n")
    data = datasets.load("celeba_attributes")
    rows = np.random.default_rng(0).permutation(9_300)[:9_200]
    np.testing.assert_array_equal(data.points, np.delete(values, 31, axis=1)[rows])
    np.testing.assert_array_equal(data.labels, values[rows, 31] == 1)


def test_jigsaw_reads_the_users_own_embeddings(folder):
    points = np.random.default_rng(5).normal(size=(9_250, 385)).astype(np.float32)
    (folder / "jigsaw").mkdir()
    np.savez(folder / "jigsaw" / "jigsaw.npz", points=points, labels=np.arange(9_250) % 2)
    data = datasets.load("jigsaw")
    rows = np.random.default_rng(0).permutation(9_250)[:9_200]
    np.testing.assert_array_equal(data.points, points[rows])
    np.testing.assert_array_equal(data.labels, rows % 2)
    np.savez(folder / "jigsaw" / "jigsaw.npz", points=points[:, :384], labels=np.arange(9_250) % 2)
    with pytest.raises(UserError, match="found 9,250 x 384 values, expected 9,200 x 385"):
        published_tables.read_jigsaw(folder, (5_000, 4_200), (385,))


@pytest.mark.parametrize(
    ("name", "message"),
    [("celeba_attributes", "put list_attr_celeba.txt of"), ("jigsaw", "put a NumPy file")],
)
def test_a_file_that_only_its_owners_hand_out_is_asked_for(folder, name, message):
    with pytest.raises(UserError, match=message):
        datasets.load(name)
    (folder / name.split("_")[0]).mkdir()
    (
        folder / "celeba" / "list_attr_celeba.txt"
        if name != "jigsaw"
        else folder / "jigsaw" / "jigsaw.npz"
    ).write_text("no table")
    with pytest.raises(UserError, match="cannot be read"):
        datasets.load(name)


def test_every_table_names_its_columns():
    for entry in catalogue.ENTRIES.values():
        assert len(entry.feature_names) == (0 if entry.is_images else entry.shape[0]), entry.name


def test_bank_names_its_columns_as_they_stand(folder, monkeypatch):
    """One-hot columns follow the words' alphabet, whatever order the file has them in; scaled by
    the training part alone.
    """
    n = 9_200
    words = {
        "V2": (
            [
                "services",
                "admin.",
                "blue-collar",
                "entrepreneur",
                "housemaid",
                "management",
                "retired",
                "self-employed",
            ]
            + ["student", "technician", "unemployed", "unknown"]
        ),
        "V3": ["single", "married", "divorced"],
        "V4": ["tertiary", "primary", "secondary", "unknown"],
        "V5": ["yes", "no"],
        "V7": ["yes", "no"],
        "V8": ["no", "yes"],
        "V9": ["unknown", "cellular", "telephone"],
        "V11": ["may", "apr", "aug", "dec", "feb", "jan", "jul", "jun", "mar", "nov", "oct", "sep"],
        "V16": ["unknown", "failure", "other", "success"],
    }
    rng = np.random.default_rng(0)
    columns = {
        name: pd.Categorical(rng.choice(chosen, n), categories=chosen)
        for name, chosen in words.items()
    }
    columns |= {
        name: rng.normal(50, 9, n) for name in ("V1", "V6", "V10", "V12", "V13", "V14", "V15")
    }
    frame = pd.DataFrame(columns)[sorted(columns, key=lambda name: int(name[1:]))]
    monkeypatch.setattr(
        sklearn.datasets,
        "fetch_openml",
        lambda **_: Bunch(data=frame, target=np.where(np.arange(n) % 2, "1", "2")),
    )
    data = datasets.load("bank")
    rows = np.random.default_rng(0).permutation(n)
    for column, name, word in (
        ("services", "V2", "services"),
        ("married", "V3", "married"),
        ("may", "V11", "may"),
        ("telephone", "V9", "telephone"),
    ):
        held = data.points[:, data.feature_names.index(column)]
        np.testing.assert_array_equal(held == 1, (frame[name] == word).to_numpy()[rows])
    np.testing.assert_allclose(data.points[~data.test][:, :7].mean(axis=0), 0, atol=1e-4)


@pytest.mark.parametrize("labels", [np.ones(9_250), np.linspace(0, 1, 9_250)])
def test_jigsaw_refuses_labels_that_are_none(folder, labels):
    (folder / "jigsaw").mkdir()
    np.savez(
        folder / "jigsaw" / "jigsaw.npz", points=np.zeros((9_250, 385), np.float32), labels=labels
    )
    with pytest.raises(UserError, match="expected labels 0 and 1, both of them"):
        datasets.load("jigsaw")
