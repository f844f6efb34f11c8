"""In which subspace do a few points lie? A head on fewer points than dimensions never leaves it, so everything can be done inside.

The gradient of a head's loss is a sum of residuals (x) points; with the same penalty on every weight, its optimum lies in the span of the
points, and outside it the Hessian is the penalty alone. Source: the representer theorem, Kimeldorf and Wahba 1971.
"""

from __future__ import annotations

import numpy as np

from core.types import Floats


def few(n: int, d: int, ridge: Floats) -> bool:
    """Is the span worth taking, and the Hessian outside it one number? n points of d dimensions, one ridge above 0 for all weights."""
    return n < d and ridge[0] > 0 and bool((ridge[:d] == ridge[0]).all())


def span(rows: Floats, d: int) -> Floats:
    """Axes (m, q), orthonormal, of the subspace in which these rows (n, m) lie: of the d weights' part, and the intercept's own axis."""
    _, sizes, axes = np.linalg.svd(rows[:, :d], full_matrices=False)
    kept = axes[sizes > sizes.max(initial=0) * max(rows.shape) * np.finfo(np.float64).eps].T
    extra = rows.shape[1] - d
    return np.block([[kept, np.zeros((d, extra))], [np.zeros((extra, kept.shape[1])), np.eye(extra)]])
