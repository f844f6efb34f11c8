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

Some points may have no label yet (-1), and some classes no training point. Points without a label
are embedded and ranked with the others; nothing is fitted to them, and a strategy that reads each
point's own label has no score for them (NaN; core/strategy.py: `scores_unlabeled`). A class without
a training point cannot be learned: a head knows the other classes, its probability is 0, and its
points judge nobody.
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
from core.data.learnable import named
from core.models import ensembles, training_record
from core.runtime import progress
from core.strategy import Strategy
from core.types import Bools, Embedded, Floats, Head, Ints, UserError

HEAD_L2 = 1e-3
PER_POINT = ("record", "member_probs")  # inputs (m, n, c)


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
    """Points under one embedding, with their labels, -1 where unknown. test: (n,), rows of a
    published test part.

    name: of the dataset, class_names: of the classes, for messages.
    """

    points: Embedded
    test: Bools
    classes: int
    name: str
    class_names: tuple[str, ...] = ()

    @cached_property
    def labels(self) -> Ints:
        """(n,), -1 where unknown. A UserError if no point has one."""
        labels = self.points.labels
        if labels is None or not (labels >= 0).any():
            raise UserError(
                f"{self.name} has no labels, so nothing can be fitted to it. Choose a strategy that"
                " needs none."
            )
        return labels

    @cached_property
    def unlabeled(self) -> int:
        """How many points have no label, where others have."""
        labels = self.points.labels
        return 0 if labels is None else int((labels < 0).sum())

    @cached_property
    def training_rows(self) -> Ints:
        """The labeled points outside the test part. A UserError if there are none."""
        rows = np.flatnonzero(~self.test & (self.labels >= 0))
        if len(rows) == 0:
            raise UserError(
                f"{self.name}: found no label among {int((~self.test).sum()):,} training points, so"
                " nothing can be fitted. Label some of them, or choose a strategy that needs no"
                " labels."
            )
        return rows

    @cached_property
    def folds(self) -> tuple[Fold, Fold]:
        """Every labeled point is scored in one of the two.

        A UserError for too few of them.
        """
        _ = self.training_rows  # refuses with the plainer sentence where there are none
        train, validation = splits.parts(self.labels, self.test, self.name)
        again, drawn = splits.swapped(self.labels, train, validation)
        return self._fold(train, validation, train), self._fold(again, drawn, validation)

    def _fold(self, train: Ints, validation: Ints, scored: Ints) -> Fold:
        """A fold in which only points of classes that are trained on validate."""
        judges = validation[np.isin(self.labels[validation], self.labels[train])]
        if len(judges) == 0:
            raise UserError(
                f"{self.name}: found no point to validate of a class that is trained on. Label more"
                " points of the same classes."
            )
        return Fold(train, judges, scored)

    def without_rare_classes(self, fold: Fold, least: int) -> Fold:
        """The fold with the classes alone that have at least so many points in its training set."""
        counts = np.bincount(self.labels[fold.train], minlength=self.classes)
        rare = np.flatnonzero(counts < least)
        train, validation, scored = (
            rows[~np.isin(self.labels[rows], rare)]
            for rows in (fold.train, fold.validation, fold.scored)
        )
        if len(train) == len(fold.train):
            return fold
        if len(train) == 0 or len(validation) == 0:
            raise UserError(
                f"{self.name}: found no class with {least} training points of which others judge."
                " Label more points of the same classes, or choose another strategy."
            )
        return Fold(train, validation, scored)

    def among(self, rows: Ints) -> LearningProblem:
        """These rows alone; none of them counts as a test point."""
        return dataclasses.replace(
            self, points=part(self.points, rows), test=np.zeros(len(rows), bool)
        )

    def rows_of(self, fold: int | None) -> Ints:
        """The training set of the first or second fold; None: all training points."""
        return self.training_rows if fold is None else self.folds[fold].train

    def learned(self, fold: int | None = None) -> Ints:
        """The classes that have a point in the fold's training set, ascending: a head's classes."""
        return np.unique(self.labels[self.rows_of(fold)])

    def training_set(self, fold: int | None = None) -> Embedded:
        """The fold's training set; labels number the learned classes."""
        return part(renumbered(self.points, self.learned(fold)), self.rows_of(fold))

    def fit(self, fold: int | None = None) -> Head:
        """The linear head on the fold's training set, of the learned classes."""
        progress.report(None, "Fitting a linear head")
        return self.fit_on(self.training_set(fold))

    def fit_on(self, seen: Embedded) -> Head:
        """The linear head on these points. A UserError if they are of one class."""
        classes = int(seen.labels.max()) + 1
        if classes < 2:
            raise UserError(
                f"{self.name}: all {len(seen):,} labeled training points are of one class, and a"
                " head needs at least two. Label points of another class, or choose a strategy"
                " that needs no labels."
            )
        return softmax_head.fit(seen.embedding, seen.labels, l2=HEAD_L2, classes=classes)

    def probabilities(self, head: Head, fold: int | None = None) -> Floats:
        """(n, c) of all points and all classes under the fold's head."""
        found = softmax_head.probabilities(self.points.embedding, head)
        return self._of_all_classes(found, self.learned(fold))

    def record(self) -> Floats:
        """The record (t, n, c) of a network trained on the points, with progress."""
        points = dataclasses.replace(self.points, labels=self.labels)
        return training_record.train(points, classes=self.classes, progress=_step_done)

    def member_probs(self) -> Floats:
        """Probabilities (m, n, c) under heads on bootstrap samples, with progress."""
        learned = self.learned()
        found = ensembles.from_heads(
            renumbered(self.points, learned),
            self.training_rows,
            classes=len(learned),
            l2=HEAD_L2,
            rng=np.random.default_rng(0),
            progress=_head_done,
        )
        return self._of_all_classes(found, learned)

    def _of_all_classes(self, probs: Floats, learned: Ints) -> Floats:
        """Probabilities (..., n, c) out of those of the learned classes: the others have 0."""
        if probs.shape[-1] == self.classes:
            return probs
        result = np.zeros((*probs.shape[:-1], self.classes))
        result[..., learned] = probs
        return result


