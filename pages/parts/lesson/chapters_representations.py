"""The lesson's chapters 5 and 6: digits seen through other maps, and whether rankings agree."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core import agreement
from core.charts.palette import family_colour
from core.linalg.least_squares_line import hat_values
from pages.components.gallery import gallery
from pages.parts.lesson import chapter_frame, quiz, small_pictures
from pages.parts.lesson.material import Material
from pages.parts.lesson.quiz import Prediction
from pages.shared import layout, state

POWERS = 2.0 ** np.arange(9)  # x of a power law's points: 1, 2, 4, ... 256
# The travellers: of the top 1% under raw pixels, so many that stay and so many that fall.
SHARE = 0.01
EACH = 2
STAYS = 0.9
FALLS = 0.5
PLACES = {
    "stays": "It stays in the top tenth",
    "between": "Somewhere in between",
    "falls": "It falls to the lower half",
}


def mean_places(material: Material) -> dict[str, np.ndarray]:
    """Percentiles (n,), 0 to 1, per embedding: the mean over its seeds."""
    families = np.array(material.families)
    return {
        name: material.places[families == name].mean(axis=0)
        for name in dict.fromkeys(material.families)
    }


@st.cache_resource(show_spinner=False)
def travellers(_material: Material) -> np.ndarray:
    """Four digits from the top 1% under raw pixels.

    The two that the classifiers rank highest, and the two they rank lowest.
    """
    top = _material.ranking.order[: round(SHARE * len(_material.data))]
    there = mean_places(_material)["classification"][top]
    order = np.argsort(there, kind="stable")
    return np.sort(np.concatenate([top[order[:EACH]], top[order[-EACH:]]]))


def outcome(place: float) -> str:
    """Which of PLACES a percentile from 0 to 1 is."""
    return "stays" if place >= STAYS else "falls" if place < FALLS else "between"


def representation_lead(material: Material) -> str:
    """Chapter 5, the sentence."""
    return (
        "Leverage belongs to a *representation*, not to a point. Logarithms straighten a power law;"
        " a network straightens digits. After that, other points stick out."
    )


def representation(material: Material, talk: bool) -> None:
    """Chapter 5."""
    words, picture = st.columns([2, 3], gap="large")
    picked = quiz.picked("traveller")
    with words:
        st.html(_power_law(layout.dark()))
        _where_does_it_go(material, picked)
    with picture:
        clicked = _travellers(
            material, picked, round((84 if talk else 64) * chapter_frame.scale(talk))
        )
        _places(material, picked)
    if clicked is not None and clicked != picked:
        quiz.pick("traveller", clicked)
        st.rerun()


@st.cache_data(show_spinner=False)
def _power_law(dark: bool) -> str:
    """The same nine points on plain and on logarithmic axes; the area of a disc is its leverage."""
    y = POWERS**-1.5
    told = (
        "A power law's nine points, x doubling each time, on {} axes; the area of a disc is its"
        " leverage"
    )
    plain = hat_values(POWERS[:, None])
    logs = hat_values(np.log(POWERS)[:, None])
    left = small_pictures.points_on_axes(POWERS, y, plain, told.format("plain"), dark)
    right = small_pictures.points_on_axes(
        np.log(POWERS), np.log(y), logs, told.format("logarithmic"), dark
    )
    return small_pictures.side_by_side(
        (left, f"<b>Plain axes.</b> The last point: leverage <b>{plain[-1]:.2f}</b>"),
        (right, f"<b>Log axes.</b> The same point: <b>{logs[-1]:.2f}</b>"),
    )


def _travellers(material: Material, picked: int | None, size: int) -> int | None:
    data = material.data
    four = travellers(material)
    return gallery(
        data.points[four],
        [data.class_names[c] for c in data.labels[four]],
        [""] * len(four),
        four.tolist(),
        alt="Four digits of the top 1% under raw pixels",
        selected=picked,
        size=size,
        key=state.key("lesson travellers"),
    )


def _where_does_it_go(material: Material, picked: int | None) -> None:
    question = (
        "All four digits are in the top 1% under raw pixels."
        " Where does a trained classifier put one of them?"
    )
    st.markdown(f"**{question}**")
    if picked is None:
        st.markdown("Tap a digit first.")
        return
    place = mean_places_of(material, picked)["classification"]
    measured = (
        f"number {picked:,} stands at percentile {100 * place:.1f} under the classifiers (mean of"
        " five)."
    )
    if quiz.revealed("traveller"):
        quiz.verdict("traveller", measured)
        return
    for name, text in PLACES.items():
        made = Prediction(5, question, text, measured, name == outcome(place))
        st.button(
            text,
            on_click=quiz.predict,
            args=("traveller", made),
            key=state.key(f"place {name}"),
            width="stretch",
        )
    quiz.show_at_once("traveller")


def mean_places_of(material: Material, point: int) -> dict[str, float]:
    """One point's percentile, 0 to 1, per embedding: the mean over its seeds."""
    families = np.array(material.families)
    return {
        name: float(material.places[families == name, point].mean())
        for name in dict.fromkeys(material.families)
    }


