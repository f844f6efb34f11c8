"""Do representations agree?

Rankings of the same points under several embeddings, seeds and strategies, pair by pair.
"""

import numpy as np
import streamlit as st

from core import agreement, datasets
from core.runtime import tasks
from core.spec import comparison_key, resolve
from core.strategy import Knob
from pages.parts.agreement import behind_a_cell, heatmap
from pages.parts.agreement import comparison as agreement_parts
from pages.parts.agreement.comparison import MEASURES, ORDERS, SEEDS, TALK
from pages.shared import cached, job_panel, layout, pickers, state

PAGE = "agreement"
VIEW_KNOBS = {
    "embeddings": Knob("Embeddings", name="embeddings", kind=str, default=",".join(TALK)),
    "seeds": Knob("Seeds", name="seeds", kind=str, default=",".join(SEEDS)),
    "strategies": Knob("Strategies", name="strategies", kind=str, default="leverage"),
    "reseed": Knob("Reseed", name="reseed", kind=bool, default=False),
    "measure": Knob(
        "Measure", name="measure", kind=str, choices=tuple(MEASURES), default="kendall"
    ),
    "order": Knob("Order", name="order", kind=str, choices=tuple(ORDERS), default="family"),
    "k": Knob(
        "k",
        name="k",
        kind=int,
        low=1,
        high=100_000,
        choices=(100, 500, 1000, 5000, 10_000),
        default=1000,
    ),
    "cell": Knob("Cell", name="cell", kind=str, default=""),
}

cached.prepare_server()
spec, view = state.arrive(PAGE, VIEW_KNOBS)
spec = pickers.shared_choice(spec, embedding=False)
layout.head("Do representations agree?")
layout.messages([*state.problems(), *agreement_parts.strangers(view, resolve(spec).about)])
answer = st.container()
if not datasets.is_ready(spec.dataset):
    state.leave(PAGE, VIEW_KNOBS, spec, view)
    job_panel.offer_dataset(spec.dataset)
    st.stop()
data = cached.dataset(spec.dataset, spec.n, spec.subset)
view = agreement_parts.controls(view, VIEW_KNOBS, resolve(spec).about)
with answer, layout.explained():
    comparison = agreement_parts.comparison(spec, view)
    if state.changed("comparison", comparison.columns):
        view["cell"] = ""  # its numbers counted the rankings of before
    state.leave(PAGE, VIEW_KNOBS, spec, view)
    if len(comparison.columns) < 2:
        st.info(
            "Choose at least two rankings: another embedding, another seed or another strategy."
        )
        st.stop()
    key = comparison_key(comparison, data.fingerprint)
    shown = job_panel.arrived(
        PAGE,
        comparison,
        cached.result(key, tasks.AGREEMENT, comparison),
        "Ranking and comparing",
    )
if shown is None or shown.spec.dataset != spec.dataset:
    st.stop()

columns = shown.spec.columns
entry = shown.entry
measure = view["measure"]
data = cached.dataset(columns[0].dataset, columns[0].n, columns[0].subset)
matrix = entry.arrays[measure]
families = agreement_parts.groups(columns)
ceilings = agreement.ceiling(matrix, families)
with answer:
    symbol = agreement_parts.symbol(measure, min(shown.spec.k, len(data)))
    layout.answer(agreement_parts.sentence(matrix, families, ceilings, symbol))
    layout.notes(entry.notes)

order = heatmap.order_of(matrix, view)
names = [agreement_parts.labels(columns)[i] for i in order]
with st.container(key="stale" if shown.stale else "current"):
    cell = heatmap.chosen_cell(view, matrix, order)
    clicked = heatmap.show(entry, columns, view, order, cell, ceilings)
    heatmap.under(entry, columns, measure, len(data))
    if clicked not in (None, view["cell"]) and not shown.stale:
        state.change_view(PAGE, cell=clicked)
        st.rerun()
    absent = entry.arrays.get("unscored", np.zeros((1, len(data)), bool)).any(axis=0)
    scores = entry.arrays["scores"][order]
    behind_a_cell.show(data, scores, names, cell, np.flatnonzero(~absent))
left, right = st.columns(2)
with left:
    layout.link_box(state.leave(PAGE, VIEW_KNOBS, spec, view))
with right:
    heatmap.downloads(names, matrix[np.ix_(order, order)], measure, spec.dataset)
