"""What does a strategy take beside the embedding and its labels? Heads, a validation set, several
opinions, a training record.

    scores(chosen, scene, rng=..., **knobs) -> (n,)

A scene is all there is: nothing here looks beyond its points. Who plays which part:
    head, probs    fitted on the training points; scores all of them. Probabilities that came with
                   the points are used as they are
    validation     the published test part, or a class-stratified fifth where there is none, judges
                   all other points: they are the training
                   set, the head is fitted on them, with an l2. No point may judge itself, and one
                   that is not trained on has no influence. So there is a second sitting for those
                   who judged: as many of the others judge, the rest is the training set
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
from core.linalg.probabilities import check_labels
from core.models import ensembles, training_record
from core.runtime import progress
from core.strategy import Strategy
from core.types import Bools, Embedded, Floats, Head, Ints, UserError

HEAD_L2 = 1e-3


@dataclass(frozen=True, eq=False)
class Sitting:
    """learn: rows of the training set. judge: rows of the validation set.

    scored: those rows of `learn` whose scores count.
    """

    learn: Ints
    judge: Ints
    scored: Ints


@dataclass(frozen=True, eq=False)
class Scene:
    """Points under one embedding, with their labels. test: (n,), rows of a published test part.

    name: of the dataset, for messages.
    """

    points: Embedded
    test: Bools
    classes: int
    name: str

    @cached_property
    def known(self) -> Ints:
        """The labeled points outside the test part."""
        if self.points.labels is None:
            raise UserError(
                f"{self.name} has no labels, so nothing can be fitted to it. Choose a strategy that"
                " needs none."
            )
        return np.flatnonzero(~self.test & (self.points.labels >= 0))

    @cached_property
    def sittings(self) -> tuple[Sitting, Sitting]:
        """Every point is scored in one of the two.

        A UserError for points without a label, or too few.
        """
        labels = check_labels(self.points.labels, len(self.points))
        learn, judge = splits.parts(labels, self.test, self.name)
        return Sitting(learn, judge, learn), Sitting(*splits.swapped(labels, learn, judge), judge)

    def among(self, rows: Ints) -> Scene:
        """These rows alone; none of them counts as a test point."""
        return dataclasses.replace(
            self, points=taken(self.points, rows), test=np.zeros(len(rows), bool)
        )

    def learners(self, sitting: int | None = None) -> Ints:
        """The training set of the first or second sitting, or all training points."""
        return self.known if sitting is None else self.sittings[sitting].learn

    def fit(self, sitting: int | None = None) -> Head:
        """The linear head on the sitting's training set.

        A UserError if a class has no point there.
        """
        progress.report(None, "Fitting a linear head")
        seen = taken(self.points, self.learners(sitting))
        return softmax_head.fit(seen.embedding, seen.labels, l2=HEAD_L2, classes=self.classes)

    def record(self) -> Floats:
        """The record (t, n, c) of a network trained on the points, with progress."""
        return training_record.train(self.points, classes=self.classes, progress=_step_done)

    def opinions(self) -> Floats:
        """Probabilities (m, n, c) under heads on bootstrap samples, with progress."""
        how = {
            "classes": self.classes,
            "l2": HEAD_L2,
            "rng": np.random.default_rng(0),
            "progress": _head_done,
        }
        return ensembles.from_heads(self.points, self.known, **how)


def taken(points: Embedded, rows: Ints) -> Embedded:
    """These rows of the points."""
    fields = {name: getattr(points, name) for name in ("embedding", "probs", "labels", "labeled")}
    return Embedded(
        **{name: None if array is None else array[rows] for name, array in fields.items()}
    )


def make(
    scene: Scene,
    wanted: Set[str],
    fit: Callable[[], Head] | None = None,
    recorded: Callable[[], Floats] | None = None,
) -> tuple[Embedded, dict[str, Any]]:
    """The scene's points, with probabilities if they are wanted, and the other inputs by name; all
    but a validation set.

    fit, recorded: where a head and a record come from, by default from the scene now. Probabilities
    that came with the points stay.
    """
    points = scene.points
    made = {}
    given = scene.points.probs is not None
    if "head" in wanted or ("probs" in wanted and not given):
        made["head"] = (fit or scene.fit)()
    if made and not given:
        points = dataclasses.replace(
            points, probs=softmax_head.probabilities(points.embedding, made["head"])
        )
    if "member_probs" in wanted:
        made["member_probs"] = scene.opinions()
    if "record" in wanted:
        made["record"] = (recorded or scene.record)()
    return points, made


def scores(
    chosen: Strategy,
    scene: Scene,
    fit: Callable[[int | None], Head] | None = None,
    recorded: Callable[[], Floats] | None = None,
    **how: Any,
) -> Floats:
    """The strategy's scores (n,) of all points, its inputs made as they are needed.

    how: rng and knobs. fit, recorded: as for `make`.
    """
    fit = fit or scene.fit
    wanted = set(chosen.accepts)
    if "validation" not in wanted:
        points, made = make(scene, wanted, lambda: fit(None), recorded)
        progress.report(None, f"Scoring {len(points):,} points")
        return strategy.score(chosen, points, inputs=made, **how)
    values = np.zeros(len(scene.points))
    for number, sitting in enumerate(scene.sittings):
        made = {"head": fit(number)} if "head" in wanted else {}
        points = made["head"].fitted_on if made else taken(scene.points, sitting.learn)
        progress.report(None, f"Scoring {len(sitting.scored):,} points")
        found = strategy.score(
            chosen, points, inputs=made | {"validation": taken(scene.points, sitting.judge)}, **how
        )
        values[sitting.scored] = found[np.searchsorted(sitting.learn, sitting.scored)]
    return values


def said(chosen: Strategy, scene: Scene) -> str:
    """How these inputs came about, in a sentence or two for the screen; "" where there is nothing
    to say.
    """
    if "validation" in chosen.accepts:
        first, second = scene.sittings
        count = f"{len(first.judge):,}"
        published = scene.test.any()
        who = f"the {count} test points" if published else f"{count} points, a fifth of each class,"
        whom = "the test points" if published else f"the first {count}"
        back = (
            f"In a second sitting {len(second.judge):,} of those, drawn class by class, judge"
            f" {whom}"
        )
        return (
            f"Validation: {who} judge the other {len(first.learn):,}, which are the training set."
            f" {back}. No point judges itself."
        )
    if "member_probs" in chosen.accepts:
        return (
            f"The opinions: {ensembles.HEADS} linear heads, each fitted to a bootstrap sample of"
            f" the {len(scene.known):,} training points."
        )
    if "record" in chosen.accepts:
        labeled = int((scene.points.labels >= 0).sum())
        also = ", test points included" if scene.test.any() else ""
        return (
            f"The record: {training_record.PASSES} passes of a small network (MLP) over all {labeled:,}"
            f" points{also}."
        )
    given = "probs" in chosen.accepts and scene.points.probs is not None
    return "The probabilities are those that came with the points." if given else ""


def _head_done(done: int, total: int) -> None:
    progress.advance(done / total, f"Fitting linear heads, {done} of {total}")


def _step_done(step: int, steps: int, loss: float) -> None:
    progress.advance(step / steps, f"Training a network, step {step:,} of {steps:,}")
