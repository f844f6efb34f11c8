"""The lesson's last three chapters: does it help, what else is there, and what we take away."""

from __future__ import annotations

import html
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core import lesson
from core.charts.learning_curves import replay
from core.experiments import presets, store
from core.experiments.retrain import outcomes
from core.experiments.retrain.outcomes import Grid
from core.experiments.retrain.plan import RANDOM
from core.experiments.retrain.run import PROTOCOLS
from core.experiments.statistics import MARGIN
from core.experiments.verdicts import POINTS, sentence
from core.spec import Spec
from core.types import UserError
from pages.components.gallery import gallery
from pages.parts.lesson import chapter_frame, quiz, small_pictures
from pages.parts.lesson.chapters_digits import owners
from pages.parts.lesson.chapters_representations import classifier_tau
from pages.parts.lesson.material import Favourites, Material, favourites
from pages.shared import cached, layout, memo, state
from pages.shared.experiments import line_styles
from pages.shared.words import formula

BUDGET = 1000
OUTLIERS = 40
# What a strategy sees, from the names of its inputs.
SEES = {
    "embedding": "features",
    "images": "pixels",
    "probs": "uncertainty",
    "member_probs": "uncertainty",
    "head": "uncertainty",
    "labels": "labels",
    "validation": "labels",
    "labeled": "what is labeled already",
    "record": "how training went",
}
ROOMS = {
    "explore": "Explore: which points matter?",
    "agreement": "Agreement: do representations agree?",
    "map": "Map: where do they lie?",
    "retrain": "Retrain: do they help?",
}
BLIND = {"random"}  # asks for the embedding only to count its points


@st.cache_resource(show_spinner=False)
def curves() -> tuple[pd.DataFrame, dict[str, Grid]]:
    """Mean accuracy of networks trained on BUDGET selected digits, and the finished trainings.

    Epoch by epoch under both protocols: columns protocol, name, epoch, accuracy. A UserError if
    these results are not bundled.
    """
    grids = {}
    frames = []
    data = cached.dataset("mnist", None, 0)
    for plan in (presets.FAIR, presets.TALK):
        grid = outcomes.grid(plan, store.outcomes(plan, data.fingerprint), len(data.class_names))
        if grid.finished < len(plan.units()):
            raise UserError(
                "Lesson: found no finished retraining among the bundled results."
                " Run python -m core experiments."
            )
        grids[plan.protocol] = grid
        place = plan.budgets.index(BUDGET)
        for candidate, mean in zip(plan.candidates, grid.curve[:, place].mean(axis=1), strict=True):
            columns = {"epoch": range(1, len(mean) + 1), "accuracy": mean}
            frames.append(
                pd.DataFrame(columns).assign(
                    protocol=PROTOCOLS[plan.protocol], name=line_styles.selection_name(candidate)
                )
            )
    return pd.concat(frames, ignore_index=True), grids


def _replayed(dark: bool, height: int) -> Any:
    return replay(curves()[0], line_styles.selection_lines(presets.FAIR, dark), dark, height)


def fair_and_not() -> str:
    """What the curves say in words: the difference to random under each protocol, computed."""
    _, grids = curves()
    said = []
    for protocol, words in (
        ("epochs", "With shuffled batches and the right loss"),
        ("talk", "Under the talk's protocol"),
    ):
        grid = grids[protocol]
        place = grid.plan.budgets.index(BUDGET)
        versus = outcomes.versus(grid, RANDOM, MARGIN)[grid.plan.candidates[0]]
        here = versus.at(place)._replace(places=[""])
        verdict = sentence("That", "random", here, POINTS, MARGIN)
        top = grid.accuracy[0, place].mean()
        said.append(
            f"{words}, the top {BUDGET:,} reach an accuracy of **{top:.0%}**."
            f" {verdict.replace('*', '')}"
        )
    return " ".join(said)


def training_top(material: Material) -> np.ndarray:
    """The training digits with the highest leverage under raw pixels, best first (BUDGET,)."""
    order = material.ranking.order
    return order[~material.data.test[order]][:BUDGET]


def help_lead(material: Material) -> str:
    """Chapter 7, the sentence."""
    names = material.data.class_names
    labels = material.data.labels[training_top(material)]
    (most, more), (least, less) = extremes(labels, len(names))
    return (
        f"Take the *{BUDGET:,} training digits with the highest leverage* under raw pixels and"
        f" train on them alone. They are outliers: specks, slips of the pen, and {more:.0%} of them"
        f" of class {names[most]}, {less:.0%} of class {names[least]}."
    )


def helps(material: Material, talk: bool) -> None:
    """Chapter 7."""
    words, picture = st.columns([2, 3], gap="large")
    chance = np.random.default_rng(0).choice(
        np.flatnonzero(~material.data.test), BUDGET, replace=False
    )
    with words:
        st.markdown(
            f"{fair_and_not()}\n\n**The talk's protocol** ranked by textbook QR, artefacts"
            " included, and never shuffled: the selection stayed in its order, outliers first, and"
            " softmax was applied twice, so that a class once lost hardly came back. **The fair"
            " one** ranks by exact leverage, shuffles and uses the right loss. Five seeds"
            " each, and random always beside it."
            " Much of the gap was the protocol; what is left is the outliers'."
        )
    with picture:
        height = round((240 if talk else 260) * chapter_frame.scale(talk))
        said = fair_and_not().replace("*", "")
        alt = f"Accuracy epoch by epoch for top leverage and random; {said}"
        memo.chart(_replayed, layout.dark(), height, key=state.key("lesson replay"), alt=alt)
        # A talk's screen is wide and low.
        sides = st.columns(2) if talk else (st.container(), st.container())
        for side, name, points in zip(
            sides, ("Highest leverage", "Random"), (training_top(material), chance), strict=True
        ):
            with side:
                _first(material, name, points, talk)


