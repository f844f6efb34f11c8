"""Which points would you label next? Rounds of active learning: strategies against random, from a hundred labels on."""

import streamlit as st

from core import datasets
from core.experiments import active, results
from core.strategy import Knob
from pages.shared import active_parts, active_pictures, cached, parts, pickers, state, sweeps
from pages.shared.words import noun

PAGE = "active"
VIEW = {
    "strategies": Knob("Strategies", name="strategies", kind=str, default=" ".join(active.Active().strategies)),
    **active.KNOBS,
    "show": Knob("Show", name="show", kind=str, choices=tuple(active_parts.SHOWN), default="curves"),
    "replayed": Knob("Strategy replayed", name="replayed", kind=str, default=""),
    "round": Knob("Round", name="round", kind=int, low=0, default=0),
    "job": Knob("Job", name="job", kind=str, default=""),
}

cached.warm()
spec, view = state.arrive(PAGE, VIEW)
view = active_parts.readable(view)
spec = pickers.shared_choice(spec, embedding=False)
parts.head(f"Which {noun(spec.dataset)} would you label next?")
answer = st.container()
if not datasets.is_ready(spec.dataset):
    state.leave(PAGE, VIEW, spec, view)
    parts.offer_dataset(spec.dataset)
    st.stop()
data = cached.dataset(spec.dataset, spec.n, spec.subset)
view = active_parts.controls(view, data.is_images)
parts.messages(state.problems())
with parts.explained():
    state.leave(PAGE, VIEW, spec, view)
    plan, left_out = active_parts.fitted(active_parts.plan_of(spec, view), data)
    if left_out:
        st.info(left_out)
    active.check(plan, data)
    view["job"] = sweeps.run(plan, data, view["job"], active_parts.show_plan)
state.leave(PAGE, VIEW, spec, view)

found = results.outcomes(plan, data.fingerprint)
curves = active_parts.curves_of(plan, found)
with answer:
    active_parts.answer(plan, curves)
if found:
    view = active_pictures.picture(plan, curves, view, data)
else:
    st.info("Nothing of this experiment is computed yet. Start it above, or open a finished one under Past experiments.")
active_parts.reading()
left, middle, right = st.columns(3)
with left:
    parts.link_box(state.leave(PAGE, VIEW, spec, view))
with middle:
    active_pictures.downloads(plan, data, found)
with right:
    sweeps.history(data.fingerprint, active_parts.show_plan, PAGE)
