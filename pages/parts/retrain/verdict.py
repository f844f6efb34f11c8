"""The Retrain page's verdict: how each selection does against another, in sentences."""

from __future__ import annotations

from core.experiments.retrain import outcomes
from core.experiments.retrain.outcomes import Grid
from core.experiments.retrain.plan import Candidate, parse_candidate
from core.experiments.verdicts import POINTS, Versus, levels, sentence
from pages.shared.experiments import verdict_box
from pages.shared.experiments.line_styles import selection_name
from pages.shared.state import View
from pages.shared.words import inside


def compared(grid: Grid, view: View) -> dict[Candidate, Versus]:
    """The others against the one that is chosen, as the sentences and the picture show them."""
    return outcomes.versus(grid, against(grid, view), margin(view))


def against(grid: Grid, view: View) -> Candidate:
    """Whom the others are compared with: random, where the chosen one does not compete."""
    known = [str(candidate) for candidate in grid.plan.candidates]
    chosen = view["against"] if view["against"] in known else verdict_box.RANDOM
    return parse_candidate(chosen)


def margin(view: View) -> float:
    """So far apart two accuracies are still equal."""
    return view["margin"] / 100


def answer(grid: Grid, view: View) -> View:
    """The sentences under the question, and the choice of what is compared."""
    names = {str(candidate): selection_name(candidate) for candidate in grid.plan.candidates}
    view, box = verdict_box.controls(view, "retrain", names)
    said = sentences(grid, view)
    if not said and len(names) > 1 and grid.finished:
        said = [verdict_box.NO_VERDICT]
    box.show([*said, *collapsed(grid)], note(grid, view))
    return view


def sentences(grid: Grid, view: View) -> list[str]:
    """One for each of the others; empty for those of which nothing is finished."""
    rival = inside(selection_name(against(grid, view)))
    each = (
        sentence(selection_name(candidate), rival, versus, POINTS, margin(view))
        for candidate, versus in compared(grid, view).items()
    )
    return [said for said in each if said]


def note(grid: Grid, view: View) -> str:
    """How the intervals are meant, and what varied."""
    found = [one for versus in compared(grid, view).values() for one in versus.outcomes]
    said = levels(found, margin(view), POINTS)
    return f"{said} {grid.plan.varied()}" if said else ""


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
