"""What comes with the app finished: is it all there, nothing else, and what this code computes?"""

import functools
import json

import numpy as np
import pytest

from core import datasets
from core.data import splits
from core.experiments import kinds, presets, store
from core.experiments.retrain import run
from core.experiments.trim import fi_simulations
from core.runtime import cache, code_version

pytestmark = pytest.mark.usefixtures("own_cache")  # only the bundle answers
ALL = [plan for plans in presets.BUNDLED.values() for plan in plans]


@pytest.fixture(scope="module", autouse=True)
def _loaded_once():
    """Most plans are about the same few datasets, and none changes one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets, "load", functools.cache(datasets.load))
        yield


@pytest.fixture(scope="module")
def mnist(_loaded_once):
    return datasets.load("mnist")


@pytest.mark.parametrize("plan", ALL, ids=lambda plan: f"{plan.kind}: {plan.title()}")
def test_every_unit_is_there_whatever_the_codes_version(plan, monkeypatch):
    """What is bundled answers for its fields and points: no key may hold the code's version among
    its fields.
    """
    monkeypatch.setattr(code_version, "_code_version", lambda module: "f" * 16)
    assert store.missing(plan, plan.points().fingerprint) == []


def test_every_kind_ships_something_and_a_plan_stands_under_its_kind():
    assert list(presets.BUNDLED) == list(kinds.KINDS)
    assert all(plan.kind == kind for kind, plans in presets.BUNDLED.items() for plan in plans)


def test_nothing_else_is_bundled():
    wanted = {}
    for plan in ALL:
        fingerprint = plan.points().fingerprint
        units = [cache.bundled_key(one.key(fingerprint)) for one in plan.units()]
        wanted[cache.bundled_key(store.bundle_key(plan, fingerprint))] = units
    for folder in (cache.BUNDLED / "pack").iterdir():
        facts = json.loads((folder / "entry.json").read_text())["facts"]
        assert facts["units"] == wanted.get(folder.name), (
            "delete it and bundle what its page shows: python -m core experiments --only <page>"
        )


def test_the_simulations_in_the_plane_are_there_and_what_this_code_computes():
    for name, world in fi_simulations.WORLDS.items():
        table = cache.get(fi_simulations.accuracies_key(name)).arrays["accuracy"]
        assert (
            len(table) == world.seeds
            and cache.get(fi_simulations.boundaries_key(name, 1)) is not None
        )
    kept = [list((cache.BUNDLED / kind).iterdir()) for kind in ("trim_table", "plane_trimmed")]
    assert [len(folders) for folders in kept] == [len(fi_simulations.WORLDS)] * 2
    bundled = cache.get(fi_simulations.accuracies_key("two_gaussians")).arrays["accuracy"][0]
    assert fi_simulations.trial(fi_simulations.GAUSSIANS, 1)["accuracy"] == pytest.approx(
        bundled, abs=0.01
    )


def test_a_bundled_training_saw_what_this_code_chooses(mnist):
    """The points of a random selection and the steps of its training; the accuracy is computed anew
    in tests/benchmarks/bundled_in_full.py.
    """
    (one,) = [
        unit
        for unit in presets.FAIR.units()
        if str(unit.candidate) == "random" and unit.budget == 1_000 and unit.seed == 1
    ]
    bundled = store.outcome(one.key(mnist.fingerprint))
    pool = splits.split(mnist)[0]
    rows, _ = run.select(mnist, pool, None, one.candidate.rule, one.budget, one.seed)
    assert np.array_equal(pool[rows[: run.SHOWN]], bundled["chosen"])
    assert (
        np.bincount(mnist.labels[pool[rows]], minlength=10).tolist() == bundled["classes"].tolist()
    )


def test_the_first_screen_is_among_them():
    for kind, plans in presets.BUNDLED.items():
        if kind != "simulations":
            assert set(type(plans[0])().units()) <= set(plans[0].units())
