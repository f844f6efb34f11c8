"""What does a file of scores say when it comes back? Its rankings, how made, and what is wrong.

    read_back(content, "scores.parquet") -> Exported

A Parquet file carries its manifest inside; a CSV file needs the manifest file beside it. What
cannot be read is refused with a sentence; what can be read but is odd (an unknown strategy, ranks
that do not follow from the scores) is left out or shown with a sentence in `faults`. Such scores
are the file's: they never enter the cache, whatever Spec they claim. core/exports/score_table.py
writes the files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core import datasets
from core.exports import csv_cells
from core.exports.column_file import AGAIN, Opened, open_columns
from core.exports.score_table import VERSION, Column, Projection, checksum, kind_of
from core.linalg.ties import last, settle
from core.spec import Spec, from_query, resolve
from core.types import Dataset, Ints, UserError

MOST_MANIFEST = 5_000_000
MOST_RANKINGS = 500
TEXTS = ("id", "split", "label")
MANIFEST = "Hand in the manifest that was written with the file."


@dataclass(frozen=True, eq=False)
class Exported:
    """A file of scores.

    frame         its rows by index, in the columns that `score_table.table` gives
    columns       its rankings, scores float64 (n,)
    points        the Spec of its points, the rest at default
    fingerprint   of its data, as the file says
    faults        sentences to show
    """

    name: str
    frame: pd.DataFrame
    columns: tuple[Column, ...]
    projection: Projection | None
    points: Spec
    fingerprint: str
    faults: tuple[str, ...]

    @property
    def index(self) -> Ints:
        """The row of each point in the full dataset, ascending."""
        return self.frame["index"].to_numpy()


@dataclass(frozen=True)
class _Ranking:
    """One entry of the manifest whose Spec is known here."""

    spec: Spec
    score: str
    rank: str
    checksum: str
    facts: Mapping[str, Any]

    @property
    def unscored(self) -> int:
        """How many points have no score, as the manifest says."""
        count = self.facts.get("unscored", 0)
        return count if isinstance(count, int) else 0


def read_back(
    content: bytes,
    name: str,
    manifest: bytes | None = None,
    at_hand: tuple[Spec, str] | None = None,
) -> Exported:
    """The rankings of a file that core/exports/score_table.py wrote, its rows in any order.

    manifest: the manifest file's bytes, for a file that has none inside. at_hand: a Spec of points
    that are open now and their fingerprint: a file with this fingerprint is about these points,
    whatever its dataset was called. A UserError: format, size, no manifest or another version's, an
    unknown dataset, no ranking that is known here, a column that is missing, not numeric or not
    finite, an index that repeats or is outside the dataset, another number of rows than were
    written.
    """
    opened = open_columns(content, name)
    said = _manifest(opened.inside if opened.inside is not None else manifest, name)
    about = _part(said, "data", dict, name)
    points = _points(about, name, at_hand)
    rankings, faults = _rankings(_part(said, "rankings", list, name), points, name)
    mapped, more = _projection(said.get("projection"), points, opened)
    axes = mapped[1:] if mapped else ()
    expected = _part(about, "points", int, name)
    arrays = _arrays(opened, rankings, axes, expected, datasets.info(points.dataset).n)
    if kind_of(name.lower()) == "csv" and said.get("csv_cells") == csv_cells.GUARDED:
        arrays |= {text: _unguarded(arrays[text]) for text in TEXTS if text in arrays}
    columns = tuple(Column(each.spec, arrays[each.score], each.facts) for each in rankings)
    edited = [sentence for ranking in rankings if (sentence := _edited(ranking, arrays))]
    projection = None
    if mapped:
        projection = Projection(mapped[0], np.column_stack([arrays[axis] for axis in axes]))
    fingerprint = _part(about, "fingerprint", str, name)
    frame = pd.DataFrame(arrays)
    faults = (*faults, *more, *edited)
    return Exported(name, frame, columns, projection, points, fingerprint, faults)


def other_points(exported: Exported, dataset: Dataset) -> str | None:
    """Why the file's scores do not belong to these points, or None if they do."""
    if exported.fingerprint != dataset.fingerprint:
        found = f"found data {exported.fingerprint[:16]!r}, expected {dataset.fingerprint!r}"
        return (
            f"{exported.name}: its points are not the ones here ({found}): they have changed since."
            " Compute the scores again."
        )
    if not np.array_equal(exported.index, dataset.index):
        return (
            f"{exported.name}:"
            f" its index names other rows than these {len(dataset):,} points. {AGAIN}"
        )
    return None


