"""Which points would you label next?

Rounds of active learning: strategies against random, from a hundred labels on.
"""

import streamlit as st

from core.experiments import store
from core.experiments.active import outcomes
from core.experiments.active import plan as active
from core.strategy import Knob
from pages.parts.active import controls, how_to_read, pictures, verdict, who_beats_whom
from pages.shared import cached, layout, pickers, state
from pages.shared.experiments import experiment_page, verdict_box
from pages.shared.words import noun

PAGE = "active"
VIEW_KNOBS = {
    "strategies": Knob(
        "Strategies", name="strategies", kind=str, default=" ".join(active.Active().strategies)
    ),
    **active.KNOBS,
    "show": Knob("Show", name="show", kind=str, choices=tuple(controls.SHOWN), default="curves"),
    "replayed": Knob("Strategy replayed", name="replayed", kind=str, default=""),
    "sum": Knob(
        "Sum over", name="sum", kind=str, choices=tuple(who_beats_whom.SUMS), default="one"
    ),
    "round": Knob("Round", name="round", kind=int, low=0, default=0),
    **verdict_box.KNOBS,
    "job": Knob("Job", name="job", kind=str, default=""),
}
EXPERIMENT_PAGE = experiment_page.ExperimentPage(
    PAGE, VIEW_KNOBS, controls.plan_that_fits, controls.show_plan, takes_targets=True
)

cached.prepare_server()
spec, view = state.arrive(PAGE, VIEW_KNOBS)
view = controls.readable(view)
spec = pickers.shared_choice(spec, embedding=False)
layout.head(f"Which {noun(spec.dataset)} would you label next?")
answer = st.container()
data = EXPERIMENT_PAGE.points(spec, view)
view = controls.widgets(view, data)
plan, view = EXPERIMENT_PAGE.plan(spec, view, data)

found = store.outcomes(plan, data.fingerprint)
runs = outcomes.finished_runs(plan, found)
with answer:
    view = verdict.answer(plan, runs, view)
if found:
    view = pictures.picture(plan, runs, view, data)
else:
    experiment_page.nothing_yet(plan, data.fingerprint)
experiment_page.reading(how_to_read.READING)
EXPERIMENT_PAGE.foot(spec, view, data, lambda: pictures.downloads(plan, data, runs, found))
