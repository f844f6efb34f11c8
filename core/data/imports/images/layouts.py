"""What do folders say of the images in them: which class, which part, and which are masks?

    cats/1.png, dogs/2.png                   the class is the folder
    data/train/cats/1.png, data/test/...     a folder that all share is passed over; parts say which
                                             rows are test rows
    bottle/train/good/1.png, .../ground_truth/...    masks and ground truth are set aside

A part is told by a word among the pieces of a folder's name (train, training_set, seg_train,
train2017; val, dev, test; unlabeled), at any depth, and above or below the classes. It is a part
only where that makes sense: every image has one, or there are parts of two kinds that are named
alike or hold the same classes. Otherwise it is a class, and a fault says so. Folders called images
are passed over below parts; a folder inside a class folder belongs to the class. What lies in no
class folder is unlabeled.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from core.data.imports.draft import Fault
from core.data.imports.usual_names import TEST, TRAIN, UNLABELED
from core.data.imports.wording import some
from core.types import Bools

Path = tuple[str, ...]
KINDS = dict.fromkeys(TRAIN, "train") | dict.fromkeys(TEST, "test")
KINDS |= dict.fromkeys(UNLABELED, "unlabeled")
PLAIN = ("train", "training", "test", "testing", "val", "valid", "validation")
CONTAINERS = ("image", "images", "img", "imgs", "pictures", "photos", "jpegimages")
COMPANIONS = (*CONTAINERS, "set", "sets", "data", "dataset", "split", "part", "folder", "samples")
NUMBERED = ("part", "parts", "batch", "chunk", "shard", "volume")
MASKS = ("mask", "masks", "annotation", "annotations", "segmentation", "segmentations", "label")
MASKS = (*MASKS, "labels", "trimap", "trimaps", "gt", "groundtruth")
MASK_FILE = re.compile(r"(.+?)[ _-]+(?:mask|gt|seg|segmentation|ground_?truth)(?:[ _-]?\d+)?")
GLUED = re.compile(f"({'|'.join(sorted(KINDS, key=len, reverse=True))})(?:set|data|images?|val)")
DEPTH = 20  # folders that are looked at


@dataclass(frozen=True)
class Layout:
    """One entry per path. classes: "" where none is known. kept: False for masks. unlabeled: does a
    folder say that there is no label?
    """

    classes: list[str]
    test: Bools
    kept: Bools
    unlabeled: Bools


@lru_cache(4096)
def pieces(name: str) -> tuple[str, ...]:
    """The words and numbers of a name, in small letters: trainSet_2017 is train, set, 2017."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    found = re.findall(r"[^\W\d_]+|\d+", apart.lower())
    return tuple(
        glued[1] if (glued := GLUED.fullmatch(piece)) and piece not in KINDS else piece
        for piece in found
    )


@lru_cache(4096)
def part_of(name: str) -> str:
    """ "train", "test" or "unlabeled", if a folder's name or a file's speaks of one; else ""."""
    kinds = {KINDS[piece] for piece in pieces(name) if piece in KINDS}
    if kinds == {"train", "test"} and not {"test", "testing"} & {*pieces(name)}:
        return "train"  # train and validation together
    return kinds.pop() if len(kinds) == 1 else ""


def layout(paths: list[Path], faults: list[Fault]) -> Layout:
    """What the folders of these paths, each with the file's name at its end, say."""
    kept = np.array([not aside for aside in _masks(paths, faults)])
    rest = [path for path, keep in zip(paths, kept, strict=True) if keep]
    folders = _without_shared([path[:-1][:DEPTH] for path in rest])
    at = _part_levels(folders)
    if at is None:
        found = [folder[0] if folder else "" for folder in folders]
        found = _without_numbered(found, faults)
        kinds = ["unlabeled" if is_unlabeled(name) else "" for name in found]
        _note_no_parts(found, faults)
        _note_inner(folders, faults)
        _note_unlabeled(kinds.count("unlabeled"), faults)
    else:
        kinds = [
            part_of(folder[i]) if i >= 0 else "" for folder, i in zip(folders, at, strict=True)
        ]
        found = _classes_of_parts(folders, at, faults)
        _note_parts(rest, folders, at, faults)
    found = [
        "" if kind == "unlabeled" else unicodedata.normalize("NFC", name)
        for name, kind in zip(found, kinds, strict=True)
    ]
    classes = np.full(len(paths), "", object)
    classes[kept] = found
    test = np.zeros(len(paths), bool)
    test[kept] = [kind == "test" for kind in kinds]
    unlabeled = np.zeros(len(paths), bool)
    unlabeled[kept] = [kind == "unlabeled" for kind in kinds]
    return Layout(classes.tolist(), test, kept, unlabeled)


def _note_inner(folders: list[Path], faults: list[Fault]) -> None:
    """Folders in several class folders, or several in one, could be the classes as well."""
    inner = {folder[:2] for folder in folders if len(folder) > 1 and not is_container(folder[1])}
    names = sorted({name for _, name in inner})
    outer = sorted({name for name, _ in inner})
    if len(names) > 1 and len(inner) > len(outer):
        what = f"Folders in folders: {some(names)} in {some(outer)}."
        mend = "The outer ones are the classes. Put the inner ones outside to have them as classes."
        faults.append(Fault(what, mend))


