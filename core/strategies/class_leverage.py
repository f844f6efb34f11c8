"""Class leverage: how far does a point stick out of the span of its own class?

    l_i = x_i^T (X_y^T X_y + ridge I)^+ x_i,    X_y the points of the class y of point i

so that within each class the scores lie in [0, 1] and sum to the rank of the class (ridge = 0). A
small class has large scores: a class of at most rank many independent points scores 1 throughout.
Labels of all points are used; an active learner would not have them.

Source: the leverage of Drineas, Magdon-Ismail, Mahoney, Woodruff 2012, applied class by class.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np

from core.linalg import row_blocks
from core.linalg.probabilities import check_labeled
from core.linalg.whitening import ridge_weights, whiten
from core.strategy import Knob, scorer
from core.types import Floats, check_matrix

RIDGES = (0.0, *(float(f"1e{e}") for e in range(-3, 8)))


@scorer("Class leverage")
def class_leverage(
    embedding: np.ndarray,
    labels: np.ndarray,
    *,
    ridge: Annotated[
        float,
        Knob(
            "Ridge λ",
            "Adds λ to the eigenvalues of each class's Gram matrix: small classes count less.",
            low=0.0,
            high=1e12,
            choices=RIDGES,
        ),
    ] = 0.0,
) -> Floats:
    """Leverage among the points of the same label: l_i = x_i^T (X_y^T X_y + ridge I)^+ x_i.

    embedding: (n, d); labels: (n,). Returns (n,) float64 in [0, 1], higher = picked first; ridge =
    0: each class sums to its rank. A UserError if a point has no label. Points are not centred.
    """
    embedding = check_matrix(embedding, "embedding")
    labels = check_labeled(labels, len(embedding))
    scores = np.empty(len(embedding))
    for label in np.unique(labels):
        rows = embedding[labels == label]
        norms = row_blocks.squared_norms(rows, _weights(rows, ridge))
        scores[labels == label] = np.minimum(norms, 1.0)
    return scores


def _weights(rows: np.ndarray, ridge: float) -> Floats:
    """W (d, r) with |x W|^2 = x^T (X^T X + ridge I)^+ x."""
    return whiten(rows).weights if ridge == 0 else ridge_weights(row_blocks.gram(rows), ridge)
