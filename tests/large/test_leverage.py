"""Is leverage of a table on disk the leverage of the same rows in memory, and does it say which
rows spoil it?

The passes over a cluster are in test_dask_rows.py, the memory and the time in
tests/benchmarks/large.py.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import __main__ as command_line
from core.large import leverage as large
from core.large.leverage import Streamed
from core.large.row_sources import open_table
from core.linalg import row_blocks
from core.linalg.whitening import whiten
from core.strategies.leverage import leverage
from core.types import UserError

ROOT = Path(__file__).parents[2]
N, D = 300, 6


@pytest.fixture
def x():
    """Rank 5 of 6, a column of zeros, one column a million times as large."""
    x = np.random.default_rng(0).normal(size=(N, D))
    x[:, 2] = 0
    x[:, 4] *= 1e6
    return x.astype(np.float32)


def saved(folder, x, kind="npy"):
    path = folder / f"x.{kind}"
    if kind == "npy":
        np.save(path, x)
    else:
        pd.DataFrame(x, columns=[f"c{j}" for j in range(x.shape[1])]).to_parquet(
            path, row_group_size=37
        )
    return path


def streamed(folder, x, kind="npy", ridge=0.0):
    return large.leverage(Streamed(open_table(saved(folder, x, kind))), ridge)


@pytest.mark.parametrize("kind", ["npy", "parquet"])
def test_the_same_rows_give_the_same_bits_however_they_are_stored(x, kind, tmp_path, monkeypatch):
    monkeypatch.setattr(row_blocks.blocks, "__defaults__", (np.float64, 64))  # several blocks
    scores, facts = streamed(tmp_path, x, kind)
    assert np.array_equal(scores, leverage(x))
    assert facts["rank"] == 5 and facts["dead"] == 1 and facts["n"] == N and facts["d"] == D
    assert facts["sum"] == scores.sum() == pytest.approx(5, abs=1e-12)


@pytest.mark.parametrize("ridge", [1e-3, 1.0, 1e5])
def test_with_a_ridge(x, ridge, tmp_path):
    x[:, 4] /= (
        # a ridge depends on the scale: a million times as large, the last digits of the small
        # columns are gone
        1e5
    )
    scores, facts = streamed(tmp_path, x, ridge=ridge)
    wide = x.astype(np.float64)
    slow = np.diag(wide @ np.linalg.inv(wide.T @ wide + ridge * np.eye(D)) @ wide.T)
    assert scores == pytest.approx(slow, rel=1e-11) and scores == pytest.approx(
        leverage(x, ridge=ridge), rel=1e-11
    )
    squares = np.linalg.svd(wide, compute_uv=False) ** 2
    assert (
        facts["sum"] == pytest.approx((squares / (squares + ridge)).sum(), rel=1e-9)
        and "rank" not in facts
    )


def test_a_badly_conditioned_table_gets_its_second_pass(tmp_path):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(400, 6))
    x[:, 5] = x[:, 0] + 1e-4 * rng.normal(size=400)
    scores, facts = streamed(tmp_path, x)
    q, _ = np.linalg.qr(x)
    assert facts["condition"] > 5e3 and np.abs(scores - (q**2).sum(1)).max() < 1e-11


def test_a_table_can_be_whitened_like_an_array(x, tmp_path):
    table = open_table(saved(tmp_path, x))
    assert np.array_equal(whiten(table).weights, whiten(x).weights)
    assert whiten(table) is not whiten(table), "a file may change: nothing is kept"


class Counted:
    """A table that counts how often it is read."""

    def __init__(self, x):
        self.x, self.shape, self.dtype, self.reads = x, x.shape, x.dtype, 0

    def __len__(self):
        return len(self.x)

    def blocks(self, rows):
        self.reads += 1
        return row_blocks.slices(self.x, rows)


def test_two_passes_and_no_third(x):
    table = Counted(x)
    large.leverage(Streamed(table))
    assert table.reads == 2
    table = Counted(x)
    large.leverage(Streamed(table), ridge=1.0)
    assert table.reads == 2


def test_the_passes_tell_how_far_they_are(x, monkeypatch):
    monkeypatch.setattr(row_blocks.blocks, "__defaults__", (np.float64, 100))
    heard = []
    large.leverage(Streamed(x, lambda *what: heard.append(what)))
    assert [fraction for fraction, _ in heard] == pytest.approx([1 / 3, 2 / 3, 1.0] * 2)
    assert heard[1][1] == "Pass 1, 200 of 300 rows" and heard[-1][1] == "Pass 2, 300 of 300 rows"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_rows_that_hold_no_number_are_named(x, value, tmp_path):
    x[[4, 250], [0, 5]] = value
    with pytest.raises(
        UserError,
        match=(
            r"2 of 300 rows hold NaN or infinity: rows 4, 250 \(the first is row 0\). Remove or"
            r" fill them"
        ),
    ):
        streamed(tmp_path, x)
    x[:, 2] = value  # a column that was all zeros
    with pytest.raises(
        UserError, match=r"300 of 300 rows .*: rows 0, 1, 2, 3, 4, 5, 6, 7 and 292 more"
    ):
        streamed(tmp_path, x)


def test_what_float64_cannot_square_is_said(tmp_path):
    with pytest.raises(UserError, match="their squares exceed float64"):
        streamed(tmp_path, np.full((3, 2), 1e200))


def test_too_many_columns_and_a_bad_ridge_are_refused_before_any_pass(x):
    table = Counted(x)
    table.shape = (300, large.MOST_COLUMNS + 1)
    with pytest.raises(UserError, match="found 20,001 columns, expected at most 20,000"):
        large.leverage(Streamed(table))
    for ridge in (-1.0, np.nan, np.inf):
        with pytest.raises(UserError, match="Ridge: found"):
            large.leverage(Streamed(Counted(x)), ridge)
    assert table.reads == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (3, 5), (5, 1)])
def test_tables_of_few_rows(shape, tmp_path):
    x = np.random.default_rng(1).normal(size=shape)
    assert streamed(tmp_path, x)[0] == pytest.approx(leverage(x), abs=1e-12)
    scores, facts = streamed(tmp_path, np.zeros(shape))
    assert scores.tolist() == [0.0] * shape[0] and facts["rank"] == 0


def test_torch_is_not_needed_where_there_is_no_driver(x, tmp_path):
    path = saved(tmp_path, x)
    script = f"""
