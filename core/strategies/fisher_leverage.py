"""Fisher leverage: how far a point sticks out of what all points tell about the last layer.

    s_x = tr(V_x^T (F + lambda I)^-1 V_x),    F = sum over all points of V_x V_x^T = sum I(x)

This is ridge leverage with the gradients V_x = L_x (x) h_x of a softmax classifier in the place of
the embedding's rows, r = c - 1 of them for each point. It is the bridge between leverage and BAIT:
take L_x = 1 and it is ridge leverage; and B_x of a BAIT that knows all points is this block.
Confident points have little Fisher information and so little leverage, whatever their embedding.

Source: our own combination of ridge leverage (Alaoui and Mahoney 2015) with the last layer's Fisher
information (Ash et al. 2021).
"""

from __future__ import annotations

from typing import Annotated

import numpy as np

from core.linalg import row_blocks
from core.linalg.fisher_information import (
    check_memory,
    class_roots,
    forms,
    information,
    live_columns,
)
from core.strategy import Knob, scorer
from core.types import Floats, UserError


@scorer("Fisher leverage")
def fisher_leverage(
    embedding: Floats,
    probs: Floats,
    *,
    ridge: Annotated[
        float,
        Knob(
            "Ridge λ",
            "Adds λ to every eigenvalue of the Fisher information:"
            " directions with less than λ count little.",
            low=1e-6,
            high=1e12,
            choices=(1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0, 1000.0),
        ),
    ] = 1.0,
) -> Floats:
    """Leverage in the gradients of the last layer: s_x = tr(V_x^T (F + ridge I)^-1 V_x),
    F = sum_x V_x V_x^T.

    embedding (n, d), probs (n, c) -> (n,) float64 in [0, c - 1], higher = picked first. They sum to
    the effective dimension sum_j w_j / (w_j + ridge) over the eigenvalues w of F, at most (c - 1)
    rank(embedding). One-hot probabilities score exactly 0. F is a sum over the points, as in
    leverage (BAIT's is a mean). Raises UserError for probabilities that are none and for ridge <=
    0.
    """
    rows = live_columns(embedding)
    roots = class_roots(probs)
    if len(rows) != len(roots):
        raise UserError(
            f"probs has {len(roots):,} rows, the embedding {len(rows):,}. Give one row per point."
        )
    return block_leverage(rows, roots, ridge)


def block_leverage(rows: Floats, roots: Floats, ridge: float) -> Floats:
    """The same for any blocks V_x = L_x (x) h_x: rows (n, d), roots L (n, r, r) -> (n,).

    L_x = 1 gives ridge leverage.
    """
    if not 0 < ridge < np.inf:
        raise UserError(f"ridge: found {ridge}, expected a number above 0. Take 1 if in doubt.")
    check_memory(len(rows), rows.shape[1], roots.shape[1])
    known = row_blocks.fetch(information(rows, roots))
    inverse = row_blocks.place(np.linalg.inv(known + ridge * np.eye(len(known))))
    traces = [
        row_blocks.fetch(form.diagonal(0, 1, 2).sum(1)) for form in forms(rows, roots, inverse)
    ]
    return np.maximum(np.concatenate(traces), 0.0)
