"""Which labeled points are there to learn from, and which are held out to judge by?"""

from __future__ import annotations

import numpy as np

from core.datasets import stratified_rows
from core.types import Bools, Ints, UserError

HELD_OUT = 0.2


def parts(labels: Ints, test: Bools, name: str) -> tuple[Ints, Ints]:
    """Row numbers to learn from and to judge by: the published parts, else a class-stratified fifth held out, always the same one.

    labels: (n,), -1 where unknown; such points are in neither. test: (n,), the published test part. name: of the points, for messages.
    A UserError if one of the two is empty.
    """
    known = np.flatnonzero(labels >= 0)
    judged = test[known]
    if not judged.any() and len(known) >= 5:
        judged = np.zeros(len(known), bool)
        judged[stratified_rows(labels[known], int(HELD_OUT * len(known)), 0)] = True
    if judged.all() or not judged.any():
        found = f"{int((~judged).sum()):,} labeled training points and {int(judged.sum()):,} test points"
        raise UserError(f"{name}: found {found}, expected some of each. Choose more points.")
    return known[~judged], known[judged]


def swapped(labels: Ints, learn: Ints, judge: Ints) -> tuple[Ints, Ints]:
    """The parts again for those who judged: as many of the others judge, drawn class by class, and all but these are to learn from.

    Where there are fewer of the others, half of them judge. A UserError if there is only one.
    """
    count = min(len(judge), len(learn) // 2)
    if count == 0:
        raise UserError(f"Validation: found {len(learn)} training point, expected at least 2, so that one can judge. Choose more points.")
    drawn = learn[stratified_rows(labels[learn], count, 0)]
    return np.setdiff1d(np.concatenate([learn, judge]), drawn), drawn
