"""Small datasets of one's own for tests: images and rows, with and without labels."""

import numpy as np

from core.types import Dataset


def table(n=40, d=5, classes=3, labeled=True, seed=0, **fields) -> Dataset:
    """n rows of d features whose means differ by class."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    points = (rng.standard_normal((n, d)) + labels[:, None]).astype(np.float32)
    names = tuple(f"kind {c}" for c in range(classes)) if labeled else ()
    features = tuple(f"f{j}" for j in range(d))
    return Dataset("", points, labels if labeled else np.full(n, -1), names, np.zeros(n, bool), feature_names=features, **fields)


def images(n=40, side=12, labeled=True, seed=0) -> Dataset:
    """n grey images with a bright square whose place depends on the class."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    points = rng.integers(0, 60, (n, side, side)).astype(np.uint8)
    for image, label in zip(points, labels, strict=True):
        image[2:5, 2 + 4 * label : 5 + 4 * label] = 255
    names = ("left", "right") if labeled else ()
    return Dataset("", points, labels if labeled else np.full(n, -1), names, np.zeros(n, bool))
