"""From a Spec to its result: the only place that joins dataset, embedding, strategy and cache. Runs
in the worker.

Every function takes a Spec, looks into the cache, computes what is missing and says how far it is.
What one worker needs again and again (a dataset, the last embeddings) stays in its memory,
read-only.
"""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from core import agreement, datasets, embeddings, lesson, softmax_head, strategy, strategy_inputs
from core.data import own
from core.linalg import row_blocks
from core.models import shipped_networks, umap_map
from core.plugins import menu
from core.runtime import cache, progress
from core.runtime.cache import Entry
from core.spec import (
    Comparison,
    Spec,
    comparison_key,
    embedding_key,
    favourites_key,
    head_key,
    map_key,
    plane_key,
    record_key,
    scores_key,
    textbook_key,
)
from core.strategies import leverage
from core.types import Dataset, Embedded, Floats, Head, Ints, Selection, UserError

NEIGHBOURS = 12
DIRECTIONS = 6


def kept(key_of: Callable[[Any, str], str]) -> Callable:
    """The entry under key_of(spec, the data's fingerprint), from the cache or computed: the
    function gives (arrays, facts).
    """

    def decorate(compute: Callable[[Any, Dataset], tuple[dict, dict]]) -> Callable[[Any], Entry]:
        @functools.wraps(compute)
        def wrapper(spec: Spec | Comparison) -> Entry:
            data = dataset(spec.dataset, spec.n, spec.subset)
            key = key_of(spec, data.fingerprint)
            return cache.get(key) or cache.put(key, *compute(spec, data))

        return wrapper

    return decorate


@kept(scores_key)
def scores(spec: Spec, data: Dataset) -> tuple[dict, dict]:
    """The strategy's scores (n,) under the embedding, with the facts that the page prints;
    facts["made_of"]: see `inputs.said`.
    """
    chosen = menu.find(spec.strategy)
    scene = _scene(spec)
    started = time.perf_counter()
    sources = {
        "fit": functools.partial(head, spec),
        "recorded": lambda: record(spec).arrays["record"],
    }
    values = strategy_inputs.scores(chosen, scene, **sources, **_settings(spec))
    facts = {
        "sum": float(values.sum()),
        "seconds": time.perf_counter() - started,
        "made_of": strategy_inputs.said(chosen, scene),
    }
    return {"scores": values}, _facts(spec, data, scene.points) | facts


def scores_of(spec: Spec, rows: Ints) -> Floats:
    """The strategy's scores (len(rows),) when these rows are all there is: the rest takes no part,
    nor in what is fitted.
    """
    whole = _scene(spec)
    part = whole.among(rows)
    same = np.array_equal(rows, whole.known)

    def fit(sitting: int | None) -> Head:
        return head(spec) if same and sitting is None else part.fit(sitting)

    return strategy_inputs.scores(menu.find(spec.strategy), part, fit, **_settings(spec))


def _settings(spec: Spec) -> dict[str, Any]:
    return {"rng": np.random.default_rng(spec.draw), **dict(spec.strategy_knobs)}


@kept(textbook_key)
def textbook_scores(spec: Spec, data: Dataset) -> tuple[dict, dict]:
    """The exhibit: what unpivoted QR gives on the Spec's embedding, and which of its points are
    artefacts.

    An artefact is a point whose index equals a dead column and whose textbook score is 1, to 1e-9.
    """
    embedded = embedding(spec)
    progress.report(None, "Unpivoted QR")
    values = leverage.textbook_qr(embedded.embedding)
    dead = np.flatnonzero(leverage.whiten(embedded.embedding).dead)
    dead = dead[dead < len(values)]  # with fewer points than pixels
    artefacts = dead[values[dead] > 1 - 1e-9]
    return {"scores": values, "artefacts": artefacts}, {
        **_facts(spec, data, embedded),
        "sum": float(values.sum()),
    }


