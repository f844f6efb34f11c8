"""What would happen without this point, or with it? Utilities predicted by influence functions, against those of really retrained heads."""

import streamlit as st

from core import datasets
from core.experiments import results, utilities
from core.strategies.goal import OVER
from core.strategy import Knob
from pages.shared import cached, influence_parts, influence_pictures, influence_words, parts, pickers, state, sweeps

PAGE = "influence"
VIEW = {
    "study": Knob("Study", name="study", kind=str, choices=utilities.STUDIES, default="utilities"),
    **utilities.QUERY_KNOBS,
    **utilities.UTILITY_KNOBS,
    "over": Knob("Unknown label", name="over", kind=str, choices=OVER, default="oracle"),
    "temperature": Knob("Temperature", name="temperature", kind=float, low=0.01, high=100, default=1.0),
    "show": Knob("Show", name="show", kind=str, choices=tuple(influence_words.SHOWN), default="scatter"),
    "follow": Knob("Follow", name="follow", kind=str, choices=tuple(influence_words.FOLLOWED), default="curves"),
    "seed_shown": Knob("Seed shown", name="seed_shown", kind=int, low=1, high=20, default=1),
    "round": Knob("Round", name="round", kind=int, low=0, default=0),
    "point": Knob("Point", name="point", kind=int, optional=True, low=0, default=None),
    "job": Knob("Job", name="job", kind=str, default=""),
}

cached.warm()
spec, view = state.arrive(PAGE, VIEW)
spec = pickers.shared_choice(spec)
parts.head("What would happen without this point, or with it?")
answer = st.container()
if not datasets.is_ready(spec.dataset):
    state.leave(PAGE, VIEW, spec, view)
    parts.offer_dataset(spec.dataset)
    st.stop()
data = cached.dataset(spec.dataset, spec.n, spec.subset)
view = influence_parts.controls(view)
parts.messages(state.problems())
with parts.explained():
    state.leave(PAGE, VIEW, spec, view)
    plan, told = influence_parts.fitted(influence_parts.plan_of(spec, view), data)
    if told:
        st.info(told)
    utilities.check(plan, data)
    view["job"] = sweeps.run(plan, data, view["job"], influence_parts.show_plan)
state.leave(PAGE, VIEW, spec, view)

found = results.outcomes(plan, data.fingerprint)
with answer:
    influence_parts.answer(plan, found, view, data)
if found:
    view = influence_pictures.picture(plan, found, view, data)
else:
    st.info("Nothing of this experiment is computed yet. Start it above, or open a finished one under Past experiments.")
influence_parts.reading(plan)
left, middle, right = st.columns(3)
with left:
    parts.link_box(state.leave(PAGE, VIEW, spec, view))
with middle:
    influence_pictures.downloads(plan, data, found)
with right:
    sweeps.history(data.fingerprint, influence_parts.show_plan, PAGE)
