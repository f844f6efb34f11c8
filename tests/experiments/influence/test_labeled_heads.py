"""Who is labeled at first, and how a head sees a table."""

import numpy as np
import pytest

from core import datasets
from core.data import simulated
from core.experiments.influence.labeled_heads import draw, fitted, scaling, seen
from core.types import Dataset, UserError


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


def table(labels, points=None):
    labels = np.asarray(labels)
    points = (
        np.arange(2.0 * len(labels), dtype=np.float32).reshape(-1, 2) if points is None else points
    )
    names = tuple(map(str, range(labels.max() + 1)))
    return Dataset(
        "table",
        points,
        labels,
        names,
        np.arange(len(labels)) >= 0.8 * len(labels),
        feature_names=("a", "b"),
    )


def test_the_parts_are_training_points_and_share_none(digits):
    found = draw(digits, 30, 100, 50, seed=1)
    parts = (found.labeled, found.pool, found.validation, found.test)
    assert [len(part) for part in parts[:3]] == [30, 100, 50]
    assert len(np.unique(np.concatenate(parts))) == sum(map(len, parts))
    again, other = draw(digits, 30, 100, 50, seed=1), draw(digits, 30, 100, 50, seed=2)
    assert np.array_equal(again.pool, found.pool) and not np.array_equal(other.pool, found.pool)


def test_there_are_two_of_each_class(digits):
    for seed in range(5):
        assert (
            np.bincount(digits.labels[draw(digits, 20, 10, 10, seed).labeled]).tolist() == [2] * 10
        )


@pytest.mark.parametrize(
    ("labels", "sizes", "said"),
    [
        ([0, 1] * 20, (3, 5, 5), "found 3 for 2 classes, expected at least 4"),
        (
            [0, 1] * 20,
            (20, 10, 10),
            (
                "found 32 training points, but 20 labeled, 10 in the pool and 10 for validation"
                " make 40"
            ),
        ),
        ([0] * 31 + [1] + [0, 1] * 4, (4, 5, 5), "class 1 has fewer than two training points"),
    ],
)
def test_too_few_points_are_told(labels, sizes, said):
    with pytest.raises(UserError, match=said):
        draw(table(labels), *sizes, seed=1)


def test_synth2_begins_in_its_central_clusters():
    data = datasets.load("synth2")
    found = draw(data, 10, 400, 50, seed=3)
    assert (simulated.synth2_groups(data.points[found.labeled]) == 0).all()
    assert len(np.unique(simulated.synth2_groups(data.points[found.pool]))) == 3


def test_a_tables_columns_are_scaled_by_their_training_points_but_for_zeros_and_ones():
    rng = np.random.default_rng(0)
    points = np.column_stack([rng.normal(5, 3, 50), rng.integers(0, 2, 50)]).astype(np.float32)
    data = table([0, 1] * 25, points)
    matrix = seen(data, points)
    assert matrix[:40, 0].mean() == pytest.approx(0, abs=1e-6) and matrix[
        :40, 0
    ].std() == pytest.approx(1)
    assert np.array_equal(matrix[:, 1], points[:, 1])
    constant = np.full((50, 2), 7, np.float32)
    assert np.array_equal(seen(table([0, 1] * 25, constant), constant), constant)


def test_images_stay_as_they_are(digits):
    embedding = np.arange(1797 * 3.0).reshape(-1, 3)
    shift, scale = scaling(digits, embedding)
    assert seen(digits, embedding) is embedding and not shift.any() and (scale == 1).all()


def test_the_head_is_at_its_optimum(digits):
    from core import softmax_head

    matrix = digits.points.reshape(len(digits), -1) / 255.0
    rows = draw(digits, 40, 10, 10, 1).labeled
    head = fitted(digits, matrix, rows, 0.01)
    theta = np.column_stack([head.weights, head.intercepts])
    design = softmax_head.design(matrix[rows])
    assert (
        np.linalg.norm(
            softmax_head.gradient(
                theta, design, digits.labels[rows], softmax_head.penalties(64, 0.01)
            )
        )
        < 1e-8
    )
