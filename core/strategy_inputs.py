"""What does a strategy take beside the embedding and its labels? Heads, a validation set, several
opinions, a training record.

    scores(chosen, problem, rng=..., **knobs) -> (n,)

A learning problem is all there is: nothing here looks beyond its points. Which part do they play?
    head, probs    fitted on the training points; scores all of them. Probabilities that came with
                   the points are used as they are
    validation     the published test part, or a class-stratified fifth where there is none,
                   validates all other points: they are the training set, the head is fitted on
                   them, with an l2. No point may judge itself, and one that is not trained on has
                   no influence. So there is a second fold for those that validated: as many of the
                   others validate, the rest is the training set
    member_probs   linear heads on bootstrap samples of the training points
    record         a network trained on every labeled point, so that each is one that can be
                   forgotten
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from core import softmax_head, strategy
from core.data import splits
from core.linalg.probabilities import check_labeled
from core.models import ensembles, training_record
from core.runtime import progress
from core.strategy import Strategy
from core.types import Bools, Embedded, Floats, Head, Ints, UserError

HEAD_L2 = 1e-3


@dataclass(frozen=True, eq=False)
class Fold:
    """train, validation: rows of the training and the validation set.

    scored: those rows of `train` whose scores count.
    """

    train: Ints
    validation: Ints
    scored: Ints


@dataclass(frozen=True, eq=False)
class LearningProblem:
    """Points under one embedding, with their labels. test: (n,), rows of a published test part.

    name: of the dataset, for messages.
    """

    points: Embedded
    test: Bools
    classes: int
    name: str

    @cached_property
    def training_rows(self) -> Ints:
        """The labeled points outside the test part."""
        if self.points.labels is None:
            raise UserError(
                f"{self.name} has no labels, so nothing can be fitted to it. Choose a strategy that"
                " needs none."
            )
        return np.flatnonzero(~self.test & (self.points.labels >= 0))

    @cached_property
    def folds(self) -> tuple[Fold, Fold]:
        """Every point is scored in one of the two.

        A UserError for points without a label, or too few.
        """
        labels = check_labeled(self.points.labels, len(self.points))
        train, validation = splits.parts(labels, self.test, self.name)
        swapped = splits.swapped(labels, train, validation)
        return Fold(train, validation, scored=train), Fold(*swapped, scored=validation)

    def among(self, rows: Ints) -> LearningProblem:
        """These rows alone; none of them counts as a test point."""
        return dataclasses.replace(
            self, points=part(self.points, rows), test=np.zeros(len(rows), bool)
        )

    def rows_of(self, fold: int | None) -> Ints:
        """The training set of the first or second fold; None: all training points."""
        return self.training_rows if fold is None else self.folds[fold].train

    def fit(self, fold: int | None = None) -> Head:
        """The linear head on the fold's training set.

        A UserError if a class has no point there.
        """
        progress.report(None, "Fitting a linear head")
        seen = part(self.points, self.rows_of(fold))
        return softmax_head.fit(seen.embedding, seen.labels, l2=HEAD_L2, classes=self.classes)

    def record(self) -> Floats:
        """The record (t, n, c) of a network trained on the points, with progress."""
        return training_record.train(self.points, classes=self.classes, progress=_step_done)

    def member_probs(self) -> Floats:
        """Probabilities (m, n, c) under heads on bootstrap samples, with progress."""
        return ensembles.from_heads(
            self.points,
            self.training_rows,
            classes=self.classes,
            l2=HEAD_L2,
            rng=np.random.default_rng(0),
            progress=_head_done,
        )


def part(points: Embedded, rows: Ints) -> Embedded:
    """These rows of the points."""
    fields = {name: getattr(points, name) for name in ("embedding", "probs", "labels", "labeled")}
    return Embedded(
        **{name: None if array is None else array[rows] for name, array in fields.items()}
    )


def whole_inputs(
    problem: LearningProblem,
    wanted: Set[str],
    fit: Callable[[], Head] | None = None,
    recorded: Callable[[], Floats] | None = None,
) -> tuple[Embedded, dict[str, Any]]:
    """The problem's points, with probabilities if they are wanted, and the other inputs by name;
    all but a validation set.

    fit, recorded: where a head and a record come from, by default from the problem now.
    Probabilities that came with the points stay.
    """
    points = problem.points
    inputs = {}
    given = points.probs is not None
    if "head" in wanted or ("probs" in wanted and not given):
        inputs["head"] = (fit or problem.fit)()
    if inputs and not given:
        probs = softmax_head.probabilities(points.embedding, inputs["head"])
        points = dataclasses.replace(points, probs=probs)
    if "member_probs" in wanted:
        inputs["member_probs"] = problem.member_probs()
    if "record" in wanted:
        inputs["record"] = (recorded or problem.record)()
    return points, inputs


def scores(
    chosen: Strategy,
    problem: LearningProblem,
    fit: Callable[[int | None], Head] | None = None,
    recorded: Callable[[], Floats] | None = None,
    **settings: Any,
) -> Floats:
    """The strategy's scores (n,) of all points, its inputs made as they are needed.

    settings: rng and knobs. fit, recorded: as for `whole_inputs`; fit is told which fold's training
    set, or None for all training points.
    """
    fit = fit or problem.fit
    wanted = set(chosen.accepts)
    if "validation" in wanted:
        return _scores_in_folds(chosen, problem, fit, **settings)
    points, inputs = whole_inputs(problem, wanted, lambda: fit(None), recorded)
    progress.report(None, f"Scoring {len(points):,} points")
    return strategy.score(chosen, points, inputs=inputs, **settings)


def _scores_in_folds(
    chosen: Strategy, problem: LearningProblem, fit: Callable[[int], Head], **settings: Any
) -> Floats:
    """Each fold's scores under its own validation set, put together."""
    values = np.zeros(len(problem.points))
    for number, fold in enumerate(problem.folds):
        inputs: dict[str, Any] = {"validation": part(problem.points, fold.validation)}
        if "head" in chosen.accepts:
            inputs["head"] = fit(number)
            points = inputs["head"].fitted_on
        else:
            points = part(problem.points, fold.train)
        progress.report(None, f"Scoring {len(fold.scored):,} points")
        found = strategy.score(chosen, points, inputs=inputs, **settings)
        values[fold.scored] = found[np.searchsorted(fold.train, fold.scored)]
    return values