def _manifest(content: bytes | None, name: str) -> dict[str, Any]:
    if content is None:
        raise UserError(
            f"{name}: found no manifest in it, expected one:"
            f" it says how the scores were made. {MANIFEST}"
        )
    if len(content) > MOST_MANIFEST:
        raise UserError(
            f"{name}: found a manifest of {len(content):,} bytes, expected at most"
            f" {MOST_MANIFEST:,}. {MANIFEST}"
        )
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        raise UserError(f"{name}: found a manifest that is not JSON. {MANIFEST}") from None
    version = said.get("leverage_lab") if isinstance(said, dict) else None
    if version is None:
        raise UserError(f"{name}: found a manifest that does not describe scores. {MANIFEST}")
    if version != VERSION:
        raise UserError(
            f"{name}: found format {version!r:.40}, expected {VERSION}:"
            f" another version of the app wrote it. {AGAIN}"
        )
    return said


def _part(said: Mapping[str, Any], part: str, kind: type, name: str) -> Any:
    """A part of the manifest, if it is of this kind."""
    value = said.get(part)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise UserError(
            f"{name}: its manifest says {value!r:.60} for {part!r},"
            f" expected {_KINDS[kind]}. {MANIFEST}"
        )
    return value


_KINDS = {dict: "an object", list: "a list", int: "a whole number", str: "a text"}


def _points(about: Mapping[str, Any], name: str, at_hand: tuple[Spec, str] | None) -> Spec:
    if at_hand and about.get("fingerprint") == at_hand[1]:
        return Spec().with_(dataset=at_hand[0].dataset, n=at_hand[0].n, subset=at_hand[0].subset)
    dataset = _part(about, "name", str, name)
    try:
        datasets.info(dataset)
    except UserError:
        found = f"{about.get('title', dataset)!r:.80}"
        raise UserError(
            f"{name}: its points, {found}, are not here."
            " Open the same points first, then hand the file in again."
        ) from None
    return Spec().with_(dataset=dataset, n=about.get("n"), subset=about.get("subset", 0))


def _rankings(listed: Sequence[Any], points: Spec, name: str) -> tuple[list[_Ranking], list[str]]:
    """Those that can be understood, and a sentence for each of the others."""
    if len(listed) > MOST_RANKINGS:
        raise UserError(
            f"{name}: its manifest lists {len(listed):,} rankings, expected at most"
            f" {MOST_RANKINGS}. {MANIFEST}"
        )
    found: list[_Ranking] = []
    faults = []
    for entry in listed:
        score, rank = (
            _part(entry if isinstance(entry, dict) else {}, part, str, name)
            for part in ("score", "rank")
        )
        spec, problem = _spec(entry, points)
        if problem or spec in [ranking.spec for ranking in found]:
            faults.append(
                f"{score[:80]!r}: {problem or 'the same ranking is listed twice.'} It is left out."
            )
            continue
        facts = entry.get("facts") if isinstance(entry.get("facts"), dict) else {}
        found.append(_Ranking(spec, score, rank, str(entry.get("checksum")), facts))
    if not found:
        raise UserError(
            f"{name}: found no ranking that is known here. {' '.join(faults[:3])}".rstrip()
        )
    return found, faults


