"""Points whose right answer can be seen: which ones matter, and which mislead?

Clouds in the plane: each function takes the number of points n and a generator, and returns (points
float32 (n, 2), labels int64 (n,)) with classes 0 and 1 in turn, so that every class has n / 2
points, rounded. The papers show these sets as figures and give no numbers; centres and spreads here
are our own, chosen to keep what the figures are there to show. Sources: Xu and Kazantsev 2019
(synth2, after Huang et al. 2010 and Yang and Loog 2018); the FI paper, section 5.1 (the other two).

A curve on a line: runge.
"""

from __future__ import annotations

import numpy as np

from core.types import Floats, Ints, UserError

# The six clusters of synth2, by group: the centre of class 1, and of class 0 on the other side of
# the origin.
SYNTH2 = {"central": (-0.3, 1.0), "distracting": (-5.0, 4.0), "definitive": (-4.0, -3.0)}
SYNTH2_SPREAD = 0.4


def synth2(n: int, rng: np.random.Generator) -> tuple[Floats, Ints]:
    """Central, distracting and definitive clusters, one of each class in every group: about a third
    of the points in each group.

    A head fitted on a few central points divides the plane almost horizontally, which the
    definitive clusters at the lower left and upper right contradict; the distracting ones at the
    upper left and lower right lie far from any boundary and teach nothing.
    """
    labels = _labels(n)
    groups = np.array(list(SYNTH2.values()))[rng.integers(len(SYNTH2), size=n)]
    return _points(
        groups * np.where(labels == 1, 1, -1)[:, None] + SYNTH2_SPREAD * rng.normal(size=(n, 2)),
        labels,
    )


def synth2_groups(points: Floats) -> Ints:
    """Which group of synth2 is nearest to each point (n, 2): 0 central, 1 distracting, 2
    definitive.
    """
    centres = np.array(list(SYNTH2.values()))
    distances = [
        np.minimum(*(np.linalg.norm(points - side * centre, axis=1) for side in (1, -1)))
        for centre in centres
    ]
    return np.argmin(distances, axis=0)


def two_gaussians(
    n: int, rng: np.random.Generator, *, distance: float = 3.0
) -> tuple[Floats, Ints]:
    """Two round normal clouds of spread 1 about (-distance/2, 0) and (distance/2, 0): a vertical
    line divides 3.0 with an error of 6.7%.
    """
    labels = _labels(n)
    return _points(
        np.stack([distance * (labels - 0.5), np.zeros(n)], axis=1) + rng.normal(size=(n, 2)), labels
    )


def two_crescents(n: int, rng: np.random.Generator, *, noise: float = 0.2) -> tuple[Floats, Ints]:
    """Two half circles of radius 1 that reach into one another, with noise of this spread: no
    straight line divides them.
    """
    labels = _labels(n)
    angles = np.pi * rng.random(n)
    upper = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    arcs = np.where(labels[:, None] == 0, upper, np.array([1.0, 0.5]) - upper)
    return _points(arcs + noise * rng.normal(size=(n, 2)), labels)


def _labels(n: int) -> Ints:
    if n < 1:
        raise UserError(f"Points: found {n}, expected 1 or more.")
    return np.arange(n, dtype=np.int64) % 2


def _points(points: Floats, labels: Ints) -> tuple[Floats, Ints]:
    return points.astype(np.float32), labels


RUNGE_DEGREE = 12
RUNGE_NOISE = 0.05


def runge(n: int, rng: np.random.Generator) -> tuple[Floats, Ints, Floats]:
    """A curve to be learned by polynomials: x drawn uniformly from [-1, 1], no labels, and the
    target 1 / (1 + 25 x^2) with normal noise of 0.05 (n,).

    points (n, 13): sqrt(2j + 1) P_j(x), Legendre's polynomials of degree 0 to 12, of mean square 1.
    Their leverage bends to the ends like 1 / sqrt(1 - x^2), so that is where labels are worth most.
    Source: Runge 1901.
    """
    x = np.sort(rng.uniform(-1, 1, n))
    degrees = np.arange(RUNGE_DEGREE + 1)
    points = np.polynomial.legendre.legvander(x, RUNGE_DEGREE) * np.sqrt(2 * degrees + 1)
    target = 1 / (1 + 25 * x**2) + RUNGE_NOISE * rng.normal(size=n)
    return points.astype(np.float32), np.full(n, -1, np.int64), target
