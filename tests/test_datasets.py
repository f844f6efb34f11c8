"""Do the datasets arrive as published, and does every way in which files can be wrong end in a
message?

Small files in the true formats stand in for the large ones: the registry's row counts and
checksums are patched to theirs. The network is always replaced.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import struct
import subprocess
import sys
import tarfile
import threading
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import requests

from core import datasets
from core.data import published_files, published_images
from core.data.splits import stratified_rows
from core.types import UserError

TRAIN = 26
TEST = 4
IDX = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


@pytest.fixture
def data(tmp_path, monkeypatch):
    """An empty data folder and no network."""

    def offline(*_args, **_kwargs):
        raise requests.ConnectionError("no network here")

    monkeypatch.setenv("LEVERAGE_LAB_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(requests, "get", offline)
    monkeypatch.setattr(published_files, "RETRIES", 0)
    return tmp_path / "data"


@pytest.fixture
def small(monkeypatch):
    """small(name) -> images, labels of a dataset whose registry entry now expects 26 + 4 rows."""

    def shrink(name):
        entry = replace(datasets.info(name), n=TRAIN + TEST, train=TRAIN)
        monkeypatch.setitem(datasets._REGISTRY, name, entry)
        monkeypatch.setattr(published_images, "PUBLISHED", {})
        rng = np.random.default_rng(5)
        return (
            rng.integers(0, 256, (entry.n, *entry.shape), np.uint8),
            np.arange(entry.n) % entry.classes,
        )

    return shrink


def know(monkeypatch, name, sums, mirrors=None):
    """The dataset's files have these md5 sums from now on, and come from these mirrors."""
    entry = datasets.info(name)
    files = tuple(
        replace(
            file,
            md5=md5,
            urls=tuple(mirror + Path(file.path).name for mirror in mirrors or ()) or file.urls,
        )
        for file, md5 in zip(entry.files, sums, strict=True)
    )
    monkeypatch.setitem(datasets._REGISTRY, name, replace(entry, files=files))


def idx(array):
    return (
        bytes((0, 0, 8, array.ndim))
        + struct.pack(f">{array.ndim}I", *array.shape)
        + array.astype(np.uint8).tobytes()
    )


def idx_parts(images, labels):
    return [idx(part) for part in (images[:TRAIN], labels[:TRAIN], images[TRAIN:], labels[TRAIN:])]


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return hashlib.md5(content).hexdigest()


def write_idx(folder, images, labels, packed=True):
    for name, content in zip(IDX, idx_parts(images, labels), strict=True):
        write(
            folder / (f"{name}.gz" if packed else name),
            gzip.compress(content) if packed else content,
        )