def renumbered(points: Embedded, learned: Ints) -> Embedded:
    """The points with labels that count these classes (ascending) from 0; others have none."""
    labels = np.full(len(points), -1)
    known = np.isin(points.labels, learned)
    labels[known] = np.searchsorted(learned, points.labels[known])
    return dataclasses.replace(points, labels=labels)


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
        probs = problem.probabilities(inputs["head"])
        points = dataclasses.replace(points, probs=probs)
    if "head" in wanted:
        points = _seen_by(inputs["head"], points, problem)
    if "member_probs" in wanted:
        inputs["member_probs"] = problem.member_probs()
    if "record" in wanted:
        inputs["record"] = (recorded or problem.record)()
    return points, inputs


def _seen_by(head: Head, points: Embedded, problem: LearningProblem) -> Embedded:
    """Labels, probabilities and marks that fit this head: of its classes, labeled as far as it was
    fitted on them.
    """
    if points.labeled is not None:
        labeled = np.zeros(len(points), bool)
        labeled[problem.training_rows] = True
        points = dataclasses.replace(points, labeled=labeled)
    if len(head.weights) == problem.classes:
        return points
    learned = problem.learned()
    points = renumbered(points, learned)
    return (
        points
        if problem.points.probs is not None
        else dataclasses.replace(points, probs=points.probs[:, learned])
    )


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
    if points.labels is None or chosen.scores_unlabeled(settings) or (points.labels >= 0).all():
        return strategy.score(chosen, points, inputs=inputs, **settings)
    rows = np.flatnonzero(points.labels >= 0)
    inputs |= {name: inputs[name][:, rows] for name in PER_POINT if name in inputs}
    values = np.full(len(points), np.nan)
    values[rows] = strategy.score(chosen, part(points, rows), inputs=inputs, **settings)
    return values


def _scores_in_folds(
    chosen: Strategy, problem: LearningProblem, fit: Callable[[int], Head], **settings: Any
) -> Floats:
    """Each fold's scores under its own validation set, put together."""
    values = np.full(len(problem.points), np.nan)
    for number, whole in enumerate(problem.folds):
        fold = problem.without_rare_classes(whole, chosen.least)
        everyone = renumbered(problem.points, np.unique(problem.labels[fold.train]))
        points = part(everyone, fold.train)
        inputs: dict[str, Any] = {"validation": part(everyone, fold.validation)}
        if "head" in chosen.accepts:
            inputs["head"] = fit(number) if fold is whole else problem.fit_on(points)
            points = inputs["head"].fitted_on
        progress.report(None, f"Scoring {len(fold.scored):,} points")
        found = strategy.score(chosen, points, inputs=inputs, **settings)
        values[fold.scored] = found[np.searchsorted(fold.train, fold.scored)]
        if number == 0 and problem.unlabeled and chosen.scores_unlabeled(settings):
            rows = np.flatnonzero(problem.labels < 0)
            others = part(everyone, rows)
            values[rows] = strategy.score(chosen, others, inputs=inputs, **settings)
    return values


def explained(chosen: Strategy, problem: LearningProblem, **settings: Any) -> str:
    """How these inputs came about, in a few sentences for the screen; "" where there is nothing to
    say. settings: as for `scores`.
    """
    sentences = [_made(chosen, problem)]
    if problem.unlabeled and problem.unlabeled < len(problem.points):
        sentences.append(_unlabeled_explained(chosen, problem, settings))
    if _fits_heads(chosen, problem):
        sentences.append(_unlearned(problem))
    if "validation" in chosen.accepts:
        sentences += [_alone(problem), _rare(chosen, problem)]
    return " ".join(filter(None, sentences))