def _places(material: Material, point: int | None) -> None:
    """The point's percentile under every ranking; before the prediction under raw pixels only."""
    families = np.array(material.families)
    names = dict.fromkeys(material.families)
    known = quiz.revealed("traveller")
    rows = {
        n: (
            material.places[families == n, point].tolist()
            if point is not None and (known or n == "raw")
            else []
        )
        for n in names
    }
    colours = {name: family_colour(material.family(name), layout.dark()) for name in names}
    st.html(
        small_pictures.STYLE + small_pictures.strip(rows, colours, ("lowest leverage", "highest"))
    )
    if known:
        st.caption(
            "One dot per network: five trained alike from other random starts. Tap another digit."
        )


def family_means(material: Material) -> tuple[list[str], np.ndarray]:
    """The embeddings, and Kendall's tau between them (m, m), averaged over seeds.

    The diagonal: between two seeds, NaN without.
    """
    families = material.families
    matrix = material.agreement.arrays["kendall"]
    names = list(dict.fromkeys(families))
    groups = {name: [i for i, family in enumerate(families) if family == name] for name in names}
    ceilings = agreement.ceiling(matrix, families)
    means = np.array([[matrix[np.ix_(groups[a], groups[b])].mean() for b in names] for a in names])
    for i, name in enumerate(names):
        bound = ceilings[name]
        means[i, i] = bound.mean if bound else np.nan
    return names, means


def classifier_tau(material: Material) -> float:
    """Kendall's tau between raw pixels and a trained classifier, the mean over its seeds."""
    names, means = family_means(material)
    return float(means[names.index("raw"), names.index("classification")])


def agreement_lead(material: Material) -> str:
    """Chapter 6, the sentence."""
    _, low, high = material.agreement.facts["nulls"]["kendall"]
    return (
        f"Rank all {len(material.data):,} digits under each representation and compare the"
        " rankings, pair by pair: *Kendall's τ* is 1 for the same order, 0 for none in common."
        f" Chance alone would stay within ±{max(-low, high):.3f}."
    )


def agree(material: Material, talk: bool) -> None:
    """Chapter 6."""
    names, means = family_means(material)
    tau = classifier_tau(material)
    words, picture = st.columns([2, 3], gap="large")
    options = {
        "0.1": "0.1, hardly at all",
        "0.5": "0.5, half way",
        "0.9": "0.9, nearly the same order",
    }
    with words:
        known = quiz.ask(
            "tau",
            6,
            "How far do raw pixels and a trained classifier agree? Choose the nearest τ.",
            options,
            truth=min(options, key=lambda value: abs(float(value) - tau)),
            measured=f"τ = {tau:.2f}, the mean over five classifiers.",
        )
        if known:
            _ceilings(names, means)
    with picture:
        own = ["" if np.isnan(value) else "reseeded" for value in np.diag(means)]
        shown = means if known else np.full_like(means, np.nan)
        st.html(
            small_pictures.STYLE
            + small_pictures.tau_table(names, shown, own if known else [""] * len(names))
        )


def _ceilings(names: list[str], means: np.ndarray) -> None:
    reseeded = {name: means[i, i] for i, name in enumerate(names) if not np.isnan(means[i, i])}
    pairs = {(names[i], names[j]): means[i, j] for i in range(len(names)) for j in range(i)}
    a, b = max(pairs, key=pairs.__getitem__)
    c, d = min(pairs, key=pairs.__getitem__)
    ceiling = "; ".join(f"{name} {value:.2f}" for name, value in reseeded.items())
    st.markdown(
        f"Most alike: **{a} and {b}** ({pairs[a, b]:.2f}). Least: **{c} and {d}**"
        f" ({pairs[c, d]:.2f}).\n\n**The ceiling**: the same network from another random start"
        f" agrees with its twin only so far: {ceiling}."
    )
