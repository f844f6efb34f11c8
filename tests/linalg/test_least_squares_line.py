"""The regression against its definitions: normal equations, refits without each point, a published
example.
"""

import numpy as np
import pytest

from core.linalg.least_squares_line import fit, hat_values, mahalanobis
from core.strategies.leverage import leverage
from core.types import UserError

# Anscombe 1973, the fourth set: ten points at x = 8 and one at x = 19 that alone decides the slope.
FOURTH_X = np.array([[8.0]] * 7 + [[19.0]] + [[8.0]] * 3)
FOURTH_Y = np.array([6.58, 5.76, 7.71, 8.84, 8.47, 7.04, 5.25, 12.5, 5.56, 7.91, 6.89])


def data(n=14, p=2, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, p)) * 3 + 5, rng.normal(size=n) * 2 - 1


def slow(x, y, ridge=0.0):
    """(coefficients, hat matrix) from the normal equations of [1, x], the intercept without
    penalty.
    """
    z = np.column_stack([np.ones(len(x)), x])
    penalty = ridge * np.diag([0.0] + [1.0] * x.shape[1])
    inverse = np.linalg.pinv(z.T @ z + penalty, hermitian=True)
    return inverse @ z.T @ y, z @ inverse @ z.T


def slow_cooks(x, y, ridge=0.0):
    """The squared movement of all fitted values when one point is left out and the rest is fitted
    again.
    """
    coefficients, hat = slow(x, y, ridge)
    z, degrees = np.column_stack([np.ones(len(x)), x]), np.trace(hat)
    variance = ((y - z @ coefficients) ** 2).sum() / (len(x) - degrees)
    refits = [slow(np.delete(x, i, axis=0), np.delete(y, i), ridge)[0] for i in range(len(x))]
    return np.array(
        [((z @ (coefficients - refit)) ** 2).sum() / (degrees * variance) for refit in refits]
    )


def test_by_hand():
    # x = 0, 1, 2, 3 and y = 0, 2, 1, 5: mean 1.5 and 2, sum of c^2 = 5, sum of c y = 7, slope 1.4,
    # intercept -0.1.
    line = fit(np.array([[0.0], [1], [2], [3]]), np.array([0.0, 2, 1, 5]))
    assert line.slopes == pytest.approx([1.4]) and line.intercept == pytest.approx(-0.1)
    assert line.residuals == pytest.approx([0.1, 0.7, -1.7, 0.9])
    assert line.hat_values == pytest.approx([0.7, 0.3, 0.3, 0.7])
    assert line.hat_row(3) == pytest.approx([-0.2, 0.1, 0.4, 0.7])
    # s^2 = (0.01 + 0.49 + 2.89 + 0.81) / 2 = 2.1, and D_4 = 0.81 * 0.7 / (2 * 2.1 * 0.09) = 1.5.
    assert line.cooks[3] == pytest.approx(1.5)
    assert line.mahalanobis[3] == pytest.approx(np.sqrt(3 * 0.45))


def test_anscombe():
    x, y = (
        np.arange(4.0, 15)[:, None],
        np.array([4.26, 5.68, 7.24, 4.82, 6.95, 8.81, 8.04, 8.33, 10.84, 7.58, 9.96]),
    )
    line = fit(x, y)
    assert line.slopes == pytest.approx([0.5001], abs=5e-5) and line.intercept == pytest.approx(
        3.0001, abs=5e-5
    )
    fourth = fit(FOURTH_X, FOURTH_Y)
    assert fourth.slopes == pytest.approx([0.4999], abs=5e-5) and fourth.intercept == pytest.approx(
        3.0017, abs=5e-5
    )
    assert fourth.hat_values[7] == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("p", [1, 2, 4])
