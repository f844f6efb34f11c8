"""What comes with the app finished: is it all there, nothing else, and what this code computes?"""

import json

import numpy as np
import pytest

from core import datasets
from core.data import splits
from core.experiments import kinds, presets, store
from core.experiments.retrain import run
from core.experiments.retrain.plan import pool_scores
from core.experiments.trim import fi_simulations
from core.runtime import cache, code_version

pytestmark = pytest.mark.usefixtures("own_cache")  # only the bundle answers
ALL = [plan for plans in presets.SHIPPED.values() for plan in plans]


@pytest.fixture(scope="module")
def mnist():
    return datasets.load("mnist")


@pytest.mark.parametrize("plan", ALL, ids=lambda plan: f"{plan.kind}: {plan.title()}")
def test_every_unit_is_there(plan):
    assert store.missing(plan, plan.points().fingerprint) == []


def test_another_version_of_the_code_finds_them_too(monkeypatch):
    """What is shipped answers for its fields and points: no key may hold the code's version among
    its fields.
    """
    monkeypatch.setattr(code_version, "_code_version", lambda module: "f" * 16)
    assert [plan.title() for plan in ALL if store.missing(plan, plan.points().fingerprint)] == []


def test_every_kind_ships_something_and_a_plan_stands_under_its_kind():
    assert list(presets.SHIPPED) == list(kinds.KINDS)
    assert all(plan.kind == kind for kind, plans in presets.SHIPPED.items() for plan in plans)


def test_nothing_else_is_shipped():
    wanted = {}
    for plan in ALL:
        fingerprint = plan.points().fingerprint
        units = [cache.bundled_key(one.key(fingerprint)) for one in plan.units()]
        wanted[cache.bundled_key(store.bundle_key(plan, fingerprint))] = units
    for folder in (cache.BUNDLED / "pack").iterdir():
        facts = json.loads((folder / "entry.json").read_text())["facts"]
        assert facts["units"] == wanted.get(folder.name), (
            "delete it and ship what its page shows: python -m core experiments --only <page>"
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
    shipped = cache.get(fi_simulations.accuracies_key("two_gaussians")).arrays["accuracy"][0]
    assert fi_simulations.trial(fi_simulations.GAUSSIANS, 1)["accuracy"] == pytest.approx(
        shipped, abs=0.01
    )


def smallest(candidate):
    """The first training of the fair comparison with this candidate: 1,000 points, seed 1."""
    (one,) = [
        unit
        for unit in presets.FAIR.units()
        if str(unit.candidate) == candidate and unit.budget == 1_000 and unit.seed == 1
    ]
    return one


def test_a_shipped_training_is_what_this_code_computes(mnist):
    """The network's accuracy up to rounding in training."""
    one = smallest("random")
    shipped = store.outcome(one.key(mnist.fingerprint))
    settings = {
        name: getattr(one, name) for name in ("budget", "network", "protocol", "length", "seed")
    }
    arrays, _ = run.train(mnist, None, rule=one.candidate.rule, **settings)
    for name in ("classes", "chosen", "epoch", "step"):
        assert np.array_equal(arrays[name], shipped[name]), name
    assert arrays["accuracy"][-1] == pytest.approx(shipped["accuracy"][-1], abs=0.03)


def test_a_shipped_selection_is_what_this_code_selects(mnist):
    """The same but for ties: many leverages are 1 but for rounding, which differs between
    processors.
    """
    one, pool = smallest("top:raw"), splits.split(mnist)[0]
    shipped = store.outcome(one.key(mnist.fingerprint))
    scores = pool_scores(one.scores_spec)
    rows, weights = run.select(mnist, pool, scores, one.candidate.rule, one.budget, one.seed)
    assert weights is None and len(rows) == shipped["classes"].sum() == 1_000
    chosen, place = scores[rows[: run.SHOWN]], np.searchsorted(pool, shipped["chosen"])
    assert np.allclose(scores[place], chosen, rtol=0, atol=1e-9)
    tied = np.abs(scores - scores[rows].min()) < 1e-9
    moved = np.bincount(mnist.labels[pool[rows]], minlength=10) - shipped["classes"]
    assert np.abs(moved).sum() <= 2 * tied.sum()


def test_the_first_screen_is_among_them():
    assert all(
        type(plans[0])() == plans[0]
        for kind, plans in presets.SHIPPED.items()
        if kind != "simulations"
    )
