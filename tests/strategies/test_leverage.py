"""Leverage against its definition, its identities, and the published ranks of MNIST."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from core.datasets import load
from core.embeddings import embed
from core.linalg import row_blocks
from core.linalg.whitening import spectrum, whiten
from core.strategies.leverage import RIDGES, effective_rank, leverage
from core.types import UserError


def slow_leverage(x, ridge=0.0):
    """The definition: the diagonal of X (X^T X + ridge I)^+ X^T."""
    x = x.astype(np.float64)
    return np.diag(
        x @ np.linalg.pinv(x.T @ x + ridge * np.eye(x.shape[1]), rcond=1e-12, hermitian=True) @ x.T
    )


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(size=(60, 7))


def test_the_ridges_offered_reach_from_no_effect_to_no_score_left():
    digits = load_digits().data.astype(np.float32)
    assert RIDGES[0] == 0 and np.allclose(np.divide(RIDGES[2:], RIDGES[1:-1]), 10)
    least, most = (leverage(digits, ridge=ridge).sum() for ridge in RIDGES[1 :: len(RIDGES) - 2])
    assert least > 0.99 * effective_rank(digits) and most < 0.01 * effective_rank(digits)


@pytest.mark.parametrize("power", [-450, 450])
def test_data_beyond_1e125_take_the_ridge_in_their_own_unit(x, power):
    size = 2.0**power
    assert leverage(size * x, ridge=2.5 * size**2) == pytest.approx(
        leverage(x, ridge=2.5), rel=1e-12
    )


@pytest.fixture
def deficient():
    """500 x 20 with a zero column, one exact combination and one constant column: rank 18."""
    x = np.random.default_rng(1).normal(size=(500, 20))
    x[:, 4] = 0
    x[:, 7] = x[:, 1] - 2 * x[:, 2]
    x[:, 9] = 3.0
    return x


def test_by_hand():
    # Two points on the first axis, at 1 and 2: l = 1/5 and 4/5. One alone on the second axis: l =
    # 1.
    assert leverage(np.array([[1.0, 0], [2, 0], [0, 5]])) == pytest.approx(
        [0.2, 0.8, 1.0], abs=1e-14
    )


def test_equals_definition(x):
    assert leverage(x) == pytest.approx(slow_leverage(x), abs=1e-13)
    assert leverage(x, ridge=2.5) == pytest.approx(slow_leverage(x, 2.5), abs=1e-13)


def test_rank_deficient_sums_to_rank(deficient):
    scores = leverage(deficient)
    assert effective_rank(deficient) == 18
    assert abs(scores.sum() - 18) < 1e-10
    assert scores.min() >= 0 and scores.max() <= 1 + 1e-12
    assert whiten(deficient).dead.nonzero()[0].tolist() == [4]


def test_duplicate_columns_change_nothing(x):
    assert leverage(np.hstack([x, x[:, :3]])) == pytest.approx(leverage(x), abs=1e-12)


def test_invariances(x):
    rng = np.random.default_rng(2)
    assert np.abs(leverage(x @ rng.normal(size=(7, 7))) - leverage(x)).max() < 1e-10
    assert np.abs(leverage(x * 10.0 ** rng.integers(-6, 6, 7)) - leverage(x)).max() < 1e-10
    order = rng.permutation(len(x))
    assert np.abs(leverage(x[order]) - leverage(x)[order]).max() < 1e-13


def test_badly_conditioned_columns_get_a_second_pass():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(400, 6))
    x[:, 5] = x[:, 0] + 1e-4 * rng.normal(
        size=400
    )  # nearly the same direction: condition number about 1e4
    q, _ = np.linalg.qr(x)
    assert whiten(x).condition > 5e3
    assert np.abs(leverage(x) - (q**2).sum(1)).max() < 1e-11


def test_ridge_sum_is_effective_dimension_and_decreases(x):
    squares = np.linalg.svd(x, compute_uv=False) ** 2
    previous = leverage(x)
    for ridge in (1e-3, 0.1, 1.0, 100.0):
        scores = leverage(x, ridge=ridge)
        assert scores.sum() == pytest.approx((squares / (squares + ridge)).sum(), rel=1e-12)
        assert (scores < previous).all()
        previous = scores
    assert leverage(x, ridge=1e-9) == pytest.approx(leverage(x), abs=1e-6)


def test_ridge_one_is_the_dpp_inclusion_probability(x):
    kernel = x @ x.T
    assert leverage(x, ridge=1.0) == pytest.approx(
        np.diag(kernel @ np.linalg.inv(kernel + np.eye(60))), abs=1e-12
    )


def test_rank_k(x):
    previous = np.zeros(len(x))
    for k in range(1, 8):
        scores = leverage(x, rank=k)
        assert scores.sum() == pytest.approx(k, abs=1e-10)
        assert (scores >= previous - 1e-12).all()
        previous = scores
    assert previous == pytest.approx(leverage(x), abs=1e-12)
    with pytest.raises(UserError, match="has rank 7"):
        leverage(x, rank=8)


def test_intercept_is_centring_plus_one_over_n(x):
    with_ones = np.hstack([np.ones((60, 1)), x])
    assert leverage(with_ones) == pytest.approx(1 / 60 + leverage(x - x.mean(0)), abs=1e-12)


def test_copies_share_their_leverage(x):
    m, h = 4, leverage(x)[0]
    copies = leverage(np.vstack([x, np.repeat(x[:1], m - 1, axis=0)]))
    assert copies[[0, 60, 61, 62]] == pytest.approx([h / (1 + (m - 1) * h)] * 4, abs=1e-12)


def test_leverage_is_what_the_determinant_loses(x):
    without = np.delete(x, 3, axis=0)
    expected = np.log1p(-leverage(x)[3]) + np.linalg.slogdet(x.T @ x)[1]
    assert np.linalg.slogdet(without.T @ without)[1] == pytest.approx(expected, abs=1e-10)


def test_leave_one_out_residual(x):
    rng = np.random.default_rng(4)
    y = rng.normal(size=60)
    residual = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    for i in (0, 17):
        rest = np.delete(np.arange(60), i)
        left_out = y[i] - x[i] @ np.linalg.lstsq(x[rest], y[rest], rcond=None)[0]
        assert residual[i] / (1 - leverage(x)[i]) == pytest.approx(left_out, abs=1e-10)


def test_in_blocks_equals_at_once(x, monkeypatch):
    expected = leverage(x), leverage(x, ridge=1.0)
    monkeypatch.setattr(row_blocks.blocks, "__defaults__", (np.float64, 9))
    assert np.abs(leverage(x) - expected[0]).max() < 1e-13
    assert np.abs(leverage(x, ridge=1.0) - expected[1]).max() < 1e-13


def test_all_zero_embedding_has_no_leverage():
    assert leverage(np.zeros((5, 3))).tolist() == [0] * 5
    assert effective_rank(np.zeros((5, 3))) == 0


def test_spectrum_is_kept_only_for_read_only_arrays(x):
    assert spectrum(x) is not spectrum(x)
    before = leverage(x, ridge=1.0)
    x[0] *= 2  # a writable array may change: the answer must follow
    assert not np.allclose(leverage(x, ridge=1.0), before)
    x.flags.writeable = False
    assert spectrum(x) is spectrum(x)


@pytest.mark.parametrize(
    "bad", [np.array([[1.0, np.nan]]), np.zeros((0, 3)), np.zeros(4), np.array([["a"]])]
)
def test_bad_embeddings_are_refused(bad):
    with pytest.raises(UserError, match="embedding"):
        leverage(bad)


@pytest.fixture(scope="module")
def mnist():
    return load("mnist")


def test_rank_of_the_test_digits(mnist):
    """The other parts: tests/benchmarks/shipped_in_full.py."""
    x = embed(mnist, "raw").embedding[mnist.test]
    scores = leverage(x)
    assert effective_rank(x) == 661
    assert abs(scores.sum() - 661) < 1e-6
    assert (~whiten(x).dead).sum() == 668


WIDE = {
    "full rank": lambda rng: rng.standard_normal((30, 80)),
    "rank 5": lambda rng: rng.standard_normal((30, 5)) @ rng.standard_normal((5, 80)),
    "every point twice": lambda rng: np.vstack([rng.standard_normal((10, 80))] * 2),
    "dead columns": lambda rng: np.hstack([rng.standard_normal((20, 40)), np.zeros((20, 9))]),
    "columns of very different size": lambda rng: (
        rng.standard_normal((20, 60)) * np.logspace(-6, 6, 60)
    ),
    "more columns than a block": lambda rng: rng.standard_normal((12, 2500)),
}


@pytest.mark.parametrize("kind", WIDE)
def test_fewer_points_than_dimensions_by_singular_values(kind):
    """From the points' own Gram matrix: the same scores, rank, axes and ridge as from the
    definition.
    """
    x = WIDE[kind](np.random.default_rng(0))
    norms = np.linalg.norm(x, axis=0)
    scaled = x / np.where(norms > 0, norms, 1)
    u, s, _ = np.linalg.svd(scaled, full_matrices=False)
    r = int((s > 1e-8 * s[0]).sum())
    whitening = whiten(x)
    assert whitening.rank == r and (whitening.dead == (norms == 0)).all()
    np.testing.assert_allclose(leverage(x), (u[:, :r] ** 2).sum(axis=1), rtol=0, atol=1e-9)
    np.testing.assert_allclose(whitening.axes.T @ whitening.axes, np.eye(r), atol=1e-8)
    np.testing.assert_allclose(
        (x @ whitening.weights).T @ (x @ whitening.weights), np.eye(r), atol=1e-8
    )
    by_hand = np.einsum("ij,ij->i", x @ np.linalg.inv(x.T @ x + 0.5 * np.eye(x.shape[1])), x)
    np.testing.assert_allclose(leverage(x, ridge=0.5), by_hand, rtol=1e-6, atol=1e-9)


def test_as_many_directions_as_points_rank_nothing():
    """Every leverage is 1; what rounding leaves of that must not become a ranking."""
    x = np.random.default_rng(1).standard_normal((40, 40)) * np.logspace(-3, 3, 40)
    for wide in (x, np.hstack([x, x])):
        assert (leverage(wide) == 1.0).all()
    assert len(np.unique(leverage(np.vstack([x, x[:1]])))) > 1
