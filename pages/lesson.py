"""What is a leverage score, why does it depend on the representation, and why does it find outliers? A lesson in nine chapters.

Everything comes with the app or is computed in the browser: the page asks no worker for anything.
"""

import streamlit as st

from core.strategy import Knob
from pages.shared import cached, lesson_digits, lesson_regression, lesson_seen, lesson_stage, lesson_use, parts, state
from pages.shared.lesson_material import material
from pages.shared.lesson_stage import Chapter

PAGE = lesson_stage.PAGE
CHAPTERS = (
    Chapter("A line and a lever", "Which point holds the line?", lesson_regression.line_lead, lesson_regression.line),
    Chapter("Two regressors", "What is far, in two directions?", lesson_regression.ellipse_lead, lesson_regression.ellipse),
    Chapter("Digits are points", "Which digit sticks out?", lesson_digits.plane_lead, lesson_digits.plane),
    Chapter("784 directions", "Who owns a direction?", lesson_digits.directions_lead, lesson_digits.directions),
    Chapter("Another representation", "Does a digit keep its place?", lesson_seen.representation_lead, lesson_seen.representation),
    Chapter("Agreement", "Do they agree?", lesson_seen.agreement_lead, lesson_seen.agree),
    Chapter("Usefulness", "Do they help?", lesson_use.help_lead, lesson_use.helps),
    Chapter("Beyond leverage", "What else can a strategy look at?", lesson_use.family_lead, lesson_use.family),
    Chapter("What we take away", "What do we take away?", lesson_use.take_away_lead, lesson_use.take_away),
)
VIEW = {
    "chapter": Knob("Chapter", name="chapter", kind=int, low=1, high=len(CHAPTERS), default=1),
    "talk": Knob("Talk mode", name="talk", kind=int, low=0, high=1, default=0),
}

cached.warm()
spec, view = state.arrive(PAGE, VIEW)
number, talk = view["chapter"], bool(view["talk"])
link = state.leave(PAGE, VIEW, spec, view)
chapter = CHAPTERS[number - 1]
reader = parts.link_of({name: value for name, value in link.items() if name != "talk"})
sentence = lesson_stage.opening(chapter, number, len(CHAPTERS), talk, reader)
parts.messages(state.problems())
with parts.explained():
    told = material()
    with sentence:
        parts.answer(chapter.lead(told))
    with st.container(key="lesson"):
        chapter.body(told, talk)
lesson_stage.closing(number, [chapter.name for chapter in CHAPTERS], talk)
