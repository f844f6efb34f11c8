"""Which dataset is in this file? Bytes or a path to a draft, with every fault and its mend.

    read(source, name) -> Draft        a UserError, one clear message, if nothing can be used

    a zip of images in folders of their class, or such a folder     core/data/imports/images.py
    .npz and .npy                                                   core/data/imports/arrays.py
    Parquet and CSV                                                 core/data/imports/tables.py

The format is told from the content, never from the name. Files are read in memory under `Limits`;
nothing is written to disk, no pickled object is read, and neither torch nor scikit-learn is
imported: the web process itself may read what a stranger sends.
"""

from __future__ import annotations

import stat
from pathlib import Path, PurePosixPath

from core.data.imports.archives import folder_members, open_zip, zip_members
from core.data.imports.arrays import is_npz, read_npy, read_npz
from core.data.imports.draft import Choices, Draft, Fault, Progress
from core.data.imports.file_limits import LOCAL, Limits
from core.data.imports.images import read_images
from core.data.imports.tables import read_csv, read_parquet
from core.data.imports.wording import one_line, size, some
from core.types import UserError

SUFFIXES = {
    "zip": (".zip",),
    "npz": (".npz",),
    "npy": (".npy",),
    "parquet": (".parquet", ".pq"),
    "csv": (".csv", ".tsv", ".txt"),
}
TITLES = {
    "zip": "a zip archive",
    "npz": "an .npz file",
    "npy": "an .npy file",
    "parquet": "Parquet",
    "csv": "text, read as CSV",
}
MAGIC = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x93NUMPY", "npy"),
    (b"PAR1", "parquet"),
)
IMAGE = ("an image", "Pack all images into a zip, in folders of their class.")
PICKLE = (
    "a pickled object",
    "Save its arrays with numpy.savez: pickles run code when they are read.",
)
OTHERS = (
    (b"\x89PNG", *IMAGE),
    (b"\xff\xd8\xff", *IMAGE),
    (b"RIFF", *IMAGE),
    (b"\x1f\x8b", "a gzip file", "Unpack it and bring the file inside, or a zip."),
    (b"7z\xbc\xaf", "a 7z archive", "Pack the folder as a zip."),
    (b"Rar!", "a rar archive", "Pack the folder as a zip."),
    (b"\x89HDF", "an HDF5 file", "Save its arrays with numpy.savez."),
    (b"\x80\x02", *PICKLE),
    (b"\x80\x04", *PICKLE),
    (b"\x80\x05", *PICKLE),
    (b"PARE", "an encrypted Parquet file", "Write it without encryption."),
    (b"%PDF", "a PDF", "Bring images, arrays or a table."),
)
EXPECTED = "a zip of images, .npz, .npy, Parquet or CSV"


def read(
    source: bytes | Path,
    name: str,
    *,
    limits: Limits = LOCAL,
    choices: Choices | None = None,
    progress: Progress | None = None,
) -> Draft:
    """The draft of a file's bytes, of a file, or of a folder of images.

    name: what the file is called; its stem becomes the title. choices: of the user at the preview.
    progress(fraction, text) hears how far it is; an error it raises passes through. Raises
    UserError, and nothing else, whatever the bytes are.
    """
    title = title_of(name)
    faults = []
    choices = choices or Choices()
    progress = progress or (lambda fraction, text: None)
    if isinstance(source, Path):
        if source.is_dir():
            _refuse_target(choices, title, "folder")
            return read_images(
                folder_members(source, limits, faults), title, limits, choices, faults, progress
            )
        source = _content(source, limits)
    if len(source) > limits.file_bytes:
        raise UserError(
            f"{title}: found {size(len(source))} bytes, expected at most {size(limits.file_bytes)}."
            " Bring a smaller file."
        )
    kind = format_of(source, title)
    archive = open_zip(source, title, limits) if kind == "zip" else None
    kind = "npz" if archive and is_npz(archive) else kind
    _note_suffix(name, kind, faults)
    if kind in ("zip", "npy"):
        _refuse_target(choices, title, kind)
    if archive and kind == "zip":
        _refuse_workbook(archive.namelist(), title)
        return read_images(
            zip_members(archive, title, limits, faults), title, limits, choices, faults, progress
        )
    progress(None, f"{title}: reading")
    if archive:
        return read_npz(archive, title, limits, choices, faults)
    return {"npy": read_npy, "parquet": read_parquet, "csv": read_csv}[kind](
        source, title, limits, choices, faults
    )


def format_of(data: bytes, title: str) -> str:
    """ "zip" (also .npz), "npy", "parquet" or "csv", from the first bytes.

    A UserError for what is known to be none of these.
    """
    if not data.strip():
        raise UserError(f"{title}: found an empty file, expected {EXPECTED}. Bring another file.")
    for start, kind in MAGIC:
        if data.startswith(start):
            return kind
    for start, what, mend in OTHERS:
        if data.startswith(start):
            raise UserError(f"{title}: found {what}, expected {EXPECTED}. {mend}")
    return "csv"


def title_of(name: str) -> str:
    """The file's name without folders and suffix, fit for a menu."""
    return one_line(_path(name).stem)[:80] or "Own data"


def _path(name: str) -> PurePosixPath:
    return PurePosixPath(name.replace("\\", "/").replace("\0", ""))


def _content(path: Path, limits: Limits) -> bytes:
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise UserError(
                f"{path}: found neither a file nor a folder, expected one of them. Name another"
                " path."
            )
        with path.open("rb") as stream:
            return stream.read(limits.file_bytes + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(
            f"{path}: found nothing that can be read, expected a file or a folder. Check the path"
            " and its rights."
        ) from error


def _note_suffix(name: str, kind: str, faults: list[Fault]) -> None:
    suffix = _path(name).suffix.lower()
    if suffix not in SUFFIXES[kind]:
        what = f"The name ends in {some([suffix])}" if suffix else "The name has no ending"
        faults.append(
            Fault(f"{what}, the content is {TITLES[kind]}.", "It is read by its content.")
        )


def _refuse_target(choices: Choices, title: str, kind: str) -> None:
    """A UserError if the user names a target in what has room for points alone."""
    if not choices.target:
        return
    found, points = {
        "zip": ("images in a zip", "images"),
        "folder": ("images in a folder", "images"),
        "npy": ("one array", "features"),
    }[kind]
    of_images = ", all of one size in uint8 (n, height, width)," if points == "images" else ""
    raise UserError(
        f"{title}: found {found}, expected numbers for each point beside them, named"
        f" {choices.target!r}. Bring an .npz with the {points}{of_images} and the target as"
        f" arrays: numpy.savez('file.npz', {points}=..., {_argument(choices.target)}=...)."
    )


def _argument(name: str) -> str:
    """The name, where it can be an argument of a call in Python."""
    return name if name.isidentifier() else "target"


def _refuse_workbook(names: list[str], title: str) -> None:
    for member, what, mend in (
        ("xl/workbook.xml", "an Excel workbook", "Save the sheet as CSV."),
        ("data.pkl", "a saved PyTorch object", "Save its arrays with numpy.savez."),
    ):
        if any(name == member or name.endswith("/" + member) for name in names[:1000]):
            raise UserError(f"{title}: found {what}, expected {EXPECTED}. {mend}")