def _without_numbered(found: list[str], faults: list[Fault]) -> list[str]:
    """Folders that differ in their numbers only, and are called a part or a batch, say no class."""
    named = {*found} - {""}
    bare = {tuple(piece for piece in pieces(name) if not piece.isdigit()) for name in named}
    if len(named) < 2 or len(bare) > 1 or not {*next(iter(bare), ())} & {*NUMBERED}:
        return found
    what = f"Folders that only count: {some(sorted(named))}."
    mend = "They are no classes. Call them otherwise if they are: by words, or without part."
    faults.append(Fault(what, mend))
    return [""] * len(found)


def is_unlabeled(name: str) -> bool:
    """Does a folder say that its images have no labels, whatever lies beside it?"""
    return pieces(name) in (("unlabeled",), ("unlabelled",))


# Masks.


def _masks(paths: list[Path], faults: list[Fault]) -> list[bool]:
    """Which images are no points, for they are masks of others: by their folder, or by a name such
    as 1_mask.png beside 1.png. None, if nothing else would be left.
    """
    beside: dict[Path, set[str]] = {}
    for path in paths:
        for i, name in enumerate(path[:-1][:DEPTH]):
            beside.setdefault(path[:i], set()).add(name)
    stems = {(path[:-1], path[-1].rpartition(".")[0].lower()) for path in paths}
    aside = [
        any(_is_mask_folder(name, beside[path[:i]]) for i, name in enumerate(path[:-1][:DEPTH]))
        or _is_mask_of(path, stems)
        for path in paths
    ]
    found = ["/".join(path) for path, mask in zip(paths, aside, strict=True) if mask]
    if not found or len(found) == len(paths):
        return [False] * len(paths)
    what = f"Masks or ground truth among the images: {len(found):,}, such as {some(found[:1])}."
    faults.append(Fault(what, "They are set aside. Rename them if they are points of their own."))
    return aside


@lru_cache(4096)
def _is_mask_name(name: str) -> bool:
    return bool({*pieces(name)} & {*MASKS}) or pieces(name) == ("ground", "truth")


def _is_mask_folder(name: str, beside: set[str]) -> bool:
    """A folder of masks stands beside one of images or of a part, or is called ground truth."""
    if not _is_mask_name(name):
        return False
    if pieces(name) == ("ground", "truth") and len(beside) > 1:
        return True
    return any(
        pieces(other) in [(word,) for word in CONTAINERS] or part_of(other)
        for other in beside
        if other != name and not _is_mask_name(other)
    )


def _is_mask_of(path: Path, stems: set[tuple[Path, str]]) -> bool:
    found = MASK_FILE.fullmatch(path[-1].rpartition(".")[0].lower())
    return bool(found) and (path[:-1], found[1]) in stems


# Parts.


def _without_shared(folders: list[Path]) -> list[Path]:
    """The folders without those that all share. Images that lie above do not keep them, if at least
    two folders are below.
    """
    while True:
        inside = [folder for folder in folders if folder]
        if not inside or len({folder[0] for folder in inside}) > 1:
            return folders
        below = {folder[1] for folder in inside if len(folder) > 1}
        if len(inside) < len(folders) and len(below) < 2:
            return folders
        folders = [folder[1:] for folder in folders]


def _part_levels(folders: list[Path]) -> list[int] | None:
    """Where in each path its part stands, -1 for none; None if there are no parts."""
    inside = [folder for folder in folders if folder]
    for depth in range(max(map(len, inside), default=0)):
        named = {folder[depth] if len(folder) > depth else "" for folder in inside}
        if all(map(part_of, named)) and _make_sense(named, everyone=len(inside) == len(folders)):
            return [depth if folder else -1 for folder in folders]
    at = [_first(folder, part_of) for folder in folders]
    if min(at) >= 0 and _make_sense(_names(folders, at), everyone=True):
        return at
    trusted = _trusted(folders, at)
    at = [_first(folder, trusted.__contains__) for folder in folders]
    return at if len({part_of(name) for name in trusted} & {"train", "test"}) == 2 else None


def _first(folder: Path, wanted: Callable[[str], object]) -> int:
    return next((i for i, name in enumerate(folder) if wanted(name)), -1)


def _names(folders: list[Path], at: list[int]) -> set[str]:
    return {folder[i] for folder, i in zip(folders, at, strict=True) if i >= 0}


def _make_sense(named: set[str], *, everyone: bool) -> bool:
    """Are these parts, where all folders are named like one? If they are of two kinds, or if
    everyone has one and they differ by nothing else: val and test, but not freight_train and
    steam_train.
    """
    kinds = {part_of(name) for name in named}
    return len(kinds) > 1 or (everyone and not any(map(_rest, named)))


@lru_cache(4096)
def _rest(name: str) -> tuple[str, ...]:
    """What a part is called beside its part: seg of seg_train, nothing of train2017."""
    own = (*KINDS, *COMPANIONS)
    return tuple(piece for piece in pieces(name) if piece not in own and not piece.isdigit())


