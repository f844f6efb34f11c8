"""Scores as one file that other tools open: a row per point, and a manifest of how it was made.

Columns: id, index (row in the full dataset), split, label; then for every ranking score_<name> and
rank_<name> (core/exports/ranking_names.py); then projection_x and projection_y if a map is given. A
Parquet file carries its manifest inside, as the value of `leverage_lab` in its schema's metadata.
core/exports/reading_back.py reads all this back.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from core import datasets
from core.exports import csv_cells
from core.exports.ranking_names import column_names
from core.linalg.ties import last, ranks
from core.spec import Spec, map_code, resolve, score_code
from core.types import Dataset, Floats, UserError

PACKAGES = ("numpy", "scipy", "torch", "torchvision", "umap-learn", "streamlit", "dask")
FORMATS = ("csv", "parquet")
VERSION = 1  # of the format; another one is refused when a file is read back
METADATA = b"leverage_lab"
AXES = ("projection_x", "projection_y")


@dataclass(frozen=True, eq=False)
class Column:
    """One ranking. scores: (n,), float64, or float32 where only rounded ones were kept; NaN, an
    empty cell, where the strategy has none: such points rank last.

    facts: what the page prints of them.
    """

    spec: Spec
    scores: Floats
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Projection:
    """The map of the Spec's embedding: coordinates (n, 2)."""

    spec: Spec
    coordinates: Floats
    facts: Mapping[str, Any] = field(default_factory=dict)


def table(
    dataset: Dataset, columns: Sequence[Column], projection: Projection | None = None
) -> pd.DataFrame:
    """One row per point, in the order of the points.

    Without ids of its own a point's id is its index. A label that is not known is "".
    """
    # Label -1 (unknown) reads the last entry.
    names = np.array([*dataset.class_names, ""], dtype=object)
    ids = dataset.index.astype(str) if dataset.ids is None else dataset.ids
    frame: dict[str, Any] = {
        "id": ids.astype(object),
        "index": dataset.index,
        "split": np.where(dataset.test, "test", "train").astype(object),
        "label": names[dataset.labels],
    }
    called = column_names([column.spec for column in columns])
    for name, column in zip(called, columns, strict=True):
        _check_length(dataset, name, column.scores)
        frame |= {f"score_{name}": column.scores, f"rank_{name}": ranks(last(column.scores)[0])}
    if projection is not None:
        _check_length(dataset, "projection", projection.coordinates)
        frame |= dict(zip(AXES, projection.coordinates.T, strict=True))
    return pd.DataFrame(frame)


def kind_of(name: str) -> str:
    """The format that a file's name asks for; a UserError if it is none of ours."""
    kind = name.rpartition(".")[2] if "." in name else ""
    if kind not in FORMATS:
        raise UserError(f"File format: found {kind!r}, expected {' or '.join(FORMATS)}.")
    return kind


def encode(frame: pd.DataFrame, kind: str, manifest: str | None = None) -> bytes:
    """The table as CSV or Parquet, into which the manifest goes if there is one.

    CSV: see core/exports/csv_cells.py.
    """
    if kind_of(f".{kind}") == "csv":
        return csv_cells.as_csv(frame)
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    content = pa.Table.from_pandas(frame, preserve_index=False)
    if manifest is not None:
        content = content.replace_schema_metadata(
            {**(content.schema.metadata or {}), METADATA: manifest.encode()}
        )
    pq.write_table(table=content, where=buffer, compression="snappy", write_page_checksum=True)
    return buffer.getvalue()


def manifest(
    dataset: Dataset, columns: Sequence[Column], projection: Projection | None = None
) -> str:
    """JSON that says how each ranking was made.

    For every ranking its Spec as a link and in words, its facts and its code; whose map the
    projection is; the data; whether a CSV file's texts are guarded; versions.
    """
    if not columns:
        raise UserError("Rankings: found none, expected at least one to write.")
    points = columns[0].spec
    about = {
        "name": points.dataset,
        "title": datasets.info(points.dataset).title,
        "n": points.n,
        "subset": points.subset,
    }
    names = column_names([column.spec for column in columns])
    content = {
        "leverage_lab": VERSION,
        "data": about | {"points": len(dataset), "fingerprint": dataset.fingerprint},
        "rankings": [
            _ranking(name, column, points) for name, column in zip(names, columns, strict=True)
        ],
        "projection": None if projection is None else _projection(projection),
        "csv_cells": csv_cells.GUARDED if csv_cells.guards() else csv_cells.PLAIN,
        "versions": versions(),
    }
    return json.dumps(content, indent=1)


def run_manifest(title: str, query: Mapping[str, str], fingerprint: str, trainings: int) -> str:
    """JSON that says what an experiment was.

    Its plan as a link and in words, the data's fingerprint, how many trainings the rows hold,
    versions.
    """
    content = {
        "title": title,
        "plan": dict(query),
        "data": {"fingerprint": fingerprint},
        "trainings": trainings,
        "versions": versions(),
    }
    return json.dumps(content, indent=1)


def versions() -> dict[str, str]:
    """Of Python and of the packages that decide a result."""
    return {"python": platform.python_version()} | {
        name: importlib.metadata.version(name) for name in PACKAGES
    }


def checksum(scores: Floats) -> str:
    """32 hex digits of the scores as float64: an edited file is noticed."""
    return hashlib.blake2b(np.ascontiguousarray(scores, "<f8").data, digest_size=16).hexdigest()


def _ranking(name: str, column: Column, points: Spec) -> dict[str, Any]:
    spec = column.spec
    if (spec.dataset, spec.n, spec.subset) != (points.dataset, points.n, points.subset):
        raise UserError(
            f"Rankings: found some of {spec.title()} beside {points.title()},"
            " expected rankings of the same points."
        )
    said = {
        "score": f"score_{name}",
        "rank": f"rank_{name}",
        "title": spec.title(),
        "spec": spec.to_query(),
    }
    return said | {
        "facts": _facts(column.facts),
        "code": score_code(spec),
        "checksum": checksum(column.scores),
    }


def _projection(projection: Projection) -> dict[str, Any]:
    # A map is of an embedding: the strategy says nothing.
    spec = projection.spec.with_(strategy="leverage", strategy_knobs=())
    settings = [f"{name} {value}" for name, value in spec.embedding_knobs]
    settings += [f"seed {spec.seed}"] * resolve(spec).embedder.seeded
    title = f"UMAP of {spec.embedding_label}" + (f" ({', '.join(settings)})" if settings else "")
    said = dict(zip("xy", AXES, strict=True)) | {"title": title, "spec": spec.to_query()}
    return said | {"facts": _facts(projection.facts), "code": map_code(spec)}


def _facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What is not said elsewhere in the manifest."""
    return {name: value for name, value in facts.items() if name not in ("spec", "data")}


def _check_length(dataset: Dataset, name: str, values: np.ndarray) -> None:
    if len(values) != len(dataset):
        raise UserError(
            f"{name}: found {len(values):,} values for {len(dataset):,} points,"
            " expected one per point."
        )
