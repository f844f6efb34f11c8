"""From a Spec to its result: the only place that joins dataset, embedding, strategy and cache.

Runs in the worker. Every function takes a Spec, or the Request that it was resolved to, looks into
the cache, computes what is missing and says how far it is. What one worker needs again and again (a
dataset, the last embeddings) stays in its memory, read-only.
"""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from core import agreement, datasets, embeddings, lesson, strategy, strategy_inputs
from core.data import own
from core.linalg import row_blocks, ties
from core.models import shipped_networks, umap_map
from core.runtime import cache, progress
from core.runtime.cache import Entry
from core.spec import (
    Comparison,
    Request,
    Spec,
    comparison_key,
    embedding_key,
    favourites_key,
    head_key,
    map_key,
    plane_key,
    record_key,
    resolve,
    scores_key,
    textbook_key,
)
from core.strategies import leverage, textbook_qr
from core.strategy_inputs import LearningProblem
from core.types import Dataset, Embedded, Floats, Head, Ints, Selection, UserError

NEIGHBOURS = 12
DIRECTIONS = 6


def kept_under(key_of: Callable[[Request, str], str]) -> Callable:
    """The entry under key_of(request, the data's fingerprint), from the cache or computed.

    The decorated function gives (arrays, facts).
    """

    def decorate(
        compute: Callable[[Request, Dataset], tuple[dict, dict]],
    ) -> Callable[[Spec | Request], Entry]:
        @functools.wraps(compute)
        def wrapper(spec: Spec | Request) -> Entry:
            request = resolve(spec)
            data = _points(request)
            key = key_of(request, data.fingerprint)
            return cache.kept(key, lambda: compute(request, data))

        return wrapper

    return decorate


@kept_under(scores_key)
def scores(request: Request, data: Dataset) -> tuple[dict, dict]:
    """The strategy's scores (n,) under the embedding, with the facts that the page prints.

    facts["made_of"]: see `strategy_inputs.explained`. facts["remarks"]: sentences on how far they
    can be trusted. unscored (n,) bool, where the strategy has no score for some points: these rank
    last (core/linalg/ties.py).
    """
    problem = learning_problem(request)
    started = time.perf_counter()
    with progress.remarked() as remarks:
        values = strategy_inputs.scores(
            request.strategy,
            problem,
            functools.partial(head, request),
            lambda: record(request).arrays["record"],
            **_settings(request),
        )
    ranked, unscored = ties.last(values)
    facts = {
        "remarks": remarks,
        "sum": float(values[~unscored].sum()),
        "seconds": time.perf_counter() - started,
        "made_of": strategy_inputs.explained(request.strategy, problem, **_settings(request)),
    }
    arrays = {"scores": ranked}
    if unscored.any():
        arrays["unscored"] = unscored
        facts["unscored"] = int(unscored.sum())
    return arrays, _facts(request, data, problem.points) | facts


def scores_of(spec: Spec | Request, rows: Ints) -> Floats:
    """The strategy's scores (len(rows),) when these rows are all there is.

    The other rows take no part, nor in what is fitted. A point without a score ranks last.
    """
    request = resolve(spec)
    whole = learning_problem(request)
    part = whole.among(rows)
    same = np.array_equal(rows, whole.training_rows)

    def fit(fold: int | None) -> Head:
        return head(request) if same and fold is None else part.fit(fold)

    values = strategy_inputs.scores(request.strategy, part, fit, **_settings(request))
    return ties.last(values)[0]


def _settings(request: Request) -> dict[str, Any]:
    spec = request.spec
    return {"rng": np.random.default_rng(spec.draw), **dict(spec.strategy_knobs)}


