"""Are these points and labels fit to train on, and where do they lie?

What core.models.training checks before it starts.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from core.types import Floats, Ints, UserError, check_labels


def tensors(
    device: torch.device, points, labels, classes: int, weights: Floats | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Points, labels (n,) or targets (n, classes), and weights (n,) of the losses (ones by
    default), on the device.
    """
    points = tensor(points)
    labels = labels_of(labels, len(points), classes)
    weights = (
        torch.ones(len(points)) if weights is None else tensor(np.asarray(weights, np.float32))
    )
    if weights.shape != labels.shape[:1] or not weights.isfinite().all():
        raise UserError(
            f"weights: found shape {tuple(weights.shape)},"
            f" expected {len(points):,} finite numbers, one per point."
        )
    return points.to(device), labels.to(device), weights.to(device)


def labels_of(labels, n: int, classes: int) -> Tensor:
    """The labels (n,), if there is one from 0 to classes - 1 for every point; else a UserError.

    A target, (n, classes) of finite numbers, as float32.
    """
    labels = tensor(labels).cpu()
    if labels.is_floating_point() and labels.ndim == 2:
        if n == 0 or labels.shape != (n, classes) or not labels.isfinite().all():
            raise UserError(
                f"Target: found shape {tuple(labels.shape)}, expected ({n:,}, {classes}) finite"
                " numbers."
            )
        return labels.float()
    if n == 0 or labels.shape != (n,):
        raise UserError(
            f"Labels: found shape {tuple(labels.shape)} for {n:,} points. Give at least one point,"
            " and one label per point."
        )
    check_labels(labels.numpy(), n, classes, name="Labels")
    return labels.long()


def rows_of(subset: Ints | None, n: int) -> Tensor:
    """The rows of a subset, all of them by default; a UserError for rows that are not there."""
    rows = torch.arange(n) if subset is None else torch.from_numpy(np.array(subset, np.int64))
    if rows.ndim != 1 or len(rows) == 0 or rows.min() < 0 or rows.max() >= n:
        raise UserError(
            f"A subset must name at least one row from 0 to {n - 1:,};"
            f" found {len(rows):,} rows. Check the selection."
        )
    return rows


def tensor(array: np.ndarray | Tensor) -> Tensor:
    """The array as a tensor, on the same memory where that may be written to."""
    if isinstance(array, np.ndarray):
        # torch warns about read-only memory, such as a cached file's; a copy is small beside the
        # training.
        own = np.ascontiguousarray(array) if array.flags.writeable else np.array(array)
        array = torch.from_numpy(own)
    return array
