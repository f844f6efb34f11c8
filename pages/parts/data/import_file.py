"""Data in: a file or a folder is read, shown with its faults and their mends, and kept."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image

from core import datasets
from core.data import own
from core.data.imports import read_file
from core.data.imports.draft import Choices, Draft, Fault
from core.data.imports.draft_preview import Preview, preview
from core.data.imports.file_limits import HOSTED, LOCAL
from core.hosting import policy
from core.spec import first_look
from core.types import UserError
from pages.parts.data import column_roles
from pages.shared import layout, state, visitor_memory
from pages.shared.points import show as show_points
from pages.shared.serving import known_hosts, turns
from pages.shared.words import bytes_text, plain

TYPES = ["zip", "npz", "npy", "parquet", "csv", "tsv", "txt", "data", "gz", "jsonl"]
SIDES = (16, 28, 32, 48, 64, 96, 128, 256)
SEEN = 32  # points of the preview
FORMATS = (
    (
        "zip",
        (
            "Images (PNG, JPEG, WebP, BMP; any sizes, grey or colour), one folder for each class."
            " A table beside them may hold labels or a target. `train/`, `test/` are your parts."
        ),
    ),
    (
        "npz",
        (
            "`images` (n, height, width) or (n, height, width, 3), or `features` (n, d). With them,"
            " as you have them: `labels`, `ids`, `probs`, `test`, and numbers under any name as the"
            " target of a regression; or parts such as `x_train` and `y_train`."
        ),
    ),
    ("npy", "Features (n, d), or images as above. No labels, no target."),
    (
        "parquet, .csv",
        (
            "A row for each point, a column for each feature. With them, as you have them: columns"
            " `label`, `id`, `split` (train, test), `prob_<class>`. Features may lie in one column"
            " of lists. What each column is taken for is shown, and can be changed."
        ),
    ),
)
_one_at_a_time = threading.Lock()  # reading takes memory: on a host visitors take turns
GAPS = {
    None: "as found",
    "rows": "leave out rows",
    "columns": "leave out columns",
    "median": "fill by the median",
}


def show() -> None:
    """Choose a file, look at what is in it, keep it."""
    source, name = _chosen()
    if source is None:
        with st.expander("How the file may look", expanded=not own.names()):
            st.markdown("  \n".join(f"**.{kind}** — {holds}" for kind, holds in FORMATS))
            st.download_button(
                "An example: 200 digits in folders (zip)",
                _example,
                "digits.zip",
                "application/zip",
                on_click="ignore",
                key="example zip",
            )
        return
    draft = read(source, name, Choices(), "bring")
    if (draft.kind == "images" or draft.columns) and (choices := _choices(draft)) != Choices():
        draft = _as_chosen(source, name, choices, draft)
    about = preview(draft)
    tell(about.faults)
    _facts(draft, about)
    _keep(draft, about)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _some_points(draft)
    with right:
        column_roles.show(draft, "bring")
        _classes(about)


def _as_chosen(source: bytes | Path, name: str, choices: Choices, found: Draft) -> Draft:
    """The draft with the user's choices; what was found, and why, if one of them cannot be."""
    try:
        draft = read(source, name, choices, "bring chosen")
    except UserError as error:
        fault = Fault(str(error), "Choose something else.", fatal=True)
        return replace(found, faults=(fault, *found.faults))
    st.session_state["read bring"] = st.session_state["read bring chosen"]
    return draft


def read(source: bytes | Path, name: str, choices: Choices, room: str) -> Draft:
    """The draft, kept until another file or another choice comes; with progress.

    A UserError where it cannot be read.
    """
    mark = (
        hashlib.blake2b(source, digest_size=16).hexdigest()
        if isinstance(source, bytes)
        else str(source)
    )
    st.session_state[f"read {room}"] = mark
    wanted = mark, name, choices
    if (kept := visitor_memory.get(room, wanted)) is not None:
        return kept
    bar = st.progress(0.0, f"Reading {name}")
    try:
        with turns.aside(), _one_at_a_time:
            limits = HOSTED if policy.hosted() else LOCAL
            draft = read_file.read(
                source,
                name,
                limits=limits,
                choices=choices,
                progress=lambda f, text: bar.progress(f or 0.0, text),
            )
    finally:
        bar.empty()
    visitor_memory.put(
        room,
        wanted,
        draft,
        sum(array.nbytes for array in (draft.points, draft.ids, draft.target) if array is not None),
    )
    return draft