def _made(chosen: Strategy, problem: LearningProblem) -> str:
    if "validation" in chosen.accepts:
        return _explained_folds(problem)
    if "member_probs" in chosen.accepts:
        return (
            f"The opinions: {ensembles.HEADS} linear heads, each fitted to a bootstrap sample of"
            f" the {len(problem.training_rows):,} training points."
        )
    if "record" in chosen.accepts:
        labeled = problem.labels >= 0
        which = "labeled points" if problem.unlabeled else "points"
        also = ", test points included" if problem.test[labeled].any() else ""
        return (
            f"The record: {training_record.PASSES} passes of a small network (MLP) over all"
            f" {int(labeled.sum()):,} {which}{also}."
        )
    given = "probs" in chosen.accepts and problem.points.probs is not None
    return "The probabilities are those that came with the points." if given else ""


def _fits_heads(chosen: Strategy, problem: LearningProblem) -> bool:
    wanted = {"head", "member_probs", "validation"} & set(chosen.accepts)
    return bool(wanted) or ("probs" in chosen.accepts and problem.points.probs is None)


def _unlabeled_explained(chosen: Strategy, problem: LearningProblem, settings: Any) -> str:
    """What becomes of the points without a label; "" where labels play no part."""
    n = len(problem.points)
    found = f"{problem.unlabeled:,} of {n:,} points have no label"
    if not chosen.scores_unlabeled(settings):
        return (
            f"{found}: {chosen.label} reads each point's own label, so it has no score for them,"
            " and they rank last."
        )
    if _fits_heads(chosen, problem):
        return f"{found}: what is fitted learns from the others, and they are scored like these."
    return ""


def _unlearned(problem: LearningProblem) -> str:
    """Which classes no head can learn; "" if all can be learned."""
    labels = problem.labels
    there = np.bincount(labels[labels >= 0], minlength=problem.classes)
    training = np.bincount(labels[problem.training_rows], minlength=problem.classes)
    absent = np.flatnonzero((training == 0) & (there > 0))
    if len(absent) == 0:
        return ""
    has = "has" if len(absent) == 1 else "have"
    return f"{_named(problem, absent)} {has} no training point: no head can learn {_it(absent)}."


def _alone(problem: LearningProblem) -> str:
    """Which classes have one labeled point, which then judges nobody; "" if none has."""
    labels = problem.labels
    alone = np.flatnonzero(np.bincount(labels[labels >= 0], minlength=problem.classes) == 1)
    if len(alone) == 0:
        return ""
    has = "has" if len(alone) == 1 else "have"
    return f"{_named(problem, alone)} {has} one labeled point, which judges nobody."


def _rare(chosen: Strategy, problem: LearningProblem) -> str:
    """Which classes are too small for a strategy that needs more than a point of each."""
    sizes = [np.bincount(problem.labels[f.train], minlength=problem.classes) for f in problem.folds]
    rare = np.flatnonzero(((np.array(sizes) > 0) & (np.array(sizes) < chosen.least)).any(axis=0))
    if len(rare) == 0:
        return ""
    has = "has" if len(rare) == 1 else "have"
    return (
        f"{_named(problem, rare)} {has} fewer than {chosen.least} training points when"
        f" {_it(rare)} would be scored: {chosen.label} leaves {_it(rare)} out, and points without a"
        " score rank last."
    )


def _named(problem: LearningProblem, classes: Ints) -> str:
    return named(problem.class_names, classes)


def _it(classes: Ints) -> str:
    return "it" if len(classes) == 1 else "them"


def _explained_folds(problem: LearningProblem) -> str:
    first, second = problem.folds
    count = f"{len(first.validation):,}"
    published = problem.test[first.validation].any()
    labeled = f"{'labeled ' if problem.unlabeled else ''}test points"
    those = len(second.scored)
    which = f"the {count}" if len(first.validation) == those else f"{count} of the {those:,}"
    who = f"{which} {labeled}" if published else f"{count} points, a fifth of each class,"
    whom = f"the {labeled}" if published else f"the first {count}"
    return (
        f"Validation: {who} judge the other {len(first.train):,}, which are the training set."
        f" In a second sitting {len(second.validation):,} of those, drawn class by class, judge"
        f" {whom}. No point judges itself."
    )


def _head_done(done: int, total: int) -> None:
    progress.advance(done / total, f"Fitting linear heads, {done} of {total}")


def _step_done(step: int, steps: int, loss: float) -> None:
    progress.advance(step / steps, f"Training a network, step {step:,} of {steps:,}")
