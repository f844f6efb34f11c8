"""The BAIT paper's simulations: the Bayes risk by its definition, and what the figures say, on a small scale."""

import numpy as np
import pytest

from core.datasets import load
from core.experiments import simulations
from core.experiments.rounds import Setting
from core.experiments.simulations import bayes_risk, bayes_risks, design, forward_and_backward, intervals, represent, representations
from core.strategies.bait import bait_regression
from core.types import UserError


def forward(embedding, *, k, ridge):
    return bait_regression(embedding, k=k, ridge=ridge, backward=False)


def in_turn(embedding, *, k, ridge):
    """On axes, what log-det greedy does: every axis once, the likeliest first, then again; no axis beyond its copies."""
    axis = embedding.argmax(axis=1)
    copies = np.array([(axis[:i] == a).sum() for i, a in enumerate(axis)])
    return np.lexsort((axis, copies))[:k], np.zeros(k)


def test_bayes_risk_by_hand():
    # One dimension: points 1 and 2, second moment 5/2; with 2 known and ridge 1 the risk is 5/2 / (4 + 1).
    assert bayes_risk(np.array([[1.0], [2.0]]), np.array([1]), ridge=1.0) == pytest.approx(0.5, rel=1e-15)
    assert bayes_risk(np.array([[1.0], [2.0]]), np.array([], int), ridge=1.0) == pytest.approx(2.5, rel=1e-15)


def test_bayes_risk_is_bias_plus_variance():
    rng, ridge, noise = np.random.default_rng(0), 0.3, 0.7
    x = rng.normal(size=(50, 4))
    s = x[:9]
    estimate = np.linalg.inv(s.T @ s + ridge * noise**2 * np.eye(4))
    lost = np.eye(4) - estimate @ s.T @ s  # of the true weights, which are N(0, I / ridge)
    covariance = lost @ lost.T / ridge + noise**2 * estimate @ s.T @ s @ estimate
    expected = np.trace(covariance @ x.T @ x) / 50
    assert bayes_risk(x, np.arange(9), ridge, noise) == pytest.approx(expected, rel=1e-12)


def test_bayes_risk_is_baits_objective():
    x, ridge = design("gaussian", 200, 10, seed=1), 0.1
    indices, gains = forward(x, k=6, ridge=ridge)
    risks = [bayes_risk(x, indices[:j], ridge) for j in range(7)]
    assert gains == pytest.approx(-np.diff(risks), rel=1e-9)


def test_the_designs_share_their_covariance():
    expected = np.diag(1 / np.arange(1, 6) ** 2.0)
    expected /= np.trace(expected)
    for name in ("gaussian", "orthonormal"):
        x = design(name, 200_000, 5, seed=0)
        assert x.T @ x / len(x) == pytest.approx(expected, abs=0.01)
    assert set(np.unique(design("orthonormal", 50, 5, seed=0))) == {0, 1}
    with pytest.raises(UserError, match="gaussian or orthonormal"):
        design("uniform", 5, 5, seed=0)


def test_weighing_by_likelihood_pays_on_axes():
    """Figure 3, right: on the orthonormal design BAIT beats taking the axes in turn, and random."""
    settings = {"designs": ("orthonormal",), "budgets": (5, 20, 40), "seeds": range(1, 4), "n": 600, "d": 20}
    columns = bayes_risks({"bait": forward, "in turn": in_turn}, **settings)
    assert set(columns) == set(simulations.NAMES) and {len(column) for column in columns.values()} == {3 * 3 * 3}
    assert set(columns["strategy"]) == {"bait", "in turn", "random"}
    risk = {row[2:5]: row[6] for row in zip(*columns.values(), strict=True)}
    for seed in (1, 2, 3):
        assert risk["bait", seed, 40] < risk["bait", seed, 20] < risk["bait", seed, 5]
        assert all(risk["bait", seed, k] <= min(risk["in turn", seed, k], risk["random", seed, k]) + 1e-12 for k in (5, 20, 40))
        assert risk["bait", seed, 40] < 0.9 * risk["in turn", seed, 40]


def test_intervals_by_hand():
    values = (["3"] * 4, ["a"] * 4, ["x", "x", "x", "y"], [1, 2, 3, 1], [5] * 4, ["r"] * 4, [1.0, 2, 3, 7])
    columns = dict(zip(simulations.NAMES, values, strict=True))
    found = intervals(columns)
    assert found["strategy"] == ["x", "y"] and found["seeds"] == [3, 1] and found["mean"] == [2, 7]
    assert found["high"][0] == pytest.approx(2 + 4.30265 / np.sqrt(3), abs=1e-4)  # t of 2 degrees of freedom, standard deviation 1
    assert found["low"][0] + found["high"][0] == pytest.approx(4) and np.isnan(found["low"][1])


@pytest.fixture(scope="module")
def digits():
    return load("digits")


def test_both_representations_describe_the_same_half(digits):
    learned, random = (represent(digits, kind, seed=1, width=16, epochs=1) for kind in ("learned", "random"))
    assert learned.points.shape == random.points.shape == (len(learned), 16)
    assert np.array_equal(learned.index, random.index) and len(set(learned.index)) == len(learned)
    label_of = dict(zip(digits.index, digits.labels, strict=True))
    assert learned.labels.tolist() == random.labels.tolist() == [label_of[i] for i in learned.index]
    assert learned.points.min() >= 0 and random.points.min() < 0  # behind a ReLU, and not
    other = represent(digits, "random", seed=2, width=16)
    assert not np.array_equal(other.index, random.index)
    with pytest.raises(UserError, match="learned or random"):
        represent(digits, "raw", seed=1)


def test_rounds_on_representations_and_networks_give_rows_for_every_strategy(digits):
    small = Setting(network="linear", batch=5, rounds=2, start=20, until="epochs", epochs=2)
    columns = representations(digits, kinds=("random",), seeds=(1,), setting=small)
    expected = [(name, labels) for name in ("bait:backward=False", "bait:backward=False:fisher=False", "random") for labels in (20, 25, 30)]
    assert list(zip(columns["strategy"], columns["budget"], strict=True)) == expected
    assert set(columns["design"]) == {"random"} and all(0 <= value <= 1 for value in columns["value"])
    assert len({columns["value"][i] for i in (0, 3, 6)}) == 1  # the first labels and networks are the same for all
    mlp = Setting(network="mlp", batch=5, rounds=1, start=20, until="epochs", epochs=2, pool=200)
    columns = forward_and_backward(digits, seeds=(1, 2), setting=mlp)
    assert columns["strategy"] == [name for _ in range(2) for name in ("bait", "bait:backward=False", "random") for _ in range(2)]
    assert columns["seed"] == [1] * 6 + [2] * 6 and columns["budget"] == [20, 25] * 6
