"""The lesson's digits seen through other maps, and whether their rankings agree."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core import agreement
from core.charts.palette import family_colour
from pages.components.gallery import gallery
from pages.parts.lesson import chapter_frame, feature_map, quiz, small_pictures
from pages.parts.lesson.material import Material
from pages.parts.lesson.quiz import Prediction
from pages.shared import layout, state

NETWORK = "A network is a feature map"
AGREEMENT = "Agreement"
FEATURES = 200  # what comes out of the talk's network, before its last layer
# The travellers: of the top 1% under raw pixels, so many that stay and so many that fall.
SHARE = 0.01
EACH = 2
STAYS = 0.9
FALLS = 0.5
PLACES = {
    "stays": "In the top tenth",
    "between": "In between",
    "falls": "In the lower half",
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
    """What a map does."""
    return (
        "An image goes in, *a point comes out*. When a map straightens, *other points stick out*."
    )


def representation(material: Material, talk: bool) -> None:
    """The map, and one digit's place under each."""
    picked = quiz.picked("traveller")
    if picked is None and quiz.revealed("traveller"):
        picked = int(farthest(material))
    left, right = st.columns([1, 1], gap="large")
    with left:
        point = int(travellers(material)[0]) if picked is None else picked
        st.html(small_pictures.STYLE + _map_of(material, point, layout.dark()))
    with right:
        _where_does_it_go(material, picked)
        size = round((72 if talk else 64) * chapter_frame.scale(talk))
        clicked = _travellers(material, picked, size)
        _places(material, picked)
    if clicked is not None and clicked != picked:
        quiz.pick("traveller", clicked)
        st.rerun()


@st.cache_data(show_spinner=False, max_entries=16)
def _map_of(_material: Material, point: int, dark: bool) -> str:
    return feature_map.picture(_material.data.points[point], FEATURES, dark)


def farthest(material: Material) -> int:
    """Of the travellers, the one that the classifiers rank lowest."""
    four = travellers(material)
    return int(four[np.argmin(mean_places(material)["classification"][four])])


def representation_home(material: Material) -> str:
    """One digit's two places."""
    point = farthest(material)
    places = mean_places_of(material, point)
    return (
        f"*Leverage belongs to a representation, not to a point*: one digit stands above"
        f" {_percent(places['raw'])} of all under raw pixels, above"
        f" {_percent(places['classification'])} under the classifiers."
    )


def _percent(share: float) -> str:
    """A share in per cent that never rounds to all."""
    return f"{min(99.9, 100 * share):.1f}%" if share > 0.99 else f"{share:.0%}"


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
    question = "All four are in the top 1% under raw pixels. Where does a classifier put one?"
    measured = ""
    if picked is not None:
        place = mean_places_of(material, picked)["classification"]
        measured = f"percentile {100 * place:.1f} under the classifiers."
    if quiz.revealed("traveller"):
        quiz.verdict("traveller", measured)
        return
    st.markdown(f"**{question}**{' Tap it.' if picked is None else ''}")
    if picked is None:
        return
    for place_of, (name, text) in zip(st.columns(len(PLACES)), PLACES.items(), strict=True):
        made = Prediction(NETWORK, question, text, measured, name == outcome(place))
        place_of.button(
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
    ends = ("lowest", "one dot per network", "highest")
    st.html(small_pictures.STYLE + small_pictures.strip(rows, colours, ends))


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
    """What is compared."""
    _, low, high = material.agreement.facts["nulls"]["kendall"]
    return (
        f"Rank all {len(material.data):,} digits under each map and compare: *Kendall's τ* is 1 for"
        f" the same order; chance stays within ±{max(-low, high):.3f}."
    )


def agree(material: Material, talk: bool) -> None:
    """A table of all pairs."""
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
            AGREEMENT,
            "How far do raw pixels and a trained classifier agree?",
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
    pairs = {(names[i], names[j]): means[i, j] for i in range(len(names)) for j in range(i)}
    a, b = max(pairs, key=pairs.__getitem__)
    c, d = min(pairs, key=pairs.__getitem__)
    st.markdown(
        f"Most alike: **{a} and {b}**, {pairs[a, b]:.2f}. Least: **{c} and {d}**,"
        f" {pairs[c, d]:.2f}."
    )


def agreement_home(material: Material) -> str:
    """Between two maps, and between two random starts of one."""
    names, means = family_means(material)
    own = means[names.index("classification"), names.index("classification")]
    return (
        f"Raw pixels and a trained classifier agree at *τ = {classifier_tau(material):.2f}*; the"
        f" same classifier from another random start, at *{own:.2f}*."
    )
