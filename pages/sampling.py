"""Which labels are worth buying?

Least squares from few labels: rows drawn by leverage, uniformly, or taken from the top.
"""

import streamlit as st

from core.experiments import store
from core.experiments.sampling import outcomes
from core.experiments.sampling import plan as sampling
from core.experiments.sampling.rules import RULES
from core.strategy import Knob
from pages.parts.sampling import controls, how_to_read, pictures, verdict
from pages.shared import cached, layout, pickers, state
from pages.shared.experiments import experiment_page, verdict_box, word_lists

PAGE = "sampling"
FIRST = sampling.Sampling()
VIEW_KNOBS = {
    **{
        name: Knob(name.title(), name=name, kind=str, default=word_lists.text_of(FIRST, name))
        for name in controls.LISTS
    },
    **sampling.KNOBS,
    "show": Knob("Show", name="show", kind=str, choices=tuple(controls.SHOWN), default="curves"),
    "judged": Knob(
        "Judged by", name="judged", kind=str, choices=tuple(controls.JUDGED), default="loss"
    ),
    "rule": Knob("Drawn by", name="rule", kind=str, choices=tuple(RULES), default="leverage"),
    "focus": Knob("Labels bought", name="focus", kind=int, low=1, optional=True),
    **verdict_box.KNOBS,
    "job": Knob("Job", name="job", kind=str, default=""),
}
EXPERIMENT_PAGE = experiment_page.ExperimentPage(
    PAGE, VIEW_KNOBS, controls.plan_that_fits, controls.show_plan, takes_targets=True
)

cached.prepare_server()
spec, view = state.arrive(PAGE, VIEW_KNOBS)
view = word_lists.readable(FIRST, controls.LISTS, view)
spec = pickers.shared_choice(spec)
layout.head("Which labels are worth buying?")
answer = st.container()
data = EXPERIMENT_PAGE.points(spec, view)
view = controls.widgets(view, spec, data)
plan, view = EXPERIMENT_PAGE.plan(spec, view, data)

found = store.outcomes(plan, data.fingerprint)
bought = outcomes.bought_of(plan, found)
if bought.finished:
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        view["show"] = pickers.segments("Show", controls.SHOWN, view["show"], PAGE)
        view["focus"] = controls.focus(view, plan, bought.whole.rank)
    with answer:
        layout.answer(verdict.headline(bought, view["focus"]))
    view = pictures.picture(bought, found, view, data, view["focus"])
    view = verdict.answer(bought, view, view["focus"])
    layout.onward(
        "lesson", "Why that is so: the lesson", ":material/school:", {"chapter": "sampling"}
    )
else:
    experiment_page.nothing_yet(plan, data.fingerprint)
experiment_page.reading(how_to_read.READING)
EXPERIMENT_PAGE.foot(spec, view, data, lambda: pictures.downloads(bought, found, data))
