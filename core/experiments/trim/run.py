"""One method, one seed, each budget b: rank by harm, remove the worst b points, fit anew, test.

    arrays, facts = run(data, method="fi", setting=TrimSettings(budgets=(10, 50)), seed=1)

Each seed draws its own training and validation points from the dataset's training part; the
validation points are what harm is measured on, and the test points are used for nothing but the
accuracy. Methods of one seed see the same points, the same planted damage and the same first model.
Every method's scores are **higher = trimmed first**.

Models: a logistic head (core/softmax_head.py) on fixed features, or a network trained from scratch.
For a network the scores belong to a logistic head fitted on its penultimate layer, as everywhere in
this program; what is fitted anew is the network. Sources: the FI paper, section 5.1 and Algorithm
3; Chhabra et al. 2024 (influence value).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from core import embeddings, softmax_head
from core.data.learnable import RARE
from core.data.splits import split
from core.experiments.trim.planted import auc, plant, precision
from core.models.network_names import NETWORKS
from core.runtime.threads import one_thread
from core.strategies.influence import influence_harm
from core.strategies.leverage import leverage
from core.strategies.local_influence import fi_util
from core.strategies.shapley import knn_shapley
from core.strategy import top_k
from core.types import Bools, Dataset, Embedded, Floats, Head, Ints, UserError

MODELS = {
    "pca": "Logistic, 50 components",
    "raw": "Logistic, raw features",
    "fourier": "Logistic, random Fourier",
}
TRAINED = ("mlp", "lenet5")
MODELS |= {name: NETWORKS[name] for name in TRAINED}
COMPONENTS = 50
FOURIER = 300
SHOWN = 24
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class TrimSettings:
    """What all methods share: points trained on and removed, the model and its penalty, damage."""

    budgets: tuple[int, ...] = (5, 10, 20)
    model: str = "raw"
    training: int = 1_000
    validation: int = 500
    l2: float = 0.01
    epochs: int = 20
    planted: str = "none"
    share: float = 0.1


@dataclass(frozen=True, eq=False)
class SeedPoints:
    """A seed's points.

    rows (n,): the training points' rows in the dataset. points, labels: the same points with the
    planted damage. A class that the draw has missed is not known to what is fitted: its test points
    count as wrong, and its points do not validate.
    """

    rows: Ints
    points: np.ndarray
    labels: Ints
    planted: Bools
    validation: Ints
    test: Ints

    @cached_property
    def known(self) -> Ints:
        """The classes of the training points, ascending."""
        return np.unique(self.labels)

    @cached_property
    def numbered(self) -> Ints:
        """The labels, as numbers of the known classes."""
        return np.searchsorted(self.known, self.labels)

    def inputs(self, train: Floats, unseen: Floats, labels: Ints, head: Head) -> MethodInputs:
        """What a method looks at: both parts' features, with the validation points' labels."""
        judges = np.isin(labels, self.known)
        validation = Embedded(unseen[judges], labels=np.searchsorted(self.known, labels[judges]))
        return MethodInputs(train, self.numbered, validation, head)


@dataclass(frozen=True, eq=False)
class MethodInputs:
    """What a method looks at: training points (n, d), labels, validation points, fitted head."""

    embedding: Floats
    labels: Ints
    validation: Embedded
    head: Head


def by_fi(seen: MethodInputs, rng: np.random.Generator) -> Floats:
    """FI-util as it is, >= 0: trimmed first is the point whose place the validation loss hangs on
    most, for better or worse.
    """
    return fi_util(seen.embedding, seen.labels, seen.validation, seen.head)


def by_influence(seen: MethodInputs, rng: np.random.Generator) -> Floats:
    """The influence value, harmful first: trimmed first is the point without which the validation
    loss would fall most.
    """
    return influence_harm(seen.embedding, seen.labels, seen.validation, seen.head)


def by_shapley(seen: MethodInputs, rng: np.random.Generator) -> Floats:
    """-KNN-Shapley (5 neighbours), sign turned: trimmed first is the point worth least to a
    nearest-neighbour vote.
    """
    return -knn_shapley(seen.embedding, seen.labels, seen.validation)


def by_leverage(seen: MethodInputs, rng: np.random.Generator) -> Floats:
    """Leverage as it is, with a column of ones: trimmed first is the point that sticks out most.

    It sees no labels, no validation set.
    """
    return leverage(softmax_head.design(seen.embedding))


def by_loss(seen: MethodInputs, rng: np.random.Generator) -> Floats:
    """-log p[y] under the head fitted with the point itself: trimmed first is what the model finds
    most surprising. No validation set.
    """
    logits = seen.embedding @ seen.head.weights.T.astype(np.float64) + seen.head.intercepts
    return -softmax_head.log_softmax(logits)[np.arange(len(logits)), seen.labels]


def by_chance(seen: MethodInputs, rng: np.random.Generator) -> Floats:
    """Uniform numbers: each point is as likely to be trimmed as any other."""
    return rng.random(len(seen.labels))


@dataclass(frozen=True)
class Method:
    """One way to say what harms. scores(seen, rng) -> (n,), higher = trimmed first."""

    label: str
    scores: Callable[[MethodInputs, np.random.Generator], Floats]

    @property
    def says(self) -> str:
        """Its direction, in a sentence."""
        return " ".join((self.scores.__doc__ or "").split())


METHODS = {
    "fi": Method("FI-util", by_fi),
    "iv": Method("Influence value", by_influence),
    "shapley": Method("KNN-Shapley", by_shapley),
    "leverage": Method("Leverage", by_leverage),
    "loss": Method("Loss", by_loss),
    "random": Method("Random", by_chance),
}


def draw_points(data: Dataset, setting: TrimSettings, seed: int) -> SeedPoints:
    """The points of a seed, damaged as the setting says.

    A UserError if the training part is too small, or a class that is not rare has no point in it.
    """
    pool, test = split(data)
    wanted = setting.training + setting.validation
    if wanted > len(pool):
        found = f"{setting.training:,} training and {setting.validation:,} validation points"
        raise UserError(
            f"Trimming: found {found}, but the training part has {len(pool):,}."
            " Choose fewer of either."
        )
    drawn = np.random.default_rng([seed, 3]).permutation(pool)[:wanted]
    rows = np.sort(drawn[: setting.training])
    validation = np.sort(drawn[setting.training :])
    how = {
        "share": setting.share,
        "classes": len(data.class_names),
        "rng": np.random.default_rng([seed, 5]),
    }
    points, labels, planted = plant(setting.planted, data.points[rows], data.labels[rows], **how)
    sizes = np.bincount(data.labels[pool], minlength=len(data.class_names))
    absent = np.flatnonzero((np.bincount(labels, minlength=len(sizes)) == 0) & (sizes >= RARE))
    if len(absent):
        missed = ", ".join(data.class_names[c] for c in absent[:5])
        raise UserError(
            f"Trimming: seed {seed} draws no training point of class {missed}, and a head needs one"
            " of each. Choose more training points."
        )
    known = np.unique(labels)
    if len(known) < 2 or not np.isin(data.labels[validation], known).any():
        raise UserError(
            f"Trimming: seed {seed} draws training points of {len(known)} of {len(sizes)} classes,"
            " expected at least two, and a validation point of one of them. Choose more points."
        )
    return SeedPoints(rows, points, labels, planted, validation, test)


def run(
    data: Dataset, method: str, setting: TrimSettings, seed: int, progress: Progress | None = None
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """One method with one seed at all budgets.

    Arrays: accuracy (b + 1,) on the test points, first with nothing removed; removed (b, c) points
    of each class (as labelled); auc () and precision (b,) of finding what is planted, NaN if
    nothing is; first (at most 24,) places in the seed's training points of those trimmed first, and
    their scores. UserError: as for the methods, and for a budget that leaves no training point.
    """
    said = progress or (lambda fraction, text: None)
    given = draw_points(data, setting, seed)
    check_budgets(setting)
    with one_thread():
        model = (_Network if setting.model in TRAINED else _Logistic)(data, given, setting, seed)
        everyone = np.arange(len(given.rows))
        accuracy = [model.fit(everyone)]
        steps = len(setting.budgets) + 2
        said(1 / steps, f"Scoring by {METHODS[method].label}")
        scores = METHODS[method].scores(model.inputs(), np.random.default_rng([seed, 7]))
        order = top_k(scores, max(setting.budgets)).indices
        for i, b in enumerate(setting.budgets):
            said((2 + i) / steps, f"Without {b:,} points")
            accuracy.append(model.fit(np.setdiff1d(everyone, order[:b])))
    removed = [
        np.bincount(given.labels[order[:b]], minlength=len(data.class_names))
        for b in setting.budgets
    ]
    arrays = {
        "accuracy": np.array(accuracy),
        "removed": np.array(removed),
        "auc": np.float64(auc(scores, given.planted)),
        "precision": precision(scores, given.planted, setting.budgets),
        "first": order[:SHOWN],
        "score": scores[order[:SHOWN]],
    }
    return arrays, {"method": method, "seed": seed}


def operations(method: str, setting: TrimSettings, d: int, classes: int) -> float:
    """About how many floating-point operations a run takes on points of d numbers.

    To compare runs by: right within a factor of a few.
    """
    n = setting.training
    width = _width(setting, d)
    weights = parameters(setting, d, classes)
    fit = 6e5 * n * setting.epochs if setting.model in TRAINED else 250.0 * n * width * classes
    features = 10.0 * n * d * min(n, d) if setting.model == "pca" else 0.0
    scoring = {
        "fi": weights**2 * (3.0 * n + weights),
        "iv": weights**2 * n,
        "leverage": 4.0 * n * width**2,
    }
    scoring["shapley"] = setting.validation * n * (2.0 * width + 100)
    return features + (1 + len(setting.budgets)) * fit + scoring.get(method, 0.0)


def parameters(setting: TrimSettings, d: int, classes: int) -> int:
    """Of the head that FI and the influence value look at, on points of d numbers."""
    return (classes - 1) * _width(setting, d)


def _width(setting: TrimSettings, d: int) -> int:
    return {"pca": min(COMPONENTS, d), "fourier": FOURIER, "raw": d}.get(setting.model, 128) + 1


def check_budgets(setting: TrimSettings) -> None:
    """A UserError if a budget would leave nothing to train on."""
    if max(setting.budgets) >= setting.training:
        raise UserError(
            f"Budgets: found {max(setting.budgets):,} points to remove of {setting.training:,}."
            " Leave some: choose smaller budgets."
        )


class _Logistic:
    """A logistic head on features that are fixed once and for all."""

    def __init__(self, data: Dataset, given: SeedPoints, setting: TrimSettings, seed: int):
        self.given = given
        self.l2 = setting.l2
        self.theta = None
        parts = [given.points, data.points[given.validation], data.points[given.test]]
        self.train, self.unseen, self.test = _features(data, parts, setting.model, seed)
        self.validation_labels = data.labels[given.validation]
        self.test_labels = data.labels[given.test]

    def fit(self, kept: Ints) -> float:
        """The test accuracy of the head on these points.

        A class of which all points are gone is never predicted.
        """
        present, labels = np.unique(self.given.numbered[kept], return_inverse=True)
        classes = self.given.known[present]
        if len(present) == 1:
            return float((self.test_labels == classes[0]).mean())
        start = None if self.theta is None else self.theta[present]
        self.head = softmax_head.fit(self.train[kept], labels, l2=self.l2, start=start)
        if self.theta is None:
            self.theta = np.column_stack([self.head.weights, self.head.intercepts])
        probs = softmax_head.probabilities(self.test, self.head)
        return float((classes[probs.argmax(axis=1)] == self.test_labels).mean())

    def inputs(self) -> MethodInputs:
        """What a method looks at, after the first fit."""
        return self.given.inputs(self.train, self.unseen, self.validation_labels, self.head)


class _Network:
    """A network trained from scratch each time, always from the seed's weights."""

    def __init__(self, data: Dataset, given: SeedPoints, setting: TrimSettings, seed: int):
        self.data = data
        self.given = given
        self.setting = setting
        self.seed = seed

    def fit(self, kept: Ints) -> float:
        """The test accuracy of a network trained on these points."""
        from core.models import evaluation, networks, training
        from core.models.own_columns import scaling

        data = self.data
        given = self.given
        self.network = networks.build(
            self.setting.model,
            classes=len(data.class_names),
            shape=data.shape,
            seed=self.seed,
            **scaling(data.name, given.points),
        )
        training.train(
            self.network,
            given.points[kept],
            given.labels[kept],
            seed=self.seed,
            epochs=self.setting.epochs,
        )
        test = (data.points[given.test], data.labels[given.test])
        return evaluation.evaluate(self.network, *test).accuracy

    def inputs(self) -> MethodInputs:
        """The penultimate layer after the first training, with a head fitted on it."""
        from core.models import evaluation

        train, unseen = (
            evaluation.embed(self.network, points)
            for points in (self.given.points, self.data.points[self.given.validation])
        )
        head = softmax_head.fit(train, self.given.numbered, l2=self.setting.l2)
        return self.given.inputs(train, unseen, self.data.labels[self.given.validation], head)


def _features(data: Dataset, parts: Sequence[np.ndarray], model: str, seed: int) -> list[Floats]:
    """Each part, the training points first, through the model's features.

    What they learn, they learn from the training points alone.
    """
    points = np.concatenate(parts)
    everything = Dataset(
        data.name,
        points,
        np.zeros(len(points), np.int64),
        data.class_names,
        np.zeros(len(points), bool),
    )
    raw = embeddings.embed(everything, "raw").embedding
    n = len(parts[0])
    if model == "pca":
        mean = raw[:n].mean(axis=0, dtype=np.float64)
        _, _, directions = np.linalg.svd(raw[:n] - mean, full_matrices=False)
        raw = (raw - mean) @ directions[:COMPONENTS].T
    elif model == "fourier":
        a, b = np.random.default_rng(seed).integers(n, size=(2, 1000))
        bandwidth = float(np.median(np.linalg.norm(raw[a] - raw[b], axis=1))) or 1.0
        raw = embeddings.embed(
            everything, "random_fourier", seed=seed, k=FOURIER, bandwidth=bandwidth
        ).embedding
    return np.split(raw, np.cumsum([len(part) for part in parts])[:-1])
