"""Are finished trainings found wherever they lie, put in their places, and told row by row?"""

import os
import shutil

import numpy as np
import pytest

from core import datasets
from core.experiments import store
from core.experiments.plan import compute
from core.experiments.retrain import outcomes
from core.experiments.retrain import plan as retrain
from core.experiments.retrain.plan import Retraining, parse_candidate
from core.runtime import cache

PLAN = Retraining().with_(
    dataset="digits",
    n=200,
    network="linear",
    epochs=2,
    seeds=2,
    budgets="20 70",
    candidates="top random",
)
NAN = float("nan")


@pytest.fixture(autouse=True)
def own_folders(own_cache, tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "BUNDLED", tmp_path / "bundled")


@pytest.fixture(scope="module")
def fingerprint():
    return datasets.load("digits", n=200).fingerprint


def outcome(
    accuracy=(0.5, 0.75),
    epoch=(1, 2),
    step=(4, 8),
    loss=0.25,
    per_class=(1.0, 0.5),
    classes=(3, 2),
    chosen=(7, 4, 9),
):
    given = {"accuracy": accuracy, "loss": loss, "per_class": per_class}
    whole = {"epoch": epoch, "step": step, "classes": classes, "chosen": chosen}
    return {n: np.array(v, float) for n, v in given.items()} | {
        n: np.array(v, np.int64) for n, v in whole.items()
    }


def equal(one, other, **how):
    return set(one) == set(other) and all(
        np.allclose(one[n], other[n], equal_nan=True, **(how or {"rtol": 0, "atol": 0}))
        for n in one
    )


# where outcomes are found


def test_what_is_in_the_cache_is_finished_and_the_rest_is_missing(fingerprint):
    units = PLAN.units()
    assert (
        store.outcomes(PLAN, fingerprint) == {}
        and [u for u, _ in store.missing(PLAN, fingerprint)] == units
    )
    done = {unit: compute(unit).arrays for unit in units[2:4]}
    found = store.outcomes(PLAN, fingerprint)
    assert list(found) == units[2:4] and all(equal(found[unit], done[unit]) for unit in done)
    left = store.missing(PLAN, fingerprint)
    assert left == [(unit, unit.key(fingerprint)) for unit in units[:2] + units[4:]]


def test_a_remembered_outcome_outlives_the_disk(fingerprint):
    unit = PLAN.units()[0]
    key = compute(unit).key
    assert store.outcome(key) is not None
    shutil.rmtree(cache.folder())
    assert equal(store.outcome(key), store.outcomes(PLAN, fingerprint)[unit])
    store.forget()
    assert store.outcome(key) is None and store.outcomes(PLAN, fingerprint) == {}


def test_remembering_copies_and_has_its_bound(monkeypatch):
    monkeypatch.setattr(store, "REMEMBERED", 3)
    arrays = outcome()
    keys = [f"unit-{number:024x}" for number in range(5)]
    for key in keys:
        store.remember(key, arrays)
    arrays["accuracy"][:] = 0
    assert [store.outcome(key) is not None for key in keys] == [False, False, True, True, True]
    assert store.outcome(keys[4])["accuracy"].tolist() == [0.5, 0.75]


