"""Text in a CSV file that no spreadsheet takes for a formula.

    as_csv(frame)         the bytes of the file
    guarded(text)         as it stands in the file
    unguarded(text)       as it was
    guards()              are texts guarded? Not where LEVERAGE_LAB_CSV_CELLS=plain

A cell that begins with = + - @, a tab or a line break is a formula to Excel and its kin, whoever
wrote it, and a formula may fetch and send. Ids, class names and titles are other people's words. So
such a text gets an apostrophe before it; so does one that begins with apostrophes before such a
sign, so that what stands in the file says what the text was. A text that is a plain number (the
class "-1") stays, and so does every column of numbers. Programs that read the files and nothing
else may want the texts as they are: for them there is the setting, and Parquet.

After OWASP's page on CSV injection.
"""

from __future__ import annotations

import os
import re

import pandas as pd

SETTING = "LEVERAGE_LAB_CSV_CELLS"
PLAIN, GUARDED = "plain", "guarded"
# The wide forms are those of Chinese, Japanese and Korean keyboards.
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def guards() -> bool:
    """Are texts guarded in the files that are written now?"""
    return os.environ.get(SETTING, "").strip().lower() != PLAIN


def guarded(text: str) -> str:
    """The text as it stands in a file."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def unguarded(text: str) -> str:
    """The text that stands so in a file whose texts were guarded."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def as_csv(frame: pd.DataFrame, *, index: bool = False) -> bytes:
    """The frame as CSV in UTF-8, with 17 significant digits: nothing is lost.

    index: is it a column too?
    """
    if guards():
        frame = frame.rename(columns=_cell, index=_cell if index else None)
        for j, kind in enumerate(frame.dtypes):
            if not pd.api.types.is_numeric_dtype(kind):
                frame.isetitem(j, frame.iloc[:, j].map(_cell))
    return frame.to_csv(index=index, float_format="%.17g").encode()


def _cell(value: object) -> object:
    return guarded(value) if isinstance(value, str) else value
