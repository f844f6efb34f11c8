"""BAIT: which batch of labels would tell most about the last layer's weights?

    minimise tr(M_S^-1 F),    weighed by what the whole dataset needs to know
    M_S = lambda I + what the labeled points and the batch S tell
    F = (1/n) sum over all points of I(x)

Greedy: 2k points go in, each the one that lowers the objective most; then k come out, each the one
that raises it least. The objective is not submodular, which is why taking some back helps. Per pick
the gains of all candidates follow exactly from those of the pick before
(core/linalg/a_optimal_design.py); nothing of size n x (c d) is made.

Where code and paper differ, the defaults follow the authors' published code (their function
`select`), and `scaling` has the others. With m labeled points, their information is summed with
weight w_L and each candidate's taken with weight w:

    "reference"   w_L = 1 / (m + k),  w = k / (m + k)    the authors' code: labeled mean and
                                                         candidates mixed in the ratio m : k
    "paper"       w_L = 1 / m,        w = 1              algorithm 1
    "sum"         w_L = 1,            w = 1              equation 4, the objective that the theory
                                                         is about

As in the code and unlike algorithm 1, exactly k points come out again (its line 9 counts k + 1), a
point goes in only once, and labeled points never come out. Among equal gains the first point goes
in, among equal losses the last one comes out; the authors' code has both the other way.

Source: Ash, Goel, Krishnamurthy, Kakade 2021, Gone Fishing: Neural Active Learning with Fisher
Embeddings (NeurIPS).
"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from core.linalg import row_blocks
from core.linalg.a_optimal_design import Search, first_largest
from core.linalg.fisher_information import check_memory, class_roots, information, live_columns
from core.strategy import Knob, selector
from core.types import Bools, Floats, Ints, UserError, check_budget, check_matrix

Batch = tuple[Ints, Floats]
LONGEST = 1e13  # |h|^2 / ridge of BAIT for regression: exact at 5e12, chance from 5e14 on
Ridge = Annotated[
    float,
    Knob(
        "Ridge λ",
        "Information about every weight before any label: small values chase directions that"
        " nothing has told about yet.",
        low=1e-6,
        high=1e6,
        choices=(1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0),
    ),
]
Backward = Annotated[
    bool,
    Knob(
        "Take points back",
        "Pick twice as many points, then drop the least useful half. Without: forward only.",
    ),
]
WithFisher = Annotated[
    bool,
    Knob(
        "Weigh by the dataset",
        "Minimise tr(M⁻¹F). Without: tr(M⁻¹), which treats all directions alike.",
    ),
]
Scaling = Annotated[
    str,
    Knob(
        "Weights",
        "How labeled points and candidates count: as in the authors' code, as in algorithm 1, or as"
        " plain sums (equation 4).",
        choices=("reference", "paper", "sum"),
    ),
]


@selector("BAIT", nested=False)
def bait(
    embedding: Floats,
    probs: Floats,
    labeled: Bools | None = None,
    *,
    k: int,
    ridge: Ridge = 1.0,
    backward: Backward = True,
    fisher: WithFisher = True,
    scaling: Scaling = "reference",
) -> Batch:
    """The k points S whose labels shrink tr(M_S^-1 F) most, the bound on the error of a softmax
    classifier's last layer.

    embedding (n, d), probs (n, c), labeled bool (n,) or None -> indices (k,) in the order they went
    in, gains (k,): by how much each lowered tr(M^-1 F) when it went in, at least 0. Not nested: how
    many go in, and under "reference" every weight, depends on k. fisher=False leaves F out (Sourati
    et al. 2018). A point with one-hot probabilities gains exactly 0. Raises UserError for
    probabilities that are none, a budget above the pool, ridge <= 0, or more than 8 GB of need.
    """
    return _choose(embedding, class_roots(probs), labeled, k, ridge, backward, fisher, scaling)


@selector("BAIT for regression", nested=False)
def bait_regression(
    embedding: Floats,
    labeled: Bools | None = None,
    *,
    k: int,
    ridge: Ridge = 1.0,
    backward: Backward = True,
    fisher: WithFisher = True,
    scaling: Scaling = "reference",
) -> Batch:
    """The k points S that shrink tr(M_S^-1 F) most for squared error, where a point tells h h^T:
    the Bayes risk of ridge regression.

    embedding (n, d), labeled bool (n,) or None -> indices (k,) in the order they went in, gains
    (k,): by how much each lowered tr(M^-1 F) when it went in. F is the second moment of the
    embedding. Several outputs multiply every gain by their number (equation 6). Not nested,
    settings and errors as for BAIT, and for a longest |h|^2 above 1e13 ridge, where rounding would
    decide. (The pick that reaches the last of the d directions is decided among gains that differ
    by ridge / |h|^2 of themselves: exact up to |h|^2 = 1e8 ridge only.) Labels and probabilities
    play no part.
    """
    embedding = check_matrix(embedding, "embedding")
    _check_length(embedding, ridge)
    return _choose(
        embedding, np.ones((len(embedding), 1, 1)), labeled, k, ridge, backward, fisher, scaling
    )


def _check_length(embedding: Floats, ridge: float) -> None:
    """A UserError where the first gain loses all digits: C falls by (|h|^2 / ridge)^2."""
    longest = max(
        float(np.einsum("ij,ij->i", x, x, dtype=np.float64).max())
        for x in row_blocks.slices(embedding)
    )
    if longest > LONGEST * ridge > 0:
        raise UserError(
            f"Ridge: found {ridge:g} beside vectors of squared length up to {longest:.2g}, expected"
            f" at least {longest / LONGEST:.1g}: further apart, rounding would decide who is"
            " picked. Raise it, or scale the embedding down."
        )


def weights(scaling: str, labeled: int, k: int) -> tuple[float, float]:
    """(w_L, w): how much a labeled point's and a candidate's information counts."""
    choices = {
        "reference": (1 / max(labeled + k, 1), k / max(labeled + k, 1)),
        "paper": (1 / max(labeled, 1), 1.0),
        "sum": (1.0, 1.0),
    }
    if scaling not in choices:
        raise UserError(f"scaling: found {scaling!r}, expected one of {', '.join(choices)}.")
    return choices[scaling]


def _choose(
    embedding: Floats,
    roots: Floats,
    labeled: Bools | None,
    k: int,
    ridge: float,
    backward: bool,
    fisher: bool,
    scaling: str,
) -> Batch:
    rows = live_columns(embedding)
    known = _mask(labeled, len(embedding))
    _check(len(rows), len(roots), ridge)
    candidates = np.flatnonzero(~known)
    k = check_budget(k, len(candidates))
    check_memory(len(rows), rows.shape[1], roots.shape[1])
    if k == 0:
        return np.empty(0, np.int64), np.empty(0)
    w_labeled, w = weights(scaling, int(known.sum()), k)
    target = information(rows, roots) / len(rows) if fisher else None
    prior = _prior(rows[known], roots[known], ridge, w_labeled)
    rows = rows[candidates]
    roots = roots[candidates] * np.sqrt(w)
    count = min(2 * k, len(candidates)) if backward else k
    chosen, gains = _forward(rows, roots, prior, target, count)
    kept = _backward(rows[chosen], roots[chosen], prior, target, k)
    return candidates[chosen[kept]], gains[kept]


def _prior(rows: Floats, roots: Floats, ridge: float, weight: float) -> Any:
    """M before the first pick: lambda I + w_L times what the labeled points tell."""
    matrix = weight * information(rows, roots)
    diagonal = range(len(matrix))
    matrix[diagonal, diagonal] += ridge
    return matrix


def _forward(rows: Floats, roots: Floats, prior: Any, target: Any, count: int) -> Batch:
    """Put in `count` points, each the one with the largest gain. (count,) positions and gains."""
    search = Search(rows, roots, prior, target, np.zeros(len(rows), bool))
    chosen = np.empty(count, np.int64)
    gains = np.empty(count)
    for i in range(count):
        chosen[i] = first_largest(np.where(search.inside, -np.inf, search.changes(1)))
        gains[i] = search.move(chosen[i], 1)
    return chosen, gains


def _backward(rows: Floats, roots: Floats, prior: Any, target: Any, k: int) -> Ints:
    """All points in; take them out until k are left, each the one with the smallest loss.

    (k,) positions that stay, in order.
    """
    if len(rows) == k:
        return np.arange(k)
    search = Search(rows, roots, prior, target, np.ones(len(rows), bool))
    for _ in range(len(rows) - k):
        losses = np.where(search.inside, search.changes(-1), np.inf)
        search.move(len(rows) - 1 - first_largest(-losses[::-1]), -1)
    return np.flatnonzero(search.inside)


def _mask(labeled: Bools | None, n: int) -> Bools:
    mask = np.zeros(n, bool) if labeled is None else np.asarray(labeled)
    if mask.shape != (n,) or mask.dtype != bool:
        raise UserError(
            f"labeled: found {mask.dtype} of shape {mask.shape},"
            f" expected True or False for each of {n:,} points."
        )
    return mask


def _check(n: int, others: int, ridge: float) -> None:
    if n != others:
        raise UserError(f"probs has {others:,} rows, the embedding {n:,}. Give one row per point.")
    if not 0 < ridge < np.inf:
        raise UserError(f"ridge: found {ridge}, expected a number above 0. Take 1 if in doubt.")
