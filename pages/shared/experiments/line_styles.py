"""How the lines of an experiment look: the names, colours and dashes of what competes.

The same on the pages of experiments and wherever their results are shown again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core import embeddings
from core.charts.common import Line
from core.charts.palette import BOTTOM, CHANCE, TOP, class_colour, family_colour
from core.experiments.active.strategy_texts import RANDOM, parse_strategy
from core.experiments.retrain import plan as retrain
from core.experiments.retrain import selections
from core.experiments.retrain.plan import Candidate, Retraining
from core.plugins import menu
from core.types import UserError
from pages.shared.words import short

COLOURS = (4, 5, 2, 0, 6, 8, 9, 1, 3)  # of the palette's ten, the most different ones first
# Rule -> dash, and its colour where all scores come from one family of embeddings.
STYLES = {
    "top": ((1, 0), TOP),
    "top_balanced": ((2, 3), TOP),
    "bottom": ((8, 4), BOTTOM),
    "middle": ((8, 3, 2, 3), "#009E73"),
    "proportional": ((12, 3), "#E69F00"),
    "proportional_weighted": ((12, 3, 2, 3), "#CC79A7"),
    "random": ((5, 4), CHANCE),
    "random_balanced": ((2, 3), CHANCE),
}
RULES = {name: rule.label for name, rule in selections.RULES.items()}


def strategy_name(text: str) -> str:
    """What a strategy's text is called: "BAIT (ridge 0.1)" of "bait:ridge=0.1"."""
    try:
        name, knobs = parse_strategy(text)
    except UserError:  # from a link: told above
        return text
    said = ", ".join(f"{knob} {value}" for knob, value in knobs)
    return f"{menu.find(name).label} ({said})" if knobs else menu.find(name).label


def strategy_lines(
    strategies: Sequence[str], called: Callable[[str], str] = strategy_name
) -> list[Line]:
    """Every strategy has a colour of its own; random is grey and dashed."""
    colours = [class_colour(COLOURS[i % len(COLOURS)]) for i in range(len(strategies))]
    each = zip(strategies, colours, strict=True)
    return [
        Line(called(name), CHANCE, (5, 4)) if name == RANDOM else Line(called(name), colour)
        for name, colour in each
    ]


def selection_name(text: str | Candidate) -> str:
    """What a selection is called: "Top, raw"; strategy and seed only where they are unusual."""
    try:
        candidate = retrain.parse_candidate(text) if isinstance(text, str) else text
    except UserError:  # from a link: said above, and not to be chosen again
        return str(text)
    rule = RULES[candidate.rule]
    if not candidate.scored:
        return rule
    seed = f" {candidate.seed}" if candidate.seed != retrain.EACH else ""
    other = ""
    if candidate.strategy != "leverage":
        other = f", {menu.find(candidate.strategy).label.lower()}"
    return f"{rule}, {short(candidate.embedding)}{seed}{other}"


def selection_lines(plan: Retraining, dark: bool) -> list[Line]:
    """Colour by the embedding's family where several compete, else by rule; dash by rule.

    Random is grey and dashed.
    """
    scored = [candidate for candidate in plan.candidates if candidate.scored]
    several = len({embeddings.find(candidate.embedding).family for candidate in scored}) > 1
    return [
        Line(selection_name(each), _colour(each, several, dark), STYLES[each.rule][0])
        for each in plan.candidates
    ]


def _colour(candidate: Candidate, by_family: bool, dark: bool) -> str:
    if by_family and candidate.scored:
        return family_colour(embeddings.find(candidate.embedding).family, dark)
    return STYLES[candidate.rule][1]
