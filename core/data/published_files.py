"""Which published files make up a dataset, and how do they come into the data folder?

    FASHION_MNIST, KMNIST, EMNIST, CIFAR10, SVHN
        the files: path below the data folder, checksum and mirrors
    obtain(files, ...)
        every file there and verified, the missing ones downloaded
    as_published(path)
        inside, whatever a reader finds wrong with a file becomes one clear message

Conventions: paths are those where torchvision's classes look for the same files. Files of the user
are read, never changed. Sources of the checksums, of which only md5 sums are published: the classes
of torchvision.datasets, and https://www.cs.toronto.edu/~kriz/cifar.html.
"""

from __future__ import annotations

import errno
import hashlib
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from core.types import UserError

Progress = Callable[[float | None, str], None]

MEGABYTE = 1_000_000
PIECE = 65_536  # bytes that a download hands on at once
RETRIES = 2  # of each mirror, after a short pause
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
EMNIST_LETTERS = tuple(f"emnist-letters-{name.replace('t10k', 'test')}" for name in IDX_FILES)


@dataclass(frozen=True)
class PublishedFile:
    """One published file: path below the data folder, md5 sum, mirrors in order.

    strict: must a file that is there already have this md5 sum?
    unpacked: paths of the unpacked files that serve in its place when it is missing.
    """

    path: str
    md5: str
    urls: tuple[str, ...]
    strict: bool = True
    unpacked: tuple[str, ...] = ()


def _idx_files(folder: str, mirror: str, sums: tuple[str, ...]) -> tuple[PublishedFile, ...]:
    """The four idx files of a set that is published as MNIST is.

    Not strict: copies of these files differ in their compression alone; gzip's own checksum guards
    the content.
    """
    return tuple(
        PublishedFile(
            f"{folder}/{name}.gz",
            md5,
            (f"{mirror}/{name}.gz",),
            strict=False,
            unpacked=(f"{folder}/{name}",),
        )
        for name, md5 in zip(IDX_FILES, sums, strict=True)
    )


FASHION_MNIST = _idx_files(
    "FashionMNIST/raw",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    (
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
    ),
)
KMNIST = _idx_files(
    "KMNIST/raw",
    "http://codh.rois.ac.jp/kmnist/dataset/kmnist",
    (
        "bdb82020997e1d708af4cf47b453dcf7",
        "e144d726b3acfaa3e44228e80efcd344",
        "5c965bf0a639b31b8f53240b1b52f4d7",
        "7320c461ea6c1c855c0b718fb2a4b134",
    ),
)
EMNIST = (
    PublishedFile(
        "EMNIST/raw/gzip.zip",
        "58c8d27c78d21e728a6bc7b3cc06412e",
        ("https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",),
        unpacked=tuple(f"EMNIST/raw/{name}" for name in EMNIST_LETTERS),
    ),
)
CIFAR10 = (
    PublishedFile(
        "cifar-10-binary.tar.gz",
        "c32a1d4ab5d03f1284b67883e8d87530",
        ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
    ),
)
SVHN = (
    PublishedFile(
        "train_32x32.mat",
        "e26dedcc434d2e4c54c9b2d4a06d8373",
        ("http://ufldl.stanford.edu/housenumbers/train_32x32.mat",),
    ),
    PublishedFile(
        "test_32x32.mat",
        "eb5a983be6a315427106f1b164d9cef3",
        ("http://ufldl.stanford.edu/housenumbers/test_32x32.mat",),
    ),
)


@contextmanager
def as_published(path: Path | zipfile.Path) -> Iterator[None]:
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


