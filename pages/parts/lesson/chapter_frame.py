"""The lesson's stage: how a chapter opens and closes, in a reader's hand or on a projector.

Talk mode: one chapter per screen, large type, no sidebar, arrow keys, and a code that takes a phone
to the same chapter.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import segno
import streamlit as st

from pages.parts.lesson.material import Material
from pages.shared import layout, state

PAGE = "lesson"
KEYS = "lesson keys"
DESIGNED = 720  # pixels: the height for which a talk's chapters are laid out

_STYLE = layout.style(Path(__file__).with_name("chapter_frame.css"))
_TALK = layout.style(Path(__file__).with_name("talk_mode.css"))

_mount_keys = st.components.v2.component(
    "leverage_lab_lesson_keys",
    html='<span hidden class="keys"></span>',
    js=Path(__file__).with_name("keys.js").read_text("utf-8"),
)


@dataclass(frozen=True)
class Chapter:
    """A chapter of the lesson.

    name       in the list of chapters
    question   its title
    lead       the computed sentence under it; *stars* make bold
    body       the rest: takes the material and whether it is shown as a talk, draws one picture
               and asks at most one question
    """

    name: str
    question: str
    lead: Callable[[Material], str]
    body: Callable[[Material, bool], None]


def opening(chapter: Chapter, number: int, chapters: int, talk: bool, link: str) -> Any:
    """The chapter's number and name, its question as the title.

    In talk mode with the code of the reader's link beside it. Returns the place of the sentence
    under the title.
    """
    st.html(_STYLE + (_TALK if talk else ""))
    title, code = st.columns([6, 1]) if talk else (st.container(), None)
    with title, st.container(gap=None, key="opening"):
        st.html(f'<p class="kicker">{number} of {chapters} · {chapter.name}</p>')
        layout.head(chapter.question)
        sentence = st.container()
    if code:
        with code:
            st.html(qr(link))
    return sentence


def closing(chapter: int, names: list[str], talk: bool) -> None:
    """Where to go from here: the chapter before or after, any chapter, and the two modes."""
    with st.container(
        horizontal=True,
        vertical_alignment="center",
        horizontal_alignment="distribute",
        key="lesson-nav",
    ):
        last = chapter == len(names)
        quiet = "tertiary" if talk else "secondary"
        st.button(
            "Back",
            on_click=move,
            args=("back", len(names)),
            disabled=chapter == 1,
            type=quiet,
            key="lesson back",
        )
        if not talk:
            st.pills(
                "Chapter",
                range(1, len(names) + 1),
                default=chapter,
                label_visibility="collapsed",
                required=True,
                key=state.key(f"chapter {chapter}"),
                on_change=_jump,
                args=(state.key(f"chapter {chapter}"),),
            )
        st.button(
            "Leave talk mode" if talk else "Talk mode",
            on_click=_talk,
            args=(not talk,),
            type="tertiary",
            key="lesson-talk-mode",
        )
        following = "Start again" if last else f"Next: {names[chapter]}"
        st.button(
            following,
            on_click=move,
            args=("next", len(names)),
            type=quiet if talk else "primary",
            key="lesson next",
        )
    with st.container(key="keys"):
        given = {"chapter": chapter, "talk": talk}
        _mount_keys(
            key=KEYS,
            data=given,
            on_move_change=lambda: _pressed(len(names)),
            on_height_change=_nothing,
        )


def move(where: str, chapters: int) -> None:
    """For callbacks: to the next chapter, or back; after the last one comes the first."""
    chapter = st.session_state.get(f"view {PAGE}", {}).get("chapter", 1)
    target = chapter % chapters + 1 if where == "next" else max(1, chapter - 1)
    state.change_view(PAGE, chapter=target)


@st.cache_data(show_spinner=False, max_entries=256)
def qr(link: str) -> str:
    """The link as a QR code for st.html, black on white in both themes, with its quiet zone."""
    code = segno.make(link, error="m", micro=False)
    drawn = code.svg_data_uri(border=4, omitsize=True, light="#FFFFFF", dark="#000000")
    return f'<img class="code" alt="QR code of {html.escape(link)}" src="{drawn}">'


def scale(talk: bool) -> float:
    """How much larger pictures of a fixed size are drawn than on a screen 720 pixels high.

    1 for readers.
    """
    told = st.session_state.get(KEYS)
    height = getattr(told, "height", None) if talk else None
    return max(0.8, (height or DESIGNED) / DESIGNED)


def _nothing() -> None:
    """Streamlit names a state in the result only where it has a callback."""


def _pressed(chapters: int) -> None:
    pressed = st.session_state[KEYS].move
    if pressed == "leave":
        _talk(False)
    elif pressed in ("next", "back") and not (
        pressed == "next" and st.session_state[f"view {PAGE}"]["chapter"] == chapters
    ):
        move(pressed, chapters)


def _jump(key: str) -> None:
    if st.session_state[key]:
        state.change_view(PAGE, chapter=st.session_state[key])


def _talk(on: bool) -> None:
    state.change_view(PAGE, talk=int(on))
