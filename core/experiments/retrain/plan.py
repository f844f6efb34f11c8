"""Does training on a selection help? The plan of a retraining experiment, and its trainings.

    plan = Retraining().with_(candidates="top:raw random", budgets="1000 5000")
    plan.units()                 every training: candidate x budget x seed

Random is always among the candidates. A candidate is written "rule[:embedding[:seed[:strategy]]]".
Without a seed, or with "each", every training seed has an embedding of its own: seed 3 is trained
on what network 3 ranks highest. So a statement about "the leverage of such a network" has in its
interval that networks differ. A number says: this one network, in every seed.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from core import datasets, embeddings
from core.data.learnable import learnable
from core.data.splits import split
from core.experiments import cost
from core.experiments.cost import Measurement
from core.experiments.plan import Plan, Progress, Result, Unit, parse_budgets, words
from core.experiments.retrain import run, selections
from core.experiments.retrain.run import CHECKPOINTS, CURVE_POINTS, PROTOCOLS
from core.models import shipped_networks
from core.models.network_names import NETWORKS, check_network
from core.models.shipped_networks import RECIPE
from core.runtime import cache
from core.runtime.code_version import code_version
from core.spec import Spec, resolve, score_code, score_fields
from core.strategy import Knob
from core.types import Dataset, Floats, UserError

BUDGETS = (1_000, 5_000, 10_000)
EACH = 0  # as an embedding's seed: that of the training
MOST_CANDIDATES = 12
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
    """One way to select: a rule, and if it ranks, the scores: a strategy under an embedding.

    seed: of the embedding; EACH: as the training's.
    """

    rule: str = "random"
    embedding: str = "raw"
    seed: int = EACH
    strategy: str = "leverage"

    def __str__(self) -> str:
        """The form in links and commands, defaults left out: "top:cnn_regression", "random"."""
        parts = [self.rule, self.embedding, str(self.seed or "each"), self.strategy]
        default = ["", "" if self.scored else "raw", "each", "leverage"]
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
            f"Selection: found {text!r}, expected rule:embedding:seed:strategy,"
            " such as top:raw or top:cnn_regression:2."
        )
    chosen = selections.find(rule)
    if not chosen.scored:
        return Candidate(rule)
    given = dict(zip(("embedding", "seed", "strategy"), rest, strict=False))
    if given.get("seed") == "each":
        del given["seed"]
    spec = Spec().with_(**given)
    if resolve(spec).strategy.kind != "scorer":
        raise UserError(
            f"Selection: {resolve(spec).strategy.label} picks batches and gives no scores to rank"
            " by. Choose a scorer."
        )
    fixed = "seed" in given and resolve(spec).embedder.seeded
    return Candidate(rule, spec.embedding, spec.seed if fixed else EACH, spec.strategy)


@dataclass(frozen=True)
class Training(Unit):
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

    @property
    def cost(self) -> float:
        """Samples trained on, plus testing: forwards only, each a share of a training step."""
        return self.samples + TEST_SHARE * ((CHECKPOINTS - 1) * CURVE_POINTS + TEST_POINTS)

    @property
    def work(self) -> dict[str, float]:
        """Points trained on and tested, and one beginning."""
        by_steps = self.protocol == "steps"
        passes = -(-self.length // -(-self.budget // 64)) if by_steps else self.length
        tests = cost.sizes(self.dataset, self.n)[1]
        checkpoints = min(passes, CHECKPOINTS) - 1
        tested = checkpoints * min(tests, CURVE_POINTS) + tests
        return {"trained": self.samples, "tested": tested, "begun": 1}

    @property
    def samples(self) -> int:
        """How many points go through the network in training, repetitions counted."""
        return self.length * (64 if self.protocol == "steps" else self.budget)

    @property
    def scores_spec(self) -> Spec:
        """The Spec whose scores the candidate ranks by.

        The talk had its leverage from QR without pivoting, artefacts included; so has its protocol.
        """
        chosen = self.candidate
        as_the_talk_did = self.protocol == "talk" and chosen.strategy == "leverage"
        return Spec().with_(
            dataset=self.dataset,
            n=self.n,
            subset=self.subset,
            embedding=chosen.embedding,
            seed=chosen.seed or self.seed,
            strategy="textbook_qr" if as_the_talk_did else chosen.strategy,
        )

    def key(self, fingerprint: str) -> str:
        """The cache key: its settings, the selection's scores and the code of all of it."""
        scored = self.candidate.scored
        code = code_version("core.experiments.retrain.run")
        fields = {
            "budget": self.budget,
            "network": self.network,
            "protocol": self.protocol,
            "length": self.length,
            "seed": self.seed,
            "rule": self.candidate.rule,
            "scores": score_fields(self.scores_spec) if scored else None,
        }
        if scored:
            code += score_code(self.scores_spec)
        return cache.key("unit", fields, code=code, data=fingerprint)

    def run(self, data: Dataset, progress: Progress) -> Result:
        """The network's test accuracy as it learns, see `retrain.run.train`."""

        def tell(step: int, steps: int, loss: float) -> None:
            progress(step / steps, f"Step {step:,} of {steps:,}")

        scores = pool_scores(self.scores_spec) if self.candidate.scored else None
        names = ("budget", "network", "protocol", "length", "seed")
        settings = {name: getattr(self, name) for name in names}
        arrays, facts = run.train(data, scores, rule=self.candidate.rule, progress=tell, **settings)
        return arrays, facts | {"samples": self.samples, "network": self.network}


