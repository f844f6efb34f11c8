"""The lesson's end: what was measured, what was predicted, and where to go on."""

from __future__ import annotations

import streamlit as st

from core.spec import Spec
from pages.parts.lesson import chapters_sampling, quiz
from pages.parts.lesson.chapters_digits import owners
from pages.parts.lesson.chapters_representations import classifier_tau
from pages.parts.lesson.material import Material
from pages.shared import layout

ROOMS = {
    "explore": "Explore: which points matter?",
    "agreement": "Agreement: do representations agree?",
    "map": "Map: where do they lie?",
    "retrain": "Retrain: do they help?",
    "sampling": chapters_sampling.ROOM,
}


def take_away_lead(material: Material) -> str:
    """The lesson in two sentences."""
    return (
        "*Leverage finds what is unusual.* What is unusual depends on how you look, and unusual is"
        " not the same as useful."
    )


def take_away(material: Material, talk: bool) -> None:
    """What was measured, and what was predicted."""
    n = len(material.data)
    st.container(key="said").markdown(
        f"1. It measures how **unusual** a point is: {owners(material)} of {n:,} digits own a"
        " direction.\n2. It belongs to a **representation**: raw pixels and a classifier agree at"
        f" τ = {classifier_tau(material):.2f}.\n3. It finds **outliers**: ask what a random"
        f" selection would have given.\n4. It is a chance to **draw** with: {_drawn()}."
    )
    left, right = st.columns(2, gap="large")
    with left:
        _onward(st.session_state["spec"])
    with right:
        if quiz.predictions() or not talk:
            _predictions()


def _drawn() -> str:
    """What labels drawn by leverage leave of the loss, and random ones."""
    drawn, chance = (chapters_sampling.loss(rule) for rule in ("leverage", "uniform"))
    return (
        f"{chapters_sampling.BUDGET:,} such labels leave {drawn} the least possible loss, random"
        f" ones {chance}"
    )


def _predictions() -> None:
    """What this browser predicted, and the way to take it home."""
    made = quiz.predictions()
    right = sum(one.right for one in made.values())
    st.subheader(
        f"You predicted {right} of {len(made)}" if made else "You have not predicted anything yet",
        anchor=False,
    )
    if not made:
        return
    st.markdown(
        "\n".join(
            f"- {one.chapter}: {'**right**' if one.right else 'not quite'}, {one.predicted}"
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
