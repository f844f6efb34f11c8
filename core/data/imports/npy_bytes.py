"""From the bytes of a .npy file to its array.

A header only announces a shape: it is compared with the bytes that are there before an array is
made of them. Pickled objects are refused. Source: the format's definition, numpy.lib.format.
"""

from __future__ import annotations

import io
import math

import numpy as np

from core.data.imports.wording import damage_reported, some
from core.types import UserError

MEND = "Save plain numbers or text with numpy.save or numpy.savez."
HEADER = 100_000  # bytes; NumPy reads no header beyond 10,000
PLAIN = "biufUS"  # kinds of values: truth, integers, floats and text


class ObjectsFound(UserError):
    """An array of Python objects, which only a pickle holds."""


def parse_npy(data: bytes | bytearray, what: str) -> np.ndarray:
    """The array of a .npy file, read-only and without a copy.

    A UserError if it is damaged, or of other values than numbers and text.
    """
    stream = io.BytesIO(data[:HEADER])
    with damage_reported(what, MEND):
        version = np.lib.format.read_magic(stream)
        header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = header(stream)
    if dtype.hasobject:
        raise ObjectsFound(
            f"{what}: found values of type {some([dtype])}, expected numbers or text; objects are"
            f" not read. {MEND}"
        )
    if dtype.kind not in PLAIN or dtype.itemsize == 0 or dtype.names:
        raise UserError(
            f"{what}: found values of type {some([dtype])}, expected numbers or text. {MEND}"
        )
    wanted = math.prod(shape) * dtype.itemsize
    there = len(data) - stream.tell()
    if min(shape, default=1) < 0 or wanted != there:
        raise UserError(
            f"{what}: found {there:,} bytes of values, expected {wanted:,} for shape"
            f" {some([shape])}. Save the file anew."
        )
    with damage_reported(what, MEND):
        return np.frombuffer(data, dtype, offset=stream.tell()).reshape(
            shape, order="F" if fortran else "C"
        )
