"""Is farthest-first traversal the traversal of float64, a 2-approximation, and blind to the order
of points?
"""

import itertools

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from core.linalg import farthest_first as module
from core.strategies.coreset import k_center
from core.types import UserError


def slow_k_center(x, k, labeled=()):
    """The definition in float64: every distance from differences; the first of the farthest."""
    x, centres, picks, gains = x.astype(np.float64), list(labeled), [], []
    for _ in range(k):
        if centres:
            near = cdist(x, x[centres], "sqeuclidean").min(axis=1)
            near[centres] = -1
            i = int(near.argmax())
            gains.append(np.sqrt(near[i]))
        else:
            i = int(((x - x.mean(axis=0)) ** 2).sum(axis=1).argmin())
            gains.append(cdist(x, x[[i]]).max())
        centres.append(i)
        picks.append(i)
    return picks, gains


def mask(n, indices):
    labeled = np.zeros(n, bool)
    labeled[list(indices)] = True
    return labeled


def test_by_hand():
    line = np.array(
        [[0.0], [1.0], [2.0], [5.0], [9.0]]
    )  # mean 3.4: 2 is nearest to it, then 9 is farthest, then 5, 0, 1
    indices, gains = k_center(line, k=5)
    assert indices.tolist() == [2, 4, 3, 0, 1] and gains.tolist() == [7, 7, 3, 2, 1]
    indices, gains = k_center(line, mask(5, [0]), k=2)
    assert indices.tolist() == [4, 3] and gains.tolist() == [9, 4]


WORLDS = {
    "gaussian": lambda rng: rng.normal(size=(300, 20)),
    "far from the origin": lambda rng: rng.normal(size=(300, 20)) + 1e4,
    "a grid full of ties": lambda rng: rng.integers(0, 3, size=(300, 4)).astype(float),
    "one-hot rows": lambda rng: np.eye(40)[rng.integers(0, 40, 300)],
    "copies": lambda rng: np.repeat(rng.normal(size=(30, 8)), 10, axis=0),
    "one giant": lambda rng: np.vstack([rng.normal(size=(299, 6)), np.full((1, 6), 1e7)]),
    "huge": lambda rng: rng.normal(size=(300, 5)) * 1e18,
    "tiny": lambda rng: rng.normal(size=(300, 5)) * 1e-18,
    "dead columns": lambda rng: rng.normal(size=(300, 9)) * (np.arange(9) % 3 == 0),
}


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("labeled", [(), (3, 250), range(40)], ids=["none", "two", "forty"])
def test_picks_are_those_of_float64_with_ties_to_the_first(world, labeled):
    x = WORLDS[world](np.random.default_rng(0)).astype(np.float32)
    k = 120
    indices, gains = k_center(x, mask(300, labeled), k=k)
    picks, distances = slow_k_center(x, k, labeled)
    assert indices.tolist() == picks
    assert gains == pytest.approx(np.array(distances), rel=1e-12, abs=0)
    assert (np.diff(gains) <= 1e-12 * gains[:-1]).all()


def test_in_blocks_equals_at_once(monkeypatch):
    x = np.random.default_rng(1).integers(0, 4, size=(200, 3)).astype(np.float32)
    expected = k_center(x, mask(200, range(60)), k=50)
    monkeypatch.setattr(module, "BLOCK", 700)
    found = k_center(x, mask(200, range(60)), k=50)
    assert np.array_equal(found[0], expected[0]) and np.array_equal(found[1], expected[1])


@pytest.mark.parametrize("seed", range(5))
def test_radius_is_at_most_twice_the_best(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(13, 2)) if seed % 2 else rng.integers(0, 5, size=(13, 2)).astype(float)
    table = cdist(x, x)
    for k, labeled in [(1, ()), (3, ()), (4, ()), (3, (0, 5))]:
        best = min(
            table[:, [*labeled, *some]].min(axis=1).max()
            for some in itertools.combinations(range(13), k)
        )
        indices, _ = k_center(x, mask(13, labeled), k=k)
        assert table[:, [*labeled, *indices]].min(axis=1).max() <= 2 * best + 1e-12


def test_moving_and_scaling_the_points_changes_no_pick():
    x = np.random.default_rng(2).normal(size=(150, 5))
    expected = k_center(x, k=40)[0]
    assert np.array_equal(k_center(1024 * x, k=40)[0], expected)
    assert np.array_equal(k_center(x + 3, k=40)[0], expected)
    assert np.array_equal(
        k_center(x @ np.linalg.qr(np.random.default_rng(3).normal(size=(5, 5)))[0], k=40)[0],
        expected,
    )


def test_every_point_is_picked_once_though_all_are_copies():
    indices, gains = k_center(np.ones((50, 3), np.float32), k=50)
    assert sorted(indices) == list(range(50)) and not gains.any()


def test_bad_embeddings_are_refused():
    with pytest.raises(UserError, match="embedding"):
        k_center(np.array([[np.nan]]), k=1)


def test_the_budget_is_what_is_not_labeled_yet():
    x = np.arange(5.0)[:, None]
    assert sorted(k_center(x, mask(5, [1, 2]), k=3)[0]) == [0, 3, 4]
    with pytest.raises(UserError, match="3 points can be picked"):
        k_center(x, mask(5, [1, 2]), k=4)
