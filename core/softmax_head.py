"""The linear softmax classifier on an embedding: fitted, asked for probabilities, and its first and
second derivatives.

    p_i = softmax(T h_i),    loss(T) = -(1/n) sum_i log p_i[y_i] + (1/2) sum penalty T^2

Conventions: h_i is a row of the design (n, m): the embedding and, for the intercepts, a last column
of ones. T (c, m) holds weights and intercepts in the same way. penalty (m,) is l2, and 0 for the
intercept. All arithmetic is float64. A point's gradient is the outer product of its residual p_i -
e_{y_i} with h_i; no (n, c m) array is ever made.

The optimum is found by Newton's method; each step is solved by conjugate gradients on Hessian
products, preconditioned by one (m, m) matrix, a weighted Gram matrix of some rows plus the penalty,
which the classes share. Source: Nocedal and Wright, Numerical Optimization, ch. 7.1; the Hessian as
in Bohning 1992.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from core import types
from core.types import Embedded, Floats, Head, Ints, UserError, check_matrix

NEWTON_STEPS = 100
CG_STEPS = 500
# Rows per column in the preconditioner: enough for a condition number near
# (1 + sqrt(1/8))^2 / (1 - sqrt(1/8))^2 = 4.4.
ROWS_PER_COLUMN = 8


def fit(
    embedding: Floats,
    labels: Ints,
    *,
    l2: float,
    intercept: bool = True,
    classes: int | None = None,
    tolerance: float = 1e-6,
    start: Floats | None = None,
) -> Head:
    """The head that minimises the mean cross-entropy plus l2 |weights|^2 / 2, to a gradient norm of
    `tolerance`.

    embedding: (n, d). labels: (n,), 0 to classes-1; classes is the largest label plus one by
    default. The intercepts are not penalised (scikit-learn's C is 1/(n l2), and 2/(n l2) for two
    classes, whose two rows share the weights); without them they are zero. Weights and intercepts
    sum to zero over the classes. start: T (classes, m), where Newton's method begins, zero by
    default; a good one saves steps. Raises UserError for labels that do not fit, for a class
    without points (its intercept would go to minus infinity), for negative l2, and
    for l2 = 0 where the classes can be separated (the weights would grow without end).
    """
    embedding = check_matrix(embedding, "embedding")
    labels, classes = _check_labels(labels, len(embedding), classes, intercept)
    if not 0 <= l2 < np.inf:
        raise UserError(
            f"l2: found {l2}, expected a number of at least 0. Take 0.0001 if in doubt."
        )
    rows = design(embedding, intercept)
    penalty = penalties(embedding.shape[1], l2, intercept)
    # The steps keep the mean over the classes, which is zero at the optimum.
    start = np.zeros((classes, rows.shape[1])) if start is None else start - start.mean(axis=0)
    theta = _minimise(rows, labels, penalty, start, tolerance)
    weights = np.ascontiguousarray(theta[:, : embedding.shape[1]])
    intercepts = theta[:, -1].copy() if intercept else np.zeros(classes)
    return Head(weights, intercepts, float(l2), Embedded(embedding, labels=labels))


def probabilities(embedding: Floats, head: Head) -> Floats:
    """softmax(H weights^T + intercepts): (n, c) float64, rows sum to 1.

    A UserError if the head is for another width.
    """
    embedding = check_points(embedding, head)
    return softmax(embedding @ head.weights.T.astype(np.float64) + head.intercepts)


def check_points(embedding: Floats, head: Head, what: str = "the embedding") -> Floats:
    """The points as an array; a UserError unless they have the width that the head was fitted
    on.
    """
    embedding = check_matrix(embedding, what)
    if embedding.shape[1] != head.weights.shape[1]:
        raise UserError(
            f"The head was fitted on {head.weights.shape[1]} dimensions, {what} has"
            f" {embedding.shape[1]}. Embed both in the same way, or fit a new head."
        )
    return embedding


def check_known_labels(labels: Ints | None, n: int, head: Head, what: str = "labels") -> Ints:
    """labels (n,), if there is one for each point and the head knows their classes; otherwise a
    UserError.
    """
    if labels is None:
        raise UserError(f"{what}: found none, expected {n:,} class numbers, one per point.")
    return types.check_labels(
        labels,
        n,
        len(head.weights),
        name=what,
        known=", the classes of the head",
        mend="Leave unlabeled points out, or fit a head that knows these classes.",
    )


def design(embedding: Floats, intercept: bool = True) -> Floats:
    """The rows h_i as float64: the embedding, and a last column of ones for the intercept.

    (n, d + 1) or (n, d).
    """
    rows = np.ones((embedding.shape[0], embedding.shape[1] + intercept))
    rows[:, : embedding.shape[1]] = embedding
    return rows


def penalties(d: int, l2: float, intercept: bool = True) -> Floats:
    """l2 for each of d weights and 0 for the intercept: (d + 1,) or (d,)."""
    return np.concatenate([np.full(d, float(l2)), np.zeros(int(intercept))])


def softmax(logits: Floats) -> Floats:
    """exp(z_c) / sum exp(z), along the last axis; never overflows."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def log_softmax(logits: Floats) -> Floats:
    """z_c - log sum exp(z), along the last axis; never overflows, and finite where softmax
    underflows to 0.
    """
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def loss(theta: Floats, rows: Floats, labels: Ints, penalty: Floats) -> float:
    """-(1/n) sum_i log p_i[y_i] + (1/2) sum penalty T^2. theta T: (c, m).

    rows: the design (n, m).
    """
    own = log_softmax(rows @ theta.T)[np.arange(len(rows)), labels]
    return float(0.5 * (penalty * theta**2).sum() - own.mean())


