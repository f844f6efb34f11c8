"""Which format do the first bytes of a file say, and what can be done with those that are not read?

format_of(data, title) -> "zip" (also .npz), "npy", "parquet" or "csv"
"""

from __future__ import annotations

import re

from core.types import UserError

EXPECTED = "a zip of images, .npz, .npy, Parquet or CSV"
MAGIC = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x93NUMPY", "npy"),
    (b"PAR1", "parquet"),
)
GZIP = b"\x1f\x8b"
INSIDE = "Unpack it and bring the file inside, or a zip."
IMAGE = ("an image", "Pack all images into a zip, in folders of their class.")
SOUND = ("a sound", "Compute an embedding of each sound, and bring a table with a row for each.")
PICKLE = (
    "a pickled object",
    "Save its arrays with numpy.savez: pickles run code when they are read.",
)
FEATHER = ("a Feather file", "Save it as Parquet: pandas.read_feather(...).to_parquet(...).")
STATA = ("a Stata file", "Save it as CSV: pandas.read_stata(...).to_csv(..., index=False).")
SPSS = ("an SPSS file", "Save it as CSV: pandas.read_spss(...).to_csv(..., index=False).")
R_OBJECT = ("an R object", "Save it as CSV in R: write.csv(..., row.names = FALSE).")
PAGE = ("a web page", "Download the file itself: its link may ask you to sign in first.")
OTHERS = (
    (
        rb"\x89PNG|\xff\xd8\xff|GIF8|II\*\x00|MM\x00\*|BM....\x00\x00\x00\x00|....ftyp(?:hei|mif|avi)",
        *IMAGE,
    ),
    (rb"RIFF....WAVE|ID3|OggS|fLaC", *SOUND),
    (b"RIFF", *IMAGE),
    (re.escape(GZIP), "a gzip file inside another", INSIDE),
    (rb"BZh\d|\xfd7zXZ|\x28\xb5\x2f\xfd", "a packed file of another kind than gzip", INSIDE),
    (rb"7z\xbc\xaf", "a 7z archive", "Pack the folder as a zip."),
    (rb"Rar!", "a rar archive", "Pack the folder as a zip."),
    (rb".{257}ustar", "a tar archive", "Unpack it, and pack the folder as a zip."),
    (rb"\x89HDF", "an HDF5 file", "Save its arrays with numpy.savez."),
    (rb"MATLAB ", "a MATLAB file", "Load it with scipy.io, and save its arrays with numpy.savez."),
    (rb"\x80[\x02\x04\x05]", *PICKLE),
    (rb"PARE", "an encrypted Parquet file", "Write it without encryption."),
    (rb"%PDF", "a PDF", "Bring images, arrays or a table."),
    (rb"\xd0\xcf\x11\xe0", "an Office document, such as .xls", "Save the sheet as CSV."),
    (rb"\$FL[23]", *SPSS),
    (rb"<stata_dta>|[\x71-\x73][\x01\x02]\x01\x00", *STATA),
    (rb"ARROW1|FEA1", *FEATHER),
    (rb"X\n\x00\x00|RDX\d\n", *R_OBJECT),
    (rb"SQLite format 3", "an SQLite database", "Export its table as CSV."),
    (rb"version https?://git-lfs", "a Git LFS pointer", "Fetch the file itself: git lfs pull."),
    (rb"(?i)\s*<(?:!doctype html|html)", *PAGE),
    (rb"\s*<\?xml", "XML", "Save it as CSV, a row for each point."),
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
    head = data[:1000]
    if re.match(rb'\s*(\{\s*"|\[\s*[\[{])', head):
        lines = ", lines=True" if re.match(rb"\s*\{[^\n]*\}\s*\n\s*\{", data[:100_000]) else ""
        mend = f"Save it as a table: pandas.read_json(...{lines}).to_csv(..., index=False)."
        raise UserError(f"{title}: found JSON, expected {EXPECTED}. {mend}")
    for start, what, mend in OTHERS:
        if re.match(start, head, re.S):
            raise UserError(f"{title}: found {what}, expected {EXPECTED}. {mend}")
    return "csv"
