"""The Agreement page's own parts: which rankings to compare, what the matrix says in a sentence,
what lies behind a cell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core import agreement, embeddings
from core.agreement import Interval
from core.charts.heatmaps import rank_plane
from core.data.dataset_info import Info
from core.plugins import menu
from core.spec import Comparison, Spec, resolve
from core.strategy import Knob
from core.types import Dataset
from pages.shared import layout, memo, pickers, state
from pages.shared.points import show
from pages.shared.words import noun, plain, short, starless

View = dict[str, Any]
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
        "Kendall's τ in which a pair counts 1/(1 + rank) for each of its points: the top of the"
        " ranking decides."
    ),
    "spearman": "Pearson's correlation of the ranks.",
    "overlap": "The share of the k highest points that both rankings have in common.",
}
BEHIND = 24


def controls(view: View, knobs: Mapping[str, Knob], about: Info) -> View:
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
        measure = _one(
            "Measure",
            MEASURES,
            view["measure"],
            "  \n".join(f"**{MEASURES[m]}**: {text}" for m, text in MEANING.items()),
        )
        order = _one("Order", {"family": "By family", "similarity": "By similarity"}, view["order"])
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


def _as_in_the_talk(knobs: Mapping[str, Knob]) -> None:
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


def _one(label: str, options: Mapping[str, str], chosen: str, help: str | None = None) -> str:
    titles = options.__getitem__
    return st.segmented_control(
        label,
        list(options),
        default=chosen,
        required=True,
        format_func=titles,
        key=state.key(label),
        help=help,
        wrap=True,
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
    """The rankings that the view asks for: every strategy under every embedding, networks with
    every seed.
    """
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
    """The embedding family of each ranking in the order of the picture: it names the ranking's
    colour.
    """
    return [resolve(columns[i]).embedder.family for i in order]


def _strategies(columns: tuple[Spec, ...]) -> list[str]:
    several = len({spec.strategy for spec in columns}) > 1
    return [f", {resolve(spec).strategy.label}" if several else "" for spec in columns]


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
        return (
            f"*{a}* and *{b}* agree at {symbol} = *{means[a, b]:.2f}*; 1 would be the same order, 0"
            " none in common."
        )
    known = {name: bound for name, bound in ceilings.items() if bound}
    reseed = "; ".join(f"{name} {bound.mean:.2f}" for name, bound in known.items())
    own = (
        f" Even with itself, after another seed, a family agrees only so far: {reseed}."
        if reseed
        else ""
    )
    return f"{most}, least *{c}* and *{d}* ({means[c, d]:.2f}).{own}"


def similarity_order(matrix: np.ndarray) -> np.ndarray:
    """Rankings in the order of the Fiedler vector of their similarities: those that agree stand
    together.
    """
    weights = np.clip(matrix, 0, None)
    return np.argsort(
        np.linalg.eigh(np.diag(weights.sum(axis=1)) - weights)[1][:, min(1, len(matrix) - 1)],
        kind="stable",
    )


def tips(
    families: list[str], ceilings: Mapping[str, Interval | None], null: list[float]
) -> list[dict[str, str]]:
    """What a cell's tooltip says beside its value: chance, and the reseed ceiling of both families."""
    chance = f"{null[0]:.3f} [{null[1]:.3f}, {null[2]:.3f}]"
    bound = {
        name: f"{c.mean:.3f} [{c.low:.3f}, {c.high:.3f}]" if c else "one seed only"
        for name, c in ceilings.items()
    }
    return [
        {"by chance": chance, "ceiling of the first": bound[a], "ceiling of the second": bound[b]}
        for a in families
        for b in families
    ]


def behind(data: Dataset, scores: np.ndarray, names: list[str], cell: tuple[int, int]) -> None:
    """The rank-rank density of one pair, and the points on which it disagrees most, both ways."""
    i, j = cell
    a = names[i]
    b = names[j]
    if i == j:
        st.info(
            "A ranking agrees with itself. Choose a cell off the diagonal to see what two rankings"
            " disagree about."
        )
        return
    st.subheader(plain(f"{a[:1].upper() + a[1:]} against {b}"), anchor=False)
    left, right = st.columns([2, 3], gap="large")
    with left:
        counts = memo.made(
            agreement.rank_density,
            scores[i],
            scores[j],
            int(np.clip((len(data) / 20) ** 0.5, 8, 40)),
        )
        alt = f"Density of {len(data):,} points in the plane of their two percentiles"
        memo.chart(rank_plane, counts.T, a, b, layout.dark(), alt=alt)
    places = [memo.made(agreement.percentiles, scores[place]) for place in cell]
    parted = memo.made(agreement.disagreement, scores[i], scores[j], min(BEHIND, len(data)))
    with right:
        for (high, low), points in zip(((a, b), (b, a)), parted, strict=True):
            st.markdown(
                f"**High under {plain(high)}, low under {plain(low)}**; below: percentiles under"
                f" {plain(a)} and {plain(b)}"
            )
            if len(points) == 0:
                st.caption(f"No point ranks higher under {plain(high)}.")
                continue
            show(
                data,
                points,
                [f"{100 * places[0][p]:.0f} · {100 * places[1][p]:.0f}" for p in points],
                alt=f"{len(points)} {noun(data.name)} high under {high} and low under {low}",
                size=56,
                key=state.key(f"behind {high} over {low}"),
            )


def linked_cell(text: str, m: int) -> tuple[int, int] | None:
    """(3, 7) for "3-7", if there are so many rankings."""
    halves = text.split("-")
    if len(halves) == 2 and all(half.isdecimal() and int(half) < m for half in halves):
        return int(halves[0]), int(halves[1])
    return None


def clicked_cell(event: Any, order: np.ndarray) -> str | None:
    """The cell of a click as the link writes it: the places of both rankings before they were
    ordered.
    """
    picked = event["selection"].get("cell")
    return f"{order[int(picked[0]['row'])]}-{order[int(picked[0]['column'])]}" if picked else None


def downloads(names: list[str], matrix: np.ndarray, measure: str, dataset: str) -> None:
    """The matrix as a table."""
    table = pd.DataFrame(matrix, index=pd.Index(names, name=measure), columns=names)
    layout.downloads(
        "Download the matrix",
        [(f"CSV, {len(names)} x {len(names)}", table.to_csv, f"{dataset}-{measure}.csv")],
    )


def rank_line(columns: tuple[Spec, ...], ranks: list[int]) -> str:
    """Which embeddings fall short of full rank: leverage then spreads over fewer directions than
    there are dimensions.
    """
    spans: dict[str, list[int]] = {}
    for spec, rank in zip(columns, ranks, strict=True):
        spans.setdefault(spec.embedding, []).append(rank)
    texts = [
        f"{plain(short(name))} {min(r)}{f' to {max(r)}' if max(r) > min(r) else ''}"
        for name, r in spans.items()
    ]
    return f"Rank of the embeddings (the sum of their leverage scores): {', '.join(texts)}."
