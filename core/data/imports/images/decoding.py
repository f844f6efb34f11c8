"""Images, from files or from arrays, become uint8 values at one size.

    decoded_images(members, ...) -> DecodedImages        of image files
    stack_rows(images, ...) -> FoundRows                 of an array of any real type

Images of one size of at most 128 pixels stay as they are; others are fitted into a square of 64
pixels, or of the largest of `SIDES` that the limits allow, or of the side that the user chooses.
Many large images start smaller: see `GRAM`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from core.data.imports.archives import Member
from core.data.imports.cleaning import check_size
from core.data.imports.draft import Choices, Fault, FoundRows, Progress
from core.data.imports.file_limits import Allowance, Limits, TooMuch
from core.data.imports.images import image_bytes
from core.data.imports.wording import last_faults, size, some
from core.types import Bytes, Ints, UserError

KEPT = 128
SIDES = (64, 48, 32, 28, 16, 8)
# points or pixels, the fewer of the two: leverage takes seconds to decompose a matrix of this size,
# minutes for thrice it
GRAM = 4096
CHANNELS = (1, 3, 4)
EVERY = 50  # images between two reports of progress


@dataclass(frozen=True)
class DecodedImages:
    """points: uint8 (m, h, w) or (m, h, w, 3). rows: which of the members they are. sides: the
    smallest and the largest (width, height) of them all as they came.
    """

    points: Bytes
    rows: Ints
    sides: tuple[tuple[int, int], tuple[int, int]]


def decoded_images(
    members: list[Member],
    title: str,
    limits: Limits,
    side: int | None,
    faults: list[Fault],
    progress: Progress,
) -> DecodedImages:
    """The members that can be read, in their order, at one size, all scaled alike."""
    survey = image_bytes.Survey()
    rows, sizes, colour = _headers(members, survey, title, limits, faults, progress)
    faults += survey.faults()
    target = target_side(sizes, colour, limits, side, faults)
    fit = partial(_fitted, survey=survey, side=target)
    images, rows = _values(members, rows, sizes, fit, title, limits, faults, progress)
    return DecodedImages(image_bytes.stacked(images), np.array(rows), (min(sizes), max(sizes)))


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
    members: list[Member],
    survey: image_bytes.Survey,
    title: str,
    limits: Limits,
    faults: list[Fault],
    progress: Progress,
) -> tuple[list[int], list[tuple[int, int]], bool]:
    """Which members have a header that can be read, their sizes, and whether any may be in colour.

    What they have in common goes into the survey.
    """
    good = []
    bad = []
    huge = []
    contents = _contents(members, title, limits, lambda done, text: progress(0.2 * done, text))
    for i, (member, read) in enumerate(contents):
        try:
            data = read()
            good.append((i, *image_bytes.size_of(data, limits.pixels)))
            survey.look(data)
        except TooMuch:
            raise
        except image_bytes.TooManyPixels:
            huge.append(member.path)
        except Exception:  # a damaged image fails in more ways than can be listed
            good = good[:-1] if good and good[-1][0] == i else good
            bad.append(member.path)
    _note_left_out(bad, huge, limits, faults)
    if not good:
        raise UserError(f"{title}: none of the images can be read. {last_faults(faults)}")
    rows, sizes, colours = zip(*good, strict=True)
    if (total := sum(width * height for width, height in sizes)) > limits.all_pixels:
        raise UserError(
            f"{title}: found {size(total)} pixels, expected at most {size(limits.all_pixels)}."
            " Bring fewer or smaller images."
        )
    return list(rows), list(sizes), any(colours)


def _values(
    members: list[Member],
    rows: list[int],
    sizes: list[tuple[int, int]],
    fit: Callable[[bytes, tuple[int, int]], Bytes],
    title: str,
    limits: Limits,
    faults: list[Fault],
    progress: Progress,
) -> tuple[list[Bytes], list[int]]:
    """The images' values, and which members gave them: those whose pixels are as many as their
    header said.
    """
    images = []
    good = []
    bad = []
    found = [members[row] for row in rows]
    contents = _contents(found, title, limits, lambda done, text: progress(0.2 + 0.8 * done, text))
    for row, (member, read), expected in zip(rows, contents, sizes, strict=True):
        try:
            images.append(fit(read(), expected))
            good.append(row)
        except TooMuch:
            raise
        except Exception:  # as above
            bad.append(member.path)
    _note_left_out(bad, [], limits, faults)
    if not images:
        raise UserError(f"{title}: none of the images can be decoded. {last_faults(faults)}")
    return images, good


def _fitted(
    data: bytes, size: tuple[int, int], survey: image_bytes.Survey, side: int | None
) -> Bytes:
    image = image_bytes.decoded(data, survey)
    if image.shape[1::-1] != size:
        raise ValueError("another size than announced")
    return image if side is None else image_bytes.fitted(image, side)


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


def stack_rows(
    stack: np.ndarray,
    title: str,
    limits: Limits,
    choices: Choices,
    faults: list[Fault],
    *,
    lost: int = 0,
) -> FoundRows:
    """The points of an array of images (n, h, w), (n, h, w, c) or (n, c, h, w) of any real type."""
    check_size((len(stack), 1), title, limits)
    stack = _channels_last(stack, title, faults)
    broken = None
    if stack.dtype != np.uint8:
        stack, broken = image_bytes.stack_in_range(stack, faults)
    height, width = stack.shape[1:3]
    points = fit_stack(stack, title, limits, choices, faults)
    return FoundRows(points, broken=broken, sides=((width, height),) * 2, lost=lost)


def fit_stack(
    images: Bytes, title: str, limits: Limits, choices: Choices, faults: list[Fault]
) -> Bytes:
    """Images (n, h, w) or (n, h, w, 1 | 3 | 4) as points: opaque, grey if they are, fitted if they
    are large or a side is chosen.
    """
    channels = images.shape[3] if images.ndim == 4 else 1
    n, height, width = images.shape[:3]
    target = target_side([(width, height)] * n, channels > 1, limits, choices.side, faults)
    if channels == 1 and target is None:
        return images.reshape(n, height, width).copy()
    survey = image_bytes.Survey()
    if channels == 4:
        for image in images:
            survey.look_through(image)
        faults += survey.faults()
    return image_bytes.stacked(
        [_one(image, target, survey) for image in images.reshape(n, height, width, channels)]
    )


def _channels_last(images: np.ndarray, title: str, faults: list[Fault]) -> np.ndarray:
    """Channels that can only be those of axis 1 are moved to the end."""
    if 0 in images.shape:
        raise UserError(
            f"{title}: found images of shape {images.shape}, expected at least one pixel. Bring a"
            " file with data in it."
        )
    if images.ndim == 3 or images.shape[3] in CHANNELS:
        return images
    if images.shape[1] in CHANNELS:
        what = f"Images of shape {images.shape}, their channels first."
        faults.append(Fault(what, "The channels are moved to the end."))
        return images.transpose(0, 2, 3, 1)
    first = images.shape[1] < images.shape[3]
    mend = "images[:, :3]" if first else "images[..., :3]"
    raise UserError(
        f"{title}: found images of shape {images.shape}, expected (n, h, w) or (n, h, w, 3). Keep"
        f" three channels, such as {mend}, or bring them as features: images.reshape(len(images),"
        " -1)."
    )


def _one(image: Bytes, target: int | None, survey: image_bytes.Survey) -> Bytes:
    if image.shape[2] == 4:
        from PIL import Image as pil

        image = image_bytes.plain(pil.fromarray(np.ascontiguousarray(image)), survey)
    image = image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image
    image = image_bytes.grey_if_it_is(image) if image.ndim == 3 else image
    return image if target is None else image_bytes.fitted(image, target)
