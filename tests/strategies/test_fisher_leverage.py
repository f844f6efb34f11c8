"""Fisher leverage against its definition and against ridge leverage."""

import numpy as np
import pytest

from core.strategies.fisher_leverage import block_leverage, fisher_leverage
from core.strategies.leverage import effective_rank, leverage
from core.types import UserError


@pytest.fixture
def points():
    rng = np.random.default_rng(0)
    return rng.normal(size=(40, 3)), rng.dirichlet(np.ones(4), size=40)


def gradients(h, p):
    """V_x^T (n, c, c d): row y is sqrt(p_y) (e_y - p) (x) h."""
    rows = np.sqrt(p)[:, :, None] * (np.eye(p.shape[1]) - p[:, None, :])
    return np.einsum("nya,nd->nyad", rows, h).reshape(len(h), p.shape[1], -1)


def test_equals_definition_in_all_classes(points):
    v = gradients(*points)
    inverse = np.linalg.inv(np.einsum("nya,nyb->ab", v, v) + 0.3 * np.eye(v.shape[2]))
    assert fisher_leverage(*points, ridge=0.3) == pytest.approx(
        np.einsum("nya,ab,nyb->n", v, inverse, v), abs=1e-13
    )


def test_by_hand():
    # Two classes at 1/2: Lambda is 1/2 in the one contrast. h = 1 and 2: F = 5/2, s = (1/2) h^2 /
    # (5/2 + 1).
    assert fisher_leverage(
        np.array([[1.0], [2.0]]), np.full((2, 2), 0.5), ridge=1.0
    ) == pytest.approx([1 / 7, 4 / 7], abs=1e-15)


def test_one_block_is_ridge_leverage(points):
    h, _ = points
    for ridge in (0.01, 1.0, 50.0):
        assert block_leverage(h, np.ones((40, 1, 1)), ridge) == pytest.approx(
            leverage(h, ridge=ridge), abs=1e-13
        )
        assert fisher_leverage(h, np.full((40, 2), 0.5), ridge=ridge) == pytest.approx(
            leverage(h, ridge=2 * ridge), abs=1e-13
        )


def test_equal_probabilities_give_leverage_once_for_every_contrast(points):
    h, _ = points
    assert fisher_leverage(h, np.full((40, 4), 0.25), ridge=1e-9) == pytest.approx(
        3 * leverage(h), abs=1e-6
    )


def test_sums_to_the_effective_dimension(points):
    v = gradients(*points)
    eigenvalues = np.linalg.eigvalsh(np.einsum("nya,nyb->ab", v, v))
    previous = np.full(40, np.inf)
    for ridge in (1e-4, 0.1, 10.0):
        scores = fisher_leverage(*points, ridge=ridge)
        assert scores.sum() == pytest.approx((eigenvalues / (eigenvalues + ridge)).sum(), rel=1e-9)
        assert (
            scores.sum() < 3 * effective_rank(points[0]) and scores.min() >= 0 and scores.max() <= 3
        )
        assert (scores < previous).all()
        previous = scores


def test_rotation_padding_and_class_order_change_nothing(points):
    h, p = points
    expected = fisher_leverage(h, p, ridge=0.3)
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    assert fisher_leverage(h @ rotation, p, ridge=0.3) == pytest.approx(expected, abs=1e-13)
    assert fisher_leverage(np.insert(h, [0, 2], 0, axis=1), p, ridge=0.3) == pytest.approx(
        expected, abs=1e-14
    )
    assert fisher_leverage(h, p[:, ::-1], ridge=0.3) == pytest.approx(expected, abs=1e-13)


def test_certain_points_score_exactly_zero(points):
    h, p = points
    p[:5] = np.eye(4)[[0, 1, 2, 3, 0]]
    scores = fisher_leverage(h, p)
    assert scores[:5].tolist() == [0] * 5 and (scores[5:] > 0).all()
    assert fisher_leverage(np.zeros((3, 2)), np.full((3, 2), 0.5)).tolist() == [0] * 3


def test_bad_input_is_refused(points):
    h, p = points
    with pytest.raises(UserError, match="ridge"):
        fisher_leverage(h, p, ridge=0.0)
    with pytest.raises(UserError, match="39 rows"):
        fisher_leverage(h, p[:39])
    with pytest.raises(UserError, match="logits"):
        fisher_leverage(h, 3 * p)
