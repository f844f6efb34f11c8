"""Embeddings: shapes, determinism by seed, and what each formula promises."""

import dataclasses

import numpy as np
import pytest

from core import embeddings
from core.datasets import load
from core.embeddings import embed
from core.types import Dataset, UserError


@pytest.fixture(scope="module")
def digits():
    return load("digits", n=300)


@pytest.fixture(scope="module")
def table():
    x = np.random.default_rng(0).normal(size=(50, 6))
    return Dataset("table", x, np.arange(50) % 3, ("a", "b", "c"), np.zeros(50, bool))


@pytest.fixture(scope="module")
def colour():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), dtype=np.uint8)
    return Dataset("colour", pixels, np.arange(40) % 10, tuple("0123456789"), np.zeros(40, bool))


def test_raw_is_pixels_over_255(digits, colour, table):
    assert embed(digits, "raw").embedding[7, 12] == pytest.approx(
        digits.points[7].ravel()[12] / 255
    )
    assert embed(colour, "raw").embedding.shape == (40, 3072)
    assert np.allclose(embed(table, "raw").embedding, table.points, atol=1e-6)


@pytest.mark.parametrize("name", list(embeddings.embedders()))
def test_every_embedding_is_finite_float32_read_only_and_deterministic(digits, name):
    first, second = embed(digits, name), embed(digits, name)
    assert first.embedding.dtype == np.float32 and len(first) == 300
    assert np.isfinite(first.embedding).all()
    assert not first.embedding.flags.writeable
    assert np.array_equal(first.embedding, second.embedding)
    assert np.array_equal(first.labels, digits.labels)


@pytest.mark.parametrize("name", [name for name, e in embeddings.embedders().items() if e.seeded])
def test_another_seed_is_another_map(digits, name):
    assert not np.array_equal(
        embed(digits, name, seed=1).embedding, embed(digits, name, seed=2).embedding
    )


@pytest.mark.parametrize("name", list(embeddings.embedders()))
def test_colour_images_work_everywhere(colour, name):
    knobs = {"k": 20} if "k" in embeddings.find(name).knobs else {}
    assert len(embed(colour, name, **knobs)) == 40


@pytest.mark.parametrize(
    "name", [name for name, e in embeddings.embedders().items() if e.images_only]
)
def test_networks_refuse_tables(table, name):
    with pytest.raises(UserError, match="needs images"):
        embed(table, name)


def test_pca_matches_the_definition(digits):
    x = digits.points.reshape(300, -1) / 255
    centred = x - x.mean(0)
    _, s, directions = np.linalg.svd(centred, full_matrices=False)
    ours = embed(digits, "pca", k=5).embedding
    assert np.abs(np.abs(ours) - np.abs(centred @ directions[:5].T)).max() < 1e-4
    assert (ours**2).sum(0) == pytest.approx(s[:5] ** 2, rel=1e-4)


def test_pca_of_fewer_points_than_pixels_is_the_same_without_a_covariance(digits):
    """With n < d it takes the singular vectors of the points: n^2 d instead of d^3."""
    few = dataclasses.replace(
        digits,
        points=digits.points[:40],
        labels=digits.labels[:40],
        test=digits.test[:40],
        index=digits.index[:40],
    )
    ours = embed(few, "pca", k=50).embedding
    x = few.points.reshape(40, -1) / 255
    values, axes = np.linalg.eigh(np.cov(x.T, bias=True))
    axes = axes[:, ::-1][:, :39]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(39)])
    rank = int((values > 1e-12).sum())
    assert rank <= 39 and np.abs(ours[:, :rank] - (x - x.mean(0)) @ axes[:, :rank]).max() < 1e-5
    assert not ours[:, rank:].any() and (ours**2).sum(0)[0] == pytest.approx(40 * values[-1])


def test_projection_keeps_distances_in_expectation(digits):
    raw = embed(digits, "raw").embedding
    projected = [embed(digits, "projection", seed=s, k=50).embedding for s in range(40)]
    squared = np.mean([((p[0] - p[1]) ** 2).sum() for p in projected])
    assert squared == pytest.approx(
        ((raw[0] - raw[1]) ** 2).sum(), rel=0.15
    )  # sd of the mean: sqrt(2/50/40) = 3%


def test_random_relu_defaults_to_one_feature_per_pixel_and_clips(digits):
    features = embed(digits, "random_relu").embedding
    assert features.shape == (300, 64)
    gaussian = np.random.default_rng(1).standard_normal((64, 64)) / 8
    expected = np.maximum(digits.points.reshape(300, -1) / 255 @ gaussian, 0)
    assert np.abs(features - expected).max() < 1e-5
    assert 0.3 < (features == 0).mean() < 0.7


def test_random_fourier_approaches_the_gaussian_kernel(digits):
    raw, width = embed(digits, "raw").embedding.astype(float), 2.0
    features = embed(digits, "random_fourier", k=16000, bandwidth=width).embedding.astype(float)
    for i, j in ((0, 1), (5, 9), (3, 3)):
        kernel = np.exp(-((raw[i] - raw[j]) ** 2).sum() / (2 * width**2))
        assert features[i] @ features[j] == pytest.approx(kernel, abs=0.05)


def test_untrained_network_gives_200_activations(digits):
    assert embed(digits, "cnn_untrained").embedding.shape == (300, 200)
    assert embed(digits, "cnn_untrained").embedding.min() >= 0  # after the ReLU


def test_clear_messages(digits):
    with pytest.raises(UserError, match="expected one of raw"):
        embed(digits, "rwa")
    with pytest.raises(UserError, match="has no setting width"):
        embed(digits, "pca", width=3)
    with pytest.raises(UserError, match="64 principal components"):
        embed(digits, "pca", k=65)
    with pytest.raises(UserError, match="expected a whole number"):
        embed(digits, "pca", k="many")
