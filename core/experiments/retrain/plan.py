"""Does training on a selection help? The plan of a retraining experiment, its trainings one by one,
and its rows.

    plan = Retraining(candidates=(parse_candidate("top:raw"),), budgets=(1000, 5000))
    plan.units()                 every training: candidate x budget x seed, random always among the
                                 candidates
    train(unit) -> Entry         in the worker: one training, from the cache or computed

A plan is canonical like a Spec: it is the link, the job's argument and the command line at once.
"""

from __future__ import annotations

import dataclasses
import functools
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from core import datasets
from core.experiments import plan as plans
from core.experiments.retrain import selections
from core.experiments.retrain.run import CHECKPOINTS, CURVE_POINTS, PROTOCOLS
from core.models.network_names import NETWORKS
from core.plugins import menu
from core.runtime import cache
from core.runtime.cache import Entry
from core.runtime.code_version import code_version
from core.runtime.progress import advance
from core.spec import Spec, score_code, score_fields
from core.strategy import Knob
from core.types import Dataset, Floats, UserError

BUDGETS = (1_000, 5_000, 10_000)
MOST_CANDIDATES = 12
MOST_UNITS = 2_000
TEST_POINTS = 10_000
TEST_SHARE = 0.3
KNOBS = {
    "network": Knob(
        "Network",
        "Trained from scratch on every selection.",
        choices=tuple(NETWORKS),
        name="network",
        kind=str,
        default="talk_cnn",
    ),
    "protocol": Knob(
        "Protocol", choices=tuple(PROTOCOLS), name="protocol", kind=str, default="epochs"
    ),
    "seeds": Knob(
        "Seeds",
        "Each redraws random selections, weights and batches.",
        2,
        50,
        name="seeds",
        kind=int,
        default=5,
    ),
    "epochs": Knob(
        "Epochs",
        "How often each selection is gone through.",
        1,
        200,
        name="epochs",
        kind=int,
        default=15,
    ),
    "steps": Knob(
        "Steps",
        "Optimizer steps of each training, of 64 points.",
        10,
        100_000,
        name="steps",
        kind=int,
        default=1_000,
    ),
}


@dataclass(frozen=True, order=True)
class Candidate:
    """One way to select: a rule, and for a rule that ranks, the scores it ranks by (a strategy
    under an embedding).
    """

    rule: str = "random"
    embedding: str = "raw"
    seed: int = 1
    strategy: str = "leverage"

    def __str__(self) -> str:
        """ "top:cnn_regression", "random": the form in links and commands, defaults left out."""
        parts = [self.rule, self.embedding, str(self.seed), self.strategy]
        default = (
            ["", "", "1", "leverage"]
            if selections.find(self.rule).scored
            else ["", "raw", "1", "leverage"]
        )
        while parts[-1] == default[len(parts) - 1]:
            parts.pop()
        return ":".join(parts)

    @property
    def scored(self) -> bool:
        """Does its rule rank by scores?"""
        return selections.find(self.rule).scored


RANDOM = Candidate()


def parse_candidate(text: str) -> Candidate:
    """The candidate of "rule[:embedding[:seed[:strategy]]]"; a UserError for an unknown part."""
    rule, *rest = text.strip().split(":")
    if len(rest) > 3:
        raise UserError(
            f"Selection: found {text!r}, expected rule:embedding:seed:strategy, such as top:raw or"
            " top:cnn_regression:2."
        )
    chosen = selections.find(rule)
    if not chosen.scored:
        return Candidate(rule)
    spec = Spec().with_(**dict(zip(("embedding", "seed", "strategy"), rest, strict=False)))
    if menu.find(spec.strategy).kind != "scorer":
        raise UserError(
            f"Selection: {menu.find(spec.strategy).label} picks batches and gives no scores to rank"
            " by. Choose a scorer."
        )
    return Candidate(rule, spec.embedding, spec.seed, spec.strategy)


