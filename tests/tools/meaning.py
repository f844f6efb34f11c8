"""The same data written in many ways: transformations of a clean table and of a clean folder of
images that must not change what is read.

written(seed) -> Case(how it was written, file name, bytes, kind)
differences(case) -> what was read otherwise than it was meant, "" if nothing
"""

from __future__ import annotations

import gzip
import io
import random
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.data.imports import read
from core.data.imports.draft import Draft
from core.strategies.leverage import leverage
from core.types import UserError
from tests.tools.own_data import png

N = 24
FEATURES = ("width", "height", "weight", "age")
PARTS = (
    ("train", "test"),
    ("Train", "Test"),
    ("training", "validation"),
    ("train", "val"),
    ("train", "dev"),
)
FOLDERS = (*PARTS[:3], ("training_set", "test_set"), ("seg_train", "seg_test"), ("train", "dev"))


@dataclass(frozen=True)
class Case:
    """A file. how: what was done to the clean data, in order."""

    how: str
    name: str
    content: bytes
    kind: str


def clean_table() -> pd.DataFrame:
    """24 named rows of four measured columns in two classes, a quarter of them for testing."""
    rng = np.random.default_rng(5)
    table = pd.DataFrame(rng.standard_normal((N, 4)).round(4), columns=list(FEATURES))
    table.insert(0, "id", [f"p{7 * i % N:02}" for i in range(N)])
    table["label"] = [("cat", "dog")[i % 3 == 0] for i in range(N)]
    table["split"] = ["test" if i % 4 == 0 else "train" for i in range(N)]
    return table


def clean_images() -> dict[str, np.ndarray]:
    """Class and name -> a grey image, 16 of them."""
    rng = np.random.default_rng(6)
    return {
        f"{('cat', 'dog')[i % 2]}/{i:02}": rng.integers(0, 256, (8, 8)).astype(np.uint8)
        for i in range(16)
    }


def written(seed: int) -> Case:
    """The clean data in one of the many ways."""
    rng = random.Random(seed)
    return _table_case(rng) if rng.random() < 0.6 else _image_case(rng)


def differences(case: Case) -> str:
    """What is read otherwise than it was meant; a refusal is one, too."""
    try:
        draft = read(case.content, case.name)
    except UserError as error:
        return f"refused: {error}"
    if draft.fatal:
        return f"fatal: {draft.fatal[0]}"
    return (_table_differs if case.kind == "table" else _images_differ)(draft)


def _table_case(rng: random.Random) -> Case:
    table = clean_table()
    how = []
    for change in (_rows, _columns, _part_words, _index, _words_beside, _id_name):
        if rng.random() < 0.5:
            table, said = change(table, rng)
            how.append(said)
    write = rng.choice((_csv, _csv, _csv, _parquet))
    content, name, said = write(table, rng)
    return Case(", ".join([*how, *said]), name, content, "table")


def _rows(table: pd.DataFrame, rng: random.Random) -> tuple[pd.DataFrame, str]:
    return table.sample(frac=1, random_state=rng.randrange(999)).reset_index(drop=True), "rows"


def _columns(table: pd.DataFrame, rng: random.Random) -> tuple[pd.DataFrame, str]:
    names = list(table.columns)
    rng.shuffle(names)
    return table[names], "columns"


def _part_words(table: pd.DataFrame, rng: random.Random) -> tuple[pd.DataFrame, str]:
    tested = table["split"] == "test"
    name = rng.choice(["split", "subset", "Split", "is_test", "is_train"])
    place = list(table.columns).index("split")
    table = table.drop(columns="split")
    if name.startswith("is_"):
        truth = tested if name == "is_test" else ~tested
        table.insert(place, name, truth if rng.random() < 0.5 else truth.astype(int))
        return table, name
    train, test = rng.choice(PARTS)
    table.insert(place, name, np.where(tested, test, train))
    return table, f"{name}: {train}, {test}"


def _index(table: pd.DataFrame, rng: random.Random) -> tuple[pd.DataFrame, str]:
    name = rng.choice(["index", "Unnamed: 0", "row_number"])
    table = table.copy()
    table.insert(0, name, np.arange(N) + rng.choice([0, 1]))
    return table, f"column {name}"


def _words_beside(table: pd.DataFrame, rng: random.Random) -> tuple[pd.DataFrame, str]:
    table = table.copy()
    table["note"] = [rng.choice(["red", "green", ""]) for _ in range(N)]
    table["label_id"] = (table["label"] == "dog").astype(int)
    return table, "a note and a copy of the label"


def _id_name(table: pd.DataFrame, rng: random.Random) -> tuple[pd.DataFrame, str]:
    name = rng.choice(["ID", "sample_id", "image_id", "filename", "key"])
    return table.rename(columns={"id": name}), f"ids called {name}"


