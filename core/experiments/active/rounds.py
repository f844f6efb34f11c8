"""Active learning in rounds: train on what is labeled, pick a batch, ask for its labels, again.

    arrays, facts = run(data, "badge", {}, RoundSettings(batch=100, rounds=19, start=100), seed=1)

As in the BADGE and BAIT papers: `start` random points are labeled first (the same for every
strategy of one seed), each round trains a fresh network by Adam in batches of 64 until it has 99%
of its training points right, and the batch is picked from the rest of the pool with the trained
network's penultimate layer as the embedding. Ours: a cap on the optimizer's steps, so that a
network that never gets there ends too, and each round says whether it got there
(core/experiments/active/round_training.py); optionally a random part of the training points as the
pool, so that rounds stay short; and on tables the learning rate of images, 1e-3, where BADGE has
1e-4: on letter it needs a ninth of the passes to the same accuracy (100 labels: 0.419 and 0.423 on
test points).

No strategy sees the label of a point of the pool that was not asked for: the labels it is given are
the true ones where they are known and the network's predictions elsewhere, as in BADGE and in FI's
rule for unlabeled points. Strategies that judge by a validation set get up to 500 labeled points
that are never in the pool; these are not counted among the labels. Several opinions on a point come
from a network's dropout, left on, or for one without dropout from an ensemble. ALBL is told after
each round how well its picks are predicted (core/experiments/active/bandit.py).

Three streams of random numbers per seed: the pool and the first labels, the picks, the networks.
Runs on one CPU thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from core import strategy as registry
from core.data.splits import split
from core.experiments.active import round_training
from core.experiments.active.bandit import Arms
from core.experiments.active.round_training import STEPS, StopRule, Training
from core.runtime.threads import one_thread
from core.types import Bools, Dataset, Embedded, Floats, Head, Ints, UserError

MEMBERS = 4  # networks of an ensemble, for strategies that ask for several opinions
# For strategies that need a Hessian: an unpenalised head that separates its points has none.
HEAD_L2 = 1e-3
Progress = Callable[[float, str], None]
GIVEN = ("embedding", "probs", "labels", "labeled", "head", "validation", "member_probs", "images")
OF_CLASSES = ("probs", "labels", "head", "validation", "member_probs")
FOLDS = 2  # in which the points that ALBL asked for are predicted without their own labels
HELD_BACK = 500  # labeled points that are never in the pool, for those that need a validation set


@dataclass(frozen=True)
class RoundSettings:
    """What all strategies of one comparison share.

    until: "accuracy" (99% of the labeled points are right or, in a regression, of the variance of
    their targets is explained; or so many steps of the optimizer) or "epochs" (exactly so many).
    """

    network: str = "mlp"
    batch: int = 100
    rounds: int = 19
    start: int = 100
    until: str = "accuracy"
    epochs: int = 100
    steps: int = STEPS
    task: str = "classification"
    pool: int | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """What decides a run: without the bound that plays no part."""
        idle = "epochs" if self.until == "accuracy" else "steps"
        return {name: value for name, value in asdict(self).items() if name != idle}


def run(
    data: Dataset,
    strategy: str,
    knobs: Mapping[str, Any],
    setting: RoundSettings,
    seed: int,
    progress: Progress | None = None,
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """One strategy with one seed through all rounds.

    Arrays over the rounds (r + 1,): labels known, accuracy and loss on the test points (in a
    regression the squared distance to the target or to the one-hot label, and no accuracy), epochs
    and steps trained, reached: did all networks of the round get to 99%? Over the batches (r,):
    seconds of the selection, log_det of the Gram matrix of the batch's gradient embeddings, norm
    their mean length; picks (r, batch) dataset rows. For ALBL also, for each batch: log_weights
    (r, 2) of its arms before it, arm, the one drawn, and reward, the last one before it (NaN for
    the first batch); for others log_weights is (r, 0), arm -1, reward NaN. A UserError if the pool
    cannot feed all rounds, or the strategy lacks an input.
    """
    loop = _Loop(
        data, strategy, dict(knobs), setting, seed, progress or (lambda fraction, text: None)
    )
    with one_thread():
        for number in range(setting.rounds + 1):
            loop.train(number)
            if number < setting.rounds:
                loop.pick(number)
    return loop.arrays(), {
        "strategy": strategy,
        "selection_seconds": float(np.sum(loop.record["seconds"])),
    }


def at(
    data: Dataset,
    strategy: str,
    knobs: Mapping[str, Any],
    setting: RoundSettings,
    seed: int,
    number: int,
    record: Mapping[str, np.ndarray],
) -> _Loop:
    """The loop before the pick of round `number`, its network trained: from the run's arrays."""
    loop = _Loop(data, strategy, dict(knobs), setting, seed, lambda fraction, text: None)
    loop.labeled[np.searchsorted(loop.pool, record["picks"][:number].ravel())] = True
    if loop.arms:
        loop.arms.restore(record["log_weights"][number])
    with one_thread():
        loop.train(number)
    return loop


