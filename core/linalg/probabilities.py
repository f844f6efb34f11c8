"""Class probabilities and labels, checked, and what is left of a prediction besides its first
choice.

Conventions: probs p (n, c), rows sum to 1. labels (n,), 0 to c-1, -1 where unknown. The predicted
class of a point is the first of its most probable ones. A network that is nearly sure gives p = 1 -
1e-12: whatever is read off 1 - p is then noise, so 1 - p is taken as the sum of the other
probabilities, which keeps all its digits.
"""

from __future__ import annotations

import numpy as np

from core.types import Floats, Ints, UserError, check_labels, check_matrix

SUM_TOLERANCE = 1e-3


def check_probs(probs: np.ndarray, n: int | None = None, name: str = "probs") -> Floats:
    """probs as float64 (n, c), if its rows are probabilities that sum to 1 within 0.001; otherwise
    a UserError.
    """
    probs = check_matrix(probs, name).astype(np.float64)
    if n is not None and len(probs) != n:
        raise UserError(
            f"{name} has {len(probs):,} rows, the embedding {n:,}. Give one row per point."
        )
    off = np.abs(probs.sum(axis=1) - 1) > SUM_TOLERANCE  # without a class the sum is 0
    off |= (probs < 0).any(axis=1)
    if off.any():
        row = int(np.argmax(off))
        total = probs[row].sum()
        least = probs[row].min(initial=0)
        found = f"row {row:,} sums to {total:.4g}, least entry {least:.4g}"
        raise UserError(
            f"{name}: {found}; expected probabilities that sum to 1. If these are logits, take"
            " their softmax first."
        )
    return probs


def check_labeled(labels: np.ndarray, n: int, classes: int | None = None) -> Ints:
    """labels as int64 (n,), if every point has one (from 0 to classes-1); otherwise a UserError."""
    labels = check_labels(labels, n)
    if (labels < 0).any():
        raise UserError(
            f"labels: {int((labels < 0).sum()):,} of {n:,} points have none. Leave these out, or"
            " take another strategy."
        )
    if classes is not None and labels.max(initial=0) >= classes:
        raise UserError(
            f"labels: found class {labels.max()}, but probabilities of classes 0 to {classes - 1}."
            " Use the same classes."
        )
    return labels


def besides_the_first(probs: Floats) -> Floats:
    """p (n, c) with each row's first largest entry replaced by 0: the probabilities of all classes
    but the predicted one.
    """
    others = np.array(probs, dtype=np.float64)
    others[np.arange(len(others)), others.argmax(axis=1)] = 0
    return others


def doubt(probs: Floats) -> Floats:
    """1 - max_y p_y as the sum of the other probabilities: (n,) in [0, 1 - 1/c]."""
    return besides_the_first(probs).sum(axis=1)


def predicted_residuals(probs: Floats) -> Floats:
    """p - e_yhat: (n, c), rows sum to 0; the gradient by the logits as if the predicted class yhat
    were the label.
    """
    residuals = besides_the_first(probs)
    residuals[np.arange(len(residuals)), np.argmax(probs, axis=1)] = -residuals.sum(axis=1)
    return residuals
