"""Small datasets of one's own for tests: images and rows, with and without labels, and the files
that they come in.
"""

import io
import zipfile

import numpy as np
import pandas as pd
from PIL import Image

from core.types import Dataset


def table(n=40, d=5, classes=3, labeled=True, seed=0, **fields) -> Dataset:
    """n rows of d features whose means differ by class."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    points = (rng.standard_normal((n, d)) + labels[:, None]).astype(np.float32)
    names = tuple(f"kind {c}" for c in range(classes)) if labeled else ()
    features = tuple(f"f{j}" for j in range(d))
    return Dataset(
        "",
        points,
        labels if labeled else np.full(n, -1),
        names,
        np.zeros(n, bool),
        feature_names=features,
        **fields,
    )


def images(n=40, side=12, labeled=True, seed=0) -> Dataset:
    """n grey images with a bright square whose place depends on the class."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    points = rng.integers(0, 60, (n, side, side)).astype(np.uint8)
    for image, label in zip(points, labels, strict=True):
        image[2:5, 2 + 4 * label : 5 + 4 * label] = 255
    names = ("left", "right") if labeled else ()
    return Dataset("", points, labels if labeled else np.full(n, -1), names, np.zeros(n, bool))


def zip_of(names=("cat", "dog"), each=12, broken=False) -> bytes:
    """A zip of class folders with small grey PNGs; broken: with a file that is no image, and one
    whose path leads out.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for c, name in enumerate(names):
            for i in range(each):
                archive.writestr(
                    f"pets/{name}/{i:03}.png", png(np.full((10, 10), 40 * c + i, np.uint8))
                )
        if broken:
            archive.writestr(f"pets/{names[0]}/broken.png", b"no image")
            archive.writestr("../../outside.png", png(np.zeros((10, 10), np.uint8)))
    return packed.getvalue()


def png(image) -> bytes:
    """An image as PNG."""
    content = io.BytesIO()
    Image.fromarray(image).save(content, "PNG")
    return content.getvalue()


def npz_of(pickled=False, **arrays) -> bytes:
    """An .npz of these arrays, by default 30 images of 8 x 8 in two classes; pickled: with an array
    of Python objects.
    """
    content = io.BytesIO()
    arrays = arrays or {
        "images": np.arange(30 * 64, dtype=np.uint8).reshape(30, 8, 8),
        "labels": np.arange(30) % 2,
    }
    np.savez(content, **({"images": np.array([{"a": 1}], dtype=object)} if pickled else arrays))
    return content.getvalue()


def parquet_of(n=30, **columns) -> bytes:
    """A table of two features, an id and a label, and these columns in place of or beside them."""
    content, rng = io.BytesIO(), np.random.default_rng(0)
    plain = {
        "id": [f"p{i}" for i in range(n)],
        "x": rng.standard_normal(n),
        "y": rng.standard_normal(n),
        "label": list("ab" * (n // 2)),
    }
    pd.DataFrame(plain | columns).to_parquet(content)
    return content.getvalue()