def residuals(probs: Floats, labels: Ints) -> Floats:
    """p_i - e_{y_i}: (n, c), the gradient of a point's loss by its logits.

    A point's gradient by T is residual_i (x) h_i.
    """
    result = np.array(probs, dtype=np.float64)
    result[np.arange(len(result)), labels] -= 1
    return result


def gradient(theta: Floats, rows: Floats, labels: Ints, penalty: Floats) -> Floats:
    """(1/n) sum_i residual_i (x) h_i + penalty T: (c, m), the gradient of `loss`."""
    return residuals(softmax(rows @ theta.T), labels).T @ rows / len(rows) + penalty * theta


def slopes(direction: Floats, rows: Floats, residual: Floats) -> Floats:
    """<gradient of point i's loss, direction> = residual_i . (D h_i): (n,). direction D: (c, m).

    Without the penalty.
    """
    return np.einsum("nc,nc->n", residual, rows @ direction.T)


def hessian_product(direction: Floats, rows: Floats, probs: Floats, penalty: Floats) -> Floats:
    """(1/n) sum_i (diag(p_i) - p_i p_i^T) D h_i h_i^T + penalty D: (c, m), the Hessian of `loss`
    times D (c, m).

    Cost: two products of n m c. The Hessian is constant along a shift of all classes, so D with
    equal rows gives penalty D.
    """
    moved = rows @ direction.T
    curved = probs * (moved - np.einsum("nc,nc->n", probs, moved)[:, None])
    return curved.T @ rows / len(rows) + penalty * direction


def _minimise(
    rows: Floats, labels: Ints, penalty: Floats, theta: Floats, tolerance: float
) -> Floats:
    """Newton's method with a line search; the loss is convex, so it goes to the optimum from
    anywhere.
    """
    for done in range(NEWTON_STEPS):
        probs = softmax(rows @ theta.T)
        slope = residuals(probs, labels).T @ rows / len(rows) + penalty * theta
        size = np.linalg.norm(slope)
        if not penalty.any():
            _refuse_separated(probs, labels)
        if size <= tolerance:
            return theta
        if not np.isfinite(size):
            raise _unsettled(size, tolerance, done)
        step = _newton_step(rows, probs, penalty, slope, accuracy=min(0.1, np.sqrt(size)))
        theta = _line_search(theta, step, rows, labels, penalty, float((slope * step).sum()))
    raise _unsettled(size, tolerance, NEWTON_STEPS)


def _unsettled(size: float, tolerance: float, steps: int) -> UserError:
    return UserError(
        f"The linear head did not settle: gradient norm {size:.1e} after {steps} Newton"
        f" steps, wanted {tolerance:.0e}. Raise l2, or scale the embedding's columns to comparable"
        " size."
    )


