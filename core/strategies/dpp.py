"""Volume: a batch whose vectors span much, drawn (k-DPP) or grown (log-det).

    k-DPP     P(S) = det K_S / sum over all sets of k points,    K_ij = <x_i, x_j>
    log-det   grows log det(ridge I + sum_S x x^T) by the largest step each time

The vectors x_i are the gradients (p - e_yhat) (x) h, as in BADGE, if there are probabilities, or
the embedding.

Sources: Kulesza and Taskar 2011, 2012 (k-DPP, dual kernel); Derezinski and Warmuth 2018 (volume
sampling); Ash et al. 2020 (k-DPP on gradients, there by a Markov chain; here exact).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, NamedTuple

import numpy as np

from core.linalg.log_determinant import Expected, Single, grow
from core.linalg.outer_products import Outer, gradients
from core.linalg.probabilities import check_probs
from core.linalg.weighted_draws import by_weight
from core.strategy import Knob, selector
from core.types import Floats, Ints, UserError, check_budget

LARGEST = 6000
SPACES = ("gradients", "embedding")
NEGLIGIBLE = 1e-10
SMALLEST_RIDGE = 1e-12
Space = Annotated[
    str,
    Knob(
        "Vectors",
        "What has volume: the last layer's gradients, or the embedding alone.",
        choices=SPACES,
    ),
]


@selector("k-DPP", nested=False)
def k_dpp(
    embedding: np.ndarray,
    probs: np.ndarray | None = None,
    labeled: np.ndarray | None = None,
    *,
    k: int,
    rng: np.random.Generator,
    space: Space = "gradients",
) -> tuple[Ints, Floats]:
    """An exact draw of k points with P(S) = det K_S / e_k(eigenvalues of K), K_ij = <x_i, x_j>
    over the points not labeled.

    embedding: h (n, d); probs: p (n, c) or None; labeled: bool (n,) or None, left out. Returns
    indices (k,) in the order of the draw and gains (k,): the part of the point, in [0, 1], that the
    drawn directions still hold when it is drawn; the order carries no rank.

    k above the rank r of the vectors: no set has volume; r points are drawn and the others added at
    random, with gain 0. This is exactly the limit of the kernel K + eps I, and volume sampling:
    P(S) ~ det sum_S x x^T over the directions that exist. Eigenvalues below 1e-10 of the largest
    count as 0.

    How: eigenvectors of the smaller of K (n, n) and its dual sum x x^T (c d, c d), elementary
    symmetric polynomials in logarithms, then one point per direction with twice repeated
    orthogonalisation. Cost: the cube of that size once, n c d per pick; memory its square and 8 n d
    bytes. A UserError if both sizes exceed 6,000 (choose fewer points or a narrower embedding) or k
    the pool.
    """
    x = _vectors(embedding, probs, space)
    pool = np.arange(len(x)) if labeled is None else np.flatnonzero(~labeled)
    k = check_budget(k, len(pool))
    values, frame = _directions(x.take(pool) if len(pool) < len(x) else x)
    kept = _draw_directions(np.log(values), k, rng) if k < len(values) else np.arange(len(values))
    drawn, gains = _draw_points(frame(kept), len(kept), rng)
    others = rng.permutation(np.setdiff1d(np.arange(len(pool)), drawn))[: k - len(drawn)]
    return pool[np.concatenate([drawn, others])], np.concatenate([gains, np.zeros(len(others))])


@selector("Log-det", nested=True)
def log_det(
    embedding: np.ndarray,
    probs: np.ndarray | None = None,
    labeled: np.ndarray | None = None,
    *,
    k: int,
    ridge: Annotated[
        float,
        Knob(
            "Ridge λ",
            "The volume before any point: large λ favours length, small λ direction.",
            low=1e-9,
            high=1e6,
            choices=(0.01, 0.1, 1.0, 10.0, 100.0),
        ),
    ] = 1.0,
    space: Space = "gradients",
    all_labels: Annotated[
        bool,
        Knob(
            "All labels",
            "Each point counts with the gradients of every label, by its probability,"
            " not of the predicted one alone.",
        ),
    ] = False,
) -> tuple[Ints, Floats]:
    """Greedy log-det: next = argmax_x log(1 + x^T M^-1 x),
    M = ridge I + sum of x x^T over the labeled and the picked points.

    embedding: h (n, d); probs: p (n, c) or None; labeled: bool (n,) or None. Returns indices (k,)
    and gains (k,): what each pick added to log det M, never increasing; they sum to
    log det M_k - log det M_0. Of equal gains the first point is taken. all_labels: x becomes the
    block V of all labels with V V^T = (diag(p) - p p^T) (x) h h^T, of rank c - 1, and the gain
    log det(I + V^T M^-1 V). Cost per pick n c d (n c^2 (d + c) for all labels); memory 8 n d bytes,
    n c^2 more for all labels, and c d for each point in M. A UserError for a ridge of 0 or below
    1e-12 of the largest |x|^2 (rounding would decide), for k above the pool, for all labels
    without probabilities.
    """
    x = _vectors(embedding, probs, space)
    _check_ridge(ridge, x)
    inside = np.zeros(len(x), bool) if labeled is None else labeled
    k = check_budget(k, int((~inside).sum()))
    if not all_labels:
        return grow(Single(x, ridge), inside, k)
    if probs is None or space != "gradients":
        raise UserError(
            "All labels: this needs probabilities and gradients as vectors."
            " Fit a linear head, or switch it off."
        )
    return grow(Expected(check_probs(probs), x.right, ridge), inside, k)


def log_elementary(log_values: Floats, k: int) -> Floats:
    """log e_l of the first j numbers, as table[j, l]: (r + 1, k + 1).

    e_l: the sum of all products of l of them, -inf for none.
    """
    table = np.full((len(log_values) + 1, k + 1), -np.inf)
    table[:, 0] = 0.0
    for j, value in enumerate(log_values):
        table[j + 1, 1:] = np.logaddexp(table[j, 1:], value + table[j, :-1])
    return table


def _check_ridge(ridge: float, x: Outer) -> None:
    if not 0 < ridge < np.inf:
        raise UserError(
            f"Ridge: found {ridge}, expected a number above 0."
            " Without a ridge no set smaller than the space has volume."
        )
    if x.squares.max() > ridge / SMALLEST_RIDGE:
        least = SMALLEST_RIDGE * x.squares.max()
        raise UserError(
            f"Ridge: found {ridge:g}, but with vectors this long rounding decides below"
            f" {least:.1g}. Raise it to that at least."
        )


def _vectors(embedding: np.ndarray, probs: np.ndarray | None, space: str) -> Outer:
    if space not in SPACES:
        raise UserError(f"Vectors: found {space!r}, expected one of {', '.join(SPACES)}.")
    return gradients(embedding, probs if space == "gradients" else None, exact=True)


class Frame(NamedTuple):
    """Coordinates (n, m) of the points along m orthonormal directions of K, not written out.

    row(i)     point i's coordinates (m,)
    along(e)   e (m,) times all rows, (n,)
    lengths    the squared length of each row, (n,)
    """

    row: Callable[[int], Floats]
    along: Callable[[Floats], Floats]
    lengths: Floats


def _directions(x: Outer) -> tuple[Floats, Callable[[Ints], Frame]]:
    """(the positive eigenvalues (r,) of K; the frame of those directions that are kept)."""
    if min(len(x), x.width) > LARGEST:
        raise UserError(
            f"k-DPP: {len(x):,} points of {x.width:,} numbers each; it needs at most {LARGEST:,} of"
            " one or the other. Choose fewer points, an embedding with fewer dimensions, or the"
            " embedding alone as vectors."
        )
    dual = x.width < len(x)
    values, vectors = np.linalg.eigh(x.dual() if dual else x.gram())
    positive = values > NEGLIGIBLE * max(values.max(initial=0.0), np.finfo(float).tiny)
    values = values[positive]
    vectors = vectors[:, positive]
    if dual:
        return values, lambda kept: _dual_frame(x, (vectors / np.sqrt(values))[:, kept])
    return values, lambda kept: _frame(vectors[:, kept])


def _frame(v: Floats) -> Frame:
    return Frame(lambda i: v[i], lambda e: v @ e, np.einsum("nm,nm->n", v, v))


def _dual_frame(x: Outer, v: Floats) -> Frame:
    """The rows x_i v for v (c d, m)."""
    products = (block @ v for block in x.written_out())
    lengths = [np.einsum("nm,nm->n", rows, rows) for rows in products]
    shape = x.left.shape[1], x.right.shape[1]
    return Frame(
        lambda i: x[i].ravel() @ v,
        lambda e: x.along((v @ e).reshape(shape)),
        np.concatenate(lengths),
    )


def _draw_directions(log_values: Floats, k: int, rng: np.random.Generator) -> Ints:
    """k of the directions, each set with P = product of its eigenvalues / e_k of all."""
    table = log_elementary(log_values, k)
    kept = []
    chances = rng.random(len(log_values))
    for j in range(len(log_values), 0, -1):
        left = k - len(kept)
        if not left:
            break
        log_chance = log_values[j - 1] + table[j - 1, left - 1] - table[j, left]
        if chances[j - 1] < np.exp(log_chance):
            kept.append(j - 1)
    return np.array(kept[::-1], np.int64)


def _draw_points(frame: Frame, m: int, rng: np.random.Generator) -> tuple[Ints, Floats]:
    """The m points of a draw from the frame's projection DPP; the squared length each had left."""
    weights = frame.lengths
    picks = np.empty(m, np.int64)
    gains = np.empty(m)
    axes = np.empty((m, m))
    for j in range(m):
        i = by_weight(weights, rng.random())
        rest = frame.row(i)
        before = axes[:j]
        for _ in range(2):
            rest = rest - before.T @ (before @ rest)
        picks[j] = i
        gains[j] = min(weights[i], 1.0)
        axes[j] = rest / np.linalg.norm(rest)
        weights = np.maximum(weights - frame.along(axes[j]) ** 2, 0.0)
        weights[picks[: j + 1]] = 0.0
    return picks, gains
