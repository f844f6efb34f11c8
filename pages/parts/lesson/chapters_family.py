"""The lesson's relatives of leverage: what else a strategy can look at."""

from __future__ import annotations

import html

import streamlit as st

from core import lesson
from core.plugins import menu
from pages.parts.lesson import small_pictures
from pages.parts.lesson.material import Favourites, Material, favourites
from pages.shared import layout
from pages.shared.words import formula

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
BLIND = {"random"}  # asks for the embedding only to count its points
# The cards: one of each kind, its question, and its score or rule as it is written by hand.
CARDS = {
    "leverage": ("How far out?", r"x_i^\top (X^\top X)^{+} x_i"),
    "k_center": ("Far from all that is chosen?", r"\max_i\, \min_{s \in S} \|x_i - x_s\|"),
    "entropy": ("In doubt?", r"-\sum_y p_y \log p_y"),
    "badge": ("In doubt, and far apart?", r"\text{k-means++ on } (p - e_{\hat y}) \otimes x"),
    "bait": ("Does it settle all the rest?", r"\min_S\, \operatorname{tr}\,(M_S^{-1} F)"),
    "el2n": ("Wrong about its label?", r"\| p - e_y \|"),
}


def family_lead(material: Material) -> str:
    """What was asked of each."""
    return (
        f"The same {lesson.POOL:,} digits as a classifier sees them: *which"
        f" {lesson.FAVOURITES} would each take first?*"
    )


def family(material: Material, talk: bool) -> None:
    """Six cards; for readers the rest of the menu under them."""
    known = {one.strategy.name: one for one in favourites()}
    st.html(small_pictures.STYLE)
    names = list(CARDS)
    for row in (names[:3], names[3:]):
        for place, name in zip(st.columns(3), row, strict=True):
            with place.container(border=True, key=f"card-{name}"):
                _card(known[name], *CARDS[name], material, layout.dark())
    if not talk:
        rest = [one for one in favourites() if one.strategy.name not in CARDS]
        with st.expander(f"The other {len(rest)} strategies"):
            cards = "".join(_small_card(one, material, layout.dark()) for one in rest)
            st.html(f'<div class="family">{cards}</div>')


def family_home(material: Material) -> str:
    """What leverage does not see."""
    strategies = menu.strategies().values()
    alone = sum(sees(entry.name, entry.accepts) == SEES["embedding"] for entry in strategies)
    return (
        f"Leverage sees *features alone*, as {alone} of the {len(strategies)} strategies here do;"
        " the others also ask what a model doubts or what the labels say."
    )


def sees(name: str, accepts: tuple[str, ...]) -> str:
    """What a strategy sees, in words: "features and labels"."""
    if name in BLIND:
        return "nothing"
    return " and ".join(dict.fromkeys(SEES[one] for one in accepts))


def _card(one: Favourites, question: str, rule: str, material: Material, dark: bool) -> None:
    st.html(
        f'<div class="card"><h3>{html.escape(one.strategy.label)}</h3>'
        f"<p>{html.escape(question)}</p></div>{_row(one, material, dark)}"
    )
    st.markdown(f"$$\n{rule}\n$$")


def _small_card(one: Favourites, material: Material, dark: bool) -> str:
    seen = html.escape(sees(one.strategy.name, one.strategy.accepts))
    return (
        f"<section><h3>{html.escape(one.strategy.label)}</h3><p class='sees'>sees {seen}</p>"
        f"{_row(one, material, dark)}<p>{formula(one.strategy.summary)}</p></section>"
    )


def _row(one: Favourites, material: Material, dark: bool) -> str:
    if one.missing:
        return f"<p>No favourites: it {html.escape(one.missing)}.</p>"
    return _picture(one.strategy.name, tuple(one.points.tolist()), dark, material)


@st.cache_data(show_spinner=False, max_entries=256)
def _picture(name: str, points: tuple[int, ...], dark: bool, _material: Material) -> str:
    labels = ", ".join(_material.data.class_names[c] for c in _material.data.labels[list(points)])
    return small_pictures.digits_row(
        _material.data.points[list(points)], f"Its favourites: {labels}", dark
    )