def _trusted(folders: list[Path], at: list[int]) -> set[str]:
    """The names that are believed to be parts although other folders have none: train; seg_train
    beside seg_test; any that hold the same classes.
    """
    below: dict[str, set[str]] = {name: set() for name in _names(folders, at)}
    for folder, i in zip(folders, at, strict=True):
        if i >= 0 and len(folder) > i + 1:
            below[folder[i]].add(folder[i + 1])
    kinds: dict[object, set[str]] = {}  # of the parts that share a rest, or a class
    for name, classes in below.items():
        for shared in (_rest(name), *classes):
            kinds.setdefault(shared, set()).add(part_of(name))
    return {
        name
        for name, classes in below.items()
        if not _rest(name) or any(len(kinds[shared]) > 1 for shared in (_rest(name), *classes))
    }


def _classes_of_parts(folders: list[Path], at: list[int], faults: list[Fault]) -> list[str]:
    """The class of each image: the folder below its part, or, where no part has any, above it. An
    image in no part has the class of a folder that is called like one.
    """
    parted = [i >= 0 for i in at]
    below = _without_shared_below(
        [folder[i + 1 :] if i >= 0 else () for folder, i in zip(folders, at, strict=True)],
        [folder[i] if i >= 0 else "" for folder, i in zip(folders, at, strict=True)],
    )
    above = [
        tuple(name for name in folder[: max(i, 0)] if not is_container(name))
        for folder, i in zip(folders, at, strict=True)
    ]
    found = [rest[0] if rest else "" for rest in below]
    tops = {names[0] for names in above if names}
    if not any(found):
        found = [names[0] if names else "" for names in above]
    elif len(tops) > 1:
        what = f"Folders above the parts: {some(sorted(tops))}."
        faults.append(Fault(what, "They are passed over: the classes are the folders below."))
    known = {*found} - {""}
    return [
        name if parted[k] else next((other for other in folders[k] if other in known), "")
        for k, name in enumerate(found)
    ]


def _without_shared_below(below: list[Path], parts: list[str]) -> list[Path]:
    """The folders below the parts without a repetition of the part (seg_train/seg_train), without
    folders called images, and without those that all share.
    """
    inner: dict[str, set[str]] = {}
    for folder, part in zip(below, parts, strict=True):
        inner.setdefault(part, set()).add(folder[0] if folder else "")
    repeated = {part for part, names in inner.items() if names == {part} or names == {part.lower()}}
    below = [
        folder[1:] if part in repeated else folder
        for folder, part in zip(below, parts, strict=True)
    ]
    below = [folder[1:] if folder and is_container(folder[0]) else folder for folder in below]
    second = {folder[1] for folder in below if len(folder) > 1}
    return _without_shared(below) if len(second) > 1 else below


def is_container(name: str) -> bool:
    """Is the folder called images, or alike?"""
    return pieces(name) in [(word,) for word in CONTAINERS]


# What is said of it.


def _note_no_parts(found: list[str], faults: list[Fault]) -> None:
    """A class that is called like a part is told, for it may be one."""
    odd = sorted({name for name in found if part_of(name) and not _rest(name)})
    odd = [name for name in odd if not is_unlabeled(name)]
    if odd and len({*found} - {""}) > 1:
        what = f"Folders named like a part, without the other parts: {some(odd)}."
        mend = "put the class folders of the training part into a folder called train"
        if part_of(odd[0]) == "train":
            mend = "call the other part test"
        mend = f"They count as classes. If that is not so, {mend}."
        faults.append(Fault(what, mend))


def _note_unlabeled(count: int, faults: list[Fault]) -> None:
    if count:
        what = f"Images in folders that are called unlabeled: {count:,}."
        faults.append(Fault(what, "They have no label."))


def _note_parts(rest: list[Path], folders: list[Path], at: list[int], faults: list[Fault]) -> None:
    """Parts are told unless they are called train and test, or as usual."""
    named = _names(folders, at)
    kinds = [part_of(name) for name in named]
    if kinds.count("test") > 1 or not {name.lower() for name in named} <= {*PLAIN}:
        mend = "All but the training part count as test rows."
        if "unlabeled" in kinds:
            mend = "The test parts count as test rows, unlabeled ones have no labels."
        faults.append(Fault(f"Parts named {some(sorted(named), 5)}.", mend))
    outside = ["/".join(path) for path, i in zip(rest, at, strict=True) if i < 0]
    if outside:
        what = f"Images in no part: {len(outside):,}, such as {some(outside[:1])}."
        faults.append(Fault(what, "They count as training rows."))


def note_strays(paths: list[Path], found: Layout, classes: list[str], faults: list[Fault]) -> None:
    """Images in no class folder are told where others lie in one. classes: of each path, after all
    else that may say them.
    """
    stray = [
        "/".join(path)
        for path, name, kept, said in zip(paths, classes, found.kept, found.unlabeled, strict=True)
        if kept and not name and not said
    ]
    if stray and any(classes) and any(found.classes):
        what = f"Images in no class folder: {len(stray):,}, such as {some(stray[:1])}."
        faults.append(Fault(what, "They have no label."))
