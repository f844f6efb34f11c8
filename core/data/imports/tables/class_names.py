"""What Hugging Face's datasets library notes of a column of numbers: the names of its classes.

Source: the ClassLabel feature, in the metadata `huggingface` of a Parquet file.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from core.data.imports.tables.columns import Column

if TYPE_CHECKING:
    import pyarrow as pa


def class_names(schema: pa.Schema) -> dict[str, list[str]]:
    """{column: names of its classes, in their order}."""
    try:
        about = json.loads((schema.metadata or {})[b"huggingface"])
        features = about["info"]["features"]
        return {
            name: [str(word) for word in feature["names"]]
            for name, feature in features.items()
            if name in schema.names and feature.get("_type") == "ClassLabel"
        }
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return {}


def named_classes(column: Column, names: list[str]) -> pa.ChunkedArray:
    """The column's numbers as names, and nothing where there is no such class: -1."""
    import pyarrow as pa

    words, codes = column.coded
    named = {str(i): name for i, name in enumerate(names)}
    values = pa.array([named.get(word) for word in words], pa.string())
    return pa.chunked_array([values.take(pa.array(codes))])