def _spec(entry: Mapping[str, Any], points: Spec) -> tuple[Spec, str | None]:
    """The Spec of a manifest's entry on these points, and what of it is not known here."""
    query = entry.get("spec")
    if not isinstance(query, dict) or not all(isinstance(value, str) for value in query.values()):
        return points, "found no link that says how it was made."
    here = points.to_query()
    link = {what: value for what, value in query.items() if what not in ("dataset", "n", "subset")}
    spec, problems = from_query(here | link)
    if not problems and resolve(spec).strategy.kind != "scorer":
        problems = [f"{resolve(spec).strategy.label} picks batches and gives no scores."]
    return spec, problems[0] if problems else None


def _projection(
    said: Any, points: Spec, opened: Opened
) -> tuple[tuple[Spec, str, str] | None, list[str]]:
    """Whose map the file holds and in which columns; a sentence if one cannot be used."""
    if not isinstance(said, dict):
        return None, []
    spec, problem = _spec(said, points)
    axes = said.get("x"), said.get("y")
    if (
        problem
        or not all(isinstance(axis, str) and axis in opened.names for axis in axes)
        or axes[0] == axes[1]
    ):
        return None, [f"The map of the file is left out: {problem or 'its columns are not there.'}"]
    return (spec, *axes), []


def _arrays(
    opened: Opened, rankings: Sequence[_Ranking], axes: Sequence[str], expected: int, most: int
) -> dict[str, np.ndarray]:
    """The file's columns by index, in the order in which they are written."""
    texts = [text for text in TEXTS if text in opened.names]
    whole = ["index", *(ranking.rank for ranking in rankings)]
    numbers = [*(ranking.score for ranking in rankings), *axes]
    if len({*whole, *numbers, *texts}) < len([*whole, *numbers, *texts]):
        raise UserError(
            f"{opened.name}: its manifest names the same column for two things. {MANIFEST}"
        )
    missing = {ranking.score: ranking.unscored for ranking in rankings}
    found = opened.columns(whole, numbers, texts, missing)
    index = found["index"]
    if len(index) != expected or not expected:
        raise UserError(
            f"{opened.name}: found {len(index):,} rows, but {expected:,} were written. {AGAIN}"
        )
    if index.min() < 0 or index.max() >= most or len(np.unique(index)) < len(index):
        raise UserError(
            f"{opened.name}: column 'index':"
            f" expected different row numbers from 0 to {most - 1:,}. {AGAIN}"
        )
    order = np.argsort(index)
    pairs = [column for ranking in rankings for column in (ranking.score, ranking.rank)]
    return {
        column: found[column][order]
        for column in ("id", "index", "split", "label", *pairs, *axes)
        if column in found
    }


def _unguarded(texts: np.ndarray) -> np.ndarray:
    return np.array([csv_cells.unguarded(text) for text in texts], dtype=object)


def _odd_ranks(scores: np.ndarray, ranks: np.ndarray) -> int:
    """How many ranks do not follow from the scores? Equal scores may stand in any order: older
    files have them as rounding left them.
    """
    settled = settle(last(scores)[0])
    places = np.clip(ranks, 1, len(ranks)) - 1
    odd = (ranks != places + 1) | (np.sort(settled)[::-1][places] != settled)
    return max(int(odd.sum()), len(ranks) - len(np.unique(ranks)))


def _edited(ranking: _Ranking, arrays: Mapping[str, np.ndarray]) -> str | None:
    """What does not fit between the scores, their ranks and their checksum."""
    scores = arrays[ranking.score]
    odd = _odd_ranks(scores, arrays[ranking.rank])
    if odd:
        return (
            f"{ranking.score}: {odd:,} ranks do not follow from the scores: the file was edited."
            " The scores are shown as they stand."
        )
    if checksum(scores) != ranking.checksum:
        return (
            f"{ranking.score}: these are not exactly the scores that were written: the file was"
            " edited, or another program rounded them."
        )
    return None
