"""What does a QR code say? A reader of its own, from the standard (ISO/IEC 18004): byte mode, no
damage, the sizes in BLOCKS.

`read(matrix)` takes the modules (True: dark) without the quiet zone. It finds the mask in the
format bits, walks the columns in pairs from the lower right, takes the mask off and joins the
blocks' data bytes.
"""

import html
import re
import urllib.parse

import numpy as np

FORMAT_MASK, LEVELS = 0b101010000010010, {0b01: "L", 0b00: "M", 0b11: "Q", 0b10: "H"}
# (level, version): data bytes of each block.
BLOCKS = {
    ("H", 1): [9],
    ("H", 2): [16],
    ("H", 3): [13, 13],
    ("Q", 1): [13],
    ("Q", 2): [22],
    ("Q", 3): [17, 17],
    ("Q", 4): [24, 24],
    ("Q", 5): [15, 15, 16, 16],
    ("M", 1): [16],
    ("M", 2): [28],
    ("M", 3): [44],
    ("M", 4): [32, 32],
    ("M", 5): [43, 43],
    ("M", 6): [27, 27, 27, 27],
    ("M", 7): [31, 31, 31, 31],
    ("M", 8): [38, 38, 39, 39],
    ("M", 9): [36, 36, 36, 37, 37],
}
CENTRES = {2: 18, 3: 22, 4: 26, 5: 30, 6: 34}  # the alignment mark of the versions with one
MASKS = (
    lambda i, j: (i + j) % 2,
    lambda i, j: i % 2,
    lambda i, j: j % 3,
    lambda i, j: (i + j) % 3,
    lambda i, j: (i // 2 + j // 3) % 2,
    lambda i, j: i * j % 2 + i * j % 3,
    lambda i, j: (i * j % 2 + i * j % 3) % 2,
    lambda i, j: ((i + j) % 2 + i * j % 3) % 2,
)


def read(matrix: np.ndarray) -> str:
    """The text in the code; an AssertionError if it is none that this can read."""
    side = len(matrix)
    version = (side - 17) // 4
    assert matrix.shape == (side, side) and side == 17 + 4 * version, "no QR code's size"
    assert (
        matrix[:7, :7].sum() == 33 and matrix[:7, -7:].sum() == 33 and matrix[-7:, :7].sum() == 33
    ), "three corners have finder marks"
    bits = [*matrix[8, :6], *matrix[8, 7:9], matrix[7, 8], *matrix[5::-1, 8]]
    told = int("".join(str(int(bit)) for bit in bits), 2) ^ FORMAT_MASK
    level, mask = LEVELS[told >> 13], MASKS[told >> 10 & 7]
    stream = "".join(str(int(matrix[i, j] ^ (mask(i, j) == 0))) for i, j in _path(version, side))
    words = [int(stream[at : at + 8], 2) for at in range(0, len(stream) - 7, 8)]
    data = _joined(words, BLOCKS[level, version])
    bits = "".join(f"{word:08b}" for word in data)
    assert bits[:4] == "0100", "byte mode"
    return bytes(int(bits[12 + 8 * i : 20 + 8 * i], 2) for i in range(int(bits[4:12], 2))).decode()


def modules(image: str) -> np.ndarray:
    """The dark modules of an <img> whose source is an SVG with horizontal strokes, one unit to a
    module, a quiet zone of four around it.
    """
    drawing = urllib.parse.unquote(
        re.search(r'src="data:image/svg\+xml[^,]*,([^"]+)"', html.unescape(image))[1].replace(
            "&quot;", "'"
        )
    )
    side = int(re.search(r"viewBox=['\"]0 0 (\d+)", drawing)[1])
    path = re.search(
        r"class=['\"]qrline['\"][^>]* d=['\"]([^'\"]+)|d=['\"]([^'\"]+)['\"][^>]*class=['\"]qrline",
        drawing,
    )
    dark, i, j = np.zeros((side, side), bool), 0.0, 0
    for command, numbers in re.findall(r"([Mmh])([^Mmhz]+)", path[1] or path[2]):
        values = [float(number) for number in re.findall(r"-?[\d.]+", numbers)]
        if command == "h":
            dark[int(i), j : j + int(values[0])] = True
            j += int(values[0])
        else:
            j, i = (
                (int(values[0]), values[1])
                if command == "M"
                else (j + int(values[0]), i + values[1])
            )
    assert (
        not dark[:4].any()
        and not dark[-4:].any()
        and not dark[:, :4].any()
        and not dark[:, -4:].any()
    ), "the quiet zone is quiet"
    return dark[4:-4, 4:-4]


def _joined(words: list[int], sizes: list[int]) -> list[int]:
    """The data bytes of the blocks one after the other; in the stream they take turns."""
    blocks, at = [[] for _ in sizes], 0
    for turn in range(max(sizes)):
        for block, size in zip(blocks, sizes, strict=True):
            if turn < size:
                block.append(words[at])
                at += 1
    return [word for block in blocks for word in block]


def _path(version: int, side: int):
    """The modules that carry data, in order."""
    taken = np.zeros((side, side), bool)
    taken[:9, :9] = taken[:9, -8:] = taken[-8:, :9] = True
    taken[6] = taken[:, 6] = True
    for i, j in _alignment(version):
        taken[i - 2 : i + 3, j - 2 : j + 3] = True
    if version >= 7:
        taken[:6, -11:-8] = taken[-11:-8, :6] = True
    upwards, right = True, side - 1
    while right > 0:
        right -= right == 6  # the column of the timing mark is left out
        for i in range(side - 1, -1, -1) if upwards else range(side):
            yield from ((i, j) for j in (right, right - 1) if not taken[i, j])
        upwards, right = not upwards, right - 2


def _alignment(version: int) -> list[tuple[int, int]]:
    if version < 7:
        return [(CENTRES[version],) * 2] if version in CENTRES else []
    places = [6, {7: 22, 8: 24, 9: 26}[version], {7: 38, 8: 42, 9: 46}[version]]
    corners = {(6, 6), (6, places[-1]), (places[-1], 6)}
    return [(i, j) for i in places for j in places if (i, j) not in corners]