def _first(material: Material, name: str, points: np.ndarray, talk: bool) -> None:
    """The first digits of a selection."""
    st.markdown(f"**{name}**: the first of {len(points):,}")
    first = points[:OUTLIERS]
    gallery(
        material.data.points[first],
        [material.data.class_names[c] for c in material.data.labels[first]],
        [""] * len(first),
        first.tolist(),
        alt=f"{name}: training digits",
        max_rows=1 if talk else 2,
        size=round(56 * chapter_frame.scale(talk)),
        key=state.key(f"lesson help {name}"),
    )


def extremes(labels: np.ndarray, c: int) -> tuple[tuple[int, float], tuple[int, float]]:
    """(class, share) of the most and of the least frequent class."""
    shares = np.bincount(labels, minlength=c) / len(labels)
    return (int(shares.argmax()), float(shares.max())), (int(shares.argmin()), float(shares.min()))


def family_lead(material: Material) -> str:
    """Chapter 8, the sentence."""
    return (
        "Leverage sees *features* alone. Its relatives also look at the network's *uncertainty* or"
        f" at the *labels*. Each was asked for its {lesson.FAVOURITES} favourites among the same"
        f" {lesson.POOL:,} digits, as a trained classifier sees them."
    )


def family(material: Material, talk: bool) -> None:
    """Chapter 8.

    A talk shows those that have favourites, names and digits alone: all of them on one screen.
    """
    shown = [one for one in favourites() if not (talk and one.missing)]
    cards = "".join(_card(one, material, layout.dark()) for one in shown)
    st.html(f'{small_pictures.STYLE}<div class="family{" talk" if talk else ""}">{cards}</div>')


def sees(one: Favourites) -> str:
    """What the strategy sees, in words: "features and labels"."""
    if one.strategy.name in BLIND:
        return "nothing"
    return " and ".join(dict.fromkeys(SEES[name] for name in one.strategy.accepts))


def _card(one: Favourites, material: Material, dark: bool) -> str:
    if one.missing:
        picture = f"<p>No favourites: it {html.escape(one.missing)}.</p>"
    else:
        picture = _picture(one.strategy.name, tuple(one.points.tolist()), dark, material)
    return (
        f"<section><h3>{html.escape(one.strategy.label)}</h3><p class='sees'>sees"
        f" {html.escape(sees(one))}</p>{picture}"
        f"<p>{formula(one.strategy.summary)}</p></section>"
    )


@st.cache_data(show_spinner=False, max_entries=256)
def _picture(name: str, points: tuple[int, ...], dark: bool, _material: Material) -> str:
    labels = ", ".join(_material.data.class_names[c] for c in _material.data.labels[list(points)])
    return small_pictures.digits_row(
        _material.data.points[list(points)], f"Its favourites: {labels}", dark
    )


def take_away_lead(material: Material) -> str:
    """Chapter 9, the sentence."""
    return (
        "*Leverage finds what is unusual.* What is unusual depends on how you look, and unusual is"
        " not the same as useful."
    )


def take_away(material: Material, talk: bool) -> None:
    """Chapter 9."""
    tau = classifier_tau(material)
    n = len(material.data)
    st.markdown(
        f"1. Leverage measures how **unusual** a point is: {owners(material)} of {n:,} digits own a"
        " direction of their own.\n2. It belongs to a **representation**: raw pixels and a trained"
        f" classifier agree only at τ = {tau:.2f}.\n3. It finds **outliers**. Whatever a selection"
        " promises, ask what a random one would have given."
    )
    left, right = st.columns(2, gap="large")
    with left:
        _predictions()
    with right:
        _onward(st.session_state["spec"])


def _predictions() -> None:
    """What this browser predicted, and the way to take it home."""
    made = quiz.predictions()
    right = sum(one.right for one in made.values())
    st.subheader(
        f"You predicted {right} of {len(made)}" if made else "You have not predicted anything yet",
        anchor=False,
    )
    if not made:
        st.markdown("Chapters 1, 3, 4, 5 and 6 each ask for a prediction before they reveal.")
        return
    st.markdown(
        "\n".join(
            f"- Chapter {one.chapter}: {'**right**' if one.right else 'not quite'}, {one.predicted}"
            for one in made.values()
        )
    )
    with st.container(horizontal=True):
        st.download_button(
            "Download them (CSV)",
            quiz.as_csv(made.values()),
            "predictions.csv",
            "text/csv",
            on_click="ignore",
        )
        st.button("Forget them", on_click=quiz.start_over, type="tertiary")


def _onward(spec: Spec) -> None:
    st.subheader("Go on with your own eyes", anchor=False)
    query = spec.to_query()
    for page, text in ROOMS.items():
        layout.onward(page, text, ":material/arrow_forward:", query)
