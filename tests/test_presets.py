"""What comes with the app finished: is it all there, nothing else, and what this code computes?"""

import json

import numpy as np
import pytest

from core import cache, datasets
from core.experiments import presets, results, retrain, simulation_plan, unit
from core.experiments.retrain import pool_scores


@pytest.fixture(scope="module")
def mnist():
    return datasets.load("mnist")


@pytest.fixture(autouse=True)
def _nothing_else(monkeypatch, tmp_path):
    """Only the bundle answers."""
    monkeypatch.setenv("LEVERAGE_LAB_CACHE", str(tmp_path))
    results.forget()
    yield
    results.forget()


@pytest.mark.parametrize("plan", presets.SHIPPED, ids=lambda plan: plan.title())
def test_every_training_is_there(plan, mnist):
    assert results.missing(plan, mnist.fingerprint) == []


def test_nothing_else_is_shipped():
    wanted = {}
    for plan in presets.ALL:
        data = simulation_plan.source(plan) if plan.kind == "simulations" else datasets.load(plan.dataset, n=plan.n, seed=plan.subset)
        fingerprint = data.fingerprint
        units = [cache.bundled_key(one.key(fingerprint)) for one in plan.units()]
        wanted[cache.bundled_key(results.bundle_key(plan, fingerprint))] = units
    for folder in (cache.BUNDLED / "pack").iterdir():
        facts = json.loads((folder / "entry.json").read_text())["facts"]
        assert facts["units"] == wanted.get(folder.name), "delete it and ship what its page shows: python -m core <page> --shipped"


@pytest.mark.parametrize("candidate", ["top:raw", "random"])
def test_a_shipped_training_is_what_this_code_computes(candidate, mnist):
    """The smallest budget, trained again. The selection is the same on every machine, the network's accuracy up to rounding in training."""
    plan = presets.FAIR
    (one,) = [u for u in plan.units() if str(u.candidate) == candidate and u.budget == 1_000 and u.seed == 1]
    shipped = results.outcome(one.key(mnist.fingerprint))
    scores = pool_scores(one.scores_spec) if one.candidate.scored else None
    settings = {name: getattr(one, name) for name in ("budget", "network", "protocol", "length", "seed")}
    arrays, _ = unit.train(mnist, scores, rule=one.candidate.rule, **settings)
    assert np.array_equal(arrays["chosen"], shipped["chosen"]) and np.array_equal(arrays["classes"], shipped["classes"])
    assert np.array_equal(arrays["epoch"], shipped["epoch"]) and np.array_equal(arrays["step"], shipped["step"])
    assert arrays["accuracy"][-1] == pytest.approx(shipped["accuracy"][-1], abs=0.03)


def test_the_first_screen_is_among_them():
    assert retrain.Retraining() in presets.SHIPPED
