"""Does an embedding keep the contract that pages, caches and strategies rely on?

    findings(menu.find_embedder("raw"))   one Finding per check: kept, or what is wrong and its mend

An embedding gets a Dataset and gives one row a point. Tried are 24 grey images, 24 colour images
and a table of 24 rows, three classes each; it may refuse some of them, or degenerate data, by a
UserError, which the screen shows. Row i must describe point i: where no seed is taken, permuted
points must give permuted rows. Under a seed a network may learn in the order of the points, so
there the same is advice.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from core.embeddings import Embedder
from core.plugins import promises
from core.plugins.contract import knobs_work
from core.plugins.manners import knobs_explain_themselves
from core.plugins.promises import Broken, Finding, check_numbers, demand, excused
from core.types import Dataset, Floats, Ints

N = 24
CLASSES = ("a", "b", "c")
LOST = 1e-3  # of the largest number: what a sum in another order may lose in float32


def findings(entry: Embedder) -> Iterator[Finding]:
    """Every check of the embedding, one after the other."""
    return promises.findings(entry, CONTRACT, MANNERS)


# ---- data to try it on ----


def _dataset(points: np.ndarray) -> Dataset:
    n = len(points)
    labels = np.random.default_rng(6).permutation(np.arange(n) % len(CLASSES))
    return Dataset("trial", points, labels, CLASSES, np.arange(n) % 6 == 1)


def _images(n: int = N, shape: tuple[int, ...] = (28, 28)) -> Dataset:
    rng = np.random.default_rng(5)
    return _dataset(rng.integers(0, 256, (n, *shape), dtype=np.uint8))


def _table(n: int = N, d: int = 60) -> Dataset:
    return _dataset(np.random.default_rng(5).normal(size=(n, d)).astype(np.float32))


def _rows(data: Dataset, which: Ints) -> Dataset:
    return dataclasses.replace(
        data,
        points=data.points[which],
        labels=data.labels[which],
        test=data.test[which],
        index=data.index[which],
    )


def _unlabeled(data: Dataset) -> Dataset:
    return dataclasses.replace(data, labels=np.full(len(data), -1), class_names=())


def _half_labeled(data: Dataset) -> Dataset:
    return dataclasses.replace(data, labels=np.where(np.arange(len(data)) % 2, data.labels, -1))


PLAIN: Mapping[str, Callable[[], Dataset]] = {
    "grey images": _images,
    "colour images": lambda: _images(shape=(12, 12, 3)),
    "a table": _table,
}
DEGENERATE: Mapping[str, Callable[[], Dataset]] = {
    "one image alone": lambda: _images(1),
    "two images": lambda: _images(2),
    "copies of one image": lambda: _rows(_images(), np.full(N, 3)),
    "black images": lambda: _dataset(np.zeros((N, 28, 28), np.uint8)),
    "small images": lambda: _images(shape=(5, 7)),
    "images without labels": lambda: _unlabeled(_images()),
    "images of which half have a label": lambda: _half_labeled(_images()),
    "one row alone": lambda: _table(1),
    "a table of one feature": lambda: _table(d=1),
    "a table of zeros": lambda: _dataset(np.zeros((N, 60), np.float32)),
    "a table without labels": lambda: _unlabeled(_table()),
}


def _is_for(entry: Embedder, data: Dataset) -> bool:
    return data.is_images or not entry.images_only


def _embed(entry: Embedder, data: Dataset, seed: int = 1, **knobs: Any) -> Any:
    return entry.function(data, **({"seed": seed} if entry.seeded else {}), **knobs)


def _matrix(entry: Embedder, data: Dataset, where: str, seed: int = 1, **knobs: Any) -> Floats:
    """What it gives, if that is one row of finite numbers a point; Broken otherwise."""
    found = np.asarray(_embed(entry, data, seed, **knobs))
    demand(
        found.ndim == 2 and found.shape[1:] != (0,),
        f"found shape {found.shape} for {where}, expected ({len(data)}, d).",
    )
    check_numbers(found, (len(data), found.shape[1]), "numbers", where)
    return found


def _answered(entry: Embedder) -> list[tuple[str, Dataset]]:
    """The plain data that it embeds; Broken if there are none."""
    found = []
    refused = []
    for where, make in PLAIN.items():
        if not _is_for(entry, make()):
            continue
        with excused(where) as reasons:
            _matrix(entry, make(), where)
        refused += reasons
        if not reasons:
            found.append((where, make()))
    demand(found, f"it refuses everything that it is tried on: {' '.join(dict.fromkeys(refused))}")
    return found


def _arrays(data: Dataset) -> dict[str, np.ndarray]:
    values = {field.name: getattr(data, field.name) for field in dataclasses.fields(data)}
    return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}


# ---- the contract ----


def gives_one_row_of_finite_numbers_per_point(entry: Embedder) -> None:
    """(n, d) for images, colour images or a table; the others may be refused in words."""
    _answered(entry)


def leaves_the_dataset_alone(entry: Embedder) -> None:
    """Arrays are shared: what one embedding changes, all others would see."""
    for where, data in _answered(entry):
        before = copy.deepcopy(_arrays(data))
        _embed(entry, data)
        changed = [n for n, now in _arrays(data).items() if not np.array_equal(now, before[n])]
        demand(
            not changed,
            f"{where}: it changed the dataset's {', '.join(changed)} in place. Work on a copy, or"
            " write x = x / 255, not x /= 255.",
        )


def works_on_read_only_points(entry: Embedder) -> None:
    """The app hands over read-only arrays."""
    for _, data in _answered(entry):
        for array in _arrays(data).values():
            array.flags.writeable = False
        _embed(entry, data)


def same_seed_same_answer(entry: Embedder) -> None:
    """A result can be computed again."""
    for where, data in _answered(entry):
        demand(
            np.array_equal(_embed(entry, data), _embed(entry, data)),
            f"{where}: two runs with the same seed differ. Draw random numbers only from seed, a"
            " keyword-only parameter: rng = np.random.default_rng(seed).",
        )


def another_seed_another_answer(entry: Embedder) -> None:
    """What takes a seed must listen to it."""
    if not entry.seeded:
        return
    _, data = _answered(entry)[0]
    first = _embed(entry, data)
    heard = any(not np.array_equal(first, _embed(entry, data, seed)) for seed in range(2, 12))
    demand(heard, "eleven seeds give the same answer. Draw from seed, or leave that parameter out.")


def rows_follow_their_points(entry: Embedder) -> None:
    """Without a seed, permuted points get permuted rows."""
    if not entry.seeded:
        _follow(entry)


def _follow(entry: Embedder) -> None:
    order = np.random.default_rng(8).permutation(N)
    for where, data in _answered(entry):
        plain = np.asarray(_embed(entry, data), np.float64)[order]
        moved = np.asarray(_embed(entry, _rows(data, order)), np.float64)
        demand(
            moved.shape == plain.shape,
            f"{where}: in another order of the points it has {moved.shape[1]} columns, not"
            f" {plain.shape[1]}.",
        )
        apart = np.abs(moved - plain).max(axis=1) > LOST * np.abs(plain).max()
        demand(
            not apart.any(),
            f"{where}: in another order of the points {int(apart.sum())} of {N} rows differ. Row i"
            " must describe point i, whatever its place: use no row numbers, and undo every"
            " shuffle.",
        )


def every_step_of_a_knob_works_or_says_why_not(entry: Embedder) -> None:
    """A UserError says why."""
    where, data = _answered(entry)[0]
    for name, knob in entry.knobs.items():
        for choice in knob.choices:
            with excused(f"{where} with {name} = {choice}"):
                _matrix(entry, data, f"{where} with {name} = {choice}", **{name: choice})


def stays_calm_on_degenerate_data(entry: Embedder) -> None:
    """Finite rows, or a UserError that says why not."""
    for where, make in DEGENERATE.items():
        data = make()
        if _is_for(entry, data):
            with excused(where):
                _matrix(entry, data, where)


# ---- manners ----


def rows_follow_their_points_under_a_seed(entry: Embedder) -> None:
    """What learns in the order of the points may differ; a shuffle that is not undone may not."""
    if entry.seeded:
        try:
            _follow(entry)
        except Broken as fault:
            raise Broken(f"{fault} Under a seed a network may learn in their order.") from None


def docstring_tells_formula_and_shapes(entry: Embedder) -> None:
    """Its first paragraph says what the numbers are."""
    text = entry.function.__doc__ or ""
    demand(len(text.strip()) > 20, "it has no docstring. Say in one sentence what it computes.")
    demand("(n" in text, "its docstring gives no shapes, such as (n, d).")


CONTRACT: list[promises.Check] = [
    gives_one_row_of_finite_numbers_per_point,
    leaves_the_dataset_alone,
    works_on_read_only_points,
    same_seed_same_answer,
    another_seed_another_answer,
    rows_follow_their_points,
    knobs_work,
    every_step_of_a_knob_works_or_says_why_not,
    stays_calm_on_degenerate_data,
]
MANNERS: list[promises.Check] = [
    rows_follow_their_points_under_a_seed,
    knobs_explain_themselves,
    docstring_tells_formula_and_shapes,
]
