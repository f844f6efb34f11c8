"""Is a training record what the network said after each pass, on every point it was trained on?"""

import numpy as np
import pytest

from core import datasets, embeddings
from core.models import evaluation, networks, training, training_record
from core.strategies.dynamics import correctness, forgetting
from core.types import Embedded, UserError


@pytest.fixture(scope="module")
def points():
    return embeddings.embed(datasets.load("digits", n=400), "raw")


@pytest.fixture(scope="module")
def whole(points):
    return training_record.train(points, classes=10)


def test_a_table_for_each_pass_that_learns(points, whole):
    assert (
        whole.shape == (training_record.PASSES, 400, 10)
        and whole.dtype == np.float32
        and whole.sum(axis=2) == pytest.approx(1, abs=1e-5)
    )
    right = correctness(whole, points.labels).mean(axis=1)
    assert right[0] < 0.6 and right[-1] > 0.9


def test_the_last_table_is_what_the_same_training_ends_with(points, whole):
    x = points.embedding
    network = networks.build(
        "mlp",
        classes=10,
        shape=(64,),
        seed=training_record.SEED,
        mean=float(x.mean()),
        std=float(x.std()),
    )
    training.train(
        network, x, points.labels, seed=training_record.SEED, epochs=training_record.PASSES
    )
    assert np.abs(evaluation.probabilities(network, x) - whole[-1]).max() < 2e-3


def test_points_without_a_label_are_watched_and_not_trained_on(points):
    labels = points.labels.copy()
    labels[:100] = -1
    part = training_record.train(Embedded(points.embedding, labels=labels), classes=10)
    alone = training_record.train(Embedded(points.embedding[100:], labels=labels[100:]), classes=10)
    assert (
        part.shape == (training_record.PASSES, 400, 10)
        and np.abs(part[:, 100:] - alone).max() < 1e-3
    )


def test_the_scale_and_the_place_of_the_embedding_do_not_matter(points, whole):
    moved = Embedded((points.embedding * 64 + 128).astype(np.float32), labels=points.labels)
    assert np.abs(training_record.train(moved, classes=10)[0] - whole[0]).max() < 1e-2


def test_a_constant_embedding_and_a_single_point_break_nothing():
    same = Embedded(np.ones((9, 3), np.float32), labels=np.arange(9) % 2)
    assert np.isfinite(training_record.train(same, classes=2)).all()
    assert training_record.train(
        Embedded(np.ones((1, 3), np.float32), labels=np.zeros(1, int)), classes=2
    ).shape == (training_record.PASSES, 1, 2)


def test_progress_is_told_and_can_end_it(points):
    told = []

    def progress(step, steps, loss):
        told.append((step, steps))
        if step == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training_record.train(points, classes=10, progress=progress)
    assert told[-1] == (20, training_record.PASSES * 7)


def test_one_class_is_refused(points):
    with pytest.raises(UserError, match="found 1 classes"):
        training_record.train(points, classes=1)


def test_mislabeled_points_are_forgotten_more_often(points, whole):
    wrong = np.random.default_rng(0).choice(400, 40, replace=False)
    labels = points.labels.copy()
    labels[wrong] = (labels[wrong] + 5) % 10
    noisy = forgetting(
        training_record.train(Embedded(points.embedding, labels=labels), classes=10), labels
    )
    clean = np.setdiff1d(np.arange(400), wrong)
    assert np.median(noisy[wrong]) > np.median(noisy[clean]) + 3
