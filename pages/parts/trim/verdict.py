"""The Trim page's verdict: what removal did, method by method, in sentences."""

from __future__ import annotations

from core.experiments.trim import outcomes
from core.experiments.trim.outcomes import UNTRIMMED, Trimmed
from core.experiments.trim.run import METHODS
from core.experiments.verdicts import POINTS, Versus, levels, sentence
from pages.shared.experiments import verdict_box
from pages.shared.state import View

IN_TEXT = {
    "iv": "the influence value",
    "leverage": "leverage",
    "loss": "the loss",
}  # the others are names
RIVALS = {verdict_box.RANDOM: "random removal", UNTRIMMED: "keeping all"}
VARIED = "Each seed draws anew: the training, validation and test points, what is planted, random."


def name_of(method: str) -> str:
    """Its label."""
    return METHODS[method].label


def answer(trimmed: Trimmed, view: View) -> View:
    """Every method against random removal, or another; the best at the largest budget first."""
    names = {method: name_of(method) for method in trimmed.plan.methods}
    names[UNTRIMMED] = "Keeping all"
    view, box = verdict_box.controls(view, "trim", names)
    found = compared(trimmed, view)
    margin = view["margin"] / 100
    said = sentences(trimmed, view)
    if not said and trimmed.finished and found:
        said = [verdict_box.NO_VERDICT]
    note = levels([one for each in found.values() for one in each.outcomes], margin, POINTS)
    box.show(said, f"{note} {VARIED}" if note else "")
    return view


def against(trimmed: Trimmed, view: View) -> str:
    """Whom the others are compared with: random, where the chosen one does not compete."""
    known = (*trimmed.plan.methods, UNTRIMMED)
    return view["against"] if view["against"] in known else verdict_box.RANDOM


def rival_of(trimmed: Trimmed, view: View) -> str:
    """The same in a sentence."""
    chosen = against(trimmed, view)
    return RIVALS.get(chosen) or IN_TEXT.get(chosen, name_of(chosen))


def compared(trimmed: Trimmed, view: View) -> dict[str, Versus]:
    """The others against the one that is chosen, as the sentences and the picture show them."""
    return outcomes.versus(trimmed, against(trimmed, view), view["margin"] / 100)


def sentences(trimmed: Trimmed, view: View) -> list[str]:
    """One for each of the others, the best at the largest budget first; none of the unfinished."""
    found = compared(trimmed, view)
    best = sorted(found, key=lambda method: -found[method].outcomes[-1].mean)
    rival = rival_of(trimmed, view)
    each = (
        sentence(name_of(method), rival, found[method], POINTS, view["margin"] / 100)
        for method in best
    )
    return [said for said in each if said]
