"""Which k points does a rule take from a pool? Top k, its counterparts, the random baselines.

    selection = RULES["top_balanced"].take(scores, labels, k, rng)

Conventions: scores (n,) of the pool, higher = picked first; labels (n,) from 0; a rule that needs
no scores ignores them (None is fine). The rows come best first where the rule has an order, else as
drawn. Rules that draw take every random number from rng. "Balanced" rules look at labels, which an
unlabeled pool does not have: they say what class balance alone is worth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.strategy import top_k
from core.types import Floats, Ints, UserError, check_budget

Take = Callable[[Floats, Ints, int, np.random.Generator], Ints]


@dataclass(frozen=True)
class Rule:
    """A way to take k points.

    scored: it needs scores; balanced: it needs labels; weighted: its losses are weighted by
    `weights`.
    """

    name: str
    label: str
    take: Take
    scored: bool = True
    balanced: bool = False
    random: bool = False
    weighted: bool = False


def top(scores: Floats, labels: Ints, k: int, rng: np.random.Generator) -> Ints:
    """The k highest scores, highest first."""
    return top_k(scores, k).indices


def bottom(scores: Floats, labels: Ints, k: int, rng: np.random.Generator) -> Ints:
    """The k lowest scores, lowest first."""
    return top_k(-scores, k).indices


def middle(scores: Floats, labels: Ints, k: int, rng: np.random.Generator) -> Ints:
    """The k points around the median score: as many above the band as below it, highest first."""
    start = (len(scores) - k) // 2
    return top_k(scores, len(scores)).indices[start : start + k]


def top_balanced(scores: Floats, labels: Ints, k: int, rng: np.random.Generator) -> Ints:
    """The highest scores of every class, as many of each (see `shares`), highest first."""
    best_first = top_k(scores, len(scores)).indices
    places = _places_within(labels[best_first])
    return best_first[places < shares(labels, k)[labels[best_first]]]


def random(scores: Floats | None, labels: Ints, k: int, rng: np.random.Generator) -> Ints:
    """k different points, every set of k equally likely."""
    return rng.permutation(len(labels))[:k]


def random_balanced(scores: Floats | None, labels: Ints, k: int, rng: np.random.Generator) -> Ints:
    """Equally many random points of every class (see `shares`), in random order."""
    drawn = rng.permutation(len(labels))
    return drawn[_places_within(labels[drawn]) < shares(labels, k)[labels[drawn]]]


def proportional(scores: Floats, labels: Ints, k: int, rng: np.random.Generator) -> Ints:
    """k draws with replacement, point i with probability p_i = score_i / sum of the scores.

    A point may come several times. A UserError for a negative score, or scores that are all zero.
    """
    return rng.choice(len(scores), size=k, p=probabilities(scores))


RULES = {
    rule.name: rule
    for rule in (
        Rule("top", "Top", top),
        Rule("bottom", "Bottom", bottom),
        Rule("middle", "Middle band", middle),
        Rule("top_balanced", "Top of each class", top_balanced, balanced=True),
        Rule("proportional", "Drawn by score", proportional, random=True),
        Rule(
            "proportional_weighted",
            "Drawn by score, weighted",
            proportional,
            random=True,
            weighted=True,
        ),
        Rule("random", "Random", random, scored=False, random=True),
        Rule(
            "random_balanced",
            "Random of each class",
            random_balanced,
            scored=False,
            balanced=True,
            random=True,
        ),
    )
}


def find(name: str) -> Rule:
    """The rule of this name; a UserError that lists the names otherwise."""
    if name not in RULES:
        raise UserError(f"Selection rule: found {name!r}, expected one of {', '.join(RULES)}.")
    return RULES[name]


def take(rule: Rule, scores: Floats | None, labels: Ints, k: int, rng: np.random.Generator) -> Ints:
    """The rule's k rows.

    A UserError for a budget beyond the pool, and for a balanced rule whose budget or classes do not
    suffice.
    """
    check(rule, labels, k, int(labels.max(initial=0)) + 1)
    return rule.take(scores, labels, k, rng)


def check(rule: Rule, labels: Ints, k: int, classes: int) -> None:
    """A UserError if the rule cannot take k points of a pool with these labels."""
    check_budget(k, len(labels))
    sizes = np.bincount(labels, minlength=classes)
    if rule.balanced and (empty := np.flatnonzero(sizes == 0).tolist()):
        raise UserError(
            f"{rule.label}: class {', '.join(map(str, empty))} has no point in the pool. Use more"
            " points or another rule."
        )
    if rule.balanced and 0 < k < classes:
        raise UserError(
            f"{rule.label}: found a budget of {k:,} for {classes} classes."
            " Give at least one point per class."
        )


def shares(labels: Ints, k: int) -> Ints:
    """How many points of each class make k in all, as equal as the classes' sizes allow.

    A remainder goes to the first classes. A class smaller than its share gives all it has, and the
    others share the rest.
    """
    sizes = np.bincount(labels)
    level = np.zeros(len(sizes), np.int64)
    while (missing := k - level.sum()) > 0:
        open_ones = np.flatnonzero(level < sizes)[:missing]
        room = sizes[open_ones] - level[open_ones]
        level[open_ones] += np.minimum(missing // len(open_ones), room)
    return level


def probabilities(scores: Floats) -> Floats:
    """score_i / sum of the scores (n,), the chances of `proportional`."""
    if scores.min() < 0 or not scores.sum() > 0:
        found = f"found scores from {scores.min():.3g} to {scores.max():.3g}"
        raise UserError(
            f"Drawing by score: {found}, expected none below 0 and some above."
            " Choose another strategy or rule."
        )
    return scores / scores.sum()


def weights(scores: Floats) -> Floats:
    """1 / (n p_i) (n,), the loss weights of `proportional`; 0 where p_i is 0.

    With these, the mean loss over draws has the pool's mean loss as its expectation. The usual
    1/(k p_i) estimates the pool's summed loss; divided by n, and by a batch's size instead of k, it
    estimates the mean.
    """
    p = probabilities(scores)
    return np.divide(1.0, len(p) * p, out=np.zeros_like(p), where=p > 0)


def _places_within(labels: Ints) -> Ints:
    """For each entry, how many before it have the same label."""
    order = np.argsort(labels, kind="stable")
    firsts = np.searchsorted(labels[order], labels[order])
    places = np.empty(len(labels), np.int64)
    places[order] = np.arange(len(labels)) - firsts
    return places
