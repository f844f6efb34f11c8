"""The Agreement page's own parts: which rankings to compare, and what the matrix says."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import streamlit as st

from core import embeddings
from core.agreement import Interval
from core.data.dataset_info import Info
from core.plugins import menu
from core.spec import Comparison, Spec, resolve
from pages.shared import pickers, state
from pages.shared.state import View, ViewKnobs
from pages.shared.words import plain, short, starless

SEEDS = ("1", "2", "3", "4", "5")
TALK = ("raw", "random_relu", "cnn_untrained", "cnn_regression", "cnn_classification")
MEASURES = {
    "kendall": "Kendall τ",
    "weighted_kendall": "Weighted τ",
    "spearman": "Spearman ρ",
    "overlap": "Top-k overlap",
}
MEANING = {
    "kendall": (
        "τ = (concordant − discordant pairs) / all pairs, corrected for ties (tau-b). 1: same"
        " order, 0: unrelated, −1: reversed."
    ),
    "weighted_kendall": (
        "Kendall's τ in which a pair counts 1/(1 + rank) for each of its points:"
        " the top of the ranking decides."
    ),
    "spearman": "Pearson's correlation of the ranks.",
    "overlap": "The share of the k highest points that both rankings have in common.",
}
SYMBOLS = {"kendall": "τ", "weighted_kendall": "weighted τ", "spearman": "ρ"}
ORDERS = {"family": "By family", "similarity": "By similarity"}


def controls(view: View, knobs: ViewKnobs, about: Info) -> View:
    """Which embeddings, seeds and strategies to compare, by which measure."""
    names = list(embeddings.embedders(about))
    scorers, _ = pickers.rankers(about)
    with st.expander("Which rankings"):
        chosen = _many("Embeddings", names, view["embeddings"], lambda name: plain(short(name)))
        seeds = _many("Seeds of the networks", list(SEEDS), view["seeds"], str)
        picked = _many(
            "Strategies", list(scorers), view["strategies"], lambda name: scorers[name].label
        )
        reseed = st.toggle(
            "Other seeds for random features too", view["reseed"], key=state.key("agreement reseed")
        )
        explained = (
            "Leverage under raw pixels, random ReLU features and 15 networks: untrained, trained to"
            " regress, trained to classify."
        )
        st.button("The talk's figure", on_click=_as_in_the_talk, args=(knobs,), help=explained)
    with st.container(horizontal=True, vertical_alignment="top", gap="medium"):
        measure = pickers.segments(
            "Measure",
            MEASURES,
            view["measure"],
            "agreement",
            "  \n".join(f"**{MEASURES[m]}**: {text}" for m, text in MEANING.items()),
        )
        order = pickers.segments("Order", ORDERS, view["order"], "agreement")
        if measure == "overlap":
            options = sorted({*knobs["k"].choices, view["k"]})
            view["k"] = st.selectbox(
                "k", options, options.index(view["k"]), key=state.key("agreement k"), width=110
            )
    lists = {"embeddings": chosen, "seeds": seeds, "strategies": picked}
    return (
        view
        | {name: ",".join(values) for name, values in lists.items()}
        | {"reseed": reseed, "measure": measure, "order": order}
    )


def _as_in_the_talk(knobs: ViewKnobs) -> None:
    state.change_view("agreement", **{name: knob.default for name, knob in knobs.items()})
    state.renew()


def _many(label: str, options: list[str], chosen: str, title: Callable[[str], str]) -> list[str]:
    default = [name for name in _list(chosen) if name in options]
    return st.pills(
        label,
        options,
        selection_mode="multi",
        default=default,
        format_func=title,
        wrap=True,
        key=state.key(f"agreement {label}"),
    )


def strangers(view: View, about: Info) -> list[str]:
    """What a link names that is not there, one message for each list.

    What only does not suit the dataset is left out without one.
    """
    ranking = [name for name, reason in menu.rankers().items() if not reason]
    found = []
    known_embeddings = {**embeddings.embedders(), **embeddings.embedders(about)}
    for name, known in (
        ("embeddings", [*known_embeddings]),
        ("seeds", SEEDS),
        ("strategies", ranking),
    ):
        unknown = [value for value in _list(view[name]) if value not in known]
        if unknown:
            found.append(
                f"{name}: found {', '.join(unknown)}, expected some of {', '.join(known)}."
            )
    return found


def comparison(spec: Spec, view: View) -> Comparison:
    """The view's rankings: every strategy under every embedding, networks with every seed."""
    columns = []
    for chosen in _list(view["strategies"]):
        for name in _list(view["embeddings"]):
            entry = embeddings.find(name)
            several = entry.seeded and (entry.images_only or view["reseed"])
            for seed in _list(view["seeds"]) if several else ["1"]:
                columns.append(
                    spec.with_(
                        embedding=name,
                        seed=seed,
                        embedding_knobs=(),
                        strategy=chosen,
                        strategy_knobs=(),
                        draw=0,
                    )
                )
    return Comparison(tuple(dict.fromkeys(columns)), view["k"])


