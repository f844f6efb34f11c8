"""What a batch is worth to each strategy, pick by pick: its own objective, for any other batch too.

    own("bait")                                    -> "trace"
    by_pick("trace", seen, picks, "bait", knobs)   -> (k,), after each of the picks

    radius      covering radius: the largest distance of a pool point to the nearest labeled or
                picked one; CORESET's, lower
    potential   mean squared distance of the pool's gradients to the nearest picked one, of points
                neither labeled nor picked before; what BADGE's k-means++ seeds lower
    trace       tr(M^-1 F) with BAIT's ridge and weights, in all directions; BAIT's, lower
    log_det     by how much log det(ridge I + sum g g^T) grows over the labeled points; Log-det's,
                higher. For k-DPP over the picks alone, with ridge 1: it draws sets by their
                determinant
    score       mean score of the picks so far; a scorer's, higher

g = (p - e_yhat) (x) h are the gradients; without probabilities, in a regression, h itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.linalg.a_optimal_design import Design
from core.linalg.fisher_information import class_roots, information, live_columns
from core.linalg.outer_products import gradients
from core.plugins import menu
from core.strategies import bait
from core.types import Embedded, Floats, Ints

OWN = {
    "k_center": "radius",
    "badge": "potential",
    "bait": "trace",
    "bait_regression": "trace",
    "log_det": "log_det",
    "k_dpp": "log_det",
}
LOWER = ("radius", "potential", "trace")  # is what its strategy seeks; of the others higher
WIDEST = 4_000  # classes times dimensions for which BAIT's trace is worked out beside others


def own(strategy: str) -> str | None:
    """The objective that the strategy itself goes for; None if it has none, as random."""
    if strategy in OWN:
        return OWN[strategy]
    scores = menu.find(strategy).kind == "scorer" and strategy != "random"
    return "score" if scores else None


def shown(strategy: str, seen: Embedded) -> list[str]:
    """Which objectives are worked out beside the strategy's own, that first."""
    classes = 2 if seen.probs is None else seen.probs.shape[1]
    width = (classes - 1) * seen.embedding.shape[1]
    others = ["radius", "potential", "log_det", *(["trace"] if width <= WIDEST else [])]
    first = own(strategy)
    return list(dict.fromkeys([*([first] if first else []), *others]))


def by_pick(
    objective: str,
    seen: Embedded,
    picks: Ints,
    strategy: str,
    knobs: Mapping[str, Any],
    scores: Floats | None = None,
) -> Floats:
    """The objective after each of the picks, (k,), under the strategy's knobs where it is its own.

    seen: the pool as the round's network sees it. scores (n,): of a scorer.
    """
    settings = {
        name: knob.default for name, knob in menu.find(_whose(objective, strategy)).knobs.items()
    }
    settings |= knobs if own(strategy) == objective else {}
    if objective == "radius":
        return radius(seen, picks)
    if objective == "potential":
        return potential(seen, picks)
    if objective == "trace":
        return fisher_trace(seen, picks, settings)
    if objective == "log_det":
        return log_det_growth(seen, picks, settings, alone=strategy == "k_dpp")
    return np.cumsum(scores[picks]) / np.arange(1, len(picks) + 1)


def _whose(objective: str, strategy: str) -> str:
    """The strategy whose knobs count."""
    if own(strategy) == objective:
        return strategy
    return {"radius": "k_center", "potential": "badge", "trace": "bait"}.get(objective, "log_det")


def radius(seen: Embedded, picks: Ints) -> Floats:
    """The covering radius after each pick, (k,)."""
    h = seen.embedding.astype(np.float64)
    squares = (h**2).sum(axis=1)

    def distances(row: int) -> Floats:
        return np.maximum(squares - 2 * h @ h[row] + squares[row], 0)

    nearest = np.full(len(h), np.inf)
    for row in np.flatnonzero(seen.labeled):
        np.minimum(nearest, distances(row), out=nearest)
    after = []
    for row in picks:
        np.minimum(nearest, distances(row), out=nearest)
        nearest[row] = 0
        after.append(nearest.max())
    return np.sqrt(after)


def potential(seen: Embedded, picks: Ints) -> Floats:
    """Mean squared distance of the unlabeled points' gradients to the nearest pick, (k,)."""
    x = gradients(seen.embedding, seen.probs, exact=True)
    nearest = np.where(seen.labeled, 0.0, np.inf)
    after = []
    for row in picks:
        apart = np.maximum(x.squares - 2 * x.dot(row) + x.squares[row], 0)
        apart[row] = 0
        np.minimum(nearest, apart, out=nearest)
        after.append(nearest[~seen.labeled].mean())
    return np.array(after)


def log_det_growth(
    seen: Embedded, picks: Ints, settings: Mapping[str, Any], alone: bool = False
) -> Floats:
    """log det(M + the first 1, 2, ... k picks) - log det M, (k,). One Cholesky factor tells all.

    M = ridge I + the labeled points; alone: I.
    """
    probs = None if settings.get("space") == "embedding" else seen.probs
    before = np.zeros(0, np.int64) if alone else np.flatnonzero(seen.labeled)
    x = gradients(seen.embedding, probs, exact=True).take(np.concatenate([before, picks]))
    ridge = 1.0 if alone else settings["ridge"]
    factor = np.linalg.cholesky(np.eye(len(x)) + x.gram() / ridge)
    return 2 * np.cumsum(np.log(np.diag(factor))[len(before) :])


def fisher_trace(seen: Embedded, picks: Ints, settings: Mapping[str, Any]) -> Floats:
    """tr(M^-1 F) after each pick, (k,), with BAIT's ridge and weights for a batch of this size."""
    rows = live_columns(seen.embedding)
    if seen.probs is None:
        roots = np.ones((len(rows), 1, 1))
    else:
        roots = class_roots(seen.probs)
    known = seen.labeled
    w_labeled, w = bait.weights(settings["scaling"], int(known.sum()), len(picks))
    m = np.asarray(w_labeled * information(rows[known], roots[known]))
    m[np.diag_indices_from(m)] += settings["ridge"]
    f = np.asarray(information(rows, roots)) / len(rows) if settings["fisher"] else None
    design = Design(m, f)
    start = np.trace(design.p if f is None else design.p @ f)
    fell = [design.move(rows[row], roots[row] * np.sqrt(w), 1)[1] for row in picks]
    return start - np.cumsum(fell)
