"""Does the model get better without its most harmful points? Methods that name them, against random removal, and planted damage."""

import streamlit as st

from core import datasets
from core.experiments import results, trim
from core.strategy import Knob
from pages.shared import cached, lists, parts, pickers, plane_pictures, state, sweeps, trim_parts, trim_pictures
from pages.shared.words import noun

PAGE = "trim"
FIRST = trim.Trim()
VIEW = {
    "methods": Knob("Methods", name="methods", kind=str, default=lists.text_of(FIRST, "methods")),
    "budgets": Knob("Budgets", name="budgets", kind=str, default=lists.text_of(FIRST, "budgets")),
    **trim.KNOBS,
    "show": Knob("Show", name="show", kind=str, choices=tuple(trim_parts.SHOWN), default="removed"),
    "focus": Knob("Points removed", name="focus", kind=int, low=1, optional=True),
    **plane_pictures.VIEW,
    "job": Knob("Job", name="job", kind=str, default=""),
}

cached.warm()
spec, view = state.arrive(PAGE, VIEW)
view = lists.readable(FIRST, trim_parts.LISTS, view)
spec = pickers.shared_choice(spec, embedding=False)
points = noun(spec.dataset) if datasets.info(spec.dataset).is_images else "points"  # nobody calls people harmful
parts.head(f"Is the model better off without its most harmful {points}?")
answer = st.container()
if not datasets.is_ready(spec.dataset):
    state.leave(PAGE, VIEW, spec, view)
    parts.offer_dataset(spec.dataset)
    st.stop()
data = cached.dataset(spec.dataset, spec.n, spec.subset)
view = trim_parts.controls(view, data)
parts.messages(state.problems())
with parts.explained():
    state.leave(PAGE, VIEW, spec, view)
    plan, changed = trim_parts.fitted(trim_parts.plan_of(spec, view), data)
    if changed:
        st.info(changed)
    trim.check(plan, data)
    view["job"] = sweeps.run(plan, data, view["job"], trim_parts.show_plan)
state.leave(PAGE, VIEW, spec, view)

found = results.outcomes(plan, data.fingerprint)
trimmed = trim.grid(plan, found, len(data.class_names))
with answer:
    trim_parts.answer(trimmed, points)
view = trim_pictures.picture(trimmed, found, view, data)
trim_parts.reading()
left, middle, right = st.columns(3)
with left:
    parts.link_box(state.leave(PAGE, VIEW, spec, view))
with middle:
    trim_pictures.downloads(trimmed, found, data)
with right:
    sweeps.history(data.fingerprint, trim_parts.show_plan, PAGE)