def _list(text: str) -> list[str]:
    """The names in a link's list."""
    return [name for name in text.split(",") if name]


def labels(columns: tuple[Spec, ...]) -> list[str]:
    """A short name for each ranking: "regression 3", and its strategy where there are several."""
    seeds = [f" {spec.seed}" if resolve(spec).embedder.seeded else "" for spec in columns]
    return [
        f"{short(spec.embedding)}{seed}{rest}"
        for spec, seed, rest in zip(columns, seeds, _strategies(columns), strict=True)
    ]


def groups(columns: tuple[Spec, ...]) -> list[str]:
    """The family of each ranking: rankings that differ by their seed only share it."""
    return [
        f"{short(spec.embedding)}{rest}"
        for spec, rest in zip(columns, _strategies(columns), strict=True)
    ]


def colours(columns: tuple[Spec, ...], order: np.ndarray) -> list[str]:
    """The embedding family of each ranking, in the picture's order: it names its colour."""
    return [resolve(columns[i]).embedder.family for i in order]


def _strategies(columns: tuple[Spec, ...]) -> list[str]:
    several = len({spec.strategy for spec in columns}) > 1
    return [f", {resolve(spec).strategy.label}" if several else "" for spec in columns]


def symbol(measure: str, k: int) -> str:
    """What stands before a measure's value in a sentence."""
    return SYMBOLS.get(measure, f"overlap of the top {k:,}")


def sentence(
    matrix: np.ndarray, families: list[str], ceilings: Mapping[str, Interval | None], symbol: str
) -> str:
    """Which two families agree best and least, and how well a family agrees with itself."""
    families = [starless(name) for name in families]
    ceilings = {starless(name): bound for name, bound in ceilings.items()}
    between = {}
    for i, j in zip(*np.triu_indices(len(families), 1), strict=True):
        if families[i] != families[j]:
            between.setdefault((families[i], families[j]), []).append(matrix[i, j])
    if not between:
        mean = matrix[np.triu_indices(len(families), 1)].mean()
        return (
            f"Only one family is chosen. With itself, after another seed, it agrees at {symbol} ="
            f" *{mean:.2f}* on average."
        )
    means = {pair: float(np.mean(values)) for pair, values in between.items()}
    a, b = max(means, key=means.get)
    c, d = min(means, key=means.get)
    most = f"Most alike are *{a}* and *{b}* ({symbol} = {means[a, b]:.2f})"
    if len(means) == 1:
        overlap = symbol not in SYMBOLS.values()
        scale = (
            "1 would be the same points, 0 none in common"
            if overlap
            else "1 would be the same order, 0 is unrelated"
        )
        return f"*{a}* and *{b}* agree at {symbol} = *{means[a, b]:.2f}*; {scale}."
    known = {name: bound for name, bound in ceilings.items() if bound}
    reseed = "; ".join(f"{name} {bound.mean:.2f}" for name, bound in known.items())
    own = (
        f" Even with itself, after another seed, a family agrees only so far: {reseed}."
        if reseed
        else ""
    )
    return f"{most}, least *{c}* and *{d}* ({means[c, d]:.2f}).{own}"
