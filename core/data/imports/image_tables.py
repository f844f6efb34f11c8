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

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from core.data.imports.archives import Member
from core.data.imports.cleaning import as_word, check_size, draft_of, has_fractions, split_of
from core.data.imports.draft import Choices, Draft, Fault, FoundRows, Progress, chosen
from core.data.imports.file_limits import Allowance, Limits
from core.data.imports.images.decoding import decoded_images, stack_rows
from core.data.imports.images.folders import coded_as_it_is
from core.data.imports.parquet_limits import MEND, open_parquet, read_columns
from core.data.imports.wording import LONGEST_WORD, damage_reported, some
from core.types import Ints, UserError

if TYPE_CHECKING:
    import pyarrow as pa

NAMES = ("image", "img", "images", "picture", "photo", "pixels", "jpg", "png", "jpeg", "webp")
LABELS = ("label", "labels", "class", "target", "fine_label", "y")
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
    return draft_of(found_rows, title, limits, faults)


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
    plain = [field.name for field in schema if not _is_nested(field.type)]
    named = _class_names(schema)
    label = chosen(plain, choices.label, (*LABELS, *map(str.lower, named)), "Label column")
    target = chosen(plain, choices.target, (), "Target column")
    label = None if label == target else label
    own = chosen(plain, choices.id, IDS, "Id column")
    split = next((name for name in plain if name.lower() == "split" and name != label), None)
    used = [images, *dict.fromkeys(name for name in (label, target, own, split) if name)]
    if others := [name for name in schema.names if name not in used]:
        faults.append(Fault(f"Columns beside the images: {some(others)}.", "They are not used."))
    table = read_columns(file, data, used, title, limits)
    with damage_reported(title, MEND):
        found, rows = _points(table[images], title, limits, choices, faults, progress)
        found.columns = tuple(plain)
        if label := _settled(label, table, faults):
            found.labels = _labels(table[label], named.get(label, []), rows)
        if split:
            words, codes = coded_as_it_is([as_word(v) for v in table[split].to_pylist()])
            test = split_of(words, codes)
            found.test = None if test is None else test[rows]
        if target:
            found.target = _numbers(table[target])[rows]
        found.ids = _ids(table, images, own, rows)
    return found


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


def _class_names(schema: pa.Schema) -> dict[str, list[str]]:
    """{column: names of its classes, in their order}, as the datasets library notes them."""
    try:
        about = json.loads((schema.metadata or {})[b"huggingface"])
        features = about["info"]["features"]
        return {
            name: [str(word) for word in feature["names"]]
            for name, feature in features.items()
            if name in schema.names and feature.get("_type") == "ClassLabel"
        }
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return {}


def _labels(column: pa.ChunkedArray, names: list[str], rows: Ints) -> tuple[list[str], Ints]:
    """(words, code of each row); nothing, and -1 beside names, is blank."""
    values = column.to_pylist()
    if names:
        values = [
            names[value] if isinstance(value, int) and 0 <= value < len(names) else None
            for value in values
        ]
    return coded_as_it_is([as_word(values[row]) for row in rows.tolist()])


def _numbers(column: pa.ChunkedArray) -> np.ndarray:
    """float64 (n,), NaN for what is no number."""
    import pyarrow as pa

    try:
        return column.cast(pa.float64(), safe=False).to_numpy()
    except pa.ArrowInvalid:
        return np.full(len(column), np.nan)


def _ids(table: pa.Table, images: str, own: str | None, rows: Ints) -> np.ndarray | None:
    """The ids of the file or the images' own paths, if all differ, else the rows' numbers, if some
    are lost.
    """
    columns = [table[own].to_pylist()] if own else []
    for values in (*columns, _paths(table[images])):
        words = [as_word(value) for value in values]
        if "" not in words and len({*words}) == len(words) and max(map(len, words)) <= LONGEST_WORD:
            return np.array(words)[rows]
    return rows.astype(str) if len(rows) < len(table) else None


def _paths(column: pa.ChunkedArray) -> list[str]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_struct(column.type) or column.type.get_field_index("path") < 0:
        return [""]
    return pc.struct_field(column, "path").to_pylist()  # type: ignore[attr-defined]  # made when it is imported


def _settled(label: str | None, table: pa.Table, faults: list[Fault]) -> str | None:
    """The label column, unless it holds measurements."""
    import pyarrow.types as is_

    if label and is_.is_floating(table[label].type) and has_fractions(_numbers(table[label])):
        mend = "The images have no labels. It can be the target of a regression."
        what = f"Column {some([label])}: found fractions, expected classes."
        faults.append(Fault(what, mend))
        return None
    return label
