"""Do the simulated sets show what they are there to show?"""

import numpy as np
import pytest

from core import softmax_head
from core.data import simulated
from core.data.simulated import synth2, synth2_groups, two_crescents, two_gaussians
from core.types import UserError

SETS = [synth2, two_gaussians, two_crescents]


@pytest.mark.parametrize("sample", SETS)
@pytest.mark.parametrize("n", [1, 2, 601])
def test_shapes_classes_and_randomness(sample, n):
    points, labels = sample(n, np.random.default_rng(0))
    assert points.shape == (n, 2) and points.dtype == np.float32 and np.isfinite(points).all()
    assert labels.dtype == np.int64 and np.bincount(labels, minlength=2).tolist() == [
        (n + 1) // 2,
        n // 2,
    ]
    assert np.array_equal(points, sample(n, np.random.default_rng(0))[0])
    assert not np.array_equal(points, sample(n, np.random.default_rng(1))[0])


@pytest.mark.parametrize("sample", SETS)
def test_no_points_are_refused(sample):
    with pytest.raises(UserError, match="expected 1 or more"):
        sample(0, np.random.default_rng(0))


def accuracy(points, labels, head):
    return (softmax_head.probabilities(points, head).argmax(axis=1) == labels).mean()


def test_synth2_misleads_a_head_that_knows_its_centre_only():
    points, labels = synth2(600, np.random.default_rng(0))
    groups = synth2_groups(points)
    assert np.bincount(groups).min() > 150
    central = groups == 0
    definitive = groups == 2
    first = softmax_head.fit(points[central][:20], labels[central][:20], l2=0.01)
    assert abs(first.weights[1, 1]) > 2 * abs(first.weights[1, 0])  # nearly horizontal
    assert accuracy(points[definitive], labels[definitive], first) < 0.05
    taught = softmax_head.fit(points[central | definitive], labels[central | definitive], l2=0.001)
    assert accuracy(points, labels, taught) > 0.95
    distances = np.abs(
        points @ (taught.weights[1] - taught.weights[0])
        + taught.intercepts[1]
        - taught.intercepts[0]
    )
    assert distances[groups == 1].min() > np.median(distances[definitive])


def test_the_groups_are_those_of_the_nearest_centre():
    centres = np.array(list(simulated.SYNTH2.values()))
    assert synth2_groups(np.vstack([centres, -centres])).tolist() == [0, 1, 2, 0, 1, 2]


def test_a_line_divides_the_gaussians_with_the_known_error():
    points, labels = two_gaussians(20_000, np.random.default_rng(0))
    assert ((points[:, 0] > 0) == labels).mean() == pytest.approx(0.9332, abs=0.006)
    assert points[labels == 0].mean(axis=0) == pytest.approx([-1.5, 0], abs=0.03)


def test_no_line_divides_the_crescents_but_their_neighbours_do():
    points, labels = two_crescents(1000, np.random.default_rng(0))
    straight = accuracy(points, labels, softmax_head.fit(points, labels, l2=1e-4))
    distances = np.linalg.norm(points[:, None] - points[None], axis=2) + np.diag(
        np.full(1000, np.inf)
    )
    nearest = np.argsort(distances, axis=1)[:, :9]
    assert straight < 0.9 and ((labels[nearest].mean(axis=1) > 0.5) == labels).mean() > 0.94
