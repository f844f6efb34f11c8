"""Is pandas' index told from the schema's metadata, and is metadata that is none no obstacle?"""

import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.data.imports.tables.pandas_index import pandas_index


def schema_of(index) -> pa.Schema:
    content = io.BytesIO()
    pd.DataFrame({"x": [1.0, 2, 3]}, index=index).to_parquet(content)
    return pq.read_schema(content)


def test_a_named_index_is_a_column_and_a_range_counts():
    assert pandas_index(schema_of(pd.Index([7, 8, 9], name="case"))) == (("case",), None)
    assert pandas_index(schema_of(pd.RangeIndex(3))) == ((), None)
    names, numbered = pandas_index(schema_of(pd.RangeIndex(5, 11, 2)))
    assert names == () and np.array_equal(numbered, [5, 2])


@pytest.mark.parametrize("said", [b"no json", b"[]", b"3", b'{"index_columns": 5}', b"{}"])
def test_metadata_that_says_something_else(said):
    assert pandas_index(pa.schema([("x", pa.int8())], {b"pandas": said})) == ((), None)
    assert pandas_index(pa.schema([("x", pa.int8())])) == ((), None)
