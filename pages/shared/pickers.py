"""Widgets for choosing: built from the registries and from the signatures of what they choose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

from core import datasets, embeddings, strategy
from core.data.catalogue import Info
from core.models.network_names import FOR_TABLES, NETWORKS
from core.plugins import menu
from core.spec import SEED, Knobs, Spec, resolve
from core.strategy import Knob, Strategy
from core.types import UserError
from pages.shared import state
from pages.shared.state import ViewKnobs
from pages.shared.words import lacking, plain

SIZES = (500, 1000, 2000, 5000, 10000, 20000, 50000)


def shared_choice(spec: Spec, embedding: bool = True) -> Spec:
    """The sidebar: which points, seen through which embedding.

    The same on every page, but for those that choose several embeddings.
    """
    with st.sidebar:
        entries = {name: datasets.info(name) for name in datasets.names()}
        name = _choose("Dataset", entries, spec.dataset, lambda name: entries[name].title)
        if name != spec.dataset:
            spec = _tried(spec, **_moved(spec, entries[name]))
        about = resolve(spec).about
        spec = _tried(spec, n=_size(spec, about))
        if not embedding:
            return spec
        return _embedding_choice(spec, about)


def _embedding_choice(spec: Spec, about: Info) -> Spec:
    offered = embeddings.embedders(about)
    chosen = _choose(
        "Embedding",
        offered,
        spec.embedding,
        lambda name: offered[name].label_on(about.is_images),
        help=_not_offered(about),
    )
    spec = _tried(spec, embedding=chosen)
    if offered[chosen].seeded:
        spec = _tried(spec, seed=knob_widget(SEED, spec.seed, f"{chosen} seed"))
    knobs = _knobs(offered[chosen].knobs, spec.embedding_knobs, chosen)
    return _tried(spec, embedding_knobs=knobs)


def _moved(spec: Spec, about: Info) -> dict[str, Any]:
    """What changes with the dataset.

    All its points, and the first screen's embedding and strategy in place of what does not suit it.
    """
    first = Spec()
    moved: dict[str, Any] = {"dataset": about.name, "n": None}
    if embeddings.unsuited(embeddings.find(spec.embedding), about):
        moved["embedding"] = first.embedding
    if strategy.unsuited(menu.find(spec.strategy), about.labeled, about.probs):
        moved["strategy"] = first.strategy
    return moved


def _not_offered(about: Info) -> str | None:
    """Which embeddings are not offered, and why."""
    reasons = {
        entry.label: embeddings.unsuited(entry, about) for entry in embeddings.embedders().values()
    }
    return f"{absent}." if (absent := lacking(reasons)) else None


def strategy_choice(spec: Spec) -> Spec:
    """One row: the strategy and its knobs."""
    scorers, reasons = rankers(resolve(spec).about)
    with st.container(horizontal=True, vertical_alignment="top", gap="medium"):
        explained = f"Gives every point a score; the highest are picked first.{reasons}"
        chosen = _choose(
            "Strategy",
            scorers,
            spec.strategy,
            lambda name: scorers[name].label,
            help=explained,
            width=240,
        )
        spec = _tried(spec, strategy=chosen)
        entry = scorers[chosen]
        values = dict(spec.strategy_knobs)
        for name, knob in entry.knobs.items():
            values[name] = knob_widget(
                knob, values.get(name, knob.default), f"{chosen} {name}", width=150
            )
        if entry.random:
            spec = _tried(spec, draw=knob_widget(SEED, spec.draw, f"{chosen} draw", width=150))
    return _tried(spec, strategy_knobs=tuple(values.items()))


def network_choice(knob: Knob, current: str, images: bool) -> str:
    """The networks that suit the points.

    The first of them in place of one that needs images where there are none.
    """
    names = tuple(name for name in knob.choices if images or name in FOR_TABLES)
    return _choose("Network", names, current, NETWORKS.__getitem__, help=knob.help, width=220)


def rankers(about: Info) -> tuple[dict[str, Strategy], str]:
    """The scorers by name that can rank this dataset, and for a tooltip what the others lack."""
    known = menu.strategies()
    found = menu.rankers(about.labeled, about.probs)
    absent = lacking({known[name].label: reason for name, reason in found.items()})
    suited = {name: known[name] for name, reason in found.items() if not reason}
    return suited, f"  \nNot here: {absent}." if absent else ""


def knob_widget(knob: Knob, value: Any, name: str, width: int | str = "stretch") -> Any:
    """The widget that fits a knob: a switch, a menu, a slider over its choices, a number field."""
    key = state.key(name)
    text = knob.help or None
    if knob.kind is bool:
        return st.toggle(knob.label, value, key=key, help=text, width=width)
    if knob.kind is str:
        return st.selectbox(
            knob.label, knob.choices, knob.choices.index(value), key=key, help=text, width=width
        )
    if knob.choices:
        options = sorted({*knob.choices, value}, key=lambda v: (v is not None, v or 0))
        return st.select_slider(
            knob.label, options, value, format_func=_number, key=key, help=text, width=width
        )
    return st.number_input(
        knob.label,
        knob.low,
        knob.high,
        value,
        key=key,
        help=text,
        width=width,
        step=1 if knob.kind is int else None,
    )


def dropdown(
    label: str,
    options: Mapping[str, str],
    chosen: str,
    owner: str,
    help: str | None = None,
    width: int | str = "stretch",
) -> str:
    """A menu of options, name -> what it is called."""
    names = list(options)
    key = state.key(f"{owner} {label}")
    return st.selectbox(
        label,
        names,
        names.index(chosen),
        format_func=options.__getitem__,
        key=key,
        help=help,
        width=width,
    )


def clicked(label: str, chosen: str, owner: str) -> str:
    """What `segments` of this label will say in this run, for what stands above it."""
    return st.session_state.get(state.key(f"{owner} {label}"), chosen)


def segments(
    label: str, options: Mapping[str, str], chosen: str, owner: str, help: str | None = None
) -> str:
    """One of a few options in a row, name -> what it is called."""
    how = {
        "format_func": options.__getitem__,
        "key": state.key(f"{owner} {label}"),
        "help": help,
        "wrap": True,
    }
    return st.segmented_control(label, list(options), default=chosen, required=True, **how)


def _choose(
    label: str,
    offered: Iterable[str],
    current: str,
    title: Any,
    help: str | None = None,
    width: int | str = "stretch",
) -> str:
    names = tuple(offered)
    index = names.index(current) if current in names else 0
    return (
        st.selectbox(
            label, names, index, format_func=title, key=state.key(label), help=help, width=width
        )
        or names[index]
    )


def _size(spec: Spec, about: Info) -> int | None:
    total = about.n
    if total <= SIZES[0]:
        return None  # nothing to choose from
    options = sorted({*(size for size in SIZES if size < total), spec.n or total, total})
    chosen = st.select_slider(
        "Points",
        options,
        spec.n or total,
        format_func=lambda n: f"all {n:,}" if n == total else f"{n:,}",
        key=state.key(f"points {spec.dataset}"),
        help="A smaller, class-stratified random subset is quicker to compute.",
    )
    return None if chosen == total else chosen


def _knobs(knobs: ViewKnobs, values: Knobs, owner: str) -> Knobs:
    given = dict(values)
    return tuple(
        (name, knob_widget(knob, given.get(name, knob.default), f"{owner} {name}"))
        for name, knob in knobs.items()
    )


def _tried(spec: Spec, **changes: Any) -> Spec:
    """The changed Spec.

    An impossible combination is said beside the widget and leaves the Spec as it was.
    """
    try:
        return spec.with_(**changes)
    except UserError as error:
        st.error(plain(str(error)))
        return spec


def _number(value: Any) -> str:
    return "all" if value is None else f"{value:g}" if isinstance(value, float) else f"{value:,}"
