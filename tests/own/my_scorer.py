"""How far is a point from the middle of all points?"""

from __future__ import annotations

from typing import Annotated

import numpy as np

from core.strategy import Knob, scorer

Power = Annotated[float, Knob("Power", "The exponent of the distance.", choices=(0.5, 1.0, 2.0))]


@scorer("Distance to the mean")
def mean_distance(embedding: np.ndarray, *, power: Power = 1.0) -> np.ndarray:
    """The distance to the mean: |x_i - m|^power. embedding (n, d) -> (n,).

    Higher = picked first.
    """
    x = embedding.astype(float)
    return ((x - x.mean(axis=0)) ** 2).sum(axis=1) ** (power / 2)
