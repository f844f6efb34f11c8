"""Does `python -m core` write what the screen would offer, and say what is wrong without a
traceback?
"""

import dataclasses
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import __main__ as command_line
from core import datasets, embeddings, pipeline
from core.commands import bundled
from core.data import own
from core.experiments import bundling, presets, runner, store
from core.experiments.plan import compute
from core.experiments.retrain import outcomes
from core.experiments.retrain import plan as experiment
from core.experiments.retrain.plan import Retraining
from core.experiments.simulations import plan as simulation_plan
from core.experiments.trim import fi_simulations
from core.experiments.trim.plan import Trim
from core.exports.reading_back import read_back
from core.models import umap_map
from core.runtime import cache, jobs
from core.spec import Spec, scores_key, textbook_key
from core.strategies.leverage import leverage
from core.types import UserError
from tests.tools import own_data

pytestmark = pytest.mark.usefixtures("own_cache")
ROOT = Path(__file__).parents[2]
COLUMNS = ["id", "index", "split", "label", "score_raw_leverage", "rank_raw_leverage"]


def run(*arguments) -> int:
    return command_line.main(["score", *map(str, arguments)])


def test_csv_holds_every_score_exactly_and_a_manifest_says_how(tmp_path, capsys):
    assert run("--dataset", "digits", "--out", tmp_path / "scores.csv") == 0
    frame, data = pd.read_csv(tmp_path / "scores.csv"), datasets.load("digits")
    scores = leverage(embeddings.embed(data, "raw").embedding)
    assert (
        list(frame) == COLUMNS
        and frame["index"].tolist() == list(range(1797))
        and set(frame["split"]) == {"train"}
    )
    assert np.allclose(frame["score_raw_leverage"], scores, rtol=1e-14)
    assert frame["label"].tolist() == data.labels.tolist()
    rank = frame["rank_raw_leverage"]
    assert rank[np.argmax(scores)] == 1 and sorted(rank) == list(range(1, 1798))
    manifest = json.loads((tmp_path / "scores.manifest.json").read_text())
    (ranking,) = manifest["rankings"]
    assert (
        ranking["spec"] == {"dataset": "digits"}
        and ranking["title"] == "Digits 8 x 8, Raw pixels, Leverage"
    )
    assert (
        manifest["data"]["name"],
        manifest["data"]["points"],
        manifest["data"]["fingerprint"],
    ) == ("digits", 1797, data.fingerprint)
    assert (
        ranking["facts"]["rank"] == 61
        and manifest["versions"]["numpy"] == np.__version__
        and manifest["projection"] is None
    )
    said = "Digits 8 x 8, Raw pixels, Leverage: 1,797 scores, sum 61.000000, rank 61"
    assert capsys.readouterr().out == f"{said} -> {tmp_path / 'scores.csv'}\n"


def test_every_option_reaches_the_scores(tmp_path):
    embedding = (
        "--dataset digits --n 300 --subset 2 --embedding projection --embedding-knob k=20 --seed 3"
    ).split()
    assert (
        run(
            *embedding,
            "--knob",
            "ridge=10",
            "--knob",
            "rank=15",
            "--out",
            tmp_path / "scores.parquet",
        )
        == 0
    )
    frame, data = (
        pd.read_parquet(tmp_path / "scores.parquet"),
        datasets.load("digits", n=300, seed=2),
    )
    embedded = embeddings.embed(data, "projection", seed=3, k=20)
    name = "projection_seed3_k20_leverage_ridge10_rank15"
    assert list(frame) == [*COLUMNS[:4], f"score_{name}", f"rank_{name}"]
    assert (
        np.array_equal(frame["index"], data.index)
        and len(set(frame["index"]) - set(range(300))) > 0
    )
    assert np.allclose(
        frame[f"score_{name}"], leverage(embedded.embedding, ridge=10.0, rank=15), rtol=1e-12
    )
    manifest = json.loads((tmp_path / "scores.manifest.json").read_text())
    plain = {"dataset": "digits", "n": "300", "subset": "2", "embedding": "projection", "seed": "3"}
    assert manifest["rankings"][0]["spec"] == plain | {
        "e.k": "20",
        "s.ridge": "10.0",
        "s.rank": "15",
    }


