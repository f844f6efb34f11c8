"""The BAIT paper's simulations: the Bayes risk by its definition, and what the figures say, on a
small scale.
"""

import numpy as np
import pytest

from core.datasets import load
from core.experiments.active.strategy_texts import parse_strategy
from core.experiments.simulations import representations
from core.experiments.simulations.bayes_risk import bayes_risk, design, risks
from core.experiments.simulations.representations import halves, represent
from core.strategies.bait import bait_regression
from core.strategies.leverage import leverage
from core.types import UserError

FORWARD = "bait_regression:backward=False"
SMALL = {"budgets": (5, 20, 40), "n": 600, "d": 20}


def measured(design, text, seed, **how):
    name, knobs = parse_strategy(text)
    return risks(design, name, seed, knobs=dict(knobs), **how)


def forward(embedding, *, k, ridge):
    return bait_regression(embedding, k=k, ridge=ridge, backward=False)


def test_bayes_risk_by_hand():
    # One dimension: points 1 and 2, second moment 5/2; with 2 known and ridge 1 the risk is 5/2 /
    # (4 + 1).
    assert bayes_risk(np.array([[1.0], [2.0]]), np.array([1]), ridge=1.0) == pytest.approx(
        0.5, rel=1e-15
    )
    assert bayes_risk(np.array([[1.0], [2.0]]), np.array([], int), ridge=1.0) == pytest.approx(
        2.5, rel=1e-15
    )


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
    """Figure 3, right: on the orthonormal design BAIT beats log-det, which takes the axes in turn,
    and random.
    """
    for seed in (1, 2, 3):
        bait, log_det, random = (
            measured("orthonormal", name, seed, **SMALL) for name in (FORWARD, "log_det", "random")
        )
        assert (
            (np.diff(bait) < 0).all()
            and (bait <= np.minimum(log_det, random) + 1e-12).all()
            and bait[-1] < 0.9 * log_det[-1]
        )
        points = design("orthonormal", 600, 20, seed)
        axes = points[
            np.unique(points.argmax(axis=1), return_index=True)[1]
        ]  # one point of each axis that was drawn
        every_axis_once = (
            np.trace(np.linalg.solve(axes.T @ axes + 1e-2 * np.eye(20), points.T @ points)) / 600
        )
        once = measured("orthonormal", "log_det", seed, budgets=(len(axes),), n=600, d=20)
        assert once == pytest.approx([every_axis_once], rel=1e-9), (
            "log-det takes the axes in turn, however rare"
        )


def test_without_axes_log_det_does_as_well():
    """Figure 3, left: on the Gaussian design the two are almost the same."""
    bait, log_det = (
        np.mean([measured("gaussian", name, seed) for seed in (1, 2, 3)], axis=0)
        for name in (FORWARD, "log_det")
    )
    assert log_det == pytest.approx(bait, rel=0.08)


def test_every_strategy_knows_the_prior():
    points = design("gaussian", 600, 20, seed=1)
    expected = [
        bayes_risk(points, np.argsort(-leverage(points, ridge=0.3), kind="stable")[:k], 0.3)
        for k in SMALL["budgets"]
    ]
    assert measured("gaussian", "leverage", 1, **SMALL, ridge=0.3) == pytest.approx(
        expected, rel=1e-12
    )
    picked = [
        bait_regression(points, k=k, ridge=0.3)[0] for k in SMALL["budgets"]
    ]  # points taken back: anew for each budget
    expected = [bayes_risk(points, chosen, 0.3) for chosen in picked]
    assert measured("gaussian", "bait_regression", 1, **SMALL, ridge=0.3) == pytest.approx(
        expected, rel=1e-12
    )


def test_a_random_batch_grows_and_its_seed_decides():
    once, again, other = (measured("gaussian", "random", seed, **SMALL) for seed in (1, 1, 2))
    assert (
        (np.diff(once) < 0).all()
        and np.array_equal(once, again)
        and not np.array_equal(once, other)
    )


@pytest.fixture(scope="module")
def digits():
    return load("digits")


def test_both_representations_describe_the_same_half(digits):
    learned, random = (
        represent(digits, kind, seed=1, width=16, epochs=1) for kind in ("learned", "random")
    )
    assert learned.points.shape == random.points.shape == (len(learned), 16)
    assert np.array_equal(learned.index, random.index) and len(set(learned.index)) == len(learned)
    label_of = dict(zip(digits.index, digits.labels, strict=True))
    assert learned.labels.tolist() == random.labels.tolist() == [label_of[i] for i in learned.index]
    assert learned.points.min() >= 0 and random.points.min() < 0  # behind a ReLU, and not
    other = represent(digits, "random", seed=2, width=16)
    assert not np.array_equal(other.index, random.index)
    with pytest.raises(UserError, match="learned or random"):
        represent(digits, "raw", seed=1)


def test_the_halves_share_no_point(digits):
    part, fitted = halves(digits, seed=1)
    train = int((~part.test).sum())
    assert not set(part.index) & set(digits.index[fitted]) and abs(train - len(fitted)) <= 1
    assert train + int(part.test.sum()) + len(fitted) == len(digits)
    assert (
        representations.represent(digits, "random", seed=1, width=4).index.tolist()
        == part.index.tolist()
    )