@dataclass(frozen=True)
class Unit:
    """One training. length: epochs, or steps for the protocol "steps"."""

    dataset: str
    n: int | None
    subset: int
    candidate: Candidate
    budget: int
    network: str
    protocol: str
    length: int
    seed: int
    task = "core.experiments.retrain.plan:train"

    def key(self, fingerprint: str) -> str:
        """The cache key of its outcome."""
        return unit_key(self, fingerprint)

    @property
    def work(self) -> float:
        """Samples trained on, plus what testing costs in the same coin: forwards only, beside a
        training step on as many points.
        """
        return self.samples + TEST_SHARE * ((CHECKPOINTS - 1) * CURVE_POINTS + TEST_POINTS)

    @property
    def samples(self) -> int:
        """How many points go through the network in training, repetitions counted."""
        return self.length * (64 if self.protocol == "steps" else self.budget)

    @property
    def scores_spec(self) -> Spec:
        """The Spec whose scores the candidate ranks by."""
        chosen = self.candidate
        return Spec().with_(
            dataset=self.dataset,
            n=self.n,
            subset=self.subset,
            embedding=chosen.embedding,
            seed=chosen.seed,
            strategy=chosen.strategy,
        )


@dataclass(frozen=True)
class Retraining:
    """Which candidates compete, at which budgets, with how many seeds, and how each network is
    trained.
    """

    dataset: str = "mnist"
    n: int | None = None
    subset: int = 0
    candidates: tuple[Candidate, ...] = tuple(
        map(parse_candidate, ("top", "top:cnn_regression", "top:cnn_classification", "random"))
    )
    budgets: tuple[int, ...] = BUDGETS
    network: str = "talk_cnn"
    protocol: str = "epochs"
    seeds: int = 5
    epochs: int = 15
    steps: int = 1_000
    kind = "retrain"
    units_are = "trainings"

    def with_(self, **changes: Any) -> Retraining:
        """This plan with some parts changed, checked and canonical.

        A UserError if a part does not fit.
        """
        return _canonical(dataclasses.replace(self, **changes))

    def to_query(self) -> dict[str, str]:
        """The link's parameters: what differs from the first plan."""
        texts = _texts(self)
        default = _texts(Retraining())
        return {name: text for name, text in texts.items() if text != default[name]}

    def units(self) -> list[Unit]:
        """Every training: the first seed of everything first, small budgets before large ones, so
        that curves grow evenly.
        """
        length = self.steps if self.protocol == "steps" else self.epochs
        common = (self.network, self.protocol, length)
        return [
            Unit(self.dataset, self.n, self.subset, candidate, budget, *common, seed)
            for seed, budget, candidate in product(
                range(1, self.seeds + 1), self.budgets, self.candidates
            )
        ]

    def title(self) -> str:
        """For captions and manifests."""
        length = f"{self.steps:,} steps" if self.protocol == "steps" else f"{self.epochs} epochs"
        return (
            f"{datasets.info(self.dataset).title}, {self.network},"
            f" {PROTOCOLS[self.protocol].lower()} ({length}), {self.seeds} seeds"
        )


def from_query(query: Mapping[str, str]) -> tuple[Retraining, list[str]]:
    """The plan of a link, and one message for every part that could not be used (the rest is
    kept).
    """
    return plans.read(Retraining(), _texts(Retraining()), query)


def unit_key(unit: Unit, fingerprint: str) -> str:
    """The cache key of one training: its settings, the selection's scores and the code of all of
    it.
    """
    chosen = unit.candidate
    fields = {f.name: getattr(unit, f.name) for f in dataclasses.fields(Unit)}
    for name in (
        "dataset",
        "n",
        "subset",
        "candidate",
    ):  # the fingerprint says which points these are
        del fields[name]
    code = code_version("core.experiments.retrain.run") + (
        score_code(unit.scores_spec) if chosen.scored else ""
    )
    scored = score_fields(unit.scores_spec) if chosen.scored else None
    return cache.key(
        "unit", fields | {"rule": chosen.rule, "scores": scored}, code=code, data=fingerprint
    )