def snapshot(folder):
    return {
        path.relative_to(folder): path.is_file() and (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
    }


def check(name, images, labels):
    """load() gives these rows, read-only, and a second load needs no raw files."""
    loaded = datasets.load(name)
    np.testing.assert_array_equal(loaded.points, images)
    np.testing.assert_array_equal(loaded.labels, labels)
    assert loaded.points.dtype == np.uint8 and loaded.labels.dtype == np.int64
    np.testing.assert_array_equal(loaded.test, np.arange(TRAIN + TEST) >= TRAIN)
    assert not any(
        array.flags.writeable for array in (loaded.points, loaded.labels, loaded.test, loaded.index)
    )
    assert isinstance(loaded.points.base, np.memmap)
    assert datasets.is_ready(name) and datasets.load(name).fingerprint == loaded.fingerprint
    assert not list(datasets.data_folder().glob(".partial*"))


# The bundled ones.


def test_mnist_is_the_published_one():
    mnist = datasets.load("mnist")
    assert (
        mnist.points.shape == (70_000, 28, 28)
        and mnist.points.dtype == np.uint8
        and mnist.labels.dtype == np.int64
    )
    assert np.bincount(mnist.labels[:60_000]).tolist() == [
        5923,
        6742,
        5958,
        6131,
        5842,
        5421,
        5918,
        6265,
        5851,
        5949,
    ]
    assert np.bincount(mnist.labels[60_000:]).tolist() == [
        980,
        1135,
        1032,
        1010,
        982,
        892,
        958,
        1028,
        974,
        1009,
    ]
    assert mnist.labels[0] == 5 and mnist.labels[60_000] == 7
    np.testing.assert_array_equal(np.flatnonzero(mnist.test), np.arange(60_000, 70_000))
    assert mnist.fingerprint == "84dac08320f8c888"
    assert not mnist.points.flags.writeable and not mnist.labels.flags.writeable


def test_digits_are_those_of_scikit_learn():
    from sklearn.datasets import load_digits

    theirs = load_digits()
    ours = datasets.load("digits")
    np.testing.assert_array_equal(ours.points, np.rint(theirs.images * 255 / 16))
    np.testing.assert_array_equal(ours.labels, theirs.target)
    assert ours.points.max() == 255 and not ours.test.any()


LIGHT = """
import sys
from dataclasses import replace
from core import datasets
from core.data import published_images
published_images.PUBLISHED = {}
datasets._REGISTRY["kmnist"] = replace(datasets.info("kmnist"), n=30, train=26)
datasets.fetch("kmnist")
assert datasets.is_ready("kmnist") and not datasets.is_ready("svhn")
assert len(datasets.load("kmnist")) == 30 and len(datasets.load("digits")) == 1797
assert len(datasets.load("mnist", n=10)) == 10
heavy = {"torch", "torchvision", "sklearn", "streamlit", "pooch"}
assert not heavy & set(sys.modules)
"""


def test_what_needs_no_download_imports_neither_torch_nor_sklearn(data, small):
    write_idx(data / "KMNIST/raw", *small("kmnist"))
    root = Path(datasets.__file__).parent.parent
    subprocess.run([sys.executable, "-c", LIGHT], check=True, cwd=root)


def test_menu_facts_agree_with_what_is_loaded():
    assert datasets.names()[0] == "mnist"
    images = {
        "mnist",
        "digits",
        "fashion_mnist",
        "kmnist",
        "emnist_letters",
        "cifar10",
        "svhn",
        "mnist_unbalanced",
        "mnist_redundant",
    }
    tables = {
        "letter",
        "adult",
        "synth2",
        "two_gaussians",
        "two_crescents",
        "openml_155",
        "openml_156",
        "openml_184",
    }
    tables |= {"bank", "celeba_attributes", "jigsaw", "runge"}
    assert {name for name in datasets.names() if datasets.info(name).is_images} == images
    assert set(datasets.names()) - images == tables
    for name in ("mnist", "digits"):
        entry = datasets.info(name)
        loaded = datasets.load(name)
        assert entry.bundled and datasets.is_ready(name)
        assert (entry.n, entry.shape, entry.class_names) == (
            len(loaded),
            loaded.shape,
            loaded.class_names,
        )
        assert entry.classes == len(np.unique(loaded.labels))


def test_without_the_variable_the_users_folder_is_taken(monkeypatch):
    monkeypatch.setenv("LEVERAGE_LAB_DATA", "")
    assert datasets.data_folder().is_absolute() and datasets.data_folder().name == "leverage-lab"
    monkeypatch.setenv("LEVERAGE_LAB_DATA", "~/here")
    assert datasets.data_folder() == Path.home() / "here"


# The published formats, from files that are there already.


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(
    ("name", "collection"), [("fashion_mnist", "FashionMNIST"), ("kmnist", "KMNIST")]
)
def test_idx_files_packed_and_plain(data, small, name, collection, packed):
    images, labels = small(name)
    write_idx(data / collection / "raw", images, labels, packed)
    before = snapshot(data / collection)
    assert not datasets.is_ready(name)
    check(name, images, labels)
    assert snapshot(data / collection) == before


@pytest.mark.parametrize("packed", [True, False])
def test_emnist_letters_are_upright_and_count_from_zero(data, small, monkeypatch, packed):
    images, labels = small("emnist_letters")
    names = [f"emnist-letters-{name.replace('t10k', 'test')}" for name in IDX]
    members = dict(zip(names, idx_parts(images.transpose(0, 2, 1), labels + 1), strict=True))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"gzip/{name}.gz", gzip.compress(content))
    for name, content in ({} if packed else members).items():
        write(data / "EMNIST/raw" / name, content)
    if packed:
        know(
            monkeypatch,
            "emnist_letters",
            [write(data / "EMNIST/raw/gzip.zip", buffer.getvalue())],
        )
    check("emnist_letters", images, labels)
    assert datasets.info("emnist_letters").class_names[0] == "A"


