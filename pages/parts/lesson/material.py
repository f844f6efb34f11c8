"""What the lesson is told from: results that come with the app, opened once per server.

Nothing is computed by a worker.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core import agreement, lesson
from core.runtime import cache
from core.runtime.cache import Entry
from core.spec import (
    Comparison,
    Spec,
    comparison_key,
    favourites_key,
    plane_key,
    resolve,
    scores_key,
    talk_comparison,
    textbook_key,
)
from core.strategy import Strategy
from core.types import Dataset, UserError
from pages.shared import cached
from pages.shared.words import short


@dataclass(frozen=True, eq=False)
class Material:
    """The 70,000 digits, their leverage under raw pixels, and the same digits seen otherwise.

    columns: the talk's 17 rankings; families: the short name of each one's embedding; places: (17,
    n) percentiles 0 to 1.
    """

    data: Dataset
    raw: Entry
    ranking: cached.Ranking
    textbook: Entry
    plane: Entry
    agreement: Entry
    columns: tuple[Spec, ...]
    places: np.ndarray

    @property
    def families(self) -> list[str]:
        """The short name of each ranking's embedding."""
        return [short(spec.embedding) for spec in self.columns]

    def family(self, name: str) -> str:
        """The colour family of an embedding given by its short name."""
        return next(
            resolve(spec).embedder.family for spec in self.columns if short(spec.embedding) == name
        )


@st.cache_resource(show_spinner="Opening the lesson")
def material() -> Material:
    """Read from the bundle; a UserError if a result is not there."""
    data = cached.dataset("mnist", None, 0)
    comparison = talk_comparison()
    (_, plane), *_ = lesson.results()
    raw = _bundled(scores_key, Spec(), data, "scores")
    compared = _bundled(comparison_key, comparison, data, "agreement_of")
    places = [agreement.percentiles(scores) for scores in compared.arrays["scores"]]
    return Material(
        data,
        raw,
        cached.ranking(raw.key, raw.arrays["scores"]),
        _bundled(textbook_key, Spec(), data, "textbook_scores"),
        _bundled(plane_key, plane, data, "plane_of"),
        compared,
        comparison.columns,
        np.stack(places).astype(np.float32),
    )


@dataclass(frozen=True, eq=False)
class Favourites:
    """A strategy and the points it picks first (rows of the full dataset).

    None, and why, if they are not known.
    """

    strategy: Strategy
    points: np.ndarray
    missing: str | None
    seconds: float


@st.cache_resource(show_spinner="Opening the lesson")
def favourites() -> tuple[Favourites, ...]:
    """One for every strategy of the registry, in menu order, from the bundle."""
    pool = cached.dataset("mnist", lesson.POOL, 0)
    return tuple(
        _favourites(spec, pool)
        for function, spec in lesson.results()
        if function == "favourites_of"
    )


def _favourites(spec: Spec, pool: Dataset) -> Favourites:
    chosen = resolve(spec).strategy
    entry = cache.get(favourites_key(spec, pool.fingerprint))
    if entry is None:
        return Favourites(
            chosen,
            np.zeros(0, np.int64),
            "has not been asked yet: python -m core warm --only favourites_of",
            0.0,
        )
    return Favourites(
        chosen, np.array(entry.arrays["points"]), entry.facts["missing"], entry.facts["seconds"]
    )


def _bundled(key_of: Callable, spec: Spec | Comparison, data: Dataset, function: str) -> Entry:
    entry = cache.get(key_of(spec, data.fingerprint))
    if entry is None:
        raise UserError(
            f"Lesson: found no {function} among the bundled results."
            f" Run python -m core warm --only {function}."
        )
    return entry