import sys
from core.large import leverage, row_sources
from core.linalg import row_blocks
row_blocks._driver = lambda: False
leverage.leverage(leverage.Streamed(row_sources.open_table({str(path)!r})))
assert "torch" not in sys.modules and "dask" not in sys.modules
"""
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def test_a_driver_is_found_or_not(monkeypatch):
    monkeypatch.setattr(row_blocks, "AMD_DRIVER", Path("no such device"))
    monkeypatch.setattr(row_blocks, "DRIVERS", ("no such library.so",))
    row_blocks._driver.cache_clear()
    assert not row_blocks._driver()
    monkeypatch.setattr(row_blocks, "AMD_DRIVER", ROOT)
    row_blocks._driver.cache_clear()
    assert row_blocks._driver()
    row_blocks._driver.cache_clear()


# python -m core leverage


def run(*arguments) -> int:
    return command_line.main(["leverage", *map(str, arguments)])


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_command_writes_scores_and_how_they_were_made(x, kind, tmp_path, capsys):
    path, out = saved(tmp_path, x), tmp_path / f"scores.{kind}"
    assert run(path, "--out", out) == 0
    frame, scores = (pd.read_csv if kind == "csv" else pd.read_parquet)(out), leverage(x)
    assert list(frame) == ["index", "score", "rank"] and frame["index"].tolist() == list(range(N))
    assert np.allclose(frame["score"], scores, rtol=1e-15) and frame["rank"][np.argmax(scores)] == 1
    assert sorted(frame["rank"]) == list(range(1, N + 1))
    manifest = json.loads((tmp_path / "scores.manifest.json").read_text())
    assert manifest["table"] == [
        {"file": "x.npy", "bytes": path.stat().st_size, "modified": path.stat().st_mtime}
    ]
    assert (
        manifest["facts"]["rank"] == 5
        and manifest["versions"]["numpy"] == np.__version__
        and manifest["title"] == "x.npy, Leverage"
    )
    said = capsys.readouterr()
    assert said.out == f"x.npy, Leverage: 300 scores, sum 5.000000, rank 5 -> {out}\n"
    assert said.err.splitlines() == ["Pass 1, 300 of 300 rows", "Pass 2, 300 of 300 rows"]


def test_columns_that_may_be_no_features_are_named(x, tmp_path, capsys):
    table = pd.DataFrame(x[:, :2], columns=["a", "b"]).assign(label=0.5, image_id=range(N))
    table.to_parquet(tmp_path / "x.parquet")
    assert run(tmp_path / "x.parquet", "--out", tmp_path / "out.csv") == 0
    said = capsys.readouterr().out
    assert "4 dimensions: a, b, label, image_id" in said
    assert "if they are no features, leave out: --without label image_id" in said


def test_the_command_hears_its_options(x, tmp_path, capsys):
    path = saved(tmp_path, x, "parquet")
    assert (
        run(path, "--without", "c0", "c5", "--ridge", "2", "--out", tmp_path / "scores.parquet")
        == 0
    )
    expected = leverage(x[:, 1:5], ridge=2.0)
    assert np.allclose(pd.read_parquet(tmp_path / "scores.parquet")["score"], expected, rtol=1e-9)
    manifest = json.loads((tmp_path / "scores.manifest.json").read_text())
    assert manifest["facts"]["ridge"] == 2.0 and manifest["without"] == ["c0", "c5"]
    assert "x.parquet, Leverage: 300 scores" in capsys.readouterr().out


BAD = [
    (["nothing.npy"], "there is no such file or folder"),
    (["x.npy", "--ridge", "-1"], "ridge: found -1, expected a number from 0 to 1e+12"),
    (["x.npy", "--ridge", "much"], "ridge: found 'much'"),
    (["x.npy", "--without", "c0"], "has no names of columns to leave out"),
    (["x.npy", "--out", "scores.xlsx"], "File format: found 'xlsx', expected csv or parquet."),
    (
        ["x.npy", "--out", "no/such/folder/scores.csv"],
        "could not be written (No such file or directory)",
    ),
    (["nan.npy"], "1 of 300 rows hold NaN or infinity: row 7"),
]


@pytest.mark.parametrize(
    ("arguments", "message"),
    BAD,
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_ends_with_status_2_and_a_sentence(
    x, arguments, message, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    saved(tmp_path, x)
    x[7] = np.nan
    np.save("nan.npy", x)
    assert run("--out", "scores.csv", *arguments) == 2
    said = capsys.readouterr()
    assert (
        message in said.err.splitlines()[-1]
        and said.err.splitlines()[-1].startswith("Error: ")
        and said.out == ""
    )
    assert not list(tmp_path.glob("scores*"))


def test_where_nothing_can_be_written_nothing_is_computed(x, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(large, "of_file", lambda *_: pytest.fail("it was computed"))
    (tmp_path / "taken.csv").mkdir()
    assert run(saved(tmp_path, x), "--out", tmp_path / "taken.csv") == 2
    assert "could not be written (Is a directory)" in capsys.readouterr().err


def test_a_file_that_is_there_stays_whole_until_the_work_is_done(x, tmp_path, monkeypatch):
    out = tmp_path / "scores.csv"
    out.write_text("before")
    x[0] = np.nan
    assert run(saved(tmp_path, x), "--out", out) == 2 and out.read_text() == "before"


def test_as_a_program(x, tmp_path):
    command = [
        sys.executable,
        "-m",
        "core",
        "leverage",
        str(saved(tmp_path, x)),
        "--out",
        str(tmp_path / "scores.csv"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "300 scores, sum 5.000000, rank 5" in done.stdout, done.stderr
