"""Do the strategies that pick batches and score uncertainty stay calm on degenerate input?

Each world below is handed to every strategy of the listed modules; each must give finite scores or
a whole batch, for k = 0, 1 and all points. Whatever is drawn must be drawn once.
"""

import numpy as np
import pytest

from core.plugins.menu import strategies
from core.strategy import pick, score
from core.types import Embedded, UserError

MODULES = (
    "albl",
    "badge",
    "chance",
    "class_leverage",
    "coreset",
    "density",
    "dpp",
    "dynamics",
    "uncertainty",
)
NAMES = [
    name
    for name, entry in strategies().items()
    if entry.function.__module__.rsplit(".", 1)[1] in MODULES
]
N, D, C = 12, 4, 3


def plain(n=N, d=D, c=C):
    rng = np.random.default_rng(0)
    return {
        "embedding": rng.normal(size=(n, d)).astype(np.float32),
        "probs": rng.dirichlet(np.ones(c), size=n),
        "labels": np.arange(n) % c,
        "labeled": np.zeros(n, bool),
        "member_probs": rng.dirichlet(np.ones(c), size=(3, n)),
        "record": rng.dirichlet(np.ones(c), size=(4, n)),
    }


def certain(n=N):
    hot = np.eye(C)[np.arange(n) % C]
    return plain(n) | {
        "probs": hot,
        "member_probs": np.stack([hot, hot]),
        "record": np.stack([hot, hot]),
    }


def copies():
    world = plain()
    return {
        name: value[:, [3] * N] if value.ndim == 3 else value[[3] * N]
        for name, value in world.items()
    }


WORLDS = {
    "plain, nothing labeled": plain(),
    "no labeled set given": {name: value for name, value in plain().items() if name != "labeled"},
    "one-hot probabilities": certain(),
    "uniform probabilities": plain() | {"probs": np.full((N, C), 1 / C)},
    "copies of one point": copies(),
    "dead columns": (
        plain() | {"embedding": plain()["embedding"] * np.array([1, 0, 0, 1], np.float32)}
    ),
    "an embedding of zeros": plain() | {"embedding": np.zeros((N, D), np.float32)},
    "one point": plain(1),
    "two points": plain(2),
    "one dimension": plain(d=1),
    "one class": plain(c=1),
    "two points in many dimensions": plain(2, 40),
    "large numbers": plain() | {"embedding": plain()["embedding"] * np.float32(1e15)},
    "small numbers": plain() | {"embedding": plain()["embedding"] * np.float32(1e-15)},
    "all labeled but two": plain() | {"labeled": np.arange(N) > 1},
    "all labeled": plain() | {"labeled": np.ones(N, bool)},
}
# What cannot be computed in float64, and is said to be so.
REFUSED = {("log_det", "large numbers"): "Ridge: found 1, but with vectors this long"}


def run(name, world, k):
    inside = {
        what: world[what] for what in ("embedding", "probs", "labels", "labeled") if what in world
    }
    more = {what: world[what] for what in ("member_probs", "record")}
    return pick(name, Embedded(**inside), k, rng=np.random.default_rng(0), inputs=more)


def pool(world):
    return np.flatnonzero(~world.get("labeled", np.zeros(len(world["embedding"]), bool)))


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("name", NAMES)
def test_every_batch_is_whole(name, world):
    if (name, world) in REFUSED:
        with pytest.raises(UserError, match=REFUSED[name, world]):
            run(name, WORLDS[world], 2)
        return
    world = WORLDS[world]
    for k in {0, min(1, len(pool(world))), len(pool(world))}:
        chosen = run(name, world, k)
        assert (
            len(set(chosen.indices)) == k
            and set(chosen.indices) <= set(pool(world))
            and np.isfinite(chosen.gains).all()
        )
    with pytest.raises(UserError, match="Budget k"):
        run(name, world, len(pool(world)) + 1)


def test_certainty_scores_zero():
    world = Embedded(certain()["embedding"], certain()["probs"])
    for name in ("entropy", "margin", "least_confidence"):
        assert score(name, world).tolist() == [0] * N


def test_every_module_is_covered():
    assert {strategies()[name].function.__module__.rsplit(".", 1)[1] for name in NAMES} == set(
        MODULES
    )
