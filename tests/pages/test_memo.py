"""Is the same thing made once, and a different one anew?

The content of arguments, what is kept, and what goes.
"""

import dataclasses
from functools import partial

import altair
import numpy as np
import pandas as pd
import pytest

from pages.shared import memo
from pages.shared.recently_used import RecentlyUsed

MADE = []


def double(values, *more):
    MADE.append(more)
    return values * 2


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch):
    monkeypatch.setattr(memo, "KEPT", RecentlyUsed(memo.KEPT.most))
    MADE.clear()


@dataclasses.dataclass(frozen=True)
class Pair:
    name: str
    values: np.ndarray


A = np.arange(4.0)
FRAME = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
SAME = [
    (A, A.copy()),
    (A[::2], A[::2].copy()),
    ([1, "a"], [1, "a"]),
    (Pair("x", A), Pair("x", A.copy())),
    ({"a": A}, {"a": A.copy()}),
    (partial(double, 1), partial(double, 1)),
    (FRAME, FRAME.copy()),
]
DIFFERENT = [
    *((A, other) for other in (A + 1e-12, A.astype(np.float32), A.reshape(2, 2), A.tolist())),
    *((1, other) for other in (True, 1.0, "1", [1])),
    (None, "None"),
    ((), []),
    (np.zeros(2), np.zeros(3)),
    (["ab", "c"], ["a", "bc"]),
    ([["a"], "b"], [["a", "b"]]),
    (Pair("x", A), Pair("y", A)),
    ({"a": 1}, {"b": 1}),
    (partial(double, 1), partial(double, 2)),
    (double, memo.made),
    (FRAME, FRAME.rename(columns={"b": "c"})),
    (FRAME, FRAME.assign(a=[1, 3])),
]


@pytest.mark.parametrize(("a", "b"), SAME)
def test_equal_content_is_the_same(a, b):
    assert memo.digest(a) == memo.digest(b)


@pytest.mark.parametrize(("a", "b"), DIFFERENT)
def test_any_difference_counts(a, b):
    assert memo.digest(a) != memo.digest(b)


@pytest.mark.parametrize("value", [object(), lambda: 1, {1}, b"bytes"])
def test_what_cannot_be_read_is_refused(value):
    with pytest.raises(TypeError, match="no content that could be compared"):
        memo.digest([value])


def test_it_is_made_once_and_read_only():
    first = memo.made(double, A, 1)
    assert memo.made(double, A.copy(), 1) is first and MADE == [(1,)]
    assert memo.made(double, A, 2) is not first and len(MADE) == 2
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 9
    assert first.tolist() == [0, 2, 4, 6]


def test_the_least_recently_used_goes_when_there_is_no_room():
    memo.KEPT.most = 2 * A.nbytes
    for number in (1, 2, 1, 3):
        memo.made(double, A, number)
    assert MADE == [(1,), (2,), (3,)]
    memo.made(double, A, 1)
    assert len(MADE) == 3, "it was used after the second"
    memo.made(double, A, 2)
    assert MADE[-1] == (2,) and memo.KEPT.size <= memo.KEPT.most


def picture(values, name):
    MADE.append(name)
    return altair.Chart(pd.DataFrame({"x": values})).mark_bar().encode(x="x:Q")


def test_a_chart_is_described_once_with_its_data(monkeypatch):
    drawn = []
    monkeypatch.setattr(memo.st, "vega_lite_chart", lambda spec, **how: drawn.append((spec, how)))
    for _ in range(2):
        memo.chart(picture, A, "bars", key="k", alt="Bars")
    (one, how), (two, _) = drawn
    assert MADE == ["bars"] and one == two and one is not two, (
        "Streamlit takes the data out of what it is given"
    )
    assert one["encoding"]["x"]["field"] == "x" and how == {"key": "k", "alt": "Bars"}
    (data,) = one["datasets"].values()
    assert isinstance(data, bytes) and memo.KEPT.size > len(data)
    one.pop("datasets")
    memo.chart(picture, A, "bars")
    assert "datasets" in drawn[-1][0]


def test_the_digest_of_a_read_only_array_is_remembered_while_it_lives():
    array = np.arange(10_000.0)
    first = memo.digest(array)
    array[0] = 1.0
    assert memo.digest(array) != first and id(array) not in memo._contents  # it may be written to
    array.setflags(write=False)
    kept = memo.digest(array)
    assert memo.digest(array) == kept and memo._contents[id(array)][0]() is array
    assert memo.digest(array.copy()) == kept and memo.digest(array[::-1]) != kept
    place = id(array)
    del array
    assert place not in memo._contents
