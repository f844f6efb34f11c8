"""A Spec says what to compute, in frozen names and numbers. It is at once the link, the session's
state, the job's argument, the cache key and the command line.

A Spec is canonical: settings at their default are left out, seeds of things that draw no random
numbers are dropped. So two Specs that mean the same are equal, and so are their links and keys.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core import datasets, embeddings, strategy
from core.models import shipped_networks
from core.plugins import menu
from core.runtime import cache
from core.runtime.code_version import code_version
from core.strategy import Knob, parse_knobs
from core.types import UserError

Knobs = tuple[tuple[str, Any], ...]

SEED = Knob(
    "Seed",
    "Another seed draws other random numbers; the same seed always the same ones.",
    low=0,
    high=2**31 - 1,
    name="seed",
    kind=int,
    default=1,
)
DRAW = dataclasses.replace(SEED, name="draw", default=0)
SUBSET = dataclasses.replace(SEED, name="subset", default=0)


@dataclass(frozen=True)
class Spec:
    """dataset (n points drawn with seed `subset`; None: all) -> embedding (seed, knobs) -> strategy
    (knobs, seed `draw`).
    """

    dataset: str = "mnist"
    n: int | None = None
    subset: int = 0
    embedding: str = "raw"
    seed: int = 1
    embedding_knobs: Knobs = ()
    strategy: str = "leverage"
    strategy_knobs: Knobs = ()
    draw: int = 0

    def with_(self, **changes: Any) -> Spec:
        """This Spec with some parts changed, checked and canonical.

        A UserError if a part does not fit.
        """
        if changes.get("embedding", self.embedding) != self.embedding:
            changes = {"embedding_knobs": (), **changes}
        if changes.get("strategy", self.strategy) != self.strategy:
            changes = {"strategy_knobs": (), **changes}
        return _canonical(dataclasses.replace(self, **changes))

    def to_query(self) -> dict[str, str]:
        """The link's parameters: only what differs from the first screen."""
        default = Spec()
        plain = {
            name: str(getattr(self, name))
            for name in _PLAIN
            if getattr(self, name) != getattr(default, name)
        }
        knobs = {
            f"{prefix}.{name}": str(value)
            for prefix, field in _PREFIXES.items()
            for name, value in getattr(self, field)
        }
        return plain | knobs

    @property
    def embedding_label(self) -> str:
        """What the embedding is called on this dataset."""
        return embeddings.label_of(self.embedding, datasets.info(self.dataset).is_images)

    def title(self) -> str:
        """For captions and manifests: "MNIST, Raw pixels, Leverage (ridge 0.1)"."""
        labels = [
            datasets.info(self.dataset).title,
            self.embedding_label,
            menu.find(self.strategy).label,
        ]
        settings = [("n", self.n)] * (self.n is not None) + [
            *self.embedding_knobs,
            *self.strategy_knobs,
        ]
        if embeddings.find(self.embedding).seeded:
            settings.append(("seed", self.seed))
        return ", ".join(labels) + (
            f" ({', '.join(f'{name} {value}' for name, value in settings)})" if settings else ""
        )


_PLAIN = ("dataset", "n", "subset", "embedding", "seed", "strategy", "draw")
_PREFIXES = {"e": "embedding_knobs", "s": "strategy_knobs"}


def from_query(query: Mapping[str, str]) -> tuple[Spec, list[str]]:
    """The Spec of a link, and one message for every part that could not be used (the rest of the
    link is kept).
    """
    spec = Spec()
    problems = []
    for name in _PLAIN:
        if name in query:
            spec = _try(spec, problems, **{name: query[name]})
    for prefix, field in _PREFIXES.items():
        for name, value in query.items():
            if name.startswith(f"{prefix}."):
                spec = _try(spec, problems, **{field: (*getattr(spec, field), (name[2:], value))})
    return spec, problems


@dataclass(frozen=True)
class Comparison:
    """Which rankings of the same points to compare: one Spec each.

    k: how many points the overlap looks at.
    """

    columns: tuple[Spec, ...]
    k: int = 1000

    @property
    def dataset(self) -> str:
        """The dataset that all columns share."""
        return self.columns[0].dataset

    @property
    def n(self) -> int | None:
        """The number of points that all columns share; None: all."""
        return self.columns[0].n

    @property
    def subset(self) -> int:
        """The seed of the points that all columns share."""
        return self.columns[0].subset


def talk_comparison() -> Comparison:
    """The talk's figure: leverage of the 70,000 digits under raw pixels, random ReLU features and
    15 networks.
    """
    fixed = [Spec(), Spec(embedding="random_relu")]
    learned = [
        Spec(embedding=name, seed=seed)
        for name in ("cnn_untrained", "cnn_regression", "cnn_classification")
        for seed in range(1, 6)
    ]
    return Comparison((*fixed, *learned))


def embedding_key(spec: Spec, fingerprint: str) -> str:
    """The cache key of the embedding: its name, seed and knobs, its code, and the data's
    fingerprint.
    """
    return cache.key(
        "embedding", _embedding_fields(spec), code=_embedding_code(spec), data=fingerprint
    )


def scores_key(spec: Spec, fingerprint: str) -> str:
    """The cache key of the scores: the embedding's fields and the strategy's name, knobs, seed, and
    the code of both.
    """
    return cache.key("scores", score_fields(spec), code=score_code(spec), data=fingerprint)


