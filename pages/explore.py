"""Which points matter?

The highest and lowest scores of one strategy under one embedding, as images or rows.
"""

import streamlit as st

from core import datasets
from core.spec import resolve
from core.strategy import Knob
from pages.parts.explore import answer as explore_answer
from pages.parts.explore import gallery_points
from pages.shared import cached, job_panel, layout, pickers, state
from pages.shared.points import show
from pages.shared.words import inside, noun, score_texts

PAGE = "explore"
SHOWN = {"top": "Highest", "bottom": "Lowest", "around": "Around", "random": "Random"}
COUNT = {"low": 1, "high": 1000, "choices": (60, 120, 240, 480, 960)}
VIEW_KNOBS = {
    "show": Knob("Show", name="show", kind=str, choices=tuple(SHOWN), default="top"),
    "percentile": Knob(
        "Percentile",
        "The share of points that score lower.",
        name="percentile",
        kind=int,
        low=0,
        high=100,
        choices=tuple(range(0, 101, 5)),
        default=50,
    ),
    "classes": Knob("Classes", name="classes", kind=str, default=""),
    "count": Knob(
        "Shown", "How many points to show.", **COUNT, name="count", kind=int, default=120
    ),
    "low": Knob("Lowest score", name="low", kind=float, optional=True),
    "high": Knob("Highest score", name="high", kind=float, optional=True),
    "point": Knob("Point", name="point", kind=int, low=0, optional=True),
}

cached.prepare_server()
spec, view = state.arrive(PAGE, VIEW_KNOBS)
spec = pickers.shared_choice(spec)
layout.head(f"Which {noun(spec.dataset)} matter?")
layout.messages(state.problems())
answer = st.container()
controls = st.container()
facts = st.container()
if not datasets.is_ready(spec.dataset):
    state.leave(PAGE, VIEW_KNOBS, spec, view)
    job_panel.offer_dataset(spec.dataset)
    st.stop()
with controls:
    spec = pickers.strategy_choice(spec)
state.leave(PAGE, VIEW_KNOBS, spec, view)
with answer, layout.explained():
    shown = job_panel.arrived(PAGE, spec, cached.scores(spec), f"Scoring {noun(spec.dataset)}")
if shown is None:
    st.stop()

wanted = spec
spec = shown.spec
entry = shown.entry
label = resolve(spec).strategy.label
family = resolve(spec).embedder.family
names_of = noun(spec.dataset)
data = cached.dataset(spec.dataset, spec.n, spec.subset)
ranking = cached.ranking_of(entry)
names = gallery_points.class_names(data)
with answer:
    under = inside(spec.embedding_label)
    layout.answer(
        explore_answer.sentence(
            label, under, names_of, ranking.known, entry.facts["rank"], entry.facts["d"]
        )
    )
    alike = explore_answer.all_alike(label, ranking.scores, entry.facts["rank"])
    explore_answer.onward(resolve(spec), alike)
with facts:
    rows = explore_answer.fact_row(label, entry.facts, ranking.known, shown.fresh)
    layout.facts([*rows, *explore_answer.label_rows(data, entry.facts)])
    layout.notes(entry.notes)
    layout.remarks(entry.facts)
    layout.made_of([entry.facts.get("made_of")])
with st.container(key="stale" if shown.stale else "current"):
    left, right = st.columns([5, 2], gap="large")
    with left:
        view = gallery_points.gallery_controls(view, VIEW_KNOBS, SHOWN, names)
        points = gallery_points.chosen_points(ranking, data.labels, view, names, spec.draw)
        if len(points):
            clicked = show(
                data,
                points,
                score_texts(ranking.with_gaps[points]),
                ranks=ranking.rank[points].tolist(),
                alt=f"{SHOWN[view['show']]}: {len(points)} {names_of} by {inside(label)}",
                selected=view["point"],
                key=state.key("gallery"),
            )
            view["point"] = clicked if clicked is not None else view["point"]
        else:
            st.info(
                "No point has these classes and this score. Widen the score range or clear the"
                " class filter."
            )
    # Now that the picture is on its way: these bring Altair and pandas, which take longer to import
    # than it took to draw.
    from pages.parts.explore import dossier, how_to_read, qr_exhibit, score_histogram

    with right:
        score_histogram.score_range(view, ranking.known, label, family, entry.key)
        if len(points) and data.labeled:
            score_histogram.shares(
                data, points, names_of, gallery_points.chosen_classes(view, names)
            )
        how_to_read.show(spec.strategy, spec.dataset, spec.embedding)
        layout.link_box(state.leave(PAGE, VIEW_KNOBS, wanted, view))
        score_histogram.downloads(spec, data, entry)
qr_exhibit.how_qr_fooled_us(spec, data)
if view["point"] is not None:
    dossier.show(PAGE, spec, data, ranking, view["point"])
