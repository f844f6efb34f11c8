"""Embeddings: the same points seen through another map.

Each embedder is a plain function of a dataset, registered by `@embedder`; its keyword-only
parameters are knobs (see core/strategy.py), `seed` makes its random numbers. Images enter as pixels
/ 255, tables as they are. Random matrices come from NumPy's generator in float64, so that a seed
means the same map on every machine.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from core.data import own
from core.data.dataset_info import Info
from core.linalg import row_blocks
from core.strategy import OWN, Knob, Refused, kept_whole, knobs_of, parse_knobs
from core.types import Dataset, Embedded, Floats, UserError

Width = Annotated[
    int,
    Knob(
        "Dimensions k",
        "How many numbers describe each point.",
        low=1,
        high=16384,
        choices=(10, 20, 50, 100, 200, 500, 1000),
    ),
]
OptionalWidth = Annotated[
    int | None,
    Knob(
        "Dimensions k",
        "How many random features; as many as there are pixels by default, 4,096 at most.",
        low=1,
        high=16384,
        choices=(None, 50, 100, 200, 500, 1000, 2000),
    ),
]


LEAST_SIDE = 4  # of images for the talk's network, as core/models/networks.py has it
# random features by default: large colour images have many more pixels than a first look needs
WIDEST = 4096


@dataclass(frozen=True)
class Embedder:
    """One entry of the registry. family: its colour and its group on every page."""

    name: str
    label: str
    family: str
    function: Callable
    knobs: Mapping[str, Knob]
    seeded: bool
    images_only: bool
    objective: str | None

    def label_on(self, images: bool) -> str:
        """What it is called on images, and on tables, which have features instead of pixels."""
        return self.label if images else self.label.replace("pixels", "features")

    @property
    def own(self) -> bool:
        """Does it come from a file of the user's?"""
        return self.function.__module__.startswith(OWN)


_registry: dict[str, Embedder] = {}


def embedder(
    label: str,
    *,
    family: str = "joined",
    seeded: bool | None = None,
    images_only: bool = False,
    objective: str | None = None,
) -> Callable:
    """Register a function (dataset, *, seed, knobs) -> (n, d) float32.

    family: whose colour it has. seeded: does it take a seed? By default what its parameters say.
    objective: of the network behind a learned embedding.
    """

    def register(function: Callable) -> Callable:
        name = function.__name__
        parameters = inspect.signature(function).parameters
        takes_seed = "seed" in parameters
        if reason := _refused(function, parameters, takes_seed if seeded is None else seeded):
            raise Refused(f"{name}: {reason}")
        knobs = knobs_of(function, skip=("seed",))
        _registry[name] = Embedder(
            name, label, family, function, knobs, takes_seed, images_only, objective
        )
        return function

    return register


def _refused(
    function: Callable, parameters: Mapping[str, inspect.Parameter], seeded: bool
) -> str | None:
    """Why a function with these parameters cannot be an embedding."""
    taken = _registry.get(function.__name__)
    if taken is not None and taken.function.__module__ != function.__module__:
        return (
            f"{taken.function.__module__} has registered an embedding of this name."
            " Rename one of them"
        )
    inputs = [p for p in parameters.values() if p.kind is not p.KEYWORD_ONLY]
    if len(inputs) != 1 or inputs[0].kind not in (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    ):
        named = ", ".join(map(str, inputs)) or "none"
        return (
            f"found the inputs ({named}), expected the dataset alone; seed and knobs stand after"
            " a *"
        )
    if seeded != ("seed" in parameters):
        return (
            "an embedding that is seeded takes seed after a *"
            if seeded
            else "it takes a seed and says seeded=False. Leave one of them out"
        )
    knobs = [p for p in parameters.values() if p.kind is p.KEYWORD_ONLY and p.name != "seed"]
    if bare := [p.name for p in knobs if p.default is p.empty]:
        return f"found no default for {', '.join(bare)}; every knob needs one"
    return None


def registered() -> dict[str, Embedder]:
    """What has been registered so far, by name, in menu order."""
    return dict(_registry)


def put(entry: Embedder) -> None:
    """Register this entry, in place of the one of its name."""
    _registry[entry.name] = entry


def all_or_nothing() -> AbstractContextManager[dict[str, Embedder]]:
    """Inside, what is registered stays only if nothing fails. Hands out what there was before."""
    return kept_whole(_registry)


def is_registered(entry: Embedder) -> bool:
    """Does this entry's name still mean this entry?"""
    return _registry.get(entry.name) is entry


def embedders(dataset: Info | None = None) -> dict[str, Embedder]:
    """All embeddings by name, in menu order; with a dataset those that suit it, and those that were
    joined to it.
    """
    if dataset is None:
        return dict(_registry)
    suited = {name: entry for name, entry in _registry.items() if not unsuited(entry, dataset)}
    return suited | {name: _joined(name) for name in own.joined(dataset.name)}


