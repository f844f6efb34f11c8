"""Does the bandit of ALBL weigh points by their own probability, and find the arm that helps?"""

import numpy as np
import pytest

from core.strategies.albl import Bandit, accuracy, albl, learn, play, start, suggestions
from core.strategies.coreset import k_center
from core.strategies.uncertainty import least_confidence
from core.strategy import top_k
from core.types import UserError
from tests.strategies.test_badge import problem

APART = [np.array([0, 1, 2]), np.array([3, 4, 5])]
SHARED = [np.array([0, 1, 2]), np.array([2, 3, 4])]


def test_chances_by_hand():
    bandit = Bandit(np.log([3.0, 1.0]), rounds=5)
    assert bandit.floor == 0.05
    assert bandit.chances == pytest.approx([0.9 * 0.75 + 0.05, 0.9 * 0.25 + 0.05], abs=1e-15)
    assert Bandit(np.array([0.0, -2000.0]), rounds=5).chances == pytest.approx(
        [0.95, 0.05], abs=1e-15
    )


def test_a_point_is_asked_with_the_probability_of_all_arms_that_suggest_it():
    bandit = Bandit(np.log([3.0, 1.0]), rounds=5)
    p, rng = bandit.chances, np.random.default_rng(0)
    rounds = [play(bandit, SHARED, rng) for _ in range(4000)]
    by_arm = {r.arm: r for r in rounds}
    assert by_arm[0].probabilities == pytest.approx([p[0], p[0], 1], abs=1e-15)
    assert by_arm[1].probabilities == pytest.approx([1, p[1], p[1]], abs=1e-15)
    asked = np.bincount(np.concatenate([r.indices for r in rounds]), minlength=5) / 4000
    assert np.abs(asked - [p[0], p[0], 1, p[1], p[1]]).max() < 0.03


def test_the_update_by_hand():
    bandit = Bandit(np.zeros(2), rounds=8, delta=0.1)
    played = next(
        r for r in (play(bandit, APART, np.random.default_rng(s)) for s in range(20)) if r.arm == 1
    )
    bonus = np.sqrt(np.log(20) / 16)  # log(A / delta) / (A T)
    expected = 0.025 * np.array([bonus / 0.5, (0.6 + bonus) / 0.5])
    assert learn(bandit, played, 0.6).log_weights == pytest.approx(expected, abs=1e-15)
    assert bandit.log_weights.tolist() == [0, 0]


def test_a_point_of_both_arms_credits_both():
    played = play(start(8), SHARED, np.random.default_rng(0))
    both = learn(start(8), played, 1.0).log_weights - learn(start(8), played, 0.0).log_weights
    other = 1 - played.arm
    assert both[other] == pytest.approx(
        0.025 * 1 / 3, abs=1e-15
    )  # one of its three points was asked, with probability 1
    assert both[played.arm] == pytest.approx(0.025 * (2 / 0.5 + 1) / 3, abs=1e-15)


def test_the_estimate_of_an_arms_reward_is_unbiased():
    bandit = Bandit(np.log([4.0, 1.0]), rounds=8)
    rng, rewards = np.random.default_rng(1), (0.3, 0.8)
    steps = []
    for _ in range(6000):
        played = play(bandit, APART, rng)
        plain = learn(bandit, played, 0.0).log_weights
        steps.append(
            (learn(bandit, played, rewards[played.arm]).log_weights - plain) / (bandit.floor / 2)
        )
    assert np.mean(steps, axis=0) == pytest.approx(rewards, abs=0.08)


def test_the_better_arm_wins():
    bandit, rng = start(400), np.random.default_rng(2)
    for _ in range(400):
        played = play(bandit, APART, rng)
        bandit = learn(bandit, played, (0.2, 0.9)[played.arm])
    assert bandit.chances[1] > 0.9 and bandit.chances.min() >= bandit.floor


def test_accuracy_weighs_rarely_asked_points_more():
    assert accuracy(np.array([True, False]), np.array([0.25, 0.5])) == pytest.approx(
        4 / 6, abs=1e-15
    )
    assert (
        accuracy(np.array([True, True]), np.array([0.1, 0.9])) == 1
        and accuracy(np.array([], bool), np.array([])) == 0
    )


def test_one_round_is_one_of_the_two_batches_each_as_often():
    h, probs = problem(n=40)
    labeled = np.arange(40) < 5
    core, confident = k_center(h, labeled, k=6), top_k(least_confidence(probs), 6, labeled)
    assert not np.array_equal(core[0], confident.indices)
    rng, drawn = np.random.default_rng(3), []
    for _ in range(400):
        indices, gains = albl(h, probs, labeled, k=6, rng=rng)
        drawn.append(np.array_equal(indices, core[0]))
        assert np.array_equal(indices, core[0] if drawn[-1] else confident.indices)
        assert np.array_equal(gains, core[1] if drawn[-1] else confident.gains)
    assert 150 < sum(drawn) < 250


def test_an_empty_batch_teaches_nothing_and_breaks_nothing():
    h, probs = problem()
    played = play(
        start(3),
        [indices for indices, _ in suggestions(h, probs, None, 0)],
        np.random.default_rng(0),
    )
    assert len(played.indices) == 0 and np.isfinite(learn(start(3), played, 0.5).chances).all()


def test_bad_rewards_and_rounds_are_refused():
    with pytest.raises(UserError, match="a reward of"):
        learn(start(3), play(start(3), APART, np.random.default_rng(0)), 1.5)
    with pytest.raises(UserError, match="0 rounds"):
        start(0)