def obtain(
    files: tuple[PublishedFile, ...],
    title: str,
    folder: Path,
    scratch: Path,
    progress: Progress,
) -> None:
    """See to it that every one of these files lies in folder.

    What is missing is downloaded into scratch, verified there, and moved into place whole. A
    UserError says which file is not the published one or, without network, which files to put
    where.
    """
    missing = [file for file in files if not _present(folder, file)]
    for done, file in enumerate(missing):
        target = folder / file.path
        fresh = scratch / target.name
        reasons = _download(file, fresh, _Steps(progress, title, target.name, done, len(missing)))
        if reasons:
            wanted = ", ".join(str(folder / left.path) for left in missing[done:])
            raise UserError(
                f"{title} is not in the data folder {folder} and could not be downloaded"
                f" ({'; '.join(reasons)}). Connect to the internet and try again, or put these"
                f" files there: {wanted}."
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(fresh, target)


def _present(folder: Path, file: PublishedFile) -> bool:
    """Does the file lie in folder, or what it unpacks to?

    A UserError if what lies there is not the published one.
    """
    path = folder / file.path
    if not path.is_file():
        return bool(file.unpacked) and all((folder / part).is_file() for part in file.unpacked)
    if file.strict and (found := _md5(path)) != file.md5:
        raise UserError(
            f"{path}: found a file with md5 sum {found}, expected {file.md5}; it is damaged or"
            f" another file. {MEND}"
        )
    return True


def _md5(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, partial(hashlib.md5, usedforsecurity=False)).hexdigest()


@dataclass(frozen=True)
class _Steps:
    """Turns the bytes of one file among several into the progress of all of them."""

    progress: Progress
    title: str
    name: str
    done: int
    files: int

    def heard(self, received: int, total: int) -> None:
        """So many bytes of this file are there; total: 0 if the server does not say."""
        size = f"{received / MEGABYTE:,.1f}" + (f" of {total / MEGABYTE:,.1f}" if total else "")
        self.progress(
            (self.done + received / total) / self.files if total else None,
            f"{self.title}: downloading {self.name}, {size} MB",
        )


class _Stopped(Exception):
    """Carries an error of the progress callback past the handlers for network errors."""


class _Bar:
    """What pooch takes for a progress bar; it speaks once per megabyte, and at the end."""

    def __init__(self, steps: _Steps):
        self.steps = steps
        self.total = 0  # set by pooch; stays 0 where the server does not say
        self.received = 0

    def update(self, count: int) -> None:
        before = self.received
        self.received += count
        if self.total:  # pooch counts the last piece as a whole one
            self.received = min(self.received, self.total)
        at_end = self.total > 0 and self.received == self.total
        if before // MEGABYTE == self.received // MEGABYTE and not at_end:
            return
        try:
            self.steps.heard(self.received, self.total)
        except Exception as error:
            raise _Stopped from error

    def reset(self) -> None:
        self.received = 0

    def close(self) -> None:
        pass


def _download(file: PublishedFile, target: Path, steps: _Steps) -> list[str]:
    """Download into target and verify: no reasons, or why each mirror failed.

    A full disk's OSError passes through.
    """
    import pooch  # not needed before something is missing

    pooch.get_logger().setLevel("WARNING")

    def received(url: str, output_file: str, _pooch: object) -> None:
        os.unlink(output_file)  # pooch made it readable for its owner alone
        pooch.HTTPDownloader(progressbar=_Bar(steps), chunk_size=PIECE)(url, output_file, _pooch)

    reasons = []
    for url in file.urls:
        store = pooch.create(
            target.parent,
            base_url="",
            registry={target.name: f"md5:{file.md5}"},
            urls={target.name: url},
            retry_if_failed=RETRIES,
        )
        try:
            store.fetch(target.name, downloader=received)
            return []
        except _Stopped as stopped:
            raise stopped.__cause__ from None  # type: ignore[misc]  # always raised from the callback's error
        except (OSError, ValueError) as error:  # requests' errors are OSErrors without a number
            if getattr(error, "errno", None) in (errno.ENOSPC, errno.EACCES, errno.EROFS):
                raise
            reasons.append(f"{url}: {error}")
    return reasons