def unsuited(entry: Embedder, dataset: Info) -> str | None:
    """Why this embedding of this dataset cannot be ("needs images"), or None."""
    if own.is_joined(entry.name):
        return (
            None
            if own.about(entry.name).dataset == dataset.name
            else f"was computed for other points than those of {dataset.title}"
        )
    if entry.images_only and not dataset.is_images:
        return "needs images"
    if entry.images_only and min(dataset.shape[:2]) < LEAST_SIDE:
        return f"needs images of at least {LEAST_SIDE} pixels a side"
    return "needs labels to train its network" if entry.objective and not dataset.labeled else None


def find(name: str | Embedder) -> Embedder:
    """The embedding of this name; a UserError that lists the names otherwise."""
    if isinstance(name, Embedder):
        return name
    if own.is_joined(name):
        return _joined(name)
    if name not in _registry:
        raise UserError(f"Embedding: found {name!r}, expected one of {', '.join(_registry)}.")
    return _registry[name]


def embed(dataset: Dataset, name: str | Embedder, *, seed: int = 1, **knobs: Any) -> Embedded:
    """The dataset through the embedding `name`: float32 (n, d), read-only, with the dataset's
    labels.

    Deterministic by seed. UserErrors: unknown name, unknown or impossible knob, a network that
    needs images.
    """
    entry = find(name)
    if entry.images_only and not dataset.is_images:
        raise UserError(
            f"{entry.label} needs images; {dataset.called} is a table. Choose raw, pca, projection"
            " or random features."
        )
    if entry.objective and not dataset.labeled:
        raise UserError(
            f"{entry.label} needs labels to train its network; {dataset.called} has none. Choose"
            " another embedding."
        )
    knobs = parse_knobs(entry.knobs, knobs, entry.label)
    embedding = entry.function(dataset, **({"seed": seed} if entry.seeded else {}), **knobs)
    embedding.flags.writeable = False
    return with_labels(embedding, dataset)


def with_labels(embedding: Floats, dataset: Dataset) -> Embedded:
    """The dataset's points in this embedding (n, d), with what is known of them.

    labels: -1 where unknown. labeled: which have one, if some have none.
    """
    labels = dataset.labels if dataset.labeled else None
    labeled = None if labels is None or (labels >= 0).all() else labels >= 0
    return Embedded(embedding, dataset.probs, labels, labeled)


@embedder("Raw pixels", family="raw")
def raw(dataset: Dataset) -> Floats:
    """x = pixels / 255, row by row; a table's features as they are, in float64 where float32 would
    lose their differences. (n, d).
    """
    flat = dataset.points.reshape(len(dataset), -1)
    if dataset.is_images:
        return flat.astype(np.float32) / np.float32(255)
    return flat.astype(np.float64 if flat.dtype == np.float64 else np.float32)


@embedder("Principal components", family="raw")
def pca(dataset: Dataset, *, k: Width = 50) -> Floats:
    """(x - mean) V_k: coordinates along the k directions of largest variance. (n, k).

    Each direction's sign is fixed by making its largest entry positive.
    """
    x = raw(dataset)
    _at_most(k, x.shape[1], "principal components")
    mean = x.mean(axis=0, dtype=np.float64)
    if x.dtype == np.float64:  # squares of uncentred values would lose the differences
        x = x - mean
        mean = np.zeros(len(mean))
    directions = _of_few_points(x - mean, k) if len(x) < x.shape[1] else _of_many_points(x, mean, k)
    directions = directions * np.sign(directions[np.abs(directions).argmax(axis=0), np.arange(k)])
    return row_blocks.product(x, directions, dtype=x.dtype) - (mean @ directions).astype(x.dtype)


def _of_many_points(x: np.ndarray, mean: np.ndarray, k: int) -> np.ndarray:
    """(d, k), the covariance's eigenvectors: d^3, whatever n."""
    covariance = row_blocks.gram(x) / len(x) - np.outer(mean, mean)
    return np.linalg.eigh(covariance)[1][:, ::-1][:, :k]


def _of_few_points(centred: np.ndarray, k: int) -> np.ndarray:
    """(d, k), the right singular vectors: n^2 d; zeros past the rank, where nothing varies."""
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    rank = int((sizes > sizes[0] * max(centred.shape) * np.finfo(np.float64).eps).sum())
    directions = np.zeros((centred.shape[1], k))
    directions[:, : min(rank, k)] = axes[: min(rank, k)].T
    return directions


@embedder("Random projection", family="random")
def projection(dataset: Dataset, *, seed: int = 1, k: Width = 200) -> Floats:
    """x G / sqrt(k), G Gaussian (d, k): distances are kept in expectation (Johnson-Lindenstrauss).

    (n, k).
    """
    x = raw(dataset)
    return row_blocks.product(x, _gaussian(seed, dataset.d, k), dtype=x.dtype)


