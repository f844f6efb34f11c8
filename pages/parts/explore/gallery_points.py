"""Which points Explore's gallery shows, in which order, and the controls that choose them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from core.types import Dataset
from pages.shared import cached, pickers, state
from pages.shared.state import View, ViewKnobs
from pages.shared.words import plain

UNLABELED = "no label"


def class_names(data: Dataset) -> list[str]:
    """What the gallery can be filtered by: the classes, and having no label where that occurs."""
    some = data.labeled and (data.labels < 0).any()
    return [*data.class_names, *([UNLABELED] if some else [])]


def chosen_points(
    ranking: cached.Ranking, labels: np.ndarray, view: dict, names: list[str], draw: int
) -> np.ndarray:
    """The points of the gallery, in its order: highest, lowest, around or random.

    Filtered by class and score first. Points without a score rank last and have no place among the
    lowest, or around a percentile.
    """
    wanted = [names.index(name) for name in chosen_classes(view, names)]
    counted = np.where(labels < 0, len(names) - 1, labels)
    kept = np.isin(counted, wanted) if wanted else np.ones(len(labels), bool)
    if view["low"] is not None:
        kept &= ranking.scored & (ranking.scores >= view["low"])
    if view["high"] is not None:
        kept &= ranking.scored & (ranking.scores <= view["high"])
    if view["show"] in ("bottom", "around"):
        kept &= ranking.scored
    order = ranking.order[kept[ranking.order]]
    count = view["count"]
    if view["show"] == "bottom":
        return order[::-1][:count]
    if view["show"] == "around":
        middle = round((1 - view["percentile"] / 100) * len(order))
        return order[max(0, min(middle - count // 2, len(order) - count)) :][:count]
    return (
        np.random.default_rng(draw).permutation(order)[:count]
        if view["show"] == "random"
        else order[:count]
    )


def chosen_classes(view: View, names: list[str]) -> list[str]:
    """The classes that the view's list names."""
    return [name for name in names if _in_list(name) in view["classes"].split(",")]


def _in_list(name: str) -> str:
    """A class name as the link's list writes it: own data may have commas in their names."""
    return name.replace("%", "%25").replace(",", "%2C")


def gallery_controls(
    view: View, knobs: ViewKnobs, shown: Mapping[str, str], names: list[str]
) -> View:
    """Which end of the ranking, which classes, how many."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        show = st.segmented_control(
            "Show",
            list(shown),
            format_func=shown.get,
            default=view["show"],
            required=True,
            key=state.key("show"),
        )
        if show == "around":
            view["percentile"] = pickers.knob_widget(
                knobs["percentile"], view["percentile"], "percentile"
            )
        view["count"] = st.selectbox(
            "Shown",
            sorted({*knobs["count"].choices, view["count"]}),
            key=state.key("count"),
            index=sorted({*knobs["count"].choices, view["count"]}).index(view["count"]),
            width=110,
        )
    chosen = chosen_classes(view, names)
    strangers = sorted(set(view["classes"].split(",")) - {"", *map(_in_list, names)})
    if strangers:
        said = (
            f"Classes: found {', '.join(strangers)},"
            f" expected some of {', '.join(names) or 'none'}. They are left out."
        )
        st.warning(plain(said))
    if not names:
        return view | {"show": show, "classes": ""}
    classes = st.pills(
        "Classes",
        names,
        selection_mode="multi",
        default=chosen,
        format_func=plain,
        key=state.key("classes"),
        label_visibility="collapsed",
        wrap=True,
    )
    return view | {"show": show, "classes": ",".join(map(_in_list, classes))}
