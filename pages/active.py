"""Which points would you label next?

Rounds of active learning: strategies against random, from a hundred labels on.
"""

import streamlit as st

from core.experiments import store
from core.experiments.active import plan as active
from core.strategy import Knob
from pages.parts.active import pictures as active_pictures
from pages.parts.active import settings as active_parts
from pages.shared import cached, layout, pickers, state
from pages.shared.experiments import experiment_page
from pages.shared.words import noun

PAGE = "active"
VIEW_KNOBS = {
    "strategies": Knob(
        "Strategies", name="strategies", kind=str, default=" ".join(active.Active().strategies)
    ),
    **active.KNOBS,
    "show": Knob(
        "Show", name="show", kind=str, choices=tuple(active_parts.SHOWN), default="curves"
    ),
    "replayed": Knob("Strategy replayed", name="replayed", kind=str, default=""),
    "round": Knob("Round", name="round", kind=int, low=0, default=0),
    "job": Knob("Job", name="job", kind=str, default=""),
}
EXPERIMENT_PAGE = experiment_page.ExperimentPage(
    PAGE, VIEW_KNOBS, active_parts.plan_that_fits, active_parts.show_plan
)

cached.warm()
spec, view = state.arrive(PAGE, VIEW_KNOBS)
view = active_parts.readable(view)
spec = pickers.shared_choice(spec, embedding=False)
layout.head(f"Which {noun(spec.dataset)} would you label next?")
answer = st.container()
data = EXPERIMENT_PAGE.points(spec, view)
view = active_parts.controls(view, data.is_images)
plan, view = EXPERIMENT_PAGE.plan(spec, view, data)

found = store.outcomes(plan, data.fingerprint)
curves = active_parts.curves_of(plan, found)
with answer:
    active_parts.answer(plan, curves)
if found:
    view = active_pictures.picture(plan, curves, view, data)
else:
    st.info(experiment_page.NOTHING)
experiment_page.reading(active_parts.READING)
EXPERIMENT_PAGE.foot(spec, view, data, lambda: active_pictures.downloads(plan, data, curves, found))
