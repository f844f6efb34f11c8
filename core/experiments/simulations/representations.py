"""Figures 2 and 4 of the BAIT paper: a learned and a random representation of the same points.

    represent(data, kind, seed)   a table in place of the images
    halves(data, seed)            where labels are asked for, and where the representation learns

Rounds of active learning classify on them linearly (core/experiments/active/rounds.py).

Source: Ash, Goel, Krishnamurthy, Kakade 2021, Gone Fishing, section 6.
"""

from __future__ import annotations

import numpy as np

from core import embeddings
from core.data.splits import split
from core.runtime.threads import one_thread
from core.types import Dataset, Floats, Ints, UserError

REPRESENTATIONS = ("learned", "random")
WIDTH = 128


def represent(data: Dataset, kind: str, seed: int, width: int = WIDTH, epochs: int = 5) -> Dataset:
    """A table of `width` numbers for one half of the training points and for the test points.

    "learned": the hidden layer of an MLP trained on the other half, `epochs` times through.
    "random": x G with G standard normal, x in [0, 1] for images. Both take the same half. A
    UserError if the kind is another one.
    """
    part, fitted = halves(data, seed)
    if kind == "learned":
        points = _hidden_layer(data, fitted, part, width, epochs, seed)
    elif kind == "random":
        drawn = np.random.default_rng([seed, 6]).standard_normal((part.d, width))
        points = embeddings.raw(part) @ drawn.astype(np.float32)
    else:
        raise UserError(f"Representation: found {kind!r}, expected learned or random.")
    return Dataset(
        f"{data.name}, {kind}", points, part.labels, part.class_names, part.test, part.index
    )


def halves(data: Dataset, seed: int) -> tuple[Dataset, Ints]:
    """One half of the training points with the test points; dataset rows of the other half.

    Labels are asked for in the first.
    """
    train, test = split(data)
    order = np.random.default_rng([seed, 5]).permutation(train)
    fitted = order[: len(order) // 2]
    rest = np.sort(order[len(order) // 2 :])
    rows = np.concatenate([rest, test])
    part = Dataset(
        data.name,
        data.points[rows],
        data.labels[rows],
        data.class_names,
        np.arange(len(rows)) >= len(rest),
        data.index[rows],
    )
    return part, fitted


def _hidden_layer(
    data: Dataset, fitted: Ints, part: Dataset, width: int, epochs: int, seed: int
) -> Floats:
    from core.models import evaluation, networks, training
    from core.models.own_columns import scaling

    network = networks.build(
        "mlp",
        classes=len(data.class_names),
        shape=data.shape,
        seed=seed,
        hidden=width,
        **scaling(data.name, data.points, fitted),
    )
    with one_thread():
        training.train(network, data.points[fitted], data.labels[fitted], seed=seed, epochs=epochs)
        return evaluation.embed(network, part.points)
