"""A Spec says what to compute, in frozen names and numbers.

It is at once the link, the session's state, the job's argument, the cache key and the command line.
A Spec is canonical: settings at their default are left out, seeds of things that draw no random
numbers are dropped. So two Specs that mean the same are equal, and so are their links and keys.

    resolve(spec) -> Request   the same with what its names mean; what computes, bounds or draws it
                               takes that and looks no name up again
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from core import datasets, embeddings, strategy
from core.data import own
from core.data.catalogue import Info
from core.embeddings import Embedder
from core.models import shipped_networks
from core.plugins import menu
from core.runtime import cache
from core.runtime.code_version import code_version
from core.strategy import Knob, Strategy, parse_knobs
from core.types import UserError

Knobs = tuple[tuple[str, Any], ...]

NETWORK_WIDTH = 200  # activations of the networks' last hidden layer
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
    """dataset -> embedding -> strategy, with their settings.

    dataset: n points drawn with seed `subset`; n None: all. embedding: its seed and knobs.
    strategy: its knobs, and the seed `draw`.
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
    def unscored(self) -> Spec:
        """The same points under the same embedding, whatever the strategy."""
        return dataclasses.replace(self, strategy="random", strategy_knobs=(), draw=0)

    @property
    def embedding_label(self) -> str:
        """What the embedding is called on this dataset."""
        return resolve(self).embedding_label

    def title(self) -> str:
        """For captions and manifests: "MNIST, Raw pixels, Leverage (ridge 0.1)"."""
        return resolve(self).title()


@dataclass(frozen=True, eq=False)
class Request:
    """A Spec with what its names mean. about: its dataset's entry."""

    spec: Spec
    about: Info
    embedder: Embedder
    strategy: Strategy

    @property
    def rows(self) -> int:
        """How many points it is about."""
        return self.spec.n or self.about.n

    @property
    def width(self) -> int:
        """How many dimensions the embedding has, as far as it is known before it is made."""
        if self.embedder.objective or self.embedder.name == "cnn_untrained":
            return NETWORK_WIDTH
        chosen = dict(self.spec.embedding_knobs)
        asked = (
            chosen.get(name, knob.default)
            for name, knob in self.embedder.knobs.items()
            if knob.kind is int
        )
        return next(asked, None) or max(1, math.prod(self.about.shape))

    @property
    def embedding_label(self) -> str:
        """What the embedding is called on this dataset."""
        return self.embedder.label_on(self.about.is_images)

    def title(self) -> str:
        """For captions and manifests: "MNIST, Raw pixels, Leverage (ridge 0.1)"."""
        spec = self.spec
        settings = [*spec.embedding_knobs, *spec.strategy_knobs]
        if spec.n is not None:
            settings.insert(0, ("n", spec.n))
        if self.embedder.seeded:
            settings.append(("seed", spec.seed))
        labels = ", ".join([self.about.title, self.embedding_label, self.strategy.label])
        said = ", ".join(f"{name} {value}" for name, value in settings)
        return f"{labels} ({said})" if said else labels


def resolve(spec: Spec | Request) -> Request:
    """What the names of a Spec mean; a UserError for a name that there is not.

    Names are looked up once. A user's own data may vanish, their strategies and embeddings be
    registered anew, so those are looked up again.
    """
    if isinstance(spec, Request):
        return spec
    names = spec.dataset, spec.embedding, spec.strategy
    if own.is_own(spec.dataset) or own.is_joined(spec.embedding):
        return Request(spec, *_look_up(*names))
    about, embedder, chosen = _looked_up(*names)
    if not (strategy.is_registered(chosen) and embeddings.is_registered(embedder)):
        _looked_up.cache_clear()
        about, embedder, chosen = _looked_up(*names)
    return Request(spec, about, embedder, chosen)


def _look_up(dataset: str, embedding: str, strategy_name: str) -> tuple[Info, Embedder, Strategy]:
    embedder = menu.find_embedder(embedding)
    chosen = menu.find(strategy_name)
    return datasets.info(dataset), embedder, chosen