@kept_under(textbook_key)
def textbook_scores(request: Request, data: Dataset) -> tuple[dict, dict]:
    """What unpivoted QR gives on the Spec's embedding, and which of its points are artefacts.

    artefacts: see core/strategies/textbook_qr.py.
    """
    embedded = embedding(request)
    progress.report(None, "Unpivoted QR")
    values = textbook_qr.textbook_qr(embedded.embedding)
    artefacts = textbook_qr.artefacts(values, leverage.leverage(embedded.embedding))
    return {"scores": values, "artefacts": artefacts}, {
        **_facts(request, data, embedded),
        "sum": float(values.sum()),
    }


def dossier(spec: Spec | Request, index: int) -> dict[str, np.ndarray]:
    """What the worker knows of one point: its neighbours, and what carries its leverage.

    neighbours (12,)   row numbers of the nearest points, with their distances (12,): Euclidean
                       in the embedding
    axes (6, d)        unit vectors of the column-scaled embedding, with their shares (6,) of the
                       point's leverage, largest first (fewer if the rank is lower)
    """
    matrix = embedding(spec).embedding
    if not 0 <= index < len(matrix):
        raise UserError(f"Point: found {index:,}, expected a number from 0 to {len(matrix) - 1:,}.")
    blocks = np.array_split(matrix, max(1, len(matrix) // row_blocks.ROWS))
    squares = [((block - matrix[index]) ** 2).sum(axis=1) for block in blocks]
    distances = np.sqrt(np.concatenate(squares))
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


def agreement_of(comparison: Comparison) -> Entry:
    """Four matrices (m, m) between the rankings, and the permutation null of each.

    Kendall, weighted Kendall, Spearman and overlap. Scores that differ by rounding only count as
    equal. facts["ranks"]: the rank of each column's embedding. scores (m, n) float32: enough to
    draw what lies behind a cell. Points that one of the rankings has no score for are left out of
    the matrices, and `unscored` (m, n) says where that is.
    """
    data = dataset(comparison.dataset, comparison.n, comparison.subset)
    key = comparison_key(comparison, data.fingerprint)
    return cache.kept(key, lambda: _agreement(comparison, data))


def _agreement(comparison: Comparison, data: Dataset) -> tuple[dict, dict]:
    entries = []
    m = len(comparison.columns)
    for done, spec in enumerate(comparison.columns):
        progress.advance(done / m, f"Ranking {done + 1} of {m}")
        entries.append(scores(spec))
    progress.report(None, f"Comparing {len(entries)} rankings")
    names = [spec.title() for spec in comparison.columns]
    values = [entry.arrays["scores"] for entry in entries]
    absent = np.zeros(len(data), bool)
    unscored = np.array([entry.arrays.get("unscored", absent) for entry in entries])
    compared = ~unscored.any(axis=0)
    if not compared.any():
        raise UserError(
            "Agreement: found no point that every ranking has a score for. Choose other strategies,"
            " or label more points."
        )
    rankings = agreement.stack([scores[compared] for scores in values], names)
    n = int(compared.sum())
    k = min(comparison.k, n)
    matrices = {
        "kendall": agreement.kendall(rankings),
        "weighted_kendall": agreement.weighted_kendall(rankings),
        "spearman": agreement.spearman(rankings),
        "overlap": agreement.overlap(rankings, k),
    }
    facts = {
        "nulls": {name: _null(n, name, k) for name in matrices},
        "ranks": [entry.facts["rank"] for entry in entries],
        "made_of": _different(entry.facts.get("made_of") for entry in entries),
        "n": n,
        "k": comparison.k,
        "data": data.fingerprint,
        "columns": [spec.to_query() for spec in comparison.columns],
    }
    if n == len(data):
        return matrices | {"scores": rankings.astype(np.float32)}, facts
    settled = ties.settle(np.array(values)).astype(np.float32)
    return matrices | {"scores": settled, "unscored": unscored}, facts


def _null(n: int, name: str, k: int) -> tuple:
    null = agreement.permutation_null(n, name, k=k if name == "overlap" else None)
    return dataclasses.astuple(null)


def _different(texts: Iterable[str | None]) -> list[str]:
    """Each text once, in order."""
    return list(dict.fromkeys(text for text in texts if text))


def head(spec: Spec | Request, fold: int | None = None) -> Head:
    """The linear softmax head on the Spec's embedding.

    The network's own last layer for one trained by cross-entropy, else fitted on the training rows
    with l2 = 1e-3. fold: 0 or 1, on that fold's training set (core/strategy_inputs.py) and never
    the network's own, whose Hessian has no l2. facts of its cache entry: accuracy on the test rows,
    if there are any (they may be in the second fold's training set). It knows the classes that
    have a training row; a UserError for fewer than two.
    """
    request = resolve(spec)
    data = _points(request)
    problem = learning_problem(request)
    has_own = request.embedder.objective == "cross_entropy"
    if fold == 0 and not has_own and _trains_on_all(problem):
        fold = None  # the same head
    own_one = has_own and fold is None
    rows = problem.rows_of(fold)
    fitted_on = (
        strategy_inputs.part(problem.points, rows) if own_one else problem.training_set(fold)
    )

    def compute() -> tuple[dict, dict]:
        found = _own_head(request, data, fitted_on) if own_one else problem.fit(fold)
        facts = {
            "l2": found.l2,
            "accuracy": _test_accuracy(problem.probabilities(found, fold), data),
            "spec": request.spec.to_query(),
        }
        return {"weights": found.weights, "intercepts": found.intercepts}, facts

    entry = cache.kept(head_key(request, data.fingerprint, fold), compute)
    return Head(entry.arrays["weights"], entry.arrays["intercepts"], entry.facts["l2"], fitted_on)


def _trains_on_all(problem: LearningProblem) -> bool:
    """Is the first fold's training set that of all training points?"""
    return np.array_equal(problem.folds[0].train, problem.training_rows)


def _own_head(request: Request, data: Dataset, fitted_on: Embedded) -> Head:
    last = shipped_networks.network(data, "cross_entropy", request.spec.seed).head
    return Head(
        last.weight.detach().numpy().astype(np.float64),
        last.bias.detach().numpy().astype(np.float64),
        0.0,
        fitted_on,
    )


def _test_accuracy(probs: Floats, data: Dataset) -> float | None:
    """The share of labeled test rows whose class is the most probable; None without any."""
    judged = data.test & (data.labels >= 0)
    if not judged.any():
        return None
    return float((probs.argmax(axis=1) == data.labels)[judged].mean())


@kept_under(record_key)
def record(request: Request, data: Dataset) -> tuple[dict, dict]:
    """The training record (t, n, c) of a network on the Spec's embedding."""
    started = time.perf_counter()
    arrays = {"record": learning_problem(request).record()}
    return arrays, {
        "seconds": time.perf_counter() - started,
        "spec": request.spec.to_query(),
        "data": data.fingerprint,
    }


def learning_problem(spec: Spec | Request) -> LearningProblem:
    """The Spec's points under its embedding, with what can be learned from them."""
    request = resolve(spec)
    data = _points(request)
    names = data.class_names
    return LearningProblem(embedding(request), data.test, len(names), data.called, names)


@kept_under(map_key)
def map_of(request: Request, data: Dataset) -> tuple[dict, dict]:
    """UMAP coordinates (n, 2) of the Spec's embedding, with their trustworthiness."""
    matrix = embedding(request).embedding
    started = time.perf_counter()
    coordinates = umap_map.umap_map(matrix, progress=progress.advance)
    facts = {
        "trustworthiness": umap_map.trustworthiness(matrix, coordinates),
        "seconds": time.perf_counter() - started,
    }
    return {"coordinates": coordinates}, facts | _origin(request, data)


@kept_under(plane_key)
def plane_of(request: Request, data: Dataset) -> tuple[dict, dict]:
    """A few points of the Spec's two-dimensional embedding.

    points (m,), coordinates (m, 2), scores (m,) among all n points. facts["spreads"]: root mean
    square of all points along both axes.
    """
    matrix = embedding(request).embedding
    values = scores(request).arrays["scores"]
    points = lesson.spread(matrix, values)
    spreads = np.sqrt(np.mean(np.square(matrix, dtype=np.float64), axis=0)).tolist()
    arrays = {"points": points, "coordinates": matrix[points], "scores": values[points]}
    return arrays, _origin(request, data) | {"spreads": spreads}


@kept_under(favourites_key)
def favourites_of(request: Request, data: Dataset) -> tuple[dict, dict]:
    """The ten points that the Spec's strategy picks first.

    points (10,) as rows of the full dataset, gains (10,). The points are all there is: no
    validation set, no further trainings. Where the strategy lacks an input both are empty, and
    facts["missing"] says which.
    """
    chosen = request.strategy
    wanted = set(chosen.accepts) & set(strategy.WHOLE)
    fit = functools.partial(head, request)
    embedded, inputs = strategy_inputs.whole_inputs(learning_problem(request), wanted, fit)
    progress.report(None, f"Picking {lesson.FAVOURITES} of {len(data):,} points")
    missing = strategy.missing(chosen, embedded, **inputs)
    started = time.perf_counter()
    if missing:
        picked = Selection(np.zeros(0, np.int64), np.zeros(0), nested=True)
    else:
        settings = _settings(request)
        picked = strategy.pick(chosen, embedded, lesson.FAVOURITES, inputs=inputs, **settings)
    facts = {"missing": missing, "seconds": time.perf_counter() - started}
    arrays = {"points": data.index[picked.indices], "gains": picked.gains}
    return arrays, facts | _origin(request, data)


def fetch_dataset(name: str) -> None:
    """Download and prepare a dataset, with progress."""
    datasets.fetch(name, progress=progress.report)


@functools.lru_cache(maxsize=2)
def dataset(name: str, n: int | None, seed: int) -> Dataset:
    """The dataset, kept in memory."""
    progress.report(None, f"Loading {datasets.info(name).title}")
    return datasets.load(name, n=n, seed=seed)


def _points(request: Request) -> Dataset:
    spec = request.spec
    return dataset(spec.dataset, spec.n, spec.subset)


def embedding(spec: Spec | Request) -> Embedded:
    """The dataset through the Spec's embedding, from memory, the cache, or computed."""
    return _embedding(resolve(spec).spec.unscored)


@functools.lru_cache(maxsize=2)
def _embedding(spec: Spec) -> Embedded:
    request = resolve(spec)
    data = _points(request)
    embedder = request.embedder
    if embedder.name == "raw" or own.is_joined(embedder.name):  # quicker to compute than to read
        return embeddings.embed(data, embedder)

    def compute() -> tuple[dict, dict]:
        progress.report(None, f"Computing {embedder.label.lower()}")
        found = embeddings.embed(data, embedder, seed=spec.seed, **dict(spec.embedding_knobs))
        return {"embedding": found.embedding}, {"spec": spec.to_query()}

    entry = cache.kept(embedding_key(request, data.fingerprint), compute)
    return embeddings.with_labels(entry.arrays["embedding"], data)


def _origin(request: Request, data: Dataset) -> dict[str, Any]:
    """What a result belongs to."""
    return {"spec": request.spec.to_query(), "data": data.fingerprint, "n": len(data)}


def _facts(request: Request, data: Dataset, embedded: Embedded) -> dict[str, Any]:
    whitening = leverage.whiten(embedded.embedding)
    return {
        **_origin(request, data),
        "d": embedded.embedding.shape[1],
        "rank": whitening.rank,
        "gap": None if np.isinf(whitening.gap) else whitening.gap,
        "condition": whitening.condition,
        "dead": int(whitening.dead.sum()),
        "device": "GPU" if row_blocks.device() == "cuda" else "CPU",
    }
