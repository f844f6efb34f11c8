"""Do the scores at the end of training say which points were worth training on from the start?

Networks trained from scratch on what strategies select, against random selections, always: the
architecture whose scores rank the points, and a smaller one.
"""

from functools import partial

import streamlit as st

from core.experiments import store
from core.experiments.retrain import outcomes
from core.experiments.retrain import plan as retrain
from core.strategy import Knob
from pages.parts.retrain import controls, how_to_read, pictures, verdict
from pages.shared import cached, layout, pickers, state
from pages.shared.experiments import experiment_page, verdict_box
from pages.shared.words import noun

PAGE = "retrain"
FIRST = retrain.Retraining()
VIEW_KNOBS = {
    "candidates": Knob(
        "Selections", name="candidates", kind=str, default=" ".join(map(str, FIRST.candidates))
    ),
    "budgets": Knob("Budgets", name="budgets", kind=str, default=" ".join(map(str, FIRST.budgets))),
    **retrain.KNOBS,
    "network": controls.NETWORK,
    "show": Knob("Show", name="show", kind=str, choices=tuple(controls.SHOWN), default="budget"),
    **verdict_box.KNOBS,
    "focus": Knob("Budget shown", name="focus", kind=int, low=1, optional=True),
    "job": Knob("Job", name="job", kind=str, default=""),
}
EXPERIMENT_PAGE = experiment_page.ExperimentPage(
    PAGE, VIEW_KNOBS, controls.plan_that_fits, controls.show_plan
)

cached.prepare_server()
spec, view = state.arrive(PAGE, VIEW_KNOBS)
view = controls.readable(view)
spec = pickers.shared_choice(spec, embedding=False)
layout.head(
    f"Do scores at the end of training say which {noun(spec.dataset)} were worth training on?"
)
answer = st.container()
data = EXPERIMENT_PAGE.points(spec, view)
first = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
second = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
with first:
    view = controls.training(view, data)
with second:
    view["show"] = pickers.segments("Show", controls.SHOWN, view["show"], PAGE)
    view = controls.competing(view, data)
side_by_side = partial(controls.side_by_side, view)
plans, view = EXPERIMENT_PAGE.plans(spec, view, data, side_by_side)
with first:
    view = verdict.choice(plans[0], view)
view = controls.focus(view, plans[0])

grids = [
    outcomes.grid(plan, store.outcomes(plan, data.fingerprint), len(data.class_names))
    for plan in plans
]
compared = verdict.compared(grids, view)
with answer:
    verdict.answer(grids, compared, view)
pictures.picture(grids, compared, view, data)
verdict.rest(grids, compared, view)
for grid in grids:
    called = verdict.network(grid) if len(grids) > 1 else ""
    experiment_page.told(grid.plan, data.fingerprint, called)
experiment_page.reading(how_to_read.READING)
EXPERIMENT_PAGE.foot(spec, view, data, lambda: pictures.downloads(grids, data))
