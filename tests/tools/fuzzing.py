"""Malformed uploads and links, drawn by hypothesis from valid ones: truncated, flipped, renamed,
huge, packed to burst, or simply wrong.

uploads() -> Upload(how it was made, file name, bytes, choices)      links() -> (kind of page,
    {parameter: value})
assert_sound(draft, limits)                                           what must hold of every draft
"""

from __future__ import annotations

import gzip
import io
import json
import random
import stat
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st
from PIL import Image

from core.data.imports.draft import GAPS, ROLES, Choices, Draft
from core.data.imports.file_limits import Limits
from core.experiments import presets
from core.experiments.kinds import KINDS
from core.spec import Spec

SMALL = Limits(
    file_bytes=1_000_000,
    unpacked_bytes=4_000_000,
    files=300,
    rows=2_000,
    columns=5_000,
    values=300_000,
    side=64,
    pixels=1_000_000,
    all_pixels=4_000_000,
    classes=50,
)
SUFFIXES = (
    ".zip",
    ".npz",
    ".npy",
    ".parquet",
    ".csv",
    ".txt",
    ".png",
    "",
    ".tar.gz",
    "/../../../tmp/x",
    "\0.csv",
)
EVIL_PATHS = (
    "../../evil.png",
    "/etc/evil.png",
    "C:\\evil.png",
    "a/../../evil.png",
    "..\\evil.png",
    "",
    "a//b.png",
    "." * 300 + ".png",
)
SHAPES = (
    "(10**3,)",
    "(99999999999, 99999999)",
    "(-1, 4)",
    "(3, -2)",
    "()",
    "(0, 4)",
    "(2, 1)",
    "(4,)",
    "(1, 4, 1)",
    "(9, True)",
)
TYPES = (
    "<f8",
    "|O",
    "|u1",
    "<U9999",
    "|V0",
    "<U0",
    "<c16",
    "<M8[s]",
    "[('a', '<f8')]",
    "<f2",
    ">i4",
    "nonsense",
)
STACKS = (
    (5, 4, 4),
    (5, 4, 4, 3),
    (5, 4, 4, 4),
    (5, 4, 4, 1),
    (5, 3, 4, 4),
    (5, 0, 4),
    (0, 4, 4),
    (5, 200, 9),
)
CELLS = (
    "nan",
    "inf",
    "",
    "1e300",
    "p0",
    "é",
    "1,5",
    '"',
    "-1",
    "=1+1",
    "x" * 300,
    "\r",
    "2020-01-01",
)
ABSURD = (
    b"," * 100_000,
    b"a,b\n" + b"x" * 900_000 + b",1\n",
    b'a,b\n"1,2\n3,4\n',
    b"a,b\n1,2,3\n4\n",
    b"a;b\n1,5;2,5\n",
    b"a,b\n\0,1\n",
    b"\xff\xfea\0,\0b\0",
    b"a,a,a,,\n1,2,3,4,5\n",
    b"1\n2\n",
    b"label,x\n" + b"\n".join(b"%d,%d" % (i, i) for i in range(500)),
    b"id,x\n1,2\n1,3\n",
    b"x\n1e999\n-1e999\nnan\n",
    b"label,x\n,1\n,2\n",
    b'"' * 5_000,
    b"a,b\n" + b"\n" * 5_000,
    b"x,y\r1,2\r3,4\r",
    b"x\n" + b"9" * 400 + b"\n",
    b"split,x\nnever,1\ntrain,2\n",
    b"prob_a,prob_b,x,label\n.5,.6,1,a\n.5,.5,2,b\n",
)


@dataclass(frozen=True)
class Upload:
    """What a visitor sends. how: the mutators that made it, for reports."""

    how: str
    name: str
    data: bytes
    choices: Choices


# Valid files, each with a few variants.


