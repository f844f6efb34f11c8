"""Who beats whom? The papers' penalty matrix, of one comparison or summed over several."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core import datasets
from core.charts import active as round_charts
from core.charts.common import Line
from core.experiments import presets, statistics, store
from core.experiments.active import comparison_sums, outcomes
from core.experiments.active.comparison_sums import GROUPS, Setting
from core.experiments.active.outcomes import FinishedRuns
from core.experiments.active.plan import Active
from core.types import Dataset
from pages.parts.active import cut_rounds, words
from pages.shared import cached, layout, memo, pickers, state
from pages.shared.experiments import past_experiments
from pages.shared.experiments.experiment_page import made_of
from pages.shared.state import View

SUMS = {"one": "This comparison", **GROUPS}
MEANING = (
    "The papers sum such a matrix over datasets, networks and batch sizes. Summed are the finished"
    " comparisons of exactly these strategies in the same task: yours, and those that come with the"
    " app."
)


def picture(
    plan: Active, runs: FinishedRuns, lines: Sequence[Line], view: View, data: Dataset
) -> View:
    """One matrix, or one for each group of settings; which budgets counted stands below."""
    view["sum"] = pickers.dropdown("Sum over", SUMS, view["sum"], "active", MEANING, 240)
    if view["sum"] == "one":
        _of_this(plan, runs, lines)
        return view
    settings = _settings(plan, data)
    if not settings:
        st.info("No comparison of exactly these strategies is finished yet.")
    for name, some in comparison_sums.grouped(settings, view["sum"]).items():
        _summed(name, some, lines)
    return view


def _of_this(plan: Active, runs: FinishedRuns, lines: Sequence[Line]) -> None:
    compared = outcomes.learning_curves(plan, runs)
    places = outcomes.budgets(compared)
    if not places:
        st.info(
            f"Random's {words.measure(plan)} is within 1% of its final one after one batch, or not"
            " finished: no budget is left at which to compare."
        )
        return
    said = ", ".join(f"{compared.labels[place]:,}" for place in places)
    st.markdown(
        f"**How often the row beats the column**, of the budget{'s' * (len(places) > 1)} {said} ·"
        f" {made_of(plan, runs.finished)}"
    )
    _matrix(outcomes.penalty_matrix([compared]), lines, "penalty")
    st.caption(
        f"Paired t-tests over {plan.seeds} seeds on the {words.measure(plan)}, critical value"
        f" {statistics.critical(plan.seeds):.3f}.{cut_rounds.not_compared(compared, places)}"
    )


def _summed(name: str, settings: Sequence[Setting], lines: Sequence[Line]) -> None:
    st.markdown(
        f"**How often the row beats the column**, {name}: the sum over {len(settings)}"
        " comparisons, each of which counts 1"
    )
    _matrix(outcomes.penalty_matrix([one.curves for one in settings]), lines, f"penalty {name}")
    st.caption("  \n".join(f"{one.plan.title()}: {one.counted}." for one in settings))


def _matrix(penalty, lines: Sequence[Line], key: str) -> None:
    names = [line.name for line in lines]
    beaten = outcomes.beaten_on_average(penalty)
    memo.chart(
        round_charts.penalty_table,
        penalty,
        beaten,
        names,
        layout.dark(),
        key=state.key(key),
        alt=f"Penalty matrix of {', '.join(names)}",
    )


def _settings(plan: Active, data: Dataset) -> list[Setting]:
    """This comparison if it is finished, and all other finished ones of the same strategies."""
    others = [(one, facts["data"]) for _, facts, one in past_experiments.records("active")]
    others += [(one, None) for one in presets.ACTIVE if datasets.is_ready(one.dataset)]
    found = {plan: data.fingerprint}
    for one, fingerprint in others:
        alike = one.task == plan.task and set(one.strategies) == set(plan.strategies)
        if alike and one not in found:
            found[one] = fingerprint or cached.dataset(one.dataset, one.n, one.subset).fingerprint
    return [
        comparison_sums.setting_of(one, fingerprint, plan.strategies)
        for one, fingerprint in found.items()
        if not store.missing(one, fingerprint)
    ]
