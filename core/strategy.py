"""The plug point: a strategy is a plain function that says which points matter.

    @scorer("Leverage")                       gives scores (n,), higher = picked first
    def leverage(embedding, *, ridge=0.0): ...

    @selector("BADGE", nested=True)           gives a batch: indices (k,), gains (k,)
    def badge(embedding, probs, labeled=None, *, k, rng): ...

Inputs are positional and come from `INPUTS`; an input with a default may be missing. Knobs are
keyword-only with defaults and become widgets, link parameters and command-line options; `k` and
`rng` are handed in. A knob's range, unit and explanation stand in its annotation: `ridge:
Annotated[float, Knob(...)] = 0.0`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.knobs import Knob, knobs_of, parse_knobs  # noqa: F401  they belong to the plug point
from core.linalg.ties import settle
from core.types import Embedded, Selection, UserError, check_budget, check_scores

INPUTS = {
    "embedding": "an embedding",
    "probs": "probabilities: fit a linear head first",
    "labels": "labels",
    "labeled": "a labeled set",
    "head": "a linear head: fit one first",
    "validation": "a validation set with labels",
    "member_probs": "probabilities of several networks",
    "record": "a training record: probabilities after each epoch",
    "images": "images",
}


# What any dataset under any embedding gives: probabilities come from a linear head that is fitted
# to it.
WHOLE = ("embedding", "probs", "labels", "head")
# What is made for any dataset under any embedding by core/strategy_inputs.py: it takes a part of
# the points, or more trainings.
MADE = ("validation", "member_probs", "record")
# How the modules of own strategies begin (core/plugins/loading.py).
OWN = "plugin_"
# What cannot be had without labels.
LEARNED = {"labels", "probs", "head", *MADE}


class Refused(TypeError):
    """A function that cannot be a strategy. The message says why and how to mend it."""


@dataclass(frozen=True)
class Strategy:
    """One entry of the registry.

    `name` is the function's name: it stands in links, files and commands.
    """

    name: str
    label: str
    kind: str
    function: Callable
    needs: tuple[str, ...]
    accepts: tuple[str, ...]
    knobs: Mapping[str, Knob]
    nested: bool
    random: bool
    least: int = 1
    unlabeled: Callable[..., bool] | None = None

    def scores_unlabeled(self, knobs: Mapping[str, Any]) -> bool:
        """Has it a score for a point without a label? Not if it reads the label of each point that
        it scores; what takes `labeled` reads labels where that holds.
        """
        if self.unlabeled is not None:
            return self.unlabeled(**{name: knobs[name] for name in self.knobs if name in knobs})
        return "labels" not in self.accepts or "labeled" in self.accepts

    @property
    def summary(self) -> str:
        """The first paragraph of the function's docstring."""
        return " ".join((inspect.getdoc(self.function) or "").split("\n\n")[0].split())

    @property
    def own(self) -> bool:
        """Does it come from a file of the user's?"""
        return self.function.__module__.startswith(OWN)


_registry: dict[str, Strategy] = {}


def scorer(label: str, *, least: int = 1, unlabeled: Callable[..., bool] | None = None) -> Callable:
    """Register a function that gives one score per point.

    least: how many training points each class must have for it; smaller classes are left out.
    unlabeled(**knobs): has it a score for a point without a label? By default see
    `Strategy.scores_unlabeled`.
    """
    more = {"least": least, "unlabeled": unlabeled}
    return lambda function: _register(function, label, "scorer", nested=True, **more)


def selector(label: str, *, nested: bool) -> Callable:
    """Register a function that gives a batch. nested: is the first j of k the answer for j?"""
    return lambda function: _register(function, label, "selector", nested=nested)


def registered() -> dict[str, Strategy]:
    """What has been registered so far, by name, in menu order.

    core/plugins/menu.py has all there are.
    """
    return dict(_registry)


def put(entry: Strategy) -> None:
    """Register this entry, in place of the one of its name."""
    _registry[entry.name] = entry


def all_or_nothing() -> AbstractContextManager[dict[str, Strategy]]:
    """Inside, what is registered stays only if nothing fails. Hands out what there was before."""
    return kept_whole(_registry)


