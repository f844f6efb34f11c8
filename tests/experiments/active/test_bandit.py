"""Does ALBL's bandit, kept over the rounds of a run, find the arm that helps, with each point
weighed by its own probability?
"""

import numpy as np
import pytest

from core.experiments.active.bandit import Arms
from core.strategies import albl
from core.strategies.albl import accuracy, learn, play, start
from core.types import Embedded

POOL, K = 40, 4
EMBEDDED = Embedded(
    np.zeros((POOL, 2), np.float32), np.full((POOL, 2), 0.5), labeled=np.zeros(POOL, bool)
)


@pytest.fixture
def suggested(monkeypatch):
    """suggested(batches): from now on the arms suggest these."""

    def set_to(batches):
        monkeypatch.setattr(
            albl,
            "suggestions",
            lambda *_: [(np.array(batch), np.zeros(len(batch))) for batch in batches],
        )

    return set_to


def toy(suggested, rounds, seed, overlap=0):
    """A world in which a round with arm 1 teaches nothing: what was asked so far is then predicted
    at 1 in 5, after arm 0 at 9 in 10.
    """
    suggested([range(K), range(K - overlap, 2 * K - overlap)])
    arms, rng = Arms(rounds), np.random.default_rng(seed)
    for _ in range(rounds):
        arms.choose(EMBEDDED, K, rng)
        arms.learn(rng.random(len(arms.asked)) < (0.9, 0.2)[arms.played[-1].arm])
    return arms


@pytest.mark.parametrize("overlap", [0, 2])
def test_the_useless_arm_is_left(suggested, overlap):
    for seed in range(3):
        arms = toy(suggested, 400, seed, overlap)
        assert arms.bandit.chances[0] > 0.85, "the useful one"
        drawn = np.array([played.arm for played in arms.played])
        assert (drawn[-100:] == 0).mean() > (drawn[:100] == 0).mean() > 0.4
        assert arms.bandit.chances.min() >= arms.bandit.floor, (
            "and the other is still asked now and then"
        )


def test_two_rounds_by_hand(suggested):
    suggested([[0, 1], [1, 2]])  # point 1 is both arms', so it is asked in any case
    arms, bandit = Arms(2), start(2)
    rng, twin = np.random.default_rng(0), np.random.default_rng(0)
    first = play(bandit, [np.array([0, 1]), np.array([1, 2])], twin)
    assert arms.choose(EMBEDDED, 2, rng).tolist() == first.indices.tolist()
    arms.learn(np.array([True, False]))
    weights = 1 / np.where(first.indices == 1, 1.0, 0.5)
    assert arms.rewards == [pytest.approx(weights[0] / weights.sum())]
    bandit = learn(bandit, first, arms.rewards[0])
    assert arms.bandit.log_weights.tolist() == bandit.log_weights.tolist()

    second = play(bandit, [np.array([0, 1]), np.array([1, 2])], twin)
    arms.choose(EMBEDDED, 2, rng)
    right = np.array([True, False, True, True])
    arms.learn(right)
    q = np.concatenate([first.probabilities, second.probabilities])
    assert (
        arms.rewards[1]
        == pytest.approx(accuracy(right, q))
        == pytest.approx((right / q).sum() / (1 / q).sum())
    )
    assert (
        arms.bandit.log_weights.tolist()
        == learn(bandit, second, arms.rewards[1]).log_weights.tolist()
    )


def test_what_is_told_of_a_run(suggested):
    arms = toy(suggested, 5, seed=1)
    told = arms.told
    assert told["log_weights"][0].tolist() == [0, 0] and np.array_equal(
        told["log_weights"][1:], arms.weights[1:]
    )
    assert np.isnan(told["reward"][0]) and told["reward"][1:].tolist() == arms.rewards[:4]
    assert told["arm"].tolist() == [played.arm for played in arms.played]
    silent = Arms.silent(5)
    assert {name: len(array) for name, array in silent.items()} == {
        name: len(array) for name, array in told.items()
    }


def test_weights_of_a_round_come_back(suggested):
    arms = toy(suggested, 30, seed=2)
    again = Arms(30)
    again.restore(arms.told["log_weights"][20])
    expected = play(
        arms.bandit.__class__(arms.weights[20], 30),
        [np.arange(K), np.arange(K, 2 * K)],
        np.random.default_rng(7),
    )
    assert again.choose(EMBEDDED, K, np.random.default_rng(7)).tolist() == expected.indices.tolist()


def test_the_weighted_accuracy_counts_every_suggested_point_alike_on_average(suggested):
    """Importance weights: over the draws, sum right / q is the number of right answers among all
    points that any arm suggested.
    """
    batches, right = (
        [np.array([0, 1, 2]), np.array([2, 3, 4, 5])],
        np.array([1, 0, 1, 1, 0, 0], bool),
    )
    bandit, rng = albl.Bandit(np.log([3.0, 1.0]), 1), np.random.default_rng(0)
    rounds = [play(bandit, batches, rng) for _ in range(4000)]
    assert np.mean([(right[r.indices] / r.probabilities).sum() for r in rounds]) == pytest.approx(
        right.sum(), rel=0.03
    )
