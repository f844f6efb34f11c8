"""FI: how far does a tiny shift of one training point move the loss elsewhere, measured by what it
does to the point itself?

A shift omega of a training point z = (x, y), x -> x + omega, moves the head by J omega and the loss
of z' by gamma omega:

    J = dT/domega = -(1/n) H^-1 M,    M = d/dx d/dT loss(z),    gamma = grad loss(z')^T J
    G = sum_c P_c l_c^T l_c,          l_c = d log P_c(x) / domega, directly and through J
    FI(z', z) = gamma G^+ gamma^T,    G the metric of the perturbation manifold

How: in the coordinates of core/linalg/hessian.py, M omega = (F W omega) (x) h + q (x) omega, and
l_c = (e_c - p)^T N Z, where the logits of x move by Z = W - (C F W + R) / n with C = (I (x) h)^T
H^-1 (I (x) h), R = (I (x) h)^T H^-1 (q (x) I). That takes r = c - 1 solves for each point, and no D
x d matrix. G = A^T A with A of r rows, so the thin SVD A = U S V^T gives G^+ = V S^-2 V^T, and
FI(z', z) = |E^T H^-1 grad loss(z')|^2 / n^2 with the point's reach E = M V S^-1 (D, rank <= r): all
pairs are one matrix product.

Where ours differs: after Eq. 2.2 the paper has J with a plus, in appendix A.7 with a minus;
retraining confirms the minus, and it matters inside G. Algorithm 1 divides the validation gradient
by n; ours by the number of validation points, as the text does. H includes the penalty. Theorem 1,
invariance under any reparametrisation of omega, needs a regular G; G has rank <= c - 1, so for d >
c - 1 it holds for orthogonal maps, equal scaling and gradients in the range of G, not in general.
Conventions: FI >= 0, the squared change of a loss in nats per unit of length in the point's own
probabilities. Higher = picked first. Sources: "Enhancing Training Robustness through Influence
Measure" (FI, Algorithms 1 to 4); Shu and Zhu 2019 (the metric).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from core.knobs import Damping, Hessian
from core.linalg.hessian import (
    Exact,
    Kronecker,
    OpenHead,
    advance_scoring,
    open_head,
    point_blocks,
    spreader,
)
from core.linalg.ties import ranks
from core.softmax_head import check_known_labels, check_points
from core.strategy import Knob, scorer
from core.types import Bools, Embedded, Floats, Head, Ints, UserError

# Products that spreading all points over the exact Hessian may take: about a minute on one core.
SPREADS = 2 * 10**12
LEVEL = 1e-12  # lifts up to this part of the largest are none
Directions = Annotated[
    int | None,
    Knob(
        "Directions",
        "Keep this many singular directions of each point's mixed derivative, as the paper's KFSVD"
        " does; all of them by default, and from the embedding's dimension on.",
        low=1,
        high=16_384,
        choices=(None, 1, 2, 5, 10),
    ),
]
Share = Annotated[
    float,
    Knob(
        "Share",
        "The part of the pool whose FI is computed; a random forest predicts the rest.",
        low=0.01,
        high=1,
        choices=(0.1, 0.2, 0.5),
    ),
]


@scorer("FI-util")
def fi_util(
    embedding: Floats,
    labels: Ints,
    validation: Embedded,
    head: Head,
    *,
    hessian: Hessian = "exact",
    directions: Directions = None,
    damping: Damping = 0.0,
) -> Floats:
    """FI of each training point on the mean validation loss: s_i = gamma_i G_i^+ gamma_i^T. The
    highest are to be trimmed.

    embedding: (n, d), labels: (n,), the points the head was fitted on; validation: points with
    labels. Returns (n,) float64 >= 0, higher = picked first = the validation loss hangs more on
    where exactly this point lies. UserError: points or labels that do not fit the head, a singular
    Hessian, and exactly: more than 8,000 parameters, or 2e12 = n times parameters squared. Source:
    Algorithms 1 and 3, exact by default.
    """
    opened = open_head(head)
    _refuse_long(opened, len(embedding), hessian)
    points = as_seen(opened, embedding, labels, head)
    unseen = _seen_validation(opened, validation, head)
    solver = spreader(opened, opened.penalty + damping, hessian)
    slope = solver.solve(opened.mean_gradient(unseen.rows, unseen.residuals)).ravel()
    scores = np.empty(len(points))
    for block in _blocks(opened, len(points)):
        advance_scoring(block.start, len(points))
        reached = reach(opened, solver, points[block], directions) @ slope
        scores[block] = (reached**2).sum(axis=1)
    return scores / opened.n**2


@scorer("FI-active")
def fi_active(
    embedding: Floats,
    labels: Ints,
    labeled: Bools,
    head: Head,
    *,
    hessian: Hessian = "exact",
    directions: Directions = None,
    damping: Damping = 0.0,
) -> Floats:
    """FI of the labeled points on each point under its predicted label: s_i = mean of the middle
    80% of FI(z_i, z) over labeled z.

    embedding: (n, d). labels: (n,), read only where labeled (n,) holds. head: fitted on the labeled
    points. Returns (n,) float64 >= 0, higher = picked first = the prediction hangs more on where
    exactly the labeled points lie. UserError as for FI-util, and without labeled points. Source:
    Algorithms 2 and 4; hessian "kfac" and a number of directions give the paper's KFSVD, the
    defaults are exact.
    """
    opened = open_head(head)
    training = _seen_labeled(opened, embedding, labels, labeled, head)
    return _active(opened, training, embedding, head, hessian, directions, damping)


@scorer("FI-active, subsampled")
def fi_active_forest(
    embedding: Floats,
    labels: Ints,
    labeled: Bools,
    head: Head,
    *,
    share: Share = 0.2,
    hessian: Hessian = "exact",
    directions: Directions = None,
    damping: Damping = 0.0,
    rng: np.random.Generator,
) -> Floats:
    """FI-active from a sample: s_i = the rank of point i under FI-active, as a random forest on the
    embedding predicts it.

    The forest (scikit-learn's, 100 trees) learns the ranks 1, 2, ... of a random share of the pool,
    which is what is not labeled. (n, d), (n,), (n,) -> (n,) float64, higher = picked first.
    UserError as for FI-active. Source: Algorithm 4. With the exact algebra FI-active itself is
    quick; this is the paper's second approximation, to be compared with it.
    """
    # Menus that only read the signature do not pay for it.
    from sklearn.ensemble import RandomForestRegressor

    opened = open_head(head)
    training = _seen_labeled(opened, embedding, labels, labeled, head)
    pool = np.flatnonzero(~np.asarray(labeled))
    pool = pool if len(pool) else np.arange(len(embedding))
    sample = rng.choice(pool, max(1, round(share * len(pool))), replace=False)
    measured = _active(opened, training, embedding[sample], head, hessian, directions, damping)
    forest = RandomForestRegressor(random_state=int(rng.integers(2**31)))
    return forest.fit(embedding[sample], ranks(-measured).astype(float)).predict(embedding)


@dataclass(frozen=True, eq=False)
class Seen:
    """Points as the head sees them. rows: h (k, m). probs: (k, c).

    residuals: q (k, r), under a label. fishers: F (k, r, r).
    """

    rows: Floats
    probs: Floats
    residuals: Floats
    fishers: Floats

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, block: slice) -> Seen:
        return Seen(self.rows[block], self.probs[block], self.residuals[block], self.fishers[block])

    @property
    def gradients(self) -> Floats:
        """q (x) h: (k, r, m)."""
        return self.residuals[:, :, None] * self.rows[:, None, :]


def reach(
    opened: OpenHead, solver: Exact | Kronecker, points: Seen, directions: int | None = None
) -> Floats:
    """E^T = (M V S^-1)^T (k, rank, D) of each point: |E^T H^-1 g|^2 / n^2 is its FI on a loss with
    gradient g. Cut directions are zero.
    """
    spreads = solver.spread(points.rows)
    bent = points.fishers @ opened.weights
    levers = np.matmul(spreads, points.rows[:, None, :, None])[..., 0]
    straight = np.matmul(points.residuals[:, None, None, :], spreads[..., : opened.d])[:, :, 0]
    through = levers @ bent + straight
    kept = None if directions is None else _main_directions(points, bent, opened.d, directions)
    through = through if kept is None else (through @ kept) @ kept.transpose(0, 2, 1)
    roots = _inverse_roots(points.probs, opened.basis, opened.weights - through / opened.n)
    roots = roots if kept is None else kept @ (kept.transpose(0, 2, 1) @ roots)
    result = (bent @ roots).transpose(0, 2, 1)[..., None] * points.rows[:, None, None, :]
    turned = roots.transpose(0, 2, 1)[:, :, None, :]
    result[..., : opened.d] += points.residuals[:, None, :, None] * turned
    return result.reshape(len(points), roots.shape[2], -1)


def metric_factors(probs: Floats, basis: Floats, moves: Floats) -> Floats:
    """A (k, r, d) with G = A^T A, from probs (k, c) and the logits' derivatives Z = moves (k, r,
    d), in the coordinates of the basis.

    The rows sqrt(P_c) (e_c - p)^T N of each point are brought to r x r by QR, which keeps the
    digits of tiny probabilities.
    """
    scores = np.sqrt(probs)[:, :, None] * (basis - (probs @ basis)[:, None, :])
    return np.linalg.qr(scores, mode="r") @ moves


def _inverse_roots(probs: Floats, basis: Floats, moves: Floats) -> Floats:
    """V S^-1 (k, d, rank).

    Singular values below sqrt(d eps) of the largest count as zero, as their squares would in G.
    """
    _, values, vectors = np.linalg.svd(metric_factors(probs, basis, moves), full_matrices=False)
    floor = np.sqrt(moves.shape[2] * np.finfo(np.float64).eps) * values[:, :1]
    kept = (values > floor) & (values > 0)
    inverse = np.divide(1.0, values, out=np.zeros_like(values), where=kept)
    return (vectors * inverse[:, :, None]).transpose(0, 2, 1)


def _main_directions(points: Seen, bent: Floats, d: int, count: int) -> Floats | None:
    """K (k, d, *) with the projection K K^T on the first `count` right singular vectors of each
    point's M, from M^T M = |q|^2 I + B^T [[|h|^2 I, q], [q^T, 0]] B with B = [F W; x]; None: on all
    d.

    B lifts some singular values above |q| and lowers at most one below; the others equal |q| and
    have no order. Those are kept together: all where `count` has room for them, otherwise none.
    """
    if count >= d:
        return None
    q = points.residuals
    r = points.residuals.shape[1]
    middle = np.zeros((len(points), r + 1, r + 1))
    middle[:, np.arange(r), np.arange(r)] = (points.rows**2).sum(axis=1)[:, None]
    middle[:, :r, r] = middle[:, r, :r] = q
    lifting = np.concatenate([bent, points.rows[:, None, :d]], axis=1)
    frame, triangle = np.linalg.qr(lifting.transpose(0, 2, 1))
    lifts, turned = np.linalg.eigh(triangle @ middle @ triangle.transpose(0, 2, 1))
    axes = frame @ turned
    least = LEVEL * np.abs(lifts).max(axis=1, keepdims=True)
    lowered = lifts < -least
    first = (axes * (lifts > least)[:, None, :])[:, :, ::-1][:, :, :count]
    room = count >= d - lowered.sum(axis=1)
    if not room.any():
        return first
    cut = axes * (lowered & (np.arange(lifts.shape[1]) < d - count))[:, None, :]
    others = np.eye(d) - cut @ cut.transpose(0, 2, 1)
    return np.where(room[:, None, None], others, first @ first.transpose(0, 2, 1))


def influence_measures(
    opened: OpenHead,
    solver: Exact | Kronecker,
    training: Seen,
    targets: Seen,
    directions: int | None,
) -> Floats:
    """FI(z', z): (targets, training).

    The Hessian is solved for the targets' gradients or the reaches, whichever are fewer.
    """
    result = np.empty((len(targets), len(training)))
    parameters = int(np.prod(opened.shape))
    fewer = len(targets) <= len(training) * opened.shape[0] and len(targets) * parameters <= 2**26
    slopes = solver.solve(targets.gradients).reshape(len(targets), -1) if fewer else None
    for block in _blocks(opened, len(training)):
        reaches = reach(opened, solver, training[block], directions)
        count, rank, _ = reaches.shape
        if not fewer:
            reaches = solver.solve(reaches.reshape(count, rank, *opened.shape))
        flat = reaches.reshape(count * rank, -1).T
        for part in point_blocks(len(targets), parameters + count * rank):
            left = slopes[part] if fewer else targets[part].gradients.reshape(-1, parameters)
            result[part, block] = ((left @ flat) ** 2).reshape(-1, count, rank).sum(axis=2)
    return result / opened.n**2


def _active(
    opened: OpenHead,
    training: Seen,
    embedding: Floats,
    head: Head,
    hessian: str,
    directions: int | None,
    damping: float,
) -> Floats:
    """The mean over the training points of FI, less the lowest and highest tenth, for each of these
    points: (n,).
    """
    embedding = check_points(embedding, head)
    solver = spreader(opened, opened.penalty + damping, hessian)
    scores = np.empty(len(embedding))
    cut = len(training) // 10
    for block in point_blocks(len(embedding), len(training), budget=2**25):
        predicted = opened.probabilities(opened.design(embedding[block])).argmax(axis=1)
        targets = as_seen(opened, embedding[block], predicted, head)
        measures = influence_measures(opened, solver, training, targets, directions)
        scores[block] = np.sort(measures, axis=1)[:, cut : len(training) - cut].mean(axis=1)
    return scores


def as_seen(opened: OpenHead, embedding: Floats, labels: Ints, head: Head) -> Seen:
    """These points (k, d) under these labels, as the measure looks at them."""
    embedding = check_points(embedding, head)
    labels = check_known_labels(labels, len(embedding), head)
    rows = opened.design(embedding)
    probs = opened.probabilities(rows)
    return Seen(rows, probs, opened.residuals(probs, labels), opened.fishers(probs))


def _seen_validation(opened: OpenHead, validation: Embedded, head: Head) -> Seen:
    check_points(validation.embedding, head, "the validation set")
    labels = check_known_labels(validation.labels, len(validation), head, "validation labels")
    return as_seen(opened, validation.embedding, labels, head)


def _seen_labeled(
    opened: OpenHead, embedding: Floats, labels: Ints, labeled: Bools, head: Head
) -> Seen:
    labels = np.asarray(labels)
    labeled = np.asarray(labeled, bool)
    n = len(embedding)
    if labels.shape != (n,) or labeled.shape != (n,) or not labeled.any():
        found = (
            f"{len(labels):,} labels and {len(labeled):,} marks,"
            f" {labeled.sum():,} of them 'labeled'"
        )
        raise UserError(
            f"labeled: found {found}, expected a label and a mark for each of {n:,} points, and at"
            " least one labeled point."
        )
    return as_seen(opened, embedding[labeled], labels[labeled], head)


def _refuse_long(opened: OpenHead, n: int, hessian: str) -> None:
    r, m = opened.shape
    if hessian == "exact" and n * (r * m) ** 2 > SPREADS:
        raise UserError(
            f"FI-util with the exact Hessian of {r * m:,} parameters would take several minutes for"
            f" {n:,} points."
            " Choose the Hessian 'kfac', an embedding of fewer dimensions, or fewer points."
        )


def _blocks(opened: OpenHead, n: int) -> Iterator[slice]:
    r, m = opened.shape
    return point_blocks(n, 3 * r * r * m)
