"""The same data in another dress: does every way of writing them give the same rows, classes, parts
and scores? Two thousand ways: python -m tests.benchmarks.meaning.
"""

from __future__ import annotations

import pytest

from tests.tools.meaning import differences, written


@pytest.mark.parametrize("seed", range(50))
def test_the_way_it_is_written_changes_nothing(seed):
    case = written(seed)
    assert differences(case) == "", case.how