def explained(chosen: Strategy, problem: LearningProblem) -> str:
    """How these inputs came about, in a sentence or two for the screen; "" where there is nothing
    to say.
    """
    if "validation" in chosen.accepts:
        return _explained_folds(problem)
    if "member_probs" in chosen.accepts:
        return (
            f"The opinions: {ensembles.HEADS} linear heads, each fitted to a bootstrap sample of"
            f" the {len(problem.training_rows):,} training points."
        )
    if "record" in chosen.accepts:
        labeled = int((problem.points.labels >= 0).sum())
        also = ", test points included" if problem.test.any() else ""
        return (
            f"The record: {training_record.PASSES} passes of a small network (MLP) over all"
            f" {labeled:,} points{also}."
        )
    given = "probs" in chosen.accepts and problem.points.probs is not None
    return "The probabilities are those that came with the points." if given else ""


def _explained_folds(problem: LearningProblem) -> str:
    first, second = problem.folds
    count = f"{len(first.validation):,}"
    published = problem.test.any()
    who = f"the {count} test points" if published else f"{count} points, a fifth of each class,"
    whom = "the test points" if published else f"the first {count}"
    return (
        f"Validation: {who} judge the other {len(first.train):,}, which are the training set."
        f" In a second sitting {len(second.validation):,} of those, drawn class by class, judge"
        f" {whom}. No point judges itself."
    )


def _head_done(done: int, total: int) -> None:
    progress.advance(done / total, f"Fitting linear heads, {done} of {total}")


def _step_done(step: int, steps: int, loss: float) -> None:
    progress.advance(step / steps, f"Training a network, step {step:,} of {steps:,}")