def cifar_files(images, labels):
    """The six files by name: five of the 26 training rows, one of the 4 test rows."""
    rows = np.column_stack([labels.astype(np.uint8), images.transpose(0, 3, 1, 2).reshape(30, -1)])
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    parts = np.split(rows, (5, 10, 15, 20, 26))
    return {
        f"cifar-10-batches-bin/{name}.bin": part.tobytes()
        for name, part in zip(names, parts, strict=True)
    }


def write_cifar(data, monkeypatch, files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in reversed(
            {**files, "cifar-10-batches-bin/batches.meta.txt": b"not read"}.items()
        ):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    know(monkeypatch, "cifar10", [write(data / "cifar-10-binary.tar.gz", buffer.getvalue())])


def test_cifar_rows_hold_the_label_then_red_green_and_blue(data, small, monkeypatch):
    images, labels = small("cifar10")
    write_cifar(data, monkeypatch, cifar_files(images, labels))
    check("cifar10", images, labels)


def test_the_pickled_version_of_cifar_is_not_read(data, small):
    small("cifar10")
    write(data / "cifar-10-python.tar.gz", b"pickles")
    write(data / "cifar-10-batches-py/data_batch_1", b"pickles")
    refuse("cifar10", f"put these files there: {data}/cifar-10-binary.tar.gz")


def write_svhn(data, monkeypatch, images, labels):
    from scipy.io import savemat

    sums = []
    for part, rows in (("train", slice(TRAIN)), ("test", slice(TRAIN, None))):
        buffer = io.BytesIO()
        savemat(
            buffer,
            {
                "X": images[rows].transpose(1, 2, 3, 0),
                "y": np.where(labels[rows] == 0, 10, labels[rows])[:, None].astype(np.uint8),
            },
        )
        sums.append(write(data / f"{part}_32x32.mat", buffer.getvalue()))
    know(monkeypatch, "svhn", sums)


def test_svhn_has_its_zeros_back(data, small, monkeypatch):
    images, labels = small("svhn")
    write_svhn(data, monkeypatch, images, labels)
    check("svhn", images, labels)


# Files that are not the published ones.


def refuse(name, match):
    """load() says what is wrong, stores nothing, and leaves the files alone."""
    before = snapshot(datasets.data_folder())
    with pytest.raises(UserError, match=match):
        datasets.load(name)
    assert not datasets.is_ready(name)
    assert snapshot(datasets.data_folder()) == before


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (
            lambda plain: gzip.compress(plain[:-7]),
            r"train-images-idx3-ubyte\.gz: found 7 bytes less than the expected 26 x 28 x 28",
        ),
        (lambda plain: gzip.compress(plain + b"more"), "found more than the expected"),
        (lambda plain: gzip.compress(plain)[:-300], r"cannot be read \(EOFError"),
        (lambda plain: gzip.compress(plain)[:-8] + bytes(8), r"cannot be read \(BadGzipFile: CRC"),
        (lambda plain: b"<html>not found</html>", r"cannot be read \(BadGzipFile"),
        (lambda plain: b"", "found the header , expected"),
        (
            lambda plain: gzip.compress(
                plain.replace(bytes((0, 0, 0, 26)), bytes((0, 0, 0, 27)), 1)
            ),
            "found the header 00000803 0000001b",
        ),
    ],
)
def test_damaged_idx_files_are_named(data, small, spoil, match):
    images, labels = small("kmnist")
    write_idx(data / "KMNIST/raw", images, labels)
    write(data / "KMNIST/raw" / f"{IDX[0]}.gz", spoil(idx(images[:TRAIN])))
    refuse("kmnist", match)