@contextmanager
def kept_whole(registry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Inside, entries of the registry stay only if nothing fails. Hands out a copy of before."""
    before = dict(registry)
    try:
        yield before
    except BaseException:
        registry.clear()
        registry.update(before)
        raise


def find(name: str | Strategy) -> Strategy:
    """The registered strategy of this name; a UserError that lists the names otherwise."""
    if isinstance(name, Strategy):
        return name
    if name not in _registry:
        known = ", ".join(_registry) or "none: import core.strategies first"
        raise UserError(f"Strategy: found {name!r}, expected one of {known}.")
    return _registry[name]


def is_registered(entry: Strategy) -> bool:
    """Does this entry's name still mean this entry?"""
    return _registry.get(entry.name) is entry


def missing(strategy: str | Strategy, embedded: Embedded, **more: Any) -> str | None:
    """Why the strategy cannot run on this input ("needs labels"), or None if it can."""
    given = _inputs(embedded, more)
    absent = [INPUTS[name] for name in find(strategy).needs if given.get(name) is None]
    return f"needs {' and '.join(absent)}" if absent else None


def unsuited(strategy: Strategy, labeled: bool, probs: bool) -> str | None:
    """Why the strategy cannot run on a dataset without labels ("needs labels"), or None if it can:
    heads and networks learn from them.
    """
    needed = set(strategy.needs) - ({"probs"} if probs else set())
    return None if labeled or not needed & LEARNED else "needs labels"


def score(
    strategy: str | Strategy,
    embedded: Embedded,
    *,
    rng: np.random.Generator | None = None,
    inputs: Mapping | None = None,
    **knobs: Any,
) -> np.ndarray:
    """Scores (n,) float64 of a scorer, higher = picked first.

    A UserError for a selector or a missing input.
    """
    strategy = find(strategy)
    if strategy.kind != "scorer":
        raise UserError(
            f"{strategy.label} picks a batch and has no score per point. Use pick() with a"
            " budget k."
        )
    return check_scores(_call(strategy, embedded, inputs, knobs, rng), len(embedded), strategy.name)


def pick(
    strategy: str | Strategy,
    embedded: Embedded,
    k: int,
    *,
    rng: np.random.Generator | None = None,
    inputs: Mapping | None = None,
    **knobs: Any,
) -> Selection:
    """The k points that the strategy picks, never a labeled one.

    A UserError if fewer than k are unlabeled.
    """
    strategy = find(strategy)
    labeled = np.zeros(len(embedded), bool) if embedded.labeled is None else embedded.labeled
    k = check_budget(k, int((~labeled).sum()))
    if strategy.kind == "scorer":
        return top_k(score(strategy, embedded, rng=rng, inputs=inputs, **knobs), k, labeled)
    indices, gains = _call(strategy, embedded, inputs, {**knobs, "k": k}, rng)
    indices = np.asarray(indices, np.int64)
    if len(indices) != k or len(np.unique(indices)) != k or labeled[indices].any():
        again = (
            f"{len(np.unique(indices))} different points, {int(labeled[indices].sum())} of them"
            " labeled"
        )
        raise ValueError(f"{strategy.name}: expected {k} new points, but it picked {again}.")
    return Selection(indices, np.asarray(gains, np.float64), strategy.nested)


def top_k(scores: np.ndarray, k: int, labeled: np.ndarray | None = None) -> Selection:
    """The k highest scores, best first; scores equal to rounding (core/linalg/ties.py) in the order
    of the points; labeled points never.
    """
    scores = check_scores(scores, len(scores))
    allowed = np.arange(len(scores)) if labeled is None else np.flatnonzero(~labeled)
    k = check_budget(k, len(allowed))
    indices = allowed[np.argsort(-settle(scores)[allowed], kind="stable")[:k]]
    return Selection(indices, scores[indices], nested=True)


def _register(function: Callable, label: str, kind: str, nested: bool, **more: Any) -> Callable:
    parameters = inspect.signature(function).parameters
    if reason := _refused(parameters, kind):
        raise Refused(f"{function.__name__}: {reason}")
    inputs = [p for p in parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    taken = _registry.get(function.__name__)
    if taken is not None and taken.function.__module__ != function.__module__:
        raise Refused(
            f"{function.__name__}: {taken.function.__module__} has registered a strategy of this"
            " name. Rename one of them"
        )
    _registry[function.__name__] = Strategy(
        name=function.__name__,
        label=label,
        kind=kind,
        function=function,
        needs=tuple(p.name for p in inputs if p.default is p.empty),
        accepts=tuple(p.name for p in inputs),
        knobs=knobs_of(function),
        nested=nested,
        random="rng" in parameters,
        **more,
    )
    return function


def _refused(parameters: Mapping[str, inspect.Parameter], kind: str) -> str | None:
    """Why a function with these parameters cannot be a strategy."""
    inputs = [p.name for p in parameters.values() if p.kind is not p.KEYWORD_ONLY]
    if unknown := [name for name in inputs if name not in INPUTS]:
        return (
            f"unknown inputs {unknown}; an input is one of {', '.join(INPUTS)}, and a knob stands"
            " after a * with its default"
        )
    if any(p.kind is not p.POSITIONAL_OR_KEYWORD for p in parameters.values() if p.name in inputs):
        return "inputs are handed over by name; write them without a / and without stars"
    knobs = [
        p for p in parameters.values() if p.kind is p.KEYWORD_ONLY and p.name not in ("k", "rng")
    ]
    if bare := [p.name for p in knobs if p.default is p.empty]:
        return f"found no default for {', '.join(bare)}; every knob needs one"
    if ("k" in parameters) != (kind == "selector"):
        return (
            "a selector takes the budget k after a *"
            if kind == "selector"
            else "a scorer takes no budget k; a @selector does"
        )
    return None


def _inputs(embedded: Embedded, more: Mapping | None) -> dict[str, Any]:
    given = {name: getattr(embedded, name) for name in ("embedding", "probs", "labels", "labeled")}
    return {**given, **(more or {})}


def _call(
    strategy: Strategy,
    embedded: Embedded,
    inputs: Mapping | None,
    knobs: Mapping,
    rng: np.random.Generator | None,
) -> Any:
    given = _inputs(embedded, inputs)
    reason = missing(strategy, embedded, **(inputs or {}))
    if reason:
        raise UserError(f"{strategy.label} {reason}.")
    arguments = {name: given[name] for name in strategy.accepts if given.get(name) is not None}
    if strategy.random:
        knobs = {**knobs, "rng": rng if rng is not None else np.random.default_rng(0)}
    return strategy.function(**arguments, **knobs)
