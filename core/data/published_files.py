"""Which published files make up a dataset, where do they lie, and what is in them?

    <format>_files() -> [RawFile]              paths below the data folder, md5 sums and mirrors, as
                                               torchvision has them
    obtain(files, ...)                         every file there and verified, the missing ones
                                               downloaded
    read_<format>(folder, (training rows, test rows), shape of an image) -> images, labels

Conventions: rows of the training part first, then the test part. Images uint8 (n, h, w) or (n, h,
w, 3), upright; labels int64 (n,) from 0. Files of the user are read, never changed. torchvision is
imported only to obtain files. Source: the classes of torchvision.datasets; idx files
http://yann.lecun.com/exdb/mnist/; CIFAR-10 https://www.cs.toronto.edu/~kriz/cifar.html; SVHN
http://ufldl.stanford.edu/housenumbers/.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import http.client
import io
import os
import pickle
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import IO, Any
from urllib.error import URLError

import numpy as np

from core.types import Bytes, Ints, UserError

Progress = Callable[[float | None, str], None]
Part = tuple[Bytes, Ints]

MEGABYTE = 1_000_000
MEND = (
    "Put the published file in its place, or delete it: what is not bundled is then downloaded"
    " again."
)
IDX_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
PICKLED_ARRAYS = (
    "numpy.core.multiarray._reconstruct",
    "numpy._core.multiarray._reconstruct",
    "numpy.ndarray",
    "numpy.dtype",
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


@dataclass(frozen=True)
class RawFile:
    """One published file: path below the data folder, md5 sum, mirrors in order.

    strict: must a file that is there already have this md5 sum?
    twins: (path, md5 or None) of the unpacked files that serve in its place when it is missing.
    """

    path: str
    md5: str
    urls: tuple[str, ...]
    strict: bool = True
    twins: tuple[tuple[str, str | None], ...] = ()


def obtain(
    files: list[RawFile], title: str, folder: Path, scratch: Path, progress: Progress
) -> None:
    """See to it that every one of these files lies in folder.

    What is missing is downloaded into scratch, verified there, and moved into place whole. A
    UserError says which file is not the published one or, without network, which files to put
    where.
    """
    missing = [file for file in files if not _present(folder, file)]
    for done, file in enumerate(missing):
        target = folder / file.path

        def heard(
            received: int, total: int | None, done: int = done, name: str = target.name
        ) -> None:
            size = (
                f"{received / MEGABYTE:,.1f} of {total / MEGABYTE:,.1f} MB"
                if total
                else f"{received / MEGABYTE:,.1f} MB"
            )
            progress(
                (done + received / total) / len(missing) if total else None,
                f"{title}: downloading {name}, {size}",
            )

        reasons = _download(file, scratch / target.name, heard)
        if reasons:
            wanted = ", ".join(str(folder / left.path) for left in missing[done:])
            raise UserError(
                f"{title} is not in the data folder {folder} and could not be downloaded"
                f" ({'; '.join(reasons)}). Connect to the internet and try again, or put these"
                f" files there: {wanted}."
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(scratch / target.name, target)


def _present(folder: Path, file: RawFile) -> bool:
    """Does the file lie in folder, or do its unpacked twins?

    A UserError if what lies there is not the published one.
    """
    if (folder / file.path).is_file():
        found = [(folder / file.path, file.md5 if file.strict else None)]
    else:
        found = [(folder / path, md5) for path, md5 in file.twins]
    if not found or not all(path.is_file() for path, _ in found):
        return False
    for path, md5 in found:
        if md5 is not None and (sum_ := _md5(path)) != md5:
            raise UserError(
                f"{path}: found a file with md5 sum {sum_}, expected {md5}; it is damaged or"
                f" another file. {MEND}"
            )
    return True


def _md5(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, partial(hashlib.md5, usedforsecurity=False)).hexdigest()


class _Stopped(Exception):
    """Carries an error of the progress callback past the handlers for network errors."""


class _Bar(AbstractContextManager):
    """Takes the place of tqdm in torchvision's downloader."""

    def __init__(
        self, heard: Callable[[int, int | None], None], total: int | None = None, **_: Any
    ):
        self.heard = heard
        self.total = total
        self.received = 0

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, count: int) -> None:
        before = self.received
        self.received = self.received + count
        if before // MEGABYTE == self.received // MEGABYTE and self.received != self.total:
            return
        try:
            self.heard(self.received, self.total)
        except Exception as error:
            raise _Stopped from error


def _download(file: RawFile, target: Path, heard: Callable) -> list[str]:
    """Download into target and verify: no reasons, or why each mirror failed.

    A full disk's OSError passes through.
    """
    utils = torchvision_datasets().utils
    reasons = []
    for url in file.urls:
        try:
            with _tqdm_replaced(utils, heard):
                utils.download_url(url, target.parent, filename=target.name, md5=file.md5)
            return []
        except _Stopped as stopped:
            raise stopped.__cause__ from None  # type: ignore[misc]  # always raised from the callback's error
        except (OSError, RuntimeError, http.client.HTTPException) as error:
            if (
                isinstance(error, OSError)
                and not isinstance(error, URLError)
                and error.errno in (errno.ENOSPC, errno.EACCES, errno.EROFS)
            ):
                raise
            reasons.append(f"{url}: {error}")
    return reasons


@contextmanager
def _tqdm_replaced(utils: Any, heard: Callable) -> Iterator[None]:
    kept = utils.tqdm
    utils.tqdm = partial(_Bar, heard)
    try:
        yield
    finally:
        utils.tqdm = kept


