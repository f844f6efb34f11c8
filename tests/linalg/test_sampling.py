"""Are rows drawn with the chances that they are said to have, and is the fit to them that fit?"""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from core.linalg import sampling
from core.linalg.whitening import whiten
from core.types import UserError


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def rows(rng):
    """Rows of unlike length, of rank 4 in 6 columns."""
    narrow = rng.normal(size=(60, 4)) * rng.exponential(size=(60, 1))
    return narrow @ rng.normal(size=(4, 6))


def loss(x, y, coefficients):
    return ((x @ coefficients - y) ** 2).sum()


def test_leverage_sample_has_the_contracts_weights_and_an_unbiased_gram_matrix(rows, rng):
    chances = sampling.leverages(rows) / 4
    total = np.zeros((6, 6))
    draws = 4000
    for _ in range(draws):
        indices, weights = sampling.leverage_sample(rows, 10, rng)
        np.testing.assert_allclose(weights, 1 / (10 * chances[indices]))
        total += (rows[indices].T * weights) @ rows[indices]
    exact = rows.T @ rows
    assert np.abs(total / draws - exact).max() < 0.05 * np.abs(exact).max()


@pytest.mark.parametrize("rule", ["coins", "pivotal"])
def test_each_row_is_in_with_its_chance_and_the_gram_matrix_is_unbiased(rule, rows, rng):
    chances = sampling.inclusion(sampling.leverages(rows), 12)
    order = sampling.spread_order(rows)
    seen = np.zeros(60)
    total = np.zeros((6, 6))
    draws = 6000
    for _ in range(draws):
        indices, weights = (
            sampling.coins(chances, rng)
            if rule == "coins"
            else sampling.pivotal(chances, order, rng)
        )
        assert len(set(indices)) == len(indices)
        assert rule == "coins" or len(indices) == 12
        seen[indices] += 1
        total += (rows[indices].T * weights) @ rows[indices]
    assert np.abs(seen / draws - chances).max() < 0.03  # four standard errors of a half
    exact = rows.T @ rows
    assert np.abs(total / draws - exact).max() < 0.05 * np.abs(exact).max()


def test_pivotal_neighbours_compete(rng):
    """Of four rows on a line with chance 1/2 each, one of either pair is drawn, never both."""
    order = sampling.spread_order(np.array([[0.0], [10.0], [1.0], [11.0]]))
    for _ in range(200):
        indices, _ = sampling.pivotal(np.full(4, 0.5), order, rng)
        assert {i % 2 for i in indices} == {0, 1}


def test_pivotal_spreads_over_a_line_where_coins_do_not(rng):
    """By how much do the parts of a line differ in how many of their rows are drawn?"""
    places = rng.uniform(size=(512, 1))
    chances = np.full(512, 64 / 512)
    order = sampling.spread_order(places)
    bins = (places[:, 0] * 8).astype(int)

    def unevenness(draw):
        counts = [np.bincount(bins[draw()[0]], minlength=8) for _ in range(200)]
        return np.var(counts, axis=0).mean()

    spread = unevenness(lambda: sampling.pivotal(chances, order, rng))
    assert spread < 0.3 * unevenness(lambda: sampling.coins(chances, rng))


def slow_inclusion(scores, k):
    """Cap at 1 whoever is above it, share what is left among the others, until none is."""
    capped = np.zeros(len(scores), bool)
    while True:
        chances = np.where(capped, 1.0, 0.0)
        chances[~capped] = (k - capped.sum()) * scores[~capped] / scores[~capped].sum()
        above = ~capped & (chances > 1 + 1e-12)
        if not above.any():
            return chances
        capped |= above


@pytest.mark.parametrize("k", [1, 5, 20, 39, 40])
def test_inclusion_against_its_slow_definition(k, rng):
    scores = rng.exponential(size=40) ** 3
    found = sampling.inclusion(scores, k)
    np.testing.assert_allclose(found, slow_inclusion(scores, k), atol=1e-12)
    assert found.sum() == pytest.approx(k) and found.max() <= 1


def test_volume_draws_sets_by_their_determinant(rng):
    x = rng.normal(size=(6, 2))
    sets = list(combinations(range(6), 3))
    volumes = np.array([np.linalg.det(x[list(one)].T @ x[list(one)]) for one in sets])
    drawn = Counter(tuple(sorted(sampling.volume(x, 3, rng)[0])) for _ in range(10_000))
    found = np.array([drawn[one] for one in sets]) / 10_000
    assert np.abs(found - volumes / volumes.sum()).max() < 0.02


def test_the_plain_fit_to_a_volume_sample_is_unbiased(rng):
    x = rng.normal(size=(12, 2)) * rng.exponential(size=(12, 1))
    y = x @ np.array([[1.0], [-2.0]]) + rng.normal(size=(12, 1))
    fits = [sampling.sketched_least_squares(x, y, *sampling.volume(x, 3, rng)) for _ in range(8000)]
    best = np.linalg.lstsq(x, y, rcond=None)[0]
    error = np.std(fits, axis=0) / np.sqrt(len(fits))
    assert (np.abs(np.mean(fits, axis=0) - best) < 4.5 * error).all()


def test_volume_needs_the_rank(rows, rng):
    with pytest.raises(UserError, match="at least the rank, 4"):
        sampling.volume(rows, 3, rng)
    indices, weights = sampling.volume(rows, 4, rng)
    assert np.linalg.matrix_rank(rows[indices]) == 4 and (weights == 1).all()


