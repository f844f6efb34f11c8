"""Does the model get better without its most harmful points?

Methods that name them, against random removal, and planted damage.
"""

import streamlit as st

from core.experiments import store
from core.experiments.trim import outcomes
from core.experiments.trim import plan as trim
from core.spec import resolve
from core.strategy import Knob
from pages.parts.trim import controls, fi_simulations, how_to_read, pictures, verdict
from pages.shared import cached, layout, pickers, state
from pages.shared.experiments import experiment_page, verdict_box, word_lists
from pages.shared.words import noun

PAGE = "trim"
FIRST = trim.Trim()
VIEW_KNOBS = {
    "methods": Knob(
        "Methods", name="methods", kind=str, default=word_lists.text_of(FIRST, "methods")
    ),
    "budgets": Knob(
        "Budgets", name="budgets", kind=str, default=word_lists.text_of(FIRST, "budgets")
    ),
    **trim.KNOBS,
    "show": Knob("Show", name="show", kind=str, choices=tuple(controls.SHOWN), default="removed"),
    "focus": Knob("Points removed", name="focus", kind=int, low=1, optional=True),
    **fi_simulations.VIEW_KNOBS,
    **verdict_box.KNOBS,
    "job": Knob("Job", name="job", kind=str, default=""),
}
EXPERIMENT_PAGE = experiment_page.ExperimentPage(
    PAGE, VIEW_KNOBS, controls.plan_that_fits, controls.show_plan
)

cached.prepare_server()
spec, view = state.arrive(PAGE, VIEW_KNOBS)
view = word_lists.readable(FIRST, controls.LISTS, view)
spec = pickers.shared_choice(spec, embedding=False)
points = (
    noun(spec.dataset) if resolve(spec).about.is_images else "points"
)  # nobody calls people harmful
view["show"] = pickers.clicked("Show", view["show"], PAGE)
apart = view["show"] in controls.APART  # the paper's simulations, on points of their own
layout.head(f"Is the model better off without its most harmful {'points' if apart else points}?")
answer = st.container()
data = EXPERIMENT_PAGE.points(spec, view)
view = controls.widgets(view, data)
plan, view = EXPERIMENT_PAGE.plan(spec, view, data)

found = store.outcomes(plan, data.fingerprint)
trimmed = outcomes.trimmed_of(plan, found, len(data.class_names))
view["show"] = pickers.segments("Show", controls.SHOWN, view["show"], PAGE)
if apart:
    view = fi_simulations.picture(view, answer)
else:
    with answer:
        view = verdict.answer(trimmed, view)
    view = pictures.picture(trimmed, found, view, data)
experiment_page.reading(how_to_read.READING)
EXPERIMENT_PAGE.foot(spec, view, data, lambda: pictures.downloads(trimmed, found, data))
