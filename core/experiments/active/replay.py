"""One round's batch pick by pick, and how the objectives moved; beside it the highest scores.

    compute(unit, number) -> Entry     in the worker: the picks are those of the run's record, the
                                       network is trained again from its seed

Objectives after each pick, for the strategy's batch and for the k most uncertain points (what a
score with top-k would take):
    radius    covering radius: the largest distance of a pool point to the nearest labeled or picked
              one (CORESET makes it small)
    log_det   log det(ridge I + sum g g^T) over picked gradient embeddings g = (p - e_yhat) (x) h,
              by its Gram matrix (spread and length)
    trace     tr((ridge I + sum over labeled and picked of V V^T)^-1 F) (BAIT makes it small), with
              V V^T = (diag p - p p^T) (x) h h^T and F its mean over the pool; in the 20 leading
              directions of h, so that it can be followed pick by pick
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.experiments import plan, store
from core.experiments.active import rounds
from core.experiments.active.plan import ActiveRun
from core.experiments.active.strategy_texts import parse_strategy
from core.runtime import cache
from core.runtime.cache import Entry
from core.runtime.code_version import code_version
from core.runtime.progress import advance, report
from core.strategy import top_k
from core.types import Bools, Dataset, Floats, Ints

RIDGE = 1.0
DIRECTIONS = 20


def replay_key(unit: ActiveRun, number: int, fingerprint: str) -> str:
    """The cache key of one round's replay."""
    code = code_version("core.experiments.active.replay")
    return cache.key(
        "replay", {"run": unit.key(fingerprint), "round": number}, code=code, data=fingerprint
    )


def compute(unit: ActiveRun, number: int) -> Entry:
    """A round's batch, pick by pick, beside the most uncertain points.

    pool (n,), labeled (n,)                dataset rows; labeled before the round
    coordinates (n, 2), uncertainty (n,)   of UMAP; 1 - max p
    picks, radius, log_det, trace (2, k)   of both batches; picks are places in the pool
    """
    data = unit.points()
    key = replay_key(unit, number, data.fingerprint)
    return cache.kept(key, lambda: (_replayed(unit, number, data), {}))


def _replayed(unit: ActiveRun, number: int, data: Dataset) -> dict[str, np.ndarray]:
    from core.models import umap_map

    name, knobs = parse_strategy(unit.strategy)
    record = recorded(unit, data.fingerprint)
    loop = rounds.at(data, name, dict(knobs), unit.setting, unit.seed, number, record)
    embedded, _ = loop.look()
    order = np.searchsorted(loop.pool, record["picks"][number])
    uncertainty = 1.0 - embedded.probs.max(axis=1)
    rival = top_k(uncertainty, len(order), loop.labeled).indices
    seen = (embedded.embedding, embedded.probs, loop.labeled)
    each = [trace(*seen, picks) for picks in (order, rival)]
    report(None, f"Mapping {len(loop.pool):,} points")
    coordinates = umap_map.umap_map(embedded.embedding, progress=advance)
    traces = {name: np.stack([one[name] for one in each]) for name in each[0]}
    return traces | {
        "picks": np.stack([order, rival]),
        "pool": loop.pool,
        "labeled": loop.labeled,
        "coordinates": coordinates,
        "uncertainty": uncertainty,
    }


def recorded(unit: ActiveRun, fingerprint: str) -> Mapping[str, np.ndarray]:
    """The arrays of the run (see `rounds.run`), shipped, cached or computed now."""
    return store.outcome(unit.key(fingerprint)) or plan.compute(unit).arrays


def trace(embedding: Floats, probs: Floats, labeled: Bools, picks: Ints) -> dict[str, Floats]:
    """The three objectives after each of the picks, each (k,)."""
    return {
        "radius": radius(embedding, labeled, picks),
        "log_det": log_det_by_pick(embedding[picks], probs[picks]),
        "trace": fisher_trace(embedding, probs, labeled, picks),
    }


def radius(embedding: Floats, labeled: Bools, picks: Ints) -> Floats:
    """The covering radius after each pick, (k,)."""
    h = embedding.astype(np.float64)
    squares = (h**2).sum(axis=1)

    def distances(row: int) -> Floats:
        return np.maximum(squares - 2 * h @ h[row] + squares[row], 0)

    nearest = np.full(len(h), np.inf)
    for row in np.flatnonzero(labeled):
        np.minimum(nearest, distances(row), out=nearest)
    after = []
    for row in picks:
        np.minimum(nearest, distances(row), out=nearest)
        nearest[row] = 0
        after.append(nearest.max())
    return np.sqrt(after)


def log_det_by_pick(embedding: Floats, probs: Floats) -> Floats:
    """log det(I + Gram / RIDGE) over the first 1, 2, ... k gradient embeddings, (k,).

    One Cholesky factor tells all of them.
    """
    q = probs - np.eye(probs.shape[1])[probs.argmax(axis=1)]
    h = embedding.astype(np.float64)
    factor = np.linalg.cholesky(np.eye(len(h)) + (q @ q.T) * (h @ h.T) / RIDGE)
    return 2 * np.cumsum(np.log(np.diag(factor)))


def fisher_trace(embedding: Floats, probs: Floats, labeled: Bools, picks: Ints) -> Floats:
    """tr(M^-1 F) after each pick, (k,), in the leading directions of the embedding."""
    h = embedding.astype(np.float64)
    _, vectors = np.linalg.eigh(h.T @ h)
    h = h @ vectors[:, ::-1][:, :DIRECTIONS]
    classes = probs.shape[1]

    def fisher(rows: Ints) -> Floats:
        """Sum over rows of (diag p - p p^T) (x) h h^T, class by class."""
        diagonal = np.einsum("ia,ab->iab", probs[rows], np.eye(classes))
        blocks = diagonal - probs[rows, :, None] * probs[rows, None, :]
        summed = np.einsum("iab,ic,id->acbd", blocks, h[rows], h[rows], optimize=True)
        return summed.reshape(classes * h.shape[1], -1)

    m = RIDGE * np.eye(classes * h.shape[1]) + fisher(np.flatnonzero(labeled))
    f = fisher(np.arange(len(h))) / len(h)
    after = []
    for row in picks:
        m += fisher(np.array([row]))
        after.append(np.trace(np.linalg.solve(m, f)))
    return np.array(after)
