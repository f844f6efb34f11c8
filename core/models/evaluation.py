"""What does a trained network answer?

    evaluate(network, points, labels).accuracy
    embed(network, points)             (n, d), its penultimate layer
    probabilities(network, points)     (n, c)

Conventions: points and labels as the dataset stores them. The network is put into eval mode and
moved to the device; points follow chunk by chunk.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from core.models.networks import Network
from core.models.recipe import OBJECTIVES, Recipe, device_named
from core.models.training_data import labels_of, tensor
from core.models.training_speed import way
from core.types import Floats

CHUNK = 512


class Evaluation(NamedTuple):
    """accuracy: in [0, 1].

    per_class: accuracy within each class (c,), NaN for a class without points. loss: mean
    objective. For a target of numbers accuracy and per_class are NaN.
    """

    accuracy: float
    per_class: Floats
    loss: float


def embed(
    network: Network, points: np.ndarray | Tensor, chunk: int = CHUNK, *, device: str | None = None
) -> Floats:
    """The penultimate layer of every point, (n, d) float32, computed in float32, chunk by chunk."""
    return _forward(network, network.embed, points, chunk, device).numpy()


def probabilities(
    network: Network, points: np.ndarray | Tensor, chunk: int = CHUNK, *, device: str | None = None
) -> Floats:
    """softmax of the outputs, (n, c) float64, rows sum to 1.

    Only a network trained with cross_entropy means them so.
    """
    return _forward(network, network, points, chunk, device).double().softmax(-1).numpy()


def evaluate(
    network: Network,
    points,
    labels,
    *,
    objective: str = "cross_entropy",
    device: str | None = None,
    precision: str = "float32",
) -> Evaluation:
    """How often the largest output is the label's, overall and per class, and the mean objective.

    precision: as in `Recipe`.
    """
    how = Recipe(epochs=1, objective=objective, precision=precision)
    classes = network.head.out_features
    half = way(how.precision, network, device_named(device)).precision == "bfloat16"
    loss = OBJECTIVES[how.objective]
    outputs = _forward(network, network, points, CHUNK, device, half)
    labels = labels_of(labels, len(points), classes)
    if labels.is_floating_point():
        return Evaluation(np.nan, np.full(classes, np.nan), loss(outputs, labels).mean().item())
    right = (outputs.argmax(-1) == labels).double()
    counts = torch.bincount(labels, minlength=classes)
    per_class = torch.bincount(labels, weights=right, minlength=classes) / counts
    return Evaluation(right.mean().item(), per_class.numpy(), loss(outputs, labels).mean().item())


def _forward(
    network: Network, function: Callable, points, chunk: int, device: str | None, half: bool = False
) -> Tensor:
    where = device_named(device)
    network.eval().to(where, memory_format=torch.channels_last)
    with torch.inference_mode(), torch.autocast(where.type, dtype=torch.bfloat16, enabled=half):
        batches = (tensor(points[i : i + chunk]) for i in range(0, len(points), chunk))
        return torch.cat([function(batch.to(where)).float().cpu() for batch in batches])
