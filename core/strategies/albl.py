"""ALBL, active learning by learning: a bandit that finds out which strategy helps, round by round.

Two arms suggest a batch each round: CORESET (farthest first) and CONF (least confidence). Arm a is
drawn with probability

    p_a = (1 - A floor) w_a / sum w + floor    (A arms)

and its whole batch is asked, so a point i is asked with probability q_i = sum_a p_a [i in batch a].
After training, the reward is the importance-weighted accuracy of all points asked so far,

    reward = (sum_i right_i / q_i) / (sum_i 1 / q_i)

and the weights move by EXP4.P:

    w_a *= exp(floor / 2 (y_a + v_a sqrt(log(A / delta) / (A T))))
    y_a = mean over batch a of reward [i asked] / q_i
    v_a = mean over batch a of 1 / q_i

One round is `play` then `learn`; the `Bandit` that `learn` returns is the state to keep. `albl` is
the first round, from equal weights.

Where ours differs: the BADGE authors' program weighs a point by the probability of the arm, not of
the point (they differ when both arms suggest it), leaves T out of the bound, moves the drawn arm
only, and rewards the accuracy on points just trained on, which is near 1 for any network fitted to
the end. Here `right` is the caller's: give predictions that did not see the point's label (for
instance out of fold). Floor 1 / (10 A) and delta 0.1 are the program's. Hsu and Lin ask one point a
time from a mixture over the pool.

Sources: Hsu and Lin 2015 (ALBL); Beygelzimer et al. 2011 (EXP4.P); Ash et al. 2020 (the two arms,
in batches).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.linalg.farthest_first import farthest_first
from core.linalg.probabilities import check_probs, doubt
from core.strategy import selector, top_k
from core.types import Bools, Floats, Ints, UserError, check_budget, check_matrix


@dataclass(frozen=True, eq=False)
class Bandit:
    """The state between rounds.

    log_weights (A,); rounds: T, how many are planned; delta: the bound may fail with this
    probability.
    """

    log_weights: Floats
    rounds: int
    delta: float = 0.1

    @property
    def floor(self) -> float:
        """The least probability of an arm, 1 / (10 A)."""
        return 1 / (10 * len(self.log_weights))

    @property
    def chances(self) -> Floats:
        """p (A,): the probability of each arm."""
        weights = np.exp(self.log_weights - self.log_weights.max())
        return (1 - len(weights) * self.floor) * weights / weights.sum() + self.floor


@dataclass(frozen=True, eq=False)
class Round:
    """What was asked.

    arm          the one drawn
    batches      every arm's suggestion
    asked_with   for each batch, its points' probabilities q
    """

    arm: int
    batches: tuple[Ints, ...]
    asked_with: tuple[Floats, ...]

    @property
    def indices(self) -> Ints:
        """The points asked, (k,)."""
        return self.batches[self.arm]

    @property
    def probabilities(self) -> Floats:
        """With what probability each of them was asked, (k,)."""
        return self.asked_with[self.arm]


def start(rounds: int, arms: int = 2) -> Bandit:
    """Equal weights. A UserError for less than one round."""
    if rounds < 1:
        raise UserError(f"ALBL: found {rounds} rounds, expected at least 1.")
    return Bandit(np.zeros(arms), rounds)


def play(bandit: Bandit, batches: Sequence[Ints], rng: np.random.Generator) -> Round:
    """Draw an arm; its batch is asked. batches: one array of points per arm."""
    p = bandit.chances
    arm = int(rng.choice(len(p), p=p))
    shares = [
        sum(chance * np.isin(batch, other) for chance, other in zip(p, batches, strict=True))
        for batch in batches
    ]
    return Round(arm, tuple(batches), tuple(shares))


def accuracy(right: Bools, probabilities: Floats) -> float:
    """Importance-weighted accuracy sum right / q over sum 1 / q, in [0, 1].

    Of all points asked so far, q their probabilities then; 0 without any.
    """
    return float((right / probabilities).sum() / (1 / probabilities).sum()) if len(right) else 0.0


def learn(bandit: Bandit, played: Round, reward: float) -> Bandit:
    """The weights after a round with this reward in [0, 1]."""
    if not 0 <= reward <= 1:
        raise UserError(f"ALBL: found a reward of {reward}, expected an accuracy from 0 to 1.")
    arms = len(bandit.log_weights)
    bonus = np.sqrt(np.log(arms / bandit.delta) / (arms * bandit.rounds))
    asked = [np.isin(batch, played.indices) for batch in played.batches]
    steps = [
        ((reward * hit + bonus) / q).mean() if len(q) else 0.0
        for hit, q in zip(asked, played.asked_with, strict=True)
    ]
    return replace(bandit, log_weights=bandit.log_weights + bandit.floor / 2 * np.array(steps))


@selector("ALBL", nested=True)
def albl(
    embedding: np.ndarray,
    probs: np.ndarray,
    labeled: np.ndarray | None = None,
    *,
    k: int,
    rng: np.random.Generator,
) -> tuple[Ints, Floats]:
    """One round of ALBL from equal weights: with probability 1/2 the batch of CORESET, else that
    of least confidence; p_a = 1/2.

    embedding: (n, d); probs: (n, c); labeled: bool (n,) or None, never picked. Returns indices (k,)
    and gains (k,) of the arm drawn: the distance to the nearest centre, or 1 - max_y p_y. Over
    several rounds keep a `Bandit` and use `play` and `learn`.
    """
    suggested = suggestions(embedding, probs, labeled, k)
    return suggested[play(start(1), [indices for indices, _ in suggested], rng).arm]


def suggestions(
    embedding: np.ndarray, probs: np.ndarray, labeled: np.ndarray | None, k: int
) -> list[tuple[Ints, Floats]]:
    """(indices, gains) of CORESET and of least confidence."""
    embedding = check_matrix(embedding, "embedding")
    probs = check_probs(probs, len(embedding))
    inside = np.zeros(len(probs), bool) if labeled is None else labeled
    confident = top_k(doubt(probs), check_budget(k, int((~inside).sum())), inside)
    return [
        farthest_first(embedding, np.flatnonzero(inside), k),
        (confident.indices, confident.gains),
    ]