@pytest.mark.parametrize("name", ["kmnist", "fashion_mnist"])
def test_files_of_another_set_with_the_same_shapes_are_noticed(data, small, monkeypatch, name):
    images, labels = small(name)
    write_idx(data / "KMNIST/raw", images, labels)
    write_idx(data / "FashionMNIST/raw", images, labels)
    sums = {
        hashlib.md5(part).hexdigest(): f"mnist {file}"
        for file, part in zip(IDX, idx_parts(images, labels), strict=True)
    }
    monkeypatch.setattr(
        published_images, "PUBLISHED", {**sums, "another": f"FashionMNIST {IDX[0]}"}
    )
    refuse(name, rf"found mnist train-images-idx3-ubyte, expected (KMNIST|FashionMNIST) {IDX[0]}\.")


def test_unpublished_content_is_noticed_where_the_published_is_known(data, small, monkeypatch):
    write_idx(data / "FashionMNIST/raw", *small("fashion_mnist"))
    monkeypatch.setattr(published_images, "PUBLISHED", {"another": f"FashionMNIST {IDX[0]}"})
    refuse("fashion_mnist", f"found content that was not published, expected FashionMNIST {IDX[0]}")


def test_labels_out_of_range_are_noticed(data, small):
    images, labels = small("kmnist")
    write_idx(data / "KMNIST/raw", images, labels + 1)
    refuse("kmnist", "found labels from 1 to 10, expected 10 classes")


@pytest.mark.parametrize(
    "file", ["train_32x32.mat", "cifar-10-binary.tar.gz", "EMNIST/raw/gzip.zip"]
)
def test_files_with_another_md5_sum_are_not_opened(data, small, file):
    name = {"t": "svhn", "c": "cifar10", "E": "emnist_letters"}[file[0]]
    small(name)
    write(data / file, b"something else")
    refuse(
        name,
        f"{file}: found a file with md5 sum {hashlib.md5(b'something else').hexdigest()}, expected"
        " [0-9a-f]{32};",
    )


def test_a_file_that_is_missing_from_the_archive_is_named(data, small, monkeypatch):
    files = cifar_files(*small("cifar10"))
    del files["cifar-10-batches-bin/data_batch_3.bin"]
    write_cifar(data, monkeypatch, files)
    refuse("cifar10", "cifar-10-binary.tar.gz: cannot be read .*data_batch_3")


def test_rows_that_are_cut_short_are_noticed(data, small, monkeypatch):
    files = cifar_files(*small("cifar10"))
    files["cifar-10-batches-bin/test_batch.bin"] = bytes(100)
    write_cifar(data, monkeypatch, files)
    refuse("cifar10", "cifar-10-binary.tar.gz: cannot be read")
    files["cifar-10-batches-bin/test_batch.bin"] = bytes(3 * 3073)
    write_cifar(data, monkeypatch, files)
    refuse("cifar10", r"found points of shape \(29, 32, 32, 3\)")


def test_a_damaged_preparation_is_made_anew(data, small):
    images, labels = small("kmnist")
    write_idx(data / "KMNIST/raw", images, labels)
    datasets.fetch("kmnist")
    for what, content in (
        ("points", b"short"),
        ("labels", b"not an array"),
        ("test", None),
    ):
        path = data / "prepared/kmnist" / f"{what}.npy"
        path.unlink() if content is None else path.write_bytes(content)
        assert not datasets.is_ready("kmnist")
        check("kmnist", images, labels)
    points = data / "prepared/kmnist/points.npy"
    points.write_bytes(points.read_bytes()[:-1])
    assert not datasets.is_ready("kmnist")
    check("kmnist", images, labels)


# The network and the disk.


