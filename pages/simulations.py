"""When does BAIT's weighing pay? The BAIT paper's simulations, figure by figure."""

import dataclasses

import streamlit as st

from core.experiments import store
from core.experiments.simulations import outcomes
from core.experiments.simulations import plan as simulation_plan
from core.strategy import Knob
from pages.parts.simulations import controls, how_to_read, pictures, verdict, words
from pages.shared import cached, layout, pickers, state
from pages.shared.experiments import experiment_page, verdict_box

PAGE = "simulations"
VIEW_KNOBS = {
    "figure": Knob(
        "Simulation",
        name="figure",
        kind=str,
        choices=tuple(words.FIGURES),
        default="risk",
    ),
    "strategies": Knob("Strategies", name="strategies", kind=str, default=""),
    **{
        name: dataclasses.replace(knob, optional=True)
        for name, knob in simulation_plan.KNOBS.items()
    },  # none: as in the preset
    "margin": verdict_box.MARGIN_KNOB,
    "job": Knob("Job", name="job", kind=str, default=""),
}
EXPERIMENT_PAGE = experiment_page.ExperimentPage(
    PAGE,
    VIEW_KNOBS,
    controls.plan_that_fits,
    controls.show_plan,
)

cached.prepare_server()
spec, view = state.arrive(PAGE, VIEW_KNOBS)
spec = pickers.shared_choice(spec, embedding=False)
layout.head("When does BAIT's weighing pay?")
answer = st.container()
view = controls.figure(view)
data = simulation_plan.DRAWN if view["figure"] == "risk" else EXPERIMENT_PAGE.points(spec, view)
view = controls.widgets(controls.readable(view))
plan, view = EXPERIMENT_PAGE.plan(spec, view, data)

found = store.outcomes(plan, data.fingerprint)
values = outcomes.curves(plan, found)
with answer:
    view = verdict.answer(plan, values, outcomes.reached(plan, found), view)
if found:
    pictures.picture(plan, values, len(found))
else:
    experiment_page.nothing_yet(plan, data.fingerprint)
st.caption(how_to_read.PAPER[plan.figure])
experiment_page.reading(how_to_read.READING[plan.figure])
EXPERIMENT_PAGE.foot(spec, view, data, lambda: pictures.downloads(plan, data, values, found))