def png(image: np.ndarray, kind: str = "PNG") -> bytes:
    """An image file of uint8 values."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, kind)
    return buffer.getvalue()


def announcing(image: bytes, width: int, height: int) -> bytes:
    """The same PNG with a sound header that announces another size."""
    header = b"IHDR" + struct.pack(">II", width, height) + image[24:29]
    return image[:12] + header + struct.pack(">I", zlib.crc32(header)) + image[33:]


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive of these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for path, content in members.items():
            archive.writestr(zipfile.ZipInfo(path), content, method)
    return buffer.getvalue()


def npy(array: np.ndarray, *, objects: bool = False) -> bytes:
    """A .npy file; objects: with a pickle inside."""
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, allow_pickle=objects)
    return buffer.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    """A compressed .npz file."""
    return zipped({f"{name}.npy": npy(array) for name, array in arrays.items()})


def parquet(columns: dict, **options) -> bytes:
    """A Parquet file of these columns."""
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, **options)
    return buffer.getvalue()


def csv(columns: dict, separator: str = ",") -> bytes:
    """A CSV file of these columns."""
    rows = zip(*columns.values(), strict=True)
    return "\n".join(separator.join(map(str, row)) for row in [tuple(columns), *rows]).encode()


def _columns(rng: np.random.Generator, n: int = 12) -> dict:
    probs = rng.dirichlet(np.ones(2), n)
    return {
        "id": [f"p{i}" for i in range(n)],
        "label": [("cat", "dog")[i % 2] for i in range(n)],
        "split": [("train", "test")[i % 3 == 0] for i in range(n)],
        **{f"f{j}": rng.normal(size=n).round(3).tolist() for j in range(4)},
        "prob_cat": probs[:, 0].tolist(),
        "prob_dog": probs[:, 1].tolist(),
    }


def _valid_zip(rng: np.random.Generator) -> bytes:
    kinds = (("png", "PNG"), ("jpg", "JPEG"), ("webp", "WEBP"), ("bmp", "BMP"))
    members = {}
    for i in range(8):
        suffix, kind = kinds[i % 4]
        shape = (8 + i, 9, 3) if i % 3 == 0 else (8 + i, 9)
        members[f"data/{('cats', 'dogs')[i % 2]}/{i}.{suffix}"] = png(
            rng.integers(0, 256, shape, np.uint8), kind
        )
    return zipped(members)


def _valid_npz(rng: np.random.Generator) -> bytes:
    labels, ids = np.arange(10) % 2, np.array([f"p{i}" for i in range(10)])
    return npz(
        images=rng.integers(0, 256, (10, 6, 5), np.uint8), labels=labels, ids=ids, test=labels == 1
    )


def _valid_parquet(rng: np.random.Generator) -> bytes:
    lists = {
        "id": list(range(12)),
        "embedding": rng.normal(size=(12, 5)).tolist(),
        "class": [i % 3 for i in range(12)],
    }
    return parquet(
        lists if rng.random() < 0.5 else _columns(rng),
        compression=str(rng.choice(["snappy", "zstd", "none", "gzip"])),
    )


@cache
def valid(kind: str, variant: int) -> bytes:
    """One of a few valid files of a kind."""
    rng = np.random.default_rng(variant)
    return {
        "zip": lambda: _valid_zip(rng),
        "npz": lambda: _valid_npz(rng),
        "npy": lambda: npy(rng.normal(size=(10, 4))),
        "parquet": lambda: _valid_parquet(rng),
        "csv": lambda: csv(_columns(rng), ",;\t"[variant % 3]),
    }[kind]()


# Mutators of bytes: (bytes, source of randomness) -> bytes.


def truncated(data: bytes, rng: random.Random) -> bytes:
    """Cut off at some place."""
    return data[: rng.randrange(len(data) + 1)]


def flipped(data: bytes, rng: random.Random) -> bytes:
    """A few bits changed."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 12) if data else 0):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def overwritten(data: bytes, rng: random.Random) -> bytes:
    """A stretch replaced by zeros, by ones, or by noise: lengths and counts become huge."""
    start, length = rng.randrange(len(data) + 1), rng.randint(1, 8)
    filler = rng.choice([bytes(length), b"\xff" * length, rng.randbytes(length)])
    return data[:start] + filler + data[start + length :]


def inserted(data: bytes, rng: random.Random) -> bytes:
    """Some bytes put in, or a stretch repeated."""
    at = rng.randrange(len(data) + 1)
    return (
        data[:at]
        + rng.choice(
            [rng.randbytes(5), data[at // 2 : at], b"\0", b"\n", b'"', b",,,", b"PK\x01\x02"]
        )
        + data[at:]
    )


def spliced(data: bytes, rng: random.Random) -> bytes:
    """The beginning of one file and the end of another."""
    other = valid(rng.choice(["zip", "npz", "npy", "parquet", "csv"]), rng.randrange(4))
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other)) :]


def as_it_is(data: bytes, rng: random.Random) -> bytes:
    """No change."""
    return data


BYTE_MUTATORS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    truncated,
    flipped,
    overwritten,
    inserted,
    spliced,
    as_it_is,
)


