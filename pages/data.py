"""What about your own data?

Points brought in, embeddings joined, scores taken out and read back.
"""

import streamlit as st

from core import datasets
from core.data import own
from core.strategy import Knob
from pages.parts.data import (
    import_file,
    join_embedding,
    own_data,
    read_scores_back,
    take_scores_out,
)
from pages.shared import cached, job_panel, layout, pickers, state

PAGE = "data"
SHOWN = {
    "in": "Bring data in",
    "join": "Join an embedding",
    "out": "Take scores out",
    "back": "Read scores back",
}
VIEW_KNOBS = {"show": Knob("Show", name="show", kind=str, choices=tuple(SHOWN), default="in")}

cached.prepare_server()
spec, view = state.arrive(PAGE, VIEW_KNOBS)
spec = pickers.shared_choice(spec)
layout.head("What about your own data?")
layout.messages(state.problems())
answer = st.container()
view["show"] = pickers.segments("Task", SHOWN, view["show"], PAGE)
state.leave(PAGE, VIEW_KNOBS, spec, view)
with layout.explained():
    if view["show"] == "in":
        with answer:
            layout.answer(own_data.sentence(own.names()))
        own_data.brought()
        import_file.show()
        own_data.show()
    elif view["show"] == "join":
        with answer:
            layout.answer(join_embedding.sentence(spec))
        join_embedding.show(spec)
    elif not datasets.is_ready(spec.dataset):
        job_panel.offer_dataset(spec.dataset)
    elif view["show"] == "out":
        data = cached.dataset(spec.dataset, spec.n, spec.subset)
        found = take_scores_out.at_hand(spec, data)
        with answer:
            layout.answer(take_scores_out.sentence(spec, found, data))
        take_scores_out.show(spec, data, found)
    else:
        read_scores_back.show(spec, answer)
layout.link_box(state.leave(PAGE, VIEW_KNOBS, spec, view))
