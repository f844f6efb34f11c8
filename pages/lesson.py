"""What is a leverage score, why does it depend on the representation, and why does it find
outliers? A lesson in nine chapters.

Everything comes with the app or is computed in the browser: the page asks no worker for anything.
"""

import streamlit as st

from core.strategy import Knob
from pages.parts.lesson import (
    chapter_frame,
    chapters_digits,
    chapters_regression,
    chapters_representations,
    chapters_usefulness,
)
from pages.parts.lesson.chapter_frame import Chapter
from pages.parts.lesson.material import material
from pages.shared import cached, layout, state

PAGE = chapter_frame.PAGE
CHAPTERS = (
    Chapter(
        "A line and a lever",
        "Which point holds the line?",
        chapters_regression.line_lead,
        chapters_regression.line,
    ),
    Chapter(
        "Two regressors",
        "What is far, in two directions?",
        chapters_regression.ellipse_lead,
        chapters_regression.ellipse,
    ),
    Chapter(
        "Digits are points",
        "Which digit sticks out?",
        chapters_digits.plane_lead,
        chapters_digits.plane,
    ),
    Chapter(
        "784 directions",
        "Who owns a direction?",
        chapters_digits.directions_lead,
        chapters_digits.directions,
    ),
    Chapter(
        "Another representation",
        "Does a digit keep its place?",
        chapters_representations.representation_lead,
        chapters_representations.representation,
    ),
    Chapter(
        "Agreement",
        "Do they agree?",
        chapters_representations.agreement_lead,
        chapters_representations.agree,
    ),
    Chapter(
        "Usefulness", "Do they help?", chapters_usefulness.help_lead, chapters_usefulness.helps
    ),
    Chapter(
        "Beyond leverage",
        "What else can a strategy look at?",
        chapters_usefulness.family_lead,
        chapters_usefulness.family,
    ),
    Chapter(
        "What we take away",
        "What do we take away?",
        chapters_usefulness.take_away_lead,
        chapters_usefulness.take_away,
    ),
)
VIEW_KNOBS = {
    "chapter": Knob("Chapter", name="chapter", kind=int, low=1, high=len(CHAPTERS), default=1),
    "talk": Knob("Talk mode", name="talk", kind=int, low=0, high=1, default=0),
}

cached.prepare_server()
spec, view = state.arrive(PAGE, VIEW_KNOBS)
number = view["chapter"]
talk = bool(view["talk"])
link = state.leave(PAGE, VIEW_KNOBS, spec, view)
chapter = CHAPTERS[number - 1]
reader = layout.link_of({name: value for name, value in link.items() if name != "talk"})
sentence = chapter_frame.opening(chapter, number, len(CHAPTERS), talk, reader)
layout.messages(state.problems())
with layout.explained():
    told = material()
    with sentence:
        layout.answer(chapter.lead(told))
    with st.container(key="lesson"):
        chapter.body(told, talk)
chapter_frame.closing(number, [chapter.name for chapter in CHAPTERS], talk)