def pool_of(data: Dataset, setting: RoundSettings, seed: int) -> tuple[Ints, Ints, Ints]:
    """Dataset rows of the pool, of the points held back for validation, and of the test points.

    A UserError if the pool is too small.
    """
    train, test = split(data, regression=setting.task == "regression")
    drawn = np.random.default_rng([seed, 3]).permutation(train)
    back = min(HELD_BACK, len(drawn) // 10)
    pool = np.sort(drawn[back : None if setting.pool is None else back + setting.pool])
    needed = setting.start + setting.batch * setting.rounds
    if len(pool) < needed:
        mend = "Choose fewer rounds, a smaller batch, or more points."
        raise UserError(
            "Active learning:"
            f" found a pool of {len(pool):,} points, but {needed:,} labels are asked for. {mend}"
        )
    return pool, drawn[:back], test


def batch_diversity(embedding: Floats, probs: Floats | None) -> tuple[float, float]:
    """log det of the Gram matrix of a batch's gradients g = (p - e_yhat) (x) h, and their mean |g|.

    The Gram matrix is (Q Q^T) * (H H^T) with Q = p - e_yhat. A ridge of 1e-9 of its mean diagonal
    keeps a repeated point finite. Without probabilities, in a regression, of the embedding itself.
    """
    h = embedding.astype(np.float64)
    gram = h @ h.T
    if probs is not None:
        q = probs - np.eye(probs.shape[1])[probs.argmax(axis=1)]
        gram = (q @ q.T) * gram
    diagonal = np.diag(gram)
    floor = max(float(diagonal.mean()) * 1e-9, 1e-300)
    log_det = float(np.linalg.slogdet(gram + floor * np.eye(len(gram)))[1])
    return log_det, float(np.sqrt(np.maximum(diagonal, 0)).mean())


def inputs_of(wanted: tuple[str, ...], setting: RoundSettings) -> str | None:
    """Why a strategy that needs these inputs cannot take part, or None."""
    absent = [registry.INPUTS[name] for name in wanted if name not in GIVEN]
    if absent:
        return f"needs {' and '.join(absent)}, which a round does not have"
    if setting.task == "regression":
        absent = [registry.INPUTS[name].partition(":")[0] for name in wanted if name in OF_CLASSES]
    return f"needs {' and '.join(absent)}, and a regression has no classes" if absent else None


def networks_trained(strategy: str) -> int:
    """How many networks a round trains: several for opinions to compare, and for ALBL's reward."""
    if strategy == "albl":
        return 1 + FOLDS
    return MEMBERS if "member_probs" in registry.find(strategy).accepts else 1


@dataclass
class _Loop:
    data: Dataset
    strategy: str
    knobs: dict[str, Any]
    setting: RoundSettings
    seed: int
    progress: Progress
    record: dict[str, list] = field(default_factory=lambda: {name: [] for name in _COLUMNS})

    def __post_init__(self):
        self.pool, self.back, self.test = pool_of(self.data, self.setting, self.seed)
        self.answers = round_training.answers_of(self.data, self.setting.task)
        self.labeled: Bools = np.zeros(len(self.pool), bool)
        order = np.random.default_rng([self.seed, 1]).permutation(len(self.pool))
        self.labeled[order[: self.setting.start]] = True
        self.arms = Arms(max(1, self.setting.rounds)) if self.strategy == "albl" else None

    def train(self, number: int) -> None:
        """A fresh network on what is labeled, and what it can do."""
        from core.models import evaluation

        self.number = number
        self.rows = self.pool[self.labeled]
        self.network, done = self.fit(number)
        objective = "cross_entropy" if self.answers.ndim == 1 else "squared"
        test = self.data.points[self.test], self.answers[self.test]
        found = evaluation.evaluate(self.network, *test, objective=objective)
        for name, value in {
            "labels": len(self.rows),
            "accuracy": found.accuracy,
            "loss": found.loss,
            "epochs": done.passes,
            "steps": done.steps,
            "reached": done.reached,
        }.items():
            self.record[name].append(value)

    def fit(self, *stream: int, without: Ints = ()) -> tuple[Any, Training]:
        """A network trained on the labeled rows but those in `without`, and what came of it.

        Its weights and batches are drawn from this stream.
        """
        rows = np.setdiff1d(self.rows, without)
        seed = self.stream(*stream)
        network = self.fresh(seed)
        chosen = self.setting
        done = round_training.train(
            network,
            self.data.points[rows],
            self.answers[rows],
            StopRule(chosen.until, chosen.epochs, chosen.steps),
            seed=seed,
            said=self._say,
        )
        return network, done

    def fresh(self, seed: int) -> Any:
        """A network with an output for each class, or for each number of the target."""
        from core.models import networks
        from core.models.own_columns import scaling

        regression = self.answers.ndim > 1
        return networks.build(
            self.setting.network,
            classes=self.answers.shape[1] if regression else len(self.data.class_names),
            shape=self.data.shape,
            seed=seed,
            regression=regression,
            **scaling(self.data.name, self.data.points, self.pool),
        )

    def _another(self, *stream: int, without: Ints = ()) -> Any:
        """One more network of this round: a round in which one was cut has not got there."""
        network, done = self.fit(*stream, without=without)
        self.record["reached"][-1] &= done.reached
        return network

    def _say(self, fraction: float) -> None:
        self.progress(
            min(1.0, (self.number + fraction) / (self.setting.rounds + 1)),
            f"{len(self.rows):,} labels, round {self.number} of {self.setting.rounds}",
        )

    def stream(self, *numbers: int) -> int:
        """The seed of a network or of its dropout: one for each round, member and fold."""
        return int(np.random.SeedSequence([self.seed, *numbers]).generate_state(1)[0] >> 1)

    def pick(self, number: int) -> None:
        """The strategy's batch, asked for its labels."""
        if self.arms and number:
            self.arms.learn(self.unseen(self.pool[self.arms.asked]))
        embedded, more = self.look()
        started = time.perf_counter()
        chosen = self.choose(number, embedded, more)
        self.record["seconds"].append(time.perf_counter() - started)
        probs = None if embedded.probs is None else embedded.probs[chosen]
        diversity = batch_diversity(embedded.embedding[chosen], probs)
        for name, value in zip(
            ("log_det", "norm", "picks"), (*diversity, self.pool[chosen]), strict=True
        ):
            self.record[name].append(value)
        self.labeled[chosen] = True

    def choose(self, number: int, embedded: Embedded, more: Mapping[str, Any]) -> Ints:
        """Places in the pool of the batch, in the order of choice."""
        rng = np.random.default_rng([self.seed, 2, number])
        if self.arms:
            return self.arms.choose(embedded, self.setting.batch, rng)
        return registry.pick(
            self.strategy, embedded, self.setting.batch, rng=rng, inputs=more, **self.knobs
        ).indices

    def look(self) -> tuple[Embedded, dict[str, Any]]:
        """The pool as the trained network sees it, and what else the strategy takes."""
        from core.models import evaluation

        points = self.data.points[self.pool]
        accepts = registry.find(self.strategy).accepts
        probs = None
        labels = None
        if self.setting.task == "classification":
            probs = evaluation.probabilities(self.network, points)
            labels = np.where(self.labeled, self.data.labels[self.pool], probs.argmax(axis=1))
        matrix = evaluation.embed(self.network, points)
        embedded = Embedded(matrix, probs, labels, self.labeled.copy())
        more = {name: make() for name, make in self._extras(points).items() if name in accepts}
        return embedded, more

    def _extras(self, points: np.ndarray) -> dict[str, Callable[[], Any]]:
        return {
            "images": lambda: points,
            "head": self._head,
            "validation": lambda: self._seen(self.back),
            "member_probs": lambda: self._members(points),
        }

    def unseen(self, rows: Ints) -> Bools:
        """For each labeled dataset row: is a network right that saw no label of the row's fold?"""
        from core.models import evaluation

        fold = np.random.default_rng([self.seed, 4, self.number]).permutation(len(rows)) % FOLDS
        right = np.zeros(len(rows), bool)
        for number in range(FOLDS):
            mine = rows[fold == number]
            if len(mine):
                network = self._another(self.number, MEMBERS + number, without=mine)
                probs = evaluation.probabilities(network, self.data.points[mine])
                right[fold == number] = probs.argmax(axis=1) == self.data.labels[mine]
        return right

    def _seen(self, rows: Ints) -> Embedded:
        from core.models import evaluation

        return Embedded(
            evaluation.embed(self.network, self.data.points[rows]), labels=self.data.labels[rows]
        )

    def _head(self) -> Head:
        """A linear head fitted to the labeled points: the network's own has no regularisation."""
        from core import softmax_head

        seen = self._seen(self.rows)
        classes = len(self.data.class_names)
        # The intercept of a class that no label is of would fall without end.
        everyone = len(np.unique(seen.labels)) == classes
        return softmax_head.fit(
            seen.embedding, seen.labels, l2=HEAD_L2, classes=classes, intercept=everyone
        )

    def _members(self, points: np.ndarray) -> Floats:
        """Probabilities (members, n, c): passes of a network with dropout, or of several networks.

        A network without dropout is joined by others with streams of their own.
        """
        from core.models import ensembles, evaluation, networks

        if networks.draws(self.network):
            return ensembles.from_dropout(
                self.network, points, seed=self.stream(self.number, MEMBERS + FOLDS)
            )
        others = [self._another(self.number, member) for member in range(1, MEMBERS)]
        return np.stack(
            [evaluation.probabilities(network, points) for network in (self.network, *others)]
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """The record as arrays."""
        told = self.arms.told if self.arms else Arms.silent(self.setting.rounds)
        return {name: np.array(values) for name, values in self.record.items()} | told


_COLUMNS = ("labels", "accuracy", "loss", "epochs", "steps", "reached")
_COLUMNS += ("seconds", "log_det", "norm", "picks")
