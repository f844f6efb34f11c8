"""Where do they lie? A UMAP map of the points, coloured; a drag shows the images inside.

Two maps side by side, linked.
"""

from functools import partial

import streamlit as st

from core import datasets
from core.charts.maps import scatter
from core.plugins import menu
from core.strategy import Knob
from pages.parts.map import linked_maps as map_parts
from pages.parts.map.groups import in_sight as in_sight_of
from pages.parts.map.linked_maps import COLOURS
from pages.shared import cached, job_panel, layout, memo, pickers, state
from pages.shared.words import inside, noun, plain, short

PAGE = "map"
VIEW_KNOBS = {
    "colour": Knob("Colour", name="colour", kind=str, choices=tuple(COLOURS), default="score"),
    "column": Knob("Column", name="column", kind=str, default=""),
    "only": Knob("Only", name="only", kind=str, default=""),
    "beside": Knob("Beside", name="beside", kind=str, default=""),
    "k": Knob(
        "k", name="k", kind=int, low=1, high=100_000, choices=(100, 500, 1000, 5000), default=1000
    ),
    "box": Knob("Box", name="box", kind=str, default=""),
}

cached.prepare_server()
spec, view = state.arrive(PAGE, VIEW_KNOBS)
spec = pickers.shared_choice(spec)
layout.head("Where do they lie?")
layout.messages(state.problems())
answer = st.container()
if not datasets.is_ready(spec.dataset):
    state.leave(PAGE, VIEW_KNOBS, spec, view)
    job_panel.offer_dataset(spec.dataset)
    st.stop()
spec, view = map_parts.controls(spec, view, VIEW_KNOBS)
if state.changed(
    "map", (spec.dataset, spec.n, spec.subset, spec.embedding, spec.seed, spec.embedding_knobs)
):
    view["box"] = ""  # it lay on the map of before
state.leave(PAGE, VIEW_KNOBS, spec, view)
data = cached.dataset(spec.dataset, spec.n, spec.subset)
other = spec.with_(embedding=view["beside"], seed=1) if view["beside"] else None
with answer, layout.explained():
    ready = map_parts.gather(spec, other, view)
if ready is None:
    st.stop()

label = menu.find(spec.strategy).label
names = [inside(one.embedding_label) for one in (spec, other) if one]
with answer:
    what, called = view["colour"], noun(spec.dataset)
    layout.answer(map_parts.sentence(data, ready, what, label, names, called))
box = map_parts.linked_box(view["box"])
if view["box"] and box is None:
    layout.messages(
        [f"box: found {view['box']!r}, expected four numbers: left, right, bottom, top."]
    )
inner = map_parts.inside_box(ready.maps[0].arrays["coordinates"], box)
colours = ready.colours(view["colour"], data, view["column"])
in_sight, view["only"] = in_sight_of(colours[0], view["only"])
inner &= in_sight
height = 560 if other is None else 420
columns = st.columns(len(ready.maps), gap="medium")
for side, (column, entry, chosen) in enumerate(
    zip(columns, ready.maps, (spec, other), strict=False)
):
    with column:
        trust = entry.facts["trustworthiness"]
        st.markdown(
            f"**{plain(chosen.embedding_label)}** — trustworthiness {trust:.3f}",
            help=map_parts.TRUST,
        )
        draw = partial(scatter, brush=side == 0, dark=layout.dark(), height=height)
        drawn = (draw, ready.coordinates[side], colours[side], inner, box if side == 0 else None)
        alt = (
            f"Map of {len(data):,} {noun(spec.dataset)} under {short(chosen.embedding)}, coloured"
            f" by {view['colour']}"
        )
        with layout.fluid(f"map{side}", height):
            if side:
                memo.chart(
                    *drawn, key=state.key(f"map {side} {entry.key}"), alt=alt, height="stretch"
                )
                continue
            key = state.key(f"map {entry.key}")
            event = memo.chart(
                *drawn, on_select="rerun", selection_mode="box", key=key, alt=alt, height="stretch"
            )
        brushed = map_parts.brushed(event, key)
        if brushed:
            state.change_view(PAGE, box=brushed)
            st.rerun()
map_parts.legend_line(view["colour"], data, ready.k, colours[0])
map_parts.images_inside(data, ready, inner, box, spec, label)
layout.link_box(state.leave(PAGE, VIEW_KNOBS, spec, view))
