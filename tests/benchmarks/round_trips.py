"""Files that other libraries write: does what they wrote come back as it was?

pip install -r requirements.txt scikit-learn datasets
python -m tests.benchmarks.round_trips

One line a trip: pandas, scikit-learn's own datasets, torchvision's ImageFolder, Hugging Face's
datasets. A library that is not installed is said.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from core.data.imports import read
from core.data.imports.draft import Draft
from core.types import UserError

Trip = tuple[str, bytes | Path, str, Callable[[Draft], bool]]


def pandas_trips() -> Iterator[Trip]:
    """A frame with an index of its own, in every format that pandas writes and we read."""
    import pandas as pd

    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.standard_normal((30, 3)), columns=list("abc"))
    frame["label"] = pd.Categorical(["x", "y", "z"] * 10)
    frame.index = pd.Index([f"p{i}" for i in rng.permutation(30)], name="sample_id")

    def whole(draft: Draft) -> bool:
        same = np.allclose(draft.points, frame[["a", "b", "c"]].to_numpy(), atol=1e-6)
        names = [draft.class_names[label] for label in draft.labels]
        return same and names == list(frame["label"]) and draft.ids.tolist() == list(frame.index)

    for how, content in {
        "to_csv": frame.to_csv().encode(),
        "to_csv, gzip": _packed(lambda path: frame.to_csv(path, compression="gzip")),
        "to_csv, zip": _packed(lambda path: frame.to_csv(path, compression="zip")),
        "to_csv, decimal commas": frame.to_csv(sep=";", decimal=",").encode(),
        "to_csv, UTF-16": frame.to_csv().encode("utf-16"),
        "to_parquet": _packed(frame.to_parquet),
        "to_parquet, reset_index": _packed(frame.reset_index().to_parquet),
    }.items():
        yield f"pandas {how}", content, "frame", whole


def sklearn_trips() -> Iterator[Trip]:
    """Its bundled tables: as frames, and their arrays in an .npz."""
    from sklearn import datasets

    for name in ("iris", "wine", "breast_cancer", "diabetes"):
        bunch = getattr(datasets, f"load_{name}")(as_frame=True)
        x, y = bunch.data.to_numpy(), bunch.target.to_numpy()

        def whole(draft: Draft, x=x, y=y) -> bool:
            if not np.allclose(draft.points, x, rtol=1e-6):
                return False
            if len(np.unique(y)) > 10:
                return draft.target is not None and np.allclose(draft.target, y)
            return draft.labels.tolist() == y.tolist()

        frame = bunch.frame
        yield f"scikit-learn {name}, CSV", frame.to_csv(index=False).encode(), "t", whole
        yield f"scikit-learn {name}, Parquet", _packed(frame.to_parquet), "t", whole
    digits = datasets.load_digits()
    content = io.BytesIO()
    np.savez(content, images=digits.images.astype(np.uint8), target=digits.target)
    yield (
        "scikit-learn digits, .npz",
        content.getvalue(),
        "digits.npz",
        lambda draft: draft.labels.tolist() == digits.target.tolist() and len(draft) == 1797,
    )


def image_folder_trips() -> Iterator[Trip]:
    """A folder that torchvision's ImageFolder reads: the same classes and images in its order."""
    from PIL import Image
    from torchvision.datasets import ImageFolder

    with tempfile.TemporaryDirectory() as folder:
        rng = np.random.default_rng(0)
        for name in ("ant", "bee", "cat"):
            home = Path(folder, "pets", name)
            home.mkdir(parents=True)
            for i in range(4):
                pixels = rng.integers(0, 256, (12, 10, 3)).astype(np.uint8)
                Image.fromarray(pixels).save(home / f"{i}.png")
        theirs = ImageFolder(str(Path(folder, "pets")))

        def whole(draft: Draft) -> bool:
            pixels = [np.asarray(image) for image, _ in theirs]
            same = all((a == b).all() for a, b in zip(draft.points, pixels, strict=True))
            labels = draft.labels.tolist() == [label for _, label in theirs]
            return same and labels and list(draft.class_names) == theirs.classes

        yield "torchvision ImageFolder", Path(folder, "pets"), "pets", whole


def hugging_face_trips() -> Iterator[Trip]:
    """Images with class names, and embeddings as lists, as its datasets library writes them."""
    import datasets as hf
    from PIL import Image

    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (6, 9, 9)).astype(np.uint8)
    features = hf.Features({"image": hf.Image(), "label": hf.ClassLabel(names=["cat", "dog"])})
    rows = {"image": [Image.fromarray(image) for image in pixels], "label": [0, 1, 1, 0, 1, 0]}
    images = hf.Dataset.from_dict(rows, features=features)

    def whole(draft: Draft) -> bool:
        same = (draft.points == pixels).all() and draft.class_names == ("cat", "dog")
        return bool(same) and draft.labels.tolist() == rows["label"]

    yield "Hugging Face images, Parquet", _packed(images.to_parquet), "train.parquet", whole
    vectors = rng.standard_normal((8, 5)).astype(np.float32)
    table = hf.Dataset.from_dict(
        {"id": [f"p{i}" for i in range(8)], "embedding": vectors.tolist(), "text": ["a b"] * 8}
    )

    def same(draft: Draft) -> bool:
        return np.allclose(draft.points, vectors) and draft.ids.tolist() == list(table["id"])

    yield "Hugging Face embeddings, Parquet", _packed(table.to_parquet), "t.parquet", same
    yield "Hugging Face embeddings, CSV", _packed(table.to_csv), "t.csv", same


def _packed(write: Callable) -> bytes:
    """What a function writes to the path that it is given."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "written.csv")
        write(str(path))
        return path.read_bytes()


def _outcome(source: bytes | Path, name: str, whole: Callable[[Draft], bool]) -> str:
    """ "" if it came back as it was, else what became of it."""
    try:
        return "" if whole(read(source, name)) else "CHANGED"
    except UserError as error:
        return f"REFUSED ({error})"


def main() -> None:
    """Prints each trip, and ends with an error if one changed anything."""
    wrong = 0
    for trips in (pandas_trips, sklearn_trips, image_folder_trips, hugging_face_trips):
        try:
            for name, source, called, whole in trips():
                found = _outcome(source, called, whole)
                wrong += bool(found)
                print(f"{found or 'as it was'}: {name}")
        except ImportError as error:
            print(f"not tried: {trips.__name__} ({error})")
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
