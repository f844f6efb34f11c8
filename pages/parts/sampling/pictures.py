"""The Sampling page's pictures of an experiment, and the files that hold them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.charts.learning_curves import HEIGHT, accuracy_by_labels_bought, loss_by_labels_bought
from core.charts.scores import chances
from core.experiments.sampling import outcomes
from core.experiments.sampling.outcomes import Bought
from core.experiments.sampling.plan import SamplingRun
from core.experiments.sampling.rules import RULES
from core.experiments.statistics import factor_estimate, share_estimate
from core.linalg.sampling import guarantee
from core.types import Dataset
from pages.shared import layout, memo, pickers, state
from pages.shared.experiments import experiment_page
from pages.shared.experiments.sampling_rules import loss_text, rule_line, rule_name
from pages.shared.points import show
from pages.shared.state import View

Found = Mapping[SamplingRun, Mapping[str, np.ndarray]]


def picture(bought: Bought, found: Found, view: View, data: Dataset, budget: int) -> View:
    """One of the pictures of the experiment."""
    if view["show"] == "curves":
        _curves(bought)
    elif view["show"] == "weights":
        view = _drawn(bought, found, view, data)
    else:
        _samples(bought, budget)
    return view


def _curves(bought: Bought) -> None:
    made = experiment_page.made_of(bought.plan, _finished(bought))
    left, right = st.columns([3, 2], gap="medium") if bought.classes else (st.container(), None)
    with left:
        st.markdown(f"**What does a fit to few labels lose?** · loss on all rows, {made}")
        if bought.whole is not None and bought.whole.exact:
            st.info("The fit to all labels leaves nothing, so there is no ratio to draw.")
        else:
            with layout.fluid("loss-by-labels", HEIGHT + 40):
                memo.chart(
                    _loss_chart,
                    bought,
                    layout.dark(),
                    key=state.key("loss by labels"),
                    alt=loss_table(bought),
                    height="stretch",
                )
    if right is not None:
        with right:
            st.markdown("**How often is its class right?** · on the test part")
            with layout.fluid("accuracy-by-labels-bought", HEIGHT + 40):
                memo.chart(
                    _accuracy_chart,
                    bought,
                    layout.dark(),
                    key=state.key("accuracy by labels bought"),
                    alt=accuracy_table(bought),
                    height="stretch",
                )
    _told(bought)


def _told(bought: Bought) -> None:
    """What stands in no line, and why."""
    plan = bought.plan
    whole = bought.whole
    if whole is None:
        return
    said = [f"{whole.rows:,} rows of rank {whole.rank:,}. Dotted: the shape of the guarantee."]
    if "volume" in plan.rules and plan.budgets[0] < whole.rank:
        said.append(f"Volume sampling begins at the rank: below {whole.rank:,} no set has volume.")
    greedy = [i for i, rule in enumerate(plan.rules) if RULES[rule].greedy]
    cut = [
        i for i in greedy if np.isnan(bought.ratio[i]).any() and np.isfinite(bought.ratio[i]).any()
    ]
    if cut:
        said.append("The greedy designs end where their picks would cost more than 6e10 products.")
    st.caption(" ".join(said))


def _drawn(bought: Bought, found: Found, view: View, data: Dataset) -> View:
    """The chances of all rows, and some that one rule drew, with their weights."""
    plan = bought.plan
    names = {rule: rule_name(rule) for rule in plan.rules}
    rule = view["rule"] if view["rule"] in names else next(iter(names))
    view["rule"] = pickers.dropdown("Drawn by", names, rule, "sampling", width=230)
    units = [unit for unit in found if unit.rule == view["rule"]]
    if not units:
        st.info("No run of this rule is finished yet.")
        return view
    outcome = found[min(units, key=lambda unit: unit.seed)]
    weighted = not np.allclose(outcome["weight"], 1)
    left, right = st.columns([2, 3], gap="medium")
    with left:
        st.markdown("**How likely is each row, drawn by leverage?**")
        quantiles = np.asarray(outcome["chances"])
        alt = (
            f"The most likely row is {quantiles[-1]:.3g} times as likely as in a uniform draw, the"
            f" middle one {quantiles[len(quantiles) // 2]:.2g} times."
        )
        memo.chart(chances, quantiles, layout.dark(), key=state.key("chances"), alt=alt)
        st.caption(alt)
    with right:
        rows = np.asarray(outcome["first"])
        weights = [f"×{weight:.2g}" for weight in outcome["weight"]] if weighted else None
        said = "its weight in the fit beside the mean one" if weighted else "all weigh the same"
        st.markdown(f"**{names[view['rule']]}**: {len(rows)} of {plan.budgets[-1]:,}, {said}")
        alt = f"Drawn by {names[view['rule']]}"
        show(data, rows, weights, key=state.key("drawn"), alt=alt, scored="weight")
    return view


def _samples(bought: Bought, budget: int) -> None:
    """What each rule's samples are like at one budget."""
    plan = bought.plan
    b = plan.budgets.index(budget)
    rank = bought.whole.rank if bought.whole else 0
    ratio = factor_estimate(bought.ratio[:, b]).mean
    rows = []
    for i, rule in enumerate(plan.rules):
        if not np.isfinite(bought.directions[i, b]).any():
            continue
        row = {
            "rule": rule_name(rule),
            "loss": loss_text(ratio[i]).removesuffix(" the least possible"),
            f"directions of {rank:,}": f"{np.nanmean(bought.directions[i, b]):,.0f}",
            "condition": f"{np.exp(np.nanmean(np.log(bought.condition[i, b]))):,.3g}",
            "different rows": f"{np.nanmean(bought.bought[i, b]):,.0f}",
        }
        if bought.classes:
            row["accuracy"] = f"{np.nanmean(bought.accuracy[i, b]):.1%}"
        rows.append(row)
    st.markdown(f"**What are the samples like?** · {budget:,} labels, means over draws")
    st.dataframe(pd.DataFrame(rows), hide_index=True, key=state.key("samples"))
    st.caption(
        "Directions that the sample sees; in the others the fit knows nothing. Condition: the"
        " largest over the smallest of the weighted sample's singular values; 1 would be as good"
        " as all rows. Drawn with replacement, some rows come twice and cost one label."
    )


