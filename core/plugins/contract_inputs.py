"""A small world on which a strategy can be tried: every input, for 24 points of 3 classes.

inputs = world()                  by name, as `core.strategy.INPUTS` has them; 4 points are
                                  labeled
picked(entry, 5), scored(entry)   as the app calls a strategy, with what it accepts of the world
DEGENERATE                        worlds that data do come in: one point, copies, columns or
                                  points of zeros, one dimension
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from core.strategy import Strategy, pick, score
from core.types import Embedded, Floats, Head, Ints, Selection

N = 24
D = 5
C = 3
IN_EMBEDDED = ("embedding", "probs", "labels", "labeled")
BY_COLUMN = ("member_probs", "record")  # their points lie along the second axis
UNSEEN = 9
FEW = 12

Inputs = dict[str, Any]


def world(order: Ints | None = None) -> Inputs:
    """Every input, the points in this order; new arrays each time."""
    rng = np.random.default_rng(5)
    order = np.arange(N) if order is None else order
    embedding = rng.normal(size=(N, D)).astype(np.float32)[order]
    weights = rng.normal(size=(C, D))
    intercepts = rng.normal(size=C)
    labels = rng.permutation(np.arange(N) % C)[order]
    labeled = (np.arange(N) % 6 == 1)[order]
    unseen = rng.normal(size=(UNSEEN, D)).astype(np.float32)
    members = _softmax(rng.normal(size=(4, N, C)))[:, order]
    probs = _softmax(embedding @ weights.T + intercepts)
    unseen_probs = _softmax(unseen @ weights.T + intercepts)
    return {
        "embedding": embedding,
        "probs": probs,
        "labels": labels,
        "labeled": labeled,
        "head": Head(weights, intercepts, 0.1, Embedded(embedding, probs, labels)),
        "validation": Embedded(unseen, unseen_probs, np.arange(UNSEEN) % C),
        "member_probs": members,
        "record": _softmax(3 * rng.normal(size=(6, N, C)))[:, order],
        "images": rng.integers(0, 256, (N, 6, 6), dtype=np.uint8)[order],
    }


def rows(inputs: Inputs, which: Ints) -> Inputs:
    """These points of the world alone, none of them labeled; a point may come more than once."""
    found = {
        n: v[:, which] if n in BY_COLUMN else v if n in ("head", "validation") else v[which]
        for n, v in inputs.items()
    }
    return embedded_as(found | {"labeled": np.zeros(len(which), bool)}, found["embedding"])


def columns(inputs: Inputs, weights: Floats) -> Inputs:
    """The world with its embeddings multiplied by weights (d, d'), the validation points' too.

    Its head gets that width.
    """
    validation = inputs["validation"]
    unseen = (validation.embedding @ weights).astype(np.float32)
    seen = dataclasses.replace(validation, embedding=unseen)
    embedding = (inputs["embedding"] @ weights).astype(np.float32)
    return embedded_as(inputs | {"validation": seen}, embedding)


def embedded_as(inputs: Inputs, embedding: Floats) -> Inputs:
    """The world with this embedding, known to its head as well."""
    head = inputs["head"]
    known = Embedded(embedding, inputs["probs"], inputs["labels"])
    head = dataclasses.replace(head, weights=head.weights[:, : embedding.shape[1]], fitted_on=known)
    return inputs | {"embedding": embedding, "head": head}


def predicted(inputs: Inputs, probs: Floats) -> Inputs:
    """The world with these predictions (n, c), by every network and at every epoch."""
    twice = np.stack([probs, probs])
    return inputs | {"probs": probs, "member_probs": twice, "record": twice}


def labeled_but(inputs: Inputs, count: int) -> Inputs:
    """The world with all points labeled but the first `count`."""
    return inputs | {"labeled": np.arange(len(inputs["embedding"])) >= count}


def wide(inputs: Inputs, d: int) -> Inputs:
    """The world in d dimensions: those beyond its own are copies of its last one."""
    head = inputs["head"]
    added = np.zeros((len(head.weights), d - D))
    head = dataclasses.replace(head, weights=np.hstack([head.weights, added]))
    return columns(inputs | {"head": head}, np.eye(D)[:, np.minimum(np.arange(d), D - 1)])


def one_class(inputs: Inputs) -> Inputs:
    """The world in which every point is of class 0, which is the only one."""
    seen = dataclasses.replace(
        inputs["validation"],
        probs=np.ones((UNSEEN, 1)),
        labels=np.zeros(UNSEEN, int),
    )
    head = dataclasses.replace(
        inputs["head"],
        weights=inputs["head"].weights[:1],
        intercepts=inputs["head"].intercepts[:1],
    )
    n = len(inputs["embedding"])
    alone = {"labels": np.zeros(n, int), "head": head, "validation": seen}
    return embedded_as(predicted(inputs | alone, np.ones((n, 1))), inputs["embedding"])


def few() -> Inputs:
    """The first points of the world: strategies that train once a point are slow on more."""
    return world(np.arange(FEW))


DEGENERATE: dict[str, Callable[[], Inputs]] = {
    "one point alone": lambda: rows(few(), np.array([3])),
    "two points": lambda: rows(few(), np.array([3, 4])),
    "two points in many dimensions": lambda: rows(wide(few(), 40), np.array([3, 4])),
    "copies of one point": lambda: rows(few(), np.full(FEW, 3)),
    "columns of zeros": lambda: columns(few(), np.diag([1.0, 0.0, 0.0, 1.0, 1.0])),
    "points of zeros": lambda: columns(few(), np.zeros((D, D))),
    "one dimension": lambda: columns(few(), np.eye(D)[:, :1]),
    "large numbers": lambda: columns(few(), 1e15 * np.eye(D)),
    "small numbers": lambda: columns(few(), 1e-15 * np.eye(D)),
    "certain predictions": lambda: predicted(few(), np.eye(C)[np.arange(FEW) % C]),
    "even predictions": lambda: predicted(few(), np.full((FEW, C), 1 / C)),
    "one class": lambda: one_class(few()),
    "no labeled set": lambda: few() | {"labeled": None},
    "nothing labeled": lambda: labeled_but(few(), FEW),
    "all labeled but two": lambda: labeled_but(few(), 2),
    "all labeled": lambda: labeled_but(few(), 0),
}

# What float32 can bear: its largest number is 3e38, and norms of cubes are no rarity.
MILDER: dict[str, Callable[[], Inputs]] = {
    "large numbers": lambda: columns(few(), 1e5 * np.eye(D)),
    "small numbers": lambda: columns(few(), 1e-5 * np.eye(D)),
}


def given(entry: Strategy, inputs: Inputs, labeled: bool = True) -> tuple[Embedded, Inputs]:
    """What of these inputs the strategy accepts, as pick() and score() take it."""
    kept = {
        name: value
        for name, value in inputs.items()
        if name in (*entry.accepts, "embedding", *(["labeled"] if labeled else []))
    }
    embedded = Embedded(**{n: v for n, v in kept.items() if n in IN_EMBEDDED})
    return embedded, {n: v for n, v in kept.items() if n not in IN_EMBEDDED}


def picked(entry: Strategy, k: int, inputs: Inputs | None = None, seed: int = 3) -> Selection:
    """What the strategy picks from the world."""
    embedded, more = given(entry, inputs or world())
    return pick(entry, embedded, k, rng=np.random.default_rng(seed), inputs=more)


def scored(entry: Strategy, inputs: Inputs | None = None, seed: int = 3) -> Floats:
    """The scorer's scores of the world."""
    embedded, more = given(entry, inputs or world())
    return score(entry, embedded, rng=np.random.default_rng(seed), inputs=more)


def returned(entry: Strategy, inputs: Inputs | None = None, **more: Any) -> Any:
    """What the function itself returns, before anything is checked or converted."""
    inputs = inputs or world()
    rng = {"rng": np.random.default_rng(0)} if entry.random else {}
    return entry.function(**{name: inputs[name] for name in entry.accepts}, **rng, **more)


def arrays(value: Any, name: str = "") -> list[tuple[str, np.ndarray]]:
    """All arrays inside the inputs with the name of their input, in a fixed order."""
    if isinstance(value, np.ndarray):
        return [(name, value)]
    if isinstance(value, dict):
        named = value.items()
    else:
        named = [(name, getattr(value, field.name)) for field in dataclasses.fields(value)]
    return [
        found
        for name, part in named
        if isinstance(part, np.ndarray | Embedded | Head)
        for found in arrays(part, name)
    ]


def _softmax(logits: Floats) -> Floats:
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)
