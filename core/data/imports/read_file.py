"""Which dataset is in this file? Bytes or a path to a draft, with every fault and its mend.

    read(source, name) -> Draft        a UserError, one clear message, if nothing can be used

    a zip of images in folders of their class, or such a folder     core/data/imports/images
    .npz and .npy                                                   core/data/imports/arrays.py
    Parquet and CSV                                                 core/data/imports/tables/
    Parquet with images in a column                             core/data/imports/image_tables.py
    one table, or the parts of one, in a zip, a folder or a gzip    as that table

The format is told from the content, never from the name. Files are read in memory under
`Limits`; nothing is written to disk, no pickled object is read, and neither torch nor
scikit-learn is imported: the web process itself may read what a stranger sends.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from core.data.imports.archives import Found, Member, folder_members, gunzip, open_zip, zip_members
from core.data.imports.arrays import is_npz, read_npy, read_npz
from core.data.imports.draft import Choices, Draft, Fault, Progress
from core.data.imports.file_formats import EXPECTED, GZIP, format_of
from core.data.imports.file_limits import LOCAL, Allowance, Limits
from core.data.imports.image_tables import image_column, read_image_table
from core.data.imports.images.folders import read_images
from core.data.imports.images.layouts import pieces
from core.data.imports.tables.parquet_limits import are_parts, joined_parts, schema_of
from core.data.imports.tables.reading import read_csv, read_parquet
from core.data.imports.tables.text_parts import are_named_parts, joined_texts
from core.data.imports.wording import one_line, size, some
from core.types import UserError

SUFFIXES = {
    "zip": (".zip",),
    "npz": (".npz",),
    "npy": (".npy",),
    "parquet": (".parquet", ".pq"),
    "csv": (".csv", ".tsv", ".txt", ".data", ".dat"),
}
TITLES = {
    "zip": "a zip archive",
    "npz": "an .npz file",
    "npy": "an .npy file",
    "parquet": "Parquet",
    "csv": "text, read as CSV",
}
UNPACKED = tuple(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)


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
    faults: list[Fault] = []
    how = _How(
        title_of(name), limits, choices or Choices(), faults, progress or (lambda part, text: None)
    )
    if isinstance(source, Path):
        if source.is_dir():
            return _members(folder_members(source, limits, faults), how)
        source = _content(source, limits)
    if len(source) > limits.file_bytes:
        raise UserError(
            f"{how.title}: found {size(len(source))} bytes, expected at most"
            f" {size(limits.file_bytes)}. Bring a smaller file."
        )
    if source.startswith(GZIP):
        source = gunzip(source, how.title, limits)
        name = _path(name).name.removesuffix(".gz")
    return _file(source, name, how)


@dataclass(frozen=True)
class _How:
    """What every reader is told."""

    title: str
    limits: Limits
    choices: Choices
    faults: list[Fault]
    progress: Progress


def _file(source: bytes, name: str, how: _How) -> Draft:
    """The draft of a file's bytes, which are no gzip."""
    kind = format_of(source, how.title)
    archive = open_zip(source, how.title, how.limits) if kind == "zip" else None
    kind = "npz" if archive and is_npz(archive) else kind
    _note_suffix(name, kind, how.faults)
    if archive and kind == "zip":
        _refuse_workbook(archive.namelist(), how.title)
        return _members(zip_members(archive, how.title, how.limits, how.faults), how)
    how.progress(None, f"{how.title}: reading")
    given = how.title, how.limits, how.choices, how.faults
    if archive:
        return read_npz(archive, *given)
    if kind == "npy":
        _refuse_target(how.choices, how.title)
        return read_npy(source, *given)
    if kind == "parquet" and image_column(schema_of(source, how.title, how.limits)):
        return read_image_table(source, *given, how.progress)
    return (read_parquet if kind == "parquet" else read_csv)(source, *given)


def _members(found: Found, how: _How) -> Draft:
    """The draft of what an archive or a folder holds: images, or else the one table."""
    if found.images or not found.tables:
        return read_images(
            found.images, found.tables, how.title, how.limits, how.choices, how.faults, how.progress
        )
    tables = _without_guesses(found.tables, how.faults)
    paths = [table.path for table in tables]
    parts = are_parts(paths) or are_named_parts(paths)
    if len(paths) > 1 and not parts:
        raise UserError(
            f"{how.title}: found {len(paths):,} tables, {some(paths)}, expected images or one"
            " table. Unpack it and bring one of them, or pack each by itself."
        )
    most = Allowance(how.limits.file_bytes, how.title, "bytes of tables", "Bring a smaller table.")
    contents = [bytes(table.read(most)) for table in tables]
    source = _joined(contents, paths, how) if parts else contents[0]
    if format_of(source, how.title) in ("zip", "npy"):
        raise UserError(
            f"{how.title}: found {some(paths)}, which is no table, expected CSV or Parquet. Unpack"
            " it and bring the file inside."
        )
    return _file(source, paths[0], how)


def _without_guesses(tables: list[Member], faults: list[Fault]) -> list[Member]:
    """A submission to a competition is no part of the table beside it."""
    guesses = [table.path for table in tables if "submission" in pieces(table.path)]
    if not guesses or len(guesses) == len(tables):
        return tables
    what = f"Tables of a submission: {some(guesses)}."
    faults.append(Fault(what, "They are not used. Bring one by itself if it is the table."))
    return [table for table in tables if table.path not in guesses]


def _joined(contents: list[bytes], paths: list[str], how: _How) -> bytes:
    """The parts of a table as one: Parquet, or texts."""
    kinds = {format_of(content, how.title) for content in contents}
    if kinds == {"csv"}:
        return joined_texts(contents, paths, how.title, how.limits, how.faults)
    if kinds != {"parquet"}:
        raise UserError(
            f"{how.title}: found {some(paths)} in several formats, expected the parts of one table."
            " Bring one of them."
        )
    return joined_parts(contents, paths, how.title, how.limits)


def title_of(name: str) -> str:
    """The file's name without folders and suffix, fit for a menu."""
    path = _path(name)
    packed = path.suffix.lower() in (".gz", ".zip") and PurePosixPath(path.stem).suffix in UNPACKED
    return one_line(PurePosixPath(path.stem).stem if packed else path.stem)[:80] or "Own data"


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


def _refuse_target(choices: Choices, title: str) -> None:
    """A UserError if the user names a target in a file of one array, which has room for none."""
    if choices.target:
        raise UserError(
            f"{title}: found one array, expected numbers for each point beside it, named"
            f" {choices.target!r}. Bring an .npz with the features and the target as arrays:"
            f" numpy.savez('file.npz', features=..., {_argument(choices.target)}=...)."
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
