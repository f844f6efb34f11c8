"""From the bytes of an image file to grey or colour values, and to a square of a chosen side.

    size_of(data, most) -> (width, height), colour?        from the header, nothing is decoded
    Survey.look(data)                                      what all images of a file need in common
    decoded(data, survey) -> uint8 (h, w) or (h, w, 3)     upright, opaque, 8 bits
    fitted(image, side) -> uint8 (side, side[, 3])

Conventions: the orientation that a camera noted is applied; of an animation the first frame is
taken; an image whose three channels agree everywhere is grey. Two things are the same for all
images of a file, which are surveyed before they are decoded: 16 bits are scaled to 8 by the range
that they use together (`DEPTHS`), and what is transparent is laid over white or black, whichever
differs more from what is opaque.

A fitted image keeps its aspect, is centred, and the margin takes the median colour of its four
corners: paper stays paper, and a black ground stays black. It is scaled up or down with the
triangle filter, which averages when it shrinks. PIL's own guard against huge images only warns
below twice its limit, so ours reads the size first.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.data.imports.draft import Fault
from core.types import Bytes

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
GREY = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "F")
ORIENTATION = 0x0112  # Exif's tag, and what each of its values but 1 asks for
TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
SIDEWAYS = (5, 6, 7, 8)
DEPTHS = (255, 1023, 4095, 16383, 65535)  # the largest values of 8, 10, 12, 14 and 16 bits
DARK = 63  # of 255: colours of 16 bits that use 14 or fewer


class TooManyPixels(ValueError):
    """The header announces more pixels than are decoded."""


@dataclass
class Survey:
    """What the images of one file have in common.

    deep: how many have 16 bits, and peak, their largest value. clear: how many have transparent
    pixels; light, the sum of the opaque pixels' values of 0 to 255, and opaque, how many they are,
    each counted by its opacity. coarse: how many are in colours of 16 bits; bright, their largest
    value when they are read as 8.
    """

    deep: int = 0
    peak: int = 0
    clear: int = 0
    light: float = 0.0
    opaque: float = 0.0
    coarse: int = 0
    bright: int = 0

    @property
    def top(self) -> int:
        """The value of 16 bits that becomes 255."""
        return next((depth for depth in DEPTHS if depth >= self.peak), DEPTHS[-1])

    @property
    def ground(self) -> str:
        """What transparent pixels are laid over."""
        return "white" if self.light <= 127.5 * self.opaque else "black"

    def look(self, data: bytes | bytearray) -> None:
        """Take note of an image; it is decoded only if it has more than 8 bits or transparency."""
        image = _open(data)
        if image.mode.startswith(("I", "F")):
            self.deep += 1
            self.peak = max(self.peak, int(np.nan_to_num(np.asarray(image)).max()))
        elif image.format == "PNG" and data[24] == 16 and image.mode.startswith("RGB"):
            self.coarse += 1
            self.bright = max(self.bright, int(np.asarray(image)[..., :3].max()))
        if image.has_transparency_data:
            self.look_through(np.asarray(image.convert("RGBA")))

    def look_through(self, values: Bytes) -> None:
        """Take note of the opaque pixels of values (..., 4), if some are transparent."""
        if (values[..., 3] < 255).any():
            weights = values[..., 3] / 255
            self.clear += 1
            self.light += float((values[..., :3].mean(axis=-1) * weights).sum())
            self.opaque += float(weights.sum())

    def faults(self) -> list[Fault]:
        """What is done alike to all images."""
        said = []
        if self.deep and self.top < DEPTHS[-1]:
            what = f"Images of 16 bits whose largest value is {self.peak:,}: {self.deep:,}."
            mend = f"All are scaled alike: {self.top:,} becomes 255."
            said.append(Fault(what, mend if self.top > DEPTHS[0] else "They are read as 8 bits."))
        if self.coarse and self.bright <= DARK:
            what = f"Colour images of 16 bits that are nearly black: {self.coarse:,}."
            mend = "Only their upper 8 bits are read. Save them as 8 bits, image // 16 for 12."
            said.append(Fault(what, mend))
        if self.clear:
            what = f"Images with transparent pixels: {self.clear:,}."
            mend = f"All are laid over {self.ground}, from which their opaque pixels differ more."
            said.append(Fault(what, mend))
        return said


def size_of(data: bytes | bytearray, most: int) -> tuple[tuple[int, int], bool]:
    """((width, height) when upright, may it be in colour?).

    `TooManyPixels` beyond `most`; any other error if it is no image.
    """
    image = _open(data)
    width, height = image.size
    if width * height > most:
        raise TooManyPixels
    if _orientation(image) in SIDEWAYS:
        width, height = height, width
    return (width, height), image.mode not in GREY


def decoded(data: bytes | bytearray, survey: Survey | None = None) -> Bytes:
    """The image's values, upright and opaque: (h, w) if it is grey, else (h, w, 3).

    survey: of all images of the file; None: 16 bits have their whole range, and the ground is
    white. Any error if it cannot be decoded.
    """
    from PIL.Image import Transpose

    image = _open(data)
    turn = TURNS.get(_orientation(image))
    return plain(image.transpose(Transpose[turn]) if turn else image, survey)


def plain(image: Image, survey: Survey | None = None) -> Bytes:
    """uint8 values of a PIL image of any mode, as `decoded`."""
    from PIL import Image as pil

    if image.mode.startswith(("I", "F")):
        return _eight_bits(np.asarray(image), survey.top if survey else DEPTHS[-1])
    if image.has_transparency_data:
        ground = pil.new("RGBA", image.size, survey.ground if survey else "white")
        image = pil.alpha_composite(ground, image.convert("RGBA"))
    if image.mode in ("1", "L", "LA"):
        return np.asarray(image.convert("L"))
    return grey_if_it_is(np.asarray(image.convert("RGB")))


def grey_if_it_is(image: Bytes) -> Bytes:
    """(h, w) if the three channels agree everywhere, else the image as it is."""
    return image[..., 0] if (image == image[..., :1]).all() else image


def fitted(image: Bytes, side: int) -> Bytes:
    """The image inside a square: (side, side) or (side, side, 3)."""
    from PIL import Image as pil

    height, width = image.shape[:2]
    if (height, width) == (side, side):
        return image
    scale = side / max(height, width)
    inner_height = max(1, round(height * scale))
    inner_width = max(1, round(width * scale))
    scaled = np.asarray(
        pil.fromarray(image).resize((inner_width, inner_height), pil.Resampling.BILINEAR)
    )
    canvas = np.empty((side, side, *image.shape[2:]), np.uint8)
    canvas[:] = np.median(image[[0, 0, -1, -1], [0, -1, 0, -1]], axis=0)
    top = (side - inner_height) // 2
    left = (side - inner_width) // 2
    canvas[top : top + inner_height, left : left + inner_width] = scaled
    return canvas


def stacked(images: list[Bytes]) -> Bytes:
    """(n, h, w) if all are grey, else (n, h, w, 3); all of one height and width."""
    if all(image.ndim == 2 for image in images):
        return np.stack(images)
    return np.stack(
        [np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image for image in images]
    )


def _open(data: bytes | bytearray) -> Image:
    from PIL import Image as pil

    try:
        return pil.open(io.BytesIO(data), formats=FORMATS)
    except pil.DecompressionBombError as error:
        raise TooManyPixels from error


def _orientation(image: Image) -> int:
    """As the camera noted it; of a PNG only if it stands before the pixels, for PIL would decode
    them to look behind.
    """
    return (
        1
        if image.format == "PNG" and "exif" not in image.info
        else image.getexif().get(ORIENTATION, 1)
    )


def _eight_bits(values: np.ndarray, top: int) -> Bytes:
    """0 to 0 and top to 255."""
    known = np.clip(np.nan_to_num(values.astype(np.float32)), 0, top)
    return np.rint(known * 255 / top).astype(np.uint8)


# Arrays of images.


def stack_in_range(stack: np.ndarray, faults: list[Fault]) -> tuple[Bytes, np.ndarray]:
    """(uint8 values of images (n, ...), which of them hold NaN or infinity).

    One scale for all of them, which a fault tells: truth is 0 and 255; whole numbers to 255 and
    fractions of 0 to 255 stay; beyond, whole numbers are scaled by the next depth of `DEPTHS`;
    fractions of 0 to 1 and of -1 to 1 fill the range; others go from their smallest to their
    largest.
    """
    finite, low, high, whole = _spread(stack)
    bottom, top, mend = _scale(stack.dtype, low, high, whole=whole)
    out = np.zeros(stack.shape, np.uint8)
    for rows in _blocks(stack):
        with np.errstate(over="ignore", invalid="ignore"):
            share = (stack[rows].astype(np.float64) - bottom) / (top - bottom)
        out[rows] = np.rint(255 * np.clip(np.nan_to_num(share), 0, 1))
    what = f"Images of {stack.dtype}, values {low:.6g} to {high:.6g}."
    faults.append(Fault(what, mend))
    return out, ~finite


def _spread(stack: np.ndarray) -> tuple[np.ndarray, float, float, bool]:
    """(which images are finite, their smallest and largest value, are all of them whole?)."""
    finite = np.ones(len(stack), bool)
    low = np.inf
    high = -np.inf
    whole = True
    for rows in _blocks(stack):
        block = stack[rows]
        finite[rows] = np.isfinite(block).all(axis=tuple(range(1, stack.ndim)))
        known = block[finite[rows]]
        if known.size:
            low = min(low, float(known.min()))
            high = max(high, float(known.max()))
            whole = whole and bool((known == np.floor(known)).all())
    return (finite, low, high, whole) if finite.any() else (finite, 0.0, 0.0, True)


def _blocks(stack: np.ndarray, values: int = 1_000_000) -> Iterator[slice]:
    """A few images at a time, so that little else is held."""
    step = max(1, values // max(1, math.prod(stack.shape[1:])))
    return (slice(start, start + step) for start in range(0, len(stack), step))


def _scale(dtype: np.dtype, low: float, high: float, *, whole: bool) -> tuple[float, float, str]:
    """(the value that becomes 0, the one that becomes 255, what is said of it)."""
    if dtype.kind == "b" or (dtype.kind == "f" and low >= 0 and high <= 1 + 1e-6):
        return 0, 1, "They are scaled: 1 becomes 255."
    if low >= 0 and high <= DEPTHS[0]:
        return 0, 255, "They are read as they are." if whole else "They are rounded."
    if low >= 0 and high <= DEPTHS[-1] and whole:
        top = next(depth for depth in DEPTHS if depth >= high)
        return 0, top, f"All are scaled alike: {top:,} becomes 255."
    if dtype.kind == "f" and low >= -1 - 1e-6 and high <= 1 + 1e-6:
        return -1, 1, "They are scaled: -1 becomes 0, and 1 becomes 255."
    top = high if high > low else low + max(1.0, abs(low))
    return low, top, "All are scaled alike: the smallest becomes 0, the largest 255."
