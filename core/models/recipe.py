"""What is a training told beside its data: objective, length, batches, order, precision, device?

Objectives:
    cross_entropy   on the outputs
    smooth_l1       mean over the classes of the smooth-L1 distance (beta 1) to the one-hot label
    softmax_twice   cross-entropy of softmax(outputs): a published slip, kept to show its effect
    squared         squared distance to the one-hot label, or to a target (n, c) of numbers

Each maps outputs (n, c) and labels (n,) to one loss per point (n,).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from core.types import UserError


def _wanted(outputs: Tensor, labels: Tensor) -> Tensor:
    return labels if labels.is_floating_point() else F.one_hot(labels, outputs.shape[-1])


OBJECTIVES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cross_entropy": lambda outputs, labels: F.cross_entropy(outputs, labels, reduction="none"),
    "smooth_l1": (
        lambda outputs, labels: F.smooth_l1_loss(
            outputs, F.one_hot(labels, outputs.shape[-1]).float(), reduction="none"
        ).mean(-1)
    ),
    "softmax_twice": lambda outputs, labels: F.cross_entropy(
        outputs.softmax(-1), labels, reduction="none"
    ),
    "squared": lambda outputs, labels: (outputs - _wanted(outputs, labels)).square().sum(-1),
}
CHOICES = {
    "objective": tuple(OBJECTIVES),
    "order": ("shuffle", "as_given"),
    "schedule": ("constant", "linear"),
    "precision": ("auto", "float32", "bfloat16"),
}


@dataclass(frozen=True)
class Recipe:
    """What a training needs to know beside the data; bad values raise UserError.

    Exactly one of epochs and steps is given. steps: of the optimizer; the points are gone through
    as often as that takes. order: "shuffle" draws a new one for each pass, "as_given" keeps it.
    schedule: "linear" lets the learning rate fall to zero. precision: "auto" is what was measured
    as fastest on this machine, with as many threads (core/models/training_speed.py).
    """

    epochs: int | None = None
    steps: int | None = None
    batch_size: int = 64
    learning_rate: float = 1e-3
    objective: str = "cross_entropy"
    order: str = "shuffle"
    schedule: str = "constant"
    precision: str = "auto"

    def __post_init__(self):
        if (self.epochs is None) == (self.steps is None):
            raise UserError(
                f"Training: found epochs={self.epochs} and steps={self.steps}."
                " Give exactly one of the two."
            )
        for name, value in {
            "epochs": self.epochs,
            "steps": self.steps,
            "batch_size": self.batch_size,
        }.items():
            if value is not None and (
                isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1
            ):
                raise UserError(f"{name}: found {value!r}, expected a whole number of at least 1.")
        if not 0 < self.learning_rate < float("inf"):
            raise UserError(
                "learning_rate:"
                f" found {self.learning_rate}, expected a number above 0, for example 0.001."
            )
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise UserError(
                    f"{name}: found {getattr(self, name)!r}, expected one of {', '.join(known)}."
                )

    def total_steps(self, n: int) -> int:
        """Optimizer steps on n points; the last batch of a pass may be smaller."""
        return self.steps if self.steps is not None else self.epochs * -(-n // self.batch_size)


def device_named(device: str | None) -> torch.device:
    """The device of this name; by default the GPU if there is one."""
    return torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
