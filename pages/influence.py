"""What would happen without this point, or with it?

Utilities predicted by influence functions, against those of really retrained heads.
"""

import streamlit as st

from core.experiments import store
from core.experiments.influence import plan as influence
from core.experiments.influence.units import LEAST
from core.strategies.goal import OVER
from core.strategy import Knob
from pages.parts.influence import controls, files, how_to_read, pictures, verdict, words
from pages.shared import cached, layout, pickers, state
from pages.shared.experiments import experiment_page, verdict_box

PAGE = "influence"
VIEW_KNOBS = {
    "study": Knob(
        "Study", name="study", kind=str, choices=tuple(influence.STUDIES), default="utilities"
    ),
    **influence.QUERY_KNOBS,
    **influence.UTILITY_KNOBS,
    "over": Knob("Unknown label", name="over", kind=str, choices=OVER, default="oracle"),
    "temperature": Knob(
        "Temperature", name="temperature", kind=float, low=0.01, high=100, default=1.0
    ),
    "show": Knob("Show", name="show", kind=str, choices=tuple(words.SHOWN), default="scatter"),
    "follow": Knob(
        "Follow", name="follow", kind=str, choices=tuple(words.FOLLOWED), default="curves"
    ),
    "seed_shown": Knob("Seed shown", name="seed_shown", kind=int, low=1, high=20, default=1),
    "round": Knob("Round", name="round", kind=int, low=0, default=0),
    "point": Knob("Point", name="point", kind=int, optional=True, low=0, default=None),
    **verdict_box.KNOBS,
    "job": Knob("Job", name="job", kind=str, default=""),
}

EXPERIMENT_PAGE = experiment_page.ExperimentPage(
    PAGE, VIEW_KNOBS, controls.plan_that_fits, controls.show_plan, least=LEAST
)

cached.prepare_server()
spec, view = state.arrive(PAGE, VIEW_KNOBS)
spec = pickers.shared_choice(spec)
layout.head("What would happen without this point, or with it?")
answer = st.container()
data = EXPERIMENT_PAGE.points(spec, view)
view = controls.widgets(view)
plan, view = EXPERIMENT_PAGE.plan(spec, view, data)

found = store.outcomes(plan, data.fingerprint)
if found:
    view = pictures.choice(plan, found, view)
    with answer:
        view = verdict.answer(plan, found, view, data)
    view = pictures.picture(plan, found, view, data)
else:
    experiment_page.nothing_yet(plan, data.fingerprint)
experiment_page.reading(how_to_read.READING[plan.study])
EXPERIMENT_PAGE.foot(spec, view, data, lambda: files.downloads(plan, data, found, view))
