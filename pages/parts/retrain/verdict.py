"""The Retrain page's verdict: how each selection does against another, in sentences.

The title asks about scores at the end of training: what networks that were trained rank highest
comes first, and its sentence is the large one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from core import embeddings
from core.experiments.retrain import outcomes
from core.experiments.retrain.outcomes import Grid
from core.experiments.retrain.plan import Candidate, Retraining, parse_candidate
from core.experiments.verdicts import POINTS, Versus, levels, sentence
from pages.parts.retrain.controls import SIDE_BY_SIDE
from pages.shared import layout
from pages.shared.experiments import verdict_box
from pages.shared.experiments.line_styles import selection_name
from pages.shared.state import View
from pages.shared.words import inside

Compared = Mapping[Candidate, Versus]
# Families of embeddings whose networks were trained on the labels, the retrained one's task first.
TRAINED = ("classification", "regression")
NAMES = (
    "*Top* are the points of highest leverage; *classification* and *regression* say what the"
    " network that ranks them was trained for, to its end."
)


def choice(plan: Retraining, view: View) -> View:
    """The button behind which the rival and the margin are chosen."""
    names = {str(candidate): selection_name(candidate) for candidate in plan.candidates}
    return verdict_box.compare_differently(view, "retrain", names)


def compared(grids: Sequence[Grid], view: View) -> list[Compared]:
    """The others against the chosen one, as the sentences and the picture show them: per grid."""
    return outcomes.versus_of(grids, against(grids[0], view), margin(view))


def against(grid: Grid, view: View) -> Candidate:
    """Whom the others are compared with: random, where the chosen one does not compete."""
    known = [str(candidate) for candidate in grid.plan.candidates]
    chosen = view["against"] if view["against"] in known else verdict_box.RANDOM
    return parse_candidate(chosen)


def margin(view: View) -> float:
    """So far apart two accuracies are still equal."""
    return view["margin"] / 100


def answer(grids: Sequence[Grid], found: Sequence[Compared], view: View) -> None:
    """Under the question: one sentence for each network."""
    for column, grid, each in zip(columns(grids), grids, found, strict=True):
        with column:
            name_of(grid, grids)
            said = sentences(grid, each, view)
            if said:
                layout.answer(said[0])
            elif len(grid.plan.candidates) > 1 and grid.finished:
                layout.answer(verdict_box.NO_VERDICT)
    if any(_place(candidate) < len(TRAINED) for candidate in grids[0].plan.candidates):
        layout.under_picture(NAMES)


def rest(grids: Sequence[Grid], found: Sequence[Compared], view: View) -> None:
    """Under the picture: the other sentences, what collapsed, and how all of it is meant."""
    others = [sentences(grid, each, view)[1:] for grid, each in zip(grids, found, strict=True)]
    if any(others):
        with st.expander("The other comparisons"):
            for column, grid, said in zip(columns(grids), grids, others, strict=True):
                with column:
                    name_of(grid, grids)
                    st.markdown("  \n".join(one.replace("*", "**") for one in said))
    for grid in grids:
        for told in collapsed(grid):
            st.markdown(f"{network(grid)}: {inside(told)}" if len(grids) > 1 else told)
    if said := note(grids, found, view):
        st.caption(said)


def columns(grids: Sequence[Grid]) -> Sequence:
    """A place for each network, side by side; one after the other on a phone."""
    return st.columns(len(grids), gap="large") if len(grids) > 1 else [st.container()]


def name_of(grid: Grid, grids: Sequence[Grid]) -> None:
    """Which network this is, where there are several."""
    if len(grids) > 1:
        st.markdown(f"**{network(grid)}**")


def network(grid: Grid) -> str:
    """What the trained network is called beside the other one."""
    return SIDE_BY_SIDE[grid.plan.network]


def sentences(grid: Grid, found: Compared, view: View) -> list[str]:
    """One for each of the others, networks' scores first; empty for those that have not begun."""
    rival = inside(selection_name(against(grid, view)))
    each = (
        sentence(selection_name(candidate), rival, found[candidate], POINTS, margin(view))
        for candidate in sorted(found, key=_place)
    )
    return [said for said in each if said]


def _place(candidate: Candidate) -> int:
    family = embeddings.find(candidate.embedding).family if candidate.scored else ""
    return TRAINED.index(family) if family in TRAINED else len(TRAINED)


def note(grids: Sequence[Grid], found: Sequence[Compared], view: View) -> str:
    """How the intervals are meant, and what varied."""
    every = [one for each in found for versus in each.values() for one in versus.outcomes]
    said = levels(every, margin(view), POINTS)
    return f"{said} {grids[0].plan.varied()}" if said else ""


def collapsed(grid: Grid) -> list[str]:
    """Which trainings never recognise a class: told, not averaged away."""
    said = []
    for candidate, budget, seeds, classes in outcomes.lost_classes(grid):
        most = "one class" if classes == 1 else f"up to {classes} classes"
        never = "never recognises" if seeds == 1 else "never recognise"
        said.append(
            f"{selection_name(candidate)} at {budget:,}: {seeds} of {grid.plan.seeds} seeds {never}"
            f" {most}"
        )
    return [f"Collapsed trainings. {'; '.join(said)}."] if said else []
