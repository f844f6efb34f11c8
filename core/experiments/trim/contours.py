"""Where is a surface over the plane zero? A decision boundary as polylines.

Each cell of the grid is cut into two triangles, on which the surface through the corners is plane:
it crosses zero along one straight piece or not at all, so nothing is ambiguous, and pieces that
meet on an edge join into lines (marching triangles).
"""

from __future__ import annotations

import numpy as np

from core.types import Floats, Ints, UserError


def level_lines(values: Floats, x: Floats, y: Floats) -> list[Floats]:
    """The polylines (k, 2) on which the piecewise linear surface with these values (len(y), len(x))
    at the grid's points is zero.

    x, y: ascending. A closed line repeats its first point. None where the sign never changes; a
    value of 0 counts as below. UserError for values of another shape or not finite.
    """
    if values.shape != (len(y), len(x)) or not np.isfinite(values).all():
        raise UserError(
            f"Level lines: found values of shape {values.shape}, expected finite ones of shape"
            f" ({len(y)}, {len(x)})."
        )
    flat = values.ravel()
    places = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    edges = _crossed(flat > 0, _triangles(*values.shape))
    named, ends = np.unique(edges.reshape(-1, 2), axis=0, return_inverse=True)
    named = named.reshape(-1, 2)  # also where no edge is crossed
    start, end = named.T
    shares = flat[start] / (flat[start] - flat[end])
    points = places[start] + shares[:, None] * (places[end] - places[start])
    return [points[walk] for walk in _walks(ends.reshape(-1, 2), len(named))]


def _triangles(rows: int, columns: int) -> Ints:
    """The corners (t, 3) of two triangles in each cell, as flat places in the grid."""
    corner = np.arange(rows * columns).reshape(rows, columns)
    a = corner[:-1, :-1]
    b = corner[:-1, 1:]
    c = corner[1:, :-1]
    d = corner[1:, 1:]
    corners = ((a, b, c), (b, c, d))
    return np.concatenate([np.stack(three, axis=-1).reshape(-1, 3) for three in corners])


def _crossed(above: np.ndarray, triangles: Ints) -> Ints:
    """For each triangle that the level crosses, its two crossed edges: (s, 2, 2), each edge with
    the lower corner first.
    """
    signs = above[triangles]
    mixed = signs.any(axis=1) & ~signs.all(axis=1)
    signs = signs[mixed]
    triangles = triangles[mixed]
    alone = np.argmax(signs == (signs.sum(axis=1) == 1)[:, None], axis=1)
    lone = np.take_along_axis(triangles, alone[:, None], axis=1)
    others = np.take_along_axis(triangles, (alone[:, None] + [1, 2]) % 3, axis=1)
    return np.sort(np.stack([np.repeat(lone, 2, axis=1), others], axis=-1), axis=-1)


def _walks(pieces: Ints, count: int) -> list[list[int]]:
    """Pieces (s, 2) between `count` numbered points, at most two at each, joined end to end: open
    lines first, then rings.
    """
    meeting: list[list[int]] = [[] for _ in range(count)]
    for a, b in pieces.tolist():
        meeting[a].append(b)
        meeting[b].append(a)
    left = set(range(count))
    walks = []
    for start in [*(i for i in range(count) if len(meeting[i]) == 1), *range(count)]:
        if start not in left:
            continue
        walk = []
        here = start
        while here is not None:
            left.discard(here)
            walk.append(here)
            here = next((there for there in meeting[here] if there in left), None)
        walks.append([*walk, start] if len(meeting[start]) == 2 else walk)
    return walks
