"""The lesson's stage: how a chapter opens and closes, in a reader's hand or on a projector.

Talk mode: one chapter per screen, large type, no sidebar, the keys of a presenter's clicker, and a
code that takes a phone to the same chapter. Next first shows what a chapter still holds back. With
notes=1 the speaker's own screen has a line for them: a sentence, and the time.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import segno
import streamlit as st

from pages.parts.lesson import audience, quiz
from pages.parts.lesson.material import Material
from pages.shared import layout, state

PAGE = "lesson"
KEYS = "lesson keys"
DESIGNED = 720  # pixels: the height for which a talk's chapters are laid out

_STYLE = layout.style(Path(__file__).with_name("chapter_frame.css"))
_TALK = layout.style(Path(__file__).with_name("talk_mode.css"))
_NOTES = layout.style(Path(__file__).with_name("talk_notes.css"))

_mount_keys = st.components.v2.component(
    "leverage_lab_lesson_keys",
    html='<p class="keys" hidden><span class="note"></span> <span class="time"></span></p>',
    css=Path(__file__).with_name("keys.css").read_text("utf-8"),
    js=Path(__file__).with_name("keys.js").read_text("utf-8"),
)


@dataclass(frozen=True)
class Chapter:
    """A chapter of the lesson: one idea, one action, one picture, one sentence to take home.

    slug       its name in links
    name       in the list of chapters
    question   its title
    lead       the sentence under it: the idea and what to do; *stars* make bold
    body       takes the material and whether it is shown as a talk, draws one picture and asks at
               most one question
    home       the computed sentence to take home; None if the one under the title is it
    note       what the speaker says
    asks       the question that it asks; its sentence to take home waits for the answer
    steps      what a talk shows after that before it goes on
    """

    slug: str
    name: str
    question: str
    lead: Callable[[Material], str]
    body: Callable[[Material, bool], None]
    home: Callable[[Material], str] | None
    note: str
    asks: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()

    @property
    def waiting(self) -> list[str]:
        """What a talk still holds back of it, in order."""
        return [name for name in (*self.asks, *self.steps) if not quiz.revealed(name)]


def opening(chapter: Chapter, place: int, chapters: int, talk: bool, notes: bool) -> Any:
    """The chapter's place and name, its question as the title.

    In talk mode with the address for the audience, and its code. Returns the place of the sentence
    under the title.
    """
    st.html(_STYLE + (_TALK if talk else "") + (_NOTES if notes else ""))
    link = audience.address(PAGE, f"chapter={chapter.slug}") if talk else None
    title, code = st.columns([6, 1]) if link else (st.container(), None)
    kicker = f"<span>{place} of {chapters} · {html.escape(chapter.name)}</span>"
    with title, st.container(gap=None, key="opening"):
        st.html(f'<p class="kicker">{kicker}{_audience(link) if talk else ""}</p>')
        layout.head(chapter.question)
        sentence = st.container()
    if code:
        with code:
            st.html(qr(link))
    return sentence


def _audience(link: str | None) -> str:
    """The audience's address in letters, or why there is none."""
    if link:
        return f'<span class="address">{html.escape(link.removeprefix("http://"))}</span>'
    return (
        '<span class="unreachable" role="status">Only this machine can open it. For all:'
        f" <code>{audience.OPENS}</code></span>"
    )


def take_home(chapter: Chapter, material: Material) -> None:
    """The sentence to take home, once the chapter's question is answered."""
    if chapter.home and all(quiz.revealed(name) for name in chapter.asks):
        parts = html.escape(_home(chapter.slug, chapter.home, material)).split("*")
        marked = "".join(f"<b>{part}</b>" if i % 2 else part for i, part in enumerate(parts))
        st.html(f'<p class="home"><span>Take home</span> {marked}</p>')


@st.cache_resource(show_spinner=False)
def _home(slug: str, _home: Callable[[Material], str], _material: Material) -> str:
    """The sentence, computed once per server: nobody can change what it is made of."""
    return _home(_material)


def closing(chapters: Sequence[Chapter], place: int, talk: bool, notes: bool) -> None:
    """Where to go from here: the chapter before or after, any chapter, and the two modes."""
    chapter = chapters[place]
    slugs = [one.slug for one in chapters]
    with st.container(
        horizontal=True,
        vertical_alignment="center",
        horizontal_alignment="distribute",
        key="lesson-nav",
    ):
        quiet = "tertiary" if talk else "secondary"
        st.button(
            "Back",
            on_click=_to,
            args=(slugs[max(0, place - 1)],),
            disabled=place == 0,
            type=quiet,
            key="lesson back",
        )
        if not talk:
            _any_chapter(chapters, place)
        st.button(
            "Leave talk mode" if talk else "Talk mode",
            on_click=_talk,
            args=(not talk,),
            type="tertiary",
            key="lesson-talk-mode",
        )
        held = chapter.waiting if talk else []
        last = place == len(chapters) - 1
        following = "Start again" if last else f"Next: {chapters[place + 1].name}"
        st.button(
            ("Show the answer" if held[0] in chapter.asks else "Show more") if held else following,
            on_click=_on,
            args=(chapter if held else None, slugs[(place + 1) % len(slugs)]),
            type=quiet if talk else "primary",
            key="lesson next",
        )
    _keys(chapters, place, talk, chapter.note if talk and notes else "")


def _any_chapter(chapters: Sequence[Chapter], place: int) -> None:
    slugs = [one.slug for one in chapters]
    key = state.key(f"chapter {slugs[place]}")
    st.selectbox(
        "Chapter",
        slugs,
        index=place,
        format_func=lambda slug: f"{slugs.index(slug) + 1}. {chapters[slugs.index(slug)].name}",
        label_visibility="collapsed",
        filter_mode=None,
        key=key,
        on_change=lambda: _to(st.session_state[key]),
    )


def _keys(chapters: Sequence[Chapter], place: int, talk: bool, note: str) -> None:
    with st.container(key="keys"):
        _mount_keys(
            key=KEYS,
            data={"chapter": chapters[place].slug, "talk": talk, "note": note},
            on_move_change=lambda: _pressed(chapters),
            on_height_change=_nothing,
        )


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


def _pressed(chapters: Sequence[Chapter]) -> None:
    """A key: from the chapter that is shown when it arrives, since keys may come two at a time."""
    pressed = st.session_state[KEYS].move
    slugs = [one.slug for one in chapters]
    now = st.session_state.get(f"view {PAGE}", {}).get("chapter", slugs[0])
    place = slugs.index(now)
    if pressed == "leave":
        _talk(False)
    elif pressed == "back":
        _to(slugs[max(0, place - 1)])
    elif pressed == "next":
        _on(chapters[place], slugs[min(place + 1, len(slugs) - 1)])


def _on(held: Chapter | None, following: str) -> None:
    """For callbacks: what this chapter holds back, else the following one."""
    if held and held.waiting:
        quiz.show(held.waiting[0])
    else:
        _to(following)


def _to(slug: str) -> None:
    state.change_view(PAGE, chapter=slug)


def _talk(on: bool) -> None:
    state.change_view(PAGE, talk=int(on))