def parse_candidates(given: str | tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """Each candidate once, random last. A UserError for an unknown one, and for too many."""
    parsed = map(parse_candidate, words(given))
    each = tuple(dict.fromkeys(candidate for candidate in parsed if candidate != RANDOM))
    if len(each) >= MOST_CANDIDATES:
        raise UserError(
            f"Selections: found {len(each)} beside random,"
            f" expected at most {MOST_CANDIDATES - 1}. Leave some out."
        )
    return (*each, RANDOM)


FIRST = "top top:cnn_regression top:cnn_classification"
LISTS = {"candidates": parse_candidates, "budgets": parse_budgets}


@dataclass(frozen=True)
class Retraining(Plan):
    """Which candidates compete, at which budgets, with how many seeds, trained how."""

    dataset: str = "mnist"
    n: int | None = None
    subset: int = 0
    candidates: tuple[Candidate, ...] = parse_candidates(FIRST)
    budgets: tuple[int, ...] = BUDGETS
    network: str = "talk_cnn"
    protocol: str = "epochs"
    seeds: int = 5
    epochs: int = 15
    steps: int = 1_000
    kind = "retrain"
    units_are = "trainings"
    knobs = KNOBS
    lists = LISTS
    most_units = 2_000
    fewer = "selections, budgets or seeds"
    shared_is = "the networks that rank the points"

    def units(self) -> list[Training]:
        """Every training: first seeds and small budgets first, so that curves grow evenly."""
        length = self.steps if self.protocol == "steps" else self.epochs
        common = (self.network, self.protocol, length)
        return [
            Training(self.dataset, self.n, self.subset, candidate, budget, *common, seed)
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

    def varied(self) -> str:
        """What each seed draws anew, and what all share."""
        seeded = [one for one in self.candidates if one.scored and _seeded(one)]
        drawn = ["random selections", "first weights", "batches"]
        if any(one.seed == EACH for one in seeded):
            drawn.append("the network or random features that rank the points")
        fixed = [f"{_label(one)}, seed {one.seed}" for one in seeded if one.seed != EACH]
        shared = f" The same in every seed: {'; '.join(dict.fromkeys(fixed))}." if fixed else ""
        by_leverage = any(one.scored and one.strategy == "leverage" for one in self.candidates)
        textbook = self.protocol == "talk" and by_leverage
        ranked = " Leverage comes from textbook QR, artefacts included." if textbook else ""
        return f"Each seed draws anew: {', '.join(drawn)}.{shared}{ranked}"

    def check(self, data: Dataset) -> None:
        """A UserError if some training cannot begin on these points: known before the work."""
        check_network(self.network, data)
        labels = data.labels[split(data)[0]]
        for candidate, budget in product(self.candidates, self.budgets):
            rule = selections.find(candidate.rule)
            selections.check(rule, labels, budget, len(data.class_names))

    @property
    def trains(self) -> str:
        """Its network."""
        return self.network

    @property
    def measurement(self) -> Measurement:
        """Samples per second of a short training of its network.

        And of the one that ranks the points, where that does not come with the app.
        """
        specs = {unit.scores_spec for unit in self.units() if unit.candidate.scored}
        ranked = {"ranked_by": RECIPE["architecture"]} if any(map(_samples_first, specs)) else {}
        return cost.of_network(self.dataset, self.n, self.subset, self.network, **ranked)

    def shared(self, units: Iterable[Training], fingerprint: str) -> dict[str, float]:
        """Points that the networks are trained on, each once, that rank for these units.

        Those that come with the app are ready, and what has been ranked before is kept.
        """
        specs = {unit.scores_spec for unit in units if unit.candidate.scored}
        samples = sum(
            count
            for spec in specs
            if (count := _samples_first(spec)) and cache.get(pool_key(spec, fingerprint)) is None
        )
        return {"ranked": samples} if samples else {}

    def _without_effect(self) -> dict[str, Any]:
        idle = "epochs" if self.protocol == "steps" else "steps"
        return {idle: KNOBS[idle].default}


def _seeded(candidate: Candidate) -> bool:
    """Has its embedding random numbers or a network of its own?"""
    return embeddings.find(candidate.embedding).seeded


def _samples_first(spec: Spec) -> int:
    """How many points its embedding's network is trained on first; 0: none, or it is bundled."""
    objective = resolve(spec).embedder.objective
    if objective is None or shipped_networks.file(spec.dataset, objective, spec.seed).exists():
        return 0
    return RECIPE["epochs"] * cost.sizes(spec.dataset, None)[0]


def _label(candidate: Candidate) -> str:
    """Its embedding's, inside a sentence: all of them begin with a plain word."""
    label = embeddings.find(candidate.embedding).label
    return f"{label[:1].lower()}{label[1:]}"


_one_ranking_at_a_time = threading.Lock()


def pool_scores(spec: Spec) -> Floats:
    """The strategy's scores (pool size,) within the pool: test points take no part in choosing."""
    with _one_ranking_at_a_time:  # two trainings that begin together must not compute the same
        return _pool_scores(spec)


def pool_key(spec: Spec, fingerprint: str) -> str:
    """The cache key of the scores within the pool."""
    code = score_code(spec) + code_version("core.experiments.retrain.run")
    return cache.key("pool", score_fields(spec), code=code, data=fingerprint)


@functools.lru_cache(maxsize=16)
def _pool_scores(spec: Spec) -> Floats:
    from core import pipeline

    data = learnable(pipeline.dataset(spec.dataset, spec.n, spec.subset))
    found = cache.kept(
        pool_key(spec, data.fingerprint),
        lambda: (
            {"scores": pipeline.scores_of(spec, split(data)[0])},
            {"spec": spec.to_query()},
        ),
    )
    return np.array(found.arrays["scores"])
