"""Maps: shape, determinism, honesty about neighbours, and alignment by Procrustes."""

import errno

import numba
import numpy as np
import pytest
import umap
from numba.core import caching

from core.models import umap_map as maps
from core.models.umap_map import aligned, principal, trustworthiness, umap_map
from core.types import UserError


@pytest.fixture(scope="module")
def clusters():
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(3, 60)) * 10
    return (centres[np.arange(150) % 3] + rng.normal(size=(150, 60))).astype(np.float32)


@pytest.fixture(scope="module")
def coordinates(clusters):
    return umap_map(clusters, seed=3)


def test_clusters_stay_together_and_the_seed_decides(clusters, coordinates):
    assert coordinates.shape == (150, 2) and coordinates.dtype == np.float32
    assert np.array_equal(coordinates, umap_map(clusters, seed=3))
    distances = np.linalg.norm(coordinates[:, None] - coordinates[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (distances.argmin(axis=1) % 3 == np.arange(150) % 3).all()


def test_what_is_compiled_is_kept_for_the_next_process(coordinates):
    for loop in (umap.utils.fast_knn_indices, umap.umap_.smooth_knn_dist):
        assert sum(loop.stats.cache_hits.values()) + sum(loop.stats.cache_misses.values()) >= 1


def test_a_full_disk_is_no_obstacle(coordinates, monkeypatch):
    tried = []

    def save(self, key, data):
        tried.append(key)
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(caching.IndexDataCacheFile, "save", save)
    kept = type(umap.umap_.smooth_knn_dist._cache)
    twice = numba.njit(lambda x: 2 * x)
    twice._cache = kept(twice.py_func)
    assert twice(3) == 6 and tried


def test_no_folder_for_compiled_code_is_no_obstacle(monkeypatch):
    def nowhere(self, function):
        raise RuntimeError("no locator available")

    monkeypatch.setattr(caching.FunctionCache, "__init__", nowhere)
    assert maps._umap.__wrapped__() is umap


def test_progress_is_heard(clusters):
    heard = []
    umap_map(clusters, progress=lambda fraction, text: heard.append((fraction, text)))
    fractions = [fraction for fraction, _ in heard if fraction is not None]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0


def test_trustworthiness_tells_a_map_from_noise(clusters, coordinates):
    assert trustworthiness(clusters, clusters[:, :]) == 1.0
    assert trustworthiness(clusters, coordinates) > 0.75
    assert trustworthiness(clusters, np.random.default_rng(1).normal(size=(150, 2))) < 0.6


def test_principal_components_keep_the_distances_they_can(clusters):
    assert principal(clusters[:, :50]) is not None and np.array_equal(
        principal(clusters[:, :50]), clusters[:, :50]
    )
    centred = clusters - clusters.mean(axis=0)
    _, _, vt = np.linalg.svd(centred.astype(np.float64), full_matrices=False)
    assert np.abs(np.abs(principal(clusters)) - np.abs(centred @ vt[:50].T)).max() < 1e-3


@pytest.mark.parametrize("mirror", [1, -1])
def test_alignment_undoes_turn_mirror_scale_and_shift(mirror):
    fixed = np.random.default_rng(2).normal(size=(40, 2)).astype(np.float32)
    turn = np.array([[np.cos(1), -np.sin(1)], [np.sin(1), np.cos(1)]]) @ np.diag([1, mirror])
    moved = 3 * fixed @ turn + [5, -2]
    assert np.abs(aligned(moved, fixed) - fixed).max() < 1e-5


@pytest.mark.parametrize("power", [-100, 90])
def test_the_unit_does_not_matter(clusters, coordinates, power):
    scaled = np.ldexp(clusters, power)
    assert np.array_equal(umap_map(scaled, seed=3), coordinates)
    assert trustworthiness(scaled, coordinates) == trustworthiness(clusters, coordinates)


def test_too_few_points():
    with pytest.raises(UserError, match="at least 10"):
        umap_map(np.zeros((5, 3), np.float32))
