"""Which scores are equal? Those that differ by rounding only.

Scores that are equal in exact arithmetic leave floating point a few last digits apart, and another
processor or number of threads orders them otherwise. Everything that orders points asks here:

    settle(scores)   the scores, equal ones made equal
    order(scores)    the points, highest score first, equal ones in the order of the points
    ranks(scores)    each point's place in it, 1 = highest

Some strategies have no score for some points (core/strategy_inputs.py): NaN until they are ranked.

    last(scores)     NaN replaced by a number below all others, and where
    gaps(scores, where)   the way back

Convention: a group of equal scores holds what lies within 1e-12 of the largest |score| below the
group's highest. So a chain of close neighbours does not merge what lies further apart than that.
Scores that differ by less than this part of the largest one have no order.
"""

from __future__ import annotations

import numpy as np

from core.types import Bools, Floats, Ints, check_scores

TOLERANCE = 1e-12  # of the largest |score|


def settle(scores: np.ndarray) -> Floats:
    """(n,) or (m, n) row by row: every score becomes the highest of its group of equals.

    A UserError for NaN or infinity.
    """
    if np.ndim(scores) == 2:
        return np.stack([settle(row) for row in scores])
    scores = check_scores(scores, np.size(scores))
    if len(scores) == 0:
        return scores
    places = np.argsort(-scores, kind="stable")
    best_first = scores[places]
    opens = _opens(best_first, TOLERANCE * np.abs(scores).max())
    settled = np.empty_like(scores)
    settled[places] = best_first[opens][np.cumsum(opens) - 1]
    return settled


def order(scores: np.ndarray) -> Ints:
    """The points (n,), highest score first, equal scores in the order of the points."""
    return np.argsort(-settle(scores), kind="stable")


def ranks(scores: np.ndarray) -> Ints:
    """(n,): 1 = highest; equal scores in the order of the points."""
    places = np.empty(len(scores), np.int64)
    places[order(scores)] = np.arange(1, len(scores) + 1)
    return places


def last(scores: Floats) -> tuple[Floats, Bools]:
    """Scores (n,) in which NaN, no score, is one number below all others, and where that was so:
    those points rank last, in their own order.

    The number is the lowest score less the range of the scores, or less a thousandth of the largest
    |score| if that is more (less 1 if all are 0): no rounding makes them equal.
    """
    absent = np.isnan(scores)
    if not absent.any() or absent.all():
        return scores, absent
    low = np.nanmin(scores)
    high = np.nanmax(scores)
    below = max(high - low, 1e-3 * max(abs(low), abs(high))) or 1.0
    return np.where(absent, low - below, scores), absent


def gaps(scores: Floats, absent: Bools | None) -> Floats:
    """The scores with NaN where there is none; None: everywhere is one."""
    return scores if absent is None else np.where(absent, np.nan, scores)


def _opens(best_first: Floats, tolerance: float) -> np.ndarray:
    """(n,) bool: where a group of equals begins."""
    opens = np.r_[True, best_first[:-1] - best_first[1:] > tolerance]
    starts = np.flatnonzero(opens)
    stops = np.r_[starts[1:], len(best_first)]
    long = best_first[starts] - best_first[stops - 1] > tolerance
    for start, stop in zip(starts[long], stops[long], strict=True):  # chains of neighbours
        first = start
        for place in range(start + 1, stop):
            if best_first[first] - best_first[place] > tolerance:
                first = place
                opens[place] = True
    return opens
