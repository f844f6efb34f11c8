"""Which classes can be learned from a dataset whose labels are incomplete, and what is said of it?

    learnable(data)    the dataset as an experiment on its labels sees it
    told(data)         sentences for the screen: points without a label, classes that are left out

A class that no labeled training point is of cannot be learned, and no prediction of its points can
be right. Experiments leave it out: they compare selections of what can be learned.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.data.splits import split
from core.types import Dataset, Ints

NAMED = 5  # classes in a sentence
RARE = 5  # a class with fewer training points is easily missed by a draw


@functools.lru_cache(maxsize=4)
def learnable(data: Dataset, least: int = 1) -> Dataset:
    """The dataset with the classes alone that have at least `least` labeled training points; the
    points of the others count as unlabeled.

    The dataset itself where that is all of them, or fewer than two: then nothing can be mended.
    """
    counts = training_counts(data)
    kept = np.flatnonzero(counts >= least)
    if len(kept) in (0, 1, len(counts)):
        return data
    labels = np.full(len(data), -1, np.int64)
    known = np.isin(data.labels, kept)
    labels[known] = np.searchsorted(kept, data.labels[known])
    names = tuple(data.class_names[c] for c in kept)
    probs = None if data.probs is None else data.probs[:, kept]
    return replace(data, labels=labels, class_names=names, probs=probs)


def training_counts(data: Dataset) -> Ints:
    """How many labeled points of each class there are to train on: (c,); none without classes."""
    if not data.labeled or not (data.labels >= 0).any():
        return np.zeros(len(data.class_names), np.int64)
    labels = data.labels
    if (data.test & (labels >= 0)).any():
        rows = np.flatnonzero(~data.test & (labels >= 0))
    elif (labels >= 0).sum() < 5:
        rows = np.flatnonzero(labels >= 0)
    else:
        rows = split(data)[0]
    return np.bincount(labels[rows], minlength=len(data.class_names))


def told(data: Dataset, least: int = 1) -> list[str]:
    """What an experiment on the labels leaves out, a sentence each."""
    if not data.labeled:
        return []
    sentences = []
    if missing := int((data.labels < 0).sum()):
        sentences.append(
            f"{missing:,} of {len(data):,} points have no label yet: only labeled ones are used."
        )
    counts = training_counts(data)
    left_out = np.flatnonzero(counts < least)
    if 0 < len(left_out) <= len(counts) - 2:
        few = "no training point" if least == 1 else f"fewer than {least} training points"
        points = int(np.isin(data.labels, left_out).sum())
        has, it = ("has", "it") if len(left_out) == 1 else ("have", "them")
        sentences.append(
            f"{named(data.class_names, left_out)} {has} {few}, so nothing here can learn {it}:"
            f" {points:,} {'point of it is' if points == 1 else f'points of {it} are'} left out."
        )
    rare = np.flatnonzero((counts >= least) & (counts < RARE))
    if len(rare):
        has, it = ("has", "it") if len(rare) == 1 else ("have each", "them")
        sentences.append(
            f"{named(data.class_names, rare)} {has} fewer than {RARE} training points: what is"
            f" trained on a draw that misses {it} knows nothing of {it}."
        )
    return sentences


def named(names: Sequence[str], classes: Ints) -> str:
    """The classes by name: "Class a", "Classes a, b and c" or "Classes a, b, c, d and 7 more"."""
    called = [names[c] for c in classes] if names else [str(c) for c in classes]
    if len(called) == 1:
        return f"Class {called[0]}"
    if len(called) > NAMED:
        called = [*called[: NAMED - 1], f"{len(called) - NAMED + 1:,} more"]
    return f"Classes {', '.join(called[:-1])} and {called[-1]}"
