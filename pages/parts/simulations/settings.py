"""The Simulations page's own parts: which figure, what competes, the verdict in a sentence, what
the paper shows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from core.experiments.active.plan import Active
from core.experiments.active.strategy_texts import RANDOM, parse_strategy
from core.experiments.simulations import outcomes
from core.experiments.simulations import plan as simulation_plan
from core.experiments.simulations.plan import BAIT, FORWARD, KNOBS, PRESETS, UNWEIGHED, Simulations
from core.plugins import menu
from core.spec import Spec
from core.types import Floats, UserError
from pages.shared import layout, pickers, state
from pages.shared.experiments import experiment_page, line_styles
from pages.shared.state import View

PAGE = "simulations"
FIGURES = {
    "risk": "Two designs (Figure 3)",
    "representations": "Two representations (Figures 2, 4)",
    "backward": "Taking points back (Figure 1)",
}
DESIGNS = {  # in a sentence; and above a panel
    "gaussian": ("on the Gaussian design", "Gaussian design"),
    "orthonormal": ("on the orthonormal design", "Orthonormal design"),
    "learned": ("on the learned representation", "Learned representation"),
    "random": ("on the random representation", "Random representation"),
    "network": ("with an MLP", "MLP"),
}
NAMES = {
    ("risk", BAIT): "BAIT",
    ("representations", FORWARD): "BAIT",
    ("representations", UNWEIGHED): "BAIT without F",
    ("backward", "bait"): "Forward-backward",
    ("backward", FORWARD): "Forward only",
}
OF_FIGURE = {
    "risk": ("pool", "ridge", "seeds"),
    "representations": ("pool", "batch", "rounds", "seeds"),
}
OF_FIGURE["backward"] = OF_FIGURE["representations"]
WIDTHS = {"pool": 140, "ridge": 240, "batch": 140, "rounds": 120, "seeds": 120}
PAPER = {
    "risk": (
        "In the paper's Figure 3, BAIT and log-det perform almost identically on the Gaussian"
        " design, and BAIT's risk is far lower on the orthonormal one. The paper says neither how"
        " many points it draws nor which λ it takes: 1,000 and 0.01 are ours. The points here are"
        " drawn anew for each seed; the dataset in the sidebar plays no part."
    ),
    "representations": (
        "In the paper's Figures 2 and 4 the differences are small on the learned representation; on"
        " the random one BAIT is above all others by a large margin, most of all early, and without"
        " F it is no better than they are. There: 50 batches of 10 from 30,000 digits. Here, so"
        " that a run takes seconds: 30 batches from 2,000, unless you change it."
    ),
    "backward": (
        "The paper finds in its Figure 1 that taking points back sometimes helps. There: 50 batches"
        " of 10 from 60,000 digits. Here, so that a run takes seconds: 30 batches from 2,000,"
        " unless you change it."
    ),
}
_COMMON = (
    "Lines are means over the seeds, bands 95% intervals (Student's t); a comparison of two"
    " strategies is made seed by seed."
)
READING = {
    "risk": (
        "Points in 100 dimensions whose variances fall like 1/i². *Gaussian*: normal in every"
        " direction. *Orthonormal*: each point is one of the axes, the i-th with probability"
        " proportional to 1/i². Both have the same covariance. A batch of points is picked, each is"
        " labeled with noise, and a ridge regression with the right prior is fitted: the Bayes risk"
        " is its expected error over all points, which needs no labels to compute.\n\nBAIT makes"
        " exactly this small: tr(M⁻¹F), where F says how much each direction matters in the whole"
        " dataset. Log-det makes the batch's volume large and cannot use F: on the axes it takes"
        " one after the other, however rare they are. Leverage, the top k, loves the rarest"
        " axes.\n\n" + _COMMON
    ),
    "representations": (
        "An MLP is trained on one half of the training points; the other half is seen through its"
        " hidden layer (*learned*) or through a random projection of the same 128 dimensions"
        " (*random*). On these fixed numbers a linear classifier is trained, round by round, on 100"
        " random labels and what the strategy asks for. *Without F* BAIT minimises tr(M⁻¹) in place"
        " of tr(M⁻¹F): all directions count alike, whether the dataset uses them or not. Both pick"
        " forward only, as in the paper.\n\n" + _COMMON
    ),
    "backward": (
        "A fresh MLP is trained in every round on all that is labeled. *Forward only* puts in the k"
        " points that help most, one by one; *forward-backward* puts in 2k and then drops the k"
        " whose loss hurts least. The objective is not submodular, so an early pick can turn out to"
        " be superfluous.\n\n" + _COMMON
    ),
}


def figure(view: View) -> View:
    """Which simulation. Another one begins as its preset says."""
    view["figure"] = pickers.segments("Simulation", FIGURES, view["figure"], PAGE)
    if state.changed(f"{PAGE} figure", view["figure"]):
        view |= dict.fromkeys(KNOBS) | {"strategies": "", "job": ""}
    return view


def readable(view: View) -> View:
    """The view without strategies that cannot take part: a link's are told, and the others are
    used.
    """
    kept = []
    for word in view["strategies"].split():
        try:
            Active().with_(strategies=word)
            if reason := simulation_plan.absent(parse_strategy(word)[0], view["figure"]):
                raise UserError(f"Strategy {word} {reason}.")
            kept.append(word)
        except UserError as error:
            state.problems().append(str(error))
    return view | {"strategies": " ".join(kept)}


def controls(view: View) -> View:
    """What competes, and the numbers of this figure; what is as in the preset stays out of the
    view.
    """
    preset = PRESETS[view["figure"]]
    with st.expander("What to compare"):
        chosen = _strategies(view, preset)
        view["strategies"] = "" if chosen == " ".join(preset.strategies) else chosen
        with st.container(horizontal=True, vertical_alignment="top", gap="medium"):
            for name in OF_FIGURE[preset.figure]:
                usual = getattr(preset, name)
                now = usual if view[name] is None else view[name]
                value = pickers.knob_widget(
                    KNOBS[name], now, f"{PAGE} {preset.figure} {name}", WIDTHS[name]
                )
                view[name] = None if value == usual else value
        st.button(
            "As it comes",
            on_click=show_plan,
            args=(preset,),
            help=f"{preset.title()}.",
            type="tertiary",
        )
    return view


def _strategies(view: View, preset: Simulations) -> str:
    reasons = {name: simulation_plan.absent(name, preset.figure) for name in menu.strategies()}
    now = [name for name in view["strategies"].split() or preset.strategies if name != RANDOM]
    options = dict.fromkeys(
        [*now, *preset.strategies, *(name for name, reason in reasons.items() if not reason)]
    )
    options.pop(RANDOM, None)
    names = {name: called(preset.figure, name) for name in options}
    key = state.key(f"{PAGE} {preset.figure} strategies")
    help = "Type to search. Random always competes."
    return " ".join(
        [
            *st.multiselect(
                "Strategies, beside random",
                list(names),
                now,
                format_func=names.get,
                key=key,
                help=help,
            ),
            RANDOM,
        ]
    )


def called(figure: str, text: str) -> str:
    """A strategy's name in this figure."""
    return NAMES.get((figure, text)) or line_styles.strategy_name(text)


