"""What a file may ask for: the limits of reading, and what is left of one of them.

LOCAL holds on one's own machine, HOSTED for the visitors of a demo, whose uploads are bounded in
core/hosting/policy.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from core.data.imports.wording import size
from core.hosting import policy
from core.types import UserError

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Limits:
    """What a file may ask for.

    file_bytes: of the file. unpacked_bytes: of an archive's members, or of a Parquet's pages,
    together. files: in an archive or a folder. rows, columns: of a table; columns also counts one
    image's values (pixels times channels). values: rows times columns. side: of the images that
    come out, in pixels. pixels: of one image that goes in; all_pixels: of all of them. classes:
    different labels.
    """

    file_bytes: int
    unpacked_bytes: int
    files: int
    rows: int
    columns: int
    values: int
    side: int
    pixels: int
    all_pixels: int
    classes: int

    @property
    def all_columns(self) -> int:
        """Features, and beside them label, id, split and one probability per class."""
        return self.columns + self.classes + 3


LOCAL = Limits(
    file_bytes=2_000 * MEGABYTE,
    unpacked_bytes=20_000 * MEGABYTE,
    files=1_000_000,
    rows=1_000_000,
    columns=65_536,
    values=1_000 * MEGABYTE,
    side=256,
    pixels=80 * MEGABYTE,
    all_pixels=100_000 * MEGABYTE,
    classes=1_000,
)
HOSTED = Limits(
    file_bytes=policy.BOUNDS.upload_mb * MEGABYTE,
    unpacked_bytes=200 * MEGABYTE,
    files=20_000,
    rows=20_000,
    columns=4_096,
    values=20 * MEGABYTE,
    side=64,
    pixels=25 * MEGABYTE,
    all_pixels=400 * MEGABYTE,
    classes=200,
)


class TooMuch(UserError):
    """A file asks for more than its limits allow."""


@dataclass
class Allowance:
    """What is left of a limit. take(amount) lowers it; `TooMuch` where it runs out."""

    left: int
    what: str
    unit: str
    mend: str
    limit: int = field(init=False)

    def __post_init__(self):
        self.limit = self.left

    def take(self, amount: int) -> None:
        """Use up so much of it."""
        self.left -= amount
        if self.left < 0:
            raise TooMuch(
                f"{self.what}: found more than {size(self.limit)} {self.unit}, the most that is"
                f" read. {self.mend}"
            )