def forget(room: str) -> None:
    """Let go of the draft and of the file, so that the next one can come."""
    visitor_memory.forget(room)
    visitor_memory.forget(f"{room} chosen")
    st.session_state[f"files {room}"] = st.session_state.get(f"files {room}", 0) + 1


def uploaded(
    label: str, room: str, help: str, types: list[str] = TYPES
) -> tuple[bytes | None, str]:
    """The content and the name of the file that was dropped; (None, "") before."""
    key = f"upload {room} {st.session_state.get(f'files {room}', 0)}"
    most = policy.BOUNDS.upload_mb if policy.hosted() else None
    file = st.file_uploader(label, types, key=key, help=help, max_upload_size=most)
    return (file.getvalue(), file.name) if file is not None else (None, "")


def pressed(label: str, room: str, disabled: bool) -> bool:
    """The button that keeps what was read from the room's file, and whether it was pressed for it.

    The press is taken by a callback: a run that the next one interrupts would lose it.
    """
    file = st.session_state[f"read {room}"]
    st.button(
        label,
        on_click=_press,
        args=(room, file),
        type="primary",
        disabled=disabled,
        key=f"keep {room} {file}",
    )
    return st.session_state.pop(f"pressed {room}", None) == file


def _press(room: str, file: str) -> None:
    st.session_state[f"pressed {room}"] = file


def tell(faults: tuple[Fault, ...]) -> None:
    """Each fault with its mend: first those that keep the file out, then the others, together."""
    for fault in faults:
        if fault.fatal:
            st.error(plain(str(fault)))
    lines = [
        f"- **{plain(fault.what)}** {plain(fault.mend)}" for fault in faults if not fault.fatal
    ]
    if lines:
        st.warning("\n".join(lines))


def _chosen() -> tuple[bytes | Path | None, str]:
    help = "Nothing is kept before you have seen what is in it." + (
        " It goes when your visit ends." if policy.hosted() else ""
    )
    content, name = uploaded("Drop a file: images in a zip, arrays, or a table", "bring", help)
    if content is not None or policy.hosted():
        return content, name
    if not known_hosts.asked_by_name():
        st.caption("A path on this machine can be named where `streamlit run app.py` runs the app.")
        return None, ""
    typed = st.text_input(
        "Or the path of a folder or file on this machine",
        key=f"path {st.session_state.get('files bring', 0)}",
    ).strip()
    if not typed:
        return None, ""
    place = Path(typed).expanduser()
    if not place.exists():
        raise UserError(
            f"Path: found nothing at {place}, expected a folder of images or a file."
            " Check how it is written."
        )
    return place, place.name


