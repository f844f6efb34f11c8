"""Is what comes with the app what this code computes, all of it? Minutes of computing, so the suite
checks parts: `python -m pytest tests/benchmarks/bundled_in_full.py`.
"""

import numpy as np
import pytest

from core import datasets, embeddings, strategy
from core.data import splits
from core.experiments import presets, store
from core.experiments.retrain import run
from core.experiments.retrain.plan import pool_scores
from core.linalg.whitening import whiten
from core.models import evaluation, shipped_networks
from core.runtime import cache
from core.spec import Spec, textbook_key
from core.strategies.leverage import effective_rank, leverage
from core.strategies.textbook_qr import textbook_qr

pytestmark = pytest.mark.usefixtures("own_cache")  # only the bundle answers


@pytest.fixture(scope="module")
def mnist():
    return datasets.load("mnist")


@pytest.fixture(scope="module")
def raw(mnist):
    return embeddings.embed(mnist, "raw").embedding


@pytest.mark.parametrize("part, rank, alive", [("all", 713, 719), ("train", 712, 717)])
def test_rank_of_mnist(mnist, raw, part, rank, alive):
    x = {"all": raw, "train": raw[~mnist.test]}[part]
    scores = leverage(x)
    assert effective_rank(x) == rank
    assert abs(scores.sum() - rank) < 1e-6
    assert (~whiten(x).dead).sum() == alive
    if part == "train":
        assert scores[0] == pytest.approx(0.0169, abs=1e-4)


def test_the_bundled_exhibit_equals_a_fresh_computation(mnist, raw):
    entry = cache.get(textbook_key(Spec(), mnist.fingerprint))
    fresh = textbook_qr(raw)
    dead = np.flatnonzero(whiten(raw).dead)
    # Where the rest of the spurious mass lands is rounding's choice, and so the processor's; what
    # the dead pixels' rows get is the same everywhere.
    assert np.isin(dead[fresh[dead] > 1 - 1e-9], entry.arrays["artefacts"]).all()
    assert (np.abs(entry.arrays["scores"] - fresh) > 1e-3).mean() < 0.01
    assert fresh.sum() == pytest.approx(784)
    top = strategy.top_k(entry.arrays["scores"], 60).indices
    assert np.isin(top, entry.arrays["artefacts"]).sum() == 43


@pytest.mark.parametrize(
    "objective, seed", [(o, s) for o in shipped_networks.SHIPPED for s in shipped_networks.SEEDS]
)
def test_every_bundled_network_reads_digits_as_well_as_claimed(mnist, objective, seed):
    network = shipped_networks.load(
        shipped_networks.file("mnist", objective, seed),
        shipped_networks.description(mnist, objective, seed),
    )
    found = evaluation.evaluate(network, mnist.points[mnist.test], mnist.labels[mnist.test])
    assert found.accuracy >= 0.985


def smallest(candidate):
    """The first training of the fair comparison with this candidate: 1,000 points, seed 1."""
    (one,) = [
        unit
        for unit in presets.FAIR.units()
        if str(unit.candidate) == candidate and unit.budget == 1_000 and unit.seed == 1
    ]
    return one


def test_a_bundled_training_is_what_this_code_computes(mnist):
    """The network's accuracy up to rounding in training."""
    one = smallest("random")
    bundled = store.outcome(one.key(mnist.fingerprint))
    settings = {
        name: getattr(one, name) for name in ("budget", "network", "protocol", "length", "seed")
    }
    arrays, _ = run.train(mnist, None, rule=one.candidate.rule, **settings)
    for name in ("classes", "chosen", "epoch", "step"):
        assert np.array_equal(arrays[name], bundled[name]), name
    assert arrays["accuracy"][-1] == pytest.approx(bundled["accuracy"][-1], abs=0.03)


def test_a_bundled_selection_is_what_this_code_selects(mnist):
    """The same but for ties: many leverages are 1 but for rounding, which differs between
    processors.
    """
    one, pool = smallest("top:raw"), splits.split(mnist)[0]
    bundled = store.outcome(one.key(mnist.fingerprint))
    scores = pool_scores(one.scores_spec)
    rows, weights = run.select(mnist, pool, scores, one.candidate.rule, one.budget, one.seed)
    assert weights is None and len(rows) == bundled["classes"].sum() == 1_000
    chosen, place = scores[rows[: run.SHOWN]], np.searchsorted(pool, bundled["chosen"])
    assert np.allclose(scores[place], chosen, rtol=0, atol=1e-9)
    tied = np.abs(scores - scores[rows].min()) < 1e-9
    moved = np.bincount(mnist.labels[pool[rows]], minlength=10) - bundled["classes"]
    assert np.abs(moved).sum() <= 2 * tied.sum()