def check(plan: Retraining, data: Dataset) -> None:
    """A UserError if some training of the plan cannot begin on these points: what is known before
    any work.
    """
    from core.data.splits import split
    from core.models.network_names import check_network

    check_network(plan.network, data)
    labels = data.labels[split(data)[0]]
    for candidate, budget in product(plan.candidates, plan.budgets):
        selections.check(selections.find(candidate.rule), labels, budget, len(data.class_names))


def train(unit: Unit) -> Entry:
    """In the worker: one training, from the cache or computed."""
    from core import pipeline
    from core.experiments.retrain import run as one

    data = pipeline.dataset(unit.dataset, unit.n, unit.subset)
    key = unit_key(unit, data.fingerprint)
    if found := cache.get(key):
        return found
    scores = pool_scores(unit.scores_spec) if unit.candidate.scored else None

    def progress(step: int, steps: int, loss: float) -> None:
        advance(step / steps, f"Step {step:,} of {steps:,}")

    settings = {
        name: getattr(unit, name) for name in ("budget", "network", "protocol", "length", "seed")
    }
    arrays, facts = one.train(data, scores, rule=unit.candidate.rule, progress=progress, **settings)
    return cache.put(
        key, arrays, facts | {"samples": unit.samples, "network": unit.network}, describe=str(unit)
    )


_one_ranking_at_a_time = threading.Lock()


def pool_scores(spec: Spec) -> Floats:
    """The strategy's scores (pool size,) within the pool alone: test points do not take part in
    choosing.
    """
    with _one_ranking_at_a_time:  # two trainings that begin together must not compute the same
        return _pool_scores(spec)


@functools.lru_cache(maxsize=16)
def _pool_scores(spec: Spec) -> Floats:
    from core import pipeline
    from core.data.splits import split

    data = pipeline.dataset(spec.dataset, spec.n, spec.subset)
    key = cache.key(
        "pool",
        score_fields(spec),
        code=score_code(spec) + code_version("core.experiments.retrain.run"),
        data=data.fingerprint,
    )
    found = cache.get(key) or cache.put(
        key, {"scores": pipeline.scores_of(spec, split(data)[0])}, {"spec": spec.to_query()}
    )
    return np.array(found.arrays["scores"])


def _texts(plan: Retraining) -> dict[str, str]:
    """Every part as the text that links and commands use."""
    plain = {name: str(getattr(plan, name)) for name in ("dataset", "n", "subset", *KNOBS)}
    return plain | {
        "candidates": " ".join(map(str, plan.candidates)),
        "budgets": " ".join(map(str, plan.budgets)),
    }


def _canonical(plan: Retraining) -> Retraining:
    """Checked, sorted, random added, and settings without an effect at their default."""
    spec = Spec().with_(dataset=plan.dataset, n=plan.n, subset=plan.subset)
    knobs = {name: knob.parse(getattr(plan, name)) for name, knob in KNOBS.items()}
    knobs |= {"epochs": 15} if knobs["protocol"] == "steps" else {"steps": 1_000}
    candidates = _candidates(plan.candidates)
    budgets = plans.budgets(plan.budgets)
    if (units := len(candidates) * len(budgets) * knobs["seeds"]) > MOST_UNITS:
        raise UserError(
            f"Found {units:,} trainings, expected at most {MOST_UNITS:,}. Choose fewer selections,"
            " budgets or seeds."
        )
    points = {"dataset": spec.dataset, "n": spec.n, "subset": spec.subset}
    return dataclasses.replace(plan, **points, candidates=candidates, budgets=budgets, **knobs)


def _candidates(given: str | tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    parsed = map(parse_candidate, given.split() if isinstance(given, str) else map(str, given))
    each = tuple(dict.fromkeys(candidate for candidate in parsed if candidate != RANDOM))
    if len(each) >= MOST_CANDIDATES:
        raise UserError(
            f"Selections: found {len(each)} beside random, expected at most {MOST_CANDIDATES - 1}."
            " Leave some out."
        )
    return (*each, RANDOM)