def _choices(draft: Draft) -> Choices:
    """What the user may decide: the size of images, the columns of labels, ids and a target."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        side = None
        if draft.kind == "images":
            now = max(draft.points.shape[1:3])
            most = (HOSTED if policy.hosted() else LOCAL).side
            sides = sorted({*(side for side in SIDES if side <= most), now})
            help = (
                "Every image becomes a square of so many pixels, its shape kept. Networks and"
                " leverage see these pixels."
            )
            if len(set(draft.sides)) > 1 or now > 28:
                side = _choice("Pixels a side", sides, now, help, str)
        if not draft.columns:
            return Choices(side)
        return Choices(
            side,
            _column("Labels", draft),
            _column("Ids", draft),
            _target(draft),
            roles=column_roles.changed("bring"),
            header=_header() if "header" in draft.asks else None,
            gaps=_gaps() if "gaps" in draft.asks else None,
            marks_are_classes="marks" in draft.asks and _marks(),
        )


def _target(draft: Draft) -> str | None:
    help = (
        "Numbers that a regression is to learn, such as a price or a year: the Active page asks for"
        " them point by point. They are no feature then."
    )
    options = ["", *draft.columns]
    return _choice("Target", options, "", help, lambda name: name or "none") or None


def _header() -> bool | None:
    help = "Does the first line name the columns, or is it a row like the others?"
    titles = {None: "as found", True: "names", False: "a row"}
    return _choice("First line", list(titles), None, help, titles.get)


def _gaps() -> str | None:
    help = (
        "Where a table has no number: leave out these rows, or these columns, or fill in the median"
        " of the column, which is made up and marked."
    )
    return _choice("Gaps", list(GAPS), None, help, GAPS.get)


def _marks() -> bool:
    help = "Labels such as -1, NA or ? usually mean that a point has no label yet."
    titles = {False: "no label yet", True: "classes"}
    return _choice("-1, NA, ?", list(titles), False, help, titles.get)


def _column(title: str, draft: Draft) -> str | None:
    found = "as found"
    options = [found, "", *draft.columns]
    chosen = _choice(
        title,
        options,
        found,
        f"The column that holds the {title.lower()}.",
        lambda name: name or "none",
    )
    return None if chosen == found else chosen


def _choice(label: str, options: list, now, help: str, title):
    key = f"{label} {st.session_state.get('files bring', 0)}"
    return st.selectbox(
        label, options, options.index(now), format_func=title, help=help, key=key, width=200
    )


def _facts(draft: Draft, about: Preview) -> None:
    shape = " x ".join(f"{size:,}" for size in about.shape)
    pairs = [
        (
            "images" if draft.kind == "images" else "rows",
            f"{about.rows:,}",
            "How many points there are",
        ),
        ("pixels" if draft.kind == "images" else "features", shape, "What describes each point"),
        (
            "classes",
            f"{len(about.classes):,}" if about.classes else "no labels",
            "How many different labels there are",
        ),
        (
            "without a label",
            f"{int((draft.labels < 0).sum()) if about.classes else 0:,}",
            "Points that have no label yet",
        ),
        (
            "target",
            "{:.4g} to {:.4g}".format(*about.target) if about.target else "0",
            "The numbers that a regression is to learn",
        ),
        (
            "test points",
            f"{about.test_rows:,}",
            (
                "Points of a test part;"
                " without one a fifth of the points is held out where it is needed"
            ),
        ),
        ("left out", f"{about.left_out:,}", "Rows that cannot be used"),
        ("duplicates", f"{about.duplicates:,}", "Points equal to an earlier one"),
        (
            "constant columns",
            f"{about.constant:,}",
            "Pixels or features with the same value everywhere",
        ),
        ("memory", bytes_text(about.memory), "What the points take in memory as an embedding"),
    ]
    layout.facts([pair for pair in pairs if pair[1] != "0"])


def _some_points(draft: Draft) -> None:
    data = draft.dataset()
    points = np.unique(np.linspace(0, len(data) - 1, min(SEEN, len(data))).astype(int))
    st.markdown(f"**{len(points)} of them**, evenly from first to last")
    show_points(
        data,
        points,
        alt=f"{len(points)} of the points in the file",
        key="preview points",
        size=64,
        ragged=True,
    )


def _classes(about: Preview) -> None:
    if not about.classes:
        st.markdown("**No labels**")
        st.caption(
            "Leverage, density and random embeddings need none."
            " What learns from labels will say so."
            + (" Active learning can learn the target." if about.target else "")
        )
        return
    st.markdown("**Points of each class**")
    most = max(count for _, count in about.classes)
    bar = st.column_config.ProgressColumn("points", format="%d", min_value=0, max_value=most)
    table = {
        "class": [name for name, _ in about.classes],
        "points": [count for _, count in about.classes],
    }
    st.dataframe(
        table,
        hide_index=True,
        column_config={"points": bar},
        height=min(35 * (len(about.classes) + 1) + 3, 420),
    )


def _keep(draft: Draft, about: Preview) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        title = st.text_input(
            "Name", draft.title, max_chars=own.LONGEST_TITLE, key=f"title {draft.title}", width=320
        )
        kept = pressed("Keep it", "bring", about.fatal)
    if kept:
        name = own.accept(draft.dataset(), title)
        forget("bring")
        st.session_state["brought"] = name
        st.session_state["spec"] = first_look(datasets.info(name)).spec
        state.renew()
        st.rerun()


def _example() -> bytes:
    """Two hundred digits as a zip of class folders."""
    data = datasets.load("digits", n=200)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for row, image, label in zip(data.index, data.points, data.labels, strict=True):
            buffer = io.BytesIO()
            Image.fromarray(255 - image).save(buffer, "PNG")
            archive.writestr(f"digits/{data.class_names[label]}/{row:04}.png", buffer.getvalue())
    return packed.getvalue()
