"""One round's batch pick by pick, on the objective of the strategy that picked it and on others'.

    compute(unit, number) -> Entry     in the worker: the picks are those of the run's record, the
                                       network is trained again from its seed
    mapped(unit, number) -> Entry      the pool on a map, which takes longer and comes after

Beside the strategy's batch stand two others of its size: the most uncertain points (what a score
with top-k would take; there are none in a regression) and random ones. All are followed on the same
objectives (core/experiments/active/objectives.py), the strategy's own first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from core import strategy as registry
from core.experiments import plan, store
from core.experiments.active import objectives, rounds
from core.experiments.active.plan import ActiveRun
from core.experiments.active.strategy_texts import parse_strategy
from core.runtime import cache
from core.runtime.cache import Entry
from core.runtime.code_version import code_version
from core.runtime.progress import advance, report
from core.types import Dataset, Embedded, Ints


def replay_key(unit: ActiveRun, number: int, fingerprint: str) -> str:
    """The cache key of one round's replay."""
    return _key("replay", unit, number, fingerprint)


def map_key(unit: ActiveRun, number: int, fingerprint: str) -> str:
    """The cache key of the map of its pool."""
    return _key("replay_map", unit, number, fingerprint)


def _key(step: str, unit: ActiveRun, number: int, fingerprint: str) -> str:
    fields = {"run": unit.key(fingerprint), "round": number}
    code = code_version("core.experiments.active.replay")
    return cache.key(step, fields, code=code, data=fingerprint)


def compute(unit: ActiveRun, number: int) -> Entry:
    """A round's batch, pick by pick, beside others of its size.

    pool (n,), labeled (n,)      dataset rows; labeled before the round
    picks (b, k)                 places in the pool: the strategy's, the rivals'
    one array (b, k) for each objective
    facts: rivals, what they are; objectives, the strategy's own first; own, its name or None
    """
    data = unit.points()
    key = replay_key(unit, number, data.fingerprint)
    return cache.kept(key, lambda: _replayed(unit, number, data))


def mapped(unit: ActiveRun, number: int) -> Entry:
    """coordinates (n, 2): UMAP of the pool as the round's network sees it."""
    data = unit.points()
    key = map_key(unit, number, data.fingerprint)
    return cache.kept(key, lambda: _mapped(unit, number, data))


def _replayed(unit: ActiveRun, number: int, data: Dataset) -> tuple[dict, dict]:
    name, knobs = parse_strategy(unit.strategy)
    loop, record = _before(unit, number, data)
    embedded, more = loop.look()
    order = np.searchsorted(loop.pool, record["picks"][number])
    batches = {"strategy": order} | _rivals(embedded, len(order), unit.seed, number)
    scores = None
    if objectives.own(name) == "score":
        rng = np.random.default_rng([unit.seed, 2, number])
        scores = registry.score(name, embedded, rng=rng, inputs=more, **dict(knobs))
    followed = objectives.shown(name, embedded)
    arrays = {}
    for objective in followed:
        report(None, f"Following {len(order):,} picks: {objective}")
        given = (name, dict(knobs), scores)
        each = [objectives.by_pick(objective, embedded, one, *given) for one in batches.values()]
        arrays[objective] = np.stack(each)
    arrays |= {"picks": np.stack(list(batches.values()))}
    facts = {"own": objectives.own(name), "objectives": followed, "rivals": list(batches)[1:]}
    return arrays | {"pool": loop.pool, "labeled": loop.labeled}, facts


def _mapped(unit: ActiveRun, number: int, data: Dataset) -> tuple[dict, dict]:
    from core.models import umap_map

    loop, _ = _before(unit, number, data)
    embedded, _ = loop.look()
    report(None, f"Mapping {len(loop.pool):,} points")
    return {"coordinates": umap_map.umap_map(embedded.embedding, progress=advance)}, {}


def _before(unit: ActiveRun, number: int, data: Dataset) -> tuple[Any, Mapping[str, np.ndarray]]:
    """The loop before the round's pick, and the run's record."""
    name, knobs = parse_strategy(unit.strategy)
    record = recorded(unit, data.fingerprint)
    return rounds.at(data, name, dict(knobs), unit.setting, unit.seed, number, record), record


def _rivals(seen: Embedded, k: int, seed: int, number: int) -> dict[str, Ints]:
    """Places in the pool of the other batches, none of them labeled."""
    rivals = {}
    if seen.probs is not None:
        uncertainty = 1.0 - seen.probs.max(axis=1)
        rivals["uncertain"] = registry.top_k(uncertainty, k, seen.labeled).indices
    drawn = np.random.default_rng([seed, 8, number]).permutation(np.flatnonzero(~seen.labeled))
    return rivals | {"random": drawn[:k]}


def recorded(unit: ActiveRun, fingerprint: str) -> Mapping[str, np.ndarray]:
    """The arrays of the run (see `rounds.run`), bundled, cached or computed now."""
    return store.outcome(unit.key(fingerprint)) or plan.compute(unit).arrays
