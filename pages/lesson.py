"""What is a leverage score, why does it depend on the representation, why does it find outliers,
and where does it help? A lesson in short chapters.

Everything comes with the app or is computed in the browser: the page asks no worker for anything.
"""

import streamlit as st

from core.strategy import Knob
from pages.parts.lesson import chapter_frame
from pages.parts.lesson.chapters import CHAPTERS, OLD_NUMBERS, SLUGS
from pages.parts.lesson.material import material
from pages.shared import cached, layout, state

PAGE = chapter_frame.PAGE
VIEW_KNOBS = {
    "chapter": Knob("Chapter", name="chapter", kind=str, choices=SLUGS, default=SLUGS[0]),
    "talk": Knob("Talk mode", name="talk", kind=int, low=0, high=1, default=0),
    "notes": Knob("Speaker's line", name="notes", kind=int, low=0, high=1, default=0),
}

cached.prepare_server()
if (old := st.query_params.get("chapter")) in OLD_NUMBERS:
    st.query_params["chapter"] = OLD_NUMBERS[old]
spec, view = state.arrive(PAGE, VIEW_KNOBS)
talk = bool(view["talk"])
notes = talk and bool(view["notes"])
state.leave(PAGE, VIEW_KNOBS, spec, view)
place = SLUGS.index(view["chapter"])
chapter = CHAPTERS[place]
sentence = chapter_frame.opening(chapter, place + 1, len(CHAPTERS), talk, notes)
layout.messages(state.problems())
with layout.explained():
    told = material()
    with sentence:
        layout.answer(chapter.lead(told))
    with st.container(key="lesson"):
        chapter.body(told, talk)
        chapter_frame.take_home(chapter, told)
chapter_frame.closing(CHAPTERS, place, talk, notes)