def test_offline_names_the_folder_and_the_files_to_put_there(data, small):
    images, labels = small("fashion_mnist")
    wanted = ", ".join(str(data / "FashionMNIST/raw" / f"{name}.gz") for name in IDX)
    with pytest.raises(
        UserError, match=r"could not be downloaded .*no network here.* put these files there: "
    ) as caught:
        datasets.load("fashion_mnist")
    assert str(caught.value).endswith(f"{wanted}.") and f"data folder {data} " in str(caught.value)
    write_idx(data / "FashionMNIST/raw", images, labels)
    (data / "FashionMNIST/raw" / f"{IDX[2]}.gz").unlink()
    refuse("fashion_mnist", f"put these files there: {data}/FashionMNIST/raw/{IDX[2]}[.]gz[.]$")
    assert not datasets.is_ready("fashion_mnist")


class Mirrors(BaseHTTPRequestHandler):
    """/sound/NAME is the file, /broken/NAME a page, and /gone/NAME is not found."""

    files: ClassVar[dict[str, bytes]] = {}
    asked: ClassVar[list[str]] = []
    broken_first: ClassVar[int] = 0  # how many of the next answers break off

    def do_GET(self):
        self.asked.append(self.path)
        _, mirror, name = self.path.split("/")
        if mirror == "gone":
            return self.send_error(404)
        content = self.files[name] if mirror == "sound" else b"<html>moved</html>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if Mirrors.broken_first:
            Mirrors.broken_first -= 1
            content = content[: len(content) // 2]
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def served(data, small, monkeypatch):
    """KMNIST's four files on a server of this machine with two mirrors, the first of which is
    broken.

    -> images, labels, requests, the server's address, the files' md5 sums.
    """
    images, labels = small("kmnist")
    files = {
        f"{name}.gz": gzip.compress(part)
        for name, part in zip(IDX, idx_parts(images, labels), strict=True)
    }
    monkeypatch.setattr(Mirrors, "files", files)
    monkeypatch.setattr(Mirrors, "asked", [])
    monkeypatch.setattr(Mirrors, "broken_first", 0)
    monkeypatch.setattr(requests, "get", requests.api.get)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Mirrors)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    sums = [hashlib.md5(content).hexdigest() for content in files.values()]
    know(monkeypatch, "kmnist", sums, [f"{address}/broken/", f"{address}/sound/"])
    yield images, labels, Mirrors.asked, address, sums
    server.shutdown()
    server.server_close()


def test_a_download_is_verified_reported_and_done_once(data, served):
    images, labels, asked, *_ = served
    heard = []
    datasets.fetch("kmnist", lambda fraction, text: heard.append((fraction, text)))
    check("kmnist", images, labels)
    assert asked[:2] == [f"/broken/{IDX[0]}.gz", f"/sound/{IDX[0]}.gz"] and len(asked) == 8
    fractions = [fraction for fraction, _ in heard if fraction is not None]
    assert fractions[-1] == 1 and all(0 < fraction <= 1 for fraction in fractions)
    assert any(
        text.startswith(f"Kuzushiji-MNIST: downloading {IDX[0]}.gz, 0.0 of ") for _, text in heard
    )
    assert heard[-1] == (None, "Kuzushiji-MNIST: preparing 30 points")
    asked.clear()
    (data / "prepared/kmnist/test.npy").unlink()
    datasets.fetch("kmnist")
    assert not asked


def test_a_downloaded_file_may_be_read_by_whoever_may_read_new_files(data, served, tmp_path):
    datasets.fetch("kmnist")
    (tmp_path / "new").touch()
    modes = {path.stat().st_mode for path in (data / "KMNIST/raw").iterdir()}
    assert modes == {(tmp_path / "new").stat().st_mode}


def test_progress_speaks_of_every_megabyte(data, served, monkeypatch):
    *_, address, sums = served
    content = np.random.default_rng(0).bytes(2_500_000)
    monkeypatch.setitem(Mirrors.files, f"{IDX[0]}.gz", content)
    known = [hashlib.md5(content).hexdigest(), *sums[1:]]
    know(monkeypatch, "kmnist", known, [f"{address}/sound/"])
    heard = []
    with pytest.raises(UserError, match="cannot be read"):  # it is no idx file
        datasets.fetch("kmnist", lambda fraction, text: heard.append(text.partition(", ")[2]))
    assert heard[:4] == ["1.0 of 2.5 MB", "2.0 of 2.5 MB", "2.5 of 2.5 MB", "2.5 of 2.5 MB"]