def test_the_fit_to_all_rows_is_least_squares(rows, rng):
    y = rng.normal(size=(60, 3))
    found = sampling.sketched_least_squares(rows, y, np.arange(60), np.ones(60))
    np.testing.assert_allclose(rows @ found, rows @ np.linalg.pinv(rows) @ y, atol=1e-10)
    full = sampling.full_fit(rows, y, whiten(rows))
    assert full.loss == pytest.approx(loss(rows, y, found))
    assert full.scale == pytest.approx((y**2).sum())


def test_the_fit_weighs_and_reads_the_bought_labels_alone(rows, rng):
    y = np.full((60, 2), np.nan)
    indices = rng.choice(60, 20, replace=False)
    weights = rng.exponential(size=20)
    y[indices] = rng.normal(size=(20, 2))
    found = sampling.sketched_least_squares(rows, y, indices, weights)
    roots = np.sqrt(weights)[:, None]
    plain = np.linalg.pinv(rows[indices] * roots) @ (y[indices] * roots)
    np.testing.assert_allclose(rows @ found, rows @ plain, atol=1e-9)


def test_what_a_sample_misses_is_zero_in_whitened_coordinates():
    """One row of [[1, 0], [0, 100]]: minimum norm there leaves the other direction alone."""
    x = np.array([[1.0, 0.0], [0.0, 100.0]])
    found = sampling.sketched_least_squares(x, np.array([[3.0], [7.0]]), np.array([1]), np.ones(1))
    np.testing.assert_allclose(found, [[0.0], [0.07]], atol=1e-12)
    z = x @ whiten(x).weights
    fit = sampling.fit_sample(z[[1]], np.array([[7.0]]), np.ones(1))
    assert fit.directions == 1 and fit.condition == 1


def test_the_ratio_is_the_loss_on_all_rows_over_the_least(rows, rng):
    y = rng.normal(size=(60, 3))
    whitening = whiten(rows)
    full = sampling.full_fit(rows, y, whitening)
    indices, weights = sampling.leverage_sample(rows, 15, rng)
    fit = sampling.fit_sample(rows[indices] @ whitening.weights, y[indices], weights)
    coefficients = sampling.sketched_least_squares(rows, y, indices, weights)
    assert full.ratio(fit.coefficients) == pytest.approx(loss(rows, y, coefficients) / full.loss)
    assert full.ratio(full.coefficients) == 1


def test_a_fit_that_leaves_nothing_has_no_ratio(rows):
    y = rows @ np.ones((6, 1))
    full = sampling.full_fit(rows, y, whiten(rows))
    assert full.exact and np.isnan(full.ratio(full.coefficients))


def test_with_leverage_the_loss_is_near_the_least_where_uniform_misses_a_direction(rng):
    """A hundred rows of which one alone knows the second direction: its leverage is 1."""
    x = np.column_stack([np.ones(100), np.zeros(100)])
    x[0] = [0, 1]
    assert sampling.leverages(x)[0] == 1
    y = x @ np.array([[1.0], [50.0]]) + 0.1 * rng.normal(size=(100, 1))
    whitening = whiten(x)
    full = sampling.full_fit(x, y, whitening)

    def ratio(indices, weights):
        z = x[indices] @ whitening.weights
        return full.ratio(sampling.fit_sample(z, y[indices], weights).coefficients)

    chances = sampling.inclusion(sampling.leverages(x), 10)
    drawn = [ratio(*sampling.coins(chances, rng)) for _ in range(20)]
    blind = [ratio(rng.choice(np.arange(1, 100), 10), np.ones(10)) for _ in range(20)]
    assert np.median(drawn) < 2 and min(blind) > 1000


def test_the_example_of_two_directions():
    """[1, 0], [0, 1] and [1, 10]: what is long is not what sticks out, its direction is."""
    x = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 10.0]])
    np.testing.assert_allclose(sampling.leverages(x), [0.990, 0.0196, 0.990], atol=5e-4)


def test_ridge_for_reaches_its_number_of_directions(rows):
    ridge = sampling.ridge_for(rows, 2)
    values = np.linalg.eigvalsh(rows.T @ rows)
    assert (values / (values + ridge)).sum() == pytest.approx(2)
    assert sampling.ridge_for(rows, 4) == 0


def test_the_guarantee_has_its_shape():
    found = sampling.guarantee(np.array([100, 5_000, 10_000]), 712)
    assert np.isnan(found[0])
    np.testing.assert_allclose(found[1:], 1 + 712 / (np.array([5_000, 10_000]) - 712 * np.log(712)))


def test_rows_are_taken_from_a_table_in_blocks(rows):
    class Table:
        shape, dtype = rows.shape, rows.dtype

        def __len__(self):
            return len(rows)

        def blocks(self, count):
            return (rows[i : i + 7] for i in range(0, 60, 7))

    indices = np.array([59, 3, 3, 20])
    np.testing.assert_array_equal(sampling.take(Table(), indices), rows[indices])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: sampling.inclusion(np.array([1.0, 0.0]), 2), "only 1 rows"),
        (lambda: sampling.inclusion(np.array([1.0, -1.0]), 1), "negative"),
        (lambda: sampling.with_replacement(np.zeros(3), 1, np.random.default_rng()), "zeros"),
        (lambda: sampling.leverage_sample(np.eye(2), 0, np.random.default_rng()), "at least 1"),
        (lambda: sampling.fit_sample(np.eye(2), np.eye(2), np.array([1, -1])), "weights"),
    ],
)
def test_what_does_not_fit_is_said(call, says):
    with pytest.raises(UserError, match=says):
        call()
