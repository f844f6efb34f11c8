"""Which image does a table mean? Found by its path or a part of it, however it is written.

    NamedImages(paths).of_table(path).rows(column) -> {image: row}

A name fits the image whose path ends in it, with or without the file's ending, if there is but one;
a path from the table's own folder comes first. \\ is /, ./ is nothing, folders that all names share
are passed over, accents may be composed or not, and 7 is 007.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from core.data.imports.archives import IMAGES
from core.data.imports.images.layouts import DEPTH, part_of

Column = list[str]  # of a table, as it is written; "" for nothing


class NamedImages:
    """The images of an archive, found by what a table calls them. paths: (number, path) of each."""

    def __init__(
        self, paths: Iterable[str], numbers: Iterable[int] | None = None, folder: str = ""
    ):
        lines = [unicodedata.normalize("NFC", path) for path in paths]
        self.paths = list(zip(numbers or range(len(lines)), lines, strict=True))
        self.folder = folder
        self.whole = {
            True: {path: image for image, path in self.paths},
            False: {path.rpartition(".")[0]: image for image, path in self.paths},
        }
        self.by_length: dict[tuple[int, bool], dict[str, int]] = {}

    def of_table(self, path: str) -> NamedImages:
        """Those that a table of this path may speak of: of its folder, and of its part."""
        path = unicodedata.normalize("NFC", path)
        folder, _, name = path.rpartition("/")
        inside = [entry for entry in self.paths if not folder or entry[1].startswith(folder + "/")]
        inside = inside or self.paths
        part = part_of(name.rpartition(".")[0])
        parted = [
            entry for entry in inside if part in map(part_of, entry[1].split("/")[:-1])
        ] * bool(part)
        numbers, paths = zip(*(parted or inside), strict=True)
        return NamedImages(paths, numbers, folder)

    def rows(self, column: Column) -> dict[int, int]:
        """{image: row} of the images that a column names, each once."""
        values: list[str] | None = [_tidy(value) for value in column]
        for _ in range(DEPTH):
            if values is None:
                break
            found: dict[int, int] = {}
            for row, value in enumerate(values):
                image = self._find(value) if value else None
                if image is not None:
                    found.setdefault(image, row)
            if found:
                return found
            values = _without_shared(values)
        return {}

    def _find(self, value: str) -> int | None:
        ended = value.lower().endswith(IMAGES)
        length = value.count("/") + 1
        if length > DEPTH:
            return None
        known = self.by_length.get((length, ended))
        if known is None:
            known = self.by_length[length, ended] = self._ends(length, ended)
        image = self.whole[ended].get(f"{self.folder}/{value}" if self.folder else value, -1)
        image = known.get(value, -1) if image < 0 else image
        if image < 0 and not ended and value.isdigit():
            image = known.get(f"#{int(value)}", -1)
        return image if image >= 0 else None

    def _ends(self, length: int, ended: bool) -> dict[str, int]:
        """{the last folders and the name: image}, -2 where several end so."""
        known: dict[str, int] = {}
        for image, path in self.paths:
            whole = path if ended else path.rpartition(".")[0]
            end = "/".join(whole.split("/")[-length:])
            known[end] = -2 if end in known else image
            if end.isdigit():
                number = f"#{int(end)}"
                known[number] = -2 if number in known else image
        return known


def _tidy(value: str) -> str:
    value = unicodedata.normalize("NFC", value.replace("\\", "/"))
    return "/".join([part for part in value.split("/") if part not in ("", ".")][-DEPTH:])


def _without_shared(values: list[str]) -> list[str] | None:
    """Without the first folder, if all share it: an absolute path has more than the archive knows.

    None if they do not.
    """
    first = {value.partition("/")[0] if "/" in value else "" for value in values if value}
    if len(first) != 1 or first == {""}:
        return None
    return [value.partition("/")[2] for value in values]