def dossier(spec: Spec, index: int) -> dict[str, np.ndarray]:
    """What the worker knows of one point: its nearest neighbours, and the directions that carry its
    leverage.

    neighbours (12,) row numbers and distances (12,), Euclidean in the embedding; axes (6, d) unit
    vectors of the column-scaled embedding and shares (6,) of the point's leverage, largest first
    (fewer if the rank is lower).
    """
    matrix = embedding(spec).embedding
    if not 0 <= index < len(matrix):
        raise UserError(f"Point: found {index:,}, expected a number from 0 to {len(matrix) - 1:,}.")
    distances = np.sqrt(
        np.concatenate(
            [
                ((x - matrix[index]) ** 2).sum(axis=1)
                for x in np.array_split(matrix, max(1, len(matrix) // row_blocks.ROWS))
            ]
        )
    )
    nearest = np.argsort(distances, kind="stable")
    nearest = nearest[nearest != index][:NEIGHBOURS]
    whitening = leverage.whiten(matrix)
    shares = leverage.shares(matrix, index, whitening)
    top = np.argsort(-shares, kind="stable")[:DIRECTIONS]
    total = shares.sum() or 1.0
    return {
        "neighbours": nearest,
        "distances": distances[nearest],
        "axes": whitening.axes[:, top].T,
        "shares": shares[top] / total,
    }


@kept(comparison_key)
def agreement_of(comparison: Comparison, data: Dataset) -> tuple[dict, dict]:
    """Kendall, weighted Kendall, Spearman and overlap matrices (m, m) of the rankings, and the
    permutation null of each.

    Scores that differ by rounding only count as equal. facts["ranks"]: the rank of each column's
    embedding. scores (m, n) float32: enough to draw what lies behind a cell.
    """
    entries = []
    for done, spec in enumerate(comparison.columns):
        progress.advance(
            done / len(comparison.columns), f"Ranking {done + 1} of {len(comparison.columns)}"
        )
        entries.append(scores(spec))
    progress.report(None, f"Comparing {len(entries)} rankings")
    names = [spec.title() for spec in comparison.columns]
    rankings = agreement.settle(
        agreement.stack([entry.arrays["scores"] for entry in entries], names)
    )
    k = min(comparison.k, len(data))
    matrices = {
        "kendall": agreement.kendall(rankings),
        "weighted_kendall": agreement.weighted_kendall(rankings),
        "spearman": agreement.spearman(rankings),
        "overlap": agreement.overlap(rankings, k),
    }
    nulls = {
        name: dataclasses.astuple(
            agreement.permutation_null(len(data), name, k=k if name == "overlap" else None)
        )
        for name in matrices
    }
    facts = {
        "nulls": nulls,
        "ranks": [entry.facts["rank"] for entry in entries],
        "made_of": list(
            dict.fromkeys(said for entry in entries if (said := entry.facts.get("made_of")))
        ),
        "n": len(data),
        "k": comparison.k,
        "data": data.fingerprint,
    }
    facts["columns"] = [spec.to_query() for spec in comparison.columns]
    return matrices | {"scores": rankings.astype(np.float32)}, facts


def head(spec: Spec, sitting: int | None = None) -> Head:
    """The linear softmax head on the Spec's embedding: the network's own last layer for one trained
    by cross-entropy, else fitted.

    Fitted on the training rows with l2 = 1e-3. sitting: 0 or 1, on that sitting's training set
    (core/strategy_inputs.py) and never the network's own, whose Hessian has no l2. facts of its
    cache entry: accuracy on the test rows, if there are any (they may be in the second sitting's
    training set). A UserError if a class has no training row.
    """
    data = dataset(spec.dataset, spec.n, spec.subset)
    scene = _scene(spec)
    own = embeddings.find(spec.embedding).objective == "cross_entropy"
    if sitting == 0 and not own and np.array_equal(scene.sittings[0].learn, scene.known):
        sitting = None  # the same head
    key = head_key(spec, data.fingerprint, sitting)
    fitted_on = strategy_inputs.taken(scene.points, scene.learners(sitting))
    found = cache.get(key)
    if found is None:
        fitted = _own_head(spec, data, fitted_on) if own and sitting is None else scene.fit(sitting)
        right = (
            softmax_head.probabilities(scene.points.embedding, fitted).argmax(axis=1) == data.labels
        )
        facts = {
            "l2": fitted.l2,
            "accuracy": float(right[data.test].mean()) if data.test.any() else None,
            "spec": spec.to_query(),
        }
        found = cache.put(key, {"weights": fitted.weights, "intercepts": fitted.intercepts}, facts)
    return Head(found.arrays["weights"], found.arrays["intercepts"], found.facts["l2"], fitted_on)


def _own_head(spec: Spec, data: Dataset, fitted_on: Embedded) -> Head:
    last = shipped_networks.network(data, "cross_entropy", spec.seed).head
    return Head(
        last.weight.detach().numpy().astype(np.float64),
        last.bias.detach().numpy().astype(np.float64),
        0.0,
        fitted_on,
    )


@kept(record_key)
def record(spec: Spec, data: Dataset) -> tuple[dict, dict]:
    """The training record (t, n, c) of a network on the Spec's embedding."""
    started = time.perf_counter()
    arrays = {"record": _scene(spec).record()}
    return arrays, {
        "seconds": time.perf_counter() - started,
        "spec": spec.to_query(),
        "data": data.fingerprint,
    }


def _scene(spec: Spec) -> strategy_inputs.Scene:
    data = dataset(spec.dataset, spec.n, spec.subset)
    return strategy_inputs.Scene(embedding(spec), data.test, len(data.class_names), data.called)


@kept(map_key)
def map_of(spec: Spec, data: Dataset) -> tuple[dict, dict]:
    """UMAP coordinates (n, 2) of the Spec's embedding, with their trustworthiness."""
    matrix = embedding(spec).embedding
    started = time.perf_counter()
    coordinates = umap_map.umap_map(matrix, progress=progress.advance)
    facts = {
        "trustworthiness": umap_map.trustworthiness(matrix, coordinates),
        "seconds": time.perf_counter() - started,
    }
    return {"coordinates": coordinates}, {
        **facts,
        "spec": spec.to_query(),
        "data": data.fingerprint,
        "n": len(data),
    }


@kept(plane_key)
def plane_of(spec: Spec, data: Dataset) -> tuple[dict, dict]:
    """A few points of the Spec's two-dimensional embedding: points (m,), coordinates (m, 2), scores
    (m,) among all n points.

    facts["spreads"]: root mean square of all points along both axes.
    """
    matrix = embedding(spec).embedding
    values = scores(spec).arrays["scores"]
    points = lesson.spread(matrix, values)
    spreads = np.sqrt(np.mean(np.square(matrix, dtype=np.float64), axis=0)).tolist()
    arrays = {"points": points, "coordinates": matrix[points], "scores": values[points]}
    return arrays, {
        "spec": spec.to_query(),
        "data": data.fingerprint,
        "n": len(data),
        "spreads": spreads,
    }


@kept(favourites_key)
def favourites_of(spec: Spec, data: Dataset) -> tuple[dict, dict]:
    """The ten points that the Spec's strategy picks first: points (10,) as rows of the full
    dataset, gains (10,).

    The points are all there is: no validation set, no further trainings. Where the strategy lacks
    an input both are empty, and facts["missing"] says which.
    """
    wanted = set(menu.find(spec.strategy).accepts) & set(strategy.WHOLE)
    embedded, made = strategy_inputs.make(_scene(spec), wanted, functools.partial(head, spec))
    progress.report(None, f"Picking {lesson.FAVOURITES} of {len(data):,} points")
    reason = strategy.missing(spec.strategy, embedded, **made)
    rng = np.random.default_rng(spec.draw)
    started = time.perf_counter()
    if reason:
        chosen = Selection(np.zeros(0, np.int64), np.zeros(0), nested=True)
    else:
        chosen = strategy.pick(
            spec.strategy,
            embedded,
            lesson.FAVOURITES,
            rng=rng,
            inputs=made,
            **dict(spec.strategy_knobs),
        )
    facts = {"n": len(data), "missing": reason, "seconds": time.perf_counter() - started}
    return {"points": data.index[chosen.indices], "gains": chosen.gains}, {
        **facts,
        "spec": spec.to_query(),
        "data": data.fingerprint,
    }


def fetch_dataset(name: str) -> None:
    """Download and prepare a dataset, with progress."""
    datasets.fetch(name, progress=progress.report)


@functools.lru_cache(maxsize=2)
def dataset(name: str, n: int | None, seed: int) -> Dataset:
    """The dataset, kept in memory."""
    progress.report(None, f"Loading {datasets.info(name).title}")
    return datasets.load(name, n=n, seed=seed)


def embedding(spec: Spec) -> Embedded:
    """The dataset through the Spec's embedding, from memory, the cache, or computed."""
    return _embedding(spec.with_(strategy="random", draw=0))


@functools.lru_cache(maxsize=2)
def _embedding(spec: Spec) -> Embedded:
    data = dataset(spec.dataset, spec.n, spec.subset)
    if spec.embedding == "raw" or own.is_joined(spec.embedding):  # quicker to compute than to read
        return embeddings.embed(data, spec.embedding)
    key = embedding_key(spec, data.fingerprint)
    found = cache.get(key)
    if found is None:
        progress.report(None, f"Computing {embeddings.find(spec.embedding).label.lower()}")
        embedded = embeddings.embed(
            data, spec.embedding, seed=spec.seed, **dict(spec.embedding_knobs)
        )
        cache.put(key, {"embedding": embedded.embedding}, {"spec": spec.to_query()})
        return embedded
    return Embedded(
        found.arrays["embedding"], probs=data.probs, labels=data.labels if data.labeled else None
    )


def _facts(spec: Spec, data: Dataset, embedded: Embedded) -> dict[str, Any]:
    whitening = leverage.whiten(embedded.embedding)
    return {
        "spec": spec.to_query(),
        "data": data.fingerprint,
        "n": len(data),
        "d": embedded.embedding.shape[1],
        "rank": whitening.rank,
        "gap": None if np.isinf(whitening.gap) else whitening.gap,
        "condition": whitening.condition,
        "dead": int(whitening.dead.sum()),
        "device": "GPU" if row_blocks.device() == "cuda" else "CPU",
    }