def _finished(bought: Bought) -> int:
    """How many runs are in it."""
    there = np.isfinite(bought.bought).any(axis=1)
    drawn = np.array([RULES[rule].drawn for rule in bought.plan.rules])
    return int(there[drawn].sum() + there[~drawn].any(axis=1).sum())


def _loss_chart(bought: Bought, dark: bool) -> Any:
    plan = bought.plan
    rank = bought.whole.rank if bought.whole else 1
    bound = guarantee(np.array(plan.budgets), rank)
    lines = [rule_line(rule) for rule in plan.rules]
    return loss_by_labels_bought(plan.budgets, bought.ratio, bound, rank, lines, dark)


def _accuracy_chart(bought: Bought, dark: bool) -> Any:
    plan = bought.plan
    lines = [rule_line(rule) for rule in plan.rules]
    return accuracy_by_labels_bought(plan.budgets, bought.accuracy, lines, dark)


def loss_table(bought: Bought) -> str:
    """The losses in words, for those who do not see the chart."""
    mean = factor_estimate(bought.ratio).mean
    return "Loss on all rows. " + _in_words(bought, mean, loss_text)


def accuracy_table(bought: Bought) -> str:
    """The accuracies in words."""
    mean = share_estimate(bought.accuracy).mean
    return "Accuracy on the test part. " + _in_words(bought, mean, "{:.1%}".format)


def _in_words(bought: Bought, values: np.ndarray, write: Any) -> str:
    said = []
    for rule, each in zip(bought.plan.rules, values, strict=True):
        known = [
            f"{write(value)} with {b:,}"
            for b, value in zip(bought.plan.budgets, each, strict=True)
            if np.isfinite(value)
        ]
        said += [f"{rule_name(rule)}: {', '.join(known)}"] if known else []
    return "; ".join(said)


def downloads(bought: Bought, found: Found, data: Dataset) -> None:
    """The rows, the figures and how they were made."""
    plan = bought.plan
    name = f"sampling-{plan.dataset}-{plan.seen.embedding}".replace("_", "-")
    figures = {"loss": lambda: _loss_chart(bought, False)}
    if bought.classes:
        figures["accuracy"] = lambda: _accuracy_chart(bought, False)
    experiment_page.files(
        name,
        plan,
        data.fingerprint,
        len(found),
        lambda: outcomes.tidy_columns(plan, found),
        figures if bought.finished and bought.whole and not bought.whole.exact else {},
    )
