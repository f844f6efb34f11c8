"""What every page of experiments has: its points, its plan, and its foot.

page = ExperimentPage("active", VIEW_KNOBS, plan_that_fits, show_plan)
data = page.points(spec, view)             or the offer to fetch them, and the page ends
plan, view = page.plan(spec, view, data)   with cost and progress; or a sentence about what does
                                           not fit, and the page ends
page.foot(spec, view, data, lambda: files(...))
                                           link, files and past experiments
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from core import datasets
from core.data import own
from core.data.learnable import learnable
from core.data.learnable import told as left_out
from core.experiments import precision, runner, store
from core.experiments.plan import Plan
from core.experiments.store import plan_key
from core.exports import score_table
from core.hosting import limits
from core.runtime import jobs, tasks
from core.spec import Spec, resolve
from core.types import Dataset
from pages.shared import cached, job_panel, layout, state, visitor
from pages.shared.experiments import past_experiments, start_button
from pages.shared.state import View
from pages.shared.words import inside, plain


@dataclass(frozen=True)
class ExperimentPage:
    """A page of experiments.

    name                               the kind of its plans
    knobs                              what its link holds
    plan_that_fits(spec, view, data)   the plan that the view describes, and what to say if it
                                       had to be changed
    show(plan)                         the callback that opens one
    takes_targets                      a target is as good as labels to it
    least                              how many training points of a class it needs
    """

    name: str
    knobs: state.ViewKnobs
    plan_that_fits: Callable[[Spec, View, Any], tuple[Any, str | None]]
    show: Callable[[Any], None]
    takes_targets: bool = False
    least: int = 1

    def leave(self, spec: Spec, view: View) -> dict[str, str]:
        """Keep what is chosen, in the session and in the link, which is returned."""
        return state.leave(self.name, self.knobs, spec, view)

    def points(self, spec: Spec, view: View) -> Dataset:
        """The dataset with the classes that can be learned, and what is left out.

        The page ends with an offer to fetch it if it is not on this machine, and where it has no
        labels to learn from.
        """
        if not datasets.is_ready(spec.dataset):
            self.leave(spec, view)
            job_panel.offer_dataset(spec.dataset)
            st.stop()
        about = resolve(spec).about
        if not (about.labeled or (self.takes_targets and about.target)):
            self.leave(spec, view)
            layout.no_labels(spec.dataset)
            st.stop()
        data = cached.dataset(spec.dataset, spec.n, spec.subset)
        if sentences := left_out(data, self.least):
            st.caption(plain(" ".join(sentences)))
        return learnable(data, self.least)

    def plan(self, spec: Spec, view: View, data: start_button.HasFingerprint) -> tuple[Any, View]:
        """The view's plan, with what it would cost or how far it is.

        The page ends with a sentence where it cannot run.
        """
        (plan,), view = self.plans(spec, view, data, lambda plan: [plan])
        told(plan, data.fingerprint)
        return plan, view

    def plans(
        self,
        spec: Spec,
        view: View,
        data: start_button.HasFingerprint,
        several: Callable[[Any], Sequence[Any]],
    ) -> tuple[Sequence[Any], View]:
        """As `plan`, for a page that shows several plans beside each other; how they were trained
        is still to be told.

        several(plan): those that stand beside the view's plan, itself among them. They are computed
        one after the other.
        """
        layout.messages(state.problems())
        with layout.explained():
            self.leave(spec, view)
            plan, changed = self.plan_that_fits(spec, view, data)
            if changed:
                st.info(changed)
            plans = several(plan)
            for each in plans:
                each.check(data)
            due = _due(plans, data.fingerprint, view["job"])
            if len(plans) > 1 and store.missing(due, data.fingerprint):
                st.markdown(f"**{plain(due.title())}**")
            view["job"] = start_button.cost_or_progress(due, data, view["job"], self.show)
        self.leave(spec, view)
        return plans, view

    def foot(
        self, spec: Spec, view: View, data: start_button.HasFingerprint, files: Callable[[], None]
    ) -> None:
        """The link, the files and the past experiments."""
        left, middle, right = st.columns(3)
        with left:
            layout.link_box(self.leave(spec, view))
        with middle:
            files()
        with right:
            past_experiments.menu(data.fingerprint, self.show, self.name)


def told(plan: Plan, fingerprint: str, name: str = "") -> None:
    """How its networks were trained. name: whose, where several plans are shown."""
    if said := f"{precision.note(plan, fingerprint)} {_scaled(plan)}".strip():
        st.caption(f"{name}: {inside(said)}" if name else said)


def _due(plans: Sequence[Plan], fingerprint: str, asked: str) -> Plan:
    """The plan of the link's job, else the first of which something is missing."""
    named = [plan for plan in plans if plan_key(plan, fingerprint) == asked]
    missing = [plan for plan in plans if store.missing(plan, fingerprint)]
    return next(iter([*named, *missing, *plans]))


