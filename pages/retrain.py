"""Does training on the selection help?

Networks trained from scratch on what strategies select, against random selections, always.
"""

import streamlit as st

from core.experiments import store
from core.experiments.retrain import outcomes
from core.experiments.retrain import plan as retrain
from core.strategy import Knob
from pages.parts.retrain import controls, how_to_read, pictures, verdict
from pages.shared import cached, layout, pickers, state
from pages.shared.experiments import experiment_page, verdict_box
from pages.shared.words import noun

PAGE = "retrain"
FIRST = retrain.Retraining()
VIEW_KNOBS = {
    "candidates": Knob(
        "Selections", name="candidates", kind=str, default=" ".join(map(str, FIRST.candidates))
    ),
    "budgets": Knob("Budgets", name="budgets", kind=str, default=" ".join(map(str, FIRST.budgets))),
    **retrain.KNOBS,
    "show": Knob("Show", name="show", kind=str, choices=tuple(controls.SHOWN), default="budget"),
    **verdict_box.KNOBS,
    "focus": Knob("Budget shown", name="focus", kind=int, low=1, optional=True),
    "job": Knob("Job", name="job", kind=str, default=""),
}
EXPERIMENT_PAGE = experiment_page.ExperimentPage(
    PAGE, VIEW_KNOBS, controls.plan_that_fits, controls.show_plan
)

cached.prepare_server()
spec, view = state.arrive(PAGE, VIEW_KNOBS)
view = controls.readable(view)
spec = pickers.shared_choice(spec, embedding=False)
layout.head(f"Do the selected {noun(spec.dataset)} train a better network?")
answer = st.container()
data = EXPERIMENT_PAGE.points(spec, view)
view = controls.widgets(view, data)
plan, view = EXPERIMENT_PAGE.plan(spec, view, data)

grid = outcomes.grid(plan, store.outcomes(plan, data.fingerprint), len(data.class_names))
with answer:
    view = verdict.answer(grid, view)
if grid.finished:
    view = pictures.picture(grid, view, data)
else:
    experiment_page.nothing_yet(plan, data.fingerprint)
experiment_page.reading(how_to_read.READING)
EXPERIMENT_PAGE.foot(spec, view, data, lambda: pictures.downloads(plan, data, grid))
