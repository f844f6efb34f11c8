"""Does training on the selection help? Networks trained from scratch on what strategies select, against random selections, always."""

import streamlit as st

from core.experiments import results, retrain
from core.strategy import Knob
from pages.shared import cached, experiments, parts, pickers, retrain_parts, retrain_pictures, state
from pages.shared.words import noun

PAGE = "retrain"
FIRST = retrain.Retraining()
VIEW = {
    "candidates": Knob("Selections", name="candidates", kind=str, default=" ".join(map(str, FIRST.candidates))),
    "budgets": Knob("Budgets", name="budgets", kind=str, default=" ".join(map(str, FIRST.budgets))),
    **retrain.KNOBS,
    "show": Knob("Show", name="show", kind=str, choices=tuple(retrain_parts.SHOWN), default="budget"),
    "focus": Knob("Budget shown", name="focus", kind=int, low=1, optional=True),
    "job": Knob("Job", name="job", kind=str, default=""),
}
ROOM = experiments.Room(PAGE, VIEW, retrain_parts.fitted, retrain.check, retrain_parts.show_plan)

cached.warm()
spec, view = state.arrive(PAGE, VIEW)
view = retrain_parts.readable(view)
spec = pickers.shared_choice(spec, embedding=False)
parts.head(f"Do the selected {noun(spec.dataset)} train a better network?")
answer = st.container()
data = ROOM.points(spec, view)
view = retrain_parts.controls(view, data)
plan, view = ROOM.plan(spec, view, data)

grid = results.grid(plan, results.outcomes(plan, data.fingerprint), len(data.class_names))
with answer:
    retrain_parts.answer(grid)
if grid.finished:
    view = retrain_pictures.picture(grid, view, data)
else:
    st.info(experiments.NOTHING)
experiments.reading(retrain_parts.READING)
ROOM.foot(spec, view, data, lambda: retrain_pictures.downloads(plan, data, grid))
