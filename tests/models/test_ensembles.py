"""Are the members' opinions what their sources say: bootstrap heads that differ, dropout that
leaves the network as it was?
"""

import numpy as np
import pytest
import torch

from core import datasets, embeddings, softmax_head
from core.models import ensembles, evaluation, networks
from core.strategies.uncertainty import bald
from core.types import Embedded, UserError


@pytest.fixture(scope="module")
def points():
    return embeddings.embed(datasets.load("digits", n=300), "raw")


def test_a_bootstrap_sample_keeps_the_classes_and_repeats_points(points):
    rows = np.flatnonzero(np.arange(300) % 3 > 0)
    drawn = ensembles.bootstrap(points.labels, rows, np.random.default_rng(0))
    assert set(drawn) <= set(rows) and np.array_equal(
        np.bincount(points.labels[drawn]), np.bincount(points.labels[rows])
    )
    # A row is left out of a sample of n with probability (1 - 1/n)^n, about 1/e.
    assert 0.25 < 1 - len(set(drawn)) / len(rows) < 0.48


def test_each_head_is_the_one_of_its_own_sample(points):
    rows, done = np.arange(300), []
    tables = ensembles.from_heads(
        points,
        rows,
        classes=10,
        l2=1e-2,
        rng=np.random.default_rng(3),
        progress=lambda i, n: done.append((i, n)),
    )
    rng = np.random.default_rng(3)
    for table in tables[:3]:
        drawn = ensembles.bootstrap(points.labels, rows, rng)
        direct = softmax_head.fit(
            points.embedding[drawn], points.labels[drawn], l2=1e-2, classes=10
        )
        assert np.abs(table - softmax_head.probabilities(points.embedding, direct)).max() < 5e-3
    assert tables.shape == (ensembles.HEADS, 300, 10) and done == [
        (i + 1, ensembles.HEADS) for i in range(ensembles.HEADS)
    ]
    assert tables.sum(axis=2) == pytest.approx(1) and np.abs(tables[0] - tables[1]).max() > 0.01


def test_heads_disagree_most_where_there_was_little_to_learn_from():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 200)
    x = rng.normal(size=(400, 2)) * [0.3, 1.0] + np.where(labels == 0, -1, 1)[:, None] * [1.0, 0.0]
    x[:2] = [[0.0, 8.0], [0.0, -8.0]]  # on the border, far from everything
    points = Embedded(x.astype(np.float32), labels=labels)
    doubt = bald(ensembles.from_heads(points, np.arange(2, 400), classes=2, l2=1e-3, rng=rng))
    assert set(np.argsort(-doubt)[:2]) == {0, 1}


def test_a_class_without_a_point_is_told(points):
    rows = np.flatnonzero(points.labels != 7)
    with pytest.raises(UserError, match="no point of class 7"):
        ensembles.from_heads(points, rows, classes=10, l2=1e-2, rng=np.random.default_rng(0))


def test_dropout_draws_a_mask_for_every_point_and_pass():
    images = datasets.load("digits", n=60).points
    network = networks.build("fi_cnn", classes=10, shape=(8, 8), seed=1)
    tables = ensembles.from_dropout(network, images, seed=5)
    assert tables.shape == (ensembles.PASSES, 60, 10) and tables.sum(axis=2) == pytest.approx(1)
    assert np.array_equal(tables[:2], ensembles.from_dropout(network, images, seed=5, passes=2)), (
        "one seed, one answer"
    )
    twins = ensembles.from_dropout(network, np.repeat(images[:1], 2, axis=0), seed=5, passes=1)
    assert not np.array_equal(twins[0, 0], twins[0, 1]) and not np.array_equal(tables[0], tables[1])


def test_dropout_before_the_head_leaves_the_mean_of_the_logits_where_it_was():
    """Masks zero half of the values and double the rest; differences of log p are differences of
    logits.
    """
    x = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)
    network = networks.build("linear", classes=3, shape=(6,), seed=1)
    network.body.append(networks.Dropout(0.5))
    plain = np.log(evaluation.probabilities(network, x))
    tables = np.log(ensembles.from_dropout(network, x, seed=2, passes=4000))
    gaps, errors = tables[..., 1:] - tables[..., :1], plain[:, 1:] - plain[:, :1]
    deviation = (gaps.mean(axis=0) - errors) / (gaps.std(axis=0) / np.sqrt(4000))
    assert np.abs(deviation).max() < 4 and gaps.std(axis=0).min() > 0.1


def test_only_dropout_is_switched_on_and_it_is_switched_off_again():
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8)
    network = networks.build("fi_cnn", classes=3, shape=(8, 8), seed=1)
    network.body.append(torch.nn.BatchNorm1d(256))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    ensembles.from_dropout(network, images, seed=1, passes=3)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items()), (
        "statistics must not move"
    )
    assert not any(layer.training for layer in network.modules())


def test_a_network_without_dropout_has_one_opinion():
    images = datasets.load("digits", n=30).points
    tables = ensembles.from_dropout(
        networks.build("mlp", classes=10, shape=(8, 8), seed=1), images, seed=1, passes=4
    )
    assert (tables == tables[0]).all() and bald(tables).max() == 0
