"""What does the usual textbook code for leverage give? Kept as an exhibit, and to recompute the
talk's figures.

    s_i = |row i of Q|^2,    X = Q R by Householder's method without pivoting

Where X has full rank these are the leverage scores (core/strategies/leverage.py). Where it has not
they are wrong: see `textbook_qr`. Source: the code behind the talk.
"""

from __future__ import annotations

import numpy as np

from core.strategy import scorer
from core.types import Floats, Ints, check_matrix

NOT_THEIRS = 0.5


@scorer("Textbook QR")
def textbook_qr(embedding: np.ndarray) -> Floats:
    """Warning: wrong wherever a column is dead or a combination of others, and kept to show it. The
    squared row norms of Q from a QR without pivoting.

    For a dead column j Householder's method returns Q e_j, so row j of the *dataset* gets up to a
    full unit whatever it holds, and the scores sum to min(n, d) instead of the rank; the
    order of the points decides who is favoured. embedding: X (n, d). Returns (n,) float64 in [0,
    1], higher = picked first; with full rank the leverage scores.
    """
    q, _ = np.linalg.qr(check_matrix(embedding, "embedding").astype(np.float64))
    return np.minimum(np.einsum("ij,ij->i", q, q), 1.0)


def artefacts(scores: Floats, leverage: Floats) -> Ints:
    """The points whose textbook score is more than half a unit above their leverage."""
    return np.flatnonzero(scores - leverage > NOT_THEIRS)