_looked_up = functools.cache(_look_up)


_PLAIN = ("dataset", "n", "subset", "embedding", "seed", "strategy", "draw")
_PREFIXES = {"e": "embedding_knobs", "s": "strategy_knobs"}


def from_query(query: Mapping[str, str]) -> tuple[Spec, list[str]]:
    """The Spec of a link, and one message for every part that could not be used.

    The rest of the link is kept.
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


class FirstLook(NamedTuple):
    """What a dataset opens on. why: a sentence, where that is not its raw points; else ""."""

    spec: Spec
    why: str


def first_look(about: Info, n: int | None = None, subset: int = 0) -> FirstLook:
    """A dataset's first picture: leverage of its raw points, or of few principal components.

    With no more points than pixels or features, every raw leverage is 1 and ranks nothing, so it
    opens on k components, about a tenth of the points. n, subset: of that many points of it.
    """
    spec = Spec().with_(dataset=about.name, n=n, subset=subset)
    rows = spec.n or about.n
    d = math.prod(about.shape)
    if not 1 < rows <= d:
        return FirstLook(spec, "")
    k = next((width for width in (50, 20, 10) if 10 * width <= rows), max(2, rows // 10))
    points, values = ("images", "pixels") if about.is_images else ("rows", "features")
    why = (
        f"There are no more {points} ({rows:,}) than {values} ({d:,}), so under raw {values} every"
        f" leverage is 1. This opens on {k} principal components."
    )
    return FirstLook(spec.with_(embedding="pca", embedding_knobs=(("k", k),)), why)


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
    """The talk's figure: leverage of the 70,000 digits under 17 embeddings.

    Raw pixels, random ReLU features and 15 networks.
    """
    fixed = [Spec(), Spec(embedding="random_relu")]
    learned = [
        Spec(embedding=name, seed=seed)
        for name in ("cnn_untrained", "cnn_regression", "cnn_classification")
        for seed in range(1, 6)
    ]
    return Comparison((*fixed, *learned))


def embedding_key(spec: Spec | Request, fingerprint: str) -> str:
    """The cache key of the embedding: its name, seed and knobs, its code, the data."""
    return _embedding_step("embedding", spec, "", fingerprint)


def textbook_key(spec: Spec | Request, fingerprint: str) -> str:
    """The cache key of the exhibit: scores by unpivoted QR on the Spec's embedding."""
    return _embedding_step(
        "textbook", spec, code_version("core.strategies.textbook_qr"), fingerprint
    )


def map_key(spec: Spec | Request, fingerprint: str) -> str:
    """The cache key of the map of the Spec's embedding."""
    return _embedding_step("map", spec, code_version("core.models.umap_map"), fingerprint)


def head_key(spec: Spec | Request, fingerprint: str, fold: int | None = None) -> str:
    """The cache key of the linear head on the Spec's embedding.

    fold: the one whose training set it is fitted on, None for all training points.
    """
    code = code_version("core.softmax_head")
    if fold is None:
        return _embedding_step("head", spec, code, fingerprint)
    code += code_version("core.data.splits")
    return _embedding_step("head", spec, code, fingerprint, sitting=fold)


def record_key(spec: Spec | Request, fingerprint: str) -> str:
    """The cache key of the training record on the Spec's embedding."""
    code = code_version("core.models.training_record")
    return _embedding_step("record", spec, code, fingerprint)


def scores_key(spec: Spec | Request, fingerprint: str) -> str:
    """The cache key of the scores.

    It holds the embedding's fields, the strategy's name, knobs and seed, and the code of both.
    """
    return _scores_step("scores", spec, "", fingerprint)


def plane_key(spec: Spec | Request, fingerprint: str) -> str:
    """The cache key of the lesson's plane: a few points of a two-dimensional embedding, scored."""
    return _scores_step("plane", spec, code_version("core.lesson"), fingerprint)


def favourites_key(spec: Spec | Request, fingerprint: str) -> str:
    """The cache key of the points that the Spec's strategy picks first."""
    return _scores_step("favourites", spec, code_version("core.lesson"), fingerprint)


