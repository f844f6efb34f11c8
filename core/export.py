"""Scores as files that other tools open: a table with one row per point, and a manifest that says how it was made."""

from __future__ import annotations

import importlib.metadata
import io
import json
import platform
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from core.spec import Spec
from core.types import Dataset, Floats, Ints, UserError

PACKAGES = ("numpy", "scipy", "torch", "torchvision", "umap-learn", "streamlit", "dask")
FORMATS = ("csv", "parquet")


def table(dataset: Dataset, scores: np.ndarray) -> pd.DataFrame:
    """Columns index (row in the full dataset), split, label, score, rank (1 = highest; equal scores in row order)."""
    names = np.array([*dataset.class_names, ""], dtype=object)  # label -1 (unknown) reads the last entry
    return pd.DataFrame(
        {
            "index": dataset.index,
            "split": np.where(dataset.test, "test", "train"),
            "label": names[dataset.labels],
            "score": scores,
            "rank": ranks(scores),
        }
    )


def ranks(scores: Floats) -> Ints:
    """1 = highest; equal scores in the order of the points."""
    rank = np.empty(len(scores), np.int64)
    rank[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    return rank


def encode(frame: pd.DataFrame, kind: str) -> bytes:
    """The table as CSV (17 significant digits: nothing is lost) or Parquet."""
    if kind == "csv":
        return frame.to_csv(index=False, float_format="%.17g").encode()
    if kind == "parquet":
        buffer = io.BytesIO()
        frame.to_parquet(buffer, index=False)
        return buffer.getvalue()
    raise UserError(f"File format: found {kind!r}, expected {' or '.join(FORMATS)}.")


def manifest(spec: Spec, dataset: Dataset, facts: Mapping[str, Any]) -> str:
    """JSON: the Spec as a link, what it means in words, the data's fingerprint, the facts, and the versions used."""
    content = {
        "title": spec.title(),
        "spec": spec.to_query(),
        "data": {"name": dataset.name, "points": len(dataset), "fingerprint": dataset.fingerprint},
        "facts": {name: value for name, value in facts.items() if name not in ("spec", "data")},
        "versions": versions(),
    }
    return json.dumps(content, indent=1)


def run_manifest(title: str, query: Mapping[str, str], fingerprint: str, trainings: int) -> str:
    """JSON: an experiment's plan as a link and in words, the data's fingerprint, how many trainings the rows hold, versions."""
    content = {"title": title, "plan": dict(query), "data": {"fingerprint": fingerprint}, "trainings": trainings, "versions": versions()}
    return json.dumps(content, indent=1)


def versions() -> dict[str, str]:
    """Of Python and of the packages that decide a result."""
    return {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in PACKAGES}
