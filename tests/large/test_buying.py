"""Rows chosen from a table on disk: the same as from an array, and written with their weights."""

import numpy as np
import pandas as pd
import pytest

from core import __main__ as command_line
from core.large import buying, row_sources
from core.linalg import sampling
from core.strategies.leverage import leverage


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    return (rng.normal(size=(400, 5)) * rng.exponential(size=(400, 1))).astype(np.float32)


@pytest.mark.parametrize("rule", buying.RULES)
def test_from_disk_as_from_memory(rule, rows, tmp_path):
    np.save(tmp_path / "rows.npy", rows)
    table = row_sources.open_table(str(tmp_path / "rows.npy"))
    indices, weights, rank = buying.choose(table, rule, 40, np.random.default_rng(7))
    scores = leverage(rows)
    assert rank == 5
    rng = np.random.default_rng(7)
    if rule == "leverage":
        expected = sampling.with_replacement(scores, 40, rng)
    elif rule == "coins":
        expected = sampling.coins(sampling.inclusion(scores, 40), rng)
    else:
        order = sampling.spread_order(sampling.main_directions(rows))
        expected = sampling.pivotal(sampling.inclusion(scores, 40), order, rng)
    np.testing.assert_array_equal(indices, expected[0])
    np.testing.assert_allclose(weights, expected[1], rtol=1e-6)


def test_the_command_writes_rows_and_weights_that_fit(rows, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.save("rows.npy", rows)
    assert command_line.main(["buy", "rows.npy", "--k", "60", "--out", "rows.csv"]) == 0
    bought = pd.read_csv("rows.csv")
    assert len(bought) == bought["row"].nunique() == 60
    y = rows @ np.ones((5, 1)) + 0.1
    found = sampling.sketched_least_squares(rows, y, bought["row"], bought["weight"])
    best = np.linalg.lstsq(rows, y, rcond=None)[0]
    loss = ((rows @ found - y) ** 2).sum() / ((rows @ best - y) ** 2).sum()
    assert (
        1 <= loss < 2 and "60 of 400 rows, 60 of them different, rank 5" in capsys.readouterr().out
    )


def test_more_labels_than_rows_with_leverage_are_refused(rows, tmp_path, capsys):
    rows[300:] = 0
    np.save(tmp_path / "rows.npy", rows)
    command = ["buy", str(tmp_path / "rows.npy"), "--k", "301", "--out", str(tmp_path / "r.csv")]
    assert command_line.main(command) == 2
    assert "only 300 rows have a chance above zero" in capsys.readouterr().err
    assert not (tmp_path / "r.csv").exists()
