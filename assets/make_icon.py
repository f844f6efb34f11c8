"""Draws the app's icon: a lever, its one far point up.

    python assets/make_icon.py          writes assets/icon.png beside this file

A beam on a fulcrum near one end; on its long arm, high up, one point: the farther from the others,
the more it moves. Coordinates are in units of the finished 256 pixels; the picture is drawn larger
and reduced, which smooths its edges. The mark stands on a plate of its own, so that it reads on
light and on dark tabs.
"""

from pathlib import Path

from PIL import Image, ImageDraw

SIZE = 256
OVERSAMPLED = 8
PLATE, FULCRUM, BEAM, FAR_POINT = "#0072B2", "#BFE1F5", "#FFFFFF", "#FFB000"


def draw(size: int = SIZE) -> Image.Image:
    """The icon as an RGBA image of size x size pixels."""
    canvas = Image.new("RGBA", (SIZE * OVERSAMPLED,) * 2, (0, 0, 0, 0))
    pen = ImageDraw.Draw(canvas)
    pen.rounded_rectangle(_scaled(4, 4, 252, 252), radius=52 * OVERSAMPLED, fill=PLATE)
    pen.polygon(_scaled(92, 148, 48, 226, 136, 226), fill=FULCRUM)
    _beam(pen, (34, 172), (222, 112))
    _disc(pen, (196, 70), 38, FAR_POINT)
    return canvas.resize((size, size), Image.Resampling.LANCZOS)


def _beam(
    pen: ImageDraw.ImageDraw, start: tuple[int, int], end: tuple[int, int], width: int = 30
) -> None:
    """A line with round ends."""
    pen.line(_scaled(*start, *end), fill=BEAM, width=width * OVERSAMPLED)
    for centre in (start, end):
        _disc(pen, centre, width / 2, BEAM)


def _disc(pen: ImageDraw.ImageDraw, centre: tuple[int, int], radius: float, colour: str) -> None:
    x, y = centre
    pen.ellipse(_scaled(x - radius, y - radius, x + radius, y + radius), fill=colour)


def _scaled(*numbers: float) -> tuple[float, ...]:
    return tuple(number * OVERSAMPLED for number in numbers)


if __name__ == "__main__":
    draw().save(Path(__file__).with_name("icon.png"), optimize=True)