def plan_that_fits(spec: Spec, view: View, data: Any) -> tuple[Simulations, str | None]:
    """The plan that the view describes. A UserError if its parts do not fit together."""
    changed = {name: view[name] for name in KNOBS if view[name] is not None}
    if view["strategies"]:
        changed["strategies"] = view["strategies"]
    return (
        PRESETS[view["figure"]].with_(
            dataset=spec.dataset, n=spec.n, subset=spec.subset, **changed
        ),
        None,
    )


def show_plan(plan: Simulations) -> None:
    """For callbacks: the page shows this plan in the next run."""
    preset = PRESETS[plan.figure]
    view = {
        name: None if getattr(plan, name) == getattr(preset, name) else getattr(plan, name)
        for name in KNOBS
    }
    chosen = "" if plan.strategies == preset.strategies else " ".join(plan.strategies)
    experiment_page.reopen(
        plan, view | {"figure": plan.figure, "strategies": chosen}, points=plan.needs_data
    )


def answer(plan: Simulations, values: Floats) -> None:
    """The two strategies of the figure, on each design; the clearest difference first."""
    if not np.isfinite(values).any():
        return
    found = outcomes.advantage(plan, values)
    known = [i for i in range(len(plan.designs)) if np.isfinite(found.low[i])]
    if not known or plan.duel[0] == plan.duel[1]:
        layout.answer("No verdict yet: an interval needs two seeds of two strategies.")
        return
    known.sort(key=lambda i: -abs(found.mean[i]))
    said = [
        _compared(plan, i, *(float(part[i]) for part in found[:3]), again=i != known[0])
        for i in known
    ]
    sentence = "; ".join(said)
    layout.answer(f"{sentence[:1].upper()}{sentence[1:]}.")


def _compared(plan: Simulations, i: int, mean: float, low: float, high: float, again: bool) -> str:
    """ "on the orthonormal design the Bayes risk of BAIT is *29% lower* than that of log-det over
    all budgets (95% interval ...)".

    again: what is compared has been said.
    """
    unit, over = (" points", " over all rounds") if plan.needs_data else ("%", " over all budgets")
    first, second = (_within(called(plan.figure, name)) for name in plan.duel)
    place = DESIGNS[plan.designs[i]][0]
    interval = f"(95% interval {low:+.1f} to {high:+.1f}{unit})".replace("-", "−")
    if low <= 0 <= high:
        return (
            f"{place} no difference shows {interval}"
            if again
            else f"{place} no difference between {first} and {second} shows{over} {interval}"
        )
    word = (
        ("better" if mean > 0 else "worse")
        if plan.needs_data
        else ("lower" if mean < 0 else "higher")
    )
    amount = f"*{abs(mean):.1f} points {word}*" if plan.needs_data else f"*{abs(mean):.0f}% {word}*"
    if again:
        return f"{place} it is {amount} {interval}"
    what, than = (
        (first, second) if plan.needs_data else (f"the Bayes risk of {first}", f"that of {second}")
    )
    return f"{place} {what} is {amount} than {than}{over} {interval}"


def _within(name: str) -> str:
    """A name inside a sentence: acronyms keep their capitals."""
    return name if name[1:2].isupper() else f"{name[:1].lower()}{name[1:]}"
