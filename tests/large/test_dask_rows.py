"""Does leverage spread over a cluster give the scores of one process, and the same bits on one
worker and on two?
"""

import dask.array as da
import numpy as np
import pandas as pd
import pytest
from distributed import Client, LocalCluster

from core.large import leverage as large
from core.large.dask_rows import Spread
from core.large.row_sources import open_table
from core.runtime import jobs
from core.strategies.leverage import leverage
from core.types import UserError

N, D = 2000, 12


def table():
    """Rank 11 of 12, the columns of very different sizes."""
    x = np.random.default_rng(0).normal(size=(N, D)) * np.logspace(-1, 1, D)
    x[:, 3] = 0
    return x.astype(np.float32)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The rows as a .npy file and as parts of Parquet, and with two rows spoiled."""
    folder, x = tmp_path_factory.mktemp("tables"), table()
    np.save(folder / "x.npy", x)
    (folder / "parts").mkdir()
    for number, part in enumerate(np.array_split(x, 11)):
        pd.DataFrame(part, columns=[f"c{j}" for j in range(D)]).to_parquet(
            folder / "parts" / f"part.{number}.parquet", row_group_size=70
        )
    x[[3, 1700], 5] = np.nan
    np.save(folder / "nan.npy", x)
    return folder


def on_workers(count: int, files):
    """Scores from each way in, with this many workers.

    They are threads of this process: processes of their own need long to start.
    """
    quiet = {
        "dashboard_address": "127.0.0.1:0",
        "scheduler_kwargs": {"dashboard": False},
        "protocol": "tcp",
    }
    with (
        LocalCluster(
            count, threads_per_worker=1, processes=False, host="127.0.0.1", **quiet
        ) as cluster,
        Client(cluster),
    ):
        array = da.from_array(table(), chunks=(300, 5))
        found = {
            "array": large.leverage(Spread(array)),
            "ridge": large.leverage(Spread(array), 0.5),
            "npy": large.leverage(Spread(open_table(files / "x.npy"), rows=300)),
            "parquet": large.leverage(Spread(open_table(files / "parts"), rows=300)),
        }
        with pytest.raises(
            UserError, match=r"2 of 2,000 rows hold NaN or infinity: rows 3, 1,700 \("
        ):
            large.leverage(Spread(open_table(files / "nan.npy"), rows=300))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LEVERAGE_LAB_SCHEDULER", cluster.scheduler_address)
            found["job"] = large.of_file(open_table(files / "parts"))
            with pytest.raises(UserError, match="2 of 2,000 rows hold NaN"):
                large.of_file(open_table(files / "nan.npy"))
            jobs.close()
        return found


@pytest.fixture(scope="module")
def one(files):
    return on_workers(1, files)


@pytest.fixture(scope="module")
def two(files):
    return on_workers(2, files)


def test_one_worker_and_two_give_the_same_bits(one, two):
    for way, (scores, facts) in one.items():
        assert np.array_equal(scores, two[way][0]) and facts == two[way][1], way


@pytest.mark.parametrize("way", ["array", "npy", "parquet", "job"])
def test_the_scores_are_those_of_one_process(way, one):
    scores, facts = one[way]
    assert np.abs(scores - leverage(table())).max() < 1e-12
    assert (
        facts["rank"] == 11
        and facts["dead"] == 1
        and facts["n"] == N
        and facts["sum"] == pytest.approx(11, abs=1e-10)
    )


def test_with_a_ridge(one):
    assert np.abs(one["ridge"][0] - leverage(table(), ridge=0.5)).max() < 1e-12


def test_the_same_chunks_give_the_same_bits_whatever_they_come_from(one):
    assert np.array_equal(one["array"][0], one["npy"][0]) and np.array_equal(
        one["npy"][0], one["parquet"][0]
    )


def test_without_a_client_the_chunks_are_computed_here(one):
    heard = []
    scores, _ = large.leverage(
        Spread(da.from_array(table(), chunks=(300, -1)), lambda *what: heard.append(what))
    )
    assert np.array_equal(scores, one["array"][0])
    assert heard[0] == (1 / 7, "Pass 1, 1 of 7 parts") and heard[-1] == (
        1.0,
        "Pass 2, 7 of 7 parts",
    )


class Late:
    """Results that come in the wrong order."""

    def __init__(self, tasks):
        self.tasks = tasks

    def scatter(self, value):
        return value

    def compute(self, tasks):
        found = [task.compute() for task in reversed(tasks)][::-1]
        return [
            type("Future", (), {"result": lambda self, value=value: value})() for value in found
        ]


def test_parts_are_added_in_the_order_of_the_chunks(monkeypatch, one):
    monkeypatch.setattr("core.large.dask_rows._client", lambda: Late([]))
    assert np.array_equal(
        large.leverage(Spread(da.from_array(table(), chunks=(300, -1))))[0], one["array"][0]
    )


BAD = [
    (np.zeros((3, 2)), "found ndarray of shape"),
    (da.zeros(3), r"found Array of shape \(3,\), expected a Dask array"),
    (da.zeros((3, 0)), "at least one row and one column"),
    (da.zeros((3, 2), dtype=complex), "found complex128 values, expected real numbers"),
    (da.zeros((3, 2), dtype="U3"), "values, expected real numbers"),
]


@pytest.mark.parametrize(
    ("array", "message"), BAD, ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_is_no_table_is_refused(array, message):
    with pytest.raises(UserError, match=message):
        Spread(array)


def test_empty_chunks_are_passed_over():
    array = da.from_array(table(), chunks=(300, -1))
    some = array[array[:, 0] > np.sort(table()[:, 0])[-4]].compute_chunk_sizes()  # three rows
    assert 0 in some.chunks[0] and len(some) == 3
    assert large.leverage(Spread(some))[0] == pytest.approx(leverage(some.compute()), abs=1e-12)


def test_chunks_of_unknown_size_are_refused_with_the_way_out():
    array = da.from_array(table(), chunks=(300, -1))
    unknown = array[array[:, 0] > 0]
    with pytest.raises(UserError, match=r"Call compute_chunk_sizes\(\)"):
        Spread(unknown)
    assert (
        len(large.leverage(Spread(unknown.compute_chunk_sizes()))[0]) == (table()[:, 0] > 0).sum()
    )