def test_a_connection_that_breaks_off_is_tried_again(data, served, monkeypatch):
    images, labels, asked, address, sums = served
    know(monkeypatch, "kmnist", sums, [f"{address}/sound/"])
    monkeypatch.setattr(published_files, "RETRIES", 2)
    monkeypatch.setattr("pooch.core.time.sleep", lambda _seconds: None)
    monkeypatch.setattr(Mirrors, "broken_first", 2)
    check("kmnist", images, labels)
    assert len(asked) == 6


@pytest.mark.parametrize(
    ("mirror", "reason"),
    [("broken", r"MD5 hash of downloaded file"), ("gone", "404 Client Error")],
)
def test_a_download_that_fails_leaves_nothing_behind(data, served, monkeypatch, mirror, reason):
    *_, address, sums = served
    know(monkeypatch, "kmnist", sums, [f"{address}/{mirror}/"])
    with pytest.raises(UserError, match=f"/{mirror}/.*{reason}.*put these files there"):
        datasets.fetch("kmnist")
    assert list(data.iterdir()) == []


def test_what_arrived_before_the_network_went_is_kept(data, served, monkeypatch):
    *_, address, sums = served
    known = [*sums[:2], "0" * 32, sums[3]]
    know(monkeypatch, "kmnist", known, [f"{address}/sound/"])
    base = data / "KMNIST/raw"
    with pytest.raises(
        UserError, match=rf"put these files there: {base}/{IDX[2]}[.]gz, {base}/{IDX[3]}[.]gz[.]$"
    ):
        datasets.fetch("kmnist")
    assert sorted(path.name for path in data.rglob("*") if path.is_file()) == sorted(
        f"{name}.gz" for name in IDX[:2]
    )


@pytest.mark.parametrize(
    "error",
    [KeyError("stop"), OSError("stop"), RuntimeError("stop"), requests.ConnectionError("stop")],
)
def test_an_error_of_the_callback_stops_the_fetch(data, served, error):
    *_, asked, _, _ = served

    def progress(_fraction, _text):
        raise error

    with pytest.raises(type(error)) as caught:
        datasets.fetch("kmnist", progress)
    assert caught.value is error and list(data.iterdir()) == [] and len(asked) == 1


