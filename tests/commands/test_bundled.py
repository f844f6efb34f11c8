"""Is every bundled result told in words, and is the index what its command would write today?"""

import numpy as np
import pytest

from core import __main__ as command_line
from core.commands import bundled
from core.experiments import bundling, presets, store
from core.experiments.active.plan import Active
from core.experiments.plan import compute
from core.runtime import cache


def test_the_index_is_what_the_command_writes_today():
    written = (cache.BUNDLED / "INDEX.md").read_text("utf-8")
    assert written == bundled.index_text(), "run python -m core index"


def test_the_index_names_every_bundled_result():
    text = bundled.index_text()
    folders = [folder for folder in cache.BUNDLED.glob("*/*") if folder.is_dir()]
    assert folders
    for folder in folders:
        (row,) = [line for line in text.splitlines() if line.endswith(f"| {folder.name} |")]
        assert folder.parent.name in bundled.STEPS and len(row.split(" | ")[0]) > 10


def test_its_commands_are_understood():
    for step in bundled.STEPS.values():
        assert command_line._parser().parse_args(step.command.split()).run


def test_the_command_writes_it_beside_the_results(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "BUNDLED", tmp_path)
    cache.bundle("trim_table-" + "0" * 24, {}, {"world": "two_gaussians"})
    assert command_line.main(["index"]) == 0
    text = (tmp_path / "INDEX.md").read_text("utf-8")
    assert "Results: 1, " in text and "| Two Gaussians | " in text


def test_one_plan_is_computed_anew_in_place_of_what_is_bundled(tmp_path, monkeypatch, own_cache):
    """What this code has finished before counts: a second start goes on from there."""
    plan = Active().with_(dataset="digits", network="linear", strategies="random", until="epochs")
    plan = plan.with_(epochs=1, rounds=1, batch=5, start=20, pool=100, seeds=2)
    other = plan.with_(seeds=3)
    monkeypatch.setattr(cache, "BUNDLED", tmp_path)
    monkeypatch.setattr(presets, "BUNDLED", {"active": (plan, other)})
    fingerprint = plan.points().fingerprint
    for unit in plan.units():
        store.remember(unit.key(fingerprint), {"accuracy": np.zeros(2)})
    cache.bundle(store.bundle_key(plan, fingerprint), *store.pack(plan, fingerprint))
    store.forget()
    assert all(not found["accuracy"].any() for found in store.outcomes(plan, fingerprint).values())

    computed = compute(plan.units()[0])
    monkeypatch.setattr(bundling, "finish", lambda plan, say: _finish(plan, started))
    started = []
    bundling.bundle_plans(["active"], print, anew="2 seeds")
    assert started == plan.units()[1:], "the first was in the cache, the other plan is not meant"
    found = store.outcomes(plan, fingerprint)
    assert found[plan.units()[0]]["accuracy"] == pytest.approx(computed.arrays["accuracy"])
    assert all(arrays["accuracy"].all() for arrays in found.values())


def _finish(plan, started):
    fingerprint = plan.points().fingerprint
    started += [unit for unit, _ in store.missing(plan, fingerprint)]
    for unit in started:
        compute(unit)
    return fingerprint
