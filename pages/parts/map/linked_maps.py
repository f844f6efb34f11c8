"""The Map page's own parts: two linked maps, what their colours mean, the images inside a box."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from core import agreement, embeddings
from core.charts import palette
from core.charts.maps import OTHERS, Colour
from core.experiments.statistics import over_represented
from core.exports import score_table
from core.linalg import ties
from core.models import umap_map
from core.runtime import tasks
from core.runtime.cache import Entry
from core.spec import Spec, map_key, resolve
from core.types import Dataset
from pages.parts.map.groups import column_colour, percentiles
from pages.shared import cached, job_panel, layout, legend, memo, pickers, state
from pages.shared.points import show
from pages.shared.state import View, ViewKnobs
from pages.shared.words import inside, noun, number, plain, score_texts, short, starless

COLOURS = {
    "score": "Score",
    "class": "Class",
    "selection": "Selection",
    "disagreement": "Disagreement",
    "column": "Column",
}

READING = (
    "Neighbours mean something on this map; distances between clusters and their sizes do not."
)
TRUST = (
    "The share of neighbours on the map that are neighbours in the embedding, weighted by how far"
    " off the others are. 1: all, 0.5: chance."
)
SHOWN = 180


@dataclass(frozen=True, eq=False)
class Ready:
    """One or two maps of the same points with their rankings.

    The second map is turned onto the first.
    """

    maps: list[Entry]
    rankings: list[cached.Ranking]
    coordinates: list[np.ndarray]
    k: int

    def colours(self, what: str, data: Dataset, column: str) -> list[Colour]:
        """What colours each map: percentile, class, membership of the k highest, difference, or a
        column that stands beside the points.
        """
        if what == "column" and column in data.shown:
            return [memo.made(column_colour, column, data.shown[column])] * len(self.maps)
        if what == "class":
            return [Colour("class", data.labels, data.class_names)] * len(self.maps)
        if what == "selection":
            return [
                Colour(
                    f"among the {self.k:,} highest", r.rank <= self.k, (OTHERS, f"top {self.k:,}")
                )
                for r in self.rankings
            ]
        places = [memo.made(percentiles, r.with_gaps) for r in self.rankings]
        if what == "disagreement" and len(places) == 2:
            return [
                Colour("percentile here − percentile there", sign * (places[0] - places[1]), ())
                for sign in (1, -1)
            ]
        return [Colour("score percentile", p, ()) for p in places]


def controls(spec: Spec, view: View, knobs: ViewKnobs) -> tuple[Spec, View]:
    """One row: what colours the map, and which embedding stands beside it."""
    with st.container(horizontal=True, vertical_alignment="top", gap="small"):
        about = resolve(spec).about
        scorers, _ = pickers.rankers(about)
        names = list(scorers)
        chosen = st.selectbox(
            "Strategy",
            names,
            names.index(spec.strategy),
            format_func=lambda name: scorers[name].label,
            key=state.key("map strategy"),
            width=155,
        )
        beside = ["", *(name for name in embeddings.embedders(about) if name != spec.embedding)]
        other = view["beside"] if view["beside"] in beside else ""
        other = st.selectbox(
            "Beside it",
            beside,
            beside.index(other),
            format_func=lambda n: short(n) if n else "nothing",
            key=state.key("beside"),
            width=155,
        )
        absent = {
            "disagreement": not other,
            "class": not about.labeled,
            "column": not about.shown,
        }
        offered = [c for c in COLOURS if not absent.get(c)]
        colour = st.segmented_control(
            "Colour by",
            offered,
            default=view["colour"] if view["colour"] in offered else "score",
            required=True,
            format_func=COLOURS.get,
            key=state.key(f"colour {bool(other)}"),
        )
        if colour == "selection":
            view = view | {"k": pickers.knob_widget(knobs["k"], view["k"], "map k", width=110)}
        if colour == "column":
            now = view["column"] if view["column"] in about.shown else about.shown[0]
            names = list(about.shown)
            place = names.index(now)
            picked = st.selectbox("Column", names, place, key=state.key("map column"), width=155)
            view = view | {"column": picked}
    if view["beside"] not in (*beside, spec.embedding):
        layout.messages(
            [f"beside: found {view['beside']!r}, expected one of {', '.join(beside[1:])}."]
        )
    elif view["beside"] not in beside:
        st.info(
            f"The map of {plain(short(spec.embedding))} is the first one already: choose another"
            " embedding to stand beside it."
        )
    if view["colour"] == "class" and not about.labeled:
        st.info(f"{plain(about.title)} has no labels, so there are no classes to colour.")
    elif view["colour"] == "column" and not about.shown:
        st.info(f"{plain(about.title)} has no columns beside its points to colour by.")
    elif view["colour"] not in offered:
        st.info("Disagreement needs a second map: choose an embedding to stand beside this one.")
    return spec.with_(strategy=chosen), view | {"beside": other, "colour": colour}


def legend_line(what: str, data: Dataset, k: int, colour: Colour) -> None:
    """What the colours of the maps mean, and what their distances do not."""
    if what == "column" and colour.names:
        legend.swatches(
            colour.title, [(palette.class_colour(i), name) for i, name in enumerate(colour.names)]
        )
    elif what == "column":
        legend.band(colour.title, palette.score_colours(layout.dark()), "lowest", "highest")
    elif what == "class":
        swatches = [(palette.class_colour(i), name) for i, name in enumerate(data.class_names)]
        if (data.labels < 0).any():
            swatches.append((palette.unlabeled_colour(layout.dark()), "no label"))
        legend.swatches("Class", swatches)
    elif what == "selection":
        others, top = palette.chosen_colours(layout.dark())
        legend.swatches(
            "Selection",
            [(top, f"the {k:,} {noun(data.name)} of highest score"), (others, "all others")],
        )
    elif what == "disagreement":
        legend.band(
            "Rank here, against the other map",
            palette.difference_colours(layout.dark()),
            "much lower",
            "much higher",
        )
    else:
        legend.band("Score", palette.score_colours(layout.dark()), "lowest", "highest")
    st.caption(READING)


def gather(spec: Spec, other: Spec | None, view: View) -> Ready | None:
    """Both maps and both rankings.

    None, with the progress on screen, while one of them is being computed.
    """
    specs = [spec] if other is None else [spec, other]
    data = cached.dataset(spec.dataset, spec.n, spec.subset)
    maps = [cached.result(map_key(s, data.fingerprint), tasks.MAP, s) for s in specs]
    rankings = [cached.scores(s) for s in specs]
    for result, what in [
        *((m, "Drawing the map") for m in maps),
        *((r, "Scoring") for r in rankings),
    ]:
        if not isinstance(result, Entry):
            job_panel.waiting(result, f"{what} of {len(data):,} {noun(spec.dataset)}")
            return None
    for entry in maps:
        layout.notes(entry.notes)
    layout.made_of([entry.facts.get("made_of") for entry in rankings])
    first = maps[0].arrays["coordinates"]
    coordinates = [
        first,
        *(
            aligned(entry.key, maps[0].key, entry.arrays["coordinates"], first)
            for entry in maps[1:]
        ),
    ]
    ranked = [cached.ranking_of(r) for r in rankings]
    k = min(view["k"], *(int(r.scored.sum()) for r in ranked))
    return Ready(maps, ranked, coordinates, k)


@st.cache_resource(show_spinner=False, max_entries=8)
def aligned(key: str, onto: str, _moving: np.ndarray, _fixed: np.ndarray) -> np.ndarray:
    """The second map turned onto the first, by their keys."""
    return umap_map.aligned(_moving, _fixed)


def sentence(
    data: Dataset, ready: Ready, what: str, label: str, names: list[str], points: str
) -> str:
    """How what the first map's colour tells apart lies on it: gathered or scattered, against
    chance.

    what: of COLOURS. names: of the embeddings, one for each map.
    """
    under = f"Under *{starless(names[0])}*, "
    coordinates = ready.maps[0].arrays["coordinates"]
    if what == "class":
        times = memo.made(class_gathering, coordinates, data.labels)
        return f"{under}{points} of one class *{_how(times)}*: {_near('its class', times)}"
    if what == "disagreement":
        chosen = memo.made(parted, *(ranking.scores for ranking in ready.rankings), ready.k)
        which = f"whose rank differs most from that under {starless(names[1])}"
    else:
        chosen = ready.rankings[0].rank <= ready.k
        which = f"of highest {inside(label)}"
    if chosen.all():
        return (
            f"{under}the selection holds *all {len(data):,} {points}*: choose a smaller k under"
            " Selection to see where the highest lie."
        )
    times = memo.made(gathering, coordinates, chosen)
    return (
        f"{under}the {ready.k:,} {points} {which} *{_how(times)}*: {_near('them', times)}"
        f"{_classes(data, chosen)}"
    )


def _how(times: float) -> str:
    return "gather" if times > 3 else "lie a little together" if times > 1.5 else "are scattered"


def _near(them: str, times: float) -> str:
    one = "one of them, another" if them == "them" else f"one of them, another of {them}"
    return f"near {one} is {times:.1f} times as frequent as anywhere."


def _classes(data: Dataset, chosen: np.ndarray) -> str:
    """The class that is over-represented among the chosen points, or that none is."""
    if not data.labeled:
        return ""
    c = len(data.class_names)
    labels = data.labels[chosen]
    known = data.labels[data.labels >= 0]
    if not (labels >= 0).any():
        return ""
    counts = np.bincount(labels[labels >= 0], minlength=c)
    everyone = np.bincount(known, minlength=c) / len(known)
    most = over_represented(counts, everyone)
    if most is None:
        return " No class stands out among them."
    whose = "the labeled ones among them" if (labels < 0).any() else "them"
    return (
        f" Class {starless(data.class_names[most])} is over-represented:"
        f" {counts[most] / counts.sum():.0%} of {whose}, {everyone[most]:.0%} of all."
    )


def parted(first: np.ndarray, second: np.ndarray, k: int) -> np.ndarray:
    """bool (n,): the k points whose percentiles under two rankings differ most."""
    apart = np.abs(agreement.percentiles(first) - agreement.percentiles(second))
    chosen = np.zeros(len(apart), bool)
    chosen[ties.order(apart)[:k]] = True
    return chosen


def gathering(coordinates: np.ndarray, chosen: np.ndarray) -> float:
    """How many times as frequent a chosen point is near another one as anywhere; 1 by chance."""
    return local_share(coordinates, chosen) / (chosen.mean() or 1)


def class_gathering(coordinates: np.ndarray, labels: np.ndarray) -> float:
    """The mean over all points of how many times as frequent their class is near them."""
    classes, counts = np.unique(labels[labels >= 0], return_counts=True)
    each = [gathering(coordinates, labels == c) for c in classes]
    return float(np.average(each, weights=counts))


def local_share(coordinates: np.ndarray, chosen: np.ndarray, cells: int = 40) -> float:
    """The mean share of chosen points in the cell of a chosen point, itself left out.

    On a grid of cells x cells.
    """
    low = coordinates.min(axis=0)
    high = coordinates.max(axis=0)
    within = (coordinates - low) / np.maximum(high - low, 1e-12) * cells
    places = np.minimum(within.astype(int), cells - 1) @ np.array([cells, 1])
    total = np.bincount(places, minlength=cells**2)
    hits = np.bincount(places[chosen], minlength=cells**2)
    mine = places[chosen]
    others = np.maximum(total[mine] - 1, 1)
    return float(((hits[mine] - 1) / others).mean()) if len(mine) else 0.0


def linked_box(text: str) -> tuple[float, ...] | None:
    """(x0, x1, y0, y1) of a link, or None."""
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        return None
    return numbers if len(numbers) == 4 and np.isfinite(numbers).all() else None


def inside_box(coordinates: np.ndarray, box: tuple[float, ...] | None) -> np.ndarray:
    """bool (n,): which points lie in the box; all of them without one."""
    if box is None:
        return np.ones(len(coordinates), bool)
    x, y = coordinates.T
    return (x >= box[0]) & (x <= box[1]) & (y >= box[2]) & (y <= box[3])


def brushed(event: Any, key: str) -> str | None:
    """A new box as the link writes it, once; None if nothing was dragged since."""
    box = event["selection"].get("box") or {}
    if not {"x", "y"} <= box.keys() or box == st.session_state.get(f"{key} seen"):
        return None
    st.session_state[f"{key} seen"] = box
    return ",".join(
        f"{v:.4g}" for v in (min(box["x"]), max(box["x"]), min(box["y"]), max(box["y"]))
    )


def images_inside(
    data: Dataset,
    ready: Ready,
    inner: np.ndarray,
    box: tuple[float, ...] | None,
    spec: Spec,
    label: str,
) -> None:
    """The points in the box, highest first, with their download; or how to choose some."""
    if box is None:
        st.info(f"Drag a box on the map to see its {noun(spec.dataset)}.")
        return
    points = ready.rankings[0].order[inner[ready.rankings[0].order]]
    left, right = st.columns([3, 1], vertical_alignment="center")
    left.subheader(
        f"{len(points):,} {noun(spec.dataset)} in the box, highest {inside(label)} first",
        anchor=False,
    )
    right.button("Clear the box", on_click=_clear, width="stretch")
    if len(points) == 0:
        st.info("The box is empty. Drag it over some points.")
        return
    shown = points[:SHOWN]
    show(
        data,
        shown,
        score_texts(ready.rankings[0].with_gaps[shown]),
        alt=f"{len(shown)} of {len(points)} {noun(spec.dataset)} in the box",
        size=44,
        key=state.key("box gallery"),
    )
    if len(points) > len(shown):
        median = number(float(np.nanmedian(ready.rankings[0].with_gaps[points])))
        st.caption(
            f"The first {len(shown)} of {len(points):,}; the download has all of them."
            f" Median score {median}."
        )

    def table() -> bytes:
        ranked = score_table.Column(spec, ready.rankings[0].with_gaps)
        mapped = score_table.Projection(spec, ready.coordinates[0])
        return score_table.encode(score_table.table(data, [ranked], mapped).iloc[points], "csv")

    layout.downloads("Download these points", [(f"CSV, {len(points):,} rows", table, "box.csv")])


def _clear() -> None:
    state.change_view("map", box="")
    state.renew()
