"""Do the downloads say of every point what it is, where it stands under each ranking, and how that
was computed?
"""

import dataclasses
import importlib.metadata
import io
import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from core.exports.score_table import (
    METADATA,
    PACKAGES,
    Column,
    Projection,
    checksum,
    encode,
    kind_of,
    manifest,
    table,
)
from core.spec import Spec, from_query, map_code, score_code
from core.types import Dataset, UserError

DATA = Dataset(
    "made up",
    np.zeros((4, 2, 2), np.uint8),
    np.array([1, -1, 0, 1]),
    ("cat", "dog"),
    np.array([False, False, True, True]),
    np.array([3, 10, 40, 41]),
)
SCORES = np.array([0.1, 0.30000000000000004, 1e-17, 0.1])
DIGITS = Spec().with_(dataset="digits")
RIDGED = DIGITS.with_(embedding="pca", strategy_knobs=(("ridge", 0.1),))
ONE = [Column(DIGITS, SCORES)]
TWO = [
    Column(DIGITS, SCORES, {"rank": 50, "sum": 49.5, "spec": {}, "data": "old"}),
    Column(RIDGED, -SCORES),
]
PLACES = np.array([[0.1, 1], [2, 3], [4, 5], [6, 7]], np.float32)
MAP = Projection(RIDGED, PLACES, {"trustworthiness": 0.9, "data": "old"})


def test_by_hand():
    assert table(DATA, TWO, MAP).to_dict("list") == {
        "id": ["3", "10", "40", "41"],
        "index": [3, 10, 40, 41],
        "split": ["train", "train", "test", "test"],
        "label": ["dog", "", "cat", "dog"],
        "score_raw_leverage": SCORES.tolist(),
        "rank_raw_leverage": [2, 1, 4, 3],
        "score_pca_leverage_ridge0.1": (-SCORES).tolist(),
        "rank_pca_leverage_ridge0.1": [2, 4, 1, 3],
        "projection_x": PLACES[:, 0].tolist(),
        "projection_y": PLACES[:, 1].tolist(),
    }


def test_a_point_is_called_what_its_dataset_calls_it():
    named = dataclasses.replace(DATA, ids=np.array(["a/1.png", "a/2.png", "b", "c"]))
    assert table(named, ONE)["id"].tolist() == ["a/1.png", "a/2.png", "b", "c"]


def test_without_labels_the_label_is_empty():
    bare = dataclasses.replace(DATA, labels=np.full(4, -1), class_names=())
    assert table(bare, ONE)["label"].tolist() == [""] * 4


def test_csv_loses_nothing():
    text = encode(table(DATA, ONE), "csv").decode().splitlines()
    assert (
        text[0] == "id,index,split,label,score_raw_leverage,rank_raw_leverage"
        and text[2] == "10,10,train,,0.30000000000000004,1"
    )
    assert [float(line.split(",")[4]) for line in text[1:]] == SCORES.tolist()


def test_parquet_keeps_types():
    frame = pd.read_parquet(
        io.BytesIO(encode(table(DATA, TWO, MAP), "parquet", manifest(DATA, TWO, MAP)))
    )
    assert (
        frame.equals(table(DATA, TWO, MAP).astype(frame.dtypes))
        and frame["score_raw_leverage"].tolist() == SCORES.tolist()
    )
    kinds = [
        frame[name].dtype.kind
        for name in ("index", "score_raw_leverage", "rank_raw_leverage", "projection_x")
    ]
    assert kinds == ["i", "f", "i", "f"]


def test_parquet_carries_its_manifest():
    content = encode(table(DATA, TWO), "parquet", manifest(DATA, TWO))
    assert pq.read_schema(io.BytesIO(content)).metadata[METADATA].decode() == manifest(DATA, TWO)
    assert METADATA not in pq.read_schema(io.BytesIO(encode(table(DATA, TWO), "parquet"))).metadata


@pytest.mark.parametrize("kind", ["", "xlsx", "CSV", "../csv"])
def test_another_format_is_refused(kind):
    with pytest.raises(UserError, match=r"File format: found .*, expected csv or parquet"):
        encode(table(DATA, ONE), kind)


def test_the_format_is_the_end_of_the_name():
    assert kind_of("a.b/scores.csv") == "csv" and kind_of("scores.parquet") == "parquet"
    with pytest.raises(UserError, match="found '', expected"):
        kind_of("parquet")


def test_scores_and_maps_of_another_length_are_refused():
    with pytest.raises(UserError, match="raw_leverage: found 3 values for 4 points"):
        table(DATA, [Column(DIGITS, SCORES[:3])])
    with pytest.raises(UserError, match="projection: found 2 values for 4 points"):
        table(DATA, ONE, Projection(DIGITS, PLACES[:2]))


def test_rankings_of_other_points_do_not_share_a_file():
    with pytest.raises(UserError, match="expected rankings of the same points"):
        manifest(DATA, [*ONE, Column(DIGITS.with_(n=100), SCORES)])
    with pytest.raises(UserError, match="Rankings: found none"):
        manifest(DATA, [])


def test_the_manifest_restores_every_spec_and_names_code_and_versions():
    said = json.loads(manifest(DATA, TWO, MAP))
    assert said["leverage_lab"] == 1
    about = {
        "name": "digits",
        "title": "Digits 8 x 8",
        "n": None,
        "subset": 0,
        "points": 4,
        "fingerprint": DATA.fingerprint,
    }
    assert said["data"] == about
    for entry, column, name in zip(
        said["rankings"], TWO, ("raw_leverage", "pca_leverage_ridge0.1"), strict=True
    ):
        assert (
            from_query(entry["spec"]) == (column.spec, []) and entry["title"] == column.spec.title()
        )
        assert (entry["score"], entry["rank"]) == (f"score_{name}", f"rank_{name}")
        assert entry["code"] == score_code(column.spec) and entry["checksum"] == checksum(
            column.scores
        )
    assert said["rankings"][0]["facts"] == {
        "rank": 50,
        "sum": 49.5,
    }, "what is said elsewhere is not repeated"
    assert said["projection"]["x"] == "projection_x" and said["projection"]["facts"] == {
        "trustworthiness": 0.9
    }
    mapped = RIDGED.with_(strategy_knobs=())
    assert from_query(said["projection"]["spec"]) == (mapped, []) and said["projection"][
        "code"
    ] == map_code(mapped)
    assert said["projection"]["title"] == "UMAP of Principal components"
    assert set(said["versions"]) == {"python", *PACKAGES} and said["versions"][
        "numpy"
    ] == importlib.metadata.version("numpy")


def test_the_map_of_a_seeded_embedding_says_its_seed_and_settings():
    spec = DIGITS.with_(embedding="projection", seed=3, embedding_knobs=(("k", 20),))
    said = json.loads(manifest(DATA, ONE, Projection(spec, PLACES)))
    assert said["projection"]["title"] == "UMAP of Random projection (k 20, seed 3)"


def test_a_checksum_is_of_the_numbers():
    assert checksum(SCORES) == checksum(SCORES[::-1][::-1].astype(">f8")) != checksum(SCORES[::-1])
    assert checksum(np.array([0.5], np.float32)) == checksum(np.array([0.5])) and checksum(
        np.array([0.0])
    ) != checksum(np.array([-0.0]))