@embedder("Random ReLU features", family="random")
def random_relu(dataset: Dataset, *, seed: int = 1, k: OptionalWidth = None) -> Floats:
    """max(0, x G / sqrt(k)), G Gaussian (d, k): one random layer. k = d by default, 4,096 at most.

    (n, k).
    """
    x = raw(dataset)
    weights = _gaussian(seed, dataset.d, k or min(dataset.d, WIDEST))
    return row_blocks.product(x, weights, _relu, x.dtype)


@embedder("Random Fourier features", family="random")
def random_fourier(
    dataset: Dataset,
    *,
    seed: int = 1,
    k: Width = 500,
    bandwidth: Annotated[
        float | None,
        Knob(
            "Bandwidth",
            "Length over which two points count as alike; by default the median distance of 1,000"
            " random pairs.",
            low=1e-6,
            high=1e9,
            choices=(None, 1.0, 2.0, 5.0, 10.0, 20.0),
        ),
    ] = None,
) -> Floats:
    """sqrt(2 / k) cos(x G / bandwidth + b), b uniform in [0, 2 pi): inner products approach a
    Gaussian kernel. (n, k).

    Source: Rahimi and Recht 2007.
    """
    x = raw(dataset)
    rng = np.random.default_rng([seed, 1])
    width = bandwidth or _median_distance(x, rng)
    phase = row_blocks.place(rng.uniform(0, 2 * np.pi, k).astype(np.float32))
    scale = float(np.sqrt(2 / k))
    weights = _gaussian(seed, x.shape[1], k) * (np.sqrt(k) / width)
    return row_blocks.product(x, weights, lambda y: scale * _cos(y + phase), x.dtype)


@embedder("Untrained network", family="untrained", images_only=True)
def cnn_untrained(dataset: Dataset, *, seed: int = 1) -> Floats:
    """The talk's convolutional network with its initial random weights: the 200 activations before
    the last layer. (n, 200).
    """
    from core.models import evaluation, networks

    network = networks.build(
        "talk_cnn", classes=max(2, len(dataset.class_names)), shape=dataset.shape, seed=seed
    )
    return evaluation.embed(network, dataset.points)


@embedder(
    "Network trained to regress", family="regression", images_only=True, objective="smooth_l1"
)
def cnn_regression(dataset: Dataset, *, seed: int = 1) -> Floats:
    """The talk's network trained to regress on one-hot labels (smooth L1): the 200 activations
    before the last layer. (n, 200).
    """
    return _learned(dataset, "smooth_l1", seed)


@embedder(
    "Network trained to classify",
    family="classification",
    images_only=True,
    objective="cross_entropy",
)
def cnn_classification(dataset: Dataset, *, seed: int = 1) -> Floats:
    """The talk's network trained to classify (cross-entropy): the 200 activations before the last
    layer. (n, 200).
    """
    return _learned(dataset, "cross_entropy", seed)


@embedder(
    "Network trained with softmax twice",
    family="classification",
    images_only=True,
    objective="softmax_twice",
)
def cnn_softmax_twice(dataset: Dataset, *, seed: int = 1) -> Floats:
    """As the talk's code trained it: softmax outputs fed to a cross-entropy that applies softmax
    again. (n, 200).
    """
    return _learned(dataset, "softmax_twice", seed)


def _learned(dataset: Dataset, objective: str, seed: int) -> Floats:
    from core.models import evaluation, shipped_networks

    return evaluation.embed(shipped_networks.network(dataset, objective, seed), dataset.points)


def _joined(name: str) -> Embedder:
    """An embedding that was computed elsewhere, as an entry of the registry: its rows are the
    dataset's.
    """

    def joined(dataset: Dataset) -> Floats:
        if own.about(name).dataset != dataset.name:
            raise UserError(
                f"{own.about(name).title} was computed for other points than those of"
                f" {dataset.called}. Choose another embedding."
            )
        return np.ascontiguousarray(own.embedding(name)[dataset.index])

    return Embedder(
        name,
        own.about(name).title,
        "joined",
        joined,
        {},
        seeded=False,
        images_only=False,
        objective=None,
    )


def _gaussian(seed: int, d: int, k: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((d, k)) / np.sqrt(k)


def _relu(y: Any) -> Any:
    return np.maximum(y, 0, out=y) if isinstance(y, np.ndarray) else y.clamp_(min=0)


def _cos(y: Any) -> Any:
    return np.cos(y) if isinstance(y, np.ndarray) else y.cos()


def _median_distance(x: np.ndarray, rng: np.random.Generator, pairs: int = 1000) -> float:
    a, b = rng.integers(len(x), size=(2, pairs))
    return float(np.median(np.linalg.norm(x[a] - x[b], axis=1))) or 1.0


def _at_most(k: int, available: int, what: str) -> None:
    if k > available:
        raise UserError(
            f"Dimensions k: found {k:,}, but there are {available:,} {what}. Choose at most"
            f" {available:,}."
        )
