"""Image datasets: how each published format is read.

    read_<format>(folder, (training rows, test rows), shape of an image) -> images, labels

Conventions: rows of the training part first, then the test part. Images uint8 (n, h, w) or (n, h,
w, 3), upright; labels int64 (n,) from 0. Sources: idx files http://yann.lecun.com/exdb/mnist/;
CIFAR-10 https://www.cs.toronto.edu/~kriz/cifar.html; SVHN http://ufldl.stanford.edu/housenumbers/.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import tarfile
import zipfile
from pathlib import Path
from typing import IO

import numpy as np

from core.data.published_files import EMNIST_LETTERS, IDX_FILES, MEGABYTE, MEND, as_published
from core.types import Bytes, Ints, UserError

Part = tuple[Bytes, Ints]
MNIST = (60_000, 10_000)  # training rows, test rows
# training images of each digit below 5, and of each other one
RARE = 500
FREQUENT = 5_000
ONES_AND_SEVENS = (6_000, 1_000)  # of each of the two, in the training and in the test part
CIFAR_FILES = tuple(
    f"cifar-10-batches-bin/{name}.bin"
    for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")
)
# md5 sums of unpacked content. KMNIST's files have the same shapes, so nothing else tells these
# sets apart.
PUBLISHED = {
    "6bbc9ace898e44ae57da46a324031adb": "mnist train-images-idx3-ubyte",
    "a25bea736e30d166cdddb491f175f624": "mnist train-labels-idx1-ubyte",
    "2646ac647ad5339dbf082846283269ea": "mnist t10k-images-idx3-ubyte",
    "27ae3e4e09519cfbb04c329615203637": "mnist t10k-labels-idx1-ubyte",
    "f4a8712d7a061bf5bd6d2ca38dc4d50a": "FashionMNIST train-images-idx3-ubyte",
    "9018921c3c673c538a1fc5bad174d6f9": "FashionMNIST train-labels-idx1-ubyte",
    "8181f5470baa50b63fa0f6fddb340f0a": "FashionMNIST t10k-images-idx3-ubyte",
    "15d484375f8d13e6eb1aabb0c3f46965": "FashionMNIST t10k-labels-idx1-ubyte",
}


def read_idx_folder(
    base: str, folder: Path, counts: tuple[int, int], shape: tuple[int, ...]
) -> Part:
    """The four idx files in folder/base, packed (.gz) or plain."""
    return _read_idx(base.split("/")[0], folder / base, IDX_FILES, counts, shape)


def _read_idx(
    collection: str,
    base: Path | zipfile.Path,
    names: tuple[str, ...],
    counts: tuple[int, int],
    shape: tuple[int, ...],
) -> Part:
    """names: training images, training labels, test images, test labels, in the folder or archive
    base.
    """
    images = np.empty((sum(counts), *shape), np.uint8)
    labels = np.empty(sum(counts), np.uint8)
    split = counts[0]
    for name, out in zip(
        names, (images[:split], labels[:split], images[split:], labels[split:]), strict=True
    ):
        path = base / f"{name}.gz" if (base / f"{name}.gz").is_file() else base / name
        with as_published(path), path.open("rb") as raw:
            _fill_from_idx(
                gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw,
                path,
                out,
                f"{collection} {name}",
            )
    return images, labels.astype(np.int64)


def _fill_from_idx(
    stream: IO[bytes] | gzip.GzipFile, path: Path | zipfile.Path, out: Bytes, label: str
) -> None:
    """Fill out from an idx stream of exactly its shape: two zero bytes, type 8 (bytes), rank,
    big-endian sizes, values.
    """
    wanted = f"{' x '.join(f'{size:,}' for size in out.shape)} bytes in idx format"
    header = stream.read(4 + 4 * out.ndim)
    if header != bytes((0, 0, 8, out.ndim)) + np.array(out.shape, ">u4").tobytes():
        raise UserError(
            f"{path}: found the header {header.hex(' ', 4)}, expected that of {wanted}. {MEND}"
        )
    digest = hashlib.md5(header, usedforsecurity=False)
    rest = out.data.cast("B")
    while rest:
        count = stream.readinto(rest[:MEGABYTE])  # type: ignore[union-attr]  # every binary stream here has it
        if not count:
            raise UserError(
                f"{path}: found {len(rest):,} bytes less than the expected {wanted}. {MEND}"
            )
        digest.update(rest[:count])
        rest = rest[count:]
    if stream.read(1):
        raise UserError(f"{path}: found more than the expected {wanted}. {MEND}")
    holds = PUBLISHED.get(digest.hexdigest())
    if holds != (label if label in PUBLISHED.values() else None):
        raise UserError(
            f"{path}: found {holds or 'content that was not published'}, expected {label}. {MEND}"
        )


def read_emnist_letters(folder: Path, counts: tuple[int, int], shape: tuple[int, ...]) -> Part:
    """The published images lie on their side, and the labels count from 1."""
    archive = folder / "EMNIST/raw/gzip.zip"
    with as_published(archive):
        base = zipfile.Path(archive, "gzip/") if archive.is_file() else archive.parent
        images, labels = _read_idx("EMNIST", base, EMNIST_LETTERS, counts, shape)
    return np.ascontiguousarray(images.transpose(0, 2, 1)), labels - 1


def read_cifar(folder: Path, _counts: tuple[int, int], shape: tuple[int, ...]) -> Part:
    """Six files of rows: a byte for the label, then all red, all green and all blue values."""
    height, width, colours = shape
    archive = folder / "cifar-10-binary.tar.gz"
    with as_published(archive):
        rows = np.concatenate(_members(archive, CIFAR_FILES, 1 + height * width * colours))
    images = rows[:, 1:].reshape(-1, colours, height, width).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), rows[:, 0].astype(np.int64)


def _members(archive: Path, names: tuple[str, ...], row: int) -> list[Bytes]:
    """The archive's files of these names, in this order, as bytes (n, row)."""
    found = {}
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            if member.name in names and (stream := tar.extractfile(member)):
                found[member.name] = np.frombuffer(stream.read(), np.uint8).reshape(-1, row)
    return [found[name] for name in names]