def _csv(table: pd.DataFrame, rng: random.Random) -> tuple[bytes, str, list[str]]:
    separator = rng.choice([",", ";", "\t", "|"])
    comma = separator != "," and rng.random() < 0.4
    quoted = rng.random() < 0.3
    how = [f"separated by {separator!r}", *["decimal commas"] * comma, *["quoted"] * quoted]
    text = table.to_csv(
        index=False,
        sep=separator,
        decimal="," if comma else ".",
        quoting=1 if quoted else 0,
        lineterminator=rng.choice(["\n", "\r\n"]),
    )
    if rng.random() < 0.2:
        text = f"sep={separator}\n{text}"
        how.append("sep=")
    if rng.random() < 0.2:
        text = f"# measured by hand\n\n{text}"
        how.append("a comment")
    coding = rng.choice(["utf-8", "utf-8-sig", "utf-16"])
    return *_packed(text.encode(coding), "t.csv", rng), [*how, coding]


def _packed(content: bytes, name: str, rng: random.Random) -> tuple[bytes, str]:
    how = rng.choice(["plain", "plain", "gzip", "zip"])
    if how == "gzip":
        return gzip.compress(content), f"{name}.gz"
    if how == "zip":
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"data/{name}", content)
        return packed.getvalue(), f"{name}.zip"
    return content, name


def _parquet(table: pd.DataFrame, rng: random.Random) -> tuple[bytes, str, list[str]]:
    how = ["Parquet"]
    ids = [c for c in table.columns if c.lower() in ("id", "sample_id", "image_id")]
    if ids and rng.random() < 0.4:
        table = table.set_index(ids[0])
        how.append("ids as pandas' index")
    if rng.random() < 0.4:
        table = table.assign(label=table["label"].astype("category"))
        how.append("categories")
    if rng.random() < 0.3:
        table = table.astype(dict.fromkeys(FEATURES, "float32"))
        how.append("float32")
    content = io.BytesIO()
    table.to_parquet(content, compression=rng.choice(["snappy", "zstd", "gzip", None]))
    return content.getvalue(), "t.parquet", how


def _table_differs(draft: Draft) -> str:
    meant = clean_table().set_index("id")
    if draft.ids is None or sorted(draft.ids) != sorted(meant.index):
        return f"ids {None if draft.ids is None else draft.ids[:3]}"
    if sorted(draft.feature_names) != sorted(FEATURES):
        return f"features {draft.feature_names}"
    meant = meant.loc[draft.ids]
    found = [draft.class_names[label] if label >= 0 else "" for label in draft.labels]
    if found != meant["label"].tolist():
        return f"labels {draft.class_names} {draft.labels[:5]}"
    if draft.test.tolist() != (meant["split"] == "test").tolist():
        return f"test rows {draft.test.sum()}"
    wanted = leverage(meant[list(FEATURES)].to_numpy().astype(np.float32))
    off = np.abs(leverage(draft.points) - wanted).max()
    return "" if off < 1e-6 else f"scores differ by {off:.1e}"


def _image_case(rng: random.Random) -> Case:
    images = clean_images()
    names = list(images)
    parts = rng.choice([None, *FOLDERS])
    root = rng.choice(["", "pets/", "data/pets/", "./"])
    inner = rng.choice(["", "images/"]) if parts else ""
    suffix, kind = rng.choice([("png", "PNG"), ("PNG", "PNG"), ("bmp", "BMP")])
    rng.shuffle(names)
    paths = {name: _path(name, parts, root, inner, suffix) for name in names}
    how = [f"parts {parts}", f"root {root!r}", f"inner {inner!r}", suffix]
    encode: Callable[[np.ndarray], bytes] = png if kind == "PNG" else _bmp
    members = {paths[name]: encode(images[name]) for name in names}
    if rng.random() < 0.3:
        members = {path.replace("/", "\\"): content for path, content in members.items()}
        how.append("backslashes")
    if rng.random() < 0.3:
        members |= {"__MACOSX/._x.png": b"x", f"{root}.DS_Store": b"x", f"{root}readme.txt": b"hi"}
        how.append("clutter")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", rng.choice([0, 8])) as archive:
        for path, content in members.items():
            archive.writestr(zipfile.ZipInfo(path), content)
    return Case(
        ", ".join(how), "pets.zip", packed.getvalue(), "images with parts" if parts else "images"
    )


def _path(name: str, parts: tuple[str, str] | None, root: str, inner: str, suffix: str) -> str:
    group, number = name.split("/")
    if parts is None:
        return f"{root}{group}/{number}.{suffix}"
    return f"{root}{parts[_tested(number)]}/{group}/{inner}{number}.{suffix}"


def _tested(number: str) -> bool:
    return int(number) % 8 in (0, 1)


def _bmp(image: np.ndarray) -> bytes:
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(image).save(content, "BMP")
    return content.getvalue()


def _images_differ(draft: Draft) -> str:
    meant = {
        name.split("/")[1]: (name.split("/")[0], image) for name, image in clean_images().items()
    }
    if len(draft) != len(meant) or draft.ids is None:
        return f"{len(draft)} images, ids {draft.ids}"
    for i, called in enumerate(draft.ids):
        number = called.replace("\\", "/").rpartition("/")[2].partition(".")[0]
        group, image = meant[number]
        if draft.labels[i] < 0 or draft.class_names[draft.labels[i]] != group:
            return f"classes {draft.class_names}"
        if (draft.points[i] != image).any():
            return f"pixels of {called}"
    tested = {draft.ids[i].rpartition("/")[2][:2] for i in np.flatnonzero(draft.test)}
    wanted = {number for number in meant if _tested(number)}
    return "" if not tested or tested == wanted else f"test images {sorted(tested)}"
