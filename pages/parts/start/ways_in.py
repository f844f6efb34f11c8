"""The first page's words and links: what this is, the lesson, a picture's frame, all pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from pages.shared import contents, layout

STYLE = layout.style(Path(__file__).with_name("ways_in.css"))
WHAT = (
    "*Leverage Lab* shows which points of a dataset stand out, whether another way of looking at"
    " them picks the same ones, and whether training on those points helps. It is for whoever"
    " decides which data to label or to keep, and for whoever teaches, or doubts, the scores that"
    " decide it."
)


def welcome() -> None:
    """What this is and for whom, and the way to begin."""
    st.html(STYLE)
    layout.answer(WHAT)
    lesson = contents.PAGES["lesson"]
    with st.container(horizontal=True, vertical_alignment="center", key="begin"):
        layout.onward(lesson.name, "Start with the lesson", lesson.icon, {})
        st.markdown("Drag a line, predict, look: from one line to 70,000 digits.", width="content")


@contextmanager
def picture(page: str, question: str) -> Iterator[None]:
    """Around a picture and its sentence: the question above, the way to the page below."""
    entry = contents.PAGES[page]
    st.subheader(question, anchor=False)
    yield
    with st.container(key=f"way-{page}"):
        layout.onward(page, f"More in {entry.title}", entry.icon, {})


def all_pages() -> None:
    """Every page with its question, by what a reader wants."""
    with st.container(key="all-pages"):
        st.subheader("All pages", anchor=False)
        columns = st.columns(2, gap="medium")
        half = len(contents.SECTIONS) / 2
        for i, (section, entries) in enumerate(contents.SECTIONS.items()):
            with columns[int(i >= half)]:
                st.markdown(f"**{section}**")
                for entry in entries:
                    if entry.name != contents.FIRST:
                        label = f"**{entry.title}** {entry.question}"
                        layout.onward(entry.name, label, entry.icon, {})


def not_yet() -> None:
    """In place of a picture whose result does not come with today's code."""
    st.info("Not computed with this version of the code. Its page computes it.")
