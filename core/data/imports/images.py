"""Folders of images: what their folders say of classes and parts, and their values at one size.

    cats/1.png, dogs/2.png                 the class is the folder
    data/train/cats/1.png, data/test/...   a folder that all share is passed over; train and test
                                           (or val, valid, validation) are parts
    1.png, 2.png                           no labels

A folder inside a class folder belongs to the class. Training rows come first, then by path; an
image's id is its path. Images of one size of at most 128 pixels stay as they are; others are fitted
into a square (`core.data.imports.image_bytes`) of 64 pixels, or of the largest of `SIDES` that the
limits allow, or of the side that the user chooses. Many large images start smaller: see `GRAM`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from core.data.imports import image_bytes
from core.data.imports.archives import Member
from core.data.imports.cleaning import TEST, TRAIN, coded, draft_of, id_array
from core.data.imports.draft import Choices, Draft, Fault, FoundRows, Progress
from core.data.imports.file_limits import Allowance, Limits, TooMuch
from core.data.imports.wording import last_faults, size, some
from core.types import Bools, Bytes, UserError

KEPT = 128
SIDES = (64, 48, 32, 28, 16, 8)
# points or pixels, the fewer of the two: leverage takes seconds to decompose a matrix of this size,
# minutes for thrice it
GRAM = 4096
EVERY = 50  # images between two reports of progress


def read_images(
    members: list[Member],
    title: str,
    limits: Limits,
    choices: Choices,
    faults: list[Fault],
    progress: Progress,
) -> Draft:
    """The draft of these image files.

    A UserError if none can be read, or if they ask for too much.
    """
    if not members:
        raise UserError(
            f"{title}: found no images, expected folders of PNG, JPEG, WebP or BMP files, one"
            f" folder per class. {last_faults(faults)}".strip()
        )
    found = len(members)
    members, sizes, colour = _headers(members, title, limits, faults, progress)
    target = target_side(sizes, colour, limits, choices.side, faults)
    images, members = _values(members, sizes, target, title, limits, faults, progress)
    names, test = layout([member.parts for member in members], faults)
    order = np.argsort(test, kind="stable")
    points = image_bytes.stacked(images)
    found_rows = FoundRows(
        points[order] if test.any() else points,
        test=test[order],
        sides=(min(sizes), max(sizes)),
        lost=found - len(members),
    )
    words, codes = coded(names)
    found_rows.labels = (words, codes[order]) if any(words) else None
    words, codes = coded([member.path for member in members])
    found_rows.ids = id_array(words, codes[order], faults)
    return draft_of(found_rows, title, limits, choices, faults)


def layout(paths: list[tuple[str, ...]], faults: list[Fault]) -> tuple[list[str], Bools]:
    """(class of each path or "", which are test rows) from folders and names."""
    while min(map(len, paths)) > 1 and len({path[0] for path in paths}) == 1:
        paths = [path[1:] for path in paths]
    test = np.zeros(len(paths), bool)
    if _are_parts(paths):
        test = np.array([path[0].lower() in TEST for path in paths])
        first = {path[0].lower() for path in paths}
        paths = [path[1:] for path in paths]
        if len(first & {*TEST}) > 1:
            mend = "All but the training part count as test rows."
            faults.append(Fault(f"Parts named {some(sorted(first))}.", mend))
    if max(map(len, paths)) == 1:
        what = "The images do not lie in folders of their class."
        faults.append(Fault(what, "The points count as unlabeled."))
    return [path[0] if len(path) > 1 else "" for path in paths], test


def _are_parts(paths: list[tuple[str, ...]]) -> bool:
    """Do the first folders say which rows are for training and which for testing?"""
    first = {path[0].lower() for path in paths if len(path) > 1}
    known = first <= {*TRAIN, *TEST} and first & {*TRAIN} and first & {*TEST}
    return bool(known) and min(map(len, paths)) > 1


def target_side(
    sizes: list[tuple[int, int]],
    colour: bool,
    limits: Limits,
    chosen: int | None,
    faults: list[Fault],
) -> int | None:
    """The side of the square that images of these (width, height) are fitted into; None: they stay
    as they are.
    """
    n = len(sizes)
    channels = 3 if colour else 1
    area = min(limits.side**2, limits.columns / channels, limits.values / channels / n)
    most = int(area**0.5)
    if most < SIDES[-1]:
        raise UserError(
            f"Found {n:,} images: each could have {most} pixels a side, expected at least"
            f" {SIDES[-1]}. Bring fewer images."
        )
    if chosen is not None:
        return _checked_side(chosen, most)
    width, height = sizes[0]
    small = max(width, height) <= min(KEPT, limits.side) and width * height <= area
    if len(set(sizes)) == 1 and small and min(n, width * height * channels) <= GRAM:
        return None
    side = next(side for side in SIDES if side <= most and min(n, side * side * channels) <= GRAM)
    mend = (
        f"They are fitted into {side} x {side}, their aspect kept. Another side can be chosen, up"
        f" to {most}."
    )
    faults.append(Fault(_sizes_found(sizes), mend))
    return side


def _checked_side(chosen: object, most: int) -> int:
    whole = isinstance(chosen, int | np.integer) and not isinstance(chosen, bool)
    if not whole or not 2 <= chosen <= most:
        raise UserError(
            f"Side: found {chosen!r}, expected 2 to {most} pixels for so many images. Choose"
            " another side."
        )
    return int(chosen)


def _sizes_found(sizes: list[tuple[int, int]]) -> str:
    low_width, low_height = min(sizes)
    high_width, high_height = max(sizes)
    if len(set(sizes)) == 1:
        return f"Images of {low_width} x {low_height} pixels."
    return (
        f"Images of different sizes: {low_width} x {low_height} to {high_width} x {high_height}"
        " pixels."
    )


def _contents(
    members: list[Member], title: str, limits: Limits, report: Callable[[float, str], None]
) -> Iterator[tuple[Member, Callable]]:
    """Each member and what reads its bytes, under one allowance for all; tells from time to time
    how far it is.
    """
    allowance = Allowance(
        limits.unpacked_bytes, title, "bytes when unpacked", "Bring fewer or smaller files."
    )
    for i, member in enumerate(members):
        if i % EVERY == 0:
            report(i / len(members), f"{title}: image {i + 1:,} of {len(members):,}")
        yield member, partial(member.read, allowance)


def _headers(
    members: list[Member], title: str, limits: Limits, faults: list[Fault], progress: Progress
) -> tuple[list[Member], list[tuple[int, int]], bool]:
    """The members whose header can be read, their sizes, and whether any may be in colour."""
    good = []
    bad = []
    huge = []
    for member, read in _contents(
        members, title, limits, lambda done, text: progress(0.2 * done, text)
    ):
        try:
            good.append((member, *image_bytes.size_of(read(), limits.pixels)))
        except TooMuch:
            raise
        except image_bytes.TooManyPixels:
            huge.append(member.path)
        except Exception:  # a damaged image fails in more ways than can be listed
            bad.append(member.path)
    _note_left_out(bad, huge, limits, faults)
    if not good:
        raise UserError(f"{title}: none of the images can be read. {last_faults(faults)}")
    if (total := sum(width * height for _, (width, height), _ in good)) > limits.all_pixels:
        raise UserError(
            f"{title}: found {size(total)} pixels, expected at most {size(limits.all_pixels)}."
            " Bring fewer or smaller images."
        )
    return (
        [member for member, _, _ in good],
        [sides for _, sides, _ in good],
        any(colour for _, _, colour in good),
    )


def _values(
    members: list[Member],
    sizes: list[tuple[int, int]],
    target: int | None,
    title: str,
    limits: Limits,
    faults: list[Fault],
    progress: Progress,
) -> tuple[list[Bytes], list[Member]]:
    """The images' values, and the members that gave them: those whose pixels are as many as their
    header said.
    """
    images = []
    good = []
    bad = []
    contents = _contents(
        members, title, limits, lambda done, text: progress(0.2 + 0.8 * done, text)
    )
    for (member, read), (width, height) in zip(contents, sizes, strict=True):
        try:
            image = image_bytes.decoded(read())
            if image.shape[:2] != (height, width):
                raise ValueError("another size than announced")
            images.append(image if target is None else image_bytes.fitted(image, target))
            good.append(member)
        except TooMuch:
            raise
        except Exception:  # as above
            bad.append(member.path)
    _note_left_out(bad, [], limits, faults)
    if not images:
        raise UserError(f"{title}: none of the images can be decoded. {last_faults(faults)}")
    return images, good


def _note_left_out(bad: list[str], huge: list[str], limits: Limits, faults: list[Fault]) -> None:
    if bad:
        faults.append(
            Fault(
                f"Images that cannot be read: {len(bad):,}, such as {some(bad)}.",
                "They are left out. Save them anew as PNG.",
            )
        )
    if huge:
        what = (
            f"Images of more than {size(limits.pixels)} pixels: {len(huge):,}, such as"
            f" {some(huge)}."
        )
        faults.append(Fault(what, "They are left out. Make them smaller first."))


def fit_stack(
    images: Bytes, title: str, limits: Limits, choices: Choices, faults: list[Fault]
) -> Bytes:
    """Images (n, h, w) or (n, h, w, 1 | 3 | 4) as points: opaque, grey if they are, fitted if they
    are large or a side is chosen.
    """
    channels = images.shape[3] if images.ndim == 4 else 1
    if channels not in (1, 3, 4) or 0 in images.shape:
        mend = "Move the channels to the end: images.transpose(0, 2, 3, 1)."
        raise UserError(
            f"{title}: found images of shape {images.shape}, expected (n, h, w) or (n, h, w, 3)."
            f" {mend}"
        )
    n, height, width = images.shape[:3]
    target = target_side([(width, height)] * n, channels > 1, limits, choices.side, faults)
    if channels == 1 and target is None:
        return images.reshape(n, height, width).copy()
    return image_bytes.stacked(
        [_one(image, target) for image in images.reshape(n, height, width, channels)]
    )


def _one(image: Bytes, target: int | None) -> Bytes:
    if image.shape[2] == 4:
        from PIL import Image as pil

        image = image_bytes.plain(pil.fromarray(image))
    image = image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image
    image = image_bytes.grey_if_it_is(image) if image.ndim == 3 else image
    return image if target is None else image_bytes.fitted(image, target)
