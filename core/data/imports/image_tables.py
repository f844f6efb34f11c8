"""Parquet with images in a column, as Hugging Face's datasets writes it.

    image_column(schema)         the column of images, if there is one
    read_image_table(data)       -> Draft

Such a column holds a struct of bytes and path, or the bytes of image files, or tensors of one
shape. Classes have the names of `huggingface` in the file's metadata, where they are; -1 and
nothing are no label. An image's id is its path, if all have different ones; else rows that cannot
be read leave the others their numbers in the file, from 0.
Source: the datasets library's Image and ClassLabel features; Arrow's fixed_shape_tensor.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from core.data.imports.archives import Member
from core.data.imports.cleaning import (
    check_size,
    draft_of,
    has_fractions,
    id_array,
    target_of_words,
)
from core.data.imports.draft import Choices, Draft, Fault, FoundRows, Progress, Role, chosen
from core.data.imports.file_limits import Allowance, Limits
from core.data.imports.images.beside_images import (
    SINGLE,
    chosen_parts,
    parts_of,
    shown_columns,
)
from core.data.imports.images.decoding import decoded_images, stack_rows
from core.data.imports.images.folders import coded_as_it_is
from core.data.imports.tables.class_names import class_names, named_classes
from core.data.imports.tables.columns import Column
from core.data.imports.tables.label_columns import has_marks, without_marks
from core.data.imports.tables.parquet_limits import MEND, open_parquet, read_columns
from core.data.imports.tables.split_columns import test_rows
from core.data.imports.usual_names import LABEL_WORDS, LABELS
from core.data.imports.wording import LONGEST_WORD, as_word, damage_reported, some
from core.types import Ints, UserError

if TYPE_CHECKING:
    import pyarrow as pa

NAMES = ("image", "img", "images", "picture", "photo", "pixels", "jpg", "png", "jpeg", "webp")
SOUNDS = (b"fLaC", b"ID3", b"OggS", b"\xff\xfb", b"\xff\xf3")  # and WAVE
COLUMNS = 200  # beside the images, that are read
IDS = ("id", "ids", "image_id", "key", "file", "filename", "file_name", "path")


def image_column(schema: pa.Schema) -> str | None:
    """The name of the column that holds images, None if there is none."""
    found = [field.name for field in schema if _holds_images(field)]
    usual = [name for name in found if name.lower() in NAMES]
    return next(iter(usual or found), None)


def _holds_images(field: pa.Field) -> bool:
    import pyarrow as pa

    kind = field.type
    if pa.types.is_struct(kind):
        names = [kind.field(i).name for i in range(kind.num_fields)]
        return "bytes" in names and _is_binary(kind.field("bytes").type)
    if isinstance(kind, pa.FixedShapeTensorType):
        return len(kind.shape) > 1
    return _is_binary(kind) and field.name.lower() in NAMES


def _is_binary(kind: pa.DataType) -> bool:
    import pyarrow.types as is_

    return (
        is_.is_binary(kind)
        or is_.is_large_binary(kind)
        or (is_.is_dictionary(kind) and _is_binary(kind.value_type))
    )


def read_image_table(
    data: bytes,
    title: str,
    limits: Limits,
    choices: Choices,
    faults: list[Fault],
    progress: Progress,
) -> Draft:
    """The draft of a Parquet file with a column of images.

    A UserError if it has none, if none can be read, or if they ask for too much.
    """
    found_rows = found_image_rows(data, title, limits, choices, faults, progress)
    return draft_of(found_rows, title, limits, choices, faults)


def found_image_rows(
    data: bytes,
    title: str,
    limits: Limits,
    choices: Choices,
    faults: list[Fault],
    progress: Progress,
) -> FoundRows:
    """What such a file says, before any of it is believed."""
    file = open_parquet(data, title, limits)
    with damage_reported(title, MEND):
        schema = file.schema_arrow
    images = image_column(schema) or ""
    plain = [field.name for field in schema if not _is_nested(field.type)][:COLUMNS]
    table = read_columns(file, data, [images, *plain], title, limits)
    given = chosen_parts(choices, plain, title)
    with damage_reported(title, MEND):
        columns = {name: Column(name, table[name]) for name in plain}
        found = _parts(columns, class_names(schema), given, choices, faults)
        rows, read = _points(table[images], title, limits, choices, faults, progress)
        rows.columns = tuple(plain)
        rows.numbers = read if rows.lost else None
        rows.roles = _with_others(parts_of(plain, found, given), schema.names, images)
        rows.ids = _ids(columns, found, given, table[images], read, faults)
        if label := found.get("label"):
            names = class_names(schema).get(label, [])
            rows.labels, rows.asks = _labels(columns[label], names, read, choices, faults)
        if split := found.get("split"):
            test = test_rows(columns[split], faults)
            rows.test = None if test is None else test[read]
        if target := found.get("target"):
            rows.target = _target(columns[target], faults, read)
        for name, names in class_names(schema).items():
            if name in columns:
                columns[name].take(named_classes(columns[name], names))
        words = {name: np.array(column.words, object)[read] for name, column in columns.items()}
        rows.shown = shown_columns(rows.roles, words, faults)
    return rows


def _parts(
    columns: dict[str, Column],
    named: dict[str, list[str]],
    given: dict[str, str],
    choices: Choices,
    faults: list[Fault],
) -> dict[str, str | None]:
    """{role: column}: what the user chose, else by their names. named: {column: its classes}."""
    free = [name for name in columns if name not in given]
    found: dict[str, str | None] = {
        role: chosen(free, own, usual, "")
        for role, own, usual in (
            (
                "label",
                "" if choices.label == "" else None,
                (*LABELS, *LABEL_WORDS, *map(str.lower, named)),
            ),
            ("id", "" if choices.id == "" else None, IDS),
            ("split", None, ("split",)),
        )
    }
    label = found["label"]
    if label and columns[label].is_number and has_fractions(columns[label].numbers()):
        found["label"] = None
        what = f"Column {some([label])}: found fractions, expected classes."
        mend = "The images have no labels. It can be the target of a regression."
        faults.append(Fault(what, mend))
    return found | {role: column for column, role in given.items() if role in SINGLE}


def _with_others(roles: tuple[Role, ...], names: list[str], images: str) -> tuple[Role, ...]:
    known = {role.column for role in roles}
    others = [
        Role(name, "left out", "values of several parts")
        for name in names
        if name not in known and name != images
    ]
    return (Role(images, "feature", "images"), *roles, *others)


def _is_nested(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return pa.types.is_nested(kind) or _is_binary(kind) or isinstance(kind, pa.BaseExtensionType)


def _points(
    column: pa.ChunkedArray,
    title: str,
    limits: Limits,
    choices: Choices,
    faults: list[Fault],
    progress: Progress,
) -> tuple[FoundRows, Ints]:
    """(the points, which rows they are)."""
    import pyarrow as pa

    if isinstance(column.type, pa.FixedShapeTensorType):
        return _tensors(column, title, limits, choices, faults)
    _refuse_paths_alone(column, title)
    members = [Member(f"row {i}", _reader(column, i)) for i in range(len(column))]
    _refuse_sounds(members[0].read, title, limits)
    images = decoded_images(members, title, limits, choices.side, faults, progress)
    lost = len(column) - len(images.rows)
    return FoundRows(images.points, sides=images.sides, lost=lost), images.rows


def _refuse_paths_alone(column: pa.ChunkedArray, title: str) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_struct(column.type):
        content = pc.struct_field(column, "bytes")  # type: ignore[attr-defined]  # made when it is imported
        if content.null_count == len(content):
            raise UserError(
                f"{title}: found the paths of images without their bytes, expected bytes of image"
                " files. Bring the images in a zip, with this table beside them."
            )


def _refuse_sounds(read: Callable[[Allowance], bytes], title: str, limits: Limits) -> None:
    content = b""
    with suppress(ValueError):  # no bytes in the first row
        content = read(Allowance(limits.unpacked_bytes, title, "bytes", "Bring fewer rows."))
    if content.startswith(SOUNDS) or content[8:12] == b"WAVE":
        raise UserError(
            f"{title}: found sounds, expected images or numbers. Compute an embedding of each"
            " sound, and bring that, a row of numbers for each."
        )


def _reader(column: pa.ChunkedArray, row: int) -> Callable[[Allowance], bytes]:
    def read(allowance: Allowance) -> bytes:
        value = column[row].as_py()
        content = value["bytes"] if isinstance(value, dict) else value
        if not content:
            raise ValueError("no bytes")
        allowance.take(len(content))
        return content

    return read


def _tensors(
    column: pa.ChunkedArray, title: str, limits: Limits, choices: Choices, faults: list[Fault]
) -> tuple[FoundRows, Ints]:
    shape = tuple(column.type.shape)
    rows = np.flatnonzero(~np.asarray(column.is_null().to_numpy(zero_copy_only=False), bool))
    check_size((len(column), 1), title, limits)
    known = column.drop_null().combine_chunks()
    known = known if not hasattr(known, "chunks") else known.chunk(0)
    stack = known.storage.flatten().to_numpy(zero_copy_only=False).reshape(-1, *shape)
    return stack_rows(stack, title, limits, choices, faults, lost=len(column) - len(rows)), rows


def _labels(
    column: Column, names: list[str], rows: Ints, choices: Choices, faults: list[Fault]
) -> tuple[tuple[list[str], Ints], frozenset[str]]:
    """((words, code of each row), what can be asked). Nothing is blank; so is -1 if it means so."""
    words, codes = column.coded
    asks = frozenset({"marks"} if has_marks(column.distinct) and not names else ())
    if names:
        named = {str(i): name for i, name in enumerate(names)}
        words = [named.get(word, "") for word in words]
        words, codes = coded_as_it_is([words[code] for code in codes[rows]])
        return (words, codes), asks
    words, codes = without_marks(words, codes[rows], choices.marks_are_classes, faults)
    return (words, codes), asks


def _target(column: Column, faults: list[Fault], rows: Ints) -> np.ndarray | None:
    """float64 (m,), NaN for nothing; None with a fatal fault if there is text in it."""
    if column.is_number:
        return column.numbers()[rows]
    words, codes = column.coded
    return target_of_words(words, codes[rows], f"Target column {some([column.name])}", faults)


def _ids(
    columns: dict[str, Column],
    found: dict[str, str | None],
    given: dict[str, str],
    images: pa.ChunkedArray,
    rows: Ints,
    faults: list[Fault],
) -> np.ndarray | None:
    """The ids that the user chose, or those of the file or the images' own paths if all differ."""
    own = found["id"]
    if own and own in given:
        words, codes = columns[own].coded
        return id_array(words, codes[rows], faults)
    for words in (columns[own].words if own else [""], _paths(images)):
        known = "" not in words and len({*words}) == len(words)
        if known and max(map(len, words)) <= LONGEST_WORD:
            return np.array(words)[rows]
    return None


def _paths(column: pa.ChunkedArray) -> list[str]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_struct(column.type) or column.type.get_field_index("path") < 0:
        return [""]
    paths = pc.struct_field(column, "path").to_pylist()  # type: ignore[attr-defined]  # made when it is imported
    return [as_word(path) for path in paths]
