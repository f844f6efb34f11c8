"""What is a leverage score, why does it depend on the representation, and why does it find
outliers? A lesson in nine chapters.

Everything comes with the app or is computed in the browser: the page asks no worker for anything.
"""

import streamlit as st

from core.strategy import Knob
from pages.parts.lesson import digits as lesson_digits
from pages.parts.lesson import regression as lesson_regression
from pages.parts.lesson import representations as lesson_seen
from pages.parts.lesson import stage as lesson_stage
from pages.parts.lesson import usefulness as lesson_use
from pages.parts.lesson.material import material
from pages.parts.lesson.stage import Chapter
from pages.shared import cached, layout, state

PAGE = lesson_stage.PAGE
CHAPTERS = (
    Chapter(
        "A line and a lever",
        "Which point holds the line?",
        lesson_regression.line_lead,
        lesson_regression.line,
    ),
    Chapter(
        "Two regressors",
        "What is far, in two directions?",
        lesson_regression.ellipse_lead,
        lesson_regression.ellipse,
    ),
    Chapter(
        "Digits are points",
        "Which digit sticks out?",
        lesson_digits.plane_lead,
        lesson_digits.plane,
    ),
    Chapter(
        "784 directions",
        "Who owns a direction?",
        lesson_digits.directions_lead,
        lesson_digits.directions,
    ),
    Chapter(
        "Another representation",
        "Does a digit keep its place?",
        lesson_seen.representation_lead,
        lesson_seen.representation,
    ),
    Chapter("Agreement", "Do they agree?", lesson_seen.agreement_lead, lesson_seen.agree),
    Chapter("Usefulness", "Do they help?", lesson_use.help_lead, lesson_use.helps),
    Chapter(
        "Beyond leverage",
        "What else can a strategy look at?",
        lesson_use.family_lead,
        lesson_use.family,
    ),
    Chapter(
        "What we take away",
        "What do we take away?",
        lesson_use.take_away_lead,
        lesson_use.take_away,
    ),
)
VIEW = {
    "chapter": Knob("Chapter", name="chapter", kind=int, low=1, high=len(CHAPTERS), default=1),
    "talk": Knob("Talk mode", name="talk", kind=int, low=0, high=1, default=0),
}

cached.warm()
spec, view = state.arrive(PAGE, VIEW)
number = view["chapter"]
talk = bool(view["talk"])
link = state.leave(PAGE, VIEW, spec, view)
chapter = CHAPTERS[number - 1]
reader = layout.link_of({name: value for name, value in link.items() if name != "talk"})
sentence = lesson_stage.opening(chapter, number, len(CHAPTERS), talk, reader)
layout.messages(state.problems())
with layout.explained():
    told = material()
    with sentence:
        layout.answer(chapter.lead(told))
    with st.container(key="lesson"):
        chapter.body(told, talk)
lesson_stage.closing(number, [chapter.name for chapter in CHAPTERS], talk)