def read_svhn(folder: Path, _counts: tuple[int, int], _shape: tuple[int, ...]) -> Part:
    """X is (h, w, 3, n); the digit 0 has label 10."""
    from scipy.io import loadmat

    images = []
    labels = []
    for path in (folder / "train_32x32.mat", folder / "test_32x32.mat"):
        with as_published(path):
            content = loadmat(path, variable_names=("X", "y"))
            images.append(content["X"].transpose(3, 0, 1, 2))
            labels.append(content["y"].ravel().astype(np.int64) % 10)
    return np.concatenate(images), np.concatenate(labels)


def read_digits(_folder: Path, _parts: tuple[int, int], shape: tuple[int, ...]) -> Part:
    """scikit-learn's own file, read without scikit-learn: importing it takes 150 MB, half of what a
    web process may use.
    """
    found = importlib.util.find_spec("sklearn")
    if found is None or found.origin is None:
        raise UserError(
            "digits: scikit-learn, which brings this dataset, is not installed. Install what"
            " requirements.txt names."
        )
    path = Path(found.origin).parent / "datasets" / "data" / "digits.csv.gz"
    with as_published(path), gzip.open(path) as stream:
        table = np.loadtxt(stream, delimiter=",")
    images = np.rint(table[:, :-1] * 255 / 16).astype(np.uint8).reshape(-1, *shape)
    return images, table[:, -1].astype(np.int64)


def read_mnist_unbalanced(folder: Path, _parts: tuple[int, int], shape: tuple[int, ...]) -> Part:
    """500 of each of the digits 0 to 4 and 5,000 of each of 5 to 9, the first ones of the training
    part; the test part whole.
    """
    images, labels = read_idx_folder("mnist", folder, MNIST, shape)
    chosen = [
        np.flatnonzero(labels[: MNIST[0]] == c)[: RARE if c < 5 else FREQUENT] for c in range(10)
    ]
    rows = np.concatenate([np.sort(np.concatenate(chosen)), np.arange(MNIST[0], sum(MNIST))])
    return images[rows], labels[rows]


def read_mnist_redundant(folder: Path, _parts: tuple[int, int], shape: tuple[int, ...]) -> Part:
    """Three classes: 1, 7 and neither.

    Equally many ones and sevens, the first ones of each part; all other digits.
    """
    images, digits = read_idx_folder("mnist", folder, MNIST, shape)
    labels = np.select([digits == 1, digits == 7], [0, 1], 2)
    chosen = []
    for part, most in zip(
        np.split(np.arange(sum(MNIST)), [MNIST[0]]), ONES_AND_SEVENS, strict=True
    ):
        classes = [part[labels[part] == c] for c in range(3)]
        chosen.append(np.sort(np.concatenate([classes[0][:most], classes[1][:most], classes[2]])))
    rows = np.concatenate(chosen)
    return images[rows], labels[rows]