@pytest.mark.parametrize("ridge", [0.0, 0.3, 20.0])
def test_equals_the_definitions(p, ridge):
    x, y = data(p=p)
    found, (coefficients, hat) = fit(x, y, ridge=ridge), slow(x, y, ridge)
    assert np.append(found.intercept, found.slopes) == pytest.approx(coefficients, abs=1e-11)
    assert np.abs(found.hat_matrix() - hat).max() < 1e-12
    assert np.abs(found.hat_values - np.diag(hat)).max() < 1e-12
    assert np.abs(found.hat_row(3) - hat[3]).max() < 1e-12
    assert np.abs(found.fitted - hat @ y).max() < 1e-11
    assert found.residuals == pytest.approx(y - hat @ y, abs=1e-11)
    assert found.cooks == pytest.approx(slow_cooks(x, y, ridge), rel=1e-9)


@pytest.mark.parametrize("p", [1, 2])
def test_identities(p):
    x, y = data(p=p, seed=1)
    found, n = fit(x, y), len(x)
    assert found.hat_values.sum() == pytest.approx(p + 1, abs=1e-12) == found.degrees
    assert found.hat_values == pytest.approx(1 / n + found.mahalanobis**2 / (n - 1), abs=1e-14)
    assert found.hat_values == pytest.approx(leverage(np.column_stack([np.ones(n), x])), abs=1e-12)
    assert np.abs(found.hat_matrix() @ found.hat_matrix() - found.hat_matrix()).max() < 1e-13
    assert found.hat_matrix().sum(axis=1) == pytest.approx(np.ones(n))
    assert found.cooks == pytest.approx(
        found.residuals**2
        * found.hat_values
        / (
            (p + 1)
            * (found.residuals @ found.residuals / (n - p - 1))
            * (1 - found.hat_values) ** 2
        )
    )
    assert np.array_equal(hat_values(x), found.hat_values) and np.array_equal(
        mahalanobis(x), found.mahalanobis
    )


def test_mahalanobis_by_the_covariance():
    x, _ = data(p=2, seed=2)
    centred, inverse = x - x.mean(axis=0), np.linalg.inv(np.cov(x.T))
    assert mahalanobis(x) == pytest.approx([np.sqrt(c @ inverse @ c) for c in centred], abs=1e-12)


def test_a_ridge_lowers_the_slopes_and_the_hat_values_but_not_the_mean():
    x, y = data(seed=3)
    singular = np.linalg.svd(x - x.mean(axis=0), compute_uv=False) ** 2
    before = fit(x, y)
    for ridge in (0.1, 10.0, 1e3):
        found = fit(x, y, ridge=ridge)
        assert found.degrees == pytest.approx(1 + (singular / (singular + ridge)).sum(), rel=1e-12)
        assert (found.hat_values < before.hat_values).all() and np.linalg.norm(
            found.slopes
        ) < np.linalg.norm(before.slopes)
        assert found.fitted.mean() == pytest.approx(y.mean(), abs=1e-12)
        before = found
    flat = fit(x, y, ridge=1e12)
    assert flat.fitted == pytest.approx(
        np.full(len(y), y.mean()), abs=1e-8
    ) and flat.degrees == pytest.approx(1, abs=1e-8)


def test_units_and_origin_of_x_do_not_matter_without_a_ridge():
    x, y = data(seed=4)
    plain, other = fit(x, y), fit(x * [1e-7, 1e6] + [3.0, -1e8], y)
    assert other.hat_values == pytest.approx(plain.hat_values, abs=1e-7)
    assert other.fitted == pytest.approx(plain.fitted, abs=1e-6)


def test_all_x_equal_is_the_mean():
    y = np.array([1.0, 2, 6])
    for x in (np.full((3, 1), 0.1), np.full((3, 2), 0.1)):
        found = fit(x, y)
        assert found.slopes.tolist() == [0] * x.shape[1] and found.fitted == pytest.approx(
            [3, 3, 3]
        )
        assert found.hat_values == pytest.approx([1 / 3] * 3) and found.degrees == pytest.approx(1)
        assert found.mahalanobis.tolist() == [0, 0, 0]
        assert found.cooks == pytest.approx(slow_cooks(x[:, :0], y))