def textbook_key(spec: Spec, fingerprint: str) -> str:
    """The cache key of the exhibit: scores by unpivoted QR on the Spec's embedding."""
    code = _embedding_code(spec) + code_version("core.strategies.leverage")
    return cache.key("textbook", _embedding_fields(spec), code=code, data=fingerprint)


def map_key(spec: Spec, fingerprint: str) -> str:
    """The cache key of the map of the Spec's embedding."""
    return cache.key("map", _embedding_fields(spec), code=map_code(spec), data=fingerprint)


def plane_key(spec: Spec, fingerprint: str) -> str:
    """The cache key of the lesson's plane: a few points of a two-dimensional embedding, with their
    scores.
    """
    return cache.key(
        "plane",
        score_fields(spec),
        code=score_code(spec) + code_version("core.lesson"),
        data=fingerprint,
    )


def favourites_key(spec: Spec, fingerprint: str) -> str:
    """The cache key of the points that the Spec's strategy picks first."""
    return cache.key(
        "favourites",
        score_fields(spec),
        code=score_code(spec) + code_version("core.lesson"),
        data=fingerprint,
    )


def head_key(spec: Spec, fingerprint: str, sitting: int | None = None) -> str:
    """The cache key of the linear head on the Spec's embedding; sitting: without a validation set,
    the first or the second one.
    """
    code = _embedding_code(spec) + code_version("core.softmax_head")
    if sitting is None:
        return cache.key("head", _embedding_fields(spec), code=code, data=fingerprint)
    fields = _embedding_fields(spec) | {"sitting": sitting}
    return cache.key("head", fields, code=code + code_version("core.data.splits"), data=fingerprint)


def record_key(spec: Spec, fingerprint: str) -> str:
    """The cache key of the training record on the Spec's embedding."""
    return cache.key(
        "record",
        _embedding_fields(spec),
        code=_embedding_code(spec) + code_version("core.models.training_record"),
        data=fingerprint,
    )


def comparison_key(comparison: Comparison, fingerprint: str) -> str:
    """The cache key of the agreement matrices of these rankings, in this order."""
    fields = {"columns": [score_fields(spec) for spec in comparison.columns], "k": comparison.k}
    code = code_version("core.agreement") + "".join(score_code(spec) for spec in comparison.columns)
    return cache.key("agreement", fields, code=code, data=fingerprint)


def _embedding_fields(spec: Spec) -> dict[str, Any]:
    return {"embedding": spec.embedding, "seed": spec.seed, "knobs": dict(spec.embedding_knobs)}


def score_fields(spec: Spec) -> dict[str, Any]:
    """What decides the scores beside the data and the code."""
    return {
        "embedding": _embedding_fields(spec),
        "strategy": spec.strategy,
        "knobs": dict(spec.strategy_knobs),
        "draw": spec.draw,
    }


def _embedding_code(spec: Spec) -> str:
    """The code of the embedding; for a learned one also the content of its shipped network."""
    entry = embeddings.find(spec.embedding)
    shipped = (
        shipped_networks.digest(spec.dataset, entry.objective, spec.seed) if entry.objective else ""
    )
    return code_version(entry.function.__module__) + shipped


def score_code(spec: Spec) -> str:
    """The code of the embedding, of the strategy, and of what makes its inputs: a head for
    probabilities, or more (core/strategy_inputs.py).
    """
    chosen = menu.find(spec.strategy)
    head = code_version("core.softmax_head") if {"probs", "head"} & set(chosen.accepts) else ""
    made = code_version("core.strategy_inputs") if set(strategy.MADE) & set(chosen.accepts) else ""
    return _embedding_code(spec) + code_version(chosen.function.__module__) + head + made


def map_code(spec: Spec) -> str:
    """The code of the embedding and of what draws its map."""
    return _embedding_code(spec) + code_version("core.models.umap_map")


def _try(spec: Spec, problems: list[str], **changes: Any) -> Spec:
    try:
        return spec.with_(**changes)
    except UserError as error:
        problems.append(str(error))
        return spec


def _canonical(spec: Spec) -> Spec:
    embedder = embeddings.find(spec.embedding)
    chosen = menu.find(spec.strategy)
    about = datasets.info(spec.dataset)
    if reason := embeddings.unsuited(spec.embedding, about):
        kind = (
            f"holds images of {about.shape[0]} x {about.shape[1]}"
            if about.is_images
            else "is a table"
        )
        raise UserError(
            f"{embedder.label} {reason}; {about.title}"
            f" {kind}{'' if about.labeled else ' without labels'}. Choose another one."
        )
    if reason := strategy.unsuited(chosen, about.labeled, about.probs):
        raise UserError(
            f"{chosen.label} {reason}, which {about.title} does not have. Choose another strategy."
        )
    size = about.n
    rows = Knob("n", name="n", low=1, high=size, kind=int, optional=True)
    n = rows.parse(spec.n)
    n = None if n == size else n
    return dataclasses.replace(
        spec,
        n=n,
        subset=SUBSET.parse(spec.subset) if n is not None else 0,
        seed=SEED.parse(spec.seed) if embedder.seeded else 1,
        draw=DRAW.parse(spec.draw) if chosen.random else 0,
        embedding_knobs=_only_changed(embedder.knobs, spec.embedding_knobs, embedder.label),
        strategy_knobs=_only_changed(chosen.knobs, spec.strategy_knobs, chosen.label),
    )


def _only_changed(knobs: Mapping[str, Knob], values: Knobs, owner: str) -> Knobs:
    parsed = parse_knobs(knobs, dict(values), owner)
    return tuple((name, value) for name, value in parsed.items() if value != knobs[name].default)