def _scaled(plan: Plan) -> str:
    """What a network sees of a table of the user's own."""
    own_table = own.is_own(plan.dataset) and not datasets.info(plan.dataset).is_images
    scaled = "The network sees each column of your table at mean 0 and standard deviation 1."
    return scaled if plan.trains and own_table else ""


def reopen(plan: Plan, view: View, points: bool = True) -> None:
    """For callbacks: the plan's page shows it in the next run, by this view, on its own points."""
    if points:
        st.session_state["spec"] = st.session_state["spec"].with_(
            dataset=plan.dataset, n=plan.n, subset=plan.subset
        )
    state.change_view(plan.kind, **view, job="")
    state.renew()


def nothing_yet(plan: Plan, fingerprint: str) -> None:
    """In place of a picture: what comes next."""
    known = runner.find(plan_key(plan, fingerprint))
    if known is not None and not known.finished:
        st.info(
            f"The first picture comes as soon as one of the {len(plan.units()):,}"
            f" {plan.units_are} is finished."
        )
        return
    st.info(
        "Nothing of this experiment is computed yet."
        " Start it above, or open a finished one under Past experiments."
    )


def made_of(plan: Plan, finished: int) -> str:
    """What the figures are made of so far."""
    total = len(plan.units())
    return (
        f"all {total:,} {plan.units_are}"
        if finished == total
        else f"{finished:,} of {total:,} {plan.units_are} so far"
    )


def reading(text: str) -> None:
    """One folded paragraph."""
    with st.expander("How to read this"):
        st.markdown(text)


def files(
    name: str,
    plan: Plan,
    fingerprint: str,
    finished: int,
    rows: Callable[[], Mapping[str, Sequence]],
    figures: Mapping[str, Callable[[], Any]],
) -> None:
    """The tidy rows, the figures and how they were made, as `offered`."""
    layout.downloads("Download the run", offered(name, plan, fingerprint, finished, rows, figures))


def offered(
    name: str,
    plan: Plan,
    fingerprint: str,
    finished: int,
    rows: Callable[[], Mapping[str, Sequence]],
    figures: Mapping[str, Callable[[], Any]],
    of: str = "",
) -> list[tuple[str, Callable[[], bytes | str], str]]:
    """The files of a run, as `layout.downloads` takes them.

    figures: what each shows ("" if there is one) -> its chart, for a light ground. of: which run,
    where several are offered: "LeNet-5: ".
    """
    made = partial(score_table.run_manifest, plan.title(), plan.to_query(), fingerprint, finished)
    manifest = (f"{of}Manifest (JSON): how it was computed", made, f"{name}.json")
    if not finished:
        return [manifest]
    found = [
        (
            f"{of}{kind}, tidy rows of {finished:,} {plan.units_are}",
            partial(_table, rows, kind.lower()),
            f"{name}.{kind.lower()}",
        )
        for kind in ("CSV", "Parquet")
    ]
    for what, chart in figures.items():
        said, place = (f" ({what})", f"-{what.replace(' ', '-')}") if what else ("", "")
        for kind in ("SVG", "PNG"):
            figure = partial(_drawn, chart, kind.lower())
            found.append((f"{of}Figure, {kind}{said}", figure, f"{name}{place}.{kind.lower()}"))
    return [*found, manifest]


def _table(rows: Callable[[], Mapping[str, Sequence]], kind: str) -> bytes:
    return score_table.encode(pd.DataFrame(rows()), kind)


def _drawn(chart: Callable[[], Any], kind: str) -> bytes:
    spec = chart().properties(width=760).to_json()
    key = f"~figure {hash(spec)} {kind}"
    whose = own.whose()  # a download runs outside of the page, and for a visitor all the same
    visitor.check_fair_share(whose)
    how = limits.check_task(tasks.FIGURE, (spec,))
    picture = jobs.submit(tasks.FIGURE, spec, kind, key=key, owner=whose or None, **how).result()
    jobs.forget(key)  # as large as it is, it is not kept
    return picture
