"""The networks behind the learned embeddings: bundled for MNIST, else trained on the spot.

    objective "smooth_l1"       trained to regress on one-hot labels
    objective "cross_entropy"   trained to classify
    objective "softmax_twice"   as the talk's code had it: softmax outputs, fed to a loss that
                                applies softmax again

Every network is the talk's CNN, trained for five epochs of Adam (learning rate 1e-3, batches of 64)
on the dataset's training rows; the seed draws its weights and the order of the points. The learning
rate falls linearly to zero: kept at 1e-3 to the end, as the talk has it, the last steps leave a
classifier anywhere between 98.4% and 99.2%. The softmax-twice networks keep the talk's constant
rate. A bundled file is a safetensors file whose header describes the network; `python -m core
networks` makes them. Weights are stored in float16: the command prints each network's Kendall tau
with its float32 original (0.9997 or more), and a test holds networks that round to a bundled one to
0.999.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from core import datasets
from core.runtime.folders import ASSETS
from core.runtime.progress import advance
from core.types import Dataset, UserError

FOLDER = ASSETS / "networks"
RECIPE = {
    "architecture": "talk_cnn",
    "epochs": 5,
    "batch_size": 64,
    "learning_rate": 1e-3,
    "schedule": "linear",
}
AS_IN_THE_TALK = {"schedule": "constant"}
OBJECTIVES = {
    "smooth_l1": "regression",
    "cross_entropy": "classification",
    "softmax_twice": "softmax_twice",
}
SHIPPED = ("smooth_l1", "cross_entropy")  # the third is trained when it is asked for
SEEDS = (1, 2, 3, 4, 5)


def network(dataset: Dataset, objective: str, seed: int) -> Any:
    """The trained network for this dataset: the bundled one, else trained now, with progress."""
    path = file(dataset.name, objective, seed)
    if path.exists():
        return load(path, description(dataset, objective, seed))
    return fit(dataset, objective, seed, _report)


def fit(
    dataset: Dataset,
    objective: str,
    seed: int,
    progress: Callable[[int, int, float], None] | None = None,
) -> Any:
    """Train a network on the dataset's training rows.

    For a subset of a named dataset: on all training rows of that dataset.
    """
    from core.models import networks, training

    full = datasets.load(dataset.name) if datasets.exists(dataset.name) else dataset
    rows = np.flatnonzero(~full.test & (full.labels >= 0))
    if len(rows) == 0:
        raise UserError(
            f"{full.called}: found no label among {int((~full.test).sum()):,} training points, so"
            " no network can be trained. Label some of them, or choose another embedding."
        )
    fresh = networks.build(
        RECIPE["architecture"], classes=len(full.class_names), shape=full.shape, seed=seed
    )
    settings = {name: value for name, value in recipe(objective).items() if name != "architecture"}
    training.train(
        fresh,
        full.points[rows],
        full.labels[rows],
        seed=seed,
        objective=objective,
        progress=progress,
        **settings,
    )
    return fresh


def recipe(objective: str) -> dict[str, Any]:
    """How the networks of an objective are trained."""
    return RECIPE | (AS_IN_THE_TALK if objective == "softmax_twice" else {})


def file(dataset: str, objective: str, seed: int) -> Path:
    """Where the bundled network of this name is, or would be."""
    if objective not in OBJECTIVES:
        raise UserError(f"Objective: found {objective!r}, expected one of {', '.join(OBJECTIVES)}.")
    return FOLDER / f"{dataset}-{OBJECTIVES[objective]}-{seed}.safetensors"


def digest(dataset: str, objective: str, seed: int) -> str:
    """16 hex digits of the bundled file's content, "" without one.

    Another network must not answer with the old one's results.
    """
    path = file(dataset, objective, seed)
    return _digest(path, path.stat().st_mtime_ns) if path.exists() else ""


@functools.cache
def _digest(path: Path, modified: int) -> str:
    return hashlib.blake2b(path.read_bytes(), digest_size=8).hexdigest()


def description(dataset: Dataset, objective: str, seed: int) -> dict[str, str]:
    """What a network file says of itself in its header."""
    shape = {"classes": len(dataset.class_names), "shape": list(dataset.shape)}
    return {
        "network": json.dumps(
            {
                **recipe(objective),
                **shape,
                "dataset": dataset.name,
                "objective": objective,
                "seed": seed,
            },
            sort_keys=True,
        )
    }


def load(path: Path, expected: dict[str, str]) -> Any:
    """The network in this file.

    A UserError if the file is damaged or does not match its description.
    """
    from core.models import networks

    wanted = json.loads(expected["network"])
    built = networks.build(
        wanted["architecture"],
        classes=wanted["classes"],
        shape=tuple(wanted["shape"]),
        seed=wanted["seed"],
    )
    mend = "Restore the file, or delete it to train the network anew."
    try:
        with safe_open(path, framework="pt") as opened:
            found = (opened.metadata() or {}).get("network")
            names = opened.keys()
            weights = {name: opened.get_tensor(name).float() for name in names}
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path.name}: not a readable network file ({error}). {mend}") from None
    if found != expected["network"]:
        raise UserError(f"{path.name}: describes {found}, expected {expected['network']}. {mend}")
    shapes = {name: tuple(value.shape) for name, value in built.state_dict().items()}
    if {name: tuple(value.shape) for name, value in weights.items()} != shapes:
        raise UserError(
            f"{path.name}: its weights do not fit a {wanted['architecture']} for"
            f" {wanted['classes']} classes. {mend}"
        )
    built.load_state_dict(weights)
    return built.eval()


def encode(trained: Any, described: dict[str, str]) -> bytes:
    """A network file: the description, weights in float16, the input's constants as they are."""
    from safetensors.torch import save as to_bytes

    learned = {name for name, _ in trained.named_parameters()}
    state = {
        name: value.detach().cpu().contiguous() for name, value in trained.state_dict().items()
    }
    return to_bytes(
        {name: value.half() if name in learned else value for name, value in state.items()},
        metadata=described,
    )


def _report(step: int, steps: int, loss: float) -> None:
    advance(step / steps, f"Training the network, step {step:,} of {steps:,}")
