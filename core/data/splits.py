"""Which labeled points are there to learn from, and which are held out to judge by?

And rows in which each class keeps its share.
"""

from __future__ import annotations

import numpy as np

from core.types import Bools, Dataset, Ints, UserError

HELD_OUT = 0.2


def parts(labels: Ints, test: Bools, name: str) -> tuple[Ints, Ints]:
    """Row numbers to learn from and to judge by: the published parts, else a class-stratified fifth
    held out, always the same one.

    labels: (n,), -1 where unknown; such points are in neither. A class with a single labeled point
    is learned from: held out, it could not be learned. test: (n,), the published test part. name:
    of the points, for messages. A UserError if one of the two is empty.
    """
    known = np.flatnonzero(labels >= 0)
    judged = test[known]
    if not judged.any() and len(known) >= 5:
        count = int(HELD_OUT * len(known))
        judged = np.isin(known, _drawn(labels, known, known, count))
    if judged.all() or not judged.any():
        found = (
            f"{int((~judged).sum()):,} labeled training points and {int(judged.sum()):,} labeled"
            " test points"
        )
        mend = "Choose more points."
        if (labels < 0).any():
            mend = f"Label {'some training points' if judged.all() else 'more points'}."
        raise UserError(f"{name}: found {found}, expected some of each. {mend}")
    return known[~judged], known[judged]


def _drawn(labels: Ints, rows: Ints, everyone: Ints, count: int) -> Ints:
    """At most `count` of these rows, class by class, and of no class with one point in everyone.

    Where every class has one point, any of the rows.
    """
    sizes = np.bincount(labels[everyone])
    several = rows[sizes[labels[rows]] > 1]
    if len(several):
        rows = several
        count = min(count, max(1, len(several) // 2))
    return rows[stratified_rows(labels[rows], count, 0)]


def swapped(labels: Ints, learn: Ints, judge: Ints) -> tuple[Ints, Ints]:
    """The parts again for those who judged: as many of the others judge, drawn class by class, and
    all but these are to learn from.

    Where there are fewer of the others, half of them judge. A UserError if there is only one.
    """
    count = min(len(judge), len(learn) // 2)
    if count == 0:
        raise UserError(
            f"Validation: found {len(learn)} training point, expected at least 2, so that one can"
            " judge. Choose more points."
        )
    everyone = np.concatenate([learn, judge])
    drawn = _drawn(labels, learn, everyone, count)
    return np.setdiff1d(everyone, drawn), drawn


def split(data: Dataset, *, regression: bool = False) -> tuple[Ints, Ints]:
    """Rows of the pool and of the test points: the published parts, else a class-stratified fifth
    held out, always the same one.

    Points without a label are in neither; for a regression on a dataset's own target none needs a
    label, and those without are drawn as a class of their own. A UserError if one of the two is
    empty.
    """
    labels = data.labels
    if regression and data.target is not None:
        labels = np.where(labels < 0, labels.max() + 1, labels)
    return parts(labels, data.test, data.called)


def stratified_rows(labels: Ints, n: int, seed: int) -> Ints:
    """n of the rows of labels (N,), ascending: class c gets its share n N_c / N, rounded by largest
    remainder.

    No class gets fewer than one row if n is at least the number of classes. Needs 1 <= n <= N.
    """
    rng = np.random.default_rng(seed)
    classes, sizes = np.unique(labels, return_counts=True)
    chosen = [
        rng.permutation(np.flatnonzero(labels == c))[:quota]
        for c, quota in zip(classes, _quotas(sizes, n), strict=True)
    ]
    return np.sort(np.concatenate(chosen)).astype(np.int64)


def _quotas(sizes: Ints, n: int) -> Ints:
    least = 1 if n >= len(sizes) else 0
    quotas = np.maximum(n * sizes // sizes.sum(), least)
    while quotas.sum() != n:  # whole-number arithmetic: equal remainders go to the lower class
        owed = n * sizes - quotas * sizes.sum()
        if quotas.sum() < n:
            quotas[np.argmax(owed)] += 1
        else:
            quotas[np.argmin(np.where(quotas > least, owed, np.iinfo(np.int64).max))] -= 1
    return quotas