def comparison_key(comparison: Comparison, fingerprint: str) -> str:
    """The cache key of the agreement matrices of these rankings, in this order."""
    fields = {"columns": [score_fields(spec) for spec in comparison.columns], "k": comparison.k}
    code = code_version("core.agreement") + "".join(score_code(spec) for spec in comparison.columns)
    return cache.key("agreement", fields, code=code, data=fingerprint)


def score_fields(spec: Spec) -> dict[str, Any]:
    """What decides the scores beside the data and the code."""
    return {
        "embedding": _embedding_fields(spec),
        "strategy": spec.strategy,
        "knobs": dict(spec.strategy_knobs),
        "draw": spec.draw,
    }


def score_code(spec: Spec | Request) -> str:
    """The code of the embedding, of the strategy, and of what makes its inputs.

    A head for probabilities, or more (core/strategy_inputs.py).
    """
    request = resolve(spec)
    chosen = request.strategy
    head = code_version("core.softmax_head") if {"probs", "head"} & set(chosen.accepts) else ""
    made = code_version("core.strategy_inputs") if set(strategy.MADE) & set(chosen.accepts) else ""
    return _embedding_code(request) + code_version(chosen.function.__module__) + head + made


def map_code(spec: Spec | Request) -> str:
    """The code of the embedding and of what draws its map."""
    return _embedding_code(resolve(spec)) + code_version("core.models.umap_map")


def _embedding_step(
    step: str, spec: Spec | Request, code: str, fingerprint: str, **more: Any
) -> str:
    """The key of what follows from the embedding by this code."""
    request = resolve(spec)
    fields = _embedding_fields(request.spec) | more
    return cache.key(step, fields, code=_embedding_code(request) + code, data=fingerprint)


def _scores_step(step: str, spec: Spec | Request, code: str, fingerprint: str) -> str:
    """The key of what follows from the scores, or is chosen as they are, by this code."""
    request = resolve(spec)
    fields = score_fields(request.spec)
    return cache.key(step, fields, code=score_code(request) + code, data=fingerprint)


def _embedding_fields(spec: Spec) -> dict[str, Any]:
    return {"embedding": spec.embedding, "seed": spec.seed, "knobs": dict(spec.embedding_knobs)}


def _embedding_code(request: Request) -> str:
    """The code of the embedding; for a learned one also the content of its bundled network."""
    spec = request.spec
    objective = request.embedder.objective
    bundled = shipped_networks.digest(spec.dataset, objective, spec.seed) if objective else ""
    return code_version(request.embedder.function.__module__) + bundled


def _try(spec: Spec, problems: list[str], **changes: Any) -> Spec:
    try:
        return spec.with_(**changes)
    except UserError as error:
        problems.append(str(error))
        return spec


def _canonical(spec: Spec) -> Spec:
    request = resolve(spec)
    _check_suited(request)
    embedder = request.embedder
    chosen = request.strategy
    size = request.about.n
    n = Knob("n", name="n", low=1, high=size, kind=int, optional=True).parse(spec.n)
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


def _check_suited(request: Request) -> None:
    """A UserError for an embedding or a strategy that this dataset cannot have."""
    about = request.about
    if reason := embeddings.unsuited(request.embedder, about):
        size = f"{about.shape[0]} x {about.shape[1]}" if about.is_images else ""
        kind = f"holds images of {size}" if about.is_images else "is a table"
        unlabeled = "" if about.labeled else " without labels"
        raise UserError(
            f"{request.embedder.label} {reason}; {about.title} {kind}{unlabeled}."
            " Choose another one."
        )
    if reason := strategy.unsuited(request.strategy, about.labeled, about.probs):
        raise UserError(
            f"{request.strategy.label} {reason}, which {about.title} does not have."
            " Choose another strategy."
        )


def _only_changed(knobs: Mapping[str, Knob], values: Knobs, owner: str) -> Knobs:
    parsed = parse_knobs(knobs, dict(values), owner)
    return tuple((name, value) for name, value in parsed.items() if value != knobs[name].default)