def _newton_step(
    rows: Floats, probs: Floats, penalty: Floats, slope: Floats, accuracy: float
) -> Floats:
    """-H^-1 slope by preconditioned conjugate gradients, to a relative residual of `accuracy`."""
    step, _ = conjugate_gradients(rows, probs, penalty, -slope, accuracy)
    # In exact arithmetic the classes' steps sum to zero; with columns of very different size
    # rounding would leave a rest.
    return step - step.mean(axis=0)


def conjugate_gradients(
    rows: Floats, probs: Floats, penalty: Floats, target: Floats, accuracy: float
) -> tuple[Floats, float]:
    """(D, rest): D (c, m) with H D = target to a relative residual `rest`, `accuracy` if all went
    well. H: see `hessian_product`.
    """
    precondition = _preconditioner(rows, probs, penalty)
    size = np.linalg.norm(target) or 1.0
    step = np.zeros_like(target)
    left = target
    ready = precondition(left)
    direction = ready
    power = (left * ready).sum()
    for _ in range(CG_STEPS):
        if np.linalg.norm(left) <= accuracy * size:
            break
        bent = hessian_product(direction, rows, probs, penalty)
        curvature = (direction * bent).sum()
        if not curvature > 0:  # NaN, where rounding leaves nothing, ends the search too
            break
        step = step + power / curvature * direction
        left = left - power / curvature * bent
        ready = precondition(left)
        before = power
        power = (left * ready).sum()
        direction = ready + power / before * direction
    return step, float(np.linalg.norm(left) / size)


def _preconditioner(rows: Floats, probs: Floats, penalty: Floats):
    """G -> G P^-1 with P = mean_i w_i h_i h_i^T + penalty over every s-th row, w_i the mean of
    p(1-p) over the classes.
    """
    stride = max(1, len(rows) // (ROWS_PER_COLUMN * rows.shape[1]))
    some = rows[::stride]
    weights = (probs * (1 - probs)).mean(axis=1)[::stride]
    scaled = some * np.sqrt(weights / len(some))[:, None]
    matrix = scaled.T @ scaled
    # Dead or combined columns without a penalty leave P singular; the least part of its trace makes
    # it regular.
    least = 1e-10 * np.trace(matrix) / len(matrix)
    matrix[np.diag_indices_from(matrix)] += penalty + least + np.finfo(float).tiny
    factor = cho_factor(matrix, lower=True, overwrite_a=True)
    return lambda slope: cho_solve(factor, slope.T).T


def _line_search(
    theta: Floats, step: Floats, rows: Floats, labels: Ints, penalty: Floats, slope: float
) -> Floats:
    """theta + t step for the first t = 1, 1/2, 1/4, ... that lowers the loss by a fair part
    (Armijo), rounding allowed for.
    """
    here = loss(theta, rows, labels, penalty)
    t = 1.0
    while t > 1e-10:
        there = theta + t * step
        fair = here + 1e-4 * t * slope + 4e-16 * abs(here)
        if not loss(there, rows, labels, penalty) > fair:  # NaN ends the search too
            return there
        t /= 2
    return theta + t * step


def _refuse_separated(probs: Floats, labels: Ints) -> None:
    own = probs[np.arange(len(probs)), labels]
    others = probs.copy()
    others[np.arange(len(probs)), labels] = -1
    if (own > others.max(axis=1)).all():
        raise UserError(
            "A linear head separates these classes without error, so with l2=0 its weights would"
            " have no end. Give l2 above 0, e.g. 0.0001."
        )


def _check_labels(labels: Ints, n: int, classes: int | None, intercept: bool) -> tuple[Ints, int]:
    labels = types.check_labels(labels, n)
    classes = int(labels.max()) + 1 if classes is None else classes
    labels = types.check_labels(labels, n, classes)
    present = np.bincount(labels, minlength=classes) > 0
    if present.sum() < 2:
        raise UserError(
            f"labels: all {n:,} points are of class {labels[0]}. A head needs points of at least"
            " two classes."
        )
    if intercept and not present.all():
        absent = ", ".join(map(str, np.flatnonzero(~present)[:5]))
        raise UserError(
            f"labels: no point of class {absent}; its intercept would have no end. Label a point of"
            " each class, or fit without intercepts."
        )
    return labels, classes
