"""Do representations agree?

Rankings of the same points under several embeddings, seeds and strategies, pair by pair.
"""

import numpy as np
import streamlit as st

from core import agreement, datasets
from core.charts.heatmaps import heatmap, heatmap_height
from core.charts.palette import CORRELATION
from core.runtime import tasks
from core.spec import comparison_key, resolve
from core.strategy import Knob
from pages.parts.agreement import comparison as agreement_parts
from pages.parts.agreement.comparison import MEASURES, SEEDS, TALK
from pages.shared import cached, layout, legend, memo, pickers, state

PAGE = "agreement"
VIEW = {
    "embeddings": Knob("Embeddings", name="embeddings", kind=str, default=",".join(TALK)),
    "seeds": Knob("Seeds", name="seeds", kind=str, default=",".join(SEEDS)),
    "strategies": Knob("Strategies", name="strategies", kind=str, default="leverage"),
    "reseed": Knob("Reseed", name="reseed", kind=bool, default=False),
    "measure": Knob(
        "Measure", name="measure", kind=str, choices=tuple(MEASURES), default="kendall"
    ),
    "order": Knob(
        "Order", name="order", kind=str, choices=("family", "similarity"), default="family"
    ),
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

cached.warm()
spec, view = state.arrive(PAGE, VIEW)
spec = pickers.shared_choice(spec, embedding=False)
layout.head("Do representations agree?")
layout.messages([*state.problems(), *agreement_parts.strangers(view, resolve(spec).about)])
answer = st.container()
if not datasets.is_ready(spec.dataset):
    state.leave(PAGE, VIEW, spec, view)
    layout.offer_dataset(spec.dataset)
    st.stop()
data = cached.dataset(spec.dataset, spec.n, spec.subset)
view = agreement_parts.controls(view, VIEW, resolve(spec).about)
with answer, layout.explained():
    comparison = agreement_parts.comparison(spec, view)
    if state.changed("comparison", comparison.columns):
        view["cell"] = ""  # its numbers counted the rankings of before
    state.leave(PAGE, VIEW, spec, view)
    if len(comparison.columns) < 2:
        st.info(
            "Choose at least two rankings: another embedding, another seed or another strategy."
        )
        st.stop()
    key = comparison_key(comparison, data.fingerprint)
    shown = layout.arrived(
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
    symbol = {
        "kendall": "τ",
        "weighted_kendall": "weighted τ",
        "spearman": "ρ",
        "overlap": "overlap",
    }[measure]
    layout.answer(agreement_parts.sentence(matrix, families, ceilings, symbol))
    layout.notes(entry.notes)

order = (
    agreement_parts.similarity_order(matrix)
    if view["order"] == "similarity"
    else np.arange(len(columns))
)
names = [agreement_parts.labels(columns)[i] for i in order]
matrix = matrix[np.ix_(order, order)]
families = [families[i] for i in order]
colours = agreement_parts.colours(columns, order)
with st.container(key="stale" if shown.stale else "current"):
    place = np.argsort(order)  # where a column of the comparison stands in the picture
    linked = agreement_parts.linked_cell(view["cell"], len(names))
    if view["cell"] and not linked:
        layout.messages(
            [
                f"cell: found {view['cell']!r}, expected two numbers from 0 to {len(names) - 1},"
                " such as 0-1."
            ]
        )
    cell = (
        (int(place[linked[0]]), int(place[linked[1]]))
        if linked
        else divmod(int(np.argmin(matrix)), len(names))
    )
    tips = agreement_parts.tips(families, ceilings, entry.facts["nulls"][measure])
    drawn = (
        heatmap,
        matrix,
        names,
        colours,
        tips,
        cell,
        measure != "overlap",
        layout.dark(),
    )
    summary = (
        f"{MEASURES[measure]} of {len(names)} rankings, pair by pair; the lowest is"
        f" {matrix.min():.2f}"
    )
    key = state.key(f"heatmap {entry.key} {view['order']}")
    with layout.fluid("heatmap", heatmap_height(len(names))):
        event = memo.chart(
            *drawn, on_select="rerun", selection_mode="cell", key=key, alt=summary, height="stretch"
        )
    ends = (
        ("0, none in common", "1, the same top")
        if measure == "overlap"
        else ("−1, reversed", "1, the same order")
    )
    legend.band(MEASURES[measure], CORRELATION[measure == "overlap" :], *ends)
    low, high = (f"{bound:.3f}".replace("-", "−") for bound in entry.facts["nulls"][measure][1:])
    st.caption(
        f"{agreement_parts.rank_line(columns, entry.facts['ranks'])} Two unrelated rankings of"
        f" {len(data):,} points would give between {low} and {high} (95%). Click a cell to see the"
        " images behind it."
    )
    layout.made_of(entry.facts.get("made_of", []))
    clicked = agreement_parts.clicked_cell(event, order)
    if clicked not in (None, view["cell"]) and not shown.stale:
        state.change_view(PAGE, cell=clicked)
        st.rerun()
    agreement_parts.behind(data, entry.arrays["scores"][order], names, cell)
left, right = st.columns(2)
with left:
    layout.link_box(state.leave(PAGE, VIEW, spec, view))
with right:
    agreement_parts.downloads(names, matrix, measure, spec.dataset)
