"""What about your own data? Points brought in, embeddings joined, scores taken out and read back."""

import streamlit as st

from core import datasets, own
from core.strategy import Knob
from pages.shared import bring_in, cached, join_in, own_list, parts, pickers, read_back, scores_out, state

PAGE = "data"
SHOWN = {"in": "Bring data in", "join": "Join an embedding", "out": "Take scores out", "back": "Read scores back"}
VIEW = {"show": Knob("Show", name="show", kind=str, choices=tuple(SHOWN), default="in")}

cached.warm()
spec, view = state.arrive(PAGE, VIEW)
spec = pickers.shared_choice(spec)
parts.head("What about your own data?")
parts.messages(state.problems())
answer = st.container()
view["show"] = pickers.segments("Task", SHOWN, view["show"], PAGE)
state.leave(PAGE, VIEW, spec, view)
with answer:
    parts.answer(own_list.sentence(own.names()))
with parts.explained():
    if view["show"] == "in":
        own_list.brought()
        bring_in.show()
        own_list.show()
    elif view["show"] == "join":
        join_in.show(spec)
    elif not datasets.is_ready(spec.dataset):
        parts.offer_dataset(spec.dataset)
    elif view["show"] == "out":
        scores_out.take_out(spec, cached.dataset(spec.dataset, spec.n, spec.subset))
    else:
        read_back.show(spec)
parts.link_box(state.leave(PAGE, VIEW, spec, view))
