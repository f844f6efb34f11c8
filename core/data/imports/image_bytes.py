"""From the bytes of an image file to grey or colour values, and to a square of a chosen side.

    size_of(data, most) -> (width, height), colour?        from the header, nothing is decoded
    decoded(data) -> uint8 (h, w) or (h, w, 3)             upright, opaque, 8 bits
    fitted(image, side) -> uint8 (side, side[, 3])

Conventions: the orientation that a camera noted is applied; what is transparent becomes white; 16
bits are scaled to 8; of an animation the first frame is taken; an image whose three channels agree
everywhere is grey. A fitted image keeps its aspect, is centred, and the margin takes the median
colour of its four corners: paper stays paper, and a black ground stays black. It is scaled up or
down with the triangle filter, which averages when it shrinks. PIL's own guard against huge images
only warns below twice its limit, so ours reads the size first.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

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


class TooManyPixels(ValueError):
    """The header announces more pixels than are decoded."""


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


def decoded(data: bytes | bytearray) -> Bytes:
    """The image's values, upright and opaque: (h, w) if it is grey, else (h, w, 3).

    Any error if it cannot be decoded.
    """
    from PIL.Image import Transpose

    image = _open(data)
    turn = TURNS.get(_orientation(image))
    return plain(image.transpose(Transpose[turn]) if turn else image)


def plain(image: Image) -> Bytes:
    """uint8 values of a PIL image of any mode, transparency laid onto white."""
    from PIL import Image as pil

    if image.mode.startswith(("I", "F")):
        return _eight_bits(np.asarray(image))
    if image.has_transparency_data:
        image = pil.alpha_composite(pil.new("RGBA", image.size, "white"), image.convert("RGBA"))
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


def _eight_bits(values: np.ndarray) -> Bytes:
    """16 bits to 8: 0 to 0 and 65535 to 255."""
    return np.rint(np.clip(np.nan_to_num(values.astype(np.float32)), 0, 65535) / 257).astype(
        np.uint8
    )
