"""A map: every point in the plane, near its neighbours.

UMAP by umap-learn, which only this module imports. Distances between clusters and the clusters'
sizes mean little; who is next to whom means something, and `trustworthiness` says how much. Two
maps are compared after turning the second onto the first (`aligned`). Source: McInnes, Healy,
Melville 2018 (UMAP); Venna, Kaski 2001 (trustworthiness).
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from core.linalg import row_blocks
from core.types import Floats, UserError, check_matrix

COMPONENTS = 50
FEWEST = 10
SAMPLE = 3000
SMALL = 1e-12
LARGE = 1e12


def umap_map(
    embedding: np.ndarray,
    *,
    seed: int = 0,
    neighbours: int = 15,
    progress: Callable[[float | None, str], None] | None = None,
) -> Floats:
    """UMAP coordinates float32 (n, 2) of the embedding (n, d), reduced to 50 dimensions by PCA.

    Deterministic by seed on one machine (single-threaded layout). progress(fraction, text) hears of
    the layout's epochs. A UserError for fewer than 10 points.
    """
    embedding = _unit(check_matrix(embedding, "embedding"))
    if len(embedding) < FEWEST:
        raise UserError(
            f"Map: found {len(embedding)} points, expected at least {FEWEST}."
            " Choose a larger subset."
        )
    report = progress or (lambda fraction, text: None)
    report(None, "Finding neighbours")
    heard = _Percentages(report)
    reducer = _umap().UMAP(
        n_neighbors=min(neighbours, len(embedding) - 1),
        random_state=seed,
        n_jobs=1,
        verbose=progress is not None,
        tqdm_kwds={"file": heard, "bar_format": "{percentage:.0f}%", "disable": progress is None},
    )
    # Catches what umap prints beside its progress.
    with contextlib.redirect_stdout(heard) if progress else contextlib.nullcontext():
        return np.ascontiguousarray(reducer.fit_transform(principal(embedding)), np.float32)


@functools.cache
def _umap() -> Any:
    """umap, whose compiled loops are kept on disk for the next process where a folder allows it:
    compiling them takes longer than a small map.
    """
    import umap
    from numba.core.caching import FunctionCache

    class Kept(FunctionCache):
        def save_overload(self, sig: Any, data: Any) -> None:
            with contextlib.suppress(OSError):  # a full disk: the copy in memory serves
                super().save_overload(sig, data)

    for loop in (
        umap.utils.fast_knn_indices,
        umap.umap_.smooth_knn_dist,
        umap.umap_.compute_membership_strengths,
        umap.layouts._nb_optimize_layout_euclidean_single_epoch,
    ):
        with contextlib.suppress(RuntimeError):  # no folder to keep them in
            loop._cache = Kept(loop.py_func)
    return umap


def principal(embedding: np.ndarray, components: int = COMPONENTS) -> Floats:
    """The embedding itself up to 50 dimensions, else its first 50 principal components.

    float32 (n, <= 50).
    """
    if embedding.shape[1] <= components:
        return np.ascontiguousarray(embedding, np.float32)
    mean = embedding.mean(axis=0, dtype=np.float64)
    covariance = row_blocks.gram(embedding) / len(embedding) - np.outer(mean, mean)
    _, directions = np.linalg.eigh(covariance)
    directions = directions[:, ::-1][:, :components]
    return row_blocks.product(embedding, directions) - (mean @ directions).astype(np.float32)


def trustworthiness(
    embedding: np.ndarray, coordinates: np.ndarray, *, neighbours: int = 15, seed: int = 0
) -> float:
    """How far neighbours on the map are neighbours in the embedding: 1 = all, about 0.5 = chance.

    Computed on at most 3,000 random points (seeded), because it compares all pairs.
    """
    from sklearn.manifold import trustworthiness as exact

    n = len(embedding)
    embedding = _unit(embedding)
    sample = np.arange(n)
    if n > SAMPLE:
        sample = np.random.default_rng(seed).choice(n, SAMPLE, replace=False)
    nearest = min(neighbours, (len(sample) - 1) // 2)
    return float(exact(embedding[sample], coordinates[sample], n_neighbors=nearest))


def _unit(embedding: np.ndarray) -> np.ndarray:
    """The embedding in a unit in which its squares fit single precision: a map keeps no unit.

    Usual values stay as they are.
    """
    largest = max(abs(float(embedding.max())), abs(float(embedding.min())))
    if largest == 0 or SMALL < largest < LARGE:
        return embedding
    return np.ldexp(embedding, -int(np.frexp(largest)[1]))


def aligned(moving: np.ndarray, fixed: np.ndarray) -> Floats:
    """`moving` (n, 2) shifted, turned, mirrored and scaled onto `fixed` (n, 2): Procrustes.

    Minimises sum_i |s R m_i + t - f_i|^2 over orthogonal R, s > 0, t.
    """
    m = moving.mean(axis=0)
    f = fixed.mean(axis=0)
    centred = moving.astype(np.float64) - m
    u, s, vt = np.linalg.svd(centred.T @ (fixed - f))
    scale = s.sum() / max(float((centred**2).sum()), 1e-300)
    return (scale * centred @ (u @ vt) + f).astype(np.float32)


class _Percentages:
    """A file for tqdm that passes its percentages on."""

    def __init__(self, report: Callable[[float | None, str], None]):
        self.report = report

    def write(self, text: str) -> None:
        found = re.findall(r"(\d+)%", text)
        if found:
            self.report(int(found[-1]) / 100, "Laying out the map")

    def flush(self) -> None:
        """tqdm asks for it."""