# Whole malicious files: (source of randomness) -> bytes.


def announced_npy(rng: random.Random) -> bytes:
    """A header that announces any shape and type before a few bytes."""
    kind, shape = rng.choice((*TYPES, *TYPES[:3])), rng.choice(SHAPES)
    kind = kind if kind.startswith("[") else repr(kind)
    text = (
        f"{{'descr': {kind}, 'fortran_order': {rng.choice(['True', 'False', '1'])}, 'shape':"
        f" {shape}}}"
    )
    text = rng.choice(
        [text] * 12 + [text + " " * 20_000, "(" * 5_000, "{'descr': " * 200, "__import__('os')"]
    )
    version = rng.choice([b"\1\0"] * 8 + [b"\2\0", b"\3\0", b"\x09\0"])
    length = struct.pack("<H" if version == b"\1\0" else "<I", len(text) % 65_536)
    return (
        b"\x93NUMPY"
        + version
        + length
        + text.encode()
        + rng.randbytes(rng.choice([0, 2, 4, 16, 16, 99]))
    )


def pickled_npy(rng: random.Random) -> bytes:
    """Objects, which NumPy stores as a pickle."""
    objects = npy(np.array([{"a": 1}, print], dtype=object), objects=True)
    return rng.choice(
        [
            objects,
            zipped({"images.npy": objects}),
            zipped({"x.npy": npy(np.full((2, 3), 0.5)), "labels.npy": objects}),
        ]
    )


def odd_npz(rng: random.Random) -> bytes:
    """Arrays that do not fit together."""
    gen = np.random.default_rng(rng.randrange(100))

    def some(kind: str) -> np.ndarray:
        shape = rng.choice([(5,), (4,), (5, 1), (5, 3), (0,), (5, 2, 2)])
        values = {
            "f": gen.normal(size=shape),
            "i": gen.integers(-2, 3, shape),
            "b": gen.integers(0, 2, shape, bool),
        }
        return values.get(kind, gen.integers(0, 3, shape).astype("U"))

    images = gen.integers(0, 256, rng.choice(STACKS), np.uint8)
    features = [
        gen.normal(size=(5, 3)),
        np.full((5, 3), np.nan),
        np.full((5, 2), 1e300),
        gen.normal(size=(5,)),
        np.full((5, 5), np.inf),
    ]
    main = rng.choice(
        [
            {"images": images},
            {"x": rng.choice(features)},
            {"images": gen.random((5, 4, 4))},
            {"other": np.eye(2)},
        ]
    )
    beside = {
        name: some(rng.choice("fibu"))
        for name in ("labels", "ids", "probs", "test")
        if rng.random() < 0.6
    }
    return npz(**main, **beside)


