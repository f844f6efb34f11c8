"""Does training on the selection help? Networks trained from scratch on what strategies select, against random selections, always."""

import streamlit as st

from core import datasets
from core.experiments import results, retrain
from core.experiments.unit import split
from core.strategy import Knob
from pages.shared import cached, parts, pickers, retrain_parts, retrain_pictures, state, sweeps
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

cached.warm()
spec, view = state.arrive(PAGE, VIEW)
view = retrain_parts.readable(view)
spec = pickers.shared_choice(spec, embedding=False)
parts.head(f"Do the selected {noun(spec.dataset)} train a better network?")
answer = st.container()
if not datasets.is_ready(spec.dataset):
    state.leave(PAGE, VIEW, spec, view)
    parts.offer_dataset(spec.dataset)
    st.stop()
data = cached.dataset(spec.dataset, spec.n, spec.subset)
view = retrain_parts.controls(view, data)
parts.messages(state.problems())
with parts.explained():
    state.leave(PAGE, VIEW, spec, view)
    plan, left_out = retrain_parts.fitted(retrain_parts.plan_of(spec, view), len(split(data)[0]))
    if left_out:
        st.info(left_out)
    retrain.check(plan, data)
    view["job"] = sweeps.run(plan, data, view["job"], retrain_parts.show_plan)
state.leave(PAGE, VIEW, spec, view)

grid = results.grid(plan, results.outcomes(plan, data.fingerprint), len(data.class_names))
with answer:
    retrain_parts.answer(grid)
if grid.finished:
    view = retrain_pictures.picture(grid, view, data)
else:
    st.info("Nothing of this experiment is computed yet. Start it above, or open a finished one under Past experiments.")
retrain_parts.reading()
left, middle, right = st.columns(3)
with left:
    parts.link_box(state.leave(PAGE, VIEW, spec, view))
with middle:
    retrain_pictures.downloads(plan, data, grid)
with right:
    sweeps.history(data.fingerprint, retrain_parts.show_plan)
