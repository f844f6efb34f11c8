"""ALBL's bandit (core/strategies/albl.py) over the rounds of a run, told what its picks were worth.

    arms = Arms(rounds)
    arms.choose(embedded, k, rng)      draws an arm by its weight; its batch is asked
    arms.learn(right)                  after training: is each point asked so far predicted, without
                                       its own label?

A point's right answer counts 1 / q, q the probability with which it was asked in its round: that of
all arms that suggested it, not of the arm drawn. The reward is the accuracy so weighted over all
points that the arms asked so far; the first random labels are not theirs.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from core.strategies import albl
from core.strategies.albl import Bandit, Round
from core.types import Bools, Embedded, Floats, Ints

ARMS = 2  # CORESET and least confidence


@dataclass(eq=False)
class Arms:
    """The state of one run.

    bandit: the weights now; played: the rounds so far; rewards: what `learn` heard after each.
    """

    rounds: int
    bandit: Bandit = field(init=False)
    played: list[Round] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    weights: list[Floats] = field(default_factory=list)

    def __post_init__(self):
        self.bandit = albl.start(self.rounds, ARMS)

    @property
    def asked(self) -> Ints:
        """Places in the pool of all points asked so far, in order."""
        if not self.played:
            return np.zeros(0, np.int64)
        return np.concatenate([played.indices for played in self.played])

    def choose(self, embedded: Embedded, k: int, rng: np.random.Generator) -> Ints:
        """The batch of the arm drawn, (k,) places in the pool, none of them labeled."""
        suggested = albl.suggestions(embedded.embedding, embedded.probs, embedded.labeled, k)
        self.weights.append(self.bandit.log_weights)
        self.played.append(albl.play(self.bandit, [indices for indices, _ in suggested], rng))
        return self.played[-1].indices

    def learn(self, right: Bools) -> None:
        """After the round was trained on: which of the points asked so far are predicted rightly.

        right (asked,): by predictions that did not see the point's label, in the order of `asked`.
        """
        probabilities = np.concatenate([played.probabilities for played in self.played])
        self.rewards.append(albl.accuracy(right, probabilities))
        self.bandit = albl.learn(self.bandit, self.played[-1], self.rewards[-1])

    def restore(self, log_weights: Floats) -> None:
        """The weights as they were before some round."""
        self.bandit = replace(self.bandit, log_weights=np.asarray(log_weights, np.float64))

    @property
    def told(self) -> dict[str, np.ndarray]:
        """Arrays over the rounds (r,): arm, log_weights (r, 2), reward.

        arm: the one drawn; log_weights and reward: before it (the first reward is NaN).
        """
        rewards = [np.nan, *self.rewards][: len(self.played)]
        arm = np.array([played.arm for played in self.played], np.int64)
        return {
            "arm": arm,
            "log_weights": np.reshape(self.weights, (-1, ARMS)),
            "reward": np.array(rewards),
        }

    @staticmethod
    def silent(rounds: int) -> dict[str, np.ndarray]:
        """The same arrays for a strategy without arms."""
        return {
            "arm": np.full(rounds, -1),
            "log_weights": np.zeros((rounds, 0)),
            "reward": np.full(rounds, np.nan),
        }