def test_ranks_of_equal_scores_follow_the_rows(tmp_path, monkeypatch):
    entry = pipeline.scores(Spec().with_(dataset="digits", n=100))
    tied = cache.Entry(entry.key, {"scores": np.round(entry.arrays["scores"], 1)}, entry.facts)
    monkeypatch.setattr(pipeline, "scores", lambda spec: tied)
    assert run("--dataset", "digits", "--n", 100, "--out", tmp_path / "tied.csv") == 0
    frame = pd.read_csv(tmp_path / "tied.csv").sort_values("rank_raw_leverage")
    assert (
        frame["score_raw_leverage"].is_monotonic_decreasing
        and frame["score_raw_leverage"].nunique() < 12
    )
    assert all(
        group["index"].is_monotonic_increasing for _, group in frame.groupby("score_raw_leverage")
    )


def test_what_happened_to_the_cache_is_told_and_costs_nothing(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LEVERAGE_LAB_CACHE", str(tmp_path / "file" / "cache"))
    assert run("--dataset", "digits", "--n", 50, "--out", tmp_path / "scores.csv") == 0
    assert (
        "could not be stored" in capsys.readouterr().err
        and len(pd.read_csv(tmp_path / "scores.csv")) == 50
    )


BAD = [
    (["--dataset", "mnits"], "Dataset: found 'mnits', expected one of mnist"),
    (["--embedding", "umap"], "Embedding: found 'umap'"),
    (["--strategy", "luck"], "Strategy: found 'luck'"),
    (["--n", "many"], "n: found 'many', expected a whole number from 1 to 1797"),
    (["--n", "99999"], "n: found 99999, expected a number from 1 to 1797"),
    (["--n", "nan"], "n: found 'nan'"),
    (["--knob", "ridge"], "Setting: found 'ridge', expected name=value, such as ridge=0.1."),
    (["--knob", "ridge=nan"], "ridge: found nan, expected a number from 0 to 1e+12"),
    (["--knob", "power=2"], "Leverage has no setting power; it has ridge, rank"),
    (["--knob", "rank=62"], "Directions: found 62, but this embedding has rank 61"),
    (
        ["--embedding", "pca", "--embedding-knob", "k=65"],
        "Dimensions k: found 65, but there are 64",
    ),
    (["--embedding", "projection", "--seed", "-1"], "seed: found -1"),
    (["--out", "scores.xlsx"], "File format: found 'xlsx', expected csv or parquet."),
    (["--out", "scores"], "File format: found '', expected csv or parquet."),
    (
        ["--out", "no/such/folder/scores.csv"],
        "could not be written (No such file or directory). Choose a folder that exists",
    ),
]


@pytest.mark.parametrize(
    ("arguments", "message"),
    BAD,
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_ends_with_status_2_and_a_sentence(
    arguments, message, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert run("--dataset", "digits", "--out", "scores.csv", *arguments) == 2
    said = capsys.readouterr()
    assert said.err.startswith("Error: ") and message in said.err and said.out == ""
    assert not list(tmp_path.glob("scores*"))


@pytest.mark.parametrize(
    "arguments", [[], ["score"], ["paint"], ["score", "--out", "a.csv", "--colour", "red"]]
)
def test_a_malformed_command_shows_its_usage(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        command_line.main(arguments)
    assert ended.value.code == 2 and "usage: python -m core" in capsys.readouterr().err


def test_warm_bundles_what_the_first_screen_reads(tmp_path, monkeypatch):
    first = Spec().with_(dataset="digits")
    monkeypatch.setattr(cache, "BUNDLED", tmp_path / "bundled")
    monkeypatch.setattr(
        bundled, "first_screens", lambda: [("scores", first), ("textbook_scores", first)]
    )
    assert command_line.main(["warm"]) == 0
    data = datasets.load("digits")
    keys = {cache.bundled_key(key(first, data.fingerprint)) for key in (scores_key, textbook_key)}
    assert {folder.name for folder in cache.BUNDLED.glob("*/*")} == keys
    monkeypatch.setenv("LEVERAGE_LAB_CACHE", str(tmp_path / "empty"))
    found = cache.get(scores_key(first, data.fingerprint))
    assert np.array_equal(found.arrays["scores"], leverage(embeddings.embed(data, "raw").embedding))


def test_warm_can_be_told_what_to_renew(tmp_path, monkeypatch, capsys):
    first = Spec().with_(dataset="digits")
    monkeypatch.setattr(cache, "BUNDLED", tmp_path / "bundled")
    monkeypatch.setattr(
        bundled, "first_screens", lambda: [("scores", first), ("textbook_scores", first)]
    )
    assert command_line.main(["warm", "--only", "scores"]) == 0
    key = cache.bundled_key(scores_key(first, datasets.load("digits").fingerprint))
    assert [folder.name for folder in cache.BUNDLED.glob("*/*")] == [key]
    with pytest.raises(SystemExit):
        command_line.main(["warm", "--only", "everything"])
    assert "invalid choice: 'everything'" in capsys.readouterr().err


def test_as_a_program(tmp_path):
    def program(*arguments):
        command = [
            sys.executable,
            "-m",
            "core",
            "score",
            "--dataset",
            "digits",
            "--n",
            "100",
            *arguments,
        ]
        return subprocess.run(
            command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False
        )

    good = program("--strategy", "random", "--draw", "4", "--out", str(tmp_path / "scores.parquet"))
    assert (good.returncode, good.stderr) == (0, "") and good.stdout.startswith(
        "Digits 8 x 8, Raw pixels, Random (n 100): 100 scores"
    )
    assert np.array_equal(
        pd.read_parquet(tmp_path / "scores.parquet")["score_raw_random_draw4"],
        np.random.default_rng(4).random(100),
    )
    bad = program("--strategy", "luck", "--out", str(tmp_path / "other.parquet"))
    assert (bad.returncode, bad.stdout) == (2, "") and bad.stderr.startswith(
        "Error: Strategy: found 'luck'"
    )
    assert "Traceback" not in bad.stderr


# export


def export(*arguments) -> int:
    return command_line.main(["export", "--dataset", "digits", "--n", "100", *map(str, arguments)])


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_several_rankings_and_a_map_go_into_one_file(kind, tmp_path, capsys, monkeypatch):
    # UMAP compiles itself for a minute: tests/models/test_umap_map.py
    monkeypatch.setattr(umap_map, "umap_map", lambda x, progress: x[:, :2].astype(np.float32))
    out = tmp_path / f"scores.{kind}"
    assert (
        export(
            "--subset",
            5,
            "--rankings",
            "raw:leverage pca:k=20:leverage random:4 raw",
            "--map",
            "projection:2:k=10",
            "--out",
            out,
        )
        == 0
    )
    points = Spec().with_(dataset="digits", n=100, subset=5)
    wanted = (
        points,
        points.with_(embedding="pca", embedding_knobs=(("k", 20),)),
        points.with_(strategy="random", draw=4),
    )
    manifest = (tmp_path / "scores.manifest.json").read_bytes()
    found = read_back(out.read_bytes(), out.name, manifest if kind == "csv" else None)
    assert tuple(column.spec for column in found.columns) == wanted and found.faults == ()
    for column in found.columns:
        assert np.array_equal(column.scores, pipeline.scores(column.spec).arrays["scores"])
    mapped = points.with_(embedding="projection", seed=2, embedding_knobs=(("k", 10),))
    assert found.projection.spec == mapped
    assert np.array_equal(
        found.projection.coordinates, pipeline.map_of(mapped).arrays["coordinates"]
    )
    said = capsys.readouterr().out.splitlines()
    assert (
        said[0] == f"Digits 8 x 8, Raw pixels, Leverage (n 100): 100 scores -> {out}"
        and len(said) == 4
    )
    assert said[-1] == f"UMAP of Random projection -> {out}"


BAD_EXPORTS = [
    (["--rankings", " "], "Rankings: found none, expected at least one, such as raw:leverage."),
    (
        ["--rankings", "raw:luck"],
        "Ranking 'raw:luck': found 'luck', expected embedding:seed:strategy:draw",
    ),
    (["--rankings", "badge"], "BADGE picks a batch and has no score per point"),
    (["--rankings", "raw", "--map", "umap"], "Ranking 'umap': found 'umap'"),
    (
        ["--rankings", "raw", "--out", "scores.xlsx"],
        "File format: found 'xlsx', expected csv or parquet.",
    ),
    (["--rankings", "raw", "--dataset", "mnits"], "Dataset: found 'mnits'"),
]


@pytest.mark.parametrize(
    ("arguments", "message"),
    BAD_EXPORTS,
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_bad_export_ends_with_status_2_and_a_sentence(
    arguments, message, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert export("--out", "scores.csv", *arguments) == 2
    said = capsys.readouterr()
    assert (
        said.err.startswith("Error: ")
        and message in said.err
        and said.out == ""
        and not list(tmp_path.glob("scores*"))
    )


# retrain

PLAN = Retraining().with_(
    dataset="digits",
    n=100,
    network="linear",
    epochs=2,
    seeds=2,
    budgets="20 40",
    candidates="top random",
)
OPTIONS = "--dataset=digits --n=100 --network=linear --epochs=2 --seeds=2".split() + [
    "--budgets=20 40",
    "--candidates=top",
]


class Here:
    """Stands in for core.runtime.jobs: every unit at once, in this process."""

    LOST = jobs.LOST

    def slots(self):
        return 1

    def workers(self):
        return [""]

    def submit(self, task, *arguments, key, priority, **how):
        job = jobs.Job(key, task, arguments, priority)
        try:
            module, _, function = task.partition(":")
            called = getattr(importlib.import_module(module), function)
            job._finish("done", value=called(*arguments))
        except UserError as error:
            job._finish("failed", error=str(error))
        return job

    def forget(self, key):
        pass


@pytest.fixture
def here(monkeypatch):
    monkeypatch.setattr(runner, "jobs", Here())
    monkeypatch.setattr(runner, "_queue", runner._Queue())
    store.forget()
    experiment._pool_scores.cache_clear()
    yield
    store.forget()


def retrain(*arguments) -> int:
    return command_line.main(["retrain", *OPTIONS, *map(str, arguments)])


def test_a_run_is_written_row_by_row_with_its_manifest(tmp_path, here, capsys):
    assert retrain("--out", tmp_path / "run.csv") == 0
    said = capsys.readouterr()
    assert (
        said.err == ""
        and said.out.splitlines()[-1] == f"{PLAN.title()}: 8 trainings -> {tmp_path / 'run.csv'}"
    )
    assert f"{PLAN.title()}: 8 of 8" in said.out
    assert retrain("--out", tmp_path / "run.parquet") == 0
    expected = pd.DataFrame(
        outcomes.tidy_columns(PLAN, {unit: compute(unit).arrays for unit in PLAN.units()})
    )
    assert list(expected) == [
        "strategy",
        "seed",
        "budget",
        "epoch",
        "step",
        "metric",
        "value",
    ] and len(expected) == 8 * (2 + 1 + 10)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "run.csv"), expected, check_exact=True)
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "run.parquet"), expected, check_exact=True
    )
    manifest = json.loads((tmp_path / "run.manifest.json").read_text())
    assert (
        manifest["plan"] == PLAN.to_query()
        and manifest["title"] == PLAN.title()
        and manifest["trainings"] == 8
    )
    assert manifest["data"] == {"fingerprint": datasets.load("digits", n=100).fingerprint}
    assert manifest["versions"]["numpy"] == np.__version__


def test_every_option_of_a_plan_is_heard(tmp_path, here):
    more = (
        "--subset=3 --protocol=steps --steps=12 --seeds=3 --network=mlp"
        " --candidates=bottom:random_relu:2 --budgets=30".split()
    )
    assert retrain(*more, "--out", tmp_path / "run.csv") == 0
    query = json.loads((tmp_path / "run.manifest.json").read_text())["plan"]
    plan = {
        "dataset": "digits",
        "n": "100",
        "subset": "3",
        "network": "mlp",
        "protocol": "steps",
        "steps": "12",
        "seeds": "3",
    }
    assert query == plan | {"candidates": "bottom:random_relu:2 random", "budgets": "30"}
    frame = pd.read_csv(tmp_path / "run.csv")
    assert (
        set(frame["strategy"]) == {"bottom:random_relu:2", "random"}
        and set(frame["seed"]) == {1, 2, 3}
        and set(frame["budget"]) == {30}
    )
    assert frame["step"].max() == 12


def test_a_disk_that_refuses_costs_a_run_nothing(tmp_path, here, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LEVERAGE_LAB_CACHE", str(tmp_path / "file" / "cache"))
    assert retrain("--out", tmp_path / "run.csv") == 0
    assert (
        "could not be stored" in capsys.readouterr().err
        and len(pd.read_csv(tmp_path / "run.csv")) == 104
    )


BAD_RUNS = [
    (["--dataset", "mnits"], "Dataset: found 'mnits', expected one of mnist"),
    (["--n", "many"], "n: found 'many', expected a whole number"),
    (["--candidates", "best"], "Selection rule: found 'best', expected one of top, bottom"),
    (["--candidates", "top:cnn"], "Embedding: found 'cnn'"),
    (["--budgets", "20 many"], "budget: found 'many', expected a whole number of at least 1"),
    (["--budgets", ""], "Budgets: found 0, expected 1 to 12 numbers of points"),
    (
        ["--budgets", "81"],
        "Budget k: found 81, but 80 points can be picked. Choose k between 0 and 80.",
    ),
    (
        ["--candidates", "random_balanced", "--budgets", "9"],
        "Random of each class: found a budget of 9 for 10 classes",
    ),
    (["--network", "transformer"], "network: found 'transformer', expected one of talk_cnn"),
    (["--network", "lenet5"], "lenet5 needs images of at least 12 pixels a side, found 8"),
    (["--protocol", "fast"], "protocol: found 'fast', expected one of epochs, steps, talk"),
    (["--seeds", "1"], "seeds: found 1, expected a number from 2 to 50"),
    (["--epochs", "0"], "epochs: found 0, expected a number from 1 to 200"),
    (["--steps", "1e9"], "steps: found 1e9, expected a number from 10 to 100000"),
    (["--out", "run.xlsx"], "File format: found 'xlsx', expected csv or parquet."),
    (
        ["--out", "no/such/folder/run.csv"],
        "could not be written (No such file or directory). Choose a folder that exists",
    ),
]


@pytest.mark.parametrize(
    ("arguments", "message"),
    BAD_RUNS,
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_bad_run_ends_with_status_2_and_a_sentence(
    arguments, message, tmp_path, here, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert retrain("--out", "run.csv", *arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("Error: ") and message in said and said.count("\n") == 1
    assert not list(tmp_path.glob("run*"))


def test_bundled_runs_are_computed_and_packed(tmp_path, here, monkeypatch):
    monkeypatch.setattr(cache, "BUNDLED", tmp_path / "bundled")
    monkeypatch.setattr(presets, "BUNDLED", {"retrain": (PLAN, PLAN.with_(protocol="talk"))})
    assert command_line.main(["experiments"]) == 0
    assert len(list(cache.BUNDLED.glob("pack/*"))) == 2
    monkeypatch.setenv("LEVERAGE_LAB_CACHE", str(tmp_path / "empty"))
    store.forget()
    for plan in presets.BUNDLED["retrain"]:
        assert len(store.outcomes(plan, datasets.load("digits", n=100).fingerprint)) == 8


def test_bundled_utilities_and_queries_are_computed_and_packed(tmp_path, here, monkeypatch):
    from core.experiments.influence.plan import Queries, Utilities

    digits = Spec(dataset="digits", n=400)
    small = {"seen": digits, "labeled": 20, "validation": 20, "seeds": 2}
    plans = (Utilities().with_(**small, pool=10), Queries().with_(**small, unlabeled=50, rounds=1))
    monkeypatch.setattr(cache, "BUNDLED", tmp_path / "bundled")
    monkeypatch.setattr(presets, "BUNDLED", presets.BUNDLED | {"influence": plans})
    assert command_line.main(["experiments", "--only", "influence"]) == 0
    monkeypatch.setenv("LEVERAGE_LAB_CACHE", str(tmp_path / "empty"))
    store.forget()
    for plan, units in zip(plans, (2, 12), strict=True):
        assert len(store.outcomes(plan, datasets.load("digits", n=400).fingerprint)) == units


def test_bundled_trimmings_are_computed_and_packed_with_the_simulations(
    tmp_path, here, monkeypatch
):
    plan = Trim().with_(
        dataset="digits", n=400, training=100, validation=60, budgets="5", methods="loss", seeds=2
    )
    monkeypatch.setattr(cache, "BUNDLED", tmp_path / "bundled")
    monkeypatch.setattr(presets, "BUNDLED", presets.BUNDLED | {"trim": (plan,)})
    monkeypatch.setattr(
        fi_simulations,
        "WORLDS",
        {"two_gaussians": dataclasses.replace(fi_simulations.GAUSSIANS, seeds=2)},
    )
    assert command_line.main(["experiments", "--only", "trim"]) == 0
    monkeypatch.setenv("LEVERAGE_LAB_CACHE", str(tmp_path / "empty"))
    store.forget()
    assert len(store.outcomes(plan, datasets.load("digits", n=400).fingerprint)) == 4
    table = cache.get(fi_simulations.accuracies_key("two_gaussians"))
    assert (
        table.arrays["accuracy"].shape == (2, 4, 4)
        and cache.get(fi_simulations.boundaries_key("two_gaussians", 1)) is not None
    )


def test_a_run_as_a_program(tmp_path):
    out = tmp_path / "run.csv"
    command = [
        sys.executable,
        "-m",
        "core",
        "retrain",
        *OPTIONS,
        "--candidates=random",
        "--budgets=20",
        "--out",
        str(out),
    ]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr and "Error" not in done.stderr
    assert "2 trainings ->" in done.stdout and len(pd.read_csv(out)) == 2 * (2 + 1 + 10)


def test_simulations_are_computed_and_packed(tmp_path, here, monkeypatch):
    risk = simulation_plan.PRESETS["risk"].with_(pool=200, seeds=2, strategies="log_det")
    network = simulation_plan.PRESETS["backward"].with_(
        dataset="digits", n=600, pool=200, batch=5, rounds=1, seeds=2, strategies="k_center"
    )
    monkeypatch.setattr(cache, "BUNDLED", tmp_path / "bundled")
    monkeypatch.setattr(presets, "BUNDLED", presets.BUNDLED | {"simulations": (risk, network)})
    assert command_line.main(["experiments", "--only", "simulations"]) == 0
    monkeypatch.setenv("LEVERAGE_LAB_CACHE", str(tmp_path / "empty"))
    store.forget()
    for plan, runs in ((risk, 8), (network, 4)):
        assert len(store.outcomes(plan, plan.points().fingerprint)) == runs


# own data


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LEVERAGE_LAB_DATA", str(tmp_path / "data"))
    pipeline.dataset.cache_clear()
    return tmp_path


def test_a_file_is_brought_in_scored_and_removed(own_folder, capsys):
    file, out = own_folder / "pets.zip", own_folder / "scores.parquet"
    file.write_bytes(own_data.zip_of(broken=True))
    assert command_line.main(["bring", str(file), "--look"]) == 0 and own.names() == ()
    assert command_line.main(["bring", str(file), "--title", "Pets", "--side", "6"]) == 0
    said = capsys.readouterr()
    assert (
        "24 images of 6 x 6" in said.out
        and "classes: cat 12, dog 12" in said.out
        and "broken.png" in said.err
    )
    (name,) = own.names()
    assert (
        command_line.main(["own"]) == 0
        and f"{name}  Pets, 24 points of 6 x 6" in capsys.readouterr().out
    )
    assert (
        command_line.main(
            ["score", "--dataset", name, "--strategy", "typicality", "--out", str(out)]
        )
        == 0
    )
    assert pd.read_parquet(out)["id"].tolist()[0] == "pets/cat/000.png"
    assert command_line.main(["own", "--remove", name]) == 0 and own.names() == ()


def test_a_target_is_named_by_command(own_folder, capsys):
    file = own_folder / "rents.csv"
    file.write_text("rooms,rent\n1,500\n2,900\n3,\n2,950.5\n")
    assert command_line.main(["bring", str(file), "--target", "rent"]) == 0
    said = capsys.readouterr()
    assert "target: 500 to 950.5" in said.out and "1 of 4, the first being 2" in said.err
    (name,) = own.names()
    assert datasets.load(name).target.tolist() == [500, 900, 950.5]
    file.write_text("rooms,rent\n1,cheap\n2,900\n")
    assert command_line.main(["bring", str(file), "--target", "rent"]) == 2
    assert "found text in 1 of 2 rows, such as cheap, expected numbers" in capsys.readouterr().err


def test_columns_are_listed_with_their_roles_and_take_others_by_command(own_folder, capsys):
    file = own_folder / "t.csv"
    file.write_text("id,town,a,b\np,Ulm,1,5\nq,Bonn,2,\nr,Ulm,3,9\n")
    assert command_line.main(["bring", str(file), "--look"]) == 0
    said = capsys.readouterr()
    assert "town  shown only: no numbers" in said.out and "2 rows of 2" in said.out.split("t: ")[1]
    given = ["--role", "town=label", "--gaps", "median", "--header", "yes"]
    assert command_line.main(["bring", str(file), *given]) == 0
    (name,) = own.names()
    data = datasets.load(name)
    assert data.class_names == ("Bonn", "Ulm") and data.points[:, 1].tolist() == [5, 7, 9]
    assert data.shown["filled in"].tolist() == ["", "b", ""]
    assert command_line.main(["bring", str(file), "--role", "town"]) == 2
    assert "expected COLUMN=ROLE, such as age=feature" in capsys.readouterr().err


def test_an_embedding_is_joined_and_scored(own_folder, capsys):
    file, out = own_folder / "two.npy", own_folder / "scores.csv"
    numbers = np.random.default_rng(0).standard_normal((1797, 2)).astype(np.float32)
    np.save(file, numbers)
    asked = ["join", "digits", str(file), "--title", "Two numbers"]
    assert command_line.main(asked) == 2 and not own.joined("digits")
    assert "in the order of the points: if that is so, say it with --in-order" in (
        capsys.readouterr().err
    )
    assert command_line.main([*asked, "--in-order"]) == 0
    (name,) = own.joined("digits")
    assert "Joined in their order" in capsys.readouterr().err
    assert (
        command_line.main(["score", "--dataset", "digits", "--embedding", name, "--out", str(out)])
        == 0
    )
    scores = (
        pd.read_csv(out, float_precision="round_trip").filter(like="score_").iloc[:, 0].to_numpy()
    )
    np.testing.assert_allclose(scores, leverage(numbers), rtol=1e-12)
    assert (
        command_line.main(["own"]) == 0
        and "Two numbers, 2 dimensions, of Digits 8 x 8" in capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["bring", "nothing.zip"], "found nothing there, expected a file or a folder"),
        (["bring", "words.parquet"], "numbers"),
        (["bring", "short.npz"], "Nothing was kept. Mend what is said above"),
        (["join", "digits", "rows.parquet"], "ids missing"),
        (["join", "nowhere", "rows.parquet"], "Dataset: found 'nowhere'"),
        (["own", "--remove", "own_0123456789abcdef"], "not on this machine, or not any more"),
        (["own", "--remove", "mnist"], "expected own_ or joined_ and 16 hex digits"),
    ],
)
def test_what_cannot_be_brought_in_is_said(own_folder, monkeypatch, capsys, command, said):
    monkeypatch.chdir(own_folder)
    Path("words.parquet").write_bytes(own_data.parquet_of(x=["u"] * 30, y=["v"] * 30))
    Path("short.npz").write_bytes(
        own_data.npz_of(images=np.zeros((5, 4, 4), np.uint8), labels=np.zeros(4, int))
    )
    Path("rows.parquet").write_bytes(own_data.parquet_of())
    assert command_line.main(command) == 2
    assert said in capsys.readouterr().err and own.names() == ()


def test_a_host_fetches_a_dataset_and_hears_of_each_step_once(monkeypatch, capsys):
    def fetch(name, progress):
        for fraction in (0.1, 0.2):
            progress(fraction, f"{name}: downloading a.gz, {fraction} MB")
        progress(None, f"{name}: preparing 70,000 points")

    monkeypatch.setattr(datasets, "fetch", fetch)
    assert command_line.main(["fetch", "kmnist"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert (
        lines[:2] == ["kmnist: downloading a.gz", "kmnist: preparing 70,000 points"]
        and str(datasets.data_folder()) in lines[2]
    )
    monkeypatch.undo()
    assert (
        command_line.main(["fetch", "digits"]) == 0
        and "come with the app" in capsys.readouterr().out
    )
    assert (
        command_line.main(["fetch", "nothing"]) == 2
        and "expected one of" in capsys.readouterr().err
    )


def test_comparisons_are_summed_by_command(tmp_path, capsys, monkeypatch):
    """What is missing is computed first."""
    quick = "dataset=digits&network=linear&strategies=leverage&until=epochs&epochs=1&rounds=3"
    links = [f"{quick}&batch={batch}&start=20&pool=200&seeds=2" for batch in (5, 10)]
    monkeypatch.setattr(bundling, "finish", _computed_here)
    out = tmp_path / "beats.csv"
    assert command_line.main(["active", *links, "--group", "batch", "--out", str(out)]) == 0
    table = pd.read_csv(out)
    assert list(table.columns) == ["group", "row", "column", "value"]
    assert set(table["group"]) == {"batches of 5", "batches of 10"} and len(table) == 2 * 3 * 2
    said = capsys.readouterr().out
    assert (
        "beaten on average" in said
        and said.count("2 seeds: budgets") + said.count("2 seeds: no budget") == 2
    )
    assert command_line.main(["active", links[0], "batch=nine"]) == 2
    assert "batch: found 'nine'" in capsys.readouterr().err
    assert command_line.main(["active", links[0], links[0].replace("leverage", "entropy")]) == 2
    assert "in every comparison of one sum" in capsys.readouterr().err
    assert command_line.main(["active", links[0], f"{links[0]}&task=regression"]) == 2
    assert "expected one task in a sum" in capsys.readouterr().err


def _computed_here(plan, say):
    for unit in plan.units():
        compute(unit)
    return plan.points().fingerprint