def test_two_threads_may_fetch_at_once(data, served):
    images, labels, *_ = served
    meeting = threading.Barrier(2, timeout=60)
    told = threading.local()

    def progress(_fraction, _text):
        if not getattr(told, "once", False):
            told.once = True
            meeting.wait()

    threads = [threading.Thread(target=datasets.fetch, args=("kmnist", progress)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check("kmnist", images, labels)


def test_a_full_disk_ends_a_download_as_such(data, served, monkeypatch):
    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pooch.HTTPDownloader.__call__", full)
    with pytest.raises(UserError, match=r"No space left on device.*free some space"):
        datasets.fetch("kmnist")
    assert list(data.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path, monkeypatch, small):
    small("kmnist")
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("LEVERAGE_LAB_DATA", str(tmp_path / "file" / "data"))
    assert not datasets.is_ready("kmnist")
    with pytest.raises(UserError, match=rf"Data folder {tmp_path}/file/data: .*LEVERAGE_LAB_DATA"):
        datasets.load("kmnist")


def test_a_full_disk_is_named_as_such(data, small, monkeypatch):
    write_idx(data / "KMNIST/raw", *small("kmnist"))

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    refuse("kmnist", "No space left on device.*free some space")


FETCH_TOGETHER = """
import sys, time
from dataclasses import replace
from pathlib import Path
from core.data.splits import stratified_rows
from core import datasets
from core.data import published_images
me, other = Path(sys.argv[1]), Path(sys.argv[2])
published_images.PUBLISHED = {}
datasets._REGISTRY["kmnist"] = replace(datasets.info("kmnist"), n=30, train=26)
def meet(_fraction, _text):
    me.touch()
    while not other.exists():
        time.sleep(0.001)
datasets.fetch("kmnist", meet)
print(datasets.load("kmnist").fingerprint)
"""


@pytest.mark.parametrize("before", ["nothing", "damaged"])
def test_two_processes_prepare_at_once(data, small, tmp_path, before):
    images, labels = small("kmnist")
    write_idx(data / "KMNIST/raw", images, labels)
    if before == "damaged":
        write(data / "prepared/kmnist/points.npy", b"damaged")
    marks = [str(tmp_path / "first"), str(tmp_path / "second")]
    root = Path(datasets.__file__).parent.parent
    run = [
        subprocess.Popen(
            [sys.executable, "-c", FETCH_TOGETHER, *pair],
            cwd=root,
            env=os.environ,
            stdout=subprocess.PIPE,
            text=True,
        )
        for pair in (marks, marks[::-1])
    ]
    said = {process.communicate(timeout=600)[0] for process in run}
    assert [process.returncode for process in run] == [0, 0]
    check("kmnist", images, labels)
    assert said == {f"{datasets.load('kmnist').fingerprint}\n"}


# Subsets and bad requests.


@pytest.mark.parametrize("n", [1, 9, 10, 11, 123, 1796])
def test_a_subset_keeps_the_classes_shares(n):
    whole = datasets.load("digits")
    part = datasets.load("digits", n=n, seed=4)
    assert len(part) == n
    assert (np.diff(part.index) > 0).all()
    np.testing.assert_array_equal(part.points, whole.points[part.index])
    np.testing.assert_array_equal(part.labels, whole.labels[part.index])
    share = np.bincount(whole.labels) * n / len(whole)
    counts = np.bincount(part.labels, minlength=10)
    assert (np.abs(counts - share) < 1).all()
    assert not part.points.flags.writeable
    assert (counts > 0).all() or n < 10


def test_a_subset_depends_on_its_seed_alone():
    first, again, other = (datasets.load("mnist", n=50, seed=seed) for seed in (1, 1, 2))
    assert first.fingerprint == again.fingerprint != other.fingerprint
    np.testing.assert_array_equal(datasets.load("mnist", n=70_000).index, np.arange(70_000))
    assert first.test.sum() == (first.index >= 60_000).sum() > 0


@pytest.mark.parametrize(
    ("sizes", "n", "quotas"),
    [
        (
            [6, 3, 1],
            5,
            [3, 1, 1],
        ),  # shares 3, 1.5, 0.5: equal remainders, and no class may be empty
        ([5, 3, 2], 5, [3, 1, 1]),  # shares 2.5, 1.5, 1: equal remainders go to the lower class
        ([97, 1, 1, 1], 4, [1, 1, 1, 1]),  # shares 3.88 and three of 0.04
        ([97, 1, 1, 1], 2, [2, 0, 0, 0]),  # fewer rows than classes
        ([4, 4, 2], 10, [4, 4, 2]),
    ],
)
def test_quotas_by_largest_remainder(sizes, n, quotas):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    rows = stratified_rows(labels, n, seed=0)
    assert len(set(rows.tolist())) == n
    assert np.bincount(labels[rows], minlength=len(sizes)).tolist() == quotas


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (
            {"name": "fashon-mnist"},
            "found 'fashon-mnist', expected one of mnist, digits,.* Did you mean fashion_mnist",
        ),
        ({"name": None}, "found None, expected one of mnist"),
        ({"name": "../mnist"}, "expected one of mnist"),
        ({"name": "mnist", "n": 70_001}, "found 70,001, expected 1 to 70,000"),
        ({"name": "digits", "n": 0}, "found 0, expected 1 to 1,797"),
        ({"name": "digits", "n": 10.0}, "found 10.0, expected a whole number"),
        ({"name": "digits", "n": "10"}, "found '10', expected a whole number"),
        ({"name": "digits", "n": True}, "found True, expected a whole number"),
        ({"name": "digits", "n": 10, "seed": -1}, "seed: found -1, expected 0 or more"),
    ],
)
def test_bad_requests_get_a_message(arguments, match):
    with pytest.raises(UserError, match=match):
        datasets.load(**arguments)