def test_a_full_disk_loses_nothing(tmp_path, monkeypatch, fingerprint):
    """The worker's entry carries its arrays and a note; kept in memory they count as finished."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LEVERAGE_LAB_CACHE", str(tmp_path / "file" / "cache"))
    unit = PLAN.units()[0]
    entry = compute(unit)
    assert "could not be stored" in entry.notes[0] and store.outcome(entry.key) is None
    store.remember(entry.key, entry.arrays)
    assert (
        equal(store.outcomes(PLAN, fingerprint)[unit], entry.arrays)
        and len(store.missing(PLAN, fingerprint)) == 7
    )


# what comes with the app


def packed(plan, fingerprint):
    """Bundle a plan; forget all else."""
    cache.bundle(store.bundle_key(plan, fingerprint), *store.pack(plan, fingerprint))
    if os.path.isdir(cache.folder()):
        shutil.rmtree(cache.folder())
    store.forget()


def test_a_pack_gives_back_every_training(fingerprint):
    plan = PLAN.with_(
        candidates="top random_balanced", budgets="10 70", epochs=20
    )  # 15 checkpoints; fewer chosen than are shown
    alone = {unit: dict(compute(unit).arrays) for unit in plan.units()}
    packed(plan, fingerprint)
    found = store.outcomes(plan, fingerprint)
    assert list(found) == plan.units() and store.missing(plan, fingerprint) == []
    for unit, arrays in alone.items():
        assert equal(found[unit], arrays, rtol=1e-6, atol=0) and all(
            found[unit][n].shape == arrays[n].shape for n in arrays
        )
        assert all(
            np.array_equal(found[unit][name], arrays[name])
            for name in ("epoch", "step", "classes", "chosen")
        )
    assert {len(arrays["chosen"]) for arrays in found.values()} == {10, 24} and {
        len(a["epoch"]) for a in found.values()
    } == {15}
    rows, expected = (outcomes.tidy_columns(plan, each) for each in (found, alone))
    assert rows["strategy"] == expected["strategy"] and np.allclose(
        rows["value"], expected["value"], rtol=1e-6, equal_nan=True
    )


def test_a_pack_answers_for_every_plan_that_shares_its_trainings_and_any_code(
    fingerprint, monkeypatch
):
    units = PLAN.units()
    for unit in units:
        compute(unit)
    packed(PLAN, fingerprint)
    monkeypatch.setattr(retrain, "code_version", lambda module: "another")
    store._keys.cache_clear()
    wider = PLAN.with_(budgets="20 30 70", seeds=3, candidates="bottom top")
    found = store.outcomes(wider, fingerprint)
    assert set(found) == set(units) and len(store.missing(wider, fingerprint)) == 27 - 8
    assert (
        store.outcomes(wider, "other data") == {}
        and store.outcomes(PLAN.with_(epochs=3), fingerprint) == {}
    )
    store._keys.cache_clear()


def test_an_unfinished_plan_is_packed_as_far_as_it_is(fingerprint):
    for unit in PLAN.units()[:3]:
        compute(unit)
    arrays, facts = store.pack(PLAN, fingerprint)
    assert (
        len(facts["units"]) == 3 == len(arrays["loss"])
        and facts["plan"] == PLAN.to_query()
        and facts["data"] == fingerprint
    )
    packed(PLAN, fingerprint)
    assert list(store.outcomes(PLAN, fingerprint)) == PLAN.units()[:3]


def test_a_damaged_pack_counts_as_missing(fingerprint):
    for unit in PLAN.units():
        compute(unit)
    packed(PLAN, fingerprint)
    file = next(cache.BUNDLED.glob("pack/*/accuracy.npy"))
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    assert store.outcomes(PLAN, fingerprint) == {}


# in their places


def test_the_grid_by_hand():
    plan = PLAN.with_(seeds=2)
    top, random = plan.candidates
    unit = {(str(u.candidate), u.budget, u.seed): u for u in plan.units()}
    found = {
        unit["top:raw", 20, 1]: outcome(),
        unit["random", 70, 2]: outcome(
            (0.2, 0.3, 0.9), (1, 2, 3), (2, 4, 6), 1.5, (NAN, 0.9), (0, 70), range(24)
        ),
    }
    grid = outcomes.grid(plan, found, classes=2)
    assert (top, random) == (
        parse_candidate("top"),
        parse_candidate("random"),
    ) and grid.finished == 2
    assert np.array_equal(
        grid.accuracy, [[[0.75, NAN], [NAN, NAN]], [[NAN, NAN], [NAN, 0.9]]], equal_nan=True
    )
    assert np.array_equal(
        grid.loss, [[[0.25, NAN], [NAN, NAN]], [[NAN, NAN], [NAN, 1.5]]], equal_nan=True
    )
    assert np.array_equal(
        grid.per_class[..., 1], [[[0.5, NAN], [NAN, NAN]], [[NAN, NAN], [NAN, 0.9]]], equal_nan=True
    )
    assert (
        np.array_equal(grid.per_class[0, ..., 0], [[1.0, NAN], [NAN, NAN]], equal_nan=True)
        and np.isnan(grid.per_class[1, ..., 0]).all()
    )
    assert grid.classes[0, 0, 0].tolist() == [3, 2] and grid.classes[1, 1, 1].tolist() == [0, 70]
    for name, values in (("curve", [0.2, 0.3, 0.9]), ("step", [2, 4, 6]), ("epoch", [1, 2, 3])):
        array = getattr(grid, name)
        assert (
            array.shape == (2, 2, 2, 15)
            and array[1, 1, 1, :3].tolist() == values
            and np.isnan(array[1, 1, 1, 3:]).all()
        )
        assert np.array_equal(array[0, 1], np.full((2, 15), NAN), equal_nan=True)
    assert grid.chosen[0, 0, 0].tolist() == [7, 4, 9] + [-1] * 21 and grid.chosen[
        1, 1, 1
    ].tolist() == list(range(24))
    assert (grid.chosen[0, 1] == -1).all()


def test_a_grid_without_outcomes_is_empty():
    grid = outcomes.grid(PLAN, {}, classes=10)
    assert (
        grid.finished == 0
        and np.isnan(grid.accuracy).all()
        and grid.per_class.shape == (2, 2, 2, 10)
        and (grid.chosen == -1).all()
    )


def test_rows_by_hand():
    units = PLAN.units()
    found = {units[0]: outcome(), units[5]: outcome(loss=2.0, per_class=(0.0, NAN))}
    rows = outcomes.tidy_columns(PLAN, found)
    lines = list(zip(*rows.values(), strict=True))
    assert list(rows) == ["strategy", "seed", "budget", "epoch", "step", "metric", "value"]
    assert lines[:5] == [
        ("top:raw", 1, 20, 1, 4, "accuracy", 0.5),
        ("top:raw", 1, 20, 2, 8, "accuracy", 0.75),
        ("top:raw", 1, 20, 2, 8, "loss", 0.25),
        ("top:raw", 1, 20, 2, 8, "accuracy of class 0", 1.0),
        ("top:raw", 1, 20, 2, 8, "accuracy of class 1", 0.5),
    ]
    assert lines[5][:3] == ("random", 2, 20) and lines[7][5:] == ("loss", 2.0) and len(lines) == 10
    assert lines[9][5] == "accuracy of class 1" and np.isnan(lines[9][6])
    assert outcomes.tidy_columns(PLAN, {}) == {name: [] for name in rows}