def test_one_point_alone():
    found = fit(np.array([[2.0]]), np.array([5.0]))
    assert (found.intercept, found.slopes.tolist(), found.hat_values.tolist(), found.degrees) == (
        5,
        [0],
        [1],
        1,
    )
    assert found.mahalanobis.tolist() == [0] and np.isnan(found.cooks).all()


@pytest.mark.parametrize(("n", "p"), [(2, 1), (2, 2), (3, 2), (3, 5)])
def test_no_more_points_than_coefficients(n, p):
    x, y = data(n, p, seed=5)
    found = fit(x, y)
    assert found.fitted == pytest.approx(y) and found.hat_values == pytest.approx(
        np.ones(n), abs=1e-12
    )
    assert found.degrees == pytest.approx(n) and np.isnan(found.cooks).all()
    assert found.hat_values == pytest.approx(1 / n + found.mahalanobis**2 / (n - 1), abs=1e-12)


def test_a_multiple_of_another_regressor_changes_no_fitted_value():
    x, y = data(p=1, seed=6)
    alone, twice = fit(x, y), fit(np.column_stack([x, 1 - 3 * x]), y)
    assert twice.fitted == pytest.approx(alone.fitted) and twice.hat_values == pytest.approx(
        alone.hat_values
    )
    assert twice.cooks == pytest.approx(alone.cooks)
    assert twice.slopes[0] == pytest.approx(-3 * twice.slopes[1]), (
        "each carries half, on the scale of equal spread"
    )


def test_cooks_is_unknown_only_where_it_does_not_exist():
    lone = fit(FOURTH_X, FOURTH_Y)
    assert np.flatnonzero(np.isnan(lone.cooks)).tolist() == [7], (
        "without this point the slope is undefined"
    )
    x, _ = data(p=1, seed=7)
    assert np.isnan(fit(x, 2 * x[:, 0] + 1).cooks).all(), (
        "a perfect fit has no residual to compare with"
    )
    assert np.isnan(fit(x, np.zeros(len(x))).cooks).all()
    assert np.isfinite(fit(x[:2], np.array([1.0, 4]), ridge=0.5).cooks).all(), (
        "with a ridge, two points leave a residual"
    )


def test_no_regressor_is_the_mean():
    found = fit(np.zeros((4, 0)), np.array([1.0, 2, 3, 6]))
    assert found.fitted.tolist() == [3] * 4 and found.hat_values.tolist() == [0.25] * 4


def test_inputs_are_left_alone():
    x, y = data()
    before = x.copy(), y.copy()
    x.flags.writeable = y.flags.writeable = False
    fit(x, y, ridge=1.0)
    assert np.array_equal(x, before[0]) and np.array_equal(y, before[1])
    assert fit(x.astype(np.float32), y.astype(int)).fitted.dtype == np.float64


@pytest.mark.parametrize(
    ("x", "y", "ridge", "message"),
    [
        (np.zeros(3), np.zeros(3), 0, "x: found shape (3,)"),
        (np.zeros((0, 1)), np.zeros(0), 0, "x: found shape (0, 1)"),
        (np.zeros((3, 1)), np.zeros(2), 0, "y: found shape (2,), expected (3,)"),
        (np.array([[1.0], [np.nan]]), np.zeros(2), 0, "x: 1 of 2 rows hold NaN"),
        (np.zeros((2, 1)), np.array([1, np.inf]), 0, "y: 1 of 2 rows hold NaN"),
        (np.array([[1e120], [1.0]]), np.zeros(2), 0, "Choose a larger unit"),
        (np.zeros((2, 1)), np.array(["a", "b"]), 0, "expected real numbers"),
        (np.zeros((2, 1)), np.zeros(2), -1.0, "Ridge: found -1.0"),
        (np.zeros((2, 1)), np.zeros(2), np.nan, "Ridge: found nan"),
    ],
)
def test_bad_input_is_refused(x, y, ridge, message):
    with pytest.raises(UserError) as refused:
        fit(x, y, ridge=ridge)
    assert message in str(refused.value)