def odd_zip(rng: random.Random) -> bytes:
    """Paths that lead out, links, archives inside, members of one name, images that announce what
    they are not.
    """
    image = png(np.arange(64, dtype=np.uint8).reshape(8, 8))
    huge = announcing(
        image, rng.choice([1, 8, 60_000, 2**31 - 1]), rng.choice([0, 9, 60_000, 2**31 - 1])
    )
    buffer = io.BytesIO()
    with (
        warnings.catch_warnings(action="ignore"),
        zipfile.ZipFile(buffer, "w", rng.choice([0, 8, 8, 12, 14])) as archive,
    ):
        for i in range(rng.randrange(8)):
            archive.writestr(rng.choice(EVIL_PATHS) or f"é{i}", image)
            archive.writestr(
                f"{rng.choice(['a', 'b', 'train/a', 'test/b'])}/{i}.png",
                rng.choice([image, huge, flipped(image, rng), b"", image[:40]]),
            )
        link = zipfile.ZipInfo("a/link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, b"/etc/passwd")
        if rng.random() < 0.5:
            archive.writestr("inner.zip", valid("zip", 0))
            archive.writestr("__MACOSX/a.png", b"x")
    return buffer.getvalue()


def bursting_zip(rng: random.Random) -> bytes:
    """Few bytes that unpack to many, announced or not."""
    data = _bomb(rng.choice(["a/1.png", "images.npy", "x.npy"]))
    if rng.random() < 0.5:  # the directory claims that it is small
        at = data.rindex(b"PK\x01\x02") + 24
        data = (
            data[:at]
            + struct.pack("<I", rng.choice([0, 10, 4_000_000, 2**32 - 1]))
            + data[at + 4 :]
        )
    return data


@cache
def _bomb(path: str) -> bytes:
    header = (
        npy(np.zeros((5, 4), np.uint8))[:-20] if path.endswith(".npy") else b"\x89PNG\r\n\x1a\n"
    )
    return zipped({path: header + bytes(6_000_000)})


def absurd_csv(rng: random.Random) -> bytes:
    """Text that is hardly a table."""
    return rng.choice(ABSURD)


def odd_csv(rng: random.Random) -> bytes:
    """A table in which single cells are wrong."""
    columns = {
        name: list(map(str, values))
        for name, values in _columns(np.random.default_rng(rng.randrange(50))).items()
    }
    for _ in range(rng.randrange(1, 8)):
        column = columns[rng.choice(list(columns))]
        column[rng.randrange(len(column))] = rng.choice(
            [
                "nan",
                "inf",
                "",
                "1e300",
                "p0",
                "é",
                "1,5",
                '"',
                "-1",
                "=1+1",
                "x" * 300,
                "\r",
                "2020-01-01",
            ]
        )
    return csv(columns)


def odd_parquet(rng: random.Random) -> bytes:
    """Columns of every type, lists of different lengths, missing values, and few bytes that hold
    many values.
    """
    gen, n = np.random.default_rng(rng.randrange(100)), rng.choice([0, 1, 7])
    columns = {
        "x": gen.normal(size=n),
        "d": pa.array([None] * n, pa.date32()),
        "s": pa.array([{"a": 1}] * n, pa.struct([("a", pa.int64())])),
        "embedding": pa.array(
            [[1.0] * rng.choice([2, 2, 3]) if rng.random() < 0.9 else None for _ in range(n)],
            pa.list_(pa.float32()),
        ),
        "fixed": pa.array([[1, rng.choice([2, 2, None])]] * n, pa.list_(pa.int16(), 2)),
        "label": pa.array(
            [rng.choice([None, 1.0, 2.0, 2.5, float("nan")]) for _ in range(n)], pa.float64()
        ),
        "class": (
            pa.array([rng.choice(["a", "b"]) for _ in range(n)], pa.string()).dictionary_encode()
        ),
        "id": [rng.choice([None, b"\xff", b"a", b"b", b"c"]) for _ in range(n)],
        "split": pa.array(
            [rng.choice(["train", "test", None, "?"]) for _ in range(n)], pa.string()
        ),
        "n": pa.nulls(n),
        "p_1": pa.array([rng.random()] * n, pa.float64()),
        "p_2": pa.array([0.5] * n, pa.float16()),
        "money": pa.array([None] * n, pa.decimal128(10, 2)),
        "text": pa.array(["x" * 5_000] * n, pa.string()),
        "b": pa.array([True] * n, pa.bool_()),
        "i": pa.array([2**63 - 1] * n, pa.int64()),
    }
    chosen = {name: columns[name] for name in columns if rng.random() < 0.5} or {"x": columns["x"]}
    many = {"embedding": pa.array([np.zeros(600_000)], pa.list_(pa.float64())), "id": ["a"]}
    return parquet(
        rng.choice([chosen, chosen, chosen, many]),
        use_dictionary=rng.random() < 0.5,
        compression=rng.choice(["zstd", "snappy", "none"]),
    )


def odd_image_table(rng: random.Random) -> bytes:
    """Images in a column of Parquet, some of them broken or missing, with any metadata."""
    gen, n = np.random.default_rng(rng.randrange(100)), rng.choice([1, 5])
    image = png(gen.integers(0, 256, (8, 8), np.uint8))
    huge = announcing(image, 60_000, 60_000)
    content = [rng.choice([image, image, image[:40], huge, b"", None]) for _ in range(n)]
    structs = [rng.choice([{"bytes": c, "path": "a.png"}, {"bytes": c}, None]) for c in content]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    shape = rng.choice([(n, 4, 4), (n, 3, 4, 4), (n, 4, 4, 2), (n, 1, 1), (n, 4)])
    values = gen.normal(size=shape).astype(rng.choice([np.float32, np.int64, np.uint8]))
    columns = {
        "image": rng.choice(
            [
                pa.array(structs, kind),
                pa.array(content, pa.binary()),
                pa.FixedShapeTensorArray.from_numpy_ndarray(values),
            ]
        ),
        "label": [rng.choice([0, 1, -1, 99, None]) for _ in range(n)],
        "split": [rng.choice(["train", "test", "?"]) for _ in range(n)],
    }
    names = rng.choice([["a", "b"], [], [1, None], "ab", {"0": "a"}])
    meta = json.dumps({"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}})
    table = pa.table(columns).replace_schema_metadata(
        {b"huggingface": rng.choice([meta.encode(), b"{", b"[" * 9_000])}
    )
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def odd_folders(rng: random.Random) -> bytes:
    """Folders that speak of parts and masks, and tables that name images or something else."""
    words = ("train", "test_set", "val", "unlabeled", "masks", "images", "a  b", "ä", "x" * 300, "")
    image = png(np.arange(64, dtype=np.uint8).reshape(8, 8))
    paths = [
        "/".join(filter(None, [*rng.choices(words, k=rng.randrange(4)), f"{i}.png"]))
        for i in range(rng.randrange(1, 9))
    ]
    table = {
        rng.choice(["file_name", "id", "x"]): [rng.choice([p, p[::-1], "", "0"]) for p in paths],
        rng.choice(["label", "y", "split"]): [rng.choice("ab1") for _ in paths],
    }
    tables = {
        "m.csv": csv(table),
        "train.txt": rng.randbytes(50),
        "m.parquet": odd_parquet(rng),
        "m.jsonl": rng.choice([b"[]\n3", b"{", b"[" * 9_000, b'{"a": [1]}\n{"b": {}}']),
        "train-00001-of-00002.parquet": valid("parquet", 1),
        "train-00002-of-00002.parquet": odd_parquet(rng),
    }
    chosen = {name: data for name, data in tables.items() if rng.random() < 0.3}
    return zipped((dict.fromkeys(paths, image) if rng.random() < 0.7 else {}) | chosen)


def packed(rng: random.Random) -> bytes:
    """A file inside a gzip, perhaps twice, or one that unpacks to many bytes."""
    kind = rng.choice(["zip", "npz", "npy", "parquet", "csv"])
    data = rng.choice([valid(kind, rng.randrange(4)), bytes(3_000_000), b""])
    for _ in range(rng.choice([1, 1, 2])):
        data = gzip.compress(data, mtime=0)
    return data


WHOLE: tuple[Callable[[random.Random], bytes], ...] = (
    announced_npy,
    pickled_npy,
    odd_npz,
    odd_zip,
    bursting_zip,
    absurd_csv,
    odd_csv,
    odd_parquet,
    odd_image_table,
    odd_folders,
    packed,
)


@st.composite
def uploads(draw: st.DrawFn) -> Upload:
    """An upload: a valid file through up to three mutators of its bytes, or a malicious one,
    perhaps mutated as well.
    """
    kind = draw(st.sampled_from(("zip", "npz", "npy", "parquet", "csv", *WHOLE)))
    rng = random.Random(draw(st.integers(0, 2**32)))
    data = valid(kind, rng.randrange(4)) if isinstance(kind, str) else kind(rng)
    mutators = (
        draw(st.lists(st.sampled_from(BYTE_MUTATORS), max_size=3))
        if isinstance(kind, str) or rng.random() < 0.3
        else []
    )
    for mutate in mutators:
        data = mutate(data, rng)
    names = [
        kind if isinstance(kind, str) else kind.__name__,
        *(mutate.__name__ for mutate in mutators),
    ]
    suffix = f".{kind}" if isinstance(kind, str) and rng.random() < 0.7 else rng.choice(SUFFIXES)
    choices = Choices(
        side=rng.choice([None] * 9 + [16, 32, 0, 10**6]),
        label=rng.choice([None] * 9 + ["", "f0", "label", "nothing"]),
        id=rng.choice([None] * 9 + ["", "id", "f1"]),
        target=rng.choice([None] * 9 + ["f0", "label", "nothing"]),
        roles=rng.choice([()] * 9 + [(("f2", rng.choice(ROLES)), ("f3", rng.choice(ROLES)))]),
        header=rng.choice([None] * 5 + [True, False]),
        gaps=rng.choice([None] * 3 + [*GAPS]),
        marks_are_classes=rng.random() < 0.3,
    )
    return Upload(" ".join(names), f"upload{suffix}", data, choices)


# Links.

NUMBERS = (
    "",
    "0",
    "-1",
    "1",
    "nan",
    "inf",
    "-inf",
    "1e999",
    "1" * 400,
    "0x10",
    "1.5",
    " 5 ",
    "5_0",
    "\uff15",
    "9" * 20,
)
NAMES = (
    "mnist",
    "letter",
    "own_0123456789abcdef",
    "joined_0123456789abcdef",
    "random",
    "../../etc/passwd",
    "<script>",
    "\0",
    "é",
    "[]",
    "{}",
)
LISTS = (
    ",,,,",
    "a,b",
    "a:b=c",
    "badge,badge",
    "leverage:ridge=nan",
    "bait:backward=False:backward=True",
    ":",
    "=",
    "true",
    "None",
)
VALUES = NUMBERS + NAMES + LISTS
MADE_UP = {"e.k", "s.ridge", "e.", "s.", "n", "subset", "draw", "seed", "k"}


@cache
def valid_links() -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """(kind of page, parameters) of links that mean something."""
    plans = [*presets.RETRAININGS, *presets.ACTIVE, *presets.SIMULATIONS, *presets.INFLUENCE]
    specs = [
        Spec(),
        Spec().with_(
            dataset="digits", n=100, embedding="random_relu", seed=3, strategy="k_dpp", draw=2
        ),
    ]
    return tuple((plan.kind, tuple(plan.to_query().items())) for plan in plans) + tuple(
        ("", tuple(spec.to_query().items())) for spec in specs
    )


@st.composite
def links(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    """The parameters of a link, some of them changed, dropped, renamed or made up."""
    kind, parameters = draw(st.sampled_from(valid_links()))
    query = dict(parameters)
    known = sorted(
        {name for _, other in valid_links() for name, _ in other}
        | {"e.k", "s.ridge", "e.", "s.", "n", "subset", "draw", "seed", "k"}
    )
    for name in draw(st.lists(st.sampled_from(known) | st.text(max_size=5), max_size=5)):
        query[name] = draw(st.sampled_from(VALUES) | st.text(max_size=12))
    for name in draw(st.lists(st.sampled_from(sorted(query)), max_size=2)) if query else []:
        query.pop(name, None)
    return draw(st.sampled_from((kind, kind, *KINDS, ""))), query


# What must hold.


def assert_sound(draft: Draft, limits: Limits) -> None:
    """The invariants of a draft."""
    n = len(draft.points)
    assert (
        1 <= n <= limits.rows
        and draft.points[0].size <= limits.columns
        and draft.points.size <= limits.values
    )
    if draft.kind == "images":
        assert (
            draft.points.dtype == np.uint8
            and draft.points.ndim in (3, 4)
            and draft.points.shape[3:] in ((), (3,))
        )
        assert len(draft.sides) == 2
    else:
        assert draft.kind == "table" and draft.points.ndim == 2
        assert draft.points.dtype in (np.float32, np.float64)
        assert np.isfinite(draft.points).all() and len(draft.feature_names) == draft.points.shape[1]
        assert len(set(draft.feature_names)) == len(draft.feature_names)
    assert (
        draft.labels.shape == (n,)
        and draft.labels.dtype == np.int64
        and draft.test.shape == (n,)
        and draft.test.dtype == bool
    )
    c = len(draft.class_names)
    assert c != 1 and c <= limits.classes and len(set(draft.class_names)) == c
    assert -1 <= draft.labels.min() <= draft.labels.max() < max(c, 0)
    assert (np.bincount(draft.labels[draft.labels >= 0], minlength=c) > 0).all()
    assert all(role.role in ROLES and role.why for role in draft.roles)
    assert all(len(values) == n for values in draft.shown.values())
    if draft.ids is not None:
        assert (
            draft.ids.shape == (n,)
            and draft.ids.dtype.kind == "U"
            and len(set(draft.ids)) == n
            and "" not in draft.ids
        )
    if draft.probs is not None:
        assert (
            draft.probs.shape == (n, c or draft.probs.shape[1]) and draft.probs.dtype == np.float32
        )
        assert (draft.probs >= 0).all() and np.abs(draft.probs.sum(1) - 1).max() <= 1.01e-3
    if draft.target is not None:
        assert draft.target.dtype == np.float64 and len(draft.target) == n
        assert draft.target.ndim in (1, 2) and np.isfinite(draft.target).all()
    assert not draft.test.all() and draft.left_out >= 0
    assert all(
        fault.what and fault.mend and len(str(fault)) < 600 and str(fault).isprintable()
        for fault in draft.faults
    )


def assert_plain(message: str) -> None:
    """What every message to the user must be: there, short, on one line, and not a traceback."""
    assert (
        message
        and len(message) < 1_500
        and message.isprintable()
        and "Traceback" not in message
        and "object at 0x" not in message
    )
