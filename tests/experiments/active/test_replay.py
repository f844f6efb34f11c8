"""A batch pick by pick against the run that it repeats, and the map that comes after."""

import numpy as np
import pytest

from core import datasets
from core.experiments.active import replay
from core.experiments.active.plan import Active
from core.experiments.plan import compute
from core.models import umap_map
from core.types import Embedded

SMALL = {
    "dataset": "digits",
    "network": "linear",
    "pool": 200,
    "batch": 8,
    "rounds": 2,
    "start": 20,
    "until": "epochs",
    "epochs": 3,
}
PLAN = Active().with_(**SMALL, strategies="badge")


def test_a_replay_picks_what_the_run_picked(own_cache):
    unit, data = PLAN.units()[0], datasets.load("digits")
    run = compute(unit)
    shown = replay.compute(unit, 1)
    pool, picks = shown.arrays["pool"], shown.arrays["picks"]
    assert pool[picks[0]].tolist() == run.arrays["picks"][1].tolist()
    assert (
        shown.arrays["labeled"].sum() == 28
        and shown.arrays["labeled"][np.searchsorted(pool, run.arrays["picks"][0])].all()
    )
    assert not shown.arrays["labeled"][picks].any() and len(set(picks[2])) == 8
    assert shown.facts["rivals"] == ["uncertain", "random"] and shown.facts["own"] == "potential"
    for objective in shown.facts["objectives"]:
        assert shown.arrays[objective].shape == (3, 8), objective
    keys = [replay.replay_key(unit, number, data.fingerprint) for number in (0, 1)]
    assert replay.compute(unit, 1).key == shown.key == keys[1] != keys[0]


def test_the_map_is_not_waited_for(own_cache, monkeypatch):
    unit, data = PLAN.units()[0], datasets.load("digits")
    monkeypatch.setattr(umap_map, "umap_map", lambda *_, **__: pytest.fail("mapped"))
    assert "coordinates" not in replay.compute(unit, 0).arrays
    monkeypatch.setattr(umap_map, "umap_map", lambda points, progress: points[:, :2])
    shown = replay.mapped(unit, 0)
    assert shown.arrays["coordinates"].shape == (200, 2)
    assert shown.key == replay.map_key(unit, 0, data.fingerprint)


def test_the_rivals_are_the_most_uncertain_and_random_points():
    rng = np.random.default_rng(0)
    labeled = np.arange(30) < 5
    seen = Embedded(rng.normal(size=(30, 2)), rng.dirichlet(np.ones(3), 30), labeled=labeled)
    rivals = replay._rivals(seen, 4, 1, 0)
    doubt = np.where(labeled, -1, 1 - seen.probs.max(axis=1))
    assert set(rivals["uncertain"]) == set(np.argsort(-doubt)[:4])
    assert not labeled[rivals["random"]].any() and len(set(rivals["random"])) == 4
    assert list(replay._rivals(Embedded(seen.embedding, labeled=labeled), 4, 1, 0)) == ["random"]