def torchvision_datasets() -> ModuleType:
    """torchvision.datasets; it brings torch, so only worker processes and the command line may
    ask.
    """
    try:
        import torchvision.datasets
    except (ImportError, RuntimeError, OSError) as error:
        raise UserError(
            f"torchvision does not import ({error}). Install torch and torchvision as"
            " requirements.txt says."
        ) from error
    return torchvision.datasets


@contextmanager
def reading(path: Path | zipfile.Path) -> Iterator[None]:
    """Damaged files fail in more ways than can be listed: each becomes a UserError that names the
    file.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"{path}: cannot be read ({type(error).__name__}: {error}); expected the published"
            f" file. {MEND}"
        ) from error


def idx_files(collection: str) -> list[RawFile]:
    """The four idx files of one of torchvision's MNIST-like classes."""
    # Not strict: copies of these files differ in their compression alone; gzip's own check sum
    # guards the content.
    base = f"{collection}/raw"
    cls = getattr(torchvision_datasets(), collection)
    return [
        RawFile(
            f"{base}/{name}",
            md5,
            tuple(mirror + name for mirror in cls.mirrors),
            False,
            ((f"{base}/{name[:-3]}", None),),
        )
        for name, md5 in cls.resources
    ]


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
        with reading(path), path.open("rb") as raw:
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


def emnist_files() -> list[RawFile]:
    """One archive of all parts; its unpacked letters serve as well."""
    cls = torchvision_datasets().EMNIST
    return [
        RawFile(
            "EMNIST/raw/gzip.zip",
            cls.md5,
            (cls.url,),
            twins=tuple((f"EMNIST/raw/{name}", None) for name in _letters()),
        )
    ]


def _letters() -> tuple[str, ...]:
    return tuple(f"emnist-letters-{name.replace('t10k', 'test')}" for name in IDX_FILES)


def read_emnist_letters(folder: Path, counts: tuple[int, int], shape: tuple[int, ...]) -> Part:
    """The published images lie on their side, and the labels count from 1."""
    archive = folder / "EMNIST/raw/gzip.zip"
    with reading(archive):
        base = zipfile.Path(archive, "gzip/") if archive.is_file() else archive.parent
        images, labels = _read_idx("EMNIST", base, _letters(), counts, shape)
    return np.ascontiguousarray(images.transpose(0, 2, 1)), labels - 1


def cifar_files() -> list[RawFile]:
    """One archive; its unpacked batches serve as well."""
    cls = torchvision_datasets().CIFAR10
    twins = tuple(
        (f"{cls.base_folder}/{name}", md5) for name, md5 in cls.train_list + cls.test_list
    )
    return [RawFile(cls.filename, cls.tgz_md5, (cls.url,), twins=twins)]


def read_cifar(folder: Path, _counts: tuple[int, int], shape: tuple[int, ...]) -> Part:
    """Pickled batches whose rows hold all red, then all green, then all blue values."""
    base = "cifar-10-batches-py"
    archive = folder / "cifar-10-python.tar.gz"
    names = [f"{base}/{name}" for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")]
    with reading(archive if archive.is_file() else folder / base):
        packed = (
            _unpacked(archive, names)
            if archive.is_file()
            else {name: (folder / name).read_bytes() for name in names}
        )
        batches = [
            _ArraysOnly(io.BytesIO(packed.pop(name)), encoding="latin1").load() for name in names
        ]
        images = np.concatenate([np.asarray(batch["data"], np.uint8) for batch in batches])
        labels = np.concatenate([np.asarray(batch["labels"], np.int64) for batch in batches])
        height, width, colours = shape
        return (
            np.ascontiguousarray(images.reshape(-1, colours, height, width).transpose(0, 2, 3, 1)),
            labels,
        )


def _unpacked(archive: Path, names: list[str]) -> dict[str, bytes]:
    with tarfile.open(archive, "r:gz") as tar:
        return {
            member.name: tar.extractfile(member).read()
            for member in tar
            if member.name in names and member.isfile()
        }  # type: ignore[union-attr]


class _ArraysOnly(pickle.Unpickler):
    """Reads plain values and NumPy arrays; every other class or function is refused before anything
    is called.
    """

    def find_class(self, module: str, name: str) -> Any:
        if f"{module}.{name}" not in PICKLED_ARRAYS:
            raise UserError(
                f"CIFAR-10: found {module}.{name} inside a batch, expected NumPy arrays only."
                f" {MEND}"
            )
        return super().find_class(module, name)


def svhn_files() -> list[RawFile]:
    """The cropped digits in MATLAB's format: training and test part, without the extra one."""
    parts = torchvision_datasets().SVHN.split_list
    return [
        RawFile(parts[part][1], parts[part][2], (parts[part][0],)) for part in ("train", "test")
    ]


def read_svhn(folder: Path, _counts: tuple[int, int], _shape: tuple[int, ...]) -> Part:
    """X is (h, w, 3, n); the digit 0 has label 10."""
    from scipy.io import loadmat

    parts = []
    for path in (folder / "train_32x32.mat", folder / "test_32x32.mat"):
        with reading(path):
            content = loadmat(path, variable_names=("X", "y"))
            parts.append(
                (content["X"].transpose(3, 0, 1, 2), content["y"].ravel().astype(np.int64) % 10)
            )
    return np.concatenate([images for images, _ in parts]), np.concatenate(
        [labels for _, labels in parts]
    )
